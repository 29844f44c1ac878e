//! Sides that take turns.

use std::time::Instant;

use crate::statistics::{least, median};

/// One call of a side. What it leaves is dropped within its time.
pub type Call = Box<dyn FnMut()>;

/// Seconds of a turn, as far as whole calls fit.
const TURN: f64 = 0.1;

/// Seconds per call, one for each round, of the dense, the masked and the shrunk network.
pub struct Turns([Vec<f64>; 3]);

impl Turns {
    /// The medians of all rounds, in milliseconds.
    pub fn milliseconds(&self) -> [f64; 3] {
        self.0.each_ref().map(|seconds| 1e3 * median(seconds))
    }

    /// The time of the masked network by that of the shrunk one: the median of the ratios of all rounds, and the least.
    pub fn ratio(&self) -> (f64, f64) {
        let [_, masked, shrunk] = &self.0;
        let ratios: Vec<f64> = masked.iter().zip(shrunk).map(|(a, b)| a / b).collect();
        (median(&ratios), least(&ratios))
    }
}

/// Takes so many rounds. In each, all sides have a turn of about the same length, and another one begins than in the
/// round before.
pub fn take(mut calls: [Call; 3], rounds: usize) -> Turns {
    let counts = calls.each_mut().map(|call| {
        let estimate = (0..2)
            .map(|_| seconds(call, 1))
            .fold(f64::INFINITY, f64::min);
        (TURN / estimate).ceil() as usize
    });
    let mut turns = [const { Vec::new() }; 3];
    for round in 0..rounds {
        for side in 0..calls.len() {
            let side = (round + side) % calls.len();
            turns[side].push(seconds(&mut calls[side], counts[side]));
        }
    }
    Turns(turns)
}

/// The seconds of a call: the median of `count`.
fn seconds(call: &mut Call, count: usize) -> f64 {
    let times: Vec<f64> = (0..count)
        .map(|_| {
            let start = Instant::now();
            call();
            start.elapsed().as_secs_f64()
        })
        .collect();
    median(&times)
}
