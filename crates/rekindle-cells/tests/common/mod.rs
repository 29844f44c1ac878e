//! What laws and plain loops are checked on: every cell with every option, in stacks of every kind, and random
//! combinations of all options.
//!
//! A new cell is a variant of [`AnyCell`] and its lines in [`options`].

pub mod activations;
pub mod combinations;
pub mod options;
pub mod states;
mod subject;
pub mod ugrnn;

use rekindle_cells::{
    CellDropout, ElmanConfig, GruConfig, InitialState, LstmConfig, Normalization,
};

pub use subject::{Network, Origin, Subject};
use ugrnn::UgrnnConfig;

/// The configuration of a cell of any kind.
#[derive(Clone, Debug)]
pub enum AnyCell {
    Elman(Box<ElmanConfig>),
    Lstm(Box<LstmConfig>),
    Gru(Box<GruConfig>),
    Ugrnn(Box<UgrnnConfig>),
}

impl From<ElmanConfig> for AnyCell {
    fn from(config: ElmanConfig) -> Self {
        Self::Elman(config.into())
    }
}

impl From<LstmConfig> for AnyCell {
    fn from(config: LstmConfig) -> Self {
        Self::Lstm(config.into())
    }
}

impl From<GruConfig> for AnyCell {
    fn from(config: GruConfig) -> Self {
        Self::Gru(config.into())
    }
}

impl From<UgrnnConfig> for AnyCell {
    fn from(config: UgrnnConfig) -> Self {
        Self::Ugrnn(config.into())
    }
}

/// Evaluates an expression with the configuration of a cell of any kind.
macro_rules! with_config {
    ($cell:expr, $config:ident => $body:expr) => {
        match $cell {
            $crate::common::AnyCell::Elman($config) => $body,
            $crate::common::AnyCell::Lstm($config) => $body,
            $crate::common::AnyCell::Gru($config) => $body,
            $crate::common::AnyCell::Ugrnn($config) => $body,
        }
    };
}
pub(crate) use with_config;

impl AnyCell {
    /// Whether the cell has learned what to start from.
    pub fn is_learned(&self) -> bool {
        let initial = match self {
            Self::Elman(config) => config.initial_state,
            Self::Lstm(config) => config.initial_state,
            Self::Gru(config) => config.initial_state,
            Self::Ugrnn(_) => InitialState::Zeros,
        };
        initial == InitialState::Learned
    }

    /// How the cell normalises.
    pub fn normalization(&self) -> Normalization {
        match self {
            Self::Elman(config) => config.normalization,
            Self::Lstm(config) => config.normalization,
            Self::Gru(config) => config.normalization,
            Self::Ugrnn(_) => Normalization::None,
        }
    }

    fn dropout(&self) -> CellDropout {
        match self {
            Self::Elman(config) => config.dropout,
            Self::Lstm(config) => config.dropout,
            Self::Gru(config) => config.dropout,
            Self::Ugrnn(_) => CellDropout::default(),
        }
    }

    /// Whether the cell does something else in training than in evaluation.
    pub fn has_modes(&self) -> bool {
        let over_batch = matches!(
            self.normalization(),
            Normalization::Batch { .. } | Normalization::SequenceBatch { .. }
        );
        over_batch || self.dropout() != CellDropout::default()
    }

    /// Whether steps differ by how many were taken before them in the same call.
    pub fn counts_steps(&self) -> bool {
        matches!(self.normalization(), Normalization::Batch { max_steps, .. } if max_steps > 1)
    }
}
