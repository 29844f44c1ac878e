//! The drawing of a chart as SVG.
//!
//! Text keeps its size at every width: vertical positions are pixels, horizontal ones percents of the width. Only the
//! lines lie in an inner drawing that stretches, and their strokes do not stretch with it.

use std::fmt::Write;

use serde_json::Value;

use super::axis::{Axis, Scale};
use super::chart::{Chart, Line, Marks};
use super::markup::{coordinate, escape, json_number};
use super::thin::thin;

/// Usual height of the area inside the axes, in CSS pixels.
pub(super) const HEIGHT: f64 = 240.0;

/// Width of the inner drawing, in its own units.
pub(super) const WIDTH: f64 = 1000.0;

/// The most points of a line that are drawn: about one low and one high for every pixel of a column.
const POINTS: usize = 1000;

/// From how many points on a line gets a thinner stroke, so that neighbours do not melt together.
const DENSE: usize = 250;

/// The classes that give line `place` its colour and dash pattern: four of each, sixteen pairs.
pub(super) fn look(place: usize) -> String {
    let (colour, dash) = (place % 4, (place + place / 4) % 4);
    format!("colour-{} dash-{}", colour + 1, dash + 1)
}

/// A piece of a line, to stand beside its name.
pub(super) fn swatch(place: usize) -> String {
    format!(
        "<svg class=\"swatch\" width=\"30\" height=\"8\" aria-hidden=\"true\">\
         <path class=\"line {}\" d=\"M1 4H29\"/></svg>",
        look(place)
    )
}

/// What stands beside the name of a line: a piece of it, or one of its dots or rings.
pub(super) fn marked_swatch(place: usize, marks: Marks) -> String {
    if marks == Marks::Joined {
        return swatch(place);
    }
    format!(
        "<svg class=\"swatch\" width=\"30\" height=\"8\" aria-hidden=\"true\">\
         <path class=\"line colour-{}{}\" d=\"M12 4a3 3 0 1 0 6 0a3 3 0 1 0 -6 0\"/></svg>",
        place % 4 + 1,
        full(marks)
    )
}

/// The class that fills a dot.
fn full(marks: Marks) -> &'static str {
    match marks {
        Marks::Dots => " full",
        Marks::Joined | Marks::Rings => "",
    }
}

/// A chart made ready for drawing.
pub(super) struct Plot<'a> {
    chart: &'a Chart,
    /// Horizontal and vertical axis; `None` without a point to draw.
    axes: Option<(Axis, Axis)>,
    /// For each line its thinned points, cut where values are missing.
    runs: Vec<Vec<Vec<(f64, f64)>>>,
    /// Of the area inside the axes.
    height: f64,
    /// What lies behind the lines: paths of the inner drawing, and dots.
    behind: [String; 2],
}

impl<'a> Plot<'a> {
    /// Finds ranges and thins the lines.
    pub(super) fn new(chart: &'a Chart) -> Self {
        let behind = |line: &'a Line| line.behind.iter();
        let all = || {
            let lines = chart.lines.iter();
            lines.flat_map(move |line| std::iter::once(&line.points).chain(behind(line)))
        };
        let drawn = || all().flat_map(|points| chart.scale.drawn(points));
        let mut xs: Vec<f64> = drawn().map(|point| point.0).collect();
        let ys: Vec<f64> = drawn().map(|point| point.1).collect();
        if !xs.is_empty() {
            let mark = chart.mark.as_ref().map(|mark| mark.0);
            xs.extend(mark.filter(|x| Scale::Linear.draws(*x)));
        }
        let runs = chart
            .lines
            .iter()
            .map(|line| runs(&line.points, chart.scale))
            .collect();
        let axes = Axis::horizontal(&xs).zip(Axis::vertical(&ys, chart.scale));
        Self {
            chart,
            axes,
            runs,
            height: HEIGHT,
            behind: Default::default(),
        }
    }

    /// On other axes, with paths of the inner drawing and dots behind the lines. All points must be within the axes.
    pub(super) fn over(mut self, axes: (Axis, Axis), behind: [String; 2]) -> Self {
        self.axes = Some(axes);
        self.behind = behind;
        self
    }

    /// With another height of the area inside the axes.
    pub(super) fn with_height(mut self, height: f64) -> Self {
        self.height = height;
        self
    }

    /// How many points are drawn, and of how many; `None` where nothing was thinned.
    pub(super) fn thinned(&self) -> Option<(usize, usize)> {
        let lines = &self.chart.lines;
        let all = lines
            .iter()
            .map(|line| line.drawn(self.chart.scale).count());
        let kept = self
            .runs
            .iter()
            .map(|runs| runs.iter().map(Vec::len).sum::<usize>());
        let (all, kept): (usize, usize) = (all.sum(), kept.sum());
        (kept < all).then_some((kept, all))
    }

