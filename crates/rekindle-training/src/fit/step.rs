//! One step of a run.

use burn::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::optim::{GradientsParams, ModuleOptimizer};
use rekindle_optim::NonFinite;

use super::Fit;
use crate::checkpoint::Checkpoint;
use crate::finite;
use crate::history::StepRow;
use crate::sums::Sums;
use crate::task::SharedLesson;
use crate::{EncoderState, Network, Standing, StepError, TrainError};

impl Fit<'_> {
    /// One optimiser step; returns the loss, without penalties. The states of the devices are what the lesson before has left,
    /// and become what this one leaves.
    pub(super) fn step(
        &mut self,
        lesson: SharedLesson,
        states: &mut [Option<EncoderState>],
        at: [usize; 2],
        sums: &mut Sums,
    ) -> Result<f64, TrainError> {
        // The statistics of norms over the batch change as soon as it is read.
        let policy = self.recipe.training.on_nonfinite;
        let before = (policy != NonFinite::Error).then(|| Before::of(self));
        let first = lesson.iter().flatten().next();
        let lr_factor = first.expect("a lesson has rows").lr_factor;
        let shares = self.shares(lesson, states);
        let each = || shares.iter().flatten();
        let value = each().map(|share| share.loss).sum();
        let answers = each().map(|share| share.answers).sum();
        let right = each().map(|share| share.right).sum();
        let (mut gradients, mut left) = (Vec::new(), Vec::new());
        for share in shares {
            left.push(share.map(|share| {
                gradients.push(share.gradients);
                share.state
            }));
        }
        let gradients = self.clipped(gradients, at[1]);
        if let Some(watcher) = &mut self.watcher {
            watcher.after_step();
        }
        let (lr, rates) = self.rates.step(self.nonfinite.lr_factor * lr_factor);
        let mut row = StepRow::left_out(at, value, lr);
        let taken = gradients.and_then(|(gradients, norm)| {
            self.descend(rates, at[1], gradients)?;
            Ok(norm)
        });
        match taken {
            Ok(norm) => {
                (row.grad_norm, row.skipped) = (norm, false);
                self.nonfinite.step_taken();
                for (state, left) in states.iter_mut().zip(left) {
                    *state = left.or(state.take());
                }
            }
            Err(error) => self.leave_out(self.stopped(at, error), before, at)?,
        }
        self.averager
            .after_step(at[1], self.batches_per_epoch, &self.network);
        sums.add(row, answers, right);
        Ok(value)
    }

    /// The gradients of all devices together, clipped, and their norm before.
    fn clipped(
        &self,
        gradients: Vec<Result<GradientsParams, StepError>>,
        step: usize,
    ) -> Result<(GradientsParams, f64), StepError> {
        let gradients = self.sum(gradients)?;
        Ok((self.recipe.training.clip).apply(&self.network, gradients, step - 1)?)
    }

    /// Moves the weights, and puts them where constraints and masks want them.
    fn descend(
        &mut self,
        rates: ModuleLearningRate,
        step: usize,
        gradients: GradientsParams,
    ) -> Result<(), StepError> {
        if let Some(pruning) = &mut self.pruning {
            pruning.before(step, &self.network, &gradients)?;
        }
        let network = (self.optimizer).step(rates, self.network.clone(), gradients);
        finite::check(&network).map_err(StepError::Weights)?;
        self.settle(step, network)
    }

    /// Goes on without a step that is not finite, as if it had not been, if the policy says so.
    fn leave_out(
        &mut self,
        error: TrainError,
        before: Option<Before>,
        at: [usize; 2],
    ) -> Result<(), TrainError> {
        let policy = self.recipe.training.on_nonfinite;
        let Some(before) = before.filter(|_| error.is_nonfinite()) else {
            return Err(error);
        };
        if !policy.skips(&mut self.nonfinite) {
            let skipped = self.nonfinite.in_a_row;
            let source = Box::new(error);
            return Err(TrainError::BackedOff { skipped, source });
        }
        self.left_out = Some(error);
        self.optimizer = before.optimizer;
        (self.settle(at[1], before.network)).map_err(|error| self.stopped(at, error))
    }

    /// Puts weights where the constraints and masks of a step want them.
    fn settle(&mut self, step: usize, network: Network) -> Result<(), StepError> {
        let network = self.regularizer.constrained(step, network)?;
        self.network = match &mut self.pruning {
            Some(pruning) => pruning.after(step, network)?,
            None => network,
        };
        Ok(())
    }

    /// An error with the place where the run stands.
    pub(super) fn stopped(
        &self,
        [epoch, step]: [usize; 2],
        source: impl Into<StepError>,
    ) -> TrainError {
        let last = Checkpoint::path(self.folder, self.epochs.len());
        TrainError::Step {
            at: Box::new(Standing {
                epoch,
                step,
                folder: self.folder.path().to_path_buf(),
                checkpoint: last.exists().then_some(last),
            }),
            source: Box::new(source.into()),
        }
    }
}

/// What a step that is left out must not have changed.
struct Before {
    network: Network,
    optimizer: ModuleOptimizer,
}

impl Before {
    fn of(fit: &Fit) -> Self {
        Self {
            network: fit.network.clone(),
            optimizer: fit.optimizer.clone(),
        }
    }
}
