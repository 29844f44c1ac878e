//! Nodes that no network can be made from.

use burn::tensor::DType;
use rekindle_cells::CellConfigError;

/// A node that no network can be made from.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OperatorError {
    /// A direction that ONNX does not have.
    #[error("direction is {found:?}, expected \"forward\", \"reverse\" or \"bidirectional\"")]
    Direction {
        /// The value.
        found: String,
    },
    /// A switch that is neither off nor on.
    #[error("{attribute} is {found}, expected 0 or 1")]
    Switch {
        /// The attribute.
        attribute: &'static str,
        /// Its value.
        found: i64,
    },
    /// An attribute or input of another operator.
    #[error("{operator} has no {name}, expected one of RNN, GRU and LSTM that has it")]
    Foreign {
        /// The operator.
        operator: &'static str,
        /// The attribute or input.
        name: &'static str,
    },
    /// A hidden size that is not that of the tensors.
    #[error("hidden_size is {found}, expected {expected}, the last axis of R")]
    HiddenSize {
        /// The value.
        found: i64,
        /// The last axis of `R`.
        expected: usize,
    },
    /// A tensor of another shape.
    #[error("{tensor} has shape {found:?}, expected {expected:?}, that is {axes}")]
    Shape {
        /// The input of the operator.
        tensor: &'static str,
        /// Its shape.
        found: Vec<usize>,
        /// The shape that it needs beside the other tensors and the direction; an axis that may have any length as found.
        expected: Vec<usize>,
        /// The axes.
        axes: &'static str,
    },
    /// A tensor of another rank.
    #[error("{tensor} has shape {found:?}, expected {axes}")]
    Rank {
        /// The input of the operator.
        tensor: &'static str,
        /// Its shape.
        found: Vec<usize>,
        /// The axes.
        axes: &'static str,
    },
    /// A tensor that holds no floats, or others than `W` does.
    #[error("{tensor} holds {found:?}, expected F64, F32, F16 or BF16, the same in all tensors")]
    Type {
        /// The input of the operator.
        tensor: &'static str,
        /// The type of its numbers.
        found: DType,
    },
    /// Too few or too many activations.
    #[error(
        "activations has {found} names, expected {expected}: those of {operator} for each direction"
    )]
    ActivationCount {
        /// The operator.
        operator: &'static str,
        /// The number of names.
        found: usize,
        /// The number that the operator needs.
        expected: usize,
    },
    /// A function that ONNX does not have.
    #[error(
        "activation {name:?} is unknown, expected one of Relu, Tanh, Sigmoid, Affine, LeakyRelu, ThresholdedRelu, \
         ScaledTanh, HardSigmoid, Elu, Softsign, Softplus"
    )]
    Activation {
        /// The name.
        name: String,
    },
    /// A function without its number, for which ONNX states no default.
    #[error("activation {name:?} has no {number}, expected a value for it in activation_{number}")]
    NoDefault {
        /// The function.
        name: String,
        /// `alpha` or `beta`.
        number: &'static str,
    },
    /// Numbers or widths that the cell does not take.
    #[error(transparent)]
    Cell(#[from] CellConfigError),
}
