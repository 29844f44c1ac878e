//! Penalties and constraints in a run.

use burn::tensor::{FloatDType, Tensor};
use rekindle_regularize::constraint::ConstraintError;
use rekindle_regularize::penalty::{
    ActivationPenalty, PenaltyError, TemporalPenalty, WeightPenalty,
};
use rekindle_regularize::units::UnitGroup;
use rekindle_regularize::{Targets, visit};

use crate::Network;
use crate::Scored;
use crate::rates::Paths;
use crate::recipe::RegularizeRecipe;
use crate::task::Fraction;

/// A penalty or constraint of a recipe that does not fit the network or its weights.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegularizeError {
    /// A penalty.
    #[error("regularize.penalties[{index}]: {source}")]
    Penalty {
        /// Its place in the list.
        index: usize,
        /// Why.
        source: PenaltyError,
    },
    /// The penalty on hidden units.
    #[error("regularize.units: {0}")]
    Units(#[source] PenaltyError),
    /// A constraint.
    #[error("regularize.constraints[{index}]: {source}")]
    Constraint {
        /// Its place in the list.
        index: usize,
        /// Why.
        source: ConstraintError,
    },
    /// Penalties that are no number.
    #[error(
        "the penalties of [regularize] add up to {value}, expected a finite number: {first} is {part}; lower its strength or training.lr"
    )]
    Sum {
        /// Their sum.
        value: f64,
        /// The first that is not finite, with its first such tensor; all, if only their sum is not.
        first: String,
        /// Its value.
        part: f64,
    },
}

/// The penalties and constraints of a recipe.
pub(crate) struct Regularizer<'a> {
    recipe: &'a RegularizeRecipe,
    batches_per_epoch: usize,
    /// The hidden units, if there is a penalty on them.
    units: Vec<UnitGroup>,
}

impl<'a> Regularizer<'a> {
    pub(crate) fn new(
        recipe: &'a RegularizeRecipe,
        batches_per_epoch: usize,
        network: &Network,
    ) -> Self {
        let units = match recipe.units > 0.0 {
            true => network.units(),
            false => Vec::new(),
        };
        Self {
            recipe,
            batches_per_epoch,
            units,
        }
    }

    /// Checks that each target means parameters, and that those have shapes that can be penalised and constrained so.
    ///
    /// A block that is singular is none of this: training may make it regular.
    pub(crate) fn check(&self, network: &Network) -> Result<(), RegularizeError> {
        self.of_weights(network)?;
        for (index, constrained) in self.recipe.constraints.iter().enumerate() {
            match constrained.apply(network.clone()) {
                Ok(_) | Err(ConstraintError::Singular { .. }) => (),
                Err(source) => return Err(RegularizeError::Constraint { index, source }),
            }
        }
        Ok(())
    }

    /// All penalties of a part of a lesson together, in the type of the loss; `None` if the recipe has none.
    pub(crate) fn penalty(
        &self,
        network: &Network,
        scored: &Scored,
        lengths: &[usize],
        fraction: Fraction,
    ) -> Result<Option<Tensor<1>>, RegularizeError> {
        let mut parts = match fraction.common > 0.0 {
            true => self.of_weights(network)?,
            false => Vec::new(),
        };
        let outputs = self.of_outputs(scored, lengths, fraction);
        parts.extend(outputs.map(|(_, part)| part));
        let dtype = FloatDType::from(scored.scores.dtype());
        let parts = parts.into_iter().map(|part| part.cast(dtype));
        let Some(sum) = parts.reduce(|sum, part| sum + part) else {
            return Ok(None);
        };
        let value = sum.clone().into_scalar::<f64>();
        match value.is_finite() {
            true => Ok(Some(sum)),
            false => {
                Err(self.sum_error(value, network, self.of_outputs(scored, lengths, fraction)))
            }
        }
    }

