//! Penalties on chosen weights.

use std::collections::HashSet;

use burn::module::{Module, Param, ParamId};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::{PenaltyError, add, root, validate};
use crate::Targets;
use crate::path::{Visit, visit};
use crate::precision::at_least_f32;

/// A penalty on the weights of a network that its targets mean.
///
/// ```text
/// l1       λ Σ |w|
/// l2       λ/2 Σ w²                  so that its gradient is λ w, a decay of weights
/// rows     λ Σ_rows √(Σ_row w²)
/// columns  λ Σ_columns √(Σ_column w²)
/// ```
///
/// A parameter that the network holds twice counts once.
///
/// # Differences
/// With optimisers that adapt to gradients, such as Adam, `l2` is not the decoupled decay of AdamW. Groups have no factor
/// for their size: Yuan and Lin's √size is the same for all groups of a matrix.
///
/// # References
/// - Yuan and Lin, *Model Selection and Estimation in Regression with Grouped Variables*, 2006,
///   <https://doi.org/10.1111/j.1467-9868.2005.00532.x>
///
/// # Examples
/// ```
/// use burn::module::{Module, Param};
/// use burn::tensor::{Device, Tensor};
/// use rekindle_regularize::Targets;
/// use rekindle_regularize::penalty::{PenaltyKind, WeightPenalty};
///
/// #[derive(Module, Debug)]
/// struct Cell {
///     weight_hh: Param<Tensor<2>>,
/// }
///
/// let weight_hh = Param::from_data([[3.0, 0.0], [4.0, 1.0]], &Device::default());
/// let penalty = WeightPenalty {
///     kind: PenaltyKind::Columns,
///     strength: 0.1,
///     targets: Targets::recurrent(),
/// };
/// let penalty = penalty.of(&Cell { weight_hh })?;
/// assert!((penalty.into_scalar::<f64>() - 0.6).abs() < 1e-6);
/// # Ok::<(), rekindle_regularize::penalty::PenaltyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeightPenalty {
    /// What is added up.
    pub kind: PenaltyKind,
    /// Strength λ, finite and at least 0.
    pub strength: f64,
    /// Which weights.
    pub targets: Targets,
}

/// What a [`WeightPenalty`] adds up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PenaltyKind {
    /// Magnitudes: sparse weights.
    L1,
    /// Half the squares: small weights.
    L2,
    /// Norms of rows, `[d_input, ·]` or `[d_hidden, ·]`: whole inputs, or whole hidden units as they are read, become 0.
    /// Only for matrices.
    Rows,
    /// Norms of columns, `[·, gates·d_hidden]`: whole gates of hidden units become 0. Only for matrices.
    Columns,
}

impl WeightPenalty {
    /// Checks the strength.
    ///
    /// # Errors
    /// If it is negative or not finite.
    pub fn validate(&self) -> Result<(), PenaltyError> {
        validate("strength", self.strength)
    }

    /// The penalty of a network: `[1]`.
    ///
    /// # Errors
    /// If the strength is not valid, no parameter is meant, or one is no matrix where rows or columns are added up.
    pub fn of<M: Module>(&self, module: &M) -> Result<Tensor<1>, PenaltyError> {
        self.validate()?;
        let mut sum = Sum {
            penalty: self,
            seen: HashSet::new(),
            available: Vec::new(),
            sum: Ok(None),
        };
        visit(module, &mut sum);
        sum.sum?.ok_or_else(|| PenaltyError::NoMatch {
            targets: self.targets.to_string(),
            available: sum.available,
        })
    }
}

/// Adds up the penalties of the parameters that are meant.
struct Sum<'a> {
    penalty: &'a WeightPenalty,
    seen: HashSet<ParamId>,
    available: Vec<String>,
    sum: Result<Option<Tensor<1>>, PenaltyError>,
}

impl Sum<'_> {
    fn penalty_of<const D: usize>(
        &self,
        weight: Tensor<D>,
        path: String,
    ) -> Result<Tensor<1>, PenaltyError> {
        let strength = self.penalty.strength;
        let kind = self.penalty.kind;
        if D != 2 && matches!(kind, PenaltyKind::Rows | PenaltyKind::Columns) {
            let found = weight.dims().to_vec();
            return Err(PenaltyError::NoMatrix { path, found });
        }
        let weight = at_least_f32(weight);
        let over_groups = |weight: Tensor<D>, summed: usize| {
            let squares = weight.square().sum_dim(summed);
            let groups = squares.shape().num_elements();
            root(squares.reshape([groups])).sum() * strength
        };
        Ok(match kind {
            PenaltyKind::L1 => weight.abs().sum() * strength,
            PenaltyKind::L2 => weight.square().sum() * (strength / 2.0),
            PenaltyKind::Rows => over_groups(weight, 1),
            PenaltyKind::Columns => over_groups(weight, 0),
        })
    }
}

impl Visit for Sum<'_> {
    fn visit<const D: usize>(&mut self, path: String, param: &Param<Tensor<D>>) {
        self.available.push(path.clone());
        if let Ok(sum) = &self.sum
            && self.penalty.targets.contains(&path)
            && self.seen.insert(param.id)
        {
            let sum = sum.clone();
            self.sum = (self.penalty_of(param.val(), path)).map(|part| Some(add(sum, part)));
        }
    }
}
