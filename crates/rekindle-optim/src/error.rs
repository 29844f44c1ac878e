//! What can be wrong with a value that was read from a file.

/// A number of a clip, a policy, an average or an optimiser that makes no sense.
///
/// `field` is the place inside the value, for example `max.from`.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{field} is {found}, expected {expected}")]
pub struct RangeError {
    /// Place of the number.
    pub field: &'static str,
    /// The number.
    pub found: f64,
    /// The range that it must lie in.
    pub expected: &'static str,
}

impl RangeError {
    /// `Ok` if `valid`, otherwise the error that names the number.
    pub(crate) fn unless(
        valid: bool,
        field: &'static str,
        found: f64,
        expected: &'static str,
    ) -> Result<(), Self> {
        match valid {
            true => Ok(()),
            false => Err(Self {
                field,
                found,
                expected,
            }),
        }
    }

    /// `Ok` if a number is positive and finite.
    pub(crate) fn unless_positive(field: &'static str, found: f64) -> Result<(), Self> {
        let valid = found > 0.0 && found.is_finite();
        Self::unless(valid, field, found, "a positive finite number")
    }

    /// `Ok` if a number is in `[0, 1)`.
    pub(crate) fn unless_fraction(field: &'static str, found: f64) -> Result<(), Self> {
        let valid = (0.0..1.0).contains(&found);
        Self::unless(valid, field, found, "a number in [0, 1)")
    }
}

/// A schedule with a value that makes no sense.
///
/// `field` is the place inside the schedule, for example `next.gamma`.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ScheduleError {
    /// A number outside its range.
    #[error("`{field}` is {found}, expected {expected}")]
    Range {
        /// Place of the value.
        field: String,
        /// The value.
        found: f64,
        /// The range that it must lie in.
        expected: &'static str,
    },
    /// A list with another number of entries.
    #[error("`{field}` has {found} entries, expected {expected}")]
    Count {
        /// Place of the list.
        field: String,
        /// How many it has.
        found: usize,
        /// How many it must have.
        expected: String,
    },
    /// A step in a list that is not above the one before.
    #[error("`{field}` is step {found}, expected one above {before}, which stands before it")]
    Order {
        /// Place of the step.
        field: String,
        /// The step.
        found: usize,
        /// The step before it in the list.
        before: usize,
    },
    /// A plateau inside another schedule.
    #[error(
        "`{field}` is a plateau, expected a kind that depends on the step alone; make the plateau the whole schedule"
    )]
    NestedPlateau {
        /// Place of the plateau, such as `next` or `schedules[1]`.
        field: String,
    },
}

impl ScheduleError {
    /// `Ok` if `valid`, otherwise the error that names the value.
    pub(crate) fn unless(
        valid: bool,
        field: String,
        found: f64,
        expected: &'static str,
    ) -> Result<(), Self> {
        if valid {
            Ok(())
        } else {
            Err(Self::Range {
                field,
                found,
                expected,
            })
        }
    }
}
