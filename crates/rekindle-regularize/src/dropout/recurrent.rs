//! Recurrent dropout without memory loss: on the candidate of a cell.

use burn::tensor::{Tensor, TensorCreationOptions};
use serde::{Deserialize, Serialize};

use super::{DropoutError, scaled_mask, validate};

/// Dropout on what a cell would newly write into its state, and not on the state: nothing that was stored is lost.
///
/// ```text
/// LSTM   c′ = σ(f) ⊙ c + σ(i) ⊙ (m_t ⊙ tanh(g))
/// GRU    h′ = z ⊙ h + (1 − z) ⊙ (m_t ⊙ n)
///
/// m_t ∈ {0, 1 / (1 − prob)}
/// ```
///
/// # References
/// - Semeniuta et al., *Recurrent Dropout without Memory Loss*, 2016, <https://arxiv.org/abs/1603.05118>
///
/// # Examples
/// ```
/// use burn::tensor::Device;
/// use rekindle_regularize::dropout::{RecurrentDropout, Redraw};
///
/// let dropout = RecurrentDropout { prob: 0.25, per: Redraw::Sequence };
/// assert_eq!(dropout.mask([2, 10, 8], &Device::default()).dims(), [2, 1, 8]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecurrentDropout {
    /// Probability that a number of the candidate is dropped, in `[0, 1)`.
    pub prob: f64,
    /// How long a mask lasts. Default: `Step`, the mask of the paper's equations, which carry a time index.
    #[serde(default)]
    pub per: Redraw,
}

/// How long the mask of a [`RecurrentDropout`] lasts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Redraw {
    /// One step.
    #[default]
    Step,
    /// The whole sequence.
    Sequence,
}

impl RecurrentDropout {
    /// Checks the probability.
    ///
    /// # Errors
    /// If it is not in `[0, 1)`.
    pub fn validate(&self) -> Result<(), DropoutError> {
        validate(self.prob)
    }

    /// A new mask for sequences whose candidates are `[batch, seq, d_hidden]`, 0 or `1 / (1 − prob)`: of that shape, or
    /// `[batch, 1, d_hidden]` if it lasts for a [sequence](Redraw::Sequence).
    ///
    /// # Panics
    /// If `prob` is not in `[0, 1)`.
    pub fn mask(
        &self,
        [batch, seq, d_hidden]: [usize; 3],
        options: impl Into<TensorCreationOptions>,
    ) -> Tensor<3> {
        let steps = match self.per {
            Redraw::Step => seq,
            Redraw::Sequence => 1,
        };
        scaled_mask(self.prob, [batch, steps, d_hidden], options.into())
    }
}
