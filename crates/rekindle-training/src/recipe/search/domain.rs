//! Tables that stand for sets of values.

use rekindle_tune::{Condition, Domain, Parameter};
use serde_json::Value as Json;
use toml::{Table, Value};

use super::super::RecipeError;
use super::super::parse::Source;

/// What makes a table a set of values.
const KINDS: [&str; 3] = ["choice", "uniform", "log"];

/// What may stand beside it.
const BESIDE: [&str; 2] = ["step", "when"];

/// Whether a value is a table that stands for a set of values. One that only looks like it, such as a section with a wrong
/// key, is none.
pub(in super::super) fn is_open(value: &Value) -> bool {
    let Value::Table(table) = value else {
        return false;
    };
    let known = |name: &String| KINDS.contains(&name.as_str()) || BESIDE.contains(&name.as_str());
    let mut said = KINDS.iter().filter_map(|kind| table.get(*kind)).peekable();
    said.peek().is_some() && (said.any(Value::is_array) || table.keys().all(known))
}

/// The place of the first open value in a value at a place.
pub(super) fn first_open(path: &str, value: &Value) -> Option<String> {
    if is_open(value) {
        return Some(path.to_string());
    }
    let mut inner = children(path, value).into_iter();
    inner.find_map(|(path, value)| first_open(&path, value))
}

/// What stands directly in a value, with its places.
fn children<'a>(path: &str, value: &'a Value) -> Vec<(String, &'a Value)> {
    match value {
        Value::Table(table) => {
            let place = |name: &String| match path {
                "" => name.clone(),
                path => format!("{path}.{name}"),
            };
            table
                .iter()
                .map(|(name, value)| (place(name), value))
                .collect()
        }
        Value::Array(items) => {
            let places = items.iter().enumerate();
            places
                .map(|(index, value)| (format!("{path}[{index}]"), value))
                .collect()
        }
        _ => Vec::new(),
    }
}

/// The place of what stands in a choice: its kind tells it from other choices, or its index where it has none or shares it.
pub(super) fn choice_path(path: &str, index: usize, choices: &[Value]) -> String {
    let kind = |choice: &Value| choice.get("kind").and_then(Value::as_str).map(String::from);
    let same = |other: &&Value| kind(other) == kind(&choices[index]);
    match kind(&choices[index]) {
        Some(kind) if choices.iter().filter(same).count() == 1 => format!("{path}.{kind}"),
        Some(kind) => format!("{path}.{kind}[{index}]"),
        None => format!("{path}[{index}]"),
    }
}

/// The parameters of all open values in a table, those first that others depend on, and the names of those whose sets say a
/// step.
pub(super) fn parameters(
    source: &Source,
    table: &Table,
) -> Result<(Vec<Parameter>, Vec<String>), RecipeError> {
    let mut found = Found::default();
    found.collect(source, "", &Value::Table(table.clone()), &[])?;
    Ok((sorted(found.parameters), found.stepped))
}

/// Puts parameters behind those that they depend on. One that depends on what is not there comes last.
fn sorted(mut left: Vec<Parameter>) -> Vec<Parameter> {
    let mut sorted: Vec<Parameter> = Vec::with_capacity(left.len());
    loop {
        let is_known = |name: &String| sorted.iter().any(|other| other.name == *name);
        let ready = |parameter: &Parameter| parameter.when.iter().all(|when| is_known(&when.on));
        match left.iter().position(ready) {
            Some(next) => sorted.push(left.remove(next)),
            None => break,
        }
    }
    sorted.extend(left);
    sorted
}

/// What is open.
#[derive(Default)]
struct Found {
    parameters: Vec<Parameter>,
    stepped: Vec<String>,
}

impl Found {
    /// Adds what is open in a value at a place, which counts only under these conditions.
    fn collect(
        &mut self,
        source: &Source,
        path: &str,
        value: &Value,
        when: &[Condition],
    ) -> Result<(), RecipeError> {
        if !is_open(value) {
            let mut inner = children(path, value).into_iter();
            return inner.try_for_each(|(path, value)| self.collect(source, &path, value, when));
        }
        let reader = Reader { source, path };
        let table = value
            .as_table()
            .ok_or_else(|| reader.wrong(value, "a table"))?;
        let mut when = when.to_vec();
        when.extend(reader.conditions(table)?);
        self.parameters.push(Parameter {
            name: path.to_string(),
            domain: reader.domain(table)?,
            when: when.clone(),
        });
        if table.contains_key("step") {
            self.stepped.push(path.to_string());
        }
        let choices = table.get("choice").and_then(Value::as_array);
        let choices = choices.map_or(&[][..], Vec::as_slice);
        for (index, choice) in choices.iter().enumerate() {
            let mut when = when.clone();
            when.push(Condition {
                on: path.to_string(),
                among: vec![reader.json(choice)?],
            });
            let path = choice_path(path, index, choices);
            self.collect(source, &path, choice, &when)?;
        }
        Ok(())
    }
}

