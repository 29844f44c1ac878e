//! Runs whose steps are shared by several devices. Two CPU backends stand in for two devices: they have nothing in common but
//! the process.
#![cfg(all(feature = "flex", feature = "ndarray"))]

#[allow(dead_code)]
mod common;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use common::{BreakOff, recipe, result, turn};
use rekindle_training::{Devices, Recipe, RunFolder, Start, TrainError, steps_per_epoch, train};

fn both() -> Devices {
    "flex,ndarray".parse().expect("two devices")
}

/// Without noise, and with an optimiser that does not magnify what rounding does to small gradients.
const STEADY: [&str; 4] = [
    "model.input_dropout=0",
    "model.head_dropout=0",
    "training.optimizer={kind='sgd',momentum=0.9}",
    "training.epochs=3",
];

/// A recipe for a file of its own.
fn recipe_for(folder: &Path, name: &str, text: &str, overrides: &[&str]) -> Recipe {
    let path = folder.join(name);
    fs::write(&path, text).expect("the data are written");
    let sizes = ["model.hidden=6", "data.valid_fraction=0.25"];
    let all = sizes.iter().chain(&STEADY).chain(overrides);
    let all: Vec<String> = all.map(ToString::to_string).collect();
    Recipe::for_data(&path, &all).expect("a valid recipe")
}

/// Sequences of 1 to 13 steps, each step with a label that is not known in long stretches of some: a device's rows are
/// silent for a chunk while those of the other are not, and speak again.
fn labelled_steps() -> String {
    let mut text = String::from("series,time,label,x\n");
    for series in 0..20 {
        for time in 0..1 + (series * 5) % 13 {
            let x = [0.0, 0.5, -1.0, 2.0, 0.25][(series * 7 + time * (1 + series % 4)) % 5];
            let is_silent = matches!(series, 7..12 | 14..19) && (3..9).contains(&time);
            let label = match (is_silent, x > 0.3) {
                (true, _) => "?",
                (false, true) => "high",
                (false, false) => "low",
            };
            text += &format!("s{series},{time},{label},{x}\n");
        }
    }
    text
}

/// Sequences that are answered by a number.
fn levels() -> String {
    let mut text = String::from("series,time,label,x\n");
    for series in 0..23 {
        for time in 0..2 + series % 5 {
            let x = f64::from(series) / 10.0 + 0.1 * f64::from(time % 3);
            text += &format!("s{series},{time},{},{x}\n", 2 * series + 1);
        }
    }
    text
}

/// All figures of all steps.
fn steps(folder: &Path) -> Vec<Vec<f64>> {
    let text = fs::read_to_string(RunFolder::new(folder).steps()).expect("steps.csv");
    let number = |cell: &str| match cell {
        "true" => 1.0,
        "false" => 0.0,
        cell => cell.parse().expect("a number"),
    };
    let rows = text.lines().skip(1);
    rows.map(|row| row.split(',').map(number).collect())
        .collect()
}

fn assert_close(found: &[f64], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        let is_close = (found - expected).abs() <= 2e-4 * expected.abs().max(1e-2);
        let are_none = found.is_nan() && expected.is_nan() || found == expected;
        assert!(is_close || are_none, "{what}: {found}, expected {expected}");
    }
}

/// One device and two take the same steps, and come to the same scores.
fn assert_same_steps(name: &str, recipe: &Recipe, folder: &Path) {
    let run = |label: &str, devices: Devices| {
        let folder = folder.join(format!("{name}-{label}"));
        let outcome = train(recipe, devices, &folder, Start::New, &mut ());
        let outcome = outcome.unwrap_or_else(|error| panic!("{name}, {label}: {error}"));
        let valid = outcome.valid.unwrap_or_default();
        let scores: Vec<f64> = valid.iter().map(|(_, value)| value).collect();
        (steps(&folder), scores)
    };
    let alone = run("alone", "flex".parse().expect("a device"));
    let shared = run("shared", both());
    assert_eq!(alone.0.len(), shared.0.len(), "{name}");
    for (step, (found, expected)) in shared.0.iter().zip(&alone.0).enumerate() {
        assert_close(found, expected, &format!("{name}, step {}", step + 1));
    }
    assert_close(&shared.1, &alone.1, name);
}

