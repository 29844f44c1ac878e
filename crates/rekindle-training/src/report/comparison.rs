//! Several subjects with several runs each in one picture: an SVG file that stands alone, on light and dark screens.
//!
//! Above, one row for each subject: its look, its name, a dot for the score of each run, their mean and spread. Below,
//! the curves: a thin line for each run and a thick one for their mean.

use std::fmt::Write;

use super::axis::{Axis, Scale};
use super::chart::{Chart, Line};
use super::markup::{coordinate, escape};
use super::picture::{EDGE, GAP, LABELS, WIDTH, heading, picture};
use super::plot::{HEIGHT, Plot, look};
use crate::Spread;

/// Height of the row of a subject.
const ROW: f64 = 30.0;
/// Width of a piece of line beside a name.
const SWATCH: f64 = 30.0;
/// Room for the numbers at the end of a row.
const NUMBERS: f64 = 110.0;
/// A generous guess at the mean width of a letter.
const LETTER: f64 = 7.5;
/// Longer names are cut.
const NAME: usize = 40;
/// From the top of a panel to its drawing, and from there to its end.
const ABOVE: f64 = 56.0;
const BELOW: f64 = 56.0;

/// Subjects, such as variants of a recipe, and how their runs went.
///
/// # Examples
///
/// ```
/// use rekindle_training::report::{Comparison, Panel, Subject};
///
/// let subject = |name: &str, scores: &[f64]| Subject {
///     name: name.into(),
///     scores: scores.to_vec(),
/// };
/// let comparison = Comparison {
///     title: "Digits".into(),
///     score: "test accuracy (%)".into(),
///     subjects: vec![subject("gru", &[96.0, 97.5]), subject("lstm", &[97.0, 96.5])],
///     panels: vec![Panel {
///         title: "Loss".into(),
///         x_label: "epoch".into(),
///         y_label: "cross-entropy (nats)".into(),
///         curves: vec![
///             vec![vec![(1.0, 2.2), (2.0, 0.9)], vec![(1.0, 2.0), (2.0, 0.7)]],
///             vec![vec![(1.0, 2.3), (2.0, 0.8)]],
///         ],
///         ..Panel::default()
///     }],
/// };
/// assert!(comparison.to_svg().starts_with("<svg "));
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Comparison {
    /// The heading. Default: empty, which leaves it out.
    pub title: String,
    /// What the scores of the subjects are, with the unit, such as `test accuracy (%)`.
    pub score: String,
    /// What is compared, in the order of display; after sixteen the looks repeat.
    pub subjects: Vec<Subject>,
    /// The curves, two panels in a row. Default: none.
    pub panels: Vec<Panel>,
}

/// One row of a [`Comparison`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Subject {
    /// The name, such as `gru`; cut after 40 letters.
    pub name: String,
    /// The score of each run; empty if nothing was scored. Those that are not finite are not drawn.
    pub scores: Vec<f64>,
}

/// The curves of all runs of one quantity.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Panel {
    /// The heading.
    pub title: String,
    /// The horizontal quantity, such as `epoch`.
    pub x_label: String,
    /// The vertical quantity with its unit.
    pub y_label: String,
    /// The division of the vertical axis. Default: linear.
    pub scale: Scale,
    /// `curves[subject][run]`: pairs of position and value, in rising order of position.
    pub curves: Vec<Vec<Vec<(f64, f64)>>>,
}

impl Comparison {
    /// The picture as SVG: style and drawing are inside, nothing is loaded.
    ///
    /// # Panics
    /// If a panel has not one entry of curves for each subject.
    pub fn to_svg(&self) -> String {
        self.check();
        let (mut body, mut y) = heading(&self.title);
        y += self.rows(y, &mut body);
        for pair in self.panels.chunks(2) {
            let columns = self.panels.len().min(2) as f64;
            let width = (WIDTH - 2.0 * EDGE - GAP * (columns - 1.0)) / columns;
            for (column, panel) in pair.iter().enumerate() {
                let x = EDGE + column as f64 * (width + GAP);
                body += &panel.at(&self.subjects, x, y, width);
            }
            y += ABOVE + HEIGHT + BELOW;
        }
        picture(&self.title, &self.description(), y, &body)
    }

    pub(super) fn check(&self) {
        for panel in &self.panels {
            let (found, expected) = (panel.curves.len(), self.subjects.len());
            assert_eq!(found, expected, "subjects with curves in {:?}", panel.title);
        }
    }

