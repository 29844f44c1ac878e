//! What happened in a run: one row an epoch, one row an optimiser step.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::RunFolder;
use crate::files::{self, FileError};

/// One epoch of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochRow {
    /// The epoch, counted from 1.
    pub epoch: usize,
    /// Mean cross-entropy over the training sequences as they were trained on, with dropout and before each step.
    pub train_loss: f64,
    /// Accuracy over the same.
    pub train_accuracy: f64,
    /// Mean cross-entropy over the validation set after the epoch.
    pub valid_loss: Option<f64>,
    /// Accuracy over the validation set.
    pub valid_accuracy: Option<f64>,
    /// Macro-F1 over the validation set.
    pub valid_macro_f1: Option<f64>,
    /// Learning rate of the epoch's last step.
    pub lr: f64,
    /// Mean global gradient norm before clipping.
    pub grad_norm: f64,
    /// Greatest global gradient norm before clipping.
    pub grad_norm_max: f64,
    /// Steps that were left out because their loss or gradient was not finite.
    #[serde(default)]
    pub skipped: usize,
    /// Wall-clock seconds that the epoch took.
    pub seconds: f64,
}

impl EpochRow {
    /// The first line of a file of epochs.
    pub(crate) const HEADER: &str = "epoch,train_loss,train_accuracy,valid_loss,valid_accuracy,valid_macro_f1,lr,grad_norm,grad_norm_max,skipped,seconds\n";

    /// One line of CSV; what was not measured is empty.
    fn to_csv(&self) -> String {
        let optional =
            |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
        let numbers = [
            self.epoch.to_string(),
            self.train_loss.to_string(),
            self.train_accuracy.to_string(),
            optional(self.valid_loss),
            optional(self.valid_accuracy),
            optional(self.valid_macro_f1),
            self.lr.to_string(),
            self.grad_norm.to_string(),
            self.grad_norm_max.to_string(),
            self.skipped.to_string(),
            format!("{:.3}", self.seconds),
        ];
        numbers.join(",") + "\n"
    }

    /// A line of CSV, without its end. Runs of before steps could be left out have no column for them.
    fn from_csv(line: &str) -> Option<Self> {
        let columns = Self::HEADER.split(',').count();
        let has_skipped = line.split(',').count() == columns;
        let mut fields = line.split(',');
        let mut number = || -> Option<Option<f64>> {
            let field = fields.next()?;
            match field.is_empty() {
                true => Some(None),
                false => field.parse().ok().map(Some),
            }
        };
        let row = Self {
            epoch: number()?.filter(|epoch| epoch.fract() == 0.0 && *epoch >= 1.0)? as usize,
            train_loss: number()??,
            train_accuracy: number()??,
            valid_loss: number()?,
            valid_accuracy: number()?,
            valid_macro_f1: number()?,
            lr: number()??,
            grad_norm: number()??,
            grad_norm_max: number()??,
            skipped: match has_skipped {
                true => number()?.filter(|skipped| skipped.fract() == 0.0)? as usize,
                false => 0,
            },
            seconds: number()??,
        };
        fields.next().is_none().then_some(row)
    }
}

/// One optimiser step of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepRow {
    /// The step, counted from 1 over all epochs.
    pub step: usize,
    /// The epoch, counted from 1.
    pub epoch: usize,
    /// Mean cross-entropy of the batch.
    pub loss: f64,
    /// Learning rate.
    pub lr: f64,
    /// Global gradient norm before clipping; NaN if the loss or a gradient was not finite.
    pub grad_norm: f64,
    /// Whether the step was left out because its loss or gradient was not finite.
    pub skipped: bool,
}

impl StepRow {
    /// The first line of a file of steps.
    pub(crate) const HEADER: &str = "step,epoch,loss,lr,grad_norm,skipped\n";

    /// One line of CSV.
    pub(crate) fn to_csv(self) -> String {
        let Self {
            step,
            epoch,
            loss,
            lr,
            grad_norm,
            skipped,
        } = self;
        let skipped = u8::from(skipped);
        format!("{step},{epoch},{loss},{lr},{grad_norm},{skipped}\n")
    }

