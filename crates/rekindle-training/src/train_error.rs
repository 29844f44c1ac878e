//! What can go wrong in a run.

use std::path::PathBuf;

use rekindle_cells::LsuvError;
use rekindle_regularize::prune::PruneError;

use crate::files::FileError;
use crate::recipe::RecipeError;
use crate::splits::DataError;
use crate::{BackendError, GroupError, RegularizeError, Standing, StepError};

/// A run that cannot begin, go on or end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// A wrong recipe.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// Data that cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A file of the run folder.
    #[error(transparent)]
    File(#[from] FileError),
    /// A backend that cannot be used.
    #[error(transparent)]
    Backend(#[from] BackendError),
    /// A folder with something else in it.
    #[error(
        "run folder {} is not empty: found {found}; expected a new or empty folder, or a run to continue with --resume",
        folder.display()
    )]
    InUse {
        /// The folder.
        folder: PathBuf,
        /// What is in it.
        found: String,
    },
    /// A run that was begun with another recipe.
    #[error(
        "run folder {} was begun with another recipe: {difference}; resume it with its own recipe.toml, or begin a run in another folder",
        folder.display()
    )]
    RecipeChanged {
        /// The folder.
        folder: PathBuf,
        /// The first line that differs.
        difference: String,
    },
    /// A run that was begun on other data.
    #[error(
        "run folder {} was begun on other data: their checksum is {found}, expected {expected}; restore the data files, or begin a run in another folder",
        folder.display()
    )]
    DataChanged {
        /// The folder.
        folder: PathBuf,
        /// Of the data as they are now.
        found: String,
        /// Of the data that the run was begun on.
        expected: String,
    },
    /// A step that cannot be taken.
    #[error("{at}: {source}; {}", at.way_on(source))]
    Step {
        /// Where the run stood.
        at: Box<Standing>,
        /// Why.
        source: Box<StepError>,
    },
    /// More steps in a row that are not finite than may be left out.
    #[error("{source}; {skipped} steps in a row before it were left out")]
    BackedOff {
        /// Steps left out.
        skipped: usize,
        /// The last one.
        source: Box<TrainError>,
    },
    /// An epoch without a step.
    #[error(
        "no step of epoch {epoch} had a finite loss, gradient and weights, expected at least one; lower training.lr or check the data for extreme values; the last one: {source}"
    )]
    AllSkipped {
        /// The epoch, counted from 1.
        epoch: usize,
        /// What was wrong with its last step.
        source: Box<TrainError>,
    },
    /// A run that its observer stopped.
    #[error("the run in {0} was stopped after epoch {epoch}; `rekindle train --resume --out {0}` goes on", folder.display())]
    Stopped {
        /// The folder.
        folder: PathBuf,
        /// The epoch, counted from 1.
        epoch: usize,
    },
    /// A group of parameters that does not fit the network.
    #[error(transparent)]
    Group(#[from] GroupError),
    /// Data from which no unit variance comes.
    #[error("model.lsuv: {0}")]
    Lsuv(#[from] LsuvError),
    /// A penalty or constraint that does not fit the network.
    #[error(transparent)]
    Unfit(#[from] RegularizeError),
    /// Pruning that does not fit its network.
    #[error("[prune]: {0}")]
    Pruning(#[from] PruneError),
}

impl TrainError {
    /// Whether it tells of a loss, a gradient or weights that are no numbers.
    pub(crate) fn is_nonfinite(&self) -> bool {
        matches!(self, Self::Step { source, .. } if source.is_nonfinite())
    }
}
