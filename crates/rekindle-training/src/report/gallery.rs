//! Lines side by side in one picture, each with axes of its own: an SVG file that stands alone, on light and dark screens.

use super::chart::{Chart, Line};
use super::markup::escape;
use super::picture::{EDGE, GAP, LABELS, WIDTH, heading, picture};
use super::plot::{HEIGHT, Plot};

/// Height of a drawing where there are more than four.
const SMALL: f64 = 110.0;
/// Room for the names of both quantities.
const NAMES: f64 = 26.0;
/// From the top of a panel to its drawing, and from there to its end.
const ABOVE: f64 = 30.0;
const BELOW: f64 = 36.0;

/// Lines over one quantity, such as schedules over the steps, each drawn by itself.
///
/// # Examples
///
/// ```
/// use rekindle_training::report::{Gallery, Line};
///
/// let line = |name: &str, end: f64| Line::new(name, vec![(0.0, 1.0), (10.0, end)]);
/// let gallery = Gallery {
///     title: "Two ways down".into(),
///     x_label: "epoch".into(),
///     y_label: "rate".into(),
///     lines: vec![line("slow", 0.5), line("fast", 0.1)],
/// };
/// assert!(gallery.to_svg().starts_with("<svg "));
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Gallery {
    /// The heading. Default: empty, which leaves it out.
    pub title: String,
    /// The horizontal quantity, such as `epoch`.
    pub x_label: String,
    /// The vertical quantity with its unit.
    pub y_label: String,
    /// The lines, row by row: one or two in a row, from five lines on four.
    pub lines: Vec<Line>,
}

impl Gallery {
    /// The picture as SVG: style and drawing are inside, nothing is loaded.
    pub fn to_svg(&self) -> String {
        let (mut body, mut y) = heading(&self.title);
        body += &format!(
            "<text class=\"quiet\" x=\"{EDGE}\" y=\"{}\">{} over {}</text>\n",
            y + 8.0,
            escape(&self.y_label),
            escape(&self.x_label)
        );
        y += NAMES;
        let (columns, height) = match self.lines.len() {
            0 | 1 => (1, HEIGHT),
            2..=4 => (2, HEIGHT),
            _ => (4, SMALL),
        };
        let width = (WIDTH - 2.0 * EDGE - GAP * (columns - 1) as f64) / columns as f64;
        let mut words = Vec::new();
        for row in self.lines.chunks(columns) {
            for (column, line) in row.iter().enumerate() {
                let chart = Chart::new("", &self.x_label, &self.y_label, vec![line.clone()]);
                let x = EDGE + column as f64 * (width + GAP);
                body += &format!(
                    "<text class=\"panel\" x=\"{x}\" y=\"{}\">{}</text>\n\
                     <svg class=\"canvas\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{height}\">\n{}</svg>\n",
                    y + 14.0,
                    escape(&line.name),
                    x + LABELS,
                    y + ABOVE,
                    width - LABELS,
                    Plot::new(&chart).with_height(height).drawing()
                );
                words.push(chart.description());
            }
            y += ABOVE + height + BELOW;
        }
        picture(&self.title, &words.join(" "), y, &body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gallery(lines: usize) -> String {
        let gallery = Gallery {
            title: "a < b".into(),
            x_label: "step".into(),
            y_label: "rate".into(),
            lines: vec![Line::new("one & only", vec![(0.0, 0.0), (4.0, 1.0)]); lines],
        };
        gallery.to_svg()
    }

    #[test]
    fn a_few_lines_are_large_and_many_are_small() {
        let svg = gallery(1);
        assert!(svg.contains("d=\"M0 240L1000 0\""), "{svg}");
        assert!(svg.contains(">a &lt; b</text>") && svg.contains(">one &amp; only</text>"));
        assert!(svg.contains(">rate over step</text>"), "{svg}");
        assert!(
            svg.contains(
                "one & only: from 0 at 0 to 1 at 4"
                    .replace('&', "&amp;")
                    .as_str()
            )
        );
        assert_eq!(gallery(4).matches("d=\"M0 240L1000 0\"").count(), 4);
        let svg = gallery(6);
        assert_eq!(svg.matches("d=\"M0 110L1000 0\"").count(), 6, "{svg}");
        let left = svg.matches("class=\"panel\" x=\"24\"").count();
        assert_eq!(left, 2, "four in a row, so two of six begin at the left");
        assert!(gallery(0).ends_with("</svg>\n"));
    }
}