    /// A line of CSV, without its end; the last column is not there in runs of before steps could be left out.
    pub(crate) fn from_csv(line: &str) -> Option<Self> {
        let mut fields = line.split(',');
        let row = Self {
            step: fields.next()?.parse().ok()?,
            epoch: fields.next()?.parse().ok()?,
            loss: fields.next()?.parse().ok()?,
            lr: fields.next()?.parse().ok()?,
            grad_norm: fields.next()?.parse().ok()?,
            skipped: match fields.next() {
                None | Some("0") => false,
                Some("1") => true,
                Some(_) => return None,
            },
        };
        fields.next().is_none().then_some(row)
    }
}

/// A CSV text of all epochs.
pub(crate) fn epochs_to_csv(rows: &[EpochRow]) -> String {
    let lines: String = rows.iter().map(EpochRow::to_csv).collect();
    format!("{}{lines}", EpochRow::HEADER)
}

/// The epochs of a run folder, from its `metrics.csv`; seconds are rounded there.
///
/// # Errors
/// If the file cannot be read, or a line of it is damaged.
pub fn epochs_of(folder: &Path) -> Result<Vec<EpochRow>, FileError> {
    let path = RunFolder::new(folder).metrics();
    rows_of(&path, EpochRow::HEADER, EpochRow::from_csv)
}

/// The optimiser steps of a run folder, from its `steps.csv`.
pub(crate) fn steps_of(folder: &RunFolder) -> Result<Vec<StepRow>, FileError> {
    rows_of(&folder.steps(), StepRow::HEADER, StepRow::from_csv)
}

/// The rows of a CSV file below its header.
fn rows_of<R>(
    path: &Path,
    header: &str,
    parse: impl Fn(&str) -> Option<R>,
) -> Result<Vec<R>, FileError> {
    let text = files::read_text(path)?;
    let lines = text.lines().enumerate().skip(1);
    lines
        .map(|(index, line)| {
            parse(line).ok_or_else(|| {
                let expected = header.trim_end();
                let problem = format!("line {} is {line:?}, expected {expected}", index + 1);
                FileError::damaged(path, problem)
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_comes_back_from_csv() {
        let row = StepRow {
            step: 3,
            epoch: 1,
            loss: 0.1 + 0.2,
            lr: 1e-3,
            grad_norm: 12.5,
            skipped: true,
        };
        assert_eq!(StepRow::from_csv(row.to_csv().trim_end()), Some(row));
        let old = StepRow::from_csv("3,1,0.30000000000000004,0.001,12.5");
        let skipped = false;
        assert_eq!(old, Some(StepRow { skipped, ..row }));
        assert_eq!(StepRow::from_csv("3,1,0.5"), None);
        assert_eq!(StepRow::from_csv("3,1,0.5,1,2,3"), None);
        assert_eq!(StepRow::from_csv("3,1,0.5,1,2,1,1"), None);
    }

    #[test]
    fn what_was_not_measured_is_empty() {
        let row = EpochRow {
            epoch: 1,
            train_loss: 0.5,
            train_accuracy: 0.75,
            valid_loss: None,
            valid_accuracy: None,
            valid_macro_f1: None,
            lr: 0.01,
            grad_norm: 2.0,
            grad_norm_max: 3.0,
            skipped: 4,
            seconds: 1.0,
        };
        let text = epochs_to_csv(std::slice::from_ref(&row));
        let line = text.lines().nth(1).expect("a row");
        assert_eq!(line, "1,0.5,0.75,,,,0.01,2,3,4,1.000");
        assert_eq!(EpochRow::from_csv(line), Some(row.clone()));
        let old = EpochRow::from_csv("1,0.5,0.75,,,,0.01,2,3,1.000");
        assert_eq!(old, Some(EpochRow { skipped: 0, ..row }));
    }

    #[test]
    fn damaged_epochs_are_refused_with_their_line() {
        let row = "1,0.5,0.75,0.25,1,1,0.01,2,3,0,1.000";
        for wrong in [
            "",
            "1,0.5",
            "0.5,0.5,0.75,,,,0.01,2,3,1",
            "1,,0.75,,,,0.01,2,3,1",
            "1,0.5,0.75,,,,0.01,2,3,0.5,1",
        ] {
            assert_eq!(EpochRow::from_csv(wrong), None, "{wrong}");
        }
        assert_eq!(EpochRow::from_csv(&format!("{row},1")), None);
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("metrics.csv");
        let text = format!("{}{row}\n{}\n", EpochRow::HEADER, &row[..9]);
        std::fs::write(&path, text).expect("it is written");
        let error = epochs_of(folder.path()).expect_err("half a row");
        assert!(
            error.to_string().contains("line 3 is \"1,0.5,0.7\""),
            "{error}"
        );
    }
}
