//! One layer of a stack.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use rekindle_kernels::Order;

use super::Direction;
use crate::{Cell, CellConfig, Sequences};

/// The cells of one layer.
#[derive(Module, Debug)]
pub struct Layer<C: Cell> {
    /// The cell that reads forward.
    pub forward: Option<C>,
    /// The cell that reads in reverse.
    pub reverse: Option<C>,
}

impl<C: Cell> Layer<C> {
    /// A layer of one cell for each order of the direction, forward first.
    pub(super) fn init<F: CellConfig<Cell = C>>(
        cells: &[F],
        direction: Direction,
        device: &Device,
    ) -> Self {
        let make = |order: Order| {
            let at = direction
                .orders()
                .iter()
                .position(|other| *other == order)?;
            Some(cells[at].init(device))
        };
        Self {
            forward: make(Order::Forward),
            reverse: make(Order::Reverse),
        }
    }

    /// The cells and the orders in which they read, forward first.
    pub(crate) fn cells(&self) -> impl Iterator<Item = (Order, &C)> {
        let forward = self.forward.iter().map(|cell| (Order::Forward, cell));
        forward.chain(self.reverse.iter().map(|cell| (Order::Reverse, cell)))
    }

    /// The outputs and final states of its cells, forward first.
    pub(super) fn scan(
        &self,
        input: &Sequences,
        states: Vec<C::State>,
    ) -> (Vec<Tensor<3>>, Vec<C::State>) {
        self.cells()
            .zip(states)
            .map(|((order, cell), state)| cell.scan(input.clone(), state, order))
            .unzip()
    }
}
