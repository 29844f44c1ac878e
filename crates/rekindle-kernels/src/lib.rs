//! Scans over time: what every recurrent cell shares.
//!
//! A cell contributes its [`Equations`], the pointwise step from pre-activations and the old state to the new state,
//! and its derivative. Everything else is written here once: the input product for all steps ([`scan`]), the recurrent
//! product of each step, lengths and padding ([`Lengths`]), the order of time ([`Order`]) and single steps ([`step`]).
//!
//! On a CPU a scan is one operation over packed weights and registers, with its own derivative. On other backends it is
//! composed of Burn tensor operations: [`reference`](mod@reference), which the fused scan has to equal.

mod array;
#[allow(unsafe_code, reason = "threads and registers work on raw numbers")]
mod cpu;
mod equations;
mod flow;
#[allow(
    deprecated,
    reason = "Burn prefers flex; ndarray is a backend like it here"
)]
mod fused;
mod lane;
mod lengths;
pub mod reference;
mod scan;
mod unbind;
mod within;

pub use array::Array;
pub use equations::{Equations, StepGradients};
pub use flow::{GradientFlow, StateGradients};
pub use lane::{Curve, Lane};
pub use lengths::Lengths;
pub use scan::{Layout, Order, Parameters, Scan, Scanned, scan, step};
pub use within::{Keep, Masks, Norm, NormKind, Norms, Statistics, Within};
