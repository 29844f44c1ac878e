//! Projections of columns and of single weights.

use burn::tensor::{FloatDType, Tensor};

use super::tolerance;
use crate::precision::at_least_f32;

/// Scales what has a norm over `axis` greater than `max` to it.
pub(super) fn max_norm<const D: usize>(weight: Tensor<D>, max: f64, axis: usize) -> Tensor<D> {
    let allowed = max * (1.0 + tolerance(weight.dtype()));
    let norm = norm(weight.clone(), axis);
    let fits = norm.clone().lower_equal_scalar(allowed);
    divide(weight, (norm / max).mask_fill(fits, 1.0))
}

/// Scales everything over `axis` to norm 1, but for zeros.
pub(super) fn unit_norm<const D: usize>(weight: Tensor<D>, axis: usize) -> Tensor<D> {
    let tolerance = tolerance(weight.dtype());
    let norm = norm(weight.clone(), axis);
    let fits = (norm.clone() - 1.0).abs().lower_equal_scalar(tolerance);
    let empty = norm.clone().equal_scalar(0.0);
    divide(weight, norm.mask_fill(fits, 1.0).mask_fill(empty, 1.0))
}

/// Sets negative weights to 0.
pub(super) fn non_negative<const D: usize>(weight: Tensor<D>) -> Tensor<D> {
    let negative = weight.clone().lower_scalar(0.0);
    weight.mask_fill(negative, 0.0)
}

/// The L2 norm over a dimension, which gets length 1. Squares neither overflow nor vanish.
fn norm<const D: usize>(weight: Tensor<D>, axis: usize) -> Tensor<D> {
    let weight = at_least_f32(weight);
    let peak = weight.clone().abs().max_dim(axis);
    let empty = peak.clone().equal_scalar(0.0);
    let peak = peak.mask_fill(empty.clone(), 1.0);
    let root = (weight / peak.clone()).square().sum_dim(axis).sqrt();
    (root * peak).mask_fill(empty, 0.0)
}

/// Divides in the divisor's type: a weight that is divided by 1 keeps its bits.
fn divide<const D: usize>(weight: Tensor<D>, divisor: Tensor<D>) -> Tensor<D> {
    let dtype = FloatDType::from(weight.dtype());
    (at_least_f32(weight) / divisor).cast(dtype)
}
