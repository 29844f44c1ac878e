//! A study of a recipe's search: what it holds, and how it is joined.

use std::path::PathBuf;

use rekindle_optim::Mode;
use rekindle_tune::{Definition, Direction, StoreError, StoreOptions, Study};
use serde_json::{Value, json};

use super::TuneError;
use crate::{Recipe, RecipeError, SearchRecipe, task};

impl SearchRecipe {
    /// Begins a study of this search, or joins the one that was begun. The data are read for it: a study is one of certain
    /// data, wherever they lie. Bounds of the search may be others than when it was begun.
    ///
    /// # Errors
    /// If the data cannot be used, the study that is there is one of another search or of other data, or the database cannot
    /// be used.
    pub fn study(&self, url: &str, name: &str, options: StoreOptions) -> Result<Study, TuneError> {
        let checksum = self.check_data()?;
        let mut again = true;
        loop {
            let mut definition = self.definition(&checksum);
            match Study::load(url, name, options.clone()) {
                Ok(study) => adopt(&mut definition.settings, &study.definition().settings),
                Err(StoreError::NoStudy { .. } | StoreError::NoDatabase { .. }) => (),
                Err(error) => return Err(error.into()),
            }
            match Study::open(url, name, &definition, options.clone()) {
                // Somebody may have begun it in between, with data elsewhere.
                Err(StoreError::Differs { .. }) if again => again = false,
                study => return Ok(study?),
            }
        }
    }

    /// The search that a study holds; `overrides` are for where the data lie on this machine.
    ///
    /// # Errors
    /// If the study was not begun by [`study`](Self::study), or the data cannot be used or are others.
    pub fn of_study(study: &Study, overrides: &[String]) -> Result<Self, TuneError> {
        let definition = study.definition();
        let search = Self::held_by(study, overrides)?;
        let checksum = search.check_data()?;
        let expected = definition.settings["checksum"].as_str();
        if Some(checksum.as_str()) != expected || *search.space() != definition.space {
            return Err(TuneError::OtherData {
                study: study.name().to_string(),
                found: checksum,
                expected: expected.unwrap_or_default().to_string(),
            });
        }
        Ok(search)
    }

    /// The search that a study holds, whether or not its data are at hand.
    pub(super) fn held_by(study: &Study, overrides: &[String]) -> Result<Self, RecipeError> {
        let source = PathBuf::from(format!("the recipe of study {}", study.name()));
        let settings = &study.definition().settings["recipe"];
        Self::from_settings(settings, &source, overrides)
    }

    /// What a study of this search holds: the better direction of the watched metric, the space, all that the recipe says,
    /// and the checksum of the data.
    fn definition(&self, checksum: &str) -> Definition {
        Definition {
            direction: self.direction(),
            space: self.space().clone(),
            settings: json!({ "recipe": self.settings(), "checksum": checksum }),
        }
    }

    /// Which values of the watched metric are better.
    pub(super) fn direction(&self) -> Direction {
        match self.watch().mode() {
            Mode::Min => Direction::Minimize,
            Mode::Max => Direction::Maximize,
        }
    }

    /// The recipe at the first values of everything that is open.
    pub(super) fn first(&self) -> Result<Recipe, RecipeError> {
        let first = self.space().point(|parameter| parameter.domain.at(0.0));
        self.at(&first)
    }

    /// Reads the data as the first recipe has them, and checks that what is watched is measured; returns their checksum.
    fn check_data(&self) -> Result<String, TuneError> {
        let task = task::open(&self.first()?)?;
        if self.watch().valid && task.sizes().valid == 0 {
            return Err(TuneError::NothingValidated {
                watch: self.watch(),
            });
        }
        Ok(task.checksum())
    }
}

/// Takes over from a study what its workers need not agree on: where data lie, and what bounds the search.
fn adopt(mine: &mut Value, study: &Value) {
    for file in ["train", "valid", "test"] {
        let there = study["recipe"]["data"].get(file);
        if let (Some(mine), Some(there)) = (mine["recipe"]["data"].get_mut(file), there) {
            mine.clone_from(there);
        }
    }
    let (Some(mine), study) = (
        mine["recipe"]["tune"].as_object_mut(),
        &study["recipe"]["tune"],
    ) else {
        return;
    };
    for bound in ["trials", "epochs", "minutes"] {
        match study.get(bound) {
            Some(there) => mine.insert(bound.to_string(), there.clone()),
            None => mine.remove(bound),
        };
    }
}
