//! Scans and networks over tensors equal plain loops over numbers.
//!
//! - [`plain`]: every cell with every option, written once more from its formulas as loops over numbers. Outputs and
//!   states of stacks equal those of the loops, on the table of the laws and on its random combinations.
//! - [`steps`]: equations of every kind as loops over units, and back through time with the hand-written derivatives.
//!   Gradients equal those of the reference scan, which Burn differentiates.

#[allow(dead_code, reason = "what laws alone ask for")]
mod common;
#[path = "common/equations.rs"]
mod equations;
#[path = "oracle/matrix.rs"]
mod matrix;
#[path = "oracle/networks.rs"]
mod networks;
#[path = "oracle/plain.rs"]
mod plain;
#[path = "oracle/scans.rs"]
mod scans;
#[path = "oracle/steps.rs"]
mod steps;

use common::activations;
