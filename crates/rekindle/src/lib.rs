//! The recurrent-network toolkit for Burn: all of Rekindle's crates under one name.
//!
//! | module | crate | purpose |
//! |---|---|---|
//! | [`cells`] | `rekindle-cells` | Elman, LSTM and GRU; layers, directions, lengths |
//! | [`data`] | `rekindle-data` | readers, scaling, splits, padded batches |
//! | [`init`] | `rekindle-init` | weight distributions and recurrent schemes |
//! | [`interop`] | `rekindle-interop` | weights from and to PyTorch, ONNX's recurrent operators |
//! | [`kernels`] | `rekindle-kernels` | scans over time |
//! | [`optim`] | `rekindle-optim` | learning-rate schedules, clipping, optimisers, averages of weights |
//! | [`regularize`] | `rekindle-regularize` | pruning, penalties, constraints, dropouts |
//! | [`training`] | `rekindle-training` | recipes, training, run folders |
//! | [`tune`] | `rekindle-tune` | search over settings: spaces, samplers, pruners, studies in a database |
//!
//! [`burn`] is the version of Burn that they work with. The features choose the backends that are compiled in; `flex` is
//! the default.

pub use burn;
pub use rekindle_cells as cells;
pub use rekindle_data as data;
pub use rekindle_init as init;
pub use rekindle_interop as interop;
pub use rekindle_kernels as kernels;
pub use rekindle_optim as optim;
pub use rekindle_regularize as regularize;
pub use rekindle_training as training;
pub use rekindle_tune as tune;

#[cfg(doctest)]
mod book;
