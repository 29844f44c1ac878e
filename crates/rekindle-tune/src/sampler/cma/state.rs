//! The distribution that a CMA-ES draws from, and how a generation changes it.

use rand::Rng;

use super::constants::Constants;
use super::jacobi::{Matrix, eigen, identity};
use crate::sampler::normal;

/// A normal distribution `N(m, σ²C)` over the unit cube, with its evolution paths.
///
/// Letters are those of the tutorial.
#[derive(Clone, Debug)]
pub(super) struct Distribution {
    constants: Constants,
    mean: Vec<f64>,
    sigma: f64,
    covariance: Matrix,
    /// `B`, whose columns are the eigenvectors of `C`, and the square roots of the eigenvalues.
    vectors: Matrix,
    roots: Vec<f64>,
    path: Vec<f64>,
    shape_path: Vec<f64>,
    generation: u32,
}

/// A distribution that narrow has converged.
const NARROWEST: f64 = 1e-9;

/// A distribution that much longer than wide (squared) is beyond what floating-point numbers can tell.
const LONGEST: f64 = 1e14;

impl Distribution {
    pub fn new(mean: Vec<f64>, sigma: f64, population: usize) -> Self {
        let n = mean.len();
        Self {
            constants: Constants::new(n, population),
            mean,
            sigma,
            covariance: identity(n),
            vectors: identity(n),
            roots: vec![1.0; n],
            path: vec![0.0; n],
            shape_path: vec![0.0; n],
            generation: 0,
        }
    }

    /// `λ`.
    pub fn population(&self) -> usize {
        self.constants.weights.len()
    }

    /// Whether there is nothing more to gain from this distribution.
    pub fn is_spent(&self) -> bool {
        let (least, greatest) = self.extremes();
        let usable = greatest.is_finite() && least > 0.0 && self.sigma.is_finite();
        !usable || self.sigma * greatest < NARROWEST || (greatest / least).powi(2) > LONGEST
    }

    fn extremes(&self) -> (f64, f64) {
        let least = self.roots.iter().copied().fold(f64::INFINITY, f64::min);
        (least, self.roots.iter().copied().fold(0.0, f64::max))
    }

    /// A place at random, outside of the cube too. In each dimension it strays at least as far as `least` says.
    ///
    /// ```text
    /// x = m + σ B D z,   z ~ N(0, I)
    /// ```
    pub fn draw(&self, least: impl Fn(usize, f64) -> f64, rng: &mut impl Rng) -> Vec<f64> {
        let z: Vec<f64> = self
            .roots
            .iter()
            .map(|root| root * normal::draw(rng))
            .collect();
        let coordinate = |(i, mean): (usize, &f64)| {
            let step = self.sigma * dot(&self.vectors[i], &z);
            let deviation = self.sigma * self.covariance[i][i].max(0.0).sqrt();
            let more = least(i, *mean) / deviation;
            mean + step * more.max(1.0)
        };
        self.mean.iter().enumerate().map(coordinate).collect()
    }

    /// `C^(−1/2) y`.
    fn whiten(&self, y: &[f64]) -> Vec<f64> {
        let n = y.len();
        let along = |k: usize| -> f64 { (0..n).map(|i| self.vectors[i][k] * y[i]).sum() };
        let scaled: Vec<f64> = (0..n).map(|k| along(k) / self.roots[k]).collect();
        self.vectors.iter().map(|row| dot(row, &scaled)).collect()
    }

    /// Learns from a generation, the best place first.
    ///
    /// ```text
    /// yᵢ = (xᵢ − m) / σ,  no longer than c_y = √n + 2n / (n + 2) where C is the measure
    /// ȳ = Σ wᵢ yᵢ over the better half,  m′ = m + σ ȳ
    /// p_σ′ = (1 − c_σ) p_σ + √(c_σ (2 − c_σ) μ_eff) C^(−1/2) ȳ
    /// σ′ = σ exp(c_σ / d_σ (‖p_σ′‖ / E‖N(0, I)‖ − 1))
    /// ```
    pub fn learn(&mut self, places: &[Vec<f64>]) {
        let steps: Vec<Vec<f64>> = places.iter().map(|place| self.step_to(place)).collect();
        let Constants {
            effective,
            path_rate,
            damping,
            length,
            ..
        } = self.constants;
        let better = &self.constants.weights[..self.constants.parents];
        let n = self.mean.len();
        let average: Vec<f64> = (0..n)
            .map(|i| better.iter().zip(&steps).map(|(w, y)| w * y[i]).sum())
            .collect();
        for (mean, step) in self.mean.iter_mut().zip(&average) {
            // The cube is the domain; steps are those of places inside it.
            *mean = (*mean + self.sigma * step).clamp(0.0, 1.0);
        }
        let white = self.whiten(&average);
        follow(&mut self.path, &white, path_rate, effective);
        self.generation += 1;
        self.learn_shape(&steps, &average);
        let longer = norm(&self.path) / length - 1.0;
        self.sigma *= (path_rate / damping * longer).exp();
        let (values, vectors) = eigen(self.covariance.clone());
        self.roots = values.iter().map(|value| value.max(0.0).sqrt()).collect();
        self.vectors = vectors;
    }

