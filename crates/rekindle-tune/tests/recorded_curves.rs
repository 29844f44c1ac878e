//! What pruners save, and what they miss, on learning curves that were recorded; see `reference/curves/README.md`.

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rekindle_tune::{Direction, History, Point, PrunerConfig, Space, State, Trial, importance};

/// How many random orders each figure is over.
const ORDERS: u64 = 100;

/// The validation losses of each trial, from epoch 1 on.
fn curves() -> Vec<Vec<f64>> {
    let lines = include_str!("reference/curves/curves.csv").lines();
    let (settings, curves) = (8, lines.skip(1));
    curves
        .map(|line| {
            let losses = line.split(',').skip(settings);
            losses.map(|loss| loss.parse().unwrap()).collect()
        })
        .collect()
}

/// The noise of the last loss: the standard deviation over seeds, of the best settings; of these the median, for one of
/// them was mostly luck.
fn noise() -> f64 {
    let mut seeds = BTreeMap::<&str, Vec<f64>>::new();
    for line in include_str!("reference/curves/seeds.csv").lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let losses = seeds.entry(fields[0]).or_default();
        losses.push(fields[2].parse().unwrap());
    }
    let deviation = |losses: &Vec<f64>| {
        let mean = losses.iter().sum::<f64>() / losses.len() as f64;
        let squares = losses.iter().map(|loss| (loss - mean).powi(2));
        (squares.sum::<f64>() / (losses.len() as f64 - 1.0)).sqrt()
    };
    let mut deviations: Vec<f64> = seeds.values().map(deviation).collect();
    deviations.sort_by(f64::total_cmp);
    deviations[deviations.len() / 2]
}

fn best(losses: impl Iterator<Item = f64>) -> f64 {
    losses.fold(f64::INFINITY, f64::min)
}

/// What came of one search.
struct Outcome {
    /// Epochs that were spent, as a share of all.
    spent: f64,
    /// By how much the best last loss of those that went to their end is worse than the best of all.
    missed: f64,
    /// The same without pruning, of as many of the first trials as the epochs would have been enough for.
    missed_without: f64,
}

/// Replays the curves in a random order. Which worker has the next epoch done is random, so they overtake each other.
fn replay(curves: &[Vec<f64>], seed: u64, config: &PrunerConfig, workers: usize) -> Outcome {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut order: Vec<usize> = (0..curves.len()).collect();
    order.shuffle(&mut rng);
    let epochs = curves[0].len();
    let pruner = config.pruner(epochs as u64);
    let mut history = History::new(Direction::Minimize);
    let mut running: Vec<usize> = Vec::new();
    let mut spent = 0usize;
    loop {
        while running.len() < workers && history.trials.len() < order.len() {
            running.push(history.trials.len());
            history.trials.push(Trial {
                number: history.trials.len() as u64,
                point: Point::default(),
                state: State::Running,
                curve: vec![],
                value: None,
            });
        }
        if running.is_empty() {
            break;
        }
        let index = running[rng.random_range(0..running.len())];
        let curve = &curves[order[index]];
        let trial = &mut history.trials[index];
        let epoch = trial.curve.len();
        trial.curve.push((epoch as u64 + 1, curve[epoch]));
        spent += 1;
        if epoch + 1 == epochs {
            trial.state = State::Complete;
            trial.value = Some(curve[epoch]);
        } else if pruner.prune(&history, &history.trials[index]) {
            history.trials[index].state = State::Pruned;
        }
        running.retain(|index| history.trials[*index].state == State::Running);
    }
    let last = |index: &usize| curves[*index][epochs - 1];
    let best_of_all = best(order.iter().map(last));
    let (_, found) = history.best().expect("one trial goes to its end");
    Outcome {
        spent: spent as f64 / (epochs * order.len()) as f64,
        missed: found - best_of_all,
        missed_without: best(order.iter().take(spent.div_ceil(epochs)).map(last)) - best_of_all,
    }
}

/// What came of a pruner over many orders; what was missed is in units of the noise.
#[derive(Debug)]
#[allow(dead_code, reason = "printed beside a failed assertion")]
struct Summary {
    mean_spent: f64,
    most_spent: f64,
    mean_missed: f64,
    most_missed: f64,
    mean_missed_without: f64,
}

