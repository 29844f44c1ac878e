//! One trial: a run that reports its epochs and may be stopped.

use rekindle_tune::{Answer, Claim, Ending, KeepAlive, Pruner, State, StoreError, Study, Trial};

use super::{Search, TuneError, TuneEvent, TuneObserver, kept, lock};
use crate::recipe::Watch;
use crate::{Event, Observer, Recipe, Start, TrainError, train};

/// Runs a trial to its end; none if another worker has taken it over.
pub(super) fn ending(
    search: &mut Search,
    claim: &Claim,
    observer: &mut dyn TuneObserver,
) -> Result<Option<Ending>, TuneError> {
    let number = claim.trial.number;
    let recipe = match search.recipe.at(&claim.trial.point) {
        Ok(recipe) => recipe,
        Err(error) => return Ok(Some(Ending::Failed(error.to_string()))),
    };
    let folder = search.trial_folder(number);
    let _alone = lock(&folder.with_extension("lock"))?;
    let pruner = search
        .recipe
        .tune()
        .pruner
        .pruner(recipe.training.epochs as u64);
    let mut reporter = Reporter {
        alive: search.study.keep_alive(claim)?,
        study: &mut search.study,
        claim,
        pruner,
        watch: recipe.training.watch,
        trial: claim.trial.clone(),
        stop: None,
        observer,
    };
    let ended = train(
        &recipe,
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
        (Ok(_), _) => Ok(Some(complete(&recipe, &trial))),
        (Err(error), _) if is_of_the_trial(&error) => Ok(Some(Ending::Failed(error.to_string()))),
        (Err(error), _) => Err(TuneError::Trial {
            number,
            source: Box::new(error),
        }),
    }
}

fn complete(recipe: &Recipe, trial: &Trial) -> Ending {
    match kept(recipe, &trial.curve) {
        Some((_, value)) => Ending::Complete(value),
        None => Ending::Failed(format!(
            "{} was not measured in any epoch, expected a number; is there a validation set?",
            recipe.training.watch
        )),
    }
}

/// Whether an error comes from the values of a trial, so that other trials may do better.
fn is_of_the_trial(error: &TrainError) -> bool {
    !matches!(
        error,
        TrainError::Data(_)
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

/// Reports the epochs of a run to the study, and asks the pruner about each.
struct Reporter<'a> {
    study: &'a mut Study,
    claim: &'a Claim,
    alive: KeepAlive,
    pruner: Box<dyn Pruner>,
    watch: Watch,
    trial: Trial,
    stop: Option<Stop>,
    observer: &'a mut dyn TuneObserver,
}

impl Reporter<'_> {
    /// Reports the last epoch; whether, and why, the run is to stop.
    fn report(&mut self, epoch: u64, value: f64) -> Result<Option<Stop>, StoreError> {
        if self.study.report(self.claim, epoch, value)? == Answer::Lost {
            return Ok(Some(Stop::Lost));
        }
        let prune = self.pruner.prune(self.study.history()?, &self.trial);
        Ok(prune.then_some(Stop::Pruned))
    }
}

impl Observer for Reporter<'_> {
    fn observe(&mut self, event: &Event) {
        self.observer.observe(&TuneEvent::Run {
            number: self.trial.number,
            event,
        });
        match event {
            // What an earlier attempt did beyond its last checkpoint is done again.
            Event::Start { first_epoch, .. } => {
                let first = *first_epoch as u64;
                self.trial.curve.retain(|(epoch, _)| *epoch < first);
            }
            Event::Epoch { row, .. } => {
                let Some(value) = self.watch.value(row) else {
                    return;
                };
                let epoch = row.epoch as u64;
                self.trial.curve.push((epoch, value));
                self.trial.state = State::Running;
                self.stop = match self.report(epoch, value) {
                    Ok(stop) => stop,
                    Err(error) => Some(Stop::Store(error)),
                };
            }
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
