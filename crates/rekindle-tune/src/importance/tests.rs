//! Functions whose variances are known.

use rand::RngExt;
use serde_json::{Value, json};

use super::*;
use crate::{Condition, Direction, Domain, Parameter, Point, State, Trial};

/// How far a share of 200 random trials may lie from the true one.
const TOLERANCE: f64 = 0.04;

/// What the share of a parameter without effect may be, of 200 random trials.
const NOTHING: f64 = 0.001;

fn number(name: &str) -> Parameter {
    let domain = Domain::Float {
        low: 0.0,
        high: 1.0,
        log: false,
        step: None,
    };
    parameter(name, domain)
}

fn choice(name: &str, choices: &[&str]) -> Parameter {
    let choices = choices.iter().copied().map(Value::from).collect();
    parameter(name, Domain::Choice { choices })
}

fn parameter(name: &str, domain: Domain) -> Parameter {
    Parameter {
        name: name.into(),
        domain,
        when: vec![],
    }
}

fn float(point: &Point, name: &str) -> f64 {
    point.get(name).and_then(Value::as_f64).unwrap()
}

/// Random trials of a function.
fn trials(space: &Space, count: u64, function: impl Fn(&Point) -> f64) -> History {
    let mut history = History::new(Direction::Minimize);
    for number in 0..count {
        let mut rng = seed::rng(11, number);
        let point = space.point(|parameter| parameter.domain.at(rng.random()));
        history.trials.push(Trial {
            number,
            value: Some(function(&point)),
            point,
            state: State::Complete,
            curve: vec![],
        });
    }
    history
}

/// Asserts what shares a function has, by the names of its parameters.
fn assert_shares(parameters: &[Parameter], function: impl Fn(&Point) -> f64, shares: &[f64]) {
    let space = Space::new(parameters.to_vec()).unwrap();
    let history = trials(&space, 200, function);
    for seed in 0..3 {
        let found = importance(&space, &history, seed);
        let sum: f64 = found.iter().map(|found| found.share).sum();
        assert!((sum - 1.0).abs() < 1e-12);
        for (parameter, share) in parameters.iter().zip(shares) {
            let named = found.iter().find(|found| found.name == parameter.name);
            let tolerance = if *share == 0.0 { NOTHING } else { TOLERANCE };
            let distance = (named.unwrap().share - share).abs();
            assert!(distance < tolerance, "{}: {found:?}", parameter.name);
        }
    }
}

#[test]
fn a_sum_has_the_squares_of_its_factors() {
    // Var(2 x) = 4/12, Var(y) = 1/12.
    assert_shares(
        &[number("y"), number("x")],
        |point| 2.0 * float(point, "x") + float(point, "y"),
        &[0.2, 0.8],
    );
}

#[test]
fn what_does_not_matter_has_no_share() {
    assert_shares(
        &[number("x"), number("other"), choice("c", &["a", "b", "c"])],
        |point| (6.0 * float(point, "x")).sin(),
        &[1.0, 0.0, 0.0],
    );
}

#[test]
fn a_choice_has_the_variance_of_its_means() {
    // 0, 4 and 2 have the variance 8/3, 3 x has 9/12: of 41/12 these are 32/41 and 9/41.
    assert_shares(
        &[number("x"), choice("c", &["a", "b", "c"])],
        |point| {
            let of_choice = match point.get("c").and_then(Value::as_str) {
                Some("a") => 0.0,
                Some("b") => 4.0,
                _ => 2.0,
            };
            of_choice + 3.0 * float(point, "x")
        },
        &[9.0 / 41.0, 32.0 / 41.0],
    );
}

#[test]
fn a_logarithmic_parameter_is_its_logarithm() {
    // log10 lr is uniform on [-4, -1], of variance 9/12; 2 x has 4/12.
    let lr = Domain::Float {
        low: 1e-4,
        high: 1e-1,
        log: true,
        step: None,
    };
    assert_shares(
        &[parameter("lr", lr), number("x")],
        |point| float(point, "lr").log10() + 2.0 * float(point, "x"),
        &[9.0 / 13.0, 4.0 / 13.0],
    );
}

#[test]
fn whole_numbers_have_the_variance_of_theirs() {
    // 1 to 5 have the variance 2; 3 x has 9/12.
    let layers = Domain::Int {
        low: 1,
        high: 5,
        log: false,
        step: 1,
    };
    assert_shares(
        &[parameter("layers", layers), number("x")],
        |point| float(point, "layers") + 3.0 * float(point, "x"),
        &[8.0 / 11.0, 3.0 / 11.0],
    );
}

