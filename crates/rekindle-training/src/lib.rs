//! Sequence tasks, the training loop, checkpoints and run folders.
//!
//! A [`Recipe`] says what to train; [`train`] trains it and leaves a run folder; [`Trained`] loads the
//! folder to predict and evaluate. The loop is deterministic: the same recipe, data and CPU devices give the same bits,
//! also when the run was killed and resumed.

mod backend;
mod checkpoint;
pub mod compared;
mod devices;
pub mod doctor;
mod events;
mod files;
mod finite;
mod fit;
mod history;
mod lr_finder;
mod metric;
mod network;
mod portrait;
mod predictions;
mod preprocessing;
mod pruning;
mod rates;
pub mod recipe;
mod recorded;
mod regularizer;
pub mod report;
mod run;
mod scores;
mod seed;
mod smaller;
mod splits;
mod step_error;
mod summary;
mod sums;
mod task;
mod train;
mod train_error;
mod trained;
mod tune;

pub use backend::{Backend, BackendError};
pub use devices::{DeviceName, Devices};
pub use events::{Event, Observer};
pub use files::{FileError, RunFolder, write_atomically};
pub use finite::{Cause, NotFinite};
pub use history::{EpochRow, StepRow, epochs_of};
pub use lr_finder::{FindLrError, LrCurve, LrGrowth, LrPoint, LrRange, LrSuggestions, find_lr};
pub use metric::{Metric, Metrics, Scores};
pub use network::{Asks, Encoder, EncoderState, Input, Network, Reads, Scored, Shape};
pub use predictions::{
    ClassPrediction, ClassPredictions, Evaluation, Predictions, Track, ValuePrediction,
    ValuePredictions,
};
pub use preprocessing::Preprocessing;
pub use rates::GroupError;
pub use recipe::{Recipe, RecipeError, SearchRecipe, TuneRecipe};
pub use recorded::Recorded;
pub use regularizer::RegularizeError;
pub use scores::{Confusion, Spread};
pub use smaller::{Cut, Figures, FineTuning, Plan, Smaller, SmallerError, make_smaller};
pub use splits::{DataError, steps_per_epoch};
pub use step_error::{Standing, StepError};
pub use task::{Sampling, Sizes};
pub use train::{Outcome, Start, check, recipe_of, train};
pub use train_error::TrainError;
pub use trained::{LoadError, Trained};
pub use tune::{
    Budget, Done, Refit, Search, TuneError, TuneEvent, TuneObserver, study_in, study_page,
};
