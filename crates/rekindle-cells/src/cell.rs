//! What a cell is, and what every recurrent network can do.

use std::fmt::Debug;

use burn::config::Config;
use burn::module::{Module, ModuleDisplay};
use burn::tensor::{Device, Tensor};
use rekindle_init::{Gate, InitError};
use rekindle_kernels::Order;
use rekindle_regularize::units::UnitAxis;

use crate::{Extras, Sequences, State, Weights};

/// A recurrent cell: equations, weights and a state.
///
/// Implement this trait and [`CellConfig`] for a new cell; sequences ([`Recurrent`]), layers and directions
/// ([`Stack`](crate::Stack)), lengths and gradients come with it.
pub trait Cell: Module + ModuleDisplay {
    /// What the cell carries from step to step.
    type State: State;

    /// The weights of all gates. The cell holds them in a field `weights`.
    fn weights(&self) -> &Weights;

    /// The zero state of a batch.
    fn zero_state(&self, batch: usize) -> Self::State;

    /// The state before the first step unless another one is given: zeros, or what the cell has learned.
    fn initial_state(&self, batch: usize) -> Self::State {
        self.zero_state(batch)
    }

    /// One step: from an input `[batch, d_input]` and the old state to the new state.
    ///
    /// # Panics
    /// If the shapes do not belong together.
    fn step(&self, x: Tensor<2>, state: Self::State) -> Self::State {
        let sequence: Tensor<3> = x.unsqueeze_dim(1);
        self.scan(sequence.into(), state, Order::Forward).1
    }

    /// All steps of a batch of sequences in the given order: outputs `[batch, seq, d_hidden]`, zero in padding, and
    /// the state after each row's last visited valid step. Outputs have the layout of the sequences.
    ///
    /// # Panics
    /// If the shapes do not belong together.
    fn scan(
        &self,
        sequences: Sequences,
        state: Self::State,
        order: Order,
    ) -> (Tensor<3>, Self::State);

    /// The values of the gates in one step, `[batch, units]` each, in packing order: those of a sigmoid, and of tanh for the
    /// candidate. Empty where the cell cannot show them, which is the default: with other activations, or with options
    /// that change what gates read.
    ///
    /// # Panics
    /// If the shapes do not belong together.
    fn gates(&self, _x: Tensor<2>, _state: &Self::State) -> Vec<(Gate, Tensor<2>)> {
        Vec::new()
    }

    /// Width of the hidden state.
    fn d_hidden(&self) -> usize {
        self.weights().d_hidden()
    }

    /// The norms and the noise of the cell, and who watches its gradients, if it takes [scans](Extras::scan) with them.
    /// Default: `None`.
    fn extras_mut(&mut self) -> Option<&mut Extras> {
        None
    }

    /// How many hidden units the cell has. Default: the width of the hidden state.
    fn units(&self) -> usize {
        self.d_hidden()
    }

    /// Whether the hidden state consists of the units. Default: yes; not so with a projection.
    fn puts_out_units(&self) -> bool {
        true
    }

    /// Where the units stand in the tensors of the cell, whose paths begin at the cell. Without them all, pruning a unit
    /// would leave something of it. Default: those in the [weights](Self::weights).
    fn unit_axes(&self) -> Vec<UnitAxis> {
        self.weights().unit_axes("weights", self.units(), true)
    }
}

/// The configuration of a cell.
pub trait CellConfig: Config + Clone {
    /// The cell that it makes.
    type Cell: Cell;

    /// Draws a cell's weights on a device.
    ///
    /// # Panics
    /// With the message of [`validate`](Self::validate).
    fn init(&self, device: &Device) -> Self::Cell;

    /// The same cell for inputs of another width.
    fn with_input(&self, d_input: usize) -> Self;

    /// The same cell with another number of hidden units.
    fn with_units(&self, d_hidden: usize) -> Self;

    /// Width of the input.
    fn d_input(&self) -> usize;

    /// Width of the hidden state that the cell puts out.
    fn d_output(&self) -> usize;

    /// Checks the configuration.
    ///
    /// # Errors
    /// If a width is 0 or the initialisation does not suit the cell.
    fn validate(&self) -> Result<(), CellConfigError>;
}

/// A cell configuration that no cell can be made from.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CellConfigError {
    /// A width of 0.
    #[error("{name} is 0, expected a width of at least 1")]
    Width {
        /// The field.
        name: &'static str,
    },
    /// An initialisation that does not suit the cell.
    #[error("initialisation does not suit the cell: {source}")]
    Init {
        /// Why.
        #[from]
        source: InitError,
    },
    /// A number outside its range.
    #[error("{name} is {found}, expected {expected}")]
    Number {
        /// The field.
        name: &'static str,
        /// The number.
        found: f64,
        /// The range.
        expected: &'static str,
    },
    /// Two options that exclude each other.
    #[error("{option} does not go with {other}: {reason}")]
    Options {
        /// One option.
        option: &'static str,
        /// The other one.
        other: &'static str,
        /// Why, and what to do.
        reason: &'static str,
    },
}

impl CellConfigError {
    /// Checks the widths that every cell has.
    pub(crate) fn check_widths([d_input, d_hidden]: [usize; 2]) -> Result<(), Self> {
        match (d_input, d_hidden) {
            (0, _) => Err(Self::Width { name: "d_input" }),
            (_, 0) => Err(Self::Width { name: "d_hidden" }),
            _ => Ok(()),
        }
    }

    /// Checks a threshold that values are clipped at.
    pub(crate) fn check_clip(name: &'static str, clip: Option<f64>) -> Result<(), Self> {
        match clip {
            Some(found) if !(found > 0.0 && found.is_finite()) => Err(Self::Number {
                name,
                found,
                expected: "a finite threshold above 0",
            }),
            _ => Ok(()),
        }
    }
}

/// A recurrent network over sequences: a single cell, or a [`Stack`](crate::Stack) of layers.
pub trait Recurrent: Module {
    /// What it carries from one call to the next.
    type State: Clone + Debug + Send;

    /// Runs over a batch of sequences.
    ///
    /// `input` is a tensor or a padded batch, see [`Sequences`]. `state` is the state before the first step; `None`
    /// means [`initial_state`](Cell::initial_state), zeros unless the cell has learned another one. Padding never changes a result: not an output, a state or a gradient.
    ///
    /// # Shapes
    /// - input: `[batch, seq, d_input]`
    /// - output: `[batch, seq, d_output]`, zero in padding
    ///
    /// The returned state is the one after each row's last valid step.
    ///
    /// # Panics
    /// If the shapes do not belong together, or `seq` is 0.
    fn forward(
        &self,
        input: impl Into<Sequences>,
        state: Option<Self::State>,
    ) -> (Tensor<3>, Self::State);

    /// Width of the input.
    fn d_input(&self) -> usize;

    /// Width of the output.
    fn d_output(&self) -> usize;
}

impl<C: Cell> Recurrent for C {
    type State = C::State;

    fn forward(
        &self,
        input: impl Into<Sequences>,
        state: Option<Self::State>,
    ) -> (Tensor<3>, Self::State) {
        let input = input.into();
        let state = state.unwrap_or_else(|| self.initial_state(input.batch()));
        self.scan(input, state, Order::Forward)
    }

    fn d_input(&self) -> usize {
        self.weights().d_input()
    }

    fn d_output(&self) -> usize {
        self.d_hidden()
    }
}
