//! From text and overrides to a recipe, with the place of whatever is wrong.

use std::fs;
use std::path::{Path, PathBuf};

use rekindle_optim::Schedule;
use toml::de::{DeTable, DeValue};
use toml::{Table, Value};

use super::check::{expand, expand_kinds};
use super::fields::Slot;
use super::search::{is_open, open_key};
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
    let source = Source::of_file(source, text, overrides);
    let table = source.table()?;
    match open_key(&table) {
        Some(key) => Err(RecipeError::Open {
            place: source.place(&key),
            path: source.path.to_path_buf(),
            key,
        }),
        None => source.recipe(table),
    }
}

/// Whether the section `[training]` has a key.
fn has(table: &Table, key: &str) -> bool {
    (table.get("training")).is_some_and(|training| training.get(key).is_some())
}

/// A schedule as it may stand at `training.schedule`, from the value of an option of the command line.
///
/// The value is a TOML table, or the name of a kind that needs no more.
///
/// # Errors
/// If a key or value is wrong; `option` is named as its place.
pub fn parse_schedule(option: &str, text: &str) -> Result<Schedule, RecipeError> {
    const KEY: &str = "schedule";
    let source = Source {
        path: Path::new(option),
        text: "",
        overrides: &[],
        is_option: true,
    };
    let problem = || source.value(KEY, format!("{text:?} is no TOML value"));
    let mut value = value_of(text.trim()).ok_or_else(problem)?;
    expand(Slot::Schedule, &mut value);
    source.check_slot(KEY, Slot::Schedule, &value)?;
    let schedule: Schedule = serde_path_to_error::deserialize(value).map_err(|error| {
        let problem = in_words(error.into_inner().message().trim());
        source.value(KEY, problem)
    })?;
    let valid = schedule.validate();
    valid.map_err(|error| source.value(KEY, error.to_string()))?;
    Ok(schedule)
}

/// Adds what Rust's names of types mean.
pub(super) fn in_words(problem: &str) -> String {
    let meaning = match problem.rsplit_once("expected ") {
        Some((_, "usize" | "u64")) => ", a whole number of at least 0",
        Some((_, "f64")) => ", a number",
        _ => "",
    };
    format!("{problem}{meaning}")
}

/// Makes the relative paths of the section `[data]` count from a folder.
fn resolve_paths(data: &mut Table, folder: &Path) -> Result<(), RecipeError> {
    for key in ["train", "valid", "test"] {
        if let Some(value) = data.get_mut(key) {
            resolve(value, folder)?;
        }
    }
    Ok(())
}

/// Makes a relative path count from a folder; or each of several to choose from.
fn resolve(value: &mut Value, folder: &Path) -> Result<(), RecipeError> {
    match value {
        Value::String(path) => *path = absolute(&folder.join(&*path))?,
        Value::Table(table) => {
            let choices = table.get_mut("choice").and_then(Value::as_array_mut);
            for choice in choices.into_iter().flatten() {
                resolve(choice, folder)?;
            }
        }
        _ => (),
    }
    Ok(())
}

fn absolute(path: &Path) -> Result<String, RecipeError> {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| PathBuf::from(path));
    utf8(&absolute).map(str::to_string)
}

/// A path as a recipe can hold it.
pub(super) fn utf8(path: &Path) -> Result<&str, RecipeError> {
    path.to_str().ok_or_else(|| RecipeError::Path {
        path: path.to_path_buf(),
    })
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
    match (&parts[..], &mut value) {
        (["data", "train" | "valid" | "test"], path) => resolve(path, Path::new(""))?,
        (["data"], Value::Table(data)) => resolve_paths(data, Path::new(""))?,
        _ => (),
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
        // A line break could bring further keys.
        return table.remove("value").filter(|_| table.is_empty());
    }
    let is_bare = |c: char| c.is_alphanumeric() || "_-./\\ ~:+@%&(),".contains(c);
    (!text.is_empty() && text.chars().all(is_bare)).then(|| Value::String(text.to_string()))
}

/// Where a table's contents came from.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) path: &'a Path,
    text: &'a str,
    overrides: &'a [String],
    /// Whether the path is the name of an option, which has no lines.
    is_option: bool,
}

impl<'a> Source<'a> {
    /// A recipe file with overrides.
    pub(super) fn of_file(path: &'a Path, text: &'a str, overrides: &'a [String]) -> Self {
        Self {
            path,
            text,
            overrides,
            is_option: false,
        }
    }

