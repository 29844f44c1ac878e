//! The page: head, parts in order, and the script that reads values under the pointer.

use std::fmt::Write;

use super::markup::{escape, number, percent};
use super::{Fact, Report, ScoreRow};
use crate::Metric;

/// Colours, drawings, type and layout, for screens in light and dark and for paper.
const STYLE: &str = concat!(
    include_str!("colours.css"),
    include_str!("drawing.css"),
    include_str!("style.css")
);

/// Reads values under the pointer and by arrow keys. The page is complete without it.
const SCRIPT: &str = include_str!("script.js");

/// `report` as an HTML page.
pub(super) fn render(report: &Report) -> String {
    let title = escape(&report.title);
    let mut html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"icon\" href=\"data:,\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n<header>\n<h1>{title}</h1>\n"
    );
    if !report.subtitle.is_empty() {
        let _ = writeln!(
            html,
            "<p class=\"subtitle\">{}</p>",
            escape(&report.subtitle)
        );
    }
    html += "</header>\n";
    let scores = part("scores", "Scores", &scores(&report.scores));
    let facts = part("run", "Run", &facts(&report.facts));
    html += &wrapped("overview", scores + &facts);
    let charts = report.charts.iter().enumerate();
    let charts: String = charts
        .map(|(place, chart)| chart.to_html(place + 1))
        .collect();
    html += &part("curves", "Curves", &wrapped("charts", charts));
    let matrices = report.confusions.iter().enumerate();
    let matrices: String = matrices
        .map(|(place, matrix)| matrix.to_html(place + 1))
        .collect();
    html += &part("confusion", "Confusion", &matrices);
    html += &part("health", "Health", &report.health.to_html());
    html += &part("weights", "Weights", &report.weights.to_html());
    html += &part("recipe", "Recipe", &recipe(&report.recipe));
    let _ = write!(
        html,
        "</main>\n<footer>Rekindle {}</footer>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n",
        env!("CARGO_PKG_VERSION")
    );
    html
}

/// A part of the page with its heading; empty if it has no content.
fn part(id: &str, heading: &str, content: &str) -> String {
    if content.is_empty() {
        return String::new();
    }
    format!(
        "<section aria-labelledby=\"{id}\">\n<h2 id=\"{id}\">{heading}</h2>\n{content}</section>\n"
    )
}

fn wrapped(class: &str, content: String) -> String {
    match content.is_empty() {
        true => content,
        false => format!("<div class=\"{class}\">\n{content}</div>\n"),
    }
}

fn facts(facts: &[Fact]) -> String {
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
fn recipe(text: &str) -> String {
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
