//! What a cell's scans do besides its equations: norms and dropouts.

use burn::module::{Flag, Module, Param};
use burn::tensor::{Device, Tensor};
use rekindle_kernels::{
    Array, Equations, GradientFlow, Order, Parameters, Scan, Scanned, Within, scan,
};

use crate::{CellDropout, CellNorms, Normalization, Sequences};

/// What a cell's scans do besides its equations. Every cell can have it: see [`scan`](Self::scan).
#[derive(Module, Debug)]
pub struct Extras {
    /// Norms; `None`: the cell does not normalise.
    pub norms: Option<CellNorms>,
    /// Noise in training.
    #[module(skip)]
    pub dropout: CellDropout,
    /// Whether to behave as in training on a device with autodiff. Cleared by freezing the module.
    pub training: Param<Flag>,
    /// Where backward passes leave how much gradient reached the states; `None`: nowhere.
    #[module(skip)]
    pub flow: Option<GradientFlow>,
}

impl Extras {
    /// The extras of a cell whose products have `packed` columns; `cell` is the width of its cell state, if it has one.
    pub fn init(
        normalization: Normalization,
        dropout: CellDropout,
        packed: usize,
        cell: Option<usize>,
        device: &Device,
    ) -> Self {
        Self {
            norms: CellNorms::init(normalization, packed, cell, device),
            dropout,
            training: Param::from_bool(true),
            flow: None,
        }
    }

    /// Whether the equations have to be those with options: such that [show](Equations::SHOWS) a norm of the cell state,
    /// or have a [factor](Equations::FACTOR) of the candidate.
    pub fn need_options(&self) -> bool {
        let shows = |norms: &CellNorms| norms.cell.is_some();
        self.norms.as_ref().is_some_and(shows) || self.dropout.candidate > 0.0
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
        let is_autodiff = parameters.weight_ih.device().is_autodiff();
        let training = is_autodiff && self.training.is_enabled();
        let (sequences, parameters) = match training {
            true => (
                self.dropout.of_input(sequences),
                self.dropout.of_parameters(parameters),
            ),
            false => (sequences, parameters),
        };
        let parameters = match &self.norms {
            Some(norms) => norms.of_input(parameters, &sequences, training),
            None => parameters,
        };
        let within = self.within::<E>(training, &parameters, &sequences, &state);
        let (layout, lengths) = (sequences.layout, sequences.lengths.clone());
        let batch = sequences.batch();
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
                layout,
                within,
            },
        );
        if let Some(norms) = &self.norms {
            norms.update(statistics, batch, lengths.as_ref());
        }
        let output = match training {
            true => self.dropout.of_output(output, layout),
            false => output,
        };
        (output, state)
    }

    /// What happens within the steps.
    fn within<E: Equations>(
        &self,
        training: bool,
        parameters: &Parameters,
        sequences: &Sequences,
        state: &E::States<Tensor<2>>,
    ) -> Within {
        let norms = (self.norms.as_ref()).map(|norms| norms.within(training));
        let masks = (!self.dropout.is_none()).then(|| {
            let [batch, seq, _] = sequences.layout.batch_seq_width(sequences.values.dims());
            let packed = parameters.weight_ih.dims()[1];
            let d_hidden = packed / <E::Gates<()> as Array<()>>::LEN;
            let state = state.as_ref();
            let states: Vec<usize> = state.iter().map(|state| state.dims()[1]).collect();
            let shape = [batch, seq, d_hidden];
            (self.dropout).masks(training, shape, &states, &parameters.weight_ih)
        });
        Within {
            norms: norms.unwrap_or_default(),
            masks: masks.unwrap_or_default(),
            flow: self.flow.clone(),
        }
    }
}
