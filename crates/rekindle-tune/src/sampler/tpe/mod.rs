//! The tree-structured Parzen estimator.

mod kernels;
mod parzen;
mod split;

use std::collections::BTreeMap;

use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::parzen::Parzen;
use self::split::Split;
use super::{Sampler, SamplerError};
use crate::{History, Parameter, Point, Space, Trial, seed};

/// Settings of [`Tpe`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TpeConfig {
    /// Points are random until as many trials are complete or were pruned. Default: 10, as Optuna.
    pub startup_trials: usize,
    /// How many points are drawn near good ones for each parameter that is drawn, of which the most promising is proposed;
    /// at least 1. Six parameters that are drawn together have six times as many. More of them search more narrowly.
    /// Default: 24, which Optuna and Hyperopt have for one parameter; Optuna has no more for several, where so few hardly
    /// find the most promising place.
    pub candidates: usize,
    /// The share of the trials that is good once there are 100, in `(0, 1)`; it begins at a third of that. Default: 0.15, as
    /// Bergstra et al. (2011), and so 0.05 in the beginning. Of few trials the best one or two show where to search; of many
    /// it takes more to tell how narrow the good place is. Optuna has 0.1 throughout.
    pub good_share: f64,
    /// How much the whole domain weighs beside one trial; positive. Default: 1, as Optuna.
    pub prior_weight: f64,
    /// Whether parameters that count together are drawn together, so that what is good for one beside a certain value of
    /// another is learnt; otherwise each is drawn on its own. Default: true, as Optuna since its version 5.
    pub multivariate: bool,
}

impl Default for TpeConfig {
    fn default() -> Self {
        Self {
            startup_trials: 10,
            candidates: 24,
            good_share: 0.15,
            prior_weight: 1.0,
            multivariate: true,
        }
    }
}

impl TpeConfig {
    /// Checks the numbers.
    ///
    /// # Errors
    /// If there are no candidates, the good share is not in `(0, 1)`, or the weight of the prior is not a positive finite
    /// number.
    pub fn validate(&self) -> Result<(), SamplerError> {
        let found = self.candidates as f64;
        SamplerError::unless(self.candidates > 0, "candidates", found, "at least 1")?;
        let (share, expected) = (self.good_share, "a number in (0, 1)");
        let valid = share > 0.0 && share < 1.0;
        SamplerError::unless(valid, "good_share", share, expected)?;
        let (weight, expected) = (self.prior_weight, "a positive finite number");
        let valid = weight > 0.0 && weight.is_finite();
        SamplerError::unless(valid, "prior_weight", weight, expected)
    }
}

/// Proposes points where good trials are dense and bad ones are not.
///
/// ```text
/// γ = good_share (1 + 2 min(n / 100, 1)) / 3
/// l(x): density of the best min(⌈γ n⌉, 25) of n trials; g(x): density of all others
/// x = argmax l(x) / g(x)   among candidates drawn from l
/// ```
///
/// A density is a mixture with one kernel for each trial and one for the whole domain. Kernels of numbers are normal
/// distributions, truncated to the domain; a value of a domain with steps has what lies within half a step of it; on a
/// logarithmic domain all this is of the logarithm. The kernel of a choice gives every choice a share and the one that was
/// seen most of it. Old trials weigh less: the last 25 weigh 1, those before them a line down to `1 / n`.
///
/// - **Pruned trials** take part. They rank behind all complete ones: those that came further first, and of equals those
///   with the better last value.
/// - **Trials under way** count among the bad ones (a *constant liar* that always promises the worst), so that workers which
///   propose at the same time keep away from each other's points. To count them among the good ones would draw all workers
///   to one place; not to count them would let them propose nearly the same point.
/// - **Failed trials** count among the bad ones too: that a network did not fit into memory or became infinite says
///   something about its settings.
/// - **Conditional parameters** learn from the trials in which they counted. Parameters with the same conditions count
///   together, and are drawn together if `multivariate` is set.
///
/// The point depends on the seed, the number and the history alone.
///
/// # Differences
/// From Optuna 5's `TPESampler`: there are candidates for each parameter that is drawn, and the share of good trials grows,
/// see [`TpeConfig`]; failed trials are bad ones, where Optuna leaves them out; conditional parameters are drawn together
/// with those of the same conditions, as with its `group` option, where by default it draws each on its own; and random
/// numbers are derived from the number of the trial instead of a generator that goes on from call to call. What that comes
/// to on standard functions is in `docs/adr/0007-search.md`.
///
/// # References
/// Bergstra et al., *Algorithms for Hyper-Parameter Optimization*, 2011,
/// <https://papers.nips.cc/paper/4443-algorithms-for-hyper-parameter-optimization>; Watanabe, *Tree-Structured Parzen
/// Estimator: Understanding Its Algorithm Components and Their Roles for Better Empirical Performance*, 2023,
/// <https://arxiv.org/abs/2304.11127>
#[derive(Clone, Debug, PartialEq)]
pub struct Tpe {
    /// How it works.
    pub config: TpeConfig,
    /// What the random numbers depend on, beside the number of the trial.
    pub seed: u64,
}

