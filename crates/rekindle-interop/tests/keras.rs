//! Cells equal Keras's layers: reset after and before, masks, `go_backwards`, merged directions. See
//! `reference/keras/README.md`; the mapping of weights and masks is written out here.

use std::collections::BTreeMap;
use std::path::Path;

use burn::module::Param;
use burn::tensor::{DType, Device, Tensor, TensorData};
use rekindle_cells::{
    Activation, Cell, CellConfig, Direction, Elman, ElmanConfig, Gru, GruActivations, GruConfig,
    Lstm, LstmActivations, LstmConfig, LstmState, Merge, Recurrent, Reset, Sequences, Stack,
    StackConfig, StackState, State, Weights,
};
use rekindle_testkit::{Tolerance, assert_close_within, devices};
use serde::Deserialize;

#[derive(Deserialize)]
struct Vectors {
    keras: String,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    layer: String,
    merge_mode: Option<String>,
    config: Config,
    mask: Option<Vec<Vec<u8>>>,
    tensors: BTreeMap<String, Numbers>,
}

#[derive(Deserialize)]
struct Config {
    units: usize,
    activation: String,
    recurrent_activation: Option<String>,
    use_bias: bool,
    go_backwards: bool,
    zero_output_for_mask: bool,
    reset_after: Option<bool>,
}

#[derive(Deserialize)]
struct Numbers {
    shape: Vec<usize>,
    values: Vec<f64>,
}

type Options<'a> = (&'a Device, DType);

/// Keras's activations. Its `hard_sigmoid` has the slope 1/6.
fn activation(name: &str) -> Activation {
    match name {
        "tanh" => Activation::Tanh,
        "relu" => Activation::Relu,
        "sigmoid" => Activation::Sigmoid,
        "hard_sigmoid" => Activation::HardSigmoid {
            alpha: 1.0 / 6.0,
            beta: 0.5,
        },
        name => panic!("unknown activation {name}"),
    }
}

impl Case {
    fn get<const D: usize>(&self, name: &str, options: Options) -> Option<Tensor<D>> {
        let numbers = self.tensors.get(name)?;
        let data = TensorData::new(numbers.values.clone(), numbers.shape.clone());
        Some(Tensor::from_data(data, options))
    }

    fn tensor<const D: usize>(&self, name: &str, options: Options) -> Tensor<D> {
        self.get(name, options)
            .unwrap_or_else(|| panic!("{}: no {name}", self.name))
    }

    /// What the names of each direction's tensors begin with.
    fn prefixes(&self) -> &'static [&'static str] {
        match self.merge_mode {
            Some(_) => &["forward_", "backward_"],
            None => &[""],
        }
    }

    /// The steps of a row that count.
    fn valid(&self, row: usize, seq: usize) -> Vec<usize> {
        match &self.mask {
            Some(mask) => (0..seq).filter(|&step| mask[row][step] == 1).collect(),
            None => (0..seq).collect(),
        }
    }

    /// The weights of one direction, whose gates are those at `order` in Keras's.
    fn weights(&self, prefix: &str, order: &[usize], options: Options) -> Weights {
        let units = self.config.units;
        let matrix = |name: &str| {
            let packed = self.tensor::<2>(&format!("{prefix}{name}"), options);
            let blocks = order
                .iter()
                .map(|gate| packed.clone().narrow(1, gate * units, units));
            Param::from_tensor(Tensor::cat(blocks.collect(), 1))
        };
        let vector = |packed: Tensor<1>| {
            let blocks = order
                .iter()
                .map(|gate| packed.clone().narrow(0, gate * units, units));
            Some(Param::from_tensor(Tensor::cat(blocks.collect(), 0)))
        };
        let name = format!("{prefix}bias");
        let [bias_ih, bias_hh] = match (self.config.use_bias, self.config.reset_after) {
            (false, _) => [None, None],
            // The second row stands beside the recurrent product.
            (true, Some(true)) => {
                let rows: Tensor<2> = self.tensor(&name, options);
                [0, 1].map(|row| vector(rows.clone().narrow(0, row, 1).squeeze_dim(0)))
            }
            (true, _) => {
                let bias: Tensor<1> = self.tensor(&name, options);
                [vector(bias.clone()), vector(bias.zeros_like())]
            }
        };
        Weights {
            weight_ih: matrix("kernel"),
            weight_hh: matrix("recurrent_kernel"),
            bias_ih,
            bias_hh,
        }
    }
}

