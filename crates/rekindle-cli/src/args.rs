//! The command line.

mod prune;

use std::path::PathBuf;

use clap::{Args as Group, Parser, Subcommand};
use rekindle::training::{Backend, Devices};

use crate::compare::Variant;
use crate::find_lr::FindLrArgs;
use crate::generate::GenerateArgs;
use crate::tune::TuneArgs;

pub use prune::{CriterionName, PruneArgs, ScopeName};

/// Recurrent networks on sequences in files.
#[derive(Parser, Debug)]
#[command(
    name = "rekindle",
    version,
    after_help = "Exit codes: 0 done, 2 input that you can mend, 70 a defect of the program."
)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Train a network and leave a run folder
    Train(TrainArgs),
    /// Train recipes and variants of them, each with several seeds, and compare them in a table and a picture
    Compare(CompareArgs),
    /// Search for the best values of what a recipe leaves open, alone or beside other workers
    Tune(TuneArgs),
    /// Score a trained network on a labelled file, or a language model on a text
    Evaluate(EvaluateArgs),
    /// Predict classes and their probabilities for the sequences of a file
    Predict(PredictArgs),
    /// Let a language model go on with a text
    Generate(GenerateArgs),
    /// Take hidden units out of a trained network, or set weights to zero, and leave it in a run folder of its own
    Prune(PruneArgs),
    /// Write the page of a run, finished or not, or one page that compares several runs
    Report(ReportArgs),
    /// Show a run: network, parameters, scores and recipe
    Inspect(InspectArgs),
    /// Show how the learning rate changes over the run of a recipe, or by a schedule alone
    Schedule(ScheduleArgs),
    /// Find a learning rate: try growing ones on a recipe's network in memory, and show what each does to the loss
    FindLr(FindLrArgs),
    /// Say why a network does not learn: try a few steps in memory, measure, and name faults with their remedies
    Doctor(DoctorArgs),
    /// List the keys of a recipe with their defaults
    Keys,
}

/// Options of `train`.
#[derive(Group, Debug)]
#[command(after_help = "\
Examples:
  rekindle train recipes/japanese-vowels-gru.toml --set training.epochs=20 --out runs/vowels
  rekindle train --train mine.csv --test other.csv --cell gru
  rekindle train recipes/japanese-vowels-gru.toml --out runs/vowels --resume

Without a recipe, --train FILE trains with the defaults. `rekindle keys` lists what --set can change.")]
pub struct TrainArgs {
    /// Recipe in TOML; paths in it count from its folder [default: with --resume and --out the run folder's own]
    pub recipe: Option<PathBuf>,
    /// File to train on (.ts or .csv), instead of data.train of the recipe
    #[arg(long, value_name = "FILE")]
    pub train: Option<PathBuf>,
    /// File to validate on, instead of data.valid [default: a tenth of the training file is held out]
    #[arg(long, value_name = "FILE")]
    pub valid: Option<PathBuf>,
    /// File to score once at the end, instead of data.test [default: none]
    #[arg(long, value_name = "FILE")]
    pub test: Option<PathBuf>,
    /// Cell, instead of model.cell: lstm, gru or rnn [default: lstm]
    #[arg(long)]
    pub cell: Option<String>,
    /// Seed of all random numbers, a whole number from 0 to 2^63 - 1, instead of the recipe's [default: 0]
    #[arg(long, value_name = "N", value_parser = seeds())]
    pub seed: Option<u64>,
    /// Change a key of the recipe, such as training.lr=0.01; the value is TOML or a bare word; can be given several times
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub sets: Vec<String>,
    /// Where to train
    #[command(flatten)]
    pub on: DeviceArgs,
    /// Run folder [default: a new one, runs/NAME-CELL-seedN]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Continue the run in --out, or the latest of the recipe, after its last whole epoch; begin it if there is none
    #[arg(long)]
    pub resume: bool,
    /// Print the result as one JSON object in the last line of standard output; progress goes to standard error
    #[arg(long)]
    pub json: bool,
    /// Show no progress
    #[arg(long)]
    pub quiet: bool,
}

