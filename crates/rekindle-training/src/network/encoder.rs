//! The recurrent stack of a recipe's cell.

use burn::module::Module;
use burn::tensor::{Bool, Device, Tensor, TensorData};
use rekindle_cells::{
    Cell, Elman, ElmanConfig, Gru, GruActivations, GruConfig, Lstm, LstmActivations, LstmConfig,
    LstmState, Recurrent, Sequences, Stack, StackConfig, StackConfigError, StackState, StackUnits,
};

use crate::recipe::{CellKind, ModelRecipe, Recipe, RegularizeRecipe};

/// A recurrent stack of any cell.
#[derive(Module, Debug)]
pub enum Encoder {
    /// Of Elman cells.
    Elman(Stack<Elman>),
    /// Of LSTM cells.
    Lstm(Stack<Lstm>),
    /// Of GRU cells.
    Gru(Stack<Gru>),
}

/// The configuration of a recipe's cell.
pub(crate) enum Cells {
    Elman(ElmanConfig),
    Lstm(LstmConfig),
    Gru(GruConfig),
}

impl Cells {
    pub(crate) fn new(recipe: &ModelRecipe, regularize: &RegularizeRecipe, d_input: usize) -> Self {
        let dropout = regularize.dropout;
        match recipe.cell {
            CellKind::Rnn => Self::Elman(elman(recipe, d_input).with_dropout(dropout)),
            CellKind::Lstm => Self::Lstm(lstm(recipe, d_input).with_dropout(dropout)),
            CellKind::Gru => Self::Gru(gru(recipe, d_input).with_dropout(dropout)),
        }
    }

    /// Checks the stack that a recipe makes of the cells.
    pub(crate) fn validate(&self, recipe: &ModelRecipe) -> Result<(), StackConfigError> {
        match self {
            Self::Elman(cell) => stack(recipe).validate(cell),
            Self::Lstm(cell) => stack(recipe).validate(cell),
            Self::Gru(cell) => stack(recipe).validate(cell),
        }
    }
}

fn elman(recipe: &ModelRecipe, d_input: usize) -> ElmanConfig {
    ElmanConfig::new(d_input, recipe.hidden.largest())
        .with_activation(recipe.activation)
        .with_bias(recipe.bias)
        .with_init(recipe.init.clone())
        .with_clip(recipe.clip)
        .with_initial_state(recipe.initial_state)
        .with_normalization(recipe.normalization)
}

fn lstm(recipe: &ModelRecipe, d_input: usize) -> LstmConfig {
    LstmConfig::new(d_input, recipe.hidden.largest())
        .with_bias(recipe.bias)
        .with_init(recipe.init.clone())
        .with_gates(recipe.gates)
        .with_peepholes(recipe.peepholes)
        .with_gate_recurrence(recipe.gate_recurrence)
        .with_activations(LstmActivations {
            gate: recipe.gate_activation,
            candidate: recipe.candidate_activation,
            output: recipe.output_activation,
        })
        .with_d_projected(recipe.projected)
        .with_clip(recipe.clip)
        .with_cell_clip(recipe.cell_clip)
        .with_initial_state(recipe.initial_state)
        .with_normalization(recipe.normalization)
}

fn gru(recipe: &ModelRecipe, d_input: usize) -> GruConfig {
    GruConfig::new(d_input, recipe.hidden.largest())
        .with_bias(recipe.bias)
        .with_init(recipe.init.clone())
        .with_reset(recipe.reset)
        .with_update(recipe.update)
        .with_activations(GruActivations {
            gate: recipe.gate_activation,
            candidate: recipe.candidate_activation,
        })
        .with_clip(recipe.clip)
        .with_initial_state(recipe.initial_state)
        .with_normalization(recipe.normalization)
}

fn stack(recipe: &ModelRecipe) -> StackConfig {
    StackConfig::new()
        .with_layers(recipe.layers)
        .with_direction(recipe.direction)
        .with_dropout(recipe.dropout)
        .with_merge(recipe.merge)
        .with_connections(recipe.connections)
        .with_units(recipe.hidden.of_cells(recipe.direction))
}

impl Encoder {
    /// A stack whose last cells do not mask their outputs: the network does it.
    pub(super) fn init(recipe: &Recipe, d_input: usize, device: &Device) -> Self {
        let stack = stack(&recipe.model);
        match Cells::new(&recipe.model, &recipe.regularize, d_input) {
            Cells::Elman(cell) => Self::Elman(unmasked(stack.init(&cell, device))),
            Cells::Lstm(cell) => Self::Lstm(unmasked(stack.init(&cell, device))),
            Cells::Gru(cell) => Self::Gru(unmasked(stack.init(&cell, device))),
        }
    }

