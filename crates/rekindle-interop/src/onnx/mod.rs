//! ONNX's recurrent operators, `RNN`, `GRU` and `LSTM`: one node with its attributes and weights, as a network.
//!
//! See [`Operator`]. Reading whole graphs is not part of it.

mod attributes;
mod cell;
mod error;
mod operator;
mod tensors;

pub use attributes::Attributes;
pub use cell::OnnxCell;
pub use error::OperatorError;
pub use operator::{Inputs, Operator, Outputs};
pub use tensors::Tensors;