/// Options of `compare`.
#[derive(Group, Debug)]
#[command(after_help = "\
Examples:
  rekindle compare recipes/digits-lstm.toml recipes/japanese-vowels-gru.toml --seeds 1,2,3
  rekindle compare recipes/digits-lstm.toml --seeds 1,2,3 --out runs/cells --plot cells.svg --markdown cells.md \\
    --vary lstm --vary 'gru: model.cell=gru' --vary 'wide rnn: model.cell=rnn, model.hidden=128'

Given again with the same --out, the command trains only what is missing there.")]
pub struct CompareArgs {
    /// Recipes in TOML
    #[arg(required = true)]
    pub recipes: Vec<PathBuf>,
    /// A variant of every recipe, such as 'wide: model.hidden=96, training.lr=0.001'; a label alone is the recipe as it is; can be given several times [default: only that]
    #[arg(long, value_name = "LABEL: KEY=VALUE, …")]
    pub vary: Vec<Variant>,
    /// Seeds to train each recipe and variant with, such as 1,2,3 [default: the recipe's own]
    #[arg(long, value_name = "N,N,…", value_delimiter = ',', value_parser = seeds())]
    pub seeds: Vec<u64>,
    /// Change a key of every recipe, as for `train`; can be given several times
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub sets: Vec<String>,
    /// Where to train
    #[command(flatten)]
    pub on: DeviceArgs,
    /// Folder for the run folders; finished runs in it are taken as they are, others go on [default: new runs in runs]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Picture to write: scores and learning curves, as SVG
    #[arg(long, value_name = "FILE.svg")]
    pub plot: Option<PathBuf>,
    /// File to write the table to, as Markdown
    #[arg(long, value_name = "FILE")]
    pub markdown: Option<PathBuf>,
    /// Print the results as one JSON object in the last line of standard output; progress goes to standard error
    #[arg(long)]
    pub json: bool,
    /// Show no progress
    #[arg(long)]
    pub quiet: bool,
}

