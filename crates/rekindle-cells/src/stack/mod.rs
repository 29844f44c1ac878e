//! Layers, directions, connections, and dropout between layers, for every cell.

mod config;
mod layer;
mod lsuv;
mod state;
#[cfg(test)]
mod tests;

use burn::module::Module;
use burn::nn::Dropout;
use burn::tensor::Tensor;

pub use config::{Connections, Direction, Merge, StackConfig, StackConfigError};
pub use layer::Layer;
pub use lsuv::{GatePlace, LsuvError};
pub use state::StackState;

use crate::{Cell, Recurrent, Sequences, State};

/// Layers of cells, each reading the outputs of the one below.
///
/// Use it through [`Recurrent::forward`]; a stack that reads forward can also take single [`step`](Self::step)s.
///
/// # Differences
/// As PyTorch's `RNN`, `LSTM` and `GRU` with `num_layers`, `bidirectional` and `dropout`; lengths need no packing and no
/// sorting, and a stack can also read in reverse only.
#[derive(Module, Debug)]
pub struct Stack<C: Cell> {
    /// The layers, the one that reads the input first.
    pub layers: Vec<Layer<C>>,
    /// Dropout between layers.
    pub dropout: Dropout,
    /// What becomes of the outputs of both directions.
    #[module(skip)]
    pub merge: Merge,
    /// What layers read besides the layer below.
    #[module(skip)]
    pub connections: Connections,
}

impl<C: Cell> Stack<C> {
    /// Which way the layers read.
    pub fn direction(&self) -> Direction {
        match (&self.layers[0].forward, &self.layers[0].reverse) {
            (Some(_), Some(_)) => Direction::Bidirectional,
            (None, Some(_)) => Direction::Reverse,
            _ => Direction::Forward,
        }
    }

    /// The zero state of a batch.
    pub fn zero_state(&self, batch: usize) -> StackState<C::State> {
        self.state(|cell| cell.zero_state(batch))
    }

    /// The state before the first step unless another one is given: zeros, or what the cells have learned.
    pub fn initial_state(&self, batch: usize) -> StackState<C::State> {
        self.state(|cell| cell.initial_state(batch))
    }

    fn state(&self, of_cell: impl Fn(&C) -> C::State) -> StackState<C::State> {
        let of_layer = |layer: &Layer<C>| layer.cells().map(|(_, cell)| of_cell(cell)).collect();
        StackState {
            layers: self.layers.iter().map(of_layer).collect(),
        }
    }

    /// One step of every layer, for sequences that arrive step by step: input `[batch, d_input]` to output
    /// `[batch, d_output]` and the new state.
    ///
    /// # Panics
    /// If a layer reads in reverse (the last step would have to come first), or the shapes do not belong together.
    pub fn step(
        &self,
        x: Tensor<2>,
        state: StackState<C::State>,
    ) -> (Tensor<2>, StackState<C::State>) {
        assert!(
            self.direction() == Direction::Forward,
            "a stack that reads {:?} cannot take single steps: expected direction Forward",
            self.direction()
        );
        let (output, state) = self.forward(x.unsqueeze_dim::<3>(1), Some(state));
        (output.squeeze_dim(1), state)
    }

    /// As [`forward`](Recurrent::forward), but with the outputs of the last layer's cells as they are, forward first:
    /// not merged, and without a residual connection around the last layer.
    ///
    /// # Panics
    /// As `forward`.
    pub fn forward_each(
        &self,
        input: impl Into<Sequences>,
        state: Option<StackState<C::State>>,
    ) -> (Vec<Tensor<3>>, StackState<C::State>) {
        let (_, outputs, state) = self.run(input.into(), state, |_| ());
        (outputs, state)
    }

    /// What each layer reads while the stack reads `input` from its [initial state](Self::initial_state).
    ///
    /// # Panics
    /// As `forward`.
    pub fn layer_inputs(&self, input: impl Into<Sequences>) -> Vec<Sequences> {
        let mut inputs = Vec::with_capacity(self.layers.len());
        self.run(input.into(), None, |input| inputs.push(input.clone()));
        inputs
    }

