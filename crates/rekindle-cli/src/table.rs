//! Text tables and numbers in them.

use std::fmt;

use rekindle::training::{Metric, Outcome, Scores};

/// Rows of text, aligned in columns: numbers to the right, the rest to the left.
#[derive(Clone, Debug)]
pub struct Table {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with a header and no rows.
    pub fn new<T: ToString>(header: &[T]) -> Self {
        Self {
            header: header.iter().map(ToString::to_string).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    ///
    /// # Panics
    /// If it has not as many cells as the header.
    pub fn row(&mut self, row: Vec<String>) {
        assert_eq!(row.len(), self.header.len(), "cells of a row");
        self.rows.push(row);
    }

    /// The table in GitHub's Markdown, without an end after the last line.
    pub fn to_markdown(&self) -> String {
        let escaped = |row: &[String]| -> Vec<String> {
            row.iter().map(|cell| cell.replace('|', "\\|")).collect()
        };
        let table = Self {
            header: escaped(&self.header),
            rows: self.rows.iter().map(|row| escaped(row)).collect(),
        };
        let columns: Vec<Column> = (0..table.header.len())
            .map(|column| table.column(column))
            .collect();
        let line = |row: &[String]| {
            let cells = columns.iter().zip(row);
            let cells = cells.map(|(column, cell)| column.cell(cell));
            format!("| {} |", cells.collect::<Vec<_>>().join(" | "))
        };
        let rules = columns.iter().map(|column| match column.is_number {
            true => format!("{}:|", "-".repeat(column.width + 1)),
            false => format!("{}|", "-".repeat(column.width + 2)),
        });
        let rules = format!("|{}", rules.collect::<String>());
        let rows = table.rows.iter().map(|row| line(row));
        let lines = [line(&table.header), rules].into_iter().chain(rows);
        lines.collect::<Vec<_>>().join("\n")
    }

    fn column(&self, column: usize) -> Column {
        let cells = || self.rows.iter().map(|row| &row[column]);
        let width = std::iter::once(&self.header[column])
            .chain(cells())
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0);
        let is_number =
            |cell: &String| cell == NOTHING || cell.starts_with(|c: char| c.is_ascii_digit());
        Column {
            width,
            is_number: cells().all(is_number),
        }
    }
}

/// How a column is printed.
struct Column {
    width: usize,
    is_number: bool,
}

impl Column {
    fn cell(&self, text: &str) -> String {
        let width = self.width;
        if self.is_number {
            format!("{text:>width$}")
        } else {
            format!("{text:width$}")
        }
    }
}

/// Lines without an end after the last.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns: Vec<Column> = (0..self.header.len())
            .map(|column| self.column(column))
            .collect();
        let line = |row: &[String]| {
            let cells = columns
                .iter()
                .zip(row)
                .map(|(column, cell)| column.cell(cell));
            cells.collect::<Vec<_>>().join("  ").trim_end().to_string()
        };
        let rules = columns.iter().map(|column| "-".repeat(column.width));
        write!(
            f,
            "{}\n{}",
            line(&self.header),
            rules.collect::<Vec<_>>().join("  ")
        )?;
        for row in &self.rows {
            write!(f, "\n{}", line(row))?;
        }
        Ok(())
    }
}

/// A cell for what was not measured.
pub const NOTHING: &str = "-";

/// The scores of a run, one row a set.
pub fn scores(outcome: &Outcome) -> String {
    if outcome.valid.is_none() && outcome.test.is_none() {
        return "no scores: the recipe has neither validation nor test data".to_string();
    }
    let sets = [("validation", outcome.valid), ("test", outcome.test)];
    let first = sets.iter().find_map(|(_, scores)| *scores);
    let metrics: Vec<Metric> = first.iter().flat_map(metrics_of).collect();
    let titles = metrics.iter().map(|metric| metric.title());
    let mut table = Table::new(&std::iter::once("set").chain(titles).collect::<Vec<_>>());
    for (name, scores) in sets {
        if let Some(scores) = scores {
            let cells = metrics.iter().map(|&metric| cell(&scores, metric));
            table.row(std::iter::once(name.to_string()).chain(cells).collect());
        }
    }
    table.to_string()
}

/// The metrics of some scores in the order of display.
pub fn metrics_of(scores: &Scores) -> Vec<Metric> {
    scores.shown().map(|(metric, _)| metric).collect()
}

/// The value of a metric for a cell.
pub fn cell(scores: &Scores, metric: Metric) -> String {
    let value = scores.get(metric);
    value.map_or(NOTHING.into(), |value| metric.show(value))
}

/// Scores in a line, such as `accuracy 97.50 %, loss 0.0810`.
pub fn in_words(scores: &Scores) -> String {
    let words = scores
        .shown()
        .map(|(metric, value)| format!("{} {}", metric.title(), metric.show(value)));
    words.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_on_the_right() {
        let mut table = Table::new(&["name", "n", "loss"]);
        table.row(vec!["é".into(), "1".into(), "12.50".into()]);
        table.row(vec!["longer".into(), "100".into(), NOTHING.into()]);
        let expected = "name      n   loss\n\
                        ------  ---  -----\n\
                        é         1  12.50\n\
                        longer  100      -";
        assert_eq!(table.to_string(), expected);
    }

    #[test]
    fn markdown_aligns_as_the_text_does() {
        let mut table = Table::new(&["name", "n"]);
        table.row(vec!["a|b".into(), "1".into()]);
        table.row(vec!["c".into(), NOTHING.into()]);
        let expected = "| name | n |\n|------|--:|\n| a\\|b | 1 |\n| c    | - |";
        assert_eq!(table.to_markdown(), expected);
    }

    #[test]
    #[should_panic(expected = "cells of a row")]
    fn ragged_rows_are_refused() {
        Table::new(&["a", "b"]).row(vec!["1".into()]);
    }
}