/// A cell from Keras's configuration and weights.
trait Keras: Cell {
    fn from_keras(case: &Case, prefix: &str, options: Options) -> Self;
    fn state(h: Tensor<2>, c: Option<Tensor<2>>) -> Self::State;
}

impl Keras for Elman {
    fn from_keras(case: &Case, prefix: &str, options: Options) -> Self {
        let mut cell = ElmanConfig::new(1, case.config.units)
            .with_activation(activation(&case.config.activation))
            .init(options.0);
        cell.weights = case.weights(prefix, &[0], options);
        cell
    }

    fn state(h: Tensor<2>, _c: Option<Tensor<2>>) -> Tensor<2> {
        h
    }
}

/// The activation of the gates.
fn of_gates(case: &Case) -> Activation {
    let name = case.config.recurrent_activation.as_deref();
    activation(name.expect("a gated layer"))
}

impl Keras for Gru {
    fn from_keras(case: &Case, prefix: &str, options: Options) -> Self {
        let mut cell = GruConfig::new(1, case.config.units)
            .with_reset(match case.config.reset_after {
                Some(true) => Reset::After,
                _ => Reset::Before,
            })
            .with_activations(GruActivations {
                gate: of_gates(case),
                candidate: activation(&case.config.activation),
            })
            .init(options.0);
        // z r h to r z n.
        cell.weights = case.weights(prefix, &[1, 0, 2], options);
        cell
    }

    fn state(h: Tensor<2>, _c: Option<Tensor<2>>) -> Tensor<2> {
        h
    }
}

impl Keras for Lstm {
    fn from_keras(case: &Case, prefix: &str, options: Options) -> Self {
        let mut cell = LstmConfig::new(1, case.config.units)
            .with_activations(LstmActivations {
                gate: of_gates(case),
                candidate: activation(&case.config.activation),
                output: activation(&case.config.activation),
            })
            .init(options.0);
        cell.weights = case.weights(prefix, &[0, 1, 2, 3], options);
        cell
    }

    fn state(h: Tensor<2>, c: Option<Tensor<2>>) -> LstmState {
        LstmState::new(c.expect("an LSTM has a cell state"), h)
    }
}

fn stack<C: Keras>(case: &Case, options: Options) -> Stack<C> {
    let mut cells = case
        .prefixes()
        .iter()
        .map(|prefix| C::from_keras(case, prefix, options));
    let direction = match (&case.merge_mode, case.config.go_backwards) {
        (Some(_), _) => Direction::Bidirectional,
        (None, false) => Direction::Forward,
        (None, true) => Direction::Reverse,
    };
    // Only its shape is used.
    let shape = StackConfig::new()
        .with_direction(direction)
        .init(&ElmanConfig::new(1, 1), options.0);
    let layer = &shape.layers[0];
    let layer = rekindle_cells::Layer {
        forward: layer.forward.as_ref().and_then(|_| cells.next()),
        reverse: layer.reverse.as_ref().and_then(|_| cells.next()),
    };
    Stack {
        layers: vec![layer],
        dropout: shape.dropout,
        merge: match case.merge_mode.as_deref() {
            Some("sum") => Merge::Sum,
            Some("mul") => Merge::Mul,
            Some("ave") => Merge::Mean,
            _ => Merge::Concat,
        },
        connections: shape.connections,
    }
}

/// The initial states of all directions, if the case has them.
fn initial<C: Keras>(case: &Case, options: Options) -> Option<StackState<C::State>> {
    let of_direction = |prefix: &&str| {
        let h = case.get(&format!("{prefix}initial_h"), options)?;
        let c = case.get(&format!("{prefix}initial_c"), options);
        Some(C::state(h, c))
    };
    let states: Option<Vec<_>> = case.prefixes().iter().map(of_direction).collect();
    Some(StackState {
        layers: vec![states?],
    })
}

/// Each row's steps that count, moved to its front: Keras passes over the others, so holes need no rule of their own.
fn sequences(case: &Case, options: Options) -> Sequences {
    let input: Tensor<3> = case.tensor("input", options);
    let [batch, seq, d_input] = input.dims();
    let rows = (0..batch).map(|row| {
        let valid = case.valid(row, seq);
        let of_row = |step: &usize| input.clone().slice([row..row + 1, *step..step + 1]);
        let padding = Tensor::full([1, seq - valid.len(), d_input], f64::NAN, options);
        let steps = valid.iter().map(of_row).chain([padding]);
        Tensor::cat(steps.collect(), 1)
    });
    let lengths = (0..batch).map(|row| case.valid(row, seq).len()).collect();
    Sequences::padded(Tensor::cat(rows.collect(), 0), lengths)
}

