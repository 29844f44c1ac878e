//! Which tensor holds NaN or an infinity, and where a loss that is no number comes from.

use std::fmt;

use burn::module::{Module, Param};
use burn::tensor::{Bytes, DType, Tensor, TensorData, Transaction};
use burn_pack::Reader;
use rekindle_regularize::{Visit, visit};

use crate::{Input, Network, Scored};

/// A tensor with values that are NaN or infinite.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{tensor} has {found} of {elements} values that are not finite, expected none")]
pub struct NotFinite {
    /// What it is called: the path of a parameter in backquotes, or words.
    pub tensor: String,
    /// Number of its values that are not finite.
    pub found: usize,
    /// Number of its values.
    pub elements: usize,
}

/// Where a loss that is no number comes from.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Cause {
    /// The first weight that was no number before the step.
    Weights(NotFinite),
    /// What the network reads.
    Input(NotFinite),
    /// Numbers that became too large on their way.
    Overflow {
        /// The first result with values that are not finite; `None`: the loss alone.
        result: Option<NotFinite>,
        /// Path and magnitude of the greatest weight.
        weight: (String, f64),
        /// Magnitude of the greatest input; `None` of tokens.
        input: Option<f64>,
    },
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Weights(found) | Self::Input(found) => found.fmt(f),
            Self::Overflow {
                result,
                weight: (path, greatest),
                input,
            } => {
                match result {
                    Some(found) => found.fmt(f)?,
                    None => f.write_str("the scores are too far apart")?,
                }
                write!(f, ", from weights of up to {greatest:.3e} (`{path}`)")?;
                match input {
                    Some(input) => write!(f, " and inputs of up to {input:.3e}"),
                    None => Ok(()),
                }
            }
        }
    }
}

impl Cause {
    /// The first thing that is not finite on the way from the weights to the loss.
    pub(crate) fn of(network: &Network, input: &Input, scored: &Scored) -> Self {
        if let Err(found) = check(network) {
            return Self::Weights(found);
        }
        let values = match input {
            Input::Values(values) => Some(values.clone()),
            Input::Tokens(_) => None,
        };
        let read = values.clone().and_then(|values| of("the input", values));
        if let Some(found) = read {
            return Self::Input(found);
        }
        let result = of("the output of the recurrent stack", scored.output.clone())
            .or_else(|| of("the scores", scored.scores.clone()));
        let mut weights = Greatest::default();
        visit(network, &mut weights);
        Self::Overflow {
            result,
            weight: weights.0,
            input: values.map(magnitude),
        }
    }
}

/// Checks the parameters and statistics of a network.
///
/// # Errors
/// The first tensor with values that are not finite.
pub(crate) fn check<M: Module>(module: &M) -> Result<(), NotFinite> {
    let mut sums = Sums::default();
    visit(module, &mut sums);
    let sums = sums.0.into_iter();
    let sums = sums.fold(Transaction::default(), Transaction::register);
    let mut sums = sums.execute().into_iter();
    // A sum of finite values may overflow, but no sum hides a value that is not finite.
    if sums.all(|sum| sum.iter::<f64>().all(f64::is_finite)) {
        return Ok(());
    }
    let mut first = First::default();
    visit(module, &mut first);
    first.0.map_or(Ok(()), Err)
}

/// Checks the record of a network or of what an optimiser remembers, from its bytes.
///
/// # Errors
/// The first tensor with values that are not finite; `None` where the bytes are no record.
pub(crate) fn check_pack(bytes: Bytes) -> Result<(), Option<NotFinite>> {
    let reader = Reader::from_bytes(bytes).map_err(|_| None)?;
    let paths = reader.metadata().clone();
    let mut tensors = reader.into_tensors().map_err(|_| None)?;
    tensors.sort_by_key(|tensor| tensor.param_id);
    for tensor in tensors {
        let (name, dtype, shape, _, bytes) = tensor.into_parts().map_err(|_| None)?;
        // An optimiser has several tensors for each parameter, under its number.
        let (id, field) = name.split_once('.').unwrap_or(("", &name));
        let name = match paths.get(id) {
            Some(path) => format!("{field} of `{path}`"),
            None => format!("`{name}`"),
        };
        let is_float = matches!(dtype, DType::F64 | DType::F32 | DType::F16 | DType::BF16);
        let data = TensorData::from_bytes(bytes, shape, dtype);
        if let (true, Some(found)) = (is_float, of_data(&name, &data)) {
            return Err(Some(found));
        }
    }
    Ok(())
}

