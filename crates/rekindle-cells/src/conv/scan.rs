//! The scan over frames: the equations of a cell, with convolutions as products.
//!
//! It is the tensor scan of [`rekindle_kernels::reference`] on maps: the same meaning of lengths, order, middle vector and
//! states, composed of tensor operations, with Burn's own gradients.

use burn::module::Param;
use burn::tensor::{Bool, Tensor};
use rekindle_kernels::{Array, Equations, Lengths, Order};

use super::convolution::{Convolution, maps, without_space};
use super::{ConvWeights, Frame, Frames};

/// What a scan reads of a cell.
pub(super) struct ConvScan<'a, E, const D: usize> {
    pub(super) equations: &'a E,
    pub(super) weights: &'a ConvWeights<D>,
    /// Recurrent kernels of the states behind the hidden one: `[gates·d_hidden, d_hidden, …kernel]` each.
    pub(super) further: Vec<Tensor<D>>,
    /// The parameters that each place of each channel has for itself: `[1, d_hidden, …space]`. Those that the equations
    /// have no use for may be missing.
    pub(super) units: Vec<Tensor<D>>,
}

impl<E: Equations, const D: usize> ConvScan<'_, E, D>
where
    Tensor<D>: Frame,
{
    /// All steps: see [`ConvCell::scan`](super::ConvCell::scan).
    ///
    /// # Panics
    /// If the shapes do not belong together, or there is no step.
    pub(super) fn run(
        &self,
        frames: Frames<D>,
        mut state: E::States<Tensor<D>>,
        order: Order,
    ) -> (Frames<D>, E::States<Tensor<D>>) {
        let space = self.assert_fit(&frames, &state);
        let (batch, seq) = (frames.batch, frames.seq);
        let steps = frames.lengths.as_ref().map_or(seq, Lengths::longest);
        if steps == 0 {
            let shape: [usize; D] = maps(seq * batch, self.weights.d_hidden(), &space);
            let like = &frames.values;
            let output = Tensor::zeros(shape, (&like.device(), like.dtype()));
            return (frames.with_values(output), state);
        }

        let padding = frames
            .lengths
            .as_ref()
            .map(|lengths| Padding::new(lengths, steps, &frames.values));
        let clear = |frames: Tensor<D>| match &padding {
            Some(padding) => padding.clear(frames),
            None => frames,
        };
        let valid = clear(frames.values.clone().narrow(0, 0, steps * batch));
        let products = by_step(self.weights.input_products(valid), steps);
        let outputs = self.visit(products, &mut state, padding.as_ref(), order);
        let output = clear(Tensor::cat(outputs, 0));
        (frames.with_values(extend(output, seq * batch)), state)
    }

    /// Visits the steps in the given order: the hidden state after each step, in the order of time.
    fn visit(
        &self,
        products: Vec<Tensor<D>>,
        state: &mut E::States<Tensor<D>>,
        padding: Option<&Padding<D>>,
        order: Order,
    ) -> Vec<Tensor<D>> {
        let recurrent = self.recurrent();
        let units = self.units(&products[0]);
        let visit = |(t, product): (usize, Tensor<D>)| {
            let new = self.advance(&recurrent, product, state.clone(), units.clone());
            *state = match padding {
                Some(padding) => padding.keep::<E>(t, state.clone(), new),
                None => new,
            };
            state.as_ref()[0].clone()
        };
        let steps = products.into_iter().enumerate();
        match order {
            Order::Forward => steps.map(visit).collect(),
            Order::Reverse => {
                let mut outputs: Vec<_> = steps.rev().map(visit).collect();
                outputs.reverse();
                outputs
            }
        }
    }

    /// The kernels of the recurrent products, taken apart once for all steps.
    fn recurrent(&self) -> Recurrent<'_, D> {
        let weights = self.weights;
        let mut kernels = vec![weights.weight_hh.val()];
        kernels.extend(self.further.iter().cloned());
        let late = self.equations.has_middle().then(|| {
            let last = kernels
                .last_mut()
                .expect("a recurrent product reads a state");
            let d_hidden = weights.d_hidden();
            let others = last.dims()[0] - d_hidden;
            let late = last.clone().narrow(0, others, d_hidden);
            *last = last.clone().narrow(0, 0, others);
            late
        });
        let as_map = |bias: &Param<Tensor<1>>| {
            let [packed] = bias.dims();
            bias.val().reshape(without_space::<D>(1, packed))
        };
        Recurrent {
            convolution: &weights.state,
            kernels,
            late,
            bias: weights.bias_hh.as_ref().map(as_map),
        }
    }

    /// The parameters of each place, 0 where there are none.
    fn units(&self, like: &Tensor<D>) -> E::Units<Tensor<D>> {
        E::Units::from_fn(|unit| match self.units.get(unit) {
            Some(values) => values.clone(),
            None => Tensor::zeros([1; D], (&like.device(), like.dtype())),
        })
    }

    /// The step from an input product and the old state to the new state.
    fn advance(
        &self,
        recurrent: &Recurrent<'_, D>,
        input: Tensor<D>,
        state: E::States<Tensor<D>>,
        units: E::Units<Tensor<D>>,
    ) -> E::States<Tensor<D>> {
        let d_hidden = self.weights.d_hidden();
        let gates = |packed: Tensor<D>| {
            E::Gates::from_fn(|gate| packed.clone().narrow(1, gate * d_hidden, d_hidden))
        };
        let input: E::Gates<Tensor<D>> = gates(input);
        let mut hidden: E::Gates<Tensor<D>> = gates(recurrent.products(state.as_ref()));
        if let Some(late) = &recurrent.late {
            let middle =
                self.equations
                    .middle(input.clone(), hidden.clone(), state.clone(), units.clone());
            let last = hidden.as_mut().last_mut().expect("a cell has a gate");
            *last = last.clone() + recurrent.convolution.apply(middle, late.clone(), None);
        }
        let (new, _saved) = self.equations.forward(input, hidden, state, units);
        new
    }

    /// Checks that frames and state belong to the cell; returns the size of the state.
    fn assert_fit(&self, frames: &Frames<D>, state: &E::States<Tensor<D>>) -> Vec<usize> {
        let (d_input, d_hidden) = (self.weights.d_input(), self.weights.d_hidden());
        let shape = frames.values.dims();
        assert!(
            shape[1] == d_input,
            "frames have {} channels, expected {d_input}, as the weights have",
            shape[1]
        );
        assert!(
            frames.seq > 0,
            "input has no steps: expected [batch, seq, channels, …space] with seq of at least 1"
        );
        let space = self.weights.state_space(&shape[2..]);
        let expected: [usize; D] = maps(frames.batch, d_hidden, &space);
        for vector in state.as_ref() {
            assert!(
                vector.dims() == expected,
                "a state has shape {:?}, expected {expected:?} for frames of size {:?}",
                vector.dims(),
                &shape[2..]
            );
        }
        for unit in &self.units {
            assert!(
                unit.dims()[2..] == space,
                "frames of size {:?} give states of size {space:?}, expected {:?}, which the peepholes are for",
                &shape[2..],
                &unit.dims()[2..]
            );
        }
        space
    }
}

