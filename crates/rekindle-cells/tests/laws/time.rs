//! Laws of time: cutting, stepping, causality, orders and layouts.

use burn::tensor::Tensor;
use rekindle_cells::{Cell, Direction, Order, Recurrent, Sequences, State};
use rekindle_testkit::assert_close;

use crate::common::{Network, Origin};
use crate::{Law, assert_states_close};

/// Law: cutting a sequence and carrying the state changes nothing, unless norms have statistics for each step.
pub struct Split;

impl Law for Split {
    fn check<C: Cell>(&self, network: &Network<C>) {
        let counts_steps = network.subject.cell.counts_steps();
        if network.stack.direction() != Direction::Forward || counts_steps {
            return;
        }
        let (what, seq) = (&network.what, network.subject.seq);
        let x = network.input();
        let (whole, end) = network.forward(&x, None, network.start());
        for cut in 1..seq {
            let head = x.clone().narrow(1, 0, cut);
            let tail = x.clone().narrow(1, cut, seq - cut);
            let (head, state) = network.forward(&head, None, network.start());
            let (tail, state) = network.forward(&tail, None, Some(state));
            assert_close(&Tensor::cat(vec![head, tail], 1), &whole, what);
            assert_states_close(state, end.clone(), what);
        }
    }
}

/// Law: single steps are the sequence, unless norms have statistics for each step.
pub struct Steps;

impl Law for Steps {
    fn check<C: Cell>(&self, network: &Network<C>) {
        let counts_steps = network.subject.cell.counts_steps();
        if network.stack.direction() != Direction::Forward || counts_steps {
            return;
        }
        let subject = network.subject;
        let x = network.input();
        let (whole, end) = network.forward(&x, None, network.start());
        let initial = || network.stack.initial_state(subject.batch);
        let mut state = network.start().unwrap_or_else(initial);
        let mut outputs = Vec::new();
        for t in 0..subject.seq {
            let x = x.clone().narrow(1, t, 1).squeeze_dim(1);
            let output;
            (output, state) = network.stack.step(x, state);
            outputs.push(output);
        }
        assert_close(&Tensor::stack(outputs, 1), &whole, &network.what);
        assert_states_close(state, end, &network.what);
    }
}

/// Law: an output depends on no input that the direction of its stack has not reached yet. It does depend on the others,
/// which is asked of the table alone: in a small network of rectifiers all units may be silent.
pub struct Causal;

impl Law for Causal {
    fn check<C: Cell>(&self, network: &Network<C>) {
        let subject = network.subject;
        let (batch, seq) = (subject.batch, subject.seq);
        let x = network.input();
        let at = seq / 2;
        let (before, _) = network.forward(&x, None, network.start());
        // Which outputs stay the same whatever the input of one step becomes. Several values, because a rectifier may
        // be blind to one.
        let (mut early, mut late) = (true, true);
        for value in [-3.0, -0.9, 0.9, 3.0] {
            let changed = x.clone().slice_fill([0..batch, at..at + 1], value);
            let (after, _) = network.forward(&changed, None, network.start());
            let same = |range: std::ops::Range<usize>| {
                let cut = |y: &Tensor<3>| y.clone().slice([0..batch, range.clone()]).into_data();
                range.is_empty() || cut(&before) == cut(&after)
            };
            early &= same(0..at);
            late &= same(at + 1..seq);
        }
        let [early_must, late_must] = match network.stack.direction() {
            Direction::Forward => [true, false],
            Direction::Reverse => [false, true],
            Direction::Bidirectional => [false, false],
        };
        let what = &network.what;
        assert!(early || !early_must, "{what}: earlier outputs changed");
        assert!(late || !late_must, "{what}: later outputs changed");
        if matches!(subject.origin, Origin::Table(_)) {
            assert_eq!(
                [early, late],
                [early_must, late_must],
                "{what}: which outputs stay the same"
            );
        }
    }
}

/// Law: reading in reverse is reading the reversed valid steps.
pub struct Reverse;

impl Law for Reverse {
    fn check<C: Cell>(&self, network: &Network<C>) {
        let what = &network.what;
        let lengths = network.subject.all_lengths();
        let layer = &network.stack.layers[0];
        let cell = layer.forward.iter().chain(&layer.reverse).next();
        let cell = cell.expect("a layer has at least one cell");
        let x = network.input();
        let scan = |x: &Tensor<3>, order: Order| {
            let start = cell.initial_state(network.subject.batch);
            let (output, state) = cell.scan(network.sequences(x, Some(&lengths)), start, order);
            (network.batch_first(output), state)
        };
        let (reverse, end) = scan(&x, Order::Reverse);
        let (flipped, state) = scan(&flip_valid(&x, &lengths), Order::Forward);
        assert_close(&reverse, &flip_valid(&flipped, &lengths), what);
        let mut ends = Vec::new();
        end.map(|tensor| {
            ends.push(tensor.clone());
            tensor
        });
        let mut ends = ends.iter();
        state.map(|tensor| {
            assert_close(ends.next().expect("as many tensors"), &tensor, what);
            tensor
        });
    }
}

/// Reverses the valid steps of each row and leaves padding where it is.
fn flip_valid(x: &Tensor<3>, lengths: &[usize]) -> Tensor<3> {
    let [_, seq, _] = x.dims();
    let rows = lengths.iter().enumerate().map(|(row, &length)| {
        let of_row = x.clone().narrow(0, row, 1);
        if length == 0 {
            return of_row;
        }
        let valid = of_row.clone().narrow(1, 0, length).flip([1]);
        if length == seq {
            return valid;
        }
        Tensor::cat(vec![valid, of_row.narrow(1, length, seq - length)], 1)
    });
    Tensor::cat(rows.collect(), 0)
}

/// Law: sequences with time first, as views and as they lie in memory, give what sequences with the batch first give.
pub struct TimeMajor;

impl Law for TimeMajor {
    fn check<C: Cell>(&self, network: &Network<C>) {
        let what = &network.what;
        let lengths = network.subject.lengths.clone();
        let x = network.input();
        let batch_first = match &lengths {
            Some(lengths) => Sequences::padded(x.clone(), lengths.clone()),
            None => x.clone().into(),
        };
        network.seed();
        let (expected, end) = network.stack.forward(batch_first, network.start());
        let view = x.swap_dims(0, 1);
        let copy = Tensor::from_data(view.to_data(), (&network.device, view.dtype()));
        for x in [view, copy] {
            let sequences = Sequences::time_major(x, lengths.clone());
            network.seed();
            let (found, state) = network.stack.forward(sequences, network.start());
            assert_close(&found.swap_dims(0, 1), &expected, what);
            assert_states_close(state, end.clone(), what);
        }
    }
}
