//! Values put where a recipe leaves them open.

use rekindle_tune::Point;
use toml::{Table, Value};

use super::domain::{choice_path, is_open};

/// The table with the values of a point; keys that do not count there are left out.
pub(super) fn filled(table: &Table, point: &Point) -> Table {
    filled_table("", table, point)
}

fn filled_table(path: &str, table: &Table, point: &Point) -> Table {
    let place = |name: &str| match path {
        "" => name.to_string(),
        path => format!("{path}.{name}"),
    };
    let values = table.iter().filter_map(|(name, value)| {
        let value = filled_value(&place(name), value, point)?;
        Some((name.clone(), value))
    });
    values.collect()
}

/// The value at a place; none if it is open and does not count.
fn filled_value(path: &str, value: &Value, point: &Point) -> Option<Value> {
    match value {
        Value::Table(table) if is_open(value) => chosen(path, table, point),
        Value::Table(table) => Some(Value::Table(filled_table(path, table, point))),
        Value::Array(items) => {
            let places = items.iter().enumerate();
            let items = places
                .filter_map(|(index, item)| filled_value(&format!("{path}[{index}]"), item, point));
            Some(Value::Array(items.collect()))
        }
        value => Some(value.clone()),
    }
}

/// What a point has at an open place; what a choice leaves open again is filled, too.
fn chosen(path: &str, open: &Table, point: &Point) -> Option<Value> {
    let json = point.get(path)?;
    let choices = open.get("choice").and_then(Value::as_array);
    let Some(choices) = choices else {
        return Value::try_from(json).ok();
    };
    let is_it = |choice: &Value| serde_json::to_value(choice).is_ok_and(|value| value == *json);
    let index = choices.iter().position(is_it)?;
    filled_value(&choice_path(path, index, choices), &choices[index], point)
}
