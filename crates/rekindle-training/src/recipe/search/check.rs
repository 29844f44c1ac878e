//! What must hold of all that is open before anything runs.

use std::collections::BTreeMap;

use rekindle_tune::{Domain, Parameter, Point, Space};
use serde_json::Value as Json;

use super::super::{RecipeError, Watch};
use super::{SearchRecipe, at_place};

impl SearchRecipe {
    /// The space in which keys that take fractions have them, also between whole bounds; `stepped` are the keys whose sets
    /// say a step.
    pub(super) fn with_types(&self, stepped: &[String]) -> Result<Space, RecipeError> {
        let mut parameters = self.space.parameters().to_vec();
        for parameter in &mut parameters {
            let Domain::Int {
                low,
                high,
                log,
                step,
            } = parameter.domain
            else {
                continue;
            };
            let between = Json::from((low as f64 + high as f64) / 2.0 + 0.25);
            let point = self.with(parameter, between)?;
            if self.unchecked(&point).is_ok() {
                parameter.domain = Domain::Float {
                    low: low as f64,
                    high: high as f64,
                    log,
                    step: stepped.contains(&parameter.name).then_some(step as f64),
                };
            }
        }
        // Conditions speak of the values as they are now: 1.0 in place of 1.
        let domains: BTreeMap<String, Domain> = (parameters.iter())
            .map(|parameter| (parameter.name.clone(), parameter.domain.clone()))
            .collect();
        let conditions = parameters.iter_mut().flat_map(|other| &mut other.when);
        for condition in conditions {
            let domain = &domains[&condition.on];
            for value in &mut condition.among {
                let coordinate = domain.coordinate(value);
                *value = coordinate.map_or(Json::Null, |coordinate| domain.value(coordinate));
            }
        }
        Space::new(parameters).map_err(|error| at_place(&self.source(), error))
    }

    /// The first point at which a parameter counts, with this value for it.
    fn with(&self, parameter: &Parameter, value: Json) -> Result<Point, RecipeError> {
        let mut needed: BTreeMap<&str, Vec<Json>> = BTreeMap::new();
        let mut open = vec![parameter];
        while let Some(child) = open.pop() {
            for condition in &child.when {
                let left = needed
                    .entry(&condition.on)
                    .or_insert_with(|| condition.among.clone());
                left.retain(|value| condition.among.contains(value));
                let all = self.space.parameters();
                open.extend(all.iter().find(|other| other.name == condition.on));
            }
        }
        let point = self.space.point(|other| {
            if other.name == parameter.name {
                return value.clone();
            }
            let needed = needed.get(other.name.as_str());
            let first = needed.and_then(|values| values.first()).cloned();
            first.unwrap_or_else(|| other.domain.at(0.0))
        });
        if point.get(&parameter.name).is_none() {
            let problem = "its conditions never hold together, so that it never counts";
            return Err(self.source().value(&parameter.name, problem.to_string()));
        }
        Ok(point)
    }

    /// Checks each choice and each bound, beside the first values of the rest; returns the metric that all recipes watch.
    pub(super) fn check(&self) -> Result<Watch, RecipeError> {
        let first = self.space.point(|parameter| parameter.domain.at(0.0));
        let watch = match self.at(&first) {
            Ok(recipe) => recipe.training.watch,
            Err(error) => return Err(self.blamed(error)),
        };
        for parameter in self.space.parameters() {
            for value in ends(&parameter.domain) {
                let recipe = self.at(&self.with(parameter, value.clone())?);
                let recipe = recipe.map_err(|error| self.because(parameter, &value, error))?;
                if recipe.training.watch != watch {
                    let problem = format!(
                        "found {watch} and {}, expected one metric that all trials are compared by",
                        recipe.training.watch
                    );
                    return Err(self.source().value("training.watch", problem));
                }
            }
        }
        Ok(watch)
    }

    /// What is wrong with the first recipe, and the open key that is to blame, if there is one: with another value for it
    /// all would be well.
    fn blamed(&self, error: RecipeError) -> RecipeError {
        let helps = |parameter: &&Parameter, value| {
            let point = self.with(parameter, value);
            point.is_ok_and(|point| self.at(&point).is_ok())
        };
        let mut parameters = self.space.parameters().iter();
        let to_blame = parameters.find(|parameter| {
            let mut others = ends(&parameter.domain).into_iter().skip(1);
            others.any(|value| helps(parameter, value))
        });
        match to_blame {
            Some(parameter) => self.because(parameter, &parameter.domain.at(0.0), error),
            None => error,
        }
    }

    /// An error of a recipe that has this value.
    fn because(&self, parameter: &Parameter, value: &Json, error: RecipeError) -> RecipeError {
        RecipeError::Searched {
            place: self.source().place(&parameter.name),
            key: parameter.name.clone(),
            value: value.to_string(),
            source: Box::new(error),
        }
    }

    /// Checks that all runs have one name.
    pub(super) fn check_name(&self) -> Result<(), RecipeError> {
        match self.table.get("name") {
            Some(name) if !name.is_str() => {
                let problem = format!("found {name}, expected one name for all trials");
                Err(self.source().value("name", problem))
            }
            _ => Ok(()),
        }
    }
}

/// All choices, or both bounds.
fn ends(domain: &Domain) -> Vec<Json> {
    match domain {
        Domain::Choice { choices } => choices.clone(),
        number => vec![number.at(0.0), number.at(1.0)],
    }
}
