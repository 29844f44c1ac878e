//! Recurrent cells, their states, layers and directions.
//!
//! A cell ([`Elman`], [`Lstm`], [`Gru`]) is its equations, its parameters and its state. What all cells share is written
//! once: [`Recurrent::forward`] over a padded batch of sequences ([`Sequences`]), and [`Stack`] for layers, directions,
//! connections and dropout between layers. Cells whose states are maps are in [`conv`].
//!
//! # Examples
//! Two bidirectional LSTM layers over a batch of two sequences, the second one shorter:
//! ```
//! use burn::tensor::{Device, Distribution, Tensor};
//! use rekindle_cells::{Direction, LstmConfig, Recurrent, Sequences, StackConfig};
//!
//! let device = Device::default();
//! let rnn = StackConfig::new()
//!     .with_layers(2)
//!     .with_direction(Direction::Bidirectional)
//!     .init(&LstmConfig::new(12, 64), &device);
//!
//! let input = Tensor::random([2, 29, 12], Distribution::Default, &device);
//! let (output, state) = rnn.forward(Sequences::padded(input, vec![29, 17]), None);
//! assert_eq!(output.dims(), [2, 29, 128]);
//! assert_eq!(state.last_hidden().dims(), [2, 128]);
//! ```

mod activation;
mod buffer;
mod cell;
pub mod conv;
mod dropout;
mod elman;
mod extras;
mod flow;
mod gru;
mod initial;
mod lstm;
mod norm;
mod sequences;
mod stack;
mod state;
mod units;
mod weights;

pub use activation::Activation;
pub use buffer::Buffer;
pub use cell::{Cell, CellConfig, CellConfigError, Recurrent};
pub use dropout::{CellDropout, NoisyParts};
pub use elman::{Elman, ElmanConfig, ElmanEquations};
pub use extras::Extras;
pub use flow::CellFlow;
pub use gru::{Gru, GruActivations, GruConfig, GruEquations, GruVariant, Reset, Update};
pub use initial::{InitialState, LearnedState};
pub use lstm::{
    Lstm, LstmActivations, LstmConfig, LstmEquations, LstmGates, LstmState, LstmVariant, Peepholes,
};
pub use norm::{CellNorms, ColumnNorm, Normalization, RunningStatistics};
pub use rekindle_init::{
    Gate, GateBias, GateRule, Initializer, Lsuv, RecurrentScheme, RecurrentWidths,
};
pub use rekindle_kernels::{
    Array, Equations, GradientFlow, Lane, Layout, Lengths, Order, Parameters, StateGradients,
    StepGradients,
};
pub use rekindle_regularize::dropout::Redraw;
pub use sequences::Sequences;
pub use stack::{
    Connections, Direction, GatePlace, Layer, LsuvError, Merge, Stack, StackConfig,
    StackConfigError, StackState,
};
pub use state::State;
pub use units::StackUnits;
pub use weights::{Weights, scan_cell};
