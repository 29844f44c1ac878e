//! The median stopping rule: Golovin et al., *Google Vizier*, 2017.

use super::{Pruner, best, count_better, under_way};
use crate::{History, Trial};

/// Stops a trial that lies behind most of the finished ones; see [`PrunerConfig::Median`](crate::PrunerConfig::Median).
#[derive(Clone, Copy, Debug)]
pub(super) struct Median {
    pub(super) startup_trials: u64,
    pub(super) warm_up_steps: u64,
    pub(super) interval: u64,
    pub(super) percentile: f64,
    pub(super) max_steps: u64,
}

impl Median {
    /// Whether a decision lies after the step before and not after the last one.
    fn decides(&self, (before, last): (u64, u64)) -> bool {
        let decisions = |step: u64| step.saturating_sub(self.warm_up_steps) / self.interval;
        decisions(last) > decisions(before)
    }
}

impl Pruner for Median {
    fn prune(&self, history: &History, trial: &Trial) -> bool {
        let Some((before, last)) = under_way(trial, self.max_steps) else {
            return false;
        };
        if !self.decides((before, last)) {
            return false;
        }
        let direction = history.direction;
        let own = best(trial, last, direction);
        if own.is_nan() {
            return true;
        }
        let others = history
            .complete()
            .filter(|(other, _)| other.number != trial.number && !other.curve.is_empty());
        let values: Vec<f64> = others
            .map(|(other, _)| best(other, last, direction))
            .collect();
        let better = count_better(&values, own, direction);
        values.len() as u64 >= self.startup_trials
            && better as f64 > self.percentile / 100.0 * values.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{complete, history, trial};
    use super::*;

    fn median() -> Median {
        Median {
            startup_trials: 5,
            warm_up_steps: 0,
            interval: 1,
            percentile: 50.0,
            max_steps: 10,
        }
    }

    /// Five finished trials that have 1, 2, 3, 4 and 5 from their first step on.
    fn five() -> History {
        history((1u32..=5).map(|value| complete(u64::from(value), &[f64::from(value); 10])))
    }

    #[test]
    fn stops_what_is_behind_the_median() {
        let stopped = |value: f64| median().prune(&five(), &trial(9, &[value]));
        assert!(!stopped(2.5) && !stopped(3.0) && stopped(3.1) && stopped(f64::NAN));
    }

    #[test]
    fn a_percentile_keeps_fewer() {
        let pruner = Median {
            percentile: 25.0,
            ..median()
        };
        let stopped = |value: f64| pruner.prune(&five(), &trial(9, &[value]));
        assert!(!stopped(2.0) && stopped(2.1));
    }

    #[test]
    fn the_best_value_counts_not_the_last() {
        assert!(!median().prune(&five(), &trial(9, &[2.0, 7.0])));
    }

    #[test]
    fn four_trials_are_too_few() {
        let mut four = five();
        four.trials.pop();
        assert!(!median().prune(&four, &trial(9, &[7.0])));
        four.trials.push(trial(5, &[1.0; 10]));
        assert!(
            !median().prune(&four, &trial(9, &[7.0])),
            "one has not ended"
        );
    }

    #[test]
    fn decides_after_the_warm_up_and_at_intervals() {
        let pruner = Median {
            warm_up_steps: 2,
            interval: 3,
            ..median()
        };
        let stopped = |steps: usize| pruner.prune(&five(), &trial(9, &vec![9.0; steps]));
        let steps: Vec<usize> = (1..=10).filter(|steps| stopped(*steps)).collect();
        assert_eq!(steps, [5, 8], "at the tenth step nothing is left to save");
    }

    #[test]
    fn a_decision_between_two_measured_steps_is_made_at_the_second() {
        let pruner = Median {
            interval: 3,
            ..median()
        };
        let mut sparse = trial(9, &[]);
        sparse.curve = vec![(2, 9.0), (4, 9.0)];
        assert!(pruner.prune(&five(), &sparse));
        sparse.curve.push((5, 9.0));
        assert!(!pruner.prune(&five(), &sparse));
    }
}
