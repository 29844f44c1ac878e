//! The course of a trial: its runs go on epoch by epoch, side by side, and the study is told their mean.

use rekindle_tune::{Answer, Claim, Ending, KeepAlive, Pruner, StoreError, Study, Trial};

use super::member::Member;
use super::trial::{Left, failed};
use super::{TuneError, TuneEvent, TuneObserver};
use crate::recipe::Watch;
use crate::{Event, Observer};

/// A trial that is under way.
pub(super) struct Course<'a> {
    pub(super) study: &'a mut Study,
    pub(super) claim: &'a Claim,
    pub(super) alive: KeepAlive,
    pub(super) pruner: Box<dyn Pruner + Send + Sync>,
    pub(super) watch: Watch,
    pub(super) members: Vec<Member<'a>>,
    /// What earlier attempts have reported of what they have left in the run folders, which may be more than that.
    pub(super) reported: Vec<(u64, f64)>,
    /// Its curve is what counts, whatever earlier attempts reported.
    pub(super) trial: Trial,
    /// How many epochs the study was told of.
    pub(super) told: usize,
    pub(super) relay: Relay<'a>,
}

/// Why a trial is to stop.
enum Stop {
    /// The pruner says so.
    Pruned,
    /// Another worker has the trial.
    Lost,
}

impl Course<'_> {
    /// To its end, if nothing comes between.
    pub(super) fn run(mut self) -> Result<Left, TuneError> {
        let number = self.trial.number;
        loop {
            let stop = match self.alive.is_lost() {
                true => Some(Stop::Lost),
                false => self.tell()?,
            };
            let Some((run, member)) = next(&mut self.members) else {
                break;
            };
            match stop {
                Some(Stop::Pruned) => return Ok(Left::Ended(Ending::Pruned)),
                Some(Stop::Lost) => return Ok(Left::Lost),
                None if self.relay.observer.stops() => return Ok(Left::Stopped),
                None => (),
            }
            if let Err(error) = member.epoch(self.relay.of(run)) {
                return failed(number, error);
            }
        }
        for (run, member) in self.members.iter_mut().enumerate() {
            if let Err(error) = member.finish(self.relay.of(run)) {
                return failed(number, error);
            }
        }
        Ok(Left::Ended(self.complete()))
    }

    /// Tells the study of the epochs that all runs have now, and asks the pruner about them.
    fn tell(&mut self) -> Result<Option<Stop>, StoreError> {
        let measured = self.trial.curve.len();
        for epoch in self.told + 1..=common(&self.members) {
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

    /// A trial comes to the mean over its runs of the watched metric in the epoch whose weights are kept.
    fn complete(&self) -> Ending {
        let mut sum = 0.0;
        for member in &self.members {
            let kept = member.kept();
            let Some(value) = member.value(kept) else {
                let watch = self.watch;
                return Ending::Failed(format!(
                    "{watch} was not measured in epoch {kept}, whose weights are kept, expected a number"
                ));
            };
            sum += value;
        }
        Ending::Complete(sum / self.members.len() as f64)
    }
}

/// The run that goes on next: of those that are not over, the one that is behind.
fn next<'m, 'a>(members: &'m mut [Member<'a>]) -> Option<(usize, &'m mut Member<'a>)> {
    let members = members.iter_mut().enumerate();
    let left = members.filter(|(_, member)| !member.is_over());
    left.min_by_key(|(_, member)| member.epochs())
}

/// How many epochs all runs have: those that are over count with their last one as long as others go on.
pub(super) fn common(members: &[Member]) -> usize {
    let left = members.iter().filter(|member| !member.is_over());
    let longest = members.iter().map(Member::epochs).max();
    left.map(Member::epochs).min().or(longest).unwrap_or(0)
}

/// Tells the observer of a search what happens in a run of a trial.
pub(super) struct Relay<'a> {
    number: u64,
    run: usize,
    runs: usize,
    observer: &'a mut dyn TuneObserver,
}

impl<'a> Relay<'a> {
    /// For a trial of so many runs.
    pub(super) fn new(number: u64, runs: usize, observer: &'a mut dyn TuneObserver) -> Self {
        Self {
            number,
            run: 0,
            runs,
            observer,
        }
    }

    /// For one of them from now on.
    pub(super) fn of(&mut self, run: usize) -> &mut Self {
        self.run = run;
        self
    }
}

impl Observer for Relay<'_> {
    fn observe(&mut self, event: &Event) {
        self.observer.observe(&TuneEvent::Run {
            number: self.number,
            run: self.run,
            runs: self.runs,
            event,
        });
    }
}
