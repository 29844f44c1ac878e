//! The report of a training run: one HTML page that needs no network, no server and no JavaScript.
//!
//! A [`Report`] is plain data. [`Report::to_html`] turns it into text: the same report always gives the same bytes. A
//! [`Comparison`] is the same for several runs, as one picture, a [`ComparisonPage`] as a page, a [`StudyPage`] is the page
//! of a search over settings, and a [`Gallery`] draws single lines side by side.
//!
//! | module | what it does |
//! |---|---|
//! | `markup` | escapes text and formats numbers |
//! | `axis` | ranges, 1-2-5 ticks and tick labels |
//! | `thin` | keeps the spikes of long series |
//! | `chart`, `plot`, `table` | a chart: data and frame, drawing, numbers |
//! | `confusion` | confusion matrix and per-class scores |
//! | `health` | gradients over time, gates, findings |
//! | `weights` | sparsity of tensors, maps of hidden units |
//! | `page` | puts the parts together |
//! | `style` | colours of light and dark screens, and what they are applied to |
//! | `comparison` | several runs in one picture |
//! | `compared` | several runs in one page |
//! | `study` | a search over settings in one page |
//! | `gallery` | lines side by side in one picture |
//! | `picture` | the frame of both |

mod axis;
mod chart;
mod compared;
mod comparison;
mod confusion;
mod gallery;
mod health;
mod markup;
mod page;
mod picture;
mod plot;
mod study;
mod style;
mod table;
mod thin;
mod weights;

use crate::Scores;

pub use axis::Scale;
pub use chart::{Chart, Line, Marks};
pub use compared::ComparisonPage;
pub use comparison::{Comparison, Panel, Subject};
pub use confusion::ConfusionMatrix;
pub use gallery::Gallery;
pub use health::{FindingRow, FlowRow, HealthPart, Histogram};
pub use study::{
    StudyAim, StudyDomain, StudyPage, StudyParameter, StudySetting, StudyState, StudyTrial,
};
pub use weights::{TensorRow, UnitMap, WeightsPart};

/// What is known about a run once it has ended.
///
/// Empty parts are left out of the page. Every text is escaped, so names may hold `<`, `>`, `&` and quotes.
///
/// # Examples
///
/// ```
/// use rekindle_training::report::{Chart, Fact, Line, Report};
///
/// let loss = Line::new("train", vec![(1.0, 2.2), (2.0, 0.9), (3.0, 0.4)]);
/// let report = Report {
///     title: "Japanese Vowels".into(),
///     facts: vec![Fact::new("cell", "lstm")],
///     charts: vec![Chart::new("Loss", "epoch", "cross-entropy (nats)", vec![loss])],
///     ..Report::default()
/// };
/// assert!(report.to_html().starts_with("<!DOCTYPE html>"));
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    /// The heading and the name of the browser tab.
    pub title: String,
    /// One sentence below the heading. Default: empty, which leaves the line out.
    pub subtitle: String,
    /// What ran, in the order of display: cell, parameters, devices, seed, epochs, seconds.
    pub facts: Vec<Fact>,
    /// One row for each split, in the order of display.
    pub scores: Vec<ScoreRow>,
    /// Curves over epochs or steps, in the order of display.
    pub charts: Vec<Chart>,
    /// One matrix for each scored split, in the order of display.
    pub confusions: Vec<ConfusionMatrix>,
    /// Gradients over time, gates, and what is wrong.
    pub health: HealthPart,
    /// How many weights are zero, and how large those of each hidden unit are.
    pub weights: WeightsPart,
    /// The recipe that repeats the run, as TOML text. Default: empty, which leaves the part out.
    pub recipe: String,
}

impl Report {
    /// The whole page as HTML: styles, drawings and script are inside, nothing is loaded.
    ///
    /// # Panics
    /// If the counts of a confusion matrix are not `[classes, classes]`.
    pub fn to_html(&self) -> String {
        page::render(self)
    }
}

/// A name and a value about the run, such as `seed` and `7`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// What is stated.
    pub name: String,
    /// The value as people read it, with its unit.
    pub value: String,
}

impl Fact {
    /// A fact from anything that prints.
    pub fn new(name: impl Into<String>, value: impl ToString) -> Self {
        Self {
            name: name.into(),
            value: value.to_string(),
        }
    }
}

/// The scores of one split.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreRow {
    /// `train`, `valid` or `test`.
    pub split: String,
    /// The scores; every split has the same metrics.
    pub scores: Scores,
}

#[cfg(test)]
mod tests;
