//! ONNX's recurrent operators equal the specification and ONNX Runtime: see `reference/onnx/README.md`; and what is refused.

use std::collections::BTreeMap;
use std::path::Path;

use burn::tensor::{DType, Device, Tensor, TensorData};
use rekindle_cells::{Elman, Gru, Lstm};
use rekindle_interop::onnx::{Attributes, Inputs, OnnxCell, Operator, Outputs, Tensors};
use rekindle_testkit::{Tolerance, assert_close_within, devices};
use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Deserialize)]
struct Vectors {
    onnxruntime: String,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    op: String,
    attributes: Map<String, Value>,
    inputs: BTreeMap<String, Value>,
    outputs: BTreeMap<String, Numbers>,
}

#[derive(Deserialize)]
struct Numbers {
    shape: Vec<usize>,
    values: Vec<f64>,
}

impl Numbers {
    fn data(&self) -> TensorData {
        TensorData::new(self.values.clone(), self.shape.clone())
    }
}

fn vectors() -> Vectors {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/reference/onnx/onnx.json"
    );
    let text = std::fs::read_to_string(Path::new(path)).expect("the vectors are there");
    serde_json::from_str(&text).expect("the vectors have their form")
}

fn attributes(case: &Case) -> Attributes {
    let mut attributes = Attributes::default();
    for (name, value) in &case.attributes {
        let whole = || value.as_i64().expect("a whole number");
        let numbers = || -> Vec<f64> { serde_json::from_value(value.clone()).expect("numbers") };
        match name.as_str() {
            "activation_alpha" => attributes.activation_alpha = numbers(),
            "activation_beta" => attributes.activation_beta = numbers(),
            "activations" => {
                attributes.activations = serde_json::from_value(value.clone()).expect("names");
            }
            "clip" => attributes.clip = value.as_f64(),
            "direction" => attributes.direction = value.as_str().expect("a text").to_string(),
            "hidden_size" => attributes.hidden_size = Some(whole()),
            "input_forget" => attributes.input_forget = whole(),
            "layout" => attributes.layout = whole(),
            "linear_before_reset" => attributes.linear_before_reset = whole(),
            name => panic!("{}: unknown attribute {name}", case.name),
        }
    }
    attributes
}

impl Case {
    fn input(&self, name: &str, dtype: DType) -> Option<TensorData> {
        let value = self.inputs.get(name).filter(|value| !value.is_null())?;
        let numbers: Numbers = serde_json::from_value(value.clone()).expect("a tensor");
        Some(numbers.data().convert_dtype(dtype))
    }

    fn tensors(&self, dtype: DType) -> Tensors {
        Tensors {
            w: self.input("W", dtype).expect("W"),
            r: self.input("R", dtype).expect("R"),
            b: self.input("B", dtype),
            p: self.input("P", dtype),
        }
    }

    fn run<C: OnnxCell>(&self, (device, dtype): (&Device, DType)) -> Outputs {
        let operator = Operator::<C>::new(&attributes(self), self.tensors(dtype), device);
        let operator = operator.unwrap_or_else(|error| panic!("{}: {error}", self.name));
        let tensor = |name| Some(Tensor::from_data(self.input(name, dtype)?, (device, dtype)));
        let lengths = self.inputs["sequence_lens"].clone();
        operator.run(Inputs {
            x: tensor("X").expect("X"),
            sequence_lens: serde_json::from_value(lengths).expect("lengths"),
            initial_h: tensor("initial_h"),
            initial_c: tensor("initial_c"),
        })
    }

