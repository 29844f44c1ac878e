//! What a schedule must be, with the place of whatever is wrong.

use super::{Schedule, table};
use crate::ScheduleError;

/// Where a schedule stands in the outermost one: empty, or parts that each end in a dot.
pub(super) struct Place(String);

impl Place {
    /// The place of a part.
    fn part(&self, name: &str) -> Self {
        Self(format!("{}{name}.", self.0))
    }

    /// `Ok` if `valid`, otherwise the error that names the value.
    pub(super) fn check(
        &self,
        valid: bool,
        field: &str,
        found: f64,
        expected: &'static str,
    ) -> Result<(), ScheduleError> {
        ScheduleError::unless(valid, format!("{}{field}", self.0), found, expected)
    }

    pub(super) fn positive(&self, field: &str, found: f64) -> Result<(), ScheduleError> {
        let valid = found.is_finite() && found > 0.0;
        self.check(valid, field, found, "a positive finite number")
    }

    pub(super) fn not_negative(&self, field: &str, found: f64) -> Result<(), ScheduleError> {
        let valid = found.is_finite() && found >= 0.0;
        self.check(valid, field, found, "a finite number, at least 0")
    }

    pub(super) fn at_least_1(&self, field: &str, found: usize) -> Result<(), ScheduleError> {
        self.check(found > 0, field, found as f64, "at least 1")
    }

    pub(super) fn not_empty(&self, field: &str, found: usize) -> Result<(), ScheduleError> {
        self.count(found > 0, field, found, "at least 1".into())
    }

    fn count(
        &self,
        valid: bool,
        field: &str,
        found: usize,
        expected: String,
    ) -> Result<(), ScheduleError> {
        match valid {
            true => Ok(()),
            false => Err(ScheduleError::Count {
                field: format!("{}{field}", self.0),
                found,
                expected,
            }),
        }
    }

    /// Refuses a step of a list that is not above the one before.
    pub(super) fn rising(&self, field: &str, steps: &[usize]) -> Result<(), ScheduleError> {
        for (index, pair) in steps.windows(2).enumerate() {
            if pair[1] <= pair[0] {
                return Err(ScheduleError::Order {
                    field: format!("{}{field}[{}]", self.0, index + 1),
                    found: pair[1],
                    before: pair[0],
                });
            }
        }
        Ok(())
    }

    fn parts(&self, schedules: &[Schedule]) -> Result<(), ScheduleError> {
        self.not_empty("schedules", schedules.len())?;
        schedules.iter().enumerate().try_for_each(|(index, part)| {
            part.validate_at(&self.part(&format!("schedules[{index}]")))
        })
    }
}

impl Schedule {
    /// Checks every value of the schedule.
    ///
    /// # Errors
    /// - a number out of the range that its field documents
    /// - a list that is empty, does not rise, or has another length than another one asks for
    /// - a plateau with a value out of range, see [`Plateau::validate`](crate::Plateau::validate)
    /// - a plateau inside another schedule: it depends on what was observed, and the others on the step alone
    pub fn validate(&self) -> Result<(), ScheduleError> {
        match self {
            Self::Plateau(plateau) => plateau.validate(),
            _ => self.validate_at(&Place(String::new())),
        }
    }

    /// Checks a stateless schedule.
    fn validate_at(&self, place: &Place) -> Result<(), ScheduleError> {
        match self {
            Self::Constant { factor } => place.positive("factor", *factor),
            Self::Step { every, gamma } => {
                place.at_least_1("every", *every)?;
                place.positive("gamma", *gamma)
            }
            Self::MultiStep { milestones, gamma } => {
                place.not_empty("milestones", milestones.len())?;
                place.rising("milestones", milestones)?;
                place.positive("gamma", *gamma)
            }
            Self::Exponential { gamma, steps } => {
                place.positive("gamma", *gamma)?;
                place.at_least_1("steps", *steps)
            }
            Self::Linear { from, to, steps } => {
                place.not_negative("from", *from)?;
                place.not_negative("to", *to)?;
                place.at_least_1("steps", *steps)
            }
            Self::Polynomial(polynomial) => polynomial.validate(place),
            Self::InverseTime { rate, steps, .. } => {
                place.positive("rate", *rate)?;
                place.at_least_1("steps", *steps)
            }
            Self::Cosine { steps, to } => {
                place.at_least_1("steps", *steps)?;
                place.not_negative("to", *to)
            }
            Self::CosineRestarts(restarts) => restarts.validate(place),
            Self::Cyclic(cyclic) => cyclic.validate(place),
            Self::OneCycle(cycle) => cycle.validate(place),
            Self::Noam { warm_up } => place.at_least_1("warm_up", *warm_up),
            Self::Table { points, .. } => table::validate(points, place),
            _ => self.validate_parts(place),
        }
    }

    /// Checks a schedule that holds others.
    fn validate_parts(&self, place: &Place) -> Result<(), ScheduleError> {
        match self {
            Self::WarmUp { steps, from, next } => {
                place.at_least_1("steps", *steps)?;
                place.not_negative("from", *from)?;
                next.validate_at(&place.part("next"))
            }
            Self::Then { first, next, .. } => {
                first.validate_at(&place.part("first"))?;
                next.validate_at(&place.part("next"))
            }
            Self::Sequential {
                schedules,
                milestones,
            } => {
                place.parts(schedules)?;
                let count = schedules.len() - 1;
                let expected = format!("{count}, one fewer than schedules");
                let found = milestones.len();
                place.count(found == count, "milestones", found, expected)?;
                place.rising("milestones", milestones)
            }
            Self::Chained { schedules } => place.parts(schedules),
            Self::Plateau(_) => Err(ScheduleError::NestedPlateau {
                field: place.0.trim_end_matches('.').to_string(),
            }),
            _ => Ok(()),
        }
    }
}
