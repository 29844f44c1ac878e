//! Sides that take turns.

use std::time::Instant;

use crate::statistics::{least, median};

/// One call of a side. What it leaves is dropped within its time.
pub type Call = Box<dyn FnMut()>;

/// Seconds of a turn, as far as whole calls fit.
const TURN: f64 = 0.1;

/// Seconds per call of the dense, the masked and the shrunk network.
pub struct Turns {
    /// The median of each turn, one for each round.
    medians: [Vec<f64>; 3],
    /// The least of all calls.
    least: [f64; 3],
}

impl Turns {
    /// The medians of all rounds, in milliseconds.
    pub fn milliseconds(&self) -> [f64; 3] {
        self.medians.each_ref().map(|seconds| 1e3 * median(seconds))
    }

    /// The time of the masked network by that of the shrunk one: the median of the ratios of all rounds.
    pub fn ratio(&self) -> f64 {
        let [_, masked, shrunk] = &self.medians;
        let ratios: Vec<f64> = masked.iter().zip(shrunk).map(|(a, b)| a / b).collect();
        median(&ratios)
    }

    /// The ratio of the least times. It stays what it is when other programs interrupt most calls, and interrupt the
    /// longer ones more often.
    pub fn ratio_of_least(&self) -> f64 {
        let [_, masked, shrunk] = self.least;
        masked / shrunk
    }
}

/// Takes so many rounds. In each, all sides have a turn of about the same length, and another one begins than in the
/// round before.
pub fn take(mut calls: [Call; 3], rounds: usize) -> Turns {
    let counts = calls.each_mut().map(|call| {
        let estimate = least(&seconds(call, 2));
        (TURN / estimate).ceil() as usize
    });
    let mut turns = Turns {
        medians: [const { Vec::new() }; 3],
        least: [f64::INFINITY; 3],
    };
    for round in 0..rounds {
        for side in 0..calls.len() {
            let side = (round + side) % calls.len();
            let seconds = seconds(&mut calls[side], counts[side]);
            turns.medians[side].push(median(&seconds));
            turns.least[side] = turns.least[side].min(least(&seconds));
        }
    }
    turns
}

/// The seconds of each of `count` calls.
fn seconds(call: &mut Call, count: usize) -> Vec<f64> {
    let timed = |_| {
        let start = Instant::now();
        call();
        start.elapsed().as_secs_f64()
    };
    (0..count).map(timed).collect()
}
