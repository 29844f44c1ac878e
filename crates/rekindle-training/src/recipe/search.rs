//! A recipe that leaves values open, to be searched for.

mod check;
mod domain;
mod fill;
#[cfg(test)]
mod tests;
mod tune;

use std::path::{Path, PathBuf};

use rekindle_tune::{Point, Space, SpaceError};
use serde_json::Value as Json;
use toml::{Table, Value};

use super::parse::{Source, read};
use super::{Key, Recipe, RecipeError, Watch};

pub(super) use domain::is_open;
pub use tune::TuneRecipe;

/// A recipe in which some keys have a set of values, and how the best ones are searched for: the section `[tune]`.
///
/// Where a value would stand, there may stand a table:
///
/// | table | values |
/// |---|---|
/// | `{ choice = [32, 64, 128] }` | one of a list; anything that may stand at the key, tables and short forms among them |
/// | `{ uniform = [0.0, 0.5] }` | a number between, bounds included; with `step = 0.1` only some |
/// | `{ log = [1e-4, 1e-1] }` | the same, with equal weight for equal ratios |
///
/// Between whole numbers lie whole numbers alone, unless the key takes others too. `when = { "model.cell" = "lstm" }`, or a
/// list of values, in such a table says when it counts; when it does not, the key is left out. In a choice that is a table
/// keys may be left open again: they count if it is chosen.
///
/// # Examples
/// ```
/// use std::path::Path;
///
/// use rekindle_training::SearchRecipe;
/// use rekindle_training::recipe::Hidden;
///
/// let text = r#"
/// name = "vowels"
/// [data]
/// train = "vowels.ts"
/// [model]
/// cell = { choice = ["lstm", "gru"] }
/// hidden = { log = [16, 128] }
/// [training]
/// schedule = { choice = ["constant", { kind = "cosine", steps = 40, to = { log = [0.001, 0.1] } }] }
/// "#;
/// let search = SearchRecipe::from_toml(text, Path::new("vowels.toml"), &[])?;
/// let names: Vec<_> = search.space().parameters().iter().map(|p| p.name.as_str()).collect();
/// let expected = ["model.cell", "model.hidden", "training.schedule", "training.schedule.cosine.to"];
/// assert_eq!(names, expected);
///
/// let first = search.space().point(|parameter| parameter.domain.at(0.0));
/// assert_eq!(search.at(&first)?.model.hidden, Hidden::All(16));
/// # Ok::<(), rekindle_training::RecipeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct SearchRecipe {
    path: PathBuf,
    text: String,
    overrides: Vec<String>,
    /// What text and overrides say, without `[tune]`; what is open stands as it was written.
    table: Table,
    space: Space,
    tune: TuneRecipe,
    watch: Watch,
}

impl SearchRecipe {
    /// Reads a recipe file with open values; as [`Recipe::load`] otherwise. Overrides may leave values open, too.
    ///
    /// # Errors
    /// As [`from_toml`](Self::from_toml), or if the file cannot be read.
    pub fn load(path: &Path, overrides: &[String]) -> Result<Self, RecipeError> {
        Self::from_toml(&read(path)?, path, overrides)
    }

    /// Reads a recipe with open values from a text; `source` is the file that it stands for.
    ///
    /// # Errors
    /// If nothing is open; if a key, a type or a setting is wrong; or if a single value of what is open, beside the first
    /// ones of the rest, makes no recipe.
    pub fn from_toml(text: &str, source: &Path, overrides: &[String]) -> Result<Self, RecipeError> {
        let place = Source::of_file(source, text, overrides);
        let mut table = place.table()?;
        let tune = tune::read(&place, table.remove("tune"))?;
        let (parameters, stepped) = domain::parameters(&place, &table)?;
        let space = Space::new(parameters).map_err(|error| at_place(&place, error))?;
        let mut search = Self {
            path: source.to_path_buf(),
            text: text.to_string(),
            overrides: overrides.to_vec(),
            table,
            space,
            tune,
            watch: Watch::default(),
        };
        search.check_name()?;
        search.space = search.with_types(&stepped)?;
        let sampler = search.tune.sampler.validate(&search.space);
        sampler.map_err(|error| place.value("tune.sampler", error.to_string()))?;
        search.watch = search.check()?;
        Ok(search)
    }

    /// The keys of the section `[tune]`.
    pub fn keys() -> &'static [Key] {
        tune::KEYS
    }

    /// What is left open.
    pub fn space(&self) -> &Space {
        &self.space
    }

    /// How it is searched.
    pub fn tune(&self) -> &TuneRecipe {
        &self.tune
    }

    /// The recipe at a point of the space.
    ///
    /// # Errors
    /// If its values do not go together.
    pub fn at(&self, point: &Point) -> Result<Recipe, RecipeError> {
        let recipe = self.unchecked(point)?;
        recipe.validate()?;
        Ok(recipe)
    }

    /// All that was said, for a study to hold: the keys of the recipe, and the section `[tune]`.
    pub(crate) fn settings(&self) -> Json {
        let table = serde_json::to_value(&self.table);
        let mut settings = table.expect("a table of TOML is one of JSON");
        settings["tune"] = serde_json::to_value(&self.tune).expect("settings are JSON");
        settings
    }

    /// The search of [`settings`](Self::settings); `source` is what messages call it.
    pub(crate) fn from_settings(
        settings: &Json,
        source: &Path,
        overrides: &[String],
    ) -> Result<Self, RecipeError> {
        let table = Table::try_from(settings).map_err(|error| RecipeError::Syntax {
            place: source.display().to_string(),
            problem: error.to_string(),
        })?;
        Self::from_toml(&table.to_string(), source, overrides)
    }

    /// The name of all runs.
    pub fn name(&self) -> &str {
        let name = self.table.get("name").and_then(Value::as_str);
        name.unwrap_or_default()
    }

    /// The metric that decides.
    pub fn watch(&self) -> Watch {
        self.watch
    }

    fn source(&self) -> Source<'_> {
        Source::of_file(&self.path, &self.text, &self.overrides)
    }

    fn unchecked(&self, point: &Point) -> Result<Recipe, RecipeError> {
        self.source().recipe(fill::filled(&self.table, point))
    }
}

/// The first key of a table that a single recipe cannot have, if there is one: an open value, or the section `[tune]`.
pub(super) fn open_key(table: &Table) -> Option<String> {
    let open = domain::first_open("", &Value::Table(table.clone()));
    open.or_else(|| table.contains_key("tune").then(|| "tune".to_string()))
}

fn at_place(source: &Source, error: SpaceError) -> RecipeError {
    RecipeError::Space {
        place: source.place(error.parameter().unwrap_or_default()),
        source: error,
    }
}
