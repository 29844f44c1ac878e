//! Layers and directions of convolutional cells.

use burn::config::Config;
use burn::module::{Module, ModuleDisplay};
use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::{Device, Tensor};
use rekindle_kernels::Order;

use super::{
    ConvCell, ConvCellConfig, ConvConfigError, ConvRecurrent, ConvState, Frame, Frames, Sequence,
};
use crate::{Direction, StackConfigError, StackState};

/// Configuration of a [`ConvStack`].
#[derive(Config, Debug)]
pub struct ConvStackConfig {
    /// Number of layers, at least 1. All have the convolutions of the first, so that a stride acts in each. Default: 1.
    #[config(default = 1)]
    pub layers: usize,
    /// Direction of every layer. Default: forward.
    #[config(default = "Direction::Forward")]
    pub direction: Direction,
    /// Probability of zeroing an output of a layer on its way to the next one, in training, in `[0, 1)`; nothing is
    /// dropped behind the last layer. Default: 0.0.
    #[config(default = 0.0)]
    pub dropout: f64,
}

impl ConvStackConfig {
    /// Draws the weights of all layers: layer by layer, the forward cell before the reverse one.
    ///
    /// `cell` configures the first layer; those above it read what the layers below put out, in channels and in size.
    ///
    /// # Panics
    /// With the message of [`validate`](Self::validate).
    pub fn init<const D: usize, C: ConvCellConfig<D>>(
        &self,
        cell: &C,
        device: &Device,
    ) -> ConvStack<C::Cell> {
        if let Err(error) = self.validate(cell) {
            panic!("cannot make a stack of convolutional cells: {error}");
        }
        let mut cell = cell.clone();
        let mut layers = Vec::with_capacity(self.layers);
        for layer in 0..self.layers {
            if layer > 0 {
                cell = cell.above(self.direction.cells() * cell.d_hidden());
            }
            let orders = self.direction.orders();
            let [forward, reverse] = [Order::Forward, Order::Reverse]
                .map(|order| orders.contains(&order).then(|| cell.init(device)));
            layers.push(ConvLayer { forward, reverse });
        }
        ConvStack {
            layers,
            dropout: DropoutConfig::new(self.dropout).init(),
        }
    }

    /// Checks the configuration, and that of each layer's cells with it.
    ///
    /// # Errors
    /// If there is no layer, the dropout is no probability below 1, or a cell's configuration is wrong.
    pub fn validate<const D: usize, C: ConvCellConfig<D>>(
        &self,
        cell: &C,
    ) -> Result<(), ConvConfigError> {
        StackConfigError::check(self.layers, self.dropout)?;
        cell.validate()?;
        let mut cell = cell.clone();
        for _ in 1..self.layers {
            cell = cell.above(self.direction.cells() * cell.d_hidden());
            cell.validate()?;
        }
        Ok(())
    }
}

/// The cells of one layer.
#[derive(Module, Debug)]
pub struct ConvLayer<C: Module + ModuleDisplay> {
    /// The cell that reads forward.
    pub forward: Option<C>,
    /// The cell that reads in reverse.
    pub reverse: Option<C>,
}

impl<C: Module + ModuleDisplay> ConvLayer<C> {
    /// The cells and the orders in which they read, forward first.
    fn cells(&self) -> impl Iterator<Item = (Order, &C)> {
        let forward = self.forward.iter().map(|cell| (Order::Forward, cell));
        forward.chain(self.reverse.iter().map(|cell| (Order::Reverse, cell)))
    }
}

