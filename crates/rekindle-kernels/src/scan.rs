//! Scans and steps: what they read, what they put out, and which code runs them.

use burn::tensor::{Tensor, assert_shape};

use crate::{Array, Equations, Lengths, Statistics, Within, fused, reference};

/// The order in which a scan visits the steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Order {
    /// From the first step to the last.
    #[default]
    Forward,
    /// From each row's last valid step to its first. Outputs stay at the steps that they belong to.
    Reverse,
}

/// Which axis of a sequence comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Layout {
    /// `[batch, seq, width]`.
    #[default]
    BatchFirst,
    /// `[seq, batch, width]`.
    TimeMajor,
}

impl Layout {
    /// `[batch, seq, width]` of a sequence in this layout.
    pub fn batch_seq_width(self, [first, second, width]: [usize; 3]) -> [usize; 3] {
        match self {
            Self::BatchFirst => [first, second, width],
            Self::TimeMajor => [second, first, width],
        }
    }

    /// The same sequence with the batch first; a sequence with the batch first in this layout.
    pub(crate) fn exchange(self, sequence: Tensor<3>) -> Tensor<3> {
        match self {
            Self::BatchFirst => sequence,
            Self::TimeMajor => sequence.swap_dims(0, 1),
        }
    }
}

/// The weights of one cell, as plain tensors.
#[derive(Clone, Debug)]
pub struct Parameters {
    /// `W_ih`: `[d_input, gates·d_hidden]`.
    pub weight_ih: Tensor<2>,
    /// `W_hh`, one for each state that the recurrent product reads: `[width of the state, gates·d_hidden]`.
    pub weights_hh: Vec<Tensor<2>>,
    /// `b_ih` and `b_hh`: `[gates·d_hidden]` each.
    pub biases: Option<[Tensor<1>; 2]>,
    /// The parameters that each unit has for itself: `[d_hidden]` each. None at all stand for zeros.
    pub units: Vec<Tensor<1>>,
    /// The projection of the hidden state, which then has width `d_projected`: `[d_hidden, d_projected]`.
    ///
    /// Equations then put out `h` before the projection, and do not see the old `h`: it is 0 for them.
    pub projection: Option<Tensor<2>>,
}

/// The widths of a scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Widths {
    pub(crate) batch: usize,
    pub(crate) seq: usize,
    pub(crate) d_input: usize,
    /// Units of the cell.
    pub(crate) d_hidden: usize,
    /// Width of the hidden state: that of the projection, if there is one.
    pub(crate) d_output: usize,
}

impl Parameters {
    /// The weights of a cell whose recurrent product reads the hidden state alone, without further parameters.
    pub fn new(weight_ih: Tensor<2>, weight_hh: Tensor<2>, biases: Option<[Tensor<1>; 2]>) -> Self {
        Self {
            weight_ih,
            weights_hh: vec![weight_hh],
            biases,
            units: Vec::new(),
            projection: None,
        }
    }

    /// Checks that the weights belong to a cell; returns the input's, the units' and the hidden state's width.
    ///
    /// # Panics
    /// If a shape or the number of tensors is wrong.
    fn assert_fit<E: Equations>(&self, equations: &E) -> [usize; 3] {
        let gates = <E::Gates<()> as Array<()>>::LEN;
        let [d_input, packed] = self.weight_ih.dims();
        let d_hidden = packed / gates;
        let packed = gates * d_hidden;
        let d_output = match &self.projection {
            Some(projection) => projection.dims()[1],
            None => d_hidden,
        };
        assert_shape!(self.weight_ih, [_, packed]);
        assert!(
            self.weights_hh.len() == equations.reads(),
            "the cell reads {} states: expected as many recurrent weights, found {}",
            equations.reads(),
            self.weights_hh.len()
        );
        for (index, weight) in self.weights_hh.iter().enumerate() {
            let width = if index == 0 { d_output } else { d_hidden };
            assert_shape!(weight, [width, packed]);
        }
        for bias in self.biases.iter().flatten() {
            assert_shape!(bias, [packed]);
        }
        let expected = <E::Units<()> as Array<()>>::LEN - usize::from(E::FACTOR);
        assert!(
            self.units.is_empty() || self.units.len() == expected,
            "the cell has {expected} parameters a unit, found {} tensors: expected as many or none",
            self.units.len()
        );
        for of_units in &self.units {
            assert_shape!(of_units, [d_hidden]);
        }
        if let Some(projection) = &self.projection {
            assert_shape!(projection, [d_hidden, _]);
            let same_weight = equations.has_middle() && equations.reads() == 1;
            assert!(
                !same_weight || d_output == d_hidden,
                "the middle vector has width {d_hidden} and shares its weight with a hidden state of width {d_output}: \
                 expected a projection to {d_hidden}, or none"
            );
        }
        [d_input, d_hidden, d_output]
    }
}

