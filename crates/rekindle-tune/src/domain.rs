//! What a parameter may be.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::SpaceError;

/// The values that a parameter may have.
///
/// A value is JSON, as it stands in files. To samplers it is a *coordinate*: a number, or the index of a choice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Domain {
    /// One of a list, which has no order to samplers.
    Choice {
        /// What can be chosen, each different from the others.
        choices: Vec<Value>,
    },
    /// A number, both bounds included.
    Float {
        /// The least value.
        low: f64,
        /// The greatest value.
        high: f64,
        /// Whether the logarithm is what matters; the bounds are positive then.
        #[serde(default)]
        log: bool,
        /// The distance between values, counted from `low`; none: all values between the bounds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<f64>,
    },
    /// A whole number, both bounds included.
    Int {
        /// The least value.
        low: i64,
        /// The greatest value.
        high: i64,
        /// Whether the logarithm is what matters; the bounds are positive then.
        #[serde(default)]
        log: bool,
        /// The distance between values, counted from `low`. Default: 1.
        #[serde(default = "one")]
        step: i64,
    },
}

fn one() -> i64 {
    1
}

impl Domain {
    /// How many values there are; none if they cannot be counted.
    pub fn len(&self) -> Option<u64> {
        match self {
            Self::Choice { choices } => Some(choices.len() as u64),
            Self::Float { step: None, .. } => None,
            Self::Float {
                low,
                high,
                step: Some(step),
                ..
            } => Some(steps(*low, *high, *step) + 1),
            Self::Int {
                low, high, step, ..
            } => Some(high.abs_diff(*low) / step.unsigned_abs() + 1),
        }
    }

    /// Whether there is no value; never so in a [`Space`](crate::Space).
    pub fn is_empty(&self) -> bool {
        self.len() == Some(0)
    }

    /// The value of an index, counted from 0 in the order of the domain; none if there is none.
    pub fn nth(&self, index: u64) -> Option<Value> {
        if self.len()? <= index {
            return None;
        }
        Some(match self {
            Self::Choice { choices } => choices[index as usize].clone(),
            Self::Float {
                low, high, step, ..
            } => number((low + step.unwrap_or(0.0) * index as f64).min(*high)),
            Self::Int { low, step, .. } => Value::from(low + step * index as i64),
        })
    }

    /// The value at a place: 0 is the first, 1 the last, and equal distances are equally probable values.
    ///
    /// What a quantile is to a distribution: of uniform places come values as a random search has them.
    pub fn at(&self, place: f64) -> Value {
        let place = place.clamp(0.0, 1.0);
        match self {
            Self::Float {
                low,
                high,
                log,
                step: None,
            } => number(between(*low, *high, *log, place).clamp(*low, *high)),
            Self::Int { log: true, .. } | Self::Float { log: true, .. } => {
                let (low, high) = self.room();
                self.value(between(low, high, true, place))
            }
            _ => {
                let len = self.len().unwrap_or(1);
                let index = ((place * len as f64) as u64).min(len - 1);
                self.nth(index).unwrap_or(Value::Null)
            }
        }
    }

    /// The coordinates that are nearest to a value of the domain: each value has the room from half a step below it to
    /// half a step above.
    ///
    /// Below the first value of a logarithmic domain there is at most half of that value, which keeps all room positive.
    pub(crate) fn room(&self) -> (f64, f64) {
        let last = self.len().unwrap_or(1).saturating_sub(1) as f64;
        let (first, last, step, log) = match *self {
            Self::Choice { .. } => (0.0, last, 1.0, false),
            Self::Float {
                low,
                high,
                log,
                step: None,
            } => (low, high, 0.0, log),
            Self::Float {
                low,
                log,
                step: Some(step),
                ..
            } => (low, low + last * step, step, log),
            Self::Int { low, log, step, .. } => {
                let (low, step) = (low as f64, step as f64);
                (low, low + last * step, step, log)
            }
        };
        let below = match log {
            true => first / 2.0,
            false => f64::INFINITY,
        };
        (first - below.min(step / 2.0), last + step / 2.0)
    }

    /// The coordinate of a value: the number itself, or the index of the choice. None if the domain has no such value.
    pub fn coordinate(&self, value: &Value) -> Option<f64> {
        match self {
            Self::Choice { choices } => {
                let index = choices.iter().position(|choice| choice == value)?;
                Some(index as f64)
            }
            Self::Float { low, high, .. } => {
                let number = value.as_f64()?;
                (*low <= number && number <= *high).then_some(number)
            }
            Self::Int { low, high, .. } => {
                let number = value.as_i64()?;
                (*low <= number && number <= *high).then_some(number as f64)
            }
        }
    }

    /// The value nearest to a coordinate.
    pub fn value(&self, coordinate: f64) -> Value {
        match self {
            Self::Float {
                low,
                high,
                step: None,
                ..
            } => number(coordinate.clamp(*low, *high)),
            Self::Choice { .. } => self.nearest(coordinate, 0.0, 1.0),
            Self::Float {
                low,
                step: Some(step),
                ..
            } => self.nearest(coordinate, *low, *step),
            Self::Int { low, step, .. } => self.nearest(coordinate, *low as f64, *step as f64),
        }
    }

