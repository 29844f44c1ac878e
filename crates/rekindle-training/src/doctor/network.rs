//! The one place where the doctor meets the network.

use burn::module::Module;
use burn::tensor::{Device, Distribution, Tensor};
use rekindle_cells::{Cell, CellFlow, Recurrent, Sequences, Stack, State};

use super::Place;
use super::measure::{Flow, FlowSum, Horizon};
use crate::task::{Lesson, Part, Task};
use crate::{Encoder, Metric, Network};

/// Runs an expression with the stack of a network, whatever its cells are.
macro_rules! with_stack {
    ($encoder:expr, $stack:ident => $body:expr) => {
        match $encoder {
            Encoder::Elman($stack) => $body,
            Encoder::Lstm($stack) => $body,
            Encoder::Gru($stack) => $body,
        }
    };
}

/// From now on backward passes of a network leave how much gradient reaches its cells.
pub(crate) fn watch(network: &mut Network) -> Vec<CellFlow> {
    with_stack!(&mut network.encoder, stack => stack.watch())
}

/// The network without anyone who watches.
pub(crate) fn unwatched(mut network: Network) -> Network {
    with_stack!(&mut network.encoder, stack => stack.unwatch());
    network
}

/// A network that is looked at: it trains no more, and draws no noise.
pub(crate) struct Patient {
    /// Without autodiff.
    plain: Network,
    /// With autodiff.
    differentiated: Network,
}

/// Looks at one cell of a stack, without and with autodiff, and at what it reads.
pub(crate) trait Look {
    /// Takes note of a cell. What it reads has no autodiff.
    fn look<C: Cell>(&mut self, place: Place, plain: &C, differentiated: &C, reads: &Sequences);
}

impl Patient {
    /// A copy of a network, so that nobody else who watches it sees anything.
    pub(crate) fn new(network: &Network) -> Self {
        let plain = network.valid();
        let differentiated = unwatched(plain.differentiated());
        Self {
            plain,
            differentiated,
        }
    }

    /// How much of the gradient of a lesson's loss reaches each state; none of scans that leave nothing.
    pub(crate) fn flows(&self, lesson: &Lesson) -> Vec<Flow> {
        let lesson = lesson.clone().differentiated();
        let mut network = self.differentiated.clone();
        let cells = watch(&mut network);
        let scored = network.score(lesson.input.clone(), &lesson.lengths, None);
        lesson
            .targets
            .loss(lesson.counted(scored.scores))
            .backward();
        let flow = |cell: &CellFlow| {
            let mut sum = FlowSum::default();
            for pass in cell.flow.take() {
                sum.add(&pass, cell.reverse);
            }
            sum.flows(Place::new(cell.layer, cell.reverse))
        };
        cells.iter().flat_map(flow).collect()
    }

    /// How far back inputs move the last hidden states of the top layer, for each order of reading.
    pub(crate) fn horizons(&self, lesson: &Lesson) -> Vec<Horizon> {
        let orders = with_stack!(&self.differentiated.encoder, stack => orders(stack));
        let horizon = |(cell, &reverse): (usize, &bool)| {
            let vectors = self.plain.vectors(lesson.input.clone());
            let input = Tensor::from_inner(vectors).require_grad();
            let sequences = Sequences::padded(input.clone(), lesson.lengths.clone());
            let last = with_stack!(&self.differentiated.encoder, stack => {
                last_hidden(stack, sequences, cell)
            });
            let random =
                Tensor::random(last.dims(), Distribution::Normal(0.0, 1.0), &last.device());
            let gradients = (last * random).sum().backward();
            let [rows, seq, channels] = input.dims();
            let gradient = input.grad(&gradients).map(Tensor::into_data);
            let zeros = || vec![0.0; rows * seq * channels];
            let values: Vec<f64> = gradient.map_or_else(zeros, |data| data.iter::<f64>().collect());
            let square = |step: &[f64]| step.iter().map(|value| value * value).sum::<f64>();
            let squares: Vec<Vec<f64>> = (values.chunks(seq * channels).zip(&lesson.lengths))
                .map(|(row, &length)| row.chunks(channels).take(length).map(square).collect())
                .collect();
            Horizon::of(&squares, reverse)
        };
        orders.iter().enumerate().map(horizon).collect()
    }

    /// The loss over what a task validates on, if there is any.
    pub(crate) fn loss(&self, task: &dyn Task, device: &Device) -> Option<f64> {
        let evaluation = task.evaluate(&self.plain, Part::Valid, device)?;
        evaluation.scores.get(Metric::Loss)
    }

    /// Looks at every cell.
    pub(crate) fn look(&self, lesson: &Lesson, look: &mut impl Look) {
        let vectors = self.plain.vectors(lesson.input.clone());
        let sequences = Sequences::padded(vectors, lesson.lengths.clone());
        match (&self.plain.encoder, &self.differentiated.encoder) {
            (Encoder::Elman(plain), Encoder::Elman(other)) => each(plain, other, sequences, look),
            (Encoder::Lstm(plain), Encoder::Lstm(other)) => each(plain, other, sequences, look),
            (Encoder::Gru(plain), Encoder::Gru(other)) => each(plain, other, sequences, look),
            _ => unreachable!("a copy has the cells of the original"),
        }
    }
}

/// Which cells of a layer read in reverse, in their order.
fn orders<C: Cell>(stack: &Stack<C>) -> Vec<bool> {
    let layer = &stack.layers[0];
    let forward = layer.forward.iter().map(|_| false);
    forward.chain(layer.reverse.iter().map(|_| true)).collect()
}

/// The last hidden state of one cell of the top layer.
fn last_hidden<C: Cell>(stack: &Stack<C>, sequences: Sequences, cell: usize) -> Tensor<2> {
    let (_, state) = stack.forward(sequences, None);
    let top = state.layers.last().expect("a stack has a layer");
    top[cell].hidden()
}

fn each<C: Cell>(plain: &Stack<C>, other: &Stack<C>, input: Sequences, look: &mut impl Look) {
    let inputs = plain.layer_inputs(input);
    let layers = plain.layers.iter().zip(&other.layers).zip(&inputs);
    for (layer, ((plain, other), reads)) in layers.enumerate() {
        let pairs = [
            (&plain.forward, &other.forward, false),
            (&plain.reverse, &other.reverse, true),
        ];
        for (plain, other, reverse) in pairs {
            if let (Some(plain), Some(other)) = (plain, other) {
                look.look(Place::new(layer, reverse), plain, other, reads);
            }
        }
    }
}
