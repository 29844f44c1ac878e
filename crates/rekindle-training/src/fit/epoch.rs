//! One epoch of a run.

use std::iter;
use std::time::Instant;

use burn::module::Module;

use super::Fit;
use crate::checkpoint::Best;
use crate::files::FileError;
use crate::finite;
use crate::recipe::Keep;
use crate::seed::mix;
use crate::sums::Sums;
use crate::task::Part;
use crate::{EpochRow, Event, Network, Observer, Scores, StepError, TrainError};

impl Fit<'_> {
    /// The next epoch, and its checkpoint.
    pub(crate) fn epoch(&mut self, observer: &mut dyn Observer) -> Result<(), TrainError> {
        let started = Instant::now();
        let epoch = self.epochs.len() + 1;
        self.seed(epoch);

        let sums = self.steps_of(epoch, observer)?;
        let mut row = sums.row(epoch, self.task.train_scores(&sums));
        let validated = self.validated(epoch)?;
        let device = self.devices[0].clone().inner();
        let valid = self.task.evaluate(&validated, Part::Valid, &device);
        row.valid = valid
            .map(|evaluation| evaluation.scores)
            .unwrap_or_default();
        self.check(&row)?;
        if let Some(watcher) = &mut self.watcher {
            watcher.after_epoch(epoch);
        }
        row.seconds = started.elapsed().as_secs_f64();
        let is_best = self.take(row, validated);
        self.save(&sums.steps)?;
        let row = self.epochs.last().expect("the epoch was just taken");
        observer.observe(&Event::Epoch { row, best: is_best });
        Ok(())
    }

    /// Seeds the noise of an epoch, with another seed on each device.
    pub(super) fn seed(&self, epoch: usize) {
        let seed = mix(self.recipe.seed, epoch as u64);
        let seeds = iter::once(seed).chain((1..).map(|device| mix(seed, device)));
        // Devices may have one generator, as those of all GPU backends have: the first device's seed is the last that is set.
        let devices: Vec<_> = self.devices.iter().zip(seeds).collect();
        for (device, seed) in devices.into_iter().rev() {
            device.seed(seed);
        }
    }

    /// All steps of an epoch.
    fn steps_of(&mut self, epoch: usize, observer: &mut dyn Observer) -> Result<Sums, TrainError> {
        let mut sums = Sums::default();
        let mut states = vec![None; self.devices.len()];
        let mut last = None;
        let lessons = self.task.shared_lessons(epoch - 1, &self.devices);
        for (index, lesson) in lessons.enumerate() {
            let step = (epoch - 1) * self.batches_per_epoch + index + 1;
            let loss = self.step(lesson, &mut states, [epoch, step], &mut sums)?;
            if let Some(error) = self.left_out.take() {
                let lr_factor = self.nonfinite.lr_factor;
                observer.observe(&Event::LeftOut {
                    error: &error,
                    lr_factor,
                });
                last = Some(Box::new(error));
            }
            observer.observe(&Event::Step {
                epoch,
                batch: index + 1,
                loss,
            });
        }
        match last {
            Some(source) if sums.all_skipped() => Err(TrainError::AllSkipped { epoch, source }),
            _ => Ok(sums),
        }
    }

    /// Checks that all numbers of a checkpoint would be finite: weights were checked in each step, means when they were taken.
    fn check(&self, row: &EpochRow) -> Result<(), TrainError> {
        let at = [row.epoch, row.epoch * self.batches_per_epoch];
        let stopped = |error: StepError| self.stopped(at, error);
        // Constraints come after the check of a step.
        finite::check(&self.network).map_err(|found| stopped(StepError::Weights(found)))?;
        let bytes = self.optimizer.into_bytes();
        let bytes = bytes.map_err(|error| FileError::damaged(&self.folder.checkpoints(), error))?;
        if let Err(Some(found)) = finite::check_pack(bytes) {
            return Err(stopped(StepError::Optimizer(found)));
        }
        check_scores("the validation set", &row.valid).map_err(stopped)
    }

    /// Checks that the scores of a finished run over a set are numbers.
    pub(crate) fn check_scores(
        &self,
        set: &'static str,
        scores: &Scores,
    ) -> Result<(), TrainError> {
        let epoch = self.epochs.len();
        let at = [epoch, epoch * self.batches_per_epoch];
        check_scores(set, scores).map_err(|error| self.stopped(at, error))
    }

    /// Takes in an epoch's figures and what was validated; true if it is the best so far.
    fn take(&mut self, row: EpochRow, validated: Network) -> bool {
        let watch = self.recipe.training.watch;
        let value = watch.value(&row);
        if let Some(value) = value {
            self.rates.observe(value);
            let earlier = self.epochs.iter().filter_map(|row| watch.value(row));
            (self.averager).observe(&earlier.collect::<Vec<f64>>(), value, watch.mode());
        }
        let best = self.best.map(|best| best.value);
        let is_pruned = row.epoch >= self.pruned_epoch();
        let is_best = is_pruned && value.is_some_and(|value| watch.is_better(value, best));
        if let (true, Some(value)) = (is_best, value) {
            self.best = Some(Best {
                epoch: row.epoch,
                value,
            });
            if self.recipe.training.keep == Keep::Best {
                self.best_model = Some(validated.into_record());
            }
        }
        self.epochs.push(row);
        is_best
    }
}

/// Checks that all scores over a set are numbers.
fn check_scores(set: &'static str, scores: &Scores) -> Result<(), StepError> {
    match scores.iter().find(|(_, value)| !value.is_finite()) {
        Some((metric, value)) => Err(StepError::Score { set, metric, value }),
        None => Ok(()),
    }
}