#[test]
fn two_devices_take_the_steps_of_one() {
    let _turn = turn();
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let folder = temporary.path();
    let classes = |overrides: &[&str]| recipe(folder, &[&STEADY[..], overrides].concat());
    assert_same_steps(
        "classes",
        &classes(&["training.clip={kind='norm',max=0.5}"]),
        folder,
    );
    let penalties = [
        "training.batch_size=5",
        "model.layers=2",
        "model.direction=bidirectional",
        "model.readout=mean",
        "regularize.activation=0.3",
        "regularize.temporal_activation=0.5",
        "regularize.units=0.01",
        "regularize.penalties=[{kind='l2',strength=0.1,targets=['weight_hh']}]",
        "regularize.constraints=[{kind='max_norm',max=0.5,targets=['weight_ih']}]",
        "prune.schedule={kind='cubic',sparsity=0.3,begin=1,end=3,every=1}",
    ];
    assert_same_steps("penalties", &classes(&penalties), folder);
    // A batch of one leaves the second device without rows.
    assert_same_steps(
        "batches of one",
        &classes(&["training.batch_size=1"]),
        folder,
    );

    let chunks = [
        "data.labels='step_class'",
        "training.batch_size=3",
        "training.bptt=4",
        // Rows of a chunk have few steps in common where a sequence ends.
        "regularize.activation=1",
        "regularize.temporal_activation=10",
    ];
    let steps = recipe_for(folder, "steps.csv", &labelled_steps(), &chunks[..2]);
    assert_same_steps("steps", &steps, folder);
    let chunked = recipe_for(folder, "steps.csv", &labelled_steps(), &chunks);
    assert_same_steps("chunks of steps", &chunked, folder);

    let numbers = [
        "data.labels='value'",
        "training.batch_size=6",
        "training.lr=0.01",
    ];
    let numbers = recipe_for(folder, "levels.csv", &levels(), &numbers);
    assert_same_steps("numbers", &numbers, folder);

    let text = "The sea, the sea, and all the ships at sea.\n".repeat(12);
    let chunked = [
        "text.tokens='character'",
        "text.embedding=5",
        "training.batch_size=5",
        "training.bptt={kind='random',steps=12}",
        "training.clip={kind='norm',max=1.0}",
    ];
    let text = recipe_for(folder, "text.txt", &text, &chunked);
    assert_same_steps("text", &text, folder);

    // The first of two rows is at its end before the second: the last chunk is one of the second device alone.
    let chunked = [
        "text.tokens='character'",
        "text.embedding=5",
        "training.batch_size=2",
        "training.bptt=3",
        "training.keep=last",
        "training.watch=train_loss",
        "data.valid_fraction=0",
    ];
    let uneven = recipe_for(folder, "uneven.txt", "a sea b\n", &chunked);
    let chunks = steps_per_epoch(&uneven).expect("it is read");
    assert_eq!(chunks, 2, "one of two rows, one of the second alone");
    assert_same_steps("uneven text", &uneven, folder);
}

#[test]
fn statistics_are_those_of_the_first_device() {
    let _turn = turn();
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let folder = temporary.path();
    let recipe = recipe(
        folder,
        &["model.normalization='batch'", "training.epochs=2"],
    );
    let train = |name: &str| {
        let folder = folder.join(name);
        let outcome = train(&recipe, both(), &folder, Start::New, &mut ());
        result(&outcome.expect("it ends"), &folder)
    };
    // A replica that noted anything would race with the first device.
    assert_eq!(train("once"), train("again"));
}

