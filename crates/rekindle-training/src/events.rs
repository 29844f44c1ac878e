//! What a run tells while it goes on.

use crate::{EpochRow, Metrics, Outcome, Sizes, TrainError};

/// Something that happened in a run.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The run begins or goes on.
    Start {
        /// Epochs that the recipe allows.
        epochs: usize,
        /// The epoch that comes first, counted from 1; greater than 1 if the run goes on.
        first_epoch: usize,
        /// What is measured in each epoch.
        metrics: Metrics,
        /// Optimiser steps in an epoch.
        batches_per_epoch: usize,
        /// Trainable numbers.
        parameters: usize,
        /// How much data there is.
        sizes: Sizes,
    },
    /// An optimiser step is done.
    Step {
        /// The epoch, counted from 1.
        epoch: usize,
        /// The batch of the epoch, counted from 1.
        batch: usize,
        /// Its mean loss, without penalties.
        loss: f64,
    },
    /// An optimiser step was left out, because its loss, gradient or weights were not finite; its `Step` follows.
    LeftOut {
        /// What was wrong, and where.
        error: &'a TrainError,
        /// The factor of the learning rate from here on.
        lr_factor: f64,
    },
    /// An epoch is over and its checkpoint is on the disk.
    Epoch {
        /// Its figures.
        row: &'a EpochRow,
        /// Whether it is the best one so far by the watched metric.
        best: bool,
    },
    /// The run is over.
    Done {
        /// Its result.
        outcome: &'a Outcome,
    },
}

/// Who is told.
pub trait Observer {
    /// Takes note of an event.
    fn observe(&mut self, event: &Event);

    /// Whether the run is to end before its time; asked after each epoch that is not the last. Default: never.
    ///
    /// The run then ends in [`TrainError::Stopped`], and its folder is that of a run that can go on.
    fn stops(&mut self) -> bool {
        false
    }
}

/// Tells nobody.
impl Observer for () {
    fn observe(&mut self, _event: &Event) {}
}
