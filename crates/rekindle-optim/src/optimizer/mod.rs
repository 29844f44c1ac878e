//! Optimisers that Burn does not have.

mod asgd;
mod lookahead;
mod nadam;
mod radam;
mod state;

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::RangeError;

pub use asgd::{Asgd, AsgdState};
pub use lookahead::{Lookahead, LookaheadState};
pub use nadam::{NAdam, NAdamState};
pub use radam::{RAdam, RAdamState};
pub use state::Moments;

/// Where weight decay acts.
#[derive(Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Decay {
    /// It is added to the gradient: `g ← g + λ w`.
    Coupled,
    /// It shrinks the weights beside the step: `w ← w (1 − lr λ)`, as in AdamW.
    Decoupled,
}

impl Decay {
    /// The weights and the gradient with their decay.
    fn apply<const D: usize>(
        self,
        [lr, weight_decay]: [f64; 2],
        tensor: Tensor<D>,
        grad: Tensor<D>,
    ) -> (Tensor<D>, Tensor<D>) {
        match self {
            _ if weight_decay == 0.0 => (tensor, grad),
            Self::Coupled => {
                let grad = grad + tensor.clone().mul_scalar(weight_decay);
                (tensor, grad)
            }
            Self::Decoupled => (tensor.mul_scalar(1.0 - lr * weight_decay), grad),
        }
    }
}

/// Checks `beta_1`, `beta_2`, `epsilon` and `weight_decay`.
fn adam_range([beta_1, beta_2, epsilon, weight_decay]: [f64; 4]) -> Result<(), RangeError> {
    RangeError::unless_fraction("beta_1", beta_1)?;
    RangeError::unless_fraction("beta_2", beta_2)?;
    RangeError::unless_positive("epsilon", epsilon)?;
    let valid = weight_decay >= 0.0 && weight_decay.is_finite();
    let expected = "a finite number of at least 0";
    RangeError::unless(valid, "weight_decay", weight_decay, expected)
}
