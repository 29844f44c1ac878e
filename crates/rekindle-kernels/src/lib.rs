//! Scans over time: what every recurrent cell shares.
//!
//! A cell contributes its [`Equations`], the pointwise step from pre-activations and the old state to the new state,
//! and its derivative. Everything else is written here once: the input product for all steps ([`scan`]), the recurrent
//! product of each step, lengths and padding ([`Lengths`]), the order of time ([`Order`]) and single steps ([`step`]).
//!
//! The scan of this crate is composed of Burn tensor operations. It is right on every backend, and it is the reference
//! that a fused scan has to equal.

mod equations;
mod lane;
mod lengths;
mod scan;
mod unbind;

pub use equations::{Equations, StepGradients};
pub use lane::Lane;
pub use lengths::Lengths;
pub use scan::{Order, Parameters, Scan, Scanned, scan, step};
