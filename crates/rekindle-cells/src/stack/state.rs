//! What a stack carries from one call to the next.

use burn::tensor::Tensor;

use crate::State;

/// The state of a [`Stack`](super::Stack): one for each layer and cell.
#[derive(Clone, Debug)]
pub struct StackState<S> {
    /// The states of each layer's cells, the forward one first.
    pub layers: Vec<Vec<S>>,
}

impl<S: State> StackState<S> {
    /// The hidden states of the last layer's cells, forward first: `[batch, cells·d_hidden]`.
    ///
    /// Of the states that [`Recurrent::forward`](crate::Recurrent::forward) returns, these have read the whole sequence: the forward cell's is the
    /// one after each row's last valid step, the reverse cell's the one after its first.
    ///
    /// # Panics
    /// If the state has no layer.
    pub fn last_hidden(&self) -> Tensor<2> {
        let last = self.layers.last().expect("a stack has at least one layer");
        Tensor::cat(last.iter().map(State::hidden).collect(), 1)
    }

    /// Applies a function to each tensor of the state.
    pub fn map(self, mut function: impl FnMut(Tensor<2>) -> Tensor<2>) -> Self {
        let mut map = |layer: Vec<S>| layer.into_iter().map(|s| s.map(&mut function)).collect();
        Self {
            layers: self.layers.into_iter().map(&mut map).collect(),
        }
    }

    /// The same numbers without their history: see [`State::detach`].
    pub fn detach(self) -> Self {
        self.map(Tensor::detach)
    }
}
