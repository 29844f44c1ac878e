//! `rekindle doctor`.

#[allow(dead_code)]
mod common;

use std::fs;

use common::{contents, json, run, shipped, succeed, toy, toy_recipe};

/// A temporary folder with data and a recipe.
fn prepared() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("toy.csv"), toy()).expect("data");
    fs::write(folder.path().join("toy.toml"), toy_recipe(12)).expect("recipe");
    folder
}

const DEAD: [&str; 6] = [
    "--set",
    "model.cell=rnn",
    "--set",
    "model.activation=relu",
    "--set",
    "model.init.bias={kind='constant',value=-5.0}",
];

#[test]
fn a_recipe_is_examined_without_a_trace() {
    let temporary = prepared();
    let folder = temporary.path();
    let before = contents(folder);
    let text = succeed(folder, &["doctor", "toy.toml", "--steps", "100"]);
    assert!(text.contains("toy: 100 steps tried in memory"), "{text}");
    assert!(text.contains("layer 0 forward"), "{text}");
    assert!(text.ends_with("No fault found.\n"), "{text}");
    assert_eq!(contents(folder), before);
}

#[test]
fn findings_come_with_their_remedies_and_exit_code_0() {
    let temporary = prepared();
    let folder = temporary.path();
    let mut args = vec!["doctor", "toy.toml", "--report", "health.html"];
    args.extend(DEAD);
    let text = succeed(folder, &args);
    assert!(text.contains("1. dead_units (fault)"), "{text}");
    assert!(
        text.contains("     model.init.bias = { kind = \"zeros\" }"),
        "{text}"
    );
    let page = fs::read_to_string(folder.join("health.html")).expect("a page");
    assert!(page.contains("dead_units (fault)") && page.contains("Gradient over time and layers"));

    args.push("--json");
    let examination = json(&succeed(folder, &args));
    assert_eq!(examination["findings"][0]["name"], "dead_units");
    assert_eq!(examination["measurements"]["units"][0]["dead"], 4);
    assert_eq!(examination["tried"], 60);

    // The remedy is a recipe that learns.
    args.truncate(2);
    args.extend(&DEAD[..4]);
    args.extend(["--set", "model.init.bias={kind='zeros'}", "--steps", "150"]);
    let text = succeed(folder, &args);
    assert!(!text.contains("(fault)"), "{text}");
}

#[test]
fn runs_are_examined_finished_or_not_and_stay_as_they_are() {
    let temporary = prepared();
    let folder = temporary.path();
    let train = ["train", "toy.toml", "--out", "run", "--quiet"];
    succeed(
        folder,
        &[&train[..], &["--set", "training.watch_gradients=true"]].concat(),
    );
    let before = contents(&folder.join("run"));
    for args in [
        vec!["doctor", "run", "--steps", "0"],
        vec![
            "doctor",
            "run",
            "--data",
            "toy.csv",
            "--report",
            "page.html",
        ],
    ] {
        let text = succeed(folder, &args);
        assert!(text.contains("steps tried in memory"), "{text}");
    }
    let page = fs::read_to_string(folder.join("page.html")).expect("a page");
    assert!(page.contains("Gradient that reaches the beginning"));
    fs::remove_file(folder.join("run/result.json")).expect("it is finished");
    succeed(folder, &["doctor", "run", "--steps", "5", "--json"]);
    let mut after = contents(&folder.join("run"));
    after.insert("run/result.json".into(), None);
    assert_eq!(before.len(), after.len());
}

/// The loss of the first steps is not finite: a finding, where training ends with an error.
#[test]
fn a_run_that_broke_off_is_examined() {
    let temporary = prepared();
    let folder = temporary.path();
    let breaks = [
        "--set",
        "model.cell=rnn",
        "--set",
        "model.activation=relu",
        "--set",
        "model.init.recurrent={kind='constant',value=1e12}",
        "--set",
        "training.clip={kind='none'}",
    ];
    let train = ["train", "toy.toml", "--out", "run", "--quiet"];
    let output = run(folder, &[&train[..], &breaks].concat());
    assert_eq!(output.status.code(), Some(2));
    let text = succeed(folder, &["doctor", "run"]);
    assert!(text.contains("not finite at step"), "{text}");
    assert!(text.contains("1. no_clipping (fault)"), "{text}");
    // With steps that may be left out it breaks off later.
    let recipe = [
        "doctor",
        "toy.toml",
        "--set",
        "training.on_nonfinite=back_off",
    ];
    let text = succeed(folder, &[&recipe[..], &breaks].concat());
    assert!(text.contains("steps left out"), "{text}");
    assert!(text.contains("1. no_clipping (fault)"), "{text}");
}

#[test]
fn wrong_paths_are_told() {
    let temporary = prepared();
    let folder = temporary.path();
    fs::create_dir(folder.join("empty")).expect("a folder");
    let unlabelled = "series,time,level,slope\na,0,1,2\na,1,2,3\n";
    fs::write(folder.join("unlabelled.csv"), unlabelled).expect("data");
    for (args, expected) in [
        (vec!["doctor", "none.toml"], "none.toml"),
        (vec!["doctor", "empty"], "empty is no run folder"),
        (
            vec!["doctor", "empty", "--set", "seed=1"],
            "--set beside a run folder",
        ),
        (vec!["doctor", "toy.toml", "--data", "none.csv"], "none.csv"),
        (
            vec!["doctor", "toy.toml", "--data", "unlabelled.csv"],
            "no sequence has a label",
        ),
        (
            vec!["doctor", "toy.toml", "--report", "empty"],
            "--report: cannot write",
        ),
    ] {
        let output = run(folder, &args);
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {message}");
        assert!(message.contains(expected), "{args:?}: {message}");
    }
}

#[test]
fn numbers_steps_and_forecasts_are_examined() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let examined = |recipe: &str, set: &[&str]| {
        let recipe = shipped(&format!("recipes/{recipe}.toml"));
        let args = ["doctor", &recipe, "--steps", "60", "--json"];
        json(&succeed(folder, &[&args[..], set].concat()))
    };
    let plain = examined("adding-rnn", &["--set", "data.problem.steps=120"]);
    let finding = &plain["findings"][0];
    assert_eq!(finding["name"], "vanishing_gradients", "{finding}");
    let together =
        "model.cell = \"lstm\"\nmodel.init.gate_bias = { kind = \"chrono\", t_max = 120 }";
    assert_eq!(finding["remedy"][0], together);
    // The variance of the sum of two uniform numbers is 1/6.
    let guess = plain["measurements"]["losses"]["guess"]
        .as_f64()
        .expect("a number");
    assert!((guess - 1.0 / 6.0).abs() < 0.02, "{guess}");

    let grows = "model.init.recurrent={kind='identity',gain=1.08}";
    let grows = examined("adding-irnn", &["--set", grows]);
    assert_eq!(
        grows["findings"][0]["name"], "exploding_gradients",
        "{grows}"
    );

    for recipe in ["seattle-forecast", "seattle-weather"] {
        let data = shipped("data/seattle-weather/test.csv");
        let well = examined(recipe, &["--data", &data]);
        assert_eq!(well["findings"].as_array().map(Vec::len), Some(0), "{well}");
    }
}
