//! Averaged stochastic gradient descent.

use burn::config::Config;
use burn::optim::{Optimizer, RecordState, StateSink, StateSource};
use burn::tensor::{Device, Tensor};

use super::state::{load_scalar, save_scalar};
use crate::{Average, RangeError, Unit};

/// Stochastic gradient descent whose result is the mean of the weights that it passes.
///
/// ```text
/// η_n = lr / (1 + λ lr (n − 1))^α              n: the step, counted from 1
/// g   = ∇L(w) + weight_decay · w
/// w′  = w (1 − λ η_n) − η_n g
/// ```
///
/// This moves the weights; [`average`](Self::average) is the mean that belongs to it, for an
/// [`Averager`](crate::Averager). With `lambd` 0 it is plain stochastic gradient descent, and with the average
/// [`NonMonotone`](Average::NonMonotone) it then is NT-ASGD.
///
/// # Differences
/// PyTorch keeps the mean in the optimiser's state, from where it has to be copied by hand. It takes η from the rate of
/// the step *before*; here it is that of the step itself, which is the same as long as the rate does not change.
///
/// # References
/// - Polyak and Juditsky, *Acceleration of Stochastic Approximation by Averaging*, 1992,
///   <https://doi.org/10.1137/0330046>
/// - PyTorch, [`ASGD`](https://docs.pytorch.org/docs/stable/generated/torch.optim.ASGD.html)
///
/// # Examples
/// ```
/// use burn::nn::LinearConfig;
/// use burn::optim::{GradientsParams, ModuleOptimizer};
/// use burn::tensor::{Device, Tensor};
/// use rekindle_optim::{Asgd, Averager};
///
/// let device = Device::default().autodiff();
/// let mut layer = LinearConfig::new(2, 1).init(&device);
/// let asgd = Asgd::new().with_t0(10);
/// let mut averager = Averager::new(asgd.average());
/// let mut optimizer = ModuleOptimizer::from(asgd);
/// for step in 1..=20 {
///     let loss = layer.forward(Tensor::<2>::ones([4, 2], &device)).square().mean();
///     let grads = GradientsParams::from_grads(loss.backward(), &layer);
///     layer = optimizer.step(0.05, layer, grads);
///     averager.after_step(step, 20, &layer);
/// }
/// assert!(averager.averaged().is_some());
/// ```
#[derive(Config, Debug, Copy, PartialEq)]
pub struct Asgd {
    /// λ: how fast weights and rate shrink, at least 0. Default: 1e-4.
    #[config(default = 1e-4)]
    pub lambd: f64,
    /// α: the power of the rate's decay, at least 0. Default: 0.75.
    #[config(default = 0.75)]
    pub alpha: f64,
    /// Steps after which the mean begins. Default: 1,000,000.
    #[config(default = 1_000_000)]
    pub t0: usize,
    /// Added to the gradient as this share of the weights, at least 0. Default: 0.
    #[config(default = 0.0)]
    pub weight_decay: f64,
}

/// State of [`Asgd`].
#[derive(Clone, Debug)]
pub struct AsgdState {
    /// Steps so far.
    pub step: usize,
}

impl Asgd {
    /// The mean over the weights from step `t0 + 2` on, and until then the weights themselves, as PyTorch has it.
    pub fn average(&self) -> Average {
        Average::Swa {
            start: self.t0 + 2,
            every: 1,
            unit: Unit::Step,
        }
    }

    /// Checks every number.
    ///
    /// # Errors
    /// A number that is negative or not finite.
    pub fn validate(&self) -> Result<(), RangeError> {
        let expected = "a finite number of at least 0";
        for (field, found) in [
            ("lambd", self.lambd),
            ("alpha", self.alpha),
            ("weight_decay", self.weight_decay),
        ] {
            RangeError::unless(found >= 0.0 && found.is_finite(), field, found, expected)?;
        }
        Ok(())
    }
}

impl Optimizer for Asgd {
    type State<const D: usize> = AsgdState;

    fn step<const D: usize>(
        &self,
        lr: f64,
        tensor: Tensor<D>,
        grad: Tensor<D>,
        state: Option<AsgdState>,
    ) -> (Tensor<D>, Option<AsgdState>) {
        let before = state.map_or(0, |state| state.step);
        let eta = lr / (1.0 + self.lambd * lr * before as f64).powf(self.alpha);
        let grad = match self.weight_decay {
            0.0 => grad,
            decay => grad + tensor.clone().mul_scalar(decay),
        };
        let tensor = match self.lambd {
            0.0 => tensor,
            lambd => tensor.mul_scalar(1.0 - lambd * eta),
        };
        let tensor = tensor - grad.mul_scalar(eta);
        (tensor, Some(AsgdState { step: before + 1 }))
    }

    fn to_device<const D: usize>(state: AsgdState, _device: &Device) -> AsgdState {
        state
    }
}

impl RecordState for AsgdState {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        save_scalar(prefix, "step", self.step, out);
    }

    fn state_unflatten(prefix: &str, src: &mut StateSource, _device: &Device) -> Option<Self> {
        let step = load_scalar(prefix, "step", src)?;
        Some(Self { step })
    }
}
