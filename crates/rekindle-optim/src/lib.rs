//! Learning-rate schedules, gradient clipping, optimisers and averages of weights.
//!
//! - [`Schedule`]: how the learning rate changes over a run, as a serialisable value. [`Plateau`] is the kind that
//!   follows a metric instead of the step.
//! - [`ScheduledLr`]: the one adapter from a schedule to Burn's
//!   [`LrScheduler`](burn::lr_scheduler::LrScheduler). With an [`LrGroup`] some parameters have a rate of their own.
//! - [`Clip`]: how gradients are clipped, as a value; [`clip_grad_norm`] and [`grad_norm`] are its most usual kind.
//!   [`NonFinite`] says what to do with a step that is not finite.
//! - [`Asgd`], [`RAdam`], [`NAdam`] and [`Lookahead`]: optimisers that Burn lacks. Those that it has are re-exported.
//! - [`Average`]: which mean of the weights is used in their place, as a value; [`Averager`] keeps it.
//!
//! # Burn's optimisers
//!
//! Some of their defaults are not PyTorch's:
//!
//! | optimiser | default | Burn 0.22 | PyTorch |
//! |---|---|---|---|
//! | [`AdamConfig`], [`AdamWConfig`] | `epsilon` | 1e-5 | 1e-8 |
//! | [`AdamWConfig`] | `weight_decay` | 1e-4 | 1e-2 |
//! | [`RmsPropConfig`] | `epsilon` | 1e-5 | 1e-8 |
//! | [`RmsPropConfig`] | `momentum` | 0.9 | 0 |
//! | [`AdaGradConfig`] | `epsilon` | 1e-5 | 1e-10 |
//! | [`MomentumConfig`](burn::optim::momentum::MomentumConfig) of [`SgdConfig`] | `dampening` | 0.1 | 0 |
//! | [`MuonConfig`] | weight decay | none | 0.1 |
//!
//! Their constants are 32-bit floats, so that in 64 bits they follow PyTorch to about seven digits. The optimisers here
//! have PyTorch's defaults and 64-bit constants.

mod average;
mod clip;
mod error;
mod groups;
mod nonfinite;
mod optimizer;
mod plateau;
mod schedule;
mod scheduled_lr;

pub use average::{Average, AverageState, Averager, Unit};
pub use burn::optim::{
    AdaGradConfig, AdafactorConfig, AdamConfig, AdamWConfig, AdanConfig, GradientsParams,
    LBFGSConfig, LambConfig, LionConfig, ModuleOptimizer, MuonConfig, Optimizer, RmsPropConfig,
    SgdConfig,
};
pub use clip::{
    Clip, GradientError, Limit, clip_grad_norm, clip_grad_p_norm, grad_norm, grad_p_norm,
};
pub use error::{RangeError, ScheduleError};
pub use groups::LrGroup;
pub use nonfinite::{NonFinite, NonFiniteState};
pub use optimizer::{
    Asgd, AsgdState, Decay, Lookahead, LookaheadState, Moments, NAdam, NAdamState, RAdam,
    RAdamState,
};
pub use plateau::{Mode, Plateau, PlateauState, ThresholdMode};
pub use schedule::{
    Anneal, Between, CosineRestarts, Cyclic, OneCycle, Phases, Polynomial, Schedule, Wave,
};
pub use scheduled_lr::{LrRecordError, ScheduledLr};
