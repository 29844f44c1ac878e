//! Layer-sequential unit variance of a stack.

use burn::module::{ModuleMapper, Param, ParamId};
use burn::tensor::{Int, Tensor};
use rekindle_init::{GateVariance, Lsuv};
use rekindle_kernels::{Layout, Order};

use super::Stack;
use crate::{Cell, Sequences};

/// Data that no unit variance comes of.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LsuvError {
    /// The input's part of a gate does not vary, or the hidden part alone varies too much.
    #[error(
        "{place}: x W_ih has variance {input:.3e} and h W_hh {hidden:.3e} over {steps} steps, expected one above 0 and one below 1; the data that the layer reads are constant, or the recurrent weights too large"
    )]
    NoFactor {
        /// The cell and its gate.
        place: GatePlace,
        /// Variance of `x W_ih`.
        input: f64,
        /// Variance of `h W_hh`.
        hidden: f64,
        /// Valid steps of the data.
        steps: usize,
    },
    /// The variance does not come near 1.
    #[error(
        "{place}: variance is {found:.3} after {iterations} scalings, expected 1 ± {tolerance}"
    )]
    NotReached {
        /// The cell and its gate.
        place: GatePlace,
        /// The variance.
        found: f64,
        /// How often the weights were scaled.
        iterations: usize,
        /// How far from 1 it may be.
        tolerance: f64,
    },
}

/// A gate of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GatePlace {
    /// The layer, counted from 0.
    pub layer: usize,
    /// Whether the cell reads in reverse.
    pub reverse: bool,
    /// The gate, counted from 0 in packing order.
    pub gate: usize,
}

impl std::fmt::Display for GatePlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            layer,
            reverse,
            gate,
        } = self;
        let direction = if *reverse { "reverse" } else { "forward" };
        write!(f, "layer {layer}, {direction}, gate {gate}")
    }
}

impl<C: Cell> Stack<C> {
    /// Scales the input weights, layer by layer from the bottom, until the argument of each gate has unit variance over all
    /// its units and all valid steps of a batch: layer-sequential unit variance.
    ///
    /// ```text
    /// a_g = x W_ih^g + h W_hh^g        for each gate g of each cell, h being the state that the cell itself computes
    /// W_ih^g ← s W_ih^g                s > 0 with Var(s x W_ih^g + h W_hh^g) = 1
    /// ```
    ///
    /// The states follow the weights, so that this is done again until the variance is within the tolerance. For LSUV as
    /// published draw the weights orthonormal before ([`Initializer::Orthogonal`](crate::Initializer::Orthogonal)). Nothing is
    /// drawn here: the same weights and data give the same bits. Padding is not read.
    ///
    /// # Panics
    /// On a device with autodiff, where noise and statistics of batches would act: take [`valid`](burn::module::Module::valid) before. If
    /// the input does not fit the stack.
    ///
    /// # Errors
    /// If the data that a layer reads are constant, the recurrent part alone varies too much, or the tolerance is not
    /// reached.
    ///
    /// # Differences
    /// The paper is about layers without memory, and scales all weights of a layer by its output's deviation. Here the
    /// recurrent weights stay as they were drawn: their gain decides whether what is remembered grows or fades over the
    /// sequence, and orthonormal ones keep it. The input takes what is left. Biases are left out, as are peepholes, gate
    /// recurrence, and the reset gate before the candidate of a GRU; a norm inside the cell would undo all of it.
    ///
    /// # References
    /// Mishkin and Matas, *All You Need Is a Good Init*, 2015, <https://arxiv.org/abs/1511.06422>
    ///
    /// # Examples
    /// ```
    /// use burn::tensor::{Device, Distribution, Tensor};
    /// use rekindle_cells::{GruConfig, Initializer, Lsuv, RecurrentScheme, StackConfig};
    ///
    /// let device = Device::default();
    /// let orthogonal = RecurrentScheme {
    ///     input: Initializer::Orthogonal { gain: 1.0 },
    ///     ..RecurrentScheme::default()
    /// };
    /// let cell = GruConfig::new(3, 16).with_init(orthogonal);
    /// let stack = StackConfig::new().with_layers(2).init(&cell, &device);
    /// let data = Tensor::<3>::random([8, 20, 3], Distribution::Normal(0.0, 0.1), &device);
    /// let stack = stack.lsuv(data, &Lsuv::default())?;
    /// # Ok::<(), rekindle_cells::LsuvError>(())
    /// ```
    pub fn lsuv(mut self, input: impl Into<Sequences>, lsuv: &Lsuv) -> Result<Self, LsuvError> {
        let input = input.into();
        assert!(
            !input.values.device().is_autodiff(),
            "found a device with autodiff, expected one without: take `valid` of the stack and `inner` of the data"
        );
        for layer in 0..self.layers.len() {
            let reads = self.layer_inputs(input.clone()).swap_remove(layer);
            let part = &mut self.layers[layer];
            for (order, cell) in [
                (Order::Forward, &mut part.forward),
                (Order::Reverse, &mut part.reverse),
            ] {
                if let Some(plain) = cell.take() {
                    let place = GatePlace {
                        layer,
                        reverse: order == Order::Reverse,
                        gate: 0,
                    };
                    *cell = Some(scaled(plain, &reads, place, lsuv)?);
                }
            }
        }
        Ok(self)
    }
}

