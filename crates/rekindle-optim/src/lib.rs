//! Learning-rate schedules and gradient clipping.
//!
//! - [`Schedule`]: how the learning rate changes over a run, as a serialisable value. [`Plateau`] is the kind that
//!   follows a metric instead of the step.
//! - [`ScheduledLr`]: the one adapter from a schedule to Burn's
//!   [`LrScheduler`](burn::lr_scheduler::LrScheduler).
//! - [`Clip`]: how gradients are clipped, as a value; [`clip_grad_norm`] and [`grad_norm`] are its most usual kind.

mod clip;
mod error;
mod plateau;
mod schedule;
mod scheduled_lr;

pub use clip::{
    Clip, GradientError, Limit, clip_grad_norm, clip_grad_p_norm, grad_norm, grad_p_norm,
};
pub use error::{RangeError, ScheduleError};
pub use plateau::{Mode, Plateau, PlateauState, ThresholdMode};
pub use schedule::Schedule;
pub use scheduled_lr::{LrRecordError, ScheduledLr};
