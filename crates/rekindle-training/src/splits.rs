//! The data of a run: read, checked, split and scaled.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rekindle_data::{
    ChannelError, LabelError, ReadError, SequenceSet, SplitError, Standardizer, Target, Vocabulary,
    read, stratified_split,
};
use serde::{Deserialize, Serialize};

use crate::files::{self, Checksum, FileError};
use crate::network::Shape;
use crate::recipe::{DataRecipe, Recipe};
use crate::task;

/// Data that a run cannot use.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// A file cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A file has other channels.
    #[error(transparent)]
    Channels(#[from] ChannelError),
    /// A file has labels that the training data lack.
    #[error(transparent)]
    Labels(#[from] LabelError),
    /// The labels are no classes.
    #[error("{}: found {found}, expected class labels of at least 2 classes to train a classifier", path.display())]
    Target {
        /// The file.
        path: PathBuf,
        /// What the labels are.
        found: String,
    },
    /// The training data cannot be split.
    #[error("{}: cannot hold out a validation set: {source}; give a file as data.valid, or set data.valid_fraction = 0", path.display())]
    Split {
        /// The file.
        path: PathBuf,
        /// Why.
        source: SplitError,
    },
    /// A text without a next token.
    #[error("{}: found {found} tokens, expected at least 2: a language model predicts each from those before it", path.display())]
    ShortText {
        /// The file.
        path: PathBuf,
        /// How many tokens it has, or a part that was cut off for validation.
        found: usize,
    },
    /// A text is asked of a network that reads none.
    #[error(
        "the run classifies sequences, expected one that learned a text, with a section [text] in its recipe"
    )]
    NoText,
    /// A text, where sequences are needed.
    #[error(
        "the recipe has a section [text], expected one that classifies sequences: the doctor does not know texts yet"
    )]
    Text,
    /// A labelled file is needed.
    #[error("{}: no sequence has a label, expected labels to compare predictions with", path.display())]
    Unlabelled {
        /// The file.
        path: PathBuf,
    },
}

/// What must be done to data before the network reads them; saved with the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preprocessing {
    format: u32,
    /// Names of the channels, in order.
    pub channels: Vec<String>,
    /// Names of the classes, in order.
    pub classes: Vec<String>,
    /// The scaling, fitted on the training data.
    pub scaler: Option<Standardizer>,
    /// The tokens of a language model; it has neither channels nor classes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vocabulary: Option<Vocabulary>,
}

/// The version of the file. One that is not equal is refused.
const FORMAT: u32 = 1;

impl Preprocessing {
    /// That of a text.
    pub(crate) fn of_text(vocabulary: Vocabulary) -> Self {
        Self {
            format: FORMAT,
            channels: Vec::new(),
            classes: Vec::new(),
            scaler: None,
            vocabulary: Some(vocabulary),
        }
    }

    /// What a network reads and puts out.
    pub fn shape(&self) -> Shape {
        match &self.vocabulary {
            Some(vocabulary) => Shape::Tokens(vocabulary.len()),
            None => Shape::Classes {
                channels: self.channels.len(),
                classes: self.classes.len(),
            },
        }
    }

    /// Checks a set against the training data and makes it ready.
    ///
    /// # Errors
    /// If the set has other channels, or labels that the training data lack.
    pub fn apply(&self, set: &SequenceSet) -> Result<SequenceSet, DataError> {
        set.check_channels(&self.channels)?;
        let set = set.align_classes(&self.classes)?;
        Ok(match &self.scaler {
            Some(scaler) => scaler.apply(&set),
            None => set,
        })
    }

    /// Writes the file of a run folder.
    pub(crate) fn save(&self, path: &Path) -> Result<(), FileError> {
        let text = serde_json::to_vec_pretty(self).map_err(|e| FileError::damaged(path, e))?;
        files::write(path, &text)
    }

    /// What no training can have written.
    fn check(&self) -> Result<(), String> {
        let Self {
            channels,
            classes,
            scaler,
            vocabulary,
            ..
        } = self;
        if vocabulary.is_some() {
            let none = channels.is_empty() && classes.is_empty() && scaler.is_none();
            let problem = "it has a vocabulary beside channels, classes or a scaler, expected one or the other";
            return if none { Ok(()) } else { Err(problem.into()) };
        }
        let distinct = classes.iter().collect::<HashSet<_>>().len();
        if channels.is_empty() {
            return Err("it has no channels, expected at least 1".to_string());
        }
        if classes.len() < 2 || distinct < classes.len() {
            return Err(format!(
                "it has classes {classes:?}, expected at least 2 distinct ones"
            ));
        }
        let Some(scaler) = scaler else { return Ok(()) };
        if scaler.channels != *channels {
            let found = &scaler.channels;
            return Err(format!(
                "its scaler has channels {found:?}, expected {channels:?}"
            ));
        }
        scaler.validate().map_err(|error| error.to_string())
    }

