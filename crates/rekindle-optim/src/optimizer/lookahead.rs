//! Slow weights that follow an optimiser.

use burn::optim::{Optimizer, RecordState, StateSink, StateSource};
use burn::tensor::{Device, Tensor};

use super::state::{inside, load_scalar, load_tensor, save_scalar};
use crate::RangeError;

/// An optimiser that goes back part of its way every few steps.
///
/// ```text
/// w   = inner(w)                                  every step
/// φ′  = φ + α (w − φ),   w′ = φ′                  every `steps` steps; φ: where it began
/// ```
///
/// The inner optimiser keeps what it remembers when the weights go back.
///
/// # References
/// Zhang et al., *Lookahead Optimizer: k steps forward, 1 step back*, 2019, <https://arxiv.org/abs/1907.08610>
///
/// # Examples
/// ```
/// use burn::optim::{AdamWConfig, ModuleOptimizer};
/// use rekindle_optim::Lookahead;
///
/// let optimizer = ModuleOptimizer::from(Lookahead::new(AdamWConfig::new().build()));
/// # let _ = optimizer;
/// ```
#[derive(Clone, Debug)]
pub struct Lookahead<O> {
    /// The optimiser that takes the steps.
    pub inner: O,
    /// Steps forward, at least 1. Default: 5.
    pub steps: usize,
    /// α: the share of the way that is kept, in `(0, 1]`. Default: 0.5.
    pub alpha: f64,
}

/// State of [`Lookahead`].
#[derive(Clone, Debug)]
pub struct LookaheadState<S, const D: usize> {
    /// Steps so far.
    pub step: usize,
    /// φ.
    pub slow: Tensor<D>,
    /// Of the inner optimiser.
    pub inner: Option<S>,
}

impl<O> Lookahead<O> {
    /// Five steps forward, half of the way back.
    pub fn new(inner: O) -> Self {
        Self {
            inner,
            steps: 5,
            alpha: 0.5,
        }
    }

    /// The same, going back every so many steps.
    pub fn with_steps(self, steps: usize) -> Self {
        Self { steps, ..self }
    }

    /// The same, keeping another share of the way.
    pub fn with_alpha(self, alpha: f64) -> Self {
        Self { alpha, ..self }
    }

    /// Checks the numbers; not those of the inner optimiser.
    ///
    /// # Errors
    /// No steps, or a share outside `(0, 1]`.
    pub fn validate(&self) -> Result<(), RangeError> {
        let (steps, alpha) = (self.steps, self.alpha);
        RangeError::unless(steps > 0, "steps", steps as f64, "at least 1")?;
        let valid = alpha > 0.0 && alpha <= 1.0;
        RangeError::unless(valid, "alpha", alpha, "a number in (0, 1]")
    }
}

impl<O: Optimizer> Optimizer for Lookahead<O> {
    type State<const D: usize> = LookaheadState<O::State<D>, D>;

    /// # Panics
    /// If [`validate`](Lookahead::validate) fails.
    fn step<const D: usize>(
        &self,
        lr: f64,
        tensor: Tensor<D>,
        grad: Tensor<D>,
        state: Option<Self::State<D>>,
    ) -> (Tensor<D>, Option<Self::State<D>>) {
        if let Err(error) = self.validate() {
            panic!("invalid lookahead: {error}");
        }
        let state = state.unwrap_or_else(|| LookaheadState {
            step: 0,
            slow: tensor.clone(),
            inner: None,
        });
        let step = state.step + 1;
        let (fast, inner) = self.inner.step(lr, tensor, grad, state.inner);
        let (tensor, slow) = match step.is_multiple_of(self.steps) {
            true => {
                let way = fast - state.slow.clone();
                let slow = state.slow + way.mul_scalar(self.alpha);
                (slow.clone(), slow)
            }
            false => (fast, state.slow),
        };
        (tensor, Some(LookaheadState { step, slow, inner }))
    }

    fn to_device<const D: usize>(state: Self::State<D>, device: &Device) -> Self::State<D> {
        LookaheadState {
            step: state.step,
            slow: state.slow.to_device(device),
            inner: state.inner.map(|inner| O::to_device(inner, device)),
        }
    }
}

impl<S: RecordState, const D: usize> RecordState for LookaheadState<S, D> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        save_scalar(prefix, "step", self.step, out);
        out.push_tensor(prefix, "slow", self.slow.to_data());
        if let Some(inner) = &self.inner {
            inner.state_flatten(&inside(prefix, "inner"), out);
        }
    }

    fn state_unflatten(prefix: &str, src: &mut StateSource, device: &Device) -> Option<Self> {
        let path = inside(prefix, "inner");
        // A state of which nothing is saved is as good as none.
        let inner = match src.has_under(&path) {
            true => Some(S::state_unflatten(&path, src, device)?),
            false => None,
        };
        Some(Self {
            step: load_scalar(prefix, "step", src)?,
            slow: load_tensor(prefix, "slow", src, device)?,
            inner,
        })
    }
}
