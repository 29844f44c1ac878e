//! Looking at cells step by step: values of gates and units, and the Jacobian of single steps.

use burn::tensor::{Device, Tensor, TensorData};
use rekindle_cells::{Cell, Gate, Order, Sequences, State};

use super::Place;
use super::measure::{Jacobian, Saturation, Units, spectral_radius};
use super::network::{Look, Patient};
use crate::task::Lesson;

/// At most so many steps of a sequence are walked.
const STEPS: usize = 256;

/// At most so many values of each unit are compared with those of others.
const VALUES: usize = 512;

/// Jacobians of states wider than this are not taken: the work grows with the cube.
const WIDEST: usize = 1024;

/// At how many states of a sequence the Jacobian is taken.
const STATES: usize = 3;

/// What is seen of all cells of a stack.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) gates: Vec<Saturation>,
    pub(crate) jacobians: Vec<Jacobian>,
    pub(crate) units: Vec<Units>,
}

impl Seen {
    /// All of a network on a lesson.
    pub(crate) fn of(patient: &Patient, lesson: &Lesson) -> Self {
        let mut seen = Self::default();
        patient.look(lesson, &mut seen);
        seen
    }
}

impl Look for Seen {
    fn look<C: Cell>(&mut self, place: Place, plain: &C, differentiated: &C, reads: &Sequences) {
        let reads = Rows::new(reads, place.reverse);
        let state = plain.initial_state(reads.lengths.len());
        let sequences = Sequences::padded(reads.values.clone(), reads.lengths.clone());
        let (outputs, _) = plain.scan(sequences, state, Order::Forward);
        self.units.push(Units::of(place, &reads.units(outputs)));
        let walk = Walk::new(plain, &reads);
        let gates = walk.gates.iter();
        let gates = gates.map(|(gate, values)| Saturation::of(place, *gate, values));
        self.gates.extend(gates);
        let width: usize = walk.states.first().map_or(0, |(_, state)| width(state));
        if (1..=WIDEST).contains(&width) {
            let radius = |(x, state): &(Tensor<2>, Vec<Tensor<2>>)| {
                spectral_radius(jacobian(differentiated, x, state))
            };
            self.jacobians.push(Jacobian {
                place,
                radii: walk.states.iter().map(radius).collect(),
            });
        }
    }
}

fn width(state: &[Tensor<2>]) -> usize {
    state.iter().map(|tensor| tensor.dims()[1]).sum()
}

/// A batch in the order in which a cell reads it.
struct Rows {
    /// `[batch, seq, width]`
    values: Tensor<3>,
    lengths: Vec<usize>,
}

impl Rows {
    /// The rows of sequences with their batch first; turned over up to their lengths if `reverse`.
    fn new(sequences: &Sequences, reverse: bool) -> Self {
        let [batch, seq, width] = sequences.values.dims();
        let all = || vec![seq; batch];
        let lengths = sequences.lengths.as_ref();
        let lengths: Vec<usize> = lengths.map_or_else(all, |lengths| lengths.as_slice().to_vec());
        let mut values = sequences.values.clone();
        if reverse {
            let options = (&values.device(), values.dtype());
            let mut numbers: Vec<f32> = values.into_data().iter::<f32>().collect();
            for (row, &length) in numbers.chunks_mut(seq * width).zip(&lengths) {
                let steps = row[..length * width].chunks(width).rev();
                let turned: Vec<f32> = steps.flatten().copied().collect();
                row[..length * width].copy_from_slice(&turned);
            }
            values = Tensor::from_data(TensorData::new(numbers, [batch, seq, width]), options);
        }
        Self { values, lengths }
    }

    /// The values of each unit at valid steps, evenly chosen ones if there are many.
    fn units(&self, outputs: Tensor<3>) -> Vec<Vec<f64>> {
        let [_, seq, width] = outputs.dims();
        let numbers: Vec<f64> = outputs.into_data().iter::<f64>().collect();
        let rows = numbers.chunks(seq * width).zip(&self.lengths);
        let steps = rows.flat_map(|(row, &length)| row.chunks(width).take(length));
        let stride = self.lengths.iter().sum::<usize>().div_ceil(VALUES).max(1);
        let mut units = vec![Vec::new(); width];
        for step in steps.step_by(stride) {
            for (unit, &value) in units.iter_mut().zip(step) {
                unit.push(value);
            }
        }
        units
    }
}

/// A walk over the steps of a batch.
struct Walk {
    /// Values at valid steps.
    gates: Vec<(Gate, Vec<f32>)>,
    /// Inputs and states before a step, of one row each.
    states: Vec<(Tensor<2>, Vec<Tensor<2>>)>,
}

