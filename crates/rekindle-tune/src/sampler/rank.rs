//! Which of two trials is better.

use std::cmp::Ordering;

use crate::{Direction, State, Trial};

/// Whether something came of a trial: it is complete, or a pruner stopped it.
pub(super) fn ends(trial: &Trial) -> bool {
    value(trial).is_some() || trial.state == State::Pruned
}

fn value(trial: &Trial) -> Option<f64> {
    let value = trial.value.filter(|value| !value.is_nan())?;
    (trial.state == State::Complete).then_some(value)
}

/// Orders trials that ended, the better one first.
///
/// Complete ones come first, by their values; then pruned ones: those that came further first, and of equals those with the
/// better last value. What is alike even so stays in the order of the numbers.
pub(super) fn compare(direction: Direction, a: &Trial, b: &Trial) -> Ordering {
    let order = match (value(a), value(b)) {
        (Some(a), Some(b)) => direction.compare(a, b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => match (a.last(), b.last()) {
            (Some((a_step, a)), Some((b_step, b))) => {
                b_step.cmp(&a_step).then(direction.compare(a, b))
            }
            (a, b) => b.is_some().cmp(&a.is_some()),
        },
    };
    order.then(a.number.cmp(&b.number))
}
