//! Outputs, states and gradients equal PyTorch's: see `reference/README.md` for how the vectors were made.

use std::path::Path;

use burn::module::Param;
use burn::tensor::{DType, Device, Gradients, Tensor};
use rekindle_cells::{
    Activation, Cell, CellConfig, Direction, Elman, ElmanConfig, Gru, GruConfig, Lstm, LstmConfig,
    LstmState, Recurrent, Sequences, Stack, StackConfig, StackState, State, Weights,
};
use rekindle_testkit::{Case, Tolerance, Vectors, assert_close_within, devices};

/// How far results may lie from PyTorch's `f64` results.
fn tolerance(dtype: DType) -> Tolerance {
    match dtype {
        DType::F32 => Tolerance(1e-5),
        _ => Tolerance::F64,
    }
}

/// A state from PyTorch's tensors, and back.
trait TorchState: State {
    fn from_torch(h: Tensor<2>, c: Option<Tensor<2>>) -> Self;
    fn to_torch(&self) -> Vec<(&'static str, Tensor<2>)>;
}

impl TorchState for Tensor<2> {
    fn from_torch(h: Tensor<2>, _c: Option<Tensor<2>>) -> Self {
        h
    }

    fn to_torch(&self) -> Vec<(&'static str, Tensor<2>)> {
        vec![("h", self.clone())]
    }
}

impl TorchState for LstmState {
    fn from_torch(h: Tensor<2>, c: Option<Tensor<2>>) -> Self {
        LstmState::new(c.expect("an LSTM has a cell state"), h)
    }

    fn to_torch(&self) -> Vec<(&'static str, Tensor<2>)> {
        vec![("h", self.hidden.clone()), ("c", self.cell.clone())]
    }
}

/// A cell with the parameters of one PyTorch layer and direction, whose names end in `suffix`.
trait TorchCell: Cell<State: TorchState> {
    /// Takes the parameters of a case.
    fn load(&mut self, case: &Case, suffix: &str, options: (&Device, DType));

    /// The parameters that not every cell has, by PyTorch's names.
    fn further(&self) -> Vec<(&'static str, &Param<Tensor<2>>)> {
        Vec::new()
    }
}

impl TorchCell for Elman {
    fn load(&mut self, case: &Case, suffix: &str, options: (&Device, DType)) {
        self.weights = weights(case, suffix, options);
    }
}

impl TorchCell for Gru {
    fn load(&mut self, case: &Case, suffix: &str, options: (&Device, DType)) {
        self.weights = weights(case, suffix, options);
    }
}

impl TorchCell for Lstm {
    fn load(&mut self, case: &Case, suffix: &str, options: (&Device, DType)) {
        self.weights = weights(case, suffix, options);
        let weight_hr = case
            .d_projected
            .map(|_| weight(case, "weight_hr", suffix, options));
        self.weight_hr = weight_hr;
    }

