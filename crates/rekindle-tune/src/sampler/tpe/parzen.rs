//! A density over several parameters, estimated from observations.

use rand::{Rng, RngExt};

use super::kernels::Kernels;
use crate::Domain;

/// The last observations that all weigh the same.
const FULL: usize = 25;

/// A mixture of products of kernels: one product for each observation, and one for the prior.
///
/// ```text
/// p(x) = Σₖ wₖ Πⱼ kₖⱼ(xⱼ)
/// ```
pub(super) struct Parzen {
    /// They add up to 1.
    weights: Vec<f64>,
    parameters: Vec<Kernels>,
}

impl Parzen {
    /// Around observations, the older ones first, each with a coordinate for each domain.
    pub fn new(domains: &[&Domain], observations: &[Vec<f64>], prior_weight: f64) -> Self {
        let parameters = domains.iter().enumerate().map(|(index, domain)| {
            let observed: Vec<f64> = observations.iter().map(|values| values[index]).collect();
            Kernels::new(domain, &observed, prior_weight)
        });
        let mut weights: Vec<f64> = weights(observations.len()).collect();
        weights.push(prior_weight);
        let all: f64 = weights.iter().sum();
        weights.iter_mut().for_each(|weight| *weight /= all);
        Self {
            weights,
            parameters: parameters.collect(),
        }
    }

    /// Coordinates at random.
    pub fn draw(&self, rng: &mut impl Rng) -> Vec<f64> {
        let mut share: f64 = rng.random();
        let kernel = self.weights.iter().position(|weight| {
            share -= weight;
            share < 0.0
        });
        let kernel = kernel.unwrap_or(self.weights.len() - 1);
        let parameters = self.parameters.iter();
        parameters
            .map(|kernels| kernels.draw(kernel, rng))
            .collect()
    }

    /// `ln p(x)`.
    pub fn log_density(&self, coordinates: &[f64]) -> f64 {
        let mut sums: Vec<f64> = self.weights.iter().map(|weight| weight.ln()).collect();
        for (kernels, coordinate) in self.parameters.iter().zip(coordinates) {
            kernels.add_log_density(*coordinate, &mut sums);
        }
        // The prior is nowhere 0, so that the greatest sum is finite.
        let greatest = sums.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let rest: f64 = sums.iter().map(|sum| (sum - greatest).exp()).sum();
        greatest + rest.ln()
    }
}

/// The weights of `n` observations: 1 for the last 25, and for those before them a line from `1 / n` up to 1.
fn weights(n: usize) -> impl Iterator<Item = f64> {
    let ramp = n.saturating_sub(FULL);
    (0..n).map(move |index| {
        if index >= ramp {
            return 1.0;
        }
        let least = 1.0 / n as f64;
        least + (1.0 - least) * index as f64 / (ramp - 1).max(1) as f64
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_by_hand() {
        assert!(weights(25).all(|weight| weight == 1.0));
        let weights: Vec<f64> = weights(28).collect();
        assert_eq!(weights[0], 1.0 / 28.0);
        assert!((weights[1] - (1.0 + 1.0 / 28.0) / 2.0).abs() < 1e-15);
        assert_eq!(weights[2..], [1.0; 26]);
    }

    #[test]
    fn without_observations_there_is_the_prior() {
        let domain = Domain::Float {
            low: 0.0,
            high: 2.0,
            log: false,
            step: None,
        };
        let parzen = Parzen::new(&[&domain], &[], 1.0);
        // A normal distribution of width 2 around 1, truncated to within half a width.
        let inside = 0.382_924_922_548_026;
        let peak = 1.0 / (2.0 * (2.0 * std::f64::consts::PI).sqrt() * inside);
        assert!((parzen.log_density(&[1.0]) - f64::ln(peak)).abs() < 1e-12);
    }
}
