//! Display, initialisation, and configurations that are refused.

use rekindle_init::{GateBias, RecurrentScheme};

use super::Update;
use crate::{CellConfig, GruConfig};

#[test]
fn display() {
    let gru = GruConfig::new(3, 8).init(&Default::default());
    assert_eq!(
        format!("{gru}"),
        "Gru {d_input: 3, d_hidden: 8, bias: true, params: 312}"
    );
}

#[test]
#[should_panic(expected = "cannot make a GRU: d_hidden is 0, expected a width of at least 1")]
fn no_width_of_zero() {
    GruConfig::new(3, 0).init(&Default::default());
}

#[test]
fn chrono_biases_remember_in_either_convention() {
    for (update, sign) in [(Update::Keep, 1.0), (Update::Replace, -1.0)] {
        let device = Default::default();
        let init = RecurrentScheme {
            gate_bias: GateBias::Chrono { t_max: 100 },
            ..RecurrentScheme::default()
        };
        let gru = GruConfig::new(2, 16)
            .with_init(init)
            .with_update(update)
            .init(&device);
        let bias = gru.weights.bias_ih.expect("biases").val();
        let bias = bias.into_data().iter::<f32>().collect::<Vec<_>>();
        let of_update = &bias[16..32];
        assert!(
            of_update.iter().all(|b| sign * b >= 0.0) && of_update.iter().any(|b| sign * b > 1.0),
            "{update:?}: {of_update:?}"
        );
    }
}
