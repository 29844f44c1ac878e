//! What happened in a run: one row an epoch, one row an optimiser step.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::files::{self, FileError};
use crate::{Metric, Metrics, RunFolder, Scores};

/// One epoch of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochRow {
    /// The epoch, counted from 1.
    pub epoch: usize,
    /// Over the training data as they were trained on, with dropout and before each step.
    pub train: Scores,
    /// Over the validation data after the epoch; empty if there are none.
    pub valid: Scores,
    /// Learning rate of the epoch's last step.
    pub lr: f64,
    /// Mean global gradient norm before clipping.
    pub grad_norm: f64,
    /// Greatest global gradient norm before clipping.
    pub grad_norm_max: f64,
    /// Steps that were left out because their loss or gradient was not finite.
    pub skipped: usize,
    /// Wall-clock seconds that the epoch took.
    pub seconds: f64,
}

/// The columns behind those of metrics.
const AFTER_METRICS: &str = "lr,grad_norm,grad_norm_max,skipped,seconds";

/// The columns of a file of epochs.
#[derive(Clone, Debug, PartialEq)]
struct Columns {
    train: Vec<Metric>,
    valid: Vec<Metric>,
}

impl Columns {
    fn of(metrics: Metrics) -> Self {
        Self {
            train: metrics.train.to_vec(),
            valid: metrics.valid.to_vec(),
        }
    }

    /// From the first line of a file.
    fn parse(header: &str) -> Option<Self> {
        let metrics = header.strip_prefix("epoch,")?.strip_suffix(AFTER_METRICS)?;
        let mut columns = Self {
            train: Vec::new(),
            valid: Vec::new(),
        };
        for name in metrics.split_terminator(',') {
            let (set, name) = name.split_once('_')?;
            let metric = Metric::ALL
                .into_iter()
                .find(|metric| metric.name() == name)?;
            match set {
                "train" if columns.valid.is_empty() => columns.train.push(metric),
                "valid" => columns.valid.push(metric),
                _ => return None,
            }
        }
        Some(columns)
    }

    fn header(&self) -> String {
        let train = self.train.iter().map(|metric| format!("train_{metric},"));
        let valid = self.valid.iter().map(|metric| format!("valid_{metric},"));
        let metrics: String = train.chain(valid).collect();
        format!("epoch,{metrics}{AFTER_METRICS}")
    }

    /// One line; what was not measured is empty.
    fn line(&self, row: &EpochRow) -> String {
        let show = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
        let mut fields = vec![row.epoch.to_string()];
        fields.extend(self.train.iter().map(|&metric| show(row.train.get(metric))));
        fields.extend(self.valid.iter().map(|&metric| show(row.valid.get(metric))));
        fields.extend([
            row.lr.to_string(),
            row.grad_norm.to_string(),
            row.grad_norm_max.to_string(),
            row.skipped.to_string(),
            format!("{:.3}", row.seconds),
        ]);
        fields.join(",")
    }