/// The recurrent products of a cell.
struct Recurrent<'a, const D: usize> {
    convolution: &'a Convolution,
    /// One for each state that is read; with a middle vector, the last one lacks the last gate.
    kernels: Vec<Tensor<D>>,
    /// The last gate's kernel for the middle vector.
    late: Option<Tensor<D>>,
    /// `[1, gates·d_hidden, 1, …]`.
    bias: Option<Tensor<D>>,
}

impl<const D: usize> Recurrent<'_, D>
where
    Tensor<D>: Frame,
{
    /// `s₁ * W₁ + … + b_hh`; with a middle vector, the last gate without the last state.
    fn products(&self, states: &[Tensor<D>]) -> Tensor<D> {
        let of_state = |(state, kernel): (&Tensor<D>, &Tensor<D>)| {
            self.convolution.apply(state.clone(), kernel.clone(), None)
        };
        let mut products: Vec<_> = states.iter().zip(&self.kernels).map(of_state).collect();
        if self.late.is_some() {
            let last = products
                .last_mut()
                .expect("a recurrent product reads a state");
            let zeros = states[0].zeros_like();
            *last = Tensor::cat(vec![last.clone(), zeros], 1);
        }
        let sum = products.into_iter().reduce(|left, right| left + right);
        let sum = sum.expect("a recurrent product reads a state");
        match &self.bias {
            Some(bias) => sum + bias.clone(),
            None => sum,
        }
    }
}

/// Step by step: `[steps·batch, …]` becomes `steps` tensors `[batch, …]`.
///
/// Halves are taken again and again instead of steps one by one. The gradient of a slice is a tensor of its source's
/// size, so that slices of the whole would cost time quadratic in their number.
fn by_step<const D: usize>(frames: Tensor<D>, steps: usize) -> Vec<Tensor<D>> {
    if steps == 1 {
        return vec![frames];
    }
    let rows = frames.dims()[0];
    let (half, first) = (steps / 2, rows / steps * (steps / 2));
    let mut slices = by_step(frames.clone().narrow(0, 0, first), half);
    slices.extend(by_step(frames.narrow(0, first, rows - first), steps - half));
    slices
}

/// Zeros behind the last step, up to `rows` rows.
fn extend<const D: usize>(output: Tensor<D>, rows: usize) -> Tensor<D> {
    let mut shape = output.dims();
    if shape[0] == rows {
        return output;
    }
    shape[0] = rows - shape[0];
    let zeros = Tensor::zeros(shape, (&output.device(), output.dtype()));
    Tensor::cat(vec![output, zeros], 0)
}

/// Which frames of a batch are padding.
struct Padding<const D: usize> {
    /// True at padded frames: `[steps·batch, 1, …]`.
    mask: Tensor<D, Bool>,
    /// The steps before this one are valid in every row.
    shortest: usize,
}

impl<const D: usize> Padding<D> {
    fn new(lengths: &Lengths, steps: usize, like: &Tensor<D>) -> Self {
        let valid = lengths.valid(steps, &like.device());
        let [batch, _] = valid.dims();
        let by_step = valid.bool_not().swap_dims(0, 1);
        Self {
            mask: by_step.reshape(without_space::<D>(steps * batch, 1)),
            shortest: lengths.shortest(),
        }
    }

    /// Zeros at padded frames: `[steps·batch, …]`.
    ///
    /// Cleared rather than multiplied, so that a NaN in the padding reaches neither outputs nor gradients.
    fn clear(&self, frames: Tensor<D>) -> Tensor<D> {
        let mask = self.mask.clone().expand(frames.dims());
        frames.mask_fill(mask, 0.0)
    }

    /// The new state where step `t` is valid, the old one where it is padding.
    fn keep<E: Equations>(
        &self,
        t: usize,
        old: E::States<Tensor<D>>,
        new: E::States<Tensor<D>>,
    ) -> E::States<Tensor<D>> {
        if t < self.shortest {
            return new;
        }
        E::States::from_fn(|index| {
            let (old, new) = (old.as_ref()[index].clone(), new.as_ref()[index].clone());
            let batch = new.dims()[0];
            let mask = self.mask.clone().narrow(0, t * batch, batch);
            let mask = mask.expand(new.dims());
            new.mask_where(mask, old)
        })
    }
}
