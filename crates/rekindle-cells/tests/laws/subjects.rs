//! What the laws are checked on proves something: no line of the table is idle, and the combinations meet every option.

use rekindle_cells::StackConfig;
use rekindle_testkit::devices;

use crate::common::activations::ACTIVATIONS;
use crate::common::combinations::{COUNT, combinations};
use crate::common::options::{cells_with_one_option, plain_cells, subject};
use crate::common::{AnyCell, Subject, with_config};

/// What a cell puts out.
fn output(name: &str, cell: AnyCell) -> Vec<f64> {
    let subject = subject(name, cell, StackConfig::new());
    with_config!(&subject.cell, config => {
        let network = subject.network(config.as_ref(), &devices!()[0]);
        let (output, _) = network.forward(&network.input(), None, None);
        output.into_data().iter().collect()
    })
}

/// Lines of the table that are the plain cell: they name the activations that it has anyway.
const PLAIN: [&str; 6] = [
    "elman: tanh",
    "lstm gates: sigmoid",
    "lstm candidate: tanh",
    "lstm output: tanh",
    "gru gates: sigmoid",
    "gru candidate: tanh",
];

#[test]
fn every_option_changes_outputs() {
    let plain = plain_cells().map(|(name, cell)| output(name, cell));
    for (name, cell) in cells_with_one_option() {
        let found = output(&name, cell);
        let is_near = |plain: &Vec<f64>| {
            let mut pairs = plain.iter().zip(&found);
            plain.len() == found.len() && pairs.all(|(a, b)| (a - b).abs() < 1e-4)
        };
        let is_plain = PLAIN.contains(&name.as_str());
        assert_eq!(plain.iter().any(is_near), is_plain, "{name}");
        assert!(found.iter().all(|y| y.is_finite()), "{name}: {found:?}");
    }
}

#[test]
#[rustfmt::skip]
fn the_combinations_meet_every_option() {
    let all: Vec<String> = combinations().iter().map(Subject::to_string).collect();
    assert!(all.len() >= 200, "{} combinations", all.len());
    let mut words = [
        "gates: All", "Coupled", "NoInput", "NoForget", "NoOutput", "Diagonal", "Full",
        "gate_recurrence: true", "d_projected: Some", " clip: Some", "cell_clip: Some",
        "initial_state: Learned", "bias: false", "reset: Before", "update: Replace",
        "normalization: None", "normalization: Layer", "Rms", "normalization: Batch", "SequenceBatch",
        "zoneout_hidden: 0.5", "zoneout_cell: 0.5",
        "layers: 2", "Reverse", "Bidirectional", "merge: Sum", "merge: Mean", "merge: Mul",
        "Residual", "Dense", "TimeMajor", "batch 1", "seq 1", "lengths None", "lengths Some",
    ].map(String::from).to_vec();
    for (_, activation) in ACTIVATIONS {
        let places = ["gate", "candidate", "output"];
        words.extend(places.map(|place| format!("{place}: {activation:?}")));
    }
    for word in words {
        let count = all.iter().filter(|subject| subject.contains(&word)).count();
        assert!(count >= 1, "none of {COUNT} combinations has {word}");
    }
}

#[test]
fn the_numbers_of_combinations_are_not_too_large_and_seldom_all_zero() {
    let mut silent = 0;
    for subject in combinations() {
        let device = &devices!()[0];
        let largest: f64 = with_config!(&subject.cell, config => {
            let network = subject.network(config.as_ref(), device);
            let (output, _) = network.forward(&network.input(), None, network.start());
            output.abs().max().into_scalar()
        });
        assert!(largest < 100.0, "{subject}: {largest}");
        silent += u64::from(largest == 0.0);
    }
    assert!(
        silent <= COUNT / 50,
        "{silent} of {COUNT} combinations put out zeros alone"
    );
}

#[test]
fn the_cell_of_the_book_is_the_one_that_is_tested() {
    let page = include_str!("../../../../docs/src/new-cell.md");
    let file = include_str!("../common/ugrnn.rs");
    let start = file.find("/// Configuration of").expect("a configuration");
    assert!(
        page.contains(&file[start..]),
        "new-cell.md and ugrnn.rs differ"
    );
}
