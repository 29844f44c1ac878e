//! How long each row of a padded batch really is.

use burn::tensor::{Bool, Device, Int, Tensor, TensorData};

/// The number of valid steps of each batch row; the steps behind them are padding.
///
/// Rows stand in any order; nothing needs sorting. A length of 0 is a row without steps: its outputs are zero and its
/// final state is its initial one.
///
/// # Examples
/// ```
/// use rekindle_kernels::Lengths;
///
/// let lengths = Lengths::new(vec![3, 1]);
/// let valid = lengths.valid(3, &Default::default());
/// assert_eq!(
///     valid.into_data().iter::<bool>().collect::<Vec<_>>(),
///     [true, true, true, true, false, false],
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lengths(Vec<usize>);

impl Lengths {
    /// One length a batch row, in the order of the rows.
    ///
    /// # Panics
    /// If `lengths` is empty.
    pub fn new(lengths: Vec<usize>) -> Self {
        assert!(
            !lengths.is_empty(),
            "lengths of an empty batch: expected one length a batch row"
        );
        Self(lengths)
    }

    /// The lengths in the order of the rows.
    pub fn as_slice(&self) -> &[usize] {
        &self.0
    }

    /// The length of the longest row.
    pub fn longest(&self) -> usize {
        self.0.iter().copied().max().unwrap_or(0)
    }

    /// The length of the shortest row.
    pub fn shortest(&self) -> usize {
        self.0.iter().copied().min().unwrap_or(0)
    }

    /// Which steps are valid: `[batch, seq]`, true before each row's length.
    pub fn valid(&self, seq: usize, device: &Device) -> Tensor<2, Bool> {
        let valid: Vec<bool> = self
            .0
            .iter()
            .flat_map(|&length| (0..seq).map(move |t| t < length))
            .collect();
        Tensor::from_data(TensorData::new(valid, [self.0.len(), seq]), device)
    }

    /// The sequence with each row's valid steps in reverse order and its padding where it is: `[batch, seq, width]`.
    pub(crate) fn reverse(&self, sequence: Tensor<3>) -> Tensor<3> {
        let [batch, seq, width] = sequence.dims();
        let of_row = |(row, &length): (usize, &usize)| {
            (0..seq).map(move |t| {
                let from = if t < length { length - 1 - t } else { t };
                (row * seq + from) as i64
            })
        };
        let steps: Vec<i64> = self.0.iter().enumerate().flat_map(of_row).collect();
        let steps = TensorData::new(steps, [batch * seq]);
        let steps = Tensor::<1, Int>::from_data(steps, &sequence.device());
        let rows = sequence.reshape([batch * seq, width]);
        rows.select(0, steps).reshape([batch, seq, width])
    }

    /// Checks that the lengths fit a batch of `batch` rows and `seq` steps.
    ///
    /// # Panics
    /// If the number of lengths is not `batch`, or one is greater than `seq`.
    pub fn assert_fit(&self, batch: usize, seq: usize) {
        assert!(
            self.0.len() == batch,
            "lengths do not fit the batch: expected {batch} lengths (one a row), found {}",
            self.0.len()
        );
        if let Some(row) = self.0.iter().position(|&length| length > seq) {
            panic!(
                "length of row {row} does not fit the batch: expected at most {seq} steps, found {}",
                self.0[row]
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extremes() {
        let lengths = Lengths::new(vec![2, 0, 5]);
        assert_eq!((lengths.shortest(), lengths.longest()), (0, 5));
    }

    #[test]
    #[should_panic(expected = "expected 3 lengths (one a row), found 2")]
    fn one_length_a_row() {
        Lengths::new(vec![1, 2]).assert_fit(3, 4);
    }

    #[test]
    #[should_panic(
        expected = "length of row 1 does not fit the batch: expected at most 4 steps, found 5"
    )]
    fn no_length_beyond_the_batch() {
        Lengths::new(vec![1, 5]).assert_fit(2, 4);
    }

    #[test]
    #[should_panic(expected = "lengths of an empty batch")]
    fn an_empty_batch_has_no_lengths() {
        Lengths::new(vec![]);
    }
}
