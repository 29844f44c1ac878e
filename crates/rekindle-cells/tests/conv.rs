//! Laws that hold for every convolutional cell, in one to three axes of space, and every combination of layers and
//! directions, on every CPU backend.
//!
//! A new option is one line in `every_cell`.

use burn::module::{Module, ModuleDisplay, Param};
use burn::tensor::{DType, Device, Tensor};
use rekindle_cells::conv::{
    ConvCell, ConvCellConfig, ConvConfig, ConvGru, ConvGru1dConfig, ConvGru2dConfig,
    ConvGru3dConfig, ConvLstm, ConvLstm1dConfig, ConvLstm2dConfig, ConvLstm3dConfig, ConvLstmState,
    ConvPadding, ConvRecurrent, ConvStack, ConvStackConfig, ConvState, Frame, Frames, PerAxis,
};
use rekindle_cells::{
    Activation, Cell, CellConfig, Direction, GruActivations, GruConfig, InitialState, Initializer,
    LstmActivations, LstmConfig, LstmGates, LstmState, Order, Peepholes, Recurrent,
    RecurrentScheme, Reset, Sequences, StackState, Update, Weights,
};
use rekindle_testkit::{
    GradientCheck, Tolerance, assert_close, assert_close_within, assert_module_gradients,
    assert_same_bits, devices, random, with_fixed_parameters,
};

const D_INPUT: usize = 2;
const D_HIDDEN: usize = 2;
const BATCH: usize = 3;
const SEQ: usize = 4;
/// Unsorted, with an empty row and a full one.
const LENGTHS: [usize; BATCH] = [2, 4, 0];

/// A law: something that holds for every cell. `S` is the rank of a sequence of frames of rank `D`.
trait Law {
    fn check<const D: usize, const S: usize, C: ConvCellConfig<D>>(&self, case: &Case<C>)
    where
        Tensor<D>: Frame<Sequence = Tensor<S>>;
}

/// A cell and the size of its frames.
struct Case<C> {
    name: &'static str,
    cell: C,
    space: &'static [usize],
}

fn case<C>(name: &'static str, cell: C, space: &'static [usize]) -> Case<C> {
    Case { name, cell, space }
}

/// Biases that differ from each other, so that no law passes because they are zero.
fn lstm() -> LstmConfig {
    LstmConfig::new(D_INPUT, D_HIDDEN)
        .with_init(RecurrentScheme::pytorch())
        .with_peephole_init(Initializer::Uniform {
            low: -0.5,
            high: 0.5,
        })
}

fn gru() -> GruConfig {
    GruConfig::new(D_INPUT, D_HIDDEN).with_init(RecurrentScheme::pytorch())
}

fn kernel(size: impl Into<PerAxis>) -> ConvConfig {
    ConvConfig::new(size.into())
}