fn summary(config: &PrunerConfig, workers: usize) -> Summary {
    let (curves, noise) = (curves(), noise());
    let outcomes: Vec<Outcome> = (0..ORDERS)
        .map(|seed| replay(&curves, seed, config, workers))
        .collect();
    let mean = |of: fn(&Outcome) -> f64| outcomes.iter().map(of).sum::<f64>() / ORDERS as f64;
    let most = |of: fn(&Outcome) -> f64| outcomes.iter().map(of).fold(0.0, f64::max);
    let summary = Summary {
        mean_spent: mean(|outcome| outcome.spent),
        most_spent: most(|outcome| outcome.spent),
        mean_missed: mean(|outcome| outcome.missed) / noise,
        most_missed: most(|outcome| outcome.missed) / noise,
        mean_missed_without: mean(|outcome| outcome.missed_without) / noise,
    };
    println!("{workers} workers, {config:?}: {summary:.3?}");
    summary
}

#[test]
fn asha_finds_as_good_a_trial_in_two_fifths_of_the_epochs() {
    for workers in [1, 4] {
        let summary = summary(&PrunerConfig::asha(), workers);
        assert!(summary.most_spent <= 0.4, "{summary:?}");
        assert!(summary.most_missed <= 1.0, "{summary:?}");
        // What the pruner is for: the same epochs without it miss far more.
        assert!(
            summary.mean_missed_without > 3.0 * summary.mean_missed,
            "{summary:?}"
        );
    }
}

#[test]
fn the_others_save_epochs_too() {
    for workers in [1, 4] {
        for config in [PrunerConfig::median(), PrunerConfig::hyperband()] {
            let summary = summary(&config, workers);
            assert!(summary.mean_spent <= 0.4, "{summary:?}");
            assert!(summary.most_missed <= 1.0, "{summary:?}");
        }
    }
}

#[test]
fn without_a_pruner_all_epochs_are_spent_and_nothing_is_missed() {
    let summary = summary(&PrunerConfig::default(), 4);
    assert_eq!((summary.mean_spent, summary.most_missed), (1.0, 0.0));
}

/// What was searched when the curves were recorded, in the order of the file's columns.
const SPACE: &str = r#"[
    {"name": "cell", "domain": {"kind": "choice", "choices": ["lstm", "gru", "rnn"]}},
    {"name": "hidden", "domain": {"kind": "int", "low": 8, "high": 128, "log": true}},
    {"name": "layers", "domain": {"kind": "int", "low": 1, "high": 2}},
    {"name": "lr", "domain": {"kind": "float", "low": 1e-4, "high": 0.1, "log": true}},
    {"name": "input_dropout", "domain": {"kind": "float", "low": 0, "high": 0.5}},
    {"name": "head_dropout", "domain": {"kind": "float", "low": 0, "high": 0.5}},
    {"name": "batch_size", "domain": {"kind": "choice", "choices": [8, 16, 32, 64]}}
]"#;

/// The recorded trials as complete ones.
fn recorded(space: &Space) -> History {
    let mut history = History::new(Direction::Minimize);
    let lines = include_str!("reference/curves/curves.csv").lines().skip(1);
    for (number, line) in (0..).zip(lines) {
        let mut fields = line.split(',').skip(1);
        let value = line.rsplit(',').next().and_then(|last| last.parse().ok());
        history.trials.push(Trial {
            number,
            point: space.point(|_| {
                let field = fields.next().unwrap();
                serde_json::from_str(field).unwrap_or_else(|_| field.into())
            }),
            state: State::Complete,
            curve: vec![],
            value,
        });
    }
    history
}

#[test]
fn the_learning_rate_matters_most() {
    let space: Space = serde_json::from_str(SPACE).unwrap();
    let history = recorded(&space);
    assert!(
        history
            .trials
            .iter()
            .all(|trial| space.contains(&trial.point))
    );
    let found = importance(&space, &history, 0);
    let names: Vec<&str> = found.iter().map(|found| found.name.as_str()).collect();
    assert_eq!(names[..2], ["lr", "hidden"], "{found:?}");
    assert!(found[0].share > 0.9, "{found:?}");
}
