//! Stacks of cells equal plain loops: outputs and final states.

use rekindle_cells::{Cell, Connections, Direction, Merge, Order, StackConfig, State};
use rekindle_testkit::devices;

use crate::common::combinations::combinations;
use crate::common::options::table;
use crate::common::{Network, Subject, with_config};
use crate::matrix::{assert_numbers, numbers};
use crate::plain::Plain;

/// Numbers at each step of one row.
type Sequence = Vec<Vec<f64>>;

/// The states of each cell of each layer, of one row.
type States = Vec<Vec<Vec<Vec<f64>>>>;

/// Compares subjects with loops on every device.
fn assert_equals_loops(subjects: &[Subject]) {
    for device in devices!() {
        for subject in subjects {
            with_config!(&subject.cell, config => {
                compare(config.as_ref(), &subject.network(config.as_ref(), &device))
            });
        }
    }
}

fn compare<F: Plain>(config: &F, network: &Network<F::Cell>) {
    let (what, subject) = (&network.what, network.subject);
    let x = network.input();
    let (output, end) = network.forward(&x, subject.lengths.as_deref(), network.start());
    let initial = || network.stack.initial_state(subject.batch);
    let start = network.start().unwrap_or_else(initial);
    for (row, length) in subject.all_lengths().into_iter().enumerate() {
        let of_row = |y: &burn::tensor::Tensor<3>| y.clone().narrow(0, row, 1).squeeze_dim::<2>(0);
        let x = (0..length).map(|t| numbers(&of_row(&x).narrow(0, t, 1)));
        let loops = Loops {
            config,
            network,
            stack: &subject.stack,
        };
        let (expected, states) = loops.run(x.collect(), states(&start.layers, row));
        for (t, expected) in expected.iter().enumerate() {
            let found = numbers(&of_row(&output).narrow(0, t, 1));
            assert_numbers(&found, expected, &format!("{what}: row {row}, step {t}"));
        }
        let found = self::states(&end.layers, row);
        let [found, states] = [found, states].map(|states| states.into_iter().flatten().flatten());
        for (found, expected) in found.zip(states) {
            assert_numbers(&found, &expected, &format!("{what}: row {row}, state"));
        }
    }
}

/// One row of all states.
fn states<S: State>(layers: &[Vec<S>], row: usize) -> States {
    let of_cell = |state: &S| {
        let mut rows = Vec::new();
        state.clone().map(|tensor| {
            rows.push(numbers(&tensor.clone().narrow(0, row, 1)));
            tensor
        });
        rows
    };
    let of_layer = |layer: &Vec<S>| layer.iter().map(of_cell).collect();
    layers.iter().map(of_layer).collect()
}

/// A stack of plain cells.
struct Loops<'a, F: Plain> {
    config: &'a F,
    network: &'a Network<'a, F::Cell>,
    stack: &'a StackConfig,
}

impl<F: Plain> Loops<'_, F> {
    /// The outputs at all steps, and the final states.
    fn run(&self, x: Sequence, mut states: States) -> (Sequence, States) {
        let mut input = x.clone();
        let mut below = x;
        let mut output = Vec::new();
        for (index, layer) in self.network.stack.layers.iter().enumerate() {
            let cells = layer.forward.iter().map(|cell| (cell, Order::Forward));
            let cells = cells.chain(layer.reverse.iter().map(|cell| (cell, Order::Reverse)));
            let outputs: Vec<Sequence> = cells
                .zip(&mut states[index])
                .map(|((cell, order), state)| self.scan(cell, order, &input, state))
                .collect();
            output = self.merge(&outputs);
            match self.stack.connections {
                Connections::Residual if index > 0 => {
                    output = elementwise(&output, &input, |y, x| y + x);
                }
                _ => {}
            }
            input = output.clone();
            if self.stack.connections == Connections::Dense {
                below = beside(&below, &output);
                input = below.clone();
            }
        }
        let cells = match self.stack.direction {
            Direction::Bidirectional => 2,
            Direction::Forward | Direction::Reverse => 1,
        };
        assert!(states.iter().all(|layer| layer.len() == cells));
        (output, states)
    }

    /// One cell over all steps. The state becomes the final one.
    fn scan(
        &self,
        cell: &F::Cell,
        order: Order,
        x: &Sequence,
        state: &mut Vec<Vec<f64>>,
    ) -> Sequence {
        assert_eq!(cell.d_hidden(), state[F::HIDDEN].len());
        let mut outputs = vec![Vec::new(); x.len()];
        let mut steps: Vec<usize> = (0..x.len()).collect();
        if order == Order::Reverse {
            steps.reverse();
        }
        for (visit, t) in steps.into_iter().enumerate() {
            *state = self.config.step(cell, visit, &x[t], state);
            outputs[t] = state[F::HIDDEN].clone();
        }
        outputs
    }

    /// The outputs of a layer's cells as one.
    fn merge(&self, outputs: &[Sequence]) -> Sequence {
        let [forward, reverse] = outputs else {
            return outputs[0].clone();
        };
        match self.stack.merge {
            Merge::Concat => beside(forward, reverse),
            Merge::Sum => elementwise(forward, reverse, |a, b| a + b),
            Merge::Mean => elementwise(forward, reverse, |a, b| (a + b) / 2.0),
            Merge::Mul => elementwise(forward, reverse, |a, b| a * b),
        }
    }
}

fn beside(left: &Sequence, right: &Sequence) -> Sequence {
    let steps = left.iter().zip(right);
    steps
        .map(|(left, right)| [&left[..], &right[..]].concat())
        .collect()
}

fn elementwise(left: &Sequence, right: &Sequence, function: impl Fn(f64, f64) -> f64) -> Sequence {
    let step = |(left, right): (&Vec<f64>, &Vec<f64>)| {
        let pairs = left.iter().zip(right);
        pairs.map(|(left, right)| function(*left, *right)).collect()
    };
    left.iter().zip(right).map(step).collect()
}

#[test]
fn every_option_equals_loops() {
    assert_equals_loops(&table());
}

#[test]
fn random_combinations_equal_loops() {
    assert_equals_loops(&combinations());
}
