//! The cells that PyTorch has, too.

use burn::module::Param;
use burn::tensor::{DType, Tensor, TensorData};
use rekindle_cells::{
    Activation, Cell, CellConfig, Connections, Direction, Elman, ElmanConfig, Gru, GruActivations,
    GruConfig, Lstm, LstmActivations, LstmConfig, LstmGates, Merge, Reset, Stack, Update, Weights,
};

/// A network that PyTorch's module does not have, so that its weights would mean something else there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("PyTorch's {module} has no {option}: its weights would belong to other equations")]
#[non_exhaustive]
pub struct UnsupportedError {
    /// The module, `nn.LSTM`.
    pub module: &'static str,
    /// What the network has and the module has not.
    pub option: &'static str,
}

/// Widths and biases, as the shapes in a state dict tell them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dimensions {
    /// Width of the input.
    pub d_input: usize,
    /// Hidden units.
    pub d_hidden: usize,
    /// Width of the projected hidden state, if there is a projection.
    pub d_projected: Option<usize>,
    /// Whether there are biases.
    pub bias: bool,
}

/// A parameter of a cell. A matrix is the transpose of PyTorch's.
#[derive(Debug)]
pub enum Parameter<'a> {
    /// `[in, out]`.
    Matrix(&'a mut Param<Tensor<2>>),
    /// `[out]`.
    Vector(&'a mut Param<Tensor<1>>),
}

impl Parameter<'_> {
    /// The shape that PyTorch keeps it in.
    pub(super) fn torch_shape(&self) -> Vec<usize> {
        match self {
            Self::Matrix(param) => {
                let [rows, columns] = param.dims();
                vec![columns, rows]
            }
            Self::Vector(param) => param.dims().to_vec(),
        }
    }

    /// Its numbers, a matrix as `[in, out]`.
    pub(super) fn data(&self) -> TensorData {
        match self {
            Self::Matrix(param) => param.val().into_data(),
            Self::Vector(param) => param.val().into_data(),
        }
    }

    /// Gives it other numbers of the same shape, and their type. Its id, its device and whether it is trained stay.
    pub(super) fn set(self, data: TensorData) {
        match self {
            Self::Matrix(param) => replace(param, data),
            Self::Vector(param) => replace(param, data),
        }
    }
}

fn replace<const D: usize>(param: &mut Param<Tensor<D>>, data: TensorData) {
    *param = param.clone().map(|old| {
        let dtype: DType = data.dtype();
        let new = Tensor::from_data(data, (&old.device(), dtype));
        match old.is_require_grad() {
            true => new.require_grad(),
            false => new,
        }
    });
}

/// A cell with the equations of one of PyTorch's recurrent modules.
///
/// PyTorch packs gates in the same order, `i f g o` and `r z n`, and keeps matrices as `[out, in]`.
pub trait PytorchCell: Cell {
    /// Its configuration.
    type Config: CellConfig<Cell = Self>;

    /// PyTorch's module of layers, `nn.LSTM`.
    const MODULE: &'static str;

    /// The number of gates.
    const GATES: usize;

    /// Whether PyTorch's module can project its hidden state.
    const HAS_PROJECTION: bool;

    /// The configuration of the cell that PyTorch's module has at these dimensions.
    fn config(dimensions: Dimensions) -> Self::Config;

    /// An option of this cell that PyTorch's module does not have.
    fn unsupported(&self) -> Option<&'static str>;

    /// All parameters with PyTorch's names for them, without layer and direction.
    fn parameters(&mut self) -> Vec<(&'static str, Parameter<'_>)>;
}

fn of_weights(weights: &mut Weights) -> Vec<(&'static str, Parameter<'_>)> {
    let Weights {
        weight_ih,
        weight_hh,
        bias_ih,
        bias_hh,
    } = weights;
    let mut parameters = vec![
        ("weight_ih", Parameter::Matrix(weight_ih)),
        ("weight_hh", Parameter::Matrix(weight_hh)),
    ];
    let biases = [("bias_ih", bias_ih), ("bias_hh", bias_hh)];
    parameters.extend(
        biases
            .into_iter()
            .filter_map(|(name, bias)| Some((name, Parameter::Vector(bias.as_mut()?)))),
    );
    parameters
}