/// What is not finite in a tensor; `None` if nothing is.
fn of<const D: usize>(name: &str, tensor: Tensor<D>) -> Option<NotFinite> {
    of_data(name, &tensor.without_autodiff().into_data())
}

fn of_data(name: &str, data: &TensorData) -> Option<NotFinite> {
    let found = data.iter::<f64>().filter(|value| !value.is_finite());
    let (found, elements) = (found.count(), data.num_elements());
    (found > 0).then(|| NotFinite {
        tensor: name.to_string(),
        found,
        elements,
    })
}

/// The greatest magnitude in a tensor of numbers.
fn magnitude<const D: usize>(tensor: Tensor<D>) -> f64 {
    let tensor = tensor.without_autodiff();
    tensor.abs().max().into_scalar::<f64>()
}

/// The sums of all tensors, not yet read.
#[derive(Default)]
struct Sums(Vec<Tensor<1>>);

impl Visit for Sums {
    fn visit<const D: usize>(&mut self, _path: String, param: &Param<Tensor<D>>) {
        self.0.push(param.val().without_autodiff().sum());
    }
}

/// The first tensor that is not finite.
#[derive(Default)]
struct First(Option<NotFinite>);

impl Visit for First {
    fn visit<const D: usize>(&mut self, path: String, param: &Param<Tensor<D>>) {
        if self.0.is_none() {
            self.0 = of(&format!("`{path}`"), param.val());
        }
    }
}

/// Path and magnitude of the greatest weight.
#[derive(Default)]
struct Greatest((String, f64));

impl Visit for Greatest {
    fn visit<const D: usize>(&mut self, path: String, param: &Param<Tensor<D>>) {
        let found = magnitude(param.val());
        if found > self.0.1 {
            self.0 = (path, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::module::Param;
    use burn::nn::{Linear, LinearConfig};
    use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer};
    use burn::tensor::Device;

    use super::*;

    fn linear(weight: [[f32; 2]; 1], bias: f32) -> Linear {
        let device = Device::default().autodiff();
        let mut linear = LinearConfig::new(1, 2).init(&device);
        linear.weight = Param::from_tensor(Tensor::from_floats(weight, &device));
        linear.bias = Some(Param::from_tensor(Tensor::full([2], bias, &device)));
        linear
    }

    #[test]
    fn the_first_tensor_that_is_not_finite_is_named() {
        assert_eq!(check(&linear([[1.0, -2.0]], 0.5)), Ok(()));
        let large = linear([[f32::MAX, f32::MAX]], f32::MIN);
        assert_eq!(check(&large), Ok(()), "only its sums overflow");
        let error = |weight, bias| check(&linear(weight, bias)).expect_err("not finite");
        assert_eq!(
            error([[1.0, f32::NAN]], f32::INFINITY).to_string(),
            "`weight` has 1 of 2 values that are not finite, expected none"
        );
        assert_eq!(
            error([[1.0, 1.0]], f32::NEG_INFINITY).to_string(),
            "`bias` has 2 of 2 values that are not finite, expected none"
        );
    }

    #[test]
    fn a_moment_that_is_not_finite_is_named() {
        let layer = linear([[1.0, 1.0]], 0.0);
        let mut optimizer: ModuleOptimizer = AdamConfig::new().init();
        let mut step = |scale: f32| {
            let input = Tensor::<2>::full([1, 1], scale, &layer.weight.device());
            let gradients = layer.forward(input).sum().backward();
            let gradients = GradientsParams::from_grads(gradients, &layer);
            optimizer.step(1e-3, layer.clone(), gradients);
            check_pack(optimizer.into_bytes().expect("bytes"))
        };
        assert_eq!(step(1.0), Ok(()));
        // Its square is infinite.
        let error = step(1e30).expect_err("not finite").expect("a record");
        assert_eq!((error.found, error.elements), (2, 2));
        assert!(error.tensor.ends_with(" of `weight`"), "{error}");
        assert_eq!(check_pack(Bytes::from_bytes_vec(vec![1; 64])), Err(None));
    }
}
