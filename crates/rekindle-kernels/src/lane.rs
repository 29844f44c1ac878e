//! The numbers on which a cell's equations are written once.

use std::fmt::Debug;
use std::ops::{Add, Div, Mul, Sub};

use burn::tensor::{DType, Tensor, activation};

/// A function around one exponential: see [`Lane::curve`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curve {
    /// `1 / (1 + e⁻ˣ)`.
    Sigmoid,
    /// `tanh(x)`.
    Tanh,
    /// `eˣ − 1`.
    ExpMinus1,
    /// `ln(1 + eˣ)`.
    Log1PlusExp,
}

/// A number, or many numbers side by side, on which equations act element by element.
///
/// Equations that are generic over `Lane` serve the registers of the fused scan, Burn tensors where there is none, and
/// plain numbers, which check both.
pub trait Lane:
    Clone + Debug + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self>
{
    /// The logistic function `σ(x) = 1 / (1 + exp(−x))`.
    fn sigmoid(self) -> Self;

    /// The hyperbolic tangent.
    fn tanh(self) -> Self;

    /// `max(x, 0)`.
    fn relu(self) -> Self;

    /// `1 − x`.
    fn one_minus(self) -> Self;

    /// `value`, as many times as `self` holds numbers.
    fn constant(&self, value: f64) -> Self;

    /// 0, as many of them as `self` holds.
    fn zero(&self) -> Self;

    /// `x` where `condition > 0`, else 0.
    fn where_positive(self, condition: Self) -> Self;

    /// The nearest number in `[low, high]`; NaN stays NaN.
    fn clamp(self, low: f64, high: f64) -> Self;

    /// `eˣ − 1`.
    fn exp_minus_1(self) -> Self;

    /// `ln(1 + eˣ)`.
    fn log_1_plus_exp(self) -> Self;

    /// A curve that is known when the program runs.
    ///
    /// The same as the functions above. On registers it is one piece of code for all of them, which is what equations with
    /// a choice of activations want: they are compiled for each instruction set, and each function would be there again
    /// in each place where any of them may be chosen.
    fn curve(self, curve: Curve) -> Self {
        match curve {
            Curve::Sigmoid => self.sigmoid(),
            Curve::Tanh => self.tanh(),
            Curve::ExpMinus1 => self.exp_minus_1(),
            Curve::Log1PlusExp => self.log_1_plus_exp(),
        }
    }
}

impl<const D: usize> Lane for Tensor<D> {
    /// In `f64` through the hyperbolic tangent, `σ(x) = (1 + tanh(x / 2)) / 2`: Burn's own sigmoid computes in `f32`
    /// on backends that do not override it, `ndarray` among them, whatever the type of the tensor.
    fn sigmoid(self) -> Self {
        match self.dtype() {
            DType::F64 => self.mul_scalar(0.5).tanh().mul_scalar(0.5).add_scalar(0.5),
            _ => activation::sigmoid(self),
        }
    }

    fn tanh(self) -> Self {
        Tensor::tanh(self)
    }

    fn relu(self) -> Self {
        activation::relu(self)
    }

    fn one_minus(self) -> Self {
        self.neg().add_scalar(1.0)
    }

    fn constant(&self, value: f64) -> Self {
        self.full_like(value)
    }

    fn zero(&self) -> Self {
        self.zeros_like()
    }

    fn where_positive(self, condition: Self) -> Self {
        self.mask_fill(condition.lower_equal_elem(0.0), 0.0)
    }

    fn clamp(self, low: f64, high: f64) -> Self {
        let below = self.clone().lower_elem(low);
        let above = self.clone().greater_elem(high);
        self.mask_fill(below, low).mask_fill(above, high)
    }

    fn exp_minus_1(self) -> Self {
        self.exp().sub_scalar(1.0)
    }

    /// As `max(x, 0) + ln(1 + e^−|x|)`, which does not overflow.
    fn log_1_plus_exp(self) -> Self {
        let rest = self.clone().abs().neg().exp().log1p();
        activation::relu(self) + rest
    }
}

/// Implements [`Lane`] for a primitive float.
macro_rules! float_lane {
    ($float:ty) => {
        impl Lane for $float {
            fn sigmoid(self) -> Self {
                1.0 / (1.0 + (-self).exp())
            }

            fn tanh(self) -> Self {
                <$float>::tanh(self)
            }

            fn relu(self) -> Self {
                if self > 0.0 { self } else { 0.0 }
            }

            fn one_minus(self) -> Self {
                1.0 - self
            }

            fn constant(&self, value: f64) -> Self {
                value as $float
            }

            fn zero(&self) -> Self {
                0.0
            }

            fn where_positive(self, condition: Self) -> Self {
                if condition > 0.0 { self } else { 0.0 }
            }

            fn clamp(self, low: f64, high: f64) -> Self {
                <$float>::clamp(self, low as $float, high as $float)
            }

            fn exp_minus_1(self) -> Self {
                self.exp_m1()
            }

            fn log_1_plus_exp(self) -> Self {
                self.max(0.0) + (-self.abs()).exp().ln_1p()
            }
        }
    };
}

float_lane!(f32);
float_lane!(f64);

#[cfg(test)]
mod tests {
    use super::*;

    /// One expression that uses every operation.
    fn expression<V: Lane>(x: V, y: V) -> V {
        x.clone().sigmoid() * y.clone().tanh()
            + x.clone().relu().one_minus() * y.clone()
            + (x.clone() - y.clone()).where_positive(y.clone())
            + y.zero()
            + x.clone().clamp(-0.25, 0.5) / y.constant(3.0)
            + x.clone().exp_minus_1()
            + (x - y).log_1_plus_exp()
    }

    #[test]
    fn tensors_and_numbers_agree() {
        let device = Default::default();
        for (x, y) in [(0.3, -0.7), (-1.5, 0.2), (2.0, 1.0), (0.0, 0.0)] {
            let tensors = expression(
                Tensor::<1>::from_floats([x], &device),
                Tensor::<1>::from_floats([y], &device),
            );
            let number: f64 = expression(x, y);
            let tensor = f64::from(tensors.into_scalar::<f32>());
            assert!(
                (tensor - number).abs() < 1e-6,
                "{tensor} and {number} at {x}, {y}"
            );
        }
    }

    #[test]
    fn relu_and_selection_are_zero_at_zero() {
        assert_eq!(Lane::relu(0.0_f64), 0.0);
        assert_eq!(5.0_f64.where_positive(0.0), 0.0);
        assert_eq!(5.0_f64.where_positive(1e-300), 5.0);
    }
}
