//! What can be wrong with a space.

/// A space that cannot be searched.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SpaceError {
    /// There is nothing to search.
    #[error("there is no parameter to search over, expected at least one")]
    Empty,
    /// Two parameters have one name.
    #[error("{name} is there twice, expected one domain for each parameter")]
    Twice {
        /// The name.
        name: String,
    },
    /// A list of choices without a choice.
    #[error("{name}: the list of choices is empty, expected at least one")]
    NoChoice {
        /// The parameter.
        name: String,
    },
    /// A choice that is there twice, which would only make it more probable.
    #[error("{name}: {value} is there twice, expected different choices")]
    ChoiceTwice {
        /// The parameter.
        name: String,
        /// The choice.
        value: serde_json::Value,
    },
    /// Bounds that leave nothing between them.
    #[error(
        "{name}: from {low} to {high} there is nothing, expected finite bounds, the lower one first"
    )]
    Bounds {
        /// The parameter.
        name: String,
        /// The lower bound.
        low: f64,
        /// The upper bound.
        high: f64,
    },
    /// A logarithmic domain that is not positive.
    #[error("{name}: a logarithmic domain begins at {low}, expected a positive number")]
    Log {
        /// The parameter.
        name: String,
        /// The lower bound.
        low: f64,
    },
    /// A step that is not positive, or is more than the domain is wide.
    #[error("{name}: the step is {step}, expected a positive number of at most {width}")]
    Step {
        /// The parameter.
        name: String,
        /// The step.
        step: f64,
        /// The difference of the bounds.
        width: f64,
    },
    /// A condition on a parameter that is not there, or that comes later.
    #[error(
        "{name} counts only for some values of {on}, which is no parameter that stands before it"
    )]
    UnknownCondition {
        /// The parameter that has the condition.
        name: String,
        /// The parameter that the condition names.
        on: String,
    },
    /// A condition on a value that its parameter never has.
    #[error("{name} counts only if {on} is {value}, which it never is")]
    Impossible {
        /// The parameter that has the condition.
        name: String,
        /// The parameter that the condition names.
        on: String,
        /// The value.
        value: serde_json::Value,
    },
}

impl SpaceError {
    /// The parameter that it is about; none if it is about no single one.
    pub fn parameter(&self) -> Option<&str> {
        match self {
            Self::Empty => None,
            Self::Twice { name }
            | Self::NoChoice { name }
            | Self::ChoiceTwice { name, .. }
            | Self::Bounds { name, .. }
            | Self::Log { name, .. }
            | Self::Step { name, .. }
            | Self::UnknownCondition { name, .. }
            | Self::Impossible { name, .. } => Some(name),
        }
    }
}
