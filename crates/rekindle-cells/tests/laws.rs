//! Laws that hold for every cell, every combination of layers and directions, and every CPU backend.
//!
//! A new cell is one line in `every_cell`.

use burn::module::{Module, ModuleDisplay, Param};
use burn::tensor::{DType, Device, Tensor};
use rekindle_cells::{
    Cell, CellConfig, Direction, ElmanActivation, ElmanConfig, GruConfig, LstmConfig, Order,
    Recurrent, RecurrentScheme, Sequences, Stack, StackConfig, StackState, State,
};
use rekindle_testkit::{
    GradientCheck, Tolerance, assert_close, assert_close_within, assert_module_gradients,
    assert_same_bits, devices, random, with_fixed_parameters,
};

const D_INPUT: usize = 3;
const D_HIDDEN: usize = 4;
const BATCH: usize = 3;
const SEQ: usize = 6;
/// Unsorted, with an empty row and a full one.
const LENGTHS: [usize; BATCH] = [2, 6, 0];

/// A law: something that holds for every cell.
trait Law {
    fn check<C: CellConfig>(&self, name: &str, cell: &C);
}

/// The table of cells.
fn every_cell(law: &impl Law) {
    let relu = ElmanActivation::Relu;
    law.check(
        "elman",
        &ElmanConfig::new(D_INPUT, D_HIDDEN).with_init(init()),
    );
    law.check(
        "elman relu",
        &ElmanConfig::new(D_INPUT, D_HIDDEN)
            .with_activation(relu)
            .with_init(init()),
    );
    law.check(
        "lstm",
        &LstmConfig::new(D_INPUT, D_HIDDEN).with_init(init()),
    );
    law.check(
        "lstm without bias",
        &LstmConfig::new(D_INPUT, D_HIDDEN)
            .with_bias(false)
            .with_init(init()),
    );
    law.check("gru", &GruConfig::new(D_INPUT, D_HIDDEN).with_init(init()));
    law.check(
        "gru without bias",
        &GruConfig::new(D_INPUT, D_HIDDEN)
            .with_bias(false)
            .with_init(init()),
    );
}

/// Biases that differ from each other, so that no law passes because they are zero.
fn init() -> RecurrentScheme {
    RecurrentScheme::pytorch()
}

/// The shapes of stacks on which the laws are checked.
fn stacks() -> Vec<StackConfig> {
    let mut stacks = Vec::new();
    for layers in [1, 2] {
        for direction in [
            Direction::Forward,
            Direction::Reverse,
            Direction::Bidirectional,
        ] {
            stacks.push(
                StackConfig::new()
                    .with_layers(layers)
                    .with_direction(direction),
            );
        }
    }
    stacks
}

/// Calls `check` with every stack on every device.
fn every_stack<C: CellConfig>(name: &str, cell: &C, check: impl Fn(&str, Stack<C::Cell>, &Device)) {
    for device in devices!() {
        for config in stacks() {
            let what = format!("{name}, {config}, {device:?}");
            let autodiff = device.clone().autodiff();
            check(
                &what,
                with_fixed_parameters(config.init(cell, &autodiff), 5),
                &autodiff,
            );
        }
    }
}

fn input(device: &Device) -> Tensor<3> {
    random([BATCH, SEQ, D_INPUT], 1, (device, DType::F64))
}

fn initial<C: Cell>(stack: &Stack<C>) -> StackState<C::State> {
    let mut seed = 100;
    stack.zero_state(BATCH).map(|zeros| {
        seed += 1;
        random(zeros.dims(), seed, (&zeros.device(), DType::F64))
    })
}

/// All tensors of a state, in order.
fn tensors<S: State>(state: StackState<S>) -> Vec<Tensor<2>> {
    let mut tensors = Vec::new();
    state.map(|tensor| {
        tensors.push(tensor.clone());
        tensor
    });
    tensors
}

fn assert_states_close<S: State>(left: StackState<S>, right: StackState<S>, what: &str) {
    for (left, right) in tensors(left).iter().zip(&tensors(right)) {
        assert_close(left, right, what);
    }
}

