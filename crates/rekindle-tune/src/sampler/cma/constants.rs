//! The constants of the CMA-ES.

/// The strategy parameters of the tutorial's table 1, for `n` parameters and generations of `λ` points.
#[derive(Clone, Debug)]
pub(super) struct Constants {
    /// One for each point of a generation, the best one's first: `μ` positive ones that add up to 1, then negative ones.
    pub weights: Vec<f64>,
    /// `μ`.
    pub parents: usize,
    /// `μ_eff`: how many points the positive weights amount to.
    pub effective: f64,
    /// `c_σ` and `d_σ`.
    pub path_rate: f64,
    pub damping: f64,
    /// `c_c`, `c_1` and `c_μ`.
    pub shape_path_rate: f64,
    pub rank_one: f64,
    pub rank_mu: f64,
    /// `E‖N(0, I)‖`, to four digits.
    pub length: f64,
    /// The greatest Mahalanobis length of a step.
    pub longest: f64,
}

/// `4 + ⌊3 ln n⌋`.
pub(super) fn population(n: usize) -> usize {
    4 + (3.0 * (n as f64).ln()).floor() as usize
}

impl Constants {
    pub fn new(n: usize, population: usize) -> Self {
        let parents = population / 2;
        let middle = (population as f64 + 1.0) / 2.0;
        let raw: Vec<f64> = (1..=population)
            .map(|rank| middle.ln() - (rank as f64).ln())
            .collect();
        let n = n as f64;
        let effective = amount(&raw[..parents]);
        let path_rate = (effective + 2.0) / (n + effective + 5.0);
        let over = ((effective - 1.0) / (n + 1.0)).sqrt() - 1.0;
        let rank_one = 2.0 / ((n + 1.3).powi(2) + effective);
        let rank_mu =
            2.0 * (0.25 + effective + 1.0 / effective - 2.0) / ((n + 2.0).powi(2) + effective);
        let rank_mu = rank_mu.min(1.0 - rank_one);
        let mut constants = Self {
            weights: raw,
            parents,
            effective,
            path_rate,
            damping: 1.0 + 2.0 * over.max(0.0) + path_rate,
            shape_path_rate: (4.0 + effective / n) / (n + 4.0 + 2.0 * effective / n),
            rank_one,
            rank_mu,
            length: n.sqrt() * (1.0 - 1.0 / (4.0 * n) + 1.0 / (21.0 * n * n)),
            longest: n.sqrt() + 2.0 * n / (n + 2.0),
        };
        constants.scale_weights(n);
        constants
    }

    /// Positive weights add up to 1; negative ones to what keeps the covariance positive definite.
    fn scale_weights(&mut self, n: f64) {
        let (rank_one, rank_mu) = (self.rank_one, self.rank_mu);
        let (better, worse) = self.weights.split_at_mut(self.parents);
        let by_rate = 1.0 + rank_one / rank_mu;
        let by_amount = 1.0 + 2.0 * amount(worse) / (self.effective + 2.0);
        let by_definite = (1.0 - rank_one - rank_mu) / (n * rank_mu);
        let all: f64 = better.iter().sum();
        better.iter_mut().for_each(|weight| *weight /= all);
        let all: f64 = worse.iter().sum();
        let share = by_rate.min(by_amount).min(by_definite).max(0.0);
        for weight in worse {
            // All negative, or the middle one of an odd number, which is 0.
            *weight *= if all < 0.0 { -share / all } else { 0.0 };
        }
    }
}

/// `(Σ w)² / Σ w²`.
fn amount(weights: &[f64]) -> f64 {
    let sum: f64 = weights.iter().sum();
    let squares: f64 = weights.iter().map(|weight| weight * weight).sum();
    match squares > 0.0 {
        true => sum * sum / squares,
        false => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_in_the_tutorial() {
        assert_eq!([1, 2, 5, 10].map(population), [4, 6, 8, 10]);
        let constants = Constants::new(5, 8);
        let positive: f64 = constants.weights[..4].iter().sum();
        assert!((positive - 1.0).abs() < 1e-15);
        assert!(constants.weights[4..].iter().all(|weight| *weight < 0.0));
        // w = ln 4.5 − ln i for i = 1 to 4: (Σw)² / Σw².
        assert!(
            (constants.effective - 2.600_209).abs() < 1e-3,
            "{}",
            constants.effective
        );
        // E‖N(0, I)‖ in five dimensions is √2 Γ(3) / Γ(5/2) = 2.12769.
        assert!((constants.length - 2.127_69).abs() < 1e-3);
    }

    #[test]
    fn in_one_dimension_too() {
        let constants = Constants::new(1, 4);
        assert!(constants.weights.iter().all(|weight| weight.is_finite()));
        assert!(constants.rank_one + constants.rank_mu <= 1.0);
    }
}
