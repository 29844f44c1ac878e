//! Layer-sequential unit variance: what a stack's gates vary by afterwards, step by step.

use std::sync::{Mutex, MutexGuard, PoisonError};

use burn::tensor::{Device, Distribution, Tensor, TensorData};
use rekindle_cells::{
    Cell, CellConfig, Connections, Direction, ElmanConfig, GruConfig, Initializer, LstmConfig,
    Lsuv, LsuvError, Merge, RecurrentScheme, Sequences, Stack, StackConfig, State,
};

const LENGTHS: [usize; 6] = [9, 4, 7, 1, 12, 6];
const SEQ: usize = 12;

/// Seeds are global to a backend, so that tests in one process take turns.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn scheme() -> RecurrentScheme {
    RecurrentScheme {
        input: Initializer::Orthogonal { gain: 1.0 },
        ..RecurrentScheme::default()
    }
}

/// Data of a small variance with what breaks everything in padding.
fn data(device: &Device) -> Sequences {
    device.seed(5);
    let values = Tensor::<3>::random([6, SEQ, 3], Distribution::Normal(0.1, 0.3), device);
    let mut numbers: Vec<f32> = values.into_data().iter::<f32>().collect();
    for (row, &length) in numbers.chunks_mut(SEQ * 3).zip(&LENGTHS) {
        row[length * 3..].fill(f32::NAN);
    }
    let values = Tensor::from_data(TensorData::new(numbers, [6, SEQ, 3]), device);
    Sequences::padded(values, LENGTHS.to_vec())
}

fn stacks() -> Vec<StackConfig> {
    let three = StackConfig::new().with_layers(3);
    vec![
        three.clone(),
        three.clone().with_direction(Direction::Bidirectional),
        three
            .clone()
            .with_direction(Direction::Bidirectional)
            .with_merge(Merge::Sum)
            .with_connections(Connections::Residual),
        three
            .with_direction(Direction::Reverse)
            .with_connections(Connections::Dense),
    ]
}

/// The variance of each gate of a cell, over all units and all steps of the rows, which are read one by one in `steps`.
fn variances<C: Cell>(cell: &C, reads: &Sequences, reverse: bool) -> Vec<f64> {
    let gates = cell.weights().weight_ih.dims()[1] / cell.units();
    let mut found = vec![Vec::new(); gates];
    for (row, &length) in LENGTHS.iter().enumerate() {
        let mut state = cell.zero_state(1);
        let steps: Vec<usize> = match reverse {
            false => (0..length).collect(),
            true => (0..length).rev().collect(),
        };
        for step in steps {
            let x = reads.values.clone().narrow(0, row, 1).narrow(1, step, 1);
            let x: Tensor<2> = x.squeeze_dim(1);
            let of_input = x.clone().matmul(cell.weights().weight_ih.val());
            let of_hidden = state.hidden().matmul(cell.weights().weight_hh.val());
            let parts = (of_input + of_hidden).chunk(gates, 1);
            for (gate, part) in found.iter_mut().zip(parts) {
                gate.extend(part.into_data().iter::<f64>());
            }
            state = cell.step(x, state);
        }
    }
    let variance = |values: &Vec<f64>| {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let squares = values.iter().map(|value| (value - mean).powi(2));
        squares.sum::<f64>() / values.len() as f64
    };
    found.iter().map(variance).collect()
}

fn each_gate<C: Cell>(stack: &Stack<C>, data: &Sequences) -> Vec<f64> {
    let reads = stack.layer_inputs(data.clone());
    let layers = stack.layers.iter().zip(&reads);
    let of_layer = layers.flat_map(|(layer, reads)| {
        let forward = layer
            .forward
            .iter()
            .map(|cell| variances(cell, reads, false));
        let reverse = layer
            .reverse
            .iter()
            .map(|cell| variances(cell, reads, true));
        forward.chain(reverse).collect::<Vec<_>>()
    });
    of_layer.flatten().collect()
}

fn weights<C: Cell>(stack: &Stack<C>) -> Vec<Vec<f32>> {
    let cells = stack.layers.iter();
    let cells = cells.flat_map(|layer| layer.forward.iter().chain(&layer.reverse));
    let numbers = cells.flat_map(|cell| {
        let weights = cell.weights();
        [weights.weight_ih.val(), weights.weight_hh.val()]
    });
    numbers
        .map(|weight| weight.into_data().iter::<f32>().collect())
        .collect()
}

