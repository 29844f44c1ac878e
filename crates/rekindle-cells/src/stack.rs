//! Layers, directions, and dropout between layers, for every cell.

use burn::config::Config;
use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::{Device, Tensor};
use rekindle_kernels::Order;
use serde::{Deserialize, Serialize};

use crate::{Cell, CellConfig, CellConfigError, Recurrent, Sequences, State};

/// The direction in which the layers of a stack read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the first step to the last.
    #[default]
    Forward,
    /// From each row's last valid step to its first.
    Reverse,
    /// Both, by two cells with weights of their own; outputs are concatenated, forward first (Schuster and Paliwal,
    /// *Bidirectional Recurrent Neural Networks*, 1997, <https://doi.org/10.1109/78.650093>).
    Bidirectional,
}

impl Direction {
    /// The number of cells in a layer.
    pub fn cells(self) -> usize {
        self.orders().len()
    }

    /// The order in which each cell of a layer reads.
    fn orders(self) -> &'static [Order] {
        match self {
            Self::Forward => &[Order::Forward],
            Self::Reverse => &[Order::Reverse],
            Self::Bidirectional => &[Order::Forward, Order::Reverse],
        }
    }
}

/// Configuration of a [`Stack`].
#[derive(Config, Debug)]
pub struct StackConfig {
    /// Number of layers, at least 1. Default: 1.
    #[config(default = 1)]
    pub layers: usize,
    /// Direction of every layer. Default: forward.
    #[config(default = "Direction::Forward")]
    pub direction: Direction,
    /// Probability of zeroing an output of a layer on its way to the next one, in training, in `[0, 1)`; nothing is
    /// dropped behind the last layer. Default: 0.0, as in PyTorch.
    #[config(default = 0.0)]
    pub dropout: f64,
}

impl StackConfig {
    /// Draws the weights of all layers: layer by layer, the forward cell before the reverse one.
    ///
    /// `cell` configures the first layer; those above it read `d_hidden` inputs, or twice as many if bidirectional.
    ///
    /// # Panics
    /// With the message of [`validate`](Self::validate), or of the cell's own.
    pub fn init<C: CellConfig>(&self, cell: &C, device: &Device) -> Stack<C::Cell> {
        if let Err(error) = self.validate(cell) {
            panic!("cannot make a stack: {error}");
        }
        let above = cell.with_input(self.direction.cells() * cell.d_hidden());
        let layers = (0..self.layers)
            .map(|layer| if layer == 0 { cell } else { &above })
            .map(|cell| Layer::init(cell, self.direction, device))
            .collect();
        Stack {
            layers,
            dropout: DropoutConfig::new(self.dropout).init(),
        }
    }

    /// Checks the configuration, and the cell's with it.
    ///
    /// # Errors
    /// If there is no layer, the dropout is no probability below 1, or the cell's configuration is wrong.
    pub fn validate(&self, cell: &impl CellConfig) -> Result<(), StackConfigError> {
        if self.layers == 0 {
            return Err(StackConfigError::Layers);
        }
        if !(0.0..1.0).contains(&self.dropout) {
            return Err(StackConfigError::Dropout {
                dropout: self.dropout,
            });
        }
        Ok(cell.validate()?)
    }
}

/// A configuration that no stack can be made from.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StackConfigError {
    /// No layer.
    #[error("layers is 0, expected at least 1")]
    Layers,
    /// A dropout that is no probability below 1.
    #[error("dropout is {dropout}, expected a probability in [0, 1)")]
    Dropout {
        /// The value.
        dropout: f64,
    },
    /// A wrong cell configuration.
    #[error(transparent)]
    Cell(#[from] CellConfigError),
}

/// The cells of one layer.
#[derive(Module, Debug)]
pub struct Layer<C: Cell> {
    /// The cell that reads forward.
    pub forward: Option<C>,
    /// The cell that reads in reverse.
    pub reverse: Option<C>,
}

impl<C: Cell> Layer<C> {
    fn init<F: CellConfig<Cell = C>>(cell: &F, direction: Direction, device: &Device) -> Self {
        let orders = direction.orders();
        let make = |order| orders.contains(&order).then(|| cell.init(device));
        Self {
            forward: make(Order::Forward),
            reverse: make(Order::Reverse),
        }
    }

    /// The cells and the orders in which they read, forward first.
    fn cells(&self) -> impl Iterator<Item = (Order, &C)> {
        let forward = self.forward.iter().map(|cell| (Order::Forward, cell));
        forward.chain(self.reverse.iter().map(|cell| (Order::Reverse, cell)))
    }

    fn scan(&self, input: &Sequences, states: Vec<C::State>) -> (Tensor<3>, Vec<C::State>) {
        let (mut outputs, states): (Vec<_>, Vec<_>) = self
            .cells()
            .zip(states)
            .map(|((order, cell), state)| cell.scan(input.clone(), state, order))
            .unzip();
        let output = if outputs.len() == 1 {
            outputs.remove(0)
        } else {
            Tensor::cat(outputs, 2)
        };
        (output, states)
    }
}

/// The state of a [`Stack`]: one for each layer and cell.
#[derive(Clone, Debug)]
pub struct StackState<S> {
    /// The states of each layer's cells, the forward one first.
    pub layers: Vec<Vec<S>>,
}

