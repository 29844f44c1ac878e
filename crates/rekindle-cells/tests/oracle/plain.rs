//! Cells with all options in plain numbers, written from their formulas: the documentation of `Lstm`, `Gru` and `Elman`,
//! and ONNX's of its activations. Nothing here knows the equations that the scans run.

use burn::module::Param;
use burn::tensor::Tensor;
use rekindle_cells::{
    Activation, Buffer, CellConfig, CellNorms, ColumnNorm, ElmanConfig, Extras, GruConfig,
    LstmConfig, LstmGates, Normalization, Reset, Update, Weights,
};

use crate::common::ugrnn::UgrnnConfig;
use crate::matrix::{Matrix, numbers};

/// A cell in plain numbers. A state is as [`State::map`](rekindle_cells::State::map) visits it.
pub trait Plain: CellConfig {
    /// Which tensor of the state is the hidden one.
    const HIDDEN: usize;

    /// One step of this cell with the weights of `cell`, in evaluation, after `visit` others.
    fn step(&self, cell: &Self::Cell, visit: usize, x: &[f64], state: &[Vec<f64>])
    -> Vec<Vec<f64>>;
}

/// The norms of a cell at a step.
#[derive(Clone, Copy)]
struct Norms<'a> {
    norms: Option<&'a CellNorms>,
    visit: usize,
    /// What else than `h W_hh` is part of the recurrent product.
    more: &'a [f64],
}

impl<'a> Norms<'a> {
    fn of(extras: &'a Extras, visit: usize) -> Self {
        Self {
            norms: extras.norms.as_ref(),
            visit,
            more: &[],
        }
    }
}

/// The norm of a row of numbers, with running statistics.
fn normalized(norm: &ColumnNorm, visit: usize, x: &[f64]) -> Vec<f64> {
    let count = x.len() as f64;
    let gain = numbers(&norm.gain.val());
    let shift = norm.shift.as_ref().map(|shift| numbers(&shift.val()));
    let row = |buffer: &Buffer<2>| {
        let all = Matrix::of(&buffer.value());
        all.row(visit.min(all.rows() - 1)).to_vec()
    };
    let (mean, variance, epsilon) = match norm.kind {
        Normalization::None => panic!("no norm"),
        Normalization::Layer { epsilon } => {
            let mean = x.iter().sum::<f64>() / count;
            let variance = x.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / count;
            (vec![mean; x.len()], vec![variance; x.len()], epsilon)
        }
        Normalization::Rms { epsilon } => {
            let square = x.iter().map(|x| x * x).sum::<f64>() / count;
            (vec![0.0; x.len()], vec![square; x.len()], epsilon)
        }
        Normalization::Batch { epsilon, .. } | Normalization::SequenceBatch { epsilon, .. } => {
            let running = norm.running.as_ref().expect("a norm over batches");
            (row(&running.mean), row(&running.variance), epsilon)
        }
    };
    let column = |j: usize| {
        let shift = shift.as_ref().map_or(0.0, |shift| shift[j]);
        gain[j] * (x[j] - mean[j]) / (variance[j] + epsilon).sqrt() + shift
    };
    (0..x.len()).map(column).collect()
}

/// What a state keeps of its old value in evaluation.
fn zoned(prob: f64, old: &[f64], new: Vec<f64>) -> Vec<f64> {
    let both = old.iter().zip(new);
    both.map(|(old, new)| prob * old + (1.0 - prob) * new)
        .collect()
}

/// The two affine maps of all gates.
struct Products {
    /// `x W_ih + b_ih`
    x: Vec<f64>,
    /// `h W_hh + b_hh`
    h: Vec<f64>,
    units: usize,
}

impl Products {
    fn new(weights: &Weights, norms: Norms<'_>, [x, h]: [&[f64]; 2], gates: usize) -> Self {
        let affine = |weight: &Param<Tensor<2>>,
                      norm: &Option<ColumnNorm>,
                      bias: &Option<Param<Tensor<1>>>,
                      [x, more]: [&[f64]; 2]| {
            let mut y = Matrix::of(&weight.val()).product(x);
            for (y, more) in y.iter_mut().zip(more) {
                *y += more;
            }
            if let Some(norm) = norm {
                y = normalized(norm, norms.visit, &y);
            }
            let bias = bias.as_ref().map(|bias| numbers(&bias.val()));
            for (y, bias) in y.iter_mut().zip(bias.iter().flatten()) {
                *y += bias;
            }
            y
        };
        let [of_x, of_h] = match norms.norms {
            Some(norms) => [&norms.input, &norms.hidden],
            None => [&None, &None],
        };
        let x = affine(&weights.weight_ih, of_x, &weights.bias_ih, [x, &[]]);
        Self {
            h: affine(&weights.weight_hh, of_h, &weights.bias_hh, [h, norms.more]),
            units: x.len() / gates,
            x,
        }
    }

