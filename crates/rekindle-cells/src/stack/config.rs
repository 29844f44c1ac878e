//! The configuration of a stack.

use burn::config::Config;
use burn::nn::DropoutConfig;
use burn::tensor::{Device, Tensor};
use rekindle_kernels::Order;
use serde::{Deserialize, Serialize};

use super::{Layer, Stack};
use crate::{CellConfig, CellConfigError};

/// The direction in which the layers of a stack read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the first step to the last.
    #[default]
    Forward,
    /// From each row's last valid step to its first.
    Reverse,
    /// Both, by two cells with weights of their own; [`Merge`] says what becomes of their outputs (Schuster and Paliwal,
    /// *Bidirectional Recurrent Neural Networks*, 1997, <https://doi.org/10.1109/78.650093>).
    Bidirectional,
}

impl Direction {
    /// The number of cells in a layer.
    pub fn cells(self) -> usize {
        self.orders().len()
    }

    /// The order in which each cell of a layer reads.
    pub(crate) fn orders(self) -> &'static [Order] {
        match self {
            Self::Forward => &[Order::Forward],
            Self::Reverse => &[Order::Reverse],
            Self::Bidirectional => &[Order::Forward, Order::Reverse],
        }
    }
}

/// What a layer that reads in both directions makes of the two outputs; of one output it makes nothing.
///
/// The names of Keras's `Bidirectional`, but for `Mean`, its `ave`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Merge {
    /// Side by side, forward first: `[batch, seq, 2·width]`.
    #[default]
    Concat,
    /// Their sum.
    Sum,
    /// Their mean.
    Mean,
    /// Their product, element by element.
    Mul,
}

impl Merge {
    /// The outputs of a layer's cells as one, of any rank; the last axis is the width.
    pub(super) fn of<const D: usize>(self, outputs: Vec<Tensor<D>>) -> Tensor<D> {
        let count = outputs.len() as f64;
        let mut rest = outputs.into_iter();
        let first = rest.next().expect("a layer has at least one cell");
        match self {
            Self::Concat => Tensor::cat([first].into_iter().chain(rest).collect(), D - 1),
            Self::Sum => rest.fold(first, |sum, output| sum + output),
            Self::Mean => rest.fold(first, |sum, output| sum + output) / count,
            Self::Mul => rest.fold(first, |product, output| product * output),
        }
    }

    /// The width of outputs of these widths, merged.
    pub(super) fn width(self, widths: &[usize]) -> usize {
        match self {
            Self::Concat => widths.iter().sum(),
            Self::Sum | Self::Mean | Self::Mul => widths[0],
        }
    }
}

/// What the layers of a stack read besides the output of the layer below.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Connections {
    /// Nothing.
    #[default]
    Plain,
    /// From the second layer on, a layer's input is added to its output (Wu et al., *Google's Neural Machine Translation
    /// System*, 2016, <https://arxiv.org/abs/1609.08144>). The first layer's input has another width.
    Residual,
    /// Each layer reads the stack's input and the outputs of all layers below it, side by side (Ding et al., *Densely
    /// Connected Bidirectional LSTM*, 2018, <https://arxiv.org/abs/1802.00889>).
    Dense,
}

/// Configuration of a [`Stack`].
#[derive(Config, Debug)]
pub struct StackConfig {
    /// Number of layers, at least 1. Default: 1.
    #[config(default = 1)]
    pub layers: usize,
    /// Direction of every layer. Default: forward.
    #[config(default = "Direction::Forward")]
    pub direction: Direction,
    /// Probability of zeroing an output of a layer on its way to the next one, in training, in `[0, 1)`; nothing is
    /// dropped behind the last layer. Default: 0.0, as in PyTorch.
    #[config(default = 0.0)]
    pub dropout: f64,
    /// What becomes of the outputs of both directions. Default: side by side, as in PyTorch.
    #[config(default = "Merge::Concat")]
    pub merge: Merge,
    /// What layers read besides the layer below. Default: nothing.
    #[config(default = "Connections::Plain")]
    pub connections: Connections,
    /// Hidden units of each cell: a list for each layer, with a number for each direction, forward first. Outputs that are
    /// added up or multiplied have the same width. Default: those of the cell's configuration everywhere.
    pub units: Option<Vec<Vec<usize>>>,
}

