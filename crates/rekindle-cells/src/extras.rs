//! What a cell's scans do besides its equations: norms and dropouts.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use rekindle_kernels::{Equations, Order, Parameters, Scan, Scanned, Within, scan};

use crate::{CellNorms, Normalization, Sequences};

/// What a cell's scans do besides its equations. Every cell can have it: see [`scan`](Self::scan).
#[derive(Module, Debug)]
pub struct Extras {
    /// Norms; `None`: the cell does not normalise.
    pub norms: Option<CellNorms>,
}

impl Extras {
    /// The extras of a cell whose products have `packed` columns; `cell` is the width of its cell state, if it has one.
    pub fn init(
        normalization: Normalization,
        packed: usize,
        cell: Option<usize>,
        device: &Device,
    ) -> Self {
        Self {
            norms: CellNorms::init(normalization, packed, cell, device),
        }
    }

    /// Whether the equations have to be such that [show](Equations::SHOWS) a norm of the cell state.
    pub fn need_options(&self) -> bool {
        (self.norms.as_ref()).is_some_and(|norms| norms.cell.is_some())
    }

    /// All steps of a cell: see [`rekindle_kernels::scan`].
    pub fn scan<E: Equations>(
        &self,
        equations: &E,
        parameters: Parameters,
        sequences: Sequences,
        state: E::States<Tensor<2>>,
        order: Order,
    ) -> (Tensor<3>, E::States<Tensor<2>>) {
        let parameters = match &self.norms {
            Some(norms) => norms.of_input(parameters, &sequences),
            None => parameters,
        };
        let (batch, lengths) = (sequences.batch(), sequences.lengths.clone());
        let norms = self.norms.as_ref().map(CellNorms::within);
        let Scanned {
            output,
            state,
            statistics,
        } = scan(
            equations,
            Scan {
                input: sequences.values,
                state,
                parameters,
                lengths: sequences.lengths,
                order,
                layout: sequences.layout,
                within: Within {
                    norms: norms.unwrap_or_default(),
                    ..Within::default()
                },
            },
        );
        if let Some(norms) = &self.norms {
            norms.update(statistics, batch, lengths.as_ref());
        }
        (output, state)
    }
}
