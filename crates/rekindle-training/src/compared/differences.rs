//! The keys in which recipes differ.

use std::collections::{BTreeMap, BTreeSet};

use toml::Value;

use crate::Recipe;

/// What a recipe without the key has.
const ABSENT: &str = "–";

/// Each key whose value is not the same in all recipes, but for the seed, with the value of each recipe.
pub(super) fn differences(recipes: &[&Recipe]) -> Vec<(String, Vec<String>)> {
    let flat: Vec<BTreeMap<String, String>> = recipes.iter().map(|recipe| flat(recipe)).collect();
    let keys: BTreeSet<&String> = flat.iter().flat_map(BTreeMap::keys).collect();
    let row = |key: &String| {
        let value = |recipe: &BTreeMap<String, String>| {
            let value = recipe.get(key);
            value.map_or(ABSENT.into(), Clone::clone)
        };
        let values: Vec<String> = flat.iter().map(value).collect();
        let differs = values.windows(2).any(|pair| pair[0] != pair[1]);
        (differs && key != "seed").then(|| (key.clone(), values))
    };
    keys.into_iter().filter_map(row).collect()
}

/// Every key with its value as TOML; keys of tables are joined by dots.
fn flat(recipe: &Recipe) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let value = Value::try_from(recipe).expect("a recipe has a TOML form");
    visit(String::new(), &value, &mut found);
    found
}

fn visit(key: String, value: &Value, found: &mut BTreeMap<String, String>) {
    let Value::Table(table) = value else {
        let text = match value {
            Value::String(text) => text.clone(),
            value => value.to_string(),
        };
        found.insert(key, text);
        return;
    };
    for (name, value) in table {
        let key = match key.is_empty() {
            true => name.clone(),
            false => format!("{key}.{name}"),
        };
        visit(key, value, found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn recipe(sets: &[&str]) -> Recipe {
        let sets: Vec<String> = sets.iter().map(ToString::to_string).collect();
        Recipe::for_data(Path::new("a.csv"), &sets).expect("a recipe")
    }

    #[test]
    fn only_keys_that_differ_are_listed() {
        let plain = recipe(&[]);
        let other = recipe(&["model.hidden=7", "seed=3", "data.test=/b.csv"]);
        let found = differences(&[&plain, &other]);
        let row =
            |key: &str, values: [&str; 2]| (key.to_string(), values.map(String::from).to_vec());
        let expected = [
            row("data.test", [ABSENT, "/b.csv"]),
            row("model.hidden", [&plain.model.hidden.to_string(), "7"]),
        ];
        assert_eq!(found, expected);
        assert!(differences(&[&plain]).is_empty());
    }

    #[test]
    fn tables_are_compared_key_by_key() {
        let schedule = |gamma: &str| {
            recipe(&[&format!(
                "training.schedule={{kind=\"exponential\",gamma={gamma}}}"
            )])
        };
        let found = differences(&[&schedule("0.9"), &schedule("0.8")]);
        let expected = (
            "training.schedule.gamma".to_string(),
            vec!["0.9".to_string(), "0.8".into()],
        );
        assert_eq!(found, [expected]);
    }
}
