//! Recurrent cells whose products are convolutions, over frames with one, two or three axes of space.
//!
//! A convolutional cell has the equations of an ordinary one, on maps instead of vectors: [`ConvLstm`] those of
//! [`Lstm`](crate::Lstm), [`ConvGru`] those of [`Gru`](crate::Gru), with all their options. What is written here is what
//! differs: the products, and the loop over time around them.
//!
//! | tensor | shape | rank |
//! |---|---|---|
//! | sequence, [`Sequence`] | `[batch, seq, channels, …space]` | `D + 1` |
//! | frame, state | `[batch, channels, …space]` | `D` |
//! | weight | `[gates·d_hidden, channels, …kernel]` | `D` |
//!
//! Types have the rank `D` of a frame: 3, 4 or 5 for one, two or three axes of space. [`ConvLstm2d`] is `ConvLstm<4>`.

mod cell;
mod config;
mod convolution;
mod frame;
mod frames;
mod gru;
mod lstm;
mod scan;
mod stack;
mod state;
#[cfg(test)]
mod tests;
mod weights;

pub use cell::{ConvCell, ConvCellConfig, ConvRecurrent};
pub use config::{ConvConfig, ConvConfigError, ConvPadding, PerAxis};
pub use frame::{Frame, Sequence, Window};
pub use frames::Frames;
pub use gru::{ConvGru, ConvGruConfig};
pub use lstm::{ConvLstm, ConvLstmConfig};
pub use stack::{ConvLayer, ConvStack, ConvStackConfig};
pub use state::{ConvLstmState, ConvState};
pub use weights::ConvWeights;

/// A [`ConvLstm`] over sequences of `[batch, seq, channels, length]`.
pub type ConvLstm1d = ConvLstm<3>;
/// A [`ConvLstm`] over sequences of `[batch, seq, channels, height, width]`.
pub type ConvLstm2d = ConvLstm<4>;
/// A [`ConvLstm`] over sequences of `[batch, seq, channels, depth, height, width]`.
pub type ConvLstm3d = ConvLstm<5>;
/// Configuration of a [`ConvLstm1d`].
pub type ConvLstm1dConfig = ConvLstmConfig<3>;
/// Configuration of a [`ConvLstm2d`].
pub type ConvLstm2dConfig = ConvLstmConfig<4>;
/// Configuration of a [`ConvLstm3d`].
pub type ConvLstm3dConfig = ConvLstmConfig<5>;

/// A [`ConvGru`] over sequences of `[batch, seq, channels, length]`.
pub type ConvGru1d = ConvGru<3>;
/// A [`ConvGru`] over sequences of `[batch, seq, channels, height, width]`.
pub type ConvGru2d = ConvGru<4>;
/// A [`ConvGru`] over sequences of `[batch, seq, channels, depth, height, width]`.
pub type ConvGru3d = ConvGru<5>;
/// Configuration of a [`ConvGru1d`].
pub type ConvGru1dConfig = ConvGruConfig<3>;
/// Configuration of a [`ConvGru2d`].
pub type ConvGru2dConfig = ConvGruConfig<4>;
/// Configuration of a [`ConvGru3d`].
pub type ConvGru3dConfig = ConvGruConfig<5>;
