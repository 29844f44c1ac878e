//! The affine maps that every cell has.

use burn::module::{Module, Param};
use burn::tensor::{DType, Device, Tensor};
use rekindle_init::{Gate, RecurrentScheme, RecurrentTensors, RecurrentWidths};
use rekindle_kernels::{Equations, Order, Parameters, Scan, Scanned, Within, scan};

use crate::Sequences;

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
    /// Draws weights for a cell of these gates, whose recurrent product reads `d_recurrent` numbers: the width of the
    /// hidden state.
    ///
    /// # Panics
    /// With the message of [`RecurrentScheme::validate_for`] if the scheme does not suit the gates.
    pub fn init(
        scheme: &RecurrentScheme,
        widths: RecurrentWidths,
        gates: &[Gate],
        bias: bool,
        device: &Device,
    ) -> Self {
        let RecurrentTensors {
            weight_ih,
            weight_hh,
            biases,
        } = scheme.sample(widths, gates, bias, device);
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

    /// Width of the hidden state, as the recurrent product reads it.
    pub fn d_hidden(&self) -> usize {
        self.weight_hh.dims()[0]
    }

    /// Whether the affine maps have biases.
    pub fn has_bias(&self) -> bool {
        self.bias_ih.is_some()
    }

    /// Zeros `[batch, width]`, on the device and in the type of the weights.
    pub fn zeros(&self, batch: usize, width: usize) -> Tensor<2> {
        let weight: Tensor<2> = self.weight_hh.val();
        let options: (&Device, DType) = (&weight.device(), weight.dtype());
        Tensor::zeros([batch, width], options)
    }

    /// What gates are made of in one step, gate by gate: `x W_ih + b_ih` and `h W_hh + b_hh`, `[batch, d_hidden]` each.
    pub(crate) fn products(
        &self,
        x: Tensor<2>,
        hidden: Tensor<2>,
        gates: usize,
    ) -> Vec<[Tensor<2>; 2]> {
        let of = |values: Tensor<2>, weight: &Param<Tensor<2>>, bias: &Option<Param<Tensor<1>>>| {
            let product = values.matmul(weight.val());
            match bias {
                Some(bias) => product + bias.val().unsqueeze::<2>(),
                None => product,
            }
        };
        let of_input = of(x, &self.weight_ih, &self.bias_ih).chunk(gates, 1);
        let of_hidden = of(hidden, &self.weight_hh, &self.bias_hh).chunk(gates, 1);
        let pairs = of_input.into_iter().zip(of_hidden);
        pairs.map(|(input, hidden)| [input, hidden]).collect()
    }

    /// What a scan reads of them. A cell with more parameters adds those.
    pub fn parameters(&self) -> Parameters {
        let biases = match (&self.bias_ih, &self.bias_hh) {
            (Some(bias_ih), Some(bias_hh)) => Some([bias_ih.val(), bias_hh.val()]),
            _ => None,
        };
        Parameters::new(self.weight_ih.val(), self.weight_hh.val(), biases)
    }
}

/// All steps of a cell: see [`rekindle_kernels::scan`].
pub fn scan_cell<E: Equations>(
    equations: &E,
    parameters: Parameters,
    sequences: Sequences,
    state: E::States<Tensor<2>>,
    order: Order,
) -> (Tensor<3>, E::States<Tensor<2>>) {
    let Scanned { output, state, .. } = scan(
        equations,
        Scan {
            input: sequences.values,
            state,
            parameters,
            lengths: sequences.lengths,
            order,
            layout: sequences.layout,
            within: Within::default(),
        },
    );
    (output, state)
}
