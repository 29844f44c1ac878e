//! The numbers on which a cell's equations are written once.

use std::ops::{Add, Mul, Sub};

use burn::tensor::{DType, Tensor, activation};

/// A number, or many numbers side by side, on which equations act element by element.
///
/// Equations that are generic over `Lane` serve the registers of the fused scan, Burn tensors where there is none, and
/// plain numbers, which check both.
pub trait Lane: Clone + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> {
    /// The logistic function `σ(x) = 1 / (1 + exp(−x))`.
    fn sigmoid(self) -> Self;

    /// The hyperbolic tangent.
    fn tanh(self) -> Self;

    /// `max(x, 0)`.
    fn relu(self) -> Self;

    /// `1 − x`.
    fn one_minus(self) -> Self;

    /// 0, as many of them as `self` holds.
    fn zero(&self) -> Self;

    /// `x` where `condition > 0`, else 0.
    fn where_positive(self, condition: Self) -> Self;
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

    fn zero(&self) -> Self {
        self.zeros_like()
    }

    fn where_positive(self, condition: Self) -> Self {
        self.mask_fill(condition.lower_equal_elem(0.0), 0.0)
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

            fn zero(&self) -> Self {
                0.0
            }

            fn where_positive(self, condition: Self) -> Self {
                if condition > 0.0 { self } else { 0.0 }
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
            + (x - y.clone()).where_positive(y.clone())
            + y.zero()
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
