//! Regularisation of recurrent networks that does not change a cell's equations: pruning, penalties, constraints and
//! dropouts.

pub mod constraint;
pub mod dropout;
pub mod penalty;
pub mod prune;
pub mod units;

mod path;
mod precision;

pub use path::{Targets, Visit, visit};
