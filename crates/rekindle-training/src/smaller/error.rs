//! What can be wrong with pruning a run.

use std::path::PathBuf;

use rekindle_regularize::prune::PruneError;
use rekindle_regularize::units::UnitError;

use crate::files::FileError;
use crate::{BackendError, DataError, LoadError, RecipeError, TrainError};

/// A run that cannot be pruned.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SmallerError {
    /// A run that cannot be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// No data to score on.
    #[error(
        "the recipe of {} names no data.test, expected a file to score both networks on: give one with --data",
        folder.display()
    )]
    NoData {
        /// The run folder.
        folder: PathBuf,
    },
    /// Data that cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Units that cannot be taken out.
    #[error(transparent)]
    Units(#[from] UnitError),
    /// Weights that cannot be pruned.
    #[error(transparent)]
    Weights(#[from] PruneError),
    /// A network that no recipe can describe.
    #[error("the recipe of the pruned network is wrong: {0}")]
    Recipe(#[from] RecipeError),
    /// A file that cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// A backend that cannot be used.
    #[error(transparent)]
    Backend(#[from] BackendError),
    /// A folder that is in use, or fine-tuning that failed.
    #[error(transparent)]
    Train(#[from] TrainError),
}
