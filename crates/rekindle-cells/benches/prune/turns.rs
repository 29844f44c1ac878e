//! Sides that take turns.

use std::time::Instant;

use crate::statistics::{least, median};

/// One call of a side. What it leaves is dropped within its time.
pub type Call = Box<dyn FnMut()>;

/// Seconds of a turn, as far as whole calls fit.
const TURN: f64 = 0.1;

/// Seconds per call of each side.
pub struct Turns<const SIDES: usize> {
    /// The median of each turn, one for each round.
    medians: [Vec<f64>; SIDES],
    /// The least of all calls.
    least: [f64; SIDES],
}

impl<const SIDES: usize> Turns<SIDES> {
    /// The medians of all rounds, in milliseconds.
    pub fn milliseconds(&self) -> [f64; SIDES] {
        self.medians.each_ref().map(|seconds| 1e3 * median(seconds))
    }

    /// The time of the last side but one by that of the last: the median of the ratios of all rounds.
    pub fn ratio(&self) -> f64 {
        let [before, last] = [2, 1].map(|back| &self.medians[SIDES - back]);
        let ratios: Vec<f64> = before.iter().zip(last).map(|(a, b)| a / b).collect();
        median(&ratios)
    }

    /// The ratio of the least times. It stays what it is when other programs interrupt most calls, and interrupt the
    /// longer ones more often.
    pub fn ratio_of_least(&self) -> f64 {
        self.least[SIDES - 2] / self.least[SIDES - 1]
    }
}

/// Takes so many rounds. In each, all sides have a turn of about the same length, and another one begins than in the
/// round before.
pub fn take<const SIDES: usize>(mut calls: [Call; SIDES], rounds: usize) -> Turns<SIDES> {
    let counts = calls.each_mut().map(|call| {
        let estimate = least(&seconds(call, 2));
        (TURN / estimate).ceil() as usize
    });
    let mut turns = Turns {
        medians: [const { Vec::new() }; SIDES],
        least: [f64::INFINITY; SIDES],
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