impl Sampler for Tpe {
    /// # Panics
    /// If the settings are not valid.
    fn propose(&self, space: &Space, history: &History, number: u64) -> Option<Point> {
        if let Err(error) = self.config.validate() {
            panic!("{error}");
        }
        let mut rng = seed::rng(self.seed, number);
        let split = Split::of(history, number, self.config.good_share);
        if split.ended < self.config.startup_trials {
            return Some(space.point(|parameter| parameter.domain.at(rng.random())));
        }
        let mut drawn = BTreeMap::new();
        Some(space.point(|parameter| {
            if !drawn.contains_key(&parameter.name) {
                drawn.extend(self.draw(&self.group(space, parameter), &split, &mut rng));
            }
            drawn.remove(&parameter.name).unwrap_or(Value::Null)
        }))
    }
}

impl Tpe {
    /// The parameters that are drawn together with one, itself included: they count if and only if it does.
    fn group<'a>(&self, space: &'a Space, parameter: &Parameter) -> Vec<&'a Parameter> {
        let belongs = |other: &&Parameter| match self.config.multivariate {
            true => other.when == parameter.when,
            false => other.name == parameter.name,
        };
        space.parameters().iter().filter(belongs).collect()
    }

    /// Values for a group.
    fn draw(
        &self,
        group: &[&Parameter],
        split: &Split,
        rng: &mut impl Rng,
    ) -> Vec<(String, Value)> {
        let domains: Vec<_> = group.iter().map(|parameter| &parameter.domain).collect();
        let density = |trials: &[&Trial]| {
            let observations = observations(group, trials);
            Parzen::new(&domains, &observations, self.config.prior_weight)
        };
        let (good, bad) = (density(&split.good), density(&split.bad));
        let promise = |drawn: &[f64]| good.log_density(drawn) - bad.log_density(drawn);
        let mut best = good.draw(rng);
        let mut most = promise(&best);
        for _ in 1..self.config.candidates.saturating_mul(group.len()) {
            let drawn = good.draw(rng);
            let promise = promise(&drawn);
            if promise > most {
                (best, most) = (drawn, promise);
            }
        }
        let values = group.iter().zip(best);
        let value = |(parameter, coordinate): (&&Parameter, f64)| {
            (parameter.name.clone(), parameter.domain.value(coordinate))
        };
        values.map(value).collect()
    }
}

/// The coordinates of the trials in which a group counted.
fn observations(group: &[&Parameter], trials: &[&Trial]) -> Vec<Vec<f64>> {
    let coordinates = |trial: &&Trial| {
        let coordinate = |parameter: &&Parameter| {
            let value = trial.point.get(&parameter.name)?;
            parameter.domain.coordinate(value)
        };
        group.iter().map(coordinate).collect()
    };
    trials.iter().filter_map(coordinates).collect()
}
