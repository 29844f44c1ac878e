//! From a network into a state dict.

use rekindle_cells::Stack;

use super::cell::{check_cell, check_stack};
use super::entry::Entry;
use super::names::Naming;
use super::{PytorchCell, StateDict, UnsupportedError};

impl StateDict {
    /// The weights of a stack, by the names of PyTorch's `nn.RNN`, `nn.LSTM` or `nn.GRU` behind a prefix: what a module
    /// with the same widths, layers and directions takes in `load_state_dict`, in the type that the stack computes in.
    ///
    /// # Errors
    /// If PyTorch's module has other equations than the stack.
    pub fn of_stack<C: PytorchCell>(
        stack: &Stack<C>,
        prefix: &str,
    ) -> Result<Self, UnsupportedError> {
        check_stack(stack)?;
        let mut dict = Self::new();
        for (index, layer) in stack.layers.iter().enumerate() {
            for (cell, reverse) in [(&layer.forward, false), (&layer.reverse, true)] {
                if let Some(cell) = cell {
                    dict.insert_cell(cell, prefix, &Naming::Layers.suffix(index, reverse));
                }
            }
        }
        Ok(dict)
    }

    /// The weights of a cell, by the names of PyTorch's `nn.RNNCell`, `nn.LSTMCell` or `nn.GRUCell` behind a prefix.
    ///
    /// # Errors
    /// If PyTorch's module has other equations than the cell.
    pub fn of_cell<C: PytorchCell>(cell: &C, prefix: &str) -> Result<Self, UnsupportedError> {
        check_cell(cell)?;
        let mut dict = Self::new();
        dict.insert_cell(cell, prefix, &Naming::Cell.suffix(0, false));
        Ok(dict)
    }

    fn insert_cell<C: PytorchCell>(&mut self, cell: &C, prefix: &str, suffix: &str) {
        for (name, parameter) in cell.clone().parameters() {
            let entry = Entry::from_data(&parameter.data()).expect("parameters are floats");
            self.entries
                .insert(format!("{prefix}{name}{suffix}"), entry.transposed());
        }
    }
}
