//! Schedules give the rates of PyTorch and Keras: `reference/plateau.json`, what PyTorch's `ReduceLROnPlateau` does, and
//! `reference/schedules.json`, all that count steps. `reference/generate.py` writes both.

use std::collections::{BTreeMap, BTreeSet};

use rekindle_optim::{Plateau, PlateauState, Schedule};
use serde::Deserialize;

#[derive(Deserialize)]
struct Reference {
    /// A metric of `null` stands for NaN.
    series: BTreeMap<String, Vec<Option<f64>>>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    series: String,
    lr: f64,
    plateau: Plateau,
    lr_after: Vec<f64>,
    best: f64,
    bad: usize,
    cooldown_left: usize,
}

fn assert_close(found: f64, expected: f64, what: &str) {
    let error = (found - expected).abs();
    assert!(
        error <= 1e-12 * expected.abs(),
        "{what}: found {found}, expected {expected}"
    );
}

#[test]
fn plateau_equals_pytorch() {
    let reference: Reference =
        serde_json::from_str(include_str!("reference/plateau.json")).unwrap();
    assert!(reference.cases.len() >= 16);
    for case in reference.cases {
        let name = format!("{} {:?}", case.series, case.plateau);
        case.plateau.validate().unwrap();
        let metrics = &reference.series[&case.series];
        assert_eq!((metrics.len(), case.lr_after.len()), (200, 200), "{name}");
        let mut state = PlateauState::new(case.lr);
        for (index, (metric, expected)) in metrics.iter().zip(&case.lr_after).enumerate() {
            case.plateau.observe(&mut state, metric.unwrap_or(f64::NAN));
            assert_close(state.lr, *expected, &format!("{name}, observation {index}"));
        }
        assert!(state.lr < case.lr, "{name} was never reduced");
        assert_close(state.best.unwrap(), case.best, &name);
        assert_eq!(
            (state.bad, state.cooldown),
            (case.bad, case.cooldown_left),
            "{name}"
        );
    }
}

#[derive(Deserialize)]
struct Schedules {
    cases: Vec<ScheduleCase>,
}

#[derive(Deserialize)]
struct ScheduleCase {
    /// The class of PyTorch or Keras.
    of: String,
    lr: f64,
    schedule: Schedule,
    rates: Vec<f64>,
}

#[test]
fn schedules_equal_pytorch_and_keras() {
    let reference: Schedules =
        serde_json::from_str(include_str!("reference/schedules.json")).unwrap();
    let mut classes = BTreeSet::new();
    for case in &reference.cases {
        case.schedule.validate().unwrap();
        assert!(case.rates.len() >= 200, "{}", case.of);
        for (step, expected) in case.rates.iter().enumerate() {
            let found = case.lr * case.schedule.at(step);
            // Sums near zero keep the last digits of the base rate, not of their own.
            let error = (found - expected).abs();
            let bound = 1e-12 * expected.abs() + 1e-14 * case.lr;
            let what = format!("{} {:?} at {step}", case.of, case.schedule);
            assert!(error <= bound, "{what}: found {found}, expected {expected}");
        }
        classes.insert(case.of.as_str());
    }
    assert!(
        reference.cases.len() >= 50 && classes.len() >= 20,
        "{classes:?}"
    );
}
