//! The numbers: a table of all trials, the best first.

use std::fmt::Write;

use super::super::axis::Scale;
use super::super::markup::{count, escape, number};
use super::view::{View, value};
use super::{StudyPage, StudyTrial};

/// How many trials are seen at once; the others are folded away.
const SEEN: usize = 20;

/// The table; empty without trials.
pub(super) fn render(view: &View) -> String {
    let (first, rest) = view.ranked.split_at(view.ranked.len().min(SEEN));
    if first.is_empty() {
        return String::new();
    }
    let mut html = table(view, "Trials", "card ", first);
    if !rest.is_empty() {
        let size = count(rest.len());
        let _ = write!(
            html,
            "<details class=\"card\">\n<summary>The other trials <span class=\"muted\">({size})</span></summary>\n{}</details>\n",
            table(view, "The other trials", "tall ", rest)
        );
    }
    html
}

/// A table of some trials, in a box with a class, which ends with a space.
fn table(view: &View, label: &str, class: &str, trials: &[&StudyTrial]) -> String {
    let page = view.page;
    let mut html = format!(
        "<div class=\"{class}scroll\" role=\"region\" aria-label=\"{label}\" tabindex=\"0\">\n<table class=\"numbers trials\">\n\
         <thead><tr><th scope=\"col\">trial</th><th scope=\"col\">state</th><th scope=\"col\">{}</th>\
         <th scope=\"col\">last {}</th><th scope=\"col\">seconds</th>",
        escape(page.value_name()),
        escape(page.step_name())
    );
    for &place in &view.order {
        let _ = write!(html, "<th scope=\"col\">{}</th>", view.name(place));
    }
    if has_notes(page) {
        html += "<th scope=\"col\">note</th>";
    }
    html += "</tr></thead>\n<tbody>\n";
    for trial in trials {
        html += &row(view, trial);
    }
    html += "</tbody>\n</table>\n</div>\n";
    html
}

fn row(view: &View, trial: &StudyTrial) -> String {
    let name = trial.number;
    // Only what is drawn among the axes of the parameters can be led to.
    let link = match view.has_lines && view.drawn(trial).is_some() {
        true => format!("<a href=\"#trial-{name}\">{name}</a>"),
        false => name.to_string(),
    };
    let finite = |value: Option<f64>| value.filter(|value| value.is_finite());
    let mut steps = trial.curve.iter().rev().map(|point| point.0);
    let last = steps.find(|step| Scale::Linear.draws(*step));
    let mut html = format!(
        "<tr data-trial=\"{name}\"><th scope=\"row\">{link}</th><td>{}</td>",
        trial.state.word()
    );
    for value in [value(trial), last, finite(trial.seconds)] {
        let _ = write!(html, "<td>{}</td>", value.map_or("–".into(), number));
    }
    for &place in &view.order {
        let setting = trial.settings[place].as_ref();
        let text = setting.map_or("–".into(), |setting| escape(&setting.text));
        let _ = write!(html, "<td>{text}</td>");
    }
    if has_notes(view.page) {
        let _ = write!(html, "<td class=\"words\">{}</td>", escape(&trial.note));
    }
    html += "</tr>\n";
    html
}

/// Whether any trial has a note.
fn has_notes(page: &StudyPage) -> bool {
    page.trials.iter().any(|trial| !trial.note.is_empty())
}
