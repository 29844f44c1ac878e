//! One trial: runs that report the mean of their epochs and may be stopped.

use std::path::PathBuf;

use rekindle_tune::{Answer, Claim, Ending, Pruner, StoreError, Study, Trial};

use super::folder::lock_of_trial;
use super::member::Member;
use super::{Search, TuneError, TuneEvent, TuneObserver};
use crate::recipe::Watch;
use crate::run::Opened;
use crate::{DataError, Event, Observer, Recipe, Start, TrainError};

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
    // A worker that lost the trial may still be at work in the folder, up to the end of its epoch.
    let alive = search.study.keep_alive(claim)?;
    let lock = search.trial_folder(number).with_extension("lock");
    let Some(_alone) = lock_of_trial(&lock, &alive)? else {
        return Ok(None);
    };
    let opened = match opened(search, number, recipe) {
        Ok(opened) => opened,
        Err(error) => return failed(number, error).map(Some),
    };
    let watch = recipe.training.watch;
    let mut relay = Relay {
        number,
        runs: opened.len(),
        observer,
    };
    let runs = opened.iter().enumerate();
    let members = runs.map(|(run, opened)| Member::new(opened, watch, &mut relay.of(run)));
    let members = match members.collect::<Result<Vec<_>, _>>() {
        Ok(members) => members,
        Err(error) => return failed(number, error).map(Some),
    };
    let pruner = &search.recipe.tune().pruner;
    let mut course = Course {
        study: &mut search.study,
        claim,
        pruner: pruner.pruner(recipe.training.epochs as u64),
        members,
        reported: claim.trial.curve.clone(),
        trial: Trial {
            curve: Vec::new(),
            ..claim.trial.clone()
        },
        told: 0,
    };
    loop {
        let stop = match alive.is_lost() {
            true => Some(Stop::Lost),
            false => course.tell()?,
        };
        let Some((run, member)) = course.next() else {
            break;
        };
        match stop {
            Some(Stop::Pruned) => return Ok(Some(Ending::Pruned)),
            Some(Stop::Lost) => return Ok(None),
            None => (),
        }
        if let Err(error) = member.epoch(&mut relay.of(run)) {
            return failed(number, error).map(Some);
        }
    }
    for (run, member) in course.members.iter_mut().enumerate() {
        if let Err(error) = member.finish(&mut relay.of(run)) {
            return failed(number, error).map(Some);
        }
    }
    Ok(Some(complete(&course.members, watch)))
}

/// The runs of a trial: one for each seed.
fn opened(search: &Search, number: u64, recipe: &Recipe) -> Result<Vec<Opened>, TrainError> {
    let open = |(recipe, folder): (Recipe, PathBuf)| {
        let devices = search.devices.clone();
        Opened::new(&recipe, devices, &folder, Start::Resume)
    };
    let runs = search.runs(number, recipe).into_iter();
    runs.map(open).collect()
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

/// A trial comes to the mean over its runs of the watched metric in the epoch whose weights are kept.
fn complete(members: &[Member], watch: Watch) -> Ending {
    let mut sum = 0.0;
    for member in members {
        let kept = member.kept();
        match member.value(kept) {
            Some(value) => sum += value,
            None => {
                return Ending::Failed(format!(
                    "{watch} was not measured in epoch {kept}, whose weights are kept, expected a number"
                ));
            }
        }
    }
    Ending::Complete(sum / members.len() as f64)
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

/// Why a trial is to stop.
enum Stop {
    /// The pruner says so.
    Pruned,
    /// Another worker has the trial.
    Lost,
}

/// The course of a trial: its runs go on epoch by epoch, side by side, and the study is told their mean.
struct Course<'a> {
    study: &'a mut Study,
    claim: &'a Claim,
    pruner: Box<dyn Pruner + Send + Sync>,
    members: Vec<Member<'a>>,
    /// What earlier attempts have reported, which may be more or less than what they have left in the run folders.
    reported: Vec<(u64, f64)>,
    /// Its curve is what counts, whatever earlier attempts reported.
    trial: Trial,
    /// How many epochs of it the study was told.
    told: usize,
}

impl<'a> Course<'a> {
    /// The run that goes on next: the one that is behind, of those that are not over.
    fn next(&mut self) -> Option<(usize, &mut Member<'a>)> {
        let members = self.members.iter_mut().enumerate();
        let left = members.filter(|(_, member)| !member.is_over());
        left.min_by_key(|(_, member)| member.epochs())
    }

    /// Tells the study of the epochs that all runs have now, and asks the pruner about them.
    fn tell(&mut self) -> Result<Option<Stop>, StoreError> {
        let left = self.members.iter().filter(|member| !member.is_over());
        let longest = self.members.iter().map(Member::epochs).max();
        let common = left.map(Member::epochs).min().or(longest).unwrap_or(0);
        let measured = self.trial.curve.len();
        for epoch in self.told + 1..=common {
            self.told = epoch;
            let Some(value) = self.mean(epoch) else {
                continue;
            };
            let point = (epoch as u64, value);
            self.trial.curve.push(point);
            let is_new = !self.reported.contains(&point);
            if is_new && self.study.report(self.claim, point.0, value)? == Answer::Lost {
                return Ok(Some(Stop::Lost));
            }
        }
        if self.trial.curve.len() == measured {
            return Ok(None);
        }
        let stops = self.pruner.prune(self.study.history()?, &self.trial);
        Ok(stops.then_some(Stop::Pruned))
    }

    /// The mean over all runs in an epoch; none if it was not measured.
    fn mean(&self, epoch: usize) -> Option<f64> {
        let values = self.members.iter().map(|member| member.value(epoch));
        let sum: f64 = values.sum::<Option<_>>()?;
        Some(sum / self.members.len() as f64)
    }
}

/// Tells the observer of a search what happens in the runs of a trial.
struct Relay<'a> {
    number: u64,
    runs: usize,
    observer: &'a mut dyn TuneObserver,
}

impl Relay<'_> {
    /// For one run.
    fn of(&mut self, run: usize) -> impl Observer {
        struct OfRun<'a>(&'a mut dyn TuneObserver, u64, [usize; 2]);

        impl Observer for OfRun<'_> {
            fn observe(&mut self, event: &Event) {
                let Self(observer, number, [run, runs]) = self;
                observer.observe(&TuneEvent::Run {
                    number: *number,
                    run: *run,
                    runs: *runs,
                    event,
                });
            }
        }
        OfRun(self.observer, self.number, [run, self.runs])
    }
}
