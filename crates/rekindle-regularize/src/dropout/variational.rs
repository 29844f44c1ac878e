//! Variational dropout: one mask for all steps of a sequence.

use burn::tensor::{Tensor, TensorCreationOptions};
use serde::{Deserialize, Serialize};

use super::{DropoutError, assert_valid, options_of, scaled_mask, validate};

/// Dropout whose mask is the same at all steps of a sequence; each row of a batch has its own.
///
/// ```text
/// y_t = m ⊙ x_t,    m ∈ {0, 1 / (1 − prob)}
/// ```
///
/// For the inputs and outputs of a layer, and, with a [`mask`](Self::mask) of its own, for the hidden state on its way
/// into the recurrent product.
///
/// # Differences
/// Gal and Ghahramani do not scale while training; here, as in the other dropouts, the scale is in the mask, and
/// evaluation does nothing.
///
/// # References
/// - Gal and Ghahramani, *A Theoretically Grounded Application of Dropout in Recurrent Neural Networks*, 2016,
///   <https://arxiv.org/abs/1512.05287>
///
/// # Examples
/// ```
/// use burn::tensor::{Device, Tensor};
/// use rekindle_regularize::dropout::VariationalDropout;
///
/// let input = Tensor::<3>::ones([2, 5, 4], &Device::default());
/// let output = VariationalDropout { prob: 0.5 }.apply(input);
/// let first = output.clone().narrow(1, 0, 1).into_data();
/// assert_eq!(first, output.narrow(1, 4, 1).into_data());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VariationalDropout {
    /// Probability that a number is dropped for the whole sequence, in `[0, 1)`.
    pub prob: f64,
}

impl VariationalDropout {
    /// Checks the probability.
    ///
    /// # Errors
    /// If it is not in `[0, 1)`.
    pub fn validate(&self) -> Result<(), DropoutError> {
        validate(self.prob)
    }

    /// A new mask: `[batch, width]`, 0 or `1 / (1 − prob)`.
    ///
    /// # Panics
    /// If `prob` is not in `[0, 1)`.
    pub fn mask(&self, shape: [usize; 2], options: impl Into<TensorCreationOptions>) -> Tensor<2> {
        scaled_mask(self.prob, shape, options.into())
    }

    /// Drops with a new mask. Input and output: `[batch, seq, width]`.
    ///
    /// # Panics
    /// If `prob` is not in `[0, 1)`.
    pub fn apply(&self, input: Tensor<3>) -> Tensor<3> {
        let [batch, _, width] = input.dims();
        self.apply_with_steps_at(1, [batch, width], input)
    }

    /// As [`apply`](Self::apply), with the steps first: `[seq, batch, width]`.
    ///
    /// # Panics
    /// If `prob` is not in `[0, 1)`.
    pub fn apply_time_major(&self, input: Tensor<3>) -> Tensor<3> {
        let [_, batch, width] = input.dims();
        self.apply_with_steps_at(0, [batch, width], input)
    }

    fn apply_with_steps_at(&self, steps: usize, shape: [usize; 2], input: Tensor<3>) -> Tensor<3> {
        assert_valid(self.prob);
        if self.prob == 0.0 {
            return input;
        }
        let mask = self.mask(shape, options_of(&input));
        input * mask.unsqueeze_dim::<3>(steps)
    }
}
