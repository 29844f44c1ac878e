//! The tensors of states, and comparing them.

use burn::tensor::Tensor;
use rekindle_cells::{StackState, State};
use rekindle_testkit::assert_close;

/// All tensors of a state, in order.
pub fn tensors<S: State>(state: StackState<S>) -> Vec<Tensor<2>> {
    let cells = state.layers.iter().flatten();
    cells.flat_map(State::tensors).collect()
}

/// Asserts that two states are equal within the tolerance of their type.
pub fn assert_states_close<S: State>(left: StackState<S>, right: StackState<S>, what: &str) {
    let (left, right) = (tensors(left), tensors(right));
    assert_eq!(left.len(), right.len(), "{what}: tensors of a state");
    for (left, right) in left.iter().zip(&right) {
        assert_close(left, right, what);
    }
}
