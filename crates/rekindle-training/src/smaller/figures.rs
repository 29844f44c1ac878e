//! What networks can do and what they cost.

use std::sync::Arc;
use std::time::Instant;

use rekindle_data::SequenceSet;
use rekindle_regularize::Targets;
use rekindle_regularize::prune::PruneReport;
use serde::{Deserialize, Serialize};

use super::SmallerError;
use crate::train::weights_of;
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
    /// Seconds that a sequence takes in prediction, by batches.
    pub seconds_per_sequence: f64,
}

/// How often the networks take turns. The figure is the median.
const TURNS: usize = 5;

/// The figures of networks over a set, timed in turn.
pub(super) fn of(
    networks: &[&Trained],
    set: &Arc<SequenceSet>,
) -> Result<Vec<Figures>, SmallerError> {
    let mut seconds = vec![Vec::new(); networks.len()];
    let mut all = Vec::new();
    for network in networks {
        // The first pass warms up.
        let evaluation = network.predict(set).evaluate();
        let evaluation = evaluation.ok_or_else(|| SmallerError::Unlabelled {
            path: set.source.clone(),
        })?;
        let bytes = weights_of(network.network.clone(), &set.source)?;
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
            network.predict(set);
            seconds.push(started.elapsed().as_secs_f64());
        }
    }
    for (figures, mut seconds) in all.iter_mut().zip(seconds) {
        seconds.sort_by(f64::total_cmp);
        figures.seconds_per_sequence = seconds[TURNS / 2] / set.len().max(1) as f64;
    }
    Ok(all)
}
