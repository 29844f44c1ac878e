//! What a cell normalises, and how.

use serde::{Deserialize, Serialize};

use crate::CellConfigError;

/// How a cell normalises. Default: not at all.
///
/// With a norm N, two norms N_x and N_h of their own gains, and the biases as their shifts:
///
/// ```text
/// input  = N_x(x W_ih) + b_ih
/// hidden = N_h(h W_hh) + b_hh
/// h′     = σ(o) ⊙ tanh(N_c(c′))    in an LSTM; N_c has a shift of its own
/// ```
///
/// Norms of a row take all packed gates together. With gate recurrence, N_h is of `h W_hh` and what gates add to it.
///
/// # Differences
/// The papers have the bias once; here both stay, since a GRU needs `b_hh` by itself. Ba et al. take the gates and the
/// candidate of a GRU apart, and the sum of both products of an Elman cell together; here each product has one norm
/// over all its columns in every cell, as in the LSTM of both papers.
#[derive(Clone, Copy, Debug, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Normalization {
    /// Not at all.
    #[default]
    None,
    /// By mean and variance of each row: Ba et al., *Layer Normalization*, 2016, <https://arxiv.org/abs/1607.06450>.
    /// Gains start at 1. Training and evaluation are the same.
    Layer {
        /// ε, added to the variance. Above 0. 1e-5 in PyTorch.
        epsilon: f64,
    },
    /// By the root mean square of each row: Zhang and Sennrich, 2019, <https://arxiv.org/abs/1910.07467>. As `Layer`,
    /// without the mean.
    Rms {
        /// ε, added to the mean square. Above 0.
        epsilon: f64,
    },
    /// By mean and variance of each column over the batch, for each time step by itself: Cooijmans et al., *Recurrent
    /// Batch Normalization*, 2016, <https://arxiv.org/abs/1603.09025>. Gains start at 0.1, as there: with 1 the tanh
    /// saturates and gradients vanish.
    ///
    /// In training, statistics are those of the batch's rows that are alive at the step; a step with a single one comes
    /// out as the shift. In evaluation, they are running means of those that training took. Steps count from where a
    /// cell starts to read: in reverse order, from each row's end.
    Batch {
        /// T_max, the steps with statistics of their own; later steps share those of the last one. At least 1.
        max_steps: usize,
        /// The weight of a new batch in the running statistics, in `(0, 1]`. 0.1 in PyTorch.
        momentum: f64,
        /// ε, added to the variance. Above 0.
        epsilon: f64,
    },
    /// Of the input product alone, by mean and variance of each column over the batch and all valid steps: Laurent et
    /// al., *Batch Normalized Recurrent Neural Networks*, 2015, <https://arxiv.org/abs/1510.01378>. Gains start at 1.
    SequenceBatch {
        /// As for `Batch`.
        momentum: f64,
        /// As for `Batch`.
        epsilon: f64,
    },
}

impl Normalization {
    /// Layer normalisation with PyTorch's ε, 1e-5.
    pub const LAYER: Self = Self::Layer { epsilon: 1e-5 };

    /// Root-mean-square normalisation with an ε of 1e-5.
    pub const RMS: Self = Self::Rms { epsilon: 1e-5 };

    /// Sequence-wise batch normalisation with PyTorch's momentum, 0.1, and ε, 1e-5.
    pub const SEQUENCE_BATCH: Self = Self::SequenceBatch {
        momentum: 0.1,
        epsilon: 1e-5,
    };

    /// Recurrent batch normalisation with PyTorch's momentum, 0.1, and ε, 1e-5.
    pub const fn batch(max_steps: usize) -> Self {
        Self::Batch {
            max_steps,
            momentum: 0.1,
            epsilon: 1e-5,
        }
    }

    /// Whether it acts within the steps of a scan.
    pub(crate) fn is_within_steps(self) -> bool {
        !matches!(self, Self::None | Self::SequenceBatch { .. })
    }

    /// ε; `None`: there is no norm.
    fn epsilon(self) -> Option<f64> {
        match self {
            Self::None => None,
            Self::Layer { epsilon }
            | Self::Rms { epsilon }
            | Self::Batch { epsilon, .. }
            | Self::SequenceBatch { epsilon, .. } => Some(epsilon),
        }
    }

    /// Checks the numbers.
    ///
    /// # Errors
    /// If one is out of its range.
    pub fn validate(self) -> Result<(), CellConfigError> {
        let number = |name, found, expected| CellConfigError::Number {
            name,
            found,
            expected,
        };
        if let Some(epsilon) = self.epsilon()
            && !(epsilon > 0.0 && epsilon.is_finite())
        {
            return Err(number("norm epsilon", epsilon, "a finite number above 0"));
        }
        if let Self::Batch { max_steps: 0, .. } = self {
            return Err(number("norm max_steps", 0.0, "at least 1 step"));
        }
        match self {
            Self::Batch { momentum, .. } | Self::SequenceBatch { momentum, .. }
                if !(momentum > 0.0 && momentum <= 1.0) =>
            {
                Err(number("norm momentum", momentum, "a number in (0, 1]"))
            }
            _ => Ok(()),
        }
    }
}
