//! The network of sequence classification: a recurrent stack, a readout and a linear head.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::nn::{Dropout, DropoutConfig, Linear, LinearConfig};
use burn::tensor::{Bool, Device, Int, Tensor, TensorData};
use rekindle_cells::{
    Cell, Elman, ElmanConfig, Extras, Gru, GruActivations, GruConfig, Lstm, LstmActivations,
    LstmConfig, Recurrent, Sequences, Stack, StackConfig, StackConfigError,
};

use rekindle_regularize::units::UnitGroup;

use crate::recipe::{CellKind, ModelRecipe, Readout, Recipe, RegularizeRecipe};

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
    /// A stack whose last cells do not mask their outputs: the classifier does it.
    fn init(recipe: &Recipe, d_input: usize, device: &Device) -> Self {
        let stack = stack(&recipe.model);
        match Cells::new(&recipe.model, &recipe.regularize, d_input) {
            Cells::Elman(cell) => {
                Self::Elman(unmasked(stack.init(&cell, device), |cell| &mut cell.extras))
            }
            Cells::Lstm(cell) => {
                Self::Lstm(unmasked(stack.init(&cell, device), |cell| &mut cell.extras))
            }
            Cells::Gru(cell) => {
                Self::Gru(unmasked(stack.init(&cell, device), |cell| &mut cell.extras))
            }
        }
    }

    /// Outputs `[batch, seq, d_output]`, and what the stack puts out at the end, `[batch, d_output]`.
    fn forward(&self, sequences: Sequences) -> (Tensor<3>, Tensor<2>) {
        match self {
            Self::Elman(stack) => forward(stack, sequences),
            Self::Lstm(stack) => forward(stack, sequences),
            Self::Gru(stack) => forward(stack, sequences),
        }
    }

    fn d_output(&self) -> usize {
        match self {
            Self::Elman(stack) => stack.d_output(),
            Self::Lstm(stack) => stack.d_output(),
            Self::Gru(stack) => stack.d_output(),
        }
    }
}

/// The stack without dropout on the outputs of its last cells.
fn unmasked<C: Cell>(mut stack: Stack<C>, extras: fn(&mut C) -> &mut Extras) -> Stack<C> {
    if let Some(layer) = stack.layers.last_mut() {
        for cell in [&mut layer.forward, &mut layer.reverse]
            .into_iter()
            .flatten()
        {
            extras(cell).dropout.output = 0.0;
        }
    }
    stack
}

fn forward<C: Cell>(stack: &Stack<C>, sequences: Sequences) -> (Tensor<3>, Tensor<2>) {
    let (output, state) = stack.forward(sequences, None);
    let last = stack.last_output(&state);
    (output, last)
}

/// From a padded batch of sequences to one score a class.
///
/// ```text
/// x  → input dropout → recurrent stack → output dropout → readout → head dropout → x W + b
/// ```
///
/// The readout is what the stack puts out at the end of the sequence, or the mean of its outputs over the valid steps. At
/// the end it puts out the last layer's final hidden states, both directions' merged; with residual connections it adds
/// those of the layers below, as it does at every step ([`Stack::last_output`]).
#[derive(Module, Debug)]
pub struct Classifier {
    /// Dropout on the input, in training.
    pub input_dropout: Dropout,
    /// The recurrent stack.
    pub encoder: Encoder,
    /// Dropout on the stack's outputs, in training: one mask for all steps of a sequence, and for what the stack puts out
    /// at the end.
    pub output_dropout: Dropout,
    /// What of the stack's results the head reads.
    #[module(skip)]
    pub readout: Readout,
    /// Dropout on what the head reads, in training.
    pub head_dropout: Dropout,
    /// The scores' affine map.
    pub head: Linear,
}

impl Classifier {
    /// Draws the weights. Seed the device before: the same seed gives the same bits.
    ///
    /// # Panics
    /// If the recipe's sections `[model]` and `[regularize]` are not valid, or the `max_steps` of a batch normalisation is
    /// left to the training data.
    pub fn init(recipe: &Recipe, d_input: usize, classes: usize, device: &Device) -> Self {
        let encoder = Encoder::init(recipe, d_input, device);
        let head = LinearConfig::new(encoder.d_output(), classes).init(device);
        let model = &recipe.model;
        let classifier = Self {
            input_dropout: DropoutConfig::new(model.input_dropout).init(),
            encoder,
            output_dropout: DropoutConfig::new(recipe.regularize.dropout.output).init(),
            readout: model.readout,
            head_dropout: DropoutConfig::new(model.head_dropout).init(),
            head,
        };
        classifier.map(&mut Numbered::default())
    }

