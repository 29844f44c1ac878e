//! Types in which sums are taken.

use burn::tensor::{DType, FloatDType, Tensor};

/// Squares of 16-bit floats overflow from 256 on, and their sums lose digits; `f32` holds both.
pub(crate) fn at_least_f32<const D: usize>(tensor: Tensor<D>) -> Tensor<D> {
    match tensor.dtype() {
        DType::F16 | DType::BF16 => tensor.cast(FloatDType::F32),
        _ => tensor,
    }
}
