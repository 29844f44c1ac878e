//! Display, initialisation, and configurations that are refused.

use burn::tensor::{Device, Distribution, Tensor};
use rekindle_init::{GateBias, RecurrentScheme};

use super::Update;
use crate::{Cell, CellConfig, GruConfig};

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

/// `h′ = (1 − z) n + z h` of the gates that the cell shows is the state of its step.
#[test]
fn the_gates_shown_are_those_of_the_step() {
    let device = Device::default();
    let gru = GruConfig::new(3, 5).init(&device);
    let random = |shape| Tensor::<2>::random(shape, Distribution::Default, &device);
    let (x, hidden) = (random([2, 3]), random([2, 5]));
    let gates = gru.gates(x.clone(), &hidden);
    let [_, z, n] = [0, 1, 2].map(|gate| gates[gate].1.clone());
    let expected = z.clone().neg().add_scalar(1.0) * n + z * hidden.clone();
    let error = (gru.step(x, hidden) - expected).abs().max();
    assert!(error.into_scalar::<f32>() < 1e-6);
}