    fn further(&self) -> Vec<(&'static str, &Param<Tensor<2>>)> {
        self.weight_hr
            .iter()
            .map(|weight| ("weight_hr", weight))
            .collect()
    }
}

/// A weight of one layer and direction. PyTorch stores `[out, in]`.
fn weight(case: &Case, name: &str, suffix: &str, options: (&Device, DType)) -> Param<Tensor<2>> {
    let tensor: Tensor<2> = case.tensor(&format!("{name}{suffix}"), options);
    Param::from_tensor(tensor.transpose())
}

/// The weights and biases of one layer and direction.
fn weights(case: &Case, suffix: &str, options: (&Device, DType)) -> Weights {
    let bias = |name: &str| {
        case.get::<1>(&format!("{name}{suffix}"), options)
            .map(Param::from_tensor)
    };
    Weights {
        weight_ih: weight(case, "weight_ih", suffix, options),
        weight_hh: weight(case, "weight_hh", suffix, options),
        bias_ih: bias("bias_ih"),
        bias_hh: bias("bias_hh"),
    }
}

/// Asserts that the gradients of a cell's parameters are PyTorch's.
fn assert_parameter_gradients(
    case: &Case,
    suffix: &str,
    cell: &impl TorchCell,
    gradients: &Gradients,
    options: (&Device, DType),
) {
    let what = |name: &str| format!("{}: gradient of {name}{suffix}", case.name);
    let weights = cell.weights();
    let [ih, hh] = [
        ("weight_ih", &weights.weight_ih),
        ("weight_hh", &weights.weight_hh),
    ];
    for (name, weight) in [ih, hh].into_iter().chain(cell.further()) {
        let found = weight.grad(gradients).expect("a gradient").transpose();
        let expected = case.tensor::<2>(&format!("grad.{name}{suffix}"), options);
        assert_close_within(&found, &expected, tolerance(options.1), &what(name));
    }
    for (name, bias) in [("bias_ih", &weights.bias_ih), ("bias_hh", &weights.bias_hh)] {
        if let Some(bias) = bias {
            let found = bias.grad(gradients).expect("a gradient");
            let expected = case.tensor::<1>(&format!("grad.{name}{suffix}"), options);
            assert_close_within(&found, &expected, tolerance(options.1), &what(name));
        }
    }
}

/// PyTorch's suffixes in the order of its states.
fn suffixes(case: &Case) -> Vec<String> {
    let directions: &[&str] = if case.bidirectional {
        &["", "_reverse"]
    } else {
        &[""]
    };
    let layers = 0..case.layers;
    layers
        .flat_map(|l| directions.iter().map(move |d| format!("_l{l}{d}")))
        .collect()
}

/// A stack with PyTorch's weights.
fn stack<F: CellConfig>(case: &Case, cell: &F, options: (&Device, DType)) -> Stack<F::Cell>
where
    F::Cell: TorchCell,
{
    let direction = if case.bidirectional {
        Direction::Bidirectional
    } else {
        Direction::Forward
    };
    let config = StackConfig::new()
        .with_layers(case.layers)
        .with_direction(direction);
    let mut stack = config.init(cell, options.0);
    let cells = stack
        .layers
        .iter_mut()
        .flat_map(|l| l.forward.iter_mut().chain(&mut l.reverse));
    for (cell, suffix) in cells.zip(suffixes(case)) {
        cell.load(case, &suffix, options);
    }
    stack
}

fn assert_sequence<F: CellConfig>(case: &Case, cell: &F, options: (&Device, DType))
where
    F::Cell: TorchCell,
{
    let stack = stack(case, cell, options);
    let tolerance = tolerance(options.1);
    let inner = (&options.0.clone().inner(), options.1);

    let input: Tensor<3> = case.tensor::<3>("input", options).require_grad();
    let h_0 = case.tensor::<3>("h_0", options).require_grad();
    let c_0 = case.get::<3>("c_0", options).map(Tensor::require_grad);
    let per_layer = if case.bidirectional { 2 } else { 1 };
    let part = |tensor: &Tensor<3>, i: usize| tensor.clone().narrow(0, i, 1).squeeze_dim::<2>(0);
    let states: Vec<<F::Cell as Cell>::State> = (0..case.layers * per_layer)
        .map(|i| TorchState::from_torch(part(&h_0, i), c_0.as_ref().map(|c| part(c, i))))
        .collect();
    let layers = states.chunks(per_layer).map(<[_]>::to_vec).collect();

    let sequences = match &case.lengths {
        Some(lengths) => Sequences::padded(input.clone(), lengths.clone()),
        None => input.clone().into(),
    };
    let (output, state) = stack.forward(sequences, Some(StackState { layers }));
    let check = |name: &str, found: Tensor<3>| {
        let expected = case.tensor::<3>(name, inner);
        assert_close_within(
            &found.inner(),
            &expected,
            tolerance,
            &format!("{}: {name}", case.name),
        );
    };
    check("output", output.clone());
    let mut loss = (output * case.tensor("output_weight", options)).sum();
    let ends: Vec<_> = state
        .layers
        .iter()
        .flatten()
        .map(TorchState::to_torch)
        .collect();
    for (index, (name, _)) in ends[0].iter().enumerate() {
        let stacked: Tensor<3> =
            Tensor::stack(ends.iter().map(|e| e[index].1.clone()).collect(), 0);
        check(&format!("{name}_n"), stacked.clone());
        let weight = if *name == "h" {
            "hidden_weight"
        } else {
            "cell_weight"
        };
        loss = loss + (stacked * case.tensor(weight, options)).sum();
    }

    let gradients = loss.backward();
    for (name, leaf) in [
        ("input", Some(&input)),
        ("h_0", Some(&h_0)),
        ("c_0", c_0.as_ref()),
    ] {
        let Some(leaf) = leaf else { continue };
        let found = leaf.grad(&gradients).expect("a gradient");
        let expected = case.tensor::<3>(&format!("grad.{name}"), inner);
        assert_close_within(
            &found,
            &expected,
            tolerance,
            &format!("{}: gradient of {name}", case.name),
        );
    }
    let cells = stack
        .layers
        .iter()
        .flat_map(|l| l.forward.iter().chain(&l.reverse));
    for (cell, suffix) in cells.zip(suffixes(case)) {
        assert_parameter_gradients(case, &suffix, cell, &gradients, inner);
    }
}

fn assert_step<F: CellConfig>(case: &Case, cell: &F, options: (&Device, DType))
where
    F::Cell: TorchCell,
{
    let mut cell = cell.init(options.0);
    cell.load(case, "", options);
    let tolerance = tolerance(options.1);
    let inner = (&options.0.clone().inner(), options.1);
    let leaf = |name: &str| case.get::<2>(name, options).map(Tensor::require_grad);
    let (input, h_0, c_0) = (leaf("input"), leaf("h_0"), leaf("c_0"));
    let (x, h) = (input.clone().expect("input"), h_0.clone().expect("h_0"));
    let state: <F::Cell as Cell>::State = TorchState::from_torch(h, c_0.clone());
    let end = cell.step(x, state).to_torch();

    let mut losses = Vec::new();
    for (name, found) in end {
        let expected = case.tensor::<2>(&format!("{name}_n"), inner);
        let what = format!("{}: {name}_n", case.name);
        assert_close_within(&found.clone().inner(), &expected, tolerance, &what);
        let weight = if name == "h" {
            "hidden_weight"
        } else {
            "cell_weight"
        };
        losses.push((found * case.tensor(weight, options)).sum());
    }
    let gradients = losses
        .into_iter()
        .reduce(|a, b| a + b)
        .expect("a state")
        .backward();
    for (name, leaf) in [("input", input), ("h_0", h_0), ("c_0", c_0)] {
        let Some(leaf) = leaf else { continue };
        let found = leaf.grad(&gradients).expect("a gradient");
        let expected = case.tensor::<2>(&format!("grad.{name}"), inner);
        assert_close_within(
            &found,
            &expected,
            tolerance,
            &format!("{}: gradient of {name}", case.name),
        );
    }
    assert_parameter_gradients(case, "", &cell, &gradients, inner);
}

/// Checks one case of a cell.
fn assert_kind<F: CellConfig>(case: &Case, cell: &F, options: (&Device, DType))
where
    F::Cell: TorchCell,
{
    match case.kind.as_str() {
        "sequence" => assert_sequence(case, cell, options),
        "step" => assert_step(case, cell, options),
        kind => panic!("{}: unknown kind {kind}", case.name),
    }
}

/// Checks one case of any cell.
fn assert_case(case: &Case, options: (&Device, DType)) {
    let (d_input, d_hidden) = (case.d_input, case.d_hidden);
    let elman = ElmanConfig::new(d_input, d_hidden).with_bias(case.bias);
    let gru = GruConfig::new(d_input, d_hidden).with_bias(case.bias);
    let lstm = LstmConfig::new(d_input, d_hidden)
        .with_bias(case.bias)
        .with_d_projected(case.d_projected);
    match case.cell.as_str() {
        "lstm" => assert_kind(case, &lstm, options),
        "gru" => assert_kind(case, &gru, options),
        "rnn_tanh" => assert_kind(case, &elman, options),
        "rnn_relu" => assert_kind(case, &elman.with_activation(Activation::Relu), options),
        cell => panic!("{}: unknown cell {cell}", case.name),
    }
}

fn assert_every_case(dtype: DType) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference/pytorch.json");
    let vectors = Vectors::read(Path::new(path));
    assert_eq!(vectors.torch, "2.15.0");
    let is_projected = |case: &&Case| case.d_projected.is_some();
    let projected = vectors.cases.iter().filter(is_projected).count();
    assert!(vectors.cases.len() >= 78 && projected >= 14);
    for device in devices!() {
        for case in &vectors.cases {
            assert_case(case, (&device.clone().autodiff(), dtype));
        }
    }
}

#[test]
fn equals_pytorch_in_f32() {
    assert_every_case(DType::F32);
}

#[test]
fn equals_pytorch_in_f64() {
    assert_every_case(DType::F64);
}
