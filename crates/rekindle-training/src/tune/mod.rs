//! A search over what a recipe leaves open, by any number of workers that share a database.
//!
//! A [`SearchRecipe`] says what is open, a [`Study`] holds the trials, a [`Search`] is one worker: it takes a trial, trains
//! it in a run folder of its own, reports each epoch, and lets the pruner stop it. Workers know of each other through the
//! study alone.

mod error;
mod page;
mod trial;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rekindle_optim::Mode;
use rekindle_tune::{
    Answer, Claim, Definition, Direction, Ending, Next, Point, Sampler, State, StoreError,
    StoreOptions, Study, Trial,
};

use crate::recipe::{Keep, Watch};
use crate::{Backend, Event, FileError, Recipe, SearchRecipe, TuneRecipe, files};

pub use error::TuneError;

/// How long a worker waits for others before it looks again.
const PAUSE: Duration = Duration::from_millis(500);

impl SearchRecipe {
    /// What a study of this search holds: the better direction of the watched metric, the space, and all that the recipe
    /// says.
    pub fn definition(&self) -> Definition {
        Definition {
            direction: match self.watch().mode() {
                Mode::Min => Direction::Minimize,
                Mode::Max => Direction::Maximize,
            },
            space: self.space().clone(),
            settings: self.settings(),
        }
    }

    /// Begins a study of this search, or joins the one that was begun. Where data lie may be another place then: a trial
    /// says so if they are other data.
    ///
    /// # Errors
    /// If the study that is there is one of another search, or the database cannot be used.
    pub fn study(&self, url: &str, name: &str, options: StoreOptions) -> Result<Study, TuneError> {
        let mut definition = self.definition();
        match Study::load(url, name, options.clone()) {
            Ok(study) => {
                let there = &study.definition().settings["data"];
                for file in ["train", "valid", "test"] {
                    if let (Some(mine), Some(there)) =
                        (definition.settings["data"].get_mut(file), there.get(file))
                    {
                        mine.clone_from(there);
                    }
                }
            }
            Err(StoreError::NoStudy { .. } | StoreError::NoDatabase { .. }) => (),
            Err(error) => return Err(error.into()),
        }
        Ok(Study::open(url, name, &definition, options)?)
    }

    /// The search that a study holds; `overrides` are for where the data lie on this machine.
    ///
    /// # Errors
    /// If the study was not begun by [`study`](Self::study).
    pub fn of_study(study: &Study, overrides: &[String]) -> Result<Self, TuneError> {
        let source = PathBuf::from(format!("the recipe of study {}", study.name()));
        let settings = &study.definition().settings;
        Ok(Self::from_settings(settings, &source, overrides)?)
    }
}

/// What bounds a search. Nothing bounds what is `None`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Budget {
    /// Trials of the study, whoever makes them.
    pub trials: Option<u64>,
    /// Epochs of all trials of the study; none begins beyond.
    pub epochs: Option<u64>,
    /// How long this worker begins trials.
    pub time: Option<Duration>,
}

