//! Whether training gets anywhere.

use serde::{Deserialize, Serialize};

use super::median;
use crate::history::StepRow;

/// Steps before one that say what its loss should be.
const WINDOW: usize = 10;

/// A loss above this multiple of the median before it is a spike, if it is above [`WORSE`] times that of guessing, too.
const SPIKE: f64 = 2.0;

/// See [`SPIKE`].
const WORSE: f64 = 1.5;

/// At most so many steps count as the last ones.
const LAST: usize = 50;

/// The losses and gradient norms of the steps so far.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Losses {
    /// Steps, with those of the run before.
    pub steps: usize,
    /// The loss of who guesses: the entropy of the classes, or the variance of numbers.
    pub guess: f64,
    /// The loss of the first step.
    pub first: f64,
    /// The median of the last quarter of the steps, at most 50 of them.
    pub last: f64,
    /// The loss over the validation set after the steps, if there is one.
    pub valid: Option<f64>,
    /// Steps whose loss is 2 times the median of the ten before it, and 1.5 times that of guessing.
    pub spikes: usize,
    /// The step whose loss or gradient was not finite and ended the training, counted from 1.
    pub not_finite: Option<usize>,
    /// Steps that were left out because their loss or gradient was not finite.
    pub skipped: usize,
    /// The median of the global gradient norms before clipping.
    pub norm: f64,
    /// The greatest of them.
    pub greatest_norm: f64,
}

impl Losses {
    /// Of the steps of a run, the last of which was not finite if `failed`; `guess` is the loss of who guesses.
    pub(crate) fn of(rows: &[StepRow], failed: bool, guess: f64) -> Self {
        let taken = rows.iter().filter(|row| !row.skipped);
        let losses: Vec<f64> = taken.map(|row| row.loss).collect();
        let tail = (losses.len() / 4).clamp(1, LAST).min(losses.len());
        let norms = rows
            .iter()
            .map(|row| row.grad_norm)
            .filter(|norm| norm.is_finite());
        let norms: Vec<f64> = norms.collect();
        let spikes = (WINDOW..losses.len()).filter(|&step| {
            let before = median(losses[step - WINDOW..step].to_vec());
            losses[step] > SPIKE * before && losses[step] > WORSE * guess
        });
        Self {
            steps: rows.len(),
            guess,
            first: losses.first().copied().unwrap_or(f64::NAN),
            last: median(losses[losses.len() - tail..].to_vec()),
            valid: None,
            spikes: spikes.count(),
            not_finite: failed.then(|| rows.last().map_or(0, |row| row.step) + 1),
            skipped: rows.len() - losses.len(),
            greatest_norm: norms.iter().copied().fold(0.0, f64::max),
            norm: median(norms),
        }
    }

    /// How much of the loss of guessing is gone: 1 for a loss of 0, 0 or below for none.
    pub fn progress(&self) -> f64 {
        1.0 - self.last / self.guess
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(losses: &[f64]) -> Vec<StepRow> {
        let row = |(index, &loss): (usize, &f64)| StepRow {
            step: index + 1,
            epoch: 1,
            loss,
            lr: 0.1,
            grad_norm: 1.0 + index as f64,
            skipped: false,
        };
        losses.iter().enumerate().map(row).collect()
    }

    #[test]
    fn progress_spikes_and_norms_by_hand() {
        let mut losses = vec![0.7; 12];
        losses.extend([0.35, 0.35, 1.5, 0.35]);
        let found = Losses::of(&rows(&losses), false, 0.7);
        assert_eq!((found.steps, found.spikes, found.not_finite), (16, 1, None));
        assert_eq!((found.last, found.progress()), (0.35, 0.5));
        assert_eq!((found.norm, found.greatest_norm), (8.5, 16.0));
        let failed = Losses::of(&rows(&losses[..3]), true, 0.7);
        assert_eq!((failed.not_finite, failed.skipped), (Some(4), 0));
        let mut skipped = rows(&[0.7, f64::NAN, 0.6]);
        skipped[1].skipped = true;
        let skipped = Losses::of(&skipped, false, 0.7);
        assert_eq!((skipped.not_finite, skipped.skipped), (None, 1));
        assert_eq!(skipped.last, 0.6);
        assert!(Losses::of(&[], true, 0.7).last.is_nan());
    }
}
