//! What can go wrong in a step of a run, and where the run stood.

use std::fmt;
use std::path::PathBuf;

use rekindle_optim::GradientError;
use rekindle_regularize::prune::PruneError;

use crate::{Cause, Metric, NotFinite, RegularizeError};

/// Where a run stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The epoch, counted from 1.
    pub epoch: usize,
    /// The optimiser step, counted from 1 over all epochs.
    pub step: usize,
    /// The run folder.
    pub folder: PathBuf,
    /// The last checkpoint, in which all numbers are finite; `None` if there is none yet.
    pub checkpoint: Option<PathBuf>,
}

/// The step and the epoch.
impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "step {} (epoch {})", self.step, self.epoch)
    }
}

impl Standing {
    /// The last good checkpoint, in words.
    pub fn kept(&self) -> String {
        match &self.checkpoint {
            Some(path) => format!("the last good checkpoint is {}", path.display()),
            None => "there is no checkpoint yet".to_string(),
        }
    }

    /// The same, and how a run goes on from there once its recipe is mended.
    pub(crate) fn way_on(&self, error: &StepError) -> String {
        let (kept, folder) = (self.kept(), self.folder.display());
        match error {
            StepError::Score { .. } => kept,
            _ => format!(
                "{kept}: mend {folder}/recipe.toml and go on with `rekindle train --resume --out {folder}`"
            ),
        }
    }
}

/// A step that cannot be taken, or an epoch that cannot be closed after it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StepError {
    /// A loss that is no number.
    #[error(
        "loss is {value}, expected a finite number: {cause}; lower training.lr, set training.clip or training.on_nonfinite"
    )]
    Loss {
        /// The loss.
        value: f64,
        /// Where it comes from.
        cause: Cause,
    },
    /// A gradient that is no number.
    #[error(transparent)]
    Gradient(#[from] GradientError),
    /// Weights or statistics that are no numbers after the step.
    #[error("{0} after the step; lower training.lr, or set training.clip or training.on_nonfinite")]
    Weights(NotFinite),
    /// What the optimiser remembers is no number.
    #[error(
        "in the memory of training.optimizer {0}: gradients or their squares overflow; set training.clip, or check the data for extreme values"
    )]
    Optimizer(NotFinite),
    /// The mean of the weights is no number.
    #[error(
        "in the mean of training.average {0}: the weights are too far apart; lower training.lr"
    )]
    Mean(NotFinite),
    /// A score over a held-out set is no number.
    #[error(
        "{metric} over {set} is {value}, expected a finite number: all weights are finite, but not the scores that the network gives; check the file for extreme values, or lower training.lr, and begin a run in another folder"
    )]
    Score {
        /// The set.
        set: &'static str,
        /// The metric.
        metric: Metric,
        /// Its value.
        value: f64,
    },
    /// A penalty or constraint that cannot go on.
    #[error(transparent)]
    Regularize(#[from] RegularizeError),
    /// Pruning that cannot go on.
    #[error(transparent)]
    Prune(#[from] PruneError),
}

impl StepError {
    /// Whether `training.on_nonfinite` says what is done about it.
    pub(crate) fn is_nonfinite(&self) -> bool {
        matches!(
            self,
            Self::Loss { .. } | Self::Gradient(_) | Self::Weights(_)
        )
    }
}
