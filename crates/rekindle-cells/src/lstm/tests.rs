//! Display, and configurations that are refused.

use crate::{CellConfig, LstmConfig, LstmGates, Peepholes};

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