    /// The scores in words, for those who cannot see them.
    pub(super) fn description(&self) -> String {
        let mut words = match self.score.is_empty() {
            true => "Curves.".to_string(),
            false => format!("{}, mean and standard deviation.", self.score),
        };
        for subject in &self.subjects {
            let _ = write!(words, " {}: {}.", subject.name, subject.numbers());
        }
        words
    }

    /// The rows of the subjects from `y` on, and the height of all.
    fn rows(&self, y: f64, body: &mut String) -> f64 {
        let letters = |subject: &Subject| subject.name.chars().count().min(NAME);
        let widest = self.subjects.iter().map(letters).max().unwrap_or(0);
        let left = EDGE + SWATCH + 10.0 + LETTER * widest as f64 + GAP;
        let axis = self.axis();
        let head = if axis.is_some() { 26.0 } else { 8.0 };
        for (place, subject) in self.subjects.iter().enumerate() {
            let middle = y + head + ROW * (place as f64 + 0.5);
            let _ = write!(
                body,
                "<path class=\"line {}\" d=\"M{EDGE} {middle}h{SWATCH}\"/>\
                 <text x=\"{}\" y=\"{middle}\" dy=\".35em\">{}</text>",
                look(place),
                EDGE + SWATCH + 10.0,
                escape(&cut(&subject.name)),
            );
            if axis.is_some() {
                let _ = write!(
                    body,
                    "<text class=\"end\" x=\"{}\" y=\"{middle}\" dy=\".35em\">{}</text>",
                    WIDTH - EDGE,
                    subject.numbers()
                );
            }
            body.push('\n');
        }
        let rows = ROW * self.subjects.len() as f64;
        let Some(axis) = axis else {
            return head + rows + GAP;
        };
        let _ = writeln!(
            body,
            "<text class=\"quiet\" x=\"{left}\" y=\"{}\">{}</text>",
            y + 14.0,
            escape(&self.score)
        );
        let width = WIDTH - EDGE - NUMBERS - GAP - left;
        let dots = self.subjects.iter().enumerate().map(|(place, subject)| {
            let middle = ROW * (place as f64 + 0.5);
            subject.dots(&look(place), &axis, middle) + "\n"
        });
        let _ = writeln!(
            body,
            "<svg class=\"canvas\" x=\"{left}\" y=\"{}\" width=\"{width}\" height=\"{rows}\">\n{}{}</svg>",
            y + head,
            grid(&axis, rows),
            dots.collect::<String>()
        );
        head + rows + 28.0 + GAP
    }

    /// The axis of the scores; `None` without any.
    pub(super) fn axis(&self) -> Option<Axis> {
        let scores = self.subjects.iter().flat_map(Subject::drawn);
        Axis::vertical(&scores.collect::<Vec<_>>(), Scale::Linear)
    }
}

impl Subject {
    fn drawn(&self) -> impl Iterator<Item = f64> + '_ {
        let all = self.scores.iter().copied();
        all.filter(|score| Scale::Linear.draws(*score))
    }

    /// A dot for each run at a height, a bar at their mean and a line from a deviation below it to one above.
    pub(super) fn dots(&self, look: &str, axis: &Axis, middle: f64) -> String {
        let mut svg = String::new();
        let across =
            |value: f64| coordinate(100.0 * axis.fraction(value.clamp(axis.low, axis.high)));
        let spread = Spread::of(&self.drawn().collect::<Vec<_>>());
        if let Some(Spread {
            mean,
            deviation: Some(deviation),
        }) = spread
        {
            let _ = write!(
                svg,
                "<line class=\"spread {look}\" x1=\"{}%\" x2=\"{}%\" y1=\"{middle}\" y2=\"{middle}\"/>\
                 <line class=\"mean {look}\" x1=\"{2}%\" x2=\"{2}%\" y1=\"{3}\" y2=\"{4}\"/>",
                across(mean - deviation),
                across(mean + deviation),
                across(mean),
                middle - 9.0,
                middle + 9.0
            );
        }
        for score in self.drawn() {
            let _ = write!(
                svg,
                "<circle class=\"dot {look}\" cx=\"{}%\" cy=\"{middle}\" r=\"4\"/>",
                across(score)
            );
        }
        svg
    }

    /// Mean and deviation of the scores; a dash without any.
    pub(super) fn numbers(&self) -> String {
        match Spread::of(&self.scores) {
            None => "–".into(),
            Some(Spread { mean, deviation }) => {
                let deviation = deviation.map(|deviation| format!(" ± {deviation:.2}"));
                format!("{mean:.2}{}", deviation.unwrap_or_default())
            }
        }
    }
}

