//! Random orthogonal matrices, uniform over the orthogonal group (Haar measure).

use burn::tensor::Device;

use crate::noise;

/// A random `[rows, cols]` matrix, row by row, whose rows or columns, whichever are fewer, are
/// orthonormal.
///
/// It is the factor Q of a Gaussian matrix `G = Q R` whose R has a positive diagonal. Without that
/// choice of signs Q would not be uniform (Mezzadri, *How to Generate Random Matrices from the
/// Classical Compact Groups*, 2007, <https://arxiv.org/abs/math-ph/0609050>).
///
/// It draws `rows · cols` normal numbers.
pub(crate) fn haar([rows, cols]: [usize; 2], device: &Device) -> Vec<f64> {
    let length = rows.max(cols);
    let frame = orthonormal(&noise::normal(rows * cols, device), length);
    if rows <= cols {
        return frame;
    }
    let mut matrix = vec![0.0; rows * cols];
    for (col, vector) in frame.chunks_exact(length).enumerate() {
        for (row, &value) in vector.iter().enumerate() {
            matrix[row * cols + col] = value;
        }
    }
    matrix
}

/// Orthonormal vectors of `length`, one after the other, as many as `gaussian` has.
///
/// Householder's factorisation gives `Q = H₁ H₂ … Hₙ D`, where `D` holds the signs of R's diagonal
/// and `H_k` reflects what is left of column k onto its axis k. The reflections before `H_k` do
/// not depend on that column, and a rotated Gaussian vector is Gaussian, so the last
/// `length − k` numbers of column k serve as they are: G need not be updated (Stewart, *The
/// Efficient Generation of Random Orthogonal Matrices*, 1980, <https://doi.org/10.1137/0717034>).
fn orthonormal(gaussian: &[f64], length: usize) -> Vec<f64> {
    let count = gaussian.len() / length;
    let mut frame = vec![0.0; gaussian.len()];
    for k in (0..count).rev() {
        let column = &gaussian[k * length + k..(k + 1) * length];
        let (reflector, sign) = reflector(column);
        let scale = 2.0 / dot(&reflector, &reflector);
        frame[k * length + k] = sign;
        for vector in frame[k * length..].chunks_exact_mut(length) {
            let part = &mut vector[k..];
            let step = scale * dot(&reflector, part);
            for (value, &r) in part.iter_mut().zip(&reflector) {
                *value -= step * r;
            }
        }
    }
    frame
}

/// The vector `v` of the reflection `I − 2 v vᵀ / vᵀv` that maps `x` to `r e₁`, and the sign of
/// `r`. Of the two such reflections it takes the one without cancellation, where `r` and `x₁` have
/// opposite signs.
fn reflector(x: &[f64]) -> (Vec<f64>, f64) {
    let mut v = x.to_vec();
    let norm = dot(x, x).sqrt();
    // The zero vector has probability zero, but 32-bit numbers can hit it: any reflection serves.
    let norm = if norm > 0.0 { norm } else { 1.0 };
    let sign = if x[0] < 0.0 { 1.0 } else { -1.0 };
    v[0] -= sign * norm;
    (v, sign)
}