/// Outputs where Keras has them: back at their steps, with Keras's outputs of masked steps, in computing order.
fn as_keras(case: &Case, output: Tensor<3>) -> Tensor<3> {
    let [batch, seq, width] = output.dims();
    let zeros = case.merge_mode.is_some() || case.config.zero_output_for_mask;
    let backwards = case.merge_mode.is_none() && case.config.go_backwards;
    let rows = (0..batch).map(|row| {
        let valid = case.valid(row, seq);
        let mut previous = output.zeros_like().slice([0..1, 0..1, 0..width]);
        let mut steps = Vec::new();
        for k in 0..seq {
            let step = if backwards { seq - 1 - k } else { k };
            match valid.iter().position(|valid| *valid == step) {
                Some(at) => previous = output.clone().slice([row..row + 1, at..at + 1, 0..width]),
                None if zeros => previous = previous.zeros_like(),
                None => {}
            }
            steps.push(previous.clone());
        }
        Tensor::cat(steps, 1)
    });
    Tensor::cat(rows.collect(), 0)
}

/// Keras's output without `return_sequences` of two directions: each one's last, which is zero in rows without steps.
fn last_of_both<S: State>(case: &Case, states: &[S], merge: Merge) -> Tensor<2> {
    let [forward, backward] = [0, 1].map(|direction| {
        let hidden = states[direction].hidden();
        let [batch, width] = hidden.dims();
        let rows = (0..batch).map(|row| {
            let row_of = hidden.clone().slice([row..row + 1, 0..width]);
            match case
                .mask
                .as_ref()
                .is_some_and(|mask| !mask[row].contains(&1))
            {
                true => row_of.zeros_like(),
                false => row_of,
            }
        });
        Tensor::cat(rows.collect(), 0)
    });
    match merge {
        Merge::Concat => Tensor::cat(vec![forward, backward], 1),
        Merge::Sum => forward + backward,
        Merge::Mean => (forward + backward) / 2.0,
        Merge::Mul => forward * backward,
    }
}

fn assert_case<C: Keras>(case: &Case, options: Options) {
    let tolerance = match options.1 {
        DType::F32 => Tolerance(1e-5),
        _ => Tolerance::F64,
    };
    let stack = stack::<C>(case, options);
    let (output, state) = stack.forward(sequences(case, options), initial::<C>(case, options));
    let what = |name: &str| format!("{}: {name}", case.name);
    let output = as_keras(case, output);
    let expected = case.tensor("output", options);
    assert_close_within(&output, &expected, tolerance, &what("output"));

    let states = &state.layers[0];
    let last = match case.merge_mode {
        Some(_) => last_of_both(case, states, stack.merge),
        None => {
            let [_, seq, _] = output.dims();
            output.narrow(1, seq - 1, 1).squeeze_dim(1)
        }
    };
    let expected = case.tensor("last_output", options);
    assert_close_within(&last, &expected, tolerance, &what("last_output"));
    for (prefix, state) in case.prefixes().iter().zip(states) {
        let name = format!("{prefix}state_h");
        let expected = case.tensor(&name, options);
        assert_close_within(&state.hidden(), &expected, tolerance, &what(&name));
        let mut all = Vec::new();
        state.clone().map(|tensor| {
            all.push(tensor.clone());
            tensor
        });
        if let Some(expected) = case.get(&format!("{prefix}state_c"), options) {
            // The cell state is the first tensor of an LSTM's state.
            assert_close_within(&all[0], &expected, tolerance, &what("state_c"));
        }
    }
}

fn assert_every_case(dtype: DType) {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/reference/keras/keras.json"
    );
    let text = std::fs::read_to_string(Path::new(path)).expect("the vectors are there");
    let vectors: Vectors = serde_json::from_str(&text).expect("the vectors have their form");
    assert_eq!(vectors.keras, "3.15.1");
    assert_eq!(vectors.cases.len(), 90);
    for device in devices!() {
        for case in &vectors.cases {
            match case.layer.as_str() {
                "SimpleRNN" => assert_case::<Elman>(case, (&device, dtype)),
                "LSTM" => assert_case::<Lstm>(case, (&device, dtype)),
                "GRU" => assert_case::<Gru>(case, (&device, dtype)),
                layer => panic!("{}: unknown layer {layer}", case.name),
            }
        }
    }
}

#[test]
fn equals_keras_in_f32() {
    assert_every_case(DType::F32);
}

#[test]
fn equals_keras_in_f64() {
    assert_every_case(DType::F64);
}
