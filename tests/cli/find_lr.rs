//! `rekindle find-lr`: what it finds, that it finds it again, and what it refuses.

#[allow(dead_code)]
mod common;

use std::fs;
use std::path::Path;

use common::{contents, json, run, succeed, toy, toy_recipe};

fn prepared() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("toy.csv"), toy()).expect("data");
    fs::write(folder.path().join("toy.toml"), toy_recipe(3)).expect("recipe");
    folder
}

fn recipe(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../recipes");
    path.join(name).to_str().expect("UTF-8").to_string()
}

#[test]
fn the_rate_that_is_found_trains_as_well_as_the_shipped_one() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let recipe = recipe("japanese-vowels-gru.toml");
    let found = json(&succeed(folder.path(), &["find-lr", &recipe, "--json"]));
    assert_eq!(contents(folder.path()).len(), 0, "nothing is written");
    let rate = &found["suggestions"]["tenth_of_lowest"];
    let accuracy = |name: &str, more: &[&str]| {
        let args = [
            &["train", &recipe, "--out", name, "--json", "--quiet"][..],
            &["--set", "training.epochs=20"],
            more,
        ];
        let outcome = json(&succeed(folder.path(), &args.concat()));
        outcome["test"]["accuracy"].as_f64().expect("an accuracy")
    };
    let shipped = accuracy("shipped", &[]);
    let with_found = accuracy("found", &["--set", &format!("training.lr={rate}")]);
    assert!(
        with_found > shipped - 0.03,
        "{with_found} at {rate}, {shipped} at the rate of the recipe"
    );
}

#[test]
fn the_same_seed_finds_the_same_and_files_hold_the_curve() {
    let folder = prepared();
    let folder = folder.path();
    let args = ["find-lr", "toy.toml", "--steps", "60", "--json"];
    let first = succeed(folder, &args);
    assert_eq!(first, succeed(folder, &args));
    let other = succeed(folder, &[&args[..], &["--set", "seed=1"]].concat());
    assert_ne!(first, other);

    let args = [
        "find-lr", "toy.toml", "--steps", "60", "--csv", "a.csv", "--plot", "a.svg",
    ];
    let text = succeed(folder, &args);
    let csv = fs::read_to_string(folder.join("a.csv")).expect("the curve");
    let points = json(&first)["points"].as_array().expect("points").len();
    assert!(
        csv.starts_with("step,lr,loss,smoothed\n1,0.000001,"),
        "{csv}"
    );
    assert_eq!(csv.lines().count(), points + 1);
    let svg = fs::read_to_string(folder.join("a.svg")).expect("the picture");
    assert_eq!(svg.matches("class=\"line ").count(), 2, "{svg}");
    assert!(
        text.starts_with(&format!(
            "toy: {points} of 60 steps tried in memory, at rates from 1e-6 to "
        )),
        "{text}"
    );
    // The last lines are those of a recipe.
    let lines: Vec<&str> = text.lines().rev().take(2).collect();
    assert!(
        lines[0].starts_with("lr = ") && lines[1] == "[training]",
        "{text}"
    );
    let rate = lines[0].split(" = ").nth(1).expect("a rate");
    let set = format!("training.lr={rate}");
    let train = [
        "train", "toy.toml", "--out", "run", "--quiet", "--set", &set,
    ];
    succeed(folder, &train);
}

#[test]
fn texts_groups_and_linear_growth() {
    let folder = prepared();
    let folder = folder.path();
    let line = |number: usize| format!("{} and {} are {}\n", number % 7, number % 5, number % 3);
    let text: String = (0..100).map(line).collect();
    fs::write(folder.join("lines.txt"), text).expect("a text");
    let recipe = "name = \"lines\"\n[data]\ntrain = \"lines.txt\"\n[text]\nembedding = 8\n[model]\nhidden = 8\n\
                  [training]\nbatch_size = 4\nbptt = 12\non_nonfinite = \"skip\"\n";
    fs::write(folder.join("lines.toml"), recipe).expect("a recipe");
    let found = json(&succeed(
        folder,
        &["find-lr", "lines.toml", "--steps", "80", "--json"],
    ));
    let points = found["points"].as_array().expect("points");
    let rates: Vec<f64> = points
        .iter()
        .map(|point| point["lr"].as_f64().expect("a rate"))
        .collect();
    let factor = 1e7_f64.powf(1.0 / 79.0);
    assert!(
        rates
            .windows(2)
            .all(|pair| (pair[1] / pair[0] / factor - 1.0).abs() < 1e-9)
    );

    let groups = "training.groups=[{targets=['head.*'],lr_factor=0,schedule='cosine'}]"
        .replace("'cosine'", "{kind='cosine',steps=2}");
    let args = [
        "find-lr", "toy.toml", "--steps", "40", "--json", "--growth", "linear", "--from", "0.01",
        "--to", "0.4", "--set", &groups,
    ];
    let found = json(&succeed(folder, &args));
    let points = found["points"].as_array().expect("points");
    let rate = |place: usize| points[place]["lr"].as_f64().expect("a rate");
    assert!((rate(1) - 0.02).abs() < 1e-9 && (rate(20) - 0.21).abs() < 1e-9);
}

#[test]
fn what_cannot_be_tried_is_refused() {
    let folder = prepared();
    let folder = folder.path();
    fs::create_dir(folder.join("d.svg")).expect("a folder");
    let before = contents(folder);
    for (more, expected) in [
        (
            &["--from", "0"][..],
            "from is 0, expected a positive finite number",
        ),
        (
            &["--from", "1", "--to", "0.5"],
            "to is 0.5, expected a finite number above from, which is 1",
        ),
        (
            &["--to", "inf"],
            "to is inf, expected a finite number above from",
        ),
        (&["--steps", "19"], "steps is 19, expected at least 20"),
        (
            &["--smooth", "1"],
            "smooth is 1, expected a number in [0, 1)",
        ),
        (&["--plot", "d.svg"], "--plot: cannot write d.svg"),
        (&["--data", "no.csv"], "no.csv"),
        (&["--set", "training.lrr=1"], "unknown key training.lrr"),
        // The weights are beyond all numbers after the first step.
        (
            &["--from", "1e40", "--to", "1e41"],
            "at step 1, at a rate of 1e40: found 1 steps, expected at least 20 to judge by; begin at a lower rate: step 1",
        ),
        (
            &[
                "--from",
                "100",
                "--to",
                "1e9",
                "--smooth",
                "0",
                "--set",
                "training.optimizer=sgd",
            ],
            "begin at a lower rate",
        ),
        (
            &["--from", "1e-30", "--to", "1e-29", "--smooth", "0.98"],
            "and no further, expected a rate at which it falls by a twentieth",
        ),
    ] {
        let args = [&["find-lr", "toy.toml"][..], more].concat();
        let output = run(folder, &args);
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {message}");
        assert!(message.contains(expected), "{args:?}: {message}");
        assert_eq!(contents(folder), before, "{args:?}");
    }
}
