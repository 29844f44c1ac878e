//! A chart: its data, and the frame of heading, legend, notes and numbers around the drawing.

use std::fmt::Write;

use super::axis::Scale;
use super::markup::{count, escape, number};
use super::plot::{Plot, marked_swatch};
use super::table;

/// Lines over one horizontal quantity, such as a loss over epochs.
///
/// Long lines are thinned for drawing to at most 1000 points; the lowest and the highest value of every stretch stay, so
/// spikes stay visible. Values that are not finite, and values of zero or below on a logarithmic scale, interrupt the
/// line; a sentence below the chart says how many there are and where the first one is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Chart {
    /// The heading.
    pub title: String,
    /// The horizontal quantity, such as `epoch`.
    pub x_label: String,
    /// The vertical quantity with its unit, such as `cross-entropy (nats)`.
    pub y_label: String,
    /// The division of the vertical axis. Default: linear.
    pub scale: Scale,
    /// The lines, told apart by colour and dash pattern; after sixteen the looks repeat.
    pub lines: Vec<Line>,
    /// A vertical line at a position, with its name, such as the best epoch. Default: none.
    pub mark: Option<(f64, String)>,
    /// A sentence below the chart. Default: none.
    pub note: Option<String>,
}

/// A named series of a chart.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Line {
    /// The name in the legend, such as `train`.
    pub name: String,
    /// Pairs of position and value, in rising order of position.
    pub points: Vec<(f64, f64)>,
    /// Thin lines of the same colour behind it, such as the runs whose mean it is. Default: none.
    pub behind: Vec<Vec<(f64, f64)>>,
    /// How the points are drawn. Default: joined.
    pub marks: Marks,
}

/// How the points of a [`Line`] are drawn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Marks {
    /// By a line from one to the next. The default.
    #[default]
    Joined,
    /// Each as a dot.
    Dots,
    /// Each as a ring.
    Rings,
}

impl Line {
    /// A line through `points`, in rising order of position.
    pub fn new(name: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
        Self {
            name: name.into(),
            points,
            behind: Vec::new(),
            marks: Marks::Joined,
        }
    }

    /// The points that can be drawn on `scale`.
    pub(super) fn drawn(&self, scale: Scale) -> impl Iterator<Item = (f64, f64)> {
        scale.drawn(&self.points)
    }
}

impl Chart {
    /// A chart on a linear scale, without mark and note.
    pub fn new(
        title: impl Into<String>,
        x_label: impl Into<String>,
        y_label: impl Into<String>,
        lines: Vec<Line>,
    ) -> Self {
        Self {
            title: title.into(),
            x_label: x_label.into(),
            y_label: y_label.into(),
            lines,
            ..Self::default()
        }
    }

    /// The chart as a `figure`. `place` counts the charts of the page and keeps ids apart.
    pub(super) fn to_html(&self, place: usize) -> String {
        self.around(&Plot::new(self), place)
    }

    /// The same around a drawing that was made ready otherwise.
    pub(super) fn around(&self, plot: &Plot, place: usize) -> String {
        let title = escape(&self.title);
        let mut html = format!(
            "<figure class=\"card chart\">\n<figcaption><h3>{title}</h3>{}</figcaption>\n",
            self.legend()
        );
        let _ = writeln!(
            html,
            "<p class=\"y-label\">{}{}</p>",
            escape(&self.y_label),
            self.scale.words()
        );
        html += &plot.to_html(place);
        let _ = writeln!(html, "<p class=\"x-label\">{}</p>", escape(&self.x_label));
        for note in self.notes(plot.thinned()) {
            let _ = writeln!(html, "<p class=\"note\">{}</p>", escape(&note));
        }
        html += &table::render(self);
        html += "</figure>\n";
        html
    }

    /// A piece of each line beside its name; empty for a single line, which the labels name. Lines without a point are hidden:
    /// the script counts them.
    fn legend(&self) -> String {
        if self.lines.len() < 2 {
            return String::new();
        }
        let items: String = (self.lines.iter().enumerate())
            .map(|(place, line)| {
                let hidden = match line.points.is_empty() {
                    true => " hidden=\"\"",
                    false => "",
                };
                let swatch = marked_swatch(place, line.marks);
                format!("<li{hidden}>{swatch}{}</li>", escape(&line.name))
            })
            .collect();
        format!("<ul class=\"legend\">{items}</ul>")
    }

    /// What a reader must know about the drawing: the caller's note, values left out, thinning.
    fn notes(&self, thinned: Option<(usize, usize)>) -> Vec<String> {
        let mut notes: Vec<String> = self.note.clone().into_iter().collect();
        for line in &self.lines {
            let fits = |x: f64, y: f64| Scale::Linear.draws(x) && Scale::Linear.draws(y);
            notes.extend(self.gap(line, "not finite", |x, y| !fits(x, y)));
            let below = |x, y| fits(x, y) && !self.scale.draws(y);
            notes.extend(self.gap(line, "zero or below, where a log scale ends", below));
        }
        if let Some((kept, all)) = thinned {
            notes.push(format!(
                "Drawn with {} of {} points: the lowest and the highest of each stretch.",
                count(kept),
                count(all)
            ));
        }
        notes
    }

