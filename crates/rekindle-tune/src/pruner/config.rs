//! Pruners as values.

use std::fmt;

use serde::de::value::{MapAccessDeserializer, MapDeserializer};
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::asha::Asha;
use super::hyperband::Hyperband;
use super::median::Median;
use super::{Never, Pruner, PrunerError};

/// Which trials are stopped before their end.
///
/// In a file a pruner is a table with a `kind`, such as `{ kind = "asha", min_steps = 2 }`, or the kind alone, such as
/// `"asha"`; keys that the kind does not have are refused.
///
/// Every kind compares the *best* value that a trial has had so far with the best values that others had by the same step,
/// not the last ones: what a trial is kept for is mostly its best step, a single noisy step stops nothing, and both sides
/// are measured alike. A trial whose values so far are all not numbers is stopped at the first decision. Trials that are
/// equally good are stopped together or not at all. The best trial so far is never stopped, and neither is one that has
/// come to its last step.
///
/// # Examples
/// ```
/// use rekindle_tune::{Direction, History, Point, PrunerConfig, State, Trial};
///
/// let trial = |number, loss| Trial {
///     number,
///     point: Point::default(),
///     state: State::Running,
///     curve: vec![(1, loss)],
///     value: None,
/// };
/// let config: PrunerConfig = toml::from_str("kind = 'asha'\nreduction = 2")?;
/// config.validate()?;
///
/// let mut history = History::new(Direction::Minimize);
/// history.trials = vec![trial(0, 0.7), trial(1, 0.9)];
/// let pruner = config.pruner(40);
/// assert!(!pruner.prune(&history, &trial(2, 0.5)));
/// assert!(pruner.prune(&history, &trial(2, 0.8)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(
    remote = "Self",
    tag = "kind",
    rename_all = "snake_case",
    deny_unknown_fields
)]
pub enum PrunerConfig {
    /// None is stopped.
    None {},
    /// The median stopping rule: a trial stops if more than half of the trials that went to their end were better by then.
    ///
    /// ```text
    /// stop trial x at step t  where  |{y complete : best_t(y) better than best_t(x)}| > percentile / 100 · |{y complete}|
    /// ```
    ///
    /// A trial that ended of itself before the step counts with its best value.
    ///
    /// # Differences
    /// Vizier compares the best value with the median of the others' *running means*, Optuna with that of their values at
    /// the very step; here both sides are best values. Of an even number of trials a value between the two in the middle
    /// lets a trial go on, where a median is their mean.
    ///
    /// # References
    /// Golovin et al., *Google Vizier: A Service for Black-Box Optimization*, 2017,
    /// <https://doi.org/10.1145/3097983.3098043>
    Median {
        /// How many other trials must have gone to their end before any is stopped. Default: 5, as in Optuna: the median
        /// of fewer says little.
        #[serde(default = "five")]
        startup_trials: u64,
        /// Steps of each trial in which it is not stopped. Default: 0, as in Optuna.
        #[serde(default)]
        warm_up_steps: u64,
        /// Steps from one decision to the next, counted from the warm-up; at least 1. Default: 1, all of them.
        #[serde(default = "one")]
        interval: u64,
        /// How many of the others may be better, in percent: above 0, at most 100. Default: 50, the median. Smaller ones
        /// stop more.
        #[serde(default = "half")]
        percentile: f64,
    },
    /// Asynchronous successive halving: at each rung only the best part of the trials that came there goes on.
    ///
    /// ```text
    /// rungs  min_steps · η^k,  k = 0, 1, …,  below the last step
    /// a trial goes on at a rung if fewer than max(1, ⌊n / η⌋) others were better there
    /// ```
    ///
    /// n is how many trials have come to the rung so far, this one too, whatever became of them later. So of the first
    /// η - 1 to come to a rung only those go on that are the best until then, and the very first does always. Nothing waits
    /// for others: a trial that went on early may turn out to be none of the best η-th, which is what the search pays for
    /// needing no synchronisation.
    ///
    /// # Differences
    /// The paper's form *promotes*: it halts each trial at a rung and takes one up again once it is among the best η-th.
    /// This is the form that *stops*: who does not go on at once never does, so that no trial has to be kept to be resumed.
    /// Optuna's `SuccessiveHalvingPruner` decides by the last value at the rung; its factor is 4 by default, and its first
    /// rung a hundredth of the steps.
    ///
    /// # References
    /// Li et al., *A System for Massively Parallel Hyperparameter Tuning*, 2020, <https://arxiv.org/abs/1810.05934>
    Asha {
        /// The first rung: the steps that every trial has; at least 1. From the last step on, nothing is stopped.
        /// Default: 1.
        #[serde(default = "one")]
        min_steps: u64,
        /// η: one in so many goes on at a rung, at least 2. Default: 3, the whole number next to e, which the bounds
        /// in Hyperband's paper favour; 4 saves more.
        #[serde(default = "three")]
        reduction: u64,
    },
    /// Several brackets of asynchronous successive halving, which begin to decide at different steps.
    ///
    /// ```text
    /// s_max = ⌊log_η(last step / min_steps)⌋
    /// bracket b = 0 … s_max:  first rung  min_steps · η^b,  ⌈(s_max + 1) η^s / (s + 1)⌉ trials of each round,  s = s_max - b
    /// ```
    ///
    /// The brackets cost about equally many steps. The first stops early and tries many points, the last stops none: it is
    /// for curves whose beginning says little about their end. A trial is compared with those of its bracket alone. The
    /// bracket is a function of the trial's number, such that successive numbers are spread over the brackets in proportion.
    ///
    /// # Differences
    /// The paper runs brackets one after the other, with rungs counted down from the last step, and waits at each rung;
    /// here they run beside each other, rungs are counted from the first as in ASHA, and nothing waits. Optuna draws the
    /// bracket by a hash of study and number; its shares are the same.
    ///
    /// # References
    /// Li et al., *Hyperband: A Novel Bandit-Based Approach to Hyperparameter Optimization*, 2018,
    /// <https://arxiv.org/abs/1603.06560>
    Hyperband {
        /// The first rung of the first bracket, at least 1. Default: 1.
        #[serde(default = "one")]
        min_steps: u64,
        /// η: one in so many goes on at a rung, at least 2. Default: 3, as in the paper.
        #[serde(default = "three")]
        reduction: u64,
    },
}

