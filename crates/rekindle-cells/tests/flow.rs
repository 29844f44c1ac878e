//! Law: what a watched cell leaves is how much gradient reaches its states, by autodiff through single steps.

#[allow(dead_code, reason = "stacks and combinations are laws' own")]
mod common;

use burn::tensor::{DType, Tensor};
use rekindle_cells::{
    Cell, Direction, ElmanConfig, GruConfig, LstmConfig, Order, Recurrent, Sequences, StackConfig,
    State,
};
use rekindle_testkit::{devices, random};

use common::options::{BATCH_NORM_BY_STEP, cells_with_one_option, subject};
use common::{Network, with_config};

/// `‖∂L/∂s_t‖²` of each state, row and step: `[states][batch][step]`.
type Squares = Vec<Vec<Vec<f64>>>;

const SEQ: usize = 5;
const LENGTHS: [usize; 3] = [5, 2, 4];

/// What the loss is made of: the sum of outputs and final states, each times a number of its own.
struct Loss {
    outputs: Tensor<3>,
    states: Vec<Tensor<2>>,
}

impl Loss {
    fn of<C: Cell>(cell: &C, network: &Network<C>) -> Self {
        let options = (&network.device, DType::F64);
        let mut states = Vec::new();
        let zeros = cell.zero_state(LENGTHS.len());
        let d_output = zeros.hidden().dims()[1];
        zeros.map(|state| {
            states.push(random(state.dims(), 31 + states.len() as u64, options));
            state
        });
        Self {
            outputs: random([LENGTHS.len(), SEQ, d_output], 30, options),
            states,
        }
    }
}

/// By the scan: what it leaves; `None` if that is nothing.
fn by_scan<C: Cell>(cell: &C, x: &Tensor<3>, loss: &Loss, order: Order) -> Option<Squares> {
    let mut cell = cell.clone();
    let flow = (cell.extras_mut().expect("a cell with extras").flow)
        .insert(Default::default())
        .clone();
    let start = cell.initial_state(LENGTHS.len());
    let sequences = Sequences::padded(x.clone(), LENGTHS.to_vec());
    let (output, state) = cell.scan(sequences, start, order);
    let states = state.tensors().into_iter().zip(&loss.states);
    let of_states = states.map(|(state, factor)| (state * factor.clone()).sum());
    let of_outputs = (output * loss.outputs.clone()).sum();
    of_states
        .fold(of_outputs, |sum, part| sum + part)
        .backward();
    let passes = flow.take();
    assert!(passes.len() < 2, "one pass was taken back");
    let pass = passes.into_iter().next()?;
    assert_eq!(pass.lengths, LENGTHS);
    let rows = |squares: &Vec<f64>| squares.chunks(SEQ).map(<[f64]>::to_vec).collect();
    Some(pass.squares.iter().map(rows).collect())
}

/// By autodiff through single steps: a zero is added to each state after each step, and its gradient is that of the state.
fn by_steps<C: Cell>(cell: &C, x: &Tensor<3>, loss: &Loss, order: Order) -> Squares {
    let mut all: Squares = Vec::new();
    for (row, &length) in LENGTHS.iter().enumerate() {
        let of_row = |tensor: &Tensor<2>| tensor.clone().narrow(0, row, 1);
        let mut state = cell.initial_state(1);
        let mut leaves: Vec<(usize, Vec<Tensor<2>>)> = Vec::new();
        let mut steps: Vec<usize> = (0..length).collect();
        if order == Order::Reverse {
            steps.reverse();
        }
        let at = |tensor: &Tensor<3>, t: usize| -> Tensor<2> {
            tensor
                .clone()
                .narrow(0, row, 1)
                .narrow(1, t, 1)
                .squeeze_dim(1)
        };
        let mut parts = Vec::new();
        for t in steps {
            let mut of_step = Vec::new();
            state = cell.step(at(x, t), state).map(|tensor| {
                let leaf = tensor.zeros_like().detach().require_grad();
                of_step.push(leaf.clone());
                tensor + leaf
            });
            leaves.push((t, of_step));
            parts.push((state.hidden() * at(&loss.outputs, t)).sum());
        }
        let end = state.tensors().into_iter().zip(&loss.states);
        parts.extend(end.map(|(state, factor)| (state * of_row(factor)).sum()));
        let sum = parts.into_iter().reduce(|sum, part| sum + part);
        let gradients = sum.expect("a row with steps").backward();
        for (t, of_step) in leaves {
            all.resize_with(of_step.len(), || vec![vec![0.0; SEQ]; LENGTHS.len()]);
            for (squares, leaf) in all.iter_mut().zip(of_step) {
                let gradient = leaf.grad(&gradients).expect("it reaches the loss");
                squares[row][t] = gradient.powi_scalar(2).sum().into_scalar();
            }
        }
    }
    // A scan has the hidden state first, an LSTM's state the cell.
    if all.len() > 1 {
        all.rotate_left(1);
    }
    all
}