#[test]
fn split_equals_whole() {
    struct Split;
    impl Law for Split {
        fn check<C: CellConfig>(&self, name: &str, cell: &C) {
            every_stack(name, cell, |what, stack, device| {
                if stack.direction() != Direction::Forward {
                    return;
                }
                let x = input(device);
                let (whole, end) = stack.forward(x.clone(), Some(initial(&stack)));
                for cut in 1..SEQ {
                    let head = x.clone().narrow(1, 0, cut);
                    let tail = x.clone().narrow(1, cut, SEQ - cut);
                    let (head, state) = stack.forward(head, Some(initial(&stack)));
                    let (tail, state) = stack.forward(tail, Some(state));
                    assert_close(&Tensor::cat(vec![head, tail], 1), &whole, what);
                    assert_states_close(state, end.clone(), what);
                }
            });
        }
    }
    every_cell(&Split);
}

#[test]
fn steps_equal_sequence() {
    struct Steps;
    impl Law for Steps {
        fn check<C: CellConfig>(&self, name: &str, cell: &C) {
            every_stack(name, cell, |what, stack, device| {
                if stack.direction() != Direction::Forward {
                    return;
                }
                let x = input(device);
                let (whole, end) = stack.forward(x.clone(), Some(initial(&stack)));
                let mut state = initial(&stack);
                let mut outputs = Vec::new();
                for t in 0..SEQ {
                    let (output, next) =
                        stack.step(x.clone().narrow(1, t, 1).squeeze_dim(1), state);
                    outputs.push(output);
                    state = next;
                }
                assert_close(&Tensor::stack(outputs, 1), &whole, what);
                assert_states_close(state, end, what);
            });
        }
    }
    every_cell(&Steps);
}

#[test]
fn later_inputs_never_reach_earlier_outputs() {
    struct Causal;
    impl Law for Causal {
        fn check<C: CellConfig>(&self, name: &str, cell: &C) {
            every_stack(name, cell, |what, stack, device| {
                let x = input(device);
                let at = SEQ / 2;
                let (before, _) = stack.forward(x.clone(), None);
                // Which outputs stay the same whatever the input of one step becomes. Several values, because a ReLU
                // may be blind to one.
                let (mut early, mut late) = (true, true);
                for value in [-3.0, -0.9, 0.9, 3.0] {
                    let changed = x.clone().slice_fill([0..BATCH, at..at + 1], value);
                    let (after, _) = stack.forward(changed, None);
                    let same = |range: std::ops::Range<usize>| {
                        let cut = |y: &Tensor<3>| {
                            y.clone().narrow(1, range.start, range.len()).into_data()
                        };
                        cut(&before) == cut(&after)
                    };
                    early &= same(0..at);
                    late &= same(at + 1..SEQ);
                }
                let expected = match stack.direction() {
                    Direction::Forward => (true, false),
                    Direction::Reverse => (false, true),
                    Direction::Bidirectional => (false, false),
                };
                assert_eq!(
                    (early, late),
                    expected,
                    "{what}: which outputs stay the same"
                );
            });
        }
    }
    every_cell(&Causal);
}

#[test]
fn rows_never_see_each_other() {
    struct Rows;
    impl Law for Rows {
        fn check<C: CellConfig>(&self, name: &str, cell: &C) {
            every_stack(name, cell, |what, stack, device| {
                let x = input(device);
                let padded = Sequences::padded(x.clone(), LENGTHS.to_vec());
                let (together, end) = stack.forward(padded, Some(initial(&stack)));
                for (row, length) in LENGTHS.into_iter().enumerate() {
                    let state = initial(&stack).map(|tensor| tensor.narrow(0, row, 1));
                    let of_row = |y: &Tensor<3>| y.clone().narrow(0, row, 1).narrow(1, 0, length);
                    let end = end.clone().map(|tensor| tensor.narrow(0, row, 1));
                    if length == 0 {
                        assert_states_close(end, state, &format!("{what}: empty row"));
                        continue;
                    }
                    // Alone, cut to its length: no padding, no lengths.
                    let (alone, state) = stack.forward(of_row(&x), Some(state));
                    assert_close(&alone, &of_row(&together), what);
                    assert_states_close(state, end, what);
                }
            });
        }
    }
    every_cell(&Rows);
}

