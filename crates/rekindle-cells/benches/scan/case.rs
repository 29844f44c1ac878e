//! One case: a cell of a size, and what it does.

use std::fmt;

use serde::Serialize;

use crate::options::{Cell, Mode, Options};
use crate::shape::Shape;

/// A cell of a size, and what it does.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Case {
    /// The cell.
    pub cell: Cell,
    /// What it does.
    pub mode: Mode,
    /// The size; a single step in [`Mode::Step`].
    pub shape: Shape,
}

impl Case {
    /// A case; in [`Mode::Step`] the number of steps becomes 1.
    pub fn new(cell: Cell, mode: Mode, shape: Shape) -> Self {
        let seq = match mode {
            Mode::Step => 1,
            Mode::Infer | Mode::Train => shape.seq,
        };
        let shape = Shape { seq, ..shape };
        Self { cell, mode, shape }
    }

    /// All cases that the options ask for, cell by cell, mode by mode.
    pub fn all(options: &Options) -> Vec<Self> {
        let mut cases = Vec::new();
        for &cell in &options.cells {
            for &mode in &options.modes {
                cases.extend(
                    options
                        .shapes
                        .iter()
                        .map(|&shape| Self::new(cell, mode, shape)),
                );
            }
        }
        cases
    }

    /// The same cell and mode at a size that takes neither time nor memory.
    pub fn tiny(self) -> Self {
        let shape = Shape {
            seq: 2,
            batch: 1,
            d_input: 2,
            d_hidden: 2,
        };
        Self::new(self.cell, self.mode, shape)
    }

    /// How many calls one sample is the mean of: a single step is too short to be timed alone.
    pub fn calls(self) -> usize {
        match self.mode {
            Mode::Step => 100,
            Mode::Infer | Mode::Train => 1,
        }
    }

    /// Floating-point operations of one call: a multiplication and an addition for each weight, row and step, and in
    /// training twice as many again for the gradients of the input and of the weights. Pointwise work is not counted.
    ///
    /// ```text
    /// 2 · T · B · (I + H) · G · H
    /// ```
    pub fn flops(self) -> f64 {
        let Shape {
            seq,
            batch,
            d_input,
            d_hidden,
        } = self.shape;
        let forward = 2 * seq * batch * (d_input + d_hidden) * self.cell.gates() * d_hidden;
        let times = match self.mode {
            Mode::Train => 3,
            Mode::Infer | Mode::Step => 1,
        };
        (times * forward) as f64
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.cell, self.mode, self.shape)
    }
}