fn one() -> u64 {
    1
}

fn three() -> u64 {
    3
}

fn five() -> u64 {
    5
}

fn half() -> f64 {
    50.0
}

/// Stops nothing.
impl Default for PrunerConfig {
    fn default() -> Self {
        Self::None {}
    }
}

impl PrunerConfig {
    /// The median stopping rule with its defaults.
    pub fn median() -> Self {
        Self::Median {
            startup_trials: five(),
            warm_up_steps: 0,
            interval: one(),
            percentile: half(),
        }
    }

    /// Asynchronous successive halving with its defaults.
    pub fn asha() -> Self {
        Self::Asha {
            min_steps: one(),
            reduction: three(),
        }
    }

    /// Hyperband with its defaults.
    pub fn hyperband() -> Self {
        Self::Hyperband {
            min_steps: one(),
            reduction: three(),
        }
    }

    /// Checks every number.
    ///
    /// # Errors
    /// The first number that is out of its range.
    pub fn validate(&self) -> Result<(), PrunerError> {
        let at_least = |least: u64, field, found: u64, expected| {
            PrunerError::unless(found >= least, field, found as f64, expected)
        };
        match *self {
            Self::None {} => Ok(()),
            Self::Median {
                interval,
                percentile,
                ..
            } => {
                at_least(1, "interval", interval, "at least 1")?;
                let valid = 0.0 < percentile && percentile <= 100.0;
                let expected = "a number above 0 and at most 100";
                PrunerError::unless(valid, "percentile", percentile, expected)
            }
            Self::Asha {
                min_steps,
                reduction,
            }
            | Self::Hyperband {
                min_steps,
                reduction,
            } => {
                at_least(1, "min_steps", min_steps, "at least 1")?;
                at_least(2, "reduction", reduction, "at least 2")
            }
        }
    }

