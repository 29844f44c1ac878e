//! The page of several runs: figures, what differs in their recipes, scores as dots, curves on shared axes.

use std::fmt::Write;

use super::axis::{Axis, Tick};
use super::comparison::{Comparison, grid};
use super::markup::{breakable, coordinate, escape};
use super::page::{self, sections, wrapped};
use super::plot::{look, swatch};

/// Height of the strip of a subject.
const STRIP: f64 = 26.0;

/// What is known about several runs, as a page.
///
/// # Examples
///
/// ```
/// use rekindle_training::report::{Comparison, ComparisonPage, Subject};
///
/// let subject = |name: &str, score| Subject {
///     name: name.into(),
///     scores: vec![score],
/// };
/// let page = ComparisonPage {
///     comparison: Comparison {
///         title: "Digits".into(),
///         score: "test accuracy (%)".into(),
///         subjects: vec![subject("gru", 97.5), subject("lstm", 97.0)],
///         ..Comparison::default()
///     },
///     columns: vec!["parameters".into()],
///     rows: vec![vec!["9000".into()], vec!["12000".into()]],
///     ..ComparisonPage::default()
/// };
/// assert!(page.to_html().starts_with("<!DOCTYPE html>"));
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ComparisonPage {
    /// Title, subjects with their scores, curves.
    pub comparison: Comparison,
    /// One sentence below the heading. Default: empty, which leaves the line out.
    pub subtitle: String,
    /// The names of the figures.
    pub columns: Vec<String>,
    /// The figures of each subject.
    pub rows: Vec<Vec<String>>,
    /// What differs between the subjects: a name, and the value of each. Default: none.
    pub differences: Vec<(String, Vec<String>)>,
    /// A sentence in place of the differences where there are none. Default: empty, which leaves the part out.
    pub no_differences: String,
}

impl ComparisonPage {
    /// The whole page as HTML: styles, drawings and script are inside, nothing is loaded.
    ///
    /// # Panics
    /// If there are not as many rows, values of a difference or curves of a panel as subjects, or not as many figures in a
    /// row as columns.
    pub fn to_html(&self) -> String {
        self.check();
        let panels = self.comparison.panels.iter().enumerate();
        let charts: String = panels
            .map(|(place, panel)| panel.chart(&self.comparison.subjects).to_html(place + 1))
            .collect();
        let parts = [
            ("figures", "Figures", self.figures()),
            ("scores", "Scores", self.scores()),
            ("differences", "What differs", self.differences()),
            (
                "curves",
                "Curves",
                self.thin_lines().to_string() + &wrapped("charts", charts),
            ),
        ];
        let title = &self.comparison.title;
        page::frame(title, &self.subtitle, &parts, &sections(&parts))
    }

    fn check(&self) {
        self.comparison.check();
        let subjects = self.comparison.subjects.len();
        assert_eq!(self.rows.len(), subjects, "rows of figures");
        for row in &self.rows {
            assert_eq!(row.len(), self.columns.len(), "figures of a row");
        }
        for (name, values) in &self.differences {
            assert_eq!(values.len(), subjects, "values of {name:?}");
        }
    }

    /// The name of a subject beside its look.
    fn named(&self, place: usize) -> String {
        let name = &self.comparison.subjects[place].name;
        swatch(place) + &breakable(&escape(name))
    }

    fn figures(&self) -> String {
        if self.rows.is_empty() || self.columns.is_empty() {
            return String::new();
        }
        let columns = self.columns.iter().map(|column| escape(column));
        let names = (0..self.rows.len()).map(|place| self.named(place));
        table("Figures", "", "run", columns, names.zip(&self.rows))
    }

    fn differences(&self) -> String {
        if self.differences.is_empty() {
            return match self.no_differences.is_empty() {
                true => String::new(),
                false => format!("<p class=\"card\">{}</p>\n", escape(&self.no_differences)),
            };
        }
        let columns = (0..self.comparison.subjects.len()).map(|place| self.named(place));
        let rows = self.differences.iter();
        let rows = rows.map(|(name, values)| (breakable(&escape(name)), values));
        table("What differs", " wrapped", "key", columns, rows)
    }

    /// What thin lines are; empty where there are none.
    fn thin_lines(&self) -> &'static str {
        let mut curves = self
            .comparison
            .panels
            .iter()
            .flat_map(|panel| &panel.curves);
        match curves.any(|runs| runs.len() > 1) {
            true => {
                "<p class=\"lead\">Thin lines are single runs, thick ones their mean as far as all of them got.</p>\n"
            }
            false => "",
        }
    }

    /// For each subject a strip with a dot for each run; empty without scores.
    fn scores(&self) -> String {
        let Some(axis) = self.comparison.axis() else {
            return String::new();
        };
        let mut html = format!(
            "<figure class=\"card strips\">\n<figcaption><h3>{}</h3></figcaption>\n<div role=\"img\" aria-label=\"{}\">\n",
            escape(&self.comparison.score),
            escape(&self.comparison.description())
        );
        for (place, subject) in self.comparison.subjects.iter().enumerate() {
            let _ = writeln!(
                html,
                "<p><span>{}</span> <b>{}</b></p>\n<svg class=\"canvas\" width=\"100%\" height=\"{STRIP}\">{}{}</svg>",
                self.named(place),
                subject.numbers(),
                rules(&axis),
                subject.dots(&look(place), &axis, STRIP / 2.0)
            );
        }
        let _ = writeln!(
            html,
            "<svg class=\"canvas\" width=\"100%\" height=\"20\">{}</svg>\n</div>\n</figure>",
            grid(&axis, 0.0)
        );
        html
    }
}

/// Vertical lines at the ticks.
fn rules(axis: &Axis) -> String {
    let rule = |tick: &Tick| {
        let across = coordinate(100.0 * axis.fraction(tick.value));
        format!("<line x1=\"{across}%\" x2=\"{across}%\" y1=\"0\" y2=\"{STRIP}\"/>")
    };
    let rules: String = axis.ticks.iter().map(rule).collect();
    format!("<g class=\"grid\">{rules}</g>")
}

/// A table that scrolls where it is too wide. Names and columns are HTML, cells are text; a class begins with a space.
fn table<'a>(
    label: &str,
    class: &str,
    corner: &str,
    columns: impl Iterator<Item = String>,
    rows: impl Iterator<Item = (String, &'a Vec<String>)>,
) -> String {
    let mut html = format!(
        "<div class=\"card scroll\" role=\"region\" aria-label=\"{label}\" tabindex=\"0\">\n\
         <table class=\"scores named{class}\">\n<thead><tr><th scope=\"col\">{corner}</th>"
    );
    for column in columns {
        let _ = write!(html, "<th scope=\"col\">{column}</th>");
    }
    html += "</tr></thead>\n<tbody>\n";
    for (name, cells) in rows {
        let _ = write!(html, "<tr><th scope=\"row\">{name}</th>");
        for cell in cells {
            let _ = write!(html, "<td>{}</td>", escape(cell));
        }
        html += "</tr>\n";
    }
    html += "</tbody>\n</table>\n</div>\n";
    html
}
