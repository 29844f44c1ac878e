//! Weight distributions and recurrent initialisation schemes as serialisable values.
//!
//! - [`Initializer`]: how one weight matrix is drawn (Xavier, He, LeCun, orthogonal, sparse, …).
//! - [`RecurrentScheme`]: what the input weights, the recurrent weights and the biases of a
//!   recurrent layer get, gate by gate, with forget bias or chrono initialisation.
//! - [`Lsuv`], [`GateVariance`]: how far weights are scaled by what data make of them.
//! - [`Gate`]: the role of one block of a packed weight, so that a scheme works for every cell.
//!
//! Matrices are `[fan_in, fan_out]`, Burn's layout for `x W`. Values can be written in a recipe:
//!
//! ```toml
//! input = { kind = "xavier_uniform", gain = 1.0 }
//! recurrent = { kind = "orthogonal" }
//! gate_bias = { kind = "chrono", t_max = 100 }
//! ```
//!
//! # Random numbers
//!
//! Every random number comes from the device's own generator, in 32-bit floats, in a documented
//! order. After `device.seed(n)` the same calls give the same bits. The arithmetic on these numbers
//! runs on the host in 64-bit floats, so all backends share it, and an initialisation waits for
//! the device. The result is uploaded once: a tensor without a graph, of the device's default
//! float type, on autodiff devices too, ready for `Param::from_tensor`.
//!
//! # Examples
//!
//! ```
//! use burn::tensor::Device;
//! use rekindle_init::{Gate, Initializer, RecurrentScheme};
//!
//! let device = Device::default();
//! device.seed(7);
//! let scheme = RecurrentScheme {
//!     recurrent: Initializer::Orthogonal { gain: 0.9 },
//!     ..RecurrentScheme::default()
//! };
//! let gru = [Gate::Reset, Gate::Update, Gate::Candidate];
//! let tensors = scheme.sample([12, 64], &gru, true, &device);
//! assert_eq!(tensors.weight_ih.dims(), [12, 3 * 64]);
//! assert_eq!(tensors.weight_hh.dims(), [64, 3 * 64]);
//! ```

mod draw;
mod error;
mod gate;
mod gate_bias;
mod initializer;
mod lsuv;
mod noise;
mod nonlinearity;
mod orthogonal;
mod recipe;
mod scheme;
#[cfg(test)]
mod testing;

pub use error::InitError;
pub use gate::Gate;
pub use gate_bias::GateBias;
pub use initializer::Initializer;
pub use lsuv::{GateVariance, Lsuv};
pub use nonlinearity::{Fan, Nonlinearity};
pub use scheme::{GateRule, RecurrentScheme, RecurrentTensors, RecurrentWidths};
