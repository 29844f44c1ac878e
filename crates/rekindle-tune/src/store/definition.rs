//! What a study searches, and where two definitions differ.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Direction, Space};

/// What all workers of a study have to agree on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Definition {
    /// Which values are better.
    pub direction: Direction,
    /// What is searched.
    pub space: Space,
    /// Everything else that must be the same for all workers, such as sampler, pruner and seed. The store keeps and compares
    /// it, and knows nothing of what it means.
    pub settings: Value,
}

/// The first place where two values differ, what is there and what was expected.
#[derive(Debug, PartialEq)]
pub(super) struct Difference {
    pub(super) place: String,
    pub(super) found: String,
    pub(super) expected: String,
}

impl Definition {
    /// Where this definition differs from what is expected.
    pub(super) fn difference(&self, expected: &Self) -> Option<Difference> {
        let json = |definition: &Self| {
            serde_json::to_value(definition).expect("a definition is numbers, text and lists")
        };
        difference(&json(self), &json(expected), "")
    }
}

fn difference(found: &Value, expected: &Value, place: &str) -> Option<Difference> {
    match (found, expected) {
        _ if found == expected => None,
        (Value::Object(a), Value::Object(b)) => {
            let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
            let mut keys = keys.map(|key| {
                let dot = if place.is_empty() { "" } else { "." };
                let place = format!("{place}{dot}{key}");
                match (a.get(key), b.get(key)) {
                    (Some(a), Some(b)) => difference(a, b, &place),
                    (a, b) => Some(Difference::of(a, b, &place)),
                }
            });
            keys.find_map(|difference| difference)
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let mut pairs = a.iter().zip(b).enumerate();
            pairs.find_map(|(index, (a, b))| difference(a, b, &format!("{place}[{index}]")))
        }
        _ => Some(Difference::of(Some(found), Some(expected), place)),
    }
}

impl Difference {
    fn of(found: Option<&Value>, expected: Option<&Value>, place: &str) -> Self {
        let text = |value: Option<&Value>| value.map_or("nothing".to_owned(), Value::to_string);
        Self {
            place: place.to_owned(),
            found: text(found),
            expected: text(expected),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn differences_by_hand() {
        let at = |a: Value, b: Value| {
            let found = difference(&a, &b, "")?;
            Some((found.place, found.found, found.expected))
        };
        let expect = |place: &str, a: &str, b: &str| Some((place.into(), a.into(), b.into()));
        assert_eq!(at(json!({"a": [1, 2]}), json!({"a": [1, 2]})), None);
        assert_eq!(
            at(json!({"a": {"b": 1}}), json!({"a": {"b": 2}})),
            expect("a.b", "1", "2")
        );
        assert_eq!(
            at(json!({"a": [1, "x"]}), json!({"a": [1, "y"]})),
            expect("a[1]", "\"x\"", "\"y\"")
        );
        assert_eq!(at(json!({}), json!({"c": 1})), expect("c", "nothing", "1"));
        assert_eq!(at(json!([1]), json!([1, 2])), expect("", "[1]", "[1,2]"));
    }
}
