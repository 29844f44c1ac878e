//! PyTorch's recurrent modules: `state_dict`s of `nn.RNN`, `nn.LSTM`, `nn.GRU` and their cells, from files and into files.
//!
//! | PyTorch | here |
//! |---|---|
//! | `nn.RNN` | `Stack<Elman>` |
//! | `nn.LSTM`, with or without `proj_size` | `Stack<Lstm>` |
//! | `nn.GRU` | `Stack<Gru>` |
//! | `nn.RNNCell`, `nn.LSTMCell`, `nn.GRUCell` | a cell, or a stack of one layer |
//! | `weight_ih_l1_reverse` `[G·d_hidden, d_input]` | `layers[1].reverse.weights.weight_ih` `[d_input, G·d_hidden]` |
//! | `weight_hr_l0` `[d_projected, d_hidden]` | `layers[0].forward.weight_hr` `[d_hidden, d_projected]` |
//!
//! `batch_first` and `dropout` are no weights: `batch_first` is [`Sequences`](rekindle_cells::Sequences)' matter, dropout is
//! set in [`StackConfig`](rekindle_cells::StackConfig).
//!
//! # Examples
//! The weights of a trained model, and our own back:
//! ```no_run
//! use burn::tensor::Device;
//! use rekindle_cells::Lstm;
//! use rekindle_interop::pytorch::{StateDict, build_stack};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let dict = StateDict::read("model.pt")?;
//! let (encoder, report) = build_stack::<Lstm>(&dict, "encoder.rnn.", &Device::default())?;
//! println!("{report}");
//!
//! StateDict::of_stack(&encoder, "encoder.rnn.")?.write("encoder.safetensors")?;
//! # Ok(())
//! # }
//! ```

mod cell;
mod dict;
mod entry;
mod file;
mod infer;
mod load;
mod names;
mod report;
mod save;

pub use cell::{Dimensions, Parameter, PytorchCell, UnsupportedError};
pub use dict::StateDict;
pub use file::{ReadError, WriteError};
pub use infer::{InferError, Inferred, infer};
pub use load::{LoadError, build_stack, load_cell, load_stack};
pub use report::{NamedShape, Report};
