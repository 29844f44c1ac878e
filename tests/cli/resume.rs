//! A training that is killed at any moment goes on and ends as one that was not killed.

#[allow(dead_code)]
mod common;

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use common::{json, rekindle, run, succeed, toy, toy_recipe};

const EPOCHS: usize = 25;
const KILLS: u32 = 20;
/// Of the run with everything on.
const FEWER_KILLS: u32 = 6;

/// A temporary folder with the toy data and a recipe.
fn prepared(epochs: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("toy.csv"), toy()).expect("data");
    // Masks that grow during the run are part of it.
    let prune = format!(
        "[prune]\ncriterion = \"movement\"\nschedule = {{ kind = \"cubic\", sparsity = 0.6, begin = 1, end = {epochs}, \
         every = 1 }}\n"
    );
    let recipe = toy_recipe(epochs) + &prune;
    fs::write(folder.path().join("toy.toml"), recipe).expect("recipe");
    folder
}

/// The same with an LSTM that normalises over batches, every noise, every penalty on outputs and weights, and constraints.
fn prepared_with_everything(epochs: usize) -> tempfile::TempDir {
    let folder = prepared(epochs);
    let recipe = toy_recipe(epochs).replace(
        "cell = \"gru\"\n",
        "cell = \"lstm\"\nnormalization = \"batch\"\nlayers = 2\ndropout = 0.1\ninput_dropout = 0.1\n",
    );
    let regularize = r#"
[regularize]
activation = 2.0
temporal_activation = 1.0
penalties = [
    { kind = "l2", strength = 1e-3, targets = ["weight_ih", "weight_hh"] },
    { kind = "columns", strength = 1e-3, targets = ["weight_hh"] },
]
constraints = [
    { kind = "max_norm", max = 0.8, targets = ["weight_ih"] },
    { kind = "spectral_radius", max = 0.9, targets = ["weight_hh"] },
]
constrain_every = 2

[regularize.dropout]
input = 0.1
hidden = 0.1
output = 0.1
candidate = 0.1
zoneout_hidden = 0.05
zoneout_cell = 0.2
weight = 0.2
"#;
    fs::write(folder.path().join("toy.toml"), recipe + regularize).expect("recipe");
    folder
}

/// With slow weights, a moving average, a bound that moves, and one sequence whose steps are left out.
fn prepared_with_averages(epochs: usize) -> tempfile::TempDir {
    let folder = prepared(epochs);
    // What is not dropped of it becomes infinite.
    let extreme: String = (0..12)
        .map(|time| format!("x0,{time},up,3e38,3e38\n"))
        .collect();
    fs::write(folder.path().join("extreme.csv"), toy() + &extreme).expect("data");
    let recipe = toy_recipe(epochs)
        .replace(
            "train = \"toy.csv\"",
            "train = \"extreme.csv\"\nvalid = \"toy.csv\"\nscaling = \"none\"",
        )
        .replace("cell = \"gru\"", "cell = \"rnn\"\nactivation = { kind = \"affine\", alpha = 1.0, beta = 0.0 }\ninput_dropout = 0.5");
    let training = r#"optimizer = { kind = "lookahead", inner = "nadam", steps = 3 }
clip = { kind = "norm", max = { from = 0.2, to = 1.0, steps = 40 }, p = 3 }
on_nonfinite = { kind = "back_off", factor = 0.9 }
average = { kind = "ema", decay = 0.8 }
"#;
    fs::write(folder.path().join("toy.toml"), recipe + training).expect("recipe");
    folder
}

/// A text of words with tied vectors, whose states go on from chunk to chunk.
fn prepared_text(epochs: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let line = |number: usize| format!("{} and {} are {}\n", number % 7, number % 5, number % 3);
    let text: String = (0..200).map(line).collect();
    fs::write(folder.path().join("lines.txt"), text).expect("a text");
    let recipe = format!(
        "name = \"toy\"\n[data]\ntrain = \"lines.txt\"\ntest = \"lines.txt\"\n[text]\ntokens = \"word\"\nembedding = 8\n\
         embedding_dropout = 0.1\ntied = true\n[model]\ncell = \"lstm\"\nhidden = 8\nhead_dropout = 0.2\n\
         [training]\nepochs = {epochs}\nbatch_size = 4\nlr = 0.02\naverage = \"ema\"\n\
         bptt = {{ kind = \"random\", steps = 12, deviation = 2.0 }}\n[regularize.dropout]\nweight = 0.2\n"
    );
    fs::write(folder.path().join("toy.toml"), recipe).expect("recipe");
    folder
}

