//! From a state dict into a network.

use std::collections::BTreeSet;

use burn::tensor::{DType, Device};
use rekindle_cells::Stack;

use super::cell::{Parameter, check_cell, check_stack};
use super::names::Naming;
use super::{
    InferError, Inferred, NamedShape, PytorchCell, Report, StateDict, UnsupportedError, infer,
};

/// A state dict that does not fit a network.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// Tensors of the network are not in the state dict.
    #[error("{}", of_missing(report, found))]
    Missing {
        /// All tensors: which were there, which were missing.
        report: Box<Report>,
        /// The prefixes under which recurrent modules stand in the state dict.
        found: Vec<String>,
    },
    /// A tensor has another shape.
    #[error(
        "{name} has shape {found:?}, expected {expected:?}; make the network with the widths of the state dict, which \
         `infer` reads from it"
    )]
    Shape {
        /// The tensor.
        name: String,
        /// Its shape in the state dict.
        found: Vec<usize>,
        /// The shape that the network needs, as PyTorch keeps it.
        expected: Vec<usize>,
    },
    /// A tensor holds no floats.
    #[error(
        "{name} holds {found}, expected F64, F32, F16 or BF16; save the module with float parameters"
    )]
    Type {
        /// The tensor.
        name: String,
        /// The type of its numbers.
        found: String,
    },
    /// Two tensors hold floats of different types.
    #[error(
        "{name} holds {found:?} and {other} holds {expected:?}, expected one type for all tensors of a network; convert \
         with `StateDict::cast`"
    )]
    MixedTypes {
        /// The tensor.
        name: String,
        /// The type of its numbers, 16-bit floats as `F32`.
        found: DType,
        /// The tensor that was loaded first.
        other: String,
        /// The type of its numbers.
        expected: DType,
    },
    /// PyTorch has no such network.
    #[error(transparent)]
    Unsupported(#[from] UnsupportedError),
    /// No configuration could be told from the state dict.
    #[error(transparent)]
    Infer(#[from] InferError),
}

fn of_missing(report: &Report, found: &[String]) -> String {
    let Report {
        prefix,
        matched,
        missing,
        ..
    } = report;
    let Some(NamedShape { name, shape }) = missing.first() else {
        return "no tensor is missing".to_string();
    };
    let what_to_do = match found {
        [] => "it holds no recurrent module".to_string(),
        found if !found.contains(prefix) => {
            format!("recurrent modules stand under the prefixes {found:?}: give one of them")
        }
        _ => "make the network with the layers, directions and biases of the state dict, which `infer` reads from it"
            .to_string(),
    };
    format!(
        "{name} is missing from the state dict, expected shape {shape:?} ({} missing, {} matched); {what_to_do}",
        missing.len(),
        matched.len()
    )
}

/// Gives a stack the weights of PyTorch's `nn.RNN`, `nn.LSTM` or `nn.GRU` under a prefix, and reports what was used.
///
/// Each parameter takes the numbers to the bit, and their type: a stack in `f32` computes in `f64` after loading a
/// state dict in `f64`, unless that is [cast](StateDict::cast) before. 16-bit floats become `f32`. Devices, and whether
/// parameters are trained, stay.
///
/// A stack of one layer that reads forward also takes the weights of `nn.RNNCell`, `nn.LSTMCell` and `nn.GRUCell`, whose
/// names have no `_l0`.
///
/// # Errors
/// If a tensor is missing or has another shape or type, or PyTorch has no such stack. Tensors without use are no error:
/// see [`Report::unused`].
///
/// # Differences
/// PyTorch's `load_state_dict` casts to the type of the module, and what it loads before an error stays loaded.
pub fn load_stack<C: PytorchCell>(
    mut stack: Stack<C>,
    dict: &StateDict,
    prefix: &str,
) -> Result<(Stack<C>, Report), LoadError> {
    check_stack(&stack)?;
    let is_one_cell = stack.layers.len() == 1 && stack.layers[0].reverse.is_none();
    let naming = match Naming::of(dict, prefix) {
        Some(Naming::Cell) if is_one_cell => Naming::Cell,
        _ => Naming::Layers,
    };
    let mut loading = Loading::new(dict, prefix);
    for (index, layer) in stack.layers.iter_mut().enumerate() {
        for (cell, reverse) in [(&mut layer.forward, false), (&mut layer.reverse, true)] {
            if let Some(cell) = cell {
                loading.load(cell, &naming.suffix(index, reverse))?;
            }
        }
    }
    Ok((stack, loading.finish()?))
}

/// Gives a cell the weights of PyTorch's `nn.RNNCell`, `nn.LSTMCell` or `nn.GRUCell` under a prefix, or of the first layer
/// of `nn.RNN`, `nn.LSTM` or `nn.GRU`, read forward. Otherwise as [`load_stack`].
///
/// # Errors
/// As [`load_stack`].
pub fn load_cell<C: PytorchCell>(
    mut cell: C,
    dict: &StateDict,
    prefix: &str,
) -> Result<(C, Report), LoadError> {
    check_cell(&cell)?;
    let naming = Naming::of(dict, prefix).unwrap_or(Naming::Cell);
    let mut loading = Loading::new(dict, prefix);
    loading.load(&mut cell, &naming.suffix(0, false))?;
    Ok((cell, loading.finish()?))
}

/// Makes the stack that a state dict holds under a prefix: [`infer()`], then [`load_stack`].
///
/// A state dict does not tell the `nonlinearity` of an `nn.RNN`: it is taken to be tanh. For ReLU, call the two functions
/// and set the activation in between.
///
/// # Errors
/// As the two functions.
pub fn build_stack<C: PytorchCell>(
    dict: &StateDict,
    prefix: &str,
    device: &Device,
) -> Result<(Stack<C>, Report), LoadError> {
    let Inferred { stack, cell } = infer::<C>(dict, prefix)?;
    load_stack(stack.init(&cell, device), dict, prefix)
}

/// Loading under way.
struct Loading<'a> {
    dict: &'a StateDict,
    /// The first tensor and its type.
    first: Option<(String, DType)>,
    report: Report,
}