/// Layers of convolutional cells, each reading the outputs of the one below: what [`Stack`](crate::Stack) is over vectors.
///
/// The outputs of both directions stand side by side, forward first: `d_output` is `cells·d_hidden`. Layers whose kernels
/// differ are cells that are called one after the other.
///
/// # Examples
/// ```
/// use burn::tensor::{Device, Distribution, Tensor};
/// use rekindle_cells::conv::{
///     ConvConfig, ConvGru2dConfig, ConvRecurrent, ConvStackConfig, ConvState, Frames,
/// };
/// use rekindle_cells::{Direction, GruConfig};
///
/// let device = Device::default();
/// let cell = ConvGru2dConfig::new(GruConfig::new(3, 4), ConvConfig::new(3.into()));
/// let rnn = ConvStackConfig::new()
///     .with_layers(2)
///     .with_direction(Direction::Bidirectional)
///     .init(&cell, &device);
///
/// let video = Tensor::<5>::random([2, 5, 3, 6, 6], Distribution::Default, &device);
/// let (output, state) = rnn.forward(Frames::padded(video, vec![5, 2]), None);
/// assert_eq!(output.dims(), [2, 5, 8, 6, 6]);
/// assert_eq!(state.hidden().dims(), [2, 8, 6, 6]);
/// ```
#[derive(Module, Debug)]
pub struct ConvStack<C: Module + ModuleDisplay> {
    /// The layers, the one that reads the input first.
    pub layers: Vec<ConvLayer<C>>,
    /// Dropout between layers.
    pub dropout: Dropout,
}

impl<C: Module + ModuleDisplay> ConvStack<C> {
    /// One step of every layer, for frames that arrive one by one: input `[batch, channels, …space]` to output
    /// `[batch, d_hidden, …space of the state]` and the new state. `None` as the state: as in
    /// [`forward`](ConvRecurrent::forward).
    ///
    /// # Panics
    /// If a layer reads in reverse (the last step would have to come first), or the shapes do not belong together.
    pub fn step<const D: usize>(
        &self,
        x: Tensor<D>,
        state: Option<StackState<<C as ConvCell<D>>::State>>,
    ) -> (Tensor<D>, StackState<<C as ConvCell<D>>::State>)
    where
        C: ConvCell<D>,
    {
        assert!(
            self.layers.iter().all(|layer| layer.reverse.is_none()),
            "a stack with a layer that reads in reverse cannot take single steps: expected direction Forward"
        );
        let (_, state) = self.run(Frames::single(x), state);
        (state.hidden(), state)
    }

    /// The outputs of the last layer and the new state.
    fn run<const D: usize>(
        &self,
        mut frames: Frames<D>,
        state: Option<StackState<<C as ConvCell<D>>::State>>,
    ) -> (Frames<D>, StackState<<C as ConvCell<D>>::State>)
    where
        C: ConvCell<D>,
    {
        if let Some(state) = &state {
            self.assert_fits(state);
        }
        let mut given = state.map(|state| state.layers.into_iter());
        let mut layers = Vec::with_capacity(self.layers.len());
        for (index, layer) in self.layers.iter().enumerate() {
            if index > 0 {
                frames = frames.with_values(self.dropout.forward(frames.values.clone()));
            }
            let (batch, space) = (frames.batch(), frames.space());
            let old = match given.as_mut().and_then(Iterator::next) {
                Some(old) => old,
                None => {
                    let initial = |(_, cell): (Order, &C)| cell.initial_state(batch, &space);
                    layer.cells().map(initial).collect()
                }
            };
            let scanned = layer.cells().zip(old);
            let (outputs, new): (Vec<_>, Vec<_>) = scanned
                .map(|((order, cell), old)| {
                    let (output, new) = cell.scan(frames.clone(), old, order);
                    (output.values, new)
                })
                .unzip();
            frames = frames.with_values(Tensor::cat(outputs, 1));
            layers.push(new);
        }
        (frames, StackState { layers })
    }

    /// Checks that a state has one entry for each layer and cell.
    fn assert_fits<S>(&self, state: &StackState<S>) {
        let found: Vec<usize> = state.layers.iter().map(Vec::len).collect();
        let cells = |layer: &ConvLayer<C>| layer.cells().count();
        let expected: Vec<usize> = self.layers.iter().map(cells).collect();
        assert!(
            found == expected,
            "state does not fit the stack: expected {expected:?} states in its layers, found {found:?}"
        );
    }
}

impl<const D: usize, C: ConvCell<D>> ConvRecurrent<D> for ConvStack<C>
where
    Tensor<D>: Frame,
{
    type State = StackState<C::State>;

    fn forward(
        &self,
        input: impl Into<Frames<D>>,
        state: Option<Self::State>,
    ) -> (Sequence<D>, Self::State) {
        let (output, state) = self.run(input.into(), state);
        (output.into_sequence(), state)
    }
}
