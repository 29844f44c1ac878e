//! How gradients are clipped, as a value.

mod change;
mod norm;

use burn::config::Config;
use burn::module::Module;
use burn::optim::GradientsParams;
use serde::{Deserialize, Serialize};

use crate::RangeError;
use change::{Change, change};

pub use norm::{GradientError, clip_grad_norm, clip_grad_p_norm, grad_norm, grad_p_norm};

/// A bound for gradients: one number, or one that moves in a straight line.
///
/// In a recipe, `1.0` or `{ from = 0.25, to = 1.0, steps = 500 }`.
#[derive(Serialize, Deserialize, Debug, Clone, Copy, PartialEq)]
#[serde(
    untagged,
    deny_unknown_fields,
    expecting = "expected a number, or a table with from, to and steps"
)]
pub enum Limit {
    /// The same at every step.
    Constant(f64),
    /// From `from` at the first step to `to` after `steps` steps, and `to` from there on.
    Ramp {
        /// At the first step. Positive; infinite only with `steps = 0`.
        from: f64,
        /// After `steps` steps. Positive and finite.
        to: f64,
        /// Number of steps on the way.
        steps: usize,
    },
}

impl Limit {
    /// The bound at a step, counted from zero.
    pub fn at(&self, step: usize) -> f64 {
        match *self {
            Self::Constant(limit) => limit,
            Self::Ramp { to, steps, .. } if step >= steps => to,
            Self::Ramp { from, to, steps } => from + (to - from) * step as f64 / steps as f64,
        }
    }

    fn validate(&self) -> Result<(), RangeError> {
        match *self {
            Self::Constant(max) => {
                let expected = "a positive number, or inf for no clipping";
                RangeError::unless(max > 0.0, "max", max, expected)
            }
            Self::Ramp { from, to, .. } => {
                RangeError::unless_positive("max.from", from)?;
                RangeError::unless_positive("max.to", to)
            }
        }
    }
}

/// How gradients are made smaller before the optimiser takes them.
///
/// Every kind checks that all gradients are finite and returns the global norm from before clipping, also
/// [`None`](Self::None), which changes nothing. The norm that is returned is the Euclidean one, except where a kind has
/// a `p`.
///
/// In a recipe a clip is a table with a `kind`; keys that the kind does not have are refused.
///
/// # Differences
/// - [`Norm`](Self::Norm) and [`Value`](Self::Value) are PyTorch's `clip_grad_norm_` and `clip_grad_value_`.
/// - Burn's `GradientClipping::Norm` clips each tensor by its own norm; here that is [`PerTensor`](Self::PerTensor).
///
/// # References
/// - Pascanu et al., *On the difficulty of training Recurrent Neural Networks*, 2013, <https://arxiv.org/abs/1211.5063>
/// - Brock et al., *High-Performance Large-Scale Image Recognition Without Normalization*, 2021,
///   <https://arxiv.org/abs/2102.06171>
///
/// # Examples
/// ```
/// use burn::nn::LinearConfig;
/// use burn::optim::GradientsParams;
/// use burn::tensor::{Device, Tensor};
/// use rekindle_optim::{Clip, Limit};
///
/// let device = Device::default().autodiff();
/// let layer = LinearConfig::new(2, 1).with_bias(false).init(&device);
/// let loss = layer.forward(Tensor::<2>::from_floats([[3.0, -4.0]], &device)).sum();
/// let grads = GradientsParams::from_grads(loss.backward(), &layer);
///
/// let (grads, norm) = Clip::Value { max: Limit::Constant(0.5) }.apply(&layer, grads, 0)?;
/// assert_eq!(norm, 5.0);
/// let grad = grads.get::<2>(layer.weight.id).unwrap();
/// assert_eq!(grad.into_data().to_vec::<f32>().unwrap(), [0.5, -0.5]);
/// # Ok::<(), rekindle_optim::GradientError>(())
/// ```
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Clip {
    /// Gradients stay as they are. `{ kind = "none" }`
    None,
    /// All gradients are scaled by the same factor, so that their direction stays:
    /// `g′ = g · min(1, max / (‖all g‖_p + 1e-6))`. `{ kind = "norm", max = 1.0, p = 2 }`
    Norm {
        /// Bound of the norm of all gradients together.
        max: Limit,
        /// Which norm. Positive; 1 sums absolute values, infinite takes the greatest. Default: 2.
        #[serde(default = "two")]
        p: f64,
    },
    /// Each number is put between `-max` and `max`. `{ kind = "value", max = 0.5 }`
    Value {
        /// Bound of the absolute value.
        max: Limit,
    },
    /// Each tensor is scaled by its own norm: `g′ = g · min(1, max / (‖g‖_p + 1e-6))`.
    /// `{ kind = "per_tensor", max = 1.0, p = 2 }`
    PerTensor {
        /// Bound of each tensor's norm.
        max: Limit,
        /// Which norm, as for [`Norm`](Self::Norm). Default: 2.
        #[serde(default = "two")]
        p: f64,
    },
    /// Adaptive clipping: the gradient of each unit is bounded by a share of the unit's weights.
    /// `{ kind = "adaptive", max = 0.01, epsilon = 1e-3, except = ["head"] }`
    ///
    /// ```text
    /// G′_u = G_u · λ max(‖W_u‖, ε) / ‖G_u‖    where ‖G_u‖ > λ max(‖W_u‖, ε)
    /// ```
    ///
    /// A unit `u` is what feeds one output. Burn's weights are `[d_input, d_output]`, so it is a column: `‖·‖` is taken
    /// over axis 0. The gates of recurrent weights lie side by side, `[d_hidden, gates · d_hidden]`, so each gate of each
    /// hidden unit is a unit of its own. With three axes or more, as in convolutions `[channels_out, channels_in, …]`,
    /// it is taken over all axes but the first. Of a vector, as a bias, the norm is that of the whole, as in the
    /// authors' program.
    Adaptive {
        /// λ. Default: 0.01, the paper's for large batches; it needs larger ones for small batches.
        #[serde(default = "hundredth")]
        max: Limit,
        /// ε: units with smaller weights count as if they had this norm, so that zeros can move. Default: 1e-3.
        #[serde(default = "thousandth")]
        epsilon: f64,
        /// Beginnings of paths of parameters that stay as they are: the paper leaves out the last layer. Default: none.
        #[serde(default)]
        except: Vec<String>,
    },
}

