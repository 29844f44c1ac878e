//! Rates of parameter groups.

use burn::lr_scheduler::LrScheduler;
use burn::lr_scheduler::module_lr_scheduler::{ModuleLearningRate, ModuleLrScheduler};
use burn::module::ParamGroup;

use crate::{Schedule, ScheduledLr};

/// Parameters with a learning rate of their own.
///
/// ```text
/// lr_group(n) = factor · lr(n)                                              without a schedule of its own
///               factor · lr_base · schedule.at(⌊n / steps_per_unit⌋)        with one
/// ```
///
/// `lr(n)` is that of [`ScheduledLr`]. Nothing of a group needs to be saved: its rate follows from the step.
#[derive(Debug, Clone)]
pub struct LrGroup {
    /// The parameters.
    pub parameters: ParamGroup,
    /// Factor of the rate. Finite, at least 0; with 0 the parameters stay as they are.
    pub factor: f64,
    /// The schedule, if it is another than that of the other parameters; no plateau, since only that of [`ScheduledLr`] is
    /// told the metric.
    pub schedule: Option<Schedule>,
}

impl ScheduledLr {
    /// The rates of this step times `factor`, for Burn's optimiser; then counts it. Where a parameter is in several groups, the last counts.
    ///
    /// # Examples
    /// ```
    /// use burn::module::{ParamGroup, ParamId};
    /// use rekindle_optim::{LrGroup, Schedule, ScheduledLr};
    ///
    /// let half = Schedule::Exponential { gamma: 0.5, steps: 1 };
    /// let mut lr = ScheduledLr::new(1.0, half, 1);
    /// let head = LrGroup {
    ///     parameters: ParamGroup::from_path("head.weight"),
    ///     factor: 0.1,
    ///     schedule: None,
    /// };
    /// lr.step_groups(&[], 1.0);
    /// let rates = lr.step_groups(&[head], 1.0);
    /// let id = ParamId::new();
    /// assert_eq!(rates.lr_from_param(id, Some("head.bias")), 0.5);
    /// assert_eq!(rates.lr_from_param(id, Some("head.weight")), 0.05);
    /// ```
    pub fn step_groups(&mut self, groups: &[LrGroup], factor: f64) -> ModuleLearningRate {
        let unit = self.unit();
        let lr = factor * self.step();
        let rates = groups.iter().map(|group| match &group.schedule {
            Some(schedule) => factor * group.factor * self.base() * schedule.at(unit),
            None => group.factor * lr,
        });
        let with_rates = groups.iter().zip(rates);
        let mut scheduler = with_rates.fold(ModuleLrScheduler::new(lr), |all, (group, rate)| {
            all.with_group(group.parameters.clone(), rate)
        });
        scheduler.step()
    }
}

#[cfg(test)]
mod tests {
    use burn::module::ParamId;

    use super::*;
    use crate::Plateau;

    fn group(path: &str, factor: f64, schedule: Option<Schedule>) -> LrGroup {
        LrGroup {
            parameters: ParamGroup::from_path(path),
            factor,
            schedule,
        }
    }

    #[test]
    fn groups_follow_the_common_rate_or_their_own_schedule() {
        let plateau = Plateau {
            factor: 0.5,
            patience: 0,
            ..Plateau::default()
        };
        let mut lr = ScheduledLr::new(4.0, Schedule::Plateau(plateau), 2);
        let half = Schedule::Exponential {
            gamma: 0.5,
            steps: 1,
        };
        let groups = [
            group("a", 0.0, None),
            group("b", 0.25, None),
            group("c", 2.0, Some(half)),
            group("a", 3.0, None),
        ];
        let mut found = Vec::new();
        for step in 0..4 {
            if step == 2 {
                lr.observe(1.0);
                lr.observe(1.0);
            }
            let rates = lr.step_groups(&groups, 1.0);
            let rate = |path| rates.lr_from_param(ParamId::new(), Some(path));
            found.push(["other", "a", "b", "c"].map(rate));
            assert_eq!(rates.base(), found[step][0]);
        }
        let (before, after) = ([4.0, 12.0, 1.0, 8.0], [2.0, 6.0, 0.5, 4.0]);
        assert_eq!(found, [before, before, after, after]);
    }
}
