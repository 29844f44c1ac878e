//! One run of a trial.

use crate::fit::Fit;
use crate::recipe::Watch;
use crate::run::{Opened, Run};
use crate::{EpochRow, Event, Observer, TrainError, epochs_of};

/// A run of a trial, which goes on epoch by epoch.
pub(super) struct Member<'a> {
    watch: Watch,
    course: Course<'a>,
    /// The watched metric in each epoch; none where it was not measured.
    values: Vec<Option<f64>>,
}

/// How far a run has come.
enum Course<'a> {
    /// It was finished before; the epoch whose weights are kept.
    Finished(usize),
    /// It is under way.
    Open(&'a Run, Box<Fit<'a>>),
}

impl<'a> Member<'a> {
    /// The run where it was left.
    pub(super) fn new(
        opened: &'a Opened,
        watch: Watch,
        observer: &mut dyn Observer,
    ) -> Result<Self, TrainError> {
        let value = |row: &EpochRow| watch.value(row);
        let (course, values) = match opened {
            Opened::Finished { outcome, folder } => {
                let rows = epochs_of(folder.path())?;
                let course = Course::Finished(outcome.kept_epoch);
                (course, rows.iter().map(value).collect())
            }
            Opened::Run(run) => {
                let mut fit = Box::new(run.fit()?);
                fit.begin(observer)?;
                let values = fit.epochs().iter().map(value).collect();
                (Course::Open(run, fit), values)
            }
        };
        Ok(Self {
            watch,
            course,
            values,
        })
    }

    /// Epochs trained.
    pub(super) fn epochs(&self) -> usize {
        self.values.len()
    }

    /// Whether no epoch is left to train.
    pub(super) fn is_over(&self) -> bool {
        match &self.course {
            Course::Finished(_) => true,
            Course::Open(_, fit) => fit.is_over(),
        }
    }

    /// The next epoch.
    pub(super) fn epoch(&mut self, observer: &mut dyn Observer) -> Result<(), TrainError> {
        if let Course::Open(_, fit) = &mut self.course {
            fit.epoch(observer)?;
            let row = fit.epochs().last().expect("it was just trained");
            self.values.push(self.watch.value(row));
        }
        Ok(())
    }

    /// Scores the kept weights of a run that is over, and leaves a finished run folder.
    pub(super) fn finish(&mut self, observer: &mut dyn Observer) -> Result<(), TrainError> {
        if let Course::Open(run, fit) = &self.course {
            let outcome = run.finish(fit)?;
            observer.observe(&Event::Done { outcome: &outcome });
        }
        Ok(())
    }

    /// The epoch whose weights are kept, counted from 1.
    pub(super) fn kept(&self) -> usize {
        match &self.course {
            Course::Finished(kept) => *kept,
            Course::Open(_, fit) => fit.kept_epoch(),
        }
    }

    /// The watched metric in an epoch, counted from 1: of a run that was over before, in the epoch whose weights are kept.
    pub(super) fn value(&self, epoch: usize) -> Option<f64> {
        let epoch = match epoch > self.values.len() {
            true => self.kept(),
            false => epoch,
        };
        self.values.get(epoch.checked_sub(1)?).copied().flatten()
    }
}
