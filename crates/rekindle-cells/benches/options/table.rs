//! The options, each beside the network without it.

use burn::tensor::{Device, Tensor};
use rekindle_cells::{
    Activation, CellConfig, Connections, Direction, ElmanConfig, GruActivations, GruConfig,
    InitialState, LstmActivations, LstmConfig, LstmGates, Merge, Normalization, Peepholes,
    Recurrent, Reset, Sequences, StackConfig, Update,
};

use crate::shape::Shape;

/// A training step.
pub type Step = Box<dyn FnMut() -> burn::tensor::Gradients>;

/// Makes a network of a size that reads an input.
type Make = Box<dyn Fn(Shape, &Tensor<3>, &Device) -> Step>;

/// One option.
pub struct Entry {
    name: String,
    plain: Make,
    with: Make,
    /// Numbers of the weights that each step multiplies, with the option and without, for `d_input` and `d_hidden`.
    products: fn([f64; 2]) -> [f64; 2],
}

impl Entry {
    /// The cell and the option.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The ratio of the multiplications in products.
    pub fn products(&self, shape: Shape) -> f64 {
        let [with, plain] = (self.products)([shape.d_input as f64, shape.d_hidden as f64]);
        with / plain
    }

    /// The network without the option and with it.
    pub fn networks(&self, shape: Shape, x: &Tensor<3>, device: &Device) -> [Step; 2] {
        [&self.plain, &self.with].map(|make| make(shape, x, device))
    }
}

/// The training step of a network.
fn step<R: Recurrent + 'static>(network: R, input: Sequences) -> Step {
    Box::new(move || network.forward(input.clone(), None).0.backward())
}

/// A cell of a size.
fn cell<C: CellConfig + 'static>(config: impl Fn(usize, usize) -> C + 'static) -> Make
where
    C::Cell: 'static,
{
    Box::new(move |shape, x, device| {
        let config = config(shape.d_input, shape.d_hidden);
        step(config.init(device), x.clone().into())
    })
}

/// A stack of LSTM layers.
fn stack(config: StackConfig) -> Make {
    Box::new(move |shape, x, device| {
        let cell = LstmConfig::new(shape.d_input, shape.d_hidden);
        step(config.init(&cell, device), x.clone().into())
    })
}

/// All options.
pub fn entries() -> Vec<Entry> {
    let mut entries = lstm();
    entries.extend(gru());
    entries.extend(elman());
    entries.extend(stacks());
    entries
}

/// Statistics for each of 100 steps.
const BATCH_NORM: Normalization = Normalization::Batch {
    max_steps: 100,
    momentum: 0.1,
    epsilon: 1e-5,
};

/// As many multiplications as without the option.
fn same(_: [f64; 2]) -> [f64; 2] {
    [1.0, 1.0]
}

fn lstm() -> Vec<Entry> {
    let of = |name: &str, option: fn(LstmConfig) -> LstmConfig, products| Entry {
        name: format!("LSTM, {name}"),
        plain: cell(LstmConfig::new),
        with: cell(move |d_input, d_hidden| option(LstmConfig::new(d_input, d_hidden))),
        products,
    };
    let three_gates = |[_, _]: [f64; 2]| [3.0, 4.0];
    let mut entries = vec![
        of(
            "no input gate",
            |c| c.with_gates(LstmGates::NoInput),
            three_gates,
        ),
        of(
            "no forget gate",
            |c| c.with_gates(LstmGates::NoForget),
            three_gates,
        ),
        of(
            "no output gate",
            |c| c.with_gates(LstmGates::NoOutput),
            three_gates,
        ),
        of(
            "coupled gates",
            |c| c.with_gates(LstmGates::Coupled),
            three_gates,
        ),
        of(
            "diagonal peepholes",
            |c| c.with_peepholes(Peepholes::Diagonal),
            same,
        ),
        of(
            "layer norms",
            |c| c.with_normalization(Normalization::Layer { epsilon: 1e-5 }),
            same,
        ),
        of(
            "root-mean-square norms",
            |c| c.with_normalization(Normalization::Rms { epsilon: 1e-5 }),
            same,
        ),
        of(
            "recurrent batch norms",
            |c| c.with_normalization(BATCH_NORM),
            same,
        ),
        of("clip", |c| c.with_clip(Some(3.0)), same),
        of("cell clip", |c| c.with_cell_clip(Some(3.0)), same),
        of(
            "learned initial state",
            |c| c.with_initial_state(InitialState::Learned),
            same,
        ),
        of(
            "full peepholes",
            |c| c.with_peepholes(Peepholes::Full),
            |[i, h]| [4.0 * i + 8.0 * h, 4.0 * (i + h)],
        ),
        of(
            "gate recurrence",
            |c| c.with_gate_recurrence(true),
            |[i, h]| [4.0 * i + 13.0 * h, 4.0 * (i + h)],
        ),
        Entry {
            name: "LSTM, projection to a half".into(),
            plain: cell(LstmConfig::new),
            with: cell(|d_input, d_hidden| {
                LstmConfig::new(d_input, d_hidden).with_d_projected(Some(d_hidden / 2))
            }),
            products: |[i, h]| [4.0 * i + 2.5 * h, 4.0 * (i + h)],
        },
    ];
    for (name, activation) in activations() {
        entries.push(Entry {
            name: format!("LSTM, {name} candidate"),
            plain: cell(LstmConfig::new),
            with: cell(move |d_input, d_hidden| {
                LstmConfig::new(d_input, d_hidden).with_activations(LstmActivations {
                    candidate: activation,
                    ..Default::default()
                })
            }),
            products: same,
        });
    }
    entries.push(of(
        "hard sigmoid gates",
        |c| {
            c.with_activations(LstmActivations {
                gate: HARD_SIGMOID,
                ..Default::default()
            })
        },
        same,
    ));
    entries
}

