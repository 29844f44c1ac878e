//! The nearest orthogonal matrix.

use burn::tensor::{DType, FloatDType, Tensor};

use super::matrix::{frobenius_norm, peak, precise};
use super::tolerance;

/// The polar factor of a square matrix, or `None` if it is singular. A matrix that is orthogonal stays as it is.
pub(super) fn nearest(matrix: Tensor<2>) -> Option<Tensor<2>> {
    let exact = precise(matrix.clone());
    let [size, _] = exact.dims();
    let device = exact.device();
    let eye = Tensor::<2>::eye(size, &device).cast(FloatDType::from(exact.dtype()));
    let gram = |x: &Tensor<2>| x.clone().transpose().matmul(x.clone());
    if peak(&(gram(&exact) - eye.clone())) <= tolerance(matrix.dtype()) {
        return Some(matrix);
    }

    // A singular value s becomes s (3 − s²) / 2: the steps bring 1e-10 of the largest one to 1, or 1e-4, and no rounding
    // error of those that are 0.
    let (steps, close) = match exact.dtype() {
        DType::F64 => (60, 1e-13),
        _ => (25, 4e-6),
    };
    let dtype = FloatDType::from(matrix.dtype());
    let greatest = peak(&exact);
    if greatest == 0.0 {
        return None;
    }
    let scaled = exact / greatest;
    let norm = frobenius_norm(&scaled);
    let mut x = scaled / norm;
    for _ in 0..steps {
        let gram = gram(&x);
        if peak(&(gram.clone() - eye.clone())) <= close {
            return Some(x.cast(dtype));
        }
        x = x.matmul(eye.clone() * 1.5 - gram * 0.5);
    }
    None
}
