//! What can be wrong with a schedule that was read from a file.

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
