//! `rekindle tune`: searches that find, go on, are shared and killed, and what is refused.

#[allow(dead_code)]
mod common;

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use common::{contents, fail, json, rekindle, run, shipped, succeed, toy, toy_recipe};
use rekindle::tune::{StoreOptions, Study};
use serde_json::Value;

/// A folder with the toy data and a recipe that leaves values open.
fn prepared(tune: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("toy.csv"), toy()).expect("data");
    let recipe = toy_recipe(6)
        .replace("cell = \"gru\"", "cell = { choice = [\"gru\", \"lstm\"] }")
        .replace("hidden = 4", "hidden = { log = [2, 8] }")
        .replace("lr = 0.02", "lr = { log = [1e-4, 1e-1] }");
    let recipe = format!("{recipe}[tune]\n{tune}\n");
    fs::write(folder.path().join("toy.toml"), recipe).expect("recipe");
    folder
}

fn tune(folder: &Path, args: &[&str]) -> Value {
    let all = [
        &["tune", "toy.toml", "--out", "study", "--quiet", "--json"],
        args,
    ]
    .concat();
    json(&succeed(folder, &all))
}

fn count(found: &Value) -> u64 {
    let of = |state: &str| found[state].as_u64().expect("a count");
    of("complete") + of("pruned") + of("failed")
}

#[test]
fn a_search_finds_a_recipe_that_trains_to_its_value() {
    let folder = prepared("trials = 8\npruner = \"none\"");
    let folder = folder.path();
    let found = tune(folder, &["--refit"]);
    assert_eq!((count(&found), found["complete"].as_u64()), (8, Some(8)));
    assert_eq!(found["epochs"], 48);
    let best = &found["best"];
    for number in 0..8 {
        let metrics = format!("study/trial-{number:04}/metrics.csv");
        assert!(folder.join(metrics).exists(), "trial {number}");
    }
    // The exported recipe alone gives the very value that the trial had.
    let args = [
        "train",
        "study/best.toml",
        "--out",
        "again",
        "--quiet",
        "--json",
    ];
    let again = json(&succeed(folder, &args));
    let loss = |outcome: &Value| outcome["valid"]["loss"].as_f64().expect("a loss");
    let value = best["value"].as_f64().expect("a value");
    assert!((loss(&again) - value).abs() < 1e-9, "{again} {value}");
    let recipe = fs::read_to_string(folder.join("study/best.toml")).expect("a recipe");
    let cell = best["values"]["model.cell"].as_str().expect("a cell");
    assert!(recipe.contains(&format!("cell = \"{cell}\"")), "{recipe}");

    let refit = &found["refit"]["outcome"];
    assert!(refit["valid"].is_null(), "all is trained on: {refit}");
    assert!(refit["test"]["accuracy"].as_f64().expect("a score") > 0.5);
    let page = fs::read_to_string(folder.join("study/report.html")).expect("a page");
    assert!(page.contains("model.hidden") && page.contains("training.lr"));
    // Anybody may ask for it at any time, even where the data are not at hand.
    fs::remove_file(folder.join("study/report.html")).expect("it was there");
    fs::rename(folder.join("toy.csv"), folder.join("away.csv")).expect("moved");
    succeed(folder, &["report", "study"]);
    let again = fs::read_to_string(folder.join("study/report.html")).expect("a page");
    assert!(again == page, "the same page");
    fs::rename(folder.join("study/study.db"), folder.join("elsewhere.db")).expect("moved");
    let message = fail(folder, &["report", "study"]);
    assert!(message.contains("give --study URL"), "{message}");
    let args = [
        "report",
        "study",
        "--study",
        "elsewhere.db",
        "--out",
        "a.html",
    ];
    succeed(folder, &args);
    let elsewhere = fs::read_to_string(folder.join("a.html")).expect("a page");
    assert!(elsewhere == page, "the same page");
}

