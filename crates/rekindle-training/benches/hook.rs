//! What it costs to watch the gradients of a run.
//!
//! ```sh
//! cargo xtask bench hook
//! ```
//!
//! Whole epochs of training, with `training.watch_gradients` and without, take turns, so that what disturbs the machine
//! disturbs both. The figure is the median of the ratios of all pairs; the second of each pair is now the one, now the
//! other.

use std::path::Path;
use std::process::ExitCode;

use rekindle_training::{Backend, Recipe, Start, TrainError, train};

/// Pairs of epochs.
const PAIRS: usize = 41;

/// Networks that are trained: their name, and overrides of the recipe.
const NETWORKS: [(&str, &[&str]); 3] = [
    ("LSTM, 128 units", &["model.hidden=128"]),
    (
        "GRU, 2 layers of 64 units",
        &["model.cell=gru", "model.layers=2"],
    ),
    ("RNN, 64 units", &["model.cell=rnn"]),
];

const RECIPE: &str = "name = \"hook\"\n[data]\nproblem = { kind = \"adding\", steps = 100, sequences = 320, held_out = 1 }\n\
                      [training]\nepochs = 1\nbatch_size = 32\n";

fn main() -> ExitCode {
    println!("| network | without, ms a step | with, ms a step | with ÷ without |");
    println!("|---|---:|---:|---:|");
    for (name, set) in NETWORKS {
        match line(name, set) {
            Ok(line) => println!("{line}"),
            Err(error) => {
                eprintln!("hook: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

/// The line of a network.
fn line(name: &str, set: &[&str]) -> Result<String, Box<dyn std::error::Error>> {
    let set: Vec<String> = set.iter().map(ToString::to_string).collect();
    let plain = Recipe::from_toml(RECIPE, Path::new("hook.toml"), &set)?;
    let mut watched = plain.clone();
    watched.training.watch_gradients = true;
    let (mut without, mut with, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    // The first pair warms up.
    for pair in 0..=PAIRS {
        let [plain, watched] = match pair % 2 {
            0 => [milliseconds(&plain)?, milliseconds(&watched)?],
            _ => {
                let watched = milliseconds(&watched)?;
                [milliseconds(&plain)?, watched]
            }
        };
        if pair > 0 {
            without.push(plain);
            with.push(watched);
            ratios.push(watched / plain);
        }
    }
    let [without, with, ratio] = [without, with, ratios].map(median);
    Ok(format!(
        "| {name} | {without:.2} | {with:.2} | {ratio:.3} |"
    ))
}

/// Milliseconds that a step of an epoch takes.
fn milliseconds(recipe: &Recipe) -> Result<f64, TrainError> {
    const STEPS: f64 = 10.0;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let backend = Backend::compiled()[0];
    let outcome = train(recipe, backend, folder.path(), Start::Resume, &mut ())?;
    Ok(1000.0 * outcome.seconds / STEPS)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
