//! Classic proofs that long dependencies are learned, with fixed seeds: minutes of training, so `cargo xtask prove` runs them.
//!
//! Each trains a shipped recipe as a user would, and prints what it reached.

#[allow(dead_code)]
mod common;

use std::path::Path;

use common::{json, shipped, succeed};

/// The mean squared error that solves the adding problem; answering 1 always has 1/6.
const SOLVED: f64 = 0.01;

/// Trains a shipped recipe with overrides and returns what it ended with.
fn train(folder: &Path, recipe: &str, out: &str, set: &[&str]) -> serde_json::Value {
    let path = shipped(&format!("recipes/{recipe}.toml"));
    let mut args = vec!["train", &path, "--out", out, "--json", "--quiet"];
    for set in set {
        args.extend(["--set", *set]);
    }
    let outcome = json(&succeed(folder, &args));
    let seconds = outcome["seconds"].as_f64().expect("seconds");
    println!("{recipe} {set:?}: {} in {seconds:.0} s", outcome["test"]);
    outcome
}

/// The mean squared error over the test sequences.
fn error(outcome: &serde_json::Value) -> f64 {
    outcome["test"]["loss"].as_f64().expect("a loss")
}

/// What the doctor finds first in a run, and the lines that it would put into the recipe.
fn first_finding(folder: &Path, run: &str) -> (String, Vec<String>) {
    let examination = json(&succeed(folder, &["doctor", run, "--json"]));
    let finding = &examination["findings"][0];
    println!("{run}: {} {}", finding["name"], finding["evidence"]);
    let name = finding["name"].as_str().unwrap_or("nothing").to_string();
    let remedy = finding["remedy"][0].as_str().unwrap_or_default();
    // A line is `key = value`, an override `key=value`.
    let lines = remedy.lines().map(|line| line.replacen(" = ", "=", 1));
    (name, lines.collect())
}

#[test]
#[ignore = "minutes of training: cargo xtask prove"]
fn the_adding_problem_is_solved_by_lstm_gru_and_irnn() {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    for recipe in ["adding-lstm", "adding-gru", "adding-irnn"] {
        let outcome = train(temporary.path(), recipe, recipe, &[]);
        assert!(error(&outcome) < SOLVED, "{recipe}: {outcome}");
    }
}

#[test]
#[ignore = "minutes of training: cargo xtask prove"]
fn a_tanh_rnn_fails_and_what_the_doctor_prescribes_makes_it_learn() {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let folder = temporary.path();
    let outcome = train(folder, "adding-rnn", "plain", &[]);
    assert!(error(&outcome) > 0.14, "{outcome}");
    let (name, remedy) = first_finding(folder, "plain");
    assert_eq!(name, "vanishing_gradients");
    let remedy: Vec<&str> = remedy.iter().map(String::as_str).collect();
    let outcome = train(folder, "adding-rnn", "mended", &remedy);
    assert!(error(&outcome) < SOLVED, "{outcome}");
}

#[test]
#[ignore = "minutes of training: cargo xtask prove"]
fn an_exploding_rnn_fails_and_what_the_doctor_prescribes_makes_it_learn() {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let folder = temporary.path();
    let grows = "model.init.recurrent={kind='identity',gain=1.05}";
    let outcome = train(folder, "adding-irnn", "grows", &[grows]);
    assert!(error(&outcome) > 0.14, "{outcome}");
    let (name, remedy) = first_finding(folder, "grows");
    assert_eq!(name, "exploding_gradients");
    let mut set = vec![grows];
    set.extend(remedy.iter().map(String::as_str));
    let outcome = train(folder, "adding-irnn", "mended", &set);
    assert!(error(&outcome) < SOLVED, "{outcome}");
}

#[test]
#[ignore = "minutes of training: cargo xtask prove"]
fn symbols_are_remembered_over_a_hundred_steps_by_a_gru_with_chrono_biases() {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let outcome = train(temporary.path(), "copy-gru", "copy", &[]);
    let accuracy = outcome["test"]["accuracy"].as_f64().expect("an accuracy");
    // Chance is 1/8.
    assert!(accuracy > 0.95, "{outcome}");
}
