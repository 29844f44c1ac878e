//! Runs that watch their gradients.

#[allow(dead_code)]
mod common;

use std::fs;

use common::{backend, recipe, result, run_in_pieces, turn};
use rekindle_training::doctor::{PARTS, Subject, examine};
use rekindle_training::{RunFolder, Start, train};

const WATCH: &str = "training.watch_gradients=true";

#[test]
fn watching_changes_no_bit_and_survives_interruptions() {
    let _turn = turn();
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let folder = temporary.path();
    let options = ["model.cell=lstm", "model.direction=bidirectional"];
    let unwatched = recipe(folder, &options);
    let plain = folder.join("plain");
    let outcome = train(&unwatched, backend(), &plain, Start::New, &mut ());
    let expected = result(&outcome.expect("the run ends"), &plain);
    assert!(!RunFolder::new(&plain).health().exists());

    let watched = recipe(folder, &[&options[..], &[WATCH]].concat());
    let whole = folder.join("whole");
    let outcome = train(&watched, backend(), &whole, Start::New, &mut ());
    assert_eq!(result(&outcome.expect("the run ends"), &whole), expected);
    let health = fs::read_to_string(RunFolder::new(&whole).health()).expect("health.csv");
    // Six epochs, two cells, two states.
    assert_eq!(health.lines().count(), 1 + 6 * 2 * 2 * PARTS);

    let pieces = folder.join("pieces");
    let outcome = run_in_pieces(&watched, &pieces, 6);
    assert_eq!(result(&outcome, &pieces), expected);
    let found = fs::read_to_string(RunFolder::new(&pieces).health()).expect("health.csv");
    assert_eq!(found, health);
}

#[test]
fn the_report_and_the_doctor_show_what_was_watched() {
    let _turn = turn();
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let recipe = recipe(temporary.path(), &["model.cell=lstm", WATCH]);
    let folder = temporary.path().join("run");
    train(&recipe, backend(), &folder, Start::New, &mut ()).expect("the run ends");
    let report = fs::read_to_string(RunFolder::new(&folder).report()).expect("a report");
    for expected in [
        "Gradient that reaches the beginning",
        "Gradient over time and layers",
        "layer 0 forward, cell",
        "layer 0 forward, forget",
    ] {
        assert!(report.contains(expected), "{expected}");
    }
    let subject = Subject::Run(folder);
    let examination = examine(&subject, None, 3, backend()).expect("an examination");
    assert_eq!(examination.watched.len(), 6);
    assert_eq!(examination.tried, 3);
    // 18 training sequences in batches of 8: three steps an epoch.
    assert_eq!(examination.measurements.losses.steps, 6 * 3 + 3);
}
