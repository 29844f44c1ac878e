//! Which keys a recipe may have, and what an unknown one was meant to be.

use toml::{Table, Value};

use super::RecipeError;
use super::fields::{Field, Kind, SCHEDULES, Slot};
use super::keys::KEYS;
use super::parse::Source;

/// The tables that hold keys.
pub(super) const SECTIONS: [&str; 9] = [
    "data",
    "data.forecast",
    "text",
    "model",
    "model.init",
    "training",
    "regularize",
    "regularize.dropout",
    "prune",
];

/// Keys that must be there.
const REQUIRED: [&str; 2] = ["name", "data.train"];

/// What other tools call a key.
const OTHER_NAMES: [(&str, &str); 34] = [
    ("learning_rate", "training.lr"),
    ("num_epochs", "training.epochs"),
    ("max_norm", "training.clip"),
    ("grad_clip", "training.clip"),
    ("gradient_clipping", "training.clip"),
    ("ema", "training.average"),
    ("swa", "training.average"),
    ("nan", "training.on_nonfinite"),
    ("early_stopping", "training.patience"),
    ("monitor", "training.watch"),
    ("scheduler", "training.schedule"),
    ("lr_scheduler", "training.schedule"),
    ("hidden_size", "model.hidden"),
    ("units", "model.hidden"),
    ("num_layers", "model.layers"),
    ("bidirectional", "model.direction"),
    ("merge_mode", "model.merge"),
    ("proj_size", "model.projected"),
    ("nonlinearity", "model.activation"),
    ("recurrent_activation", "model.gate_activation"),
    ("reset_after", "model.reset"),
    ("pooling", "model.readout"),
    ("normalize", "data.scaling"),
    ("layer_norm", "model.normalization"),
    ("batch_norm", "model.normalization"),
    ("recurrent_dropout", "regularize.dropout.hidden"),
    ("variational_dropout", "regularize.dropout.hidden"),
    ("zoneout", "regularize.dropout.zoneout_hidden"),
    ("weight_drop", "regularize.dropout.weight"),
    ("tar", "regularize.temporal_activation"),
    ("seq_len", "training.bptt"),
    ("tie_weights", "text.tied"),
    ("emsize", "text.embedding"),
    ("vocab_size", "text.vocabulary"),
];

/// From here on two words are taken for the same one, mistyped. On the scale of Jaro and Winkler, 1 for equal words.
const ALIKE: f64 = 0.85;

impl Slot {
    /// The kinds that a table may have here.
    fn kinds(self) -> Option<&'static [Kind]> {
        match self {
            Self::Kind(kinds) => Some(kinds),
            Self::Schedule => Some(SCHEDULES),
            Self::Plain | Self::Schedules | Self::Rules(_) | Self::List(_) => None,
        }
    }
}

/// Writes out every kind that is given by its name alone: `"plateau"` as `{ kind = "plateau" }`.
pub(super) fn expand_kinds(table: &mut Table) {
    for key in KEYS {
        let mut parts = key.path.split('.').peekable();
        let mut section = Some(&mut *table);
        while let (Some(inner), Some(part)) = (section.take(), parts.next()) {
            let Some(value) = inner.get_mut(part) else {
                break;
            };
            if parts.peek().is_none() {
                expand(key.slot, value);
            } else {
                section = value.as_table_mut();
            }
        }
    }
}

/// The same for what stands at a key.
pub(super) fn expand(slot: Slot, value: &mut Value) {
    if let (Slot::Rules(fields), Value::Array(rules)) = (slot, &mut *value) {
        let rules = rules.iter_mut().filter_map(Value::as_table_mut);
        rules.for_each(|rule| expand_fields(fields, rule));
    }
    if let (Slot::List(kinds), Value::Array(items)) = (slot, &mut *value) {
        items
            .iter_mut()
            .for_each(|item| expand(Slot::Kind(kinds), item));
    }
    if let (Slot::Schedules, Value::Array(items)) = (slot, &mut *value) {
        items
            .iter_mut()
            .for_each(|item| expand(Slot::Schedule, item));
    }
    let Some(kinds) = slot.kinds() else { return };
    if let Value::String(name) = value {
        let kind = ("kind".to_string(), Value::String(std::mem::take(name)));
        *value = Value::Table(Table::from_iter([kind]));
    }
    let Value::Table(table) = value else { return };
    let name = table.get("kind").and_then(Value::as_str);
    if let Some(kind) = kinds.iter().find(|kind| Some(kind.name) == name) {
        expand_fields(kind.fields, table);
    }
}

fn expand_fields(fields: &[Field], table: &mut Table) {
    for field in fields {
        if let Some(value) = table.get_mut(field.name) {
            expand(field.slot, value);
        }
    }
}