    fn nearest(&self, coordinate: f64, low: f64, step: f64) -> Value {
        let last = self.len().unwrap_or(1) - 1;
        let index = ((coordinate - low) / step).round().clamp(0.0, last as f64);
        self.nth(index as u64).unwrap_or(Value::Null)
    }

    /// Checks the bounds, the step and the choices; `name` is the parameter's.
    pub(crate) fn check(&self, name: &str) -> Result<(), SpaceError> {
        let name = name.to_owned();
        match self {
            Self::Choice { choices } if choices.is_empty() => Err(SpaceError::NoChoice { name }),
            Self::Choice { choices } => {
                let again = |(index, value): &(usize, &Value)| choices[..*index].contains(value);
                match choices.iter().enumerate().find(again) {
                    Some((_, value)) => {
                        let value = value.clone();
                        Err(SpaceError::ChoiceTwice { name, value })
                    }
                    None => Ok(()),
                }
            }
            Self::Float {
                low,
                high,
                log,
                step,
            } => check_number(name, *low, *high, *log, *step),
            Self::Int {
                low,
                high,
                log,
                step,
            } => check_number(name, *low as f64, *high as f64, *log, Some(*step as f64)),
        }
    }
}

fn check_number(
    name: String,
    low: f64,
    high: f64,
    log: bool,
    step: Option<f64>,
) -> Result<(), SpaceError> {
    let width = high - low;
    if !(low <= high && width.is_finite()) {
        return Err(SpaceError::Bounds { name, low, high });
    }
    if log && low <= 0.0 {
        return Err(SpaceError::Log { name, low });
    }
    match step {
        Some(step) if !(step > 0.0 && (step <= width || width == 0.0)) => {
            Err(SpaceError::Step { name, step, width })
        }
        _ => Ok(()),
    }
}

/// How many whole steps lie between; a step that is missed by rounding alone is one.
fn steps(low: f64, high: f64, step: f64) -> u64 {
    ((high - low) / step + 1e-9).floor() as u64
}

/// The number at a share of the way from `low` to `high`.
fn between(low: f64, high: f64, log: bool, share: f64) -> f64 {
    match log {
        true => (low.ln() + share * (high.ln() - low.ln())).exp(),
        false => low + share * (high - low),
    }
}

fn number(value: f64) -> Value {
    Value::from(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn float(low: f64, high: f64, log: bool, step: Option<f64>) -> Domain {
        Domain::Float {
            low,
            high,
            log,
            step,
        }
    }

    fn int(low: i64, high: i64, log: bool, step: i64) -> Domain {
        Domain::Int {
            low,
            high,
            log,
            step,
        }
    }

    #[test]
    fn places_by_hand() {
        assert_eq!(float(2.0, 4.0, false, None).at(0.25), json!(2.5));
        let lr = float(1e-4, 1e-2, true, None).at(0.5).as_f64().unwrap();
        assert!((lr - 1e-3).abs() < 1e-15);
        assert_eq!(int(1, 3, false, 1).at(0.34), json!(2));
        assert_eq!(int(32, 128, false, 32).at(1.0), json!(128));
        assert_eq!(float(0.0, 0.5, false, Some(0.1)).at(0.99), json!(0.5));
        let choice = Domain::Choice {
            choices: vec![json!("lstm"), json!("gru")],
        };
        assert_eq!(
            (choice.at(0.49), choice.at(0.5)),
            (json!("lstm"), json!("gru"))
        );
    }

    #[test]
    fn a_logarithmic_whole_number_has_the_room_of_its_logarithm() {
        let domain = int(1, 8, true, 1);
        let places = 10_000;
        let ones = (0..places)
            .filter(|place| domain.at(*place as f64 / places as f64) == json!(1))
            .count();
        let expected = (1.5f64 / 0.5).ln() / (8.5f64 / 0.5).ln();
        assert!((ones as f64 / places as f64 - expected).abs() < 1e-3);
    }

    #[test]
    fn logarithmic_room_is_positive() {
        let domain = int(2, 50, true, 16);
        assert_eq!(domain.room(), (1.0, 58.0));
        assert_eq!(domain.at(0.0), json!(2));
        assert_eq!(domain.at(1.0), json!(50));
    }

    #[test]
    fn coordinates_and_back() {
        let domains = [
            float(0.1, 2.0, true, None),
            float(0.0, 1.0, false, Some(0.25)),
            int(-3, 9, false, 3),
            Domain::Choice {
                choices: vec![json!(true), json!({"kind": "step"})],
            },
        ];
        for domain in domains {
            for place in 0..=20 {
                let value = domain.at(f64::from(place) / 20.0);
                let coordinate = domain.coordinate(&value).unwrap();
                assert_eq!(domain.value(coordinate), value, "{domain:?}");
            }
        }
        assert_eq!(int(0, 4, false, 1).coordinate(&json!(5)), None);
    }

    #[test]
    fn what_can_be_counted() {
        assert_eq!(float(0.0, 0.3, false, Some(0.1)).len(), Some(4));
        // Three tenths, summed, are more than 0.3.
        assert_eq!(float(0.0, 0.3, false, Some(0.1)).nth(3), Some(json!(0.3)));
        assert_eq!(float(0.0, 0.3, false, None).len(), None);
        assert_eq!(int(1, 10, false, 4).len(), Some(3));
        assert_eq!(int(1, 10, false, 4).nth(2), Some(json!(9)));
        assert_eq!(int(1, 10, false, 4).nth(3), None);
    }
}
