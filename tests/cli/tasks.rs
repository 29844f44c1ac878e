//! What else is learned than classes of sequences: numbers, labels of steps, what comes next, and problems that are drawn.

#[allow(dead_code)]
mod common;

use std::fs;
use std::path::Path;

use common::{fail, json, shipped, succeed};

const SEATTLE: &str = "data/seattle-weather";

fn train(folder: &Path, recipe: &str, more: &[&str]) -> serde_json::Value {
    fs::write(folder.join("recipe.toml"), recipe).expect("a recipe");
    let args = ["train", "recipe.toml", "--json", "--quiet", "--out", "run"];
    json(&succeed(folder, &[&args, more].concat()))
}

fn score(outcome: &serde_json::Value, metric: &str) -> f64 {
    let score = outcome["test"][metric].as_f64();
    score.unwrap_or_else(|| panic!("no {metric} in {outcome}"))
}

/// Lines of a CSV text.
fn rows(text: &str) -> Vec<Vec<String>> {
    let cells = |line: &str| line.split(',').map(str::to_string).collect();
    text.lines().map(cells).collect()
}

#[test]
fn sums_are_learned_from_sequences_that_are_drawn() {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let recipe = "name = \"sums\"\n[data]\nproblem = { kind = \"adding\", steps = 8, held_out = 200 }\ntarget_scaling = \"none\"\n\
                  [model]\ncell = \"gru\"\nhidden = 24\n[training]\nepochs = 20\nbatch_size = 20\nlr = 0.01\nwatch = \"valid_rmse\"\n";
    let outcome = train(temporary.path(), recipe, &[]);
    // Who answers 1 always is off by 0.41.
    assert!(score(&outcome, "rmse") < 0.1, "{outcome}");
    assert!(score(&outcome, "r2") > 0.9, "{outcome}");
    // The loss is on the scale of the data here: no scaling.
    let square = score(&outcome, "rmse").powi(2);
    assert!((score(&outcome, "loss") - square).abs() < 1e-5 * square.max(1e-3));
}

#[test]
fn symbols_are_copied_after_a_pause() {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let recipe = "name = \"copy\"\n[data]\nproblem = { kind = \"copy_memory\", steps = 3, symbols = 3, length = 2, held_out = 100 }\n\
                  [model]\ncell = \"gru\"\nhidden = 24\n[training]\nepochs = 15\nbatch_size = 20\nlr = 0.02\n";
    let outcome = train(temporary.path(), recipe, &[]);
    assert!(score(&outcome, "accuracy") > 0.95, "{outcome}");
}

#[test]
fn numbers_of_sequences_are_learned_and_predicted_in_their_units() {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let folder = temporary.path();
    let mut text = String::from("series,time,label,x\n");
    for series in 0..60 {
        let level = series as f64 / 10.0;
        for time in 0..5 + series % 3 {
            let value = level + 0.1 * f64::from(time);
            text += &format!("s{series},{time},{},{value}\n", 1000.0 + 100.0 * level);
        }
    }
    fs::write(folder.join("levels.csv"), &text).expect("data");
    let recipe = "name = \"levels\"\n[data]\ntrain = \"levels.csv\"\ntest = \"levels.csv\"\nlabels = \"value\"\n[model]\ncell = \"gru\"\n\
                  hidden = 8\n[training]\nepochs = 40\nbatch_size = 8\nlr = 0.02\n";
    let outcome = train(folder, recipe, &[]);
    assert!(score(&outcome, "r2") > 0.97, "{outcome}");
    // In units of the labels, which span 590.
    assert!((1.0..60.0).contains(&score(&outcome, "mae")), "{outcome}");

    let table = rows(&succeed(
        folder,
        &["predict", "run", "--data", "levels.csv"],
    ));
    assert_eq!(
        (table.len(), &table[0][..]),
        (61, &["series".to_string(), "value".into()][..])
    );
    let error = |row: &Vec<String>| {
        let series: f64 = row[0][1..].parse().expect("a number");
        (row[1].parse::<f64>().expect("a number") - 1000.0 - 10.0 * series).abs()
    };
    let mean = table[1..].iter().map(error).sum::<f64>() / 60.0;
    assert!(
        (mean - score(&outcome, "mae")).abs() < 0.01,
        "{mean} {outcome}"
    );
    let scored = json(&succeed(
        folder,
        &["evaluate", "run", "--data", "levels.csv", "--json"],
    ));
    assert_eq!(
        (scored["rmse"].as_f64(), scored["sequences"].as_u64()),
        (Some(score(&outcome, "rmse")), Some(60))
    );
    let shown = succeed(folder, &["inspect", "run"]);
    assert!(shown.contains("numbers: value"), "{shown}");
}