    /// Both of one gate.
    fn of_gate(&self, gate: usize) -> [&[f64]; 2] {
        [&self.x, &self.h].map(|all| &all[gate * self.units..][..self.units])
    }

    /// Their sum.
    fn sum(&self, gate: usize) -> Vec<f64> {
        let [x, h] = self.of_gate(gate);
        x.iter().zip(h).map(|(x, h)| x + h).collect()
    }
}

fn clipped(x: f64, clip: Option<f64>) -> f64 {
    match clip {
        Some(clip) => x.clamp(-clip, clip),
        None => x,
    }
}

/// The activation of the clipped `x`.
fn activate(activation: Activation, clip: Option<f64>, x: f64) -> f64 {
    let x = clipped(x, clip);
    match activation {
        Activation::Tanh => x.tanh(),
        Activation::Sigmoid => 1.0 / (1.0 + (-x).exp()),
        Activation::Relu => x.max(0.0),
        Activation::Affine { alpha, beta } => alpha * x + beta,
        Activation::LeakyRelu { alpha } if x < 0.0 => alpha * x,
        Activation::ThresholdedRelu { alpha } if x <= alpha => 0.0,
        Activation::Elu { alpha } if x < 0.0 => alpha * (x.exp() - 1.0),
        Activation::LeakyRelu { .. }
        | Activation::ThresholdedRelu { .. }
        | Activation::Elu { .. } => x,
        Activation::ScaledTanh { alpha, beta } => alpha * (beta * x).tanh(),
        Activation::HardSigmoid { alpha, beta } => (alpha * x + beta).clamp(0.0, 1.0),
        Activation::Softsign => x / (1.0 + x.abs()),
        Activation::Softplus => (1.0 + x.exp()).ln(),
    }
}

impl Plain for ElmanConfig {
    const HIDDEN: usize = 0;

    fn step(
        &self,
        cell: &Self::Cell,
        visit: usize,
        x: &[f64],
        state: &[Vec<f64>],
    ) -> Vec<Vec<f64>> {
        let norms = Norms::of(&cell.extras, visit);
        let sums = Products::new(&cell.weights, norms, [x, &state[0]], 1).sum(0);
        let activate = |a| activate(self.activation, self.clip, a);
        let new = sums.into_iter().map(activate).collect();
        vec![zoned(self.dropout.zoneout_hidden, &state[0], new)]
    }
}

impl Plain for UgrnnConfig {
    const HIDDEN: usize = 0;

    fn step(
        &self,
        cell: &Self::Cell,
        visit: usize,
        x: &[f64],
        state: &[Vec<f64>],
    ) -> Vec<Vec<f64>> {
        let products = Products::new(
            &cell.weights,
            Norms {
                norms: None,
                visit,
                more: &[],
            },
            [x, &state[0]],
            2,
        );
        let gates = products.sum(0).into_iter().zip(products.sum(1));
        let new = gates.zip(&state[0]).map(|((z, n), h)| {
            let z = 1.0 / (1.0 + (-z).exp());
            z * h + (1.0 - z) * n.tanh()
        });
        vec![new.collect()]
    }
}

impl Plain for GruConfig {
    const HIDDEN: usize = 0;

    fn step(
        &self,
        cell: &Self::Cell,
        visit: usize,
        x: &[f64],
        state: &[Vec<f64>],
    ) -> Vec<Vec<f64>> {
        let h = &state[0];
        let norms = Norms::of(&cell.extras, visit);
        let products = Products::new(&cell.weights, norms, [x, h], 3);
        let gate = |a: f64| activate(self.activations.gate, self.clip, a);
        let r: Vec<f64> = products.sum(0).into_iter().map(gate).collect();
        let z: Vec<f64> = products.sum(1).into_iter().map(gate).collect();
        // (r ⊙ h) W_hn + b_hn, for a reset before the product.
        let reset: Vec<f64> = r.iter().zip(h).map(|(r, h)| r * h).collect();
        let of_reset = Products::new(&cell.weights, norms, [x, &reset], 3);
        let unit = |j: usize| {
            let [x_n, h_n] = products.of_gate(2);
            let a = match self.reset {
                Reset::After => x_n[j] + r[j] * h_n[j],
                Reset::Before => of_reset.sum(2)[j],
            };
            let n = activate(self.activations.candidate, self.clip, a);
            match self.update {
                Update::Keep => (1.0 - z[j]) * n + z[j] * h[j],
                Update::Replace => (1.0 - z[j]) * h[j] + z[j] * n,
            }
        };
        let new = (0..h.len()).map(unit).collect();
        vec![zoned(self.dropout.zoneout_hidden, h, new)]
    }
}

