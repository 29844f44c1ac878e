//! `rekindle compare`.

use std::collections::HashSet;
use std::path::Path;

use rekindle::data::{ReadError, read};
use rekindle::training::{Backend, Outcome, Recipe, Scores, Start, train};

use crate::args::{CompareArgs, backend};
use crate::progress::{Progress, Stream};
use crate::table::{NOTHING, Table, percent};
use crate::{output, run_names};

/// The runs of one recipe.
struct Runs<'a> {
    recipe: &'a Path,
    cell: String,
    outcomes: Vec<Outcome>,
}

/// Trains each recipe with each seed and prints a table.
pub fn run(args: &CompareArgs) -> anyhow::Result<()> {
    let backend = backend(args.backend)?;
    check_seeds(&args.seeds)?;
    let mut recipes = Vec::new();
    for path in &args.recipes {
        recipes.push((path, Recipe::load(path, &args.sets)?));
    }
    // A mistake in the last recipe should not come to light only when the others are trained.
    for (_, recipe) in &recipes {
        check_data(recipe)?;
    }
    let mut compared = Vec::new();
    for (path, recipe) in &recipes {
        let seeds = match args.seeds.as_slice() {
            [] => &[recipe.seed],
            seeds => seeds,
        };
        let mut outcomes = Vec::new();
        for &seed in seeds {
            let recipe = Recipe {
                seed,
                ..recipe.clone()
            };
            outcomes.push(train_one(args, path, &recipe, backend)?);
        }
        compared.push(Runs {
            recipe: path,
            cell: recipe.model.cell.to_string(),
            outcomes,
        });
    }
    if args.json {
        return output::line(&json(&compared).to_string());
    }
    output::line(&table(&compared).to_string())
}

/// A seed that is given twice would count one run twice.
fn check_seeds(seeds: &[u64]) -> anyhow::Result<()> {
    let mut known = HashSet::new();
    match seeds.iter().find(|seed| !known.insert(**seed)) {
        None => Ok(()),
        Some(seed) => {
            anyhow::bail!("--seeds: found {seed} twice, expected each seed once; remove one")
        }
    }
}

/// Whether the data files can be read.
fn check_data(recipe: &Recipe) -> Result<(), ReadError> {
    let data = &recipe.data;
    let files = [Some(&data.train), data.valid.as_ref(), data.test.as_ref()];
    for path in files.into_iter().flatten() {
        read(path, data.missing)?;
    }
    Ok(())
}

fn train_one(
    args: &CompareArgs,
    path: &Path,
    recipe: &Recipe,
    backend: Backend,
) -> anyhow::Result<Outcome> {
    let folder = run_names::free(&args.out, recipe);
    let title = format!(
        "{} (seed {}) in {}",
        path.display(),
        recipe.seed,
        folder.display()
    );
    let stream = Stream::beside_result(args.json);
    let mut progress = Progress::new(args.quiet, stream).with_title(title);
    Ok(train(recipe, backend, &folder, Start::New, &mut progress)?)
}

fn json(compared: &[Runs]) -> serde_json::Value {
    let runs = compared
        .iter()
        .map(|runs| serde_json::json!({ "recipe": runs.recipe, "runs": runs.outcomes }));
    serde_json::json!({ "recipes": runs.collect::<Vec<_>>() })
}

fn table(compared: &[Runs]) -> Table {
    let mut table = Table::new(&[
        "recipe",
        "cell",
        "parameters",
        "seeds",
        "epochs",
        "test accuracy",
        "macro-F1",
        "loss",
        "seconds",
    ]);
    for runs in compared {
        let numbers =
            |value: fn(&Outcome) -> f64| runs.outcomes.iter().map(value).collect::<Vec<_>>();
        let tests: Vec<Scores> = runs.outcomes.iter().filter_map(|run| run.test).collect();
        let scores = |score: fn(&Scores) -> f64| tests.iter().map(score).collect::<Vec<_>>();
        table.row(vec![
            runs.recipe.display().to_string(),
            runs.cell.clone(),
            // The width of input and output is the same for every seed.
            mean(&numbers(|run| run.parameters as f64), |n| format!("{n:.0}")),
            runs.outcomes.len().to_string(),
            mean(&numbers(|run| run.epochs as f64), |n| format!("{n:.0}")),
            with_range(&scores(|scores| scores.accuracy)),
            mean(&scores(|scores| scores.macro_f1), percent),
            mean(&scores(|scores| scores.loss), |n| format!("{n:.4}")),
            mean(&numbers(|run| run.seconds), |n| format!("{n:.1}")),
        ]);
    }
    table
}

fn mean(values: &[f64], show: fn(f64) -> String) -> String {
    if values.is_empty() {
        return NOTHING.to_string();
    }
    show(values.iter().sum::<f64>() / values.len() as f64)
}

/// The mean, with the range if there are several.
fn with_range(shares: &[f64]) -> String {
    let least = shares.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = shares.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mean = mean(shares, percent);
    if shares.len() < 2 {
        return mean;
    }
    format!("{mean} ({} to {})", percent(least), percent(greatest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_seeds_show_their_range() {
        assert_eq!(with_range(&[0.5, 0.75]), "62.50 % (50.00 % to 75.00 %)");
        assert_eq!(with_range(&[0.5]), "50.00 %");
        assert_eq!(with_range(&[]), NOTHING);
    }

    #[test]
    fn a_seed_counts_once() {
        assert!(check_seeds(&[]).is_ok() && check_seeds(&[2, 1]).is_ok());
        let error = check_seeds(&[2, 1, 2]).expect_err("two is there twice");
        assert!(error.to_string().contains("found 2 twice"), "{error}");
    }
}