#[test]
fn steps_are_labelled_and_those_without_a_label_do_not_count() {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let folder = temporary.path();
    // Whether the last number above 0 was above 1; not known before there was one.
    let mut text = String::from("series,time,label,x\n");
    for series in 0..40 {
        let mut label = "?";
        for time in 0..12 {
            let x = [0.0, 0.5, 0.0, 2.0, 0.0, 0.0][(series * 7 + time * (1 + series % 4)) % 6];
            label = match x {
                0.0 => label,
                0.5 => "low",
                _ => "high",
            };
            text += &format!("s{series},{time},{label},{x}\n");
        }
    }
    fs::write(folder.join("steps.csv"), &text).expect("data");
    let known = text
        .lines()
        .filter(|line| line.contains("low") || line.contains("high"));
    let known = known.count() as u64;
    let recipe = "name = \"steps\"\n[data]\ntrain = \"steps.csv\"\ntest = \"steps.csv\"\nlabels = \"step_class\"\n[model]\ncell = \"gru\"\n\
                  hidden = 8\n[training]\nepochs = 30\nbatch_size = 8\nbptt = 6\nlr = 0.03\n";
    let outcome = train(folder, recipe, &[]);
    assert!(score(&outcome, "accuracy") > 0.97, "{outcome}");
    let scored = json(&succeed(
        folder,
        &["evaluate", "run", "--data", "steps.csv", "--json"],
    ));
    assert_eq!(scored["steps"].as_u64(), Some(known));
    let table = rows(&succeed(folder, &["predict", "run", "--data", "steps.csv"]));
    assert_eq!(table.len(), 1 + 40 * 12);
    assert_eq!(table[0], ["series", "step", "label", "p_high", "p_low"]);
    assert_eq!(table[12][..2], ["s0", "12"]);

    // The same rows with numbers as labels.
    let numbers = text
        .replace("high", "1")
        .replace("low", "-1")
        .replace(",?,", ",,");
    fs::write(folder.join("steps.csv"), numbers).expect("data");
    fs::remove_dir_all(folder.join("run")).expect("a run");
    let outcome = train(folder, recipe, &["--set", "data.labels=step_value"]);
    assert!(score(&outcome, "r2") > 0.9, "{outcome}");
}

#[test]
fn the_weather_is_foretold_better_than_by_that_of_today() {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let folder = temporary.path();
    let recipe = shipped("recipes/seattle-forecast.toml");
    let args = ["train", &recipe, "--json", "--quiet", "--out", "run"];
    let outcome = json(&succeed(folder, &args));
    // The temperature of today for the next seven days is off by 4.36 degrees.
    assert!(score(&outcome, "rmse") < 4.0, "{outcome}");

    let test = shipped(&format!("{SEATTLE}/test.csv"));
    let table = rows(&succeed(folder, &["predict", "run", "--data", &test]));
    assert_eq!(table[0], ["series", "ahead", "temp_max"]);
    let ahead: Vec<&str> = table[1..].iter().map(|row| row[1].as_str()).collect();
    assert_eq!(ahead, ["1", "2", "3", "4", "5", "6", "7"]);
    // The year ends in winter.
    let degrees = table[1..]
        .iter()
        .map(|row| row[2].parse::<f64>().expect("a number"));
    assert!(
        degrees
            .clone()
            .all(|degrees| (-5.0..17.0).contains(&degrees)),
        "{table:?}"
    );
}

#[test]
fn what_cannot_be_learned_is_refused() {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let folder = temporary.path();
    let csv = shipped(&format!("{SEATTLE}/train.csv"));
    let data = format!("train = '{csv}'");
    fs::write(
        folder.join("short.csv"),
        "series,time,x\na,0,1\na,1,2\nb,0,1\n",
    )
    .expect("data");
    let gap: String = (0..30)
        .map(|time| format!("a,{time},{},{time}\n", if time < 25 { "?" } else { "1" }))
        .collect();
    fs::write(
        folder.join("gap.csv"),
        format!("series,time,label,x\n{gap}"),
    )
    .expect("data");
    let cases: [(&str, &str, &[&str]); 12] = [
        (&data, "", &["label `rain`, expected `drizzle`"]),
        (
            &format!("{data}\nlabels = 'step_value'"),
            "",
            &["train.csv:2", "`drizzle`", "a finite number"],
        ),
        (
            &format!("{data}\nforecast = {{ channels = ['rain'] }}"),
            "",
            &["no channel `rain`", "`precipitation`"],
        ),
        (
            &format!("{data}\nforecast = {{ horizon = 400 }}"),
            "",
            &["731 steps", "expected at least"],
        ),
        (
            &format!("{data}\nforecast = {{ horizon = 0 }}"),
            "",
            &["data.forecast.horizon is 0"],
        ),
        (
            &format!("{data}\nforecast = {{}}"),
            "model.direction=bidirectional",
            &["model.direction", "data.forecast"],
        ),
        (
            &format!("{data}\nforecast = {{}}\nlabels = 'value'"),
            "",
            &["data.forecast is beside data.labels"],
        ),
        (
            &format!("{data}\nproblem = 'adding'"),
            "",
            &["data.problem is beside files"],
        ),
        (
            "problem = { kind = 'adding', steps = 1 }",
            "",
            &["data.problem.steps is 1"],
        ),
        (
            "problem = { kind = 'copying' }",
            "",
            &["copying", "copy_memory"],
        ),
        (
            "problem = 'adding'",
            "training.bptt=20",
            &["training.bptt", "a sequence with one answer"],
        ),
        (
            "train = 'gap.csv'\nvalid_fraction = 0\nlabels = 'step_value'\n[training]\nbatch_size = 1",
            "training.bptt=10",
            &["steps 1 to 10 of series `a`", "raise it"],
        ),
    ];
    for (data, set, parts) in cases {
        fs::write(
            folder.join("r.toml"),
            format!("name = \"r\"\n[data]\n{data}\n"),
        )
        .expect("a recipe");
        let mut args = vec!["train", "r.toml", "--set", "training.keep=last"];
        if !set.is_empty() {
            args.extend(["--set", set]);
        }
        let message = fail(folder, &args);
        for part in parts {
            assert!(
                message.contains(part),
                "{data} {set}: {part:?} is not in {message:?}"
            );
        }
        assert!(!folder.join("runs").exists(), "{data} {set} left a run");
    }
}
