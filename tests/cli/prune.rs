//! `rekindle prune`, and pruning while a network trains.

#[allow(dead_code)]
mod common;

use std::fs;
use std::path::Path;

use common::{contents, json, run, succeed, toy, toy_recipe, vowels};
use serde_json::Value;

/// A temporary folder with a finished run of the toy data, `run`: two layers in both directions.
fn trained(more: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("toy.csv"), toy()).expect("data");
    fs::write(folder.path().join("toy.toml"), toy_recipe(4)).expect("recipe");
    let mut args = vec![
        "train",
        "toy.toml",
        "--set",
        "model.layers=2",
        "--set",
        "model.direction=bidirectional",
        "--out",
        "run",
        "--quiet",
    ];
    args.extend(more);
    succeed(folder.path(), &args);
    folder
}

fn prune(folder: &Path, args: &[&str]) -> Value {
    let mut all = vec!["prune", "run"];
    all.extend(args);
    all.extend(["--json", "--quiet"]);
    json(&succeed(folder, &all))
}

fn number(value: &Value) -> f64 {
    value
        .as_f64()
        .unwrap_or_else(|| panic!("{value} is no number"))
}

#[test]
fn half_of_the_units_leave_a_network_that_works_as_any_other() {
    for cell in ["lstm", "gru", "rnn"] {
        let model_cell = format!("model.cell={cell}");
        let temporary = trained(&["--set", &model_cell]);
        let folder = temporary.path();
        let before = contents(&folder.join("run"));
        let result = prune(folder, &["--units", "0.5", "--out", "half"]);
        assert_eq!(contents(&folder.join("run")), before, "the old run");

        let (old, new) = (&result["before"], &result["after"]);
        for key in ["parameters", "nonzero"] {
            assert!(number(&new[key]) < number(&old[key]), "{cell}: {key}");
        }
        // A record pads each tensor, so that of a small network may stay as long.
        assert!(
            number(&new["bytes"]) <= number(&old["bytes"]),
            "{cell}: bytes"
        );
        assert_eq!(result["pruned"], Value::Null);
        for group in ["layers.0.forward", "layers.1.reverse"] {
            assert_eq!(result["kept"][group].as_array().expect("a list").len(), 2);
        }
        let recipe = fs::read_to_string(folder.join("half/recipe.toml")).expect("a recipe");
        assert!(recipe.contains("hidden = 2\n"), "{recipe}");

        let evaluate = ["evaluate", "half", "--data", "toy.csv", "--json"];
        let scores = json(&succeed(folder, &evaluate));
        assert_eq!(scores["accuracy"], new["scores"]["accuracy"], "{cell}");
        succeed(folder, &["predict", "half", "--data", "toy.csv"]);
        let inspected = succeed(folder, &["inspect", "half"]);
        assert!(inspected.contains("toy"), "{inspected}");
        let report = fs::read_to_string(folder.join("half/report.html")).expect("a report");
        assert!(report.contains("layers.1.reverse"), "units in the report");
        assert!(report.contains("sparsity"), "weights in the report");
        // A smaller network can become smaller still.
        let args = [
            "prune", "half", "--units", "0.5", "--out", "quarter", "--quiet",
        ];
        succeed(folder, &args);
        let recipe = fs::read_to_string(folder.join("quarter/recipe.toml")).expect("a recipe");
        assert!(recipe.contains("hidden = 1\n"), "{recipe}");
    }
}

#[test]
fn units_of_all_layers_compete_and_leave_widths_of_each_cell() {
    let temporary = trained(&["--set", "model.hidden=8"]);
    let folder = temporary.path();
    let args = ["--units", "0.4", "--scope", "global", "--out", "some"];
    let result = prune(folder, &args);
    let kept: usize = (result["kept"].as_object().expect("groups").values())
        .map(|units| units.as_array().expect("a list").len())
        .sum();
    // 0.4 of 32 units, rounded, are gone.
    assert_eq!(kept, 19);
    let recipe = fs::read_to_string(folder.join("some/recipe.toml")).expect("a recipe");
    assert!(recipe.contains("hidden = ["), "{recipe}");
    succeed(folder, &["evaluate", "some", "--data", "toy.csv"]);
}

