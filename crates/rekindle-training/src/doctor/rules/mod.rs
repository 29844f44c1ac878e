//! The rules: each reads the measurements and may find one fault. Thresholds are constants with their sources.
//!
//! A network that learns is not ill, whatever its figures: most rules speak only if it is [stuck].

mod data;
mod gradients;
mod labels;
mod parameters;
mod steps;
#[cfg(test)]
mod tests;
mod units;

use super::{Finding, Measurements, Severity};
use crate::recipe::Recipe;

/// Reads the measurements, and what rules before it have found.
pub(super) type Rule = fn(&Recipe, &Measurements, &[Finding]) -> Option<Finding>;

/// All rules, from causes to effects: what stands earlier explains what comes later.
pub(super) const RULES: [Rule; 12] = [
    data::padding_as_steps,
    data::unscaled_inputs,
    parameters::frozen_parameters,
    units::duplicated_units,
    steps::not_clipped,
    steps::too_large_rate,
    units::saturated_gates,
    units::dead_units,
    gradients::vanishing,
    gradients::exploding,
    steps::too_small_rate,
    labels::label_noise,
];

/// A network whose loss is above this share of that of guessing has learnt nothing worth the name.
///
/// With two classes in equal parts, 0.9 of 0.693 nats is what a classifier has that gives each true class 0.536.
const STUCK: f64 = 0.9;

/// Whether training gets nowhere: the loss is that of guessing or worse, or not finite.
pub(super) fn stuck(measurements: &Measurements) -> bool {
    let losses = &measurements.losses;
    // Without a step nothing is known; a loss that is no number is stuck.
    let learns = losses.steps == 0 || losses.last < STUCK * losses.guess;
    losses.not_finite.is_some() || !learns
}

/// A fault if the network is stuck, a warning if it learns.
fn severity(measurements: &Measurements) -> Severity {
    match stuck(measurements) {
        true => Severity::Fault,
        false => Severity::Warning,
    }
}

/// What the loss says, for the end of an evidence.
fn outcome(measurements: &Measurements) -> String {
    let losses = &measurements.losses;
    match losses.not_finite {
        Some(step) => format!("the loss or gradient of step {step} is not finite"),
        None => format!(
            "the loss after {} steps is {}, that of guessing {}",
            losses.steps,
            figure(losses.last),
            figure(losses.guess)
        ),
    }
}

/// A number with three digits.
fn figure(value: f64) -> String {
    if value == 0.0 || (1e-3..1e5).contains(&value.abs()) {
        let digits = (2 - value.abs().max(1e-3).log10().floor() as i32).clamp(0, 5);
        let text = format!("{value:.*}", digits as usize);
        return match text.contains('.') {
            true => text.trim_end_matches('0').trim_end_matches('.').to_string(),
            false => text,
        };
    }
    format!("{value:.1e}")
}

/// A share in percent.
fn percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}

/// Owned lines.
fn lines<const N: usize>(lines: [&str; N]) -> Vec<String> {
    lines.map(str::to_string).to_vec()
}
