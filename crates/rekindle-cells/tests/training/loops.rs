//! Cells in training equal loops over single steps, with the masks that the same seed draws.

use burn::tensor::activation::tanh;
use burn::tensor::{DType, Device, Tensor};
use rekindle_cells::{
    Cell, CellConfig, CellDropout, ElmanConfig, GruConfig, LstmConfig, Order, Sequences, State,
    Weights,
};
use rekindle_regularize::dropout::{RecurrentDropout, VariationalDropout, WeightDrop, Zoneout};
use rekindle_testkit::{assert_close, devices, random, with_fixed_parameters};

use crate::lock;
use crate::subjects::{everything, of_elman, of_gru};

const BATCH: usize = 3;
const SEQ: usize = 5;
const D_INPUT: usize = 4;
const D_HIDDEN: usize = 6;
const LENGTHS: [usize; BATCH] = [5, 2, 4];

/// What a call draws, in the order of the documentation of `CellDropout`.
struct Masks {
    x: Tensor<2>,
    weight: Tensor<2>,
    h: Tensor<2>,
    candidate: Option<Tensor<3>>,
    keep_h: Tensor<3>,
    keep_c: Option<Tensor<3>>,
    y: Tensor<2>,
}

impl Masks {
    fn draw(noise: CellDropout, packed: usize, device: &Device) -> Self {
        let options = (device, DType::F64);
        let of_sequence = |prob, width| VariationalDropout { prob }.mask([BATCH, width], options);
        let shape = [BATCH, SEQ, D_HIDDEN];
        let zoneout = |prob: f64| Zoneout { prob }.mask(shape, options);
        Self {
            x: of_sequence(noise.input, D_INPUT),
            weight: WeightDrop { prob: noise.weight }
                .apply(Tensor::ones([D_HIDDEN, packed], options)),
            h: of_sequence(noise.hidden, D_HIDDEN),
            candidate: (noise.candidate > 0.0).then(|| {
                let dropout = RecurrentDropout {
                    prob: noise.candidate,
                    per: noise.candidate_per,
                };
                dropout.mask(shape, options)
            }),
            keep_h: zoneout(noise.zoneout_hidden),
            keep_c: (noise.zoneout_cell > 0.0).then(|| zoneout(noise.zoneout_cell)),
            y: of_sequence(noise.output, D_HIDDEN),
        }
    }

    /// The masks of one row.
    fn row(&self, row: usize) -> Self {
        let of_row = |mask: &Tensor<2>| mask.clone().narrow(0, row, 1);
        let of_steps = |mask: &Tensor<3>| mask.clone().narrow(0, row, 1);
        Self {
            x: of_row(&self.x),
            weight: self.weight.clone(),
            h: of_row(&self.h),
            candidate: self.candidate.as_ref().map(of_steps),
            keep_h: of_steps(&self.keep_h),
            keep_c: self.keep_c.as_ref().map(of_steps),
            y: of_row(&self.y),
        }
    }
}

/// `[1, steps, width]` at a step.
fn at(mask: &Tensor<3>, t: usize) -> Tensor<2> {
    mask.clone().narrow(1, t, 1).squeeze_dim(1)
}

/// `1 / (1 + e⁻ˣ)` in the precision of `x`: Burn's own computes in `f32` on `ndarray`.
fn sigmoid(x: Tensor<2>) -> Tensor<2> {
    (x.neg().exp() + 1.0).recip()
}

/// `k ⊙ old + (1 − k) ⊙ new`
fn zoned(keep: Tensor<2>, old: &Tensor<2>, new: Tensor<2>) -> Tensor<2> {
    keep.clone() * old.clone() + (keep.ones_like() - keep) * new
}

/// `x W_ih + b_ih` and `h W_hh + b_hh` of one row, split into gates.
fn products(
    weights: &Weights,
    masks: &Masks,
    x: Tensor<2>,
    h: &Tensor<2>,
    gates: usize,
) -> [Vec<Tensor<2>>; 2] {
    let bias = |bias: &Option<burn::module::Param<Tensor<1>>>| {
        let bias = bias.as_ref().expect("a cell with biases").val().inner();
        bias.unsqueeze::<2>()
    };
    let x = (x * masks.x.clone()).matmul(weights.weight_ih.val().inner());
    let weight_hh = weights.weight_hh.val().inner() * masks.weight.clone();
    let h = (h.clone() * masks.h.clone()).matmul(weight_hh);
    [x + bias(&weights.bias_ih), h + bias(&weights.bias_hh)].map(|packed| packed.chunk(gates, 1))
}

/// One step of a row: the states that the cell hands on, the hidden one first.
type Step<'a> = dyn Fn(&Masks, usize, Tensor<2>, &[Tensor<2>]) -> Vec<Tensor<2>> + 'a;

