//! Points that fill the space evenly.

use super::Sampler;
use crate::{History, Point, Space};

/// The sequence repeats after as many points, and is scrambled anew then.
const PERIOD: u64 = 1 << 16;

/// There are direction numbers for as many dimensions; further ones are the first again, scrambled anew.
const DIMENSIONS: usize = 256;

/// Takes the points of a scrambled Sobol sequence: as random ones, but without their gaps and clusters.
///
/// Each parameter has a dimension of its own, also if it counts only sometimes. Of any first 2ᵏ points one lies in each of 2ᵏ
/// equal intervals of each dimension, and most pairs of dimensions are as even. The history does not matter.
///
/// # Differences
/// From Optuna's `QMCSampler`: conditional parameters are part of the sequence too, where Optuna draws them at random, and
/// different seeds scramble the points differently by default.
///
/// # References
/// Joe and Kuo, *Constructing Sobol Sequences with Better Two-Dimensional Projections*, 2008,
/// <https://doi.org/10.1137/070709359>; Burley, *Practical Hash-based Owen Scrambling*, 2020,
/// <https://jcgt.org/published/0009/04/01/>
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuasiRandom {
    /// What the scrambling depends on.
    pub seed: u64,
}

impl QuasiRandom {
    /// The place of a trial in a dimension, in `[0, 1)`.
    fn place(&self, number: u64, dimension: usize) -> f64 {
        let (round, index) = (number / PERIOD, number % PERIOD);
        let (block, dimension) = ((dimension / DIMENSIONS) as u64, dimension % DIMENSIONS);
        let scramble = crate::seed::mix(crate::seed::mix(self.seed, round), block);
        let place = sobol_burley::sample(index as u32, dimension as u32, (scramble >> 32) as u32);
        f64::from(place)
    }
}

impl Sampler for QuasiRandom {
    fn propose(&self, space: &Space, _history: &History, number: u64) -> Option<Point> {
        let dimension = |name: &str| {
            let mut parameters = space.parameters().iter();
            parameters.position(|parameter| parameter.name == name)
        };
        Some(space.point(|parameter| {
            let dimension = dimension(&parameter.name).unwrap_or(0);
            parameter.domain.at(self.place(number, dimension))
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_interval_has_its_point() {
        for seed in 0..5 {
            let sampler = QuasiRandom { seed };
            for dimension in [0, 1, 7, 255, 256, 300] {
                let mut hit = [0; 64];
                for number in 0..64 {
                    hit[(sampler.place(number, dimension) * 64.0) as usize] += 1;
                }
                assert_eq!(hit, [1; 64], "seed {seed}, dimension {dimension}");
            }
        }
    }

    #[test]
    fn dimensions_seeds_and_rounds_differ() {
        let place = |seed, number, dimension| QuasiRandom { seed }.place(number, dimension);
        let first = place(1, 5, 3);
        assert_ne!(first, place(2, 5, 3));
        assert_ne!(first, place(1, 5, 3 + DIMENSIONS));
        assert_ne!(first, place(1, 5 + PERIOD, 3));
    }
}
