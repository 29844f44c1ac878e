//! A study: opened, read, and worked on.

use serde::de::DeserializeOwned;

use super::address::Address;
use super::database::Database;
use super::read::{self, Entry};
use super::write::{self, Answer, Claim, Ending};
use super::{KeepAlive, check, schema};
use crate::{Definition, History, Point, State, StoreError, StoreOptions, Trial};

/// A study in a database, as one worker sees it.
///
/// Any number of workers, in any number of processes and on any number of machines, can have one open. Each of its
/// operations waits while the database is gone or busy, see [`StoreOptions::patience`].
///
/// The URL is `sqlite:PATH` (or a path that ends in .db), for workers on one machine: SQLite's locks are not to be trusted
/// on network folders. Or it is `postgres://USER:PASSWORD@HOST/DATABASE`, for workers anywhere; the connection is not
/// encrypted, so let it go through a private network or a tunnel. On a Unix socket: `postgres:///DATABASE?host=/FOLDER`.
///
/// The calls block; in asynchronous code they belong on a thread of their own.
///
/// # Examples
/// ```
/// use rekindle_tune::{Definition, Direction, Domain, Ending, Next, Parameter, Space, StoreOptions, Study};
///
/// # let folder = tempfile::tempdir()?;
/// # let url = folder.path().join("studies.db").display().to_string();
/// let domain = Domain::Float { low: 0.0, high: 1.0, log: false, step: None };
/// let space = Space::new(vec![Parameter { name: "x".into(), domain, when: vec![] }])?;
/// let settings = serde_json::json!({ "seed": 1 });
/// let definition = Definition { direction: Direction::Minimize, space, settings };
/// let mut study = Study::open(&url, "first", &definition, StoreOptions::default())?;
///
/// let at = |number: u64| definition.space.point(|parameter| parameter.domain.at(number as f64 / 2.0));
/// while let Next::Trial(claim) = study.next("me", Some(3), &mut |_, number| Some(at(number)))? {
///     let alive = study.keep_alive(&claim)?;
///     let x = claim.trial.point.get("x").and_then(|x| x.as_f64()).unwrap_or_default();
///     study.report(&claim, 1, x)?;
///     study.finish(&claim, &Ending::Complete(x))?;
/// }
/// assert_eq!(study.history()?.best().map(|(trial, value)| (trial.number, value)), Some((0, 0.0)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Study {
    pub(super) database: Database,
    name: String,
    definition: Definition,
    /// As it was read last. Trials that have ended do not change, so the first of them are not read again.
    history: History,
}

/// What a worker is to do next.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// Carry out this trial.
    Trial(Claim),
    /// Nothing now; ask again later. Others run the last trials, and one of them may have to be taken over.
    Wait,
    /// Nothing any more: all trials have ended.
    Done,
}

impl Study {
    /// A URL as it may be shown: without a password.
    pub fn shown(url: &str) -> String {
        Address::parse(url).map_or_else(|_| super::address::hidden(url), |address| address.shown)
    }

    /// Creates a study, or joins the one of this name.
    ///
    /// # Panics
    /// If the beat of the options is 0, or not less than their grace.
    /// # Errors
    /// If the study that is there has another definition, the tables have another version, or the database cannot be
    /// used.
    pub fn open(
        url: &str,
        name: &str,
        definition: &Definition,
        options: StoreOptions,
    ) -> Result<Self, StoreError> {
        let mut database = Database::new(Address::parse(url)?, options)?;
        schema::create(&mut database)?;
        let direction = text(&definition.direction);
        let (space, settings) = (text(&definition.space), text(&definition.settings));
        database.run(async |connection| {
            sqlx::query(
                "INSERT INTO rekindle_studies (name, direction, space, settings, created)
                 SELECT $1, $2, $3, $4, now FROM rekindle_clock WHERE TRUE
                 ON CONFLICT (name) DO NOTHING",
            )
            .bind(name)
            .bind(&direction)
            .bind(&space)
            .bind(&settings)
            .execute(connection)
            .await
        })?;
        let study = Self::join(database, name)?;
        match study.definition.difference(definition) {
            None => Ok(study),
            Some(difference) => Err(StoreError::Differs {
                url: study.database.address.shown.clone(),
                name: name.to_owned(),
                place: difference.place,
                found: difference.found,
                expected: difference.expected,
            }),
        }
    }

    /// Joins a study with the definition that it has.
    ///
    /// # Panics
    /// If the beat of the options is 0, or not less than their grace.
    /// # Errors
    /// If there is no such study, the tables have another version, or the database cannot be used.
    pub fn load(url: &str, name: &str, options: StoreOptions) -> Result<Self, StoreError> {
        let mut database = existing(url, options)?;
        if schema::exists(&mut database)? {
            return Self::join(database, name);
        }
        Err(StoreError::NoStudy {
            url: database.address.shown.clone(),
            name: name.to_owned(),
            known: Vec::new(),
        })
    }

    /// The names of all studies in a database, in their order.
    ///
    /// # Panics
    /// If the beat of the options is 0, or not less than their grace.
    /// # Errors
    /// If the tables have another version, or the database cannot be used.
    pub fn names(url: &str, options: StoreOptions) -> Result<Vec<String>, StoreError> {
        let mut database = existing(url, options)?;
        match schema::exists(&mut database)? {
            true => read::names(&mut database),
            false => Ok(Vec::new()),
        }
    }

