//! What a convolutional cell is, and what every convolutional network can do.

use burn::config::Config;
use burn::module::{Module, ModuleDisplay};
use burn::tensor::{Device, Tensor};
use rekindle_kernels::Order;

use super::{ConvConfigError, ConvState, ConvWeights, Frame, Frames, Sequence};

/// A recurrent cell over frames of rank `D`, `[batch, channels, …space]`: what [`Cell`](crate::Cell) is over vectors.
pub trait ConvCell<const D: usize>: Module + ModuleDisplay {
    /// What the cell carries from step to step.
    type State: ConvState<D>;

    /// The weights of all gates.
    fn weights(&self) -> &ConvWeights<D>;

    /// The zero state of a batch whose frames have the size `space`, one number for each axis.
    ///
    /// # Panics
    /// If such a frame is smaller than the kernel.
    fn zero_state(&self, batch: usize, space: &[usize]) -> Self::State;

    /// The state before the first step unless another one is given: zeros, or what the cell has learned.
    ///
    /// # Panics
    /// As [`zero_state`](Self::zero_state).
    fn initial_state(&self, batch: usize, space: &[usize]) -> Self::State {
        self.zero_state(batch, space)
    }

    /// All steps of a batch of sequences in the given order: outputs with `d_hidden` channels, zero in padding, and the
    /// state after each row's last visited valid step.
    ///
    /// # Panics
    /// If the shapes do not belong together.
    fn scan(&self, frames: Frames<D>, state: Self::State, order: Order)
    -> (Frames<D>, Self::State);

    /// One step: from frames `[batch, channels, …space]` and the old state to the new state.
    ///
    /// # Panics
    /// If the shapes do not belong together.
    fn step(&self, x: Tensor<D>, state: Self::State) -> Self::State {
        self.scan(Frames::single(x), state, Order::Forward).1
    }

    /// Channels of the hidden state.
    fn d_hidden(&self) -> usize {
        self.weights().d_hidden()
    }
}

/// The configuration of a convolutional cell.
pub trait ConvCellConfig<const D: usize>: Config + Clone {
    /// The cell that it makes.
    type Cell: ConvCell<D>;

    /// Draws a cell's weights on a device.
    ///
    /// # Panics
    /// With the message of [`validate`](Self::validate).
    fn init(&self, device: &Device) -> Self::Cell;

    /// The same cell one layer higher: it reads `channels` channels in frames of the size of this cell's state.
    ///
    /// # Panics
    /// With the message of [`validate`](Self::validate).
    fn above(&self, channels: usize) -> Self;

    /// Channels of the hidden state.
    fn d_hidden(&self) -> usize;

    /// Checks the configuration.
    ///
    /// # Errors
    /// If no cell can be made from it.
    fn validate(&self) -> Result<(), ConvConfigError>;
}

/// A recurrent network over sequences of frames: a single cell, or a [`ConvStack`](super::ConvStack) of layers. What
/// [`Recurrent`](crate::Recurrent) is over vectors.
pub trait ConvRecurrent<const D: usize>: Module
where
    Tensor<D>: Frame,
{
    /// What it carries from one call to the next.
    type State: ConvState<D>;

    /// Runs over a batch of sequences.
    ///
    /// `input` is a tensor or a padded batch, see [`Frames`]. `state` is the state before the first step; `None` means
    /// [`initial_state`](ConvCell::initial_state), zeros unless the cell has learned another one. Padding never changes a
    /// result: not an output, a state or a gradient.
    ///
    /// # Shapes
    /// - input: `[batch, seq, channels, …space]`
    /// - output: `[batch, seq, d_output, …space of the state]`, zero in padding
    ///
    /// The returned state is the one after each row's last valid step.
    ///
    /// # Panics
    /// If the shapes do not belong together, or `seq` is 0.
    fn forward(
        &self,
        input: impl Into<Frames<D>>,
        state: Option<Self::State>,
    ) -> (Sequence<D>, Self::State);
}

impl<const D: usize, C: ConvCell<D>> ConvRecurrent<D> for C
where
    Tensor<D>: Frame,
{
    type State = C::State;

    fn forward(
        &self,
        input: impl Into<Frames<D>>,
        state: Option<Self::State>,
    ) -> (Sequence<D>, Self::State) {
        let input = input.into();
        let state = state.unwrap_or_else(|| self.initial_state(input.batch(), &input.space()));
        let (output, state) = self.scan(input, state, Order::Forward);
        (output.into_sequence(), state)
    }
}
