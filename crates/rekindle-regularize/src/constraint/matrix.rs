//! Blocks of matrices, and the numbers that projections need of them.

use burn::tensor::{DType, FloatDType, Tensor};

use super::ConstraintError;

/// Applies a function to the block `[d_hidden, d_hidden]` of each gate in a matrix `[d_hidden, gates·d_hidden]`, with the
/// gate's index.
pub(super) fn map_blocks<const D: usize>(
    weight: Tensor<D>,
    path: String,
    mut function: impl FnMut(Tensor<2>, usize) -> Result<Tensor<2>, ConstraintError>,
) -> Result<Tensor<D>, ConstraintError> {
    let shape = weight.dims();
    let (rows, columns) = (shape[0], shape[1]);
    if rows == 0 || columns == 0 || !columns.is_multiple_of(rows) {
        let found = shape.to_vec();
        return Err(ConstraintError::NoBlocks { path, found });
    }
    let matrix: Tensor<2> = weight.reshape([rows, columns]);
    let blocks = matrix.split(rows, 1).into_iter().enumerate();
    let blocks: Result<Vec<_>, _> = blocks
        .map(|(index, block)| function(block, index))
        .collect();
    Ok(Tensor::cat(blocks?, 1).reshape(shape))
}

/// In `f64`, or `f32` on devices without it.
pub(super) fn precise(matrix: Tensor<2>) -> Tensor<2> {
    let dtype = match matrix.device().supports_dtype(DType::F64) {
        true => FloatDType::F64,
        false => FloatDType::F32,
    };
    matrix.cast(dtype)
}

/// The greatest magnitude of an entry.
pub(super) fn peak(matrix: &Tensor<2>) -> f64 {
    matrix.clone().abs().max().into_scalar()
}

/// The Frobenius norm.
pub(super) fn frobenius_norm(matrix: &Tensor<2>) -> f64 {
    let squares: f64 = matrix.clone().square().sum().into_scalar();
    squares.sqrt()
}
