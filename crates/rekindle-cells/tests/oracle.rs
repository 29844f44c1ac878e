//! The scan over tensors equals plain loops over numbers: outputs, states and every gradient.
//!
//! The loops use a cell's own equations and their hand-written derivative; the tensors use the same equations and
//! Burn's automatic differentiation. Where both agree, the derivative is right, and so are the scan and its gradients.

use burn::tensor::{DType, Tensor, TensorData};
use rekindle_cells::{
    ElmanActivation, ElmanEquations, Equations, GruEquations, Lengths, LstmEquations, Order,
};
use rekindle_kernels::{Parameters, Scan, scan};
use rekindle_testkit::{assert_close, devices, random};

/// A row-major matrix.
#[derive(Clone, Debug)]
struct Matrix {
    columns: usize,
    values: Vec<f64>,
}

impl Matrix {
    fn of(tensor: &Tensor<2>) -> Self {
        let columns = tensor.dims()[1];
        Self {
            columns,
            values: tensor.clone().into_data().iter::<f64>().collect(),
        }
    }

    fn zeros_like(other: &Self) -> Self {
        Self {
            columns: other.columns,
            values: vec![0.0; other.values.len()],
        }
    }

    fn row(&self, row: usize) -> &[f64] {
        &self.values[row * self.columns..][..self.columns]
    }

    fn row_mut(&mut self, row: usize) -> &mut [f64] {
        &mut self.values[row * self.columns..][..self.columns]
    }

    /// `x W + b`.
    fn affine(&self, x: &[f64], bias: &[f64]) -> Vec<f64> {
        let mut y = bias.to_vec();
        for (row, x) in x.iter().enumerate() {
            for (y, w) in y.iter_mut().zip(self.row(row)) {
                *y += x * w;
            }
        }
        y
    }

    /// `y Wᵀ`.
    fn back(&self, y: &[f64]) -> Vec<f64> {
        let rows = self.values.len() / self.columns;
        (0..rows)
            .map(|row| self.row(row).iter().zip(y).map(|(w, y)| w * y).sum())
            .collect()
    }

    /// Adds `xᵀ y`.
    fn add_outer(&mut self, x: &[f64], y: &[f64]) {
        for (row, x) in x.iter().enumerate() {
            for (w, y) in self.row_mut(row).iter_mut().zip(y) {
                *w += x * y;
            }
        }
    }

    fn tensor(&self, like: &Tensor<2>) -> Tensor<2> {
        let data = TensorData::new(self.values.clone(), like.dims());
        Tensor::from_data(data, (&like.device().inner(), DType::F64))
    }
}

/// What one visited step leaves for the way back.
struct Visit<const S: usize, const A: usize> {
    t: usize,
    old: Vec<[f64; S]>,
    new: Vec<[f64; S]>,
    saved: Vec<[f64; A]>,
}

/// One row of a batch through time and back, one number after the other.
struct Loops<'a, E> {
    equations: &'a E,
    weight_ih: Matrix,
    weight_hh: Matrix,
    bias_ih: Vec<f64>,
    bias_hh: Vec<f64>,
}

