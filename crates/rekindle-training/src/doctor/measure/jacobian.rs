//! The spectral radius of one step.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::doctor::Place;

/// The spectral radius of `∂s_t/∂s_{t−1}`, all states of a cell together, at a few states of the sample.
///
/// Where it stays above 1, gradients can explode; where it stays below, they vanish: Pascanu et al., *On the Difficulty of
/// Training Recurrent Neural Networks*, 2013, <https://arxiv.org/abs/1211.5063>.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Jacobian {
    /// The cell.
    pub place: Place,
    /// One radius a state.
    pub radii: Vec<f64>,
}

impl Jacobian {
    /// The greatest radius; 0 without any.
    pub fn largest(&self) -> f64 {
        self.radii.iter().copied().fold(0.0, f64::max)
    }
}

/// Squarings: the norm of the 1024th power.
const SQUARINGS: u32 = 10;

/// The spectral radius of a square matrix, by Gelfand's formula `ρ(J) = lim ‖Jⁿ‖^{1/n}` with n = 2¹⁰ by repeated squaring,
/// each power scaled to norm 1. NaN if a number of it is not finite.
pub(crate) fn spectral_radius(matrix: Tensor<2>) -> f64 {
    let norm = |matrix: &Tensor<2>| {
        let squares = matrix.clone().powi_scalar(2).sum();
        squares.into_scalar::<f64>().sqrt()
    };
    let mut power = matrix;
    // The power is `exp(log) · power`.
    let mut log = 0.0;
    for _ in 0..SQUARINGS {
        let size = norm(&power);
        if size == 0.0 {
            return 0.0;
        }
        power = power.div_scalar(size);
        log = 2.0 * (log + size.ln());
        power = power.clone().matmul(power);
    }
    ((log + norm(&power).ln()) / f64::from(1 << SQUARINGS)).exp()
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    #[test]
    fn radii_of_matrices_with_known_ones() {
        let device = Device::default();
        let of = |rows: [[f32; 2]; 2]| spectral_radius(Tensor::<2>::from_data(rows, &device));
        for (rows, expected) in [
            ([[0.5, 0.0], [0.0, 0.25]], 0.5),
            // A rotation by a right angle, stretched: complex eigenvalues.
            ([[0.0, -3.0], [3.0, 0.0]], 3.0),
            // A shear: its norm is 10, its radius 1.
            ([[1.0, 10.0], [0.0, 1.0]], 1.0),
            ([[1e-3, 0.0], [0.0, 1e-3]], 1e-3),
        ] {
            let found = of(rows);
            let error = (found / expected - 1.0).abs();
            assert!(error < 0.01, "{rows:?}: {found}, expected {expected}");
        }
        assert_eq!(of([[0.0, 1.0], [0.0, 0.0]]), 0.0, "nilpotent");
        assert!(of([[f32::NAN, 0.0], [0.0, 1.0]]).is_nan());
    }
}