    fn assert_outputs<C: OnnxCell>(&self, options: (&Device, DType)) {
        let tolerance = match options.1 {
            DType::F32 => Tolerance(1e-5),
            _ => Tolerance::F64,
        };
        let Outputs { y, y_h, y_c } = self.run::<C>(options);
        let expected = &self.outputs["Y"].data();
        let expected = Tensor::<4>::from_data(expected.clone(), options);
        let what = |name: &str| format!("{}: {name}", self.name);
        assert_close_within(&y, &expected, tolerance, &what("Y"));
        for (name, found) in [("Y_h", Some(y_h)), ("Y_c", y_c)] {
            assert_eq!(
                found.is_some(),
                self.outputs.contains_key(name),
                "{}",
                what(name)
            );
            if let Some(found) = found {
                let expected = Tensor::<3>::from_data(self.outputs[name].data(), options);
                assert_close_within(&found, &expected, tolerance, &what(name));
            }
        }
    }
}

fn assert_every_case(dtype: DType) {
    let vectors = vectors();
    assert_eq!(vectors.onnxruntime, "1.32.0");
    assert_eq!(vectors.cases.len(), 159);
    for device in devices!() {
        for case in &vectors.cases {
            match case.op.as_str() {
                "RNN" => case.assert_outputs::<Elman>((&device, dtype)),
                "GRU" => case.assert_outputs::<Gru>((&device, dtype)),
                "LSTM" => case.assert_outputs::<Lstm>((&device, dtype)),
                op => panic!("{}: unknown operator {op}", case.name),
            }
        }
    }
}

#[test]
fn equals_the_specification_in_f64() {
    assert_every_case(DType::F64);
}

#[test]
fn equals_onnx_runtime_in_f32() {
    assert_every_case(DType::F32);
}

fn data(shape: &[usize]) -> TensorData {
    let count = shape.iter().product();
    TensorData::new(vec![0.1_f32; count], shape.to_vec())
}

/// Weights of a node with 2 inputs and 3 hidden units.
fn tensors(gates: usize, directions: usize) -> Tensors {
    Tensors {
        w: data(&[directions, gates * 3, 2]),
        r: data(&[directions, gates * 3, 3]),
        b: Some(data(&[directions, 2 * gates * 3])),
        p: None,
    }
}

fn error<C: OnnxCell>(attributes: Attributes, tensors: Tensors) -> String {
    let operator = Operator::<C>::new(&attributes, tensors, &Device::default());
    operator.unwrap_err().to_string()
}

#[test]
fn attributes_that_do_not_belong_are_named() {
    let default = Attributes::default;
    for (found, expected) in [
        (
            error::<Gru>(
                Attributes {
                    direction: "backward".to_string(),
                    ..default()
                },
                tensors(3, 1),
            ),
            "direction is \"backward\", expected \"forward\", \"reverse\" or \"bidirectional\"",
        ),
        (
            error::<Gru>(
                Attributes {
                    layout: 2,
                    ..default()
                },
                tensors(3, 1),
            ),
            "layout is 2, expected 0 or 1",
        ),
        (
            error::<Gru>(
                Attributes {
                    input_forget: 1,
                    ..default()
                },
                tensors(3, 1),
            ),
            "GRU has no input_forget, expected one of RNN, GRU and LSTM that has it",
        ),
        (
            error::<Lstm>(
                Attributes {
                    linear_before_reset: 1,
                    ..default()
                },
                tensors(4, 1),
            ),
            "LSTM has no linear_before_reset, expected one of RNN, GRU and LSTM that has it",
        ),
        (
            error::<Elman>(
                default(),
                Tensors {
                    p: Some(data(&[1, 9])),
                    ..tensors(1, 1)
                },
            ),
            "RNN has no P, expected one of RNN, GRU and LSTM that has it",
        ),
        (
            error::<Lstm>(
                Attributes {
                    hidden_size: Some(4),
                    ..default()
                },
                tensors(4, 1),
            ),
            "hidden_size is 4, expected 3, the last axis of R",
        ),
        (
            error::<Elman>(
                Attributes {
                    clip: Some(0.0),
                    ..default()
                },
                tensors(1, 1),
            ),
            "clip is 0, expected a finite threshold above 0",
        ),
        (
            error::<Elman>(
                Attributes {
                    activations: vec!["Elu".to_string()],
                    activation_alpha: vec![f64::NAN],
                    ..default()
                },
                tensors(1, 1),
            ),
            "activation alpha is NaN, expected a finite number",
        ),
    ] {
        assert_eq!(found, expected);
    }
}

