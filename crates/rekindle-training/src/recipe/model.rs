//! The section `[model]`: the network.

use std::fmt;

use rekindle_cells::{
    Activation, Connections, Direction, InitialState, Initializer, LstmGates, Merge, Normalization,
    Peepholes, RecurrentScheme, Reset, Update,
};
use serde::{Deserialize, Serialize};

use super::validate::check;
use super::{Hidden, RecipeError, activation, normalization};

/// A recurrent cell by name.
#[derive(Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum CellKind {
    /// [`Lstm`](rekindle_cells::Lstm).
    Lstm,
    /// [`Gru`](rekindle_cells::Gru).
    Gru,
    /// [`Elman`](rekindle_cells::Elman).
    Rnn,
}

impl fmt::Display for CellKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Lstm => "lstm",
            Self::Gru => "gru",
            Self::Rnn => "rnn",
        })
    }
}

/// What the head reads of the recurrent stack.
#[derive(Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Readout {
    /// What the stack puts out at the end: see [`Stack::last_output`](rekindle_cells::Stack::last_output).
    Last,
    /// The mean of its outputs over the valid steps.
    Mean,
}

/// The section `[model]`.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct ModelRecipe {
    /// The cell. Default: LSTM.
    pub cell: CellKind,
    /// Units of each layer and direction, at least 1. Default: 64 in all of them.
    pub hidden: Hidden,
    /// Layers, at least 1. Default: 1.
    pub layers: usize,
    /// Direction of the layers. Default: forward.
    pub direction: Direction,
    /// What becomes of the outputs of both directions. Default: side by side.
    pub merge: Merge,
    /// What layers read besides the layer below. Default: nothing.
    pub connections: Connections,
    /// Whether cells have biases. Default: true.
    pub bias: bool,
    /// What cells start from. Default: zeros.
    pub initial_state: InitialState,
    /// What the arguments of gates and candidate are held within, above 0. Default: no clip.
    pub clip: Option<f64>,
    /// Activation of an Elman cell. Default: tanh, the only one for other cells, which have those that follow.
    #[serde(with = "activation")]
    pub activation: Activation,
    /// Activation of the gates of an LSTM or GRU. Default: sigmoid.
    #[serde(with = "activation")]
    pub gate_activation: Activation,
    /// Activation of the candidate of an LSTM or GRU. Default: tanh.
    #[serde(with = "activation")]
    pub candidate_activation: Activation,
    /// Activation of an LSTM's cell state on its way out. Default: tanh.
    #[serde(with = "activation")]
    pub output_activation: Activation,
    /// The gates of an LSTM. Default: all.
    pub gates: LstmGates,
    /// How the gates of an LSTM see the cell state. Default: not at all.
    pub peepholes: Peepholes,
    /// Whether the gates of an LSTM read those of the step before; only with all gates. Default: false.
    pub gate_recurrence: bool,
    /// Width of an LSTM's hidden state after a projection, at least 1 and below `hidden`. Default: no projection.
    pub projected: Option<usize>,
    /// What the cell state of an LSTM is held within, above 0. Default: no clip.
    pub cell_clip: Option<f64>,
    /// Where the reset gate of a GRU acts. Default: after the recurrent product.
    pub reset: Reset,
    /// What the update gate of a GRU is a fraction of. Default: the old state.
    pub update: Update,
    /// How cells normalise. Default: not at all.
    ///
    /// Batch normalisation with a `max_steps` of 0 gets one from the training data when training begins: as many steps
    /// as two sequences of an average batch reach. The recipe in the run folder has the number.
    #[serde(with = "normalization")]
    pub normalization: Normalization,
    /// Dropout on the input, in `[0, 1)`. Default: 0.
    pub input_dropout: f64,
    /// Dropout between layers, in `[0, 1)`. Default: 0.
    pub dropout: f64,
    /// Dropout on what the head reads, in `[0, 1)`. Default: 0.
    pub head_dropout: f64,
    /// What the head reads. Default: the last states.
    pub readout: Readout,
    /// Whether input weights are scaled by the first batch, so that the arguments of all gates have unit variance: see
    /// [`Stack::lsuv`](rekindle_cells::Stack::lsuv). Only with orthogonal input weights and without norms. Default: false.
    pub lsuv: bool,
    /// What the recurrent weights are drawn from.
    pub init: RecurrentScheme,
}

impl ModelRecipe {
    /// Checks that what is scaled by data was drawn as it should be, and that no norm undoes it.
    pub(super) fn check_lsuv(&self) -> Result<(), RecipeError> {
        let is_orthogonal = |input: &Initializer| matches!(input, Initializer::Orthogonal { .. });
        let mut rules = self
            .init
            .gates
            .iter()
            .filter_map(|rule| rule.input.as_ref());
        check(
            !self.lsuv || (is_orthogonal(&self.init.input) && rules.all(is_orthogonal)),
            "model.lsuv",
            "true with input weights of another kind",
            "false, or model.init.input = { kind = \"orthogonal\" } and no gate with another",
        )?;
        check(
            !self.lsuv || self.normalization == Normalization::None,
            "model.lsuv",
            "true with model.normalization",
            "false, or no normalization: a norm sets the variance itself",
        )
    }
}

impl Default for ModelRecipe {
    fn default() -> Self {
        Self {
            cell: CellKind::Lstm,
            hidden: Hidden::All(64),
            layers: 1,
            direction: Direction::Forward,
            merge: Merge::Concat,
            connections: Connections::Plain,
            bias: true,
            initial_state: InitialState::Zeros,
            clip: None,
            activation: Activation::Tanh,
            gate_activation: Activation::Sigmoid,
            candidate_activation: Activation::Tanh,
            output_activation: Activation::Tanh,
            gates: LstmGates::All,
            peepholes: Peepholes::None,
            gate_recurrence: false,
            projected: None,
            cell_clip: None,
            reset: Reset::After,
            update: Update::Keep,
            normalization: Normalization::None,
            input_dropout: 0.0,
            dropout: 0.0,
            head_dropout: 0.0,
            readout: Readout::Last,
            lsuv: false,
            init: RecurrentScheme::default(),
        }
    }
}
