//! The folder of a search: run folders, the best recipe, the last run.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rekindle_tune::{Direction, KeepAlive, Trial};

use super::{Search, TuneError};
use crate::recipe::{Keep, Watch};
use crate::{FileError, Observer, Outcome, Recipe, Start, files, steps_per_epoch, train};

/// How long to wait before a lock is tried again.
const PAUSE: Duration = Duration::from_millis(100);

/// The file of a search's folder that says whose it is.
const STUDY: &str = "study.txt";

/// The name of the study that a folder belongs to; none if it is no folder of a search.
///
/// # Errors
/// If it cannot be read.
pub fn study_in(folder: &Path) -> Result<Option<String>, FileError> {
    let path = folder.join(STUDY);
    match path.exists() {
        true => Ok(Some(files::read_text(&path)?.trim().to_string())),
        false => Ok(None),
    }
}

/// The last run of a search.
#[derive(Clone, Debug, PartialEq)]
pub struct Refit {
    /// What came of it.
    pub outcome: Outcome,
    /// Where it is.
    pub folder: PathBuf,
}

impl Search<'_> {
    /// The folder of a trial: its run folder, or with `tune.repeats` that of its run folders, `seed-0` and so on.
    pub fn trial_folder(&self, number: u64) -> PathBuf {
        self.folder.join(format!("trial-{number:04}"))
    }

    /// The recipes of a trial's runs, which differ in their seeds, with their run folders.
    pub(super) fn runs(&self, number: u64, recipe: &Recipe) -> Vec<(Recipe, PathBuf)> {
        let (folder, repeats) = (self.trial_folder(number), self.recipe.tune().repeats);
        let run = |repeat| {
            // The last seed that TOML can write is followed by 0.
            let seed = (recipe.seed + repeat) % (1 << 63);
            let folder = match repeats {
                1 => folder.clone(),
                _ => folder.join(format!("seed-{seed}")),
            };
            let recipe = Recipe {
                seed,
                ..recipe.clone()
            };
            (recipe, folder)
        };
        (0..repeats).map(run).collect()
    }

    /// The file that holds the best recipe so far, ready to be trained.
    pub fn best_recipe(&self) -> PathBuf {
        self.folder.join("best.toml")
    }

    /// Makes the folder, and marks it as this study's.
    pub(super) fn prepare(&self) -> Result<(), TuneError> {
        fs::create_dir_all(self.folder).map_err(FileError::write(self.folder))?;
        let _alone = lock(&self.folder.join("study.lock"))?;
        let name = self.study.name();
        match study_in(self.folder)? {
            None => {
                let path = self.folder.join(STUDY);
                Ok(files::write(&path, format!("{name}\n").as_bytes())?)
            }
            Some(found) if found == name => Ok(()),
            Some(found) => Err(TuneError::OtherStudy {
                folder: self.folder.to_path_buf(),
                found,
                expected: name.to_string(),
            }),
        }
    }

    /// Writes the best recipe so far, one worker at a time.
    pub(super) fn export(&mut self) -> Result<(), TuneError> {
        let _alone = lock(&self.folder.join("best.lock"))?;
        if let Some((trial, _)) = self.study.history()?.best() {
            let recipe = self.recipe.at(&trial.point)?;
            files::write(&self.best_recipe(), recipe.to_toml().as_bytes())?;
        }
        Ok(())
    }

    /// Checks that what is best can be trained on what was validated on, before anything is searched.
    ///
    /// # Errors
    /// If the recipe has no such data.
    pub fn check_refit(&self) -> Result<(), TuneError> {
        let recipe = self.recipe.first()?;
        let epochs = recipe.training.epochs;
        Ok(refitted(recipe, epochs).validate()?)
    }

    /// Trains the best recipe so far on what was validated on, too, for as many epochs as its best weights had; none if no
    /// trial is complete. Workers that ask for it at the same time wait for the one that was first.
    ///
    /// # Errors
    /// If the database cannot be used, or the run cannot be.
    pub fn refit(&mut self, observer: &mut dyn Observer) -> Result<Option<Refit>, TuneError> {
        let Some((trial, _)) = self.study.history()?.best() else {
            return Ok(None);
        };
        let recipe = self.recipe.at(&trial.point)?;
        let epochs = epochs(&recipe, trial, self.recipe.direction())?;
        let folder = self.folder.join(format!("refit-{:04}", trial.number));
        let _alone = lock(&folder.with_extension("lock"))?;
        let recipe = refitted(recipe, epochs);
        let outcome = train(
            &recipe,
            self.devices.clone(),
            &folder,
            Start::Resume,
            observer,
        );
        let outcome = outcome.map_err(Box::new)?;
        Ok(Some(Refit { outcome, folder }))
    }
}

/// The epochs that the kept weights of a trial had; of several runs, those after which their mean was best.
fn epochs(recipe: &Recipe, trial: &Trial, direction: Direction) -> Result<usize, TuneError> {
    let kept = match recipe.training.keep {
        Keep::Last => trial.curve.last(),
        Keep::Best => {
            let from = pruned_epoch(recipe)? as u64;
            let counts = trial.curve.iter().filter(|(epoch, _)| *epoch >= from);
            counts.min_by(|(_, a), (_, b)| direction.compare(*a, *b))
        }
    };
    Ok(kept.map_or(recipe.training.epochs, |(epoch, _)| *epoch as usize))
}

/// The first epoch at whose end nothing more is pruned; 0 without pruning, and then no data are read.
fn pruned_epoch(recipe: &Recipe) -> Result<usize, TuneError> {
    if recipe.prune.schedule.is_none() {
        return Ok(0);
    }
    let batches = steps_per_epoch(recipe).map_err(|error| Box::new(error.into()))?;
    Ok(recipe.prune.pruned_epoch(batches))
}

/// A recipe that is trained on all there is.
fn refitted(mut recipe: Recipe, epochs: usize) -> Recipe {
    let training = &mut recipe.training;
    training.epochs = epochs;
    training.watch = Watch::train_loss();
    training.keep = Keep::Last;
    training.patience = None;
    recipe.data.train_on_valid = true;
    recipe
}

/// Waits until no other process on this machine holds the lock. It is given back when the file is dropped or the process
/// ends, however it ends.
pub(super) fn lock(path: &Path) -> Result<File, FileError> {
    let file = opened(path)?;
    file.lock().map_err(FileError::write(path))?;
    Ok(file)
}

/// The same for a trial's folder; none once the trial is lost.
pub(super) fn lock_of_trial(path: &Path, alive: &KeepAlive) -> Result<Option<File>, FileError> {
    let file = opened(path)?;
    while !alive.is_lost() {
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
            Err(TryLockError::Error(source)) => return Err(FileError::write(path)(source)),
        }
    }
    Ok(None)
}

fn opened(path: &Path) -> Result<File, FileError> {
    let file = File::options().create(true).append(true).open(path);
    file.map_err(FileError::write(path))
}