/// The first option that is set.
fn first(options: &[(bool, &'static str)]) -> Option<&'static str> {
    let set = options.iter().find(|(is_set, _)| *is_set);
    set.map(|(_, option)| *option)
}

const LEARNED: &str = "learned initial state";
const CLIP: &str = "clip";
const ACTIVATIONS: &str = "choice of activations";

impl PytorchCell for Elman {
    type Config = ElmanConfig;

    const MODULE: &'static str = "nn.RNN";
    const GATES: usize = 1;
    const HAS_PROJECTION: bool = false;

    fn config(dimensions: Dimensions) -> ElmanConfig {
        ElmanConfig::new(dimensions.d_input, dimensions.d_hidden).with_bias(dimensions.bias)
    }

    fn unsupported(&self) -> Option<&'static str> {
        let known = matches!(self.activation, Activation::Tanh | Activation::Relu);
        first(&[
            (!known, "activation but tanh and relu"),
            (self.clip.is_some(), CLIP),
            (self.initial.is_some(), LEARNED),
        ])
    }

    fn parameters(&mut self) -> Vec<(&'static str, Parameter<'_>)> {
        of_weights(&mut self.weights)
    }
}

impl PytorchCell for Gru {
    type Config = GruConfig;

    const MODULE: &'static str = "nn.GRU";
    const GATES: usize = 3;
    const HAS_PROJECTION: bool = false;

    fn config(dimensions: Dimensions) -> GruConfig {
        GruConfig::new(dimensions.d_input, dimensions.d_hidden).with_bias(dimensions.bias)
    }

    fn unsupported(&self) -> Option<&'static str> {
        first(&[
            (
                self.reset != Reset::After,
                "reset before the recurrent product",
            ),
            (self.update != Update::Keep, "update gate that replaces"),
            (self.activations != GruActivations::default(), ACTIVATIONS),
            (self.clip.is_some(), CLIP),
            (self.initial.is_some(), LEARNED),
        ])
    }

    fn parameters(&mut self) -> Vec<(&'static str, Parameter<'_>)> {
        of_weights(&mut self.weights)
    }
}

impl PytorchCell for Lstm {
    type Config = LstmConfig;

    const MODULE: &'static str = "nn.LSTM";
    const GATES: usize = 4;
    const HAS_PROJECTION: bool = true;

    fn config(dimensions: Dimensions) -> LstmConfig {
        LstmConfig::new(dimensions.d_input, dimensions.d_hidden)
            .with_bias(dimensions.bias)
            .with_d_projected(dimensions.d_projected)
    }

    fn unsupported(&self) -> Option<&'static str> {
        let peepholes = self.peepholes.is_some() || self.weight_ch.is_some();
        first(&[
            (self.gates != LstmGates::All, "coupled or missing gate"),
            (peepholes, "peepholes"),
            (self.weight_gh.is_some(), "gate recurrence"),
            (self.activations != LstmActivations::default(), ACTIVATIONS),
            (self.clip.is_some() || self.cell_clip.is_some(), CLIP),
            (self.initial.is_some(), LEARNED),
        ])
    }

    fn parameters(&mut self) -> Vec<(&'static str, Parameter<'_>)> {
        let mut parameters = of_weights(&mut self.weights);
        let projection = self.weight_hr.as_mut();
        parameters.extend(projection.map(|weight| ("weight_hr", Parameter::Matrix(weight))));
        parameters
    }
}

/// Checks that PyTorch has this cell.
pub(super) fn check_cell<C: PytorchCell>(cell: &C) -> Result<(), UnsupportedError> {
    match cell.unsupported() {
        Some(option) => Err(UnsupportedError {
            module: C::MODULE,
            option,
        }),
        None => Ok(()),
    }
}

/// Checks that PyTorch has this stack.
pub(super) fn check_stack<C: PytorchCell>(stack: &Stack<C>) -> Result<(), UnsupportedError> {
    let direction = stack.direction();
    let merged = direction == Direction::Bidirectional && stack.merge != Merge::Concat;
    let connected = stack.layers.len() > 1 && stack.connections != Connections::Plain;
    let option = first(&[
        (direction == Direction::Reverse, "reverse direction alone"),
        (merged, "merge of directions but side by side"),
        (connected, "residual or dense connections"),
    ]);
    if let Some(option) = option {
        return Err(UnsupportedError {
            module: C::MODULE,
            option,
        });
    }
    let cells = stack
        .layers
        .iter()
        .flat_map(|layer| layer.forward.iter().chain(&layer.reverse));
    cells.into_iter().try_for_each(check_cell)
}
