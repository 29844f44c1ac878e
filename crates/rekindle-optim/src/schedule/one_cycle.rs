//! The 1cycle policy.

use serde::{Deserialize, Serialize};

use super::{half_wave, validate::Place};
use crate::ScheduleError;

/// How a [`OneCycle`] goes from one factor to the next.
#[derive(Serialize, Deserialize, Debug, Clone, Copy, Default, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Anneal {
    /// On half a cosine wave.
    #[default]
    Cosine,
    /// On a straight line, as in the paper.
    Linear,
}

/// How a [`OneCycle`] comes down.
#[derive(Serialize, Deserialize, Debug, Clone, Copy, Default, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Phases {
    /// In one go, from the peak to the end.
    #[default]
    Two,
    /// Back to the start as fast as it went up, and from there to the end, as in the paper.
    Three,
}

/// Up from a small rate to the base rate once, then down below where it began.
///
/// ```text
/// peak = peak_at · steps − 1,  last = steps − 1
/// two phases:    0: from,  peak: 1,  last: to
/// three phases:  0: from,  peak: 1,  2 · peak: from,  last: to
/// between them, x of the way from a to b:
///   cosine:  b + (a − b) · (1 + cos(π x)) / 2
///   linear:  a + (b − a) · x
/// ```
///
/// The base rate is the peak (`max_lr` elsewhere).
///
/// # Differences
/// - The points and the defaults are PyTorch's. Beyond the last step, where PyTorch refuses, the rate stays at `to`.
/// - PyTorch also moves the momentum of the optimiser, against the rate; here nothing but the rate changes.
///
/// # References
/// Smith and Topin, *Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates*, 2017,
/// <https://arxiv.org/abs/1708.07120>
///
/// # Examples
/// ```
/// use rekindle_optim::{OneCycle, Schedule};
///
/// let schedule = Schedule::OneCycle(OneCycle { from: 0.1, to: 0.0, ..OneCycle::new(100) });
/// assert_eq!((schedule.at(0), schedule.at(29), schedule.at(99)), (0.1, 1.0, 0.0));
/// ```
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct OneCycle {
    /// Length of the whole cycle. At least 1.
    pub steps: usize,
    /// Fraction of the steps after which the peak is reached, in (0, 1); at most 0.5 with three phases. Default: 0.3, as
    /// in PyTorch.
    #[serde(default = "peak_at")]
    pub peak_at: f64,
    /// Factor at the start (1 / `div_factor` elsewhere). At least 0. Default: 0.04, 1/25 as in PyTorch.
    #[serde(default = "from")]
    pub from: f64,
    /// Factor at the end. At least 0. Default: 4e-6, a ten-thousandth of the default start, as in PyTorch.
    #[serde(default = "to")]
    pub to: f64,
    /// How it goes from one factor to the next. Default: `cosine`, as in PyTorch.
    #[serde(default)]
    pub anneal: Anneal,
    /// How it comes down. Default: `two`, as in PyTorch.
    #[serde(default)]
    pub phases: Phases,
}

fn peak_at() -> f64 {
    0.3
}

fn from() -> f64 {
    0.04
}

fn to() -> f64 {
    4e-6
}

impl OneCycle {
    /// PyTorch's defaults over `steps` steps.
    pub fn new(steps: usize) -> Self {
        Self {
            steps,
            peak_at: peak_at(),
            from: from(),
            to: to(),
            anneal: Anneal::default(),
            phases: Phases::default(),
        }
    }

    pub(super) fn at(&self, step: usize) -> f64 {
        let (now, last) = (step as f64, self.steps as f64 - 1.0);
        if now >= last {
            return self.to;
        }
        let peak = self.peak_at * self.steps as f64 - 1.0;
        let (start, top, end) = ((0.0, self.from), (peak, 1.0), (last, self.to));
        let middle = (2.0 * peak, self.from);
        match self.phases {
            _ if now <= peak => self.on_the_way(start, top, now),
            Phases::Two => self.on_the_way(top, end, now),
            Phases::Three if now <= middle.0 => self.on_the_way(top, middle, now),
            Phases::Three => self.on_the_way(middle, end, now),
        }
    }

    /// The factor between two points of step and factor.
    fn on_the_way(&self, (begin, a): (f64, f64), (end, b): (f64, f64), now: f64) -> f64 {
        // A way of no steps is over.
        let share = if end > begin {
            (now - begin) / (end - begin)
        } else {
            1.0
        };
        match self.anneal {
            Anneal::Cosine => super::between(b, a, half_wave(share)),
            Anneal::Linear => super::between(a, b, share),
        }
    }

    pub(super) fn validate(&self, place: &Place) -> Result<(), ScheduleError> {
        place.at_least_1("steps", self.steps)?;
        let peak = self.peak_at;
        place.check(
            peak > 0.0 && peak < 1.0,
            "peak_at",
            peak,
            "a number above 0 and below 1",
        )?;
        place.check(
            peak <= 0.5 || self.phases == Phases::Two,
            "peak_at",
            peak,
            "at most 0.5 with phases = \"three\", which takes as long down as up",
        )?;
        place.not_negative("from", self.from)?;
        place.not_negative("to", self.to)
    }
}
