//! The parameters of a search.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Domain, Point, SpaceError};

/// One parameter: its name, what it may be, and when it counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// Its name, different from all others.
    pub name: String,
    /// What it may be.
    pub domain: Domain,
    /// When it counts: if all of these hold. Default: always.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub when: Vec<Condition>,
}

impl Parameter {
    /// Whether it counts beside what those before it are.
    pub(crate) fn counts(&self, point: &Point) -> bool {
        self.when.iter().all(|condition| condition.holds(point))
    }
}

/// Holds if a parameter counts and has one of these values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// The name of a parameter that stands earlier in the space.
    pub on: String,
    /// Values of its domain, at least one.
    pub among: Vec<Value>,
}

impl Condition {
    fn holds(&self, point: &Point) -> bool {
        point
            .get(&self.on)
            .is_some_and(|value| self.among.contains(value))
    }
}

/// What is searched: parameters, those first that others depend on.
///
/// # Examples
/// ```
/// use rekindle_tune::{Condition, Domain, Parameter, Space};
///
/// let cell = Parameter {
///     name: "cell".into(),
///     domain: Domain::Choice { choices: vec!["lstm".into(), "gru".into()] },
///     when: vec![],
/// };
/// let forget_bias = Parameter {
///     name: "forget_bias".into(),
///     domain: Domain::Float { low: 0.0, high: 2.0, log: false, step: None },
///     when: vec![Condition { on: "cell".into(), among: vec!["lstm".into()] }],
/// };
/// let space = Space::new(vec![cell, forget_bias])?;
///
/// // The GRU has no forget bias.
/// assert_eq!(space.point(|parameter| parameter.domain.at(1.0)).len(), 1);
/// assert_eq!(space.point(|parameter| parameter.domain.at(0.0)).len(), 2);
/// # Ok::<(), rekindle_tune::SpaceError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Parameter>", into = "Vec<Parameter>")]
pub struct Space {
    parameters: Vec<Parameter>,
}

impl Space {
    /// A space of these parameters.
    ///
    /// # Errors
    /// If there is none, two have one name, a domain is empty, or a condition can never hold.
    pub fn new(parameters: Vec<Parameter>) -> Result<Self, SpaceError> {
        if parameters.is_empty() {
            return Err(SpaceError::Empty);
        }
        for (index, parameter) in parameters.iter().enumerate() {
            let before = &parameters[..index];
            let name = &parameter.name;
            if before.iter().any(|other| other.name == *name) {
                return Err(SpaceError::Twice { name: name.clone() });
            }
            parameter.domain.check(name)?;
            for condition in &parameter.when {
                check_condition(name, condition, before)?;
            }
        }
        Ok(Self { parameters })
    }

    /// The parameters, those first that others depend on.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// The point that has, for each parameter that counts, the value that `choose` gives it.
    ///
    /// Parameters are chosen one after the other, so that it is known for each whether it counts.
    pub fn point(&self, mut choose: impl FnMut(&Parameter) -> Value) -> Point {
        let mut point = Point::default();
        for parameter in &self.parameters {
            if parameter.counts(&point) {
                point.set(&parameter.name, choose(parameter));
            }
        }
        point
    }

    /// Whether a point has values for just those parameters that count, each out of its domain.
    pub fn contains(&self, point: &Point) -> bool {
        let mut all = true;
        let same = self.point(|parameter| {
            let value = point.get(&parameter.name);
            let value = value.filter(|value| parameter.domain.coordinate(value).is_some());
            all &= value.is_some();
            value.cloned().unwrap_or(Value::Null)
        });
        all && same == *point
    }
}

fn check_condition(
    name: &str,
    condition: &Condition,
    before: &[Parameter],
) -> Result<(), SpaceError> {
    let (name, on) = (name.to_owned(), condition.on.clone());
    let Some(parent) = before.iter().find(|other| other.name == on) else {
        return Err(SpaceError::UnknownCondition { name, on });
    };
    let never = |value: &&Value| parent.domain.coordinate(value).is_none();
    match condition.among.iter().find(never) {
        Some(value) => {
            let value = value.clone();
            Err(SpaceError::Impossible { name, on, value })
        }
        None if condition.among.is_empty() => {
            let value = Value::Null;
            Err(SpaceError::Impossible { name, on, value })
        }
        None => Ok(()),
    }
}

impl TryFrom<Vec<Parameter>> for Space {
    type Error = SpaceError;

    fn try_from(parameters: Vec<Parameter>) -> Result<Self, SpaceError> {
        Self::new(parameters)
    }
}

impl From<Space> for Vec<Parameter> {
    fn from(space: Space) -> Self {
        space.parameters
    }
}
