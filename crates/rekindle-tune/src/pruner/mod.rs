//! What stops trials that are not worth going on with.

mod asha;
mod config;
mod error;
mod hyperband;
mod median;

use std::cmp::Ordering;
use std::fmt;

use crate::{Direction, History, Trial};

pub use config::PrunerConfig;
pub use error::PrunerError;

/// Says which trials to stop.
///
/// A pruner is a function of the history and the trial: the same arguments give the same answer, the order of the trials
/// in the history does not matter, and of mirrored values with the mirrored [`Direction`] comes the same.
/// [`PrunerConfig`] has those that there are.
pub trait Pruner: fmt::Debug {
    /// Whether a trial that is under way is to be stopped after its last measured step.
    ///
    /// `history` holds the other trials, and may hold this one too, as it is known elsewhere. A pruner is asked after every
    /// step.
    fn prune(&self, history: &History, trial: &Trial) -> bool;
}

/// Stops nothing.
#[derive(Clone, Copy, Debug)]
struct Never;

impl Pruner for Never {
    fn prune(&self, _: &History, _: &Trial) -> bool {
        false
    }
}

/// The last measured step, and the one before it, 0 if there is none; none if the trial has not begun or has no step left
/// that could be saved.
fn under_way(trial: &Trial, max_steps: u64) -> Option<(u64, u64)> {
    let (last, _) = trial.last().filter(|(last, _)| *last < max_steps)?;
    let before = trial.curve.iter().rev().nth(1).map_or(0, |(step, _)| *step);
    Some((before, last))
}

/// The best value up to a step; not a number if there is none.
fn best(trial: &Trial, step: u64, direction: Direction) -> f64 {
    trial.best_until(step, direction).unwrap_or(f64::NAN)
}

/// How many of the values are better than this one, which may be among them.
fn count_better(values: &[f64], own: f64, direction: Direction) -> usize {
    let better = |value: &&f64| direction.compare(**value, own) == Ordering::Less;
    values.iter().filter(better).count()
}

#[cfg(test)]
mod tests;
