//! The configuration of a network, from the names and shapes in a state dict.

use rekindle_cells::{Direction, StackConfig, StackConfigError};

use super::names::Naming;
use super::{Dimensions, PytorchCell, StateDict};

/// What a state dict tells of the network that it belongs to.
#[derive(Clone, Debug)]
pub struct Inferred<F> {
    /// Layers and directions.
    pub stack: StackConfig,
    /// Widths, projection and biases of the first layer's cells.
    pub cell: F,
}

/// A state dict that tells no configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InferError {
    /// No recurrent module stands under the prefix.
    #[error(
        "no recurrent module under prefix {prefix:?}: expected {prefix}weight_ih_l0 or {prefix}weight_ih; the state dict \
         has recurrent modules under the prefixes {found:?}"
    )]
    NotFound {
        /// The prefix.
        prefix: String,
        /// The prefixes under which there are recurrent modules.
        found: Vec<String>,
    },
    /// A tensor of the first layer is missing.
    #[error(
        "{name} is missing from the state dict, expected a matrix [out, in]; is the file complete?"
    )]
    Missing {
        /// The tensor.
        name: String,
    },
    /// A tensor that should be a matrix is none.
    #[error(
        "{name} has shape {found:?}, expected a matrix [out, in] of at least one row and column"
    )]
    Matrix {
        /// The tensor.
        name: String,
        /// Its shape.
        found: Vec<usize>,
    },
    /// The rows do not make the gates of the cell.
    #[error(
        "{name} has {rows} rows for a hidden state of {d_hidden}, expected {expected}, one block a gate of {module}; \
         nn.RNN has 1 gate, nn.GRU 3, nn.LSTM 4"
    )]
    Gates {
        /// The tensor.
        name: String,
        /// Its rows.
        rows: usize,
        /// Hidden units, as another tensor tells them.
        d_hidden: usize,
        /// As many rows as the module has.
        expected: usize,
        /// The module asked for.
        module: &'static str,
    },
    /// A projection in a module that has none.
    #[error("{name} is a projection, which {module} does not have; expected an nn.LSTM")]
    Projection {
        /// The tensor.
        name: String,
        /// The module asked for.
        module: &'static str,
    },
    /// Shapes that no network has.
    #[error("the shapes under prefix {prefix:?} belong to no network: {source}")]
    Config {
        /// The prefix.
        prefix: String,
        /// Why.
        source: StackConfigError,
    },
}

/// Tells layers, directions, widths, projection and biases of the module under a prefix from names and shapes alone.
///
/// The kind of cell is the caller's to say, `infer::<Lstm>`; it is checked against the number of gates. Other tensors than
/// those of the first layer are not looked at: [`load_stack`](super::load_stack) does that.
///
/// # Errors
/// If there is no recurrent module under the prefix, or not of this kind.
///
/// # Examples
/// ```
/// use burn::tensor::TensorData;
/// use rekindle_cells::{Activation, Elman};
/// use rekindle_interop::pytorch::{StateDict, infer, load_stack};
///
/// let mut dict = StateDict::new();
/// dict.insert("weight_ih_l0", &TensorData::new(vec![0.5_f32; 8], [4, 2]));
/// dict.insert("weight_hh_l0", &TensorData::new(vec![0.1_f32; 16], [4, 4]));
///
/// let inferred = infer::<Elman>(&dict, "").unwrap();
/// assert_eq!((inferred.cell.d_input, inferred.cell.d_hidden, inferred.cell.bias), (2, 4, false));
///
/// // A state dict does not tell `nonlinearity="relu"`.
/// let cell = inferred.cell.with_activation(Activation::Relu);
/// let stack = inferred.stack.init(&cell, &Default::default());
/// let (stack, _) = load_stack(stack, &dict, "").unwrap();
/// # assert_eq!(stack.layers.len(), 1);
/// ```
pub fn infer<C: PytorchCell>(
    dict: &StateDict,
    prefix: &str,
) -> Result<Inferred<C::Config>, InferError> {
    let Some(naming) = Naming::of(dict, prefix) else {
        return Err(InferError::NotFound {
            prefix: prefix.to_string(),
            found: dict.prefixes(),
        });
    };
    let stack = match naming {
        Naming::Layers => layers(dict, prefix),
        Naming::Cell => StackConfig::new(),
    };
    let cell = C::config(dimensions::<C>(dict, |parameter| {
        format!("{prefix}{parameter}{}", naming.suffix(0, false))
    })?);
    match stack.validate(&cell) {
        Ok(()) => Ok(Inferred { stack, cell }),
        Err(source) => Err(InferError::Config {
            prefix: prefix.to_string(),
            source,
        }),
    }
}

/// How many layers there are, and in which direction they read.
fn layers(dict: &StateDict, prefix: &str) -> StackConfig {
    let has = |layer, reverse| {
        let suffix = Naming::Layers.suffix(layer, reverse);
        dict.entries
            .contains_key(&format!("{prefix}weight_ih{suffix}"))
    };
    let direction = match has(0, true) {
        true => Direction::Bidirectional,
        false => Direction::Forward,
    };
    StackConfig::new()
        .with_layers((0..).take_while(|&layer| has(layer, false)).count())
        .with_direction(direction)
}

/// Widths and biases of a cell whose parameters have these names.
fn dimensions<C: PytorchCell>(
    dict: &StateDict,
    name: impl Fn(&str) -> String,
) -> Result<Dimensions, InferError> {
    let has = |name: &str| dict.entries.contains_key(name);
    let [weight_ih, weight_hr] = ["weight_ih", "weight_hr"].map(&name);
    let [rows, d_input] = matrix(dict, &weight_ih)?;
    let [_, d_recurrent] = matrix(dict, &name("weight_hh"))?;
    let (d_hidden, d_projected) = match has(&weight_hr) {
        true => (matrix(dict, &weight_hr)?[1], Some(d_recurrent)),
        false => (d_recurrent, None),
    };
    if rows != C::GATES * d_hidden {
        return Err(InferError::Gates {
            name: weight_ih,
            rows,
            d_hidden,
            expected: C::GATES * d_hidden,
            module: C::MODULE,
        });
    }
    if d_projected.is_some() && !C::HAS_PROJECTION {
        return Err(InferError::Projection {
            name: weight_hr,
            module: C::MODULE,
        });
    }
    Ok(Dimensions {
        d_input,
        d_hidden,
        d_projected,
        bias: has(&name("bias_ih")),
    })
}

/// The rows and columns of a matrix.
fn matrix(dict: &StateDict, name: &str) -> Result<[usize; 2], InferError> {
    let Some(shape) = dict.shape(name) else {
        return Err(InferError::Missing {
            name: name.to_string(),
        });
    };
    match *shape {
        [rows, columns] if rows > 0 && columns > 0 => Ok([rows, columns]),
        _ => Err(InferError::Matrix {
            name: name.to_string(),
            found: shape.to_vec(),
        }),
    }
}
