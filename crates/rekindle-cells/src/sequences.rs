//! A batch of sequences, padded to one length.

use burn::tensor::Tensor;
use rekindle_kernels::Lengths;

/// A batch of sequences: a tensor `[batch, seq, width]` and the number of valid steps of each row.
///
/// A tensor alone converts into sequences without padding. What stands in padding is never read.
#[derive(Clone, Debug)]
pub struct Sequences {
    /// `[batch, seq, width]`.
    pub values: Tensor<3>,
    /// Valid steps of each row; `None`: all of them.
    pub lengths: Option<Lengths>,
}

impl Sequences {
    /// A padded batch: `lengths[row]` steps of each row are valid, those behind them are padding.
    ///
    /// # Panics
    /// If the number of lengths is not the number of rows, or a length is greater than `seq`.
    pub fn padded(values: Tensor<3>, lengths: Vec<usize>) -> Self {
        let [batch, seq, _] = values.dims();
        let lengths = Lengths::new(lengths);
        lengths.assert_fit(batch, seq);
        Self {
            values,
            lengths: Some(lengths),
        }
    }

    /// Other values for the same rows and steps.
    pub fn with_values(&self, values: Tensor<3>) -> Self {
        Self {
            values,
            lengths: self.lengths.clone(),
        }
    }
}

impl From<Tensor<3>> for Sequences {
    fn from(values: Tensor<3>) -> Self {
        Self {
            values,
            lengths: None,
        }
    }
}
