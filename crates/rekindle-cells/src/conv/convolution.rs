//! One convolution: its numbers, its output's size, its weight as a matrix.

use burn::tensor::Tensor;

use super::{ConvPadding, Frame, Window};

/// A convolution without its weight, with a number for each axis of space.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Convolution {
    pub(super) stride: Vec<usize>,
    pub(super) padding: ConvPadding,
    pub(super) dilation: Vec<usize>,
    pub(super) groups: usize,
}

impl Convolution {
    /// The convolution that keeps the size of a state.
    pub(super) fn keeping(dilation: Vec<usize>) -> Self {
        Self {
            stride: vec![1; dilation.len()],
            padding: ConvPadding::Same,
            dilation,
            groups: 1,
        }
    }

    /// The size of what it puts out; `None` if the kernel is larger than the padded frame.
    pub(super) fn output(&self, kernel: &[usize], space: &[usize]) -> Option<Vec<usize>> {
        let pads = self.pads(kernel, space);
        let of_axis = |axis: usize| {
            let (before, behind) = pads[axis];
            let room = (before + space[axis] + behind).checked_sub(self.reach(kernel, axis))?;
            Some(room / self.stride[axis] + 1)
        };
        (0..space.len()).map(of_axis).collect()
    }

    /// The convolution of `x`, `[rows, channels, …space]`, with a weight `[channels_out, channels / groups, …kernel]`.
    pub(super) fn apply<const D: usize>(
        &self,
        x: Tensor<D>,
        weight: Tensor<D>,
        bias: Option<Tensor<1>>,
    ) -> Tensor<D>
    where
        Tensor<D>: Frame,
    {
        let pads = self.pads(&weight.dims()[2..], &x.dims()[2..]);
        let window = Window {
            stride: &self.stride,
            padding: &pads,
            dilation: &self.dilation,
            groups: self.groups,
        };
        x.convolve(weight, bias, window)
    }

    /// What a kernel covers of an axis.
    fn reach(&self, kernel: &[usize], axis: usize) -> usize {
        self.dilation[axis] * (kernel[axis] - 1) + 1
    }

    /// Zeros before and behind each axis.
    fn pads(&self, kernel: &[usize], space: &[usize]) -> Vec<(usize, usize)> {
        let of_axis = |axis: usize| match &self.padding {
            ConvPadding::Valid => (0, 0),
            ConvPadding::Explicit { before, behind } => {
                (before.of_axis(axis), behind.of_axis(axis))
            }
            ConvPadding::Same => {
                let steps = space[axis].div_ceil(self.stride[axis]).saturating_sub(1);
                let covered = steps * self.stride[axis] + self.reach(kernel, axis);
                let missing = covered.saturating_sub(space[axis]);
                (missing / 2, missing - missing / 2)
            }
        };
        (0..space.len()).map(of_axis).collect()
    }
}

/// A matrix `[channels·taps, d_out]` as a weight `[d_out, channels, …kernel]`.
pub(super) fn as_weight<const D: usize>(matrix: Tensor<2>, kernel: &[usize]) -> Tensor<D> {
    let [rows, d_out] = matrix.dims();
    let channels = rows / kernel.iter().product::<usize>();
    let shape: [usize; D] = std::array::from_fn(|axis| match axis {
        0 => d_out,
        1 => channels,
        _ => kernel[axis - 2],
    });
    matrix.transpose().reshape(shape)
}

/// A shape with ones on the axes of space.
pub(super) fn without_space<const D: usize>(first: usize, second: usize) -> [usize; D] {
    std::array::from_fn(|axis| match axis {
        0 => first,
        1 => second,
        _ => 1,
    })
}

/// A shape of maps, `[first, second, …space]`.
pub(super) fn maps<const D: usize>(first: usize, second: usize, space: &[usize]) -> [usize; D] {
    std::array::from_fn(|axis| match axis {
        0 => first,
        1 => second,
        _ => space[axis - 2],
    })
}

/// `[rows, channels]` at each place: `[rows, channels, …space]`.
pub(super) fn everywhere<const D: usize>(values: Tensor<2>, space: &[usize]) -> Tensor<D> {
    let [rows, channels] = values.dims();
    let maps: [usize; D] = maps(rows, channels, space);
    values
        .reshape(without_space::<D>(rows, channels))
        .expand(maps)
}
