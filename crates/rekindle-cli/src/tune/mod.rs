//! `rekindle tune`.

mod progress;
mod results;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use rekindle::training::{Budget, Done, Refit, Search, SearchRecipe};
use rekindle::tune::{StoreError, StoreOptions, Study};

use crate::args::DeviceArgs;
use crate::interrupt::{self, Interrupted};
use crate::output;
use crate::progress::{Progress, Stream};
use crate::train::RUNS;

use progress::TuneProgress;

/// Options of `tune`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  rekindle tune recipes/japanese-vowels-tune.toml --trials 40 --out runs/vowels-tune
  rekindle tune mine.toml --set 'model.hidden={choice=[32,64,128]}' --set 'training.lr={log=[1e-4,1e-1]}' --minutes 20
  rekindle tune --study sqlite:runs/vowels-tune/study.db --worker
  rekindle tune mine.toml --study postgres://me@host/studies
  rekindle train runs/vowels-tune/best.toml

Given again, the command goes on with the study; any number of workers may share it, on one machine through a file of SQLite,
on several through PostgreSQL. What a recipe may leave open is in the book's page on tuning.")]
pub struct TuneArgs {
    /// Recipe in TOML with values left open
    #[arg(required_unless_present = "worker")]
    pub recipe: Option<PathBuf>,
    /// Database of the trials: sqlite:FILE or postgres://USER@HOST/NAME [default: sqlite:OUT/study.db]
    #[arg(long, value_name = "URL", required_if_eq("worker", "true"))]
    pub study: Option<String>,
    /// Name of the study in the database [default: the recipe's; of a worker the only one that is there]
    #[arg(long)]
    pub name: Option<String>,
    /// Join the study with the recipe that its database holds
    #[arg(long, conflicts_with = "recipe")]
    pub worker: bool,
    /// Folder for the trials' run folders, the best recipe and the page [default: that of SQLite's file, or runs/NAME-tune]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Trials of the study in all, instead of tune.trials
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub trials: Option<u64>,
    /// Begin no trial beyond so many epochs of all runs of all trials, instead of tune.epochs
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub epochs: Option<u64>,
    /// Begin no trial after so many minutes, instead of tune.minutes
    #[arg(long, value_name = "M", value_parser = minutes)]
    pub minutes: Option<f64>,
    /// Change a key of the recipe, as for `train`, or leave it open; of a worker only where data lie; can be given several times
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub sets: Vec<String>,
    /// Train the best recipe once more in the end, on what was validated on, too, and score the test set
    #[arg(long)]
    pub refit: bool,
    /// Where to train
    #[command(flatten)]
    pub on: DeviceArgs,
    /// Print the result as one JSON object in the last line of standard output; progress goes to standard error
    #[arg(long)]
    pub json: bool,
    /// Show no progress
    #[arg(long)]
    pub quiet: bool,
}

fn minutes(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(minutes) if (f64::MIN_POSITIVE..1e12).contains(&minutes) => Ok(minutes),
        _ => Err("expected a positive number".into()),
    }
}

/// Works on a study until its budget is used up, and shows what is best.
pub fn run(args: &TuneArgs) -> anyhow::Result<()> {
    let devices = args.on.devices()?;
    let Place {
        recipe,
        study,
        folder,
    } = place(args)?;
    let mut tune = recipe.tune().clone();
    tune.trials = args.trials.or(tune.trials);
    tune.epochs = args.epochs.or(tune.epochs);
    tune.minutes = args.minutes.or(tune.minutes);
    let budget = Budget::from(&tune);
    let mut search = Search {
        recipe: &recipe,
        study,
        folder: &folder,
        devices,
        budget,
    };
    if args.refit {
        search.check_refit().context("--refit")?;
    }
    let stream = Stream::beside_result(args.json);
    let mut progress = TuneProgress::new(args.quiet, stream, budget);
    interrupt::listen()?;
    let done = search.work(&mut progress)?;
    drop(progress);
    search.write_page()?;
    let refit = match args.refit && done != Done::Stopped {
        true => refit(args, &mut search)?,
        false => None,
    };
    match args.json {
        true => output::line(&results::json(&mut search, done, refit.as_ref())?.to_string())?,
        false => output::line(&results::summary(&mut search, done, refit.as_ref())?)?,
    }
    match done {
        Done::Stopped => Err(Interrupted.into()),
        _ => Ok(()),
    }
}

/// Trains the best recipe on all that is at hand; nothing if none is best yet.
fn refit(args: &TuneArgs, search: &mut Search) -> anyhow::Result<Option<Refit>> {
    let title = "the best recipe, with what was validated on".to_string();
    let stream = Stream::beside_result(args.json);
    let mut progress = Progress::new(args.quiet, stream).with_title(title);
    Ok(search.refit(&mut progress)?)
}

