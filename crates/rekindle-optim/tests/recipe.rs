//! Schedules as a recipe writes them.

use rekindle_optim::{Mode, Plateau, PlateauState, Schedule, ThresholdMode};
use serde::Deserialize;

#[derive(Deserialize)]
struct Recipe {
    schedule: Schedule,
}

fn read(table: &str) -> Result<Schedule, toml::de::Error> {
    toml::from_str::<Recipe>(&format!("schedule = {table}")).map(|recipe| recipe.schedule)
}

fn samples() -> Vec<(&'static str, Schedule)> {
    let exponential = Schedule::Exponential { gamma: 0.97 };
    vec![
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
            "expected one of `constant`, `exponential`, `then`, `plateau`",
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