    /// The error of penalties that add up to a value that is not finite.
    fn sum_error(
        &self,
        value: f64,
        network: &Network,
        outputs: impl Iterator<Item = (&'static str, Tensor<1>)>,
    ) -> RegularizeError {
        let mut paths = Paths::default();
        visit(network, &mut paths);
        let weights = self.recipe.penalties.iter().enumerate();
        let weights = weights.flat_map(|(index, penalty)| {
            let meant = paths.0.iter().filter(|path| penalty.targets.contains(path));
            meant.filter_map(move |path| {
                let targets = Targets::new([path.as_str()]);
                let alone = WeightPenalty {
                    targets,
                    ..penalty.clone()
                };
                let name = format!("regularize.penalties[{index}] of `{path}`");
                Some((name, alone.of(network).ok()?))
            })
        });
        let units = self.units.iter().filter_map(|group| {
            let lasso = group.group_lasso(network, self.recipe.units).ok()?;
            Some((format!("regularize.units of {}", group.name), lasso))
        });
        let outputs = outputs.map(|(name, part)| (name.to_string(), part));
        let parts = weights.chain(units).chain(outputs);
        let mut parts = parts.map(|(name, part)| (name, part.into_scalar::<f64>()));
        let first = parts.find(|(_, part)| !part.is_finite());
        let (first, part) = first.unwrap_or_else(|| ("their sum".to_string(), value));
        RegularizeError::Sum { value, first, part }
    }

    /// The penalties on what the stack puts out, with their keys.
    fn of_outputs<'s>(
        &self,
        scored: &'s Scored,
        lengths: &'s [usize],
        Fraction { steps, pairs, .. }: Fraction,
    ) -> impl Iterator<Item = (&'static str, Tensor<1>)> + use<'s> {
        let RegularizeRecipe {
            activation: alpha,
            temporal_activation: beta,
            ..
        } = *self.recipe;
        let activation = (alpha > 0.0).then(|| {
            let dropped = scored.dropped.clone();
            let penalty = ActivationPenalty { alpha }.of(dropped, Some(lengths));
            ("regularize.activation", Fraction::part_of(steps, penalty))
        });
        let temporal = (beta > 0.0 && pairs > 0.0).then(|| {
            let output = scored.output.clone();
            let penalty = TemporalPenalty { beta }.of(output, Some(lengths));
            (
                "regularize.temporal_activation",
                Fraction::part_of(pairs, penalty),
            )
        });
        activation.into_iter().chain(temporal)
    }

    fn of_weights(&self, network: &Network) -> Result<Vec<Tensor<1>>, RegularizeError> {
        let mut parts = self.of_targets(network)?;
        for group in &self.units {
            let lasso = group.group_lasso(network, self.recipe.units);
            parts.push(lasso.map_err(RegularizeError::Units)?);
        }
        Ok(parts)
    }

    fn of_targets(&self, network: &Network) -> Result<Vec<Tensor<1>>, RegularizeError> {
        let of = |(index, penalty): (usize, &WeightPenalty)| {
            let penalty = penalty.of(network);
            penalty.map_err(|source| RegularizeError::Penalty { index, source })
        };
        self.recipe.penalties.iter().enumerate().map(of).collect()
    }

    /// The network after a step of the optimiser, counted from 1, on its constraints if they are due.
    pub(crate) fn constrained(
        &self,
        step: usize,
        network: Network,
    ) -> Result<Network, RegularizeError> {
        let ends_epoch = step.is_multiple_of(self.batches_per_epoch);
        if !ends_epoch && !step.is_multiple_of(self.recipe.constrain_every) {
            return Ok(network);
        }
        self.projected(network)
    }

    /// The network on its constraints.
    pub(crate) fn projected(&self, mut network: Network) -> Result<Network, RegularizeError> {
        for (index, constrained) in self.recipe.constraints.iter().enumerate() {
            network = constrained
                .apply(network)
                .map_err(|source| RegularizeError::Constraint { index, source })?;
        }
        Ok(network)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Input, Reads, Recipe, Shape};
    use burn::tensor::Device;

    const LENGTHS: [usize; 3] = [4, 1, 2];
    const WHOLE: Fraction = Fraction {
        answers: 1.0,
        steps: 1.0,
        pairs: 1.0,
        common: 1.0,
    };
    const SHAPE: Shape = Shape {
        reads: Reads::Channels(1),
        d_output: 2,
        each_step: false,
    };

    fn recipe(overrides: &[&str]) -> Recipe {
        let overrides: Vec<String> = overrides.iter().map(ToString::to_string).collect();
        Recipe::for_data("a.csv".as_ref(), &overrides).expect("a valid recipe")
    }

    /// Sums over the outputs of each sequence alone, and how many there are.
    fn alone(
        network: &Network,
        input: &Tensor<3>,
        of: impl Fn(Tensor<3>) -> Option<Tensor<3>>,
    ) -> f64 {
        let (mut sum, mut count) = (0.0, 0);
        for (row, length) in LENGTHS.into_iter().enumerate() {
            let input = input.clone().narrow(0, row, 1).narrow(1, 0, length);
            let Some(values) = of(network.score(Input::Values(input), &[length], None).output)
            else {
                continue;
            };
            count += values.shape().num_elements();
            sum += values.square().sum().into_scalar::<f64>();
        }
        sum / count as f64
    }

    #[test]
    fn padding_does_not_count() {
        let device = Device::default().autodiff();
        let numbers: Vec<f32> = (0..12).map(|number| (number as f32).sin()).collect();
        let input = Tensor::<1>::from_floats(numbers.as_slice(), &device).reshape([3, 4, 1]);
        let penalty = |overrides: &[&str]| {
            let recipe = recipe(overrides);
            let network = Network::init(&recipe, SHAPE, &device);
            let scored = network.score(Input::Values(input.clone()), &LENGTHS, None);
            let regularizer = Regularizer::new(&recipe.regularize, 5, &network);
            let penalty = regularizer.penalty(&network, &scored, &LENGTHS, WHOLE);
            let penalty = penalty
                .expect("it fits")
                .map(|sum| sum.into_scalar::<f64>());
            (penalty, network)
        };
        let (none, _) = penalty(&[]);
        assert_eq!(none, None);
        let (found, network) = penalty(&["regularize.activation=3"]);
        let expected = 3.0 * alone(&network, &input, Some);
        assert!((found.expect("a penalty") / expected - 1.0).abs() < 1e-5);
        let (found, network) = penalty(&["regularize.temporal_activation=2"]);
        let changes = |output: Tensor<3>| {
            let pairs = output.dims()[1] - 1;
            (pairs > 0).then(|| output.clone().narrow(1, 1, pairs) - output.narrow(1, 0, pairs))
        };
        let expected = 2.0 * alone(&network, &input, changes);
        assert!((found.expect("a penalty") / expected - 1.0).abs() < 1e-5);
    }

    #[test]
    fn projections_are_due_every_few_steps_and_at_the_end_of_epochs() {
        let device = Device::default().autodiff();
        let recipe = recipe(&[
            "regularize.constraints=[{kind='max_norm',max=0.01,targets=['head.weight']}]",
            "regularize.constrain_every=3",
        ]);
        let network = Network::init(&recipe, SHAPE, &device);
        let regularizer = Regularizer::new(&recipe.regularize, 5, &network);
        let weight = |network: &Network| {
            let head = network.head.as_ref().expect("a head of its own");
            head.weight.val().into_data()
        };
        let start = weight(&network);
        let due = |step: &usize| {
            let network = regularizer.constrained(*step, network.clone());
            weight(&network.expect("it is met")) != start
        };
        let steps: Vec<usize> = (1..=12).filter(due).collect();
        assert_eq!(steps, [3, 5, 6, 9, 10, 12]);
    }
}
