//! Schedules as a recipe writes them.

use rekindle_optim::{
    Anneal, Between, CosineRestarts, Cyclic, Mode, OneCycle, Phases, Plateau, PlateauState,
    Polynomial, Schedule, ThresholdMode, Wave,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Recipe {
    schedule: Schedule,
}

fn read(table: &str) -> Result<Schedule, toml::de::Error> {
    toml::from_str::<Recipe>(&format!("schedule = {table}")).map(|recipe| recipe.schedule)
}

fn samples() -> Vec<(&'static str, Schedule)> {
    let exponential = Schedule::Exponential {
        gamma: 0.97,
        steps: 1,
    };
    let (points, between) = (vec![(0, 1.0), (9, 0.25)], Between::Linear);
    let (schedules, milestones) = (vec![Schedule::default(), exponential.clone()], vec![4]);
    let chained = Schedule::Chained {
        schedules: schedules.clone(),
    };
    let cyclic = Cyclic {
        low: 0.5,
        down: Some(7),
        wave: Wave::ExpRange,
        gamma: 0.99,
        ..Cyclic::new(3.0, 2)
    };
    let one_cycle = OneCycle {
        peak_at: 0.4,
        from: 0.1,
        to: 0.0,
        anneal: Anneal::Linear,
        phases: Phases::Three,
        steps: 40,
    };
    let restarts = CosineRestarts {
        steps: 10,
        t_mult: 2.0,
        m_mult: 0.9,
        to: 0.01,
    };
    let polynomial = Polynomial {
        steps: 10,
        power: 0.5,
        to: 0.01,
        cycle: true,
    };
    let linear = Schedule::Linear {
        from: 1.0,
        to: 0.5,
        steps: 3,
    };
    vec![
        (
            r#"{ kind = "step", every = 30 }"#,
            Schedule::Step {
                every: 30,
                gamma: 0.1,
            },
        ),
        (
            r#"{ kind = "multi_step", milestones = [3, 8] }"#,
            Schedule::MultiStep {
                milestones: vec![3, 8],
                gamma: 0.1,
            },
        ),
        (r#"{ kind = "linear", to = 0.5, steps = 3 }"#, linear),
        (
            r#"{ kind = "polynomial", steps = 10 }"#,
            Schedule::Polynomial(Polynomial::new(10)),
        ),
        (
            r#"{ kind = "polynomial", steps = 10, power = 0.5, to = 0.01, cycle = true }"#,
            Schedule::Polynomial(polynomial),
        ),
        (
            r#"{ kind = "inverse_time", rate = 2, staircase = true }"#,
            Schedule::InverseTime {
                rate: 2.0,
                steps: 1,
                staircase: true,
            },
        ),
        (
            r#"{ kind = "cosine", steps = 40 }"#,
            Schedule::Cosine { steps: 40, to: 0.0 },
        ),
        (
            r#"{ kind = "cosine_restarts", steps = 10 }"#,
            Schedule::CosineRestarts(CosineRestarts::new(10)),
        ),
        (
            r#"{ kind = "cosine_restarts", steps = 10, t_mult = 2, m_mult = 0.9, to = 0.01 }"#,
            Schedule::CosineRestarts(restarts),
        ),
        (
            r#"{ kind = "cyclic", high = 3, up = 2 }"#,
            Schedule::Cyclic(Cyclic::new(3.0, 2)),
        ),
        (
            r#"{ kind = "cyclic", low = 0.5, high = 3, up = 2, down = 7, wave = "exp_range", gamma = 0.99 }"#,
            Schedule::Cyclic(cyclic),
        ),
        (
            r#"{ kind = "one_cycle", steps = 40 }"#,
            Schedule::OneCycle(OneCycle::new(40)),
        ),
        (
            r#"{ kind = "one_cycle", steps = 40, peak_at = 0.4, from = 0.1, to = 0, anneal = "linear", phases = "three" }"#,
            Schedule::OneCycle(one_cycle),
        ),
        (
            r#"{ kind = "noam", warm_up = 400 }"#,
            Schedule::Noam { warm_up: 400 },
        ),
        (
            r#"{ kind = "table", points = [[0, 1], [9, 0.25]], between = "linear" }"#,
            Schedule::Table { points, between },
        ),
        (
            r#"{ kind = "warm_up", steps = 5 }"#,
            Schedule::WarmUp {
                steps: 5,
                from: 0.01,
                next: Box::default(),
            },
        ),
        (
            r#"{ kind = "sequential", schedules = [{ kind = "constant" }, { kind = "exponential", gamma = 0.97 }], milestones = [4] }"#,
            Schedule::Sequential {
                schedules,
                milestones,
            },
        ),
        (
            r#"{ kind = "chained", schedules = [{ kind = "constant" }, { kind = "exponential", gamma = 0.97 }] }"#,
            chained,
        ),
        (r#"{ kind = "constant" }"#, Schedule::default()),
        (
            r#"{ kind = "constant", factor = 2 }"#,
            Schedule::Constant { factor: 2.0 },
        ),
        (
            r#"{ kind = "exponential", gamma = 0.97 }"#,
            exponential.clone(),
        ),
        (
            r#"{ kind = "then", steps = 5, first = { kind = "constant" }, next = { kind = "exponential", gamma = 0.97 } }"#,
            Schedule::Then {
                first: Box::new(Schedule::default()),
                steps: 5,
                next: Box::new(exponential),
            },
        ),
        (
            r#"{ kind = "plateau" }"#,
            Schedule::Plateau(Plateau::default()),
        ),
        (
            r#"{ kind = "plateau", mode = "max", factor = 0.5, patience = 5, threshold_mode = "absolute" }"#,
            Schedule::Plateau(Plateau {
                mode: Mode::Max,
                factor: 0.5,
                patience: 5,
                threshold_mode: ThresholdMode::Absolute,
                ..Plateau::default()
            }),
        ),
    ]
}

#[test]
fn tables_read_as_documented_and_survive_a_round_trip() {
    for (table, expected) in samples() {
        let schedule = read(table).unwrap();
        assert_eq!(schedule, expected, "{table}");
        let json = serde_json::to_string(&schedule).unwrap();
        assert_eq!(
            serde_json::from_str::<Schedule>(&json).unwrap(),
            schedule,
            "{json}"
        );
        let written = toml::to_string(&schedule).unwrap();
        assert_eq!(
            toml::from_str::<Schedule>(&written).unwrap(),
            schedule,
            "{written}"
        );
    }
}

#[test]
fn mistakes_are_named() {
    for (table, named) in [
        (
            r#"{ kind = "platau" }"#,
            "expected one of `constant`, `step`, `multi_step`",
        ),
        (
            r#"{ kind = "constant", gamma = 0.9 }"#,
            "unknown field `gamma`",
        ),
        (r#"{ kind = "exponential" }"#, "missing field `gamma`"),
        (
            r#"{ kind = "exponential", gama = 0.9 }"#,
            "unknown field `gama`",
        ),
        (r#"{ kind = "cosine", stpes = 5 }"#, "unknown field `stpes`"),
        (
            r#"{ kind = "one_cycle", steps = 5, phases = 4 }"#,
            "expected string",
        ),
        (
            r#"{ kind = "plateau", patiense = 5 }"#,
            "unknown field `patiense`",
        ),
        (r#"{ kind = "plateau", patience = -5 }"#, "expected usize"),
        (
            r#"{ kind = "plateau", mode = "maximum" }"#,
            "expected `min` or `max`",
        ),
        (r#"{ gamma = 0.9 }"#, "missing field `kind`"),
    ] {
        let message = read(table).unwrap_err().to_string();
        assert!(message.contains(named), "{table}: {message}");
    }
}

#[test]
fn the_state_of_a_plateau_survives_a_round_trip() {
    let mut state = PlateauState::new(0.1);
    for metric in [0.7, 0.9, 0.30000000000000004] {
        let json = serde_json::to_string(&state).unwrap();
        assert_eq!(serde_json::from_str::<PlateauState>(&json).unwrap(), state);
        Plateau {
            patience: 0,
            ..Plateau::default()
        }
        .observe(&mut state, metric);
    }
}
