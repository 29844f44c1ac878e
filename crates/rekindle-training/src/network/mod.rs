//! The network of a run: a recurrent stack between what reads its input and a linear head.

mod encoder;
mod lsuv;

use burn::module::{Flag, Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::nn::{Dropout, DropoutConfig, Embedding, EmbeddingConfig, Linear, LinearConfig};
use burn::tensor::module::linear;
use burn::tensor::{Bool, Device, Int, Tensor, TensorData};
use rekindle_cells::Sequences;
use rekindle_regularize::dropout::EmbeddingDropout;
use rekindle_regularize::units::UnitGroup;

pub(crate) use encoder::Cells;
pub use encoder::{Encoder, EncoderState};

use crate::recipe::{Readout, Recipe};

/// From a padded batch of sequences to scores.
///
/// ```text
/// x  → input dropout → recurrent stack → output dropout → readout → head dropout → x W + b
/// ```
///
/// Of a text, `x` are the embeddings of its tokens. The readout is what the stack puts out at the end of the sequence, the
/// mean of its outputs over the valid steps, or its output at each valid step. At the end it puts out the last layer's final
/// hidden states, both directions' merged; with residual connections it adds those of the layers below, as it does at every
/// step ([`Stack::last_output`](rekindle_cells::Stack::last_output)).
#[derive(Module, Debug)]
pub struct Network {
    /// The vectors of tokens: `[tokens, width]`; `None`: the input has channels.
    pub embedding: Option<Embedding>,
    /// Dropout on whole tokens, in training.
    #[module(skip)]
    pub embedding_dropout: EmbeddingDropout,
    /// Dropout on the input, in training.
    pub input_dropout: Dropout,
    /// The recurrent stack.
    pub encoder: Encoder,
    /// Dropout on the stack's outputs, in training: one mask for all steps of a sequence, and for what the stack puts out
    /// at the end.
    pub output_dropout: Dropout,
    /// What of the stack's results the head reads.
    #[module(skip)]
    pub asks: Asks,
    /// Dropout on what the head reads, in training.
    pub head_dropout: Dropout,
    /// The scores' affine map. `None`: that of the embedding, transposed.
    pub head: Option<Linear>,
    /// The bias of the scores, in that case: `[tokens]`.
    pub tied_bias: Option<Param<Tensor<1>>>,
}

/// What the head of a network reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    /// One vector a sequence.
    Sequence(Readout),
    /// One vector for each valid step.
    Steps,
}

/// What a network reads and puts out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// What it reads.
    pub reads: Reads,
    /// Width of an answer: how many classes, tokens or numbers.
    pub d_output: usize,
    /// Whether there is an answer for each valid step; else there is one for each sequence.
    pub each_step: bool,
}

/// What a network reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// So many numbers a step.
    Channels(usize),
    /// One of so many tokens a step.
    Tokens(usize),
}

/// What a network reads: a padded batch.
#[derive(Clone, Debug)]
pub enum Input {
    /// `[batch, seq, channels]`.
    Values(Tensor<3>),
    /// Numbers of tokens: `[batch, seq]`.
    Tokens(Tensor<2, Int>),
}

impl Network {
    /// Draws the weights. Seed the device before: the same seed gives the same bits.
    ///
    /// # Panics
    /// If the recipe's sections `[model]` and `[regularize]` are not valid, the `max_steps` of a batch normalisation is left
    /// to the training data, or a shape of tokens meets a recipe without `[text]`.
    pub fn init(recipe: &Recipe, shape: Shape, device: &Device) -> Self {
        let model = &recipe.model;
        let text = recipe.text.unwrap_or_default();
        let (embedding, d_input) = match shape.reads {
            Reads::Channels(channels) => (None, channels),
            Reads::Tokens(tokens) => {
                let embedding = EmbeddingConfig::new(tokens, text.embedding).init(device);
                (Some(embedding), text.embedding)
            }
        };
        let asks = match shape.each_step {
            true => Asks::Steps,
            false => Asks::Sequence(model.readout),
        };
        let encoder = Encoder::init(recipe, d_input, device);
        let is_tied = embedding.is_some() && text.tied;
        let head = LinearConfig::new(encoder.d_output(), shape.d_output);
        let network = Self {
            embedding,
            embedding_dropout: EmbeddingDropout {
                prob: text.embedding_dropout,
            },
            input_dropout: DropoutConfig::new(model.input_dropout).init(),
            output_dropout: DropoutConfig::new(recipe.regularize.dropout.output).init(),
            asks,
            head_dropout: DropoutConfig::new(model.head_dropout).init(),
            head: (!is_tied).then(|| head.init(device)),
            tied_bias: is_tied.then(|| Param::from_tensor(Tensor::zeros([shape.d_output], device))),
            encoder,
        };
        network.map(&mut Numbered::default())
    }

    /// A copy with autodiff that behaves as in evaluation: without noise, and by running statistics.
    pub(crate) fn differentiated(&self) -> Self {
        /// Switches noise and statistics of batches off.
        struct Evaluation;

        impl ModuleMapper for Evaluation {
            fn map_flag(&mut self, flag: Param<Flag>) -> Param<Flag> {
                flag.with_value(false)
            }
        }
        let mut network = self.clone().train().map(&mut Evaluation);
        network.embedding_dropout.prob = 0.0;
        network
    }