    /// The drawing, inside the box that the script makes interactive.
    pub(super) fn to_html(&self, place: usize) -> String {
        let widest = |axis: &Axis| {
            axis.ticks
                .iter()
                .map(|tick| tick.label.chars().count())
                .max()
        };
        let margin = self.axes.as_ref().and_then(|(_, y)| widest(y)).unwrap_or(0);
        let data = match &self.axes {
            Some((x, y)) => format!(" data-chart=\"{}\"", escape(&self.data(x, y))),
            None => String::new(),
        };
        let inside = self.drawing() + &self.cursor();
        format!(
            "<div class=\"plot\" style=\"--labels:{margin}ch\"{data}>\n\
             <svg class=\"canvas\" width=\"100%\" height=\"{HEIGHT}\" role=\"img\" \
             aria-labelledby=\"chart-{place}-title\" aria-describedby=\"chart-{place}-text\">\n\
             <title id=\"chart-{place}-title\">{}</title>\n<desc id=\"chart-{place}-text\">{}</desc>\n\
             {inside}</svg>\n</div>\n",
            escape(&self.chart.title),
            escape(&self.chart.description()),
        )
    }

    /// Grid, mark and lines, as wide as the drawing around it and [`HEIGHT`] high, or as [`with_height`](Self::with_height)
    /// says.
    pub(super) fn drawing(&self) -> String {
        let height = self.height;
        let Some((x, y)) = &self.axes else {
            return format!(
                "<text class=\"empty\" x=\"50%\" y=\"{}\">No data</text>\n",
                height / 2.0
            );
        };
        let mut svg = grid(x, y, height);
        if let Some((at, name)) = &self.chart.mark
            && Scale::Linear.draws(*at)
        {
            svg += &mark(x.fraction(*at), name, height);
        }
        svg += &self.lines(x, y);
        svg
    }

    /// What the script moves to the point that it reads; empty without a point.
    fn cursor(&self) -> String {
        if self.axes.is_none() {
            return String::new();
        }
        let mut svg = String::from("<g class=\"cursor\" visibility=\"hidden\">");
        let _ = write!(svg, "<line y1=\"0\" y2=\"{}\"/>", self.height);
        for place in 0..self.runs.len() {
            let _ = write!(svg, "<circle class=\"{}\" r=\"4\"/>", look(place));
        }
        svg += "</g>\n";
        svg
    }

    /// The lines, those behind others first, and a dot for each point that has no neighbour to be joined with.
    fn lines(&self, x: &Axis, y: &Axis) -> String {
        let height = self.height;
        let [mut paths, mut dots] = self.behind.clone();
        let scale = self.chart.scale;
        for (place, line) in self.chart.lines.iter().enumerate() {
            let look = look(place) + " thin";
            for points in &line.behind {
                self.line(x, y, &look, &runs(points, scale), [&mut paths, &mut dots]);
            }
        }
        for (place, runs) in self.runs.iter().enumerate() {
            match self.chart.lines[place].marks {
                Marks::Joined => self.line(x, y, &look(place), runs, [&mut paths, &mut dots]),
                marks => {
                    let look = look(place) + full(marks);
                    for point in runs.iter().flatten() {
                        dots += &self.dot(x, y, &look, *point);
                    }
                }
            }
        }
        format!(
            "<svg class=\"lines\" width=\"100%\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\" \
             preserveAspectRatio=\"none\">\n{paths}</svg>\n{dots}"
        )
    }

    /// One line: its path, and its dots.
    fn line(
        &self,
        x: &Axis,
        y: &Axis,
        look: &str,
        runs: &[Vec<(f64, f64)>],
        [paths, dots]: [&mut String; 2],
    ) {
        let mut path = String::new();
        for run in runs {
            if let [point] = run[..] {
                *dots += &self.dot(x, y, look, point);
                continue;
            }
            for (step, (px, py)) in run.iter().enumerate() {
                let across = coordinate(WIDTH * x.fraction(*px));
                let pen = if step == 0 { 'M' } else { 'L' };
                let _ = write!(path, "{pen}{across} {}", down(y, self.height, *py));
            }
        }
        let dense = match runs.iter().map(Vec::len).sum::<usize>() > DENSE {
            true => " dense",
            false => "",
        };
        if !path.is_empty() {
            let _ = writeln!(paths, "<path class=\"line{dense} {look}\" d=\"{path}\"/>");
        }
    }

