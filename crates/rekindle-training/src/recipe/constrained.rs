//! Constraints as a recipe writes them: one table with the kind, its numbers and the targets.

use rekindle_regularize::Targets;
use rekindle_regularize::constraint::{Constrained, Constraint};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser};
use toml::{Table, Value};

/// A [`Constrained`] without a table in its table.
pub(super) struct Flat(Constrained);

impl Serialize for Flat {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let table = Table::try_from(self.0.constraint);
        let mut table = table.map_err(<S::Error as ser::Error>::custom)?;
        let targets = self.0.targets.patterns.clone();
        table.insert("targets".to_string(), targets.into());
        table.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Flat {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wrong = |error: toml::de::Error| D::Error::custom(error.message());
        let mut table = Table::deserialize(deserializer)?;
        let targets = table.remove("targets");
        let constraint = Constraint::deserialize(Value::Table(table)).map_err(wrong)?;
        let targets = targets.ok_or_else(|| D::Error::missing_field("targets"))?;
        let targets = Targets::deserialize(targets).map_err(wrong)?;
        Ok(Self(Constrained {
            constraint,
            targets,
        }))
    }
}

pub(super) fn serialize<S: Serializer>(
    constraints: &[Constrained],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(constraints.iter().cloned().map(Flat))
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<Constrained>, D::Error> {
    let constraints = Vec::<Flat>::deserialize(deserializer)?;
    Ok(constraints.into_iter().map(|Flat(one)| one).collect())
}