impl Panel {
    /// The panel with its left upper corner at a place.
    fn at(&self, subjects: &[Subject], x: f64, y: f64, width: f64) -> String {
        let chart = self.chart(subjects);
        let inner = width - LABELS;
        format!(
            "<text class=\"panel\" x=\"{x}\" y=\"{}\">{}</text>\n<text class=\"quiet\" x=\"{x}\" y=\"{}\">{}{}</text>\n\
             <svg class=\"canvas\" x=\"{}\" y=\"{}\" width=\"{inner}\" height=\"{HEIGHT}\">\n{}</svg>\n\
             <text class=\"quiet end\" x=\"{}\" y=\"{}\">{}</text>\n",
            y + 14.0,
            escape(&self.title),
            y + 34.0,
            escape(&self.y_label),
            self.scale.words(),
            x + LABELS,
            y + ABOVE,
            Plot::new(&chart).drawing(),
            x + width,
            y + ABOVE + HEIGHT + 38.0,
            escape(&self.x_label),
        )
    }

    /// One line for each subject, with thin lines for its runs behind if there are several.
    pub(super) fn chart(&self, subjects: &[Subject]) -> Chart {
        let line = |(subject, runs): (&Subject, &Vec<Vec<(f64, f64)>>)| Line {
            name: subject.name.clone(),
            points: mean(runs),
            behind: runs.iter().filter(|_| runs.len() > 1).cloned().collect(),
            ..Line::default()
        };
        let lines = subjects.iter().zip(&self.curves).map(line).collect();
        Chart {
            scale: self.scale,
            ..Chart::new(&self.title, &self.x_label, &self.y_label, lines)
        }
    }
}

/// The mean of runs, as far as all of them go and stand at the same positions.
fn mean(runs: &[Vec<(f64, f64)>]) -> Vec<(f64, f64)> {
    let Some((first, others)) = runs.split_first() else {
        return Vec::new();
    };
    let mut points = Vec::new();
    for (place, &(x, y)) in first.iter().enumerate() {
        let there = others.iter().map(|run| run.get(place));
        let there: Option<Vec<f64>> = there
            .map(|point| point.filter(|point| point.0 == x).map(|point| point.1))
            .collect();
        let Some(there) = there else { break };
        let sum = y + there.iter().sum::<f64>();
        points.push((x, sum / runs.len() as f64));
    }
    points
}

/// Vertical grid lines with their labels below.
pub(super) fn grid(axis: &Axis, height: f64) -> String {
    let mut svg = String::from("<g class=\"grid\">\n");
    for tick in &axis.ticks {
        let _ = writeln!(
            svg,
            "<line x1=\"{0}%\" x2=\"{0}%\" y1=\"0\" y2=\"{height}\"/><text x=\"{0}%\" y=\"{height}\" dy=\"1.4em\">{1}</text>",
            coordinate(100.0 * axis.fraction(tick.value)),
            tick.label
        );
    }
    svg += "</g>\n";
    svg
}