/// Reads one set of values.
struct Reader<'a> {
    source: &'a Source<'a>,
    path: &'a str,
}

impl Reader<'_> {
    fn domain(&self, table: &Table) -> Result<Domain, RecipeError> {
        let known =
            |name: &&String| KINDS.contains(&name.as_str()) || BESIDE.contains(&name.as_str());
        let kinds: Vec<&str> = (KINDS.into_iter())
            .filter(|kind| table.contains_key(*kind))
            .collect();
        let expected = "one of choice, uniform and log, and beside it step or when";
        if let Some(name) = table.keys().find(|name| !known(name)) {
            return Err(self.problem(format!("found the key {name}, expected {expected}")));
        }
        match kinds[..] {
            ["choice"] if !table.contains_key("step") => self.choice(&table["choice"]),
            ["uniform"] => self.number(&table["uniform"], false, table.get("step")),
            ["log"] => self.number(&table["log"], true, table.get("step")),
            ["choice"] => Err(self.problem("found a step beside choice, expected none".into())),
            _ => {
                let problem = format!("found {}, expected {expected}", kinds.join(" and "));
                Err(self.problem(problem))
            }
        }
    }

    fn choice(&self, value: &Value) -> Result<Domain, RecipeError> {
        let Value::Array(choices) = value else {
            return Err(self.wrong(value, "a list of choices"));
        };
        let choices: Result<_, _> = choices.iter().map(|choice| self.json(choice)).collect();
        choices.map(|choices| Domain::Choice { choices })
    }

    fn number(
        &self,
        value: &Value,
        log: bool,
        step: Option<&Value>,
    ) -> Result<Domain, RecipeError> {
        let bounds = value.as_array().map(Vec::as_slice);
        match (bounds, step) {
            (Some([Value::Integer(low), Value::Integer(high)]), None | Some(Value::Integer(_))) => {
                Ok(Domain::Int {
                    low: *low,
                    high: *high,
                    log,
                    step: step.and_then(Value::as_integer).unwrap_or(1),
                })
            }
            (Some([low, high]), _) => Ok(Domain::Float {
                low: self.float(low)?,
                high: self.float(high)?,
                log,
                step: step.map(|step| self.float(step)).transpose()?,
            }),
            _ => Err(self.wrong(value, "the two bounds, such as [0.1, 0.5]")),
        }
    }

    fn float(&self, value: &Value) -> Result<f64, RecipeError> {
        match value {
            Value::Integer(number) => Ok(*number as f64),
            Value::Float(number) if number.is_finite() => Ok(*number),
            other => Err(self.wrong(other, "a finite number")),
        }
    }

    /// What `when` says: keys and the values that each may have.
    fn conditions(&self, table: &Table) -> Result<Vec<Condition>, RecipeError> {
        let Some(when) = table.get("when") else {
            return Ok(Vec::new());
        };
        let Value::Table(when) = when else {
            let expected = "a table such as { \"model.cell\" = \"lstm\" }";
            return Err(self.wrong(when, expected));
        };
        when.iter()
            .map(|(on, among)| {
                let among = match among {
                    Value::Array(values) => values.as_slice(),
                    value => std::slice::from_ref(value),
                };
                let among = among.iter().map(|value| self.json(value));
                Ok(Condition {
                    on: on.clone(),
                    among: among.collect::<Result<_, _>>()?,
                })
            })
            .collect()
    }

    fn json(&self, value: &Value) -> Result<Json, RecipeError> {
        let finite = |value: &Json| !value.is_null();
        let json = serde_json::to_value(value).ok().filter(finite);
        json.ok_or_else(|| self.wrong(value, "a value that is finite"))
    }

    fn wrong(&self, found: &Value, expected: &str) -> RecipeError {
        self.problem(format!("found {found}, expected {expected}"))
    }

    fn problem(&self, problem: String) -> RecipeError {
        self.source.value(self.path, problem)
    }
}