/// Options of `evaluate`.
#[derive(Group, Debug)]
pub struct EvaluateArgs {
    /// Run folder
    pub dir: PathBuf,
    /// Labelled file (.ts or .csv) with the channels of the training file, or a text
    #[arg(long, value_name = "FILE")]
    pub data: PathBuf,
    /// Backend, as for `train` [default: the first that is compiled in]
    #[arg(long)]
    pub backend: Option<Backend>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Options of `predict`.
#[derive(Group, Debug)]
pub struct PredictArgs {
    /// Run folder
    pub dir: PathBuf,
    /// File of sequences (.ts or .csv) with the channels of the training file; labels are not needed
    #[arg(long, value_name = "FILE")]
    pub data: PathBuf,
    /// CSV file to write [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Backend, as for `train` [default: the first that is compiled in]
    #[arg(long)]
    pub backend: Option<Backend>,
}

/// Options of `inspect`.
#[derive(Group, Debug)]
pub struct InspectArgs {
    /// Run folder
    pub dir: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Options of `report`.
#[derive(Group, Debug)]
#[command(after_help = "\
Examples:
  rekindle report runs/vowels
  rekindle report runs/digits/* --out digits.html
  rekindle report runs/vowels-tune

One page, which needs no network. Runs whose recipes differ only in the seed are shown as their mean and spread. Nothing is
trained or computed again, so runs that are still going on can be looked at.")]
pub struct ReportArgs {
    /// Run folders, which the page compares if there are several; or the folder of a search
    #[arg(required = true, value_name = "DIR")]
    pub dirs: Vec<PathBuf>,
    /// Database of the trials of a search, as for `tune` [default: study.db in its folder]
    #[arg(long, value_name = "URL")]
    pub study: Option<String>,
    /// Page to write [default: report.html in the folder; comparison.html in the current folder for several runs]
    #[arg(long, value_name = "FILE.html")]
    pub out: Option<PathBuf>,
}

/// Options of `schedule`.
#[derive(Group, Debug)]
#[command(after_help = "\
Examples:
  rekindle schedule recipes/japanese-vowels-gru.toml --plot rate.svg
  rekindle schedule recipes/japanese-vowels-gru.toml --set 'training.schedule={kind=\"cosine\",steps=40}' --csv
  rekindle schedule --schedule 'ramp: {kind=\"warm_up\",steps=5}' --schedule '{kind=\"noam\",warm_up=5}' --steps 40

Steps count from 0. A recipe whose schedule counts steps of the optimiser has its training data read.")]
pub struct ScheduleArgs {
    /// Recipe in TOML
    #[arg(conflicts_with_all = ["schedules", "lr"])]
    pub recipe: Option<PathBuf>,
    /// Change a key of the recipe, as for `train`; can be given several times
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub sets: Vec<String>,
    /// Instead of a recipe: a schedule as at training.schedule, with or without a label; can be given several times
    #[arg(long = "schedule", value_name = "[LABEL: ]{kind=…}")]
    pub schedules: Vec<String>,
    /// Base rate of --schedule [default: 1]
    #[arg(long, value_name = "RATE", allow_negative_numbers = true)]
    pub lr: Option<f64>,
    /// How many steps of the schedule to show [default: those of the run; 100 without a recipe]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub steps: Option<u64>,
    /// Print CSV with every step and all digits, instead of a table
    #[arg(long)]
    pub csv: bool,
    /// Picture to write, as SVG
    #[arg(long, value_name = "FILE.svg")]
    pub plot: Option<PathBuf>,
}

/// Options of `doctor`.
#[derive(Group, Debug)]
#[command(after_help = "\
Examples:
  rekindle doctor recipes/japanese-vowels-gru.toml --report health.html
  rekindle doctor runs/vowels --steps 0
  rekindle doctor mine.toml --set model.hidden=128 --json

Nothing of a run is changed. The exit code is 0 with findings, too.")]
pub struct DoctorArgs {
    /// Recipe in TOML, or run folder
    pub path: PathBuf,
    /// File to look at the cells on [default: a sample of the training data]
    #[arg(long, value_name = "FILE")]
    pub data: Option<PathBuf>,
    /// Training steps to try in memory
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u64).range(..=100_000))]
    pub steps: u64,
    /// Change a key of the recipe, as for `train`; can be given several times
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub sets: Vec<String>,
    /// Page to write, as HTML: figures, findings and pictures
    #[arg(long, value_name = "FILE.html")]
    pub report: Option<PathBuf>,
    /// Backend, as for `train` [default: the first that is compiled in]
    #[arg(long)]
    pub backend: Option<Backend>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Where to train.
#[derive(Group, Debug)]
pub struct DeviceArgs {
    /// Backend: flex, ndarray, wgpu, vulkan, cuda, rocm or metal, as far as compiled in [default: the first that is]
    #[arg(long)]
    pub backend: Option<Backend>,
    /// Devices that share the rows of each batch, such as cuda:0,cuda:1; one chooses it [default: the backend's own]
    #[arg(long, value_name = "NAME,…", conflicts_with = "backend")]
    pub devices: Option<Devices>,
}

impl DeviceArgs {
    /// The devices asked for, or that of the backend.
    ///
    /// # Errors
    /// If no backend is compiled in.
    pub fn devices(&self) -> anyhow::Result<Devices> {
        match &self.devices {
            Some(devices) => Ok(devices.clone()),
            None => Ok(backend(self.backend)?.into()),
        }
    }
}

/// What a recipe takes as a seed: a TOML integer.
fn seeds() -> clap::builder::RangedU64ValueParser {
    clap::value_parser!(u64).range(..=i64::MAX as u64)
}

/// The backend asked for, or the first that is compiled in.
///
/// # Errors
/// If none is.
pub fn backend(asked: Option<Backend>) -> anyhow::Result<Backend> {
    let first = || Backend::compiled().first().copied();
    asked.or_else(first).ok_or_else(|| {
        anyhow::anyhow!("no backend is compiled in, expected one; build with `--features flex`")
    })
}