impl Source<'_> {
    /// Refuses keys that do not exist, kinds that do not exist, and a recipe without the keys that it must have.
    pub(super) fn check_keys(&self, table: &Table) -> Result<(), RecipeError> {
        self.check_section("", table)?;
        let is_drawn = (table.get("data")).is_some_and(|data| data.get("problem").is_some());
        let needed = REQUIRED
            .iter()
            .filter(|key| !is_drawn || **key != "data.train");
        for &required in needed {
            let mut value = Some(table);
            let (sections, last) = required.rsplit_once('.').unwrap_or(("", required));
            if !sections.is_empty() {
                value = table.get(sections).and_then(Value::as_table);
            }
            if !value.is_some_and(|table| table.contains_key(last)) {
                let key = KEYS.iter().find(|key| key.path == required);
                return Err(RecipeError::MissingKey {
                    path: self.path.to_path_buf(),
                    key: required,
                    doc: key.map_or("", |key| key.doc),
                });
            }
        }
        Ok(())
    }

    fn check_section(&self, prefix: &str, table: &Table) -> Result<(), RecipeError> {
        for (name, value) in table {
            let path = format!("{prefix}{name}");
            if let Some(key) = KEYS.iter().find(|key| key.path == path) {
                self.check_slot(&path, key.slot, value)?;
            } else if SECTIONS.contains(&path.as_str()) {
                let Value::Table(table) = value else {
                    return Err(self.wrong(&path, value, "a section with keys"));
                };
                self.check_section(&format!("{path}."), table)?;
            } else {
                return Err(self.unknown(path, value));
            }
        }
        Ok(())
    }

    /// Checks what stands at a key. The types of single values are left to serde.
    pub(super) fn check_slot(
        &self,
        path: &str,
        slot: Slot,
        value: &Value,
    ) -> Result<(), RecipeError> {
        if let (Slot::Rules(fields), Value::Array(rules)) = (slot, value) {
            for (index, rule) in rules.iter().enumerate() {
                let path = format!("{path}[{index}]");
                let Value::Table(table) = rule else {
                    let first = fields.first().map_or("", |field| field.name);
                    return Err(self.wrong(&path, rule, &format!("a table with {first}")));
                };
                self.check_fields(&path, fields, table, None)?;
            }
        }
        if let (Slot::List(kinds), Value::Array(items)) = (slot, value) {
            for (index, item) in items.iter().enumerate() {
                self.check_slot(&format!("{path}[{index}]"), Slot::Kind(kinds), item)?;
            }
        }
        if let (Slot::Schedules, Value::Array(items)) = (slot, value) {
            for (index, item) in items.iter().enumerate() {
                self.check_slot(&format!("{path}[{index}]"), Slot::Schedule, item)?;
            }
        }
        let Some(kinds) = slot.kinds() else {
            return Ok(());
        };
        let names: Vec<String> = kinds
            .iter()
            .map(|kind| format!("{:?}", kind.name))
            .collect();
        let expected = format!("one of {}", names.join(", "));
        let Value::Table(table) = value else {
            return Err(self.wrong(path, value, &format!("a table whose kind is {expected}")));
        };
        let Some(name) = table.get("kind") else {
            let problem = format!("found no kind, expected {expected}");
            return Err(self.value(path, problem));
        };
        match kinds.iter().find(|kind| Some(kind.name) == name.as_str()) {
            Some(kind) => self.check_fields(path, kind.fields, table, Some(kind.name)),
            None => Err(self.wrong(&format!("{path}.kind"), name, &expected)),
        }
    }

    fn check_fields(
        &self,
        path: &str,
        fields: &[Field],
        table: &Table,
        kind: Option<&'static str>,
    ) -> Result<(), RecipeError> {
        for (name, value) in table {
            let inner = format!("{path}.{name}");
            match fields.iter().find(|field| field.name == name) {
                Some(field) => self.check_slot(&inner, field.slot, value)?,
                None if kind.is_some() && name == "kind" => (),
                None => return Err(self.unknown_field(path, name, fields, kind)),
            }
        }
        Ok(())
    }

    /// A value of another type than expected.
    fn wrong(&self, key: &str, found: &Value, expected: &str) -> RecipeError {
        self.value(key, format!("found {found}, expected {expected}"))
    }

    fn unknown(&self, key: String, value: &Value) -> RecipeError {
        let tables = KEYS.iter().filter(|key| key.slot != Slot::Plain);
        let known: Vec<&str> = match value {
            Value::Table(_) => SECTIONS
                .into_iter()
                .chain(tables.map(|key| key.path))
                .collect(),
            _ => KEYS.iter().map(|key| key.path).collect(),
        };
        self.unknown_among(key, &known)
    }

    /// A key that is none of those that are known.
    pub(super) fn unknown_among(&self, key: String, known: &[&str]) -> RecipeError {
        RecipeError::UnknownKey {
            place: self.place(&key),
            nearest: nearest(&key, known).0.to_string(),
            key,
        }
    }

    fn unknown_field(
        &self,
        path: &str,
        name: &str,
        fields: &[Field],
        kind: Option<&'static str>,
    ) -> RecipeError {
        let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
        let (nearest, likeness) = nearest(name, &names);
        let key = format!("{path}.{name}");
        let place = self.place(&key);
        match kind {
            Some(kind) if likeness < ALIKE => RecipeError::KindKey {
                place,
                key,
                kind,
                expected: match names.as_slice() {
                    [] => "no other keys".to_string(),
                    names => names.join(", "),
                },
            },
            _ => RecipeError::UnknownKey {
                place,
                key,
                nearest: format!("{path}.{nearest}"),
            },
        }
    }
}

/// The key that is most like another, by the whole or by its last part, and how much it is.
fn nearest<'a>(key: &str, known: &[&'a str]) -> (&'a str, f64) {
    let last = |path: &'a str| path.rsplit('.').next().unwrap_or(path);
    let end = key.rsplit('.').next().unwrap_or(key);
    let likeness = |path: &'a str| {
        let whole = strsim::jaro_winkler(key, path);
        let others = OTHER_NAMES.iter().filter(|(_, name)| *name == path);
        let names = others.map(|(name, _)| *name).chain([last(path)]);
        let best = names
            .map(|name| strsim::jaro_winkler(end, name))
            .fold(whole, f64::max);
        // Of equals, the one in the fewest tables, then the one that is most like the key as a whole.
        let tables = path.matches('.').count() as f64;
        (best, -tables, whole)
    };
    let none = ("", (0.0, f64::NEG_INFINITY, 0.0));
    let (path, (best, _, _)) = known
        .iter()
        .map(|&path| (path, likeness(path)))
        .fold(none, |best, next| if next.1 > best.1 { next } else { best });
    (path, best)
}
