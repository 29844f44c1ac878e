//! A batch of sequences, padded to one length.

use burn::tensor::Tensor;
use rekindle_kernels::{Layout, Lengths};

/// A batch of sequences: a tensor `[batch, seq, width]` and the number of valid steps of each row.
///
/// A tensor alone converts into sequences without padding. What stands in padding is never read.
#[derive(Clone, Debug)]
pub struct Sequences {
    /// `[batch, seq, width]`, or in another [layout](Self::layout).
    pub values: Tensor<3>,
    /// Valid steps of each row; `None`: all of them.
    pub lengths: Option<Lengths>,
    /// Which axis comes first. What is computed from sequences has the layout of the sequences.
    pub layout: Layout,
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
            layout: Layout::BatchFirst,
        }
    }

    /// Sequences with time first, `[seq, batch, width]`. Outputs have time first, too. Nothing is copied on the way.
    ///
    /// # Panics
    /// If the number of lengths is not the number of rows, or a length is greater than `seq`.
    pub fn time_major(values: Tensor<3>, lengths: Option<Vec<usize>>) -> Self {
        let [seq, batch, _] = values.dims();
        let lengths = lengths.map(Lengths::new);
        if let Some(lengths) = &lengths {
            lengths.assert_fit(batch, seq);
        }
        Self {
            values,
            lengths,
            layout: Layout::TimeMajor,
        }
    }

    /// The number of rows.
    pub fn batch(&self) -> usize {
        let [batch, _, _] = self.layout.batch_seq_width(self.values.dims());
        batch
    }

    /// Other values for the same rows and steps.
    pub fn with_values(&self, values: Tensor<3>) -> Self {
        Self {
            values,
            lengths: self.lengths.clone(),
            layout: self.layout,
        }
    }
}

impl From<Tensor<3>> for Sequences {
    fn from(values: Tensor<3>) -> Self {
        Self {
            values,
            lengths: None,
            layout: Layout::BatchFirst,
        }
    }
}