#[test]
fn pruned_weights_stay_zero_in_fine_tuning() {
    let temporary = trained(&[]);
    let folder = temporary.path();
    for criterion in ["magnitude", "sensitivity", "random"] {
        let args = [
            "--weights",
            "0.75",
            "--criterion",
            criterion,
            "--finetune",
            "3",
            "--out",
            criterion,
        ];
        let result = prune(folder, &args);
        assert_eq!(result["report"]["sparsity"], 0.75, "{criterion}");
        let [pruned, after] = [&result["pruned"], &result["after"]];
        assert_eq!(pruned["nonzero"], after["nonzero"], "{criterion}");
        assert_ne!(pruned["scores"]["loss"], after["scores"]["loss"]);
        assert_eq!(result["before"]["parameters"], after["parameters"]);
        // The run is finished, so going on with it changes nothing.
        let resume = ["train", "--resume", "--out", criterion, "--json", "--quiet"];
        let outcome = json(&succeed(folder, &resume));
        assert_eq!(outcome["epochs"], 3);
    }
}

#[test]
fn blocks_of_weights_go_together() {
    let temporary = trained(&[]);
    let folder = temporary.path();
    let args = ["--weights", "0.5", "--target", "weight_hh"];
    let block = ["--block", "2x4", "--out", "blocks"];
    let result = prune(folder, &[args, block].concat());
    assert_eq!(result["report"]["sparsity"], 0.5);
    let zeros = number(&result["before"]["nonzero"]) - number(&result["after"]["nonzero"]);
    assert_eq!(zeros % 8.0, 0.0, "zeros of whole blocks");
}

#[test]
fn a_network_is_pruned_while_it_trains() {
    let temporary = trained(&[
        "--set",
        "prune.schedule={kind='cubic',sparsity=0.75,begin=1,end=3,every=1}",
        "--set",
        "prune.targets=['weight_hh']",
    ]);
    let folder = temporary.path();
    // Pruning nothing tells what there is.
    let args = ["--weights", "0", "--target", "weight_hh", "--out", "same"];
    let result = prune(folder, &args);
    assert_eq!(result["report"]["sparsity"], 0.75);
    // What the run has pruned stays so when units leave and the others are trained again.
    let args = ["--units", "0.5", "--finetune", "2", "--out", "half"];
    let result = prune(folder, &args);
    assert_eq!(result["pruned"]["nonzero"], result["after"]["nonzero"]);
}

#[test]
fn what_cannot_be_pruned_is_an_error_that_leaves_everything() {
    let temporary = trained(&[]);
    let folder = temporary.path();
    fs::create_dir(folder.join("full")).expect("a folder");
    fs::write(folder.join("full/mine.txt"), "mine").expect("a file");
    fs::write(folder.join("bare.csv"), unlabelled()).expect("data");
    let before = contents(folder);
    let cases: &[(&[&str], &[&str])] = &[
        (
            &["--out", "x"],
            &["nothing to prune", "--units", "--weights"],
        ),
        (&["--units", "1", "--out", "x"], &["1", "less than 1"]),
        (&["--units", "-0.5", "--out", "x"], &["-0.5"]),
        (&["--units", "NaN", "--out", "x"], &["NaN", "less than 1"]),
        (
            &["--weights", "1", "--out", "x"],
            &["sparsity", "less than 1"],
        ),
        (
            &["--weights", "0.999999", "--out", "x"],
            &["takes all", "at least one to stay"],
        ),
        (
            &["--weights", "0.5", "--target", "weight_xx", "--out", "x"],
            &["weight_xx", "expected one of", "weight_hh"],
        ),
        (
            &["--units", "0.5", "--weights", "0.5", "--out", "x"],
            &["cannot be used with"],
        ),
        (
            &["--weights", "0.5", "--block", "16", "--out", "x"],
            &["--block", "expected rows and columns"],
        ),
        (
            &["--weights", "0.5", "--block", "7x1", "--out", "x"],
            &["divides into blocks of 7"],
        ),
        (
            &["--units", "0.5", "--block", "2x2", "--out", "x"],
            &["cannot be used with"],
        ),
        (
            &["--units", "0.5", "--finetune", "0", "--out", "x"],
            &["training.epochs is 0", "at least 1"],
        ),
        (
            &["--units", "0.5", "--lr", "0.1", "--out", "x"],
            &["--lr", "--finetune"],
        ),
        (
            &[
                "--units",
                "0.5",
                "--finetune",
                "1",
                "--lr",
                "-1",
                "--out",
                "x",
            ],
            &["training.lr is -1", "positive"],
        ),
        (
            &["--units", "0.5", "--out", "full"],
            &["full", "mine.txt", "not empty"],
        ),
        (&["--units", "0.5", "--out", "run"], &["run", "not empty"]),
        (
            &["--units", "0.5", "--data", "missing.csv", "--out", "x"],
            &["missing.csv"],
        ),
        (
            &["--units", "0.5", "--data", "bare.csv", "--out", "x"],
            &["bare.csv", "label"],
        ),
    ];
    for (args, expected) in cases {
        let mut all = vec!["prune", "run", "--quiet"];
        all.extend(*args);
        assert_refused(folder, &all, expected);
        assert_eq!(contents(folder), before, "{args:?}");
    }
    let other = ["prune", "full", "--units", "0.5", "--out", "x"];
    assert_refused(folder, &other, &["full", "no run folder"]);
}