    /// The pruner for trials that have at most `max_steps` steps.
    ///
    /// # Panics
    /// If [`validate`](Self::validate) finds an error, with its message.
    pub fn pruner(&self, max_steps: u64) -> Box<dyn Pruner + Send + Sync> {
        if let Err(error) = self.validate() {
            panic!("{error}");
        }
        match *self {
            Self::None {} => Box::new(Never),
            Self::Median {
                startup_trials,
                warm_up_steps,
                interval,
                percentile,
            } => Box::new(Median {
                startup_trials,
                warm_up_steps,
                interval,
                percentile,
                max_steps,
            }),
            Self::Asha {
                min_steps,
                reduction,
            } => Box::new(Asha {
                min_steps,
                reduction,
                max_steps,
            }),
            Self::Hyperband {
                min_steps,
                reduction,
            } => Box::new(Hyperband {
                min_steps,
                reduction,
                max_steps,
            }),
        }
    }
}

impl Serialize for PrunerConfig {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

/// A table with a kind, or the kind alone.
impl<'de> Deserialize<'de> for PrunerConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = PrunerConfig;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the kind of a pruner, or a table with it")
            }

            fn visit_str<E: Error>(self, kind: &str) -> Result<PrunerConfig, E> {
                let table = MapDeserializer::new([("kind", kind)].into_iter());
                PrunerConfig::deserialize(table)
            }

            fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<PrunerConfig, A::Error> {
                PrunerConfig::deserialize(MapAccessDeserializer::new(table))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{from_value, json};

    #[test]
    fn a_kind_alone_has_the_defaults() {
        let kinds = [
            ("none", PrunerConfig::default()),
            ("median", PrunerConfig::median()),
            ("asha", PrunerConfig::asha()),
            ("hyperband", PrunerConfig::hyperband()),
        ];
        for (kind, config) in kinds {
            assert_eq!(from_value::<PrunerConfig>(json!(kind)).unwrap(), config);
            let table = json!({ "kind": kind });
            assert_eq!(from_value::<PrunerConfig>(table).unwrap(), config);
            let written = serde_json::to_value(&config).unwrap();
            assert_eq!(from_value::<PrunerConfig>(written).unwrap(), config);
        }
    }

    #[test]
    fn what_is_unknown_is_refused() {
        let refused = |value| from_value::<PrunerConfig>(value).unwrap_err().to_string();
        assert!(refused(json!("ahsa")).contains("unknown variant `ahsa`"));
        assert!(refused(json!({ "kind": "asha", "min": 3 })).contains("unknown field `min`"));
        assert!(refused(json!({ "kind": "none", "min": 3 })).contains("unknown field `min`"));
        assert!(refused(json!(3)).contains("the kind of a pruner, or a table with it"));
    }

    #[test]
    fn numbers_out_of_range_are_named() {
        let message = |value| {
            let config: PrunerConfig = from_value(value).unwrap();
            config.validate().unwrap_err().to_string()
        };
        assert_eq!(
            message(json!({ "kind": "asha", "reduction": 1 })),
            "reduction is 1, expected at least 2"
        );
        assert_eq!(
            message(json!({ "kind": "hyperband", "min_steps": 0 })),
            "min_steps is 0, expected at least 1"
        );
        assert_eq!(
            message(json!({ "kind": "median", "percentile": 0 })),
            "percentile is 0, expected a number above 0 and at most 100"
        );
        assert_eq!(
            message(json!({ "kind": "median", "interval": 0 })),
            "interval is 0, expected at least 1"
        );
    }
}
