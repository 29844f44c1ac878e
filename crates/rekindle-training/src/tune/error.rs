//! What can go wrong in a search.

use std::path::PathBuf;

use rekindle_tune::{SamplerError, StoreError};

use crate::recipe::Watch;
use crate::{DataError, FileError, RecipeError, TrainError};

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
    /// Data that cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Nothing to compare trials by.
    #[error(
        "training.watch is \"{watch}\", but nothing is validated; set data.valid or data.valid_fraction, or training.watch = \"train_loss\""
    )]
    NothingValidated {
        /// What is watched.
        watch: Watch,
    },
    /// A study of other data.
    #[error(
        "study {study} is one of other data: their checksum is {expected}, found {found}; give its data as --set data.train=…, data.valid=… and data.test=…"
    )]
    OtherData {
        /// The study.
        study: String,
        /// Of the data here.
        found: String,
        /// Of the study's data.
        expected: String,
    },
    /// A folder that belongs to another study.
    #[error(
        "{} belongs to study {found}, expected that of study {expected} or a new one; give another folder as --out",
        folder.display()
    )]
    OtherStudy {
        /// The folder.
        folder: PathBuf,
        /// The study that it belongs to.
        found: String,
        /// The study that is worked on.
        expected: String,
    },
    /// The last run, with all data.
    #[error(transparent)]
    Refit(#[from] Box<TrainError>),
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
