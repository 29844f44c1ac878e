//! Laws that hold for every pruner.

use rand::RngExt;
use rand::seq::SliceRandom;

use crate::{Direction, History, Point, Pruner, PrunerConfig, State, Trial, seed};

const STEPS: u64 = 30;

/// A trial under way with these values from step 1 on.
pub(super) fn trial(number: u64, values: &[f64]) -> Trial {
    Trial {
        number,
        point: Point::default(),
        state: State::Running,
        curve: (1..).zip(values.iter().copied()).collect(),
        value: None,
    }
}

/// A trial that ended with its last value.
pub(super) fn complete(number: u64, values: &[f64]) -> Trial {
    Trial {
        state: State::Complete,
        value: values.last().copied(),
        ..trial(number, values)
    }
}

/// Of trials where less is better.
pub(super) fn history(trials: impl IntoIterator<Item = Trial>) -> History {
    History {
        trials: trials.into_iter().collect(),
        ..History::new(Direction::Minimize)
    }
}

fn pruners() -> Vec<Box<dyn Pruner + Send + Sync>> {
    let further = [
        PrunerConfig::Median {
            startup_trials: 2,
            warm_up_steps: 3,
            interval: 2,
            percentile: 20.0,
        },
        PrunerConfig::Asha {
            min_steps: 2,
            reduction: 4,
        },
        PrunerConfig::Hyperband {
            min_steps: 2,
            reduction: 2,
        },
    ];
    let defaults = [
        PrunerConfig::default(),
        PrunerConfig::median(),
        PrunerConfig::asha(),
        PrunerConfig::hyperband(),
    ];
    let configs = defaults.into_iter().chain(further);
    configs.map(|config| config.pruner(STEPS)).collect()
}

/// A history of trials in all states, with values that are equal or no numbers here and there, and a trial beside it.
fn random(case: u64) -> (History, Trial) {
    let mut rng = seed::rng(7, case);
    let mut values = |steps: u64| -> Vec<f64> {
        let value = |_| match rng.random_range(0..20) {
            0 => f64::NAN,
            1 => f64::INFINITY,
            _ => f64::from(rng.random_range(0..40)) - 20.0,
        };
        (0..steps).map(value).collect()
    };
    let count = case % 25;
    let trials = (0..count).map(|number| match (number + case) % 5 {
        0 => trial(number, &values(1 + case % 7)),
        1 => Trial {
            state: State::Pruned,
            ..trial(number, &values(1 + number % 9))
        },
        2 => Trial {
            state: State::Failed,
            ..trial(number, &values(number % 4))
        },
        _ => complete(number, &values(STEPS)),
    });
    let history = history(trials.collect::<Vec<_>>());
    (history, trial(count, &values(1 + case % STEPS)))
}

fn mirror(trial: &Trial) -> Trial {
    Trial {
        curve: trial
            .curve
            .iter()
            .map(|(at, value)| (*at, -value))
            .collect(),
        value: trial.value.map(|value| -value),
        ..trial.clone()
    }
}

/// Calls a law with each pruner and random histories; returns how often a trial was stopped.
fn each(law: impl Fn(&dyn Pruner, &History, &Trial) -> bool) -> usize {
    let mut stopped = 0;
    for pruner in pruners() {
        for case in 0..2000 {
            let (history, trial) = random(case);
            stopped += usize::from(law(&*pruner, &history, &trial));
        }
    }
    stopped
}

#[test]
fn the_same_arguments_have_the_same_answer() {
    let stopped = each(|pruner, history, trial| {
        let first = pruner.prune(history, trial);
        assert_eq!(pruner.prune(&history.clone(), &trial.clone()), first);
        first
    });
    // The laws below say something only if there are both answers.
    assert!((500..12_000).contains(&stopped), "{stopped}");
}

#[test]
fn the_mirrored_direction_has_the_mirrored_answer() {
    each(|pruner, history, trial| {
        let mirrored = History {
            direction: Direction::Maximize,
            trials: history.trials.iter().map(mirror).collect(),
        };
        let answer = pruner.prune(history, trial);
        assert_eq!(pruner.prune(&mirrored, &mirror(trial)), answer);
        answer
    });
}

#[test]
fn the_order_of_the_trials_does_not_matter() {
    each(|pruner, history, trial| {
        let mut shuffled = history.clone();
        shuffled.trials.shuffle(&mut seed::rng(1, trial.number));
        let answer = pruner.prune(history, trial);
        assert_eq!(pruner.prune(&shuffled, trial), answer);
        answer
    });
}

#[test]
fn what_the_history_knows_of_the_trial_itself_does_not_matter() {
    each(|pruner, history, trial| {
        let mut with_itself = history.clone();
        let mut itself = trial.clone();
        itself.curve.pop();
        with_itself.trials.push(itself);
        let answer = pruner.prune(history, trial);
        assert_eq!(pruner.prune(&with_itself, trial), answer);
        answer
    });
}

#[test]
fn the_best_trial_goes_on() {
    each(|pruner, history, trial| {
        let mut best = trial.clone();
        // As good as the best of all others at any step.
        best.curve[0].1 = -20.0;
        assert!(
            !pruner.prune(history, &best),
            "{pruner:?} {history:?} {best:?}"
        );
        pruner.prune(history, trial)
    });
}

#[test]
fn a_lone_trial_goes_on() {
    for pruner in pruners() {
        for steps in 1..=STEPS as usize {
            for number in 0..50 {
                let lone = trial(number, &vec![5.0; steps]);
                assert!(!pruner.prune(&history([]), &lone), "{pruner:?}");
            }
        }
    }
}

#[test]
fn a_trial_that_came_to_its_end_is_not_stopped() {
    let seen = history((0..9).map(|number| complete(number, &[1.0; STEPS as usize])));
    for pruner in pruners() {
        let worst = trial(9, &[2.0; STEPS as usize]);
        assert!(!pruner.prune(&seen, &worst), "{pruner:?}");
    }
}