impl Walk {
    fn new<C: Cell>(cell: &C, rows: &Rows) -> Self {
        let lengths = &rows.lengths;
        let longest = lengths.iter().copied().max().unwrap_or(0).min(STEPS);
        let row = (0..lengths.len()).max_by_key(|&row| lengths[row]);
        let stops: Vec<usize> = (1..=STATES)
            .map(|stop| stop * longest / (STATES + 1))
            .collect();
        let mut walk = Self {
            gates: Vec::new(),
            states: Vec::new(),
        };
        let mut state = cell.initial_state(lengths.len());
        for step in 0..longest {
            let x: Tensor<2> = rows.values.clone().narrow(1, step, 1).squeeze_dim(1);
            walk.note(cell.gates(x.clone(), &state), step, lengths);
            if let (true, Some(row)) = (stops.contains(&step), row) {
                let one = |tensor: &Tensor<2>| tensor.clone().narrow(0, row, 1);
                let states = state.tensors().iter().map(one).collect();
                walk.states.push((one(&x), states));
            }
            state = cell.step(x, state);
        }
        walk
    }

    /// Takes note of the gates of rows that are not over.
    fn note(&mut self, gates: Vec<(Gate, Tensor<2>)>, step: usize, lengths: &[usize]) {
        for (index, (gate, values)) in gates.into_iter().enumerate() {
            if self.gates.len() == index {
                self.gates.push((gate, Vec::new()));
            }
            let [_, width] = values.dims();
            let numbers: Vec<f32> = values.into_data().iter::<f32>().collect();
            let rows = numbers.chunks(width).zip(lengths);
            let alive = rows.filter(|(_, length)| step < **length);
            self.gates[index].1.extend(alive.flat_map(|(row, _)| row));
        }
    }
}

/// `∂s_t/∂s_{t−1}` of a step from one row of input and states, without autodiff: one row for each number of the new state.
///
/// The row is repeated as often as the state is wide, and each copy asks for the gradient of another number.
fn jacobian<C: Cell>(cell: &C, x: &Tensor<2>, state: &[Tensor<2>]) -> Tensor<2> {
    let width = width(state);
    let repeated = |tensor: &Tensor<2>| Tensor::from_inner(tensor.clone().repeat_dim(0, width));
    let leaves: Vec<Tensor<2>> = state.iter().map(|s| repeated(s).require_grad()).collect();
    let mut next = leaves.iter();
    let start = cell
        .zero_state(width)
        .map(|_| next.next().expect("as many tensors").clone());
    let new = Tensor::cat(cell.step(repeated(x), start).tensors(), 1);
    let device: Device = new.device();
    let gradients = (new * Tensor::<2>::eye(width, &device)).sum().backward();
    let of = |leaf: &Tensor<2>| {
        let zeros = || leaf.clone().inner().zeros_like();
        leaf.grad(&gradients).unwrap_or_else(zeros)
    };
    Tensor::cat(leaves.iter().map(of).collect(), 1)
}

#[cfg(test)]
mod tests {
    use burn::module::Module;
    use rekindle_cells::{CellConfig, ElmanConfig, Initializer, LstmConfig, RecurrentScheme};

    use super::*;

    /// Without an input, the Jacobian of `tanh(h W)` at h = 0 is Wᵀ: twice the identity has radius 2.
    #[test]
    fn the_jacobian_of_a_step_by_hand() {
        let device = Device::default().autodiff();
        let scheme = RecurrentScheme {
            recurrent: Initializer::Identity { gain: 2.0 },
            ..RecurrentScheme::default()
        };
        let elman = ElmanConfig::new(2, 4).with_init(scheme).init(&device);
        let inner = Device::default();
        let zeros = |width| Tensor::<2>::zeros([1, width], &inner);
        let found = jacobian(&elman, &zeros(2), &[zeros(4)]);
        assert!((spectral_radius(found) - 2.0).abs() < 0.01);
    }

    #[test]
    fn gates_are_seen_at_valid_steps_in_the_order_of_reading() {
        let device = Device::default();
        let differentiated = LstmConfig::new(2, 3).init(&device.clone().autodiff());
        let plain = differentiated.valid();
        let values = Tensor::<3>::ones([2, 4, 2], &device);
        let reads = Sequences::padded(values, vec![4, 1]);
        let mut seen = Seen::default();
        seen.look(Place::new(0, true), &plain, &differentiated, &reads);
        assert_eq!(seen.gates.len(), 4);
        let counts = seen
            .gates
            .iter()
            .map(|gate| gate.histogram.iter().sum::<usize>());
        assert!(counts.into_iter().all(|count| count == 5 * 3));
        assert_eq!(seen.units[0].units, 3);
        assert_eq!(seen.jacobians[0].radii.len(), STATES);
        let radius = seen.jacobians[0].largest();
        assert!(radius > 0.3 && radius < 2.0, "{radius}");

        let numbered = Tensor::<1>::from_data([1.0_f32, 2.0, 3.0, 4.0, 5.0, 0.0], &device);
        let sequences = Sequences::padded(numbered.reshape([2, 3, 1]), vec![3, 2]);
        let turned = Rows::new(&sequences, true).values.into_data();
        let turned: Vec<f32> = turned.iter::<f32>().collect();
        assert_eq!(turned, [3.0, 2.0, 1.0, 5.0, 4.0, 0.0]);
    }
}