    /// How many points of `line` are `missing`, and where the first one is. `None` without any.
    fn gap(&self, line: &Line, why: &str, missing: impl Fn(f64, f64) -> bool) -> Option<String> {
        let points = || line.points.iter().filter(|(x, y)| missing(*x, *y));
        let first = points().next()?;
        let at = format!("{} {}", self.x_label, number(first.0));
        let name = &line.name;
        Some(match points().count() {
            1 => format!("One value of {name} is {why}: at {at}. It is left out."),
            many => format!(
                "{} values of {name} are {why}, the first at {at}. They are left out.",
                count(many)
            ),
        })
    }

    /// The chart in words, for those who cannot see it.
    pub(super) fn description(&self) -> String {
        let mut words = format!("{} over {}.", self.y_label, self.x_label);
        for line in &self.lines {
            let points: Vec<(f64, f64)> = line.drawn(self.scale).collect();
            let by_value = |a: &&(f64, f64), b: &&(f64, f64)| a.1.total_cmp(&b.1);
            let name = &line.name;
            let (Some(first), Some(last)) = (points.first(), points.last()) else {
                let _ = write!(words, " {name}: no data.");
                continue;
            };
            let lowest = points.iter().min_by(by_value).unwrap_or(first);
            let highest = points.iter().max_by(by_value).unwrap_or(first);
            let _ = write!(
                words,
                " {name}: from {} at {} to {} at {}, lowest {} at {}, highest {} at {}.",
                number(first.1),
                number(first.0),
                number(last.1),
                number(last.0),
                number(lowest.1),
                number(lowest.0),
                number(highest.1),
                number(highest.0),
            );
        }
        if let Some((at, name)) = &self.mark {
            let _ = write!(words, " Marked: {name}, at {}.", number(*at));
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(points: Vec<(f64, f64)>) -> Chart {
        Chart::new("Loss", "epoch", "nats", vec![Line::new("train", points)])
    }

    #[test]
    fn description_tells_ends_and_extremes() {
        let mut chart = chart(vec![(1.0, 2.0), (2.0, f64::NAN), (3.0, 0.5), (4.0, 0.75)]);
        chart.mark = Some((3.0, "best".into()));
        assert_eq!(
            chart.description(),
            "nats over epoch. train: from 2 at 1 to 0.75 at 4, lowest 0.5 at 3, highest 2 at 1. Marked: best, at 3."
        );
    }

    #[test]
    fn values_left_out_are_counted_and_located() {
        let mut chart = chart(vec![
            (1.0, 2.0),
            (2.0, f64::NAN),
            (3.0, 0.0),
            (4.0, f64::INFINITY),
        ]);
        chart.note = Some("Early stop.".into());
        let not_finite =
            "2 values of train are not finite, the first at epoch 2. They are left out.";
        assert_eq!(chart.notes(None), ["Early stop.", not_finite]);
        chart.scale = Scale::Log10;
        let zero = "One value of train is zero or below, where a log scale ends: at epoch 3. It is left out.";
        assert_eq!(chart.notes(None), ["Early stop.", not_finite, zero]);
    }

    #[test]
    fn only_values_with_a_place_are_drawn() {
        let line = Line::new("a", vec![(0.0, 1.0), (1.0, 0.0), (f64::NAN, 2.0)]);
        assert_eq!(line.drawn(Scale::Linear).count(), 2);
        assert_eq!(line.drawn(Scale::Log10).count(), 1);
    }

    #[test]
    fn thinning_is_told() {
        let points = (0..5000).map(|step| (step as f64, step as f64)).collect();
        let html = chart(points).to_html(1);
        assert!(html.contains("Drawn with 1000 of 5000 points"), "{html}");
    }

    #[test]
    fn lines_without_points_have_no_name_to_look_for() {
        let mut chart = chart(vec![(1.0, 2.0)]);
        chart.lines.push(Line::new("valid", Vec::new()));
        let html = chart.to_html(1);
        assert_eq!(html.matches("<li><svg").count(), 1);
        assert_eq!(html.matches("<li hidden=\"\"><svg").count(), 1);
    }

    #[test]
    fn charts_without_points_say_so() {
        for points in [vec![], vec![(1.0, f64::NAN)]] {
            let html = chart(points).to_html(1);
            assert!(html.contains(">No data</text>") && html.contains("train: no data."));
            assert!(!html.contains("NaN\""), "{html}");
        }
        let html = Chart::default().to_html(1);
        assert!(html.contains(">No data</text>") && !html.contains("<ul"));
    }
}
