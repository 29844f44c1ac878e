//! `rekindle train`.

use std::path::{Path, PathBuf};

use anyhow::Context;
use rekindle::training::{Outcome, Recipe, RunFolder, Start, train};

use crate::args::TrainArgs;
use crate::progress::{Progress, Stream};
use crate::table::scores;
use crate::{interrupt, output, run_names};

/// Where runs go that have no `--out`.
pub const RUNS: &str = "runs";

/// Trains and prints the result.
pub fn run(args: &TrainArgs) -> anyhow::Result<()> {
    let devices = args.on.devices()?;
    let recipe = recipe(args)?;
    let (start, default_folder): (_, fn(&Path, &Recipe) -> PathBuf) = if args.resume {
        (Start::Resume, run_names::latest)
    } else {
        (Start::New, run_names::free)
    };
    let folder = match &args.out {
        Some(out) => out.clone(),
        None => default_folder(Path::new(RUNS), &recipe),
    };
    let mut progress = Progress::new(args.quiet, Stream::beside_result(args.json));
    interrupt::listen()?;
    let outcome = train(&recipe, devices, &folder, start, &mut progress)?;
    drop(progress);
    if args.json {
        output::line(&serde_json::to_string(&outcome)?)
    } else {
        output::line(&summary(&outcome, &RunFolder::new(folder)))
    }
}

/// The recipe of the command line: a file's, the resumed run's own, or the defaults; then the overrides.
fn recipe(args: &TrainArgs) -> anyhow::Result<Recipe> {
    let overrides = overrides(args)?;
    if let Some(path) = &args.recipe {
        return Ok(Recipe::load(path, &overrides)?);
    }
    if let (true, Some(out)) = (args.resume, &args.out) {
        let own = RunFolder::new(out).recipe();
        if own.exists() {
            return Ok(Recipe::load(&own, &overrides)?);
        }
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
fn overrides(args: &TrainArgs) -> anyhow::Result<Vec<String>> {
    let mut overrides = Vec::new();
    for (key, path) in [
        ("data.train", &args.train),
        ("data.valid", &args.valid),
        ("data.test", &args.test),
    ] {
        if let Some(path) = path {
            overrides.push(file_override(key, key, path)?);
        }
    }
    overrides.extend(args.cell.as_ref().map(|cell| format!("model.cell={cell}")));
    overrides.extend(args.seed.map(|seed| format!("seed={seed}")));
    overrides.extend_from_slice(&args.sets);
    Ok(overrides)
}

/// An override that puts a file at a key; `named` is what the user calls it.
pub fn file_override(named: &str, key: &str, path: &Path) -> anyhow::Result<String> {
    let text = path.to_str().with_context(|| {
        format!("{named}: path {path:?} is not UTF-8, expected one that a recipe can hold; rename the file")
    })?;
    // A JSON string is a TOML string.
    Ok(format!("{key}={}", serde_json::Value::from(text)))
}

fn summary(outcome: &Outcome, folder: &RunFolder) -> String {
    let left_out = match outcome.skipped_steps {
        0 => String::new(),
        1 => ", 1 step left out".to_string(),
        steps => format!(", {steps} steps left out"),
    };
    format!(
        "{}\n{} epochs in {:.1} s, {} parameters, weights of epoch {}{left_out}\nrun folder: {}\nreport: {}",
        scores(outcome),
        outcome.epochs,
        outcome.seconds,
        outcome.parameters,
        outcome.kept_epoch,
        folder.path().display(),
        folder.report().display()
    )
}