    fn dot(&self, x: &Axis, y: &Axis, look: &str, (px, py): (f64, f64)) -> String {
        format!(
            "<circle class=\"dot {look}\" cx=\"{}%\" cy=\"{}\" r=\"3.5\"/>\n",
            coordinate(100.0 * x.fraction(px)),
            down(y, self.height, py)
        )
    }

    /// What the script needs to read values: the ranges and the drawn points, as JSON.
    fn data(&self, x: &Axis, y: &Axis) -> String {
        let lines: Vec<String> = (self.chart.lines.iter().zip(&self.runs))
            .map(|(line, runs)| {
                let points: Vec<String> = (runs.iter().flatten())
                    .map(|(px, py)| format!("[{},{}]", json_number(*px), json_number(*py)))
                    .collect();
                let name = Value::from(line.name.as_str());
                format!("{{\"name\":{name},\"points\":[{}]}}", points.join(","))
            })
            .collect();
        format!(
            "{{\"title\":{},\"label\":{},\"x\":[{:e},{:e}],\"y\":[{:e},{:e}],\"log\":{},\"height\":{HEIGHT},\"lines\":[{}]}}",
            Value::from(self.chart.title.as_str()),
            Value::from(self.chart.x_label.as_str()),
            x.low,
            x.high,
            y.low,
            y.high,
            y.scale == Scale::Log10,
            lines.join(",")
        )
    }
}

/// Thinned points, cut where a value cannot be drawn.
fn runs(points: &[(f64, f64)], scale: Scale) -> Vec<Vec<(f64, f64)>> {
    let value = |&(x, y): &(f64, f64)| match Scale::Linear.draws(x) {
        true => y,
        false => f64::NAN,
    };
    let values: Vec<f64> = points.iter().map(value).collect();
    thin(&values, POINTS, |y| scale.draws(y))
        .split(|&i| !scale.draws(values[i]))
        .filter(|run| !run.is_empty())
        .map(|run| run.iter().map(|&i| points[i]).collect())
        .collect()
}

/// Pixels from the top edge to `value`.
fn down(y: &Axis, height: f64, value: f64) -> String {
    coordinate(height * (1.0 - y.fraction(value)))
}

/// Grid lines and tick labels.
pub(super) fn grid(x: &Axis, y: &Axis, height: f64) -> String {
    let mut svg = String::from("<g class=\"grid\">\n");
    for tick in &y.ticks {
        let _ = writeln!(
            svg,
            "<line x1=\"0\" x2=\"100%\" y1=\"{0}\" y2=\"{0}\"/><text class=\"y\" x=\"-10\" y=\"{0}\" dy=\".35em\">{1}</text>",
            down(y, height, tick.value),
            tick.label
        );
    }
    let _ = writeln!(
        svg,
        "<line class=\"floor\" x1=\"0\" x2=\"100%\" y1=\"{height}\" y2=\"{height}\"/>"
    );
    for tick in &x.ticks {
        let _ = writeln!(
            svg,
            "<line class=\"floor\" x1=\"{0}%\" x2=\"{0}%\" y1=\"{height}\" y2=\"{1}\"/><text x=\"{0}%\" y=\"{height}\" dy=\"1.6em\">{2}</text>",
            coordinate(100.0 * x.fraction(tick.value)),
            height + 5.0,
            tick.label
        );
    }
    svg += "</g>\n";
    svg
}

/// A vertical line with its name above it; near the ends the name turns inwards.
fn mark(fraction: f64, name: &str, height: f64) -> String {
    let anchor = match fraction {
        f if f < 0.15 => "start",
        f if f > 0.85 => "end",
        _ => "middle",
    };
    format!(
        "<g class=\"mark\"><line x1=\"{0}%\" x2=\"{0}%\" y1=\"-3\" y2=\"{height}\"/>\
         <text x=\"{0}%\" y=\"-8\" text-anchor=\"{anchor}\">{1}</text></g>\n",
        coordinate(100.0 * fraction),
        escape(name)
    )
}

#[cfg(test)]
mod tests {
    use super::super::chart::Line;
    use super::*;

    fn chart(scale: Scale, points: Vec<(f64, f64)>) -> Chart {
        let lines = vec![Line::new("train", points)];
        Chart {
            scale,
            ..Chart::new("Loss", "epoch", "nats", lines)
        }
    }

    #[test]
    fn points_land_where_they_belong() {
        let chart = chart(Scale::Linear, vec![(0.0, 0.0), (1.0, 1.0), (4.0, 2.0)]);
        let html = Plot::new(&chart).to_html(1);
        assert!(html.contains("d=\"M0 240L250 120L1000 0\""), "{html}");
    }