    /// The hidden units, which can be taken out one by one: see [`rekindle_regularize::units`].
    ///
    /// With tied weights the columns of the embedding are those of the output: then there are none that may leave.
    pub fn units(&self) -> Vec<UnitGroup> {
        match &self.head {
            Some(_) => self.encoder.units().read_by("head.weight", 0).groups,
            None => Vec::new(),
        }
    }

    /// How many hidden units each cell of each layer has, forward first.
    pub(crate) fn widths(&self) -> Vec<Vec<usize>> {
        self.encoder.widths()
    }

    /// The answers for a batch: the scores of classes before the softmax, or numbers.
    ///
    /// # Shapes
    /// - input: `[batch, seq, d_input]`, of which `lengths[row]` steps are valid
    /// - output: `[batch, d_output]`, or `[valid steps, d_output]`, row by row
    ///
    /// # Panics
    /// If the shapes do not belong together.
    pub fn forward(&self, input: Tensor<3>, lengths: &[usize]) -> Tensor<2> {
        self.score(Input::Values(input), lengths, None).scores
    }

    /// The scores of a batch, from a state on, with all that is needed besides.
    ///
    /// # Panics
    /// As [`forward`](Self::forward).
    pub fn score(&self, input: Input, lengths: &[usize], state: Option<EncoderState>) -> Scored {
        let input = self.input_dropout.forward(self.vectors(input));
        let sequences = Sequences::padded(input, lengths.to_vec());
        let encoded = self.encoder.forward(sequences, state);
        let (dropped, last) = self.drop_outputs(encoded.output.clone(), encoded.last);
        let features = match self.asks {
            Asks::Sequence(Readout::Last) => last,
            Asks::Sequence(Readout::Mean) => mean_over_time(dropped.clone(), lengths),
            Asks::Steps => valid_steps(dropped.clone(), lengths),
        };
        Scored {
            scores: self.answer(self.head_dropout.forward(features)),
            output: encoded.output,
            dropped,
            state: encoded.state,
        }
    }

    /// What the stack reads, before dropout: `[batch, seq, width]`.
    pub(crate) fn vectors(&self, input: Input) -> Tensor<3> {
        match input {
            Input::Values(values) => values,
            Input::Tokens(tokens) => self.embed(tokens),
        }
    }

    /// A state in which some rows begin anew.
    pub(crate) fn renewed(&self, state: EncoderState, fresh: &[bool]) -> EncoderState {
        self.encoder.renewed(state, fresh)
    }

    /// The vectors of tokens: `[batch, seq]` to `[batch, seq, width]`.
    fn embed(&self, tokens: Tensor<2, Int>) -> Tensor<3> {
        let embedding = self
            .embedding
            .as_ref()
            .expect("a network that reads tokens");
        let vectors = embedding.forward(tokens.clone());
        let table = embedding.weight.val();
        if self.embedding_dropout.prob == 0.0 || !table.device().is_autodiff() {
            return vectors;
        }
        let options = (&table.device(), table.dtype());
        let mask = self.embedding_dropout.mask(table.dims()[0], options);
        vectors * EmbeddingDropout::mask_of(mask, tokens)
    }

    /// `features W + b`.
    fn answer(&self, features: Tensor<2>) -> Tensor<2> {
        match (&self.head, &self.embedding) {
            (Some(head), _) => head.forward(features),
            (None, Some(embedding)) => {
                let weight = embedding.weight.val().transpose();
                linear(features, weight, self.tied_bias.as_ref().map(Param::val))
            }
            (None, None) => unreachable!("only the head of an embedding is tied"),
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
        match self.devices().iter().any(Device::is_autodiff) {
            true => self.visit(&mut count),
            false => self.clone().train().visit(&mut count),
        }
        count.0
    }
}

/// What a network makes of a batch.
#[derive(Clone, Debug)]
pub struct Scored {
    /// The scores of classes before the softmax, or numbers: `[batch, d_output]`, or `[valid steps, d_output]`, row by row.
    pub scores: Tensor<2>,
    /// The outputs of the stack, zero in padding: `[batch, seq, d_output]`.
    pub output: Tensor<3>,
    /// The same after output dropout.
    pub dropped: Tensor<3>,
    /// The state after each row's last valid step.
    pub state: EncoderState,
}

/// The outputs of all valid steps, row by row: `[batch, seq, width]` to `[valid steps, width]`.
fn valid_steps(output: Tensor<3>, lengths: &[usize]) -> Tensor<2> {
    let [batch, seq, width] = output.dims();
    let flat = output.reshape([batch * seq, width]);
    match valid_places(lengths, seq, &flat.device()) {
        Some(places) => flat.select(0, places),
        None => flat,
    }
}

/// The same of numbers of tokens: `[batch, seq]` to `[valid steps]`.
pub(crate) fn valid_targets(targets: Tensor<2, Int>, lengths: &[usize]) -> Tensor<1, Int> {
    let [batch, seq] = targets.dims();
    let flat = targets.reshape([batch * seq]);
    match valid_places(lengths, seq, &flat.device()) {
        Some(places) => flat.select(0, places),
        None => flat,
    }
}

/// The places of all valid steps, row by row; `None` if there are no others.
fn valid_places(lengths: &[usize], seq: usize, device: &Device) -> Option<Tensor<1, Int>> {
    if lengths.iter().all(|&length| length == seq) {
        return None;
    }
    let rows = lengths.iter().enumerate();
    let places = rows.flat_map(|(row, &length)| (0..length).map(move |step| row * seq + step));
    let places: Vec<i64> = places.map(|place| place as i64).collect();
    Some(Tensor::from_data(places.as_slice(), device))
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