/// Where a search takes place.
struct Place {
    recipe: SearchRecipe,
    study: Study,
    folder: PathBuf,
}

fn place(args: &TuneArgs) -> anyhow::Result<Place> {
    match &args.recipe {
        Some(path) => of_recipe(args, SearchRecipe::load(path, &args.sets)?),
        None => of_study(args),
    }
}

/// A study of a recipe: a new one, or one that was begun before.
fn of_recipe(args: &TuneArgs, recipe: SearchRecipe) -> anyhow::Result<Place> {
    let name = args.name.as_deref().unwrap_or(recipe.name());
    if name.trim().is_empty() || name.contains(['/', '\\', '\0']) {
        bail!(
            "--name {name:?}: expected a name without slashes, because a folder is called after it"
        );
    }
    if let Some(url) = &args.study {
        match names(url) {
            // It is about to be made.
            Ok(_) | Err(StoreError::NoDatabase { .. }) => (),
            Err(error) => return Err(error.into()),
        }
    }
    let folder = folder(args, name)?;
    let url = match &args.study {
        Some(url) => url.clone(),
        None => url_in(&folder)?,
    };
    let study = recipe.study(&url, name, options())?;
    Ok(Place {
        recipe,
        study,
        folder,
    })
}

/// The folder of a search, which is made if it is not there.
fn folder(args: &TuneArgs, name: &str) -> anyhow::Result<PathBuf> {
    let url = args.study.as_deref();
    let folder = (args.out.clone())
        .or_else(|| folder_of(url?))
        .unwrap_or_else(|| Path::new(RUNS).join(format!("{name}-tune")));
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("--out: cannot create {}", folder.display()))?;
    Ok(folder)
}

/// A study that somebody else began.
fn of_study(args: &TuneArgs) -> anyhow::Result<Place> {
    let url = args.study.as_deref().unwrap_or_default();
    let is_place = |set: &&String| {
        let key = set.split('=').next().unwrap_or_default().trim();
        ["data.train", "data.valid", "data.test"].contains(&key)
    };
    if let Some(set) = args.sets.iter().find(|set| !is_place(set)) {
        bail!(
            "--set {set}: the recipe of a study cannot be changed, expected data.train, data.valid or data.test"
        );
    }
    let name = match &args.name {
        Some(name) => name.clone(),
        None => only_study(url)?,
    };
    let study = Study::load(url, &name, options())?;
    let recipe = SearchRecipe::of_study(&study, &args.sets)?;
    let folder = folder(args, &name)?;
    Ok(Place {
        recipe,
        study,
        folder,
    })
}

/// The names of the studies in a database. One that does not answer soon has a wrong address, rather than a server that
/// is about to come back.
fn names(url: &str) -> Result<Vec<String>, StoreError> {
    let patience = Duration::from_secs(10);
    Study::names(
        url,
        StoreOptions {
            patience,
            ..options()
        },
    )
}

/// The name of the only study in a database.
fn only_study(url: &str) -> anyhow::Result<String> {
    let mut names = names(url)?;
    let shown = Study::shown(url);
    match names.len() {
        1 => Ok(names.remove(0)),
        0 => bail!(
            "{shown}: found no study, expected one; begin it with `rekindle tune RECIPE --study {shown}`"
        ),
        _ => bail!(
            "{shown}: found the studies {}, expected one of them as --name",
            names.join(", ")
        ),
    }
}

/// The folder of SQLite's file; none of another database.
fn folder_of(url: &str) -> Option<PathBuf> {
    let path = match url.strip_prefix("sqlite:") {
        Some(path) => path.strip_prefix("//").unwrap_or(path),
        None if url.contains("://") => return None,
        None => url,
    };
    let folder = Path::new(path).parent()?;
    Some(match folder == Path::new("") {
        true => PathBuf::from("."),
        false => folder.to_path_buf(),
    })
}

/// As usual, and people are told when the database does not answer.
pub fn options() -> StoreOptions {
    StoreOptions {
        told: Some(Arc::new(|outage| eprintln!("{outage}"))),
        ..StoreOptions::default()
    }
}

/// Where the trials of a search are, if nothing else is said.
pub fn url_in(folder: &Path) -> anyhow::Result<String> {
    let path = folder.join("study.db");
    let path = path.to_str().with_context(|| {
        format!("--out: path {path:?} is not UTF-8, expected one that a URL can hold")
    })?;
    Ok(format!("sqlite:{path}"))
}
