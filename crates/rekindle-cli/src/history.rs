//! The epochs of a run, from its `metrics.csv`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, bail, ensure};
use serde_json::{Map, Value};

use crate::table::{NOTHING, Table};

/// Epochs in a table before some are left out.
const SHOWN: usize = 10;

/// One row an epoch; `None` where nothing was measured.
#[derive(Debug, PartialEq)]
pub struct History {
    columns: Vec<String>,
    rows: Vec<Vec<Option<f64>>>,
}

impl History {
    /// Reads a file that should have a number of epochs.
    ///
    /// # Errors
    /// If it cannot be read, or is not whole.
    pub fn read(path: &Path, epochs: usize) -> anyhow::Result<Self> {
        let text =
            fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&text, epochs).with_context(|| format!("{} is damaged", path.display()))
    }

    fn parse(text: &str, epochs: usize) -> anyhow::Result<Self> {
        let mut lines = text.lines();
        let Some(header) = lines.next() else {
            bail!("found an empty file, expected {epochs} epochs");
        };
        let columns: Vec<String> = header.split(',').map(str::to_string).collect();
        let mut rows = Vec::new();
        for (index, line) in lines.enumerate() {
            let row: Option<Vec<_>> = line.split(',').map(number).collect();
            let row = row.filter(|row| row.len() == columns.len());
            let expected = || format!("line {}: found {line:?}, expected {header}", index + 2);
            rows.push(row.with_context(expected)?);
        }
        ensure!(
            rows.len() == epochs,
            "found {} epochs, expected {epochs}",
            rows.len()
        );
        Ok(Self { columns, rows })
    }

    /// All epochs; or, if they are many, some of them, with the kept one (counted from 1) and the last.
    pub fn table(&self, kept: usize) -> Table {
        let mut table = Table::new(&self.columns);
        for index in shown(self.rows.len(), kept) {
            let cell = |value: &Option<f64>| value.map_or(NOTHING.to_string(), short);
            table.row(self.rows[index].iter().map(cell).collect());
        }
        table
    }

    /// One object an epoch.
    pub fn to_json(&self) -> Value {
        let object = |row: &Vec<Option<f64>>| -> Value {
            let cells = row.iter().map(|&cell| Value::from(cell));
            self.columns
                .iter()
                .cloned()
                .zip(cells)
                .collect::<Map<_, _>>()
                .into()
        };
        self.rows.iter().map(object).collect()
    }
}

/// A cell; the outer `None` if it is no number.
fn number(cell: &str) -> Option<Option<f64>> {
    if cell.is_empty() {
        return Some(None);
    }
    cell.parse().ok().map(Some)
}

/// Indices of the epochs to show.
fn shown(epochs: usize, kept: usize) -> BTreeSet<usize> {
    let stride = epochs.div_ceil(SHOWN).max(1);
    let spread = (0..epochs).step_by(stride);
    spread
        .chain(kept.checked_sub(1))
        .chain(epochs.checked_sub(1))
        .filter(|&index| index < epochs)
        .collect()
}

/// Five digits at most, unless they stand before the point.
fn short(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e15 {
        return format!("{value:.0}");
    }
    match value.abs() {
        size if size < 1e-3 => format!("{value:.3e}"),
        _ => format!("{value:.4}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "epoch,loss,valid\n1,0.5,\n2,0.00025,0.75\n";

    #[test]
    fn tables_and_objects_leave_out_what_was_not_measured() {
        let history = History::parse(TEXT, 2).expect("two epochs");
        let expected = "epoch      loss   valid\n\
                        -----  --------  ------\n    \
                            1    0.5000       -\n    \
                            2  2.500e-4  0.7500";
        assert_eq!(history.table(2).to_string(), expected);
        let expected =
            r#"[{"epoch":1.0,"loss":0.5,"valid":null},{"epoch":2.0,"loss":0.00025,"valid":0.75}]"#;
        assert_eq!(history.to_json().to_string(), expected);
    }

    #[test]
    fn damaged_files_are_refused_with_the_line() {
        for (text, expected) in [
            ("", "found an empty file, expected 2 epochs"),
            (&TEXT[..24], "found 1 epochs, expected 2"),
            (
                &TEXT[..32],
                "line 3: found \"2,0.0002\", expected epoch,loss,valid",
            ),
            (
                "epoch,loss\n1,x\n",
                "line 2: found \"1,x\", expected epoch,loss",
            ),
        ] {
            assert_eq!(
                History::parse(text, 2).expect_err("an error").to_string(),
                expected
            );
        }
    }

    #[test]
    fn long_histories_show_the_kept_and_the_last_epoch() {
        assert_eq!(shown(3, 2).into_iter().collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(
            shown(40, 31).into_iter().collect::<Vec<_>>(),
            [0, 4, 8, 12, 16, 20, 24, 28, 30, 32, 36, 39]
        );
        assert!(shown(0, 0).is_empty());
    }
}
