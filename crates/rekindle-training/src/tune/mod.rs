//! A search over what a recipe leaves open, by any number of workers that share a database.
//!
//! A [`SearchRecipe`] says what is open, a [`Study`] holds the trials, a [`Search`] is one worker: it takes a trial, trains
//! it in a run folder of its own, reports each epoch, and lets the pruner stop it. Workers know of each other through the
//! study alone.

mod course;
mod error;
mod folder;
mod member;
mod page;
mod study;
mod trial;

use std::path::Path;
use std::time::{Duration, Instant};

use rekindle_tune::{Answer, Claim, Ending, Next, Point, Sampler, State, Study};

use crate::{Devices, Event, SearchRecipe, TuneRecipe};

pub use error::TuneError;
pub use folder::{Refit, study_in};
pub use page::study_page;
use trial::Left;

/// How long a worker waits for others before it looks again.
const PAUSE: Duration = Duration::from_millis(500);

/// What bounds a search. Nothing bounds what is `None`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Budget {
    /// Trials of the study, whoever makes them.
    pub trials: Option<u64>,
    /// Epochs of all runs of all trials of the study; no trial begins beyond.
    pub epochs: Option<u64>,
    /// How long this worker begins trials.
    pub time: Option<Duration>,
}

impl From<&TuneRecipe> for Budget {
    fn from(tune: &TuneRecipe) -> Self {
        Self {
            trials: tune.limit(),
            epochs: tune.epochs,
            time: tune.time(),
        }
    }
}

/// Why a worker is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// All trials have ended, and there are as many as there are to be, or nothing is left to try.
    Trials,
    /// The epochs are used up.
    Epochs,
    /// The time is used up.
    Time,
    /// The observer asked for it.
    Stopped,
}

/// Something that happened in a search.
#[derive(Debug)]
#[non_exhaustive]
pub enum TuneEvent<'a> {
    /// A trial begins or goes on.
    Begin {
        /// Its number.
        number: u64,
        /// Its values.
        point: &'a Point,
        /// How many workers have had it, this one too.
        attempt: u64,
    },
    /// Something happened in one of its runs. Of a run that was finished before nothing is told.
    Run {
        /// The trial's number.
        number: u64,
        /// Which of its runs, counted from 0.
        run: usize,
        /// How many runs it has.
        runs: usize,
        /// What happened.
        event: &'a Event<'a>,
    },
    /// A trial ended.
    End {
        /// Its number.
        number: u64,
        /// How.
        ending: &'a Ending,
        /// The number and the value of the best trial of the study so far.
        best: Option<(u64, f64)>,
        /// How many trials of the study have ended.
        ended: u64,
    },
    /// A trial was taken over by another worker, because this one gave no sign of life for too long.
    Lost {
        /// Its number.
        number: u64,
    },
    /// No trial is left to begin, but others are under way that may have to be taken over.
    Waiting,
}

/// Who is told of a search.
pub trait TuneObserver {
    /// Takes note of an event.
    fn observe(&mut self, event: &TuneEvent);

    /// Whether the worker is to stop before its budget is used up; asked after each epoch of its trial, and between trials.
    /// Default: never.
    ///
    /// The trial is then given back, and whoever asks for one next goes on with it.
    fn stops(&mut self) -> bool {
        false
    }
}

/// Tells nobody.
impl TuneObserver for () {
    fn observe(&mut self, _event: &TuneEvent) {}
}

/// One worker of a search.
#[derive(Debug)]
pub struct Search<'a> {
    /// What is searched.
    pub recipe: &'a SearchRecipe,
    /// The trials.
    pub study: Study,
    /// Where the run folders of the trials are, and the best recipe so far.
    pub folder: &'a Path,
    /// What trials are trained on.
    pub devices: Devices,
    /// What bounds the search.
    pub budget: Budget,
}

