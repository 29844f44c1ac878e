//! The section `[tune]`.

use std::time::Duration;

use rekindle_tune::{History, PrunerConfig, SamplerConfig};
use serde::{Deserialize, Serialize};
use toml::Value;

use super::super::RecipeError;
use super::super::keys::{Key, key};
use super::super::parse::{Source, in_words};

/// The keys of the section.
pub(super) const KEYS: &[Key] = &[
    key(
        "tune.sampler",
        "\"tpe\"",
        "what proposes the values of a trial: \"random\", \"grid\", \"quasi_random\", \"tpe\" or \"cma_es\", or a table with that kind",
    ),
    key(
        "tune.pruner",
        "\"asha\"",
        "what stops trials that are not worth going on with: \"none\", \"median\", \"asha\" or \"hyperband\", or a table with that kind",
    ),
    key(
        "tune.seed",
        "0",
        "where the sampler's random numbers start; the runs have the recipe's own seed, and those that follow it",
    ),
    key(
        "tune.repeats",
        "1",
        "runs of each trial, at least 1, with the recipe's seed and those that follow it; trials are compared by their mean",
    ),
    key(
        "tune.trials",
        "50 (without another bound)",
        "trials in all, at least 1",
    ),
    key(
        "tune.epochs",
        "(no bound)",
        "no trial begins once so many epochs were trained in all runs of all trials",
    ),
    key(
        "tune.minutes",
        "(no bound)",
        "no trial begins once a worker has worked so many minutes",
    ),
];

/// How what a recipe leaves open is searched for: the section `[tune]`.
///
/// What is searched for is the metric that `training.watch` names, in the epoch whose weights are kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TuneRecipe {
    /// What proposes the values of a trial. Default: TPE.
    pub sampler: SamplerConfig,
    /// What stops trials that are not worth going on with. Default: ASHA.
    pub pruner: PrunerConfig,
    /// Where the sampler's random numbers start; the runs have the recipe's own seed, and those that follow it. Default: 0.
    pub seed: u64,
    /// Runs of each trial, at least 1, with the recipe's seed and those that follow it: other weights to begin with, other noise,
    /// and where validation data are held out of the training data, other ones. They go on epoch by epoch, side by side;
    /// pruners and samplers see their mean. Default: 1.
    #[serde(skip_serializing_if = "is_one")]
    pub repeats: u64,
    /// Trials in all, at least 1. Default: 50, without another bound no bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trials: Option<u64>,
    /// No trial begins once so many epochs were trained in all runs of all trials, at least 1. Default: no bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epochs: Option<u64>,
    /// No trial begins once a worker has worked so many minutes, a positive number. Default: no bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minutes: Option<f64>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_one(repeats: &u64) -> bool {
    *repeats == 1
}

/// How many trials there are if nothing is said.
const TRIALS: u64 = 50;

impl Default for TuneRecipe {
    fn default() -> Self {
        Self {
            sampler: SamplerConfig::default(),
            pruner: PrunerConfig::asha(),
            seed: 0,
            repeats: 1,
            trials: None,
            epochs: None,
            minutes: None,
        }
    }
}

impl TuneRecipe {
    /// How long a worker begins trials; none: without end.
    pub fn time(&self) -> Option<Duration> {
        let time = self
            .minutes
            .map(|minutes| Duration::try_from_secs_f64(60.0 * minutes));
        time.map(|time| time.unwrap_or(Duration::MAX))
    }

    /// Epochs trained in all runs of all trials, as if each run of a trial had come as far as the one that came farthest.
    pub fn epochs_of(&self, history: &History) -> u64 {
        history.steps() as u64 * self.repeats
    }

    /// How many trials there are in all: as said, or 50 if nothing else bounds the search.
    pub fn limit(&self) -> Option<u64> {
        let is_bounded = self.epochs.is_some() || self.minutes.is_some();
        self.trials.or((!is_bounded).then_some(TRIALS))
    }
}

/// The section as it stands in a table.
pub(super) fn read(source: &Source, section: Option<Value>) -> Result<TuneRecipe, RecipeError> {
    let Some(section) = section else {
        return Ok(TuneRecipe::default());
    };
    let Value::Table(table) = &section else {
        let problem = format!("found {section}, expected a section with keys");
        return Err(source.value("tune", problem));
    };
    let names: Vec<&str> = KEYS.iter().map(|key| key.path).collect();
    for name in table.keys() {
        let key = format!("tune.{name}");
        if !names.contains(&key.as_str()) {
            return Err(source.unknown_among(key, &names));
        }
    }
    let tune: TuneRecipe = serde_path_to_error::deserialize(section).map_err(|error| {
        let key = format!("tune.{}", error.path());
        source.value(&key, in_words(error.into_inner().message().trim()))
    })?;
    check(source, &tune)?;
    Ok(tune)
}

fn check(source: &Source, tune: &TuneRecipe) -> Result<(), RecipeError> {
    let wrong = |key: &str, problem: String| Err(source.value(key, problem));
    if let Err(error) = tune.pruner.validate() {
        return wrong("tune.pruner", error.to_string());
    }
    for (key, count) in [
        ("tune.repeats", Some(tune.repeats)),
        ("tune.trials", tune.trials),
        ("tune.epochs", tune.epochs),
    ] {
        if count == Some(0) {
            return wrong(key, "found 0, expected at least 1".into());
        }
    }
    match tune.minutes {
        Some(minutes) if !is_time(minutes) => {
            let problem = format!("found {minutes}, expected a positive number");
            wrong("tune.minutes", problem)
        }
        _ => Ok(()),
    }
}

/// Whether a number of minutes can be waited for.
fn is_time(minutes: f64) -> bool {
    let time = Duration::try_from_secs_f64(60.0 * minutes);
    time.is_ok_and(|time| time > Duration::ZERO)
}