/// The table of cells.
fn every_cell(law: &impl Law) {
    let with_peepholes = lstm().with_peepholes(Peepholes::Diagonal);
    let dilated = kernel(3)
        .with_dilation(2.into())
        .with_state_dilation(2.into());
    let halved = kernel(3).with_stride(2.into());
    let uneven = kernel([2, 3])
        .with_padding(ConvPadding::Explicit {
            before: [1, 0].into(),
            behind: [0, 2].into(),
        })
        .with_state_kernel(Some([1, 3].into()));

    let cell = ConvLstm1dConfig::new(lstm(), kernel(3));
    law.check(&case("lstm 1-D", cell, &[4]));
    let cell = ConvLstm1dConfig::new(lstm().with_bias(false), halved.clone());
    law.check(&case("lstm 1-D, stride, no bias", cell, &[6]));
    let cell = ConvLstm1dConfig::new(lstm().with_gates(LstmGates::Coupled), dilated.clone());
    law.check(&case("lstm 1-D, dilation, coupled gate", cell, &[6]));
    let cell = ConvLstm2dConfig::new(with_peepholes, uneven.with_space(Some([2, 4].into())));
    law.check(&case("lstm 2-D, peepholes, uneven", cell, &[2, 4]));
    let full = lstm()
        .with_peepholes(Peepholes::Full)
        .with_gate_recurrence(true);
    let cell = ConvLstm2dConfig::new(full, kernel([3, 1]));
    law.check(&case(
        "lstm 2-D, full peepholes, gate recurrence",
        cell,
        &[2, 3],
    ));
    let softened = lstm()
        .with_gates(LstmGates::NoOutput)
        .with_cell_clip(Some(40.0))
        .with_activations(LstmActivations {
            candidate: Activation::Softsign,
            ..LstmActivations::default()
        });
    let cell = ConvLstm2dConfig::new(softened, halved.clone().with_groups(2));
    law.check(&case(
        "lstm 2-D, groups, stride, no output gate",
        cell,
        &[3, 4],
    ));
    let cell = ConvLstm3dConfig::new(lstm(), halved.with_kernel([2, 3, 1]));
    law.check(&case("lstm 3-D, stride", cell, &[2, 2, 3]));

    let cell = ConvGru1dConfig::new(gru(), kernel(3).with_groups(2));
    law.check(&case("gru 1-D, groups", cell, &[4]));
    let paper = gru()
        .with_reset(Reset::Before)
        .with_update(Update::Replace)
        .with_activations(GruActivations {
            gate: Activation::Sigmoid,
            candidate: Activation::Softsign,
        });
    let cell = ConvGru2dConfig::new(paper.clone(), dilated);
    law.check(&case(
        "gru 2-D, reset before, replace, dilation",
        cell,
        &[4, 3],
    ));
    let cell = ConvGru3dConfig::new(paper.with_bias(false), kernel([1, 3, 1]));
    law.check(&case("gru 3-D, reset before, no bias", cell, &[1, 2, 3]));
}

/// What `ConvConfig` lacks: the same convolutions with another input kernel and an odd one for the state.
trait WithKernel {
    fn with_kernel(self, kernel: [usize; 3]) -> Self;
}

impl WithKernel for ConvConfig {
    fn with_kernel(mut self, kernel: [usize; 3]) -> Self {
        self.kernel = kernel.into();
        self.with_state_kernel(Some([1, 3, 1].into()))
    }
}

/// The shapes of stacks on which the laws are checked.
fn stacks() -> Vec<ConvStackConfig> {
    let directions = [
        (1, Direction::Forward),
        (2, Direction::Forward),
        (1, Direction::Reverse),
        (2, Direction::Bidirectional),
    ];
    directions
        .map(|(layers, direction)| {
            ConvStackConfig::new()
                .with_layers(layers)
                .with_direction(direction)
        })
        .into()
}

/// Calls `check` with every stack on every device.
fn every_stack<const D: usize, C: ConvCellConfig<D>>(
    case: &Case<C>,
    check: impl Fn(&str, &ConvStackConfig, ConvStack<C::Cell>, &Device),
) {
    for device in devices!() {
        for config in stacks() {
            let what = format!("{}, {config}, {device:?}", case.name);
            let autodiff = device.clone().autodiff();
            let stack = config.init(&case.cell, &autodiff);
            check(&what, &config, with_fixed_parameters(stack, 5), &autodiff);
        }
    }
}

/// Random frames `[batch, seq, channels, …space]`.
fn input<const S: usize>(space: &[usize], device: &Device) -> Tensor<S> {
    let shape: [usize; S] = std::array::from_fn(|axis| match axis {
        0 => BATCH,
        1 => SEQ,
        2 => D_INPUT,
        _ => space[axis - 3],
    });
    random(shape, 1, (device, DType::F64))
}

/// A random state of a stack: that of the shapes which zeros lead to.
fn initial<const D: usize, const S: usize, C: ConvCell<D>>(
    stack: &ConvStack<C>,
    x: &Tensor<S>,
) -> StackState<C::State>
where
    Tensor<D>: Frame<Sequence = Tensor<S>>,
{
    let (_, shapes) = stack.forward(Frames::<D>::new(x.clone()), None);
    let mut seed = 100;
    shapes.map(|like: Tensor<D>| {
        seed += 1;
        random(like.dims(), seed, (&like.device(), DType::F64))
    })
}

/// All tensors of a state, in order.
fn tensors<const D: usize>(state: impl ConvState<D>) -> Vec<Tensor<D>> {
    let mut tensors = Vec::new();
    state.map(|tensor| {
        tensors.push(tensor.clone());
        tensor
    });
    tensors
}

