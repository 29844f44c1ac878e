//! Steps that are taken in memory alone, to see what they do.

use burn::data::dataloader::DataLoader;

use super::Fit;
use crate::history::StepRow;
use crate::seed::mix;
use crate::sums::Sums;
use crate::{Classifier, TrainError};

impl Fit<'_> {
    /// Takes up to `steps` steps from where the run stands, and writes nothing. After each of them `see` is told the weights
    /// before and after it.
    ///
    /// Returns the steps that were taken, and what stopped them if a loss or gradient was not finite.
    pub(crate) fn trial(
        &mut self,
        steps: usize,
        mut see: impl FnMut(&Classifier, &Classifier),
    ) -> Result<(Vec<StepRow>, Option<TrainError>), TrainError> {
        let mut sums = Sums::default();
        let mut epoch = self.epochs.len();
        while sums.steps.len() < steps {
            epoch += 1;
            self.device.seed(mix(self.recipe.seed, epoch as u64));
            let left = steps - sums.steps.len();
            let loader = self.loader(epoch - 1);
            for (index, batch) in loader.iter().take(left).enumerate() {
                let batch = batch.expect("a set in memory yields its batches");
                let step = (epoch - 1) * self.batches_per_epoch + index + 1;
                let before = self.classifier.clone();
                match self.step(batch, epoch, step, &mut sums) {
                    Ok(_) => see(&before, &self.classifier),
                    Err(error) if stops(&error) => return Ok((sums.steps, Some(error))),
                    Err(error) => return Err(error),
                }
            }
        }
        Ok((sums.steps, None))
    }

    /// The network as it stands, with autodiff.
    pub(crate) fn network(&self) -> &Classifier {
        &self.classifier
    }
}

/// Whether a loss or gradient that is not finite ends the training, at once or after steps that were left out.
fn stops(error: &TrainError) -> bool {
    error.is_nonfinite() || matches!(error, TrainError::BackedOff { .. })
}
