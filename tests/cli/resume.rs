//! A training that is killed at any moment goes on and ends as one that was not killed.

#[allow(dead_code)]
mod common;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use common::{json, rekindle, run, succeed, toy, toy_recipe};

const EPOCHS: usize = 60;
const KILLS: u32 = 20;

/// All that must come out the same: scores, figures without their seconds, steps, weights.
fn result(folder: &Path, json: &serde_json::Value) -> (String, Vec<String>, String, Vec<u8>) {
    let metrics = fs::read_to_string(folder.join("metrics.csv")).expect("metrics.csv");
    let figures = metrics
        .lines()
        .map(|line| line.rsplit_once(',').expect("columns").0.to_string());
    (
        format!("{} {} {}", json["test"], json["valid"], json["epochs"]),
        figures.collect(),
        fs::read_to_string(folder.join("steps.csv")).expect("steps.csv"),
        fs::read(folder.join("model.bpk")).expect("model.bpk"),
    )
}

#[test]
fn a_killed_training_resumes_to_the_same_result() {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let folder = temporary.path();
    fs::write(folder.join("toy.csv"), toy()).expect("data");
    fs::write(folder.join("toy.toml"), toy_recipe(EPOCHS)).expect("recipe");

    let started = Instant::now();
    let whole = json(&succeed(
        folder,
        &["train", "toy.toml", "--out", "whole", "--json", "--quiet"],
    ));
    let duration = started.elapsed();
    let expected = result(&folder.join("whole"), &whole);

    let mut unfinished = 0;
    for kill in 0..KILLS {
        let out = format!("killed-{kill}");
        let args = [
            "train", "toy.toml", "--out", &out, "--resume", "--json", "--quiet",
        ];
        // Moments spread over the whole run, each a little off its place, so that they are no multiples of an epoch.
        let share = (f64::from(kill) + f64::from(kill * 7 % 10) / 10.0) / f64::from(KILLS);
        let mut child = rekindle(folder, &args);
        let mut child = child
            .stdout(std::process::Stdio::null())
            .spawn()
            .expect("it starts");
        std::thread::sleep(Duration::from_secs_f64(duration.as_secs_f64() * share));
        // SIGKILL on Unix: nothing in the program can clean up.
        child.kill().expect("it is killed, or over already");
        child.wait().expect("it ends");
        unfinished += usize::from(!folder.join(&out).join("result.json").exists());

        let resumed = json(&succeed(folder, &args));
        let found = result(&folder.join(&out), &resumed);
        assert_eq!(found.0, expected.0, "scores after kill {kill}");
        assert_eq!(found.1, expected.1, "metrics.csv after kill {kill}");
        assert_eq!(found.2, expected.2, "steps.csv after kill {kill}");
        assert!(found.3 == expected.3, "weights after kill {kill}");
    }
    assert!(
        unfinished >= KILLS as usize / 2,
        "only {unfinished} runs were killed before their end"
    );
}

#[test]
fn a_run_can_be_resumed_without_naming_its_recipe() {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let folder = temporary.path();
    fs::write(folder.join("toy.csv"), toy()).expect("data");
    fs::write(folder.join("toy.toml"), toy_recipe(3)).expect("recipe");
    let first = json(&succeed(
        folder,
        &["train", "toy.toml", "--out", "run", "--json"],
    ));
    fs::remove_file(folder.join("run/result.json")).expect("as if killed at the very end");
    let again = json(&succeed(
        folder,
        &["train", "--out", "run", "--resume", "--json"],
    ));
    assert_eq!(again["test"], first["test"]);

    let output = run(folder, &["train", "toy.toml", "--out", "run"]);
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(error.contains("--resume"), "{error}");
}