#[test]
fn a_search_goes_on_and_one_worker_alone_repeats_itself() {
    // From the third on, trials are proposed by what came of those before.
    let settings = "trials = 7\nsampler = { kind = \"tpe\", startup_trials = 2 }";
    let whole = prepared(settings);
    let whole = tune(whole.path(), &[]);
    let folder = prepared(settings);
    let folder = folder.path();
    assert_eq!(count(&tune(folder, &["--trials", "3"])), 3);
    let rest = tune(folder, &[]);
    assert_eq!(count(&rest), 7);
    assert_eq!(rest["best"]["values"], whole["best"]["values"]);
    assert_eq!(rest["best"]["value"], whole["best"]["value"]);
    // Nothing is left to do, and nothing is done.
    let before = contents(&folder.join("study/trial-0002"));
    assert_eq!(tune(folder, &[])["best"], rest["best"]);
    assert_eq!(contents(&folder.join("study/trial-0002")), before);
    let used_up = tune(folder, &["--trials", "9", "--epochs", "1"]);
    assert_eq!(
        (used_up["done"].as_str(), count(&used_up)),
        (Some("the epochs are used up"), 7)
    );
}

#[test]
fn trials_that_were_stopped_can_go_on() {
    let folder =
        prepared("trials = 12\npruner = { kind = \"asha\", reduction = 2 }\nsampler = \"random\"");
    let folder = folder.path();
    let found = tune(folder, &[]);
    let pruned = found["pruned"].as_u64().expect("a count");
    assert!(pruned > 0 && found["epochs"].as_u64() < Some(72), "{found}");
    let stopped = (0..12)
        .map(|number| format!("study/trial-{number:04}"))
        .find(|trial| !folder.join(trial).join("result.json").exists());
    let stopped = stopped.expect("a trial without a result");
    let args = ["train", "--resume", "--out", &stopped, "--quiet", "--json"];
    assert_eq!(json(&succeed(folder, &args))["epochs"], 6);
}

#[test]
fn workers_share_a_study_and_take_over_what_a_killed_one_leaves() {
    let folder = prepared("trials = 8\npruner = \"none\"");
    let folder = folder.path();
    let set = ["--set", "training.epochs=100"];
    let args = ["tune", "toy.toml", "--out", "study", "--quiet", "--json"];
    let mut first = rekindle(folder, &[&args[..], &set].concat())
        .stdout(Stdio::null())
        .spawn()
        .expect("a worker");
    while !folder.join("study/trial-0001/metrics.csv").exists() {
        let ended = first.try_wait().expect("a worker");
        assert!(ended.is_none(), "the worker ended: {ended:?}");
        std::thread::sleep(Duration::from_millis(2));
    }
    first.kill().expect("it is killed");
    first.wait().expect("it is gone");
    let url = "sqlite:study/study.db";
    let worker = ["tune", "--study", url, "--worker", "--quiet", "--json"];
    let second = rekindle(folder, &worker)
        .stdout(Stdio::piped())
        .spawn()
        .expect("a worker");
    let third = run(folder, &worker);
    let second = second.wait_with_output().expect("it ends");
    for output in [&second, &third] {
        let text = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{text}\n{errors}");
        let found = json(&text);
        let ended = (count(&found), found["running"].as_u64());
        assert_eq!(ended, (8, Some(0)), "{found}");
        assert_eq!(found["epochs"], 800);
    }
    let url = format!("sqlite:{}", folder.join("study/study.db").display());
    let mut study = Study::load(&url, "toy", StoreOptions::default()).expect("the study");
    let attempts: Vec<u64> = (study.trials().expect("trials").iter())
        .map(|entry| entry.attempt)
        .collect();
    assert_eq!(attempts, [1, 2, 1, 1, 1, 1, 1, 1]);
    assert_eq!(study.check().expect("a check"), [""; 0]);
}

