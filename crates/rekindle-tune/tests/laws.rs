//! What holds for all samplers.

use std::f64::consts::LN_10;

use rekindle_tune::{
    Condition, Direction, Domain, History, Parameter, Point, Sampler, SamplerConfig, Space, State,
    Trial,
};
use serde_json::{Value, json};

const SEED: u64 = 11;

/// All kinds of domains, some of them conditional.
fn space() -> Space {
    serde_json::from_value(json!([
        {"name": "cell", "domain": {"kind": "choice", "choices": ["lstm", "gru", {"kind": "indrnn"}]}},
        {"name": "rate", "domain": {"kind": "float", "low": 1e-4, "high": 1.0, "log": true}},
        {"name": "width", "domain": {"kind": "int", "low": 16, "high": 200, "step": 16}},
        {"name": "batch", "domain": {"kind": "int", "low": 1, "high": 64, "log": true}},
        {"name": "one", "domain": {"kind": "int", "low": 3, "high": 3}},
        {"name": "dropout", "domain": {"kind": "float", "low": 0.0, "high": 0.5, "step": 0.1}},
        {"name": "bias", "domain": {"kind": "float", "low": -1.0, "high": 2.0},
         "when": [{"on": "cell", "among": ["lstm"]}]},
        {"name": "peephole", "domain": {"kind": "choice", "choices": [true, false]},
         "when": [{"on": "cell", "among": ["lstm"]}]},
        {"name": "peephole_rate", "domain": {"kind": "float", "low": 0.1, "high": 1.0, "log": true},
         "when": [{"on": "peephole", "among": [true]}, {"on": "one", "among": [3]}]},
    ]))
    .unwrap()
}

/// One with a grid: the same without the numbers that have no steps.
fn countable() -> Space {
    let counted = |parameter: &&Parameter| parameter.domain.len().is_some();
    let all = space();
    let parameters = all.parameters().iter().filter(counted).cloned();
    Space::new(parameters.collect()).unwrap()
}

/// Each kind with a space for it.
fn samplers() -> Vec<(&'static str, Space, Box<dyn Sampler>)> {
    let make = |(name, config, space): (&'static str, Value, Space)| {
        let config: SamplerConfig = serde_json::from_value(config).unwrap();
        let sampler = config.sampler(SEED, &space).unwrap();
        (name, space, sampler)
    };
    let independent = json!({"kind": "tpe", "multivariate": false});
    let samplers = [
        ("random", json!("random"), space()),
        ("grid", json!("grid"), countable()),
        ("quasi_random", json!("quasi_random"), space()),
        ("tpe", json!("tpe"), space()),
        ("tpe, each parameter on its own", independent, space()),
        ("cma_es", json!("cma_es"), space()),
    ];
    samplers.into_iter().map(make).collect()
}

/// Learn from the history.
fn learns(name: &str) -> bool {
    name.starts_with("tpe") || name.starts_with("cma")
}

fn number(point: &Point, name: &str) -> f64 {
    point.get(name).and_then(Value::as_f64).unwrap_or(0.0)
}

/// Least near a rate of 0.01 and a width of 96, and for the GRU.
fn loss(point: &Point) -> f64 {
    let rate = number(point, "rate").max(1e-4).ln() + 2.0 * LN_10;
    let width = (number(point, "width") - 96.0) / 64.0;
    let cell = f64::from(u8::from(point.get("cell") != Some(&json!("gru"))));
    rate * rate + width * width + cell + number(point, "bias").abs()
}

/// A trial that ends in one way or another, as its number says.
fn trial(number: u64, point: Point, value: f64) -> Trial {
    let (state, measured) = match number % 7 {
        3 => (State::Pruned, None),
        5 => (State::Failed, None),
        _ => (State::Complete, Some(value)),
    };
    Trial {
        number,
        point,
        state,
        curve: vec![(1, value + 1.0), (2 + number % 3, value)],
        value: measured,
    }
}

/// The history of a search; `sign` −1 maximises negated values.
fn search(sampler: &dyn Sampler, space: &Space, trials: u64, sign: f64) -> History {
    let mut history = History::new(match sign > 0.0 {
        true => Direction::Minimize,
        false => Direction::Maximize,
    });
    for number in 0..trials {
        let Some(point) = sampler.propose(space, &history, number) else {
            break;
        };
        let value = sign * loss(&point);
        history.trials.push(trial(number, point, value));
    }
    history
}

#[test]
fn points_lie_in_the_space() {
    for (name, space, sampler) in samplers() {
        for trial in search(&*sampler, &space, 120, 1.0).trials {
            assert!(space.contains(&trial.point), "{name}: {}", trial.point);
            let dropout = number(&trial.point, "dropout") / 0.1;
            assert!((dropout - dropout.round()).abs() < 1e-9, "{name}");
        }
    }
}

