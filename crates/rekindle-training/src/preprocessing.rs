//! What is done to data before a network reads them.

use std::collections::HashSet;
use std::path::Path;

use rekindle_data::{
    Forecast, LabelKind, Missing, Scaling, SequenceSet, Standardizer, Target, Vocabulary, read,
};
use serde::{Deserialize, Serialize};

use crate::files::{self, FileError};
use crate::network::{Reads, Shape};
use crate::recipe::{DataRecipe, read_as};
use crate::splits::DataError;
use crate::task::Asked;

/// What must be done to data before the network reads them; saved with the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preprocessing {
    format: u32,
    /// Names of the channels, in order.
    pub channels: Vec<String>,
    /// Names of the classes, in order; none of numbers.
    pub classes: Vec<String>,
    /// The scaling, fitted on the training data.
    pub scaler: Option<Standardizer>,
    /// The tokens of a language model; it has neither channels nor classes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vocabulary: Option<Vocabulary>,
    /// Names and scaling of the numbers that are answered; `None`: answers are classes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<Standardizer>,
    /// What labels of files are.
    #[serde(default)]
    pub labels: LabelKind,
    /// What is foretold of series, in place of their labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forecast: Option<Forecast>,
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
            values: None,
            labels: LabelKind::Class,
            forecast: None,
        }
    }

    /// That of a recipe, fitted on its labelled training sequences.
    pub(crate) fn fit(recipe: &DataRecipe, train: &SequenceSet) -> Self {
        let labels = match &train.target {
            Target::StepClasses(_) => LabelKind::StepClass,
            Target::StepValues(_) => LabelKind::StepValue,
            Target::Values => LabelKind::Value,
            Target::Classes(_) | Target::None => LabelKind::Class,
        };
        Self {
            format: FORMAT,
            channels: train.channels.clone(),
            classes: train.classes().to_vec(),
            scaler: recipe.scaling.fit(train),
            vocabulary: None,
            values: (!labels.is_class()).then(|| match recipe.target_scaling {
                Scaling::Standard => Standardizer::fit_labels(train),
                Scaling::None => Standardizer::identity(train.numbers()),
            }),
            labels,
            forecast: recipe.forecast.clone(),
        }
    }

    /// What the network is asked for.
    pub(crate) fn asked(&self) -> Asked {
        let numbers = self.values.as_ref().map(|values| values.channels.len());
        Asked {
            width: numbers.unwrap_or(self.classes.len()),
            is_class: numbers.is_none(),
            each_step: self.labels.is_of_steps(),
        }
    }

    /// What answers are given for, in the plural.
    pub fn answered(&self) -> String {
        match &self.vocabulary {
            Some(vocabulary) => format!("{}s", vocabulary.kind()),
            None if self.labels.is_of_steps() => "steps".to_string(),
            None => "sequences".to_string(),
        }
    }

    /// What a network reads and puts out.
    pub fn shape(&self) -> Shape {
        if let Some(vocabulary) = &self.vocabulary {
            return Shape {
                reads: Reads::Tokens(vocabulary.len()),
                d_output: vocabulary.len(),
                each_step: true,
            };
        }
        let asked = self.asked();
        Shape {
            reads: Reads::Channels(self.channels.len()),
            d_output: asked.width,
            each_step: asked.each_step,
        }
    }

    /// Checks a set with its labels against the training data and makes it ready.
    ///
    /// # Errors
    /// If the set has other channels, or labels that the training data lack.
    pub fn apply(&self, set: &SequenceSet) -> Result<SequenceSet, DataError> {
        set.check_channels(&self.channels)?;
        let is_class = matches!(set.target, Target::Classes(_) | Target::StepClasses(_));
        if self.values.is_some() && is_class {
            return Err(DataError::Target {
                path: set.source.clone(),
                found: "class labels".into(),
                expected: "numbers as labels, as in the training data",
            });
        }
        if self.values.is_none() {
            return Ok(self.scaled(&set.align_classes(&self.classes)?));
        }
        Ok(self.scaled(set))
    }

    /// Reads a file with missing values of a kind and makes it ready: series that are foretold get their labels.
    ///
    /// # Errors
    /// If the file cannot be read, has other channels, or labels that the training data lack.
    pub fn read(&self, path: &Path, missing: Missing) -> Result<SequenceSet, DataError> {
        let labels = read_as(self.labels, self.forecast.as_ref());
        let set = read(path, missing, labels)?;
        match &self.forecast {
            Some(forecast) => {
                set.check_channels(&self.channels)?;
                self.apply(&forecast.label(&set)?)
            }
            None => self.apply(&set),
        }
    }

    /// The set with its values and numbers scaled.
    pub(crate) fn scaled(&self, set: &SequenceSet) -> SequenceSet {
        let mut scaled = match &self.scaler {
            Some(scaler) => scaler.apply(set),
            None => set.clone(),
        };
        if let Some(values) = &self.values {
            values.apply_to_labels(&mut scaled);
        }
        scaled
    }

    /// The mean squared error, on the scale of training, of who always answers with the mean of the training data.
    pub(crate) fn variance(&self, set: &SequenceSet) -> f64 {
        let std = Standardizer::fit_labels(set).std;
        let squares = std.iter().map(|std| std * std);
        squares.sum::<f64>() / std.len() as f64
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
            values,
            ..
        } = self;
        if vocabulary.is_some() {
            let none = channels.is_empty() && classes.is_empty() && scaler.is_none();
            let problem = "it has a vocabulary beside channels, classes or a scaler, expected one or the other";
            return match none && values.is_none() {
                true => Ok(()),
                false => Err(problem.into()),
            };
        }
        let distinct = classes.iter().collect::<HashSet<_>>().len();
        if channels.is_empty() {
            return Err("it has no channels, expected at least 1".to_string());
        }
        match values {
            None if classes.len() < 2 || distinct < classes.len() => {
                return Err(format!(
                    "it has classes {classes:?}, expected at least 2 distinct ones"
                ));
            }
            Some(_) if !classes.is_empty() || self.labels.is_class() => {
                return Err("it has classes and numbers, expected one or the other".to_string());
            }
            Some(values) if values.channels.is_empty() => {
                return Err("it has no numbers to answer, expected at least 1".to_string());
            }
            Some(values) => values.validate().map_err(|error| error.to_string())?,
            None => (),
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