fn assert_states_close<const D: usize, T: ConvState<D>>(left: T, right: T, what: &str) {
    for (left, right) in tensors(left).iter().zip(&tensors(right)) {
        assert_close(left, right, what);
    }
}

fn padded<const D: usize, const S: usize>(x: &Tensor<S>) -> Frames<D>
where
    Tensor<D>: Frame<Sequence = Tensor<S>>,
{
    Frames::padded(x.clone(), LENGTHS.to_vec())
}

#[test]
fn split_and_steps_equal_the_whole() {
    struct Split;
    impl Law for Split {
        fn check<const D: usize, const S: usize, C: ConvCellConfig<D>>(&self, case: &Case<C>)
        where
            Tensor<D>: Frame<Sequence = Tensor<S>>,
        {
            every_stack(case, |what, config, stack, device| {
                if config.direction != Direction::Forward {
                    return;
                }
                let x = input::<S>(case.space, device);
                let whole = |x: Tensor<S>, state| stack.forward(Frames::<D>::new(x), Some(state));
                let (output, end) = whole(x.clone(), initial(&stack, &x));
                for cut in 1..SEQ {
                    let head = x.clone().narrow(1, 0, cut);
                    let tail = x.clone().narrow(1, cut, SEQ - cut);
                    let (head, state) = whole(head, initial(&stack, &x));
                    let (tail, state) = whole(tail, state);
                    assert_close(&Tensor::cat(vec![head, tail], 1), &output, what);
                    assert_states_close(state, end.clone(), what);
                }

                let mut state = initial(&stack, &x);
                for t in 0..SEQ {
                    let frame: Tensor<D> = x.clone().narrow(1, t, 1).squeeze_dim(1);
                    let found;
                    (found, state) = stack.step(frame, Some(state));
                    let expected = output.clone().narrow(1, t, 1).squeeze_dim(1);
                    assert_close(&found, &expected, what);
                }
                assert_states_close(state, end, what);
            });
        }
    }
    every_cell(&Split);
}

#[test]
fn time_first_is_the_same_with_its_axes_exchanged() {
    struct TimeFirst;
    impl Law for TimeFirst {
        fn check<const D: usize, const S: usize, C: ConvCellConfig<D>>(&self, case: &Case<C>)
        where
            Tensor<D>: Frame<Sequence = Tensor<S>>,
        {
            every_stack(case, |what, _, stack, device| {
                let x = input::<S>(case.space, device);
                let (expected, _) = stack.forward(padded::<D, S>(&x), None);
                let swapped = x.swap_dims(0, 1);
                let frames = Frames::<D>::time_major(swapped, Some(LENGTHS.to_vec()));
                let (found, _) = stack.forward(frames, None);
                assert_same_bits(&found.swap_dims(0, 1), &expected, what);
            });
        }
    }
    every_cell(&TimeFirst);
}

#[test]
fn later_inputs_never_reach_earlier_outputs() {
    struct Causal;
    impl Law for Causal {
        fn check<const D: usize, const S: usize, C: ConvCellConfig<D>>(&self, case: &Case<C>)
        where
            Tensor<D>: Frame<Sequence = Tensor<S>>,
        {
            every_stack(case, |what, config, stack, device| {
                let x = input::<S>(case.space, device);
                let at = SEQ / 2;
                let mut changed = vec![x.clone().narrow(1, 0, at)];
                changed.push(x.clone().narrow(1, at, 1) + 1.0);
                changed.push(x.clone().narrow(1, at + 1, SEQ - at - 1));
                let run = |x: Tensor<S>| stack.forward(Frames::<D>::new(x), None).0;
                let (before, after) = (run(x), run(Tensor::cat(changed, 1)));
                let same = |first: usize, count: usize| {
                    let cut = |y: &Tensor<S>| y.clone().narrow(1, first, count).into_data();
                    cut(&before) == cut(&after)
                };
                let expected = match config.direction {
                    Direction::Forward => (true, false),
                    Direction::Reverse => (false, true),
                    Direction::Bidirectional => (false, false),
                };
                let found = (same(0, at), same(at + 1, SEQ - at - 1));
                assert_eq!(found, expected, "{what}: which outputs stay the same");
            });
        }
    }
    every_cell(&Causal);
}