    #[test]
    fn missing_values_cut_the_line_and_lone_points_are_dots() {
        let nan = f64::NAN;
        let points = [1.0, 2.0, nan, 1.5, nan, 2.0, 1.0];
        let points = (0..7).map(|i| (i as f64, points[i])).collect();
        let html = Plot::new(&chart(Scale::Linear, points)).to_html(1);
        let path = html.split("class=\"line colour-1").nth(1).unwrap();
        let path = path.split("/>").next().unwrap();
        assert_eq!(path.matches('M').count(), 2, "{path}");
        assert_eq!(html.matches("class=\"dot").count(), 1);
        assert!(html.contains("cx=\"50%\""), "{html}");
    }

    #[test]
    fn dots_and_rings_are_not_joined() {
        let mut chart = chart(Scale::Linear, vec![(0.0, 0.0), (1.0, 1.0), (4.0, 2.0)]);
        for (marks, dots) in [(Marks::Dots, "dash-1 full\""), (Marks::Rings, "dash-1\"")] {
            chart.lines[0].marks = marks;
            let html = Plot::new(&chart).to_html(1);
            let dot = format!("class=\"dot colour-1 {dots} cx=");
            assert_eq!(html.matches(&dot).count(), 3, "{html}");
            assert!(html.contains("cx=\"25%\" cy=\"120\""), "{html}");
            assert!(!html.contains("<path"), "{html}");
        }
    }

    #[test]
    fn what_lies_behind_comes_first() {
        let chart = chart(Scale::Linear, vec![(0.0, 0.0), (1.0, 1.0)]);
        let x = Axis::horizontal(&[0.0, 2.0]).unwrap();
        let y = Axis::vertical(&[0.0, 4.0], Scale::Linear).unwrap();
        let behind = ["<path/>\n".into(), "<circle/>\n".into()];
        let html = Plot::new(&chart).over((x, y), behind).to_html(1);
        let (_, lines) = html.split_once("class=\"lines\"").unwrap();
        assert!(
            lines.contains("<path/>\n<path class=\"line colour-1 dash-1\" d=\"M0 240L500 180\"/>")
        );
        assert!(lines.contains("</svg>\n<circle/>"), "{html}");
    }

    #[test]
    fn zeros_on_a_log_scale_are_left_out() {
        let chart = chart(Scale::Log10, vec![(0.0, 0.0), (1.0, 0.01), (2.0, 1.0)]);
        let html = Plot::new(&chart).to_html(1);
        assert!(html.contains("d=\"M0 240L1000 0\""), "{html}");
        assert!(html.contains("&quot;log&quot;:true"));
    }

    #[test]
    fn one_point_and_constant_lines_lie_in_the_middle() {
        for scale in [Scale::Linear, Scale::Log10] {
            let one = chart(scale, vec![(3.0, 0.001)]);
            let html = Plot::new(&one).to_html(1);
            assert!(html.contains("cx=\"50%\" cy=\"120\""), "{html}");
            let flat = chart(scale, vec![(1.0, 0.001), (2.0, 0.001), (3.0, 0.001)]);
            let html = Plot::new(&flat).to_html(1);
            assert!(html.contains("d=\"M0 120L500 120L1000 120\""), "{html}");
        }
    }

    #[test]
    fn data_is_json_with_the_drawn_points() {
        let mut chart = chart(Scale::Linear, vec![(0.0, 0.5), (1.0, f64::NAN), (2.0, 1.5)]);
        chart.lines[0].name = "a \"b\" <c>".into();
        let plot = Plot::new(&chart);
        let (x, y) = plot.axes.as_ref().unwrap();
        let data: Value = serde_json::from_str(&plot.data(x, y)).unwrap();
        assert_eq!(data["lines"][0]["name"], "a \"b\" <c>");
        let points = serde_json::json!([[0, 0.5], [2, 1.5]]);
        assert_eq!(data["lines"][0]["points"], points);
        assert_eq!(data["x"], serde_json::json!([0.0, 2.0]));
    }

    #[test]
    fn a_mark_beyond_the_points_widens_the_axis() {
        let mut chart = chart(Scale::Linear, vec![(0.0, 1.0), (8.0, 2.0)]);
        chart.mark = Some((10.0, "best".into()));
        let html = Plot::new(&chart).to_html(1);
        assert!(html.contains("x1=\"100%\" x2=\"100%\" y1=\"-3\""), "{html}");
        chart.mark = Some((f64::NAN, "best".into()));
        assert!(!Plot::new(&chart).to_html(1).contains("class=\"mark\""));
    }

    #[test]
    fn sixteen_lines_look_different() {
        let looks: std::collections::HashSet<String> = (0..16).map(look).collect();
        assert_eq!(looks.len(), 16);
        assert_eq!(look(16), look(0));
    }
}
