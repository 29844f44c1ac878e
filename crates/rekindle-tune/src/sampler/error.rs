//! What can be wrong with a sampler's settings.

/// A sampler that cannot be used as it is set, or not on its space.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SamplerError {
    /// A number outside its range.
    #[error("`{field}` is {found}, expected {expected}")]
    Range {
        /// Its name.
        field: &'static str,
        /// The number.
        found: f64,
        /// The range that it must lie in.
        expected: &'static str,
    },
    /// A grid over values that cannot be counted.
    #[error(
        "{name}: a grid of all its values has no end, expected a number with a step, or choices"
    )]
    Endless {
        /// The parameter.
        name: String,
    },
    /// A CMA-ES with nothing that it could adapt.
    #[error(
        "cma_es finds no number to move, expected at least one that always counts and has more than one value"
    )]
    NoNumber,
}

impl SamplerError {
    /// `Ok` if `valid`, otherwise the error that names the number.
    pub(super) fn unless(
        valid: bool,
        field: &'static str,
        found: f64,
        expected: &'static str,
    ) -> Result<(), Self> {
        match valid {
            true => Ok(()),
            false => Err(Self::Range {
                field,
                found,
                expected,
            }),
        }
    }
}
