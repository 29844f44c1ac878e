//! Dropouts that multiply by a mask.

use burn::tensor::{DType, Device, Tensor};
use serde::{Deserialize, Serialize};

use super::{DropoutError, scaled};

/// Dropout with one mask for all steps of a sequence: Gal and Ghahramani, *A Theoretically Grounded Application of
/// Dropout in Recurrent Neural Networks*, 2016, <https://arxiv.org/abs/1512.05287>.
///
/// # Examples
/// ```
/// use burn::tensor::{DType, Device, Tensor};
/// use rekindle_regularize::dropout::VariationalDropout;
///
/// let device = Device::default();
/// let x = Tensor::<3>::ones([2, 5, 3], &device);
/// let mask = VariationalDropout { prob: 0.5 }.mask([2, 3], (&device, DType::F32));
/// let dropped = x * mask.unsqueeze_dim(1);
/// // Each number is 0 at all steps, or 2 at all steps.
/// let (first, last) = (dropped.clone().narrow(1, 0, 1), dropped.narrow(1, 4, 1));
/// assert_eq!(first.into_data(), last.into_data());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct VariationalDropout {
    /// The probability that a number is dropped, in `[0, 1)`.
    pub prob: f64,
}

impl VariationalDropout {
    /// Checks the probability.
    ///
    /// # Errors
    /// If it is not in `[0, 1)`.
    pub fn validate(&self) -> Result<(), DropoutError> {
        DropoutError::check(self.prob)
    }

    /// The mask of a batch, to be put beside every step: `[batch, width]`.
    pub fn mask(&self, shape: [usize; 2], options: (&Device, DType)) -> Tensor<2> {
        scaled(self.prob, shape, options)
    }
}

/// How long a mask stays the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaskPer {
    /// For one step.
    #[default]
    Step,
    /// For a sequence.
    Sequence,
}

/// Dropout of a cell's candidate, which drops nothing of its memory: Semeniuta et al., *Recurrent Dropout without Memory
/// Loss*, 2016, <https://arxiv.org/abs/1603.05118>.
///
/// ```text
/// c′ = f ⊙ c + i ⊙ (m ⊙ g)             in an LSTM
/// h′ = (1 − z) ⊙ (m ⊙ n) + z ⊙ h       in a GRU
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecurrentDropout {
    /// The probability that a number is dropped, in `[0, 1)`.
    pub prob: f64,
    /// How long a mask stays the same. Default: for one step, as in the paper's best results.
    #[serde(default)]
    pub per: MaskPer,
}

impl RecurrentDropout {
    /// Checks the probability.
    ///
    /// # Errors
    /// If it is not in `[0, 1)`.
    pub fn validate(&self) -> Result<(), DropoutError> {
        DropoutError::check(self.prob)
    }

    /// The mask of `[batch, seq, width]` candidates: of this shape, or `[batch, 1, width]` for a sequence.
    pub fn mask(&self, [batch, seq, width]: [usize; 3], options: (&Device, DType)) -> Tensor<3> {
        let steps = match self.per {
            MaskPer::Step => seq,
            MaskPer::Sequence => 1,
        };
        scaled(self.prob, [batch, steps, width], options)
    }
}

/// Dropout of single weights, the same ones for all rows and steps of a call: DropConnect on recurrent weights, Merity et
/// al., *Regularizing and Optimizing LSTM Language Models*, 2018, <https://arxiv.org/abs/1708.02182>.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct WeightDrop {
    /// The probability that a weight is dropped, in `[0, 1)`.
    pub prob: f64,
}

impl WeightDrop {
    /// Checks the probability.
    ///
    /// # Errors
    /// If it is not in `[0, 1)`.
    pub fn validate(&self) -> Result<(), DropoutError> {
        DropoutError::check(self.prob)
    }

    /// The weight with some of its numbers dropped. Only the others get gradients.
    pub fn apply<const D: usize>(&self, weight: Tensor<D>) -> Tensor<D> {
        let options = (&weight.device(), weight.dtype());
        let mask = scaled(self.prob, weight.dims(), options);
        weight * mask
    }
}

/// Dropout of whole rows of an embedding table, so that all occurrences of a word are dropped together: Gal and
/// Ghahramani, 2016, and Merity et al., 2018, as for the other two.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EmbeddingDropout {
    /// The probability that a word is dropped, in `[0, 1)`.
    pub prob: f64,
}

impl EmbeddingDropout {
    /// Checks the probability.
    ///
    /// # Errors
    /// If it is not in `[0, 1)`.
    pub fn validate(&self) -> Result<(), DropoutError> {
        DropoutError::check(self.prob)
    }

    /// The mask of a table `[vocabulary, width]`: `[vocabulary, 1]`.
    pub fn mask(&self, vocabulary: usize, options: (&Device, DType)) -> Tensor<2> {
        scaled(self.prob, [vocabulary, 1], options)
    }

    /// A table `[vocabulary, width]` with some of its rows dropped. Only the others get gradients.
    pub fn apply(&self, table: Tensor<2>) -> Tensor<2> {
        let [vocabulary, _] = table.dims();
        let mask = self.mask(vocabulary, (&table.device(), table.dtype()));
        table * mask
    }
}
