//! Schedules of the learning rate, as values.

use burn::config::Config;
use serde::{Deserialize, Serialize};

use crate::{Plateau, ScheduleError};

/// How the learning rate changes over a run, as a factor of the base rate.
///
/// ```text
/// lr(step) = lr_base · at(step)
/// ```
///
/// Every kind but [`Plateau`](Self::Plateau) is stateless: resuming needs only the step. What one step is (an
/// optimiser step, an epoch) is the choice of [`ScheduledLr`](crate::ScheduledLr). The default is a constant rate.
///
/// In a recipe a schedule is a table with a `kind`; keys that the kind does not have are refused.
///
/// # Differences
/// Burn's schedulers hold the base rate themselves and limit it to 1. Here it stays a separate value without an upper
/// limit, so that changing it means changing one number.
///
/// # Examples
/// ```
/// use rekindle_optim::Schedule;
///
/// let decay = Schedule::Exponential { gamma: 0.5 };
/// assert_eq!(decay.at(0), 1.0);
/// assert_eq!(decay.at(3), 0.125);
///
/// // The full rate for 30 steps, then a tenth of it.
/// let drop = Schedule::Then {
///     first: Box::new(Schedule::default()),
///     steps: 30,
///     next: Box::new(Schedule::Constant { factor: 0.1 }),
/// };
/// assert_eq!((drop.at(29), drop.at(30)), (1.0, 0.1));
/// ```
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Schedule {
    /// The same rate at every step: `factor`. `{ kind = "constant" }`
    Constant {
        /// Factor of the base rate. Positive. Default: 1.0, the base rate itself; others serve as parts of
        /// [`Then`](Self::Then).
        #[serde(default = "one")]
        factor: f64,
    },
    /// Exponential decay: `gamma^step`. `{ kind = "exponential", gamma = 0.97 }`
    Exponential {
        /// Factor from one step to the next. Positive; above 1 the rate grows.
        gamma: f64,
    },
    /// `first` for `steps` steps, then `next` from its own step zero.
    Then {
        /// The schedule to begin with; not a plateau.
        first: Box<Schedule>,
        /// Number of steps that `first` lasts. With 0 only `next` is used.
        steps: usize,
        /// The schedule that follows; not a plateau.
        next: Box<Schedule>,
    },
    /// The rate falls when a metric stops improving. `{ kind = "plateau", factor = 0.5, patience = 5 }`
    ///
    /// The step alone changes nothing, so [`at`](Self::at) is 1;
    /// [`ScheduledLr::observe`](crate::ScheduledLr::observe) lowers the rate.
    Plateau(Plateau),
}

impl Default for Schedule {
    fn default() -> Self {
        Self::Constant { factor: one() }
    }
}

impl Config for Schedule {}

impl Schedule {
    /// The factor of the base rate at `step`, counted from zero.
    pub fn at(&self, step: usize) -> f64 {
        match self {
            Self::Constant { factor } => *factor,
            Self::Exponential { gamma } => gamma.powf(step as f64),
            Self::Then { first, steps, .. } if step < *steps => first.at(step),
            Self::Then { steps, next, .. } => next.at(step - steps),
            Self::Plateau(_) => 1.0,
        }
    }

    /// Checks every value of the schedule.
    ///
    /// # Errors
    /// - a factor or `gamma` that is not positive and finite
    /// - a plateau with a value out of range, see [`Plateau::validate`]
    /// - a plateau inside [`Then`](Self::Then): it depends on what was observed, and a sequence on the step alone
    pub fn validate(&self) -> Result<(), ScheduleError> {
        match self {
            Self::Plateau(plateau) => plateau.validate(),
            _ => self.validate_at(""),
        }
    }

    /// Checks a stateless schedule that stands at `place`: empty, or parts that each end in a dot.
    fn validate_at(&self, place: &str) -> Result<(), ScheduleError> {
        match self {
            Self::Constant { factor } => positive(format!("{place}factor"), *factor),
            Self::Exponential { gamma } => positive(format!("{place}gamma"), *gamma),
            Self::Then { first, next, .. } => {
                first.validate_at(&format!("{place}first."))?;
                next.validate_at(&format!("{place}next."))
            }
            Self::Plateau(_) => Err(ScheduleError::NestedPlateau {
                field: place.trim_end_matches('.').to_string(),
            }),
        }
    }
}

fn one() -> f64 {
    1.0
}

fn positive(field: String, found: f64) -> Result<(), ScheduleError> {
    let valid = found.is_finite() && found > 0.0;
    ScheduleError::unless(valid, field, found, "a positive finite number")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn then(first: Schedule, steps: usize, next: Schedule) -> Schedule {
        Schedule::Then {
            first: Box::new(first),
            steps,
            next: Box::new(next),
        }
    }

    #[test]
    fn exponential_follows_its_closed_form() {
        for gamma in [0.97_f64, 0.5, 1.1] {
            let schedule = Schedule::Exponential { gamma };
            let mut product = 1.0;
            for step in 0..300 {
                let error = (schedule.at(step) / product - 1.0).abs();
                assert!(error < 1e-12, "gamma {gamma}, step {step}: off by {error}");
                product *= gamma;
            }
        }
    }

    #[test]
    fn then_restarts_the_next_schedule() {
        let decay = Schedule::Exponential { gamma: 0.5 };
        let schedule = then(
            decay.clone(),
            2,
            then(Schedule::Constant { factor: 3.0 }, 1, decay),
        );
        let factors: Vec<f64> = (0..6).map(|step| schedule.at(step)).collect();
        assert_eq!(factors, [1.0, 0.5, 3.0, 1.0, 0.5, 0.25]);
    }

    #[test]
    fn then_of_no_steps_is_the_next_schedule() {
        let schedule = then(
            Schedule::Constant { factor: 3.0 },
            0,
            Schedule::Exponential { gamma: 0.5 },
        );
        assert_eq!((schedule.at(0), schedule.at(1)), (1.0, 0.5));
    }

    #[test]
    fn validate_names_the_place_of_a_bad_value() {
        let bad = then(
            Schedule::default(),
            3,
            then(
                Schedule::Exponential { gamma: -1.0 },
                3,
                Schedule::default(),
            ),
        );
        let message = bad.validate().unwrap_err().to_string();
        assert_eq!(
            message,
            "`next.first.gamma` is -1, expected a positive finite number"
        );

        for factor in [0.0, -0.1, f64::NAN, f64::INFINITY] {
            assert!(
                Schedule::Constant { factor }.validate().is_err(),
                "{factor}"
            );
        }
        assert_eq!(Schedule::default().validate(), Ok(()));
    }

    #[test]
    fn validate_refuses_a_plateau_in_a_sequence() {
        let plateau = Schedule::Plateau(Plateau::default());
        assert_eq!(plateau.validate(), Ok(()));
        let nested = then(Schedule::default(), 5, plateau);
        let field = "next".to_string();
        assert_eq!(
            nested.validate(),
            Err(ScheduleError::NestedPlateau { field })
        );
    }
}
