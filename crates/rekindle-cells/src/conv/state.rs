//! What a convolutional cell carries from step to step.

use std::fmt::Debug;

use burn::tensor::Tensor;

use crate::StackState;

/// The state of a convolutional network over a batch of rows: one or more maps `[batch, d_hidden, …space]`.
pub trait ConvState<const D: usize>: Clone + Debug + Send + 'static {
    /// The hidden state, which is also the output of a step: `[batch, d_hidden, …space]`.
    ///
    /// Of a stack it is that of the last layer's cells, forward first: `[batch, cells·d_hidden, …space]`.
    ///
    /// # Panics
    /// If the state of a stack has no layer.
    fn hidden(&self) -> Tensor<D>;

    /// Applies a function to each tensor of the state.
    fn map(self, function: impl FnMut(Tensor<D>) -> Tensor<D>) -> Self;

    /// The same numbers without their history, so that no gradient flows into what came before.
    fn detach(self) -> Self {
        self.map(Tensor::detach)
    }
}

/// The state of cells that carry the hidden state alone.
impl<const D: usize> ConvState<D> for Tensor<D> {
    fn hidden(&self) -> Tensor<D> {
        self.clone()
    }

    fn map(self, mut function: impl FnMut(Tensor<D>) -> Tensor<D>) -> Self {
        function(self)
    }
}

/// The state of a [`ConvStack`](super::ConvStack).
impl<const D: usize, S: ConvState<D>> ConvState<D> for StackState<S> {
    fn hidden(&self) -> Tensor<D> {
        let last = self.layers.last().expect("a stack has at least one layer");
        Tensor::cat(last.iter().map(ConvState::hidden).collect(), 1)
    }

    fn map(self, mut function: impl FnMut(Tensor<D>) -> Tensor<D>) -> Self {
        let mut map = |layer: Vec<S>| layer.into_iter().map(|s| s.map(&mut function)).collect();
        Self {
            layers: self.layers.into_iter().map(&mut map).collect(),
        }
    }
}

/// What a [`ConvLstm`](super::ConvLstm) carries from step to step.
#[derive(Clone, Debug)]
pub struct ConvLstmState<const D: usize> {
    /// The cell state c: `[batch, d_hidden, …space]`.
    pub cell: Tensor<D>,
    /// The hidden state h: `[batch, d_hidden, …space]`.
    pub hidden: Tensor<D>,
    /// The gates i, f and o of the step before, `[batch, d_hidden, …space]` each, if the cell has gate recurrence.
    pub gates: Option<[Tensor<D>; 3]>,
}

impl<const D: usize> ConvLstmState<D> {
    /// A state of cell and hidden state.
    pub fn new(cell: Tensor<D>, hidden: Tensor<D>) -> Self {
        Self {
            cell,
            hidden,
            gates: None,
        }
    }

    /// The states in the order of the equations: h, the gates, c.
    pub(super) fn into_vec(self) -> Vec<Tensor<D>> {
        let gates = self.gates.into_iter().flatten();
        [self.hidden]
            .into_iter()
            .chain(gates)
            .chain([self.cell])
            .collect()
    }

    /// The way back of [`into_vec`](Self::into_vec).
    pub(super) fn from_slice(states: &[Tensor<D>]) -> Self {
        let [hidden, gates @ .., cell] = states else {
            panic!("an LSTM has two states or more, found {}", states.len())
        };
        Self {
            cell: cell.clone(),
            hidden: hidden.clone(),
            gates: <&[Tensor<D>; 3]>::try_from(gates).ok().cloned(),
        }
    }
}

impl<const D: usize> ConvState<D> for ConvLstmState<D> {
    fn hidden(&self) -> Tensor<D> {
        self.hidden.clone()
    }

    fn map(self, mut function: impl FnMut(Tensor<D>) -> Tensor<D>) -> Self {
        Self {
            cell: function(self.cell),
            hidden: function(self.hidden),
            gates: self.gates.map(|gates| gates.map(function)),
        }
    }
}
