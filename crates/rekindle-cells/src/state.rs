//! What a recurrent cell carries from step to step.

use std::fmt::Debug;

use burn::tensor::Tensor;

/// The state of a cell over a batch: one or more tensors `[batch, width]`.
pub trait State: Clone + Debug + Send + 'static {
    /// The hidden state, which is also the output of a step: `[batch, d_hidden]`.
    fn hidden(&self) -> Tensor<2>;

    /// Applies a function to each tensor of the state.
    fn map(self, function: impl FnMut(Tensor<2>) -> Tensor<2>) -> Self;

    /// All its tensors, in the order of [`map`](Self::map).
    fn tensors(&self) -> Vec<Tensor<2>> {
        let mut tensors = Vec::new();
        self.clone().map(|tensor| {
            tensors.push(tensor.clone());
            tensor
        });
        tensors
    }

    /// The same numbers without their history, so that no gradient flows into what came before.
    fn detach(self) -> Self {
        self.map(Tensor::detach)
    }
}

/// The state of cells that carry the hidden state alone.
impl State for Tensor<2> {
    fn hidden(&self) -> Tensor<2> {
        self.clone()
    }

    fn map(self, mut function: impl FnMut(Tensor<2>) -> Tensor<2>) -> Self {
        function(self)
    }
}
