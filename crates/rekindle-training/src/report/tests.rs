//! Checks of the whole page: well-formed, closed to the outside, complete for readers of every kind.

use crate::Metric;
use std::collections::HashSet;

use super::*;

/// Text that would break a page if it were not escaped.
pub(super) const HOSTILE: &str = "</title><script>alert(1)</script> \"q\" 'a' & <b>";

/// Elements without an end tag.
const VOID: [&str; 4] = ["meta", "link", "br", "wbr"];

/// A chart that is broken, marked and noted; a long one with zeros on a log scale; a constant one; two empty ones.
fn charts() -> Vec<Chart> {
    let nan = f64::NAN;
    let line = |name: &str, points: Vec<(f64, f64)>| Line::new(name, points);
    let chart = |lines: Vec<Line>| Chart::new(HOSTILE, HOSTILE, HOSTILE, lines);
    let steps = (0..6000).map(|step| match step % 977 {
        0 => (step as f64, 0.0),
        _ => (step as f64, 1.0 + (step as f64).sin().abs()),
    });
    vec![
        Chart {
            mark: Some((2.0, HOSTILE.into())),
            note: Some(HOSTILE.into()),
            ..chart(vec![
                line(HOSTILE, vec![(1.0, 2.0), (2.0, nan), (3.0, 1.0)]),
                line("valid", vec![(1.0, 1.5)]),
            ])
        },
        Chart {
            scale: Scale::Log10,
            ..chart(vec![line("norm", steps.collect())])
        },
        chart(vec![line("lr", vec![(1.0, 0.001), (2.0, 0.001)])]),
        chart(vec![line("none", vec![])]),
        chart(vec![]),
    ]
}

/// A report with every part, and hostile text in every place.
fn full() -> Report {
    Report {
        title: HOSTILE.into(),
        subtitle: HOSTILE.into(),
        facts: vec![Fact::new(HOSTILE, HOSTILE), Fact::new("seed", 7)],
        scores: vec![ScoreRow {
            split: HOSTILE.into(),
            scores: Scores::of(&[
                (Metric::Accuracy, 0.975),
                (Metric::MacroF1, f64::NAN),
                (Metric::Loss, 0.081),
            ]),
        }],
        charts: charts(),
        confusions: ["valid", HOSTILE]
            .map(|split| ConfusionMatrix {
                split: split.into(),
                classes: vec![HOSTILE.into(), "plain".into()],
                counts: vec![vec![9, 1], vec![0, 5]],
            })
            .into(),
        health: HealthPart {
            examined: true,
            findings: vec![FindingRow {
                name: HOSTILE.into(),
                sentences: vec![HOSTILE.into()],
                remedy: vec![HOSTILE.into()],
            }],
            flows: vec![FlowRow {
                name: HOSTILE.into(),
                norms: vec![0.0, f64::NAN, 1.0],
            }],
            gates: vec![Histogram {
                name: HOSTILE.into(),
                range: [0.0, 1.0],
                counts: vec![0, 4],
                note: HOSTILE.into(),
            }],
        },
        weights: WeightsPart {
            tensors: vec![TensorRow {
                name: HOSTILE.into(),
                shape: vec![2, 3],
                nonzero: 4,
                total: 6,
            }],
            units: vec![UnitMap {
                name: HOSTILE.into(),
                norms: vec![0.0, 0.5, 1.0],
            }],
        },
        recipe: format!("# {HOSTILE}\n[model]\nname = {HOSTILE:?}\n"),
    }
}

/// One tag: its name, its attributes, and whether it opens, closes or stands alone.
pub(super) struct Tag<'a> {
    pub(super) name: &'a str,
    pub(super) attributes: Vec<(&'a str, &'a str)>,
    closes: bool,
    alone: bool,
}

