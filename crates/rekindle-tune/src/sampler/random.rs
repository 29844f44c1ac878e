//! Points at random.

use rand::RngExt;

use super::Sampler;
use crate::{History, Point, Space, seed};

/// Draws each parameter on its own, all values equally probable, on a logarithmic scale where the domain says so.
///
/// The history does not matter. For few trials in many parameters, of which few matter, it is hard to beat by a grid.
///
/// # References
/// Bergstra and Bengio, *Random Search for Hyper-Parameter Optimization*, 2012,
/// <https://jmlr.org/papers/v13/bergstra12a.html>
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Random {
    /// What the random numbers depend on, beside the number of the trial.
    pub seed: u64,
}

impl Sampler for Random {
    fn propose(&self, space: &Space, _history: &History, number: u64) -> Option<Point> {
        let mut rng = seed::rng(self.seed, number);
        Some(space.point(|parameter| parameter.domain.at(rng.random())))
    }
}
