//! Dropouts of recurrent networks: masks as functions of shapes and probabilities.
//!
//! | dropout | acts on | mask |
//! |---|---|---|
//! | [`VariationalDropout`] | inputs, outputs, the hidden state in the recurrent product | `[batch, width]`, one for all steps |
//! | [`RecurrentDropout`] | the candidate of a cell | `[batch, seq, d_hidden]` or `[batch, 1, d_hidden]` |
//! | [`Zoneout`] | the states | `[batch, seq, width]`, 1 keeps the old value |
//! | [`WeightDrop`] | the recurrent weights | that of the weights |
//! | [`EmbeddingDropout`] | a table of embeddings | `[vocabulary, 1]` |
//!
//! All are values for training. They know no mode: at evaluation the caller does not call them, but for
//! [`Zoneout::expected`]. A probability of 0 is the identity, bit for bit, and draws no numbers.
//!
//! Masks are drawn from the device's generator: after [`Device::seed`](burn::tensor::Device::seed) they are the same in
//! every run of a program that draws in the same order. They are constants, and get no gradients. What creates a mask
//! takes a device, or a device with a type: `&device`, `(&device, DType::F64)`. The type has to be that of what the mask
//! is multiplied with.

mod embedding;
mod recurrent;
mod variational;
mod weight;
mod zoneout;

use burn::tensor::{Distribution, Tensor, TensorCreationOptions};

pub use embedding::EmbeddingDropout;
pub use recurrent::{RecurrentDropout, Redraw};
pub use variational::VariationalDropout;
pub use weight::WeightDrop;
pub use zoneout::Zoneout;

/// What can be wrong with a dropout that was read from a file.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DropoutError {
    /// A probability outside its range.
    #[error("`prob` is {found}, expected a number in [0, 1)")]
    Prob {
        /// The probability.
        found: f64,
    },
}

/// `Ok` if a probability is in `[0, 1)`.
fn validate(prob: f64) -> Result<(), DropoutError> {
    if (0.0..1.0).contains(&prob) {
        Ok(())
    } else {
        Err(DropoutError::Prob { found: prob })
    }
}

/// Panics with the message of [`validate`].
fn assert_valid(prob: f64) {
    if let Err(error) = validate(prob) {
        panic!("{error}");
    }
}

/// 0 with probability `prob`, otherwise `1 / (1 − prob)`, so that the expectation of a product with it is the other
/// factor.
///
/// # Panics
/// If `prob` is not in `[0, 1)`.
fn scaled_mask<const D: usize>(
    prob: f64,
    shape: [usize; D],
    options: TensorCreationOptions,
) -> Tensor<D> {
    assert_valid(prob);
    if prob == 0.0 {
        return Tensor::ones(shape, options);
    }
    let kept = 1.0 - prob;
    Tensor::random(shape, Distribution::Bernoulli(kept), options) * (1.0 / kept)
}

/// What a tensor is created with to fit another one: its device and type.
fn options_of<const D: usize>(tensor: &Tensor<D>) -> TensorCreationOptions {
    TensorCreationOptions::from((&tensor.device(), tensor.dtype()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_are_in_their_range() {
        for prob in [0.0, 0.5, 0.999] {
            assert_eq!(validate(prob), Ok(()));
        }
        for prob in [-0.1, 1.0, 1.5, f64::INFINITY] {
            assert_eq!(validate(prob), Err(DropoutError::Prob { found: prob }));
        }
        assert!(validate(f64::NAN).is_err());
        let message = DropoutError::Prob { found: 1.0 }.to_string();
        assert_eq!(message, "`prob` is 1, expected a number in [0, 1)");
    }

    #[test]
    #[should_panic(expected = "`prob` is 1, expected a number in [0, 1)")]
    fn a_mask_needs_a_probability() {
        let _ = scaled_mask(1.0, [2], TensorCreationOptions::default());
    }
}
