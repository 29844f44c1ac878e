//! Weight drop: dropout on weights.

use burn::tensor::{Tensor, TensorCreationOptions};
use serde::{Deserialize, Serialize};

use super::{DropoutError, assert_valid, options_of, scaled_mask, validate};

/// Dropout on the recurrent weights, each by itself, with one mask for all steps and rows of a forward call.
///
/// ```text
/// W̃ = M ⊙ W,    M ∈ {0, 1 / (1 − prob)}
/// ```
///
/// Draw once for each forward call and run the cell on `W̃`; the optimiser keeps `W`. Dropped weights get a gradient of 0
/// in that call, kept ones theirs times `1 / (1 − prob)`.
///
/// # References
/// - Wan et al., *Regularization of Neural Networks using DropConnect*, 2013,
///   <https://proceedings.mlr.press/v28/wan13.html>
/// - Merity et al., *Regularizing and Optimizing LSTM Language Models*, 2017, <https://arxiv.org/abs/1708.02182>
///
/// # Examples
/// ```
/// use burn::tensor::{Device, Tensor};
/// use rekindle_regularize::dropout::WeightDrop;
///
/// let weight_hh = Tensor::<2>::ones([8, 32], &Device::default());
/// let dropped = WeightDrop { prob: 0.5 }.apply(weight_hh);
/// assert!(dropped.into_data().iter::<f32>().all(|weight| weight == 0.0 || weight == 2.0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeightDrop {
    /// Probability that a weight is dropped, in `[0, 1)`.
    pub prob: f64,
}

impl WeightDrop {
    /// Checks the probability.
    ///
    /// # Errors
    /// If it is not in `[0, 1)`.
    pub fn validate(&self) -> Result<(), DropoutError> {
        validate(self.prob)
    }

    /// A new mask, of the shape of the weights, `[d_hidden, gates·d_hidden]`: 0 or `1 / (1 − prob)`.
    ///
    /// # Panics
    /// If `prob` is not in `[0, 1)`.
    pub fn mask<const D: usize>(
        &self,
        shape: [usize; D],
        options: impl Into<TensorCreationOptions>,
    ) -> Tensor<D> {
        scaled_mask(self.prob, shape, options.into())
    }

    /// The weights times a new mask.
    ///
    /// # Panics
    /// If `prob` is not in `[0, 1)`.
    pub fn apply<const D: usize>(&self, weight: Tensor<D>) -> Tensor<D> {
        assert_valid(self.prob);
        if self.prob == 0.0 {
            return weight;
        }
        let mask = self.mask(weight.dims(), options_of(&weight));
        weight * mask
    }
}
