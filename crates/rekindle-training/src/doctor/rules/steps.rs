//! Faults of the steps: rates and clipping.

use rekindle_optim::Clip;

use super::{figure, lines, outcome, severity, stuck};
use crate::doctor::{Finding, Flow, Jacobian, Measurements, Severity};
use crate::recipe::{Optimizer, Recipe, TrainingRecipe};

/// A gradient norm of so many times the median is a jump that clipping is for: Pascanu et al., 2013,
/// <https://arxiv.org/abs/1211.5063>, clip at "half to ten times" the average norm.
const JUMP: f64 = 10.0;

/// Below this a norm does no harm, however small the median is.
const HARMLESS: f64 = 10.0;

/// Gradients that grow by this from the end of a sequence to its beginning explode.
pub(super) const GROWS: f64 = 100.0;

/// Gradients explode, and nothing bounds them.
pub(super) fn not_clipped(recipe: &Recipe, found: &Measurements, _: &[Finding]) -> Option<Finding> {
    let losses = &found.losses;
    let jumps = losses.greatest_norm > JUMP * losses.norm && losses.greatest_norm > HARMLESS;
    let ratio = found.flows.iter().map(Flow::ratio).fold(0.0, f64::max);
    let breaks = losses.not_finite.is_some() || losses.skipped > 0;
    let explodes = breaks || jumps || (ratio > GROWS && stuck(found));
    (recipe.training.clip == Clip::None && explodes).then(|| {
        let radius = found.jacobians.iter().map(Jacobian::largest).fold(0.0, f64::max);
        Finding {
            name: "no_clipping".into(),
            severity: match losses.spikes > 0 {
                true => Severity::Fault,
                false => severity(found),
            },
            evidence: format!(
                "gradients are not clipped: their norm is {} in the middle and {} at most, the first steps get {} times the \
                 gradient of the last, and a step multiplies its state by up to {}; {}",
                figure(losses.norm),
                figure(losses.greatest_norm),
                figure(ratio),
                figure(radius),
                outcome(found)
            ),
            advice: "bound the norm of the gradient; it keeps its direction".into(),
            remedy: lines([
                "training.clip = { kind = \"norm\", max = 1.0 }",
                "model.init.recurrent = { kind = \"orthogonal\" }",
            ]),
            source: "ten times the usual norm: Pascanu et al., 2013, https://arxiv.org/abs/1211.5063".into(),
        }
    })
}

/// Updates should be about a thousandth of the weights (Karpathy, CS231n, <https://cs231n.github.io/neural-networks-3/>);
/// Adam's first steps are larger by nature, up to a few hundredths with the rates that are usual. A tenth is a hundred times
/// too much.
const LARGE: f64 = 0.1;

/// A rate whose steps leave nothing of the weights.
pub(super) fn too_large_rate(
    recipe: &Recipe,
    found: &Measurements,
    earlier: &[Finding],
) -> Option<Finding> {
    let ratio = found.updates.greatest();
    let harmed = stuck(found) || found.losses.spikes > 1;
    let is_explained = earlier.iter().any(|finding| finding.name == "no_clipping");
    (ratio > LARGE && harmed && !is_explained).then(|| {
        let tenth = recipe.training.lr / 10.0;
        let lr = match recipe.training.optimizer {
            // Whatever the gradient is, their steps are as long as the rate.
            Optimizer::Adam { .. }
            | Optimizer::Adamw { .. }
            | Optimizer::Radam { .. }
            | Optimizer::Nadam { .. } => tenth.min(TrainingRecipe::default().lr),
            _ => tenth,
        };
        Finding {
            name: "learning_rate_too_large".into(),
            severity: severity(found),
            evidence: format!(
                "steps change the weights by up to {} of their size, healthy is about 0.001; {} spikes of the loss, and {}",
                figure(ratio),
                found.losses.spikes,
                outcome(found)
            ),
            advice: "lower the learning rate".into(),
            remedy: vec![format!("training.lr = {}", rounded(lr))],
            source: "about 1e-3: CS231n, https://cs231n.github.io/neural-networks-3/".into(),
        }
    })
}

/// A hundredth of the healthy ratio.
const SMALL: f64 = 1e-5;

/// A rate whose steps do nothing.
pub(super) fn too_small_rate(
    recipe: &Recipe,
    found: &Measurements,
    earlier: &[Finding],
) -> Option<Finding> {
    let ratio = found.updates.ratio();
    (ratio < SMALL && stuck(found) && earlier.is_empty()).then(|| Finding {
        name: "learning_rate_too_small".into(),
        severity: severity(found),
        evidence: format!(
            "a step changes the weights by {} of their size, healthy is about 0.001; {}",
            figure(ratio),
            outcome(found)
        ),
        advice: "raise the learning rate, or check its schedule with `rekindle schedule`".into(),
        remedy: vec![format!(
            "training.lr = {}",
            rounded(recipe.training.lr * 100.0)
        )],
        source: "about 1e-3: CS231n, https://cs231n.github.io/neural-networks-3/".into(),
    })
}

/// A rate to one digit.
fn rounded(lr: f64) -> f64 {
    format!("{lr:.0e}").parse().unwrap_or(lr)
}
