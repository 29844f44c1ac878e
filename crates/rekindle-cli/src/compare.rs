//! `rekindle compare`.

use std::path::Path;

use rekindle::training::{Backend, Outcome, Recipe, Start, train};

use crate::args::{CompareArgs, backend};
use crate::progress::{Progress, Stream};
use crate::table::{Table, percent};
use crate::train::{free_folder, print_line};

/// The runs of one recipe.
struct Runs<'a> {
    recipe: &'a Path,
    cell: String,
    outcomes: Vec<Outcome>,
}

/// Trains each recipe with each seed and prints a table.
pub fn run(args: &CompareArgs) -> anyhow::Result<()> {
    let backend = backend(args.backend)?;
    // All recipes are read before the first is trained.
    let recipes = args
        .recipes
        .iter()
        .map(|path| Ok((path, Recipe::load(path, &args.sets)?)));
    let recipes: Vec<_> = recipes.collect::<anyhow::Result<_>>()?;
    let mut compared = Vec::new();
    for (path, recipe) in &recipes {
        let seeds = if args.seeds.is_empty() {
            vec![recipe.seed]
        } else {
            args.seeds.clone()
        };
        let outcomes = seeds.iter().map(|&seed| {
            let recipe = Recipe {
                seed,
                ..recipe.clone()
            };
            train_one(args, path, &recipe, backend)
        });
        let outcomes = outcomes.collect::<anyhow::Result<_>>()?;
        compared.push(Runs {
            recipe: path,
            cell: recipe.model.cell.to_string(),
            outcomes,
        });
    }
    if args.json {
        let runs = compared
            .iter()
            .map(|runs| serde_json::json!({ "recipe": runs.recipe, "runs": runs.outcomes }));
        return print_line(&serde_json::json!({ "recipes": runs.collect::<Vec<_>>() }).to_string());
    }
    print_line(&table(&compared).to_string())
}

fn train_one(
    args: &CompareArgs,
    path: &Path,
    recipe: &Recipe,
    backend: Backend,
) -> anyhow::Result<Outcome> {
    let folder = free_folder(&args.out, recipe);
    let stream = if args.json {
        Stream::Error
    } else {
        Stream::Output
    };
    let mut progress = Progress::new(args.quiet, stream);
    progress.title(&format!(
        "{} (seed {}) in {}",
        path.display(),
        recipe.seed,
        folder.display()
    ));
    Ok(train(recipe, backend, &folder, Start::New, &mut progress)?)
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
        let scores = |score: fn(&rekindle::training::Scores) -> f64| -> Vec<f64> {
            runs.outcomes
                .iter()
                .filter_map(|outcome| outcome.test.as_ref().map(score))
                .collect()
        };
        let of_all =
            |value: fn(&Outcome) -> f64| -> Vec<f64> { runs.outcomes.iter().map(value).collect() };
        let accuracies = scores(|scores| scores.accuracy);
        table.row(vec![
            runs.recipe.display().to_string(),
            runs.cell.clone(),
            runs.outcomes[0].parameters.to_string(),
            runs.outcomes.len().to_string(),
            format!("{:.0}", mean(&of_all(|outcome| outcome.epochs as f64))),
            with_spread(&accuracies),
            share(&scores(|scores| scores.macro_f1)),
            number(&scores(|scores| scores.loss)),
            format!("{:.1}", mean(&of_all(|outcome| outcome.seconds))),
        ]);
    }
    table
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The mean, with the range if there are several.
fn with_spread(shares: &[f64]) -> String {
    if shares.len() < 2 {
        return share(shares);
    }
    let least = shares.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = shares.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    format!(
        "{} ({} to {})",
        share(shares),
        percent(least),
        percent(greatest)
    )
}

fn share(shares: &[f64]) -> String {
    if shares.is_empty() {
        "no test data".to_string()
    } else {
        percent(mean(shares))
    }
}

fn number(values: &[f64]) -> String {
    if values.is_empty() {
        String::new()
    } else {
        format!("{:.4}", mean(values))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_seeds_show_their_range() {
        assert_eq!(with_spread(&[0.5, 0.75]), "62.50 % (50.00 % to 75.00 %)");
        assert_eq!(with_spread(&[0.5]), "50.00 %");
        assert_eq!(with_spread(&[]), "no test data");
    }
}
