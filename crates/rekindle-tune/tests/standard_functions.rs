//! How close samplers come to the minimum of standard functions, beside Optuna's.
//!
//! Regret is the least value among 100 trials minus the minimum of the function. Seeds are fixed, so a run always measures
//! the same. Optuna's regrets are in `reference/optuna.json`, which `reference/optuna.py` wrote.

use std::f64::consts::PI;

use rekindle_tune::{
    Direction, Domain, History, Parameter, QuasiRandom, Random, Sampler, Space, State, Tpe,
    TpeConfig, Trial,
};

const TRIALS: u64 = 100;

/// A function, the bounds of its parameters, and its minimum.
struct Standard {
    name: &'static str,
    compute: fn(&[f64]) -> f64,
    bounds: &'static [(f64, f64)],
    minimum: f64,
}

const FUNCTIONS: [Standard; 3] = [
    Standard {
        name: "branin",
        compute: branin,
        bounds: &[(-5.0, 10.0), (0.0, 15.0)],
        minimum: 0.397_887_357_729_738,
    },
    Standard {
        name: "hartmann_6",
        compute: hartmann_6,
        bounds: &[(0.0, 1.0); 6],
        minimum: -3.322_368_011_415_51,
    },
    Standard {
        name: "rosenbrock_5",
        compute: rosenbrock,
        bounds: &[(-5.0, 10.0); 5],
        minimum: 0.0,
    },
];

fn branin(x: &[f64]) -> f64 {
    let (a, b) = (x[0], x[1]);
    let c = b - 5.1 / (4.0 * PI * PI) * a * a + 5.0 / PI * a - 6.0;
    c * c + 10.0 * (1.0 - 1.0 / (8.0 * PI)) * a.cos() + 10.0
}

fn hartmann_6(x: &[f64]) -> f64 {
    const ALPHA: [f64; 4] = [1.0, 1.2, 3.0, 3.2];
    const A: [[f64; 6]; 4] = [
        [10.0, 3.0, 17.0, 3.5, 1.7, 8.0],
        [0.05, 10.0, 17.0, 0.1, 8.0, 14.0],
        [3.0, 3.5, 1.7, 10.0, 17.0, 8.0],
        [17.0, 8.0, 0.05, 10.0, 0.1, 14.0],
    ];
    const P: [[f64; 6]; 4] = [
        [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
        [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
        [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650],
        [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
    ];
    let well = |row: usize| {
        let distance = |j: usize| A[row][j] * (x[j] - P[row][j]).powi(2);
        ALPHA[row] * (-(0..6).map(distance).sum::<f64>()).exp()
    };
    -(0..4).map(well).sum::<f64>()
}

fn rosenbrock(x: &[f64]) -> f64 {
    let valley =
        |pair: &[f64]| 100.0 * (pair[1] - pair[0] * pair[0]).powi(2) + (1.0 - pair[0]).powi(2);
    x.windows(2).map(valley).sum()
}

fn space(bounds: &[(f64, f64)]) -> Space {
    let parameter = |(index, (low, high)): (usize, &(f64, f64))| Parameter {
        name: format!("x{index}"),
        domain: Domain::Float {
            low: *low,
            high: *high,
            log: false,
            step: None,
        },
        when: vec![],
    };
    Space::new(bounds.iter().enumerate().map(parameter).collect()).unwrap()
}

fn regret(function: &Standard, sampler: &dyn Sampler) -> f64 {
    let space = space(function.bounds);
    let mut history = History::new(Direction::Minimize);
    for number in 0..TRIALS {
        let point = sampler.propose(&space, &history, number).unwrap();
        let value = |parameter: &Parameter| point.get(&parameter.name)?.as_f64();
        let x: Vec<f64> = space.parameters().iter().filter_map(value).collect();
        history.trials.push(Trial {
            number,
            point,
            state: State::Complete,
            curve: vec![],
            value: Some((function.compute)(&x)),
        });
    }
    history.best().unwrap().1 - function.minimum
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() % 2 {
        0 => (values[middle - 1] + values[middle]) / 2.0,
        _ => values[middle],
    }
}

#[test]
fn figures() {
    type Make = (&'static str, fn(u64) -> Box<dyn Sampler>);
    let samplers: [Make; 4] = [
        ("tpe", |seed| {
            Box::new(Tpe {
                config: TpeConfig::default(),
                seed,
            })
        }),
        ("tpe_independent", |seed| {
            Box::new(Tpe {
                config: TpeConfig {
                    multivariate: false,
                    ..TpeConfig::default()
                },
                seed,
            })
        }),
        ("random", |seed| Box::new(Random { seed })),
        ("quasi", |seed| Box::new(QuasiRandom { seed })),
    ];
    for (name, make) in samplers {
        for function in &FUNCTIONS {
            for seeds in [0..20, 20..120] {
                let m = median(
                    seeds
                        .clone()
                        .map(|seed| regret(function, &*make(seed)))
                        .collect(),
                );
                println!("{name:16} {:13} {seeds:?} {m:.4}", function.name);
            }
        }
    }
}