#[test]
fn rows_never_see_each_other() {
    struct Rows;
    impl Law for Rows {
        fn check<const D: usize, const S: usize, C: ConvCellConfig<D>>(&self, case: &Case<C>)
        where
            Tensor<D>: Frame<Sequence = Tensor<S>>,
        {
            every_stack(case, |what, _, stack, device| {
                let x = input::<S>(case.space, device);
                let (together, end) = stack.forward(padded::<D, S>(&x), Some(initial(&stack, &x)));
                for (row, length) in LENGTHS.into_iter().enumerate() {
                    let state =
                        initial(&stack, &x).map(|tensor: Tensor<D>| tensor.narrow(0, row, 1));
                    let of_row = |y: &Tensor<S>| y.clone().narrow(0, row, 1);
                    let end = end
                        .clone()
                        .map(|tensor: Tensor<D>| tensor.narrow(0, row, 1));
                    if length < SEQ {
                        let padding = of_row(&together).narrow(1, length, SEQ - length);
                        let greatest = padding.abs().max().into_scalar::<f64>();
                        assert_eq!(greatest, 0.0, "{what}: row {row}");
                    }
                    if length == 0 {
                        assert_states_close(end, state, &format!("{what}: empty row"));
                        continue;
                    }
                    // Alone, cut to its length: no padding, no lengths.
                    let valid = of_row(&x).narrow(1, 0, length);
                    let (alone, state) = stack.forward(Frames::<D>::new(valid), Some(state));
                    assert_close(&alone, &of_row(&together).narrow(1, 0, length), what);
                    assert_states_close(state, end, what);
                }
            });
        }
    }
    every_cell(&Rows);
}

#[test]
fn a_batch_of_padding_alone_keeps_its_state() {
    struct Empty;
    impl Law for Empty {
        fn check<const D: usize, const S: usize, C: ConvCellConfig<D>>(&self, case: &Case<C>)
        where
            Tensor<D>: Frame<Sequence = Tensor<S>>,
        {
            every_stack(case, |what, _, stack, device| {
                let x = input::<S>(case.space, device);
                let state = initial(&stack, &x);
                let (expected, _) = stack.forward(Frames::<D>::new(x.clone()), None);
                let frames = Frames::<D>::padded(x * f64::NAN, vec![0; BATCH]);
                let (output, end) = stack.forward(frames, Some(state.clone()));
                assert_same_bits(&output, &expected.zeros_like(), what);
                assert_states_close(end, state, what);
            });
        }
    }
    every_cell(&Empty);
}

/// Frames whose padding holds one number.
fn with_garbage<const S: usize>(x: Tensor<S>, garbage: f64) -> Tensor<S> {
    let rows = LENGTHS.iter().enumerate().map(|(row, &length)| {
        let of_row = x.clone().narrow(0, row, 1);
        let valid = of_row.clone().slice_fill([0..1, length..SEQ], garbage);
        if length == SEQ { of_row } else { valid }
    });
    Tensor::cat(rows.collect(), 0)
}

