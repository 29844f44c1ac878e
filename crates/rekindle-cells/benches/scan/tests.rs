//! Tests of what the bench reads and computes. The bench itself has no test runner, so its parts are built once more.

mod case;
mod options;
mod shape;
mod statistics;

use case::Case;
use clap::Parser;
use options::{Backend, Cell, Local, Mode, Options, Peer};
use shape::Shape;
use statistics::{geometric_mean, least, median};

#[test]
fn a_shape_reads_as_it_is_written() {
    let shape: Shape = "100, 32,64,128".parse().unwrap();
    let expected = Shape {
        seq: 100,
        batch: 32,
        d_input: 64,
        d_hidden: 128,
    };
    assert_eq!(shape, expected);
    assert_eq!(shape.to_string(), "100,32,64,128");
}

#[test]
fn mistakes_say_where() {
    let error = |text: &str| text.parse::<Shape>().unwrap_err().to_string();
    assert_eq!(error("100,32,64"), "found 3 numbers, expected 4: T,B,I,H");
    assert_eq!(
        error("100,0,64,128"),
        "B is `0`, expected a whole number of at least 1"
    );
    assert!(error("100,32,64,h").starts_with("H is `h`"));
    assert!(error("100,32,-1,128").starts_with("I is `-1`"));
}

fn parsed(line: &str) -> Result<Options, String> {
    let words = ["scan"].into_iter().chain(line.split_whitespace());
    Options::try_parse_from(words).map_err(|error| error.to_string())
}

#[test]
fn defaults() {
    let options = parsed("--bench").unwrap();
    assert!(options.bench && !options.json);
    assert_eq!(options.cells, [Cell::Lstm]);
    assert_eq!(options.modes, [Mode::Infer, Mode::Train]);
    assert_eq!(options.backend, Backend::Flex);
    assert_eq!(options.shapes.len(), 8);
    assert_eq!(options.shapes[7].d_hidden, 650);
    assert!((1..=2).contains(&options.threads.get()));
    assert!(options.peers.is_empty() && options.rounds.is_none());
    assert!(options.python.is_none() && options.probe.is_none());
}

#[test]
fn values_are_gathered() {
    let line = "--cell gru --cell=rnn --mode step --peer torch --peer burn --shapes 1,2,3,4;5,6,7,8 --threads 3";
    let options = parsed(line).unwrap();
    assert_eq!(options.cells, [Cell::Gru, Cell::Rnn]);
    assert_eq!(options.modes, [Mode::Step]);
    assert_eq!(options.peers, [Peer::Torch, Peer::Burn]);
    assert_eq!(options.shapes[1].to_string(), "5,6,7,8");
    assert_eq!(options.threads.get(), 3);
}

#[test]
fn mistakes_say_where_and_what_is_expected() {
    let says = |line: &str, parts: &[&str]| {
        let error = parsed(line).unwrap_err();
        assert!(parts.iter().all(|part| error.contains(part)), "{error}");
    };
    says("--cell lstn", &["'lstn'", "--cell", "lstm, gru, rnn"]);
    says("--mode fit", &["'fit'", "--mode", "infer, train, step"]);
    says("--peer jax", &["'jax'", "torch, onnxruntime, burn"]);
    says("--backend cuda", &["'cuda'", "flex, ndarray"]);
    says("--shapes 1,2,3,4;1,2", &["'1,2'", "--shapes", "expected 4"]);
    says("--threads 0", &["'0'", "--threads"]);
    says("--rounds x", &["'x'", "--rounds"]);
    says("--fast", &["--fast"]);
}

#[test]
fn values_display_as_they_are_written() {
    assert_eq!(Peer::Onnxruntime.to_string(), "onnxruntime");
    assert_eq!(format!("{:>6}", Cell::Gru), "   gru");
    assert_eq!(Backend::Ndarray.to_string(), "ndarray");
    assert_eq!(Local::Rekindle.to_string(), "rekindle");
}

#[test]
fn only_onnxruntime_does_not_train() {
    assert!(Peer::Onnxruntime.lacks(Mode::Train).is_some());
    assert!(Peer::Onnxruntime.lacks(Mode::Step).is_none());
    assert!(Peer::Torch.lacks(Mode::Train).is_none());
}

#[test]
fn operations_by_hand() {
    let shape: Shape = "10,2,3,4".parse().unwrap();
    let flops = |cell, mode| Case::new(cell, mode, shape).flops();
    assert_eq!(flops(Cell::Lstm, Mode::Infer), 4480.0);
    assert_eq!(flops(Cell::Lstm, Mode::Train), 13440.0);
    assert_eq!(flops(Cell::Gru, Mode::Infer), 3360.0);
    assert_eq!(flops(Cell::Rnn, Mode::Step), 112.0);
}

#[test]
fn every_combination_once() {
    let line = "scan --cell lstm --cell gru --mode infer --mode step --shapes 3,1,1,1;4,2,2,2";
    let options = Options::parse_from(line.split(' '));
    let cases = Case::all(&options);
    assert_eq!(cases.len(), 8);
    assert_eq!(cases[0].to_string(), "lstm infer 3,1,1,1");
    assert_eq!(cases[7].to_string(), "gru step 1,2,2,2");
    assert_eq!((cases[0].calls(), cases[7].calls()), (1, 100));
    assert_eq!(cases[0].tiny().to_string(), "lstm infer 2,1,2,2");
}

#[test]
fn medians_by_hand() {
    assert_eq!(median(&[7.0]), 7.0);
    assert_eq!(median(&[9.0, 1.0, 5.0]), 5.0);
    assert_eq!(median(&[4.0, 1.0, 100.0, 2.0]), 3.0);
}

#[test]
fn the_least_of_values() {
    assert_eq!(least(&[3.0, 1.5, 2.0]), 1.5);
    assert_eq!(least(&[]), f64::INFINITY);
}

#[test]
fn geometric_means_by_hand() {
    assert!((geometric_mean(&[2.0, 0.5]) - 1.0).abs() < 1e-12);
    assert!((geometric_mean(&[1.0, 2.0, 4.0]) - 2.0).abs() < 1e-12);
    assert!(geometric_mean(&[]).is_nan());
}
