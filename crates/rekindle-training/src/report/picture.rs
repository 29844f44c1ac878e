//! The frame of pictures that stand alone: SVG files with their style inside, on light and dark screens.

use super::markup::{coordinate, escape};
use super::style::PICTURE;

/// Width of a picture, in its own units, which are CSS pixels where it is not scaled.
pub(super) const WIDTH: f64 = 960.0;
/// Around everything.
pub(super) const EDGE: f64 = 24.0;
/// Between panels, and between the columns of a row.
pub(super) const GAP: f64 = 24.0;
/// Left of a panel's drawing, for the labels of its axis.
pub(super) const LABELS: f64 = 52.0;

/// The heading, and where the rest begins; an empty title has none.
pub(super) fn heading(title: &str) -> (String, f64) {
    if title.is_empty() {
        return (String::new(), EDGE);
    }
    let (title, y) = (escape(title), EDGE + 18.0);
    let heading = format!("<text class=\"title\" x=\"{EDGE}\" y=\"{y}\">{title}</text>\n");
    (heading, y + 14.0)
}

/// A picture of this height around what was drawn; the description is for those who cannot see it.
pub(super) fn picture(title: &str, description: &str, height: f64, body: &str) -> String {
    let (above, height) = (coordinate(height - 1.0), coordinate(height));
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" \
         role=\"img\" aria-labelledby=\"title text\">\n<title id=\"title\">{}</title>\n<desc id=\"text\">{}</desc>\n\
         <style>\n{PICTURE}</style>\n\
         <rect class=\"ground\" x=\".5\" y=\".5\" width=\"{}\" height=\"{above}\" rx=\"12\"/>\n{body}</svg>\n",
        escape(title),
        escape(description),
        WIDTH - 1.0,
    )
}
