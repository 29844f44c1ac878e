//! What is written in findings can be given to a recipe.

use std::path::Path;

use super::*;
use crate::doctor::{Flow, PARTS, Place, Saturation, Units};

fn recipe(cell: &str) -> Recipe {
    let text = format!(
        "name = \"a\"\n[data]\ntrain = \"a.ts\"\nscaling = \"none\"\n[model]\ncell = \"{cell}\"\n"
    );
    Recipe::from_toml(&text, Path::new("a.toml"), &[]).expect("a recipe")
}

/// A network that has learnt nothing, and is fine otherwise.
fn well() -> Measurements {
    let neighbours = crate::doctor::Neighbours {
        sequences: 100,
        agreement: 0.9,
        by_chance: 0.5,
        contradictions: 0,
    };
    Measurements {
        data: crate::doctor::Data {
            longest: 50,
            channels: vec![crate::doctor::Channel {
                name: "x".into(),
                mean: 0.0,
                std: 1.0,
            }],
            neighbours: Some(neighbours),
            guess: 0.7,
            ..Default::default()
        },
        losses: crate::doctor::Losses {
            steps: 50,
            guess: 0.7,
            first: 0.7,
            last: 0.69,
            norm: 1.0,
            greatest_norm: 2.0,
            ..Default::default()
        },
        updates: crate::doctor::Updates {
            parameters: vec![update("layers.0.weight", 1e-3), update("head.weight", 1e-3)],
        },
        flows: vec![flow(1.0)],
        gates: vec![gate(0.1)],
        jacobians: Vec::new(),
        horizons: Vec::new(),
        units: vec![units(0, 0)],
        units_before: Vec::new(),
    }
}

fn update(path: &str, ratio: f64) -> crate::doctor::Update {
    crate::doctor::Update::of(path.into(), true, vec![ratio; 20])
}

fn flow(first: f64) -> Flow {
    let norms = (0..PARTS).map(|part| if part < 10 { first } else { 1.0 });
    Flow {
        place: Place::new(0, false),
        state: "hidden".into(),
        norms: norms.collect(),
    }
}

fn gate(low: f64) -> Saturation {
    Saturation {
        low,
        ..gate_of_candidate()
    }
}

fn gate_of_candidate() -> Saturation {
    Saturation {
        place: Place::new(0, false),
        gate: rekindle_cells::Gate::Candidate,
        low: 0.0,
        high: 0.0,
        histogram: Vec::new(),
    }
}

fn units(dead: usize, copies: usize) -> Units {
    Units {
        place: Place::new(0, false),
        units: 10,
        dead,
        copies,
    }
}

/// Everything wrong at once, one thing at a time.
fn ill() -> Vec<(&'static str, Measurements)> {
    let with = |change: fn(&mut Measurements)| {
        let mut measurements = well();
        change(&mut measurements);
        measurements
    };
    vec![
        (
            "padding_as_steps",
            with(|m| {
                m.data.tails = crate::doctor::Tails {
                    sequences: 0.5,
                    steps: 0.3,
                }
            }),
        ),
        ("unscaled_inputs", with(|m| m.data.channels[0].mean = 300.0)),
        ("unscaled_inputs", with(|m| m.data.channels[0].std = 1e-4)),
        (
            "frozen_parameters",
            with(|m| m.updates.parameters[0] = update("layers.0.weight", 0.0)),
        ),
        (
            "duplicated_units",
            with(|m| m.units_before = vec![units(0, 9)]),
        ),
        (
            "learning_rate_too_large",
            with(|m| m.updates.parameters = vec![update("a.weight", 0.5)]),
        ),
        ("dead_units", with(|m| m.units[0] = units(5, 0))),
        ("saturated_gates", with(|m| m.gates = vec![gate(0.97)])),
        ("vanishing_gradients", with(|m| m.flows = vec![flow(1e-9)])),
        ("exploding_gradients", with(|m| m.flows = vec![flow(1e5)])),
        (
            "learning_rate_too_small",
            with(|m| m.updates.parameters = vec![update("a.weight", 1e-7)]),
        ),
        (
            "label_noise",
            with(|m| m.data.neighbours.as_mut().expect("neighbours").agreement = 0.51),
        ),
    ]
}

#[test]
fn each_fault_is_found_alone_and_its_remedy_is_a_recipe() {
    for cell in ["lstm", "gru", "rnn"] {
        let recipe = recipe(cell);
        assert_eq!(
            super::super::diagnose(&recipe, &well()),
            [],
            "stuck for no known reason"
        );
        for (name, measurements) in ill() {
            let findings = super::super::diagnose(&recipe, &measurements);
            let names: Vec<&str> = findings
                .iter()
                .map(|finding| finding.name.as_str())
                .collect();
            assert_eq!(names, [name], "{cell}");
            for remedy in &findings[0].remedy {
                let set = |line: &str| {
                    let (key, value) = line.split_once(" = ").expect("key and value");
                    format!("{key}={value}")
                };
                let set: Vec<String> = remedy.lines().map(set).collect();
                let changed = Recipe::from_toml(&recipe.to_toml(), Path::new("a.toml"), &set);
                changed.unwrap_or_else(|error| panic!("{cell}: {remedy}: {error}"));
            }
            assert!(!findings[0].source.is_empty() && !findings[0].advice.is_empty());
        }
    }
}

#[test]
fn a_forget_gate_that_is_open_is_not_saturated() {
    let mut recipe = recipe("lstm");
    let mut measurements = well();
    let open = |gate, low, high| Saturation {
        gate,
        low,
        high,
        ..gate_of_candidate()
    };
    measurements.gates = vec![
        open(rekindle_cells::Gate::Forget, 0.0, 1.0),
        open(rekindle_cells::Gate::Input, 1.0, 0.0),
    ];
    recipe.model.init.gate_bias = rekindle_cells::GateBias::Chrono { t_max: 50 };
    assert_eq!(super::super::diagnose(&recipe, &measurements), []);
    recipe.model.init.gate_bias = rekindle_cells::GateBias::default();
    let findings = super::super::diagnose(&recipe, &measurements);
    assert_eq!(findings[0].name, "saturated_gates");
}

#[test]
fn gradients_that_jump_are_clipped_first() {
    let mut recipe = recipe("rnn");
    recipe.training.clip = rekindle_optim::Clip::None;
    let mut measurements = well();
    measurements.losses.greatest_norm = 400.0;
    let findings = super::super::diagnose(&recipe, &measurements);
    assert_eq!(findings[0].name, "no_clipping");
    assert_eq!(findings[0].severity, Severity::Fault);
}

#[test]
fn a_network_that_learns_is_left_alone() {
    for (name, mut measurements) in ill() {
        measurements.losses.last = 0.2;
        let findings = super::super::diagnose(&recipe("lstm"), &measurements);
        if name == "label_noise" {
            // Learnt by heart, it is of no use on other sequences.
            assert_eq!(findings, []);
            measurements.losses.valid = Some(2.0);
            let findings = super::super::diagnose(&recipe("lstm"), &measurements);
            assert_eq!(findings[0].name, name);
        }
        let all = findings
            .iter()
            .all(|finding| finding.severity == Severity::Warning);
        assert!(all, "{name}: {findings:?}");
    }
}

#[test]
fn figures_have_three_digits() {
    for (value, text) in [
        (0.0, "0"),
        (1.0, "1"),
        (0.7125, "0.713"),
        (1234.6, "1235"),
        (3.2e-9, "3.2e-9"),
        (12.34, "12.3"),
    ] {
        assert_eq!(figure(value), text);
    }
}
