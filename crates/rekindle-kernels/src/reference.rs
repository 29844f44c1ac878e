//! The reference scan, composed of tensor operations.
//!
//! It is right on every backend and in every number type; its gradients are Burn's own. A fused scan has to equal it.

use burn::tensor::{Bool, Tensor};

use crate::scan::Widths;
use crate::{Array, Equations, Lengths, Order, Parameters, Scan, Scanned, unbind::unbind};

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
    let Scan {
        input,
        mut state,
        parameters,
        lengths,
        order,
        layout,
    } = scan;
    let input = layout.exchange(input);
    let steps = lengths.as_ref().map_or(widths.seq, Lengths::longest);
    if steps == 0 {
        let shape = [widths.batch, widths.seq, widths.d_output];
        let output = Tensor::zeros(shape, (&input.device(), input.dtype()));
        let output = layout.exchange(output);
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
    let step = Step::new(equations, &parameters, widths);

    let mut outputs = Vec::with_capacity(steps);
    for t in visiting_order(steps, order) {
        let new = step.advance(products[t].clone(), state.clone());
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
    Scanned { output, state }
}

/// `product + b`.
fn with_bias(product: Tensor<2>, bias: Option<&Tensor<1>>) -> Tensor<2> {
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
    let products = with_bias(rows.matmul(parameters.weight_ih.clone()), bias_ih);
    let [_, packed] = products.dims();
    unbind(products.reshape([seq, batch, packed]))
}

/// One step of a cell on tensors, with everything that is the same in all steps.
struct Step<'a, E: Equations> {
    equations: &'a E,
    parameters: &'a Parameters,
    d_hidden: usize,
    /// The weight of each state that is read; with a middle vector, the last one lacks the last gate.
    weights_hh: Vec<Tensor<2>>,
    /// The last gate's weight for the middle vector.
    late: Option<Tensor<2>>,
    /// `[1, d_hidden]` each, zero where there are none.
    units: E::Units<Tensor<2>>,
}

impl<'a, E: Equations> Step<'a, E> {
    fn new(equations: &'a E, parameters: &'a Parameters, widths: Widths) -> Self {
        let d_hidden = widths.d_hidden;
        let mut weights_hh = parameters.weights_hh.clone();
        let late = equations.has_middle().then(|| {
            let last = weights_hh
                .last_mut()
                .expect("a recurrent product reads a state");
            let others = last.dims()[1] - d_hidden;
            let late = last.clone().narrow(1, others, d_hidden);
            *last = match others {
                0 => Tensor::zeros([last.dims()[0], 0], (&last.device(), last.dtype())),
                _ => last.clone().narrow(1, 0, others),
            };
            late
        });
        let like = &parameters.weight_ih;
        let units = E::Units::from_fn(|unit| match parameters.units.get(unit) {
            Some(values) => values.clone().unsqueeze(),
            None => Tensor::zeros([1, d_hidden], (&like.device(), like.dtype())),
        });
        Self {
            equations,
            parameters,
            d_hidden,
            weights_hh,
            late,
            units,
        }
    }

    /// The step from an input product and the old state to the new state.
    fn advance(&self, input: Tensor<2>, state: E::States<Tensor<2>>) -> E::States<Tensor<2>> {
        let input: E::Gates<Tensor<2>> = self.gates(input);
        let mut hidden: E::Gates<Tensor<2>> = self.gates(self.recurrent_products(&state));
        let seen = match &self.parameters.projection {
            Some(_) => E::States::from_fn(|index| match index {
                0 => input.as_ref()[0].zeros_like(),
                _ => state.as_ref()[index].clone(),
            }),
            None => state,
        };
        if let Some(late) = &self.late {
            let (input, hidden_so_far) = (input.clone(), hidden.clone());
            let units = self.units.clone();
            let middle = (self.equations).middle(input, hidden_so_far, seen.clone(), units);
            let gate = hidden.as_mut().last_mut().expect("a cell has a gate");
            *gate = gate.clone() + middle.matmul(late.clone());
        }
        let (mut new, _saved) = (self.equations).forward(input, hidden, seen, self.units.clone());
        if let Some(projection) = &self.parameters.projection {
            let hidden = &mut new.as_mut()[0];
            *hidden = hidden.clone().matmul(projection.clone());
        }
        new
    }

    /// `s₁ W₁ + … + b_hh`; with a middle vector, the last gate without the last state.
    fn recurrent_products(&self, state: &E::States<Tensor<2>>) -> Tensor<2> {
        let of_state = |(state, weight): (&Tensor<2>, &Tensor<2>)| self.product(state, weight);
        let product = (state.as_ref().iter().zip(&self.weights_hh))
            .map(of_state)
            .reduce(|left, right| left + right)
            .expect("a recurrent product reads a state");
        let bias_hh = self.parameters.biases.as_ref().map(|[_, bias_hh]| bias_hh);
        with_bias(product, bias_hh)
    }

    /// `s W`, with zeros in the last gate if `W` lacks it.
    fn product(&self, state: &Tensor<2>, weight: &Tensor<2>) -> Tensor<2> {
        let packed = self.parameters.weight_ih.dims()[1];
        let [batch, _] = state.dims();
        let columns = weight.dims()[1];
        let zeros = |width| Tensor::zeros([batch, width], (&state.device(), state.dtype()));
        match columns {
            0 => zeros(packed),
            _ if columns == packed => state.clone().matmul(weight.clone()),
            _ => {
                let product = state.clone().matmul(weight.clone());
                Tensor::cat(vec![product, zeros(packed - columns)], 1)
            }
        }
    }

    /// The packed gates one by one: `[batch, gates·d_hidden]` to `gates` tensors `[batch, d_hidden]`.
    fn gates(&self, packed: Tensor<2>) -> E::Gates<Tensor<2>> {
        let d_hidden = self.d_hidden;
        E::Gates::from_fn(|gate| packed.clone().narrow(1, gate * d_hidden, d_hidden))
    }
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
