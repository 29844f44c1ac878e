//! Comparing tensors.

use burn::tensor::{DType, Tensor};

/// How far two results that should be equal may lie apart: relative to the larger magnitude, and absolute below 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerance(pub f64);

impl Tolerance {
    /// For results in `f32` that took another order of the same operations.
    pub const F32: Self = Self(1e-5);
    /// For results in `f64` that took another order of the same operations.
    pub const F64: Self = Self(1e-12);
    /// For a derivative in `f64` against a central finite difference of step 1e-5.
    pub const FINITE_DIFFERENCE: Self = Self(1e-7);

    /// The tolerance for results of type `dtype`.
    ///
    /// # Panics
    /// If `dtype` is neither `f32` nor `f64`.
    pub fn of(dtype: DType) -> Self {
        match dtype {
            DType::F32 => Self::F32,
            DType::F64 => Self::F64,
            other => panic!("no tolerance is named for {other:?}: expected F32 or F64"),
        }
    }
}

/// The greatest difference of two tensors, relative to the larger magnitude and absolute below 1. Infinite if either
/// holds a number that is not finite where the other does not hold the same.
///
/// # Panics
/// If the shapes differ.
pub fn max_difference<const D: usize>(left: &Tensor<D>, right: &Tensor<D>) -> f64 {
    assert_eq!(left.dims(), right.dims(), "shapes differ");
    let (left, right) = (numbers(left), numbers(right));
    left.iter()
        .zip(&right)
        .map(|(&a, &b)| difference(a, b))
        .fold(0.0, f64::max)
}

fn difference(a: f64, b: f64) -> f64 {
    if a == b || (a.is_nan() && b.is_nan()) {
        return 0.0;
    }
    let difference = (a - b).abs() / a.abs().max(b.abs()).max(1.0);
    if difference.is_nan() {
        f64::INFINITY
    } else {
        difference
    }
}

fn numbers<const D: usize>(tensor: &Tensor<D>) -> Vec<f64> {
    tensor.clone().into_data().iter::<f64>().collect()
}

/// Asserts that two tensors are equal within the tolerance of their type.
///
/// # Panics
/// If they are not, or their shapes or types differ.
pub fn assert_close<const D: usize>(left: &Tensor<D>, right: &Tensor<D>, what: &str) {
    assert_eq!(left.dtype(), right.dtype(), "{what}: types differ");
    assert_close_within(left, right, Tolerance::of(left.dtype()), what);
}

/// Asserts that two tensors are equal within `tolerance`.
///
/// # Panics
/// If they are not, or their shapes differ.
pub fn assert_close_within<const D: usize>(
    left: &Tensor<D>,
    right: &Tensor<D>,
    tolerance: Tolerance,
    what: &str,
) {
    let difference = max_difference(left, right);
    assert!(
        difference <= tolerance.0,
        "{what}: difference {difference:e}, expected at most {:e}\nleft: {left}\nright: {right}",
        tolerance.0
    );
}

/// Asserts that two tensors hold the same bits.
///
/// # Panics
/// If they do not, or their shapes or types differ.
pub fn assert_same_bits<const D: usize>(left: &Tensor<D>, right: &Tensor<D>, what: &str) {
    let (left, right) = (left.clone().into_data(), right.clone().into_data());
    assert_eq!(left.shape(), right.shape(), "{what}: shapes differ");
    assert_eq!(left.dtype(), right.dtype(), "{what}: types differ");
    assert!(left.bytes()[..] == right.bytes()[..], "{what}: bits differ");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(values: [f64; 2]) -> Tensor<1> {
        Tensor::from_data(values, (&Default::default(), DType::F64))
    }

    #[test]
    fn differences_are_relative_above_one_and_absolute_below() {
        assert_eq!(
            max_difference(&tensor([100.0, 0.0]), &tensor([101.0, 0.0])),
            1.0 / 101.0
        );
        assert_eq!(
            max_difference(&tensor([0.0, 0.0]), &tensor([0.0, 1e-3])),
            1e-3
        );
    }

    #[test]
    fn a_nan_is_no_small_difference() {
        assert_eq!(
            max_difference(&tensor([f64::NAN, 0.0]), &tensor([0.0, 0.0])),
            f64::INFINITY
        );
        assert_eq!(
            max_difference(&tensor([f64::INFINITY, 0.0]), &tensor([1.0, 0.0])),
            f64::INFINITY
        );
    }

    #[test]
    #[should_panic(expected = "outputs: difference")]
    fn far_is_not_close() {
        assert_close(&tensor([1.0, 2.0]), &tensor([1.0, 2.0 + 1e-10]), "outputs");
    }
}