impl<'a> Loading<'a> {
    fn new(dict: &'a StateDict, prefix: &str) -> Self {
        Self {
            dict,
            first: None,
            report: Report {
                prefix: prefix.to_string(),
                ..Report::default()
            },
        }
    }

    fn load<C: PytorchCell>(&mut self, cell: &mut C, suffix: &str) -> Result<(), LoadError> {
        for (name, parameter) in cell.parameters() {
            let name = format!("{}{name}{suffix}", self.report.prefix);
            self.load_parameter(name, parameter)?;
        }
        Ok(())
    }

    fn load_parameter(&mut self, name: String, parameter: Parameter) -> Result<(), LoadError> {
        let shape = parameter.torch_shape();
        let Some(entry) = self.dict.entries.get(&name) else {
            self.report.missing.push(NamedShape { name, shape });
            return Ok(());
        };
        if entry.shape != shape {
            return Err(LoadError::Shape {
                name,
                found: entry.shape.clone(),
                expected: shape,
            });
        }
        let Some(data) = entry.transposed().floats() else {
            return Err(LoadError::Type {
                name,
                found: entry.dtype.to_string(),
            });
        };
        match &self.first {
            Some((other, expected)) if *expected != data.dtype() => {
                return Err(LoadError::MixedTypes {
                    name,
                    found: data.dtype(),
                    other: other.clone(),
                    expected: *expected,
                });
            }
            Some(_) => {}
            None => self.first = Some((name.clone(), data.dtype())),
        }
        parameter.set(data);
        self.report.matched.push(NamedShape { name, shape });
        Ok(())
    }

    fn finish(mut self) -> Result<Report, LoadError> {
        let matched: BTreeSet<_> = self.report.matched.iter().map(|t| &t.name).collect();
        let (under, outside): (Vec<_>, Vec<_>) = self
            .dict
            .entries
            .iter()
            .filter(|(name, _)| !matched.contains(name))
            .partition(|(name, _)| name.starts_with(&self.report.prefix));
        let unused = under.into_iter().map(|(name, entry)| NamedShape {
            name: name.clone(),
            shape: entry.shape.clone(),
        });
        self.report.unused = unused.collect();
        self.report.outside = outside.len();
        match self.report.missing.is_empty() {
            true => Ok(self.report),
            false => Err(LoadError::Missing {
                report: Box::new(self.report),
                found: self.dict.prefixes(),
            }),
        }
    }
}
