//! Pages of runs: written again to the same bytes, of runs that are not finished, of several beside each other.

#[allow(dead_code)]
mod common;

use std::fs;
use std::path::Path;

use common::{run, succeed, toy, toy_recipe};

/// A folder with the toy data and a finished run of two epochs in `run`.
fn prepared(sets: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("toy.csv"), toy()).expect("data");
    fs::write(folder.path().join("toy.toml"), toy_recipe(2)).expect("recipe");
    train(folder.path(), "run", sets);
    folder
}

fn train(folder: &Path, out: &str, sets: &[&str]) {
    let mut args = vec!["train", "toy.toml", "--quiet", "--out", out];
    args.extend(sets.iter().flat_map(|set| ["--set", set]));
    succeed(folder, &args);
}

fn read(folder: &Path, file: &str) -> String {
    fs::read_to_string(folder.join(file)).expect(file)
}

/// The command must fail without leaving a page, and say these words.
fn refused(folder: &Path, args: &[&str], expected: &[&str]) {
    let output = run(folder, args);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{args:?}: {error}");
    assert!(output.stdout.is_empty(), "{args:?}");
    for words in expected {
        assert!(error.contains(words), "{words} in {error}");
    }
    assert!(!folder.join("comparison.html").exists());
}

#[test]
fn a_finished_run_gets_the_page_that_training_left() {
    for sets in [&[][..], &["training.watch_gradients=true"]] {
        let folder = prepared(sets);
        let folder = folder.path();
        let before = read(folder, "run/report.html");
        fs::remove_file(folder.join("run/report.html")).expect("a page");
        // Neither weights nor data are needed.
        fs::remove_file(folder.join("run/model.bpk")).expect("weights");
        fs::remove_file(folder.join("toy.csv")).expect("data");
        let told = succeed(folder, &["report", "run"]);
        assert_eq!(told, "report: run/report.html\n");
        assert!(read(folder, "run/report.html") == before, "{sets:?}");
        assert_eq!(
            succeed(folder, &["report", "run", "--out=a.html"]),
            "report: a.html\n"
        );
        assert!(read(folder, "a.html") == before, "{sets:?}");
    }
}

#[test]
fn a_run_that_is_not_finished_gets_a_page_of_what_there_is() {
    let folder = prepared(&["training.watch_gradients=true"]);
    let folder = folder.path();
    for file in ["result.json", "report.html", "portrait.json"] {
        fs::remove_file(folder.join("run").join(file)).expect(file);
    }
    // A third epoch was begun, and its steps were being written.
    let steps = read(folder, "run/steps.csv");
    fs::write(
        folder.join("run/steps.csv"),
        steps + "7,3,0.5,0.02,1,0\n8,3,0.",
    )
    .expect("steps");
    succeed(folder, &["report", "run"]);
    let page = read(folder, "run/report.html");
    for words in [
        "not finished",
        "2 of 2",
        "validation so far",
        "Gradient that reaches the beginning",
    ] {
        assert!(page.contains(words), "{words}");
    }
    for words in ["id=\"confusion\"", "weights kept", "Most frequent mistakes"] {
        assert!(!page.contains(words), "{words}");
    }
    assert!(
        !page.contains("[7,"),
        "a step of an epoch that does not count"
    );
    // It goes on as if nothing had been written.
    succeed(folder, &["train", "--resume", "--out", "run", "--quiet"]);
    assert!(read(folder, "run/report.html").contains("id=\"confusion\""));
}

