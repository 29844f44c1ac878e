//! The reference scan of equations of every kind equals plain loops: outputs, states and every gradient. It is
//! differentiated by Burn, so the derivatives of the equations are right, on which the fused scan builds.

use burn::tensor::{DType, Device, Gradients, Tensor};
use rekindle_cells::{Array, Equations, Layout, Lengths, Order, Parameters};
use rekindle_kernels::reference::scan;
use rekindle_kernels::{Scan, Within};
use rekindle_testkit::{devices, random};

use crate::equations::{self, EquationsLaw, every_cell, every_option};
use crate::matrix::{Matrix, assert_numbers, numbers};
use crate::steps::{Loops, Numbers};

/// The inputs of one comparison.
struct Setting {
    /// Batch, steps, inputs, hidden units.
    shape: [usize; 4],
    lengths: Option<Vec<usize>>,
    order: Order,
    d_projected: Option<usize>,
    /// Whether the parameters of units are given; otherwise they are zeros.
    units: bool,
}

fn settings() -> Vec<Setting> {
    let mut settings = Vec::new();
    for order in [Order::Forward, Order::Reverse] {
        for (shape, lengths, d_projected, units) in [
            ([2, 5, 3, 4], None, None, true),
            ([3, 4, 2, 3], Some(vec![1, 4, 0]), Some(2), true),
            ([2, 6, 2, 3], Some(vec![3, 2]), None, false),
            ([1, 1, 1, 1], None, None, true),
            ([1, 2, 1, 3], None, Some(1), true),
            ([2, 3, 1, 1], Some(vec![0, 0]), None, true),
        ] {
            settings.push(Setting {
                shape,
                lengths,
                order,
                d_projected,
                units,
            });
        }
    }
    settings
}

/// Law: a scan equals the loops.
struct EqualsLoops;

impl EquationsLaw for EqualsLoops {
    fn check<E: Equations>(&self, name: &str, equations: &E, _: equations::Numbers) {
        for device in devices!() {
            for mut setting in settings() {
                setting.d_projected = setting
                    .d_projected
                    .filter(|_| equations::can_be_projected(equations));
                Comparison::new(equations, &setting, &device.clone().autodiff()).check(name);
            }
        }
    }
}

#[test]
fn every_cell_equals_loops() {
    every_cell(&EqualsLoops);
}

#[test]
fn every_option_equals_loops() {
    every_option(&EqualsLoops);
}

/// What a scan reads, and weights of a loss of its outputs and states.
struct Comparison<'a, E: Equations> {
    equations: &'a E,
    setting: &'a Setting,
    x: Tensor<3>,
    state: Vec<Tensor<2>>,
    parameters: Parameters,
    output_weight: Tensor<3>,
    state_weight: Vec<Tensor<2>>,
}

impl<'a, E: Equations> Comparison<'a, E> {
    fn new(equations: &'a E, setting: &'a Setting, device: &Device) -> Self {
        let [batch, seq, d_input, d_hidden] = setting.shape;
        let d_output = setting.d_projected.unwrap_or(d_hidden);
        let packed = <E::Gates<()> as Array<()>>::LEN * d_hidden;
        let options = (device, DType::F64);
        let leaf2 = |shape, seed| random::<2>(shape, seed, options).require_grad();
        let leaf1 = |shape, seed| random::<1>(shape, seed, options).require_grad();
        let width = |state: usize| if state == 0 { d_output } else { d_hidden };
        let states = 0..<E::States<()> as Array<()>>::LEN;
        let units = match setting.units {
            true => <E::Units<()> as Array<()>>::LEN - usize::from(E::FACTOR),
            false => 0,
        };
        let of_read = |read: usize| leaf2([width(read), packed], 20 + read as u64);
        Self {
            equations,
            setting,
            x: random([batch, seq, d_input], 1, options).require_grad(),
            state: states
                .clone()
                .map(|s| leaf2([batch, width(s)], 2 + s as u64))
                .collect(),
            parameters: Parameters {
                weight_ih: leaf2([d_input, packed], 10),
                weights_hh: (0..equations.reads()).map(of_read).collect(),
                biases: Some([leaf1([packed], 12), leaf1([packed], 13)]),
                units: (0..units)
                    .map(|unit| leaf1([d_hidden], 14 + unit as u64))
                    .collect(),
                projection: setting.d_projected.map(|_| leaf2([d_hidden, d_output], 18)),
            },
            output_weight: random([batch, seq, d_output], 30, options),
            state_weight: states
                .map(|s| random([batch, width(s)], 31 + s as u64, options))
                .collect(),
        }
    }

    fn scan(&self) -> (Tensor<3>, Vec<Tensor<2>>) {
        let scanned = scan(
            self.equations,
            Scan {
                input: self.x.clone(),
                state: E::States::from_fn(|state| self.state[state].clone()),
                parameters: self.parameters.clone(),
                lengths: self.setting.lengths.clone().map(Lengths::new),
                order: self.setting.order,
                layout: Layout::BatchFirst,
                within: Within::default(),
            },
        );
        (scanned.output, scanned.state.into_iter().collect())
    }

