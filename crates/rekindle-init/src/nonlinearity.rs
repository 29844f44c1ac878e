//! What scales the variance of a weight matrix: an axis, and what follows the product.

use serde::{Deserialize, Serialize};

use crate::recipe::{hundredth, no_fields};

/// Which axis of a weight matrix a variance is scaled by. In a recipe `"in"` or `"out"`.
///
/// # Examples
///
/// ```
/// use rekindle_init::Fan;
///
/// assert_eq!(Fan::default(), Fan::In);
/// ```
#[derive(Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq, Default)]
#[serde(rename_all = "snake_case")]
pub enum Fan {
    /// The inputs of a unit, `fan_in`: keeps the variance of the signal going forward. The default.
    #[default]
    In,
    /// The uses of an input, `fan_out`: keeps the variance of the gradient going back.
    Out,
}

impl Fan {
    /// The length of the axis in a `[fan_in, fan_out]` matrix.
    pub(crate) fn of(self, [fan_in, fan_out]: [usize; 2]) -> f64 {
        match self {
            Self::In => fan_in as f64,
            Self::Out => fan_out as f64,
        }
    }
}

/// What follows a weight matrix; it fixes the gain that keeps the variance of the signal.
///
/// In a recipe it is a table such as `{ kind = "leaky_relu", slope = 0.2 }`.
///
/// # Examples
///
/// ```
/// use rekindle_init::Nonlinearity;
///
/// assert_eq!(Nonlinearity::default().gain(), 2_f64.sqrt());
/// ```
#[derive(Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Default)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Nonlinearity {
    /// Nothing. Gain 1.
    #[serde(deserialize_with = "no_fields")]
    Linear,
    /// `max(x, 0)`. Gain √2. The default.
    #[default]
    #[serde(deserialize_with = "no_fields")]
    Relu,
    /// `x` above zero, `slope x` below. Gain `√(2 / (1 + slope²))`.
    LeakyRelu {
        /// The slope below zero. Any finite number. Default: 0.01, as in PyTorch.
        #[serde(default = "hundredth")]
        slope: f64,
    },
    /// Hyperbolic tangent. Gain 5/3, the value recommended by PyTorch's `calculate_gain`.
    #[serde(deserialize_with = "no_fields")]
    Tanh,
    /// Logistic function. Gain 1, as in PyTorch.
    #[serde(deserialize_with = "no_fields")]
    Sigmoid,
}

impl Nonlinearity {
    /// The factor on the standard deviation.
    pub fn gain(self) -> f64 {
        match self {
            Self::Linear | Self::Sigmoid => 1.0,
            Self::Relu => 2_f64.sqrt(),
            Self::LeakyRelu { slope } => (2.0 / (1.0 + slope * slope)).sqrt(),
            Self::Tanh => 5.0 / 3.0,
        }
    }
}

impl burn::config::Config for Fan {}
impl burn::config::Config for Nonlinearity {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gains_are_those_of_pytorch() {
        // torch.nn.init.calculate_gain(name[, slope])
        let cases = [
            (Nonlinearity::Linear, 1.0),
            (Nonlinearity::Relu, std::f64::consts::SQRT_2),
            (Nonlinearity::LeakyRelu { slope: 0.01 }, 1.4141428569978354),
            (Nonlinearity::LeakyRelu { slope: 0.2 }, 1.3867504905630728),
            (Nonlinearity::Tanh, 1.6666666666666667),
            (Nonlinearity::Sigmoid, 1.0),
        ];
        for (nonlinearity, gain) in cases {
            assert!(
                (nonlinearity.gain() - gain).abs() < 1e-15,
                "{nonlinearity:?}"
            );
        }
    }
}
