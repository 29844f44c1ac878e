//! How many values of a gate are near its ends.

use rekindle_cells::Gate;
use serde::{Deserialize, Serialize};

use crate::doctor::Place;

/// Bins of a histogram.
pub const BINS: usize = 20;

/// Where the values of a gate lie.
///
/// A sigmoid gate is left-saturated below 0.1 and right-saturated above 0.9: Karpathy et al., *Visualizing and Understanding
/// Recurrent Networks*, 2015, <https://arxiv.org/abs/1506.02078>. The candidate is a tanh: its ends are below −0.9 and above
/// 0.9.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Saturation {
    /// The cell.
    pub place: Place,
    /// The gate.
    pub gate: Gate,
    /// The share of values near the lower end.
    pub low: f64,
    /// The share of values near the upper end.
    pub high: f64,
    /// How many values are in each of the bins of equal width over the range, (0, 1) or (−1, 1).
    pub histogram: Vec<usize>,
}

impl Saturation {
    /// Of some values.
    pub(crate) fn of(place: Place, gate: Gate, values: &[f32]) -> Self {
        let (low, high) = Self::ends(gate);
        let mut histogram = vec![0; BINS];
        let (mut below, mut above) = (0, 0);
        for value in values.iter().map(|&value| f64::from(value)) {
            let share = match gate {
                Gate::Candidate => 0.5 * (value + 1.0),
                _ => value,
            };
            histogram[((share * BINS as f64) as usize).min(BINS - 1)] += 1;
            below += usize::from(value < low);
            above += usize::from(value > high);
        }
        let share = |count: usize| count as f64 / values.len().max(1) as f64;
        Self {
            place,
            gate,
            low: share(below),
            high: share(above),
            histogram,
        }
    }

    /// Below and above which values are near an end.
    fn ends(gate: Gate) -> (f64, f64) {
        match gate {
            Gate::Candidate => (-0.9, 0.9),
            _ => (0.1, 0.9),
        }
    }

    /// The share of values near an end.
    pub fn share(&self) -> f64 {
        self.low + self.high
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_bins_by_hand() {
        let place = Place::new(0, false);
        let gate = Saturation::of(place, Gate::Forget, &[0.0, 0.06, 0.5, 0.96, 1.0]);
        assert_eq!((gate.low, gate.high), (0.4, 0.4));
        assert_eq!(gate.histogram[0] + gate.histogram[1], 2);
        assert_eq!(gate.histogram[BINS - 1], 2);
        let candidate = Saturation::of(place, Gate::Candidate, &[-0.95, 0.0, 0.05, 0.5]);
        assert_eq!((candidate.low, candidate.high), (0.25, 0.0));
        assert_eq!(candidate.histogram.iter().sum::<usize>(), 4);
        assert_eq!(candidate.histogram[BINS / 2], 2);
    }
}
