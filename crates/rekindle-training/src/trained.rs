//! A finished run, to be used.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use burn::module::Module;
use burn::store::ModuleRecord;
use burn::tensor::{Bytes, Device};
use rekindle_data::{SequenceSet, TokenText};

use crate::files::{Checksum, FileError, record_problem};
use crate::preprocessing::Preprocessing;
use crate::recipe::{Recipe, RecipeError};
use crate::splits::DataError;
use crate::task::{Sampling, language};
use crate::train::Finished;
use crate::{
    Backend, BackendError, Evaluation, Network, Outcome, Predictions, RunFolder, recipe_of,
};

/// A run folder that no network can be loaded from.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// A folder without a run.
    #[error("{} is no run folder: it has no recipe.toml; expected the --out folder of a training", folder.display())]
    NoRun {
        /// The folder.
        folder: PathBuf,
    },
    /// A run that is not finished.
    #[error(
        "run {} is not finished: it has no result.json; continue it with `rekindle train --resume --out {}`",
        folder.display(),
        folder.display()
    )]
    NotFinished {
        /// The folder.
        folder: PathBuf,
    },
    /// A run without a whole epoch.
    #[error(
        "run {} has no epoch yet: there is none in its metrics.csv; wait for the first, or continue it with `rekindle train --resume --out {}`",
        folder.display(),
        folder.display()
    )]
    NoEpoch {
        /// The folder.
        folder: PathBuf,
    },
    /// A recipe that cannot be read.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// A file that cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A backend that cannot be used.
    #[error(transparent)]
    Backend(#[from] BackendError),
}

/// What answers are scored on.
pub(crate) enum ScoredOn {
    /// Labelled sequences.
    Sequences(Arc<SequenceSet>),
    /// A text.
    Text(TokenText),
}

impl ScoredOn {
    /// The file.
    pub(crate) fn source(&self) -> &Path {
        match self {
            Self::Sequences(set) => &set.source,
            Self::Text(text) => &text.source,
        }
    }

    /// How many sequences, or tokens of a text.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Sequences(set) => set.len(),
            Self::Text(text) => text.tokens.len(),
        }
    }
}

/// A trained network with everything that belongs to it.
#[derive(Debug)]
pub struct Trained {
    /// The recipe that it was trained after.
    pub recipe: Recipe,
    /// What is done to data before the network reads them.
    pub preprocessing: Preprocessing,
    /// The result of the training.
    pub outcome: Outcome,
    /// The network, without autodiff.
    pub network: Network,
    device: Device,
}

impl Trained {
    /// Loads a finished run.
    ///
    /// # Errors
    /// If the folder holds no finished run, or a file of it is missing or damaged.
    pub fn load(folder: &Path, backend: Backend) -> Result<Self, LoadError> {
        let device = backend.device()?;
        let run = RunFolder::new(folder);
        if !run.recipe().exists() {
            return Err(LoadError::NoRun {
                folder: folder.to_path_buf(),
            });
        }
        let recipe = recipe_of(folder)?;
        let Some(finished) = Finished::load(&run)? else {
            return Err(LoadError::NotFinished {
                folder: folder.to_path_buf(),
            });
        };
        let preprocessing = Preprocessing::load(&run.preprocessing())?;
        let network = Network::init(&recipe, preprocessing.shape(), &device);
        let path = run.model();
        let record = read_weights(&path, &finished.weights)?;
        let network = network
            .try_load_record(record)
            .map_err(|error| FileError::damaged(&path, record_problem(error)))?;
        let network = network.valid();
        Ok(Self {
            recipe,
            preprocessing,
            outcome: finished.outcome,
            network,
            device,
        })
    }

    /// Another network in its place, with its recipe.
    pub(crate) fn with(&self, recipe: Recipe, network: Network) -> Self {
        Self {
            recipe,
            preprocessing: self.preprocessing.clone(),
            outcome: self.outcome.clone(),
            network,
            device: self.device.clone(),
        }
    }

    /// Reads a file and makes it ready for the network.
    ///
    /// # Errors
    /// If the file cannot be read, has other channels, or labels that the training data lack.
    pub fn read(&self, path: &Path) -> Result<Arc<SequenceSet>, DataError> {
        let missing = self.recipe.data.missing;
        self.preprocessing.read(path, missing).map(Arc::new)
    }

    /// Predicts the classes or numbers of a set that [`read`](Self::read) made ready.
    pub fn predict(&self, set: &Arc<SequenceSet>) -> Predictions {
        let batch_size = self.recipe.training.batch_size;
        let preprocessing = &self.preprocessing;
        Predictions::of(&self.network, set, preprocessing, batch_size, &self.device)
    }

    /// Reads a file that answers can be scored on.
    ///
    /// # Errors
    /// If the file cannot be used, or no sequence in it has a label.
    pub(crate) fn read_scored(&self, path: &Path) -> Result<ScoredOn, DataError> {
        if let Some(vocabulary) = &self.preprocessing.vocabulary {
            return language::read(path, vocabulary).map(ScoredOn::Text);
        }
        let set = self.read(path)?;
        match set.answers() {
            0 => Err(DataError::Unlabelled {
                path: path.to_path_buf(),
            }),
            _ => Ok(ScoredOn::Sequences(set)),
        }
    }

    /// Scores over what [`read_scored`](Self::read_scored) has read.
    pub(crate) fn evaluate(&self, data: &ScoredOn) -> Evaluation {
        match data {
            ScoredOn::Sequences(set) => {
                let evaluation = self.predict(set).evaluate();
                evaluation.expect("labels, as was seen when they were read")
            }
            ScoredOn::Text(text) => {
                let shape = [
                    self.recipe.training.batch_size,
                    self.recipe.chunk_length().steps(),
                ];
                let vocabulary = self.preprocessing.vocabulary.as_ref();
                let kind = vocabulary.expect("a text has one").kind();
                language::evaluate(&self.network, text, kind, shape, &self.device)
            }
        }
    }

    /// Scores over a file: of labelled sequences, or of a text if the run is a language model.
    ///
    /// # Errors
    /// If the file cannot be used, or no sequence in it has a label.
    pub fn evaluate_file(&self, path: &Path) -> Result<Evaluation, DataError> {
        Ok(self.evaluate(&self.read_scored(path)?))
    }

    /// Goes on with a text, token by token, as the language model would: see [`Sampling`].
    ///
    /// # Errors
    /// If the run is no language model.
    pub fn generate(&self, prompt: &str, sampling: &Sampling) -> Result<String, DataError> {
        let vocabulary = (self.preprocessing.vocabulary.as_ref()).ok_or(DataError::NoText)?;
        Ok(sampling.go_on(&self.network, vocabulary, prompt, &self.device))
    }

    /// Trainable numbers.
    pub fn parameters(&self) -> usize {
        self.network.parameters()
    }
}

/// Reads the weights and checks that they are the run's.
fn read_weights(path: &Path, expected: &str) -> Result<ModuleRecord, FileError> {
    let bytes = std::fs::read(path).map_err(FileError::read(path))?;
    let found = Checksum::of(&bytes).to_hex();
    if found != expected {
        let problem = format!("its checksum is {found}, expected {expected}");
        return Err(FileError::damaged(path, problem));
    }
    ModuleRecord::from_bytes(Bytes::from_bytes_vec(bytes))
        .map_err(|error| FileError::damaged(path, record_problem(error)))
}
