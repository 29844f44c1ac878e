//! The tensors that a convolution reads, and the convolution of each rank.

use std::fmt::Debug;

use burn::tensor::Tensor;
use burn::tensor::module::{conv1d, conv2d, conv3d};
use burn::tensor::ops::{ConvOptions, PadMode};
use rekindle_kernels::Layout;

use super::Frames;

/// A sequence of frames of rank `D`: `[batch, seq, channels, …space]`.
pub type Sequence<const D: usize> = <Tensor<D> as Frame>::Sequence;

/// A batch of frames, `[batch, channels, …space]`: `Tensor<3>`, `Tensor<4>` or `Tensor<5>`, with one, two or three axes of
/// space. No other tensor is one.
///
/// It says which tensors and which of Burn's convolutions belong together; everything else is written for any rank.
pub trait Frame: Sized + private::Sealed {
    /// A sequence of frames, one rank more.
    type Sequence: Clone + Debug + Send + 'static;

    /// The number of axes of space.
    const AXES: usize;

    /// The frames of a sequence, step by step: `[seq·batch, channels, …space]`, and `[batch, seq]`.
    fn fold_steps(sequence: Self::Sequence, layout: Layout) -> (Self, [usize; 2]);

    /// The way back of [`fold_steps`](Self::fold_steps).
    fn unfold_steps(self, batch_seq: [usize; 2], layout: Layout) -> Self::Sequence;

    /// Burn's convolution with a weight `[channels_out, channels / groups, …kernel]`.
    fn convolve(self, weight: Self, bias: Option<Tensor<1>>, window: Window<'_>) -> Self;
}

/// How a kernel moves over a frame: one number, or pair, for each axis of space.
#[derive(Clone, Copy, Debug)]
pub struct Window<'a> {
    /// Steps of the kernel.
    pub stride: &'a [usize],
    /// Zeros before and behind each axis.
    pub padding: &'a [(usize, usize)],
    /// Distance of the kernel's taps.
    pub dilation: &'a [usize],
    /// Blocks of channels that do not see each other.
    pub groups: usize,
}

mod private {
    /// Keeps [`Frame`](super::Frame) to the tensors that Burn convolves.
    pub trait Sealed {}
}

/// `[first, second, …]` to `[second·first, …]`, or without the exchange.
fn fold<const S: usize, const D: usize>(
    sequence: Tensor<S>,
    layout: Layout,
) -> (Tensor<D>, [usize; 2]) {
    let steps_first = match layout {
        Layout::BatchFirst => sequence.swap_dims(0, 1),
        Layout::TimeMajor => sequence,
    };
    let dims = steps_first.dims();
    let shape: [usize; D] = std::array::from_fn(|axis| match axis {
        0 => dims[0] * dims[1],
        _ => dims[axis + 1],
    });
    (steps_first.reshape(shape), [dims[1], dims[0]])
}

/// The way back of [`fold`].
fn unfold<const D: usize, const S: usize>(
    frames: Tensor<D>,
    [batch, seq]: [usize; 2],
    layout: Layout,
) -> Tensor<S> {
    let dims = frames.dims();
    let shape: [usize; S] = std::array::from_fn(|axis| match axis {
        0 => seq,
        1 => batch,
        _ => dims[axis - 1],
    });
    let steps_first = frames.reshape(shape);
    match layout {
        Layout::BatchFirst => steps_first.swap_dims(0, 1),
        Layout::TimeMajor => steps_first,
    }
}

/// One entry for each axis of space.
fn array<T: Copy, const AXES: usize>(values: &[T]) -> [T; AXES] {
    std::array::from_fn(|axis| values[axis])
}

/// Implements [`Frame`] for one rank: ranks cannot be added in types.
macro_rules! frame {
    ($rank:literal, $sequence:literal, $axes:literal, $convolution:path) => {
        impl private::Sealed for Tensor<$rank> {}

        impl Frame for Tensor<$rank> {
            type Sequence = Tensor<$sequence>;

            const AXES: usize = $axes;

            fn fold_steps(sequence: Self::Sequence, layout: Layout) -> (Self, [usize; 2]) {
                fold(sequence, layout)
            }

            fn unfold_steps(self, batch_seq: [usize; 2], layout: Layout) -> Self::Sequence {
                unfold(self, batch_seq, layout)
            }

            fn convolve(self, weight: Self, bias: Option<Tensor<1>>, window: Window<'_>) -> Self {
                let Window {
                    stride,
                    padding,
                    dilation,
                    groups,
                } = window;
                let padding: [(usize, usize); $axes] = array(padding);
                let options = |padding| {
                    ConvOptions::new_with_padding(array(stride), padding, array(dilation), groups)
                };
                let uneven = padding.iter().any(|(before, behind)| before != behind);
                if uneven {
                    // Burn has no three-dimensional convolution with uneven padding.
                    let padded = self.pad(padding, PadMode::Constant(0.0));
                    return $convolution(padded, weight, bias, options([(0, 0); $axes]));
                }
                $convolution(self, weight, bias, options(padding))
            }
        }

        impl From<Tensor<$sequence>> for Frames<$rank> {
            /// Frames without padding, the batch first.
            fn from(sequence: Tensor<$sequence>) -> Self {
                Self::new(sequence)
            }
        }
    };
}

frame!(3, 4, 1, conv1d);
frame!(4, 5, 2, conv2d);
frame!(5, 6, 3, conv3d);
