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
    let step = Step {
        equations,
        parameters: &parameters,
        widths,
    };

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

/// One step of a cell on tensors.
struct Step<'a, E> {
    equations: &'a E,
    parameters: &'a Parameters,
    widths: Widths,
}

impl<E: Equations> Step<'_, E> {
    /// The step from an input product and the old state to the new state.
    fn advance(&self, input: Tensor<2>, state: E::States<Tensor<2>>) -> E::States<Tensor<2>> {
        let input: E::Gates<Tensor<2>> = self.gates(input);
        let mut hidden: E::Gates<Tensor<2>> = self.gates(self.recurrent_products(&state));
        let units = E::Units::from_fn(|unit| match self.parameters.units.get(unit) {
            Some(values) => values.clone().unsqueeze(),
            None => {
                let options = (&input.as_ref()[0].device(), input.as_ref()[0].dtype());
                Tensor::zeros([1, self.widths.d_hidden], options)
            }
        });
        let seen = match &self.parameters.projection {
            Some(_) => E::States::from_fn(|index| match index {
                0 => input.as_ref()[0].zeros_like(),
                _ => state.as_ref()[index].clone(),
            }),
            None => state,
        };
        if self.equations.has_middle() {
            let middle =
                self.equations
                    .middle(input.clone(), hidden.clone(), seen.clone(), units.clone());
            let last = hidden.as_ref().len() - 1;
            let gate = &mut hidden.as_mut()[last];
            *gate = gate.clone() + middle.matmul(self.late_weight());
        }
        let (mut new, _saved) = self.equations.forward(input, hidden, seen, units);
        if let Some(projection) = &self.parameters.projection {
            let hidden = &mut new.as_mut()[0];
            *hidden = hidden.clone().matmul(projection.clone());
        }
        new
    }

    /// `s₁ W₁ + … + b_hh`; with a middle vector, the last gate without the last state.
    fn recurrent_products(&self, state: &E::States<Tensor<2>>) -> Tensor<2> {
        let weights = &self.parameters.weights_hh;
        let products = state.as_ref().iter().zip(weights).enumerate();
        let product = products
            .map(|(index, (state, weight))| {
                let late = self.equations.has_middle() && index + 1 == weights.len();
                match late {
                    true => self.without_last_gate(state.clone(), weight.clone()),
                    false => state.clone().matmul(weight.clone()),
                }
            })
            .reduce(|left, right| left + right)
            .expect("a recurrent product reads a state");
        let bias_hh = self.parameters.biases.as_ref().map(|[_, bias_hh]| bias_hh);
        with_bias(product, bias_hh)
    }

    /// `s W` with zeros in the last gate.
    fn without_last_gate(&self, state: Tensor<2>, weight: Tensor<2>) -> Tensor<2> {
        let d_hidden = self.widths.d_hidden;
        let others = weight.dims()[1] - d_hidden;
        if others == 0 {
            return Tensor::zeros(
                [state.dims()[0], d_hidden],
                (&state.device(), state.dtype()),
            );
        }
        let product = state.matmul(weight.narrow(1, 0, others));
        let zeros = product.clone().narrow(1, 0, d_hidden).zeros_like();
        Tensor::cat(vec![product, zeros], 1)
    }

    /// The last gate's block of the last recurrent weight.
    fn late_weight(&self) -> Tensor<2> {
        let weight = self.parameters.weights_hh.last();
        let weight = weight.expect("a recurrent product reads a state").clone();
        let d_hidden = self.widths.d_hidden;
        let first = weight.dims()[1] - d_hidden;
        weight.narrow(1, first, d_hidden)
    }

    /// The packed gates one by one: `[batch, gates·d_hidden]` to `gates` tensors `[batch, d_hidden]`.
    fn gates(&self, packed: Tensor<2>) -> E::Gates<Tensor<2>> {
        let d_hidden = self.widths.d_hidden;
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
