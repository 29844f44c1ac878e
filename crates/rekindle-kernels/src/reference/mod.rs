//! The reference scan, composed of tensor operations.
//!
//! It is right on every backend and in every number type; its gradients are Burn's own. A fused scan has to equal it.

mod norm;
mod step;

use burn::tensor::{Bool, Tensor};

use crate::scan::Widths;
use crate::{Array, Equations, Layout, Lengths, Order, Scan, Scanned, Statistics, unbind::unbind};
use norm::Alive;
use step::Step;

/// All steps of a cell over a batch of sequences: the meaning of [`scan`](crate::scan).
///
/// The product of all inputs with `W_ih` is taken once, before the loop over time; each step then takes the products
/// with the recurrent weights. Rows shorter than `seq` keep their state from their last valid step on; steps behind the
/// longest row are not computed at all.
///
/// # Panics
/// If the shapes of input, state, lengths and parameters do not belong together, or `seq` is 0.
pub fn scan<E: Equations>(equations: &E, scan: Scan<E>) -> Scanned<E> {
    let widths = scan.assert_shapes(equations);
    if scan.counts_from_the_end() {
        return scan.reversed(|forward| self::scan(equations, forward));
    }
    let Scan {
        input,
        mut state,
        parameters,
        lengths,
        order,
        layout,
        within,
    } = scan;
    let input = layout.exchange(input);
    let steps = lengths.as_ref().map_or(widths.seq, Lengths::longest);
    if steps == 0 {
        return nothing(state, input, widths, layout);
    }

    let padding = (lengths.as_ref()).map(|lengths| Padding::new(lengths, steps, &input));
    let clear = |sequence: Tensor<3>| match &padding {
        Some(padding) => padding.clear(sequence),
        None => sequence,
    };
    let mut step = Step::new(equations, &parameters, &within, widths);
    let products = input_products(clear(input.narrow(1, 0, steps)), &step);

    let mut outputs = Vec::with_capacity(steps);
    for (visit, t) in visiting_order(steps, order).enumerate() {
        let alive = (padding.as_ref()).and_then(|padding| padding.alive(t, &state));
        let new = step.advance([visit, t], products[t].clone(), state.clone(), &alive);
        state = match &padding {
            Some(padding) => padding.keep::<E>(t, state, new),
            None => new,
        };
        outputs.push(state.as_ref()[0].clone());
    }
    if order == Order::Reverse {
        outputs.reverse();
    }
    let output = extend(clear(Tensor::stack::<3>(outputs, 1)), widths.seq);
    let output = layout.exchange(output);
    let statistics = step.statistics();
    Scanned {
        output,
        state,
        statistics,
    }
}

/// What a scan without any valid step puts out: zeros, and the state as it went in.
fn nothing<E: Equations>(
    state: E::States<Tensor<2>>,
    input: Tensor<3>,
    widths: Widths,
    layout: Layout,
) -> Scanned<E> {
    let shape = [widths.batch, widths.seq, widths.d_output];
    let output = Tensor::zeros(shape, (&input.device(), input.dtype()));
    Scanned {
        output: layout.exchange(output),
        state,
        statistics: Statistics::default(),
    }
}

/// The steps in the order of their visit.
fn visiting_order(steps: usize, order: Order) -> Box<dyn Iterator<Item = usize>> {
    match order {
        Order::Forward => Box::new(0..steps),
        Order::Reverse => Box::new((0..steps).rev()),
    }
}

/// The input products of all steps at once: `[batch, seq, d_input]` to `seq` tensors `[batch, gates·d_hidden]`.
fn input_products<E: Equations>(input: Tensor<3>, step: &Step<'_, E>) -> Vec<Tensor<2>> {
    let [batch, seq, d_input] = input.dims();
    let rows = input.swap_dims(0, 1).reshape([seq * batch, d_input]);
    let products = step.input_product(rows);
    let [_, packed] = products.dims();
    unbind(products.reshape([seq, batch, packed]))
}

/// Zeros behind the last step, up to `seq` steps.
fn extend(output: Tensor<3>, seq: usize) -> Tensor<3> {
    let [batch, steps, d_hidden] = output.dims();
    if steps == seq {
        return output;
    }
    let shape = [batch, seq - steps, d_hidden];
    let zeros = Tensor::zeros(shape, (&output.device(), output.dtype()));
    Tensor::cat(vec![output, zeros], 1)
}

/// Which steps of a batch are padding.
struct Padding {
    /// True at padded steps: `[batch, steps]`.
    mask: Tensor<2, Bool>,
    /// The steps before this one are valid in every row.
    shortest: usize,
}

impl Padding {
    fn new(lengths: &Lengths, steps: usize, input: &Tensor<3>) -> Self {
        Self {
            mask: lengths.valid(steps, &input.device()).bool_not(),
            shortest: lengths.shortest(),
        }
    }

    /// The rows alive at step `t`.
    fn alive(&self, t: usize, like: &impl AsRef<[Tensor<2>]>) -> Alive {
        let like = &like.as_ref()[0];
        let valid = || self.mask.clone().narrow(1, t, 1).bool_not().float();
        (t >= self.shortest).then(|| valid().cast(like.dtype()))
    }

    /// Zeros at padded steps: `[batch, steps, width]`.
    ///
    /// Cleared rather than multiplied, so that a NaN in the padding reaches neither outputs nor gradients.
    fn clear(&self, sequence: Tensor<3>) -> Tensor<3> {
        let shape = sequence.dims();
        sequence.mask_fill(self.mask.clone().unsqueeze_dim::<3>(2).expand(shape), 0.0)
    }

    /// The new state where step `t` is valid, the old one where it is padding.
    fn keep<E: Equations>(
        &self,
        t: usize,
        old: E::States<Tensor<2>>,
        new: E::States<Tensor<2>>,
    ) -> E::States<Tensor<2>> {
        if t < self.shortest {
            return new;
        }
        let mask = self.mask.clone().narrow(1, t, 1);
        E::States::from_fn(|index| {
            let (old, new) = (old.as_ref()[index].clone(), new.as_ref()[index].clone());
            let mask = mask.clone().expand(new.dims());
            new.mask_where(mask, old)
        })
    }
}
