//! Covariance matrix adaptation.

mod constants;
mod jacobi;
mod state;

use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::state::Distribution;
use super::axis::Axis;
use super::rank::{compare, ends};
use super::{Sampler, SamplerError};
use crate::{Domain, History, Parameter, Point, Space, Trial, seed};

/// Settings of [`CmaEs`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CmaEsConfig {
    /// `σ`: how far the first points stray from the middle, as a share of each domain's width; in `(0, 1]`. Default: 1/6, as
    /// Optuna: nearly all points lie inside without being drawn again.
    pub sigma: f64,
    /// `λ`: how many points are a generation; at least 4. More of them search more widely and more slowly. Default: none,
    /// which is `4 + ⌊3 ln n⌋` for `n` parameters, as the tutorial says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub population: Option<usize>,
}

impl Default for CmaEsConfig {
    fn default() -> Self {
        Self {
            sigma: 1.0 / 6.0,
            population: None,
        }
    }
}

impl CmaEsConfig {
    /// Checks the numbers.
    ///
    /// # Errors
    /// If `sigma` is outside `(0, 1]`, or a generation has less than four points.
    pub fn validate(&self) -> Result<(), SamplerError> {
        let valid = self.sigma > 0.0 && self.sigma <= 1.0;
        SamplerError::unless(valid, "sigma", self.sigma, "a number in (0, 1]")?;
        let population = self.population.unwrap_or(4);
        let found = population as f64;
        SamplerError::unless(population >= 4, "population", found, "at least 4")
    }

    /// Checks that a space has a number to move.
    ///
    /// # Errors
    /// If no number with more than one value always counts.
    pub fn validate_for(&self, space: &Space) -> Result<(), SamplerError> {
        self.validate()?;
        match axes(space).is_empty() {
            true => Err(SamplerError::NoNumber),
            false => Ok(()),
        }
    }
}

/// Draws points from a normal distribution that moves, grows, shrinks and turns towards the better half of each generation.
///
/// It moves the numbers that always count, in a cube whose sides are their domains, on a logarithmic scale where a domain
/// says so. Choices and conditional parameters are random. Good for some hundred trials of few numbers that depend on each
/// other; [`Tpe`](super::Tpe) needs fewer.
///
/// A generation updates mean, step size (by the length of an evolution path) and covariance (rank one and rank `μ`, with
/// negative weights for the worse half), with the constants of the tutorial. A distribution that has converged is followed
/// by one around a random place, with generations twice as large.
///
/// - **Generations** are recovered from the history: its complete and pruned trials in the order of their numbers, cut into
///   pieces of `λ`. With one worker, each piece was drawn from the distribution before it, as in the textbook. With several,
///   some of a piece were drawn from an earlier distribution, because the piece before was not yet full. That makes no
///   difference to the equations, which take points of any origin if their steps are not too long; so steps are cut to the
///   length that Hansen (2011) gives for points from outside. A trial that ends late moves those behind it into other
///   pieces: the distribution is a function of what is known, not of the order in which it became known.
/// - **Pruned trials** rank behind the complete ones of their generation: those that came further first, and of equals those
///   with the better last value.
/// - **Failed trials** are no part of a generation: another point is drawn in their place, which is the tutorial's simplest
///   way with places that have no value. Trials under way are not yet part of one.
/// - **Bounds**: a point outside the cube is drawn again, up to 100 times, and then brought to the nearest place inside.
/// - **Steps**: values are rounded, and the distribution stays wide enough to reach the neighbours of its middle: its
///   deviation is at least 0.3 of a step.
///
/// # Differences
/// From Optuna's `CmaEsSampler`: there generations are kept by the number with which each trial was labelled when it was
/// drawn, an incomplete one is dropped, the first trial is random, pruned trials are left out by default, and a converged distribution goes on.
///
/// # References
/// Hansen, *The CMA Evolution Strategy: A Tutorial*, 2016, <https://arxiv.org/abs/1604.00772>; Hansen, *Injecting External
/// Solutions Into CMA-ES*, 2011, <https://arxiv.org/abs/1110.4181>; Auger and Hansen, *A Restart CMA Evolution Strategy With
/// Increasing Population Size*, 2005, <https://doi.org/10.1109/CEC.2005.1554902>
#[derive(Clone, Debug, PartialEq)]
pub struct CmaEs {
    /// How it works.
    pub config: CmaEsConfig,
    /// What the random numbers depend on, beside the number of the trial.
    pub seed: u64,
}

