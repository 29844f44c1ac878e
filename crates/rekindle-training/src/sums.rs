//! What the steps of an epoch add up to.

use crate::history::StepRow;
use crate::{EpochRow, Scores};

/// What one epoch adds up.
#[derive(Default)]
pub(crate) struct Sums {
    answers: usize,
    loss: f64,
    right: usize,
    pub(crate) steps: Vec<StepRow>,
}

impl Sums {
    /// Takes in a step with `size` answers or numbers that are known, of which `right` are.
    pub(crate) fn add(&mut self, row: StepRow, size: usize, right: usize) {
        self.steps.push(row);
        if !row.skipped {
            self.answers += size;
            self.loss += row.loss * size as f64;
            self.right += right;
        }
    }

    /// Whether no step was taken.
    pub(crate) fn all_skipped(&self) -> bool {
        self.answers == 0
    }

    /// The mean loss.
    pub(crate) fn loss(&self) -> f64 {
        self.loss / self.answers as f64
    }

    /// The share of right answers.
    pub(crate) fn accuracy(&self) -> f64 {
        self.right as f64 / self.answers as f64
    }

    pub(crate) fn row(&self, epoch: usize, train: Scores) -> EpochRow {
        let taken = || self.steps.iter().filter(|step| !step.skipped);
        let norms = || taken().map(|step| step.grad_norm);
        EpochRow {
            epoch,
            train,
            valid: Scores::default(),
            lr: self.steps.last().map_or(0.0, |step| step.lr),
            grad_norm: norms().sum::<f64>() / taken().count() as f64,
            grad_norm_max: norms().fold(0.0, f64::max),
            skipped: self.steps.len() - taken().count(),
            seconds: 0.0,
        }
    }
}