fn two() -> f64 {
    2.0
}

fn hundredth() -> Limit {
    Limit::Constant(0.01)
}

fn thousandth() -> f64 {
    1e-3
}

/// By the Euclidean norm of all gradients, to at most 1.
impl Default for Clip {
    fn default() -> Self {
        Self::norm(1.0)
    }
}

impl Config for Clip {}

impl Clip {
    /// By the Euclidean norm of all gradients.
    pub fn norm(max: f64) -> Self {
        Self::Norm {
            max: Limit::Constant(max),
            p: two(),
        }
    }

    /// Checks every number.
    ///
    /// # Errors
    /// A bound, `p` or `epsilon` that is not positive, or is infinite where it must not be.
    pub fn validate(&self) -> Result<(), RangeError> {
        match self {
            Self::None => Ok(()),
            Self::Norm { max, p } | Self::PerTensor { max, p } => {
                max.validate()?;
                RangeError::unless(*p > 0.0, "p", *p, "a positive number, or inf")
            }
            Self::Value { max } => max.validate(),
            Self::Adaptive { max, epsilon, .. } => {
                max.validate()?;
                RangeError::unless_positive("epsilon", *epsilon)
            }
        }
    }

    /// Clips the gradients of a module at a step, counted from zero; returns them with their norm from *before* clipping.
    ///
    /// Which gradients count, and how precise the norm is, says [`grad_norm`].
    ///
    /// # Panics
    /// If [`validate`](Self::validate) fails.
    ///
    /// # Errors
    /// If a gradient is not finite.
    pub fn apply<M: Module>(
        &self,
        module: &M,
        grads: GradientsParams,
        step: usize,
    ) -> Result<(GradientsParams, f64), GradientError> {
        if let Err(error) = self.validate() {
            panic!("invalid clip: {error}");
        }
        if let Self::Norm { max, p } = self {
            return clip_grad_p_norm(module, grads, max.at(step), *p);
        }
        let p = match self {
            Self::PerTensor { p, .. } => *p,
            _ => two(),
        };
        let norm = norm::finite_norm(module, &grads, p)?;
        let how = match self {
            Self::None | Self::Norm { .. } => return Ok((grads, norm)),
            Self::Value { max } => Change::Clamp(max.at(step)),
            Self::PerTensor { max, p } => Change::PerTensor {
                max: max.at(step),
                p: *p,
            },
            Self::Adaptive {
                max,
                epsilon,
                except,
            } => Change::Adaptive {
                max: max.at(step),
                epsilon: *epsilon,
                except,
            },
        };
        Ok((change(module, grads, how), norm))
    }
}
