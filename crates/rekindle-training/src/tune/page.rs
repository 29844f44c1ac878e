//! The page of a search.

use std::path::PathBuf;
use std::time::Duration;

use rekindle_tune::{
    Direction, Domain, Entry, History, Parameter, Point, State, Study, importance,
};
use serde_json::Value;

use super::folder::lock;
use super::{Search, TuneError};
use crate::report::{
    Fact, Scale, StudyAim, StudyDomain, StudyPage, StudyParameter, StudySetting, StudyState,
    StudyTrial,
};
use crate::{SearchRecipe, files};

impl Search<'_> {
    /// The file of the page.
    pub fn page(&self) -> PathBuf {
        self.folder.join("report.html")
    }

    /// Writes the page: what was tried, what came of it, and which settings mattered.
    ///
    /// # Errors
    /// If the database or the file cannot be used.
    pub fn write_page(&mut self) -> Result<(), TuneError> {
        let _alone = lock(&self.folder.join("report.lock"))?;
        let entries = self.study.trials()?;
        let page = page(self.recipe, self.study.name(), &entries)?;
        files::write(&self.page(), page.to_html().as_bytes())?;
        Ok(())
    }
}

/// The page of a study that [`SearchRecipe::study`] began, as HTML, for who does not work on it. No data are read.
///
/// # Errors
/// If the study holds no recipe, or its database cannot be used.
pub fn study_page(study: &mut Study) -> Result<String, TuneError> {
    let recipe = SearchRecipe::held_by(study, &[])?;
    let entries = study.trials()?;
    Ok(page(&recipe, study.name(), &entries)?.to_html())
}

fn page(recipe: &SearchRecipe, name: &str, entries: &[Entry]) -> Result<StudyPage, TuneError> {
    let direction = recipe.direction();
    let history = History {
        direction,
        trials: entries.iter().map(|entry| entry.trial.clone()).collect(),
    };
    let best = history.best();
    let parameters = recipe.space().parameters();
    let shares = importance(recipe.space(), &history, recipe.tune().seed);
    let best_recipe = best.map(|(trial, _)| recipe.at(&trial.point)).transpose()?;
    Ok(StudyPage {
        title: name.to_string(),
        subtitle: format!(
            "A search over {} settings of {}",
            parameters.len(),
            recipe.watch()
        ),
        facts: facts(recipe, &history, entries),
        value: recipe.watch().to_string().replacen('_', " ", 1),
        aim: match direction {
            Direction::Minimize => StudyAim::Least,
            Direction::Maximize => StudyAim::Greatest,
        },
        step: "epoch".to_string(),
        parameters: parameters.iter().map(parameter).collect(),
        trials: entries.iter().map(|entry| trial(recipe, entry)).collect(),
        importance: shares
            .into_iter()
            .map(|found| (found.name, found.share))
            .collect(),
        importance_note: "Shares of the variance that settings explain each by itself, by a forest of regression trees \
                          over the complete trials (functional ANOVA)."
            .to_string(),
        recipe: best_recipe.map_or_else(String::new, |recipe| recipe.to_toml()),
        ..StudyPage::default()
    })
}

fn facts(recipe: &SearchRecipe, history: &History, entries: &[Entry]) -> Vec<Fact> {
    let seconds: f64 = entries.iter().filter_map(seconds).sum();
    let mut workers: Vec<&str> = entries.iter().map(|entry| entry.worker.as_str()).collect();
    workers.sort_unstable();
    workers.dedup();
    vec![
        Fact::new("trials", entries.len()),
        Fact::new("complete", history.count(State::Complete)),
        Fact::new("pruned", history.count(State::Pruned)),
        Fact::new("failed", history.count(State::Failed)),
        Fact::new("under way", history.count(State::Running)),
        Fact::new("runs per trial", recipe.tune().repeats),
        Fact::new("epochs", recipe.tune().epochs_of(history)),
        Fact::new("seconds of trials", format!("{seconds:.0}")),
        Fact::new("workers", workers.len()),
        Fact::new("sampler", kind(&serde_json::json!(recipe.tune().sampler))),
        Fact::new("pruner", kind(&serde_json::json!(recipe.tune().pruner))),
        Fact::new("seed", recipe.tune().seed),
    ]
}