/// The tags of `html`. Panics on an unquoted attribute, a stray `<` or an `&` that starts no entity.
pub(super) fn tags(html: &str) -> Vec<Tag<'_>> {
    let mut tags = Vec::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        assert_text(&rest[..start]);
        rest = &rest[start + 1..];
        if rest.starts_with('!') {
            rest = &rest[rest.find('>').unwrap() + 1..];
            continue;
        }
        let closes = rest.starts_with('/');
        rest = rest.trim_start_matches('/');
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap();
        assert!(end > 0, "stray < before {:?}", &rest[..rest.len().min(40)]);
        let name = &rest[..end];
        rest = &rest[end..];
        let mut attributes = Vec::new();
        while let Some(text) = rest.strip_prefix(' ') {
            let (key, value) = text.split_once("=\"").unwrap();
            let plain = key.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
            assert!(plain, "attribute {key:?} of {name}");
            let (value, after) = value.split_once('"').unwrap();
            assert!(!value.contains(['<', '>']));
            assert_text(value);
            attributes.push((key, value));
            rest = after;
        }
        let alone = rest.starts_with('/');
        rest = rest.trim_start_matches('/').strip_prefix('>').unwrap();
        if ["style", "script"].contains(&name) && !closes {
            rest = &rest[rest.find(&format!("</{name}>")).unwrap()..];
        }
        tags.push(Tag {
            name,
            attributes,
            closes,
            alone,
        });
    }
    tags
}

fn assert_text(text: &str) {
    for (place, _) in text.match_indices('&') {
        let entity = ["&amp;", "&lt;", "&gt;", "&quot;", "&#39;"];
        let known = entity
            .iter()
            .any(|entity| text[place..].starts_with(entity));
        assert!(known, "bare & in {text:?}");
    }
}

/// Panics unless every tag closes in order, ids are unique and every reference finds one.
pub(super) fn assert_well_formed(html: &str) {
    let tags = tags(html);
    let mut open = Vec::new();
    for tag in &tags {
        if tag.closes {
            assert_eq!(open.pop(), Some(tag.name));
        } else if !tag.alone && !VOID.contains(&tag.name) {
            open.push(tag.name);
        }
    }
    assert!(open.is_empty(), "left open: {open:?}");
    let of = |key: &'static str| {
        let all = tags.iter().flat_map(|tag| &tag.attributes);
        all.filter(move |pair| pair.0 == key).map(|pair| pair.1)
    };
    let ids: HashSet<&str> = of("id").collect();
    assert_eq!(ids.len(), of("id").count(), "ids repeat");
    for reference in of("aria-labelledby").chain(of("aria-describedby")) {
        assert!(ids.contains(reference), "no element has id {reference}");
    }
}

#[test]
fn pages_are_well_formed() {
    assert_well_formed(&full().to_html());
    assert_well_formed(&Report::default().to_html());
}

#[test]
#[should_panic(expected = "assertion")]
fn the_check_of_tags_can_fail() {
    assert_well_formed("<p><b>crossed</p></b>");
}

#[test]
fn hostile_text_stays_text() {
    let html = full().to_html();
    assert!(!html.contains("<script>alert") && !html.contains("<b> "));
    assert_eq!(html.matches("</title>").count(), 1 + full().charts.len());
    assert_eq!(html.matches("<script").count(), 1);
}

#[test]
fn nothing_is_loaded() {
    let html = full().to_html();
    for reference in ["http:", "https:", "src=", "url(", "@import", "://"] {
        assert!(!html.contains(reference), "{reference}");
    }
    let links = html.matches("href=").count();
    assert_eq!(links, html.matches("href=\"#").count() + 1);
    assert!(html.contains("href=\"data:,\""));
    assert!(html.contains("default-src 'none'"));
}

#[test]
fn every_chart_has_title_description_and_numbers() {
    let report = full();
    let html = report.to_html();
    let figures = html.split("<figure").skip(1);
    let figures: Vec<&str> = figures
        .map(|rest| rest.split("</figure>").next().unwrap())
        .collect();
    assert_eq!(figures.len(), report.charts.len());
    for (figure, chart) in figures.iter().zip(&report.charts) {
        assert!(figure.contains("role=\"img\"") && figure.contains("</title>"));
        assert!(figure.contains("</desc>"));
        let points = chart.lines.iter().any(|line| !line.points.is_empty());
        assert_eq!(figure.contains("<details>"), points);
    }
}

