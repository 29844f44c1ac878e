//! What to train: a recipe, from a TOML file and from overrides on the command line.

mod activation;
mod check;
mod constrained;
mod data;
mod error;
mod fields;
mod group;
mod hidden;
mod keys;
mod model;
mod normalization;
mod optimizer;
mod options;
mod parse;
mod prune;
mod regularize;
mod search;
#[cfg(test)]
mod tests;
mod text;
mod validate;
mod watch;

use std::path::Path;

use rekindle_data::ChunkLength;
use rekindle_optim::{Average, Clip, NonFinite, Schedule};
use serde::{Deserialize, Serialize};

pub use data::{DataRecipe, ProblemRecipe};
pub(crate) use data::{Learns, read_as};
pub use error::RecipeError;
pub use group::GroupRecipe;
pub use hidden::Hidden;
pub use keys::Key;
pub use model::{CellKind, ModelRecipe, Readout};
pub use optimizer::Optimizer;
pub use parse::parse_schedule;
pub use prune::PruneRecipe;
pub use regularize::RegularizeRecipe;
pub use search::{SearchRecipe, TuneRecipe};
pub use text::TextRecipe;
pub(crate) use validate::check;
pub use watch::Watch;

/// Everything about a run: data, model, training and seed.
///
/// [`keys`](Self::keys) documents each key.
///
/// # Examples
/// ```
/// use std::path::Path;
///
/// use rekindle_training::Recipe;
///
/// let text = "name = \"vowels\"\n[data]\ntrain = \"vowels.ts\"\n[model]\ncell = \"gru\"\n";
/// let recipe = Recipe::from_toml(text, Path::new("vowels.toml"), &["training.epochs=10".into()])?;
/// assert_eq!(recipe.training.epochs, 10);
///
/// let error = Recipe::from_toml(text, Path::new("vowels.toml"), &["training.epoch=10".into()]);
/// let expected = "--set training.epoch=10: unknown key training.epoch, did you mean training.epochs?";
/// assert_eq!(error.unwrap_err().to_string(), expected);
/// # Ok::<(), rekindle_training::RecipeError>(())
/// ```
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// What the run is called.
    pub name: String,
    /// Where all random numbers start.
    #[serde(default)]
    pub seed: u64,
    /// What to read, and what labels are.
    #[serde(default)]
    pub data: DataRecipe,
    /// What a text is cut into; with it, the run learns a language model. Default: none, sequences are learned from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<TextRecipe>,
    /// The network.
    #[serde(default)]
    pub model: ModelRecipe,
    /// How it is trained.
    #[serde(default)]
    pub training: TrainingRecipe,
    /// Noise in cells, penalties and constraints.
    #[serde(default)]
    pub regularize: RegularizeRecipe,
    /// What is pruned in training.
    #[serde(default)]
    pub prune: PruneRecipe,
}

/// What a schedule counts.
#[derive(Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum ScheduleUnit {
    /// Epochs.
    Epoch,
    /// Optimiser steps.
    Step,
}

/// Which weights a run ends with.
#[derive(Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// Those of the best epoch by the watched metric.
    Best,
    /// Those of the last epoch.
    Last,
}

/// The section `[training]`.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct TrainingRecipe {
    /// Passes over the training sequences, at least 1. Default: 50.
    pub epochs: usize,
    /// Sequences in a batch, at least 1. Default: 32.
    pub batch_size: usize,
    /// Steps that gradients flow back, after which states go on alone: truncated backpropagation through time (Williams and
    /// Peng, 1990, <https://doi.org/10.1162/neco.1990.2.4.490>), of texts and of answers at each step. Default: 70 steps of
    /// texts, the whole of other sequences.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bptt: Option<ChunkLength>,
    /// The optimiser. Default: AdamW.
    pub optimizer: Optimizer,
    /// The base learning rate, positive. Default: 0.003.
    pub lr: f64,
    /// Weight decay, at least 0. Default: 0.01.
    pub weight_decay: f64,
    /// The factor of the base learning rate over the run. Default: constant.
    pub schedule: Schedule,
    /// What the schedule counts. Default: epochs.
    pub schedule_unit: ScheduleUnit,
    /// Groups of parameters with rates of their own. Default: none.
    pub groups: Vec<GroupRecipe>,
    /// The metric for a plateau schedule, `patience` and `keep`. Default: validation loss.
    pub watch: Watch,
    /// How gradients are clipped. Default: by the norm of all of them together, to 1.
    pub clip: Clip,
    /// What to do with a step whose loss or gradient is not finite. Default: an error.
    pub on_nonfinite: NonFinite,
    /// The mean of the weights that is validated and kept in their place. Default: none, the weights themselves.
    pub average: Average,
    /// Stop after this many epochs without improvement of `watch`. Default: never.
    pub patience: Option<usize>,
    /// Which weights the run ends with. Default: the best.
    pub keep: Keep,
    /// Whether to note how much gradient reaches the states of each cell, for the report and the doctor. Default: false.
    pub watch_gradients: bool,
}

impl Default for TrainingRecipe {
    fn default() -> Self {
        Self {
            epochs: 50,
            batch_size: 32,
            bptt: None,
            optimizer: Optimizer::default(),
            lr: 0.003,
            weight_decay: 0.01,
            schedule: Schedule::default(),
            schedule_unit: ScheduleUnit::Epoch,
            groups: Vec::new(),
            watch: Watch::default(),
            clip: Clip::default(),
            on_nonfinite: NonFinite::Error,
            average: Average::None,
            patience: None,
            keep: Keep::Best,
            watch_gradients: false,
        }
    }
}

impl Recipe {
    /// Reads a recipe file. Relative paths in it count from the file's folder, those in overrides from the current one.
    ///
    /// An override is `key=value`; the value is TOML, and a bare word is a string. It replaces what stood at the key,
    /// also a whole section. `training.schedule.gamma=0.9` reaches into a table, and where a table with a `kind`
    /// stands, the kind alone is its short form: `training.schedule=plateau`.
    ///
    /// # Errors
    /// If the file cannot be read, or a key or value is wrong.
    pub fn load(path: &Path, overrides: &[String]) -> Result<Self, RecipeError> {
        Self::from_toml(&parse::read(path)?, path, overrides)
    }

    /// Reads a recipe from a text; `source` is the file that it stands for.
    ///
    /// # Errors
    /// If a key or value is wrong.
    pub fn from_toml(text: &str, source: &Path, overrides: &[String]) -> Result<Self, RecipeError> {
        let recipe = parse::parse(text, source, overrides)?;
        recipe.validate()?;
        Ok(recipe)
    }

    /// The default recipe for a training file, called as the file is.
    ///
    /// # Errors
    /// If an override is wrong.
    pub fn for_data(train: &Path, overrides: &[String]) -> Result<Self, RecipeError> {
        let name = train
            .file_stem()
            .unwrap_or(train.as_os_str())
            .to_string_lossy();
        let quoted = |text: &str| toml::Value::String(text.to_string()).to_string();
        let text = format!("name = {}\n", quoted(&name));
        let mut all = vec![format!("data.train={}", quoted(parse::utf8(train)?))];
        all.extend_from_slice(overrides);
        Self::from_toml(&text, Path::new(""), &all)
    }

    /// The complete recipe in TOML, every default written out.
    pub fn to_toml(&self) -> String {
        toml::to_string_pretty(self).expect("a recipe has a TOML form")
    }

    /// Every key, with its default and meaning.
    pub fn keys() -> &'static [Key] {
        keys::KEYS
    }
}
