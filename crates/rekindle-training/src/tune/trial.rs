//! One trial: its runs, and how a worker leaves them.

use std::path::PathBuf;

use rekindle_tune::{Claim, Ending, Trial};

use super::course::{Course, Relay, common};
use super::folder::lock_of_trial;
use super::member::Member;
use super::{Search, TuneError, TuneObserver};
use crate::run::Opened;
use crate::{DataError, Devices, Recipe, RunFolder, Start, TrainError};

/// How many workers may die in the first epoch of a trial before it is taken for the reason: it may need more memory than
/// there is.
const ATTEMPTS: u64 = 5;

/// How a worker leaves a trial.
pub(super) enum Left {
    /// At its end.
    Ended(Ending),
    /// Another worker has taken it over.
    Lost,
    /// The worker was asked to stop.
    Stopped,
}

/// Works on a trial, to its end if nothing comes between.
pub(super) fn worked(
    search: &mut Search,
    claim: &Claim,
    observer: &mut dyn TuneObserver,
) -> Result<Left, TuneError> {
    match search.recipe.at(&claim.trial.point) {
        Ok(recipe) => trained(search, claim, &recipe, observer),
        Err(error) => Ok(Left::Ended(Ending::Failed(error.to_string()))),
    }
}

/// Trains a trial's recipe in its folder, from where an earlier attempt left it.
fn trained(
    search: &mut Search,
    claim: &Claim,
    recipe: &Recipe,
    observer: &mut dyn TuneObserver,
) -> Result<Left, TuneError> {
    let number = claim.trial.number;
    // A worker that lost the trial may still be at work in the folder, up to the end of its epoch.
    let alive = search.study.keep_alive(claim)?;
    let lock = search.trial_folder(number).with_extension("lock");
    let Some(_alone) = lock_of_trial(&lock, &alive)? else {
        return Ok(Left::Lost);
    };
    let runs = search.runs(number, recipe);
    if let Some(reason) = kills(claim, &runs) {
        return Ok(Left::Ended(Ending::Failed(reason)));
    }
    let opened = match opened(&runs, &search.devices) {
        Ok(opened) => opened,
        Err(error) => return failed(number, error),
    };
    let mut relay = Relay::new(number, runs.len(), observer);
    let watch = recipe.training.watch;
    let members = opened.iter().enumerate();
    let members = members.map(|(run, opened)| Member::new(opened, watch, relay.of(run)));
    let members = match members.collect::<Result<Vec<_>, _>>() {
        Ok(members) => members,
        Err(error) => return failed(number, error),
    };
    let known = common(&members) as u64;
    let reported = claim.trial.curve.iter().copied();
    let pruner = &search.recipe.tune().pruner;
    let course = Course {
        claim,
        alive,
        pruner: pruner.pruner(recipe.training.epochs as u64),
        study: &mut search.study,
        watch,
        // What is trained again is told again.
        reported: reported.filter(|(epoch, _)| *epoch <= known).collect(),
        members,
        trial: Trial {
            curve: Vec::new(),
            ..claim.trial.clone()
        },
        told: 0,
        relay,
    };
    course.run()
}

/// Why a trial is taken for one that kills its workers: none of many has left an epoch.
fn kills(claim: &Claim, runs: &[(Recipe, PathBuf)]) -> Option<String> {
    let mut folders = runs.iter().map(|(_, folder)| RunFolder::new(folder));
    let is_fruitless = claim.attempt > ATTEMPTS
        && claim.trial.curve.is_empty()
        && !folders.any(|folder| folder.metrics().exists());
    is_fruitless.then(|| {
        format!("{ATTEMPTS} workers have begun it and none has come to the end of an epoch")
    })
}

/// The runs of a trial, as they were left.
fn opened(runs: &[(Recipe, PathBuf)], devices: &Devices) -> Result<Vec<Opened>, TrainError> {
    let open = |(recipe, folder): &(Recipe, PathBuf)| {
        Opened::new(recipe, devices.clone(), folder, Start::Resume)
    };
    runs.iter().map(open).collect()
}

/// A run that ended in an error, which is the trial's own or everybody's.
pub(super) fn failed(number: u64, error: TrainError) -> Result<Left, TuneError> {
    match is_of_the_trial(&error) {
        true => Ok(Left::Ended(Ending::Failed(error.to_string()))),
        false => Err(TuneError::Trial {
            number,
            source: Box::new(error),
        }),
    }
}

/// Whether an error comes from the values of a trial, so that other trials may do better.
fn is_of_the_trial(error: &TrainError) -> bool {
    !matches!(
        error,
        TrainError::Data(DataError::Read(_))
            | TrainError::File(_)
            | TrainError::Backend(_)
            | TrainError::InUse { .. }
            | TrainError::RecipeChanged { .. }
            | TrainError::DataChanged { .. }
    )
}
