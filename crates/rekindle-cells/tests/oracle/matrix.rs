//! Matrices of plain numbers.

use burn::tensor::Tensor;
use rekindle_testkit::Tolerance;

/// A row-major matrix.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    columns: usize,
    values: Vec<f64>,
}

impl Matrix {
    pub fn of(tensor: &Tensor<2>) -> Self {
        let columns = tensor.dims()[1];
        Self {
            columns,
            values: numbers(tensor),
        }
    }

    pub fn zeros([rows, columns]: [usize; 2]) -> Self {
        Self {
            columns,
            values: vec![0.0; rows * columns],
        }
    }

    pub fn zeros_like(other: &Self) -> Self {
        Self::zeros([other.rows(), other.columns])
    }

    pub fn rows(&self) -> usize {
        self.values.len() / self.columns
    }

    pub fn row(&self, row: usize) -> &[f64] {
        &self.values[row * self.columns..][..self.columns]
    }

    pub fn row_mut(&mut self, row: usize) -> &mut [f64] {
        &mut self.values[row * self.columns..][..self.columns]
    }

    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The columns from `first` on, `width` of them.
    pub fn part(&self, first: usize, width: usize) -> Self {
        let of_row = |row: usize| self.row(row)[first..first + width].to_vec();
        Self {
            columns: width,
            values: (0..self.rows()).flat_map(of_row).collect(),
        }
    }

    /// Adds `x W` to `y`.
    pub fn add_product(&self, x: &[f64], y: &mut [f64]) {
        assert_eq!([x.len(), y.len()], [self.rows(), self.columns]);
        for (row, x) in x.iter().enumerate() {
            for (y, w) in y.iter_mut().zip(self.row(row)) {
                *y += x * w;
            }
        }
    }

    /// `x W`.
    pub fn product(&self, x: &[f64]) -> Vec<f64> {
        let mut y = vec![0.0; self.columns];
        self.add_product(x, &mut y);
        y
    }

    /// `y Wᵀ`.
    pub fn back(&self, y: &[f64]) -> Vec<f64> {
        assert_eq!(y.len(), self.columns);
        let of_row = |row: usize| self.row(row).iter().zip(y).map(|(w, y)| w * y).sum();
        (0..self.rows()).map(of_row).collect()
    }

    /// Adds `xᵀ y`.
    pub fn add_outer(&mut self, x: &[f64], y: &[f64]) {
        assert_eq!([x.len(), y.len()], [self.rows(), self.columns]);
        for (row, x) in x.iter().enumerate() {
            for (w, y) in self.row_mut(row).iter_mut().zip(y) {
                *w += x * y;
            }
        }
    }
}

/// The numbers of a tensor.
pub fn numbers<const D: usize>(tensor: &Tensor<D>) -> Vec<f64> {
    tensor.clone().into_data().iter::<f64>().collect()
}

/// Asserts that two rows of numbers are equal within the tolerance of `f64`.
pub fn assert_numbers(found: &[f64], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}: how many");
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        let scale = found.abs().max(expected.abs()).max(1.0);
        assert!(
            (found - expected).abs() <= Tolerance::F64.0 * scale,
            "{what}: number {index} is {found}, expected {expected}"
        );
    }
}
