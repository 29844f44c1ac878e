//! A run from a recipe to a finished folder.

use std::fs;
use std::path::Path;

use burn::module::Module;
use rekindle_cells::Normalization;
use serde::{Deserialize, Serialize};

use crate::checkpoint::Checkpoint;
use crate::files::{self, Checksum, FileError};
use crate::recipe::{CellKind, Recipe, RecipeError};
use crate::run::Opened;
use crate::task;
use crate::{Devices, Event, Network, Observer, RunFolder, Scores, TrainError};

/// Whether a run begins or goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// In a folder that does not exist or is empty.
    New,
    /// From the folder's checkpoint; from the beginning if there is none yet.
    Resume,
}

/// The result of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The recipe's name.
    pub name: String,
    /// The cell.
    pub cell: CellKind,
    /// Scores over the test set, if the recipe names one.
    pub test: Option<Scores>,
    /// Scores over the validation set, if there is one.
    pub valid: Option<Scores>,
    /// Epochs trained.
    pub epochs: usize,
    /// The epoch whose weights are kept, counted from 1.
    pub kept_epoch: usize,
    /// Wall-clock seconds spent in epochs, over all sessions of the run.
    pub seconds: f64,
    /// Steps left out because their loss or gradient was not finite.
    #[serde(default)]
    pub skipped_steps: usize,
    /// Trainable numbers.
    pub parameters: usize,
    /// The seed.
    pub seed: u64,
    /// The devices.
    #[serde(alias = "backend")]
    pub devices: Devices,
}

/// The file that says that a run is finished.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Finished {
    format: u32,
    /// Of the file of weights.
    pub(crate) weights: String,
    pub(crate) outcome: Outcome,
}

/// The version of the file. One that is not equal is refused.
const FORMAT: u32 = 1;

impl Finished {
    pub(crate) fn new(weights: &[u8], outcome: &Outcome) -> Self {
        let weights = Checksum::of(weights).to_hex();
        Self {
            format: FORMAT,
            weights,
            outcome: outcome.clone(),
        }
    }

    pub(crate) fn save(&self, folder: &RunFolder) -> Result<(), FileError> {
        let path = folder.result();
        let text = serde_json::to_vec_pretty(self).map_err(|e| FileError::damaged(&path, e))?;
        files::write(&path, &text)
    }

    /// Reads the file; `None` if the run is not finished.
    pub(crate) fn load(folder: &RunFolder) -> Result<Option<Self>, FileError> {
        let path = folder.result();
        if !path.exists() {
            return Ok(None);
        }
        let text = files::read_text(&path)?;
        let value: serde_json::Value =
            serde_json::from_str(&text).map_err(|e| FileError::damaged(&path, e))?;
        files::check_format(&path, &value, FORMAT)?;
        serde_json::from_value(value)
            .map(Some)
            .map_err(|e| FileError::damaged(&path, e))
    }
}

/// Trains a network after a recipe and leaves everything about it in a folder.
///
/// The data are read and checked before anything is written. Each epoch ends with a checkpoint, so that a run that is
/// killed at any moment can go on with [`Start::Resume`]; on the same CPU devices it ends with the same bits as a run that
/// was not killed. A finished run that is resumed just returns its outcome.
///
/// # Errors
/// If the recipe, the data or the folder cannot be used, or a loss or gradient is not finite; nothing that was on the
/// disk is lost.
pub fn train(
    recipe: &Recipe,
    devices: impl Into<Devices>,
    folder: &Path,
    start: Start,
    observer: &mut dyn Observer,
) -> Result<Outcome, TrainError> {
    let run = match Opened::new(recipe, devices.into(), folder, start)? {
        Opened::Run(run) => run,
        Opened::Finished { outcome, .. } => {
            observer.observe(&Event::Done { outcome: &outcome });
            return Ok(outcome);
        }
    };
    let mut fit = run.fit()?;
    fit.run(observer)?;
    let outcome = run.finish(&fit)?;
    observer.observe(&Event::Done { outcome: &outcome });
    Ok(outcome)
}

/// Checks what can be checked without training: the recipe, the folder and the data. Nothing is written.
///
/// Returns the outcome if the folder holds the finished run of this recipe on these data. [`train`] takes a finished run
/// by its recipe alone; this also reads the data, and so finds out that they have changed since.
///
/// # Errors
/// As [`train`], for what can be known before it.
pub fn check(recipe: &Recipe, folder: &Path, start: Start) -> Result<Option<Outcome>, TrainError> {
    recipe.validate()?;
    let folder = &RunFolder::new(folder);
    check_folder(folder, recipe, start)?;
    let task = task::open(recipe)?;
    if let Some(checkpoint) = Checkpoint::load(folder)? {
        checkpoint.check_data(folder, &task.checksum())?;
    }
    Ok(Finished::load(folder)?.map(|finished| finished.outcome))
}

/// The recipe of a run folder.
///
/// # Errors
/// If the folder has none, or it cannot be read.
pub fn recipe_of(folder: &Path) -> Result<Recipe, RecipeError> {
    Recipe::load(&RunFolder::new(folder).recipe(), &[])
}

/// Checks that a folder is new, or holds a run of this recipe.
pub(crate) fn check_folder(
    folder: &RunFolder,
    recipe: &Recipe,
    start: Start,
) -> Result<(), TrainError> {
    let path = folder.path();
    if !path.exists() {
        return Ok(());
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(path).map_err(FileError::read(path))? {
        let name = entry.map_err(FileError::read(path))?.file_name();
        found.push(name.to_string_lossy().into_owned());
    }
    found.sort();
    // What a kill in the middle of the very first write leaves is as good as nothing.
    found.retain(|name| !name.ends_with(".tmp"));
    if found.is_empty() {
        return Ok(());
    }
    if start == Start::New || !folder.recipe().exists() {
        return Err(TrainError::InUse {
            folder: path.to_path_buf(),
            found: found.join(", "),
        });
    }
    check_recipe(folder, recipe)
}

/// Checks that a run was begun with this recipe.
///
/// Where the data lie may change; that they are the same is checked by their checksum. What was left to the data is as the
/// data had it.
fn check_recipe(folder: &RunFolder, recipe: &Recipe) -> Result<(), TrainError> {
    let old = recipe_of(folder.path())?;
    let mut new = recipe.clone();
    new.data.train.clone_from(&old.data.train);
    new.data.valid.clone_from(&old.data.valid);
    new.data.test.clone_from(&old.data.test);
    if let Normalization::Batch { max_steps, .. } = old.model.normalization {
        new.model = new.model.with_max_steps(max_steps);
    }
    if old == new {
        return Ok(());
    }
    let (old, new) = (old.to_toml(), new.to_toml());
    let mut lines = old.lines().zip(new.lines());
    let differs = |(old, new): &(&str, &str)| old != new;
    let (old, new) = lines.find(differs).unwrap_or(("fewer keys", "more keys"));
    Err(TrainError::RecipeChanged {
        folder: folder.path().to_path_buf(),
        difference: format!("it has `{old}`, now given `{new}`"),
    })
}

/// A network's weights as a burnpack.
pub(crate) fn weights_of(network: Network, path: &Path) -> Result<Vec<u8>, FileError> {
    let bytes = network.into_record().into_bytes();
    let bytes = bytes.map_err(|error| FileError::damaged(path, error))?;
    Ok(bytes.to_vec())
}