/// Where the gates of an LSTM stand among the packed ones.
struct Packed {
    i: Option<usize>,
    f: Option<usize>,
    g: usize,
    o: Option<usize>,
    count: usize,
}

impl Packed {
    #[rustfmt::skip]
    fn of(gates: LstmGates) -> Self {
        match gates {
            LstmGates::All => Self { i: Some(0), f: Some(1), g: 2, o: Some(3), count: 4 },
            LstmGates::NoInput => Self { i: None, f: Some(0), g: 1, o: Some(2), count: 3 },
            LstmGates::Coupled | LstmGates::NoForget => {
                Self { i: Some(0), f: None, g: 1, o: Some(2), count: 3 }
            }
            LstmGates::NoOutput => Self { i: Some(0), f: Some(1), g: 2, o: None, count: 3 },
        }
    }

    /// The row of diagonal peepholes that belongs to a packed gate.
    fn peephole(&self, gate: usize) -> usize {
        if gate < self.g { gate } else { gate - 1 }
    }
}

impl Plain for LstmConfig {
    const HIDDEN: usize = 1;

    fn step(
        &self,
        cell: &Self::Cell,
        visit: usize,
        x: &[f64],
        state: &[Vec<f64>],
    ) -> Vec<Vec<f64>> {
        let (c, h) = (&state[0], &state[1]);
        let units = 0..c.len();
        let at = Packed::of(self.gates);
        let from_gates = cell.weight_gh.as_ref().map(|w| {
            let old: Vec<f64> = state[2..].iter().flatten().copied().collect();
            let mut to_gates = Matrix::of(&w.val()).product(&old);
            // None to the candidate.
            to_gates.splice(2 * c.len()..2 * c.len(), vec![0.0; c.len()]);
            to_gates
        });
        let norms = Norms {
            more: from_gates.as_deref().unwrap_or_default(),
            ..Norms::of(&cell.extras, visit)
        };
        let products = Products::new(&cell.weights, norms, [x, h], at.count);
        let gate = |a: f64| activate(self.activations.gate, self.clip, a);
        let peepholes = cell.peepholes.as_ref().map(|p| Matrix::of(&p.val()));
        let full = cell.weight_ch.as_ref().map(|w| Matrix::of(&w.val()));
        // The argument of a gate that stands at `packed` and sees `seen` of the cell state.
        let argument = |packed: usize, seen: &[f64]| {
            let mut sum = products.sum(packed);
            let full = full.as_ref().map(|w| w.part(packed * c.len(), c.len()));
            let full = full.map(|w| w.product(seen));
            for j in units.clone() {
                if let (Some(p), true) = (&peepholes, packed != at.g) {
                    sum[j] += p.row(at.peephole(packed))[j] * seen[j];
                }
                if let Some(full) = &full {
                    sum[j] += full[j];
                }
            }
            sum
        };
        let opened = |packed: Option<usize>, seen: &[f64]| -> Vec<f64> {
            let argument = packed.map(|packed| argument(packed, seen));
            let opened = argument.map(|argument| argument.into_iter().map(gate).collect());
            opened.unwrap_or_else(|| vec![1.0; c.len()])
        };
        let i = opened(at.i, c);
        let f = match self.gates {
            LstmGates::Coupled => i.iter().map(|i| 1.0 - i).collect(),
            _ => opened(at.f, c),
        };
        let candidate = |a: f64| activate(self.activations.candidate, self.clip, a);
        let g: Vec<f64> = argument(at.g, c).into_iter().map(candidate).collect();
        let new = units
            .clone()
            .map(|j| clipped(f[j] * c[j] + i[j] * g[j], self.cell_clip));
        let c_new: Vec<f64> = new.collect();
        let o = opened(at.o, &c_new);
        let of_cell = norms.norms.and_then(|norms| norms.cell.as_ref());
        let seen = match of_cell {
            Some(norm) => normalized(norm, visit, &c_new),
            None => c_new.clone(),
        };
        // What the cell state shows is not clipped.
        let shown = |j: usize| o[j] * activate(self.activations.output, None, seen[j]);
        let mut h: Vec<f64> = units.clone().map(shown).collect();
        if let Some(projection) = &cell.weight_hr {
            h = Matrix::of(&projection.val()).product(&h);
        }
        let c_new = zoned(self.dropout.zoneout_cell, c, c_new);
        let h = zoned(self.dropout.zoneout_hidden, &state[1], h);
        match self.gate_recurrence {
            true => vec![c_new, h, i, f, o],
            false => vec![c_new, h],
        }
    }
}