/// Series that are foretold in chunks, or a problem whose sequences are drawn anew in each epoch.
fn prepared_numbers(data: &str, training: &str) -> tempfile::TempDir {
    let folder = prepared(EPOCHS);
    let recipe = format!(
        "name = \"toy\"\n[data]\n{data}\n[model]\ncell = \"lstm\"\nhidden = 8\nhead_dropout = 0.1\ninitial_state = \"learned\"\n\
         [training]\nepochs = {EPOCHS}\nbatch_size = 4\nlr = 0.01\n{training}"
    );
    fs::write(folder.path().join("toy.toml"), recipe).expect("recipe");
    folder
}

/// All that must come out the same: scores, figures without their seconds, steps, weights.
#[derive(PartialEq)]
struct Ending {
    scores: String,
    metrics: Vec<String>,
    steps: String,
    weights: Vec<u8>,
}

impl Ending {
    fn of(folder: &Path, json: &serde_json::Value) -> Self {
        let metrics = fs::read_to_string(folder.join("metrics.csv")).expect("metrics.csv");
        let without_seconds = |line: &str| line.rsplit_once(',').expect("columns").0.to_string();
        Self {
            scores: format!("{} {} {}", json["test"], json["valid"], json["epochs"]),
            metrics: metrics.lines().map(without_seconds).collect(),
            steps: fs::read_to_string(folder.join("steps.csv")).expect("steps.csv"),
            weights: fs::read(folder.join("model.bpk")).expect("model.bpk"),
        }
    }

    fn assert_equals(&self, expected: &Self, after: &str) {
        assert_eq!(self.scores, expected.scores, "scores after {after}");
        assert_eq!(self.metrics, expected.metrics, "metrics.csv after {after}");
        assert_eq!(self.steps, expected.steps, "steps.csv after {after}");
        assert!(self.weights == expected.weights, "weights after {after}");
    }
}

/// A run from beginning to end, and how long it takes.
fn uninterrupted(folder: &Path) -> (Ending, Duration) {
    let started = Instant::now();
    let args = ["train", "toy.toml", "--out", "whole", "--json", "--quiet"];
    let whole = json(&succeed(folder, &args));
    let duration = started.elapsed();
    (Ending::of(&folder.join("whole"), &whole), duration)
}

fn resume(out: &str) -> [&str; 7] {
    [
        "train", "toy.toml", "--out", out, "--resume", "--json", "--quiet",
    ]
}

