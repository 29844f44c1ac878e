//! Normalisation as a recipe writes it: a name, or a table with a `kind` and its numbers.

use rekindle_cells::{Normalization, Peepholes, Reset};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use toml::Value;

use super::activation::table_of;
use super::validate::{MOST_WEIGHTS, check, hidden_columns};
use super::{CellKind, ModelRecipe, Recipe, RecipeError};

/// The table of a normalisation. Numbers that are left out are PyTorch's.
#[derive(Serialize, Deserialize)]
#[serde(
    remote = "Normalization",
    tag = "kind",
    rename_all = "snake_case",
    deny_unknown_fields
)]
enum NormalizationTable {
    None,
    Layer {
        #[serde(default = "epsilon")]
        epsilon: f64,
    },
    Rms {
        #[serde(default = "epsilon")]
        epsilon: f64,
    },
    Batch {
        /// 0: as the training data have it.
        #[serde(default)]
        max_steps: usize,
        #[serde(default = "momentum")]
        momentum: f64,
        #[serde(default = "epsilon")]
        epsilon: f64,
    },
    SequenceBatch {
        #[serde(default = "momentum")]
        momentum: f64,
        #[serde(default = "epsilon")]
        epsilon: f64,
    },
}

fn epsilon() -> f64 {
    1e-5
}

fn momentum() -> f64 {
    0.1
}

/// No normalisation is its name.
pub(super) fn serialize<S: Serializer>(
    normalization: &Normalization,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match normalization {
        Normalization::None => normalization.serialize(serializer),
        _ => NormalizationTable::serialize(normalization, serializer),
    }
}

/// A name alone stands for its kind.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Normalization, D::Error> {
    let value = table_of(Value::deserialize(deserializer)?);
    NormalizationTable::deserialize(value)
        .map_err(|error| serde::de::Error::custom(error.message()))
}

/// The steps that two sequences of an average batch reach, at least 1: running statistics of later ones would be taken
/// too seldom.
fn steps_with_statistics(mut lengths: Vec<usize>, batch_size: usize) -> usize {
    lengths.sort_unstable_by(|a, b| b.cmp(a));
    let in_batch = batch_size.min(lengths.len()).max(1);
    let two_in_each = (2 * lengths.len()).div_ceil(in_batch);
    let shortest = two_in_each.min(lengths.len()).saturating_sub(1);
    lengths.get(shortest).copied().unwrap_or(1).max(1)
}

impl Recipe {
    /// The recipe for training sequences of these lengths: what is left to the data is filled in.
    ///
    /// That is `model.normalization.max_steps`, if it is 0.
    pub(crate) fn for_lengths(&self, lengths: Vec<usize>) -> Self {
        let steps = steps_with_statistics(lengths, self.training.batch_size);
        Self {
            model: self.model.with_max_steps(steps),
            ..self.clone()
        }
    }
}

impl ModelRecipe {
    /// The same with `max_steps` where that of a batch normalisation is left to the data.
    pub(crate) fn with_max_steps(&self, steps: usize) -> Self {
        let mut model = self.clone();
        if let Normalization::Batch { max_steps, .. } = &mut model.normalization
            && *max_steps == 0
        {
            *max_steps = steps;
        }
        model
    }

    /// Checks that the recurrent product comes in one part if it is normalised.
    fn check_recurrent_norm(&self, name: &str) -> Result<(), RecipeError> {
        let of_recurrent_product =
            !matches!(self.normalization, Normalization::SequenceBatch { .. });
        check(
            !(of_recurrent_product && self.cell == CellKind::Gru && self.reset == Reset::Before),
            "model.normalization",
            format!("\"{name}\" with model.reset = \"before\""),
            "\"sequence_batch\" or \"none\", or model.reset = \"after\": reset before it, the recurrent product comes in \
             two parts, which have no norm together",
        )?;
        check(
            !(of_recurrent_product
                && self.cell == CellKind::Lstm
                && self.peepholes == Peepholes::Full),
            "model.normalization",
            format!("\"{name}\" with model.peepholes = \"full\""),
            "\"sequence_batch\" or \"none\", or model.peepholes = \"diagonal\": with full peepholes the recurrent product \
             comes in two parts, which have no norm together",
        )
    }

    /// Checks that the cell can have the normalisation, and its numbers.
    pub(super) fn check_normalization(&self, batch_size: usize) -> Result<(), RecipeError> {
        let (name, epsilon, momentum) = match self.normalization {
            Normalization::None => return Ok(()),
            Normalization::Layer { epsilon } => ("layer", epsilon, 1.0),
            Normalization::Rms { epsilon } => ("rms", epsilon, 1.0),
            Normalization::Batch {
                momentum, epsilon, ..
            } => ("batch", epsilon, momentum),
            Normalization::SequenceBatch { momentum, epsilon } => {
                ("sequence_batch", epsilon, momentum)
            }
        };
        self.check_recurrent_norm(name)?;
        check(
            epsilon > 0.0 && epsilon.is_finite(),
            "model.normalization.epsilon",
            epsilon,
            "a finite number above 0",
        )?;
        check(
            momentum > 0.0 && momentum <= 1.0,
            "model.normalization.momentum",
            momentum,
            "a number in (0, 1]",
        )?;
        let Normalization::Batch { max_steps, .. } = self.normalization else {
            return Ok(());
        };
        check(
            batch_size > 1,
            "training.batch_size",
            format!("{batch_size} with model.normalization = \"batch\""),
            "at least 2: it takes means and variances over a batch",
        )?;
        check(
            (max_steps as u128).saturating_mul(hidden_columns(self)) <= MOST_WEIGHTS,
            "model.normalization.max_steps",
            max_steps,
            "fewer steps: at most 2^28 running means",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_average_batch_reaches_the_steps_with_statistics() {
        // Ten sequences in batches of four: five of the ten are two in each batch.
        let lengths = vec![3, 9, 8, 7, 6, 5, 4, 2, 1, 10];
        assert_eq!(steps_with_statistics(lengths.clone(), 4), 6);
        // One batch holds all of them: the second longest counts.
        assert_eq!(steps_with_statistics(lengths.clone(), 32), 9);
        // Batches of two: both must reach it.
        assert_eq!(steps_with_statistics(lengths, 2), 1);
        assert_eq!(steps_with_statistics(vec![7; 20], 8), 7);
        assert_eq!(steps_with_statistics(Vec::new(), 8), 1);
    }

    #[test]
    fn what_the_recipe_says_stays() {
        let with = |normalization| ModelRecipe {
            normalization,
            ..ModelRecipe::default()
        };
        let steps = |model: ModelRecipe| match model.with_max_steps(12).normalization {
            Normalization::Batch { max_steps, .. } => max_steps,
            other => panic!("{other:?}"),
        };
        assert_eq!(steps(with(Normalization::batch(0))), 12);
        assert_eq!(steps(with(Normalization::batch(5))), 5);
        let layer = with(Normalization::LAYER);
        assert_eq!(layer.with_max_steps(12), layer);
    }
}