impl<S: State> StackState<S> {
    /// The hidden states of the last layer's cells, forward first: `[batch, cells·d_hidden]`.
    ///
    /// Of the states that [`Recurrent::forward`] returns, these have read the whole sequence: the forward cell's is the
    /// one after each row's last valid step, the reverse cell's the one after its first.
    ///
    /// # Panics
    /// If the state has no layer.
    pub fn last_hidden(&self) -> Tensor<2> {
        let last = self.layers.last().expect("a stack has at least one layer");
        Tensor::cat(last.iter().map(State::hidden).collect(), 1)
    }

    /// Applies a function to each tensor of the state.
    pub fn map(self, mut function: impl FnMut(Tensor<2>) -> Tensor<2>) -> Self {
        let mut map = |layer: Vec<S>| layer.into_iter().map(|s| s.map(&mut function)).collect();
        Self {
            layers: self.layers.into_iter().map(&mut map).collect(),
        }
    }

    /// The same numbers without their history: see [`State::detach`].
    pub fn detach(self) -> Self {
        self.map(Tensor::detach)
    }
}

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

    /// The state before the first step unless another one is given: zeros.
    pub fn zero_state(&self, batch: usize) -> StackState<C::State> {
        let zeros = |(_, cell): (Order, &C)| cell.weights().zero_state(batch);
        let layers = self
            .layers
            .iter()
            .map(|layer| layer.cells().map(zeros).collect())
            .collect();
        StackState { layers }
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
        self.assert_fits(&state);
        let mut x = x;
        let mut layers = Vec::with_capacity(self.layers.len());
        for (index, (layer, states)) in self.layers.iter().zip(state.layers).enumerate() {
            if index > 0 {
                x = self.dropout.forward(x);
            }
            let states: Vec<_> = layer
                .cells()
                .zip(states)
                .map(|((_, cell), state)| cell.step(x.clone(), state))
                .collect();
            x = states[0].hidden();
            layers.push(states);
        }
        (x, StackState { layers })
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
        let mut input = input.into();
        let [batch, _, _] = input.values.dims();
        let state = state.unwrap_or_else(|| self.zero_state(batch));
        self.assert_fits(&state);

        let mut layers = Vec::with_capacity(self.layers.len());
        for (index, (layer, states)) in self.layers.iter().zip(state.layers).enumerate() {
            if index > 0 {
                input = input.with_values(self.dropout.forward(input.values.clone()));
            }
            let (output, states) = layer.scan(&input, states);
            input = input.with_values(output);
            layers.push(states);
        }
        (input.values, StackState { layers })
    }

    fn d_input(&self) -> usize {
        let (_, cell) = self.layers[0]
            .cells()
            .next()
            .expect("a layer has at least one cell");
        cell.weights().d_input()
    }

    fn d_output(&self) -> usize {
        self.layers[0]
            .cells()
            .map(|(_, cell)| cell.d_hidden())
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::GruConfig;

    #[test]
    fn widths_of_layers_and_directions() {
        let stack = StackConfig::new()
            .with_layers(3)
            .with_direction(Direction::Bidirectional)
            .init(&GruConfig::new(5, 4), &Default::default());
        assert_eq!((stack.d_input(), stack.d_output()), (5, 8));
        let inputs: Vec<_> = stack
            .layers
            .iter()
            .flat_map(|layer| layer.cells().map(|(_, cell)| cell.weights().d_input()))
            .collect();
        assert_eq!(inputs, [5, 5, 8, 8, 8, 8]);
    }

    #[test]
    fn nothing_is_dropped_before_the_first_and_behind_the_last_layer() {
        let device = Device::default().autodiff();
        let config = StackConfig::new().with_dropout(0.9);
        let stack = config.init(&GruConfig::new(5, 16), &device);
        let input = Tensor::<3>::ones([2, 3, 5], &device);
        let once = stack.forward(input.clone(), None).0.into_data();
        assert_eq!(once, stack.forward(input, None).0.into_data());
    }

    #[test]
    fn dropout_acts_between_layers_in_training_alone() {
        let device = Device::default().autodiff();
        let config = StackConfig::new().with_layers(2).with_dropout(0.5);
        let stack = config.init(&GruConfig::new(5, 16), &device);
        let input = Tensor::<3>::ones([2, 3, 5], &device);

        let once = stack.forward(input.clone(), None).0.into_data();
        let again = stack.forward(input.clone(), None).0.into_data();
        assert_ne!(once, again, "dropout draws anew in training");

        let valid = stack.valid();
        let once = valid.forward(input.clone().inner(), None).0.into_data();
        let again = valid.forward(input.inner(), None).0.into_data();
        assert_eq!(once, again, "evaluation drops nothing");
    }

    #[test]
    fn wrong_configurations_are_named() {
        let gru = GruConfig::new(5, 4);
        let error = |config: StackConfig| config.validate(&gru).unwrap_err().to_string();
        assert_eq!(
            error(StackConfig::new().with_layers(0)),
            "layers is 0, expected at least 1"
        );
        assert_eq!(
            error(StackConfig::new().with_dropout(1.0)),
            "dropout is 1, expected a probability in [0, 1)"
        );
    }

    #[test]
    #[should_panic(expected = "cannot take single steps: expected direction Forward")]
    fn a_reverse_stack_cannot_step() {
        let device = Device::default();
        let config = StackConfig::new().with_direction(Direction::Reverse);
        let stack = config.init(&GruConfig::new(5, 4), &device);
        let state = stack.zero_state(1);
        stack.step(Tensor::ones([1, 5], &device), state);
    }
}
