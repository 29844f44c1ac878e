//! Where a cell is in a stack.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A cell of a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The layer, counted from 0, the one that reads the input first.
    pub layer: usize,
    /// Whether the cell reads from the last step to the first.
    pub reverse: bool,
}

impl Place {
    /// The cell of a layer.
    pub fn new(layer: usize, reverse: bool) -> Self {
        Self { layer, reverse }
    }

    /// `forward` or `reverse`.
    pub fn direction(self) -> &'static str {
        match self.reverse {
            true => "reverse",
            false => "forward",
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("layer {} {}", self.layer, self.direction()))
    }
}
