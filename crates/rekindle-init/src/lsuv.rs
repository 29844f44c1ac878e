//! Scaling input weights by what data make of them: layer-sequential unit variance.

use burn::tensor::Tensor;

/// Below this a variance is that of rounding alone.
const NOTHING: f64 = 1e-12;

/// When the arguments of gates have unit variance, and how often weights are scaled for it.
///
/// The numbers are those of Mishkin and Matas, *All You Need Is a Good Init*, 2015, <https://arxiv.org/abs/1511.06422>.
/// What is scaled, a stack says: `Stack::lsuv` of `rekindle-cells`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lsuv {
    /// How far from 1 a variance may be, positive. Default: 0.1.
    pub tolerance: f64,
    /// How often weights are scaled at most. Default: 10.
    pub max_iterations: usize,
}

impl Default for Lsuv {
    fn default() -> Self {
        Self {
            tolerance: 0.1,
            max_iterations: 10,
        }
    }
}

impl Lsuv {
    /// Whether a variance is near enough to 1.
    pub fn is_met(&self, variance: f64) -> bool {
        (variance - 1.0).abs() <= self.tolerance
    }
}

/// The variance of the argument `x W_ih + h W_hh` of a gate, by its parts: over all steps and units together.
///
/// # Examples
/// ```
/// use burn::tensor::{Device, Tensor};
/// use rekindle_init::GateVariance;
///
/// let device = Device::default();
/// let of_input = Tensor::<2>::from_floats([[0.5, -0.5], [0.5, -0.5]], &device);
/// let found = GateVariance::of(of_input.clone(), of_input.zeros_like());
/// assert_eq!((found.total(), found.input_factor()), (0.25, Some(2.0)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GateVariance {
    /// That of `x W_ih`.
    pub input: f64,
    /// That of `h W_hh`.
    pub hidden: f64,
    /// The covariance of both.
    pub covariance: f64,
}

impl GateVariance {
    /// Of both products at the same steps: `[steps, units]` each.
    ///
    /// # Panics
    /// If the shapes differ.
    pub fn of(input: Tensor<2>, hidden: Tensor<2>) -> Self {
        assert_eq!(input.dims(), hidden.dims(), "both products have one shape");
        let centred = |product: Tensor<2>| product.clone() - product.mean().unsqueeze();
        let (input, hidden) = (centred(input), centred(hidden));
        let mean = |product: Tensor<2>| product.mean().into_scalar::<f64>();
        Self {
            input: mean(input.clone() * input.clone()),
            hidden: mean(hidden.clone() * hidden.clone()),
            covariance: mean(input * hidden),
        }
    }

    /// That of the sum.
    pub fn total(&self) -> f64 {
        self.input + 2.0 * self.covariance + self.hidden
    }

    /// The positive factor of the input weights that makes the sum's variance 1, as long as the hidden states stay the same.
    ///
    /// `None` if there is none: the input's part does not vary, or the hidden part alone varies too much.
    pub fn input_factor(&self) -> Option<f64> {
        let Self {
            input,
            hidden,
            covariance,
        } = *self;
        // The positive root of input · s² + 2 covariance · s + hidden = 1.
        let square = covariance * covariance + input * (1.0 - hidden);
        let factor = (square.sqrt() - covariance) / input;
        (input > NOTHING && factor > 0.0 && factor.is_finite()).then_some(factor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn the_factor_makes_the_variance_one() {
        let device = Device::default();
        let input = Tensor::<2>::from_floats([[1.0, 3.0, -2.0], [0.5, -1.0, 4.0]], &device);
        let hidden = Tensor::<2>::from_floats([[0.2, 0.9, -0.1], [0.3, -0.5, 0.4]], &device);
        let factor = GateVariance::of(input.clone(), hidden.clone()).input_factor();
        let factor = factor.expect("it varies");
        let sum = input * factor + hidden;
        let mean = sum.clone().mean().into_scalar::<f64>();
        let variance = (sum - mean).square().mean().into_scalar::<f64>();
        assert!((variance - 1.0).abs() < 1e-5, "{variance}");
    }

    #[test]
    fn what_does_not_vary_has_no_factor() {
        let variance = |input, hidden, covariance| GateVariance {
            input,
            hidden,
            covariance,
        };
        assert_eq!(variance(0.0, 0.0, 0.0).input_factor(), None);
        assert_eq!(variance(f64::NAN, 0.0, 0.0).input_factor(), None);
        assert_eq!(variance(1.0, 2.0, 0.0).input_factor(), None);
        assert_eq!(variance(4.0, 0.0, 0.0).input_factor(), Some(0.5));
    }
}
