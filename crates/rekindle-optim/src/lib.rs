//! Learning-rate schedules and gradient clipping.
//!
//! - [`Schedule`]: how the learning rate changes over a run, as a serialisable value. [`Plateau`] is the kind that
//!   follows a metric instead of the step.
//! - [`ScheduledLr`]: the one adapter from a schedule to Burn's
//!   [`LrScheduler`](burn::lr_scheduler::LrScheduler). With an [`LrGroup`] some parameters have a rate of their own.
//! - [`clip_grad_norm`] and [`grad_norm`]: the L2 norm over the gradients of a whole module.

mod clip;
mod error;
mod groups;
mod plateau;
mod schedule;
mod scheduled_lr;

pub use clip::{GradientError, clip_grad_norm, grad_norm};
pub use error::ScheduleError;
pub use groups::LrGroup;
pub use plateau::{Mode, Plateau, PlateauState, ThresholdMode};
pub use schedule::{
    Anneal, Between, CosineRestarts, Cyclic, OneCycle, Phases, Polynomial, Schedule, Wave,
};
pub use scheduled_lr::{LrRecordError, ScheduledLr};
