//! The LSTM of silero-vad equals ONNX Runtime over 200 steps with its state carried: see `reference/silero/README.md`.

use std::path::Path;

use burn::tensor::{DType, Device, Tensor};
use rekindle_cells::{Cell, CellConfig, Lstm, LstmConfig, Recurrent};
use rekindle_interop::onnx::{Attributes, Inputs, Operator, Tensors};
use rekindle_interop::pytorch::{StateDict, build_stack, load_cell};
use rekindle_testkit::{Tolerance, assert_close_within, devices};

const STEPS: usize = 200;
const PREFIX: &str = "_model.decoder.rnn.";

fn read(name: &str) -> StateDict {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference/silero");
    StateDict::read(Path::new(folder).join(name)).unwrap_or_else(|error| panic!("{error}"))
}

fn tensor<const D: usize>(name: &str, device: &Device) -> Tensor<D> {
    let data = read("steps.safetensors").tensor(name).expect("it is there");
    Tensor::from_data(data, (device, DType::F32))
}

/// Asserts that hidden and cell states after each step, `[200, 128]`, are ONNX Runtime's.
fn assert_steps(hidden: Vec<Tensor<2>>, cells: Vec<Tensor<2>>, what: &str) {
    for (name, found) in [("Y", hidden), ("Y_c", cells)] {
        let found = Tensor::cat(found, 0);
        let expected: Tensor<2> = tensor::<4>(name, &found.device()).reshape([STEPS, 128]);
        assert_close_within(
            &found,
            &expected,
            Tolerance(1e-5),
            &format!("{what}: {name}"),
        );
    }
}

#[test]
fn from_the_tensors_of_onnx() {
    let dict = read("onnx_lstm.safetensors");
    let tensors = Tensors {
        w: dict.tensor("W").expect("W"),
        r: dict.tensor("R").expect("R"),
        b: dict.tensor("B"),
        p: None,
    };
    let attributes = Attributes {
        hidden_size: Some(128),
        ..Attributes::default()
    };
    for device in devices!() {
        let lstm = Operator::<Lstm>::new(&attributes, tensors.clone(), &device).expect("an LSTM");
        let x = tensor::<3>("X", &device);
        let mut h = tensor::<3>("initial_h", &device);
        let mut c = tensor::<3>("initial_c", &device);
        let (mut hidden, mut cells) = (Vec::new(), Vec::new());
        for step in 0..STEPS {
            let inputs = Inputs::new(x.clone().narrow(0, step, 1));
            let outputs = lstm.run(inputs.with_hidden(h).with_cell(c));
            (h, c) = (outputs.y_h, outputs.y_c.expect("an LSTM has a cell state"));
            hidden.push(h.clone().squeeze_dim(0));
            cells.push(c.clone().squeeze_dim(0));
        }
        assert_steps(hidden, cells, "steps of the ONNX node");

        let whole = lstm.run(Inputs::new(x));
        let expected = tensor::<4>("Y", &device);
        assert_close_within(&whole.y, &expected, Tolerance(1e-5), "the sequence");
    }
}

#[test]
fn from_the_tensors_of_pytorch() {
    let dict = read("torch_lstm.safetensors");
    for device in devices!() {
        let cell = LstmConfig::new(128, 128).init(&device);
        let (cell, report) = load_cell(cell, &dict, PREFIX).expect("an LSTMCell");
        assert_eq!(
            (report.matched.len(), report.unused.len(), report.outside),
            (4, 0, 0)
        );
        let x = tensor::<3>("X", &device);
        let mut state = cell.zero_state(1);
        let (mut hidden, mut cells) = (Vec::new(), Vec::new());
        for step in 0..STEPS {
            state = cell.step(x.clone().narrow(0, step, 1).squeeze_dim(0), state);
            hidden.push(state.hidden.clone());
            cells.push(state.cell.clone());
        }
        assert_steps(hidden, cells, "steps of PyTorch's cell");

        let (stack, _) = build_stack::<Lstm>(&dict, PREFIX, &device).expect("an LSTMCell");
        let (output, _) = stack.forward(x.swap_dims(0, 1), None);
        let expected: Tensor<3> = tensor::<4>("Y", &device).reshape([1, STEPS, 128]);
        assert_close_within(&output, &expected, Tolerance(1e-5), "the sequence");
    }
}