    /// The row of a line.
    fn row(&self, line: &str) -> Option<EpochRow> {
        let mut fields = line.split(',');
        let count = |field: &str| field.parse::<usize>().ok();
        let epoch = count(fields.next()?).filter(|&epoch| epoch > 0)?;
        let [mut train, mut valid] = [Scores::default(); 2];
        for (metrics, scores) in [(&self.train, &mut train), (&self.valid, &mut valid)] {
            for &metric in metrics {
                let field = fields.next()?;
                if !field.is_empty() {
                    scores.set(metric, field.parse().ok()?);
                }
            }
        }
        let [lr, grad_norm, grad_norm_max] =
            [fields.next()?, fields.next()?, fields.next()?].map(|field| field.parse::<f64>().ok());
        let row = EpochRow {
            epoch,
            train,
            valid,
            lr: lr?,
            grad_norm: grad_norm?,
            grad_norm_max: grad_norm_max?,
            skipped: count(fields.next()?)?,
            seconds: fields.next()?.parse().ok()?,
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
    /// Mean cross-entropy or squared error of the batch.
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

    /// A step of an epoch, `[epoch, step]`, that is left out unless it turns out to be taken.
    pub(crate) fn left_out([epoch, step]: [usize; 2], loss: f64, lr: f64) -> Self {
        Self {
            step,
            epoch,
            loss,
            lr,
            grad_norm: f64::NAN,
            skipped: true,
        }
    }

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

    /// A line of CSV, without its end.
    fn from_csv(line: &str) -> Option<Self> {
        let mut fields = line.split(',');
        let row = Self {
            step: fields.next()?.parse().ok()?,
            epoch: fields.next()?.parse().ok()?,
            loss: fields.next()?.parse().ok()?,
            lr: fields.next()?.parse().ok()?,
            grad_norm: fields.next()?.parse().ok()?,
            skipped: match fields.next()? {
                "0" => false,
                "1" => true,
                _ => return None,
            },
        };
        fields.next().is_none().then_some(row)
    }
}

/// A CSV text of all epochs, with the columns of these metrics.
pub(crate) fn epochs_to_csv(rows: &[EpochRow], metrics: Metrics) -> String {
    let columns = Columns::of(metrics);
    let lines = rows.iter().map(|row| columns.line(row));
    let lines = std::iter::once(columns.header()).chain(lines);
    lines.map(|line| line + "\n").collect()
}

/// The epochs of a run folder, from its `metrics.csv`; seconds are rounded there.
///
/// # Errors
/// If the file cannot be read, or a line of it is damaged.
pub fn epochs_of(folder: &Path) -> Result<Vec<EpochRow>, FileError> {
    let path = RunFolder::new(folder).metrics();
    let text = files::read_text(&path)?;
    let header = text.lines().next().unwrap_or_default();
    let Some(columns) = Columns::parse(header) else {
        let problem =
            format!("its header is {header:?}, expected `epoch,train_loss,…,{AFTER_METRICS}`");
        return Err(FileError::damaged(&path, problem));
    };
    rows_of(&path, &text, header, |line| columns.row(line))
}

/// The optimiser steps of a run folder, from its `steps.csv`.
pub(crate) fn steps_of(folder: &RunFolder) -> Result<Vec<StepRow>, FileError> {
    let path = folder.steps();
    let text = files::read_text(&path)?;
    rows_of(&path, &text, StepRow::HEADER, StepRow::from_csv)
}

/// The steps of the first `epochs` epochs of a run that may still be going on: what stands behind them, and a line that is
/// only half written, does not count yet.
pub(crate) fn steps_until(folder: &RunFolder, epochs: usize) -> Result<Vec<StepRow>, FileError> {
    let path = folder.steps();
    let text = files::read_text(&path)?;
    let whole = text.rfind('\n').map_or(0, |end| end + 1);
    let mut steps = rows_of(&path, &text[..whole], StepRow::HEADER, StepRow::from_csv)?;
    steps.retain(|step| step.epoch <= epochs);
    Ok(steps)
}

/// The rows of a CSV text below its header.
fn rows_of<R>(
    path: &Path,
    text: &str,
    header: &str,
    parse: impl Fn(&str) -> Option<R>,
) -> Result<Vec<R>, FileError> {
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

    const METRICS: Metrics = Metrics {
        train: &[Metric::Loss, Metric::Accuracy],
        valid: &[Metric::Loss, Metric::Accuracy, Metric::MacroF1],
    };

    fn row() -> EpochRow {
        EpochRow {
            epoch: 1,
            train: Scores::of(&[(Metric::Loss, 0.5), (Metric::Accuracy, 0.75)]),
            valid: Scores::default(),
            lr: 0.01,
            grad_norm: 2.0,
            grad_norm_max: 3.0,
            skipped: 4,
            seconds: 1.0,
        }
    }

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
        for wrong in ["3,1,0.5", "3,1,0.5,1,2", "3,1,0.5,1,2,3", "3,1,0.5,1,2,1,1"] {
            assert_eq!(StepRow::from_csv(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_was_not_measured_is_empty() {
        let text = epochs_to_csv(&[row()], METRICS);
        let mut lines = text.lines();
        let header = lines.next().expect("a header");
        assert_eq!(
            header,
            "epoch,train_loss,train_accuracy,valid_loss,valid_accuracy,valid_macro_f1,lr,grad_norm,grad_norm_max,skipped,seconds"
        );
        let line = lines.next().expect("a row");
        assert_eq!(line, "1,0.5,0.75,,,,0.01,2,3,4,1.000");
        let columns = Columns::parse(header).expect("a header");
        assert_eq!(columns.row(line), Some(row()));
    }

    #[test]
    fn headers_name_known_metrics_in_order() {
        for wrong in [
            "",
            "epoch,train_loss",
            "epoch,train_luck,lr,grad_norm,grad_norm_max,skipped,seconds",
            "epoch,valid_loss,train_loss,lr,grad_norm,grad_norm_max,skipped,seconds",
        ] {
            assert_eq!(Columns::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn damaged_epochs_are_refused_with_their_line() {
        let columns = Columns::of(METRICS);
        let good = "1,0.5,0.75,0.25,1,1,0.01,2,3,0,1.000";
        assert!(columns.row(good).is_some());
        for wrong in [
            "",
            "1,0.5",
            "0,0.5,0.75,,,,0.01,2,3,0,1",
            "1,0.5,0.75,,,,,2,3,0,1",
            "1,0.5,0.75,,,,0.01,2,3,0.5,1",
            "1,0.5,0.75,0.25,1,1,0.01,2,3,0,1.000,1",
        ] {
            assert_eq!(columns.row(wrong), None, "{wrong}");
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("metrics.csv");
        let text = format!("{}\n{good}\n{}\n", columns.header(), &good[..9]);
        std::fs::write(&path, text).expect("it is written");
        let error = epochs_of(folder.path()).expect_err("half a row");
        assert!(
            error.to_string().contains("line 3 is \"1,0.5,0.7\""),
            "{error}"
        );
        std::fs::write(&path, "epoch,loss\n").expect("it is written");
        let error = epochs_of(folder.path()).expect_err("another header");
        assert!(error.to_string().contains("header"), "{error}");
    }
}