/// The toy data without labels.
fn unlabelled() -> String {
    let mut text = String::from("series,time,level,slope\n");
    for line in toy().lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        text += &format!("{},{},{},{}\n", fields[0], fields[1], fields[3], fields[4]);
    }
    text
}

fn assert_refused(folder: &Path, args: &[&str], expected: &[&str]) {
    let output = run(folder, args);
    let message = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(2), "{args:?}: {message}");
    for part in expected {
        assert!(message.contains(part), "{args:?}: {part} in {message}");
    }
}

#[test]
fn a_smaller_network_with_the_old_recipe_is_an_error() {
    let temporary = trained(&[]);
    let folder = temporary.path();
    prune(folder, &["--units", "0.5", "--out", "half"]);
    fs::copy(
        folder.join("run/recipe.toml"),
        folder.join("half/recipe.toml"),
    )
    .expect("a copy");
    let before = contents(folder);
    let evaluate = ["evaluate", "half", "--data", "toy.csv"];
    assert_refused(folder, &evaluate, &["half/model.bpk", "shape"]);
    assert_eq!(contents(folder), before);
}

#[test]
fn wrong_sections_are_refused_before_anything_is_written() {
    let temporary = trained(&[]);
    let folder = temporary.path();
    let cases: &[(&str, &[&str])] = &[
        (
            "prune.schedule={kind='one_shot',sparsity=1.0,at=1}",
            &["prune.schedule", "sparsity", "less than 1"],
        ),
        (
            "prune.schedule={kind='cubic',sparsity=0.5,begin=1,end=9,every=1}",
            &["prune.schedule", "9 epochs", "training.epochs"],
        ),
        (
            "prune.schedule={kind='cubic',sparsity=0.5,begin=1,end=3,evry=1}",
            &["prune.schedule.evry", "every"],
        ),
        (
            "prune.schedule={kind='cube'}",
            &["prune.schedule.kind", "cubic"],
        ),
        ("prune.scop='layer'", &["prune.scop", "prune.scope"]),
        ("model.hidden=[3,4]", &["model.hidden", "model.layers 1"]),
    ];
    for (set, expected) in cases {
        let args = ["train", "toy.toml", "--set", set, "--out", "x", "--quiet"];
        assert_refused(folder, &args, expected);
        assert!(!folder.join("x").exists(), "{set}");
    }
    // A pattern shows when it meets the network: in the first step that prunes.
    let schedule = "prune.schedule={kind='one_shot',sparsity=0.5,at=1}";
    let targets = "prune.targets=['weight_xx']";
    let args = [
        "train", "toy.toml", "--set", schedule, "--set", targets, "--out", "x", "--quiet",
    ];
    assert_refused(folder, &args, &["weight_xx", "weight_hh"]);
    assert!(!folder.join("x").exists());
}

#[test]
fn speech_is_still_understood_by_half_a_network() {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let folder = temporary.path();
    let data = vowels("JapaneseVowels_TRAIN.ts");
    let test = vowels("JapaneseVowels_TEST.ts");
    let (data, test) = (data.to_str().expect("text"), test.to_str().expect("text"));
    succeed(
        folder,
        &[
            "train",
            "--train",
            data,
            "--test",
            test,
            "--cell",
            "gru",
            "--set",
            "model.hidden=24",
            "--set",
            "training.epochs=8",
            "--set",
            "training.lr=0.02",
            "--out",
            "run",
            "--quiet",
        ],
    );
    let args = ["--units", "0.5", "--finetune", "6", "--out", "half"];
    let result = prune(folder, &args);
    let accuracy = |network: &str| number(&result[network]["scores"]["accuracy"]);
    assert!(accuracy("before") > 0.9, "{result}");
    assert!(accuracy("after") > accuracy("before") - 0.04, "{result}");
}
