//! Embedding dropout: whole words.

use burn::tensor::{Int, Tensor, TensorCreationOptions};
use serde::{Deserialize, Serialize};

use super::{DropoutError, assert_valid, options_of, scaled_mask, validate};

/// Dropout on whole rows of a table of embeddings: a dropped word is dropped wherever it occurs.
///
/// ```text
/// ẽ_w = m_w e_w,    m_w ∈ {0, 1 / (1 − prob)},    w a word of the vocabulary
/// ```
///
/// # Differences
/// One mask serves all rows of a batch, as in AWD-LSTM; Gal and Ghahramani draw one for each sequence.
///
/// # References
/// - Gal and Ghahramani, *A Theoretically Grounded Application of Dropout in Recurrent Neural Networks*, 2016,
///   <https://arxiv.org/abs/1512.05287>
/// - Merity et al., *Regularizing and Optimizing LSTM Language Models*, 2017, <https://arxiv.org/abs/1708.02182>
///
/// # Examples
/// ```
/// use burn::tensor::{Device, Int, Tensor};
/// use rekindle_regularize::dropout::EmbeddingDropout;
///
/// let device = Device::default();
/// let dropout = EmbeddingDropout { prob: 0.1 };
/// // On the table, before it is looked up in; or, with fewer products, on what was looked up.
/// let table = dropout.apply(Tensor::<2>::ones([1000, 64], &device));
/// let tokens = Tensor::<2, Int>::from_ints([[3, 7, 3]], &device);
/// let mask = dropout.mask(1000, &device);
/// let mask = EmbeddingDropout::mask_of(mask, tokens);
/// assert_eq!((table.dims(), mask.dims()), ([1000, 64], [1, 3, 1]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmbeddingDropout {
    /// Probability that a word is dropped, in `[0, 1)`.
    pub prob: f64,
}

impl EmbeddingDropout {
    /// Checks the probability.
    ///
    /// # Errors
    /// If it is not in `[0, 1)`.
    pub fn validate(&self) -> Result<(), DropoutError> {
        validate(self.prob)
    }

    /// A new mask: `[vocabulary, 1]`, 0 or `1 / (1 − prob)`.
    ///
    /// # Panics
    /// If `prob` is not in `[0, 1)`.
    pub fn mask(&self, vocabulary: usize, options: impl Into<TensorCreationOptions>) -> Tensor<2> {
        scaled_mask(self.prob, [vocabulary, 1], options.into())
    }

    /// The table `[vocabulary, width]` times a new mask.
    ///
    /// # Panics
    /// If `prob` is not in `[0, 1)`.
    pub fn apply(&self, table: Tensor<2>) -> Tensor<2> {
        assert_valid(self.prob);
        if self.prob == 0.0 {
            return table;
        }
        let [vocabulary, _] = table.dims();
        let mask = self.mask(vocabulary, options_of(&table));
        table * mask
    }

    /// The part of a mask `[vocabulary, 1]` that belongs to tokens `[batch, seq]`: `[batch, seq, 1]`, for their vectors
    /// `[batch, seq, width]`.
    ///
    /// # Panics
    /// If a token is not below `vocabulary`, on backends that check indices; on others the result is undefined.
    pub fn mask_of(mask: Tensor<2>, tokens: Tensor<2, Int>) -> Tensor<3> {
        let [batch, seq] = tokens.dims();
        mask.select(0, tokens.reshape([batch * seq]))
            .reshape([batch, seq, 1])
    }
}
