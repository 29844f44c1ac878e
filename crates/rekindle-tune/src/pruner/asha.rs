//! Asynchronous successive halving: Li et al., *A System for Massively Parallel Hyperparameter Tuning*, 2020,
//! <https://arxiv.org/abs/1810.05934>.

use std::iter;

use super::{Pruner, best, count_better, under_way};
use crate::{Direction, History, Trial};

/// Stops at each rung what is not among the best there; see [`PrunerConfig::Asha`](crate::PrunerConfig::Asha).
#[derive(Clone, Copy, Debug)]
pub(super) struct Asha {
    pub(super) min_steps: u64,
    pub(super) reduction: u64,
    pub(super) max_steps: u64,
}

impl Asha {
    /// The steps at which it is decided who goes on: `min_steps · reduction^k`, below `max_steps`.
    fn rungs(self) -> impl Iterator<Item = u64> {
        let first = Some(self.min_steps);
        let rungs = iter::successors(first, move |rung| rung.checked_mul(self.reduction));
        rungs.take_while(move |rung| *rung < self.max_steps)
    }

    /// Whether a trial is to be stopped, beside the trials that it is compared with.
    pub(super) fn stops<'a>(
        self,
        others: impl Iterator<Item = &'a Trial> + Clone,
        trial: &Trial,
        direction: Direction,
    ) -> bool {
        let Some((before, last)) = under_way(trial, self.max_steps) else {
            return false;
        };
        let reached = |rung: &u64| before < *rung && *rung <= last;
        self.rungs().filter(reached).any(|rung| {
            let at_rung = others
                .clone()
                .filter_map(|other| at(other, rung, direction));
            let values: Vec<f64> = at_rung.collect();
            let own = best(trial, last, direction);
            // How many go on of all that have come here, this trial too.
            let places = ((values.len() as u64 + 1) / self.reduction).max(1);
            own.is_nan() || count_better(&values, own, direction) as u64 >= places
        })
    }
}

/// The best value of a trial up to a rung, or up to the first step that was measured after it; none if the trial has not
/// come so far.
fn at(trial: &Trial, rung: u64, direction: Direction) -> Option<f64> {
    let mut steps = trial.curve.iter().map(|(step, _)| *step);
    let step = steps.find(|step| *step >= rung)?;
    Some(best(trial, step, direction))
}

impl Pruner for Asha {
    fn prune(&self, history: &History, trial: &Trial) -> bool {
        let others = history.trials.iter();
        let others = others.filter(|other| other.number != trial.number);
        self.stops(others, trial, history.direction)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{history, trial};
    use super::*;

    fn asha() -> Asha {
        Asha {
            min_steps: 1,
            reduction: 3,
            max_steps: 9,
        }
    }

    #[test]
    fn rungs_by_hand() {
        let rungs = |min_steps, reduction, max_steps| -> Vec<u64> {
            let asha = Asha {
                min_steps,
                reduction,
                max_steps,
            };
            asha.rungs().collect()
        };
        assert_eq!(rungs(1, 3, 40), [1, 3, 9, 27]);
        assert_eq!(rungs(2, 4, 32), [2, 8]);
        assert_eq!(rungs(5, 2, 5), [] as [u64; 0]);
        assert_eq!(rungs(u64::MAX / 2, 3, u64::MAX), [u64::MAX / 2]);
    }

    #[test]
    fn the_first_trials_go_on_only_as_the_best() {
        let mut seen = history([]);
        let mut went_on = Vec::new();
        for (number, value) in (0..).zip([5.0, 6.0, 4.0, 4.5, 4.2, 3.9]) {
            let trial = trial(number, &[value]);
            if !asha().prune(&seen, &trial) {
                went_on.push(number);
            }
            seen.trials.push(trial);
        }
        // Of one and two only the best; of three one; of six two.
        assert_eq!(went_on, [0, 2, 5]);
    }

    #[test]
    fn a_third_goes_on() {
        let seen = history((0..8).map(|number| trial(number, &[number as f64])));
        let stopped = |value: f64| asha().prune(&seen, &trial(9, &[value]));
        // With this trial nine have come to the first rung, so three go on.
        assert!(!stopped(1.5) && !stopped(2.0) && stopped(2.5));
    }

    #[test]
    fn between_rungs_nothing_is_decided() {
        let seen = history([trial(0, &[1.0; 9])]);
        let stopped: Vec<usize> = (1..=9)
            .filter(|steps| asha().prune(&seen, &trial(1, &vec![2.0; *steps])))
            .collect();
        assert_eq!(stopped, [1, 3]);
    }

    #[test]
    fn a_rung_is_decided_at_the_first_step_after_it() {
        let seen = history([trial(0, &[5.0, 5.0, 5.0, 1.0])]);
        let mut sparse = trial(1, &[]);
        sparse.curve = vec![(2, 4.0)];
        assert!(
            !asha().prune(&seen, &sparse),
            "5 at the first rung is worse"
        );
        sparse.curve.push((4, 4.0));
        assert!(
            !asha().prune(&seen, &sparse),
            "5 at the second rung is worse"
        );
    }

    #[test]
    fn what_is_not_a_number_stops() {
        assert!(asha().prune(&history([]), &trial(0, &[f64::NAN])));
        let seen = history((0..3).map(|number| trial(number, &[f64::NAN])));
        assert!(!asha().prune(&seen, &trial(9, &[1.0])));
    }
}