    /// Reads the file of a run folder.
    pub(crate) fn load(path: &Path) -> Result<Self, FileError> {
        let text = files::read_text(path)?;
        let value: serde_json::Value =
            serde_json::from_str(&text).map_err(|e| FileError::damaged(path, e))?;
        files::check_format(path, &value, FORMAT)?;
        let loaded: Self =
            serde_json::from_value(value).map_err(|e| FileError::damaged(path, e))?;
        loaded
            .check()
            .map_err(|problem| FileError::damaged(path, problem))?;
        Ok(loaded)
    }
}

/// The sets of a run, ready for the network.
#[derive(Clone, Debug)]
pub(crate) struct Splits {
    pub(crate) preprocessing: Preprocessing,
    pub(crate) train: Arc<SequenceSet>,
    pub(crate) valid: Option<Arc<SequenceSet>>,
    pub(crate) test: Option<Arc<SequenceSet>>,
}

/// Steps of the optimiser in an epoch of a recipe: the batches of its training data, which are read for it.
///
/// # Errors
/// If the data cannot be used.
pub fn steps_per_epoch(recipe: &Recipe) -> Result<usize, DataError> {
    Ok(task::open(recipe)?.steps_per_epoch())
}

impl Splits {
    /// Reads, checks, splits and scales the data of a recipe.
    pub(crate) fn read(recipe: &DataRecipe, seed: u64) -> Result<Self, DataError> {
        let train = read(&recipe.train, recipe.missing)?;
        let classes = match &train.target {
            Target::Classes(classes) if classes.len() >= 2 => classes.clone(),
            Target::Classes(classes) => return Err(target_error(&train, format!("{classes:?}"))),
            Target::Values => return Err(target_error(&train, "numbers as labels".into())),
            Target::None => return Err(target_error(&train, "no labels".into())),
        };
        let open = |path: &Option<PathBuf>| -> Result<Option<SequenceSet>, DataError> {
            let Some(path) = path else { return Ok(None) };
            let set = read(path, recipe.missing)?;
            if set
                .sequences
                .iter()
                .all(|sequence| sequence.label.class().is_none())
            {
                return Err(DataError::Unlabelled { path: path.clone() });
            }
            Ok(Some(set))
        };
        let (valid, test) = (open(&recipe.valid)?, open(&recipe.test)?);
        let (train, valid) = match valid {
            None if recipe.valid_fraction > 0.0 => {
                let (train, valid) = stratified_split(&train, recipe.valid_fraction, seed)
                    .map_err(|source| DataError::Split {
                        path: recipe.train.clone(),
                        source,
                    })?;
                (train, Some(valid))
            }
            valid => (train, valid),
        };

        let preprocessing = Preprocessing {
            format: FORMAT,
            channels: train.channels.clone(),
            classes,
            scaler: recipe.scaling.fit(&train),
            vocabulary: None,
        };
        let ready = |set: &SequenceSet| preprocessing.apply(set).map(Arc::new);
        let optional = |set: Option<SequenceSet>| set.as_ref().map(ready).transpose();
        let (train, valid, test) = (ready(&train)?, optional(valid)?, optional(test)?);
        Ok(Self {
            preprocessing,
            train,
            valid,
            test,
        })
    }

    /// A number that changes when any value or label changes.
    pub(crate) fn checksum(&self) -> String {
        let mut checksum = Checksum::new();
        let sets = [Some(&self.train), self.valid.as_ref(), self.test.as_ref()];
        for set in sets.into_iter().flatten() {
            for sequence in &set.sequences {
                checksum = checksum.and(&(sequence.len() as u64).to_le_bytes());
                let class = sequence
                    .label
                    .class()
                    .map_or(u64::MAX, |class| class as u64);
                checksum = checksum.and(&class.to_le_bytes());
                for value in sequence.values() {
                    checksum = checksum.and(&value.to_le_bytes());
                }
            }
        }
        checksum.to_hex()
    }
}

fn target_error(set: &SequenceSet, found: String) -> DataError {
    DataError::Target {
        path: set.source.clone(),
        found,
    }
}
