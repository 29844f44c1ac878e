//! Steps that are taken in memory alone, to see what they do.

use std::ops::ControlFlow;

use super::Fit;
use crate::history::StepRow;
use crate::sums::Sums;
use crate::{Network, TrainError};

impl Fit<'_> {
    /// Takes up to `steps` steps from where the run stands, and writes nothing. After each of them `see` is told the weights
    /// before and after it, and its figures; it may end the trial.
    ///
    /// Returns the steps that were taken, and what stopped them if a loss, a gradient or weights were not finite.
    pub(crate) fn trial(
        &mut self,
        steps: usize,
        mut see: impl FnMut(&Network, &Network, &StepRow) -> ControlFlow<()>,
    ) -> Result<(Vec<StepRow>, Option<TrainError>), TrainError> {
        let mut sums = Sums::default();
        let mut epoch = self.epochs.len();
        while sums.steps.len() < steps {
            epoch += 1;
            self.seed(epoch);
            let left = steps - sums.steps.len();
            let lessons = self.task.shared_lessons(epoch - 1, &self.devices);
            let mut states = vec![None; self.devices.len()];
            for (index, lesson) in lessons.take(left).enumerate() {
                let step = (epoch - 1) * self.batches_per_epoch + index + 1;
                let before = self.network.clone();
                match self.step(lesson, &mut states, [epoch, step], &mut sums) {
                    Ok(_) => {
                        let row = sums.steps.last().expect("the step was just taken");
                        if see(&before, &self.network, row).is_break() {
                            return Ok((sums.steps, None));
                        }
                    }
                    Err(error) if stops(&error) => return Ok((sums.steps, Some(error))),
                    Err(error) => return Err(error),
                }
            }
        }
        Ok((sums.steps, None))
    }

    /// The network as it stands, with autodiff.
    pub(crate) fn network(&self) -> &Network {
        &self.network
    }
}

/// Whether a loss, a gradient or weights that are not finite end the training, at once or after steps that were left out.
fn stops(error: &TrainError) -> bool {
    error.is_nonfinite() || matches!(error, TrainError::BackedOff { .. })
}