fn check<F: CellConfig>(cell: &F, name: &str) {
    let device = Device::default();
    let data = data(&device);
    for config in stacks() {
        let make = || {
            device.seed(3);
            config.init(cell, &device)
        };
        let before = each_gate(&make(), &data);
        assert!(before.iter().any(|variance| (variance - 1.0).abs() > 0.5));
        let stack = make().lsuv(data.clone(), &Lsuv::default()).expect(name);
        let after = each_gate(&stack, &data);
        let is_near = |variance: &f64| (variance - 1.0).abs() <= 0.1;
        assert!(after.iter().all(is_near), "{name}, {config}: {after:?}");
        // The same seed, the same bits.
        let again = make().lsuv(data.clone(), &Lsuv::default()).expect(name);
        assert_eq!(weights(&stack), weights(&again), "{name}");
        // Recurrent weights, every second one, are as they were drawn.
        let (old, new) = (weights(&make()), weights(&stack));
        let pairs = || old.iter().zip(&new);
        assert!(pairs().skip(1).step_by(2).all(|(old, new)| old == new));
        assert!(pairs().step_by(2).any(|(old, new)| old != new));
    }
}

#[test]
fn every_gate_of_every_layer_and_direction_has_unit_variance() {
    let _turn = turn();
    check(&LstmConfig::new(3, 16).with_init(scheme()), "lstm");
    check(&GruConfig::new(3, 16).with_init(scheme()), "gru");
    check(&ElmanConfig::new(3, 16).with_init(scheme()), "rnn");
    let projected = LstmConfig::new(3, 16).with_d_projected(Some(5));
    check(&projected.with_init(scheme()), "projected lstm");
}

#[test]
fn time_may_come_first() {
    let _turn = turn();
    let device = Device::default();
    let cell = GruConfig::new(3, 8).with_init(scheme());
    let make = || {
        device.seed(4);
        StackConfig::new().with_layers(2).init(&cell, &device)
    };
    let data = data(&device);
    let lengths = Some(LENGTHS.to_vec());
    let turned = Sequences::time_major(data.values.clone().swap_dims(0, 1), lengths);
    let [batch_first, time_major] = [data, turned].map(|data| {
        let stack = make().lsuv(data, &Lsuv::default()).expect("it varies");
        weights(&stack)
    });
    for (a, b) in batch_first
        .iter()
        .flatten()
        .zip(time_major.iter().flatten())
    {
        assert!((a - b).abs() < 1e-5 * a.abs().max(1.0), "{a} {b}");
    }
}

#[test]
fn data_that_do_not_vary_are_named() {
    let _turn = turn();
    let device = Device::default();
    let stack = |cell: &ElmanConfig| {
        device.seed(2);
        StackConfig::new().with_layers(2).init(cell, &device)
    };
    let cell = ElmanConfig::new(3, 8).with_init(scheme());
    let zeros = Tensor::<3>::zeros([4, 5, 3], &device);
    let error = stack(&cell)
        .lsuv(zeros, &Lsuv::default())
        .expect_err("zeros");
    assert_eq!(
        error.to_string(),
        "layer 0, forward, gate 0: x W_ih has variance 0.000e0 and h W_hh 0.000e0 over 20 steps, expected one above 0 and \
         one below 1; the data that the layer reads are constant, or the recurrent weights too large"
    );

    let large = RecurrentScheme {
        recurrent: Initializer::Orthogonal { gain: 5.0 },
        ..scheme()
    };
    let large = stack(&ElmanConfig::new(3, 8).with_init(large));
    let error = large
        .lsuv(data(&device), &Lsuv::default())
        .expect_err("too large");
    assert!(matches!(
        error,
        LsuvError::NoFactor { .. } | LsuvError::NotReached { .. }
    ));

    let strict = Lsuv {
        tolerance: 1e-12,
        max_iterations: 2,
    };
    let error = stack(&cell)
        .lsuv(data(&device), &strict)
        .expect_err("too strict");
    assert!(error.to_string().contains("after 2 scalings"), "{error}");
}
