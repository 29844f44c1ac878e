//! The adapter from a [`Schedule`] to Burn's `LrScheduler`.

use std::sync::{Arc, Mutex, MutexGuard};

use burn::lr_scheduler::{LrScheduler, LrSchedulerRecord};

use crate::{PlateauState, Schedule};

/// A base learning rate and its [`Schedule`] at work: what Burn's optimisers and learner ask for the rate.
///
/// ```text
/// lr(n) = lr_base · schedule.at(⌊n / steps_per_unit⌋)     n: optimiser steps so far
/// ```
///
/// With a plateau, `lr_base` is lowered by what [`observe`](Self::observe) is told.
///
/// # Clones
/// Burn clones its schedulers: into a learner, and into every worker of a multi-device run. Each clone counts its own
/// steps, because each worker calls [`step`](LrScheduler::step). What was observed is shared, so that a clone kept
/// outside the learner can observe for the one inside.
///
/// # Resuming
/// The record holds the step, and for a plateau also `lr`, `best`, `bad` and `cooldown`. The schedule itself and the
/// base rate of a stateless schedule come from [`new`](Self::new). Observe an epoch's metric before saving that
/// epoch's record.
///
/// # Differences
/// Burn's own schedulers refuse rates above 1; these do not.
///
/// # Examples
/// ```
/// use burn::lr_scheduler::LrScheduler;
/// use rekindle_optim::{Schedule, ScheduledLr};
///
/// let steps_per_epoch = 2;
/// let mut lr = ScheduledLr::new(0.1, Schedule::Exponential { gamma: 0.5, steps: 1 }, steps_per_epoch);
/// let rates: Vec<f64> = (0..5).map(|_| lr.step()).collect();
/// assert_eq!(rates, [0.1, 0.1, 0.05, 0.05, 0.025]);
/// ```
#[derive(Debug, Clone)]
pub struct ScheduledLr {
    schedule: Schedule,
    /// The base rate that it began with.
    base: f64,
    steps_per_unit: usize,
    /// Calls of `step` so far, of this clone.
    step: usize,
    /// Shared by all clones; its `lr` is the base rate, constant unless the schedule is a plateau.
    observed: Arc<Mutex<PlateauState>>,
}

/// A learning-rate record that cannot be loaded.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LrRecordError {
    /// A value is absent or of another type.
    #[error(
        "learning-rate record has no valid `{key}`; expected the record of a run with the same schedule"
    )]
    Missing {
        /// Name of the value.
        key: &'static str,
    },
    /// A number that no run can have saved.
    #[error(
        "learning-rate record has `{key}` {found}, expected {expected}; it is damaged, resume from an earlier one"
    )]
    Range {
        /// Name of the value.
        key: &'static str,
        /// The value.
        found: f64,
        /// What it should be.
        expected: &'static str,
    },
}

impl ScheduledLr {
    /// A run at its first step.
    ///
    /// - `lr`: the base rate, positive and finite, without an upper limit.
    /// - `steps_per_unit`: optimiser steps per step of the schedule. 1 makes the schedule count optimiser steps, the
    ///   number of batches in an epoch makes it count epochs.
    ///
    /// # Panics
    /// If `lr` is not positive and finite, if `steps_per_unit` is 0, or if [`Schedule::validate`] fails.
    pub fn new(lr: f64, schedule: Schedule, steps_per_unit: usize) -> Self {
        assert!(
            lr.is_finite() && lr > 0.0,
            "learning rate is {lr}, expected a positive finite number"
        );
        assert!(
            steps_per_unit > 0,
            "steps_per_unit is 0, expected at least 1"
        );
        if let Err(error) = schedule.validate() {
            panic!("invalid schedule: {error}");
        }
        Self {
            schedule,
            base: lr,
            steps_per_unit,
            step: 0,
            observed: Arc::new(Mutex::new(PlateauState::new(lr))),
        }
    }

    /// Takes in a metric, once per epoch: feeds a plateau, has no effect on stateless schedules.
    pub fn observe(&self, metric: f64) {
        if let Schedule::Plateau(plateau) = &self.schedule {
            plateau.observe(&mut self.observed(), metric);
        }
    }

    /// The rate of the coming step: what [`step`](LrScheduler::step) returns next, if nothing is observed before.
    pub fn current(&self) -> f64 {
        self.observed().lr * self.schedule.at(self.unit())
    }

    /// The step of the schedule that the coming step belongs to.
    pub(crate) fn unit(&self) -> usize {
        self.step / self.steps_per_unit
    }