#[test]
fn same_arguments_same_point() {
    for ((name, space, sampler), (_, _, again)) in samplers().into_iter().zip(samplers()) {
        let history = search(&*sampler, &space, 60, 1.0);
        // Asked before for other trials, or not; with other trials behind it in the history, or not.
        for number in [0, 9, 31, 59] {
            let mut known = history.clone();
            known.trials.truncate(number as usize);
            let point = again.propose(&space, &known, number);
            let expected = history.trials.get(number as usize);
            assert_eq!(point.as_ref(), expected.map(|trial| &trial.point), "{name}");
        }
    }
}

#[test]
fn a_trial_does_not_learn_from_itself() {
    for (name, space, sampler) in samplers() {
        let history = search(&*sampler, &space, 40, 1.0);
        let last = &history.trials[39];
        let point = sampler.propose(&space, &history, 39);
        assert_eq!(point.as_ref(), Some(&last.point), "{name}");
    }
}

#[test]
fn greatest_of_negated_is_least() {
    for (name, space, sampler) in samplers() {
        let least = search(&*sampler, &space, 60, 1.0);
        let greatest = search(&*sampler, &space, 60, -1.0);
        let points = |history: &History| -> Vec<Point> {
            history.trials.iter().map(|one| one.point.clone()).collect()
        };
        assert_eq!(points(&least), points(&greatest), "{name}");
    }
}

#[test]
fn those_that_learn_depend_on_the_history() {
    for (name, space, sampler) in samplers() {
        let history = search(&*sampler, &space, 60, 1.0);
        let mut other = history.clone();
        for trial in &mut other.trials {
            trial.value = trial.value.map(|value| -value);
        }
        let points = [&history, &other].map(|history| sampler.propose(&space, history, 60));
        assert_eq!(points[0] != points[1], learns(name), "{name}");
    }
}

#[test]
fn numbers_and_seeds_give_other_points() {
    let history = History::new(Direction::Minimize);
    for (name, space, sampler) in samplers() {
        let points = [0, 1].map(|number| sampler.propose(&space, &history, number));
        assert_ne!(points[0], points[1], "{name}");
        if name == "grid" {
            continue;
        }
        let config: SamplerConfig = match name.split_once(',') {
            Some((kind, _)) => serde_json::from_value(json!(kind)).unwrap(),
            None => serde_json::from_value(json!(name)).unwrap(),
        };
        let other = config.sampler(SEED + 1, &space).unwrap();
        assert_ne!(points[0], other.propose(&space, &history, 0), "{name}");
    }
}

#[test]
fn trials_of_another_space_are_no_hindrance() {
    for (name, space, sampler) in samplers() {
        let mut history = search(&*sampler, &space, 30, 1.0);
        for trial in history.trials.iter_mut().step_by(2) {
            trial.point = Point::default();
            trial.point.set("rate", json!("fast"));
            trial.point.set("height", json!(3));
        }
        let point = sampler.propose(&space, &history, 30).unwrap();
        assert!(space.contains(&point), "{name}");
    }
}

#[test]
fn no_trial_with_a_value_is_no_hindrance() {
    for (name, space, sampler) in samplers() {
        let mut history = search(&*sampler, &space, 40, 1.0);
        for state in [State::Running, State::Failed, State::Pruned] {
            for trial in &mut history.trials {
                (trial.state, trial.value) = (state, None);
                trial.curve = vec![(1, f64::NAN)];
            }
            let point = sampler.propose(&space, &history, 40).unwrap();
            assert!(space.contains(&point), "{name}");
        }
    }
}

/// Workers that ask at the same time keep away from each other.
#[test]
fn tpe_keeps_away_from_what_is_under_way() {
    let line = Parameter {
        name: "rate".into(),
        domain: Domain::Float {
            low: 1e-4,
            high: 1.0,
            log: true,
            step: None,
        },
        when: Vec::<Condition>::new(),
    };
    let space = Space::new(vec![line]).unwrap();
    let config = SamplerConfig::default();
    let (mut near, mut far) = (0.0, 0.0);
    for seed in 0..40 {
        let sampler = config.sampler(seed, &space).unwrap();
        let mut history = History::new(Direction::Minimize);
        for number in 0..20 {
            let point = sampler.propose(&space, &history, number).unwrap();
            let value = loss(&point);
            let trial = Trial {
                number,
                point,
                state: State::Complete,
                curve: vec![],
                value: Some(value),
            };
            history.trials.push(trial);
        }
        // Sixteen workers ask one after the other; they know of each other's points, or not.
        let mut known = history.clone();
        let mut both = [vec![], vec![]];
        for number in 20..36 {
            let point = sampler.propose(&space, &history, number).unwrap();
            both[0].push(number_of(&point));
            let point = sampler.propose(&space, &known, number).unwrap();
            both[1].push(number_of(&point));
            known.trials.push(Trial {
                number,
                point,
                state: State::Running,
                curve: vec![],
                value: None,
            });
        }
        near += spread(&both[0]);
        far += spread(&both[1]);
    }
    assert!(far > 1.5 * near, "{far} {near}");
}

fn number_of(point: &Point) -> f64 {
    number(point, "rate").ln()
}

/// The standard deviation.
fn spread(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (squares / values.len() as f64).sqrt()
}
