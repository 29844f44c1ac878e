//! The page of a run, and the frame of all pages: head, links, parts in order, and the script.

use std::fmt::Write;

use super::markup::{breakable, escape, number, percent};
use super::style::PAGE;
use super::{Fact, Report, ScoreRow};
use crate::Metric;

/// Reads values under the pointer and by arrow keys, and chooses light or dark. The page is complete without it.
const SCRIPT: &str = include_str!("script.js");

/// What the browser may do: nothing that leaves the page.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; \
                      img-src data:; base-uri 'none'; form-action 'none'";

/// A part of a page: its id, its heading, its content.
pub(super) type Part = (&'static str, &'static str, String);

/// `report` as an HTML page.
pub(super) fn render(report: &Report) -> String {
    let charts = report.charts.iter().enumerate();
    let charts: String = charts
        .map(|(place, chart)| chart.to_html(place + 1))
        .collect();
    let matrices = report.confusions.iter().enumerate();
    let matrices: String = matrices
        .map(|(place, matrix)| matrix.to_html(place + 1))
        .collect();
    let parts = [
        ("scores", "Scores", scores(&report.scores)),
        ("run", "Run", facts(&report.facts)),
        ("curves", "Curves", wrapped("charts", charts)),
        ("confusion", "Confusion", matrices),
        ("health", "Health", report.health.to_html()),
        ("weights", "Weights", report.weights.to_html()),
        ("recipe", "Recipe", recipe(&report.recipe)),
    ];
    let (overview, rest) = parts.split_at(2);
    let body = wrapped("overview", sections(overview)) + &sections(rest);
    frame(&report.title, &report.subtitle, &parts, &body)
}

/// What a kind of page has beside what all pages have.
#[derive(Default)]
pub(super) struct Extras {
    /// Rules behind those of all pages.
    pub(super) style: &'static str,
    /// A script that runs behind that of all pages; empty: none.
    pub(super) script: &'static str,
}

/// A page around its body; links lead to its parts, if there are several.
pub(super) fn frame(title: &str, subtitle: &str, parts: &[Part], body: &str) -> String {
    framed(title, subtitle, parts, body, &Extras::default())
}

/// A page with more than all pages have.
pub(super) fn framed(
    title: &str,
    subtitle: &str,
    parts: &[Part],
    body: &str,
    Extras { style, script }: &Extras,
) -> String {
    let title = escape(title);
    let mut html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"icon\" href=\"data:,\">\n\
         <title>{title}</title>\n<style>\n{PAGE}{style}</style>\n</head>\n<body>\n\
         <a class=\"skip\" href=\"#main\">Skip to the figures</a>\n<header>\n<h1>{}</h1>\n",
        breakable(&title)
    );
    if !subtitle.is_empty() {
        let _ = writeln!(html, "<p class=\"subtitle\">{}</p>", escape(subtitle));
    }
    let more = match script.is_empty() {
        true => String::new(),
        false => format!("<script>\n{script}</script>\n"),
    };
    let _ = write!(
        html,
        "<div class=\"links\">\n{}</div>\n</header>\n<main id=\"main\" tabindex=\"-1\">\n{body}</main>\n<footer>Rekindle {}</footer>\n\
         <script>\n{SCRIPT}</script>\n{more}</body>\n</html>\n",
        links(parts),
        env!("CARGO_PKG_VERSION")
    );
    html
}

/// Links to the parts that have content; none to a single one.
fn links(parts: &[Part]) -> String {
    let there = parts.iter().filter(|(_, _, content)| !content.is_empty());
    let links: Vec<String> = there
        .map(|(id, heading, _)| format!("<a href=\"#{id}\">{heading}</a>\n"))
        .collect();
    match links.len() {
        0 | 1 => String::new(),
        _ => format!(
            "<nav aria-label=\"Parts of the page\">\n{}</nav>\n",
            links.concat()
        ),
    }
}

/// Parts with their headings; those without content are left out.
pub(super) fn sections(parts: &[Part]) -> String {
    let there = parts.iter().filter(|(_, _, content)| !content.is_empty());
    let section = |(id, heading, content): &Part| {
        format!(
            "<section aria-labelledby=\"{id}\">\n<h2 id=\"{id}\">{heading}</h2>\n{content}</section>\n"
        )
    };
    there.map(section).collect()
}

/// Content in a box of a class; nothing without content.
pub(super) fn wrapped(class: &str, content: String) -> String {
    match content.is_empty() {
        true => content,
        false => format!("<div class=\"{class}\">\n{content}</div>\n"),
    }
}

pub(super) fn facts(facts: &[Fact]) -> String {
    if facts.is_empty() {
        return String::new();
    }
    let mut html = String::from("<dl class=\"card facts\">\n");
    for Fact { name, value } in facts {
        let (name, value) = (escape(name), escape(value));
        let _ = writeln!(html, "<div><dt>{name}</dt><dd>{value}</dd></div>");
    }
    html += "</dl>\n";
    html
}

fn scores(rows: &[ScoreRow]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut html = String::from(
        "<div class=\"card scroll\" role=\"region\" aria-label=\"Scores\" tabindex=\"0\">\n<table class=\"scores\">\n\
         <thead><tr><th scope=\"col\">split</th>",
    );
    let metrics: Vec<Metric> = rows[0].scores.shown().map(|(metric, _)| metric).collect();
    for metric in &metrics {
        let _ = write!(html, "<th scope=\"col\">{}</th>", metric.title());
    }
    html += "</tr></thead>\n<tbody>\n";
    for row in rows {
        let _ = write!(html, "<tr><th scope=\"row\">{}</th>", escape(&row.split));
        for (place, &metric) in metrics.iter().enumerate() {
            let value = match (row.scores.get(metric), metric.is_share()) {
                (None, _) => String::new(),
                (Some(share), true) => percent(share, 2),
                (Some(value), false) => number(value),
            };
            let class = if place == 0 { " class=\"first\"" } else { "" };
            let _ = write!(html, "<td{class}>{value}</td>");
        }
        html += "</tr>\n";
    }
    html += "</tbody>\n</table>\n</div>\n";
    html
}

/// The TOML text with its table headings and comments set apart.
pub(super) fn recipe(text: &str) -> String {
    if text.trim().is_empty() {
        return String::new();
    }
    let lines: Vec<String> = text
        .trim_end()
        .lines()
        .map(
            |line| match (escape(line), line.trim_start().chars().next()) {
                (line, Some('[')) => format!("<b>{line}</b>"),
                (line, Some('#')) => format!("<i>{line}</i>"),
                (line, _) => line,
            },
        )
        .collect();
    format!(
        "<pre class=\"card scroll\" role=\"region\" aria-label=\"Recipe\" tabindex=\"0\"><code>{}</code></pre>\n",
        lines.join("\n")
    )
}
