//! From text and overrides to a recipe, with the place of whatever is wrong.

use std::fs;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};
use toml::{Table, Value};

use super::fields::SCHEDULES;
use super::keys::{Field, KEYS, Kind, Slot};
use super::{Recipe, RecipeError};

/// A recipe file's text.
pub(super) fn read(path: &Path) -> Result<String, RecipeError> {
    if path.is_dir() {
        return Err(RecipeError::Folder {
            path: path.to_path_buf(),
        });
    }
    let bytes = fs::read(path).map_err(|source| RecipeError::Read {
        path: path.to_path_buf(),
        source,
    })?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + valid.iter().filter(|&&byte| byte == b'\n').count();
        RecipeError::NotUtf8 {
            path: path.to_path_buf(),
            line,
        }
    })?;
    if text.trim().is_empty() {
        return Err(RecipeError::Empty {
            path: path.to_path_buf(),
        });
    }
    Ok(text)
}

/// A recipe of which every key and type is right; ranges are not checked.
pub(super) fn parse(
    text: &str,
    source: &Path,
    overrides: &[String],
) -> Result<Recipe, RecipeError> {
    let source = Source {
        path: source,
        text,
        overrides,
    };
    let mut table: Table = toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| source.line(span.start));
        RecipeError::Syntax {
            place: format!("{}:{line}", source.path.display()),
            problem: error.message().to_string(),
        }
    })?;
    resolve_paths(&mut table, source.path.parent().unwrap_or(Path::new("")));
    for text in overrides {
        apply(&mut table, text)?;
    }
    source.check_keys(&table)?;
    serde_path_to_error::deserialize(Value::Table(table)).map_err(|error| {
        let key = error.path().to_string();
        let key = if key == "." {
            "recipe".to_string()
        } else {
            key
        };
        let problem = error.into_inner().message().trim().to_string();
        RecipeError::Value {
            place: source.place(&key),
            key,
            problem,
        }
    })
}

/// Makes the relative paths of `[data]` count from a folder.
fn resolve_paths(table: &mut Table, folder: &Path) {
    let Some(Value::Table(data)) = table.get_mut("data") else {
        return;
    };
    for key in ["train", "valid", "test"] {
        if let Some(Value::String(path)) = data.get_mut(key) {
            *path = absolute(&folder.join(&*path));
        }
    }
}

fn absolute(path: &Path) -> String {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| PathBuf::from(path));
    absolute.to_string_lossy().into_owned()
}

/// Puts an override `key=value` into the table.
fn apply(table: &mut Table, text: &str) -> Result<(), RecipeError> {
    let wrong = |problem: String| RecipeError::Override {
        text: text.to_string(),
        problem,
    };
    let (key, value) = text
        .split_once('=')
        .ok_or_else(|| wrong("there is no `=`".to_string()))?;
    let (key, value) = (key.trim(), value.trim());
    let parts: Vec<&str> = key.split('.').collect();
    if parts.iter().any(|part| part.is_empty()) {
        return Err(wrong(format!("the key {key:?} has an empty part")));
    }
    let mut value = value_of(value).ok_or_else(|| wrong(format!("{value:?} is no TOML value")))?;
    if let (["data", "train" | "valid" | "test"], Value::String(path)) = (&parts[..], &mut value) {
        *path = absolute(Path::new(&*path));
    }
    let (last, sections) = parts.split_last().expect("a split has at least one part");
    let mut table = table;
    for section in sections {
        let entry = table
            .entry(*section)
            .or_insert_with(|| Value::Table(Table::new()));
        table = match entry {
            Value::Table(table) => table,
            other => {
                return Err(wrong(format!(
                    "{section} is the value {other}, not a section"
                )));
            }
        };
    }
    table.insert((*last).to_string(), value);
    Ok(())
}

/// A TOML value; a bare word is a string.
fn value_of(text: &str) -> Option<Value> {
    let parsed = toml::from_str::<Table>(&format!("value = {text}"));
    if let Ok(mut table) = parsed {
        return table.remove("value");
    }
    let is_bare = |c: char| c.is_alphanumeric() || "_-./\\ ~:".contains(c);
    (!text.is_empty() && text.chars().all(is_bare)).then(|| Value::String(text.to_string()))
}

/// The tables that hold keys.
const SECTIONS: [&str; 4] = ["data", "model", "model.init", "training"];

/// Where a table's contents came from.
struct Source<'a> {
    path: &'a Path,
    text: &'a str,
    overrides: &'a [String],
}

