//! Adam with Nesterov's momentum.

use burn::config::Config;
use burn::optim::{Optimizer, RecordState, StateSink, StateSource};
use burn::tensor::{Device, Tensor};

use super::state::{Moments, load_scalar, save_scalar};
use super::{Decay, adam_range};
use crate::RangeError;

/// Adam that looks one step of its momentum ahead.
///
/// ```text
/// μ_n = β₁ (1 − ½ 0.96^(n ψ))                    n: the step, counted from 1; ψ: momentum_decay
/// m′  = β₁ m + (1 − β₁) g                        v′ = β₂ v + (1 − β₂) g²
/// m̂   = μ_{n+1} m′ / (1 − Π_{i ≤ n+1} μ_i) + (1 − μ_n) g / (1 − Π_{i ≤ n} μ_i)
/// w′  = w − lr m̂ / (√(v′ / (1 − β₂ⁿ)) + ε)
/// ```
///
/// # References
/// - Dozat, *Incorporating Nesterov Momentum into Adam*, 2016, <https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ>
/// - PyTorch, [`NAdam`](https://docs.pytorch.org/docs/stable/generated/torch.optim.NAdam.html)
#[derive(Config, Debug, Copy, PartialEq)]
pub struct NAdam {
    /// Decay of the mean of gradients, in `[0, 1)`. Default: 0.9.
    #[config(default = 0.9)]
    pub beta_1: f64,
    /// Decay of the mean of squared gradients, in `[0, 1)`. Default: 0.999.
    #[config(default = 0.999)]
    pub beta_2: f64,
    /// Added to the denominator, positive. Default: 1e-8.
    #[config(default = 1e-8)]
    pub epsilon: f64,
    /// ψ: how fast the momentum grows to β₁, at least 0. Default: 0.004.
    #[config(default = 0.004)]
    pub momentum_decay: f64,
    /// Weight decay, at least 0. Default: 0.
    #[config(default = 0.0)]
    pub weight_decay: f64,
    /// Where it acts. Default: it is added to the gradient.
    #[config(default = "Decay::Coupled")]
    pub decay: Decay,
}

/// State of [`NAdam`].
#[derive(Clone, Debug)]
pub struct NAdamState<const D: usize> {
    /// Steps so far.
    pub step: usize,
    /// The product of the momenta so far.
    pub product: f64,
    /// Running means.
    pub moments: Moments<D>,
}

impl NAdam {
    /// Checks every number.
    ///
    /// # Errors
    /// A number out of the range that its field documents.
    pub fn validate(&self) -> Result<(), RangeError> {
        adam_range([self.beta_1, self.beta_2, self.epsilon, self.weight_decay])?;
        let decay = self.momentum_decay;
        let valid = decay >= 0.0 && decay.is_finite();
        let expected = "a finite number of at least 0";
        RangeError::unless(valid, "momentum_decay", decay, expected)
    }

    fn momentum(&self, step: usize) -> f64 {
        self.beta_1 * (1.0 - 0.5 * 0.96_f64.powf(step as f64 * self.momentum_decay))
    }
}

impl Optimizer for NAdam {
    type State<const D: usize> = NAdamState<D>;

    fn step<const D: usize>(
        &self,
        lr: f64,
        tensor: Tensor<D>,
        grad: Tensor<D>,
        state: Option<NAdamState<D>>,
    ) -> (Tensor<D>, Option<NAdamState<D>>) {
        let (tensor, grad) = self.decay.apply([lr, self.weight_decay], tensor, grad);
        let state = state.unwrap_or_else(|| NAdamState {
            step: 0,
            product: 1.0,
            moments: Moments::new(&grad),
        });
        let step = state.step + 1;
        let (momentum, next) = (self.momentum(step), self.momentum(step + 1));
        let product = state.product * momentum;
        let moments = (state.moments).update(grad.clone(), self.beta_1, self.beta_2);

        let correction = 1.0 - self.beta_2.powf(step as f64);
        let second = moments.moment_2.clone().div_scalar(correction);
        let root = second.sqrt().add_scalar(self.epsilon);
        let now = grad.mul_scalar(lr * (1.0 - momentum) / (1.0 - product));
        let ahead = (moments.moment_1.clone()).mul_scalar(lr * next / (1.0 - product * next));
        let state = NAdamState {
            step,
            product,
            moments,
        };
        (tensor - (now + ahead) / root, Some(state))
    }

    fn to_device<const D: usize>(state: NAdamState<D>, device: &Device) -> NAdamState<D> {
        NAdamState {
            moments: state.moments.on_device(device),
            ..state
        }
    }
}

impl<const D: usize> RecordState for NAdamState<D> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        save_scalar(prefix, "step", self.step, out);
        save_scalar(prefix, "product", self.product, out);
        self.moments.save(prefix, out);
    }

    fn state_unflatten(prefix: &str, src: &mut StateSource, device: &Device) -> Option<Self> {
        Some(Self {
            step: load_scalar(prefix, "step", src)?,
            product: load_scalar(prefix, "product", src)?,
            moments: Moments::load(prefix, src, device)?,
        })
    }
}
