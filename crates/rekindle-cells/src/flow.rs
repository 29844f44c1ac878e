//! How much gradient reaches the states of the cells of a stack.

use rekindle_kernels::GradientFlow;

use crate::{Cell, Stack};

/// The gradients that reach the states of one cell of a stack.
#[derive(Clone, Debug)]
pub struct CellFlow {
    /// The layer, counted from 0, the one that reads the input first.
    pub layer: usize,
    /// Whether the cell reads from the last step to the first.
    pub reverse: bool,
    /// What backward passes leave.
    pub flow: GradientFlow,
}

impl<C: Cell> Stack<C> {
    /// From now on every backward pass leaves how much gradient reached the states of each cell, at each step.
    ///
    /// That costs a sum over the gradients of the states at each step, which the backward pass has at hand. Clones of the
    /// stack, such as those that an optimiser makes, leave it in the same place. Cells without [extras](Cell::extras_mut)
    /// are not watched, nor are scans that are composed of tensor operations: see [`rekindle_kernels::scan`].
    ///
    /// # Examples
    /// ```
    /// use burn::tensor::{Device, Tensor};
    /// use rekindle_cells::{LstmConfig, Recurrent, StackConfig};
    ///
    /// let device = Device::flex().autodiff();
    /// let mut rnn = StackConfig::new().with_layers(2).init(&LstmConfig::new(3, 8), &device);
    /// let cells = rnn.watch();
    /// let (output, _) = rnn.forward(Tensor::<3>::ones([4, 10, 3], &device), None);
    /// output.narrow(1, 9, 1).sum().backward();
    ///
    /// let passes = cells[1].flow.take();
    /// let [of_hidden, of_cell] = [0, 1].map(|state| passes[0].norms(state));
    /// // The last step's output is the sum of all units of four rows: a gradient of 1 for each.
    /// assert!((of_hidden[9] - 32_f64.sqrt()).abs() < 1e-5);
    /// assert!(of_hidden[0] < of_hidden[9] && of_cell[0] > 0.0);
    /// ```
    pub fn watch(&mut self) -> Vec<CellFlow> {
        let mut cells = Vec::new();
        for (layer, cell, reverse) in self.cells_mut() {
            if let Some(extras) = cell.extras_mut() {
                let flow = extras.flow.get_or_insert_default().clone();
                cells.push(CellFlow {
                    layer,
                    reverse,
                    flow,
                });
            }
        }
        cells
    }

    /// The stack without anyone who watches.
    pub fn unwatch(&mut self) {
        for (_, cell, _) in self.cells_mut() {
            if let Some(extras) = cell.extras_mut() {
                extras.flow = None;
            }
        }
    }

    /// All cells with their layers, and whether they read from the end.
    fn cells_mut(&mut self) -> impl Iterator<Item = (usize, &mut C, bool)> {
        self.layers
            .iter_mut()
            .enumerate()
            .flat_map(|(index, layer)| {
                let forward = layer
                    .forward
                    .iter_mut()
                    .map(move |cell| (index, cell, false));
                let reverse = layer
                    .reverse
                    .iter_mut()
                    .map(move |cell| (index, cell, true));
                forward.chain(reverse)
            })
    }
}