/// The scalar product, in eight partial sums: the same order, hence the same bits, everywhere.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    const LANES: usize = 8;
    let mut sums = [0.0; LANES];
    let (a_chunks, b_chunks) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let tail: f64 = (a_chunks.remainder().iter())
        .zip(b_chunks.remainder())
        .map(|(x, y)| x * y)
        .sum();
    for (x, y) in a_chunks.zip(b_chunks) {
        for lane in 0..LANES {
            sums[lane] += x[lane] * y[lane];
        }
    }
    sums.iter().sum::<f64>() + tail
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Initializer,
        testing::{assert_distribution, assert_moments, on_devices, uniform_cdf, values},
    };

    const SHAPES: [[usize; 2]; 9] = [
        [1, 1],
        [1, 6],
        [6, 1],
        [2, 2],
        [9, 9],
        [64, 64],
        [65, 17],
        [17, 65],
        [30, 29],
    ];

    /// The largest distance of `M Mᵀ` or `Mᵀ M`, whichever is smaller, from `diagonal · I`.
    fn gram_error(matrix: &[f64], [rows, cols]: [usize; 2], diagonal: f64) -> f64 {
        let entry = |a: usize, b: usize| {
            let product = |k: usize| match rows <= cols {
                true => matrix[a * cols + k] * matrix[b * cols + k],
                false => matrix[k * cols + a] * matrix[k * cols + b],
            };
            (0..rows.max(cols)).map(product).sum::<f64>()
        };
        let count = rows.min(cols);
        (0..count * count)
            .map(|k| (k / count, k % count))
            .map(|(a, b)| (entry(a, b) - if a == b { diagonal } else { 0.0 }).abs())
            .fold(0.0, f64::max)
    }

    #[test]
    fn rows_or_columns_are_orthonormal_for_any_shape() {
        on_devices(|device| {
            for shape in SHAPES {
                let error = gram_error(&haar(shape, device), shape, 1.0);
                assert!(error < 1e-13, "{shape:?}: {error}");

                let scaled = values(Initializer::Orthogonal { gain: -3.0 }.sample(shape, device));
                let scaled: Vec<f64> = scaled.into_iter().map(f64::from).collect();
                let error = gram_error(&scaled, shape, 9.0);
                assert!(error < 5e-6, "{shape:?}: {error}");
            }
        });
    }

    #[test]
    fn a_zero_column_still_gives_an_orthogonal_matrix() {
        let gaussian = [1.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.5, 0.0, 0.0];
        assert!(gram_error(&orthonormal(&gaussian, 3), [3, 3], 1.0) < 1e-15);
        assert!(gram_error(&orthonormal(&[0.0; 9], 3), [3, 3], 1.0) < 1e-15);
    }

    #[test]
    fn columns_follow_the_gaussian_matrix() {
        // With R's diagonal positive, the first column is the first Gaussian column, normalised.
        let frame = orthonormal(&[3.0, -4.0, 7.0, 2.0], 2);
        let expected = [0.6, -0.8, 0.8, 0.6];
        for (found, expected) in frame.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-15, "{frame:?}");
        }
    }

    /// In three dimensions each row and column of a Haar matrix is uniform on the sphere, so each
    /// entry is uniform on [−1, 1] (Archimedes). A factor Q with the signs that Householder's
    /// reflections leave has entries of one sign on the diagonal.
    #[test]
    fn entries_in_three_dimensions_are_uniform() {
        on_devices(|device| {
            for shape in [[3, 3], [3, 2], [2, 3], [1, 3]] {
                let draws: Vec<Vec<f64>> = (0..4000).map(|_| haar(shape, device)).collect();
                for entry in 0..shape[0] * shape[1] {
                    let sample: Vec<f64> = draws.iter().map(|matrix| matrix[entry]).collect();
                    assert_moments(&sample, 0.0, 1.0 / 3.0, 1.8);
                    assert_distribution(&sample, uniform_cdf(-1.0, 1.0));
                }
            }
        });
    }

    /// Half of the orthogonal group are rotations, half reflections; the trace of a Haar matrix
    /// has moments 0, 1 and 3 of order one, two and four (Diaconis and Shahshahani, *On the
    /// Eigenvalues of Random Matrices*, 1994, <https://doi.org/10.2307/3214948>).
    #[test]
    fn determinants_and_traces_are_those_of_the_group() {
        on_devices(|device| {
            let count = 4000;
            let traces: Vec<f64> = (0..count)
                .map(|_| haar([6, 6], device).iter().step_by(7).sum())
                .collect();
            assert_moments(&traces, 0.0, 1.0, 3.0);

            let rotations = (0..count)
                .map(|_| haar([2, 2], device))
                .filter(|m| m[0] * m[3] - m[1] * m[2] > 0.0)
                .count();
            let excess = rotations as f64 - count as f64 / 2.0;
            assert!(
                excess.abs() < 2.5 * (count as f64).sqrt(),
                "{rotations} rotations of {count}"
            );
        });
    }
}
