//! Hyperband: Li et al., *Hyperband: A Novel Bandit-Based Approach to Hyperparameter Optimization*, 2018,
//! <https://arxiv.org/abs/1603.06560>.

use super::Pruner;
use super::asha::Asha;
use crate::{History, Trial};

/// Several brackets of successive halving; see [`PrunerConfig::Hyperband`](crate::PrunerConfig::Hyperband).
#[derive(Clone, Copy, Debug)]
pub(super) struct Hyperband {
    pub(super) min_steps: u64,
    pub(super) reduction: u64,
    pub(super) max_steps: u64,
}

impl Hyperband {
    /// How many brackets there are: `⌊log_η(max_steps / min_steps)⌋ + 1`.
    fn brackets(self) -> u32 {
        let steps = (self.max_steps / self.min_steps).max(1);
        steps.ilog(self.reduction) + 1
    }

    /// How many of a round of trials a bracket has: `⌈(s_max + 1) η^s / (s + 1)⌉` with `s = s_max - bracket`.
    fn trials(self, bracket: u32) -> u64 {
        let brackets = u64::from(self.brackets());
        let s = self.brackets() - 1 - bracket;
        let trials = u128::from(brackets) * u128::from(self.reduction).pow(s);
        trials.div_ceil(u128::from(s) + 1) as u64
    }

    /// The bracket of a trial.
    ///
    /// Trial `n` is at the place `frac(n / φ)` of `[0, 1)`, φ the golden ratio, which spreads any successive trials evenly;
    /// each bracket has a part of it as wide as its trials.
    fn bracket(self, number: u64) -> u32 {
        const PER_GOLDEN_RATIO: u64 = 0x9E37_79B9_7F4A_7C15; // 2⁶⁴ / φ
        let place = number.wrapping_mul(PER_GOLDEN_RATIO) as f64 / (u64::MAX as f64);
        let last = self.brackets() - 1;
        let all: f64 = (0..=last).map(|bracket| self.trials(bracket) as f64).sum();
        let mut end = 0.0;
        let found = (0..last).find(|bracket| {
            end += self.trials(*bracket) as f64 / all;
            place < end
        });
        found.unwrap_or(last)
    }

    /// Successive halving as a bracket has it, which begins to decide at `min_steps · η^bracket`.
    fn halving(self, bracket: u32) -> Asha {
        Asha {
            min_steps: self
                .min_steps
                .saturating_mul(self.reduction.saturating_pow(bracket)),
            reduction: self.reduction,
            max_steps: self.max_steps,
        }
    }
}

impl Pruner for Hyperband {
    fn prune(&self, history: &History, trial: &Trial) -> bool {
        let bracket = self.bracket(trial.number);
        let others = history
            .trials
            .iter()
            .filter(|other| other.number != trial.number && self.bracket(other.number) == bracket);
        self.halving(bracket)
            .stops(others, trial, history.direction)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{history, trial};
    use super::*;

    fn hyperband() -> Hyperband {
        Hyperband {
            min_steps: 1,
            reduction: 3,
            max_steps: 81,
        }
    }

    #[test]
    fn the_formula_of_the_paper_by_hand() {
        // R = 81 and η = 3, the paper's example: ⌈5 · 27 / 4⌉ = 34, and so on.
        let trials: Vec<u64> = (0..5).map(|bracket| hyperband().trials(bracket)).collect();
        assert_eq!(trials, [81, 34, 15, 8, 5]);
        let first = |bracket| hyperband().halving(bracket).min_steps;
        assert_eq!((hyperband().brackets(), first(0), first(4)), (5, 1, 81));
    }

    #[test]
    fn each_bracket_has_its_share() {
        let round: u64 = (0..5).map(|bracket| hyperband().trials(bracket)).sum();
        let mut counts = [0u64; 5];
        (0..round).for_each(|number| counts[hyperband().bracket(number) as usize] += 1);
        for (bracket, count) in (0..).zip(counts) {
            let expected = hyperband().trials(bracket);
            assert!(count.abs_diff(expected) <= 1, "{count} of {expected}");
        }
    }

    #[test]
    fn brackets_do_not_see_each_other() {
        let of = |wanted: u32| (1..).find(|number| hyperband().bracket(*number) == wanted);
        let (first, second) = (of(0).unwrap(), of(1).unwrap());
        let seen = history([trial(0, &[1.0, 1.0, 1.0])]);
        assert_eq!(hyperband().bracket(0), 0);
        assert!(hyperband().prune(&seen, &trial(first, &[2.0])));
        assert!(!hyperband().prune(&seen, &trial(second, &[2.0])));
        assert!(!hyperband().prune(&seen, &trial(second, &[2.0; 3])));
    }

    #[test]
    fn the_last_bracket_stops_nothing() {
        let last = (0..).find(|number| hyperband().bracket(*number) == 4);
        let best = (last.unwrap() + 1..).find(|number| hyperband().bracket(*number) == 4);
        let seen = history([trial(best.unwrap(), &[1.0; 80])]);
        for steps in 1..=80 {
            let worse = trial(last.unwrap(), &vec![2.0; steps]);
            assert!(!hyperband().prune(&seen, &worse));
        }
    }
}
