//! What proposes points.

mod axis;
mod cma;
mod config;
mod error;
mod grid;
mod normal;
mod quasi;
mod random;
mod rank;
mod tpe;

use std::fmt;

pub use cma::{CmaEs, CmaEsConfig};
pub use config::SamplerConfig;
pub use error::SamplerError;
pub use grid::Grid;
pub use quasi::QuasiRandom;
pub use random::Random;
pub use tpe::{Tpe, TpeConfig};

use crate::{History, Point, Space};

/// Proposes points, one for each trial.
pub trait Sampler: fmt::Debug {
    /// The point for the trial of this number; none if there is nothing left to try.
    ///
    /// The same arguments give the same point. `history` holds the trials with smaller numbers that are known of; some may
    /// be under way.
    fn propose(&self, space: &Space, history: &History, number: u64) -> Option<Point>;
}
