//! Faults of the data, before any network.

use rekindle_data::Scaling;

use super::{figure, lines, percent, severity};
use crate::doctor::{Channel, Finding, Measurements};
use crate::recipe::Recipe;

/// A quarter of the sequences with a tail, and a tenth of all steps in tails, is no accident. By our own runs: of the shipped
/// data sets none has a tenth of this.
const TAILED: f64 = 0.25;
/// See [`TAILED`].
const TAILED_STEPS: f64 = 0.1;

/// Ends that do not change are counted as steps.
pub(super) fn padding_as_steps(_: &Recipe, found: &Measurements, _: &[Finding]) -> Option<Finding> {
    let tails = &found.data.tails;
    (tails.sequences >= TAILED && tails.steps >= TAILED_STEPS).then(|| Finding {
        name: "padding_as_steps".into(),
        severity: severity(found),
        evidence: format!(
            "{} of the sequences end in steps that are all the same, {} of all steps: this looks like padding that is \
             counted as steps, so that what the network remembers at the end is the padding",
            percent(tails.sequences),
            percent(tails.steps)
        ),
        advice: "cut the sequences in the file at their true lengths; if the ends are real, read the mean over all steps"
            .into(),
        remedy: lines(["model.readout = \"mean\""]),
        source: "a quarter of the sequences and a tenth of the steps, by our own data sets".into(),
    })
}

/// Channels are expected at about mean 0 and variance 1: LeCun et al., *Efficient BackProp*, 1998,
/// <https://doi.org/10.1007/3-540-49430-8_2>. Ten times that is far beyond what weights are drawn for.
const LARGE: f64 = 10.0;

/// A channel of less than this is lost beside biases and other channels.
const SMALL: f64 = 0.01;

/// Channels of another size than weights are drawn for.
pub(super) fn unscaled_inputs(
    recipe: &Recipe,
    found: &Measurements,
    _: &[Finding],
) -> Option<Finding> {
    let size = |channel: &Channel| channel.mean.hypot(channel.std);
    let channels = &found.data.channels;
    let large = channels.iter().filter(|channel| size(channel) > LARGE);
    let small = |channel: &&Channel| channel.std > 0.0 && size(channel) < SMALL;
    let all = channels.len();
    let off: Vec<&Channel> = large.chain(channels.iter().filter(small)).collect();
    let worst = off.iter().max_by(|a, b| {
        let distance = |channel: &Channel| size(channel).ln().abs();
        distance(a).total_cmp(&distance(b))
    })?;
    let is_scaled = recipe.data.scaling == Scaling::Standard;
    (!is_scaled).then(|| Finding {
        name: "unscaled_inputs".into(),
        severity: severity(found),
        evidence: format!(
            "{} of {all} channels are far from mean 0 and variance 1; {:?} has mean {} and standard deviation {}",
            off.len(),
            worst.name,
            figure(worst.mean),
            figure(worst.std)
        ),
        advice: "scale the channels; the scaler is fitted on the training data and kept with the run".into(),
        remedy: lines(["data.scaling = \"standard\""]),
        source: "LeCun et al., 1998, https://doi.org/10.1007/3-540-49430-8_2".into(),
    })
}
