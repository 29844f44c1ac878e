//! The optimisers of a recipe.

use burn::optim::decay::WeightDecayConfig;
use burn::optim::{AdamConfig, AdamWConfig, ModuleOptimizer};
use serde::{Deserialize, Serialize};

/// An optimiser with its constants.
#[derive(Serialize, Deserialize, Debug, Clone, Copy, PartialEq)]
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

/// The constants that all optimisers have.
pub(super) struct Constants {
    pub(super) beta_1: f64,
    pub(super) beta_2: f64,
    pub(super) epsilon: f64,
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
    pub(super) fn constants(self) -> Constants {
        match self {
            Self::Adam {
                beta_1,
                beta_2,
                epsilon,
            }
            | Self::Adamw {
                beta_1,
                beta_2,
                epsilon,
            } => Constants {
                beta_1,
                beta_2,
                epsilon,
            },
        }
    }

    /// Burn's optimiser at its beginning.
    pub(crate) fn init(self, weight_decay: f64) -> ModuleOptimizer {
        let Constants {
            beta_1,
            beta_2,
            epsilon,
        } = self.constants();
        let decay = weight_decay as f32;
        match self {
            Self::Adam { .. } => AdamConfig::new()
                .with_beta_1(beta_1 as f32)
                .with_beta_2(beta_2 as f32)
                .with_epsilon(epsilon as f32)
                .with_weight_decay((decay > 0.0).then(|| WeightDecayConfig::new(decay)))
                .init(),
            Self::Adamw { .. } => AdamWConfig::new()
                .with_beta_1(beta_1 as f32)
                .with_beta_2(beta_2 as f32)
                .with_epsilon(epsilon as f32)
                .with_weight_decay(decay)
                .init(),
        }
    }
}