#[test]
fn no_coordinate_is_broken() {
    for tag in tags(&full().to_html()) {
        for (key, value) in tag.attributes {
            let drawn = ["d", "x", "y", "x1", "x2", "y1", "y2", "cx", "cy"].contains(&key);
            let broken = drawn && (value.contains("NaN") || value.contains("inf"));
            assert!(!broken, "{key}={value}");
        }
    }
}

#[test]
fn links_lead_to_the_parts_that_are_there() {
    let html = full().to_html();
    for tag in tags(&html) {
        for (key, value) in tag.attributes {
            if let ("href", Some(id)) = (key, value.strip_prefix('#')) {
                assert!(html.contains(&format!("id=\"{id}\"")), "{id}");
            }
        }
    }
    assert_eq!(html.matches("<a href=\"#").count(), 7);
    assert!(!Report::default().to_html().contains("<nav"));
}

/// Two groups, one with two runs, and hostile text in every place.
fn compared() -> ComparisonPage {
    let subject = |scores: &[f64]| Subject {
        name: HOSTILE.into(),
        scores: scores.to_vec(),
    };
    let curve = |value| vec![(1.0, value), (2.0, value / 2.0)];
    ComparisonPage {
        comparison: Comparison {
            title: HOSTILE.into(),
            score: HOSTILE.into(),
            subjects: vec![subject(&[1.0, 2.0]), subject(&[f64::NAN])],
            panels: vec![Panel {
                title: HOSTILE.into(),
                curves: vec![vec![curve(4.0), curve(2.0)], vec![]],
                ..Panel::default()
            }],
        },
        subtitle: HOSTILE.into(),
        columns: vec![HOSTILE.into(), "b".into()],
        rows: vec![vec!["1".into(), HOSTILE.into()]; 2],
        differences: vec![(HOSTILE.into(), vec!["1".into(), HOSTILE.into()])],
        no_differences: HOSTILE.into(),
    }
}

#[test]
fn pages_of_several_runs_are_well_formed_too() {
    let html = compared().to_html();
    assert_well_formed(&html);
    assert_well_formed(&ComparisonPage::default().to_html());
    assert!(!html.contains("<script>alert") && !html.contains("<b> "));
    for heading in ["Figures", "Scores", "What differs", "Curves"] {
        assert!(html.contains(&format!(">{heading}</h2>")), "{heading}");
    }
    assert_eq!(
        html.matches(" thin\" d=").count(),
        2,
        "the runs of the first group"
    );
    let same = ComparisonPage {
        differences: Vec::new(),
        no_differences: "All the same.".into(),
        ..compared()
    };
    assert!(
        same.to_html()
            .contains("<p class=\"card\">All the same.</p>")
    );
}

#[test]
#[should_panic(expected = "values of")]
fn every_group_needs_a_value() {
    let mut page = compared();
    page.differences[0].1.pop();
    page.to_html();
}

#[test]
fn equal_reports_give_equal_pages() {
    assert_eq!(full().to_html(), full().to_html());
}

#[test]
fn empty_parts_are_left_out() {
    let html = Report::default().to_html();
    assert!(!html.contains("<h2") && !html.contains("<section"));
    let html = full().to_html();
    for heading in ["Scores", "Run", "Curves", "Confusion", "Health", "Recipe"] {
        assert!(html.contains(&format!(">{heading}</h2>")), "{heading}");
    }
}

#[test]
fn tables_have_row_and_column_headers() {
    for tag in tags(&full().to_html()) {
        let scoped = tag.attributes.iter().any(|pair| pair.0 == "scope");
        assert!(tag.name != "th" || tag.closes || scoped);
    }
}
