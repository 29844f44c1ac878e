//! Zoneout: states that keep their old value.

use burn::tensor::{Distribution, Tensor, TensorCreationOptions};
use serde::{Deserialize, Serialize};

use super::{DropoutError, assert_valid, validate};

/// Some numbers of a state keep their old value in a step, others each time; at evaluation every number keeps a fraction.
///
/// ```text
/// training     s′ = k_t ⊙ s + (1 − k_t) ⊙ new,     k_t ∈ {0, 1}, P(k_t = 1) = prob
/// evaluation   s′ = prob · s + (1 − prob) · new
/// ```
///
/// Each state of a cell has its own: the paper uses other rates for the cell state than for the hidden state.
///
/// # References
/// - Krueger et al., *Zoneout: Regularizing RNNs by Randomly Preserving Hidden Activations*, 2017,
///   <https://arxiv.org/abs/1606.01305>
///
/// # Examples
/// ```
/// use burn::tensor::{Device, Tensor};
/// use rekindle_regularize::dropout::Zoneout;
///
/// let device = Device::default();
/// let (old, new) = (Tensor::<2>::zeros([2, 3], &device), Tensor::<2>::ones([2, 3], &device));
/// let zoneout = Zoneout { prob: 0.25 };
///
/// let keep: Tensor<2> = zoneout.mask([2, 1, 3], &device).squeeze_dim(1);
/// let trained = zoneout.apply(old.clone(), new.clone(), keep.clone());
/// assert_eq!(trained.into_data(), (-keep + 1.0).into_data());
///
/// let evaluated = zoneout.expected(old, new);
/// assert_eq!(evaluated.into_data().iter::<f32>().next(), Some(0.75));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Zoneout {
    /// Probability that a number keeps its old value, in `[0, 1)`; at evaluation the fraction that it keeps.
    pub prob: f64,
}

impl Zoneout {
    /// Checks the probability.
    ///
    /// # Errors
    /// If it is not in `[0, 1)`.
    pub fn validate(&self) -> Result<(), DropoutError> {
        validate(self.prob)
    }

    /// A new mask, for training: `[batch, seq, width of the state]`, 1 where the old value is kept and 0 elsewhere.
    ///
    /// # Panics
    /// If `prob` is not in `[0, 1)`.
    pub fn mask(&self, shape: [usize; 3], options: impl Into<TensorCreationOptions>) -> Tensor<3> {
        assert_valid(self.prob);
        if self.prob == 0.0 {
            return Tensor::zeros(shape, options);
        }
        Tensor::random(shape, Distribution::Bernoulli(self.prob), options)
    }

    /// The state after a step in training: `old` where `keep` is 1, `new` where it is 0. All have the same shape.
    ///
    /// What is not taken has no influence, not even if it is NaN, and its gradient is 0.
    pub fn apply<const D: usize>(
        &self,
        old: Tensor<D>,
        new: Tensor<D>,
        keep: Tensor<D>,
    ) -> Tensor<D> {
        new.mask_where(keep.greater_scalar(0.5), old)
    }

    /// The state after a step at evaluation: `prob · old + (1 − prob) · new`, the expectation of that in training. Both
    /// have the same shape.
    ///
    /// # Panics
    /// If `prob` is not in `[0, 1)`.
    pub fn expected<const D: usize>(&self, old: Tensor<D>, new: Tensor<D>) -> Tensor<D> {
        assert_valid(self.prob);
        if self.prob == 0.0 {
            return new;
        }
        old * self.prob + new * (1.0 - self.prob)
    }
}