    /// What the text and the overrides say, with short forms written out.
    pub(super) fn table(&self) -> Result<Table, RecipeError> {
        let mut table: Table = toml::from_str(self.text).map_err(|error| {
            let line = error.span().map_or(1, |span| self.line(span.start));
            RecipeError::Syntax {
                place: format!("{}:{line}", self.path.display()),
                problem: error.message().to_string(),
            }
        })?;
        if let Some(Value::Table(data)) = table.get_mut("data") {
            resolve_paths(data, self.path.parent().unwrap_or(Path::new("")))?;
        }
        if has(&table, "clip_norm") && has(&table, "clip") {
            let problem = "found beside training.clip, expected one of them";
            return Err(self.value("training.clip_norm", problem.to_string()));
        }
        self.expand(&mut table)?;
        for text in self.overrides {
            apply(&mut table, text)?;
            self.expand(&mut table)?;
        }
        Ok(table)
    }

    /// The recipe that a table says; ranges are not checked.
    pub(super) fn recipe(&self, mut table: Table) -> Result<Recipe, RecipeError> {
        self.expand(&mut table)?;
        self.check_keys(&table)?;
        serde_path_to_error::deserialize(Value::Table(table)).map_err(|error| {
            let key = error.path().to_string();
            let problem = in_words(error.into_inner().message().trim());
            self.value(&key, problem)
        })
    }

    /// Writes out what is given in short.
    fn expand(&self, table: &mut Table) -> Result<(), RecipeError> {
        self.expand_short(table)?;
        expand_kinds(table);
        Ok(())
    }

    /// Writes out what is given in short: `training.clip_norm`, and `training.bptt` as a number.
    fn expand_short(&self, table: &mut Table) -> Result<(), RecipeError> {
        if let Some(Value::Table(training)) = table.get_mut("training")
            && let Some(steps @ Value::Integer(_)) = training.get("bptt")
        {
            let kind = Value::String("fixed".to_string());
            let fixed = [
                ("kind".to_string(), kind),
                ("steps".to_string(), steps.clone()),
            ];
            training.insert("bptt".to_string(), Value::Table(Table::from_iter(fixed)));
        }
        self.expand_clip_norm(table)
    }

    /// Writes out `training.clip_norm`, which is short for `training.clip` by the norm; it replaces what stood there.
    fn expand_clip_norm(&self, table: &mut Table) -> Result<(), RecipeError> {
        let Some(Value::Table(training)) = table.get_mut("training") else {
            return Ok(());
        };
        if training.get("clip_norm").is_some_and(is_open) {
            return Ok(());
        }
        let Some(max) = training.remove("clip_norm") else {
            return Ok(());
        };
        if !max.is_float() && !max.is_integer() {
            let problem = format!("found {max}, expected a number");
            return Err(self.value("training.clip_norm", problem));
        }
        let kind = Value::String("norm".to_string());
        let clip = [("kind".to_string(), kind), ("max".to_string(), max)];
        let clip = Value::Table(Table::from_iter(clip));
        training.insert("clip".to_string(), clip);
        Ok(())
    }

    fn line(&self, offset: usize) -> usize {
        1 + self.text[..offset.min(self.text.len())]
            .matches('\n')
            .count()
    }

    /// The override or the line that says something about a key, or about the section that it is in.
    pub(super) fn place(&self, key: &str) -> String {
        if self.is_option {
            return self.path.display().to_string();
        }
        let is_about = |text: &&String| {
            let about = text.split('=').next().unwrap_or_default().trim();
            is_within(key, about) || is_within(about, key)
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

    /// A wrong value.
    pub(super) fn value(&self, key: &str, problem: String) -> RecipeError {
        RecipeError::Value {
            place: self.place(key),
            key: key.to_string(),
            problem,
        }
    }
}

/// Whether a key is a section, or stands in it.
fn is_within(key: &str, section: &str) -> bool {
    let rest = key.strip_prefix(section);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// Where a key stands in the text; the place of the nearest section around it if it does not.
fn offset(table: &DeTable, parts: &[&str]) -> Option<usize> {
    let (first, rest) = parts.split_first()?;
    let (key, value) = table.iter().find(|(key, _)| key.get_ref() == first)?;
    Some(offset_in(value.get_ref(), rest).unwrap_or(key.span().start))
}

/// The same inside a value.
fn offset_in(value: &DeValue, parts: &[&str]) -> Option<usize> {
    match value {
        DeValue::Table(table) => offset(table, parts),
        DeValue::Array(items) => {
            let (first, rest) = parts.split_first()?;
            let item = items.get(first.strip_suffix(']')?.parse::<usize>().ok()?)?;
            Some(offset_in(item.get_ref(), rest).unwrap_or(item.span().start))
        }
        _ => None,
    }
}
