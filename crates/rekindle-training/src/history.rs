//! What happened in a run: one row an epoch, one row an optimiser step.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

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
    /// Wall-clock seconds that the epoch took.
    pub seconds: f64,
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
    /// Global gradient norm before clipping.
    pub grad_norm: f64,
}

impl StepRow {
    /// The first line of a file of steps.
    pub(crate) const HEADER: &str = "step,epoch,loss,lr,grad_norm\n";

    /// One line of CSV.
    pub(crate) fn to_csv(self) -> String {
        let Self {
            step,
            epoch,
            loss,
            lr,
            grad_norm,
        } = self;
        format!("{step},{epoch},{loss},{lr},{grad_norm}\n")
    }

    /// A line of CSV, without its end.
    pub(crate) fn from_csv(line: &str) -> Option<Self> {
        let mut fields = line.split(',');
        let row = Self {
            step: fields.next()?.parse().ok()?,
            epoch: fields.next()?.parse().ok()?,
            loss: fields.next()?.parse().ok()?,
            lr: fields.next()?.parse().ok()?,
            grad_norm: fields.next()?.parse().ok()?,
        };
        fields.next().is_none().then_some(row)
    }
}

impl EpochRow {
    /// The epoch of a line of CSV.
    pub(crate) fn from_csv(line: &str) -> Option<Self> {
        let mut fields = line.split(',');
        let mut next = || fields.next();
        let number = |field: Option<&str>| field?.parse::<f64>().ok();
        let optional = |field: Option<&str>| match field? {
            "" => Some(None),
            field => field.parse::<f64>().ok().map(Some),
        };
        let row = Self {
            epoch: next()?.parse().ok()?,
            train_loss: number(next())?,
            train_accuracy: number(next())?,
            valid_loss: optional(next())?,
            valid_accuracy: optional(next())?,
            valid_macro_f1: optional(next())?,
            lr: number(next())?,
            grad_norm: number(next())?,
            grad_norm_max: number(next())?,
            seconds: number(next())?,
        };
        fields.next().is_none().then_some(row)
    }
}

/// The first line of a file of epochs.
pub(crate) const EPOCH_HEADER: &str = "epoch,train_loss,train_accuracy,valid_loss,valid_accuracy,valid_macro_f1,lr,grad_norm,grad_norm_max,seconds\n";

/// A CSV text of all epochs; what was not measured is empty.
pub(crate) fn epochs_to_csv(rows: &[EpochRow]) -> String {
    let mut text = String::from(EPOCH_HEADER);
    let optional = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    for row in rows {
        let numbers = [
            row.epoch.to_string(),
            row.train_loss.to_string(),
            row.train_accuracy.to_string(),
            optional(row.valid_loss),
            optional(row.valid_accuracy),
            optional(row.valid_macro_f1),
            row.lr.to_string(),
            row.grad_norm.to_string(),
            row.grad_norm_max.to_string(),
            format!("{:.3}", row.seconds),
        ];
        // Writing into a String cannot fail.
        let _ = writeln!(text, "{}", numbers.join(","));
    }
    text
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
        };
        assert_eq!(StepRow::from_csv(row.to_csv().trim_end()), Some(row));
        assert_eq!(StepRow::from_csv("3,1,0.5"), None);
        assert_eq!(StepRow::from_csv("3,1,0.5,1,2,3"), None);
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
            seconds: 1.0,
        };
        let text = epochs_to_csv(&[row]);
        assert_eq!(text.lines().nth(1), Some("1,0.5,0.75,,,,0.01,2,3,1.000"));
    }
}
