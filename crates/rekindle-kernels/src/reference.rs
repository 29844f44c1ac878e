//! The reference scan, composed of tensor operations.
//!
//! It is right on every backend and in every number type; its gradients are Burn's own. A fused scan has to equal it.

use burn::tensor::{Bool, Tensor};

use crate::{Equations, Lengths, Order, Parameters, Scan, Scanned, unbind::unbind};

/// All steps of a cell over a batch of sequences: the meaning of [`scan`](crate::scan).
///
/// The product of all inputs with `W_ih` is taken once, before the loop over time; each step then takes one product
/// with `W_hh`. Rows shorter than `seq` keep their state from their last valid step on; steps behind the longest row
/// are not computed at all.
///
/// # Panics
/// If the shapes of input, state, lengths and parameters do not belong together, or `seq` is 0.
pub fn scan<const GATES: usize, const STATES: usize, const SAVED: usize>(
    equations: &impl Equations<GATES, STATES, SAVED>,
    scan: Scan<STATES>,
) -> Scanned<STATES> {
    let [batch, seq, d_hidden] = scan.assert_shapes(GATES);
    let Scan {
        input,
        mut state,
        parameters,
        lengths,
        order,
    } = scan;
    let steps = lengths.as_ref().map_or(seq, Lengths::longest);
    if steps == 0 {
        let output = Tensor::zeros([batch, seq, d_hidden], (&input.device(), input.dtype()));
        return Scanned { output, state };
    }

    let padding = lengths
        .as_ref()
        .map(|lengths| Padding::new(lengths, steps, &input));
    let clear = |sequence: Tensor<3>| match &padding {
        Some(padding) => padding.clear(sequence),
        None => sequence,
    };
    let products = input_products(clear(input.narrow(1, 0, steps)), &parameters);

    let mut outputs = Vec::with_capacity(steps);
    for t in visiting_order(steps, order) {
        let new = advance(equations, products[t].clone(), state.clone(), &parameters);
        state = match &padding {
            Some(padding) => padding.keep(t, state, new),
            None => new,
        };
        outputs.push(state[0].clone());
    }
    if order == Order::Reverse {
        outputs.reverse();
    }
    let output = extend(clear(Tensor::stack::<3>(outputs, 1)), seq);
    Scanned { output, state }
}

/// `x W + b`.
fn affine(x: Tensor<2>, weight: &Tensor<2>, bias: Option<&Tensor<1>>) -> Tensor<2> {
    let product = x.matmul(weight.clone());
    match bias {
        Some(bias) => product + bias.clone().unsqueeze(),
        None => product,
    }
}

/// The steps in the order of their visit.
fn visiting_order(steps: usize, order: Order) -> Box<dyn Iterator<Item = usize>> {
    match order {
        Order::Forward => Box::new(0..steps),
        Order::Reverse => Box::new((0..steps).rev()),
    }
}

/// `x W_ih + b_ih` for all steps in one product: `[batch, seq, d_input]` to `seq` tensors `[batch, gates·d_hidden]`.
fn input_products(input: Tensor<3>, parameters: &Parameters) -> Vec<Tensor<2>> {
    let [batch, seq, d_input] = input.dims();
    let rows = input.swap_dims(0, 1).reshape([seq * batch, d_input]);
    let bias_ih = parameters.biases.as_ref().map(|[bias_ih, _]| bias_ih);
    let products = affine(rows, &parameters.weight_ih, bias_ih);
    let [_, packed] = products.dims();
    unbind(products.reshape([seq, batch, packed]))
}

/// The step from an input product and the old state to the new state.
fn advance<const GATES: usize, const STATES: usize, const SAVED: usize>(
    equations: &impl Equations<GATES, STATES, SAVED>,
    input: Tensor<2>,
    state: [Tensor<2>; STATES],
    parameters: &Parameters,
) -> [Tensor<2>; STATES] {
    let bias_hh = parameters.biases.as_ref().map(|[_, bias_hh]| bias_hh);
    let hidden = affine(state[0].clone(), &parameters.weight_hh, bias_hh);
    let (state, _saved) = equations.forward(gates(input), gates(hidden), state);
    state
}

/// The packed gates one by one: `[batch, gates·d_hidden]` to `gates` tensors `[batch, d_hidden]`.
fn gates<const GATES: usize>(packed: Tensor<2>) -> [Tensor<2>; GATES] {
    let d_hidden = packed.dims()[1] / GATES;
    std::array::from_fn(|gate| packed.clone().narrow(1, gate * d_hidden, d_hidden))
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

    /// Zeros at padded steps: `[batch, steps, width]`.
    ///
    /// Cleared rather than multiplied, so that a NaN in the padding reaches neither outputs nor gradients.
    fn clear(&self, sequence: Tensor<3>) -> Tensor<3> {
        let shape = sequence.dims();
        sequence.mask_fill(self.mask.clone().unsqueeze_dim::<3>(2).expand(shape), 0.0)
    }

    /// The new state where step `t` is valid, the old one where it is padding.
    fn keep<const STATES: usize>(
        &self,
        t: usize,
        old: [Tensor<2>; STATES],
        new: [Tensor<2>; STATES],
    ) -> [Tensor<2>; STATES] {
        if t < self.shortest {
            return new;
        }
        let mask = self.mask.clone().narrow(1, t, 1).expand(new[0].dims());
        let mut old = old.into_iter();
        new.map(|new| match old.next() {
            Some(old) => new.mask_where(mask.clone(), old),
            None => new,
        })
    }
}
