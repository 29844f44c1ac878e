//! The configuration of an LSTM.

use burn::config::Config;
use burn::module::Param;
use burn::tensor::{Device, Tensor};
use rekindle_init::{Initializer, RecurrentScheme, RecurrentWidths};

use super::{Lstm, LstmActivations, LstmGates, Peepholes};
use crate::{
    CellConfig, CellConfigError, CellDropout, Extras, InitialState, LearnedState, NoisyParts,
    Normalization, Weights,
};

/// Configuration of an [`Lstm`]. All options go together, but for those that [`validate`](CellConfig::validate) refuses.
///
/// The eight variants of Greff et al., 2017, <https://arxiv.org/abs/1503.04069>, start from their vanilla LSTM, which has
/// [`Peepholes::Diagonal`]:
///
/// | variant | options |
/// |---|---|
/// | NIG, NFG, NOG: no input, forget or output gate | [`LstmGates::NoInput`], [`NoForget`](LstmGates::NoForget), [`NoOutput`](LstmGates::NoOutput) |
/// | NIAF: no input activation | `activations.candidate` = [`Activation::IDENTITY`](crate::Activation::IDENTITY) |
/// | NOAF: no output activation | `activations.output` = the identity |
/// | CIFG: coupled input and forget gate | [`LstmGates::Coupled`] |
/// | NP: no peepholes | [`Peepholes::None`] |
/// | FGR: full gate recurrence | `gate_recurrence` |
#[derive(Config, Debug)]
pub struct LstmConfig {
    /// Width of the input, at least 1.
    pub d_input: usize,
    /// Hidden units: the width of the cell state and, unless it is projected, of the hidden state. At least 1.
    pub d_hidden: usize,
    /// Whether the affine maps have biases. Default: true, as in PyTorch.
    #[config(default = true)]
    pub bias: bool,
    /// What weights and biases are drawn from. Default: [`RecurrentScheme::default`], with a forget bias of 1. A
    /// projection is drawn like input weights.
    #[config(default = "RecurrentScheme::default()")]
    pub init: RecurrentScheme,
    /// Which gates there are. Default: all.
    #[config(default = "LstmGates::All")]
    pub gates: LstmGates,
    /// How the gates see the cell state. Default: not at all, as in PyTorch.
    #[config(default = "Peepholes::None")]
    pub peepholes: Peepholes,
    /// Whether input, forget and output gate also read all three gates of the step before (Greff et al.'s FGR, after the
    /// first LSTM of 1997): `+ i R_i· + f R_f· + o R_o·`. Default: false.
    #[config(default = false)]
    pub gate_recurrence: bool,
    /// What peepholes and gate recurrence are drawn from. Default: zeros, so that the cell starts as the one without
    /// them.
    #[config(default = "Initializer::Zeros")]
    pub peephole_init: Initializer,
    /// The activations. Default: sigmoid gates, tanh elsewhere.
    #[config(default = "LstmActivations::default()")]
    pub activations: LstmActivations,
    /// The width of the hidden state after a projection, `h′ = (o ⊙ tanh(c′)) W_hr`, at least 1 and below `d_hidden`
    /// (Sak et al., *Long Short-Term Memory Recurrent Neural Network Architectures for Large Scale Acoustic Modeling*,
    /// 2014, <https://arxiv.org/abs/1402.1128>; PyTorch's `proj_size`). Default: none.
    pub d_projected: Option<usize>,
    /// The pre-activations of gates and candidate, peepholes included, are held within `[−clip, clip]`, as by ONNX's
    /// `clip` in ONNX Runtime. The gradient is 0 where they are. Above 0. Default: no clip.
    pub clip: Option<f64>,
    /// The cell state is held within `[−cell_clip, cell_clip]`, as by Burn's `clip` and TensorFlow's `cell_clip`. The
    /// gradient is 0 where it is. Above 0. Default: no clip.
    pub cell_clip: Option<f64>,
    /// What the cell starts from when no state is given. Default: zeros.
    #[config(default = "InitialState::Zeros")]
    pub initial_state: InitialState,
    /// How the cell normalises. Default: not at all. Recurrent products are not normalised with [`Peepholes::Full`],
    /// which takes them in two parts: of all norms, it has [`Normalization::SequenceBatch`] alone.
    #[config(default = "Normalization::None")]
    pub normalization: Normalization,
    /// What noise the cell adds in training. Default: none.
    #[config(default = "CellDropout::default()")]
    pub dropout: CellDropout,
}

