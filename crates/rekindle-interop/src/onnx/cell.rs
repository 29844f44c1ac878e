//! The cells of ONNX's recurrent operators.

use burn::tensor::{Device, Tensor};
use rekindle_cells::{
    Activation, Cell, CellConfig, Elman, ElmanConfig, Gru, GruActivations, GruConfig, Lstm,
    LstmActivations, LstmConfig, LstmGates, LstmState, Peepholes, RecurrentScheme, Reset, State,
};
use rekindle_cells::{GateBias, Initializer};

use super::tensors::Checked;
use super::{Attributes, OperatorError};

/// The cell of one of ONNX's recurrent operators: [`Elman`] of `RNN`, [`Gru`] of `GRU`, [`Lstm`] of `LSTM`.
///
/// It cannot be implemented for other cells: ONNX has no others.
pub trait OnnxCell: Cell + sealed::Build {
    /// The operator.
    const OPERATOR: &'static str;
}

pub(super) mod sealed {
    use super::*;

    /// What differs from operator to operator.
    pub trait Build: Cell<State: OperatorState> {
        /// The number of gates in ONNX's tensors.
        const GATES: usize;
        /// The activations that ONNX takes by default.
        const ACTIVATIONS: &'static [Activation];

        /// Checks that there is no attribute and no input of another operator, and that switches are 0 or 1.
        fn check(attributes: &Attributes, has_peepholes: bool) -> Result<(), OperatorError>;

        /// The cell of one direction.
        fn build(
            attributes: &Attributes,
            tensors: &Checked,
            direction: usize,
            activations: &[Activation],
            device: &Device,
        ) -> Result<Self, OperatorError>;
    }

    /// A state as operators take and give it.
    pub trait OperatorState: State {
        /// The state with other tensors in it.
        fn with(self, hidden: Option<Tensor<2>>, cell: Option<Tensor<2>>) -> Self;

        /// The cell state, if there is one.
        fn cell_state(&self) -> Option<Tensor<2>>;
    }
}

use sealed::{Build, OperatorState};

/// A scheme that draws no numbers: all weights are replaced.
fn zeros() -> RecurrentScheme {
    RecurrentScheme {
        input: Initializer::Zeros,
        recurrent: Initializer::Zeros,
        bias: Initializer::Zeros,
        gate_bias: GateBias::None,
        gates: Vec::new(),
    }
}

fn refuse(operator: &'static str, given: &[(bool, &'static str)]) -> Result<(), OperatorError> {
    match given.iter().find(|(is_given, _)| *is_given) {
        Some(&(_, name)) => Err(OperatorError::Foreign { operator, name }),
        None => Ok(()),
    }
}

impl OnnxCell for Elman {
    const OPERATOR: &'static str = "RNN";
}

impl Build for Elman {
    const GATES: usize = 1;
    const ACTIVATIONS: &'static [Activation] = &[Activation::Tanh];

    fn check(attributes: &Attributes, has_peepholes: bool) -> Result<(), OperatorError> {
        let given = [
            (attributes.is_coupled()?, "input_forget"),
            (attributes.is_linear_before_reset()?, "linear_before_reset"),
            (has_peepholes, "P"),
        ];
        refuse(Self::OPERATOR, &given)
    }

    fn build(
        attributes: &Attributes,
        tensors: &Checked,
        direction: usize,
        activations: &[Activation],
        device: &Device,
    ) -> Result<Self, OperatorError> {
        let config = ElmanConfig::new(tensors.d_input, tensors.d_hidden)
            .with_bias(tensors.has_bias())
            .with_init(zeros())
            .with_activation(activations[0])
            .with_clip(attributes.clip);
        config.validate()?;
        let mut cell = config.init(device);
        cell.weights = tensors.weights(direction, &[0]);
        Ok(cell)
    }
}

impl OnnxCell for Gru {
    const OPERATOR: &'static str = "GRU";
}

impl Build for Gru {
    const GATES: usize = 3;
    const ACTIVATIONS: &'static [Activation] = &[Activation::Sigmoid, Activation::Tanh];

    fn check(attributes: &Attributes, has_peepholes: bool) -> Result<(), OperatorError> {
        attributes.is_linear_before_reset()?;
        let given = [
            (attributes.is_coupled()?, "input_forget"),
            (has_peepholes, "P"),
        ];
        refuse(Self::OPERATOR, &given)
    }

    fn build(
        attributes: &Attributes,
        tensors: &Checked,
        direction: usize,
        activations: &[Activation],
        device: &Device,
    ) -> Result<Self, OperatorError> {
        let config = GruConfig::new(tensors.d_input, tensors.d_hidden)
            .with_bias(tensors.has_bias())
            .with_init(zeros())
            .with_reset(match attributes.is_linear_before_reset()? {
                true => Reset::After,
                false => Reset::Before,
            })
            .with_activations(GruActivations {
                gate: activations[0],
                candidate: activations[1],
            })
            .with_clip(attributes.clip);
        config.validate()?;
        let mut cell = config.init(device);
        // z r h to r z n.
        cell.weights = tensors.weights(direction, &[1, 0, 2]);
        Ok(cell)
    }
}

impl OnnxCell for Lstm {
    const OPERATOR: &'static str = "LSTM";
}

impl Build for Lstm {
    const GATES: usize = 4;
    const ACTIVATIONS: &'static [Activation] =
        &[Activation::Sigmoid, Activation::Tanh, Activation::Tanh];

    fn check(attributes: &Attributes, _has_peepholes: bool) -> Result<(), OperatorError> {
        attributes.is_coupled()?;
        let given = [(attributes.is_linear_before_reset()?, "linear_before_reset")];
        refuse(Self::OPERATOR, &given)
    }

    fn build(
        attributes: &Attributes,
        tensors: &Checked,
        direction: usize,
        activations: &[Activation],
        device: &Device,
    ) -> Result<Self, OperatorError> {
        // i o f c to i f g o, and i o f to i f o; a coupled cell has no forget gate.
        let (gates, order, peepholes): (_, &[usize], &[usize]) = match attributes.is_coupled()? {
            true => (LstmGates::Coupled, &[0, 3, 1], &[0, 1]),
            false => (LstmGates::All, &[0, 2, 3, 1], &[0, 2, 1]),
        };
        let config = LstmConfig::new(tensors.d_input, tensors.d_hidden)
            .with_bias(tensors.has_bias())
            .with_init(zeros())
            .with_gates(gates)
            .with_peepholes(match tensors.has_peepholes() {
                true => Peepholes::Diagonal,
                false => Peepholes::None,
            })
            .with_activations(LstmActivations {
                gate: activations[0],
                candidate: activations[1],
                output: activations[2],
            })
            .with_clip(attributes.clip);
        config.validate()?;
        let mut cell = config.init(device);
        cell.weights = tensors.weights(direction, order);
        cell.peepholes = tensors.peepholes(direction, peepholes);
        Ok(cell)
    }
}

impl OperatorState for Tensor<2> {
    fn with(self, hidden: Option<Self>, _cell: Option<Self>) -> Self {
        hidden.unwrap_or(self)
    }

    fn cell_state(&self) -> Option<Self> {
        None
    }
}

impl OperatorState for LstmState {
    fn with(self, hidden: Option<Tensor<2>>, cell: Option<Tensor<2>>) -> Self {
        Self {
            hidden: hidden.unwrap_or(self.hidden),
            cell: cell.unwrap_or(self.cell),
            gates: self.gates,
        }
    }

    fn cell_state(&self) -> Option<Tensor<2>> {
        Some(self.cell.clone())
    }
}
