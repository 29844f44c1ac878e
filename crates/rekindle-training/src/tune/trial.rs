//! One trial: a run that reports its epochs and may be stopped.

use std::path::Path;

use rekindle_tune::{Answer, Claim, Ending, KeepAlive, Pruner, StoreError, Study, Trial};

use super::folder::lock_of_trial;
use super::{Search, TuneError, TuneEvent, TuneObserver};
use crate::recipe::Watch;
use crate::{
    DataError, Event, FileError, Observer, Outcome, Recipe, RunFolder, Start, TrainError,
    epochs_of, train,
};

/// How many workers may die in the first epoch of a trial before it is taken for the reason: it may need more memory than
/// there is.
const ATTEMPTS: u64 = 5;

/// Runs a trial to its end; none if another worker has taken it over.
pub(super) fn ending(
    search: &mut Search,
    claim: &Claim,
    observer: &mut dyn TuneObserver,
) -> Result<Option<Ending>, TuneError> {
    if claim.attempt > ATTEMPTS && claim.trial.curve.is_empty() {
        let reason =
            format!("{ATTEMPTS} workers have begun it and none has come to the end of an epoch");
        return Ok(Some(Ending::Failed(reason)));
    }
    match search.recipe.at(&claim.trial.point) {
        Ok(recipe) => trained(search, claim, &recipe, observer),
        Err(error) => Ok(Some(Ending::Failed(error.to_string()))),
    }
}

/// Trains a trial's recipe in its folder, from where an earlier attempt left it.
fn trained(
    search: &mut Search,
    claim: &Claim,
    recipe: &Recipe,
    observer: &mut dyn TuneObserver,
) -> Result<Option<Ending>, TuneError> {
    let number = claim.trial.number;
    let folder = search.trial_folder(number);
    // A worker that lost the trial may still be at work in the folder, up to the end of its epoch.
    let alive = search.study.keep_alive(claim)?;
    let Some(_alone) = lock_of_trial(&folder.with_extension("lock"), &alive)? else {
        return Ok(None);
    };
    let pruner = search
        .recipe
        .tune()
        .pruner
        .pruner(recipe.training.epochs as u64);
    let watch = recipe.training.watch;
    let mut reporter = Reporter {
        before: measured(&folder, watch)?,
        alive,
        study: &mut search.study,
        claim,
        pruner,
        watch,
        trial: claim.trial.clone(),
        stop: None,
        observer,
    };
    let ended = train(
        recipe,
        search.backend,
        &folder,
        Start::Resume,
        &mut reporter,
    );
    let Reporter { trial, stop, .. } = reporter;
    match (ended, stop) {
        (Err(TrainError::Stopped { .. }), Some(Stop::Pruned)) => Ok(Some(Ending::Pruned)),
        (_, Some(Stop::Lost)) => Ok(None),
        (_, Some(Stop::Store(error))) => Err(error.into()),
        (Ok(outcome), _) => Ok(Some(complete(&outcome, watch, &trial))),
        (Err(error), _) => failed(number, error).map(Some),
    }
}

/// A run that ended in an error, which is the trial's own or everybody's.
fn failed(number: u64, error: TrainError) -> Result<Ending, TuneError> {
    match is_of_the_trial(&error) {
        true => Ok(Ending::Failed(error.to_string())),
        false => Err(TuneError::Trial {
            number,
            source: Box::new(error),
        }),
    }
}

/// A trial comes to the watched metric in the epoch whose weights are kept.
fn complete(outcome: &Outcome, watch: Watch, trial: &Trial) -> Ending {
    let kept = outcome.kept_epoch as u64;
    match trial.curve.iter().find(|(epoch, _)| *epoch == kept) {
        Some((_, value)) => Ending::Complete(*value),
        None => Ending::Failed(format!(
            "{watch} was not measured in epoch {kept}, whose weights are kept, expected a number"
        )),
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

/// Why a run is to stop.
enum Stop {
    /// The pruner says so.
    Pruned,
    /// Another worker has the trial.
    Lost,
    /// The database cannot be used.
    Store(StoreError),
}

/// What the run folder of an earlier attempt tells, which may be more or less than what that attempt has reported: epochs and
/// the watched metric.
fn measured(folder: &Path, watch: Watch) -> Result<Vec<(u64, f64)>, FileError> {
    if !RunFolder::new(folder).metrics().exists() {
        return Ok(Vec::new());
    }
    let rows = epochs_of(folder)?;
    let values = rows
        .iter()
        .filter_map(|row| Some((row.epoch as u64, watch.value(row)?)));
    Ok(values.collect())
}

/// Reports the epochs of a run to the study, and asks the pruner about each.
struct Reporter<'a> {
    study: &'a mut Study,
    claim: &'a Claim,
    alive: KeepAlive,
    pruner: Box<dyn Pruner>,
    watch: Watch,
    /// What earlier attempts have left in the run folder; taken once it is known how much of it counts.
    before: Vec<(u64, f64)>,
    /// Its curve is what counts, whatever earlier attempts reported.
    trial: Trial,
    stop: Option<Stop>,
    observer: &'a mut dyn TuneObserver,
}

impl Reporter<'_> {
    /// Begins behind the epochs of earlier attempts that count, and reports those that were not reported any more.
    fn begin(&mut self, first_epoch: u64) {
        let reported = std::mem::take(&mut self.trial.curve);
        self.trial.curve = std::mem::take(&mut self.before);
        self.trial.curve.retain(|(epoch, _)| *epoch < first_epoch);
        let missing = |point: &&(u64, f64)| !reported.contains(point);
        let missing: Vec<_> = self.trial.curve.iter().filter(missing).copied().collect();
        for (epoch, value) in missing {
            let stop = self.report(epoch, value);
            self.stop = self.stop.take().or(stop);
        }
        // The attempt before may have ended between its last report and the pruner's answer.
        if self.stop.is_none() && !self.trial.curve.is_empty() {
            self.stop = self.prune();
        }
    }

    /// The epoch that was just trained; the pruner decides about it.
    fn epoch(&mut self, epoch: u64, value: f64) {
        self.trial.curve.push((epoch, value));
        let stop = self.report(epoch, value).or(self.stop.take());
        self.stop = stop.or_else(|| self.prune());
    }

    /// Reports an epoch; why the run is to stop, if it is.
    fn report(&mut self, epoch: u64, value: f64) -> Option<Stop> {
        match self.study.report(self.claim, epoch, value) {
            Ok(Answer::Written) => None,
            Ok(Answer::Lost) => Some(Stop::Lost),
            Err(error) => Some(Stop::Store(error)),
        }
    }

    fn prune(&mut self) -> Option<Stop> {
        match self.study.history() {
            Ok(history) => self
                .pruner
                .prune(history, &self.trial)
                .then_some(Stop::Pruned),
            Err(error) => Some(Stop::Store(error)),
        }
    }
}

impl Observer for Reporter<'_> {
    fn observe(&mut self, event: &Event) {
        self.observer.observe(&TuneEvent::Run {
            number: self.trial.number,
            event,
        });
        match event {
            Event::Start { first_epoch, .. } => self.begin(*first_epoch as u64),
            Event::Epoch { row, .. } => {
                if let Some(value) = self.watch.value(row) {
                    self.epoch(row.epoch as u64, value);
                }
            }
            // Of a run that was finished before nothing else is told.
            Event::Done { .. } if !self.before.is_empty() => self.begin(u64::MAX),
            _ => (),
        }
    }

    fn stops(&mut self) -> bool {
        if self.stop.is_none() && self.alive.is_lost() {
            self.stop = Some(Stop::Lost);
        }
        self.stop.is_some()
    }
}
