//! The optimisers of a recipe.

mod build;
mod check;

use rekindle_optim::{Asgd, Average, Decay};
use serde::{Deserialize, Serialize};

/// An optimiser with its constants. Defaults are PyTorch's.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Optimizer {
    /// Kingma and Ba, 2014, <https://arxiv.org/abs/1412.6980>; weight decay is added to the gradient.
    Adam {
        /// Decay of the mean of gradients, in `[0, 1)`. Default: 0.9.
        #[serde(default = "beta_1")]
        beta_1: f64,
        /// Decay of the mean of squared gradients, in `[0, 1)`. Default: 0.999.
        #[serde(default = "beta_2")]
        beta_2: f64,
        /// Added to the denominator. Default: 1e-8, the paper's and PyTorch's; Burn's is 1e-5.
        #[serde(default = "epsilon")]
        epsilon: f64,
    },
    /// Loshchilov and Hutter, 2017, <https://arxiv.org/abs/1711.05101>; weight decay apart from the gradient.
    Adamw {
        /// Decay of the mean of gradients, in `[0, 1)`. Default: 0.9.
        #[serde(default = "beta_1")]
        beta_1: f64,
        /// Decay of the mean of squared gradients, in `[0, 1)`. Default: 0.999.
        #[serde(default = "beta_2")]
        beta_2: f64,
        /// Added to the denominator. Default: 1e-8, as PyTorch's; Burn's is 1e-5.
        #[serde(default = "epsilon")]
        epsilon: f64,
    },
    /// Adam without warm-up, see [`RAdam`](rekindle_optim::RAdam).
    Radam {
        /// Decay of the mean of gradients, in `[0, 1)`. Default: 0.9.
        #[serde(default = "beta_1")]
        beta_1: f64,
        /// Decay of the mean of squared gradients, in `[0, 1)`. Default: 0.999.
        #[serde(default = "beta_2")]
        beta_2: f64,
        /// Added to the denominator. Default: 1e-8.
        #[serde(default = "epsilon")]
        epsilon: f64,
        /// Where weight decay acts. Default: it is added to the gradient.
        #[serde(default = "coupled")]
        decay: Decay,
    },
    /// Adam with Nesterov's momentum, see [`NAdam`](rekindle_optim::NAdam).
    Nadam {
        /// Decay of the mean of gradients, in `[0, 1)`. Default: 0.9.
        #[serde(default = "beta_1")]
        beta_1: f64,
        /// Decay of the mean of squared gradients, in `[0, 1)`. Default: 0.999.
        #[serde(default = "beta_2")]
        beta_2: f64,
        /// Added to the denominator. Default: 1e-8.
        #[serde(default = "epsilon")]
        epsilon: f64,
        /// How fast the momentum grows to `beta_1`, at least 0. Default: 0.004.
        #[serde(default = "momentum_decay")]
        momentum_decay: f64,
        /// Where weight decay acts. Default: it is added to the gradient.
        #[serde(default = "coupled")]
        decay: Decay,
    },
    /// Stochastic gradient descent, `v′ = momentum · v + (1 − dampening) g`; weight decay is added to the gradient.
    Sgd {
        /// In `[0, 1)`; 0 for none. Default: 0.
        #[serde(default)]
        momentum: f64,
        /// In `[0, 1]`. Default: 0; Burn's is 0.1.
        #[serde(default)]
        dampening: f64,
        /// Whether the step looks ahead; needs momentum. Default: no.
        #[serde(default)]
        nesterov: bool,
    },
    /// Gradients divided by the root of their mean square; weight decay is added to the gradient.
    Rmsprop {
        /// Decay of the mean of squared gradients, in `[0, 1)`. Default: 0.99.
        #[serde(default = "rmsprop_alpha")]
        alpha: f64,
        /// In `[0, 1)`; 0 for none. Default: 0; Burn's is 0.9.
        #[serde(default)]
        momentum: f64,
        /// Added to the denominator. Default: 1e-8; Burn's is 1e-5.
        #[serde(default = "epsilon")]
        epsilon: f64,
        /// Whether the variance takes the place of the mean square. Default: no.
        #[serde(default)]
        centered: bool,
    },
    /// Stochastic gradient descent with the mean of the weights as its result, see [`Asgd`].
    Asgd {
        /// How fast weights and rate shrink, at least 0. Default: 1e-4.
        #[serde(default = "lambd")]
        lambd: f64,
        /// The power of the rate's decay, at least 0. Default: 0.75.
        #[serde(default = "asgd_alpha")]
        alpha: f64,
        /// Optimiser steps after which the mean begins. Default: 1,000,000.
        #[serde(default = "t0")]
        t0: usize,
    },
    /// Another optimiser that goes back part of its way every few steps, see [`Lookahead`](rekindle_optim::Lookahead).
    Lookahead {
        /// The other one; not a lookahead.
        inner: Box<Optimizer>,
        /// Steps forward, at least 1. Default: 5.
        #[serde(default = "five")]
        steps: usize,
        /// The share of the way that is kept, in `(0, 1]`. Default: 0.5.
        #[serde(default = "half")]
        alpha: f64,
    },
}

fn beta_1() -> f64 {
    0.9
}

fn beta_2() -> f64 {
    0.999
}

fn epsilon() -> f64 {
    1e-8
}

fn momentum_decay() -> f64 {
    0.004
}

fn coupled() -> Decay {
    Decay::Coupled
}

fn rmsprop_alpha() -> f64 {
    0.99
}

fn lambd() -> f64 {
    1e-4
}

fn asgd_alpha() -> f64 {
    0.75
}

fn t0() -> usize {
    1_000_000
}

fn five() -> usize {
    5
}

fn half() -> f64 {
    0.5
}

impl Default for Optimizer {
    fn default() -> Self {
        Self::Adamw {
            beta_1: beta_1(),
            beta_2: beta_2(),
            epsilon: epsilon(),
        }
    }
}

impl Optimizer {
    /// The mean of the weights that belongs to it.
    pub(in crate::recipe) fn average(&self) -> Option<Average> {
        match self {
            Self::Asgd { t0, .. } => Some(Asgd::new().with_t0(*t0).average()),
            Self::Lookahead { inner, .. } => inner.average(),
            _ => None,
        }
    }
}