    /// The base rate before any reduction.
    pub(crate) fn base(&self) -> f64 {
        self.base
    }

    /// Continues where `record` was saved. On an error nothing changes.
    ///
    /// Burn's `ModuleLrScheduler` keeps the record of its base scheduler under the prefix `0`: `record.record("0")`.
    ///
    /// # Errors
    /// If the record lacks a value that the schedule needs, or holds one that no run can have saved.
    pub fn try_load_record(&mut self, record: &LrSchedulerRecord) -> Result<(), LrRecordError> {
        let step = count(record, "step")?;
        if let Schedule::Plateau(_) = self.schedule {
            let state = plateau_state(record)?;
            *self.observed() = state;
        }
        self.step = step;
        Ok(())
    }

    fn observed(&self) -> MutexGuard<'_, PlateauState> {
        self.observed
            .lock()
            .expect("nothing panics while it holds the lock")
    }
}

impl LrScheduler for ScheduledLr {
    /// The rate of this step; then counts it.
    fn step(&mut self) -> f64 {
        let lr = self.current();
        self.step += 1;
        lr
    }

    fn to_record(&self) -> LrSchedulerRecord {
        let mut record = LrSchedulerRecord::new().with_scalar("step", self.step);
        if let Schedule::Plateau(_) = self.schedule {
            let state = self.observed();
            record = record
                .with_scalar("lr", state.lr)
                .with_scalar("bad", state.bad)
                .with_scalar("cooldown", state.cooldown);
            if let Some(best) = state.best {
                record = record.with_scalar("best", best);
            }
        }
        record
    }

    /// # Panics
    /// Where [`ScheduledLr::try_load_record`] returns an error, with its message.
    fn load_record(&mut self, record: LrSchedulerRecord) {
        if let Err(error) = self.try_load_record(&record) {
            panic!("{error}");
        }
    }
}

fn plateau_state(record: &LrSchedulerRecord) -> Result<PlateauState, LrRecordError> {
    let lr = record
        .scalar("lr")
        .ok_or(LrRecordError::Missing { key: "lr" })?;
    let best = record.scalar("best");
    in_range(
        "lr",
        lr,
        lr >= 0.0 && lr.is_finite(),
        "a finite number, at least 0",
    )?;
    if let Some(best) = best {
        in_range("best", best, !best.is_nan(), "a number")?;
    }
    Ok(PlateauState {
        lr,
        best,
        bad: count(record, "bad")?,
        cooldown: count(record, "cooldown")?,
    })
}

fn count(record: &LrSchedulerRecord, key: &'static str) -> Result<usize, LrRecordError> {
    record.scalar(key).ok_or(LrRecordError::Missing { key })
}

fn in_range(
    key: &'static str,
    found: f64,
    valid: bool,
    expected: &'static str,
) -> Result<(), LrRecordError> {
    if valid {
        Ok(())
    } else {
        Err(LrRecordError::Range {
            key,
            found,
            expected,
        })
    }
}

#[cfg(test)]
mod tests {
    use burn::lr_scheduler::module_lr_scheduler::ModuleLrScheduler;

    use super::*;
    use crate::{Mode, Plateau};

    const STEPS_PER_EPOCH: usize = 3;

    fn schedules() -> Vec<Schedule> {
        let exponential = Schedule::Exponential {
            gamma: 0.9,
            steps: 1,
        };
        vec![
            Schedule::default(),
            exponential.clone(),
            Schedule::Then {
                first: Box::new(Schedule::Constant { factor: 0.1 }),
                steps: 4,
                next: Box::new(exponential),
            },
            Schedule::Plateau(Plateau {
                mode: Mode::Max,
                factor: 0.5,
                patience: 1,
                cooldown: 1,
                ..Plateau::default()
            }),
        ]
    }

    /// The rates of `epochs`; a metric that improves every fifth epoch is observed after each.
    fn run(lr: &mut ScheduledLr, epochs: std::ops::Range<usize>) -> Vec<f64> {
        let mut rates = Vec::new();
        for epoch in epochs {
            rates.extend((0..STEPS_PER_EPOCH).map(|_| lr.step()));
            lr.observe((epoch / 5) as f64);
        }
        rates
    }

