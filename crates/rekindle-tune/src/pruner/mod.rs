//! What stops trials that are not worth going on with.

use std::fmt;

use crate::{History, Trial};

/// Says which trials to stop.
pub trait Pruner: fmt::Debug {
    /// Whether a trial that is under way is to be stopped after its last measured step.
    ///
    /// `history` holds the other trials, and may hold this one too, as it is known elsewhere. A pruner is asked after every
    /// step.
    fn prune(&self, history: &History, trial: &Trial) -> bool;
}
