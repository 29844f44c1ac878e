//! Sides that take turns at one case.

use std::ops::RangeInclusive;
use std::thread;
use std::time::Duration;

use crate::case::Case;
use crate::error::BenchError;
use crate::statistics::median;

/// Seconds that each side gets for a case.
const TIME: f64 = 1.0;

/// Fewer rounds say little; more make turns so short that the pauses between them take longer.
const ROUNDS: RangeInclusive<usize> = 5..=20;

/// Threads that wait for work spin for a while, those of ONNX Runtime for about 45 ms. The pause keeps them out of the
/// next side's turn.
const PAUSE: Duration = Duration::from_millis(50);

/// A side that is ready to run one case.
pub trait Side {
    /// Takes `count` samples; the seconds of one call in each. A sample is [`Case::calls`] calls.
    ///
    /// # Errors
    /// If the side fails.
    fn turn(&mut self, count: usize) -> Result<Vec<f64>, BenchError>;
}

/// The seconds of one side: the samples of each round.
pub type Rounds = Vec<Vec<f64>>;

/// Warms the sides up, then lets them take turns: first, second, first, second… With `rounds` absent there are as many
/// as give each side about [`TIME`] seconds. A turn is one sample that does not count, for the caches, and then those
/// that do.
///
/// # Errors
/// If a side fails.
pub fn run(
    case: Case,
    sides: &mut [Box<dyn Side + '_>],
    rounds: Option<usize>,
) -> Result<Vec<Rounds>, BenchError> {
    let estimates = sides
        .iter_mut()
        .map(|side| {
            side.turn(1)?;
            Ok(case.calls() as f64 * median(&side.turn(1)?))
        })
        .collect::<Result<Vec<f64>, BenchError>>()?;
    let slowest = estimates.iter().copied().fold(0.0, f64::max);
    let rounds = rounds.unwrap_or_else(|| {
        let fitting = (TIME / slowest) as usize;
        fitting.clamp(*ROUNDS.start(), *ROUNDS.end())
    });
    let counts: Vec<usize> = estimates
        .iter()
        .map(|estimate| (TIME / rounds as f64 / estimate).round().max(1.0) as usize)
        .collect();

    let mut samples = vec![Rounds::new(); sides.len()];
    for _ in 0..rounds {
        for ((side, &count), samples) in sides.iter_mut().zip(&counts).zip(&mut samples) {
            thread::sleep(PAUSE);
            side.turn(1)?;
            samples.push(side.turn(count)?);
        }
    }
    Ok(samples)
}