/// Compares a cell with its loop, over rows of different lengths, in both orders.
fn assert_equals_loop<C: Cell>(
    cell: &C,
    noise: CellDropout,
    device: &Device,
    zero: &[usize],
    step: &Step<'_>,
) {
    let training = device.clone().autodiff();
    let packed = cell.weights().weight_ih.dims()[1];
    let x = random([BATCH, SEQ, D_INPUT], 1, (device, DType::F64));
    for order in [Order::Forward, Order::Reverse] {
        device.seed(21);
        let sequences = Sequences::padded(Tensor::from_inner(x.clone()), LENGTHS.to_vec());
        let start = cell
            .zero_state(BATCH)
            .map(|_| Tensor::zeros([BATCH, D_HIDDEN], (&training, DType::F64)));
        let (output, end) = cell.scan(sequences, start, order);
        device.seed(21);
        let masks = Masks::draw(noise, packed, device);
        for (row, &length) in LENGTHS.iter().enumerate() {
            let masks = masks.row(row);
            let mut states: Vec<Tensor<2>> = (zero.iter())
                .map(|&width| Tensor::zeros([1, width], (device, DType::F64)))
                .collect();
            let mut steps: Vec<usize> = (0..length).collect();
            if order == Order::Reverse {
                steps.reverse();
            }
            for t in steps {
                let x = x.clone().narrow(0, row, 1).narrow(1, t, 1).squeeze_dim(1);
                states = step(&masks, t, x, &states);
                let expected = states[0].clone() * masks.y.clone();
                let found = output.clone().inner().narrow(0, row, 1).narrow(1, t, 1);
                let what = format!("{noise:?}, {order:?}, row {row}, step {t}");
                assert_close(&found.squeeze_dim::<2>(1), &expected, &what);
            }
            let hidden = end.hidden().inner().narrow(0, row, 1);
            assert_close(&hidden, &states[0], "the state is not dropped");
        }
    }
}

#[test]
fn elman_in_training_equals_its_loop() {
    let _guard = lock();
    let noise = of_elman(everything());
    for device in devices!() {
        let config = ElmanConfig::new(D_INPUT, D_HIDDEN).with_dropout(noise);
        let cell = with_fixed_parameters(config.init(&device.clone().autodiff()), 2);
        assert_equals_loop(&cell, noise, &device, &[D_HIDDEN], &|masks, t, x, state| {
            let [x, h] = products(&cell.weights, masks, x, &state[0], 1);
            let new = tanh(x[0].clone() + h[0].clone());
            vec![zoned(at(&masks.keep_h, t), &state[0], new)]
        });
    }
}

#[test]
fn gru_in_training_equals_its_loop() {
    let _guard = lock();
    let noise = of_gru(everything());
    for device in devices!() {
        let config = GruConfig::new(D_INPUT, D_HIDDEN).with_dropout(noise);
        let cell = with_fixed_parameters(config.init(&device.clone().autodiff()), 2);
        assert_equals_loop(&cell, noise, &device, &[D_HIDDEN], &|masks, t, x, state| {
            let h = &state[0];
            let [x, product] = products(&cell.weights, masks, x, h, 3);
            let r = sigmoid(x[0].clone() + product[0].clone());
            let z = sigmoid(x[1].clone() + product[1].clone());
            let n = tanh(x[2].clone() + r * product[2].clone());
            let n = n * at(masks.candidate.as_ref().expect("a mask"), t);
            let new = (z.ones_like() - z.clone()) * n + z * h.clone();
            vec![zoned(at(&masks.keep_h, t), h, new)]
        });
    }
}

#[test]
fn lstm_in_training_equals_its_loop() {
    let _guard = lock();
    let noise = everything();
    for device in devices!() {
        let config = LstmConfig::new(D_INPUT, D_HIDDEN).with_dropout(noise);
        let cell = with_fixed_parameters(config.init(&device.clone().autodiff()), 2);
        let zero = [D_HIDDEN; 2];
        assert_equals_loop(&cell, noise, &device, &zero, &|masks, t, x, state| {
            let (h, c) = (&state[0], &state[1]);
            let [x, product] = products(&cell.weights, masks, x, h, 4);
            let sum = |gate: usize| x[gate].clone() + product[gate].clone();
            let g = tanh(sum(2)) * at(masks.candidate.as_ref().expect("a mask"), t);
            let c_new = sigmoid(sum(1)) * c.clone() + sigmoid(sum(0)) * g;
            // The hidden state shows the new cell state, whatever the cell keeps of the old one.
            let h_new = sigmoid(sum(3)) * tanh(c_new.clone());
            vec![
                zoned(at(&masks.keep_h, t), h, h_new),
                zoned(at(masks.keep_c.as_ref().expect("a mask"), t), c, c_new),
            ]
        });
    }
}