fn gru() -> Vec<Entry> {
    let of = |name: &str, option: fn(GruConfig) -> GruConfig| Entry {
        name: format!("GRU, {name}"),
        plain: cell(GruConfig::new),
        with: cell(move |d_input, d_hidden| option(GruConfig::new(d_input, d_hidden))),
        products: same,
    };
    vec![
        of("reset before the product", |c| c.with_reset(Reset::Before)),
        of("layer norms", |c| {
            c.with_normalization(Normalization::Layer { epsilon: 1e-5 })
        }),
        of("update by replacing", |c| c.with_update(Update::Replace)),
        of("clip", |c| c.with_clip(Some(3.0))),
        of("learned initial state", |c| {
            c.with_initial_state(InitialState::Learned)
        }),
        of("ReLU candidate", |c| {
            c.with_activations(GruActivations {
                candidate: Activation::Relu,
                ..Default::default()
            })
        }),
        of("hard sigmoid gates", |c| {
            c.with_activations(GruActivations {
                gate: HARD_SIGMOID,
                ..Default::default()
            })
        }),
    ]
}

fn elman() -> Vec<Entry> {
    let mut entries: Vec<Entry> = (activations().into_iter())
        .map(|(name, activation)| Entry {
            name: format!("Elman, {name}"),
            plain: cell(ElmanConfig::new),
            with: cell(move |d_input, d_hidden| {
                ElmanConfig::new(d_input, d_hidden).with_activation(activation)
            }),
            products: same,
        })
        .collect();
    entries.push(Entry {
        name: "Elman, clip".into(),
        plain: cell(ElmanConfig::new),
        with: cell(|d_input, d_hidden| ElmanConfig::new(d_input, d_hidden).with_clip(Some(3.0))),
        products: same,
    });
    entries
}

fn stacks() -> Vec<Entry> {
    let both = || {
        StackConfig::new()
            .with_layers(2)
            .with_direction(Direction::Bidirectional)
    };
    let deep = || StackConfig::new().with_layers(3);
    let half_above = |[i, h]: [f64; 2]| [i + h + h + h, i + h + 2.0 * h + h];
    vec![
        Entry {
            name: "2 bidirectional layers, sum".into(),
            plain: stack(both()),
            with: stack(both().with_merge(Merge::Sum)),
            products: half_above,
        },
        Entry {
            name: "2 bidirectional layers, mean".into(),
            plain: stack(both()),
            with: stack(both().with_merge(Merge::Mean)),
            products: half_above,
        },
        Entry {
            name: "2 bidirectional layers, mul".into(),
            plain: stack(both()),
            with: stack(both().with_merge(Merge::Mul)),
            products: half_above,
        },
        Entry {
            name: "3 layers, residual".into(),
            plain: stack(deep()),
            with: stack(deep().with_connections(Connections::Residual)),
            products: same,
        },
        Entry {
            name: "3 layers, dense".into(),
            plain: stack(deep()),
            with: stack(deep().with_connections(Connections::Dense)),
            products: |[i, h]| [3.0 * i + 6.0 * h, i + 5.0 * h],
        },
        Entry {
            name: "LSTM, time first".into(),
            plain: cell(LstmConfig::new),
            with: Box::new(|shape, x, device| {
                let cell = LstmConfig::new(shape.d_input, shape.d_hidden).init(device);
                let axes = [shape.seq, shape.batch, shape.d_input];
                let x = x.clone().reshape(axes).detach().require_grad();
                step(cell, Sequences::time_major(x, None))
            }),
            products: same,
        },
    ]
}

const HARD_SIGMOID: Activation = Activation::HardSigmoid {
    alpha: 0.2,
    beta: 0.5,
};

/// All activations but tanh.
fn activations() -> Vec<(&'static str, Activation)> {
    vec![
        ("sigmoid", Activation::Sigmoid),
        ("ReLU", Activation::Relu),
        ("identity", Activation::IDENTITY),
        ("leaky ReLU", Activation::LeakyRelu { alpha: 0.01 }),
        (
            "thresholded ReLU",
            Activation::ThresholdedRelu { alpha: 0.1 },
        ),
        (
            "scaled tanh",
            Activation::ScaledTanh {
                alpha: 1.7159,
                beta: 0.6667,
            },
        ),
        ("hard sigmoid", HARD_SIGMOID),
        ("ELU", Activation::Elu { alpha: 1.0 }),
        ("softsign", Activation::Softsign),
        ("softplus", Activation::Softplus),
    ]
}