    /// What the stack puts out at the end of its sequences, from the state that [`forward`](Recurrent::forward) returned:
    /// `[batch, d_output]`.
    ///
    /// These are the final hidden states of the last layer's cells, merged as outputs are: the forward cell's after each
    /// row's last valid step, the reverse cell's after its first. With residual connections they are added up over all
    /// layers, as outputs are. Of a stack with one direction this is the output at the last step that it reads, but that
    /// dropout between layers does not act on what is added.
    ///
    /// # Panics
    /// If the state has not one entry for each layer and cell.
    pub fn last_output(&self, state: &StackState<C::State>) -> Tensor<2> {
        self.assert_fits(state);
        let first = match self.connections {
            Connections::Residual => 0,
            _ => self.layers.len() - 1,
        };
        let merged =
            |cells: &Vec<C::State>| self.merge.of(cells.iter().map(State::hidden).collect());
        let outputs = state.layers[first..].iter().map(merged);
        outputs
            .reduce(|below, output| output + below)
            .expect("a stack has at least one layer")
    }

    /// The input of the last layer, the outputs of its cells, and the new state. `read` is given what each layer reads.
    fn run(
        &self,
        input: Sequences,
        state: Option<StackState<C::State>>,
        mut read: impl FnMut(&Sequences),
    ) -> (Sequences, Vec<Tensor<3>>, StackState<C::State>) {
        let state = state.unwrap_or_else(|| self.initial_state(input.batch()));
        self.assert_fits(&state);

        let mut input = input;
        let mut outputs = Vec::new();
        let mut layers = Vec::with_capacity(self.layers.len());
        for (index, (layer, old)) in self.layers.iter().zip(state.layers).enumerate() {
            if index > 0 {
                let values = self.join(index - 1, &input, outputs);
                input = input.with_values(self.dropout.forward(values));
            }
            read(&input);
            let new;
            (outputs, new) = layer.scan(&input, old);
            layers.push(new);
        }
        (input, outputs, StackState { layers })
    }

    /// What the layer above layer `index` reads, from the input of that layer and the outputs of its cells.
    fn join(&self, index: usize, input: &Sequences, outputs: Vec<Tensor<3>>) -> Tensor<3> {
        match self.connections {
            Connections::Dense => {
                let merged = self.merge.of(outputs);
                Tensor::cat(vec![input.values.clone(), merged], 2)
            }
            _ => self.output(index, input, outputs),
        }
    }

    /// What layer `index` puts out, from its input and the outputs of its cells.
    fn output(&self, index: usize, input: &Sequences, outputs: Vec<Tensor<3>>) -> Tensor<3> {
        let merged = self.merge.of(outputs);
        match self.connections {
            Connections::Residual if index > 0 => merged + input.values.clone(),
            _ => merged,
        }
    }

    /// The width of what a layer puts out.
    pub(crate) fn width_of(&self, layer: &Layer<C>) -> usize {
        let widths: Vec<usize> = layer.cells().map(|(_, cell)| cell.d_hidden()).collect();
        self.merge.width(&widths)
    }

    /// Checks that a state has one entry for each layer and cell.
    fn assert_fits(&self, state: &StackState<C::State>) {
        let found: Vec<usize> = state.layers.iter().map(Vec::len).collect();
        let expected = vec![self.direction().cells(); self.layers.len()];
        assert!(
            found == expected,
            "state does not fit the stack: expected {expected:?} states in its layers, found {found:?}"
        );
    }
}

impl<C: Cell> Recurrent for Stack<C> {
    type State = StackState<C::State>;

    fn forward(
        &self,
        input: impl Into<Sequences>,
        state: Option<Self::State>,
    ) -> (Tensor<3>, Self::State) {
        let (input, outputs, state) = self.run(input.into(), state, |_| ());
        (self.output(self.layers.len() - 1, &input, outputs), state)
    }

    fn d_input(&self) -> usize {
        let (_, cell) = self.layers[0]
            .cells()
            .next()
            .expect("a layer has at least one cell");
        cell.weights().d_input()
    }

    fn d_output(&self) -> usize {
        self.width_of(self.layers.last().expect("a stack has a layer"))
    }
}
