//! Constraints on weights: projections after each step of an optimiser.
//!
//! A step of the optimiser leaves the set of weights that a constraint allows; the projection goes back to it. No gradient
//! flows through it, and the optimiser's momenta stay as they are.
//!
//! | constraint | acts on | afterwards |
//! |---|---|---|
//! | [`MaxNorm`](Constraint::MaxNorm) | each column | norm at most `max` |
//! | [`UnitNorm`](Constraint::UnitNorm) | each column | norm 1 |
//! | [`NonNegative`](Constraint::NonNegative) | each weight | at least 0 |
//! | [`SpectralNorm`](Constraint::SpectralNorm) | each gate's block, or the matrix | largest singular value at most `max` |
//! | [`SpectralRadius`](Constraint::SpectralRadius) | each gate's block | largest magnitude of an eigenvalue at most `max` |
//! | [`Orthogonal`](Constraint::Orthogonal) | each gate's block | orthogonal |
//!
//! The block of a gate is `[d_hidden, d_hidden]` in recurrent weights `[d_hidden, gates·d_hidden]`; how many gates there are
//! is told by the shape.
//!
//! What satisfies its constraint up to rounding stays as it is, bit for bit, so that a second projection changes nothing.
//! Up to rounding means within 1e-12 for `f64`, and 16 times the distance from 1 to the next number for other types
//! (2e-6 for `f32`).

mod matrix;
mod norms;
mod orthogonal;
mod project;
mod spectral;

use burn::module::Module;
use burn::tensor::DType;
use serde::{Deserialize, Serialize};

use crate::Targets;

/// What weights have to be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Constraint {
    /// Columns whose norm is greater than `max` are scaled to it: `w · min(1, max / ‖w‖)`.
    ///
    /// As Keras' `MaxNorm` up to its ε of 1e-7, which keeps norms a little below `max`.
    MaxNorm {
        /// Greatest L2 norm, finite and above 0.
        max: f64,
        /// The dimension over which a norm is taken. Default: 0, as in Keras: in weights `[d_input, d_output]` the norm of a
        /// column, all weights that enter one unit.
        #[serde(default)]
        axis: usize,
    },
    /// Columns are scaled to norm 1: `w / ‖w‖`. A column of zeros has no direction and stays, as in Keras' `UnitNorm`.
    UnitNorm {
        /// As for `MaxNorm`.
        #[serde(default)]
        axis: usize,
    },
    /// Negative weights become 0.
    NonNegative,
    /// A block whose largest singular value σ is greater than `max` is multiplied by `max / σ`.
    ///
    /// This keeps the block's direction; it is not the nearest block within the bound, which would cut single singular
    /// values. σ is the root of the spectral radius of `AᵀA` or `AAᵀ`, the smaller one; see `SpectralRadius`.
    SpectralNorm {
        /// Greatest singular value, finite and above 0.
        max: f64,
        /// What is taken for a block. Default: `block`.
        #[serde(default)]
        per: Part,
    },
    /// A block whose spectral radius ρ, the largest magnitude of its real and complex eigenvalues, is greater than `max` is
    /// multiplied by `max / ρ`.
    ///
    /// ρ is found by repeated squaring: ρ = lim ‖Aᵐ‖^(1/m), Gelfand's formula, where every m gives an upper bound. It stops
    /// when the bound moves less than 1e-7 of itself, after some 25 products of blocks, or 44 if ρ is as near to `max`;
    /// earlier if ρ is below it. The block ends up within `max`. Eigenvalues of blocks that are far from normal depend on
    /// the last digits of the weights; so does what satisfies this constraint.
    ///
    /// Yildiz et al., *Re-visiting the echo state property*, 2012, <https://doi.org/10.1016/j.neunet.2012.07.005>, say
    /// what a radius below 1 is worth.
    SpectralRadius {
        /// Greatest magnitude of an eigenvalue, finite and above 0.
        max: f64,
    },
    /// Each block becomes the nearest orthogonal matrix, its polar factor `A (AᵀA)^(−1/2)`.
    ///
    /// By the Newton–Schulz iteration `X ← X (3 I − XᵀX) / 2`, with two products of blocks for each of some ten to sixty
    /// rounds. A block is singular, and an error, if its smallest singular value is so much smaller than its largest
    /// (about 1e-10 of it, or 1e-4 on devices without `f64`) that the iteration does not get there.
    ///
    /// Björck and Bowie, *An Iterative Algorithm for Computing the Best Estimate of an Orthogonal Matrix*, 1971,
    /// <https://doi.org/10.1137/0708036>
    Orthogonal,
}

/// What a [`SpectralNorm`](Constraint::SpectralNorm) is of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The block `[d_hidden, d_hidden]` of each gate in recurrent weights `[d_hidden, gates·d_hidden]`.
    #[default]
    Block,
    /// The whole matrix `[d_input, d_output]`.
    Matrix,
}

impl Constraint {
    /// Checks the bound.
    ///
    /// # Errors
    /// If `max` is not a finite number above 0.
    pub fn validate(&self) -> Result<(), ConstraintError> {
        match *self {
            Self::MaxNorm { max, .. }
            | Self::SpectralNorm { max, .. }
            | Self::SpectralRadius { max }
                if !(max.is_finite() && max > 0.0) =>
            {
                Err(ConstraintError::Bound { found: max })
            }
            _ => Ok(()),
        }
    }
}