#[test]
fn padding_never_changes_anything() {
    struct Padding;
    impl Law for Padding {
        fn check<C: CellConfig>(&self, name: &str, cell: &C) {
            every_stack(name, cell, |what, stack, device| {
                let padding: Vec<bool> = LENGTHS
                    .iter()
                    .flat_map(|&length| (0..SEQ * D_INPUT).map(move |i| i / D_INPUT >= length))
                    .collect();
                let data = burn::tensor::TensorData::new(padding, [BATCH, SEQ, D_INPUT]);
                let mask = Tensor::<3, burn::tensor::Bool>::from_data(data, device);

                let results = |garbage: f64| {
                    let x = input(device)
                        .mask_fill(mask.clone(), garbage)
                        .require_grad();
                    let padded = Sequences::padded(x.clone(), LENGTHS.to_vec());
                    let (output, state) = stack.forward(padded, Some(initial(&stack)));
                    let mut results = vec![output.clone().reshape([-1])];
                    let mut loss = output.powi_scalar(2).sum();
                    for tensor in tensors(state) {
                        results.push(tensor.clone().reshape([-1]));
                        loss = loss + tensor.powi_scalar(3).sum();
                    }
                    let gradients = loss.backward();
                    let dx = x.grad(&gradients).expect("the input has a gradient");
                    let leaked = dx.clone().mask_fill(mask.clone().bool_not(), 0.0);
                    assert_eq!(
                        leaked.abs().max().into_scalar::<f64>(),
                        0.0,
                        "{what}: gradient in padding"
                    );
                    results.push(dx.reshape([-1]));
                    for layer in &stack.layers {
                        for cell in layer.forward.iter().chain(&layer.reverse) {
                            let weights = cell.weights();
                            results.push(weights.weight_ih.grad(&gradients).unwrap().reshape([-1]));
                            results.push(weights.weight_hh.grad(&gradients).unwrap().reshape([-1]));
                        }
                    }
                    results
                };
                let clean = results(0.0);
                for garbage in [1e30, f64::NAN, f64::INFINITY] {
                    for (clean, garbage) in clean.iter().zip(results(garbage)) {
                        assert_same_bits(clean, &garbage, what);
                    }
                }
            });
        }
    }
    every_cell(&Padding);
}

#[test]
fn padded_outputs_are_zero_and_states_are_the_last_valid_ones() {
    struct Ends;
    impl Law for Ends {
        fn check<C: CellConfig>(&self, name: &str, cell: &C) {
            every_stack(name, cell, |what, stack, device| {
                if stack.direction() != Direction::Forward {
                    return;
                }
                let padded = Sequences::padded(input(device), LENGTHS.to_vec());
                let (output, state) = stack.forward(padded, None);
                for (row, length) in LENGTHS.into_iter().enumerate() {
                    let of_row = output.clone().narrow(0, row, 1);
                    if length < SEQ {
                        let padding = of_row.clone().narrow(1, length, SEQ - length);
                        assert_eq!(
                            padding.abs().max().into_scalar::<f64>(),
                            0.0,
                            "{what}: row {row}"
                        );
                    }
                    if length > 0 {
                        let last = of_row.narrow(1, length - 1, 1).squeeze_dim::<2>(1);
                        assert_same_bits(&last, &state.last_hidden().narrow(0, row, 1), what);
                    }
                }
            });
        }
    }
    every_cell(&Ends);
}

#[test]
fn reverse_is_forward_over_reversed_valid_steps() {
    struct Reverse;
    impl Law for Reverse {
        fn check<C: CellConfig>(&self, name: &str, cell: &C) {
            for device in devices!() {
                let cell = with_fixed_parameters(cell.init(&device.clone().autodiff()), 2);
                let x = input(&device.clone().autodiff());
                let zeros = || cell.weights().zero_state::<<C::Cell as Cell>::State>(BATCH);
                let padded = |x: &Tensor<3>| Sequences::padded(x.clone(), LENGTHS.to_vec());
                let (reverse, end) = cell.scan(padded(&x), zeros(), Order::Reverse);
                let (flipped, state) = cell.scan(padded(&flip_valid(&x)), zeros(), Order::Forward);
                assert_close(&reverse, &flip_valid(&flipped), name);
                assert_close(&end.hidden(), &state.hidden(), name);
            }
        }
    }
    every_cell(&Reverse);
}

