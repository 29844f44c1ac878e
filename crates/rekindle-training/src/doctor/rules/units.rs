//! Faults of hidden units and gates.

use rekindle_cells::{Gate, GateBias};

use super::gradients::grows;
use super::{lines, percent, severity, stuck};
use crate::doctor::{Finding, Measurements, Saturation, Units};
use crate::recipe::{CellKind, Recipe};

/// A quarter of the units as copies: by chance in a few thousand numbers there is none.
const COPIES: f64 = 0.25;

/// Units that are copies of each other stay so: they get the same gradients.
pub(super) fn duplicated_units(
    recipe: &Recipe,
    found: &Measurements,
    _: &[Finding],
) -> Option<Finding> {
    let share = |units: &&Units| units.copies_share();
    // Those of the beginning: the head tells units apart in the end, and units of a network that learns nothing may come to
    // the same for other reasons.
    let units = found.units_before.iter();
    let worst = units.max_by(|a, b| share(a).total_cmp(&share(b)))?;
    // States that explode all point where the recurrent weights stretch most.
    (worst.copies_share() > COPIES && !grows(recipe, found)).then(|| Finding {
        name: "duplicated_units".into(),
        severity: severity(found),
        evidence: format!(
            "{}: {} of {} units follow another one with a correlation above 0.999; units that start alike get the same \
             gradients and stay alike",
            worst.place, worst.copies, worst.units
        ),
        advice: "draw the weights at random, so that each unit starts as another one".into(),
        remedy: lines([
            "model.init.recurrent = { kind = \"orthogonal\" }",
            "model.init.input = { kind = \"xavier_uniform\" }",
        ]),
        source: "symmetry: Goodfellow et al., Deep Learning, 2016, section 8.4, https://www.deeplearningbook.org".into(),
    })
}

/// "As much as 40% of your network can be dead" with a learning rate that is too high: Stanford's course CS231n,
/// <https://cs231n.github.io/neural-networks-1/>.
const DEAD: f64 = 0.4;

/// Units that never change.
pub(super) fn dead_units(recipe: &Recipe, found: &Measurements, _: &[Finding]) -> Option<Finding> {
    let share = |units: &&Units| units.dead_share();
    let worst = found
        .units
        .iter()
        .max_by(|a, b| share(a).total_cmp(&share(b)))?;
    (worst.dead_share() >= DEAD).then(|| Finding {
        name: "dead_units".into(),
        severity: severity(found),
        evidence: format!(
            "{}: {} of {} units put out the same number at every step of every sequence, so that no gradient passes them",
            worst.place, worst.dead, worst.units
        ),
        advice: "start with biases of 0, use an activation whose slope is never 0, or lower the learning rate".into(),
        remedy: match recipe.model.cell {
            CellKind::Rnn => lines([
                "model.init.bias = { kind = \"zeros\" }",
                "model.activation = \"tanh\"",
                "model.init.recurrent = { kind = \"orthogonal\" }",
            ]),
            _ => lines(["model.init.bias = { kind = \"zeros\" }"]),
        },
        source: "two fifths: CS231n, https://cs231n.github.io/neural-networks-1/".into(),
    })
}

/// From this share on a gate says the same whatever it reads. Karpathy et al., 2015, <https://arxiv.org/abs/1506.02078>,
/// define the ends (0.1 and 0.9) and show that gates of networks that work lie at them for a part of the time; nearly all
/// values of a gate at its ends leave no slope for the gradient: σ′ ≤ 0.09 there, a third of its maximum.
const SATURATED: f64 = 0.9;

/// The share of a gate's values that are stuck at an end. A forget or update gate at its upper end keeps the state, which is
/// what it is there for; chrono initialisation closes the input gates with it.
fn stuck_share(recipe: &Recipe, gate: &Saturation) -> f64 {
    let chrono = matches!(recipe.model.init.gate_bias, GateBias::Chrono { .. });
    match gate.gate {
        Gate::Forget | Gate::Update => gate.low,
        Gate::Input if chrono => gate.high,
        _ => gate.share(),
    }
}

/// Gates whose values lie at their ends.
pub(super) fn saturated_gates(
    recipe: &Recipe,
    found: &Measurements,
    _: &[Finding],
) -> Option<Finding> {
    let share = |gate: &Saturation| stuck_share(recipe, gate);
    let gates = || found.gates.iter();
    let worst = gates().max_by(|a, b| share(a).total_cmp(&share(b)))?;
    // One gate may well be saturated in a network that learns.
    let all = gates().filter(|gate| share(gate) >= SATURATED).count();
    let most = 2 * all > found.gates.len();
    ((most || stuck(found)) && share(worst) >= SATURATED).then(|| Finding {
        name: "saturated_gates".into(),
        severity: severity(found),
        evidence: format!(
            "{}: {} of the {} gate's values are near an end ({} low, {} high), where its slope is small; so are {all} of {} \
             gates",
            worst.place,
            percent(share(worst)),
            worst.gate,
            percent(worst.low),
            percent(worst.high),
            found.gates.len()
        ),
        advice: "start with smaller weights and biases, or normalise what gates read".into(),
        remedy: lines([
            "model.init.bias = { kind = \"zeros\" }",
            "model.init.input = { kind = \"xavier_uniform\" }",
            "model.init.recurrent = { kind = \"orthogonal\" }",
            "model.normalization = { kind = \"layer\" }",
        ]),
        source: "ends: Karpathy et al., 2015, https://arxiv.org/abs/1506.02078".into(),
    })
}
