//! What the files of a run folder tell of a run, finished or not.

use std::path::{Path, PathBuf};

use crate::doctor::flows_of;
use crate::files::FileError;
use crate::history::{epochs_of, steps_of, steps_until};
use crate::portrait::Portrait;
use crate::report::Report;
use crate::summary::Summary;
use crate::train::Finished;
use crate::{EpochRow, LoadError, Outcome, Recipe, RunFolder, recipe_of};

/// A run as its folder has it: figures, no weights. It may be finished, still going on, or interrupted.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// The run folder.
    pub folder: PathBuf,
    /// The recipe that it is trained after.
    pub recipe: Recipe,
    /// The result; `None` if it is not finished.
    pub outcome: Option<Outcome>,
    /// Its epochs so far, at least one.
    pub epochs: Vec<EpochRow>,
}

impl Recorded {
    /// Reads what there is.
    ///
    /// # Errors
    /// If the folder holds no run, the run has no epoch yet, or a file of it is missing or damaged.
    pub fn load(folder: &Path) -> Result<Self, LoadError> {
        let run = RunFolder::new(folder);
        let folder = folder.to_path_buf();
        if !run.recipe().exists() {
            return Err(LoadError::NoRun { folder });
        }
        let recipe = recipe_of(&folder)?;
        // The result comes last, so what it counts is there.
        let outcome = Finished::load(&run)?.map(|finished| finished.outcome);
        if outcome.is_none() && !run.metrics().exists() {
            return Err(LoadError::NoEpoch { folder });
        }
        let epochs = epochs_of(&folder)?;
        if let Some(expected) = outcome.as_ref().map(|outcome| outcome.epochs)
            && epochs.len() != expected
        {
            let problem = format!("it has {} epochs, expected {expected}", epochs.len());
            return Err(FileError::damaged(&run.metrics(), problem).into());
        }
        if epochs.is_empty() {
            return Err(LoadError::NoEpoch { folder });
        }
        Ok(Self {
            folder,
            recipe,
            outcome,
            epochs,
        })
    }

    /// Mean over all steps of the global norm of the gradients before clipping: every epoch has as many steps, those that
    /// are left out aside.
    pub fn grad_norm(&self) -> f64 {
        let sum: f64 = self.epochs.iter().map(|row| row.grad_norm).sum();
        sum / self.epochs.len() as f64
    }

    /// Wall-clock seconds spent in epochs so far.
    pub fn seconds(&self) -> f64 {
        let epochs = self.epochs.iter().map(|row| row.seconds);
        let outcome = self.outcome.as_ref();
        outcome.map_or_else(|| epochs.sum(), |outcome| outcome.seconds)
    }

    /// The page of the run: that which training leaves, or of an unfinished run what there is so far.
    ///
    /// # Errors
    /// If a file is missing or damaged.
    pub fn to_report(&self) -> Result<Report, FileError> {
        let run = RunFolder::new(&self.folder);
        let epochs = self.epochs.len();
        let steps = match self.outcome {
            Some(_) => steps_of(&run)?,
            None => steps_until(&run, epochs)?,
        };
        // A pruned run has the recipe of the one that was watched, and not what was seen there.
        let mut flows = match run.health().exists() {
            true => flows_of(&run.health())?,
            false => Vec::new(),
        };
        flows.retain(|row| row.epoch <= epochs);
        let end = match &self.outcome {
            Some(outcome) => Some((outcome, Portrait::load(&run)?)),
            None => None,
        };
        let summary = Summary {
            recipe: &self.recipe,
            epochs: &self.epochs,
            steps: &steps,
            flows: &flows,
            end,
        };
        Ok(summary.to_report())
    }
}
