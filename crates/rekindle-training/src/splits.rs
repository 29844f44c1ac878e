//! The data of a run: read, checked, split and scaled.

use std::path::PathBuf;
use std::sync::Arc;

use rekindle_data::{
    ChannelError, ForecastError, Label, LabelError, LabelKind, ReadError, SequenceSet, SplitError,
    Target, read, stratified_split,
};

use crate::files::Checksum;
use crate::preprocessing::Preprocessing;
use crate::recipe::{DataRecipe, Recipe, read_as};
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
    /// The labels are of another kind than the recipe says.
    #[error("{}: found {found}, expected {expected}", path.display())]
    Target {
        /// The file.
        path: PathBuf,
        /// What the labels are.
        found: String,
        /// What they should be.
        expected: &'static str,
    },
    /// Series that cannot be foretold.
    #[error(transparent)]
    Forecast(#[from] ForecastError),
    /// Steps that are trained on together, none of which has a label.
    #[error(
        "{}: no label is known in steps {from} to {to} of {sequence} and what is read beside them, expected one in each chunk of training.bptt steps; raise it, or leave it out",
        path.display()
    )]
    BareChunk {
        /// The file.
        path: PathBuf,
        /// Which sequence.
        sequence: String,
        /// The first of the steps, counted from 1.
        from: usize,
        /// The last.
        to: usize,
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
        "the run reads sequences, expected one that learned a text, with a section [text] in its recipe"
    )]
    NoText,
    /// A labelled file is needed.
    #[error("{}: no sequence has a label, expected labels to compare answers with", path.display())]
    Unlabelled {
        /// The file.
        path: PathBuf,
    },
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

/// The sets as they are in the files, with labels.
struct Raw {
    train: SequenceSet,
    valid: Option<SequenceSet>,
    test: Option<SequenceSet>,
}

impl Raw {
    /// Reads the files of a recipe and holds out what is validated on, or draws the sets of its problem.
    fn read(recipe: &DataRecipe, seed: u64) -> Result<Self, DataError> {
        if let Some(drawn) = recipe.problem {
            // Epochs draw the parts from 1 on.
            let held_out = |part| drawn.problem.draw(drawn.held_out, seed, u64::MAX - part);
            return Ok(Self {
                train: drawn.problem.draw(drawn.sequences, seed, 0),
                valid: Some(held_out(0)),
                test: Some(held_out(1)),
            });
        }
        let kind = read_as(recipe.labels, recipe.forecast.as_ref());
        let open = |path: &PathBuf| -> Result<SequenceSet, DataError> {
            let set = read(path, recipe.missing, kind)?;
            match &recipe.forecast {
                Some(forecast) => Ok(forecast.label(&set)?),
                None => labelled(&set, recipe.labels, 1),
            }
        };
        let optional = |path: &Option<PathBuf>| path.as_ref().map(open).transpose();
        let (valid, test) = (optional(&recipe.valid)?, optional(&recipe.test)?);
        let path = recipe.train.as_ref().expect("a checked recipe has data");
        let train = read(path, recipe.missing, kind)?;
        let fraction = recipe.valid_fraction;
        let (train, valid) = match (&recipe.forecast, valid) {
            (Some(forecast), None) if fraction > 0.0 => {
                let (train, valid) = forecast.split(&train, fraction)?;
                (train, Some(valid))
            }
            (Some(forecast), valid) => (forecast.examples(&train)?, valid),
            (None, None) if fraction > 0.0 => {
                let train = labelled(&train, recipe.labels, 2)?;
                let split = stratified_split(&train, fraction, seed);
                let path = || path.clone();
                let (train, valid) = split.map_err(|source| DataError::Split {
                    path: path(),
                    source,
                })?;
                (train, Some(valid))
            }
            (None, valid) => (labelled(&train, recipe.labels, 2)?, valid),
        };
        Ok(Self { train, valid, test })
    }
}

/// The sequences of which a label is known, after a look at what the labels are: if classes, at least so many.
fn labelled(
    set: &SequenceSet,
    expected: LabelKind,
    least: usize,
) -> Result<SequenceSet, DataError> {
    let wrong = |found: String| {
        Err(DataError::Target {
            path: set.source.clone(),
            found,
            expected: match expected {
                LabelKind::Class => {
                    "class labels of at least 2 classes; for other labels set data.labels, or data.forecast for none"
                }
                LabelKind::Value => "numbers as labels, as data.labels = \"value\" says",
                LabelKind::StepClass => {
                    "class labels of steps, of at least 2 classes, as data.labels = \"step_class\" says; they are read from .csv files"
                }
                LabelKind::StepValue => {
                    "numbers as labels of steps, as data.labels = \"step_value\" says; they are read from .csv files"
                }
            },
        })
    };
    match (&set.target, expected) {
        (Target::Classes(classes), LabelKind::Class)
        | (Target::StepClasses(classes), LabelKind::StepClass) => {
            if least > classes.len() {
                return wrong(format!("the classes {classes:?}"));
            }
        }
        (Target::Values, LabelKind::Value) | (Target::StepValues(_), LabelKind::StepValue) => (),
        (Target::None, _) => return wrong("no labels".into()),
        (Target::Classes(_) | Target::StepClasses(_), _) => return wrong("class labels".into()),
        (Target::Values | Target::StepValues(_), _) => return wrong("numbers as labels".into()),
    }
    set.labelled().ok_or_else(|| DataError::Unlabelled {
        path: set.source.clone(),
    })
}

impl Splits {
    /// Reads, checks, splits and scales the data of a recipe.
    pub(crate) fn read(recipe: &DataRecipe, seed: u64) -> Result<Self, DataError> {
        let raw = Raw::read(recipe, seed)?;
        let preprocessing = Preprocessing::fit(recipe, &raw.train);
        let ready = |set: &SequenceSet| preprocessing.apply(set).map(Arc::new);
        let optional = |set: Option<SequenceSet>| set.as_ref().map(ready).transpose();
        let (mut train, mut valid) = (ready(&raw.train)?, optional(raw.valid)?);
        let test = optional(raw.test)?;
        if recipe.train_on_valid
            && let Some(more) = valid.take()
        {
            let train = Arc::make_mut(&mut train);
            train.sequences.extend(more.sequences.iter().cloned());
        }
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
                checksum = with_label(checksum, &sequence.label);
                for value in sequence.values() {
                    checksum = checksum.and(&value.to_le_bytes());
                }
            }
        }
        checksum.to_hex()
    }
}

fn with_label(checksum: Checksum, label: &Label) -> Checksum {
    let class = |class: &Option<usize>| class.map_or(u64::MAX, |class| class as u64);
    match label {
        Label::Class(index) => checksum.and(&class(&Some(*index)).to_le_bytes()),
        Label::None => checksum.and(&class(&None).to_le_bytes()),
        Label::Value(value) => checksum.and(&value.to_le_bytes()),
        Label::StepClasses(classes) => {
            (classes.iter()).fold(checksum, |sum, step| sum.and(&class(step).to_le_bytes()))
        }
        Label::StepValues(values) => {
            (values.iter()).fold(checksum, |sum, value| sum.and(&value.to_le_bytes()))
        }
    }
}
