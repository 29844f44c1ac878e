//! Activations of gates, candidates and outputs: those of ONNX's recurrent operators.

use rekindle_kernels::{Curve, Lane};
use serde::{Deserialize, Serialize};

use crate::CellConfigError;

/// A function that is applied to each number, and its derivative.
///
/// The list is that of ONNX's `RNN`, `GRU` and `LSTM`, <https://onnx.ai/onnx/operators/onnx__LSTM.html>; α and β are its
/// `activation_alpha` and `activation_beta`.
///
/// # Examples
/// ```
/// use rekindle_cells::Activation;
///
/// let leaky = Activation::LeakyRelu { alpha: 0.1 };
/// assert_eq!(leaky.value(2.0), 2.0);
/// assert_eq!(leaky.value(-2.0), -0.2);
/// assert_eq!(leaky.slope(-2.0, -0.2), 0.1);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Activation {
    /// The hyperbolic tangent.
    #[default]
    Tanh,
    /// The logistic function `1 / (1 + e⁻ˣ)`.
    Sigmoid,
    /// `max(x, 0)`.
    Relu,
    /// `α x + β`. With α = 1 and β = 0 there is no activation.
    Affine {
        /// The factor α.
        alpha: f64,
        /// The term β.
        beta: f64,
    },
    /// `x` above 0, else `α x`.
    LeakyRelu {
        /// The slope α below 0.
        alpha: f64,
    },
    /// `x` above α, else 0.
    ThresholdedRelu {
        /// The threshold α.
        alpha: f64,
    },
    /// `α tanh(β x)`.
    ScaledTanh {
        /// The factor α.
        alpha: f64,
        /// The scale β of the argument.
        beta: f64,
    },
    /// `min(max(α x + β, 0), 1)`.
    HardSigmoid {
        /// The slope α.
        alpha: f64,
        /// The value β at 0.
        beta: f64,
    },
    /// `x` above 0, else `α (eˣ − 1)`.
    Elu {
        /// The factor α below 0.
        alpha: f64,
    },
    /// `x / (1 + |x|)`.
    Softsign,
    /// `ln(1 + eˣ)`.
    Softplus,
}

impl Activation {
    /// No activation: `x`.
    pub const IDENTITY: Self = Self::Affine {
        alpha: 1.0,
        beta: 0.0,
    };

    /// The activation of `x`.
    #[inline(always)]
    pub fn value<V: Lane>(&self, x: V) -> V {
        let number = |value: f64| x.constant(value);
        let (argument, curve) = match *self {
            Self::Relu => return x.relu(),
            Self::Affine { alpha, beta } => {
                let [alpha, beta] = [alpha, beta].map(number);
                return x * alpha + beta;
            }
            Self::LeakyRelu { alpha } => {
                let alpha = number(alpha);
                let positive = x.clone().relu();
                return positive.clone() + (x - positive) * alpha;
            }
            Self::ThresholdedRelu { alpha } => {
                let above = x.clone() - number(alpha);
                return x.where_positive(above);
            }
            Self::HardSigmoid { alpha, beta } => {
                let [alpha, beta] = [alpha, beta].map(number);
                return (x * alpha + beta).clamp(0.0, 1.0);
            }
            Self::Softsign => return x.clone() / one_plus_magnitude(x),
            Self::Sigmoid => (x.clone(), Curve::Sigmoid),
            Self::Tanh => (x.clone(), Curve::Tanh),
            Self::ScaledTanh { beta, .. } => (x.clone() * number(beta), Curve::Tanh),
            Self::Elu { .. } => (x.clone() - x.clone().relu(), Curve::ExpMinus1),
            Self::Softplus => (x.clone(), Curve::Log1PlusExp),
        };
        let y = argument.curve(curve);
        match *self {
            Self::ScaledTanh { alpha, .. } => y * number(alpha),
            Self::Elu { alpha } => {
                let below = y * number(alpha);
                below + x.relu()
            }
            _ => y,
        }
    }

    /// The derivative at `x`, whose activation is `y`. At a kink it is that of the left side.
    #[inline(always)]
    pub fn slope<V: Lane>(&self, x: V, y: V) -> V {
        let number = |value: f64| y.constant(value);
        match *self {
            Self::Tanh => (y.clone() * y).one_minus(),
            Self::Sigmoid => y.clone() * y.one_minus(),
            Self::Relu => number(1.0).where_positive(x),
            Self::Affine { alpha, .. } => number(alpha),
            Self::LeakyRelu { alpha } => number(1.0 - alpha).where_positive(x) + number(alpha),
            Self::ThresholdedRelu { alpha } => number(1.0).where_positive(x - number(alpha)),
            // αβ (1 − tanh²) with tanh = y / α.
            Self::ScaledTanh { alpha, beta } => {
                let inverse = if alpha == 0.0 { 0.0 } else { beta / alpha };
                number(alpha * beta) - y.clone() * y.clone() * number(inverse)
            }
            Self::HardSigmoid { alpha, .. } => {
                let alpha = number(alpha);
                alpha.where_positive(y.clone() * y.one_minus())
            }
            Self::Elu { alpha } => {
                let above = number(1.0).where_positive(x);
                above.clone() + (y.clone() + number(alpha)) * above.one_minus()
            }
            Self::Softsign => {
                let inverse = number(1.0) / one_plus_magnitude(x);
                inverse.clone() * inverse
            }
            Self::Softplus => x.sigmoid(),
        }
    }