impl From<&TuneRecipe> for Budget {
    fn from(tune: &TuneRecipe) -> Self {
        Self {
            trials: tune.limit(),
            epochs: tune.epochs,
            time: tune
                .minutes
                .map(|minutes| Duration::from_secs_f64(60.0 * minutes)),
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
    /// Something happened in its run.
    Run {
        /// Its number.
        number: u64,
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
}

/// Tells nobody.
impl TuneObserver for () {
    fn observe(&mut self, _event: &TuneEvent) {}
}

/// The last run of a search.
#[derive(Clone, Debug, PartialEq)]
pub struct Refit {
    /// What is trained.
    pub recipe: Recipe,
    /// Where.
    pub folder: PathBuf,
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
    pub backend: Backend,
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
        let started = Instant::now();
        let tune = self.recipe.tune();
        let sampler = tune.sampler.sampler(tune.seed, self.recipe.space())?;
        let worker = format!("{}:{}", hostname(), std::process::id());
        loop {
            let Budget { epochs, time, .. } = self.budget;
            if time.is_some_and(|time| started.elapsed() >= time) {
                return Ok(Done::Time);
            }
            if let Some(epochs) = epochs
                && self.epochs()? >= epochs
            {
                return Ok(Done::Epochs);
            }
            match self.next(&worker, &*sampler)? {
                Next::Trial(claim) => self.run(&claim, observer)?,
                Next::Wait => {
                    observer.observe(&TuneEvent::Waiting);
                    std::thread::sleep(PAUSE);
                }
                Next::Done => return Ok(Done::Trials),
            }
        }
    }

    /// Epochs of all trials so far.
    fn epochs(&mut self) -> Result<u64, TuneError> {
        let trials = self.study.history()?.trials.iter();
        Ok(trials.map(|trial| trial.curve.len() as u64).sum())
    }

    fn next(&mut self, worker: &str, sampler: &dyn Sampler) -> Result<Next, TuneError> {
        let space = self.recipe.space();
        let mut propose = |history: &_, number| sampler.propose(space, history, number);
        let next = self.study.next(worker, self.budget.trials, &mut propose);
        Ok(next?)
    }

    /// Runs a trial and ends it.
    fn run(&mut self, claim: &Claim, observer: &mut dyn TuneObserver) -> Result<(), TuneError> {
        let (number, point) = (claim.trial.number, &claim.trial.point);
        observer.observe(&TuneEvent::Begin {
            number,
            point,
            attempt: claim.attempt,
        });
        let ending = match trial::ending(self, claim, observer) {
            Ok(ending) => ending,
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
            return Ok(());
        };
        let history = self.study.history()?;
        let best = history.best().map(|(trial, value)| (trial.number, value));
        let running = |trial: &&Trial| trial.state == State::Running;
        let running = history.trials.iter().filter(running).count();
        let ended = (history.trials.len() - running) as u64;
        if best.is_some_and(|(best, _)| best == number) {
            self.export(point)?;
        }
        observer.observe(&TuneEvent::End {
            number,
            ending: &ending,
            best,
            ended,
        });
        Ok(())
    }

    /// The run folder of a trial.
    pub fn trial_folder(&self, number: u64) -> PathBuf {
        self.folder.join(format!("trial-{number:04}"))
    }

    /// The file that holds the best recipe so far, ready to be trained.
    pub fn best_recipe(&self) -> PathBuf {
        self.folder.join("best.toml")
    }

    /// The best recipe so far, to be trained on what was validated on, too: for as many epochs as its best weights had. None
    /// if no trial is complete.
    ///
    /// # Errors
    /// If the database cannot be used, or the recipe has no such data.
    pub fn refitted(&mut self) -> Result<Option<Refit>, TuneError> {
        let Some((trial, _)) = self.study.history()?.best() else {
            return Ok(None);
        };
        let mut recipe = self.recipe.at(&trial.point)?;
        let kept = kept(&recipe, &trial.curve);
        let training = &mut recipe.training;
        training.epochs = kept.map_or(training.epochs, |(epoch, _)| epoch as usize);
        training.watch = Watch::train_loss();
        training.keep = Keep::Last;
        training.patience = None;
        recipe.data.train_on_valid = true;
        recipe.validate()?;
        let folder = self.folder.join(format!("refit-{:04}", trial.number));
        Ok(Some(Refit { recipe, folder }))
    }

    /// Writes the recipe at a point, one worker at a time.
    fn export(&self, point: &Point) -> Result<(), TuneError> {
        let path = self.best_recipe();
        let _alone = lock(&self.folder.join("best.lock"))?;
        files::write(&path, self.recipe.at(point)?.to_toml().as_bytes())?;
        Ok(())
    }
}

/// Waits until no other process on this machine holds the lock. It is given back when the file is dropped or the process
/// ends, however it ends.
fn lock(path: &Path) -> Result<File, FileError> {
    let file = File::options().create(true).append(true).open(path);
    let locked = file.and_then(|file| file.lock().map(|()| file));
    locked.map_err(FileError::write(path))
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

/// The epoch whose weights are kept, and the watched metric in it: what a trial comes to.
fn kept(recipe: &Recipe, curve: &[(u64, f64)]) -> Option<(u64, f64)> {
    match recipe.training.keep {
        Keep::Last => curve.last().copied(),
        Keep::Best => curve
            .iter()
            .fold(None, |best: Option<(u64, f64)>, &(epoch, value)| {
                let known = best.map(|(_, value)| value);
                match recipe.training.watch.is_better(value, known) {
                    true => Some((epoch, value)),
                    false => best,
                }
            }),
    }
}