impl StackConfig {
    /// Draws the weights of all layers: layer by layer, the forward cell before the reverse one.
    ///
    /// `cell` configures the first layer; those above it read what the layers below put out.
    ///
    /// # Panics
    /// With the message of [`validate`](Self::validate), or of the cell's own.
    pub fn init<C: CellConfig>(&self, cell: &C, device: &Device) -> Stack<C::Cell> {
        if let Err(error) = self.validate(cell) {
            panic!("cannot make a stack: {error}");
        }
        let layers = (self.cells(cell).iter())
            .map(|cells| Layer::init(cells, self.direction, device))
            .collect();
        Stack {
            layers,
            dropout: DropoutConfig::new(self.dropout).init(),
            merge: self.merge,
            connections: self.connections,
        }
    }

    /// The configuration of each cell of each layer.
    fn cells<C: CellConfig>(&self, cell: &C) -> Vec<Vec<C>> {
        let mut d_input = cell.d_input();
        let of_layer = |layer: usize| {
            let with_units = |index: usize| match &self.units {
                Some(units) => cell.with_units(units[layer][index]),
                None => cell.clone(),
            };
            let cells = (0..self.direction.cells()).map(with_units);
            let cells: Vec<C> = cells.map(|cell| cell.with_input(d_input)).collect();
            let widths: Vec<usize> = cells.iter().map(C::d_output).collect();
            let width = self.merge.width(&widths);
            d_input = match self.connections {
                Connections::Dense => d_input + width,
                Connections::Plain | Connections::Residual => width,
            };
            cells
        };
        (0..self.layers).map(of_layer).collect()
    }

    /// Checks the configuration, and the cell's with it.
    ///
    /// # Errors
    /// If there is no layer, the dropout is no probability below 1, the numbers of units are not those of its cells, or
    /// the cell's configuration is wrong.
    pub fn validate(&self, cell: &impl CellConfig) -> Result<(), StackConfigError> {
        StackConfigError::check(self.layers, self.dropout)?;
        cell.validate()?;
        let Some(units) = &self.units else {
            return Ok(());
        };
        let (layers, cells) = (self.layers, self.direction.cells());
        let fits = units.len() == layers && units.iter().all(|layer| layer.len() == cells);
        if !fits {
            return Err(StackConfigError::Units {
                found: units.clone(),
                layers,
                cells,
            });
        }
        let all = self.cells(cell);
        all.iter().flatten().try_for_each(CellConfig::validate)?;
        let widths = |layer: &Vec<_>| layer.iter().map(CellConfig::d_output).collect();
        let widths: Vec<Vec<usize>> = all.iter().map(widths).collect();
        let is_same = |layer: &Vec<usize>| layer.iter().all(|width| *width == layer[0]);
        let merges = self.merge == Merge::Concat || widths.iter().all(is_same);
        let adds = self.connections != Connections::Residual
            || widths.iter().all(|layer| *layer == widths[0]);
        match merges && adds {
            true => Ok(()),
            false => Err(StackConfigError::Widths { found: widths }),
        }
    }
}

/// A configuration that no stack can be made from.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StackConfigError {
    /// No layer.
    #[error("layers is 0, expected at least 1")]
    Layers,
    /// A dropout that is no probability below 1.
    #[error("dropout is {dropout}, expected a probability in [0, 1)")]
    Dropout {
        /// The value.
        dropout: f64,
    },
    /// Units for other cells than there are.
    #[error(
        "units are {found:?}, expected {layers} lists, one a layer, of {cells} numbers, one a direction"
    )]
    Units {
        /// The units.
        found: Vec<Vec<usize>>,
        /// How many layers there are.
        layers: usize,
        /// How many cells each has.
        cells: usize,
    },
    /// Outputs that cannot be added up or multiplied.
    #[error(
        "cells put out {found:?} numbers, layer by layer, expected the same number where merge or residual connections \
         add up or multiply outputs"
    )]
    Widths {
        /// The widths of all cells.
        found: Vec<Vec<usize>>,
    },
    /// A wrong cell configuration.
    #[error(transparent)]
    Cell(#[from] CellConfigError),
}

impl StackConfigError {
    /// Checks what stacks of all kinds have.
    pub(crate) fn check(layers: usize, dropout: f64) -> Result<(), Self> {
        if layers == 0 {
            return Err(Self::Layers);
        }
        if !(0.0..1.0).contains(&dropout) {
            return Err(Self::Dropout { dropout });
        }
        Ok(())
    }
}
