//! All combinations.

use serde_json::Value;

use super::{Sampler, SamplerError};
use crate::{Domain, History, Parameter, Point, Space};

/// Tries all combinations of the values, in a fixed order: the last parameter changes fastest, as in nested loops.
///
/// A parameter that does not count beside some values of others does not multiply the points there. The trial's number is
/// the index of the combination; the history does not matter, so a trial that failed is not tried again.
///
/// # Differences
/// From Optuna's `GridSampler`: the order is not shuffled, conditions are known, the values are those of the domains, and a
/// study ends by itself when all are tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Grid;

impl Grid {
    /// How many points there are; `u64::MAX` if there are more than can be counted.
    ///
    /// # Errors
    /// If a parameter is a number without steps, whose values cannot be counted.
    pub fn points(space: &Space) -> Result<u64, SamplerError> {
        let endless = |parameter: &&Parameter| parameter.domain.len().is_none();
        match space.parameters().iter().find(endless) {
            Some(parameter) => Err(SamplerError::Endless {
                name: parameter.name.clone(),
            }),
            None => Ok(rest(space.parameters(), &mut Point::default())),
        }
    }
}

impl Sampler for Grid {
    /// # Panics
    /// If a parameter is a number without steps: [`Grid::points`] says so as an error.
    fn propose(&self, space: &Space, _history: &History, number: u64) -> Option<Point> {
        let points = Self::points(space).unwrap_or_else(|error| panic!("{error}"));
        if points <= number {
            return None;
        }
        let (mut index, mut point) = (number, Point::default());
        let mut parameters = space.parameters();
        while let [parameter, later @ ..] = parameters {
            parameters = later;
            if !parameter.counts(&point) {
                continue;
            }
            for value in values(&parameter.domain) {
                point.set(&parameter.name, value);
                let below = rest(later, &mut point);
                if !steers(parameter, later) {
                    let value = parameter.domain.nth(index / below)?;
                    point.set(&parameter.name, value);
                    index %= below;
                    break;
                }
                if index < below {
                    break;
                }
                index -= below;
            }
        }
        Some(point)
    }
}

/// How many combinations of the parameters there are beside what those before them are.
///
/// Only those that conditions name are gone through value by value; the others multiply what follows.
fn rest(parameters: &[Parameter], point: &mut Point) -> u64 {
    let Some((parameter, later)) = parameters.split_first() else {
        return 1;
    };
    if !parameter.counts(point) {
        return rest(later, point);
    }
    if !steers(parameter, later) {
        let len = parameter.domain.len().unwrap_or(u64::MAX);
        return len.saturating_mul(rest(later, point));
    }
    let mut sum = 0u64;
    for value in values(&parameter.domain) {
        point.set(&parameter.name, value);
        sum = sum.saturating_add(rest(later, point));
    }
    point.unset(&parameter.name);
    sum
}

/// Whether a condition names it.
fn steers(parameter: &Parameter, later: &[Parameter]) -> bool {
    let mut conditions = later.iter().flat_map(|other| &other.when);
    conditions.any(|condition| condition.on == parameter.name)
}

fn values(domain: &Domain) -> impl Iterator<Item = Value> {
    (0..domain.len().unwrap_or(0)).filter_map(|index| domain.nth(index))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Condition, Direction};
    use serde_json::json;

    fn parameter(name: &str, choices: &[Value], when: Vec<Condition>) -> Parameter {
        Parameter {
            name: name.into(),
            domain: Domain::Choice {
                choices: choices.to_vec(),
            },
            when,
        }
    }

    fn all(space: &Space) -> Vec<String> {
        let history = History::new(Direction::Minimize);
        let propose = |number| Grid.propose(space, &history, number);
        let points = (0..).map_while(propose);
        points.map(|point| point.to_string()).collect()
    }

    #[test]
    fn conditions_do_not_multiply() {
        let on = |value: Value| Condition {
            on: "cell".into(),
            among: vec![value],
        };
        let space = Space::new(vec![
            parameter("cell", &[json!("lstm"), json!("gru")], vec![]),
            parameter("bias", &[json!(0), json!(1)], vec![on(json!("lstm"))]),
            parameter("layers", &[json!(1), json!(2)], vec![]),
        ])
        .unwrap();
        let expected = [
            r#"bias = 0, cell = "lstm", layers = 1"#,
            r#"bias = 0, cell = "lstm", layers = 2"#,
            r#"bias = 1, cell = "lstm", layers = 1"#,
            r#"bias = 1, cell = "lstm", layers = 2"#,
            r#"cell = "gru", layers = 1"#,
            r#"cell = "gru", layers = 2"#,
        ];
        assert_eq!(Grid::points(&space), Ok(6));
        assert_eq!(all(&space), expected);
    }

    #[test]
    fn a_number_without_steps_is_an_error() {
        let domain = Domain::Float {
            low: 0.0,
            high: 1.0,
            log: false,
            step: None,
        };
        let rate = Parameter {
            name: "rate".into(),
            domain,
            when: vec![],
        };
        let error = Grid::points(&Space::new(vec![rate]).unwrap()).unwrap_err();
        assert!(error.to_string().starts_with("rate: "), "{error}");
    }

    #[test]
    fn more_than_can_be_counted() {
        let domain = Domain::Int {
            low: 0,
            high: i64::MAX - 1,
            log: false,
            step: 1,
        };
        let parameter = |name: &str| Parameter {
            name: name.into(),
            domain: domain.clone(),
            when: vec![],
        };
        let space = Space::new(vec![parameter("a"), parameter("b")]).unwrap();
        assert_eq!(Grid::points(&space), Ok(u64::MAX));
        let point = Grid.propose(&space, &History::new(Direction::Minimize), 3);
        assert_eq!(point.unwrap().to_string(), "a = 0, b = 3");
    }
}