    #[test]
    fn resumed_equals_uninterrupted() {
        for schedule in schedules() {
            let new = || ScheduledLr::new(2.0, schedule.clone(), STEPS_PER_EPOCH);
            let mut uninterrupted = new();
            let rates = run(&mut uninterrupted, 0..20);
            for cut in 0..20 {
                let mut head = new();
                run(&mut head, 0..cut);
                let bytes = head.to_record().into_bytes().unwrap();
                let mut tail = new();
                tail.load_record(LrSchedulerRecord::from_bytes(bytes).unwrap());
                assert_eq!(tail.step, head.step);
                assert_eq!(*tail.observed(), *head.observed());
                let resumed = run(&mut tail, cut..20);
                assert_eq!(
                    resumed,
                    rates[cut * STEPS_PER_EPOCH..],
                    "{schedule:?} cut at {cut}"
                );
            }
        }
    }

    #[test]
    fn plateau_lowers_the_rate_of_a_learner_through_a_clone() {
        let plateau = Plateau {
            factor: 0.5,
            patience: 0,
            ..Plateau::default()
        };
        let outside = ScheduledLr::new(4.0, Schedule::Plateau(plateau), 1);
        let mut inside = ModuleLrScheduler::new(outside.clone());
        outside.observe(1.0);
        assert_eq!(inside.step().base(), 4.0);
        outside.observe(1.0);
        assert_eq!(inside.step().base(), 2.0);
        assert_eq!(outside.current(), 2.0);

        let record = inside.to_record();
        let fresh = ScheduledLr::new(4.0, outside.schedule.clone(), 1);
        let mut inside = ModuleLrScheduler::new(fresh.clone()).load_record(record.clone());
        assert_eq!((inside.step().base(), fresh.current()), (2.0, 2.0));
        assert_eq!(fresh.clone().try_load_record(&record.record("0")), Ok(()));
    }

    #[test]
    fn clones_count_their_own_steps() {
        let mut one = ScheduledLr::new(
            1.0,
            Schedule::Exponential {
                gamma: 0.5,
                steps: 1,
            },
            1,
        );
        let mut other = one.clone();
        assert_eq!((one.step(), one.step(), other.step()), (1.0, 0.5, 1.0));
    }

    #[test]
    fn stateless_schedules_ignore_observations() {
        let mut lr = ScheduledLr::new(
            1.0,
            Schedule::Exponential {
                gamma: 0.5,
                steps: 1,
            },
            1,
        );
        for _ in 0..100 {
            lr.observe(f64::NAN);
        }
        assert_eq!((lr.step(), lr.step()), (1.0, 0.5));
    }

    #[test]
    fn a_bad_record_is_refused_and_changes_nothing() {
        let schedule = Schedule::Plateau(Plateau::default());
        let mut lr = ScheduledLr::new(0.1, schedule, 1);
        lr.observe(3.0);
        lr.step();
        let saved = lr.to_record();
        let load = |record: LrSchedulerRecord| {
            let mut target = lr.clone();
            let error = target.try_load_record(&record).unwrap_err();
            assert_eq!((target.step, target.observed().best), (1, Some(3.0)));
            error
        };
        assert_eq!(
            load(LrSchedulerRecord::new()),
            LrRecordError::Missing { key: "step" }
        );
        let wrong_type = saved.clone().with_scalar("bad", 0.5);
        assert_eq!(load(wrong_type), LrRecordError::Missing { key: "bad" });
        let message = load(saved.clone().with_scalar("lr", -1.0)).to_string();
        assert!(
            message.contains("`lr` -1, expected a finite number"),
            "{message}"
        );
        let message = load(saved.with_scalar("best", f64::NAN)).to_string();
        assert!(
            message.contains("`best` NaN, expected a number"),
            "{message}"
        );
    }

    #[test]
    #[should_panic(expected = "no valid `step`")]
    fn load_record_panics_on_a_bad_record() {
        ScheduledLr::new(0.1, Schedule::default(), 1).load_record(LrSchedulerRecord::new());
    }

    #[test]
    #[should_panic(expected = "learning rate is NaN")]
    fn a_rate_that_is_not_a_number_is_refused() {
        ScheduledLr::new(f64::NAN, Schedule::default(), 1);
    }

    #[test]
    #[should_panic(expected = "steps_per_unit is 0")]
    fn units_of_no_steps_are_refused() {
        ScheduledLr::new(0.1, Schedule::default(), 0);
    }

    #[test]
    #[should_panic(expected = "invalid schedule: `gamma` is 0")]
    fn an_invalid_schedule_is_refused() {
        ScheduledLr::new(
            0.1,
            Schedule::Exponential {
                gamma: 0.0,
                steps: 1,
            },
            1,
        );
    }
}