/// Reverses the valid steps of each row and leaves padding where it is.
fn flip_valid(x: &Tensor<3>) -> Tensor<3> {
    let rows = LENGTHS.iter().enumerate().map(|(row, &length)| {
        let of_row = x.clone().narrow(0, row, 1);
        if length == 0 {
            return of_row;
        }
        let valid = of_row.clone().narrow(1, 0, length).flip([1]);
        if length == SEQ {
            return valid;
        }
        Tensor::cat(vec![valid, of_row.narrow(1, length, SEQ - length)], 1)
    });
    Tensor::cat(rows.collect(), 0)
}

/// A network with its input and initial state as parameters, so that one check covers all gradients.
#[derive(Module, Debug)]
struct Problem<M: Module + ModuleDisplay> {
    rnn: M,
    input: Param<Tensor<3>>,
    state: Vec<Param<Tensor<2>>>,
}

#[test]
fn gradients_are_finite_differences() {
    struct Gradients;
    impl Law for Gradients {
        fn check<C: CellConfig>(&self, name: &str, cell: &C) {
            every_stack(name, cell, |what, stack, device| {
                let state = tensors(initial(&stack));
                let problem = Problem {
                    rnn: stack,
                    input: Param::from_tensor(input(device)),
                    state: state.into_iter().map(Param::from_tensor).collect(),
                };
                for lengths in [None, Some(LENGTHS.to_vec())] {
                    let what = format!("{what}, lengths {lengths:?}");
                    assert_module_gradients(&problem, GradientCheck::default(), &what, |problem| {
                        loss(problem, lengths.clone())
                    });
                }
            });
        }
    }
    every_cell(&Gradients);
}

/// A weighted sum of all outputs and final states.
fn loss<C: Cell>(problem: &Problem<Stack<C>>, lengths: Option<Vec<usize>>) -> Tensor<1> {
    let mut parameters = problem.state.iter();
    let state = problem.rnn.zero_state(BATCH).map(|_| {
        parameters
            .next()
            .expect("one parameter a state tensor")
            .val()
    });
    let input = problem.input.val();
    let sequences = match lengths {
        Some(lengths) => Sequences::padded(input, lengths),
        None => input.into(),
    };
    let (output, state) = problem.rnn.forward(sequences, Some(state));
    let weight = |dims, seed| random(dims, seed, (&output.device(), DType::F64));
    let mut loss =
        (output.clone() * random(output.dims(), 50, (&output.device(), DType::F64))).sum();
    for (seed, tensor) in (60..).zip(tensors(state)) {
        loss = loss + (tensor.clone() * weight(tensor.dims(), seed)).sum();
    }
    loss
}

#[test]
fn a_record_gives_back_the_same_bits() {
    struct RoundTrip;
    impl Law for RoundTrip {
        fn check<C: CellConfig>(&self, name: &str, cell: &C) {
            for device in devices!() {
                let config = StackConfig::new()
                    .with_layers(2)
                    .with_direction(Direction::Bidirectional);
                let saved = config.init(cell, &device);
                let other = config.init(cell, &device);
                let x = random([BATCH, SEQ, D_INPUT], 1, (&device, DType::F32));
                let (expected, _) = saved.forward(x.clone(), None);
                let (before, _) = other.forward(x.clone(), None);
                assert_ne!(
                    before.into_data(),
                    expected.to_data(),
                    "{name}: two draws differ"
                );

                let bytes = saved
                    .into_record()
                    .into_bytes()
                    .expect("a record becomes bytes");
                let record = burn::store::ModuleRecord::from_bytes(bytes).expect("and comes back");
                let (loaded, _) = other.load_record(record).forward(x, None);
                assert_same_bits(&loaded, &expected, name);
            }
        }
    }
    every_cell(&RoundTrip);
}

#[test]
fn backends_agree() {
    struct Backends;
    impl Law for Backends {
        fn check<C: CellConfig>(&self, name: &str, cell: &C) {
            let devices = devices!();
            let first = StackConfig::new().with_layers(2).init(cell, &devices[0]);
            let x = random([BATCH, SEQ, D_INPUT], 1, (&devices[0], DType::F32));
            let (expected, _) = first.forward(x.clone(), None);
            for device in &devices[1..] {
                let (found, _) = first
                    .clone()
                    .fork(device)
                    .forward(x.clone().to_device(device), None);
                let found = found.to_device(&devices[0]);
                assert_close_within(&found, &expected, Tolerance::F32, name);
            }
        }
    }
    every_cell(&Backends);
}
