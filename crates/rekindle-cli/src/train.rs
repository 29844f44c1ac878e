//! `rekindle train`.

use std::io::Write;
use std::path::{Path, PathBuf};

use rekindle::training::{Outcome, Recipe, Start, recipe_of, train};

use crate::args::{TrainArgs, backend};
use crate::progress::{Progress, Stream};
use crate::table::percent;

/// Trains and prints the result.
pub fn run(args: &TrainArgs) -> anyhow::Result<()> {
    let recipe = recipe(args)?;
    let folder = match &args.out {
        Some(out) => out.clone(),
        None => free_folder(Path::new("runs"), &recipe),
    };
    let start = if args.resume {
        Start::Resume
    } else {
        Start::New
    };
    let stream = if args.json {
        Stream::Error
    } else {
        Stream::Output
    };
    let mut progress = Progress::new(args.quiet, stream);
    let outcome = train(
        &recipe,
        backend(args.backend)?,
        &folder,
        start,
        &mut progress,
    )?;
    drop(progress);
    if args.json {
        print_line(&serde_json::to_string(&outcome)?)
    } else {
        print_line(&summary(&outcome, &folder))
    }
}

/// The recipe of the command line: a file's, the resumed run's own, or the defaults; then the overrides.
fn recipe(args: &TrainArgs) -> anyhow::Result<Recipe> {
    let overrides = overrides(args);
    if let Some(path) = &args.recipe {
        return Ok(Recipe::load(path, &overrides)?);
    }
    if let (true, Some(folder)) = (args.resume, &args.out)
        && folder.join("recipe.toml").exists()
    {
        let recipe = recipe_of(folder)?;
        let text = recipe.to_toml();
        return Ok(Recipe::from_toml(
            &text,
            &folder.join("recipe.toml"),
            &overrides,
        )?);
    }
    match &args.train {
        Some(train) => Ok(Recipe::for_data(train, &overrides)?),
        None => anyhow::bail!(
            "nothing to train: found neither a recipe nor --train; give `rekindle train RECIPE.toml`, or `--train FILE` to \
             train with the defaults"
        ),
    }
}

/// The options that stand for keys of the recipe, and then --set.
fn overrides(args: &TrainArgs) -> Vec<String> {
    let path = |key: &str, path: &Option<PathBuf>| {
        let quoted = |path: &PathBuf| serde_json::Value::from(path.to_string_lossy()).to_string();
        path.as_ref().map(|path| format!("{key}={}", quoted(path)))
    };
    let options = [
        path("data.train", &args.train),
        path("data.valid", &args.valid),
        path("data.test", &args.test),
        args.cell.as_ref().map(|cell| format!("model.cell={cell}")),
        args.seed.map(|seed| format!("seed={seed}")),
    ];
    options
        .into_iter()
        .flatten()
        .chain(args.sets.iter().cloned())
        .collect()
}

/// A folder for a run that does not exist yet.
pub fn free_folder(parent: &Path, recipe: &Recipe) -> PathBuf {
    let name = format!("{}-{}-seed{}", recipe.name, recipe.model.cell, recipe.seed);
    let numbered = (2..).map(|number| parent.join(format!("{name}-{number}")));
    std::iter::once(parent.join(&name))
        .chain(numbered)
        .find(|folder| !folder.exists())
        .expect("one of infinitely many names is free")
}

fn summary(outcome: &Outcome, folder: &Path) -> String {
    let mut text = String::new();
    for (name, scores) in [("validation", outcome.valid), ("test", outcome.test)] {
        if let Some(scores) = scores {
            text += &format!(
                "{name}: accuracy {}, macro-F1 {}, loss {:.4}\n",
                percent(scores.accuracy),
                percent(scores.macro_f1),
                scores.loss
            );
        }
    }
    text + &format!(
        "{} epochs in {:.1} s, {} parameters, weights of epoch {}\nrun folder: {}\nreport: {}",
        outcome.epochs,
        outcome.seconds,
        outcome.parameters,
        outcome.kept_epoch,
        folder.display(),
        folder.join("report.html").display()
    )
}

/// Prints to standard output, or says that nobody reads it.
pub fn print_line(text: &str) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout(), "{text}")?)
}