impl Search<'_> {
    /// Works until the budget is used up or all trials have ended.
    ///
    /// A trial whose values do not go together, or whose training ends in numbers that are not finite, has failed, and the
    /// search goes on. The run folders of trials that were stopped stay, with their checkpoints.
    ///
    /// # Errors
    /// If the database, the data, the backend or the disk fails; the trial under way is given back, for another worker, or
    /// for this one the next time.
    pub fn work(&mut self, observer: &mut dyn TuneObserver) -> Result<Done, TuneError> {
        self.prepare()?;
        let done = self.trials(observer)?;
        self.export()?;
        Ok(done)
    }

    fn trials(&mut self, observer: &mut dyn TuneObserver) -> Result<Done, TuneError> {
        let started = Instant::now();
        let tune = self.recipe.tune();
        let sampler = tune.sampler.sampler(tune.seed, self.recipe.space())?;
        let worker = format!("{}:{}", hostname(), std::process::id());
        loop {
            let Budget {
                trials,
                epochs,
                time,
            } = self.budget;
            if observer.stops() {
                return Ok(Done::Stopped);
            }
            if time.is_some_and(|time| started.elapsed() >= time) {
                return Ok(Done::Time);
            }
            let used_up = match epochs {
                Some(epochs) => self.recipe.tune().epochs_of(self.study.history()?) >= epochs,
                None => false,
            };
            // What was begun comes to its end.
            let limit = if used_up { Some(0) } else { trials };
            match self.next(&worker, limit, &*sampler)? {
                Next::Trial(claim) => {
                    if let Some(done) = self.run(&claim, observer)? {
                        return Ok(done);
                    }
                }
                Next::Wait => {
                    observer.observe(&TuneEvent::Waiting);
                    std::thread::sleep(PAUSE);
                }
                Next::Done if used_up => return Ok(Done::Epochs),
                Next::Done => return Ok(Done::Trials),
            }
        }
    }

    fn next(
        &mut self,
        worker: &str,
        limit: Option<u64>,
        sampler: &dyn Sampler,
    ) -> Result<Next, TuneError> {
        let space = self.recipe.space();
        let mut propose = |history: &_, number| sampler.propose(space, history, number);
        let next = self.study.next(worker, limit, &mut propose);
        Ok(next?)
    }

    /// Runs a trial and ends it, or gives it back if the worker is to stop.
    fn run(
        &mut self,
        claim: &Claim,
        observer: &mut dyn TuneObserver,
    ) -> Result<Option<Done>, TuneError> {
        let (number, point) = (claim.trial.number, &claim.trial.point);
        observer.observe(&TuneEvent::Begin {
            number,
            point,
            attempt: claim.attempt,
        });
        let ending = match trial::worked(self, claim, observer) {
            Ok(Left::Ended(ending)) => Some(ending),
            Ok(Left::Lost) => None,
            Ok(Left::Stopped) => {
                let _ = self.study.give_back(claim)?;
                return Ok(Some(Done::Stopped));
            }
            Err(error) => {
                // What counts is why; if the database is gone, others take the trial over after a while.
                let _ = self.study.give_back(claim);
                return Err(error);
            }
        };
        let held = match &ending {
            Some(ending) => self.study.finish(claim, ending)? == Answer::Written,
            None => false,
        };
        let Some(ending) = ending.filter(|_| held) else {
            observer.observe(&TuneEvent::Lost { number });
            return Ok(None);
        };
        let history = self.study.history()?;
        let best = history.best().map(|(trial, value)| (trial.number, value));
        let ended = (history.trials.len() - history.count(State::Running)) as u64;
        if best.is_some_and(|(best, _)| best == number) {
            self.export()?;
        }
        observer.observe(&TuneEvent::End {
            number,
            ending: &ending,
            best,
            ended,
        });
        Ok(None)
    }
}

/// What this machine is called, for people who read the table of trials.
fn hostname() -> String {
    let name = std::fs::read_to_string("/etc/hostname");
    let name = name.ok().or_else(|| std::env::var("COMPUTERNAME").ok());
    let name = name.unwrap_or_default();
    match name.trim() {
        "" => "worker".to_string(),
        name => name.to_string(),
    }
}
