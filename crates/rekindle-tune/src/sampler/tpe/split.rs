//! Which trials are good.

use crate::sampler::rank::{compare, ends};
use crate::{History, Trial};

/// At most as many trials are good.
const MOST_GOOD: usize = 25;

/// With as many trials the share of good ones has its full size.
const GROWN: f64 = 100.0;

/// The trials of a history in two parts, both in the order of their numbers.
pub(super) struct Split<'a> {
    pub good: Vec<&'a Trial>,
    pub bad: Vec<&'a Trial>,
    /// How many trials ended with something that was measured: those that are complete or were pruned.
    pub ended: usize,
}

impl<'a> Split<'a> {
    /// Splits what is known to the trial of this number.
    ///
    /// Of `n` trials that are complete or were pruned, the best `min(⌈γ(n) n⌉, 25)` are good. Complete ones come first, by
    /// their values; then pruned ones: those that came further first, and beside equals those with the better last value.
    /// Bad are all the rest: what ended otherwise, and what is under way.
    pub fn of(history: &'a History, number: u64, share: f64) -> Self {
        let others = history.trials.iter().filter(|trial| trial.number != number);
        let (mut ranked, mut bad): (Vec<_>, Vec<_>) = others.partition(|trial| ends(trial));
        ranked.sort_by(|a, b| compare(history.direction, a, b));
        let ended = ranked.len();
        bad.extend(ranked.split_off(count(ended, share)));
        let mut good = ranked;
        good.sort_by_key(|trial| trial.number);
        bad.sort_by_key(|trial| trial.number);
        Self { good, bad, ended }
    }
}

/// `min(⌈γ(n) n⌉, 25)`, where `γ` grows from a third of `share` to all of it.
fn count(ended: usize, share: f64) -> usize {
    let grown = (ended as f64 / GROWN).min(1.0);
    let share = share * (1.0 + 2.0 * grown) / 3.0;
    // What is a whole number but for rounding is that number.
    let count = (share * ended as f64 - 1e-9).ceil() as usize;
    count.min(MOST_GOOD)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Direction, Point, State};

    fn trial(number: u64, state: State, value: Option<f64>, curve: &[(u64, f64)]) -> Trial {
        Trial {
            number,
            point: Point::default(),
            state,
            curve: curve.to_vec(),
            value,
        }
    }

    fn numbers(trials: &[&Trial]) -> Vec<u64> {
        trials.iter().map(|trial| trial.number).collect()
    }

    #[test]
    fn counts_by_hand() {
        let counts = [0, 1, 10, 20, 50, 100, 150, 1000].map(|ended| count(ended, 0.15));
        assert_eq!(counts, [0, 1, 1, 2, 5, 15, 23, 25]);
    }

    #[test]
    fn complete_ones_before_pruned_ones() {
        let mut trials = vec![
            trial(0, State::Pruned, None, &[(1, 9.0), (2, 5.0)]),
            trial(1, State::Pruned, None, &[(1, 0.4)]),
            trial(2, State::Failed, None, &[]),
            trial(3, State::Complete, Some(7.0), &[]),
            trial(4, State::Running, None, &[(1, 0.0)]),
            trial(5, State::Pruned, None, &[]),
            trial(6, State::Pruned, None, &[(2, 4.0)]),
        ];
        // Of 5 that ended one is good, of 11 two.
        let mut history = History::new(Direction::Minimize);
        history.trials = trials.clone();
        let split = Split::of(&history, 9, 0.4);
        assert_eq!((numbers(&split.good), split.ended), (vec![3], 5));
        assert_eq!(numbers(&split.bad), [0, 1, 2, 4, 5, 6]);

        let more = (7..13).map(|number| trial(number, State::Pruned, None, &[(1, 1.0)]));
        trials.extend(more);
        history.trials = trials;
        assert_eq!(numbers(&Split::of(&history, 99, 0.4).good), [3, 6]);
        history.direction = Direction::Maximize;
        assert_eq!(numbers(&Split::of(&history, 99, 0.4).good), [0, 3]);
        // A trial does not learn from itself.
        assert_eq!(numbers(&Split::of(&history, 3, 0.4).good), [0, 6]);
    }
}