impl<E> Loops<'_, E> {
    /// The `GATES` values of unit `unit` in a packed row.
    fn unit<const G: usize>(packed: &[f64], unit: usize) -> [f64; G] {
        let d_hidden = packed.len() / G;
        std::array::from_fn(|gate| packed[gate * d_hidden + unit])
    }

    fn forward<const G: usize, const S: usize, const A: usize>(
        &self,
        x: &Matrix,
        steps: &[usize],
        mut state: Vec<[f64; S]>,
    ) -> Vec<Visit<S, A>>
    where
        E: Equations<G, S, A>,
    {
        let mut visits = Vec::new();
        for &t in steps {
            let hidden: Vec<f64> = state.iter().map(|state| state[0]).collect();
            let input = self.weight_ih.affine(x.row(t), &self.bias_ih);
            let hidden = self.weight_hh.affine(&hidden, &self.bias_hh);
            let (new, saved): (Vec<_>, Vec<_>) = state
                .iter()
                .enumerate()
                .map(|(j, &old)| {
                    let (input, hidden) = (Self::unit(&input, j), Self::unit(&hidden, j));
                    self.equations.forward(input, hidden, old)
                })
                .unzip();
            visits.push(Visit {
                t,
                old: state,
                new: new.clone(),
                saved,
            });
            state = new;
        }
        visits
    }

    /// Back through time. `grads` holds the gradients of `x`, `W_ih`, `W_hh`, and of `b_ih` and `b_hh` as rows.
    fn backward<const G: usize, const S: usize, const A: usize>(
        &self,
        visits: &[Visit<S, A>],
        x: &Matrix,
        output_grad: &Matrix,
        mut state_grad: Vec<[f64; S]>,
        grads: &mut [Matrix; 5],
    ) -> Vec<[f64; S]>
    where
        E: Equations<G, S, A>,
    {
        let d_hidden = state_grad.len();
        for visit in visits.iter().rev() {
            let mut d_input = vec![0.0; G * d_hidden];
            let mut d_hidden_product = vec![0.0; G * d_hidden];
            for j in 0..d_hidden {
                state_grad[j][0] += output_grad.row(visit.t)[j];
                let step = self.equations.backward(
                    visit.saved[j],
                    visit.old[j],
                    visit.new[j],
                    state_grad[j],
                );
                for gate in 0..G {
                    d_input[gate * d_hidden + j] = step.input[gate];
                    d_hidden_product[gate * d_hidden + j] = step.hidden[gate];
                }
                state_grad[j] = step.state;
            }
            for (state, d) in state_grad
                .iter_mut()
                .zip(self.weight_hh.back(&d_hidden_product))
            {
                state[0] += d;
            }
            let hidden: Vec<f64> = visit.old.iter().map(|state| state[0]).collect();
            let [d_x, d_weight_ih, d_weight_hh, d_bias_ih, d_bias_hh] = grads;
            d_x.row_mut(visit.t)
                .copy_from_slice(&self.weight_ih.back(&d_input));
            d_weight_ih.add_outer(x.row(visit.t), &d_input);
            d_weight_hh.add_outer(&hidden, &d_hidden_product);
            d_bias_ih.add_outer(&[1.0], &d_input);
            d_bias_hh.add_outer(&[1.0], &d_hidden_product);
        }
        state_grad
    }
}

/// The inputs of one comparison.
struct Setting {
    shape: [usize; 4],
    lengths: Option<Vec<usize>>,
    order: Order,
}

fn settings() -> Vec<Setting> {
    let mut settings = Vec::new();
    for order in [Order::Forward, Order::Reverse] {
        for (shape, lengths) in [
            ([2, 5, 3, 4], None),
            ([3, 4, 2, 3], Some(vec![1, 4, 0])),
            ([2, 6, 2, 3], Some(vec![3, 2])),
            ([1, 1, 1, 1], None),
            ([2, 3, 1, 1], Some(vec![0, 0])),
        ] {
            settings.push(Setting {
                shape,
                lengths,
                order,
            });
        }
    }
    settings
}

fn assert_equals_loops<const G: usize, const S: usize, const A: usize>(
    equations: &impl Equations<G, S, A>,
) {
    for device in devices!() {
        for setting in settings() {
            compare(equations, &setting, &device.clone().autodiff());
        }
    }
}

