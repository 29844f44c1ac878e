//! Adam without warm-up.

use burn::config::Config;
use burn::optim::{Optimizer, RecordState, StateSink, StateSource};
use burn::tensor::{Device, Tensor};

use super::state::{Moments, load_scalar, save_scalar};
use super::{Decay, adam_range};
use crate::RangeError;

/// Adam that does not trust its second moment before it has seen enough gradients, in place of a warm-up of the rate.
///
/// ```text
/// m′ = β₁ m + (1 − β₁) g        v′ = β₂ v + (1 − β₂) g²
/// ρ∞ = 2 / (1 − β₂) − 1         ρ = ρ∞ − 2 n β₂ⁿ / (1 − β₂ⁿ)            n: the step, counted from 1
/// r  = √( (ρ − 4)(ρ − 2) ρ∞ / ((ρ∞ − 4)(ρ∞ − 2) ρ) )
/// w′ = w − lr m′ / (1 − β₁ⁿ) · r √(1 − β₂ⁿ) / (√v′ + ε)                 if ρ > 5
/// w′ = w − lr m′ / (1 − β₁ⁿ)                                            otherwise
/// ```
///
/// # Differences
/// None from PyTorch's; the paper has the bound 4 in place of 5.
///
/// # References
/// - Liu et al., *On the Variance of the Adaptive Learning Rate and Beyond*, 2019, <https://arxiv.org/abs/1908.03265>
/// - PyTorch, [`RAdam`](https://docs.pytorch.org/docs/stable/generated/torch.optim.RAdam.html)
#[derive(Config, Debug, Copy, PartialEq)]
pub struct RAdam {
    /// Decay of the mean of gradients, in `[0, 1)`. Default: 0.9.
    #[config(default = 0.9)]
    pub beta_1: f64,
    /// Decay of the mean of squared gradients, in `[0, 1)`. Default: 0.999.
    #[config(default = 0.999)]
    pub beta_2: f64,
    /// Added to the denominator, positive. Default: 1e-8.
    #[config(default = 1e-8)]
    pub epsilon: f64,
    /// Weight decay, at least 0. Default: 0.
    #[config(default = 0.0)]
    pub weight_decay: f64,
    /// Where it acts. Default: it is added to the gradient.
    #[config(default = "Decay::Coupled")]
    pub decay: Decay,
}

/// State of [`RAdam`].
#[derive(Clone, Debug)]
pub struct RAdamState<const D: usize> {
    /// Steps so far.
    pub step: usize,
    /// Running means.
    pub moments: Moments<D>,
}

impl RAdam {
    /// Checks every number.
    ///
    /// # Errors
    /// A number out of the range that its field documents.
    pub fn validate(&self) -> Result<(), RangeError> {
        adam_range([self.beta_1, self.beta_2, self.epsilon, self.weight_decay])
    }

    /// `r √(1 − β₂ⁿ)`; `None` if the second moment is not to be trusted.
    fn rectified(&self, step: usize) -> Option<f64> {
        let n = step as f64;
        let power = self.beta_2.powf(n);
        let max = 2.0 / (1.0 - self.beta_2) - 1.0;
        let rho = max - 2.0 * n * power / (1.0 - power);
        let square = (rho - 4.0) * (rho - 2.0) * max / ((max - 4.0) * (max - 2.0) * rho);
        (rho > 5.0).then(|| (square * (1.0 - power)).sqrt())
    }
}

impl Optimizer for RAdam {
    type State<const D: usize> = RAdamState<D>;

    fn step<const D: usize>(
        &self,
        lr: f64,
        tensor: Tensor<D>,
        grad: Tensor<D>,
        state: Option<RAdamState<D>>,
    ) -> (Tensor<D>, Option<RAdamState<D>>) {
        let (tensor, grad) = self.decay.apply([lr, self.weight_decay], tensor, grad);
        let state = state.unwrap_or_else(|| RAdamState {
            step: 0,
            moments: Moments::new(&grad),
        });
        let step = state.step + 1;
        let moments = state.moments.update(grad, self.beta_1, self.beta_2);
        let rate = lr / (1.0 - self.beta_1.powf(step as f64));
        let mean = moments.moment_1.clone();
        let delta = match self.rectified(step) {
            Some(factor) => {
                let root = moments.moment_2.clone().sqrt().add_scalar(self.epsilon);
                mean.mul_scalar(rate * factor) / root
            }
            None => mean.mul_scalar(rate),
        };
        (tensor - delta, Some(RAdamState { step, moments }))
    }

    fn to_device<const D: usize>(state: RAdamState<D>, device: &Device) -> RAdamState<D> {
        RAdamState {
            step: state.step,
            moments: state.moments.on_device(device),
        }
    }
}

impl<const D: usize> RecordState for RAdamState<D> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        save_scalar(prefix, "step", self.step, out);
        self.moments.save(prefix, out);
    }

    fn state_unflatten(prefix: &str, src: &mut StateSource, device: &Device) -> Option<Self> {
        Some(Self {
            step: load_scalar(prefix, "step", src)?,
            moments: Moments::load(prefix, src, device)?,
        })
    }
}
