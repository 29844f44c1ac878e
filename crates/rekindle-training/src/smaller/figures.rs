//! What networks can do and what they cost.

use std::time::Instant;

use rekindle_regularize::Targets;
use rekindle_regularize::prune::PruneReport;
use serde::{Deserialize, Serialize};

use super::SmallerError;
use crate::train::weights_of;
use crate::trained::ScoredOn;
use crate::{Scores, Trained};

/// What a network can do and what it costs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Its scores.
    pub scores: Scores,
    /// Its numbers.
    pub parameters: usize,
    /// Those that are not zero.
    pub nonzero: usize,
    /// Bytes of its file of weights.
    pub bytes: usize,
    /// Seconds that a sequence, or a token of a text, takes in prediction, by batches.
    pub seconds_per_sequence: f64,
}

/// How often the networks take turns. The figure is the median.
const TURNS: usize = 5;

/// The figures of networks over some data, timed in turn.
pub(super) fn of(networks: &[&Trained], data: &ScoredOn) -> Result<Vec<Figures>, SmallerError> {
    let mut seconds = vec![Vec::new(); networks.len()];
    let mut all = Vec::new();
    for network in networks {
        // The first pass warms up.
        let evaluation = network.evaluate(data);
        let bytes = weights_of(network.network.clone(), data.source())?;
        let everything = PruneReport::of(&network.network, &Targets::new(["*"]))?;
        all.push(Figures {
            scores: evaluation.scores,
            parameters: everything.total,
            nonzero: everything.nonzero,
            bytes: bytes.len(),
            seconds_per_sequence: 0.0,
        });
    }
    for _ in 0..TURNS {
        for (network, seconds) in networks.iter().zip(&mut seconds) {
            let started = Instant::now();
            network.evaluate(data);
            seconds.push(started.elapsed().as_secs_f64());
        }
    }
    for (figures, mut seconds) in all.iter_mut().zip(seconds) {
        seconds.sort_by(f64::total_cmp);
        figures.seconds_per_sequence = seconds[TURNS / 2] / data.len().max(1) as f64;
    }
    Ok(all)
}
