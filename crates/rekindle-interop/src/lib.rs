//! Recurrent networks from and to other frameworks.
//!
//! | module | what |
//! |---|---|
//! | [`pytorch`] | `state_dict`s of `nn.RNN`, `nn.LSTM`, `nn.GRU` and their cells: read from safetensors and `.pt`, written as safetensors |
//! | [`onnx`] | the operators `RNN`, `GRU` and `LSTM`, from their attributes and tensors |
//!
//! Nothing is half loaded: a network comes back with all its weights, or there is an error that says what was found and
//! what was expected.

pub mod onnx;
pub mod pytorch;
