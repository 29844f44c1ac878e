//! Bounds of singular values and eigenvalues.

use burn::tensor::{FloatDType, Tensor};

use super::matrix::{frobenius_norm, peak, precise};
use super::tolerance;

/// How often a matrix is squared at most: the bound is then off by a relative ln(κ √n) / 2⁴⁴ for a matrix of n rows whose
/// eigenvectors have condition κ.
const SQUARINGS: i32 = 44;

/// Squaring ends when the bound moves less than this, relative to itself, unless it is as near to what is allowed.
const MOVES: f64 = 1e-7;

/// Scales a matrix whose largest singular value is greater than `max` to it.
pub(super) fn bound_norm(matrix: Tensor<2>, max: f64) -> Tensor<2> {
    bound(matrix, max, |matrix, enough| {
        let [rows, columns] = matrix.dims();
        let gram = match rows < columns {
            true => matrix.clone().matmul(matrix.transpose()),
            false => matrix.clone().transpose().matmul(matrix),
        };
        spectral_radius(gram, enough * enough).sqrt()
    })
}

/// Scales a square matrix whose spectral radius is greater than `max` to it.
pub(super) fn bound_radius(matrix: Tensor<2>, max: f64) -> Tensor<2> {
    bound(matrix, max, spectral_radius)
}

/// Scales a matrix of which `measure` is greater than `max` to it. The measure is taken of a multiple whose greatest entry
/// has magnitude 1, in high precision, with the multiple of `max` below which it does not matter.
fn bound(matrix: Tensor<2>, max: f64, measure: impl Fn(Tensor<2>, f64) -> f64) -> Tensor<2> {
    let allowed = max * (1.0 + tolerance(matrix.dtype()));
    let dtype = FloatDType::from(matrix.dtype());
    let exact = precise(matrix.clone());
    let peak = match exact.shape().num_elements() {
        0 => 0.0,
        _ => peak(&exact),
    };
    if peak == 0.0 {
        return matrix;
    }
    let measured = peak * measure(exact.clone() / peak, allowed / peak);
    if measured <= allowed {
        return matrix;
    }
    (exact * (max / measured)).cast(dtype)
}

/// An upper bound of the spectral radius of a square matrix, tight unless it is below `enough`: Gelfand's
/// `‖A^m‖^(1/m)` for m = 1, 2, 4, …, which falls to the radius.
fn spectral_radius(matrix: Tensor<2>, enough: f64) -> f64 {
    let norm = frobenius_norm(&matrix);
    if norm == 0.0 {
        return 0.0;
    }
    // A^m = exp(m · log) · power, where power has norm 1.
    let mut log = norm.ln();
    let mut power = matrix / norm;
    for squaring in 1..=SQUARINGS {
        if log.exp() <= enough {
            break;
        }
        power = power.clone().matmul(power);
        let norm = frobenius_norm(&power);
        if norm == 0.0 {
            return 0.0;
        }
        let moved = norm.ln() / 2f64.powi(squaring);
        log += moved;
        let is_near = log.exp() < enough * (1.0 + 10.0 * MOVES);
        if moved.abs() < MOVES && !is_near {
            break;
        }
        power = power / norm;
    }
    log.exp()
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{DType, Device, TensorData};

    fn square(numbers: &[f64], size: usize) -> Tensor<2> {
        let data = TensorData::new(numbers.to_vec(), [size, size]);
        Tensor::from_data(data, (&Device::default(), DType::F64))
    }

    /// (3, 1; −2, 1) has the eigenvalues 2 ± i; its norm is well above their magnitude √5.
    #[test]
    fn complex_eigenvalues_have_their_magnitude() {
        let found = spectral_radius(square(&[3.0, 1.0, -2.0, 1.0], 2), 0.0);
        let expected = 5f64.sqrt();
        assert!((found / expected - 1.0).abs() < 2e-7, "{found}");
        assert!(
            found >= expected * (1.0 - 1e-14),
            "{found} is no upper bound"
        );
    }

    #[test]
    fn no_power_of_a_nilpotent_matrix_is_left() {
        let nilpotent = square(&[0.0, 5.0, 7.0, 0.0, 0.0, 9.0, 0.0, 0.0, 0.0], 3);
        assert_eq!(spectral_radius(nilpotent, 0.0), 0.0);
        assert_eq!(spectral_radius(square(&[0.0; 9], 3), 0.0), 0.0);
    }

    /// A Jordan block, whose powers grow faster than those of its eigenvalue, and equal eigenvalues.
    #[test]
    fn defective_and_repeated_eigenvalues_are_found() {
        let jordan = square(&[0.5, 1.0, 0.0, 0.0, 0.5, 1.0, 0.0, 0.0, 0.5], 3);
        let found = spectral_radius(jordan, 0.0);
        assert!((found / 0.5 - 1.0).abs() < 3e-6, "{found}");
        let mut identity = [0.0; 25];
        (0..5).for_each(|index| identity[index * 6] = -2.0);
        let found = spectral_radius(square(&identity, 5), 0.0);
        assert!((found / 2.0 - 1.0).abs() < 2e-7, "{found}");
    }
}
