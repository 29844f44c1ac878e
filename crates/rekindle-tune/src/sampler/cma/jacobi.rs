//! Eigenvalues of symmetric matrices.

/// A square matrix, row by row.
pub(super) type Matrix = Vec<Vec<f64>>;

/// The unit matrix.
pub(super) fn identity(n: usize) -> Matrix {
    let row = |i: usize| (0..n).map(|j| f64::from(u8::from(i == j))).collect();
    (0..n).map(row).collect()
}

/// Eigenvalues of a symmetric matrix, and their vectors as the columns of a matrix.
///
/// Rotations make the elements beside the diagonal 0, one after the other, until all of them are next to nothing. Slow for
/// great matrices and very exact for small ones.
///
/// # References
/// Golub and Van Loan, *Matrix Computations*, 4th edition, 2013, section 8.5.
pub(super) fn eigen(mut a: Matrix) -> (Vec<f64>, Matrix) {
    let n = a.len();
    let mut vectors = identity(n);
    for _ in 0..SWEEPS {
        let mut beside = 0.0;
        for p in 0..n {
            for q in p + 1..n {
                beside += a[p][q] * a[p][q];
                rotate(&mut a, &mut vectors, p, q);
            }
        }
        let all: f64 = (0..n).map(|i| a[i][i] * a[i][i]).sum();
        if beside <= 1e-32 * all {
            break;
        }
    }
    ((0..n).map(|i| a[i][i]).collect(), vectors)
}

/// Far more than ever needed: each sweep squares what is left.
const SWEEPS: usize = 50;

/// Makes `a[p][q]` 0.
fn rotate(a: &mut Matrix, vectors: &mut Matrix, p: usize, q: usize) {
    if a[p][q] == 0.0 {
        return;
    }
    // t = tan of the angle: the smaller root of t² + 2τt − 1.
    let tau = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
    let t = tau.signum() / (tau.abs() + tau.hypot(1.0));
    let cos = 1.0 / t.hypot(1.0);
    let sin = t * cos;
    for row in a.iter_mut().chain(vectors.iter_mut()) {
        let (x, y) = (row[p], row[q]);
        row[p] = cos * x - sin * y;
        row[q] = sin * x + cos * y;
    }
    let (before, after) = a.split_at_mut(q);
    for (x, y) in before[p].iter_mut().zip(&mut after[0]) {
        (*x, *y) = (cos * *x - sin * *y, sin * *x + cos * *y);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_by_hand() {
        let (values, vectors) = eigen(vec![vec![2.0, 1.0], vec![1.0, 2.0]]);
        assert!((values[0] - 1.0).abs() < 1e-15 && (values[1] - 3.0).abs() < 1e-15);
        assert!((vectors[0][1].abs() - 0.5f64.sqrt()).abs() < 1e-15);
    }

    #[test]
    fn puts_the_matrix_together_again() {
        let n = 7;
        let element = |i: usize, j: usize| 1.0 / (1 + i + j) as f64;
        let row = |i: usize| (0..n).map(|j| element(i, j)).collect();
        let hilbert: Matrix = (0..n).map(row).collect();
        let (values, vectors) = eigen(hilbert);
        for i in 0..n {
            for j in 0..n {
                let sum: f64 = (0..n)
                    .map(|k| vectors[i][k] * values[k] * vectors[j][k])
                    .sum();
                assert!((sum - element(i, j)).abs() < 1e-14);
                let product: f64 = (0..n).map(|k| vectors[i][k] * vectors[j][k]).sum();
                assert!((product - f64::from(u8::from(i == j))).abs() < 1e-14);
            }
        }
    }

    #[test]
    fn equal_elements_on_the_diagonal() {
        let (mut values, _) = eigen(vec![vec![1.0, -1.0], vec![-1.0, 1.0]]);
        values.sort_by(f64::total_cmp);
        assert!(values[0].abs() < 1e-15 && (values[1] - 2.0).abs() < 1e-15);
    }
}