    /// Checks that all numbers are finite.
    ///
    /// # Errors
    /// If α or β is not.
    pub fn validate(&self) -> Result<(), CellConfigError> {
        let numbers = match *self {
            Self::Affine { alpha, beta }
            | Self::ScaledTanh { alpha, beta }
            | Self::HardSigmoid { alpha, beta } => [alpha, beta],
            Self::LeakyRelu { alpha } | Self::ThresholdedRelu { alpha } | Self::Elu { alpha } => {
                [alpha, 0.0]
            }
            Self::Tanh | Self::Sigmoid | Self::Relu | Self::Softsign | Self::Softplus => [0.0; 2],
        };
        for (name, found) in ["activation alpha", "activation beta"]
            .into_iter()
            .zip(numbers)
        {
            if !found.is_finite() {
                return Err(CellConfigError::Number {
                    name,
                    found,
                    expected: "a finite number",
                });
            }
        }
        Ok(())
    }
}

/// `1 + |x|`.
#[inline(always)]
fn one_plus_magnitude<V: Lane>(x: V) -> V {
    let positive = x.clone().relu();
    x.constant(1.0) + positive.clone() + positive - x
}

/// `x` held in `[−clip, clip]`; `None`: `x`.
#[inline(always)]
pub(crate) fn clipped<V: Lane>(x: V, clip: Option<f64>) -> V {
    match clip {
        Some(clip) => x.clamp(-clip, clip),
        None => x,
    }
}

/// `slope` where `x` lies in `(−clip, clip)`, else 0; `None`: `slope`.
#[inline(always)]
pub(crate) fn inside<V: Lane>(slope: V, x: V, clip: Option<f64>) -> V {
    match clip {
        Some(clip) => {
            let bound = x.constant(clip);
            slope.where_positive((bound.clone() - x.clone()) * (bound + x))
        }
        None => slope,
    }
}

/// An activation behind a clip.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clipped {
    pub(crate) activation: Activation,
    pub(crate) clip: Option<f64>,
}

impl Clipped {
    /// The activation of the clipped `x`.
    #[inline(always)]
    pub(crate) fn value<V: Lane>(&self, x: V) -> V {
        self.activation.value(clipped(x, self.clip))
    }

    /// The derivative at `x`, whose activation is `y`: 0 where `x` is clipped.
    #[inline(always)]
    pub(crate) fn slope<V: Lane>(&self, x: V, y: V) -> V {
        let slope = self.activation.slope(clipped(x.clone(), self.clip), y);
        inside(slope, x, self.clip)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every activation, with numbers that are not the defaults, and its value at −0.7 by hand.
    const ALL: [(Activation, f64); 11] = [
        (Activation::Tanh, -0.604_367_777_117_163_5),
        (Activation::Sigmoid, 0.331_812_227_831_834),
        (Activation::Relu, 0.0),
        (
            Activation::Affine {
                alpha: 1.5,
                beta: -0.3,
            },
            -1.35,
        ),
        (Activation::LeakyRelu { alpha: 0.2 }, -0.14),
        (Activation::ThresholdedRelu { alpha: -1.0 }, -0.7),
        (
            Activation::ScaledTanh {
                alpha: 1.7,
                beta: 0.6,
            },
            -0.674_781_734_408_631_8,
        ),
        (
            Activation::HardSigmoid {
                alpha: 0.3,
                beta: 0.6,
            },
            0.39,
        ),
        (Activation::Elu { alpha: 0.8 }, -0.402_731_756_966_872_4),
        (Activation::Softsign, -0.411_764_705_882_352_9),
        (Activation::Softplus, 0.403_186_048_885_457_84),
    ];

    #[test]
    fn values_by_hand() {
        for (activation, expected) in ALL {
            let found = activation.value(-0.7_f64);
            assert!(
                (found - expected).abs() < 1e-12,
                "{activation:?}: {found}, expected {expected}"
            );
        }
    }

    #[test]
    fn slopes_are_finite_differences() {
        for (activation, _) in ALL {
            for clip in [None, Some(1.1)] {
                let clipped = Clipped { activation, clip };
                for x in [-3.1, -0.7, -0.2, 0.4, 0.9, 2.7_f64] {
                    let slope = clipped.slope(x, clipped.value(x));
                    let step = 1e-6;
                    let quotient =
                        (clipped.value(x + step) - clipped.value(x - step)) / (2.0 * step);
                    assert!(
                        (slope - quotient).abs() < 1e-8,
                        "{clipped:?} at {x}: {slope}, expected {quotient}"
                    );
                }
            }
        }
    }

    #[test]
    fn numbers_must_be_finite() {
        let error = Activation::Elu { alpha: f64::NAN }.validate().unwrap_err();
        assert_eq!(
            error.to_string(),
            "activation alpha is NaN, expected a finite number"
        );
    }
}
