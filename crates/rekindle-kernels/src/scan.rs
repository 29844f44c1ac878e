//! Scans and steps: what they read, what they put out, and which code runs them.

use burn::tensor::{Tensor, assert_shape};

use crate::{Equations, Lengths, fused, reference};

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
    /// Checks that weights and biases belong to a cell of `gates` gates; returns `[d_input, d_hidden]`.
    ///
    /// # Panics
    /// If a shape is wrong.
    pub(crate) fn assert_shapes(&self, gates: usize) -> [usize; 2] {
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

/// One step of a cell: fused into one operation on the CPU backends, composed of tensor operations on the others.
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
    let whole = Scan {
        input: x.unsqueeze_dim(1),
        state,
        parameters: parameters.clone(),
        lengths: None,
        order: Order::Forward,
    };
    scan(equations, whole).state
}

/// All steps of a cell over a batch of sequences.
///
/// On the CPU backends (`flex` and `ndarray`, in `f32` and `f64`) the whole scan is one operation, and so is its
/// derivative: nothing is recorded per step. Everywhere else, and in other number types, the scan is composed of tensor
/// operations: see [`reference::scan`], which it equals up to rounding.
///
/// Rows shorter than `seq` keep their state from their last valid step on; what stands behind it is not read.
///
/// # Panics
/// If the shapes of input, state, lengths and parameters do not belong together, or `seq` is 0.
pub fn scan<const GATES: usize, const STATES: usize, const SAVED: usize>(
    equations: &impl Equations<GATES, STATES, SAVED>,
    scan: Scan<STATES>,
) -> Scanned<STATES> {
    scan.assert_shapes(GATES);
    match fused::scan(equations, scan) {
        Ok(scanned) => scanned,
        Err(scan) => reference::scan(equations, *scan),
    }
}

impl<const STATES: usize> Scan<STATES> {
    /// Checks that all shapes belong together; returns `[batch, seq, d_hidden]`.
    ///
    /// # Panics
    /// If they do not, or `seq` is 0.
    pub(crate) fn assert_shapes(&self, gates: usize) -> [usize; 3] {
        let [d_input, d_hidden] = self.parameters.assert_shapes(gates);
        let [batch, seq, _] = self.input.dims();
        let input = &self.input;
        assert_shape!(input, [batch, seq, d_input]);
        assert!(
            seq > 0,
            "input has no steps: expected [batch, seq, d_input] with seq of at least 1"
        );
        for vector in &self.state {
            assert_shape!(vector, [batch, d_hidden]);
        }
        if let Some(lengths) = &self.lengths {
            lengths.assert_fit(batch, seq);
        }
        [batch, seq, d_hidden]
    }
}
