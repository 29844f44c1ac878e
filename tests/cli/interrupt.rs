//! Ctrl-C: what is under way comes to the end of its epoch, and goes on later.
#![cfg(unix)]

#[allow(dead_code)]
mod common;

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use common::{json, rekindle, run, succeed, toy, toy_recipe};

/// So many that the command is still at work when it is interrupted.
const EPOCHS: usize = 300;

/// A folder with the toy data, and a recipe that may be searched.
fn prepared() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("toy.csv"), toy()).expect("data");
    let recipe = toy_recipe(EPOCHS);
    fs::write(folder.path().join("toy.toml"), &recipe).expect("a recipe");
    let open = recipe.replace("hidden = 4", "hidden = { choice = [4] }");
    let open = format!("{open}[tune]\nsampler = \"random\"\npruner = \"none\"\ntrials = 1\n");
    fs::write(folder.path().join("open.toml"), open).expect("a recipe");
    folder
}

fn epochs(run: &Path) -> usize {
    let metrics = fs::read_to_string(run.join("metrics.csv")).unwrap_or_default();
    metrics.lines().count().saturating_sub(1)
}

/// Starts the command and presses Ctrl-C once its run has two epochs.
fn interrupted(folder: &Path, args: &[&str], run: &str) -> Output {
    let mut command = rekindle(folder, args);
    let pipes = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = pipes.spawn().expect("the command starts");
    let started = Instant::now();
    while epochs(&folder.join(run)) < 2 {
        assert!(started.elapsed() < Duration::from_secs(60), "no epoch");
        std::thread::sleep(Duration::from_millis(5));
    }
    // The shell's own command: a program of this name need not be installed.
    let kill = format!("kill -INT {}", child.id());
    let signal = Command::new("sh").args(["-c", &kill]).status();
    assert!(signal.expect("the shell runs").success());
    child.wait_with_output().expect("it ends")
}

#[test]
fn a_training_ends_its_epoch_and_goes_on() {
    let temporary = prepared();
    let folder = temporary.path();
    let args = ["train", "toy.toml", "--out", "run", "--quiet"];
    let output = interrupted(folder, &args, "run");
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{message}");
    assert!(message.contains("stopping after the epoch"), "{message}");
    let epochs = epochs(&folder.join("run"));
    assert!((2..EPOCHS).contains(&epochs), "{epochs}");
    let said = format!("was stopped after epoch {epochs}; `rekindle train --resume --out run`");
    assert!(message.contains(&said), "{message}");

    let args = ["train", "--resume", "--out", "run", "--quiet", "--json"];
    let resumed = json(&succeed(folder, &args));
    assert_eq!(resumed["epochs"], EPOCHS);
}

#[test]
fn a_comparison_goes_on() {
    let temporary = prepared();
    let folder = temporary.path();
    let args = ["compare", "toy.toml", "--out", "runs", "--quiet", "--json"];
    let output = interrupted(folder, &args, "runs/toy-gru-seed0");
    assert_eq!(output.status.code(), Some(130));
    let resumed = json(&succeed(folder, &args));
    assert_eq!(resumed["recipes"][0]["runs"][0]["epochs"], EPOCHS);
}

#[test]
fn a_search_gives_its_trial_back() {
    let temporary = prepared();
    let folder = temporary.path();
    let args = ["tune", "open.toml", "--out", "study"];
    let output = interrupted(folder, &args, "study/trial-0000");
    let (told, message) = (output.stdout, output.stderr);
    let (told, message) = (
        String::from_utf8_lossy(&told),
        String::from_utf8_lossy(&message),
    );
    assert_eq!(output.status.code(), Some(130), "{told}\n{message}");
    assert!(told.contains("stopped before the budget"), "{told}");
    assert!(message.contains("goes on with the study"), "{message}");

    let output = run(folder, &args);
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}");
    assert!(told.contains("goes on where another worker"), "{told}");
    // Nobody has to find out that its worker is gone.
    assert!(!told.contains("waiting for trials"), "{told}");
    assert_eq!(epochs(&folder.join("study/trial-0000")), EPOCHS);
}
