//! The best trial with its settings, and how much each parameter matters.

use std::fmt::Write;

use super::super::markup::{breakable, coordinate, escape, number, percent};
use super::StudyPage;
use super::view::View;

/// The best trial: number, value and settings; empty without one.
pub(super) fn render(view: &View) -> String {
    let Some((trial, value)) = view.best() else {
        return String::new();
    };
    let mut html = format!(
        "<div class=\"card\">\n<p class=\"headline\"><b>{}</b> {}, trial {}</p>\n",
        number(value),
        escape(view.page.value_name()),
        trial.number
    );
    if !trial.note.is_empty() {
        let _ = writeln!(html, "<p class=\"note\">{}</p>", escape(&trial.note));
    }
    let mut rows = String::new();
    for &place in &view.order {
        if let Some(setting) = &trial.settings[place] {
            let _ = writeln!(
                rows,
                "<tr><th scope=\"row\">{}</th><td>{}</td></tr>",
                view.name(place),
                escape(&setting.text)
            );
        }
    }
    if !rows.is_empty() {
        let _ = write!(
            html,
            "<table class=\"settings\">\n<thead><tr><th scope=\"col\">parameter</th><th scope=\"col\">setting</th></tr></thead>\n\
             <tbody>\n{rows}</tbody>\n</table>\n"
        );
    }
    html += "</div>\n";
    html
}

/// A bar for each share, the greatest first; empty without any.
pub(super) fn importance(page: &StudyPage) -> String {
    let shares = page
        .importance
        .iter()
        .filter(|(_, share)| share.is_finite());
    let mut shares: Vec<&(String, f64)> = shares.collect();
    shares.sort_by(|a, b| b.1.total_cmp(&a.1));
    if shares.is_empty() {
        return String::new();
    }
    let greatest = shares[0].1.max(f64::MIN_POSITIVE);
    let mut html = String::from("<div class=\"card\">\n");
    if !page.importance_note.is_empty() {
        let note = escape(&page.importance_note);
        let _ = writeln!(html, "<p class=\"caption\">{note}</p>");
    }
    html += "<table class=\"settings shares\">\n<thead><tr><th scope=\"col\">parameter</th><th scope=\"col\">share</th></tr></thead>\n\
             <tbody>\n";
    for (name, share) in shares {
        let _ = writeln!(
            html,
            "<tr><th scope=\"row\">{}</th><td><div class=\"share\"><span style=\"--share:{}\"></span>{}</div></td></tr>",
            breakable(&escape(name)),
            coordinate((share / greatest).clamp(0.0, 1.0)),
            percent(*share, 1)
        );
    }
    html += "</tbody>\n</table>\n</div>\n";
    html
}