impl Source<'_> {
    fn line(&self, offset: usize) -> usize {
        1 + self.text[..offset.min(self.text.len())]
            .matches('\n')
            .count()
    }

    /// The override or the line that says something about a key, or about the section that it is in.
    fn place(&self, key: &str) -> String {
        let is_about = |text: &&String| {
            let about = text.split('=').next().unwrap_or_default().trim();
            key == about
                || key.starts_with(&format!("{about}."))
                || key.starts_with(&format!("{about}["))
                || about.starts_with(&format!("{key}."))
        };
        if let Some(text) = self.overrides.iter().rev().find(is_about) {
            return format!("--set {text}");
        }
        let line = DeTable::parse(self.text).ok().map_or(1, |table| {
            let parts: Vec<&str> = key.split(['.', '[']).collect();
            self.line(offset(table.get_ref(), &parts).unwrap_or(0))
        });
        format!("{}:{line}", self.path.display())
    }

    /// Refuses keys that do not exist.
    fn check_keys(&self, table: &Table) -> Result<(), RecipeError> {
        self.check_section("", table)
    }

    fn check_section(&self, prefix: &str, table: &Table) -> Result<(), RecipeError> {
        for (name, value) in table {
            let path = format!("{prefix}{name}");
            let section = format!("{path}.");
            if let Some(key) = KEYS.iter().find(|key| key.path == path) {
                self.check_slot(&path, key.slot, value)?;
            } else if KEYS.iter().any(|key| key.path.starts_with(&section)) {
                if let Value::Table(table) = value {
                    self.check_section(&section, table)?;
                }
            } else {
                let keys = KEYS.iter().map(|key| key.path.to_string());
                let sections = SECTIONS.iter().map(|section| section.to_string());
                return Err(match value {
                    Value::Table(_) if prefix.is_empty() => self.unknown(path, sections),
                    _ => self.unknown(path, keys),
                });
            }
        }
        Ok(())
    }

    /// Checks what stands at a key; wrong types and kinds are left to serde, which says what it expects.
    fn check_slot(&self, path: &str, slot: Slot, value: &Value) -> Result<(), RecipeError> {
        match (slot, value) {
            (Slot::Schedule, value) => self.check_slot(path, Slot::Kind(SCHEDULES), value),
            (Slot::Kind(kinds), Value::Table(table)) => {
                let name = table.get("kind").and_then(Value::as_str);
                match kinds.iter().find(|kind| Some(kind.name) == name) {
                    Some(Kind { fields, .. }) => self.check_fields(path, fields, table, true),
                    None => Ok(()),
                }
            }
            (Slot::Rules(fields), Value::Array(rules)) => {
                rules
                    .iter()
                    .enumerate()
                    .try_for_each(|(index, rule)| match rule {
                        Value::Table(table) => {
                            self.check_fields(&format!("{path}[{index}]"), fields, table, false)
                        }
                        _ => Ok(()),
                    })
            }
            _ => Ok(()),
        }
    }

    fn check_fields(
        &self,
        path: &str,
        fields: &[Field],
        table: &Table,
        has_kind: bool,
    ) -> Result<(), RecipeError> {
        for (name, value) in table {
            let inner = format!("{path}.{name}");
            match fields.iter().find(|field| field.name == name) {
                Some(field) => self.check_slot(&inner, field.slot, value)?,
                None if has_kind && name == "kind" => (),
                None => {
                    let kind = has_kind.then_some("kind");
                    let names = fields.iter().map(|field| field.name).chain(kind);
                    return Err(self.unknown(inner, names.map(|name| format!("{path}.{name}"))));
                }
            }
        }
        Ok(())
    }

    fn unknown(&self, key: String, known: impl Iterator<Item = String>) -> RecipeError {
        let last = |path: &str| path.rsplit('.').next().unwrap_or_default().to_string();
        let likeness = |known: &String| {
            let whole = strsim::jaro_winkler(&key, known);
            let end = strsim::jaro_winkler(&last(&key), &last(known));
            whole.max(end)
        };
        let nearest = known.max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
        RecipeError::UnknownKey {
            place: self.place(&key),
            key,
            nearest: nearest.unwrap_or_default(),
        }
    }
}

/// Where a key stands in the text; the place of the nearest section around it if it does not.
fn offset(table: &DeTable, parts: &[&str]) -> Option<usize> {
    let (first, rest) = parts.split_first()?;
    let (key, value) = table.iter().find(|(key, _)| key.get_ref() == first)?;
    let inner = match value.get_ref() {
        DeValue::Table(table) => offset(table, rest),
        _ => None,
    };
    Some(inner.unwrap_or(key.span().start))
}