#[test]
fn what_cannot_be_searched_is_told_before_anything_runs() {
    let folder = prepared("trials = 2");
    let folder = folder.path();
    let message = |args: &[&str]| fail(folder, &[&["tune"], args].concat());
    let with = |set: &str| message(&["toy.toml", "--out", "study", "--set", set]);
    for (set, expected) in [
        (
            "model.hiden={choice=[1]}",
            "unknown key model.hiden, did you mean model.hidden?",
        ),
        ("model.hidden={choice=[]}", "the list of choices is empty"),
        (
            "model.layers={uniform=[0,2]}",
            "with model.layers = 0: model.layers is 0",
        ),
        (
            "model.peepholes={choice=[\"none\"],when={\"model.cell\"=\"rnn\"}}",
            "counts only if model.cell is \"rnn\", which it never is",
        ),
        (
            "tune.trails=3",
            "unknown key tune.trails, did you mean tune.trials?",
        ),
        ("tune.sampler=\"grid\"", "training.lr"),
        ("tune.sampler=\"tep\"", "unknown variant"),
        (
            "training.watch={choice=[\"valid_loss\",\"train_loss\"]}",
            "training.watch: found valid_loss and train_loss",
        ),
    ] {
        let found = with(set);
        assert!(found.contains(expected), "{set}: {found}");
    }
    assert!(!folder.join("study").exists(), "nothing is left behind");
    let found = message(&["toy.toml", "--set", "data.train=none.csv", "--out", "study"]);
    assert!(found.contains("none.csv"), "{found}");

    // A recipe without open values, and one with them where a single run is meant.
    fs::write(folder.join("closed.toml"), toy_recipe(2)).expect("recipe");
    assert!(message(&["closed.toml"]).contains("no parameter to search over"));
    let found = fail(folder, &["train", "toy.toml"]);
    assert!(
        found.contains("toy.toml:7: model.cell is for a search"),
        "{found}"
    );
    assert!(
        found.contains("`rekindle tune toy.toml` searches"),
        "{found}"
    );
}

#[test]
fn studies_that_do_not_fit_are_left_alone() {
    let folder = prepared("trials = 2\npruner = \"none\"");
    let folder = folder.path();
    let found = tune(folder, &[]);
    let before = contents(&folder.join("study/trial-0001"));
    let study = ["tune", "toy.toml", "--out", "study"];
    let other = fail(
        folder,
        &[&study[..], &["--set", "training.epochs=9"]].concat(),
    );
    assert!(
        other.contains("training.epochs") && other.contains('9'),
        "{other}"
    );
    let url = "sqlite:study/study.db";
    let none = fail(
        folder,
        &["tune", "--worker", "--study", url, "--name", "toys"],
    );
    assert!(none.contains("toys") && none.contains("toy"), "{none}");
    let none = fail(folder, &["tune", "--worker", "--study", "sqlite:other.db"]);
    assert!(
        none.contains("other.db") && !folder.join("other.db").exists(),
        "{none}"
    );
    let changed = ["tune", "--worker", "--study", url, "--set", "training.lr=1"];
    assert!(fail(folder, &changed).contains("expected data.train, data.valid or data.test"));
    let text = toy().replace("0.25", "0.3");
    fs::write(folder.join("other.csv"), text).expect("data");
    for study in [&study[..], &["tune", "--worker", "--study", url]] {
        let other = fail(
            folder,
            &[study, &["--set", "data.train=other.csv"]].concat(),
        );
        assert!(other.contains("checksum"), "{other}");
    }
    fs::write(folder.join("noise.db"), vec![7; 4096]).expect("a file");
    let noise = fail(folder, &["tune", "toy.toml", "--study", "sqlite:noise.db"]);
    assert!(
        noise.contains("noise.db") && noise.contains("not a database"),
        "{noise}"
    );
    assert_eq!(
        fs::read(folder.join("noise.db")).expect("a file"),
        vec![7; 4096]
    );
    assert_eq!(contents(&folder.join("study/trial-0001")), before);
    // Bounds may be others, and data may lie elsewhere.
    fs::rename(folder.join("toy.csv"), folder.join("moved.csv")).expect("moved");
    let more = tune(
        folder,
        &[
            "--set",
            "tune.trials=3",
            "--set",
            "data.train=moved.csv",
            "--set",
            "data.test=moved.csv",
        ],
    );
    assert_eq!(count(&more), 3);
    assert!(more["best"]["value"].as_f64() <= found["best"]["value"].as_f64());
}

#[test]
fn the_shipped_recipe_is_a_search() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let recipe = shipped("recipes/japanese-vowels-tune.toml");
    let args = [
        "tune",
        &recipe,
        "--trials",
        "2",
        "--set",
        "training.epochs=2",
        "--quiet",
        "--json",
    ];
    let found = json(&succeed(folder.path(), &args));
    assert_eq!(count(&found), 2);
    assert!(
        folder
            .path()
            .join("runs/japanese-vowels-tune/report.html")
            .exists()
    );
}