#[test]
fn tensors_that_do_not_belong_are_named() {
    let default = Attributes::default;
    let both = || Attributes {
        direction: "bidirectional".to_string(),
        ..Attributes::default()
    };
    for (found, expected) in [
        (
            error::<Lstm>(default(), tensors(3, 1)),
            "R has shape [1, 9, 3], expected [1, 12, 3], that is [directions, gates·d_hidden, d_hidden]",
        ),
        (
            error::<Lstm>(both(), tensors(4, 1)),
            "R has shape [1, 12, 3], expected [2, 12, 3], that is [directions, gates·d_hidden, d_hidden]",
        ),
        (
            error::<Gru>(
                default(),
                Tensors {
                    b: Some(data(&[1, 9])),
                    ..tensors(3, 1)
                },
            ),
            "B has shape [1, 9], expected [1, 18], that is [directions, 2·gates·d_hidden]",
        ),
        (
            error::<Lstm>(
                default(),
                Tensors {
                    p: Some(data(&[1, 12])),
                    ..tensors(4, 1)
                },
            ),
            "P has shape [1, 12], expected [1, 9], that is [directions, 3·d_hidden]",
        ),
        (
            error::<Gru>(
                default(),
                Tensors {
                    w: data(&[9, 2]),
                    ..tensors(3, 1)
                },
            ),
            "W has shape [9, 2], expected [directions, gates·d_hidden, d_input]",
        ),
        (
            error::<Gru>(
                default(),
                Tensors {
                    r: data(&[1, 9, 3]).convert_dtype(DType::F64),
                    ..tensors(3, 1)
                },
            ),
            "R holds F64, expected F64, F32, F16 or BF16, the same in all tensors",
        ),
        (
            error::<Gru>(
                default(),
                Tensors {
                    w: data(&[1, 9, 2]).convert_dtype(DType::I32),
                    ..tensors(3, 1)
                },
            ),
            "W holds I32, expected F64, F32, F16 or BF16, the same in all tensors",
        ),
        (
            error::<Elman>(
                default(),
                Tensors {
                    w: data(&[1, 3, 0]),
                    ..tensors(1, 1)
                },
            ),
            "d_input is 0, expected a width of at least 1",
        ),
    ] {
        assert_eq!(found, expected);
    }
}

fn gru() -> Operator<Gru> {
    let device = Device::default().autodiff();
    Operator::new(&Attributes::default(), tensors(3, 1), &device).expect("a GRU")
}

#[test]
#[should_panic(expected = "GRU has no initial_c, expected none")]
fn a_gru_has_no_cell_state() {
    let device = Device::default().autodiff();
    let inputs = Inputs::new(Tensor::ones([4, 2, 2], &device));
    gru().run(inputs.with_cell(Tensor::ones([1, 2, 3], &device)));
}

#[test]
#[should_panic(expected = "initial_h has shape [2, 1, 3], expected [1, 2, 3]")]
fn an_initial_state_in_the_other_layout_is_refused() {
    let device = Device::default().autodiff();
    let inputs = Inputs::new(Tensor::ones([4, 2, 2], &device));
    gru().run(inputs.with_hidden(Tensor::ones([2, 1, 3], &device)));
}

#[test]
fn a_node_can_be_trained() {
    let device = Device::default().autodiff();
    let gru = gru();
    let outputs = gru.run(Inputs::new(Tensor::ones([4, 2, 2], &device)));
    let gradients = outputs.y.sum().backward();
    let cell = gru.stack.layers[0]
        .forward
        .as_ref()
        .expect("a forward cell");
    let weights = &cell.weights;
    for weight in [&weights.weight_ih, &weights.weight_hh] {
        let gradient = weight.val().grad(&gradients).expect("a gradient");
        assert!(gradient.abs().max().into_scalar::<f32>() > 0.0);
    }
}
