//! Cyclical learning rates.

use serde::{Deserialize, Serialize};

use super::{one, validate::Place};
use crate::ScheduleError;

/// What becomes of the height of the waves of a [`Cyclic`].
#[derive(Serialize, Deserialize, Debug, Clone, Copy, Default, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Wave {
    /// All are equally high.
    #[default]
    Triangular,
    /// Each is half as high as the one before.
    Triangular2,
    /// The height shrinks by `gamma` from step to step.
    ExpRange,
}

/// Straight up from `low` to `high` and down again, over and over.
///
/// ```text
/// low + (high − low) · ramp · height
/// cycle = ⌊n / (up + down)⌋,  k = n − cycle · (up + down)
/// ramp = k / up  up to k = up,  then (up + down − k) / down
/// height = 1                triangular
///          2^(−cycle)       triangular2
///          gamma^n          exp_range
/// ```
///
/// The learning-rate range test of the paper finds the bounds.
///
/// # Differences
/// PyTorch's `CyclicLR` also moves the momentum of the optimiser, against the rate; here nothing but the rate changes. Its
/// own functions of the height (`scale_fn`) are a [`Table`](crate::Schedule::Table) multiplied by
/// [`Chained`](crate::Schedule::Chained), where `low` is 0.
///
/// # References
/// Smith, *Cyclical Learning Rates for Training Neural Networks*, 2015, <https://arxiv.org/abs/1506.01186>
///
/// # Examples
/// ```
/// use rekindle_optim::{Cyclic, Schedule, Wave};
///
/// let cyclic = Cyclic { down: Some(8), wave: Wave::Triangular2, ..Cyclic::new(5.0, 2) };
/// let schedule = Schedule::Cyclic(cyclic);
/// assert_eq!((schedule.at(0), schedule.at(2), schedule.at(10), schedule.at(12)), (1.0, 5.0, 1.0, 3.0));
/// ```
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Cyclic {
    /// Factor at the bottom. At least 0. Default: 1.0: the base rate is the lower bound, as in the paper.
    #[serde(default = "one")]
    pub low: f64,
    /// Factor at the top of the first wave. At least 0.
    pub high: f64,
    /// Steps from the bottom to the top. At least 1. The paper takes 2 to 10 epochs.
    pub up: usize,
    /// Steps from the top to the bottom. At least 1. Default: as `up`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub down: Option<usize>,
    /// What becomes of the height. Default: `triangular`.
    #[serde(default)]
    pub wave: Wave,
    /// Factor of the height from step to step. Positive. Default: 1.0; only `exp_range` has another.
    #[serde(default = "one")]
    pub gamma: f64,
}

impl Cyclic {
    /// From the base rate to `high` within `up` steps and back as fast.
    pub fn new(high: f64, up: usize) -> Self {
        Self {
            low: 1.0,
            high,
            up,
            down: None,
            wave: Wave::default(),
            gamma: 1.0,
        }
    }

    pub(super) fn at(&self, step: usize) -> f64 {
        let down = self.down.unwrap_or(self.up);
        let length = self.up + down;
        let (cycle, over) = (step / length, step % length);
        let ramp = match over <= self.up {
            true => over as f64 / self.up as f64,
            false => (length - over) as f64 / down as f64,
        };
        let height = match self.wave {
            Wave::Triangular => 1.0,
            Wave::Triangular2 => 0.5_f64.powf(cycle as f64),
            Wave::ExpRange => self.gamma.powf(step as f64),
        };
        self.low + (self.high - self.low) * ramp * height
    }

    pub(super) fn validate(&self, place: &Place) -> Result<(), ScheduleError> {
        place.not_negative("low", self.low)?;
        place.not_negative("high", self.high)?;
        place.at_least_1("up", self.up)?;
        place.at_least_1("down", self.down.unwrap_or(1))?;
        place.positive("gamma", self.gamma)?;
        place.check(
            self.gamma == 1.0 || self.wave == Wave::ExpRange,
            "gamma",
            self.gamma,
            "1 without wave = \"exp_range\", which alone uses it",
        )
    }
}
