//! Display, gates that are shown, and configurations that are refused.

use burn::tensor::{Device, Distribution, Tensor};
use rekindle_init::Gate;

use crate::{Cell, CellConfig, Lstm, LstmConfig, LstmGates, LstmState, Peepholes};

#[test]
fn display() {
    let lstm = LstmConfig::new(3, 8)
        .with_bias(false)
        .init(&Default::default());
    assert_eq!(
        format!("{lstm}"),
        "Lstm {d_input: 3, d_hidden: 8, bias: false, params: 352}"
    );
}

#[test]
#[should_panic(expected = "cannot make an LSTM: d_input is 0, expected a width of at least 1")]
fn no_width_of_zero() {
    LstmConfig::new(0, 3).init(&Default::default());
}

#[test]
fn display_names_options() {
    let lstm = LstmConfig::new(3, 8)
        .with_gates(LstmGates::Coupled)
        .with_peepholes(Peepholes::Diagonal)
        .with_d_projected(Some(4))
        .init(&Default::default());
    assert_eq!(
        format!("{lstm}"),
        "Lstm {d_input: 3, d_hidden: 8, bias: true, d_projected: 4, gates: Coupled, peepholes: Diagonal, params: 264}"
    );
}

#[test]
fn wrong_options_are_named() {
    let error = |config: LstmConfig| config.validate().unwrap_err().to_string();
    let config = LstmConfig::new(3, 8);
    assert_eq!(
        error(config.clone().with_d_projected(Some(8))),
        "d_projected is 8, expected a width of at least 1 and below d_hidden"
    );
    assert_eq!(
        error(config.clone().with_clip(Some(0.0))),
        "clip is 0, expected a finite threshold above 0"
    );
    let config = config
        .with_gate_recurrence(true)
        .with_gates(LstmGates::Coupled);
    assert_eq!(
        error(config),
        "gate_recurrence does not go with a missing gate: it reads all three gates; set gates to all"
    );
}

/// `c′ = f c + i g` and `h′ = o tanh(c′)` of the gates that the cell shows are the state of its step.
#[test]
fn the_gates_shown_are_those_of_the_step() {
    let device = Device::default();
    let lstm = LstmConfig::new(3, 5).init(&device);
    let random = |shape| Tensor::<2>::random(shape, Distribution::Default, &device);
    let state = LstmState::new(random([2, 5]), random([2, 5]));
    let x = random([2, 3]);
    let gates: Vec<_> = lstm.gates(x.clone(), &state);
    let names: Vec<Gate> = gates.iter().map(|(gate, _)| *gate).collect();
    assert_eq!(names, Lstm::GATES);
    let [i, f, g, o] = [0, 1, 2, 3].map(|gate| gates[gate].1.clone());
    let cell = f * state.cell.clone() + i * g;
    let new = lstm.step(x.clone(), state.clone());
    let differs = |a: Tensor<2>, b: Tensor<2>| (a - b).abs().max().into_scalar::<f32>();
    assert!(differs(new.cell, cell.clone()) < 1e-6);
    assert!(differs(new.hidden, o * cell.tanh()) < 1e-6);
    let variant = LstmConfig::new(3, 5).with_clip(Some(1.0)).init(&device);
    assert!(variant.gates(x, &state).is_empty());
}