/// A cell whose gates have unit variance on what it reads.
fn scaled<C: Cell>(
    mut cell: C,
    reads: &Sequences,
    place: GatePlace,
    lsuv: &Lsuv,
) -> Result<C, LsuvError> {
    let steps = Steps::of(reads);
    let miss = |found: &[GateVariance]| found.iter().position(|gate| !lsuv.is_met(gate.total()));
    let mut found = variances(&cell, reads, place.reverse, &steps);
    for _ in 0..lsuv.max_iterations {
        if miss(&found).is_none() {
            break;
        }
        let factors = found.iter().enumerate().map(|(gate, found)| {
            found.input_factor().ok_or(LsuvError::NoFactor {
                place: GatePlace { gate, ..place },
                input: found.input,
                hidden: found.hidden,
                steps: steps.count,
            })
        });
        let factors: Vec<f64> = factors.collect::<Result<_, _>>()?;
        cell = with_factors(cell, &factors);
        found = variances(&cell, reads, place.reverse, &steps);
    }
    match miss(&found) {
        None => Ok(cell),
        Some(gate) => Err(LsuvError::NotReached {
            place: GatePlace { gate, ..place },
            found: found[gate].total(),
            iterations: lsuv.max_iterations,
            tolerance: lsuv.tolerance,
        }),
    }
}

/// A cell whose input weights are multiplied by a factor for each gate.
fn with_factors<C: Cell>(cell: C, factors: &[f64]) -> C {
    let units = cell.units();
    let columns = factors.iter().flat_map(|&factor| vec![factor; units]);
    let columns: Vec<f64> = columns.collect();
    let weight: Tensor<2> = cell.weights().weight_ih.val();
    let options = (&weight.device(), weight.dtype());
    let columns = Tensor::from_data(columns.as_slice(), options);
    let id = cell.weights().weight_ih.id;
    cell.map(&mut ScaleColumns { id, columns })
}

/// The valid steps of a batch, and where they stand.
struct Steps {
    /// Of `[batch · seq]` rows; `None`: all.
    places: Option<Tensor<1, Int>>,
    count: usize,
}

impl Steps {
    fn of(reads: &Sequences) -> Self {
        let [batch, seq, _] = reads.layout.batch_seq_width(reads.values.dims());
        let Some(lengths) = &reads.lengths else {
            return Self {
                places: None,
                count: batch * seq,
            };
        };
        let rows = lengths.as_slice().iter().enumerate();
        let places = rows.flat_map(|(row, &length)| (0..length).map(move |step| row * seq + step));
        let places: Vec<i64> = places.map(|place| place as i64).collect();
        let device = reads.values.device();
        Self {
            count: places.len(),
            places: Some(Tensor::from_data(places.as_slice(), &device)),
        }
    }

    /// The valid steps of `[batch, seq, width]`: `[steps, width]`.
    fn select(&self, values: Tensor<3>) -> Tensor<2> {
        let [batch, seq, width] = values.dims();
        let rows = values.reshape([batch * seq, width]);
        match &self.places {
            Some(places) => rows.select(0, places.clone()),
            None => rows,
        }
    }
}

/// The variance of each gate of a cell on what it reads.
fn variances<C: Cell>(
    cell: &C,
    reads: &Sequences,
    reverse: bool,
    steps: &Steps,
) -> Vec<GateVariance> {
    let order = if reverse {
        Order::Reverse
    } else {
        Order::Forward
    };
    let state = cell.initial_state(reads.batch());
    let (output, _) = cell.scan(reads.clone(), state, order);
    let batch_first = |values: Tensor<3>| match reads.layout {
        Layout::BatchFirst => values,
        Layout::TimeMajor => values.swap_dims(0, 1),
    };
    let hidden = before(batch_first(output), reverse);
    let weights = cell.weights();
    let input = steps.select(batch_first(reads.values.clone()));
    let input = input.matmul(weights.weight_ih.val());
    let hidden = steps.select(hidden).matmul(weights.weight_hh.val());
    let gates = input.dims()[1] / cell.units();
    let pairs = input
        .chunk(gates, 1)
        .into_iter()
        .zip(hidden.chunk(gates, 1));
    pairs
        .map(|(input, hidden)| GateVariance::of(input, hidden))
        .collect()
}

/// The state before each step in the order of reading, from those after each: zeros before the first one. In padding outputs
/// are zero, and so is what a reverse cell has before each row's last valid step.
fn before(output: Tensor<3>, reverse: bool) -> Tensor<3> {
    let [_, seq, _] = output.dims();
    let first = output.clone().narrow(1, 0, 1).zeros_like();
    if seq == 1 {
        return first;
    }
    match reverse {
        false => Tensor::cat(vec![first, output.narrow(1, 0, seq - 1)], 1),
        true => Tensor::cat(vec![output.narrow(1, 1, seq - 1), first], 1),
    }
}

/// Multiplies the columns of one parameter.
struct ScaleColumns {
    id: ParamId,
    columns: Tensor<1>,
}

impl ModuleMapper for ScaleColumns {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if param.id != self.id {
            return param;
        }
        let (id, value, mapper) = param.consume();
        Param::from_mapped_value(id, value * self.columns.clone().unsqueeze(), mapper)
    }
}