    fn step_to(&self, place: &[f64]) -> Vec<f64> {
        let of = |(x, mean): (&f64, &f64)| (x - mean) / self.sigma;
        let mut step: Vec<f64> = place.iter().zip(&self.mean).map(of).collect();
        let length = norm(&self.whiten(&step));
        if length > self.constants.longest {
            let shorter = self.constants.longest / length;
            step.iter_mut().for_each(|y| *y *= shorter);
        }
        step
    }

    /// ```text
    /// h = 1 if ‖p_σ′‖ / √(1 − (1 − c_σ)^(2g)) < (1.4 + 2 / (n + 1)) E‖N(0, I)‖, else 0
    /// p_c′ = (1 − c_c) p_c + h √(c_c (2 − c_c) μ_eff) ȳ
    /// vᵢ = wᵢ,  or wᵢ n / ‖C^(−1/2) yᵢ‖² where wᵢ is negative
    /// C′ = (1 + c_1 (1 − h) c_c (2 − c_c) − c_1 − c_μ Σ wᵢ) C + c_1 p_c′ p_c′ᵀ + c_μ Σ vᵢ yᵢ yᵢᵀ
    /// ```
    fn learn_shape(&mut self, steps: &[Vec<f64>], average: &[f64]) {
        let Constants {
            effective,
            path_rate,
            shape_path_rate: rate,
            rank_one,
            rank_mu,
            length,
            ..
        } = self.constants;
        let n = self.mean.len();
        let settled = 1.0 - (1.0 - path_rate).powi(2 * self.generation as i32);
        let bound = (1.4 + 2.0 / (n as f64 + 1.0)) * length;
        let calm = norm(&self.path) / settled.sqrt() < bound;
        let none = vec![0.0; n];
        let average = if calm { average } else { &none };
        follow(&mut self.shape_path, average, rate, effective);
        let weights = &self.constants.weights;
        let weigh = |(weight, step): (&f64, &Vec<f64>)| match *weight < 0.0 {
            true => weight * n as f64 / norm(&self.whiten(step)).powi(2).max(1e-8),
            false => *weight,
        };
        let scaled: Vec<f64> = weights.iter().zip(steps).map(weigh).collect();
        let sum: f64 = weights.iter().sum();
        let lost = if calm { 0.0 } else { rate * (2.0 - rate) };
        let keep = 1.0 + rank_one * lost - rank_one - rank_mu * sum;
        for i in 0..n {
            for j in 0..=i {
                let steps = scaled.iter().zip(steps);
                let rank_mu_part: f64 = steps.map(|(v, y)| v * y[i] * y[j]).sum();
                let path_part = self.shape_path[i] * self.shape_path[j];
                let element =
                    keep * self.covariance[i][j] + rank_one * path_part + rank_mu * rank_mu_part;
                self.covariance[i][j] = element;
                self.covariance[j][i] = element;
            }
        }
    }
}

/// `p′ = (1 − c) p + √(c (2 − c) μ_eff) y`.
fn follow(path: &mut [f64], y: &[f64], rate: f64, effective: f64) {
    let factor = (rate * (2.0 - rate) * effective).sqrt();
    for (path, y) in path.iter_mut().zip(y) {
        *path = (1.0 - rate) * *path + factor * y;
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed;

    /// Runs generations on a function of places, and gives the least value.
    fn run(f: impl Fn(&[f64]) -> f64, n: usize, generations: u64) -> (f64, Distribution) {
        let population = super::super::constants::population(n);
        let mut distribution = Distribution::new(vec![0.5; n], 0.3, population);
        let mut least = f64::INFINITY;
        for generation in 0..generations {
            let mut rng = seed::rng(7, generation);
            let mut places: Vec<_> = (0..population)
                .map(|_| distribution.draw(|_, _| 0.0, &mut rng))
                .collect();
            places.sort_by(|a, b| f(a).total_cmp(&f(b)));
            least = least.min(f(&places[0]));
            distribution.learn(&places);
        }
        (least, distribution)
    }

    #[test]
    fn converges_on_a_long_ellipsoid() {
        let ellipsoid = |x: &[f64]| -> f64 {
            let axis = |(i, x): (usize, &f64)| 10f64.powi(i as i32) * (x - 0.3).powi(2);
            x.iter().enumerate().map(axis).sum()
        };
        let (least, distribution) = run(ellipsoid, 5, 150);
        assert!(least < 1e-10, "{least}");
        let (narrow, wide) = distribution.extremes();
        // The axes of the distribution are inverse to the square roots of those of the function: 100.
        assert!(
            (30.0..300.0).contains(&(wide / narrow)),
            "{}",
            wide / narrow
        );
    }

    #[test]
    fn one_dimension() {
        let (least, distribution) = run(|x| (x[0] - 0.9).powi(2), 1, 60);
        assert!(least < 1e-12, "{least}");
        assert!(!distribution.is_spent() || distribution.sigma < 1e-6);
    }

    #[test]
    fn the_first_generation_by_hand() {
        // Two weights of four are positive: ln 2.5 and ln 1.25, scaled to 1.
        let mut distribution = Distribution::new(vec![0.5], 0.1, 4);
        distribution.learn(&[vec![0.6], vec![0.55], vec![0.45], vec![0.4]]);
        let (first, second) = (2.5f64.ln(), 1.25f64.ln());
        let expected = 0.5 + 0.1 * (first * 1.0 + second * 0.5) / (first + second);
        assert!((distribution.mean[0] - expected).abs() < 1e-15);
    }
}
