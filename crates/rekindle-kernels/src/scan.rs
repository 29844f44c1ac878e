//! The reference scan, composed of tensor operations.

use burn::tensor::{Bool, Tensor, assert_shape};

use crate::{Equations, Lengths, unbind::unbind};

/// The order in which a scan visits the steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Order {
    /// From the first step to the last.
    #[default]
    Forward,
    /// From each row's last valid step to its first. Outputs stay at the steps that they belong to.
    Reverse,
}

/// The affine maps of one cell, as plain tensors.
#[derive(Clone, Debug)]
pub struct Parameters {
    /// `W_ih`: `[d_input, gates·d_hidden]`.
    pub weight_ih: Tensor<2>,
    /// `W_hh`: `[d_hidden, gates·d_hidden]`.
    pub weight_hh: Tensor<2>,
    /// `b_ih` and `b_hh`: `[gates·d_hidden]` each.
    pub biases: Option<[Tensor<1>; 2]>,
}

impl Parameters {
    /// `x W_ih + b_ih`: `[rows, d_input]` to `[rows, gates·d_hidden]`.
    fn input_product(&self, x: Tensor<2>) -> Tensor<2> {
        affine(
            x,
            &self.weight_ih,
            self.biases.as_ref().map(|[bias_ih, _]| bias_ih),
        )
    }

    /// `h W_hh + b_hh`: `[rows, d_hidden]` to `[rows, gates·d_hidden]`.
    fn hidden_product(&self, h: Tensor<2>) -> Tensor<2> {
        affine(
            h,
            &self.weight_hh,
            self.biases.as_ref().map(|[_, bias_hh]| bias_hh),
        )
    }

    /// Checks that weights and biases belong to a cell of `gates` gates; returns `[d_input, d_hidden]`.
    ///
    /// # Panics
    /// If a shape is wrong.
    fn assert_shapes(&self, gates: usize) -> [usize; 2] {
        let [d_input, _] = self.weight_ih.dims();
        let [d_hidden, _] = self.weight_hh.dims();
        let packed = gates * d_hidden;
        assert_shape!(self.weight_ih, [_, packed]);
        assert_shape!(self.weight_hh, [_, packed]);
        for bias in self.biases.iter().flatten() {
            assert_shape!(bias, [packed]);
        }
        [d_input, d_hidden]
    }
}

/// `x W + b`.
fn affine(x: Tensor<2>, weight: &Tensor<2>, bias: Option<&Tensor<1>>) -> Tensor<2> {
    let product = x.matmul(weight.clone());
    match bias {
        Some(bias) => product + bias.clone().unsqueeze(),
        None => product,
    }
}

/// What a scan reads.
#[derive(Clone, Debug)]
pub struct Scan<const STATES: usize> {
    /// `[batch, seq, d_input]`. What stands in padding is never read: it may be anything, NaN included.
    pub input: Tensor<3>,
    /// The state before the first step, the hidden state first: `[batch, d_hidden]` each.
    pub state: [Tensor<2>; STATES],
    /// Weights and biases.
    pub parameters: Parameters,
    /// The valid steps of each row; `None`: all of them.
    pub lengths: Option<Lengths>,
    /// The order of the steps.
    pub order: Order,
}

/// What a scan puts out.
#[derive(Clone, Debug)]
pub struct Scanned<const STATES: usize> {
    /// The hidden state after each step, zero in padding: `[batch, seq, d_hidden]`.
    pub output: Tensor<3>,
    /// The state after each row's last visited valid step: `[batch, d_hidden]` each.
    pub state: [Tensor<2>; STATES],
}

/// One step of a cell.
///
/// # Shapes
/// - x: `[batch, d_input]`
/// - state and result: `[batch, d_hidden]` each, the hidden state first
///
/// # Panics
/// If the shapes of input, state and parameters do not belong together.
pub fn step<const GATES: usize, const STATES: usize, const SAVED: usize>(
    equations: &impl Equations<GATES, STATES, SAVED>,
    x: Tensor<2>,
    state: [Tensor<2>; STATES],
    parameters: &Parameters,
) -> [Tensor<2>; STATES] {
    let [d_input, d_hidden] = parameters.assert_shapes(GATES);
    let [batch, _] = x.dims();
    assert_shape!(x, [batch, d_input]);
    for vector in &state {
        assert_shape!(vector, [batch, d_hidden]);
    }
    advance(equations, parameters.input_product(x), state, parameters)
}

/// All steps of a cell over a batch of sequences.
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
    let [batch, seq, d_hidden] = assert_shapes(GATES, &scan);
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

/// Checks a scan's shapes; returns `[batch, seq, d_hidden]`.
fn assert_shapes<const STATES: usize>(gates: usize, scan: &Scan<STATES>) -> [usize; 3] {
    let [d_input, d_hidden] = scan.parameters.assert_shapes(gates);
    let [batch, seq, _] = scan.input.dims();
    let input = &scan.input;
    assert_shape!(input, [batch, seq, d_input]);
    assert!(
        seq > 0,
        "input has no steps: expected [batch, seq, d_input] with seq of at least 1"
    );
    for vector in &scan.state {
        assert_shape!(vector, [batch, d_hidden]);
    }
    if let Some(lengths) = &scan.lengths {
        lengths.assert_fit(batch, seq);
    }
    [batch, seq, d_hidden]
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
    let products = parameters.input_product(rows);
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
    let hidden = parameters.hidden_product(state[0].clone());
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