/// A name that fits in its column.
fn cut(name: &str) -> String {
    match name.chars().count() > NAME {
        true => name.chars().take(NAME - 1).chain(['…']).collect(),
        false => name.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comparison() -> Comparison {
        let subject = |name: &str, scores: &[f64]| Subject {
            name: name.into(),
            scores: scores.to_vec(),
        };
        Comparison {
            title: "a < b".into(),
            score: "test accuracy (%)".into(),
            subjects: vec![
                subject("plain", &[90.0, 94.0]),
                subject("zone & out", &[95.0]),
            ],
            panels: vec![Panel {
                title: "Loss".into(),
                x_label: "epoch".into(),
                y_label: "nats".into(),
                curves: vec![
                    vec![vec![(0.0, 4.0), (1.0, 0.0)], vec![(0.0, 2.0), (1.0, 2.0)]],
                    vec![vec![(0.0, 1.0), (1.0, 1.0)]],
                ],
                ..Panel::default()
            }],
        }
    }

    /// The names of open elements, in order; fails where one is closed that is not open.
    fn assert_nested(svg: &str) {
        let mut open = Vec::new();
        let mut rest = svg;
        while let Some((_, tag)) = rest.split_once('<') {
            let (tag, after) = tag.split_once('>').expect("a tag ends");
            assert!(!tag.contains('<'), "{tag}");
            let name: &str = tag
                .trim_start_matches('/')
                .split([' ', '/'])
                .next()
                .expect("a name");
            match (tag.starts_with('/'), tag.ends_with('/')) {
                (true, _) => assert_eq!(open.pop(), Some(name), "{tag}"),
                (false, false) => open.push(name),
                (false, true) => (),
            }
            rest = after;
        }
        assert!(open.is_empty(), "{open:?}");
    }

    #[test]
    fn runs_are_thin_below_the_line_of_their_mean() {
        let svg = comparison().to_svg();
        assert_nested(&svg);
        let paths: Vec<&str> = svg.matches("class=\"line colour-1 dash-1 thin\"").collect();
        assert_eq!(paths.len(), 2, "{svg}");
        // Of (4, 0) and (2, 2) the mean is (3, 1), on an axis from 0 to 4.
        assert!(
            svg.contains("class=\"line colour-1 dash-1\" d=\"M0 60L1000 180\""),
            "{svg}"
        );
        assert!(
            svg.contains("class=\"line colour-2 dash-2\" d=\"M0 180L1000 180\""),
            "{svg}"
        );
        assert!(
            !svg.contains("colour-2 dash-2 thin"),
            "one run is its own mean"
        );
    }

    #[test]
    fn scores_are_dots_with_mean_and_spread() {
        let svg = comparison().to_svg();
        assert_eq!(svg.matches("class=\"dot colour-1").count(), 2);
        assert_eq!(svg.matches("class=\"dot colour-2").count(), 1);
        assert_eq!(
            svg.matches("class=\"mean ").count(),
            1,
            "no spread of one run"
        );
        // The axis goes from 90 to 95; the mean of 90 and 94 is 92, the deviation √8.
        assert!(
            svg.contains("cx=\"0%\" cy=\"15\"") && svg.contains("cx=\"80%\" cy=\"15\""),
            "{svg}"
        );
        assert!(
            svg.contains("x1=\"40%\" x2=\"40%\" y1=\"6\" y2=\"24\""),
            "{svg}"
        );
        assert!(
            svg.contains(">92.00 ± 2.83</text>") && svg.contains(">95.00</text>"),
            "{svg}"
        );
        assert!(
            svg.contains("plain: 92.00 ± 2.83. zone &amp; out: 95.00.</desc>"),
            "{svg}"
        );
    }

    #[test]
    fn without_scores_the_rows_are_a_legend() {
        let mut bare = comparison();
        for subject in &mut bare.subjects {
            subject.scores.clear();
        }
        let svg = bare.to_svg();
        assert_nested(&svg);
        assert!(
            svg.contains(">zone &amp; out</text>") && !svg.contains("class=\"dot "),
            "{svg}"
        );
        assert!(!svg.contains("accuracy (%)</text>"), "{svg}");
        assert_nested(&Comparison::default().to_svg());
    }

    #[test]
    fn values_that_are_not_finite_leave_no_trace_in_coordinates() {
        let mut broken = comparison();
        broken.subjects[0].scores = vec![f64::NAN, 50.0];
        broken.panels[0].curves[1][0][1].1 = f64::INFINITY;
        let svg = broken.to_svg();
        assert!(!svg.contains("NaN\"") && !svg.contains("inf"), "{svg}");
        assert!(!svg.contains("NaN%"), "{svg}");
    }

    #[test]
    fn the_mean_ends_with_the_shortest_run() {
        let runs = vec![vec![(1.0, 2.0), (2.0, 4.0)], vec![(1.0, 4.0)]];
        assert_eq!(mean(&runs), [(1.0, 3.0)]);
        let shifted = vec![vec![(1.0, 2.0)], vec![(2.0, 4.0)]];
        assert!(mean(&shifted).is_empty());
        assert!(mean(&[]).is_empty());
    }

    #[test]
    fn long_names_are_cut() {
        let name = "é".repeat(41);
        assert_eq!(cut(&name).chars().count(), NAME);
        assert_eq!(cut(&name[..80]), name[..80]);
    }

    #[test]
    #[should_panic(expected = "subjects with curves in \"Loss\"")]
    fn panels_must_fit_the_subjects() {
        let mut wrong = comparison();
        wrong.panels[0].curves.pop();
        wrong.to_svg();
    }
}
