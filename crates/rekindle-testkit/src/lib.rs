//! What the tests of all crates share: devices, random numbers and choices, tolerances, comparisons, gradient
//! checks and reference vectors.

mod choices;
mod close;
mod devices;
mod gradients;
mod vectors;

pub use choices::Choices;
pub use close::{Tolerance, assert_close, assert_close_within, assert_same_bits, max_difference};
pub use devices::random;
pub use gradients::{
    GradientCheck, assert_module_gradients, with_fixed_parameters, with_parameters_within,
};
pub use vectors::{Case, NamedTensor, Vectors};
