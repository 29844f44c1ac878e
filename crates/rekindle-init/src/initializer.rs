//! How one weight matrix is drawn, as a value.

use burn::tensor::{Device, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use crate::{
    Fan, InitError, Nonlinearity,
    error::Place,
    recipe::{hundredth, no_fields, one},
};

/// The distribution of a weight matrix `[fan_in, fan_out]` (Burn's layout, for `x W`).
///
/// In a recipe it is a table such as `{ kind = "xavier_uniform", gain = 1.0 }`. A field with a
/// default may be left out; a key that the kind does not have is refused.
///
/// Normal distributions are whole, never cut, except [`TruncatedNormal`](Self::TruncatedNormal).
///
/// # Differences
///
/// Keras cuts its `he_normal`, `lecun_normal` and `glorot_normal` at two standard deviations and
/// widens them to keep the variance; here, as in PyTorch, they are plain normal distributions of
/// the same variance.
///
/// # Examples
///
/// ```
/// use burn::tensor::Device;
/// use rekindle_init::Initializer;
///
/// let device = Device::default();
/// device.seed(1);
/// let weight = Initializer::XavierUniform { gain: 1.0 }.sample([20, 30], &device);
/// let bound = (6.0_f64 / (20.0 + 30.0)).sqrt();
/// assert_eq!(weight.dims(), [20, 30]);
/// assert!(weight.abs().max().into_scalar::<f64>() <= bound);
/// ```
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Initializer {
    /// `value` everywhere.
    Constant {
        /// The value. Any finite number.
        value: f64,
    },
    /// Zero everywhere.
    #[serde(deserialize_with = "no_fields")]
    Zeros,
    /// Uniform between `low` and `high`.
    Uniform {
        /// The lower end.
        low: f64,
        /// The upper end, above `low`.
        high: f64,
    },
    /// Normal: `N(mean, std²)`.
    Normal {
        /// The mean. Default: 0.
        #[serde(default)]
        mean: f64,
        /// The standard deviation, above 0.
        std: f64,
    },
    /// Normal, given that it falls between `low` and `high`: draws outside are drawn again, not
    /// moved to the ends.
    ///
    /// `low` and `high` are absolute values, not counted in standard deviations, as in
    /// `torch.nn.init.trunc_normal_`. The cut changes the moments: with `mean = 0` and the ends at
    /// `±2 std`, the standard deviation is `0.88 std`.
    TruncatedNormal {
        /// The mean before the cut; it may be outside the interval. Default: 0.
        #[serde(default)]
        mean: f64,
        /// The standard deviation before the cut, above 0.
        std: f64,
        /// The lower end.
        low: f64,
        /// The upper end, above `low`.
        high: f64,
    },
    /// `U(−a, a)` with `a = gain √(6 / (fan_in + fan_out))`: variance
    /// `2 gain² / (fan_in + fan_out)`.
    ///
    /// Glorot and Bengio, *Understanding the Difficulty of Training Deep Feedforward Neural
    /// Networks*, 2010, <https://proceedings.mlr.press/v9/glorot10a.html>.
    XavierUniform {
        /// Factor, above 0. Default: 1, right for linear and tanh units.
        #[serde(default = "one")]
        gain: f64,
    },
    /// `N(0, 2 gain² / (fan_in + fan_out))`, the normal form of
    /// [`XavierUniform`](Self::XavierUniform).
    XavierNormal {
        /// Factor, above 0. Default: 1, right for linear and tanh units.
        #[serde(default = "one")]
        gain: f64,
    },
    /// `U(−a, a)` with `a = g √(3 / fan)`, where `g` is the gain of the nonlinearity: variance
    /// `g² / fan`.
    ///
    /// He et al., *Delving Deep into Rectifiers*, 2015, <https://arxiv.org/abs/1502.01852>.
    HeUniform {
        /// What follows the product. Default: `Relu`, the paper's case.
        #[serde(default)]
        nonlinearity: Nonlinearity,
        /// Which axis counts. Default: `In`.
        #[serde(default)]
        fan: Fan,
    },
    /// `N(0, g² / fan)`, the normal form of [`HeUniform`](Self::HeUniform).
    HeNormal {
        /// What follows the product. Default: `Relu`, the paper's case.
        #[serde(default)]
        nonlinearity: Nonlinearity,
        /// Which axis counts. Default: `In`.
        #[serde(default)]
        fan: Fan,
    },
    /// `U(−a, a)` with `a = √(3 / fan_in)`: variance `1 / fan_in`.
    ///
    /// LeCun et al., *Efficient BackProp*, 1998, <https://doi.org/10.1007/3-540-49430-8_2>.
    #[serde(deserialize_with = "no_fields")]
    LecunUniform,
    /// `N(0, 1 / fan_in)`, the normal form of [`LecunUniform`](Self::LecunUniform).
    #[serde(deserialize_with = "no_fields")]
    LecunNormal,
    /// `U(−1/√fan, 1/√fan)`: variance `1 / (3 fan)`.
    ///
    /// With `Fan::Out`, drawn gate by gate, it is what PyTorch gives every tensor of a recurrent
    /// layer, where `fan_out = d_hidden`. With `Fan::In` it is what PyTorch gives the weight of a
    /// linear layer.
    FanUniform {
        /// Which axis counts. Default: `In`.
        #[serde(default)]
        fan: Fan,
    },
    /// A random matrix with orthonormal rows or columns, whichever are fewer, times `gain`; a
    /// square one is orthogonal.
    ///
    /// It is uniform over all such matrices (Haar measure). The work grows as
    /// `max(fan_in, fan_out) · min(fan_in, fan_out)²`.
    ///
    /// Saxe et al., *Exact Solutions to the Nonlinear Dynamics of Learning*, 2013,
    /// <https://arxiv.org/abs/1312.6120>; Mezzadri, *How to Generate Random Matrices from the
    /// Classical Compact Groups*, 2007, <https://arxiv.org/abs/math-ph/0609050>.
    Orthogonal {
        /// The length of each row or column. Any finite number. Default: 1, which keeps lengths.
        #[serde(default = "one")]
        gain: f64,
    },
    /// `gain` on the main diagonal, zero elsewhere, for any shape.
    Identity {
        /// The diagonal. Any finite number. Default: 1.
        #[serde(default = "one")]
        gain: f64,
    },
    /// In each column `⌈sparsity · fan_in⌉` entries at random are zero, the others `N(0, std²)`.
    ///
    /// A column holds the incoming weights of one unit, so every unit starts with the same number
    /// of connections: Martens, *Deep Learning via Hessian-Free Optimization*, 2010, section 5,
    /// <https://www.cs.toronto.edu/~jmartens/docs/Deep_HessianFree.pdf>.
    ///
    /// `torch.nn.init.sparse_` goes by columns too, but PyTorch's weights are transposed: there a
    /// column holds the outgoing weights of one input.
    Sparse {
        /// The fraction of each column that is zero, from 0 to 1.
        sparsity: f64,
        /// The standard deviation of the others, above 0. Default: 0.01, as in PyTorch.
        #[serde(default = "hundredth")]
        std: f64,
    },
}

impl burn::config::Config for Initializer {}

impl Initializer {
    /// Draws a weight matrix. Constant, zeros and identity take no random numbers.
    ///
    /// # Shapes
    /// - result: `[fan_in, fan_out]`, in the device's default float type, without a graph
    ///
    /// # Panics
    /// - with the message of [`validate`](Self::validate)
    /// - if an axis is empty
    pub fn sample(&self, shape: [usize; 2], device: &Device) -> Tensor<2> {
        Tensor::from_data(TensorData::new(self.draw(shape, device), shape), device)
    }

    /// Checks every number.
    ///
    /// # Errors
    /// - [`InitError::Value`] if a number is outside its documented range
    /// - [`InitError::Interval`] if no 32-bit float lies between `low` and `high`
    pub fn validate(&self) -> Result<(), InitError> {
        self.validate_at("initializer")
    }

    /// [`validate`](Self::validate), naming the place in a scheme.
    pub(crate) fn validate_at(&self, path: &str) -> Result<(), InitError> {
        let place = Place {
            path,
            kind: self.kind(),
        };
        match *self {
            Self::Constant { value } => place.finite("value", value),
            Self::Uniform { low, high } => place.interval(low, high),
            Self::Normal { mean, std } => {
                place.finite("mean", mean)?;
                place.positive("std", std)
            }
            Self::TruncatedNormal {
                mean,
                std,
                low,
                high,
            } => {
                place.finite("mean", mean)?;
                place.positive("std", std)?;
                place.interval(low, high)
            }
            Self::XavierUniform { gain } | Self::XavierNormal { gain } => {
                place.positive("gain", gain)
            }
            Self::HeUniform { nonlinearity, .. } | Self::HeNormal { nonlinearity, .. } => {
                match nonlinearity {
                    Nonlinearity::LeakyRelu { slope } => place.finite("slope", slope),
                    _ => Ok(()),
                }
            }
            Self::Orthogonal { gain } | Self::Identity { gain } => place.finite("gain", gain),
            Self::Sparse { sparsity, std } => {
                let ok = (0.0..=1.0).contains(&sparsity);
                place.check("sparsity", sparsity, ok, "a fraction from 0 to 1")?;
                place.positive("std", std)
            }
            Self::Zeros | Self::LecunUniform | Self::LecunNormal | Self::FanUniform { .. } => {
                Ok(())
            }
        }
    }

    /// The name in a recipe.
    fn kind(&self) -> &'static str {
        match self {
            Self::Constant { .. } => "constant",
            Self::Zeros => "zeros",
            Self::Uniform { .. } => "uniform",
            Self::Normal { .. } => "normal",
            Self::TruncatedNormal { .. } => "truncated_normal",
            Self::XavierUniform { .. } => "xavier_uniform",
            Self::XavierNormal { .. } => "xavier_normal",
            Self::HeUniform { .. } => "he_uniform",
            Self::HeNormal { .. } => "he_normal",
            Self::LecunUniform => "lecun_uniform",
            Self::LecunNormal => "lecun_normal",
            Self::FanUniform { .. } => "fan_uniform",
            Self::Orthogonal { .. } => "orthogonal",
            Self::Identity { .. } => "identity",
            Self::Sparse { .. } => "sparse",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{fixed_kinds, random_kinds};

    #[test]
    fn the_kinds_of_messages_are_those_of_recipes() {
        for initializer in random_kinds().into_iter().chain(fixed_kinds()) {
            let json = serde_json::to_value(&initializer).unwrap();
            assert_eq!(json["kind"], initializer.kind());
            assert_eq!(initializer.validate(), Ok(()));
        }
    }

    #[test]
    fn numbers_out_of_range_are_named() {
        use Initializer::*;
        let nonlinearity = Nonlinearity::LeakyRelu { slope: f64::NAN };
        let finite = "expected a finite 32-bit number";
        let above = "expected a finite 32-bit number above 0";
        let fraction = "expected a fraction from 0 to 1";
        let interval = "expected low below high, apart by more than a 32-bit rounding";
        #[rustfmt::skip]
        let cases = [
            (Constant { value: f64::NAN }, format!("(constant): value is NaN, {finite}")),
            (Constant { value: 1e39 }, format!("(constant): value is {}, {finite}", 1e39)),
            (Uniform { low: 1.0, high: 1.0 }, format!("(uniform): low is 1 and high is 1, {interval}")),
            (Uniform { low: 1.0, high: 1.0 + 1e-9 }, format!("(uniform): low is 1 and high is 1.000000001, {interval}")),
            (Uniform { low: f64::NEG_INFINITY, high: 0.0 }, format!("(uniform): low is -inf, {finite}")),
            (Normal { mean: f64::INFINITY, std: 1.0 }, format!("(normal): mean is inf, {finite}")),
            (Normal { mean: 0.0, std: 0.0 }, format!("(normal): std is 0, {above}")),
            (TruncatedNormal { mean: 0.0, std: -1.0, low: 0.0, high: 1.0 }, format!("(truncated_normal): std is -1, {above}")),
            (TruncatedNormal { mean: 0.0, std: 1.0, low: 2.0, high: 1.0 }, format!("(truncated_normal): low is 2 and high is 1, {interval}")),
            (XavierUniform { gain: 0.0 }, format!("(xavier_uniform): gain is 0, {above}")),
            (XavierNormal { gain: f64::NAN }, format!("(xavier_normal): gain is NaN, {above}")),
            (HeUniform { nonlinearity, fan: Fan::In }, format!("(he_uniform): slope is NaN, {finite}")),
            (HeNormal { nonlinearity, fan: Fan::Out }, format!("(he_normal): slope is NaN, {finite}")),
            (Orthogonal { gain: f64::INFINITY }, format!("(orthogonal): gain is inf, {finite}")),
            (Identity { gain: f64::NAN }, format!("(identity): gain is NaN, {finite}")),
            (Sparse { sparsity: 1.5, std: 1.0 }, format!("(sparse): sparsity is 1.5, {fraction}")),
            (Sparse { sparsity: f64::NAN, std: 1.0 }, format!("(sparse): sparsity is NaN, {fraction}")),
            (Sparse { sparsity: 0.5, std: 0.0 }, format!("(sparse): std is 0, {above}")),
        ];
        for (initializer, message) in cases {
            let error = initializer.validate().unwrap_err();
            assert_eq!(error.to_string(), format!("initializer {message}"));
        }
    }
}
