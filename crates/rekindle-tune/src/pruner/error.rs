//! What can be wrong with a pruner that was read from a file.

/// A number of a pruner that makes no sense.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{field} is {found}, expected {expected}")]
pub struct PrunerError {
    /// Place of the number.
    pub field: &'static str,
    /// The number.
    pub found: f64,
    /// The range that it must lie in.
    pub expected: &'static str,
}

impl PrunerError {
    /// `Ok` if `valid`, otherwise the error that names the number.
    pub(super) fn unless(
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
}