    /// The hidden units, which can be taken out one by one: see [`rekindle_regularize::units`].
    pub fn units(&self) -> Vec<UnitGroup> {
        let (name, units) = match &self.encoder {
            Encoder::Elman(stack) => ("Elman", stack.units()),
            Encoder::Lstm(stack) => ("Lstm", stack.units()),
            Encoder::Gru(stack) => ("Gru", stack.units()),
        };
        let units = units.under(&format!("encoder.{name}"));
        units.read_by("head.weight", 0).groups
    }

    /// How many hidden units each cell of each layer has, forward first.
    pub(crate) fn widths(&self) -> Vec<Vec<usize>> {
        match &self.encoder {
            Encoder::Elman(stack) => stack.widths(),
            Encoder::Lstm(stack) => stack.widths(),
            Encoder::Gru(stack) => stack.widths(),
        }
    }

    /// The scores of each class before the softmax.
    ///
    /// # Shapes
    /// - input: `[batch, seq, d_input]`, of which `lengths[row]` steps are valid
    /// - output: `[batch, classes]`
    ///
    /// # Panics
    /// If the shapes do not belong together.
    pub fn forward(&self, input: Tensor<3>, lengths: &[usize]) -> Tensor<2> {
        self.score(input, lengths).logits
    }

    /// As [`forward`](Self::forward), with the outputs of the stack, of which penalties are taken.
    ///
    /// # Panics
    /// As `forward`.
    pub fn score(&self, input: Tensor<3>, lengths: &[usize]) -> Scored {
        let input = self.input_dropout.forward(input);
        let (output, last) = self
            .encoder
            .forward(Sequences::padded(input, lengths.to_vec()));
        let (dropped, last) = self.drop_outputs(output.clone(), last);
        let features = match self.readout {
            Readout::Last => last,
            Readout::Mean => mean_over_time(dropped.clone(), lengths),
        };
        Scored {
            logits: self.head.forward(self.head_dropout.forward(features)),
            output,
            dropped,
        }
    }

    /// Masks the outputs of all steps, and what the stack puts out at the end, by one mask `[batch, d_output]`.
    fn drop_outputs(&self, output: Tensor<3>, last: Tensor<2>) -> (Tensor<3>, Tensor<2>) {
        if self.output_dropout.prob == 0.0 {
            return (output, last);
        }
        let mask = self.output_dropout.forward(last.ones_like());
        (output * mask.clone().unsqueeze_dim::<3>(1), last * mask)
    }

    /// Trainable numbers. [`num_params`](Module::num_params) also counts what the network holds and no optimiser moves,
    /// such as running statistics.
    pub fn parameters(&self) -> usize {
        let mut count = Trainable(0);
        match self.head.weight.val().device().is_autodiff() {
            true => self.visit(&mut count),
            false => self.clone().train().visit(&mut count),
        }
        count.0
    }
}

/// What a classifier makes of a batch.
#[derive(Clone, Debug)]
pub struct Scored {
    /// The scores of each class before the softmax: `[batch, classes]`.
    pub logits: Tensor<2>,
    /// The outputs of the stack, zero in padding: `[batch, seq, d_output]`.
    pub output: Tensor<3>,
    /// The same after output dropout.
    pub dropped: Tensor<3>,
}

/// Counts the numbers that an optimiser moves.
struct Trainable(usize);

impl ModuleVisitor for Trainable {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if param.is_require_grad() {
            self.0 += param.lazy_shape().num_elements();
        }
    }
}

/// The mean over valid steps; outputs are zero in padding. `[batch, seq, width]` to `[batch, width]`.
fn mean_over_time(output: Tensor<3>, lengths: &[usize]) -> Tensor<2> {
    let weights: Vec<f64> = lengths
        .iter()
        .map(|&length| 1.0 / length.max(1) as f64)
        .collect();
    let options = (&output.device(), output.dtype());
    let weights = Tensor::<2>::from_data(TensorData::new(weights, [lengths.len(), 1]), options);
    output.sum_dim(1).squeeze_dim::<2>(1) * weights
}

/// Numbers the parameters in order instead of at random, so that two runs of one seed write the same bytes.
#[derive(Default)]
struct Numbered(u64);

impl Numbered {
    fn next(&mut self) -> ParamId {
        self.0 += 1;
        ParamId::from(self.0)
    }
}

impl ModuleMapper for Numbered {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (_, value, mapper) = param.consume();
        Param::from_mapped_value(self.next(), value, mapper)
    }

    fn map_int<const D: usize>(&mut self, param: Param<Tensor<D, Int>>) -> Param<Tensor<D, Int>> {
        let (_, value, mapper) = param.consume();
        Param::from_mapped_value(self.next(), value, mapper)
    }

    fn map_bool<const D: usize>(
        &mut self,
        param: Param<Tensor<D, Bool>>,
    ) -> Param<Tensor<D, Bool>> {
        let (_, value, mapper) = param.consume();
        Param::from_mapped_value(self.next(), value, mapper)
    }
}
