//! Signs of life.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use super::database::Database;
use super::write::{self, Answer, Claim};
use crate::StoreError;

/// Gives signs of life of a trial until it is dropped.
#[derive(Debug)]
#[must_use = "it gives signs of life until it is dropped"]
pub struct KeepAlive {
    lost: Arc<AtomicBool>,
    /// The thread ends when this goes.
    _running: Sender<()>,
}

impl KeepAlive {
    pub(super) fn new(database: &Database, study: &str, claim: &Claim) -> Result<Self, StoreError> {
        let mut options = database.options.clone();
        // The next beat is the next attempt, and one voice is enough to tell of an outage.
        options.patience = Duration::ZERO;
        options.told = None;
        let (beat, grace) = (options.beat, options.grace);
        let mut database = Database::new(database.address.clone(), options)?;
        // A connection that has died in silence costs a third of the grace, and the trial is not lost yet.
        database.answer = grace / 3;
        let lost = Arc::new(AtomicBool::new(false));
        let (running, stopped) = mpsc::channel();
        let (study, said) = (study.to_owned(), Arc::clone(&lost));
        let (number, attempt) = (claim.trial.number, claim.attempt);
        let thread = move || {
            while stopped.recv_timeout(beat) == Err(RecvTimeoutError::Timeout) {
                // What goes wrong here goes wrong for the worker too, which says so when it writes.
                if let Ok(Answer::Lost) = write::keep(&mut database, &study, number, attempt) {
                    said.store(true, Ordering::Relaxed);
                    return;
                }
            }
        };
        let name = "signs of life".to_owned();
        let thread = thread::Builder::new().name(name).spawn(thread);
        thread.map_err(StoreError::Thread)?;
        Ok(Self {
            lost,
            _running: running,
        })
    }

    /// Whether another worker has taken the trial over; this one stops it then. False while the database does not answer.
    ///
    /// After the trial has ended it is true as well.
    pub fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }
}
