//! What was tried, and what came of it.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::Point;

/// Which values are better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Small ones.
    Minimize,
    /// Great ones.
    Maximize,
}

impl Direction {
    /// Orders two values, the better one first. What is not a number comes last.
    pub fn compare(self, a: f64, b: f64) -> Ordering {
        match (a.is_nan(), b.is_nan(), self) {
            (true, _, _) | (_, true, _) => a.is_nan().cmp(&b.is_nan()),
            (_, _, Self::Minimize) => a.total_cmp(&b),
            (_, _, Self::Maximize) => b.total_cmp(&a),
        }
    }

    /// A value as one of which less is better.
    pub fn loss(self, value: f64) -> f64 {
        match self {
            Self::Minimize => value,
            Self::Maximize => -value,
        }
    }
}

/// How far a trial has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is under way, or waits for a worker to go on with it.
    Running,
    /// It went to its end.
    Complete,
    /// A pruner stopped it.
    Pruned,
    /// It ended in an error, or its value is not a number.
    Failed,
}

/// One point and what was measured there.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// Counted from 0 in the order in which the points were proposed.
    pub number: u64,
    /// Where.
    pub point: Point,
    /// How far it has come.
    pub state: State,
    /// What was measured on the way: step (an epoch, say, from 1) and value, in the order of the steps.
    pub curve: Vec<(u64, f64)>,
    /// What came of it: the value that is to be as small or as great as it can be. Only complete trials have one.
    pub value: Option<f64>,
}

impl Trial {
    /// The best value up to a step, this one included; none if there is none.
    pub fn best_until(&self, step: u64, direction: Direction) -> Option<f64> {
        let until = self.curve.iter().filter(|(at, _)| *at <= step);
        let values = until
            .map(|(_, value)| *value)
            .filter(|value| !value.is_nan());
        values.min_by(|a, b| direction.compare(*a, *b))
    }

    /// The last step that was measured, and its value.
    pub fn last(&self) -> Option<(u64, f64)> {
        self.curve.last().copied()
    }
}

/// All trials so far.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    /// Which values are better.
    pub direction: Direction,
    /// In the order of their numbers.
    pub trials: Vec<Trial>,
}

impl History {
    /// Nothing yet.
    pub fn new(direction: Direction) -> Self {
        Self {
            direction,
            trials: Vec::new(),
        }
    }

    /// The trials that went to their end, with their values.
    pub fn complete(&self) -> impl Iterator<Item = (&Trial, f64)> {
        let complete = |trial: &&Trial| trial.state == State::Complete;
        let trials = self.trials.iter().filter(complete);
        trials.filter_map(|trial| {
            let value = trial.value.filter(|value| !value.is_nan())?;
            Some((trial, value))
        })
    }

    /// How many trials have come just so far.
    pub fn count(&self, state: State) -> usize {
        let trials = self.trials.iter();
        trials.filter(|trial| trial.state == state).count()
    }

    /// How many steps were measured in all trials together.
    pub fn steps(&self) -> usize {
        self.trials.iter().map(|trial| trial.curve.len()).sum()
    }

    /// The complete trial with the best value, the first one of equals.
    pub fn best(&self) -> Option<(&Trial, f64)> {
        self.complete()
            .min_by(|(_, a), (_, b)| self.direction.compare(*a, *b))
    }
}
