//! The two convolutions that every convolutional cell has.

use burn::module::{Content, Module, Param};
use burn::tensor::{DType, Device, Tensor};
use rekindle_init::{Gate, RecurrentScheme, RecurrentTensors, RecurrentWidths};

use super::config::Convolutions;
use super::convolution::{Convolution, as_weight, maps};
use super::{ConvPadding, Frame};
use crate::Weights;

/// Input and recurrent kernels with their biases, the gates packed along the first axis.
///
/// As PyTorch and Burn store kernels. The input's kernel sees `d_input / groups` channels.
#[derive(Module, Debug)]
pub struct ConvWeights<const D: usize> {
    /// `W_ih`: `[gates·d_hidden, d_input / groups, …kernel]`.
    pub weight_ih: Param<Tensor<D>>,
    /// `W_hh`: `[gates·d_hidden, d_hidden, …state kernel]`.
    pub weight_hh: Param<Tensor<D>>,
    /// `b_ih`: `[gates·d_hidden]`.
    pub bias_ih: Option<Param<Tensor<1>>>,
    /// `b_hh`: `[gates·d_hidden]`. Kept beside `b_ih` because a GRU scales it by the reset gate.
    pub bias_hh: Option<Param<Tensor<1>>>,
    #[module(skip)]
    pub(super) input: Convolution,
    #[module(skip)]
    pub(super) state: Convolution,
}

impl<const D: usize> ConvWeights<D> {
    /// Draws kernels for a cell of these gates; its biases are those of `vector_weights`, which have no kernel.
    ///
    /// Each gate's kernel is drawn as a matrix `[channels·taps, d_hidden]`.
    pub(super) fn init(
        scheme: &RecurrentScheme,
        [d_input, d_hidden]: [usize; 2],
        gates: &[Gate],
        vector_weights: Weights,
        convolutions: Convolutions,
        device: &Device,
    ) -> Self {
        let taps = |kernel: &[usize]| kernel.iter().product::<usize>();
        let Convolutions {
            kernel,
            input,
            state_kernel,
            state,
            ..
        } = convolutions;
        let widths = RecurrentWidths {
            d_input: d_input / input.groups * taps(&kernel),
            d_hidden,
            d_recurrent: d_hidden * taps(&state_kernel),
        };
        let RecurrentTensors {
            weight_ih,
            weight_hh,
            ..
        } = scheme.sample(widths, gates, false, device);
        Self {
            weight_ih: Param::from_tensor(as_weight(weight_ih, &kernel)),
            weight_hh: Param::from_tensor(as_weight(weight_hh, &state_kernel)),
            bias_ih: vector_weights.bias_ih,
            bias_hh: vector_weights.bias_hh,
            input,
            state,
        }
    }

    /// Channels of the input.
    pub fn d_input(&self) -> usize {
        self.weight_ih.dims()[1] * self.input.groups
    }

    /// Channels of the hidden state.
    pub fn d_hidden(&self) -> usize {
        self.weight_hh.dims()[1]
    }

    /// Whether the convolutions have biases.
    pub fn has_bias(&self) -> bool {
        self.bias_ih.is_some()
    }

    /// The kernel of the input's convolution.
    pub fn kernel(&self) -> Vec<usize> {
        self.weight_ih.dims()[2..].to_vec()
    }

    /// The size of the state that frames of size `space` lead to.
    ///
    /// # Panics
    /// If the number of axes is another one, or the kernel is larger than the padded frame.
    pub fn state_space(&self, space: &[usize]) -> Vec<usize> {
        let kernel = self.kernel();
        assert!(
            space.len() == kernel.len(),
            "frames have the size {space:?}: expected one number for each of {} axes",
            kernel.len()
        );
        let Some(state_space) = self.input.output(&kernel, space) else {
            panic!(
                "frames of size {space:?} are smaller than the kernel {kernel:?}: pad them, or take a smaller kernel"
            )
        };
        state_space
    }

    /// Zeros `[batch, d_hidden, …space of the state]`, on the device and in the type of the weights.
    ///
    /// # Panics
    /// As [`state_space`](Self::state_space).
    pub fn zeros(&self, batch: usize, space: &[usize]) -> Tensor<D> {
        let weight: Tensor<D> = self.weight_hh.val();
        let options: (&Device, DType) = (&weight.device(), weight.dtype());
        let shape: [usize; D] = maps(batch, self.d_hidden(), &self.state_space(space));
        Tensor::zeros(shape, options)
    }

    /// What a cell shows of itself: channels, kernels, and what is not the default.
    pub(super) fn display(&self, content: Content) -> Content {
        let kernel = self.kernel();
        let state_kernel = self.weight_hh.dims()[2..].to_vec();
        let ones = vec![1; kernel.len()];
        let Convolution {
            stride,
            padding,
            dilation,
            groups,
        } = &self.input;
        let mut content = content
            .add("d_input", &self.d_input())
            .add("d_hidden", &self.d_hidden())
            .add_debug_attribute("kernel", &kernel)
            .add("bias", &self.has_bias());
        if state_kernel != kernel {
            content = content.add_debug_attribute("state_kernel", &state_kernel);
        }
        let numbers = [
            ("stride", stride),
            ("dilation", dilation),
            ("state_dilation", &self.state.dilation),
        ];
        for (name, numbers) in numbers {
            if *numbers != ones {
                content = content.add_debug_attribute(name, numbers);
            }
        }
        if *padding != ConvPadding::default() {
            content = content.add_debug_attribute("padding", padding);
        }
        if *groups != 1 {
            content = content.add("groups", groups);
        }
        content
    }

    /// `x * W_ih + b_ih`: `[rows, d_input, …space]` to `[rows, gates·d_hidden, …space of the state]`.
    pub(super) fn input_products(&self, x: Tensor<D>) -> Tensor<D>
    where
        Tensor<D>: Frame,
    {
        let (weight, bias) = (self.weight_ih.val(), self.bias_ih.as_ref().map(Param::val));
        if self.input.groups == 1 {
            return self.input.apply(x, weight, bias);
        }
        // Burn groups the packed channels, which would split the gates among the groups: `gates, groups, rest` becomes
        // `groups, gates, rest` for the convolution.
        let groups = self.input.groups;
        let gates = weight.dims()[0] / self.d_hidden();
        let weight = exchange(weight, [1, gates, groups]);
        let bias = bias.map(|bias| exchange(bias, [1, gates, groups]));
        let products = self.input.apply(x, weight, bias);
        let rows = products.dims()[0];
        exchange(products, [rows, groups, gates])
    }
}

/// The same shape with its numbers, `[rows, a, b, rest]` in their order, as `[rows, b, a, rest]`.
fn exchange<const D: usize>(values: Tensor<D>, [rows, a, b]: [usize; 3]) -> Tensor<D> {
    let shape = values.dims();
    let rest = shape.iter().product::<usize>() / (rows * a * b);
    let exchanged = values.reshape([rows, a, b, rest]).swap_dims(1, 2);
    exchanged.reshape(shape)
}
