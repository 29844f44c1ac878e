//! Widths, dropout, merging, and configurations that are refused.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::{Connections, Direction, Merge, StackConfig};
use crate::{Cell, GruConfig, Recurrent, Sequences};

#[test]
fn widths_of_layers_and_directions() {
    let stack = StackConfig::new()
        .with_layers(3)
        .with_direction(Direction::Bidirectional)
        .init(&GruConfig::new(5, 4), &Default::default());
    assert_eq!((stack.d_input(), stack.d_output()), (5, 8));
    let inputs: Vec<_> = stack
        .layers
        .iter()
        .flat_map(|layer| layer.cells().map(|(_, cell)| cell.weights().d_input()))
        .collect();
    assert_eq!(inputs, [5, 5, 8, 8, 8, 8]);
}

#[test]
fn nothing_is_dropped_before_the_first_and_behind_the_last_layer() {
    let device = Device::default().autodiff();
    let config = StackConfig::new().with_dropout(0.9);
    let stack = config.init(&GruConfig::new(5, 16), &device);
    let input = Tensor::<3>::ones([2, 3, 5], &device);
    let once = stack.forward(input.clone(), None).0.into_data();
    assert_eq!(once, stack.forward(input, None).0.into_data());
}

#[test]
fn dropout_acts_between_layers_in_training_alone() {
    let device = Device::default().autodiff();
    let config = StackConfig::new().with_layers(2).with_dropout(0.5);
    let stack = config.init(&GruConfig::new(5, 16), &device);
    let input = Tensor::<3>::ones([2, 3, 5], &device);

    let once = stack.forward(input.clone(), None).0.into_data();
    let again = stack.forward(input.clone(), None).0.into_data();
    assert_ne!(once, again, "dropout draws anew in training");

    let valid = stack.valid();
    let once = valid.forward(input.clone().inner(), None).0.into_data();
    let again = valid.forward(input.inner(), None).0.into_data();
    assert_eq!(once, again, "evaluation drops nothing");
}

#[test]
fn the_last_output_is_that_of_the_last_step_read() {
    let device = Device::default();
    let input = Tensor::<3>::random([2, 5, 4], burn::tensor::Distribution::Default, &device);
    let sequences = Sequences::padded(input, vec![5, 3]);
    let row = |output: &Tensor<3>, row: usize, step: usize| {
        output
            .clone()
            .slice([row..row + 1, step..step + 1])
            .squeeze_dim::<2>(1)
    };
    for connections in [
        Connections::Plain,
        Connections::Residual,
        Connections::Dense,
    ] {
        let config = StackConfig::new()
            .with_layers(3)
            .with_connections(connections);
        for (direction, steps) in [(Direction::Forward, [4, 2]), (Direction::Reverse, [0, 0])] {
            let stack = config
                .clone()
                .with_direction(direction)
                .init(&GruConfig::new(4, 4), &device);
            let (output, state) = stack.forward(sequences.clone(), None);
            let expected = Tensor::cat(
                vec![row(&output, 0, steps[0]), row(&output, 1, steps[1])],
                0,
            );
            assert_eq!(
                stack.last_output(&state).into_data(),
                expected.into_data(),
                "{connections:?}, {direction:?}"
            );
        }
    }
}

#[test]
fn the_last_output_merges_both_directions() {
    let device = Device::default();
    let input = Tensor::<3>::ones([2, 5, 4], &device);
    for merge in [Merge::Concat, Merge::Sum, Merge::Mean, Merge::Mul] {
        let stack = StackConfig::new()
            .with_layers(2)
            .with_direction(Direction::Bidirectional)
            .with_merge(merge)
            .with_connections(Connections::Residual)
            .init(&GruConfig::new(4, 3), &device);
        let (_, state) = stack.forward(input.clone(), None);
        let [below, last] = [0, 1].map(|layer| {
            let [forward, reverse] = [0, 1].map(|cell| state.layers[layer][cell].clone());
            match merge {
                Merge::Concat => Tensor::cat(vec![forward, reverse], 1),
                Merge::Sum => forward + reverse,
                Merge::Mean => (forward + reverse) / 2.0,
                Merge::Mul => forward * reverse,
            }
        });
        let found = stack.last_output(&state);
        assert_eq!(found.dims()[1], stack.d_output(), "{merge:?}");
        assert_eq!(found.into_data(), (last + below).into_data(), "{merge:?}");
    }
}

#[test]
fn wrong_configurations_are_named() {
    let gru = GruConfig::new(5, 4);
    let error = |config: StackConfig| config.validate(&gru).unwrap_err().to_string();
    assert_eq!(
        error(StackConfig::new().with_layers(0)),
        "layers is 0, expected at least 1"
    );
    assert_eq!(
        error(StackConfig::new().with_dropout(1.0)),
        "dropout is 1, expected a probability in [0, 1)"
    );
}

#[test]
#[should_panic(expected = "cannot take single steps: expected direction Forward")]
fn a_reverse_stack_cannot_step() {
    let device = Device::default();
    let config = StackConfig::new().with_direction(Direction::Reverse);
    let stack = config.init(&GruConfig::new(5, 4), &device);
    let state = stack.zero_state(1);
    stack.step(Tensor::ones([1, 5], &device), state);
}

#[test]
fn widths_of_merges_and_connections() {
    let widths = |config: StackConfig| {
        let config = config
            .with_layers(3)
            .with_direction(Direction::Bidirectional);
        let stack = config.init(&GruConfig::new(5, 4), &Default::default());
        let of_layer = |layer: &super::Layer<crate::Gru>| {
            let (_, cell) = layer.cells().next().expect("a cell");
            cell.weights().d_input()
        };
        let inputs: Vec<usize> = stack.layers.iter().map(of_layer).collect();
        (inputs, stack.d_output())
    };
    let config = StackConfig::new();
    let sum = config.clone().with_merge(Merge::Sum);
    assert_eq!(widths(sum.clone()), (vec![5, 4, 4], 4));
    let residual = config.clone().with_connections(Connections::Residual);
    assert_eq!(widths(residual), (vec![5, 8, 8], 8));
    let dense = |config: StackConfig| config.with_connections(Connections::Dense);
    assert_eq!(widths(dense(config)), (vec![5, 13, 21], 8));
    assert_eq!(widths(dense(sum)), (vec![5, 9, 13], 4));
}

#[test]
fn outputs_of_each_direction_merge_to_the_output() {
    let device = Device::default();
    let config = StackConfig::new()
        .with_layers(2)
        .with_direction(Direction::Bidirectional)
        .with_merge(Merge::Mul);
    let stack = config.init(&GruConfig::new(3, 4), &device);
    let input = Tensor::<3>::ones([2, 5, 3], &device);
    let (each, _) = stack.forward_each(input.clone(), None);
    let [forward, reverse] = each.try_into().expect("two directions");
    let (output, _) = stack.forward(input, None);
    assert_eq!((forward * reverse).into_data(), output.into_data());
}

#[test]
fn each_layer_reads_what_the_one_below_puts_out() {
    let device = Device::default();
    let input = Tensor::<3>::random([2, 5, 3], burn::tensor::Distribution::Default, &device);
    let stack = StackConfig::new()
        .with_layers(2)
        .init(&GruConfig::new(3, 4), &device);
    let inputs = stack.layer_inputs(input.clone());
    assert_eq!(inputs.len(), 2);
    assert_eq!(inputs[0].values.to_data(), input.to_data());
    let mut below = stack.clone();
    below.layers.truncate(1);
    let expected = below.forward(input, None).0;
    assert_eq!(inputs[1].values.to_data(), expected.to_data());
}
