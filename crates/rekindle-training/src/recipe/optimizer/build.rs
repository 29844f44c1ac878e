//! From an optimiser of a recipe to one that takes steps.

use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use rekindle_optim::{
    AdamConfig, AdamWConfig, Asgd, Lookahead, ModuleOptimizer, NAdam, RAdam, RmsPropConfig,
    SgdConfig,
};

use super::Optimizer;

impl Optimizer {
    /// The optimiser at its beginning.
    pub(crate) fn init(&self, weight_decay: f64) -> ModuleOptimizer {
        match self {
            Self::Lookahead {
                inner,
                steps,
                alpha,
            } => inner.build(weight_decay, Some((*steps, *alpha))),
            _ => self.build(weight_decay, None),
        }
    }

    /// The same, perhaps with the steps and the share of a lookahead around it.
    fn build(&self, weight_decay: f64, slow: Option<(usize, f64)>) -> ModuleOptimizer {
        let penalty = weight_decay as f32;
        let penalty = (penalty > 0.0).then(|| WeightDecayConfig::new(penalty));
        match *self {
            Self::Adam {
                beta_1,
                beta_2,
                epsilon,
            } => {
                let adam = AdamConfig::new()
                    .with_beta_1(beta_1 as f32)
                    .with_beta_2(beta_2 as f32)
                    .with_epsilon(epsilon as f32)
                    .with_weight_decay(penalty);
                around(adam.build(), slow)
            }
            Self::Adamw {
                beta_1,
                beta_2,
                epsilon,
            } => {
                let adamw = AdamWConfig::new()
                    .with_beta_1(beta_1 as f32)
                    .with_beta_2(beta_2 as f32)
                    .with_epsilon(epsilon as f32)
                    .with_weight_decay(weight_decay as f32);
                around(adamw.build(), slow)
            }
            Self::Sgd { .. } | Self::Rmsprop { .. } => self.build_simple(penalty, slow),
            _ => self.build_ours(weight_decay, slow),
        }
    }

    /// Of Burn's, one without a mean of gradients beside that of squares.
    fn build_simple(
        &self,
        penalty: Option<WeightDecayConfig>,
        slow: Option<(usize, f64)>,
    ) -> ModuleOptimizer {
        match *self {
            Self::Sgd {
                momentum,
                dampening,
                nesterov,
            } => {
                let momentum = MomentumConfig {
                    momentum,
                    dampening,
                    nesterov,
                };
                let sgd = SgdConfig::new()
                    .with_momentum((momentum.momentum > 0.0).then_some(momentum))
                    .with_weight_decay(penalty);
                around(sgd.build(), slow)
            }
            Self::Rmsprop {
                alpha,
                momentum,
                epsilon,
                centered,
            } => {
                let rmsprop = RmsPropConfig::new()
                    .with_alpha(alpha as f32)
                    .with_momentum(momentum as f32)
                    .with_epsilon(epsilon as f32)
                    .with_centered(centered)
                    .with_weight_decay(penalty);
                around(rmsprop.build(), slow)
            }
            _ => unreachable!("it is called for these two"),
        }
    }

    /// One that Burn does not have.
    fn build_ours(&self, weight_decay: f64, slow: Option<(usize, f64)>) -> ModuleOptimizer {
        match *self {
            Self::Radam {
                beta_1,
                beta_2,
                epsilon,
                decay,
            } => around(
                RAdam {
                    beta_1,
                    beta_2,
                    epsilon,
                    weight_decay,
                    decay,
                },
                slow,
            ),
            Self::Nadam {
                beta_1,
                beta_2,
                epsilon,
                momentum_decay,
                decay,
            } => around(
                NAdam {
                    beta_1,
                    beta_2,
                    epsilon,
                    momentum_decay,
                    weight_decay,
                    decay,
                },
                slow,
            ),
            Self::Asgd { lambd, alpha, t0 } => around(
                Asgd {
                    lambd,
                    alpha,
                    t0,
                    weight_decay,
                },
                slow,
            ),
            _ => unreachable!("a lookahead in a lookahead is refused, the others are Burn's"),
        }
    }
}

fn around<O: rekindle_optim::Optimizer>(inner: O, slow: Option<(usize, f64)>) -> ModuleOptimizer {
    match slow {
        None => inner.into(),
        Some((steps, alpha)) => Lookahead {
            inner,
            steps,
            alpha,
        }
        .into(),
    }
}