    fn numbers(&self) -> Numbers {
        let parameters = &self.parameters;
        let biases = parameters.biases.clone().expect("biases");
        Numbers {
            weight_ih: Matrix::of(&parameters.weight_ih),
            weights_hh: parameters.weights_hh.iter().map(Matrix::of).collect(),
            biases: Matrix::of(&Tensor::stack(biases.to_vec(), 0)),
            units: parameters.units.iter().map(numbers).collect(),
            projection: parameters.projection.as_ref().map(Matrix::of),
        }
    }

    fn check(&self, name: &str) {
        let [batch, seq, _, d_hidden] = self.setting.shape;
        let (output, state) = self.scan();
        let mut loss = (output.clone() * self.output_weight.clone()).sum();
        for (state, weight) in state.iter().zip(&self.state_weight) {
            loss = loss + (state.clone() * weight.clone()).sum();
        }
        let gradients = loss.backward();

        let loops = Loops {
            equations: self.equations,
            numbers: self.numbers(),
            d_hidden,
        };
        let mut grads = Numbers::zeros_like(&loops.numbers);
        for row in 0..batch {
            let what = format!("{name}: row {row}");
            let of_row = |y: &Tensor<3>| Matrix::of(&y.clone().narrow(0, row, 1).squeeze_dim(0));
            let of_states = |states: &[Tensor<2>]| -> Vec<Vec<f64>> {
                let row = |state: &Tensor<2>| numbers(&state.clone().narrow(0, row, 1));
                states.iter().map(row).collect()
            };
            let length = self
                .setting
                .lengths
                .as_ref()
                .map_or(seq, |lengths| lengths[row]);
            let mut steps: Vec<usize> = (0..length).collect();
            if self.setting.order == Order::Reverse {
                steps.reverse();
            }
            let x = of_row(&self.x);
            let visits = loops.forward(&x, &steps, of_states(&self.state));
            let mut expected = Matrix::zeros_like(&of_row(&output));
            for visit in &visits {
                expected.row_mut(visit.t).copy_from_slice(&visit.new[0]);
            }
            let found = of_row(&output);
            assert_numbers(
                found.values(),
                expected.values(),
                &format!("{what}: output"),
            );
            let last = visits.last().map(|visit| visit.new.clone());
            let last = last.unwrap_or_else(|| of_states(&self.state));
            let found = of_states(&state).concat();
            assert_numbers(&found, &last.concat(), &format!("{what}: state"));

            let mut d_x = Matrix::zeros_like(&x);
            let (of_output, of_state) =
                (of_row(&self.output_weight), of_states(&self.state_weight));
            let into = (&mut d_x, &mut grads);
            let d_state = loops.backward(&visits, &x, &of_output, of_state, into);
            // Only an empty batch leaves the input without a gradient.
            if let Some(found) = self.x.grad(&gradients) {
                assert_numbers(
                    of_row(&found).values(),
                    d_x.values(),
                    &format!("{what}: gradient of x"),
                );
            } else {
                assert_eq!(length, 0, "{what}: gradient of x");
            }
            let found = self.state.iter().map(|state| state.grad(&gradients));
            let found: Vec<_> = found
                .map(|grad| grad.expect("gradient of a state"))
                .collect();
            let found = of_states(&found).concat();
            assert_numbers(
                &found,
                &d_state.concat(),
                &format!("{what}: gradient of states"),
            );
        }
        self.assert_gradients(name, &gradients, &grads);
    }

    /// Compares the gradients of parameters; a scan without steps gives none.
    fn assert_gradients(&self, name: &str, gradients: &Gradients, expected: &Numbers) {
        let compare = |what: &str, found: Option<Vec<f64>>, expected: &[f64]| {
            let found = found.unwrap_or_else(|| vec![0.0; expected.len()]);
            assert_numbers(&found, expected, &format!("{name}: gradient of {what}"));
        };
        let of_matrix = |tensor: &Tensor<2>| tensor.grad(gradients).map(|grad| numbers(&grad));
        let of_vector = |tensor: &Tensor<1>| tensor.grad(gradients).map(|grad| numbers(&grad));
        let parameters = &self.parameters;
        let weight_ih = of_matrix(&parameters.weight_ih);
        compare("W_ih", weight_ih, expected.weight_ih.values());
        for (weight, expected) in parameters.weights_hh.iter().zip(&expected.weights_hh) {
            compare("a recurrent weight", of_matrix(weight), expected.values());
        }
        for (row, bias) in parameters.biases.iter().flatten().enumerate() {
            compare("a bias", of_vector(bias), expected.biases.row(row));
        }
        for (units, expected) in parameters.units.iter().zip(&expected.units) {
            compare("parameters of units", of_vector(units), expected);
        }
        for (projection, expected) in parameters.projection.iter().zip(&expected.projection) {
            compare("the projection", of_matrix(projection), expected.values());
        }
    }
}