/// A constraint on some parameters of a network.
///
/// # Examples
/// ```
/// use burn::module::{Module, Param};
/// use burn::tensor::{Device, Tensor};
/// use rekindle_regularize::Targets;
/// use rekindle_regularize::constraint::{Constrained, Constraint};
///
/// #[derive(Module, Debug)]
/// struct Rnn {
///     weight_hh: Param<Tensor<2>>,
/// }
///
/// // Turns by a right angle and doubles: its eigenvalues are 2i and −2i.
/// let weight_hh = Param::from_data([[0.0, 2.0], [-2.0, 0.0]], &Device::default());
/// let constrained = Constrained {
///     constraint: Constraint::SpectralRadius { max: 1.0 },
///     targets: Targets::recurrent(),
/// };
/// let rnn = constrained.apply(Rnn { weight_hh })?;
/// let weight = rnn.weight_hh.val().into_data();
/// assert!((weight.iter::<f64>().nth(1).unwrap() - 1.0).abs() < 1e-6);
/// # Ok::<(), rekindle_regularize::constraint::ConstraintError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constrained {
    /// What the weights have to be.
    pub constraint: Constraint,
    /// Which weights.
    pub targets: Targets,
}

impl Constrained {
    /// The network with its weights projected: to be called after each step of the optimiser. Parameters keep their ids and
    /// whether they are trained.
    ///
    /// The network is lost with an error; whoever wants to go on with it clones it before.
    ///
    /// # Errors
    /// If the bound is not valid, no parameter is meant, or one of them is not finite, has no shape that the constraint can
    /// act on, or is singular where it would have to become orthogonal.
    pub fn apply<M: Module>(&self, module: M) -> Result<M, ConstraintError> {
        self.constraint.validate()?;
        project::project(self, module)
    }
}

/// A constraint that cannot be met.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ConstraintError {
    /// A bound that is not finite or not above 0.
    #[error("`max` is {found}, expected a finite number above 0")]
    Bound {
        /// The bound.
        found: f64,
    },
    /// No parameter is meant.
    #[error("no parameter matches `{targets}`; those of the network are {}", available.join(", "))]
    NoMatch {
        /// The patterns.
        targets: String,
        /// Paths of the float parameters that there are.
        available: Vec<String>,
    },
    /// A parameter holds NaN or an infinity.
    #[error(
        "`{path}` has {found} of {elements} values that are not finite, expected none; lower the learning rate or clip gradients"
    )]
    NotFinite {
        /// Path of the parameter.
        path: String,
        /// Number of its values that are not finite.
        found: usize,
        /// Number of its values.
        elements: usize,
    },
    /// A parameter lacks the dimension over which a norm is taken.
    #[error("`{path}` has shape {found:?}, expected a dimension {axis} to take a norm over")]
    NoAxis {
        /// Path of the parameter.
        path: String,
        /// The dimension.
        axis: usize,
        /// Shape of the parameter.
        found: Vec<usize>,
    },
    /// A parameter is no matrix.
    #[error("`{path}` has shape {found:?}, expected a matrix")]
    NoMatrix {
        /// Path of the parameter.
        path: String,
        /// Its shape.
        found: Vec<usize>,
    },
    /// A parameter has no square block for each gate.
    #[error(
        "`{path}` has shape {found:?}, expected [d_hidden, gates·d_hidden], a square block for each gate"
    )]
    NoBlocks {
        /// Path of the parameter.
        path: String,
        /// Its shape.
        found: Vec<usize>,
    },
    /// A block has no nearest orthogonal matrix.
    #[error(
        "block {block} of `{path}` is singular, expected one of full rank, which has a nearest orthogonal matrix"
    )]
    Singular {
        /// Path of the parameter.
        path: String,
        /// Index of the gate.
        block: usize,
    },
}

/// How far a weight may be from its constraint and stay as it is, relative to the bound.
fn tolerance(dtype: DType) -> f64 {
    match dtype {
        DType::F64 => 1e-12,
        DType::F16 => 16.0 * 2f64.powi(-10),
        DType::BF16 => 16.0 * 2f64.powi(-7),
        _ => 16.0 * f64::from(f32::EPSILON),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_in_their_range() {
        let radius = |max| Constraint::SpectralRadius { max };
        assert_eq!(radius(1e-3).validate(), Ok(()));
        for found in [0.0, -1.0, f64::INFINITY] {
            let error = Err(ConstraintError::Bound { found });
            assert_eq!(radius(found).validate(), error);
            let per = Part::Matrix;
            assert_eq!(
                Constraint::SpectralNorm { max: found, per }.validate(),
                error
            );
            let max_norm = Constraint::MaxNorm {
                max: found,
                axis: 0,
            };
            assert_eq!(max_norm.validate(), error);
        }
        assert!(radius(f64::NAN).validate().is_err());
        assert_eq!(Constraint::Orthogonal.validate(), Ok(()));
    }
}
