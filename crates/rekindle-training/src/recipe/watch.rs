//! The metric that decides.

use std::fmt;

use rekindle_data::TokenKind;
use rekindle_optim::Mode;
use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize, Serializer};

use super::validate::check;
use super::{Learns, Recipe, RecipeError};
use crate::{EpochRow, Metric, Metrics};

/// The metric that decides about the learning rate, about stopping, and about which weights are kept.
///
/// In a recipe: `"valid_accuracy"`, `"train_loss"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watch {
    /// Whether it is measured over the validation set; else over the training data.
    pub valid: bool,
    /// The metric.
    pub metric: Metric,
}

/// The loss over the validation set.
impl Default for Watch {
    fn default() -> Self {
        Self::valid(Metric::Loss)
    }
}

impl Watch {
    /// All that can be watched.
    const NAMES: [&'static str; 9] = [
        "valid_loss",
        "valid_accuracy",
        "valid_macro_f1",
        "valid_rmse",
        "valid_mae",
        "valid_r2",
        "valid_perplexity",
        "valid_bits_per_character",
        "train_loss",
    ];

    /// A metric over the validation set.
    pub fn valid(metric: Metric) -> Self {
        Self {
            valid: true,
            metric,
        }
    }

    /// The loss over the training data.
    pub fn train_loss() -> Self {
        Self {
            valid: false,
            metric: Metric::Loss,
        }
    }

    /// The metric's value in an epoch; `None` if it was not measured.
    pub fn value(self, row: &EpochRow) -> Option<f64> {
        let scores = if self.valid { &row.valid } else { &row.train };
        scores.get(self.metric)
    }

    /// Whether less or more is better.
    pub fn mode(self) -> Mode {
        match self.metric.is_less_better() {
            true => Mode::Min,
            false => Mode::Max,
        }
    }

    /// Whether a value is better than the best one so far. A NaN never is.
    pub fn is_better(self, value: f64, best: Option<f64>) -> bool {
        match best {
            None => !value.is_nan(),
            Some(best) if self.mode() == Mode::Min => value < best,
            Some(best) => value > best,
        }
    }
}

impl Recipe {
    /// What a run of the recipe measures.
    pub fn metrics(&self) -> Metrics {
        match self.learns() {
            Learns::Labels(kind) if kind.is_class() => Metrics {
                train: &[Metric::Loss, Metric::Accuracy],
                valid: &[Metric::Loss, Metric::Accuracy, Metric::MacroF1],
            },
            Learns::Labels(_) => Metrics {
                train: &[Metric::Loss],
                valid: &[Metric::Loss, Metric::Rmse, Metric::Mae, Metric::R2],
            },
            Learns::Text(TokenKind::Character) => Metrics {
                train: &[Metric::Loss, Metric::BitsPerCharacter],
                valid: &[Metric::Loss, Metric::BitsPerCharacter],
            },
            Learns::Text(TokenKind::Word) => Metrics {
                train: &[Metric::Loss, Metric::Perplexity],
                valid: &[Metric::Loss, Metric::Perplexity, Metric::BitsPerCharacter],
            },
        }
    }

    /// Checks that what is watched is measured.
    pub(super) fn check_watched(&self) -> Result<(), RecipeError> {
        let Watch { valid, metric } = self.training.watch;
        check(
            !valid || self.metrics().valid.contains(&metric),
            "training.watch",
            format!("\"{}\"", self.training.watch),
            match self.learns() {
                Learns::Labels(kind) if kind.is_class() => {
                    "\"valid_loss\", \"valid_accuracy\", \"valid_macro_f1\" or \"train_loss\" of a classifier"
                }
                Learns::Labels(_) => {
                    "\"valid_loss\", \"valid_rmse\", \"valid_mae\", \"valid_r2\" or \"train_loss\" where answers are numbers"
                }
                Learns::Text(TokenKind::Character) => {
                    "\"valid_loss\", \"valid_bits_per_character\" or \"train_loss\" of a text of characters"
                }
                Learns::Text(TokenKind::Word) => {
                    "\"valid_loss\", \"valid_perplexity\", \"valid_bits_per_character\" or \"train_loss\" of a text of words"
                }
            },
        )
    }
}

impl fmt::Display for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set = if self.valid { "valid" } else { "train" };
        write!(f, "{set}_{}", self.metric)
    }
}

impl Serialize for Watch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Watch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let valid = Metric::ALL.into_iter().map(Self::valid);
        let mut all = valid.chain([Self::train_loss()]);
        all.find(|watch| watch.to_string() == text)
            .ok_or_else(|| D::Error::unknown_variant(&text, &Self::NAMES))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_list() {
        let valid = Metric::ALL.into_iter().map(Watch::valid);
        let all: Vec<String> = valid
            .chain([Watch::train_loss()])
            .map(|watch| watch.to_string())
            .collect();
        assert_eq!(all, Watch::NAMES);
    }
}
