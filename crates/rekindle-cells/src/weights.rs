//! The affine maps that every cell has.

use burn::module::{Module, Param};
use burn::tensor::{DType, Device, Tensor};
use rekindle_init::{Gate, RecurrentScheme, RecurrentTensors};
use rekindle_kernels::{Equations, Order, Parameters, Scan, Scanned, scan, step};

use crate::{Sequences, State};

/// Input and recurrent weights with their biases, the gates packed side by side.
///
/// Transposed against PyTorch's, which stores `[gates·d_hidden, d_input]`.
#[derive(Module, Debug)]
pub struct Weights {
    /// `W_ih`: `[d_input, gates·d_hidden]`.
    pub weight_ih: Param<Tensor<2>>,
    /// `W_hh`: `[d_hidden, gates·d_hidden]`.
    pub weight_hh: Param<Tensor<2>>,
    /// `b_ih`: `[gates·d_hidden]`.
    pub bias_ih: Option<Param<Tensor<1>>>,
    /// `b_hh`: `[gates·d_hidden]`. Kept beside `b_ih` because a GRU scales it by the reset gate.
    pub bias_hh: Option<Param<Tensor<1>>>,
}

impl Weights {
    /// Draws weights for a cell of these gates.
    ///
    /// # Panics
    /// With the message of [`RecurrentScheme::validate_for`] if the scheme does not suit the gates.
    pub fn init(
        scheme: &RecurrentScheme,
        [d_input, d_hidden]: [usize; 2],
        gates: &[Gate],
        bias: bool,
        device: &Device,
    ) -> Self {
        let RecurrentTensors {
            weight_ih,
            weight_hh,
            biases,
        } = scheme.sample(d_input, d_hidden, gates, bias, device);
        let [bias_ih, bias_hh] = match biases {
            Some(biases) => biases.map(|bias| Some(Param::from_tensor(bias))),
            None => [None, None],
        };
        Self {
            weight_ih: Param::from_tensor(weight_ih),
            weight_hh: Param::from_tensor(weight_hh),
            bias_ih,
            bias_hh,
        }
    }

    /// Width of the input.
    pub fn d_input(&self) -> usize {
        self.weight_ih.dims()[0]
    }

    /// Width of the hidden state.
    pub fn d_hidden(&self) -> usize {
        self.weight_hh.dims()[0]
    }

    /// Whether the affine maps have biases.
    pub fn has_bias(&self) -> bool {
        self.bias_ih.is_some()
    }

    /// The zero state for a batch, on the device and in the type of the weights.
    pub fn zero_state<S: State>(&self, batch: usize) -> S {
        let weight: Tensor<2> = self.weight_hh.val();
        let options: (&Device, DType) = (&weight.device(), weight.dtype());
        S::zeros([batch, self.d_hidden()], options)
    }

    /// One step of a cell with these weights: see [`rekindle_kernels::step`].
    pub fn step<const GATES: usize, const STATES: usize, const SAVED: usize>(
        &self,
        equations: &impl Equations<GATES, STATES, SAVED>,
        x: Tensor<2>,
        state: [Tensor<2>; STATES],
    ) -> [Tensor<2>; STATES] {
        step(equations, x, state, &self.parameters())
    }

    /// All steps of a cell with these weights: see [`rekindle_kernels::scan`].
    pub fn scan<const GATES: usize, const STATES: usize, const SAVED: usize>(
        &self,
        equations: &impl Equations<GATES, STATES, SAVED>,
        sequences: Sequences,
        state: [Tensor<2>; STATES],
        order: Order,
    ) -> (Tensor<3>, [Tensor<2>; STATES]) {
        let Scanned { output, state } = scan(
            equations,
            Scan {
                input: sequences.values,
                state,
                parameters: self.parameters(),
                lengths: sequences.lengths,
                order,
            },
        );
        (output, state)
    }

    fn parameters(&self) -> Parameters {
        let biases = match (&self.bias_ih, &self.bias_hh) {
            (Some(bias_ih), Some(bias_hh)) => Some([bias_ih.val(), bias_hh.val()]),
            _ => None,
        };
        Parameters {
            weight_ih: self.weight_ih.val(),
            weight_hh: self.weight_hh.val(),
            biases,
        }
    }
}
