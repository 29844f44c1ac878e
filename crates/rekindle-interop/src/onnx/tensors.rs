//! The weights of ONNX's recurrent operators, and our order of gates.

use burn::module::Param;
use burn::tensor::{DType, Device, Tensor, TensorData};
use rekindle_cells::Weights;

use super::OperatorError;

/// The weights of an `RNN`, `GRU` or `LSTM` node, as ONNX keeps them. `G` is the number of gates: 1, 3 or 4.
///
/// They hold `f32` or `f64`, and so does the network; 16-bit floats become `f32`. The gates of an `LSTM` are `i o f c`, its
/// peepholes `i o f`, the gates of a `GRU` `z r h`.
#[derive(Clone, Debug)]
pub struct Tensors {
    /// `W`: `[directions, G·d_hidden, d_input]`.
    pub w: TensorData,
    /// `R`: `[directions, G·d_hidden, d_hidden]`.
    pub r: TensorData,
    /// `B`, the biases of `W` and behind them those of `R`: `[directions, 2·G·d_hidden]`. `None`: no biases.
    pub b: Option<TensorData>,
    /// `P`, the peepholes of an `LSTM`: `[directions, 3·d_hidden]`. `None`: no peepholes.
    pub p: Option<TensorData>,
}

const W: &str = "[directions, gates·d_hidden, d_input]";
const R: &str = "[directions, gates·d_hidden, d_hidden]";
const B: &str = "[directions, 2·gates·d_hidden]";
const P: &str = "[directions, 3·d_hidden]";

/// Tensors whose shapes belong together.
pub struct Checked {
    w: Tensor<3>,
    r: Tensor<3>,
    b: Option<Tensor<2>>,
    p: Option<Tensor<2>>,
    pub(super) d_input: usize,
    pub(super) d_hidden: usize,
}

impl Tensors {
    /// Checks types and shapes.
    pub(super) fn check(
        self,
        gates: usize,
        directions: usize,
        device: &Device,
    ) -> Result<Checked, OperatorError> {
        let Self { w, r, b, p } = self;
        let [w, r] = [("W", w), ("R", r)].map(|(name, data)| floats(name, data));
        let b = b.map(|data| floats("B", data)).transpose()?;
        let p = p.map(|data| floats("P", data)).transpose()?;
        let (w, r) = (w?, r?);
        let d_input = last_of_three("W", &w, W)?;
        let d_hidden = last_of_three("R", &r, R)?;
        let packed = gates * d_hidden;
        expect_shape("R", &r, &[directions, packed, d_hidden], R)?;
        expect_shape("W", &w, &[directions, packed, d_input], W)?;
        if let Some(b) = &b {
            expect_shape("B", b, &[directions, 2 * packed], B)?;
        }
        if let Some(p) = &p {
            expect_shape("P", p, &[directions, 3 * d_hidden], P)?;
        }
        let dtype = w.dtype();
        let others = [("R", Some(&r)), ("B", b.as_ref()), ("P", p.as_ref())];
        for (tensor, data) in others {
            if let Some(found) = data.map(TensorData::dtype).filter(|found| *found != dtype) {
                return Err(OperatorError::Type { tensor, found });
            }
        }
        let options = (device, dtype);
        Ok(Checked {
            w: Tensor::from_data(w, options),
            r: Tensor::from_data(r, options),
            b: b.map(|b| Tensor::from_data(b, options)),
            p: p.map(|p| Tensor::from_data(p, options)),
            d_input,
            d_hidden,
        })
    }
}

impl Checked {
    pub(super) fn has_bias(&self) -> bool {
        self.b.is_some()
    }

    pub(super) fn has_peepholes(&self) -> bool {
        self.p.is_some()
    }

    /// The weights of one direction, its gates those at `order` in ONNX's.
    pub(super) fn weights(&self, direction: usize, order: &[usize]) -> Weights {
        let matrix = |tensor: &Tensor<3>| {
            let rows = tensor.clone().narrow(0, direction, 1).squeeze_dim::<2>(0);
            parameter(self.blocks(rows, order).transpose())
        };
        let bias = |half: usize| {
            let row = self.b.clone()?.narrow(0, direction, 1).squeeze_dim::<1>(0);
            let [both] = row.dims();
            let row = row.narrow(0, half * both / 2, both / 2);
            Some(parameter(self.blocks(row, order)))
        };
        Weights {
            weight_ih: matrix(&self.w),
            weight_hh: matrix(&self.r),
            bias_ih: bias(0),
            bias_hh: bias(1),
        }
    }

    /// The peepholes of one direction, `[gates, d_hidden]`, those at `order` in ONNX's.
    pub(super) fn peepholes(&self, direction: usize, order: &[usize]) -> Option<Param<Tensor<2>>> {
        let row = self.p.clone()?.narrow(0, direction, 1).squeeze_dim::<1>(0);
        let blocks = self.blocks(row, order);
        Some(parameter(blocks.reshape([order.len(), self.d_hidden])))
    }

    /// The blocks of `d_hidden` along the first axis that `order` names, in its order.
    fn blocks<const D: usize>(&self, packed: Tensor<D>, order: &[usize]) -> Tensor<D> {
        let block = |&index: &usize| {
            packed
                .clone()
                .narrow(0, index * self.d_hidden, self.d_hidden)
        };
        Tensor::cat(order.iter().map(block).collect(), 0)
    }
}

/// A parameter that lies contiguous in memory.
fn parameter<const D: usize>(tensor: Tensor<D>) -> Param<Tensor<D>> {
    let (device, dtype) = (tensor.device(), tensor.dtype());
    Param::from_tensor(Tensor::from_data(tensor.into_data(), (&device, dtype)))
}

/// The numbers in `f32` or `f64`.
fn floats(tensor: &'static str, data: TensorData) -> Result<TensorData, OperatorError> {
    match data.dtype() {
        DType::F64 | DType::F32 => Ok(data),
        DType::F16 | DType::BF16 => Ok(data.convert_dtype(DType::F32)),
        found => Err(OperatorError::Type { tensor, found }),
    }
}

fn last_of_three(
    tensor: &'static str,
    data: &TensorData,
    axes: &'static str,
) -> Result<usize, OperatorError> {
    match *data.shape().as_slice() {
        [_, _, last] => Ok(last),
        ref found => Err(OperatorError::Rank {
            tensor,
            found: found.to_vec(),
            axes,
        }),
    }
}

fn expect_shape(
    tensor: &'static str,
    data: &TensorData,
    expected: &[usize],
    axes: &'static str,
) -> Result<(), OperatorError> {
    let found = data.shape().as_slice();
    match found == expected {
        true => Ok(()),
        false => Err(OperatorError::Shape {
            tensor,
            found: found.to_vec(),
            expected: expected.to_vec(),
            axes,
        }),
    }
}