#[test]
fn several_runs_are_compared_in_one_page() {
    let folder = prepared(&["seed=1"]);
    let folder = folder.path();
    train(folder, "toy-seed2", &["seed=2"]);
    train(
        folder,
        "wide",
        &[
            "model.hidden=7",
            "training.schedule={kind=\"exponential\",gamma=0.5}",
        ],
    );
    let told = succeed(folder, &["report", "run", "toy-seed2", "wide"]);
    assert_eq!(told, "report: comparison.html\n");
    let page = read(folder, "comparison.html");
    for words in [
        "<title>toy</title>",
        "3 runs of 2 recipes",
        "</svg>run</th>",
        "</svg>wide</th>",
        "<th scope=\"row\">model.<wbr>hidden</th><td>4</td><td>7</td>",
        "training.<wbr>schedule.<wbr>kind",
        "test accuracy (%)",
        "Validation loss",
        "Training loss",
        "Validation macro-F1",
        "Gradient norm",
        "Learning rate",
        "Thin lines are single runs",
    ] {
        assert!(page.contains(words), "{words}");
    }
    assert!(
        !page.contains("<th scope=\"row\">training.<wbr>lr</th>"),
        "an equal key"
    );
    assert!(!page.contains("<th scope=\"row\">seed</th>"));
    assert!(!page.contains("://"));
    // Loss, accuracy and F1 of two sets at most, each with two thin lines.
    let charts = page.matches("<figure class=\"card chart\">").count();
    assert_eq!(page.matches(" thin\" d=").count(), 2 * charts);
    let again = succeed(
        folder,
        &["report", "run", "toy-seed2", "wide", "--out=b.html"],
    );
    assert_eq!(again, "report: b.html\n");
    assert!(read(folder, "b.html") == page);

    succeed(folder, &["report", "run", "toy-seed2"]);
    let page = read(folder, "comparison.html");
    assert!(page.contains("The recipes are the same but for their seeds."));
}

#[test]
fn folders_that_are_no_runs_are_refused() {
    let folder = prepared(&[]);
    let folder = folder.path();
    refused(folder, &["report"], &["DIR"]);
    let wrong = [
        "is no run folder: it has no recipe.toml",
        "--out folder of a training",
    ];
    refused(
        folder,
        &["report", "nothing"],
        &["nothing", wrong[0], wrong[1]],
    );
    refused(folder, &["report", "run", "nothing"], &wrong);
    refused(folder, &["report", "toy.csv"], &wrong);
    refused(
        folder,
        &["report", "run", "./run"],
        &["./run twice", "remove one"],
    );
    refused(
        folder,
        &["report", "run", "--out=run"],
        &["--out", "run", "cannot write"],
    );

    let metrics = read(folder, "run/metrics.csv");
    let lines: Vec<&str> = metrics.lines().collect();
    let damage =
        |file: &str, text: &str| fs::write(folder.join("run").join(file), text).expect(file);
    damage("metrics.csv", &format!("{}\n{}\n", lines[0], lines[1]));
    refused(
        folder,
        &["report", "run"],
        &["run/metrics.csv", "1 epochs, expected 2"],
    );
    damage("metrics.csv", &format!("{}\n1,x\n", lines[0]));
    refused(
        folder,
        &["report", "run"],
        &["run/metrics.csv", "line 2 is \"1,x\""],
    );
    damage("metrics.csv", &metrics);
    let portrait = read(folder, "run/portrait.json");
    damage("portrait.json", &portrait.replacen("[[", "[[9],[", 1));
    refused(
        folder,
        &["report", "run"],
        &["run/portrait.json", "rows of 2 counts"],
    );
    damage(
        "portrait.json",
        &portrait.replacen("\"format\":1", "\"format\":9", 1),
    );
    refused(
        folder,
        &["report", "run"],
        &["run/portrait.json", "format 9"],
    );
    damage("portrait.json", &portrait);

    // Before the first epoch is over there is nothing to show.
    fs::remove_file(folder.join("run/result.json")).expect("a result");
    damage("metrics.csv", &format!("{}\n", lines[0]));
    let wait = [
        "run run has no epoch yet",
        "wait for the first",
        "train --resume --out run",
    ];
    refused(folder, &["report", "run"], &wait);
    fs::remove_file(folder.join("run/metrics.csv")).expect("figures");
    refused(folder, &["report", "run"], &wait);
}
