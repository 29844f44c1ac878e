//! Zoneout.

use burn::tensor::{DType, Device, Tensor};
use serde::{Deserialize, Serialize};

use super::{DropoutError, kept};

/// States that stay as they are, at random: Krueger et al., *Zoneout: Regularizing RNNs by Randomly Preserving Hidden
/// Activations*, 2017, <https://arxiv.org/abs/1606.01305>.
///
/// ```text
/// h′ = k ⊙ h + (1 − k) ⊙ h̃       h̃ the cell's new state
/// ```
///
/// with `k` 1 at random in training, and its mean in evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Zoneout {
    /// The probability that a number keeps its old value, in `[0, 1)`.
    pub prob: f64,
}

impl Zoneout {
    /// Checks the probability.
    ///
    /// # Errors
    /// If it is not in `[0, 1)`.
    pub fn validate(&self) -> Result<(), DropoutError> {
        DropoutError::check(self.prob)
    }

    /// `k` in training: 1 with the probability, 0 elsewhere, `[batch, seq, width]`.
    pub fn mask(&self, shape: [usize; 3], options: (&Device, DType)) -> Tensor<3> {
        kept(1.0 - self.prob, shape, options)
    }

    /// The state after a step in training: the old one where `mask` is 1.
    pub fn train<const D: usize>(
        &self,
        old: Tensor<D>,
        new: Tensor<D>,
        mask: Tensor<D>,
    ) -> Tensor<D> {
        new.clone() + (old - new) * mask
    }

    /// The state after a step in evaluation: `prob` of the old one and the rest of the new one.
    pub fn evaluate<const D: usize>(&self, old: Tensor<D>, new: Tensor<D>) -> Tensor<D> {
        old * self.prob + new * (1.0 - self.prob)
    }
}
