//! What an LSTM carries from step to step.

use burn::tensor::Tensor;

use crate::State;

/// What an [`Lstm`](super::Lstm) carries from step to step.
#[derive(Clone, Debug)]
pub struct LstmState {
    /// The cell state c: `[batch, d_hidden]`.
    pub cell: Tensor<2>,
    /// The hidden state h: `[batch, d_hidden]`, or `[batch, d_projected]`.
    pub hidden: Tensor<2>,
    /// The gates i, f and o of the step before, `[batch, d_hidden]` each, if the cell has gate recurrence.
    pub gates: Option<[Tensor<2>; 3]>,
}

impl LstmState {
    /// A state of cell and hidden state.
    pub fn new(cell: Tensor<2>, hidden: Tensor<2>) -> Self {
        Self {
            cell,
            hidden,
            gates: None,
        }
    }

    /// The states in the order of the equations: h, the gates, c.
    pub(super) fn into_vec(self) -> Vec<Tensor<2>> {
        let gates = self.gates.into_iter().flatten();
        [self.hidden]
            .into_iter()
            .chain(gates)
            .chain([self.cell])
            .collect()
    }

    /// The way back of [`into_vec`](Self::into_vec).
    pub(super) fn from_slice(states: &[Tensor<2>]) -> Self {
        let [hidden, gates @ .., cell] = states else {
            panic!("an LSTM has two states or more, found {}", states.len())
        };
        Self {
            cell: cell.clone(),
            hidden: hidden.clone(),
            gates: <&[Tensor<2>; 3]>::try_from(gates).ok().cloned(),
        }
    }
}

impl State for LstmState {
    fn hidden(&self) -> Tensor<2> {
        self.hidden.clone()
    }

    fn map(self, mut function: impl FnMut(Tensor<2>) -> Tensor<2>) -> Self {
        Self {
            cell: function(self.cell),
            hidden: function(self.hidden),
            gates: self.gates.map(|gates| gates.map(function)),
        }
    }
}