/// Compares both; returns whether the cell left anything.
fn check<C: Cell>(network: &Network<C>) -> bool {
    let cell = network.stack.layers[0].forward.as_ref();
    let cell = cell.expect("a stack that reads forward");
    if cell.clone().extras_mut().is_none() {
        return false;
    }
    let options = (&network.device, DType::F64);
    let x = random([LENGTHS.len(), SEQ, network.subject.d_input], 3, options);
    let loss = Loss::of(cell, network);
    for order in [Order::Forward, Order::Reverse] {
        let Some(found) = by_scan(cell, &x, &loss, order) else {
            return false;
        };
        let expected = by_steps(cell, &x, &loss, order);
        assert_eq!(found.len(), expected.len(), "states: {}", network.what);
        for (state, (found, expected)) in found.iter().zip(&expected).enumerate() {
            for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
                let error = (found.sqrt() - expected.sqrt()).abs();
                assert!(
                    error <= 1e-9 * expected.sqrt().max(1e-3),
                    "{}, {order:?}, state {state}: found {found:?}, expected {expected:?}",
                    network.what
                );
            }
        }
    }
    true
}

#[test]
fn what_is_left_is_how_much_gradient_reaches_the_states() {
    for device in devices!() {
        let mut unwatched = Vec::new();
        for (name, cell) in cells_with_one_option() {
            let subject = subject(&name, cell, StackConfig::new());
            if subject.cell.counts_steps() {
                continue;
            }
            let is_watched = with_config!(&subject.cell, config => {
                check(&subject.network(config.as_ref(), &device))
            });
            if !is_watched {
                unwatched.push(name);
            }
        }
        // Composed of tensor operations.
        assert_eq!(unwatched, ["lstm with zoneout and projection"]);
    }
}

/// The valid steps of each row in reverse order.
fn turned_over(sequences: &Tensor<3>) -> Tensor<3> {
    let rows = LENGTHS.iter().enumerate().map(|(row, &length)| {
        let row = sequences.clone().narrow(0, row, 1);
        let valid = row.clone().narrow(1, 0, length).flip([1]);
        match length < SEQ {
            true => Tensor::cat(vec![valid, row.narrow(1, length, SEQ - length)], 1),
            false => valid,
        }
    });
    Tensor::cat(rows.collect(), 0)
}

/// Norms that count steps are scanned in reverse as rows that are reversed.
#[test]
fn rows_that_are_reversed_leave_their_steps_in_order() {
    for device in devices!() {
        let config = ElmanConfig::new(3, 4).with_normalization(BATCH_NORM_BY_STEP);
        let subject = subject("by step", config.clone().into(), StackConfig::new());
        let network = subject.training(&config, &device);
        let cell = network.stack.layers[0].forward.as_ref().expect("a cell");
        let x = random([LENGTHS.len(), SEQ, 3], 3, (&network.device, DType::F64));
        let loss = Loss::of(cell, &network);
        let backward = by_scan(cell, &x, &loss, Order::Reverse).expect("a fused scan");
        let turned = Loss {
            outputs: turned_over(&loss.outputs),
            states: loss.states.clone(),
        };
        let forward = by_scan(cell, &turned_over(&x), &turned, Order::Forward);
        let forward = forward.expect("a fused scan");
        for (row, &length) in LENGTHS.iter().enumerate() {
            let mut expected = forward[0][row].clone();
            expected[..length].reverse();
            let close = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-9 * b.max(1e-6);
            assert!(backward[0][row].iter().zip(&expected).all(close));
        }
    }
}

/// Every cell of a stack is watched, clones leave in the same place, and nothing is left once nobody watches.
#[test]
fn all_cells_of_a_stack_are_watched() {
    for device in devices!() {
        let device = device.autodiff();
        let config = StackConfig::new()
            .with_layers(2)
            .with_direction(Direction::Bidirectional);
        let x = || Tensor::<3>::ones([2, 4, 3], &device);
        let mut gru = config.init(&GruConfig::new(3, 5), &device);
        let cells = gru.watch();
        let places: Vec<_> = cells
            .iter()
            .map(|cell| (cell.layer, cell.reverse))
            .collect();
        assert_eq!(places, [(0, false), (0, true), (1, false), (1, true)]);
        gru.clone().forward(x(), None).0.sum().backward();
        for cell in &cells {
            let passes = cell.flow.take();
            assert_eq!(passes.len(), 1);
            assert!(passes[0].norms(0).iter().all(|&norm| norm > 0.0));
        }
        gru.unwatch();
        gru.forward(x(), None).0.sum().backward();
        assert!(cells.iter().all(|cell| cell.flow.take().is_empty()));

        // No gradient reaches what nothing depends on.
        let mut lstm = StackConfig::new().init(&LstmConfig::new(3, 5), &device);
        let cells = lstm.watch();
        let (output, _) = lstm.forward(x(), None);
        output.narrow(1, 1, 1).sum().backward();
        let passes = cells[0].flow.take();
        let norms = passes[0].norms(0);
        assert!(norms[0] > 0.0 && norms[1] > 0.0);
        assert_eq!(norms[2..], [0.0, 0.0]);
    }
}
