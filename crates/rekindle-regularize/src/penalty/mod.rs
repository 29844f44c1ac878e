//! Penalties: numbers to add to a loss.
//!
//! | penalty | of |
//! |---|---|
//! | [`ActivationPenalty`], [`TemporalPenalty`] | the outputs of a layer, and their changes from step to step |
//! | [`WeightPenalty`] | chosen weights: L1, L2, group Lasso over rows or columns |
//! | [`UnitGroup::group_lasso`](crate::units::UnitGroup::group_lasso) | everything that belongs to a hidden unit: intrinsic sparse structures |
//!
//! Each is a tensor `[1]` that autodiff can differentiate. Where a norm has no derivative, at 0, the gradient is 0. Sums
//! over 16-bit floats are taken in `f32`; the penalties of weights stay in it, those of outputs get the outputs' type.

mod activation;
mod structure;
mod weights;

use burn::tensor::{FloatDType, Tensor};

pub use activation::{ActivationPenalty, TemporalPenalty};
pub use structure::unit_squares;
pub use weights::{PenaltyKind, WeightPenalty};

/// A penalty that cannot be taken.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PenaltyError {
    /// A strength that is negative or not finite.
    #[error("`{field}` is {found}, expected a finite number of at least 0")]
    Strength {
        /// Name of the strength: `alpha`, `beta`, `strength`.
        field: &'static str,
        /// The strength.
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
    /// A parameter that has no rows and columns.
    #[error("`{path}` has shape {found:?}, expected a matrix, which has rows and columns")]
    NoMatrix {
        /// Path of the parameter.
        path: String,
        /// Its shape.
        found: Vec<usize>,
    },
    /// A unit stands outside a parameter.
    #[error(
        "the units of `{path}` reach index {end} of dimension {axis}, expected all within shape {found:?}"
    )]
    Outside {
        /// Path of the parameter.
        path: String,
        /// The dimension along which the units stand.
        axis: usize,
        /// Index of the last entry of the last unit.
        end: usize,
        /// Shape of the parameter.
        found: Vec<usize>,
    },
}

/// `Ok` if a strength is finite and not negative.
fn validate(field: &'static str, found: f64) -> Result<(), PenaltyError> {
    if found.is_finite() && found >= 0.0 {
        Ok(())
    } else {
        Err(PenaltyError::Strength { field, found })
    }
}

/// The root, with a gradient of 0 at 0.
fn root(squares: Tensor<1>) -> Tensor<1> {
    let zero = squares.clone().equal_scalar(0.0);
    let root = squares.mask_fill(zero.clone(), 1.0).sqrt();
    root.mask_fill(zero, 0.0)
}

/// Adds up parts of equal shape that may lie on different devices or have different types: those of the first count.
fn add(sum: Option<Tensor<1>>, part: Tensor<1>) -> Tensor<1> {
    match sum {
        None => part,
        Some(sum) => {
            let part = part.to_device(&sum.device());
            let part = part.cast(FloatDType::from(sum.dtype()));
            sum + part
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{DType, Device};

    #[test]
    fn strengths_are_in_their_range() {
        assert_eq!(validate("alpha", 0.0), Ok(()));
        for found in [-1.0, f64::INFINITY] {
            let field = "alpha";
            assert_eq!(
                validate(field, found),
                Err(PenaltyError::Strength { field, found })
            );
        }
        let message = validate("beta", f64::NAN).map_err(|error| error.to_string());
        let expected = "`beta` is NaN, expected a finite number of at least 0";
        assert_eq!(message, Err(expected.to_string()));
    }

    #[test]
    fn parts_of_other_types_add_up() {
        let device = Device::default();
        let part = |number: f64, dtype| Tensor::<1>::from_data([number], (&device, dtype));
        let sum = add(Some(part(0.5, DType::F32)), part(0.25, DType::F64));
        assert_eq!(sum.dtype(), DType::F32);
        assert_eq!(sum.into_scalar::<f32>(), 0.75);
    }
}