/// The kind of a value that has one.
fn kind(value: &Value) -> String {
    let kind = value.get("kind").unwrap_or(value);
    kind.as_str().unwrap_or_default().to_string()
}

fn seconds(entry: &Entry) -> Option<f64> {
    let taken = entry.ended?.duration_since(entry.started).ok();
    taken.as_ref().map(Duration::as_secs_f64)
}

fn parameter(parameter: &Parameter) -> StudyParameter {
    let number = |low: f64, high: f64, log: bool| StudyDomain::Number {
        low,
        high,
        scale: match log {
            true => Scale::Log10,
            false => Scale::Linear,
        },
    };
    StudyParameter {
        name: parameter.name.clone(),
        domain: match &parameter.domain {
            Domain::Choice { choices } => StudyDomain::Choice {
                labels: choices.iter().map(|choice| name(choice, choices)).collect(),
            },
            Domain::Float { low, high, log, .. } => number(*low, *high, *log),
            Domain::Int { low, high, log, .. } => number(*low as f64, *high as f64, *log),
        },
    }
}

fn trial(recipe: &SearchRecipe, entry: &Entry) -> StudyTrial {
    let trial = &entry.trial;
    let parameters = recipe.space().parameters().iter();
    let curve = trial.curve.iter();
    StudyTrial {
        number: trial.number,
        state: match trial.state {
            State::Running => StudyState::Running,
            State::Complete => StudyState::Complete,
            State::Pruned => StudyState::Pruned,
            State::Failed => StudyState::Failed,
        },
        value: trial.value,
        settings: parameters
            .map(|parameter| setting(parameter, &trial.point))
            .collect(),
        curve: curve
            .map(|(epoch, value)| (*epoch as f64, *value))
            .collect(),
        seconds: seconds(entry),
        note: entry.reason.clone().unwrap_or_default(),
    }
}

fn setting(parameter: &Parameter, point: &Point) -> Option<StudySetting> {
    let value = point.get(&parameter.name)?;
    let place = parameter.domain.coordinate(value)?;
    let label = match &parameter.domain {
        Domain::Choice { choices } => name(value, choices),
        _ => label(value),
    };
    Some(StudySetting::new(place, label))
}

/// A choice among others: in full where its label is that of another one, too.
fn name(choice: &Value, choices: &[Value]) -> String {
    let short = label(choice);
    match choices.iter().filter(|other| label(other) == short).count() {
        0..2 => short,
        _ => choice.to_string(),
    }
}

/// A value as people read it: text without quotes, the kind of a table.
fn label(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(table) => match table.get("kind").and_then(Value::as_str) {
            Some(kind) => kind.to_string(),
            None => value.to_string(),
        },
        Value::Number(number) if number.is_f64() => {
            let number = number.as_f64().unwrap_or(f64::NAN);
            match number.abs() {
                0.001..10_000.0 | 0.0 => format!("{}", (number * 1e5).round() / 1e5),
                _ => format!("{number:.3e}"),
            }
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn choices_of_one_kind_are_told_apart() {
        let choices = [
            json!("constant"),
            json!({ "kind": "step", "size": 5 }),
            json!({ "kind": "step", "size": 9 }),
            json!({ "kind": "cosine", "steps": 9 }),
        ];
        let names = choices.each_ref().map(|choice| name(choice, &choices));
        let steps = [r#"{"kind":"step","size":5}"#, r#"{"kind":"step","size":9}"#];
        assert_eq!(names, ["constant", steps[0], steps[1], "cosine"]);
    }
}
