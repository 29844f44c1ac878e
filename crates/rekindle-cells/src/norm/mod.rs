//! Normalisation in cells.

mod config;
mod sequence;
mod statistics;

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use rekindle_kernels::{Lengths, Norm, NormKind, Norms, Parameters, Statistics};

pub use config::Normalization;
pub use statistics::RunningStatistics;

use crate::{Buffer, Sequences};

/// The norms of a cell: see [`Normalization`].
#[derive(Module, Debug)]
pub struct CellNorms {
    /// N_x, of the input product.
    pub input: Option<ColumnNorm>,
    /// N_h, of the recurrent product.
    pub hidden: Option<ColumnNorm>,
    /// N_c, of the cell state on its way to the hidden state.
    pub cell: Option<ColumnNorm>,
}

/// One norm of a cell, with a gain for each column.
#[derive(Module, Debug)]
pub struct ColumnNorm {
    /// γ: `[columns]`.
    pub gain: Param<Tensor<1>>,
    /// β: `[columns]`. Norms of products have the cell's biases instead.
    pub shift: Option<Param<Tensor<1>>>,
    /// Of norms of a row, 1 for columns that count and 0 for those of pruned units: `[columns]`.
    pub active: Option<Buffer<1>>,
    /// Of norms over a batch, the running statistics.
    pub running: Option<RunningStatistics>,
    /// What is normalised over.
    #[module(skip)]
    pub kind: Normalization,
}

impl ColumnNorm {
    fn init(kind: Normalization, columns: usize, shift: bool, device: &Device) -> Self {
        let (gain, running) = match kind {
            Normalization::Batch {
                max_steps,
                momentum,
                ..
            } => (0.1, Some((max_steps, momentum))),
            Normalization::SequenceBatch { momentum, .. } => (1.0, Some((1, momentum))),
            _ => (1.0, None),
        };
        let full = |value| Tensor::<1>::full([columns], value, device);
        Self {
            gain: Param::from_tensor(full(gain)),
            shift: shift.then(|| Param::from_tensor(full(0.0))),
            active: (running.is_none()).then(|| Buffer::new(full(1.0))),
            running: running.map(|(steps, momentum)| {
                RunningStatistics::init([steps, columns], momentum, device)
            }),
            kind,
        }
    }

    /// What a scan does of it.
    fn norm(&self, training: bool) -> Norm {
        let gain = self.gain.val();
        let active = || {
            let active = self
                .active
                .as_ref()
                .expect("a norm of rows knows its columns");
            active.value().to_device(&gain.device())
        };
        let given = || {
            let running = self
                .running
                .as_ref()
                .expect("a norm over a batch has statistics");
            let [mean, variance] = running.value(&gain);
            NormKind::Given { mean, variance }
        };
        let (kind, epsilon) = match self.kind {
            Normalization::Layer { epsilon } => (NormKind::Layer { active: active() }, epsilon),
            Normalization::Rms { epsilon } => (NormKind::Rms { active: active() }, epsilon),
            Normalization::Batch { epsilon, .. } if training => (NormKind::Batch, epsilon),
            Normalization::Batch { epsilon, .. } => (given(), epsilon),
            Normalization::None | Normalization::SequenceBatch { .. } => {
                unreachable!("no norm within steps")
            }
        };
        Norm {
            kind,
            gain,
            shift: self.shift.as_ref().map(Param::val),
            epsilon,
        }
    }
}

impl CellNorms {
    /// Norms of products with `packed` columns and, where there is one, of a cell state with `cell` columns; `None`: no
    /// normalisation.
    pub(crate) fn init(
        kind: Normalization,
        packed: usize,
        cell: Option<usize>,
        device: &Device,
    ) -> Option<Self> {
        let within = kind.is_within_steps();
        let norm = |columns, shift| ColumnNorm::init(kind, columns, shift, device);
        (kind != Normalization::None).then(|| Self {
            input: Some(norm(packed, false)),
            hidden: within.then(|| norm(packed, false)),
            cell: cell.filter(|_| within).map(|columns| norm(columns, true)),
        })
    }

    /// What a scan normalises within its steps, with statistics of the batch in training.
    pub(crate) fn within(&self, training: bool) -> Norms {
        let norm = |norm: &Option<ColumnNorm>| {
            let norm = norm.as_ref()?;
            (norm.kind.is_within_steps()).then(|| norm.norm(training))
        };
        Norms {
            input: norm(&self.input),
            hidden: norm(&self.hidden),
            shown: norm(&self.cell),
        }
    }

    /// The parameters of a scan, the input's with a sequence-wise norm in them.
    pub(crate) fn of_input(
        &self,
        parameters: Parameters,
        sequences: &Sequences,
        training: bool,
    ) -> Parameters {
        let Some(norm) = &self.input else {
            return parameters;
        };
        match norm.kind {
            Normalization::SequenceBatch { epsilon, .. } => {
                sequence::normalized(norm, parameters, sequences, epsilon, training)
            }
            _ => parameters,
        }
    }

    /// Takes in what a scan took over its batch.
    pub(crate) fn update(&self, statistics: Statistics, batch: usize, lengths: Option<&Lengths>) {
        let Statistics {
            input,
            hidden,
            shown,
        } = statistics;
        let each = [
            (&self.input, input),
            (&self.hidden, hidden),
            (&self.cell, shown),
        ];
        for (norm, taken) in each {
            let running = norm.as_ref().and_then(|norm| norm.running.as_ref());
            if let (Some(running), Some(taken)) = (running, taken) {
                let rows = |t| match lengths {
                    Some(lengths) => lengths.as_slice().iter().filter(|&&l| l > t).count(),
                    None => batch,
                };
                let counts: Vec<usize> = (0..taken[0].dims()[0]).map(rows).collect();
                running.update(taken, &counts);
            }
        }
    }
}