impl Sampler for CmaEs {
    /// # Panics
    /// If the settings are not valid, or there is no number to move.
    fn propose(&self, space: &Space, history: &History, number: u64) -> Option<Point> {
        if let Err(error) = self.config.validate_for(space) {
            panic!("{error}");
        }
        let axes = axes(space);
        let distribution = self.distribution(&axes, history, number);
        let mut rng = seed::rng(self.seed, number);
        let places = inside(&distribution, &axes, &mut rng);
        Some(space.point(|parameter| {
            let axis = axes.iter().zip(&places);
            let mut axis = axis.filter(|((moved, _), _)| moved.name == parameter.name);
            match axis.next() {
                Some(((_, axis), place)) => value(&parameter.domain, axis, *place),
                None => parameter.domain.at(rng.random()),
            }
        }))
    }
}

impl CmaEs {
    /// The distribution that the trial of this number is drawn from.
    fn distribution(
        &self,
        axes: &[(&Parameter, Axis)],
        history: &History,
        number: u64,
    ) -> Distribution {
        let trials = history.trials.iter();
        let mut ended = trials
            .filter(|trial| trial.number != number && ends(trial))
            .filter_map(|trial| Some((trial, place(axes, trial)?)));
        let mut restarts = 0;
        let mut distribution = self.start(axes.len(), restarts);
        loop {
            let size = distribution.population();
            let mut generation: Vec<_> = ended.by_ref().take(size).collect();
            if generation.len() < size {
                return distribution;
            }
            generation.sort_by(|(a, _), (b, _)| compare(history.direction, a, b));
            let places: Vec<_> = generation.into_iter().map(|(_, place)| place).collect();
            distribution.learn(&places);
            if distribution.is_spent() {
                restarts += 1;
                distribution = self.start(axes.len(), restarts);
            }
        }
    }

    /// The first distribution lies in the middle, others anywhere.
    fn start(&self, n: usize, restarts: u32) -> Distribution {
        let population = self.config.population.unwrap_or(constants::population(n));
        let population = population.saturating_mul(1 << restarts.min(16));
        let mut rng = seed::rng(!self.seed, u64::from(restarts));
        let mean = match restarts {
            0 => vec![0.5; n],
            _ => (0..n).map(|_| rng.random()).collect(),
        };
        Distribution::new(mean, self.config.sigma, population)
    }
}

/// How often a point is drawn before one outside the cube is brought inside.
const DRAWS: usize = 100;

/// How far a number with steps strays at least, in steps: its neighbours are drawn about once in ten times.
const LEAST: f64 = 0.3;

/// A place inside the cube.
fn inside(
    distribution: &Distribution,
    axes: &[(&Parameter, Axis)],
    rng: &mut impl Rng,
) -> Vec<f64> {
    let least = |index: usize, mean: f64| {
        let axis = &axes[index].1;
        let coordinate = axis.coordinate(axis.low + mean * axis.width());
        let cell = axis.cell(coordinate);
        cell.map_or(0.0, |(low, high)| LEAST * (high - low) / axis.width())
    };
    let mut place = distribution.draw(least, rng);
    for _ in 1..DRAWS {
        if place.iter().all(|x| (0.0..=1.0).contains(x)) {
            break;
        }
        place = distribution.draw(least, rng);
    }
    place.iter().map(|x| x.clamp(0.0, 1.0)).collect()
}

/// The numbers that are moved: those that always count and have more than one value.
fn axes(space: &Space) -> Vec<(&Parameter, Axis)> {
    let always = space.parameters().iter().filter(|one| one.when.is_empty());
    always
        .filter_map(|one| Some((one, Axis::of(&one.domain)?)))
        .collect()
}

/// Where in the cube a trial is; none if it is from another space.
fn place(axes: &[(&Parameter, Axis)], trial: &Trial) -> Option<Vec<f64>> {
    let along = |(parameter, axis): &(&Parameter, Axis)| {
        let value = trial.point.get(&parameter.name)?;
        let coordinate = parameter.domain.coordinate(value)?;
        Some((axis.place(coordinate) - axis.low) / axis.width())
    };
    axes.iter().map(along).collect()
}

/// The value at a place between 0 and 1.
fn value(domain: &Domain, axis: &Axis, place: f64) -> Value {
    domain.value(axis.coordinate(axis.low + place * axis.width()))
}
