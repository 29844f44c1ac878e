//! The numbers of a chart as a table, for those who cannot see or do not trust a drawing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::chart::{Chart, Line};
use super::markup::{count, escape, number};

/// The most evenly chosen rows; lows and highs of each line come on top.
const ROWS: usize = 100;

/// The table, folded away; empty without points.
pub(super) fn render(chart: &Chart) -> String {
    let positions = positions(chart);
    if positions.is_empty() {
        return String::new();
    }
    let rows = chosen(chart, &positions);
    let size = match positions.len() {
        1 => "1 row".into(),
        all if all == rows.len() => format!("{} rows", count(all)),
        all => format!("{} of {} rows", count(rows.len()), count(all)),
    };
    let title = escape(&chart.title);
    let mut html = format!(
        "<details>\n<summary>Numbers <span class=\"muted\">({size})</span></summary>\n\
         <div class=\"scroll tall\" role=\"region\" aria-label=\"{title}: numbers\" tabindex=\"0\">\n\
         <table class=\"numbers\">\n<thead><tr><th scope=\"col\">{}</th>",
        escape(&chart.x_label)
    );
    for line in &chart.lines {
        let _ = write!(html, "<th scope=\"col\">{}</th>", escape(&line.name));
    }
    html += "</tr></thead>\n<tbody>\n";
    let lines: Vec<BTreeMap<u64, f64>> = chart.lines.iter().map(by_position).collect();
    for place in rows {
        let position = positions[place];
        let _ = write!(
            html,
            "<tr><th scope=\"row\">{}</th>",
            position_text(position)
        );
        for line in &lines {
            let value = line.get(&position.to_bits()).copied();
            let _ = write!(html, "<td>{}</td>", value.map_or("–".into(), number));
        }
        html += "</tr>\n";
    }
    html += "</tbody>\n</table>\n</div>\n</details>\n";
    html
}

/// Whole positions in full, since steps differ in their last digit.
fn position_text(position: f64) -> String {
    match position.fract() == 0.0 && position.abs() < 1e15 {
        true => format!("{position:.0}"),
        false => number(position),
    }
}

/// Every position of any line, in order, once.
fn positions(chart: &Chart) -> Vec<f64> {
    let points = chart.lines.iter().flat_map(|line| &line.points);
    let mut positions: Vec<f64> = points.map(|point| point.0).collect();
    positions.sort_by(f64::total_cmp);
    positions.dedup_by_key(|position| position.to_bits());
    positions
}

/// The values of a line by the bits of their position; of two at one position the later.
fn by_position(line: &Line) -> BTreeMap<u64, f64> {
    let points = line.points.iter();
    points.map(|(x, y)| (x.to_bits(), *y)).collect()
}

/// The rows to show: all, or evenly chosen ones together with the lowest and highest value of each line.
fn chosen(chart: &Chart, positions: &[f64]) -> BTreeSet<usize> {
    let last = positions.len() - 1;
    if last < ROWS {
        return (0..=last).collect();
    }
    let even = (0..ROWS).map(|row| row * last / (ROWS - 1));
    let extremes = chart.lines.iter().flat_map(|line| {
        let drawn = || line.drawn(chart.scale);
        let lowest = drawn().min_by(|a, b| a.1.total_cmp(&b.1));
        let highest = drawn().max_by(|a, b| a.1.total_cmp(&b.1));
        [lowest, highest]
    });
    let extremes = extremes.flatten().filter_map(|(x, _)| {
        let place = positions.binary_search_by(|position| position.total_cmp(&x));
        place.ok()
    });
    even.chain(extremes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_with_different_positions_share_rows() {
        let train = Line::new("train", vec![(1.0, 0.5), (2.0, f64::NAN), (3.0, 0.25)]);
        let valid = Line::new("valid", vec![(3.0, 0.75)]);
        let html = render(&Chart::new("Loss", "epoch", "nats", vec![train, valid]));
        assert!(html.contains("<th scope=\"row\">1</th><td>0.5</td><td>–</td>"));
        assert!(html.contains("<th scope=\"row\">2</th><td>NaN</td><td>–</td>"));
        assert!(html.contains("<th scope=\"row\">3</th><td>0.25</td><td>0.75</td>"));
        assert!(html.contains("(3 rows)"));
    }

    #[test]
    fn long_tables_keep_ends_and_extremes() {
        let mut points: Vec<(f64, f64)> = (0..10_000).map(|i| (i as f64, 1.0)).collect();
        points[4321].1 = 9.0;
        points[8765].1 = 0.125;
        let html = render(&Chart::new("a", "step", "b", vec![Line::new("c", points)]));
        for row in [
            "0</th><td>1",
            "4321</th><td>9",
            "8765</th><td>0.125",
            "9999</th><td>1",
        ] {
            assert!(html.contains(&format!("\"row\">{row}</td>")), "{row}");
        }
        assert_eq!(html.matches("\"row\"").count(), 102);
        assert!(html.contains("(102 of 10\u{202f}000 rows)"));
    }

    #[test]
    fn one_point_gives_one_row() {
        let one = Chart::new("a", "step", "b", vec![Line::new("c", vec![(0.5, 2.0)])]);
        assert!(render(&one).contains("(1 row)"));
    }

    #[test]
    fn no_points_give_no_table() {
        let empty = Chart::new("a", "step", "b", vec![Line::new("c", vec![])]);
        assert_eq!(render(&empty), "");
    }
}