/// Starts a run or goes on with it, and kills it after a time. If it is over before, how long it took.
fn run_and_kill(folder: &Path, out: &str, time: Duration) -> Option<Duration> {
    let mut child = rekindle(folder, &resume(out));
    let started = Instant::now();
    let child = child.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let mut child = child.expect("it starts");
    while started.elapsed() < time {
        if let Some(status) = child.try_wait().expect("a state") {
            assert!(status.success(), "{out}: {status}");
            return Some(started.elapsed());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    // SIGKILL on Unix: nothing in the program can clean up.
    child.kill().expect("it is killed, or over already");
    child.wait().expect("it ends");
    None
}

/// Numbers in `[0, 1)` from a seed, by the congruential generator of Knuth's MMIX.
struct Uniform(u64);

impl Uniform {
    fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[test]
fn a_killed_training_resumes_to_the_same_result() {
    assert_resumes_to_the_same(prepared(EPOCHS).path(), KILLS);
}

#[test]
fn a_killed_language_model_resumes_to_the_same_result() {
    assert_resumes_to_the_same(prepared_text(EPOCHS).path(), FEWER_KILLS);
}

#[test]
fn forecasts_and_drawn_sequences_resume_to_the_same_result() {
    let series = prepared_numbers(
        "train = \"toy.csv\"\ntest = \"toy.csv\"\nvalid_fraction = 0.25\nforecast = { channels = [\"level\"] }",
        "bptt = 3\n",
    );
    assert_resumes_to_the_same(series.path(), FEWER_KILLS);
    let drawn = "problem = { kind = \"adding\", steps = 6, sequences = 40, held_out = 40 }";
    let drawn = prepared_numbers(drawn, "");
    assert_resumes_to_the_same(drawn.path(), FEWER_KILLS);
}

#[test]
fn norms_noise_and_constraints_resume_to_the_same_result() {
    assert_resumes_to_the_same(prepared_with_everything(EPOCHS).path(), FEWER_KILLS);
}

#[test]
fn averages_slow_weights_and_steps_left_out_resume_to_the_same_result() {
    let folder = prepared_with_averages(EPOCHS);
    assert_resumes_to_the_same(folder.path(), FEWER_KILLS);
    let steps = fs::read_to_string(folder.path().join("whole/steps.csv")).expect("steps.csv");
    let left_out = steps.lines().filter(|line| line.ends_with(",1")).count();
    assert_eq!(left_out, EPOCHS, "one of each epoch");
}

/// Kills a run at one moment in each of as many parts of it as there are kills, and goes on.
fn assert_resumes_to_the_same(folder: &Path, kills: u32) {
    let (expected, mut duration) = uninterrupted(folder);
    let mut random = Uniform(2);
    for kill in 0..kills {
        // Anywhere in its part; the first are before the first epoch ends.
        let share = (f64::from(kill) + random.next()) / f64::from(kills);
        let mut out = format!("killed-{kill}");
        // On a busy machine one run may take much longer than the next, which then is over before it is killed.
        while let Some(shorter) = run_and_kill(folder, &out, duration.mul_f64(share)) {
            duration = shorter;
            out += "-again";
        }
        let resumed = json(&succeed(folder, &resume(&out)));
        let after = format!("a kill at {share:.3} of the run");
        Ending::of(&folder.join(&out), &resumed).assert_equals(&expected, &after);
    }
}

#[test]
fn a_training_that_is_killed_again_and_again_ends_the_same() {
    let folder = prepared(EPOCHS);
    let folder = folder.path();
    let (expected, duration) = uninterrupted(folder);
    let mut random = Uniform(3);
    let mut kills = 0;
    while !folder.join("killed/result.json").exists() {
        assert!(kills < 200, "the run does not get on");
        let over = run_and_kill(folder, "killed", duration.mul_f64(0.4 * random.next()));
        kills += usize::from(over.is_none());
    }
    assert!(kills > 0, "the run was never killed");
    let resumed = json(&succeed(folder, &resume("killed")));
    let after = format!("{kills} kills");
    Ending::of(&folder.join("killed"), &resumed).assert_equals(&expected, &after);
}

#[test]
fn a_run_can_be_resumed_without_naming_its_recipe() {
    let folder = prepared(3);
    let folder = folder.path();
    let first = json(&succeed(
        folder,
        &["train", "toy.toml", "--out", "run", "--json"],
    ));
    let again = ["train", "--out", "run", "--resume", "--json"];
    assert_eq!(json(&succeed(folder, &again)), first, "a finished run");
    fs::remove_file(folder.join("run/result.json")).expect("as if killed at the very end");
    assert_eq!(json(&succeed(folder, &again))["test"], first["test"]);

    let output = run(folder, &["train", "toy.toml", "--out", "run"]);
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(error.contains("--resume"), "{error}");
}

#[test]
fn without_a_folder_the_latest_run_of_the_recipe_is_resumed() {
    let folder = prepared(1);
    let folder = folder.path();
    succeed(folder, &["train", "toy.toml", "--quiet"]);
    succeed(folder, &["train", "toy.toml", "--quiet"]);
    let result = folder.join("runs/toy-gru-seed0-2/result.json");
    fs::remove_file(&result).expect("as if killed at the very end");
    let text = succeed(folder, &["train", "toy.toml", "--resume", "--quiet"]);
    assert!(
        text.contains("run folder: runs/toy-gru-seed0-2\n"),
        "{text}"
    );
    assert!(result.exists());
    assert_eq!(fs::read_dir(folder.join("runs")).expect("runs").count(), 2);
}
