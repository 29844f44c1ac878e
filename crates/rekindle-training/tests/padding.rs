//! What stands in the padding of a batch never reaches a prediction.

use burn::tensor::{DType, Tensor};
use rekindle_testkit::{Tolerance, assert_close_within, assert_same_bits, devices, random};
use rekindle_training::{Network, Reads, Recipe, Shape};

const CHANNELS: usize = 3;
const SEQ: usize = 7;
const LENGTHS: [usize; 4] = [7, 2, 5, 1];

#[test]
fn a_sequence_scores_the_same_alone_in_a_batch_and_beside_garbage() {
    for device in devices!() {
        for (cell, readout, connections, merge) in [
            ("lstm", "last", "plain", "concat"),
            ("gru", "mean", "plain", "concat"),
            ("rnn", "last", "residual", "sum"),
            ("gru", "last", "dense", "mul"),
            ("lstm", "mean", "residual", "mean"),
        ] {
            let overrides = [
                format!("model.cell={cell}"),
                format!("model.readout={readout}"),
                format!("model.connections={connections}"),
                format!("model.merge={merge}"),
                "model.hidden=8".to_string(),
                "model.layers=2".to_string(),
                "model.direction=bidirectional".to_string(),
            ];
            let recipe = Recipe::for_data("a.csv".as_ref(), &overrides).expect("a valid recipe");
            let classifier = Network::init(
                &recipe,
                Shape {
                    reads: Reads::Channels(CHANNELS),
                    d_output: 4,
                    each_step: false,
                },
                &device,
            );
            let input = random([LENGTHS.len(), SEQ, CHANNELS], 1, (&device, DType::F32));
            let together = classifier.forward(input.clone(), &LENGTHS);
            for (row, length) in LENGTHS.into_iter().enumerate() {
                let alone = input.clone().narrow(0, row, 1).narrow(1, 0, length);
                let alone = classifier.forward(alone, &[length]);
                let what = format!("{cell}, {readout}, row {row}");
                let expected = together.clone().narrow(0, row, 1);
                assert_close_within(&alone, &expected, Tolerance(1e-6), &what);
            }
            for garbage in [1e30, f64::NAN, f64::NEG_INFINITY] {
                let mut input: Tensor<3> = input.clone();
                for (row, length) in LENGTHS.into_iter().enumerate().filter(|(_, l)| *l < SEQ) {
                    input = input.slice_fill([row..row + 1, length..SEQ], garbage);
                }
                let what = format!("{cell}, {readout}, padding {garbage}");
                assert_same_bits(&classifier.forward(input, &LENGTHS), &together, &what);
            }
        }
    }
}