impl CellConfig for LstmConfig {
    type Cell = Lstm;

    fn init(&self, device: &Device) -> Lstm {
        if let Err(error) = self.validate() {
            panic!("cannot make an LSTM: {error}");
        }
        let widths = RecurrentWidths {
            d_input: self.d_input,
            d_hidden: self.d_hidden,
            d_recurrent: self.d_output(),
        };
        let gates = self.gates.packed();
        let matrix = |blocks: [usize; 2]| self.extra_weight(blocks, device);
        let d_hidden = self.d_hidden;
        let mut states = vec![self.d_output(), d_hidden];
        if self.gate_recurrence {
            states.splice(1..1, [d_hidden; 3]);
        }
        Lstm {
            weights: Weights::init(&self.init, widths, gates, self.bias, device),
            peepholes: (self.peepholes == Peepholes::Diagonal).then(|| {
                let rows = self
                    .peephole_init
                    .sample([gates.len() - 1, d_hidden], device);
                Param::from_tensor(rows)
            }),
            weight_ch: (self.peepholes == Peepholes::Full).then(|| matrix([1, gates.len()])),
            weight_gh: self.gate_recurrence.then(|| matrix([3, 3])),
            weight_hr: self.d_projected.map(|d_projected| {
                Param::from_tensor(self.init.input.sample([d_hidden, d_projected], device))
            }),
            initial: LearnedState::init(self.initial_state, &states, device),
            extras: Extras::init(
                self.normalization,
                self.dropout,
                gates.len() * d_hidden,
                Some(d_hidden),
                device,
            ),
            gates: self.gates,
            activations: self.activations,
            clip: self.clip,
            cell_clip: self.cell_clip,
        }
    }

    fn with_input(&self, d_input: usize) -> Self {
        Self {
            d_input,
            ..self.clone()
        }
    }

    fn with_units(&self, d_hidden: usize) -> Self {
        Self {
            d_hidden,
            ..self.clone()
        }
    }

    fn d_input(&self) -> usize {
        self.d_input
    }

    fn d_output(&self) -> usize {
        self.d_projected.unwrap_or(self.d_hidden)
    }

    fn validate(&self) -> Result<(), CellConfigError> {
        CellConfigError::check_widths([self.d_input, self.d_hidden])?;
        if let Some(d_projected) = self.d_projected
            && !(1..self.d_hidden).contains(&d_projected)
        {
            return Err(CellConfigError::Number {
                name: "d_projected",
                found: d_projected as f64,
                expected: "a width of at least 1 and below d_hidden",
            });
        }
        if self.gate_recurrence && self.gates != LstmGates::All {
            return Err(CellConfigError::Options {
                option: "gate_recurrence",
                other: "a missing gate",
                reason: "it reads all three gates; set gates to all",
            });
        }
        CellConfigError::check_clip("clip", self.clip)?;
        CellConfigError::check_clip("cell_clip", self.cell_clip)?;
        let LstmActivations {
            gate,
            candidate,
            output,
        } = self.activations;
        for activation in [gate, candidate, output] {
            activation.validate()?;
        }
        self.peephole_init.validate()?;
        self.normalization.validate()?;
        self.dropout.validate(NoisyParts {
            candidate: true,
            cell: true,
        })?;
        if self.normalization.is_within_steps() && self.peepholes == Peepholes::Full {
            return Err(CellConfigError::Options {
                option: "a norm of the recurrent product",
                other: "full peepholes",
                reason: "the product is taken in two parts; take diagonal peepholes or a sequence-wise norm",
            });
        }
        Ok(self.init.validate_for(self.gates.packed())?)
    }
}

impl LstmConfig {
    /// A matrix of `rows` by `columns` blocks of `[d_hidden, d_hidden]`, each drawn on its own.
    fn extra_weight(&self, [rows, columns]: [usize; 2], device: &Device) -> Param<Tensor<2>> {
        let block = |_| self.peephole_init.sample([self.d_hidden; 2], device);
        let row = |_| Tensor::cat((0..columns).map(block).collect(), 1);
        Param::from_tensor(Tensor::cat((0..rows).map(row).collect(), 0))
    }
}