#[test]
fn states_go_on_where_steps_are_left_out() {
    let _turn = turn();
    let temporary = tempfile::tempdir().expect("a temporary folder");
    // One number is so great that the square of an error is infinite; its row is that of either device.
    let text = labelled_steps().replace("high", "1").replace("low", "0");
    let text = text.replace('?', "").replace("s8,0,1,", "s8,0,1e30,");
    let overrides = [
        "data.labels='step_value'",
        "data.target_scaling='none'",
        "training.batch_size=3",
        "training.bptt=4",
        "training.lr=1e-3",
        "training.on_nonfinite={kind='skip'}",
    ];
    let recipe = recipe_for(temporary.path(), "extreme.csv", &text, &overrides);
    assert_same_steps("skipped chunks", &recipe, temporary.path());
    let steps = steps(&temporary.path().join("skipped chunks-shared"));
    let skipped = steps.iter().filter(|step| step[5] == 1.0).count();
    assert!((1..steps.len()).contains(&skipped), "{skipped}");
}

#[test]
fn a_shared_run_in_pieces_equals_a_whole_one() {
    let _turn = turn();
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let recipe = recipe(
        temporary.path(),
        &[
            "regularize.dropout.hidden=0.2",
            "training.watch_gradients=true",
        ],
    );
    let whole = temporary.path().join("whole");
    let outcome = train(&recipe, both(), &whole, Start::New, &mut ()).expect("it ends");
    assert_eq!(outcome.devices, both());
    let expected = result(&outcome, &whole);
    let watched = fs::read_to_string(RunFolder::new(&whole).health()).expect("health.csv");

    let pieces = temporary.path().join("pieces");
    let piece = || train(&recipe, both(), &pieces, Start::Resume, &mut BreakOff(7));
    let outcome = (0..100).find_map(|_| catch_unwind(AssertUnwindSafe(piece)).ok());
    let outcome = outcome.expect("it ends").expect("a resumed run goes on");
    assert_eq!(result(&outcome, &pieces), expected);
    let found = fs::read_to_string(RunFolder::new(&pieces).health()).expect("health.csv");
    assert_eq!(found, watched);
}

#[test]
fn a_run_goes_on_with_other_devices() {
    let _turn = turn();
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let recipe = recipe(temporary.path(), &[]);
    let folder = temporary.path().join("run");
    let begun = || train(&recipe, both(), &folder, Start::New, &mut BreakOff(7));
    catch_unwind(AssertUnwindSafe(begun)).expect_err("broken off");
    let ndarray: Devices = "ndarray".parse().expect("a device");
    let outcome = train(&recipe, ndarray.clone(), &folder, Start::Resume, &mut ());
    let outcome = outcome.expect("it goes on");
    assert_eq!((outcome.devices, outcome.epochs), (ndarray, 6));
}

#[test]
fn numbers_that_are_not_finite_on_any_device_stop_a_step() {
    let _turn = turn();
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let folder = temporary.path();
    // The square of the first number's error is infinite.
    let text = levels()
        .replace("s0,0,1,", "s0,0,1e30,")
        .replace("s0,1,1,", "s0,1,1e30,");
    let overrides = [
        "data.labels='value'",
        "data.target_scaling='none'",
        "data.valid_fraction=0",
        "training.watch=train_loss",
        "training.batch_size=6",
        "training.lr=1e-4",
        "training.on_nonfinite={kind='skip'}",
    ];
    let skips = recipe_for(folder, "extreme.csv", &text, &overrides);
    let folder_of = |name: &str| folder.join(name);
    let outcome = train(&skips, both(), &folder_of("skips"), Start::New, &mut ());
    assert_eq!(outcome.expect("the others are taken").skipped_steps, 3);
    let steps = steps(&folder_of("skips"));
    let skipped = steps.iter().filter(|step| step[5] == 1.0);
    assert!(
        skipped.clone().all(|step| step[2].is_infinite()),
        "{steps:?}"
    );

    let overrides = [&overrides[..6], &["training.on_nonfinite={kind='error'}"]].concat();
    let stops = recipe_for(folder, "extreme.csv", &text, &overrides);
    let error = train(&stops, both(), &folder_of("stops"), Start::New, &mut ());
    let error = error.expect_err("a loss that is not finite");
    assert!(matches!(error, TrainError::Step { .. }), "{error}");
    assert!(error.to_string().contains("loss"), "{error}");
}
