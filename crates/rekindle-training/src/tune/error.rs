//! What can go wrong in a search.

use rekindle_tune::{SamplerError, StoreError};

use crate::{FileError, RecipeError, TrainError};

/// A search that cannot go on. What is wrong with single trials is told in the study.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TuneError {
    /// The recipe, or that of the study.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// A sampler that cannot sample the space.
    #[error("tune.sampler: {0}")]
    Sampler(#[from] SamplerError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file of the search.
    #[error(transparent)]
    File(#[from] FileError),
    /// Data, a backend or a disk that no trial can use.
    #[error(
        "trial {number}: {source}; it is not lost: a worker goes on with it once this is mended"
    )]
    Trial {
        /// The trial.
        number: u64,
        /// Why.
        source: Box<TrainError>,
    },
}