/// What a scan reads.
#[derive(Clone, Debug)]
pub struct Scan<E: Equations> {
    /// `[batch, seq, d_input]`, or in [another layout](Self::layout). What stands in padding is never read: it may be
    /// anything, NaN included.
    pub input: Tensor<3>,
    /// The state before the first step, the hidden state first: `[batch, d_hidden]` each, a projected hidden state
    /// `[batch, d_projected]`.
    pub state: E::States<Tensor<2>>,
    /// Weights and biases.
    pub parameters: Parameters,
    /// The valid steps of each row; `None`: all of them.
    pub lengths: Option<Lengths>,
    /// The order of the steps.
    pub order: Order,
    /// Which axis of input and output comes first.
    pub layout: Layout,
    /// Norms and masks within the steps.
    pub within: Within,
}

/// What a scan puts out.
#[derive(Clone, Debug)]
pub struct Scanned<E: Equations> {
    /// The hidden state after each step, zero in padding: `[batch, seq, width]`, or in the layout of the input.
    pub output: Tensor<3>,
    /// The state after each row's last visited valid step: as it went in.
    pub state: E::States<Tensor<2>>,
    /// What norms over a batch took.
    pub statistics: Statistics,
}

/// One step of a cell: fused into one operation on the CPU backends, composed of tensor operations on the others.
///
/// # Shapes
/// - x: `[batch, d_input]`
/// - state and result: `[batch, d_hidden]` each, the hidden state first
///
/// # Panics
/// If the shapes of input, state and parameters do not belong together.
pub fn step<E: Equations>(
    equations: &E,
    x: Tensor<2>,
    state: E::States<Tensor<2>>,
    parameters: &Parameters,
) -> E::States<Tensor<2>> {
    let whole = Scan {
        input: x.unsqueeze_dim(1),
        state,
        parameters: parameters.clone(),
        lengths: None,
        order: Order::Forward,
        layout: Layout::BatchFirst,
        within: Within::default(),
    };
    scan(equations, whole).state
}

/// All steps of a cell over a batch of sequences.
///
/// On the CPU backends (`flex` and `ndarray`, in `f32` and `f64`) the whole scan is one operation, and so is its
/// derivative: nothing is recorded per step. Everywhere else, and in other number types, the scan is composed of tensor
/// operations: see [`reference::scan`], which it equals up to rounding. So are, on all backends, scans with a mask of the
/// hidden state beside other states that the recurrent product reads, with zoneout of a projected hidden state, and with a
/// shift of the norm of a product.
///
/// Rows shorter than `seq` keep their state from their last valid step on; what stands behind it is not read.
///
/// Norms that go step by step count the steps that a row has visited: in reverse order, its last valid step is the first.
///
/// # Panics
/// If the shapes of input, state, lengths, parameters, norms and masks do not belong together, or `seq` is 0.
pub fn scan<E: Equations>(equations: &E, scan: Scan<E>) -> Scanned<E> {
    let widths = scan.assert_shapes(equations);
    if scan.counts_from_the_end() {
        return scan.reversed(|forward| self::scan(equations, forward));
    }
    match fused::scan(equations, scan, widths) {
        Ok(scanned) => scanned,
        Err(scan) => reference::scan(equations, *scan),
    }
}

impl<E: Equations> Scan<E> {
    /// Whether a step of a row is counted from the row's end.
    pub(crate) fn counts_from_the_end(&self) -> bool {
        self.order == Order::Reverse && self.within.norms.by_step()
    }

    /// A scan in reverse order as one in forward order, which `scan` runs, over sequences whose valid steps are reversed.
    pub(crate) fn reversed(self, scan: impl FnOnce(Self) -> Scanned<E>) -> Scanned<E> {
        let (layout, lengths) = (self.layout, self.lengths.clone());
        let reverse = |sequence: Tensor<3>| match &lengths {
            Some(lengths) => lengths.reverse(sequence),
            None => sequence.flip([1]),
        };
        let in_layout = |sequence| layout.exchange(reverse(layout.exchange(sequence)));
        let scanned = scan(Self {
            input: in_layout(self.input),
            order: Order::Forward,
            within: self.within.reversed(reverse),
            ..self
        });
        Scanned {
            output: in_layout(scanned.output),
            ..scanned
        }
    }

    /// Checks that all shapes belong together.
    ///
    /// # Panics
    /// If they do not, or `seq` is 0.
    pub(crate) fn assert_shapes(&self, equations: &E) -> Widths {
        let [d_input, d_hidden, d_output] = self.parameters.assert_fit(equations);
        let [batch, seq, width] = self.layout.batch_seq_width(self.input.dims());
        assert!(
            width == d_input,
            "input has width {width}, expected {d_input}, the rows of weight_ih: input {:?} in layout {:?}",
            self.input.dims(),
            self.layout
        );
        assert!(
            seq > 0,
            "input has no steps: expected [batch, seq, d_input] with seq of at least 1"
        );
        for (index, vector) in self.state.as_ref().iter().enumerate() {
            let width = if index == 0 { d_output } else { d_hidden };
            assert_shape!(vector, [batch, width]);
        }
        if let Some(lengths) = &self.lengths {
            lengths.assert_fit(batch, seq);
        }
        let widths = Widths {
            batch,
            seq,
            d_input,
            d_hidden,
            d_output,
        };
        self.within.assert_fit(equations, widths);
        widths
    }
}
