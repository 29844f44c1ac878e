//! Probabilities that are none.

/// A probability that nothing can be dropped with.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DropoutError {
    /// A probability out of its range.
    #[error("the probability is {found}, expected at least 0 and below 1")]
    Probability {
        /// What was found.
        found: f64,
    },
}

impl DropoutError {
    /// Checks a probability.
    pub(super) fn check(prob: f64) -> Result<(), Self> {
        match (0.0..1.0).contains(&prob) {
            true => Ok(()),
            false => Err(Self::Probability { found: prob }),
        }
    }
}