    /// All steps, from a state of the same cell; without one, from that of the beginning.
    ///
    /// # Panics
    /// If the state is one of another cell.
    pub(super) fn forward(&self, sequences: Sequences, state: Option<EncoderState>) -> Encoded {
        match (self, state) {
            (Self::Elman(stack), None) => forward(stack, sequences, None, EncoderState::Elman),
            (Self::Elman(stack), Some(EncoderState::Elman(state))) => {
                forward(stack, sequences, Some(state), EncoderState::Elman)
            }
            (Self::Lstm(stack), None) => forward(stack, sequences, None, EncoderState::Lstm),
            (Self::Lstm(stack), Some(EncoderState::Lstm(state))) => {
                forward(stack, sequences, Some(state), EncoderState::Lstm)
            }
            (Self::Gru(stack), None) => forward(stack, sequences, None, EncoderState::Gru),
            (Self::Gru(stack), Some(EncoderState::Gru(state))) => {
                forward(stack, sequences, Some(state), EncoderState::Gru)
            }
            (_, Some(state)) => panic!("found a state of {state:?}, expected one of this cell"),
        }
    }

    /// A state in which some rows are as at the beginning of a sequence.
    ///
    /// # Panics
    /// If the state is one of another cell.
    pub(super) fn renewed(&self, state: EncoderState, fresh: &[bool]) -> EncoderState {
        match (self, state) {
            (Self::Elman(stack), EncoderState::Elman(state)) => {
                EncoderState::Elman(renewed(stack, state, fresh))
            }
            (Self::Lstm(stack), EncoderState::Lstm(state)) => {
                EncoderState::Lstm(renewed(stack, state, fresh))
            }
            (Self::Gru(stack), EncoderState::Gru(state)) => {
                EncoderState::Gru(renewed(stack, state, fresh))
            }
            (_, state) => panic!("found a state of {state:?}, expected one of this cell"),
        }
    }

    /// Width of what the stack puts out.
    pub(super) fn d_output(&self) -> usize {
        match self {
            Self::Elman(stack) => stack.d_output(),
            Self::Lstm(stack) => stack.d_output(),
            Self::Gru(stack) => stack.d_output(),
        }
    }

    /// The hidden units of all cells, by the paths of a network that holds the encoder.
    pub(super) fn units(&self) -> StackUnits {
        let (name, units) = match self {
            Self::Elman(stack) => ("Elman", stack.units()),
            Self::Lstm(stack) => ("Lstm", stack.units()),
            Self::Gru(stack) => ("Gru", stack.units()),
        };
        units.under(&format!("encoder.{name}"))
    }

    /// How many hidden units each cell of each layer has, forward first.
    pub(super) fn widths(&self) -> Vec<Vec<usize>> {
        match self {
            Self::Elman(stack) => stack.widths(),
            Self::Lstm(stack) => stack.widths(),
            Self::Gru(stack) => stack.widths(),
        }
    }
}

/// What an encoder makes of a batch.
pub(super) struct Encoded {
    /// The outputs of the stack, zero in padding: `[batch, seq, d_output]`.
    pub(super) output: Tensor<3>,
    /// What the stack puts out at the end: `[batch, d_output]`.
    pub(super) last: Tensor<2>,
    /// The state after each row's last valid step.
    pub(super) state: EncoderState,
}

/// What an [`Encoder`] carries from one batch to the next.
#[derive(Clone, Debug)]
pub enum EncoderState {
    /// Of Elman cells.
    Elman(StackState<Tensor<2>>),
    /// Of LSTM cells.
    Lstm(StackState<LstmState>),
    /// Of GRU cells.
    Gru(StackState<Tensor<2>>),
}

impl EncoderState {
    /// The same numbers without their history, so that no gradient flows into what came before.
    pub fn detach(self) -> Self {
        match self {
            Self::Elman(state) => Self::Elman(state.detach()),
            Self::Lstm(state) => Self::Lstm(state.detach()),
            Self::Gru(state) => Self::Gru(state.detach()),
        }
    }
}

fn renewed<C: Cell>(
    stack: &Stack<C>,
    state: StackState<C::State>,
    fresh: &[bool],
) -> StackState<C::State> {
    let mut beginnings = Vec::new();
    stack.initial_state(fresh.len()).map(|tensor| {
        beginnings.push(tensor.clone());
        tensor
    });
    let mut beginnings = beginnings.into_iter();
    state.map(|tensor| {
        let beginning = beginnings
            .next()
            .expect("states of one stack have as many tensors");
        let mask = TensorData::new(fresh.to_vec(), [fresh.len(), 1]);
        let mask = Tensor::<2, Bool>::from_data(mask, &tensor.device());
        tensor
            .clone()
            .mask_where(mask.expand(tensor.dims()), beginning)
    })
}

/// The stack without dropout on the outputs of its last cells.
fn unmasked<C: Cell>(mut stack: Stack<C>) -> Stack<C> {
    if let Some(layer) = stack.layers.last_mut() {
        let cells = layer.forward.iter_mut().chain(&mut layer.reverse);
        for extras in cells.filter_map(Cell::extras_mut) {
            extras.dropout.output = 0.0;
        }
    }
    stack
}

fn forward<C: Cell>(
    stack: &Stack<C>,
    sequences: Sequences,
    state: Option<StackState<C::State>>,
    wrap: fn(StackState<C::State>) -> EncoderState,
) -> Encoded {
    let (output, state) = stack.forward(sequences, state);
    Encoded {
        output,
        last: stack.last_output(&state),
        state: wrap(state),
    }
}