/// A cell and a bias that only one kind of it has.
fn cell_and_bias() -> [Parameter; 2] {
    let mut bias = number("bias");
    bias.when = vec![Condition {
        on: "cell".into(),
        among: vec![json!("lstm")],
    }];
    [choice("cell", &["lstm", "gru"]), bias]
}

fn bias(point: &Point) -> Option<f64> {
    point.get("bias").and_then(Value::as_f64)
}

#[test]
fn whether_a_parameter_counts_belongs_to_what_decides_it() {
    assert_shares(
        &cell_and_bias(),
        |point| if bias(point).is_some() { 1.0 } else { 2.0 },
        &[1.0, 0.0],
    );
}

#[test]
fn a_parameter_that_counts_in_half_of_the_cases_has_half_of_its_variance() {
    // With the bias it is 1 on average, without 1: nothing comes of the cell.
    assert_shares(
        &cell_and_bias(),
        |point| bias(point).map_or(1.0, |bias| 2.0 * bias),
        &[0.0, 1.0],
    );
    // On average 2 or 3, of variance 1/4; half of the points vary by 4/12.
    assert_shares(
        &cell_and_bias(),
        |point| bias(point).map_or(3.0, |bias| 1.0 + 2.0 * bias),
        &[0.6, 0.4],
    );
}

#[test]
fn a_number_can_be_a_condition() {
    // Of 4 layers those above the first have a dropout: the mean is 0, or 1 + 1 in three of four cases, of variance
    // 4 · 3/16; three quarters vary by 4/12.
    let layers = Domain::Int {
        low: 1,
        high: 4,
        log: false,
        step: 1,
    };
    let mut dropout = number("dropout");
    dropout.when = vec![Condition {
        on: "layers".into(),
        among: vec![json!(2), json!(3), json!(4)],
    }];
    assert_shares(
        &[parameter("layers", layers), dropout],
        |point| match point.get("dropout").and_then(Value::as_f64) {
            Some(dropout) => 1.0 + 2.0 * dropout,
            None => 0.0,
        },
        &[0.75, 0.25],
    );
}

#[test]
fn noise_has_little_share_beside_an_effect() {
    let space = Space::new(["x", "a", "b", "c"].map(number).to_vec()).unwrap();
    let history = trials(&space, 100, |point| {
        // As good as random: the digits after the sixth.
        let noise = float(point, "a") * 1e6 % 1.0;
        2.0 * float(point, "x") + noise
    });
    let found = importance(&space, &history, 0);
    assert!(found[0].name == "x" && found[0].share > 0.9, "{found:?}");
}

#[test]
fn the_deviation_has_the_unit_of_the_result() {
    let space = Space::new(vec![number("x")]).unwrap();
    let history = trials(&space, 200, |point| 5e3 + 1e3 * float(point, "x"));
    let found = importance(&space, &history, 0);
    let expected = 1e3 / 12f64.sqrt();
    assert!(
        (found[0].deviation / expected - 1.0).abs() < 0.03,
        "{found:?}"
    );
}

#[test]
fn the_same_arguments_have_the_same_answer_in_both_directions() {
    let space = Space::new(vec![number("x"), number("y")]).unwrap();
    let history = trials(&space, 50, |point| float(point, "x") * float(point, "y"));
    let found = importance(&space, &history, 3);
    assert_eq!(importance(&space, &history, 3), found);
    assert_ne!(importance(&space, &history, 4), found);
    let other = History {
        direction: Direction::Maximize,
        ..history
    };
    assert_eq!(importance(&space, &other, 3), found);
}

#[test]
fn nothing_is_said_of_nothing() {
    let space = Space::new(vec![number("x")]).unwrap();
    let empty = |history: &History| importance(&space, history, 0).is_empty();
    let of = |count| trials(&space, count, |point| float(point, "x"));
    assert!(empty(&of(0)) && empty(&of(7)) && !empty(&of(8)));
    assert!(empty(&trials(&space, 20, |_| 0.3)), "all are equal");
    let mut others = of(20);
    for (index, trial) in others.trials.iter_mut().enumerate() {
        match index % 4 {
            0 => trial.state = State::Pruned,
            1 => trial.value = Some(f64::INFINITY),
            2 => trial.value = None,
            _ => trial.point.set("x", json!(7.0)),
        }
    }
    assert!(empty(&others));
}
