//! Polynomial decay.

use serde::{Deserialize, Serialize};

use super::{one, validate::Place};
use crate::ScheduleError;

/// A power of what is left of the run.
///
/// ```text
/// to + (1 − to) · (1 − n / length)^power
/// length = steps                          n is held at steps
/// length = steps · max(⌈n / steps⌉, 1)    with cycle
/// ```
///
/// Power 1 is a straight line. With `cycle` the rate jumps up again after each multiple of `steps`, to a lower height each
/// time, and falls for longer.
///
/// # References
/// PyTorch, [`PolynomialLR`](https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.PolynomialLR.html),
/// whose `to` is 0; Keras,
/// [`PolynomialDecay`](https://keras.io/api/optimizers/learning_rate_schedules/polynomial_decay/)
///
/// # Examples
/// ```
/// use rekindle_optim::{Polynomial, Schedule};
///
/// let decay = Schedule::Polynomial(Polynomial { power: 2.0, ..Polynomial::new(10) });
/// assert_eq!((decay.at(0), decay.at(5), decay.at(20)), (1.0, 0.25, 0.0));
/// ```
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Polynomial {
    /// Length of the way down. At least 1.
    pub steps: usize,
    /// The exponent. Positive. Default: 1.0, a straight line.
    #[serde(default = "one")]
    pub power: f64,
    /// Factor at the end. At least 0. Default: 0.0.
    #[serde(default)]
    pub to: f64,
    /// Whether the rate goes up again. Default: false.
    #[serde(default)]
    pub cycle: bool,
}

impl Polynomial {
    /// Down to 0 within `steps`, on a straight line.
    pub fn new(steps: usize) -> Self {
        Self {
            steps,
            power: 1.0,
            to: 0.0,
            cycle: false,
        }
    }

    pub(super) fn at(&self, step: usize) -> f64 {
        let times = match self.cycle {
            true => step.div_ceil(self.steps).max(1),
            false => 1,
        };
        let length = self.steps as f64 * times as f64;
        let left = (1.0 - step as f64 / length).max(0.0);
        self.to + (1.0 - self.to) * left.powf(self.power)
    }

    pub(super) fn validate(&self, place: &Place) -> Result<(), ScheduleError> {
        place.at_least_1("steps", self.steps)?;
        place.positive("power", self.power)?;
        place.not_negative("to", self.to)
    }
}