#[test]
fn padding_never_changes_anything() {
    struct Padding;
    impl Law for Padding {
        fn check<const D: usize, const S: usize, C: ConvCellConfig<D>>(&self, case: &Case<C>)
        where
            Tensor<D>: Frame<Sequence = Tensor<S>>,
        {
            every_stack(case, |what, _, stack, device| {
                let results = |garbage: f64| {
                    let x = with_garbage(input::<S>(case.space, device), garbage);
                    let x = x.detach().require_grad();
                    let clean = input::<S>(case.space, device);
                    let state = initial(&stack, &clean);
                    let (output, state) = stack.forward(padded::<D, S>(&x), Some(state));
                    let mut results = vec![output.clone().reshape([-1])];
                    let mut loss = output.powi_scalar(2).sum();
                    for tensor in tensors::<D>(state) {
                        results.push(tensor.clone().reshape([-1]));
                        loss = loss + tensor.powi_scalar(3).sum();
                    }
                    let gradients = loss.backward();
                    let dx = x.grad(&gradients).expect("the input has a gradient");
                    let leaked = with_garbage(dx.clone(), 0.0) - dx.clone();
                    let leaked = leaked.abs().max().into_scalar::<f64>();
                    assert_eq!(leaked, 0.0, "{what}: gradient in padding");
                    results.push(dx.reshape([-1]));
                    for layer in &stack.layers {
                        for cell in layer.forward.iter().chain(&layer.reverse) {
                            let weights = cell.weights();
                            for kernel in [&weights.weight_ih, &weights.weight_hh] {
                                results.push(kernel.grad(&gradients).unwrap().reshape([-1]));
                            }
                        }
                    }
                    results
                };
                let clean: Vec<Tensor<1>> = results(0.0);
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
fn reverse_is_forward_over_reversed_valid_steps() {
    struct Reverse;
    impl Law for Reverse {
        fn check<const D: usize, const S: usize, C: ConvCellConfig<D>>(&self, case: &Case<C>)
        where
            Tensor<D>: Frame<Sequence = Tensor<S>>,
        {
            for device in devices!() {
                let device = device.autodiff();
                let cell = with_fixed_parameters(case.cell.init(&device), 2);
                let x = input::<S>(case.space, &device);
                let zeros = || cell.zero_state(BATCH, case.space);
                let (reverse, end) = cell.scan(padded::<D, S>(&x), zeros(), Order::Reverse);
                let flipped = padded::<D, S>(&flip_valid(&x));
                let (forward, state) = cell.scan(flipped, zeros(), Order::Forward);
                let forward: Tensor<S> = forward.into_sequence();
                assert_close(&reverse.into_sequence(), &flip_valid(&forward), case.name);
                assert_states_close(end, state, case.name);
            }
        }
    }
    every_cell(&Reverse);
}

/// Reverses the valid steps of each row and leaves padding where it is.
fn flip_valid<const S: usize>(x: &Tensor<S>) -> Tensor<S> {
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
struct Problem<M: Module + ModuleDisplay, const D: usize, const S: usize> {
    rnn: M,
    input: Param<Tensor<S>>,
    state: Vec<Param<Tensor<D>>>,
}

#[test]
fn gradients_are_finite_differences() {
    struct Gradients;
    impl Law for Gradients {
        fn check<const D: usize, const S: usize, C: ConvCellConfig<D>>(&self, case: &Case<C>)
        where
            Tensor<D>: Frame<Sequence = Tensor<S>>,
        {
            every_stack(case, |what, _, stack, device| {
                let x = input::<S>(case.space, device);
                let initial = initial(&stack, &x);
                let state = tensors::<D>(initial.clone());
                let problem = Problem {
                    rnn: stack,
                    input: Param::from_tensor(x),
                    state: state.into_iter().map(Param::from_tensor).collect(),
                };
                let check = GradientCheck {
                    directions: 1,
                    ..GradientCheck::default()
                };
                assert_module_gradients(&problem, check, what, |problem| {
                    let mut parameters = problem.state.iter().map(Param::val);
                    let next = |_: Tensor<D>| parameters.next().expect("one parameter a state");
                    let state = initial.clone().map(next);
                    let frames = padded::<D, S>(&problem.input.val());
                    let (output, state) = problem.rnn.forward(frames, Some(state));
                    loss(output, tensors::<D>(state))
                });
            });
        }
    }
    every_cell(&Gradients);
}

/// A weighted sum of all outputs and final states.
fn loss<const D: usize, const S: usize>(output: Tensor<S>, state: Vec<Tensor<D>>) -> Tensor<1> {
    let device = output.device();
    let weight = random(output.dims(), 50, (&device, DType::F64));
    let mut loss = (output * weight).sum();
    for (seed, tensor) in (60..).zip(state) {
        let weight = random(tensor.dims(), seed, (&device, DType::F64));
        loss = loss + (tensor * weight).sum();
    }
    loss
}

#[test]
fn learned_initial_states_are_the_same_everywhere_and_have_gradients() {
    for device in devices!() {
        let device = device.autodiff();
        let cell = lstm().with_initial_state(InitialState::Learned);
        let config = ConvLstm2dConfig::new(cell, kernel(3).with_stride(2.into()));
        let lstm = with_fixed_parameters(config.init(&device), 4);
        let state = lstm.initial_state(BATCH, &[3, 4]);
        let learned = &lstm.initial.as_ref().expect("a learned state").states;
        for (index, map) in [state.hidden, state.cell].into_iter().enumerate() {
            let row: Tensor<4> = learned[index].val().reshape([1, D_HIDDEN, 1, 1]);
            assert_same_bits(&map, &row.expand([BATCH, D_HIDDEN, 2, 2]), "a state");
        }
        let x: Tensor<5> = input(&[3, 4], &device);
        let check = GradientCheck::default();
        assert_module_gradients(&lstm, check, "learned", |lstm| {
            let (output, state) =
                lstm.forward(Frames::<4>::padded(x.clone(), LENGTHS.to_vec()), None);
            loss(output, tensors(state))
        });
    }
}

#[test]
fn a_record_gives_back_the_same_bits() {
    struct RoundTrip;
    impl Law for RoundTrip {
        fn check<const D: usize, const S: usize, C: ConvCellConfig<D>>(&self, case: &Case<C>)
        where
            Tensor<D>: Frame<Sequence = Tensor<S>>,
        {
            for device in devices!() {
                let config = ConvStackConfig::new()
                    .with_layers(2)
                    .with_direction(Direction::Bidirectional);
                let saved = config.init(&case.cell, &device);
                let other = config.init(&case.cell, &device);
                let x = input::<S>(case.space, &device).cast(DType::F32);
                let run =
                    |stack: &ConvStack<C::Cell>| stack.forward(Frames::<D>::new(x.clone()), None).0;
                let expected = run(&saved);
                let before = run(&other).into_data();
                assert_ne!(
                    before,
                    expected.to_data(),
                    "{}: two draws differ",
                    case.name
                );

                let bytes = saved.into_record().into_bytes();
                let bytes = bytes.expect("a record becomes bytes");
                let record = burn::store::ModuleRecord::from_bytes(bytes).expect("and comes back");
                assert_same_bits(&run(&other.load_record(record)), &expected, case.name);
            }
        }
    }
    every_cell(&RoundTrip);
}

#[test]
fn backends_agree() {
    struct Backends;
    impl Law for Backends {
        fn check<const D: usize, const S: usize, C: ConvCellConfig<D>>(&self, case: &Case<C>)
        where
            Tensor<D>: Frame<Sequence = Tensor<S>>,
        {
            let devices = devices!();
            let first = ConvStackConfig::new().with_layers(2);
            let first = first.init(&case.cell, &devices[0]);
            let x = input::<S>(case.space, &devices[0]).cast(DType::F32);
            let (expected, _) = first.forward(Frames::<D>::new(x.clone()), None);
            for device in &devices[1..] {
                let frames = Frames::<D>::new(x.clone().to_device(device));
                let (found, _) = first.clone().fork(device).forward(frames, None);
                let found = found.to_device(&devices[0]);
                assert_close_within(&found, &expected, Tolerance::F32, case.name);
            }
        }
    }
    every_cell(&Backends);
}

fn leaf(values: Tensor<3>) -> Param<Tensor<3>> {
    Param::from_tensor(values.detach())
}

/// Weights of a cell over vectors as kernels of one place.
fn as_kernel(matrix: &Param<Tensor<2>>) -> Param<Tensor<3>> {
    leaf(matrix.val().transpose().unsqueeze_dim(2))
}

/// The sequence with one place a frame: `[batch, seq, width]` to `[batch, seq, width, 1]`.
fn one_place(x: &Tensor<3>) -> Frames<3> {
    Frames::padded(x.clone().unsqueeze_dim(3), LENGTHS.to_vec())
}

/// Vectors for the cells that are compared with cells over vectors.
fn vectors(device: &Device) -> Tensor<3> {
    random([BATCH, SEQ, D_INPUT], 1, (device, DType::F64))
}

fn copy(weights: &Weights, into: &mut rekindle_cells::conv::ConvWeights<3>) {
    into.weight_ih = as_kernel(&weights.weight_ih);
    into.weight_hh = as_kernel(&weights.weight_hh);
    into.bias_ih = weights.bias_ih.clone();
    into.bias_hh = weights.bias_hh.clone();
}

#[test]
fn an_lstm_over_one_place_is_an_lstm() {
    let clipped = LstmActivations {
        gate: Activation::HardSigmoid {
            alpha: 0.3,
            beta: 0.5,
        },
        ..LstmActivations::default()
    };
    let configs = [
        lstm(),
        lstm().with_bias(false),
        lstm().with_peepholes(Peepholes::Diagonal),
        lstm().with_peepholes(Peepholes::Full),
        lstm().with_gate_recurrence(true),
        lstm().with_gates(LstmGates::Coupled),
        lstm()
            .with_gates(LstmGates::NoInput)
            .with_peepholes(Peepholes::Full),
        lstm()
            .with_gates(LstmGates::NoForget)
            .with_peepholes(Peepholes::Diagonal),
        lstm()
            .with_gates(LstmGates::NoOutput)
            .with_peepholes(Peepholes::Diagonal),
        lstm().with_activations(clipped).with_clip(Some(0.7)),
        lstm().with_cell_clip(Some(0.2)),
        lstm().with_initial_state(InitialState::Learned),
    ];
    for device in devices!() {
        let device = device.autodiff();
        for config in &configs {
            let lstm = with_fixed_parameters(config.init(&device), 6);
            let convolution = kernel(1).with_space(Some(1.into()));
            let mut conv: ConvLstm<3> =
                ConvLstm1dConfig::new(config.clone(), convolution).init(&device);
            copy(&lstm.weights, &mut conv.weights);
            conv.peepholes = lstm
                .peepholes
                .as_ref()
                .map(|peepholes| leaf(peepholes.val().unsqueeze_dim(2)));
            conv.weight_ch = lstm.weight_ch.as_ref().map(as_kernel);
            conv.weight_gh = lstm.weight_gh.as_ref().map(as_kernel);
            conv.initial = lstm.initial.clone();

            let x = vectors(&device);
            for order in [Order::Forward, Order::Reverse] {
                let sequences = Sequences::padded(x.clone(), LENGTHS.to_vec());
                let state: LstmState = lstm.initial_state(BATCH);
                let (expected, end) = lstm.scan(sequences, state, order);
                let state: ConvLstmState<3> = conv.initial_state(BATCH, &[1]);
                let (found, state) = conv.scan(one_place(&x), state, order);
                let found: Tensor<4> = found.into_sequence();
                let what = format!("{config}, {order:?}");
                assert_close(&found.squeeze_dim(3), &expected, &what);
                assert_close(&state.cell.squeeze_dim(2), &end.cell, &what);
                assert_close(&state.hidden.squeeze_dim(2), &end.hidden, &what);
            }
        }
    }
}

#[test]
fn a_gru_over_one_place_is_a_gru() {
    let mut configs = vec![
        gru().with_bias(false),
        gru().with_clip(Some(0.5)),
        gru().with_initial_state(InitialState::Learned),
    ];
    for reset in [Reset::After, Reset::Before] {
        for update in [Update::Keep, Update::Replace] {
            configs.push(gru().with_reset(reset).with_update(update));
        }
    }
    for device in devices!() {
        let device = device.autodiff();
        for config in &configs {
            let gru = with_fixed_parameters(config.init(&device), 6);
            let mut conv: ConvGru<3> =
                ConvGru1dConfig::new(config.clone(), kernel(1)).init(&device);
            copy(&gru.weights, &mut conv.weights);
            conv.initial = gru.initial.clone();

            let x = vectors(&device);
            let sequences = Sequences::padded(x.clone(), LENGTHS.to_vec());
            let (expected, end) = Recurrent::forward(&gru, sequences, None);
            let (found, hidden) = ConvRecurrent::forward(&conv, one_place(&x), None);
            let what = config.to_string();
            assert_close(&found.squeeze_dim(3), &expected, &what);
            assert_close(&hidden.squeeze_dim(2), &end, &what);
        }
    }
}

#[test]
#[should_panic(expected = "a stack with a layer that reads in reverse cannot take single steps")]
fn a_reverse_stack_cannot_step() {
    let device = Device::default();
    let config = ConvStackConfig::new().with_direction(Direction::Reverse);
    let cell = ConvGru1dConfig::new(gru(), kernel(3));
    let stack = config.init(&cell, &device);
    stack.step(Tensor::<3>::ones([1, D_INPUT, 4], &device), None);
}