    fn join(mut database: Database, name: &str) -> Result<Self, StoreError> {
        let Some([direction, space, settings]) = read::definition(&mut database, name)? else {
            return Err(StoreError::NoStudy {
                url: database.address.shown.clone(),
                name: name.to_owned(),
                known: read::names(&mut database)?,
            });
        };
        let row = |what: String| StoreError::Row {
            url: database.address.shown.clone(),
            study: name.to_owned(),
            what,
        };
        let definition = Definition {
            direction: parsed("direction", &direction).map_err(row)?,
            space: parsed("space", &space).map_err(row)?,
            settings: parsed("settings", &settings).map_err(row)?,
        };
        Ok(Self {
            database,
            name: name.to_owned(),
            history: History::new(definition.direction),
            definition,
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The database, without a password.
    pub fn url(&self) -> &str {
        &self.database.address.shown
    }

    /// What it searches.
    pub fn definition(&self) -> &Definition {
        &self.definition
    }

    /// All trials so far.
    ///
    /// # Errors
    /// If the database cannot be used, or a row was changed by another program.
    pub fn history(&mut self) -> Result<&History, StoreError> {
        let ended = |trial: &&Trial| trial.state != State::Running;
        let known = self.history.trials.iter().take_while(ended).count();
        let from = after(&self.history.trials[..known]);
        let entries = read::entries(&mut self.database, &self.name, from)?;
        self.history.trials.truncate(known);
        let trials = entries.into_iter().map(|entry| entry.trial);
        self.history.trials.extend(trials);
        Ok(&self.history)
    }

    /// All trials so far, with what the database knows about who ran them and when.
    ///
    /// # Errors
    /// If the database cannot be used, or a row was changed by another program.
    pub fn trials(&mut self) -> Result<Vec<Entry>, StoreError> {
        read::entries(&mut self.database, &self.name, 0)
    }

    /// Finds something to do for a worker: a trial whose worker has given no sign of life for the grace period is taken
    /// over, else a new one begins at the point that `propose` gives for the history and the new trial's number, unless
    /// the new number is `limit` or there is no such point.
    ///
    /// `propose` may be asked several times, if other workers are faster. `worker` is for people who read the table; it need
    /// not be unique. Until the trial has ended, [keep it alive](Self::keep_alive).
    ///
    /// # Errors
    /// If the database cannot be used, or a row was changed by another program.
    pub fn next(
        &mut self,
        worker: &str,
        limit: Option<u64>,
        propose: &mut dyn FnMut(&History, u64) -> Option<Point>,
    ) -> Result<Next, StoreError> {
        loop {
            if let Some(claim) = write::take_over(&mut self.database, &self.name, worker)? {
                return Ok(Next::Trial(claim));
            }
            let history = self.history()?;
            let number = after(&history.trials);
            let point = match limit.is_none_or(|limit| number < limit) {
                true => propose(history, number),
                false => None,
            };
            let Some(point) = point else {
                let running = |trial: &Trial| trial.state == State::Running;
                return Ok(match history.trials.iter().any(running) {
                    true => Next::Wait,
                    false => Next::Done,
                });
            };
            let claim = write::begin(&mut self.database, &self.name, worker, number, point)?;
            if let Some(claim) = claim {
                return Ok(Next::Trial(claim));
            }
        }
    }

    /// Writes what was measured at a step; a value that is there for this step is replaced, and those of later steps go: an
    /// attempt before had come further. It is a sign of life too.
    ///
    /// # Panics
    /// If `step` is above 2⁶³ - 1.
    /// # Errors
    /// If the database cannot be used.
    pub fn report(&mut self, claim: &Claim, step: u64, value: f64) -> Result<Answer, StoreError> {
        write::report(&mut self.database, &self.name, claim, step, value)
    }

    /// Ends a trial. Repeating it does no harm.
    ///
    /// # Errors
    /// If the database cannot be used.
    pub fn finish(&mut self, claim: &Claim, ending: &Ending) -> Result<Answer, StoreError> {
        write::finish(&mut self.database, &self.name, claim, ending)
    }

    /// Gives a trial back unfinished, so that the next worker takes it over at once and not after the grace period. For this
    /// one it is lost.
    ///
    /// # Errors
    /// If the database cannot be used.
    pub fn give_back(&mut self, claim: &Claim) -> Result<Answer, StoreError> {
        write::give_back(&mut self.database, &self.name, claim)
    }

    /// Gives signs of life of a trial from a thread of its own, over its own connection, until the answer is dropped.
    ///
    /// # Errors
    /// If there is no room for a thread.
    pub fn keep_alive(&self, claim: &Claim) -> Result<KeepAlive, StoreError> {
        KeepAlive::new(&self.database, &self.name, claim)
    }

    /// What is wrong in the database, one sentence each; nothing if all is well: SQLite's own check of its file, and for both
    /// databases whether the rows of this study agree with each other.
    ///
    /// # Errors
    /// If the database cannot be used, or a row was changed by another program.
    pub fn check(&mut self) -> Result<Vec<String>, StoreError> {
        let mut findings = check::integrity(&mut self.database)?;
        let entries = self.trials()?;
        findings.extend(check::rows(&entries, &self.definition.space));
        Ok(findings)
    }
}

/// The number after these trials.
fn after(trials: &[Trial]) -> u64 {
    trials.last().map_or(0, |trial| trial.number + 1)
}

/// A database that is there.
fn existing(url: &str, options: StoreOptions) -> Result<Database, StoreError> {
    let address = Address::parse(url)?;
    match &address.file {
        Some(file) if !file.exists() => Err(StoreError::NoDatabase { url: address.shown }),
        _ => Database::new(address, options),
    }
}

fn text(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("a definition is numbers, text and lists")
}

fn parsed<T: DeserializeOwned>(column: &str, text: &str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| format!("its {column} is `{text}` ({error})"))
}
