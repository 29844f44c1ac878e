//! A batch of sequences of frames, padded to one length.

use burn::tensor::Tensor;
use rekindle_kernels::{Layout, Lengths};

use super::{Frame, Sequence};

/// A batch of sequences of frames and the number of valid steps of each row: what [`Sequences`](crate::Sequences) are for
/// vectors.
///
/// A tensor alone, `[batch, seq, channels, …space]`, converts into frames without padding. What stands in padding is never
/// read.
#[derive(Clone, Debug)]
pub struct Frames<const D: usize> {
    /// All steps, each with all rows: `[seq·batch, channels, …space]`.
    pub(super) values: Tensor<D>,
    pub(super) batch: usize,
    pub(super) seq: usize,
    pub(super) lengths: Option<Lengths>,
    layout: Layout,
}

impl<const D: usize> Frames<D> {
    /// The one step of a batch of frames, `[batch, channels, …space]`.
    pub fn single(values: Tensor<D>) -> Self {
        Self {
            batch: values.dims()[0],
            values,
            seq: 1,
            lengths: None,
            layout: Layout::BatchFirst,
        }
    }

    /// The number of rows.
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// The number of steps, padding included.
    pub fn seq(&self) -> usize {
        self.seq
    }

    /// The size of a frame, one number for each axis of space.
    pub fn space(&self) -> Vec<usize> {
        self.values.dims()[2..].to_vec()
    }

    /// Other frames of the same rows and steps: `[seq·batch, channels, …space]`, step by step.
    pub(super) fn with_values(&self, values: Tensor<D>) -> Self {
        Self {
            values,
            lengths: self.lengths.clone(),
            ..*self
        }
    }
}

impl<const D: usize> Frames<D>
where
    Tensor<D>: Frame,
{
    /// Frames without padding, `[batch, seq, channels, …space]`.
    pub fn new(values: Sequence<D>) -> Self {
        Self::with(values, None, Layout::BatchFirst)
    }

    /// A padded batch, `[batch, seq, channels, …space]`: `lengths[row]` steps of each row are valid, those behind them are
    /// padding.
    ///
    /// # Panics
    /// If the number of lengths is not the number of rows, or a length is greater than `seq`.
    pub fn padded(values: Sequence<D>, lengths: Vec<usize>) -> Self {
        Self::with(values, Some(lengths), Layout::BatchFirst)
    }

    /// Frames with time first, `[seq, batch, channels, …space]`. Outputs have time first, too.
    ///
    /// # Panics
    /// If the number of lengths is not the number of rows, or a length is greater than `seq`.
    pub fn time_major(values: Sequence<D>, lengths: Option<Vec<usize>>) -> Self {
        Self::with(values, lengths, Layout::TimeMajor)
    }

    fn with(values: Sequence<D>, lengths: Option<Vec<usize>>, layout: Layout) -> Self {
        let (values, [batch, seq]) = Tensor::<D>::fold_steps(values, layout);
        let lengths = lengths.map(Lengths::new);
        if let Some(lengths) = &lengths {
            lengths.assert_fit(batch, seq);
        }
        Self {
            values,
            batch,
            seq,
            lengths,
            layout,
        }
    }

    /// The frames as one tensor: `[batch, seq, channels, …space]`, or with time first if they came so.
    pub fn into_sequence(self) -> Sequence<D> {
        self.values
            .unfold_steps([self.batch, self.seq], self.layout)
    }
}
