//! Every activation.

use rekindle_cells::Activation::{self, *};

/// Every activation, with numbers of its own; kinks lie where arguments do.
#[rustfmt::skip]
pub const ACTIVATIONS: [(&str, Activation); 11] = [
    ("tanh", Tanh),
    ("sigmoid", Sigmoid),
    ("relu", Relu),
    ("affine", Affine { alpha: 0.6, beta: 0.3 }),
    ("leaky relu", LeakyRelu { alpha: 0.2 }),
    ("thresholded relu", ThresholdedRelu { alpha: 0.15 }),
    ("scaled tanh", ScaledTanh { alpha: 1.2, beta: 0.7 }),
    ("hard sigmoid", HardSigmoid { alpha: 0.6, beta: 0.4 }),
    ("elu", Elu { alpha: 0.8 }),
    ("softsign", Softsign),
    ("softplus", Softplus),
];
