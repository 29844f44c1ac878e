//! One step of a run.

use burn::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use rekindle_optim::NonFinite;

use super::Fit;
use crate::history::StepRow;
use crate::network::Scored;
use crate::sums::Sums;
use crate::task::Lesson;
use crate::{EncoderState, Metric, Network, TrainError};

impl Fit<'_> {
    /// One optimiser step; returns the loss, without penalties. The state is what the lesson before has left, and becomes
    /// what this one leaves.
    pub(super) fn step(
        &mut self,
        lesson: Lesson,
        state: &mut Option<EncoderState>,
        [epoch, step]: [usize; 2],
        sums: &mut Sums,
    ) -> Result<f64, TrainError> {
        // The statistics of norms over the batch change as soon as it is read.
        let policy = self.recipe.training.on_nonfinite;
        let before = (policy != NonFinite::Error).then(|| self.network.clone());
        let from = lesson.begin(&self.network, state.clone());
        let scored = (self.network).score(lesson.input.clone(), &lesson.lengths, from);
        let answers = lesson.counted(scored.scores.clone());
        let right = match self.recipe.metrics().train.contains(&Metric::Accuracy) {
            true => lesson.targets.right(&answers),
            false => 0,
        };
        let loss = lesson.targets.loss(answers);
        let value = loss.clone().into_scalar::<f64>();
        let gradients = match value.is_finite() {
            true => self.gradients(loss, &scored, &lesson.lengths, [epoch, step]),
            false => Err(TrainError::Loss { epoch, step, value }),
        };
        if let Some(watcher) = &mut self.watcher {
            watcher.after_step();
        }
        let (lr, rates) = self.rates.step(self.nonfinite.lr_factor * lesson.lr_factor);
        let mut row = StepRow {
            step,
            epoch,
            loss: value,
            lr,
            grad_norm: f64::NAN,
            skipped: true,
        };
        match gradients {
            Ok((gradients, norm)) => {
                (row.grad_norm, row.skipped) = (norm, false);
                self.descend(rates, [epoch, step], gradients)?;
                self.nonfinite.step_taken();
                *state = Some(scored.state.detach());
            }
            Err(error) => self.leave_out(error, before, [epoch, step])?,
        }
        self.averager
            .after_step(step, self.batches_per_epoch, &self.network);
        sums.add(row, lesson.targets.count(), right);
        Ok(value)
    }

    /// The clipped gradients of a loss with its penalties, and their norm before.
    fn gradients(
        &self,
        loss: Tensor<1>,
        scored: &Scored,
        lengths: &[usize],
        [epoch, step]: [usize; 2],
    ) -> Result<(GradientsParams, f64), TrainError> {
        let penalty = (self.regularizer).penalty(&self.network, scored, lengths);
        let loss = match penalty.map_err(TrainError::regularize(epoch, step))? {
            Some(penalty) => loss + penalty,
            None => loss,
        };
        let gradients = GradientsParams::from_grads(loss.backward(), &self.network);
        (self.recipe.training.clip)
            .apply(&self.network, gradients, step - 1)
            .map_err(|source| TrainError::Gradient {
                epoch,
                step,
                source,
            })
    }

    /// Moves the weights, and puts them where constraints and masks want them.
    fn descend(
        &mut self,
        rates: ModuleLearningRate,
        [epoch, step]: [usize; 2],
        gradients: GradientsParams,
    ) -> Result<(), TrainError> {
        if let Some(pruning) = &mut self.pruning {
            (pruning.before(step, &self.network, &gradients))
                .map_err(TrainError::prune(epoch, step))?;
        }
        let network = (self.optimizer).step(rates, self.network.clone(), gradients);
        self.settle([epoch, step], network)
    }

    /// Goes on without a step that is not finite, with the weights and statistics of before it, if the policy says so.
    fn leave_out(
        &mut self,
        error: TrainError,
        before: Option<Network>,
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
        self.settle(at, before)
    }

    /// Puts weights where the constraints and masks of a step want them.
    fn settle(&mut self, [epoch, step]: [usize; 2], network: Network) -> Result<(), TrainError> {
        let constrained = self.regularizer.constrained(step, network);
        let network = constrained.map_err(TrainError::regularize(epoch, step))?;
        self.network = match &mut self.pruning {
            Some(pruning) => {
                let masked = pruning.after(step, network);
                masked.map_err(TrainError::prune(epoch, step))?
            }
            None => network,
        };
        Ok(())
    }
}
