//! Convolutional LSTMs against Keras's: outputs, states and gradients of `reference/conv/keras.json`.

use std::collections::BTreeMap;
use std::path::Path;

use burn::module::Param;
use burn::tensor::{DType, Device, Tensor, TensorData};
use rekindle_cells::conv::{
    ConvCell, ConvCellConfig, ConvConfig, ConvLstm, ConvLstmConfig, ConvLstmState, ConvPadding,
    Frame, Frames, PerAxis,
};
use rekindle_cells::{LstmConfig, Order};
use rekindle_testkit::{NamedTensor, Tolerance, assert_close_within, devices};
use serde::Deserialize;

#[derive(Deserialize)]
struct Vectors {
    keras: String,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    space: Vec<usize>,
    kernel: Vec<usize>,
    stride: usize,
    dilation: usize,
    padding: String,
    bias: bool,
    go_backwards: bool,
    lengths: Option<Vec<usize>>,
    d_input: usize,
    d_hidden: usize,
    tensors: BTreeMap<String, NamedTensor>,
}

impl Case {
    fn tensor<const D: usize>(&self, name: &str, options: (&Device, DType)) -> Tensor<D> {
        let Some(NamedTensor { shape, values }) = self.tensors.get(name) else {
            panic!("{}: no tensor {name}", self.name);
        };
        Tensor::from_data(TensorData::new(values.clone(), shape.clone()), options)
    }

    /// Keras's kernel, `[…kernel, channels, gates·d_hidden]`, as ours, `[gates·d_hidden, channels, …kernel]`.
    fn kernel<const D: usize>(&self, name: &str, options: (&Device, DType)) -> Tensor<D> {
        let axes: [isize; D] = std::array::from_fn(|axis| match axis {
            0 => D as isize - 1,
            1 => D as isize - 2,
            _ => axis as isize - 2,
        });
        self.tensor::<D>(name, options).permute(axes)
    }

    fn padding(&self) -> ConvPadding {
        match self.padding.as_str() {
            "same" => ConvPadding::Same,
            "valid" => ConvPadding::Valid,
            other => panic!("{}: no padding {other}", self.name),
        }
    }

    /// The layer with Keras's weights. Its one bias is `b_ih`; `b_hh` is zero.
    fn layer<const D: usize>(&self, options: (&Device, DType)) -> ConvLstm<D>
    where
        Tensor<D>: Frame,
    {
        let cell = LstmConfig::new(self.d_input, self.d_hidden).with_bias(self.bias);
        let convolution = ConvConfig::new(PerAxis::Each(self.kernel.clone()))
            .with_stride(self.stride.into())
            .with_dilation(self.dilation.into())
            .with_padding(self.padding());
        let mut layer = ConvLstmConfig::<D>::new(cell, convolution).init(options.0);
        let weights = &mut layer.weights;
        weights.weight_ih = leaf(self.kernel("kernel", options));
        weights.weight_hh = leaf(self.kernel("recurrent_kernel", options));
        if self.bias {
            let bias: Tensor<1> = self.tensor("bias", options);
            weights.bias_hh = Some(leaf(bias.zeros_like()));
            weights.bias_ih = Some(leaf(bias));
        }
        layer
    }

    fn check<const D: usize, const S: usize>(&self, options: (&Device, DType), tolerance: Tolerance)
    where
        Tensor<D>: Frame<Sequence = Tensor<S>>,
    {
        let layer = self.layer::<D>(options);
        let x = self.tensor::<S>("input", options).require_grad();
        let [h_0, c_0] = ["h_0", "c_0"].map(|name| self.tensor::<D>(name, options).require_grad());
        let frames = match &self.lengths {
            Some(lengths) => Frames::padded(x.clone(), lengths.clone()),
            None => Frames::<D>::new(x.clone()),
        };
        assert_eq!(frames.space(), self.space, "{}", self.name);
        let order = match self.go_backwards {
            true => Order::Reverse,
            false => Order::Forward,
        };
        let state = ConvLstmState::new(c_0.clone(), h_0.clone());
        let (output, state) = layer.scan(frames, state, order);
        let output: Tensor<S> = output.into_sequence();

        let what = |name: &str| format!("{} {:?}: {name}", self.name, options.0);
        let maps = [("h_n", &state.hidden), ("c_n", &state.cell)];
        for (name, found) in maps {
            assert_close_within(found, &self.tensor(name, options), tolerance, &what(name));
        }
        let expected = self.tensor::<S>("output", options);
        assert_close_within(&output, &expected, tolerance, &what("output"));

        let loss = (output * self.tensor::<S>("output_weight", options)).sum()
            + (state.hidden * self.tensor::<D>("hidden_weight", options)).sum()
            + (state.cell * self.tensor::<D>("cell_weight", options)).sum();
        let gradients = loss.backward();
        let plain = (&options.0.clone().inner(), options.1);
        let found = x.grad(&gradients).expect("the input has a gradient");
        assert_close_within(
            &found,
            &self.tensor("grad.input", plain),
            tolerance,
            &what("input"),
        );
        for (name, leaf) in [("h_0", h_0), ("c_0", c_0)] {
            let found = leaf.grad(&gradients).expect("a state has a gradient");
            let expected = self.tensor(&format!("grad.{name}"), plain);
            assert_close_within(&found, &expected, tolerance, &what(name));
        }
        let weights = &layer.weights;
        let kernels = [
            ("kernel", &weights.weight_ih),
            ("recurrent_kernel", &weights.weight_hh),
        ];
        for (name, kernel) in kernels {
            let found = kernel.grad(&gradients).expect("a kernel has a gradient");
            let expected = self.kernel(&format!("grad.{name}"), plain);
            assert_close_within(&found, &expected, tolerance, &what(name));
        }
        for bias in weights.bias_ih.iter().chain(&weights.bias_hh) {
            let found = bias.grad(&gradients).expect("a bias has a gradient");
            let expected = self.tensor("grad.bias", plain);
            assert_close_within(&found, &expected, tolerance, &what("bias"));
        }
    }
}

fn leaf<const D: usize>(values: Tensor<D>) -> Param<Tensor<D>> {
    Param::from_tensor(values.detach().require_grad())
}

#[test]
fn convolutional_lstms_are_those_of_keras() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/conv/keras.json");
    let text = std::fs::read_to_string(&path).expect("the file of vectors");
    let vectors: Vectors = serde_json::from_str(&text).expect("its form");
    assert_eq!(
        (vectors.keras.as_str(), vectors.cases.len()),
        ("3.15.1", 12)
    );
    for device in devices!() {
        let device = device.autodiff();
        for (dtype, tolerance) in [(DType::F64, Tolerance::F64), (DType::F32, Tolerance::F32)] {
            for case in &vectors.cases {
                match case.kernel.len() {
                    1 => case.check::<3, 4>((&device, dtype), tolerance),
                    2 => case.check::<4, 5>((&device, dtype), tolerance),
                    3 => case.check::<5, 6>((&device, dtype), tolerance),
                    axes => panic!("{}: {axes} axes", case.name),
                }
            }
        }
    }
}
