//! Cosine decay with warm restarts.

use serde::{Deserialize, Serialize};

use super::{half_wave, one, validate::Place};
use crate::ScheduleError;

/// A cosine from the top down to `to`, again and again.
///
/// ```text
/// period i:  begins at s_i = steps · (1 + t_mult + … + t_mult^(i − 1)),  lasts t_i = steps · t_mult^i
/// to + (1 − to) · m_mult^i · (1 + cos(π · (n − s_i) / t_i)) / 2
/// ```
///
/// # Differences
/// PyTorch takes whole numbers for `t_mult` and has no `m_mult`; Keras has both, with 2 as its default of `t_mult`. Periods
/// that are no whole numbers of steps begin between two steps, as in Keras.
///
/// # References
/// Loshchilov and Hutter, *SGDR: Stochastic Gradient Descent with Warm Restarts*, 2016,
/// <https://arxiv.org/abs/1608.03983>
///
/// # Examples
/// ```
/// use rekindle_optim::{CosineRestarts, Schedule};
///
/// let restarts = CosineRestarts { t_mult: 2.0, m_mult: 0.5, ..CosineRestarts::new(10) };
/// let schedule = Schedule::CosineRestarts(restarts);
/// assert_eq!((schedule.at(0), schedule.at(10), schedule.at(30)), (1.0, 0.5, 0.25));
/// ```
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct CosineRestarts {
    /// Length of the first period. At least 1.
    pub steps: usize,
    /// How much longer each period is than the one before. Finite, at least 1. Default: 1.0, as in PyTorch.
    #[serde(default = "one")]
    pub t_mult: f64,
    /// How much higher each period begins than the one before. Positive; below 1 it begins lower. Default: 1.0.
    #[serde(default = "one")]
    pub m_mult: f64,
    /// Factor that every period ends at (`eta_min` or `alpha` elsewhere). At least 0. Default: 0.0.
    #[serde(default)]
    pub to: f64,
}

impl CosineRestarts {
    /// Periods of `steps` steps, from 1 to 0.
    pub fn new(steps: usize) -> Self {
        Self {
            steps,
            t_mult: 1.0,
            m_mult: 1.0,
            to: 0.0,
        }
    }

    pub(super) fn at(&self, step: usize) -> f64 {
        let (period, share) = self.period(step);
        self.to + (1.0 - self.to) * self.m_mult.powf(period) * half_wave(share)
    }

    /// The number of the period, from 0, and how much of it is over.
    fn period(&self, step: usize) -> (f64, f64) {
        if self.t_mult == 1.0 {
            let over = (step % self.steps) as f64;
            return ((step / self.steps) as f64, over / self.steps as f64);
        }
        // In units of the first period.
        let now = step as f64 / self.steps as f64;
        let begin = |period: f64| (self.t_mult.powf(period) - 1.0) / (self.t_mult - 1.0);
        let guess = (now * (self.t_mult - 1.0)).ln_1p() / self.t_mult.ln();
        // Rounding may put a step at a border on its wrong side.
        let mut period = guess.round();
        if now < begin(period) {
            period = (period - 1.0).max(0.0);
        }
        (period, (now - begin(period)) / self.t_mult.powf(period))
    }

    pub(super) fn validate(&self, place: &Place) -> Result<(), ScheduleError> {
        place.at_least_1("steps", self.steps)?;
        let is_longer = self.t_mult.is_finite() && self.t_mult >= 1.0;
        place.check(
            is_longer,
            "t_mult",
            self.t_mult,
            "a finite number, at least 1",
        )?;
        place.positive("m_mult", self.m_mult)?;
        place.not_negative("to", self.to)
    }
}
