//! The section `[regularize]`: noise in cells, penalties and constraints.

use rekindle_cells::CellDropout;
use rekindle_regularize::Targets;
use rekindle_regularize::constraint::{Constrained, Constraint};
use rekindle_regularize::penalty::WeightPenalty;
use serde::{Deserialize, Serialize};

use super::RecipeError;
use super::validate::check;

/// The section `[regularize]`. By default nothing is regularised.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct RegularizeRecipe {
    /// Noise in the cells of all layers, in training. Default: none.
    ///
    /// The `output` of the last layer acts behind the stack: on its outputs as they are merged and connected, and by the
    /// same mask on what it puts out at the end. So it acts whatever the readout is.
    pub dropout: CellDropout,
    /// α of activation regularisation: the mean square of the stack's outputs after dropout, α times, is added to the
    /// loss. Finite and at least 0; 2 in Merity et al., 2017, <https://arxiv.org/abs/1708.02182>. Default: 0.
    pub activation: f64,
    /// β of temporal activation regularisation: the same of the change of outputs from step to step, before dropout.
    /// Finite and at least 0; 1 in the same paper. Default: 0.
    pub temporal_activation: f64,
    /// Penalties on weights that are added to the loss. Default: none.
    pub penalties: Vec<WeightPenalty>,
    /// λ of the group lasso of hidden units: the norms of all weights that make or read a unit, λ times, are added to the
    /// loss, so that whole units empty and can be taken out (Intrinsic Sparse Structures, Wen et al., 2018,
    /// <https://arxiv.org/abs/1709.05027>). Finite and at least 0. Default: 0.
    pub units: f64,
    /// Constraints on weights, in the order in which they are met. Default: none.
    #[serde(with = "super::constrained")]
    pub constraints: Vec<Constrained>,
    /// Steps of the optimiser from one projection to the next, at least 1. The last step of an epoch is always followed
    /// by one, so that what is scored and saved meets the constraints. Default: 1.
    pub constrain_every: usize,
}

impl Default for RegularizeRecipe {
    fn default() -> Self {
        Self {
            dropout: CellDropout::default(),
            activation: 0.0,
            temporal_activation: 0.0,
            penalties: Vec::new(),
            units: 0.0,
            constraints: Vec::new(),
            constrain_every: 1,
        }
    }
}

const STRENGTH: &str = "a finite number of at least 0";
const PROBABILITY: &str = "a probability in [0, 1)";

/// A value in a list or a table and what it should be.
pub(super) fn check_entry(
    is_right: bool,
    key: String,
    found: impl ToString,
    expected: &'static str,
) -> Result<(), RecipeError> {
    if is_right {
        return Ok(());
    }
    let found = found.to_string();
    Err(RecipeError::Entry {
        key,
        found,
        expected,
    })
}

pub(super) fn check_targets(list: String, targets: &Targets) -> Result<(), RecipeError> {
    let patterns = &targets.patterns;
    check_entry(
        patterns.iter().any(|pattern| !pattern.starts_with('!')),
        format!("{list}.targets"),
        format!("{patterns:?}"),
        "at least one pattern that is not after \"!\", such as \"weight_hh\"",
    )
}

impl RegularizeRecipe {
    /// Checks the ranges. Whether targets mean a parameter is seen when there is a network.
    pub(super) fn check(&self) -> Result<(), RecipeError> {
        for (name, value) in self.dropout.probabilities() {
            let key = format!("regularize.{name}");
            check_entry((0.0..1.0).contains(&value), key, value, PROBABILITY)?;
        }
        let is_strength = |value: f64| value >= 0.0 && value.is_finite();
        for (key, value) in [
            ("regularize.activation", self.activation),
            ("regularize.temporal_activation", self.temporal_activation),
            ("regularize.units", self.units),
        ] {
            check(is_strength(value), key, value, STRENGTH)?;
        }
        for (index, penalty) in self.penalties.iter().enumerate() {
            let entry = format!("regularize.penalties[{index}]");
            let strength = penalty.strength;
            let key = format!("{entry}.strength");
            check_entry(is_strength(strength), key, strength, STRENGTH)?;
            check_targets(entry, &penalty.targets)?;
        }
        for (index, constrained) in self.constraints.iter().enumerate() {
            let entry = format!("regularize.constraints[{index}]");
            if let Constraint::MaxNorm { max, .. }
            | Constraint::SpectralNorm { max, .. }
            | Constraint::SpectralRadius { max } = constrained.constraint
            {
                let is_bound = max > 0.0 && max.is_finite();
                let key = format!("{entry}.max");
                check_entry(is_bound, key, max, "a finite number above 0")?;
            }
            check_targets(entry, &constrained.targets)?;
        }
        check(
            self.constrain_every > 0,
            "regularize.constrain_every",
            self.constrain_every,
            "at least 1",
        )
    }
}