fn compare<const G: usize, const S: usize, const A: usize>(
    equations: &impl Equations<G, S, A>,
    setting: &Setting,
    device: &burn::tensor::Device,
) {
    let [batch, seq, d_input, d_hidden] = setting.shape;
    let leaf2 = |shape, seed| random::<2>(shape, seed, (device, DType::F64)).require_grad();
    let leaf1 = |shape, seed| random::<1>(shape, seed, (device, DType::F64)).require_grad();
    let x = random::<3>([batch, seq, d_input], 1, (device, DType::F64)).require_grad();
    let state: [Tensor<2>; S] = std::array::from_fn(|s| leaf2([batch, d_hidden], 2 + s as u64));
    let weight_ih = leaf2([d_input, G * d_hidden], 10);
    let weight_hh = leaf2([d_hidden, G * d_hidden], 11);
    let biases = [leaf1([G * d_hidden], 12), leaf1([G * d_hidden], 13)];

    let scanned = scan(
        equations,
        Scan {
            input: x.clone(),
            state: state.clone(),
            parameters: Parameters {
                weight_ih: weight_ih.clone(),
                weight_hh: weight_hh.clone(),
                biases: Some(biases.clone()),
            },
            lengths: setting.lengths.clone().map(Lengths::new),
            order: setting.order,
        },
    );
    let output_weight = random(scanned.output.dims(), 20, (device, DType::F64));
    let state_weight: [Tensor<2>; S] =
        std::array::from_fn(|s| random([batch, d_hidden], 21 + s as u64, (device, DType::F64)));
    let mut loss = (scanned.output.clone() * output_weight.clone()).sum();
    for (state, weight) in scanned.state.iter().zip(&state_weight) {
        loss = loss + (state.clone() * weight.clone()).sum();
    }
    let gradients = loss.backward();

    let row_of = |bias: &Tensor<1>| bias.clone().into_data().iter::<f64>().collect::<Vec<_>>();
    let loops = Loops {
        equations,
        weight_ih: Matrix::of(&weight_ih),
        weight_hh: Matrix::of(&weight_hh),
        bias_ih: row_of(&biases[0]),
        bias_hh: row_of(&biases[1]),
    };
    let bias_rows = biases.clone().map(|bias| bias.unsqueeze::<2>());
    let mut sums = [
        Matrix::zeros_like(&loops.weight_ih),
        Matrix::zeros_like(&loops.weight_hh),
        Matrix::zeros_like(&Matrix::of(&bias_rows[0])),
        Matrix::zeros_like(&Matrix::of(&bias_rows[1])),
    ];

    for row in 0..batch {
        let of_row = |y: &Tensor<3>| y.clone().narrow(0, row, 1).squeeze_dim::<2>(0);
        let units = |tensors: &[Tensor<2>; S]| -> Vec<[f64; S]> {
            let rows: [Matrix; S] = std::array::from_fn(|s| Matrix::of(&tensors[s]));
            (0..d_hidden)
                .map(|j| std::array::from_fn(|s| rows[s].row(row)[j]))
                .collect()
        };
        let length = setting.lengths.as_ref().map_or(seq, |lengths| lengths[row]);
        let mut steps: Vec<usize> = (0..length).collect();
        if setting.order == Order::Reverse {
            steps.reverse();
        }

        let x_row = Matrix::of(&of_row(&x));
        let visits = loops.forward(&x_row, &steps, units(&state));
        let mut output = Matrix::zeros_like(&Matrix::of(&of_row(&scanned.output)));
        for visit in &visits {
            for (j, new) in visit.new.iter().enumerate() {
                output.row_mut(visit.t)[j] = new[0];
            }
        }
        let found = of_row(&scanned.output).inner();
        assert_close(&found, &output.tensor(&found), "output");
        let last = visits
            .last()
            .map_or(units(&state), |visit| visit.new.clone());
        for (found, expected) in units(&scanned.state)
            .iter()
            .flatten()
            .zip(last.iter().flatten())
        {
            assert!(
                (found - expected).abs() < 1e-12,
                "final state {found}, expected {expected}"
            );
        }

        let [d_weight_ih, d_weight_hh, d_bias_ih, d_bias_hh] = sums;
        let mut grads = [
            Matrix::zeros_like(&x_row),
            d_weight_ih,
            d_weight_hh,
            d_bias_ih,
            d_bias_hh,
        ];
        let output_grad = Matrix::of(&of_row(&output_weight));
        let d_state = loops.backward(
            &visits,
            &x_row,
            &output_grad,
            units(&state_weight),
            &mut grads,
        );
        let [d_x, rest @ ..] = grads;
        sums = rest;

        let found = x.grad(&gradients).map(|grad| of_row(&grad));
        if let Some(found) = found {
            assert_close(&found, &d_x.tensor(&found), "gradient of x");
        } else {
            assert_eq!(
                length, 0,
                "only an empty sequence leaves x without a gradient"
            );
        }
        for (s, state) in state.iter().enumerate() {
            let found = Matrix::of(&state.grad(&gradients).expect("gradient of the state"));
            for (j, expected) in d_state.iter().enumerate() {
                let found = found.row(row)[j];
                assert!((found - expected[s]).abs() < 1e-12, "gradient of state {s}");
            }
        }
    }

    let weights = [weight_ih, weight_hh];
    for (weight, expected) in weights.iter().zip(&sums[..2]) {
        let found = weight.grad(&gradients);
        let found = found.unwrap_or_else(|| expected.tensor(weight).zeros_like());
        assert_close(&found, &expected.tensor(&found), "gradient of a weight");
    }
    for (bias, expected) in biases.iter().zip(&sums[2..]) {
        let found = bias.grad(&gradients).map(|grad| grad.unsqueeze::<2>());
        let found =
            found.unwrap_or_else(|| expected.tensor(&bias.clone().unsqueeze()).zeros_like());
        assert_close(&found, &expected.tensor(&found), "gradient of a bias");
    }
}

#[test]
fn elman_tanh() {
    assert_equals_loops(&ElmanEquations {
        activation: ElmanActivation::Tanh,
    });
}

#[test]
fn elman_relu() {
    assert_equals_loops(&ElmanEquations {
        activation: ElmanActivation::Relu,
    });
}

#[test]
fn lstm() {
    assert_equals_loops(&LstmEquations);
}

#[test]
fn gru() {
    assert_equals_loops(&GruEquations);
}
