//! Which parameters matter: Hutter, Hoos and Leyton-Brown, *An Efficient Approach for Assessing Hyperparameter
//! Importance*, 2014.

mod axis;
mod marginal;
mod region;
mod tree;

use rand::RngExt;
use serde::Serialize;

use crate::{History, Space, seed};
use tree::{Data, Leaf};

/// Trees in the forest.
const TREES: u64 = 64;

/// With fewer complete trials the splits of a tree are chance.
const LEAST_TRIALS: usize = 8;

/// How much one parameter matters by itself.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Importance {
    /// The parameter.
    pub name: String,
    /// Its part of the variance that the parameters explain each by itself, in `[0, 1]`; over all parameters the sum is 1.
    pub share: f64,
    /// By how much the results vary with this parameter alone: the standard deviation over its values of the mean result,
    /// in units of the result. Where the parameter does not count, it adds nothing.
    pub deviation: f64,
}

/// How much of the variance of the results each parameter explains by itself, the most important first.
///
/// ```text
/// f           mean of 64 regression trees, each over as many complete trials drawn with replacement
/// a_i(v)    = E[f(x) | x_i = v, A_i]         the others as a random search draws them
/// V_i       = P(A_i) Var[a_i(v)]             v likewise
/// share_i   = V_i / Σ_j V_j
/// ```
///
/// `A_i` is where parameter i counts: everywhere, unless it has a condition. The trees are constant on boxes, so the
/// integrals are sums over their leaves and exact. Numbers lie on an axis in which equal distances are equally probable,
/// so those of a logarithmic domain by their logarithm; choices have no order. A parameter is split only in boxes in which
/// it counts, so what comes of whether it counts belongs to those parameters that decide it.
///
/// What parameters explain only together is in no share. Results far from all others, such as the loss of a run that
/// diverged, weigh by their square and may hide everything else: leave such trials out of the history, or put the
/// logarithm in place of the value.
///
/// Only complete trials with finite values count, and only those whose points the space contains. With fewer than 8 of
/// them, or if all have the same value, there is nothing to say, and the list is empty. The same arguments give the same
/// answer.
///
/// # Differences
/// The paper, and Optuna's `FanovaImportanceEvaluator` with it, takes `V_i / V` of each tree and the mean over the trees.
/// Here V_i is that of the whole forest: what a single tree takes from the noise of its sample cancels out, which would
/// otherwise count for parameters that do not matter. Shares are of the main effects, not of the whole variance V. The
/// paper has no conditions; Optuna leaves out parameters that not all trials have.
///
/// # References
/// Hutter, Hoos and Leyton-Brown, *An Efficient Approach for Assessing Hyperparameter Importance*, 2014,
/// <https://proceedings.mlr.press/v32/hutter14.html>
///
/// # Examples
/// ```
/// use rekindle_tune::{Direction, Domain, History, Parameter, Space, State, Trial, importance};
///
/// let parameter = |name: &str| Parameter {
///     name: name.into(),
///     domain: Domain::Float { low: 0.0, high: 1.0, log: false, step: None },
///     when: vec![],
/// };
/// let space = Space::new(vec![parameter("dropout"), parameter("lr")])?;
/// let mut history = History::new(Direction::Minimize);
/// for number in 0..100 {
///     let mut places = [0.618, 0.414].map(|step| number as f64 * step % 1.0).into_iter();
///     let point = space.point(|parameter| parameter.domain.at(places.next().unwrap()));
///     let value = point.get("lr").and_then(|lr| lr.as_f64()).map(|lr| (lr - 0.3).powi(2));
///     history.trials.push(Trial { number, point, state: State::Complete, curve: vec![], value });
/// }
///
/// let found = importance(&space, &history, 0);
/// assert_eq!(found[0].name, "lr");
/// assert!(found[0].share > 0.9);
/// # Ok::<(), rekindle_tune::SpaceError>(())
/// ```
pub fn importance(space: &Space, history: &History, seed: u64) -> Vec<Importance> {
    let Some((data, scale)) = data(space, history) else {
        return Vec::new();
    };
    let leaves = forest(&data, seed);
    let variances: Vec<f64> = (0..data.axes.len())
        .map(|axis| marginal::variance(&data.axes, &leaves, axis))
        .collect();
    let all: f64 = variances.iter().sum();
    if all <= f64::EPSILON.powi(2) {
        return Vec::new();
    }
    let parameters = data.axes.iter().zip(variances);
    let mut found: Vec<Importance> = parameters
        .map(|(axis, variance)| Importance {
            name: axis.name.to_owned(),
            share: variance / all,
            deviation: scale * variance.sqrt(),
        })
        .collect();
    found.sort_by(|a, b| b.share.total_cmp(&a.share));
    found
}

/// The trials that count, with their values about zero and at most 1, and by what those were divided; none if there are
/// too few, or all are equal.
fn data<'a>(space: &'a Space, history: &History) -> Option<(Data<'a>, f64)> {
    let axes = axis::axes(space);
    let (mut rows, mut values) = (Vec::new(), Vec::new());
    for (trial, value) in history.complete() {
        if value.is_finite() && space.contains(&trial.point) {
            let row = axes
                .iter()
                .map(|axis| axis.coordinate(trial.point.get(axis.name)));
            rows.push(row.collect());
            values.push(value);
        }
    }
    if rows.len() < LEAST_TRIALS {
        return None;
    }
    let count = values.len() as f64;
    let mean: f64 = values.iter().map(|value| value / count).sum();
    let distances = values.iter().map(|value| (value - mean).abs());
    let scale = distances.fold(0.0, f64::max);
    if !(scale > 0.0 && scale.is_finite()) {
        return None;
    }
    let values = values.iter().map(|value| (value - mean) / scale).collect();
    Some((Data { axes, rows, values }, scale))
}

/// The leaves of all trees, such that their sum is the mean of the trees.
fn forest(data: &Data<'_>, seed: u64) -> Vec<Leaf> {
    let trials = data.rows.len();
    let trees = (0..TREES).flat_map(|tree| {
        let mut rng = seed::rng(seed, tree);
        data.tree((0..trials).map(|_| rng.random_range(0..trials)).collect())
    });
    trees
        .map(|leaf| Leaf {
            value: leaf.value / TREES as f64,
            ..leaf
        })
        .collect()
}

#[cfg(test)]
mod tests;
