//! Faults of what flows back through time.

use rekindle_cells::{Activation, GateBias};
use rekindle_optim::{Clip, Limit};

use super::steps::GROWS;
use super::{figure, lines, outcome, stuck};
use crate::doctor::{Finding, Flow, Horizon, Measurements, Severity};
use crate::recipe::{CellKind, Readout, Recipe};

/// A gradient that is a thousand times smaller at the first steps than at the last moves nothing there: the update that it
/// asks for drowns in those of later steps. Vanishing is Bengio et al., 1994, <https://doi.org/10.1109/72.279181>; the bound is
/// ours, three orders of magnitude.
const VANISHES: f64 = 1e-3;

/// What the first steps say does not reach the weights.
pub(super) fn vanishing(recipe: &Recipe, found: &Measurements, _: &[Finding]) -> Option<Finding> {
    // The path with the most gradient decides; the cell state carries what the hidden state does not.
    let of_first = found.flows.iter().filter(|flow| flow.place.layer == 0);
    let best = of_first.max_by(|a, b| a.ratio().total_cmp(&b.ratio()))?;
    let ratio = best.ratio();
    (ratio < VANISHES && stuck(found)).then(|| {
        let horizon = found.horizons.iter().map(|horizon: &Horizon| horizon.steps).max();
        Finding {
            name: "vanishing_gradients".into(),
            severity: Severity::Fault,
            evidence: format!(
                "the gradient that reaches the first tenth of a sequence is {} of that of the last tenth ({}, {} state); inputs \
                 of more than {} steps before the end do not move it, sequences have up to {}; {}",
                figure(ratio),
                best.place,
                best.state,
                horizon.unwrap_or(0),
                found.data.longest,
                outcome(found)
            ),
            advice: advice(recipe),
            remedy: remedy(recipe, found),
            source: "Bengio et al., 1994, https://doi.org/10.1109/72.279181".into(),
        }
    })
}

/// From this length on chrono biases are tried before a bias of 1: of 64 steps the bias of 1 learnt more in our runs, of 119
/// steps chrono did.
const LONG: usize = 100;

const FORGET: &str = "model.init.gate_bias = { kind = \"forget\", value = 1.0 }";

fn advice(recipe: &Recipe) -> String {
    let gates = match recipe.model.cell {
        CellKind::Lstm => "open the forget gates at the start",
        CellKind::Gru => "close the update gates at the start, so that they keep the state",
        CellKind::Rnn => {
            "use a cell with gates, or recurrent weights whose powers neither grow nor shrink"
        }
    };
    match reads_end(recipe) {
        true => format!(
            "{gates}; or read the mean over all steps, which is a short way to each of them"
        ),
        false => gates.to_string(),
    }
}

/// Whether the head reads the last step alone, and could read all.
fn reads_end(recipe: &Recipe) -> bool {
    recipe.model.readout == Readout::Last && !recipe.answers_each_step()
}

fn remedy(recipe: &Recipe, found: &Measurements) -> Vec<String> {
    let chrono = format!(
        "model.init.gate_bias = {{ kind = \"chrono\", t_max = {} }}",
        found.data.longest.max(3)
    );
    let mut remedy = match (recipe.model.cell, recipe.model.init.gate_bias) {
        (CellKind::Lstm, GateBias::None) => {
            let open = FORGET.to_string();
            match found.data.longest > LONG {
                true => vec![chrono, open],
                false => vec![open, chrono],
            }
        }
        (CellKind::Lstm | CellKind::Gru, _) => vec![chrono],
        (CellKind::Rnn, _) => {
            let open = match found.data.longest > LONG {
                true => chrono,
                false => FORGET.to_string(),
            };
            let lstm = format!("model.cell = \"lstm\"\n{open}");
            vec![
                lstm,
                "model.init.recurrent = { kind = \"orthogonal\" }".into(),
            ]
        }
    };
    if reads_end(recipe) {
        remedy.push("model.readout = \"mean\"".into());
    }
    remedy
}

/// The norm to which gradients are clipped in the end, if they are.
fn bound(clip: &Clip) -> Option<f64> {
    match clip {
        Clip::Norm { max, p: 2.0 } => match *max {
            Limit::Constant(max) | Limit::Ramp { to: max, .. } => Some(max),
        },
        _ => None,
    }
}

/// Whether gradients grow through time, or are far above the bound to which they are clipped.
pub(super) fn grows(recipe: &Recipe, found: &Measurements) -> bool {
    let through_time = found.flows.iter().any(|flow| flow.ratio() > GROWS);
    let bound = bound(&recipe.training.clip);
    through_time || bound.is_some_and(|bound| found.losses.norm > GROWS * bound)
}

/// Gradients grow through time, and clipping leaves nothing of their direction but that of the first steps.
pub(super) fn exploding(recipe: &Recipe, found: &Measurements, _: &[Finding]) -> Option<Finding> {
    let most = found
        .flows
        .iter()
        .max_by(|a, b| a.ratio().total_cmp(&b.ratio()));
    let most: &Flow = most?;
    let (ratio, norm) = (most.ratio(), found.losses.norm);
    (grows(recipe, found) && stuck(found) && recipe.training.clip != Clip::None).then(|| Finding {
        name: "exploding_gradients".into(),
        severity: Severity::Fault,
        evidence: format!(
            "the gradient that reaches the first tenth of a sequence is {} times that of the last tenth ({}, {} state); the \
             median of the gradient norm is {} before clipping; {}",
            figure(ratio),
            most.place,
            most.state,
            figure(norm),
            outcome(found)
        ),
        advice: "start with recurrent weights whose powers do not grow, or use a cell with gates".into(),
        remedy: match (recipe.model.cell, recipe.model.activation) {
            // A ReLU passes what the identity holds, and halves what other orthogonal matrices turn: Le et al., 2015,
            // https://arxiv.org/abs/1504.00941.
            (CellKind::Rnn, Activation::Relu) => lines([
                "model.init.recurrent = { kind = \"identity\" }",
                "model.activation = \"tanh\"\nmodel.init.recurrent = { kind = \"orthogonal\" }",
            ]),
            (CellKind::Rnn, _) => lines([
                "model.init.recurrent = { kind = \"orthogonal\" }",
                "model.activation = \"tanh\"",
            ]),
            _ => lines(["model.init.recurrent = { kind = \"orthogonal\" }"]),
        },
        source: "Pascanu et al., 2013, https://arxiv.org/abs/1211.5063".into(),
    })
}
