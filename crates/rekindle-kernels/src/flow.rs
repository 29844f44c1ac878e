//! How much gradient reaches the states of a scan.

use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

/// Where the derivatives of scans leave how much gradient reached each state at each step: `‖∂L/∂h_t‖` and, for each further
/// state such as the cell's, `‖∂L/∂c_t‖`.
///
/// The gradient of a state is all of it: that of the output at the step, and that which the steps after it hand back. It is
/// taken on the way of the backward pass, which computes it anyway.
///
/// Clones share what is left. Each backward pass adds one entry for each watched scan, the last scan of the forward pass
/// first, so [`take`](Self::take) them after each pass.
///
/// Scans that are composed of tensor operations leave nothing: see [`scan`](crate::scan()).
#[derive(Clone, Debug, Default)]
pub struct GradientFlow {
    passes: Arc<Mutex<Vec<StateGradients>>>,
    /// Whether steps are counted from each row's end.
    from_end: bool,
}

/// How much gradient reached the states of one scan.
#[derive(Clone, Debug, PartialEq)]
pub struct StateGradients {
    /// The valid steps of each row.
    pub lengths: Vec<usize>,
    /// The steps of a row with padding.
    pub seq: usize,
    /// `‖∂L/∂s_t‖²` of each state after each step, the hidden state first: `[batch, seq]` each, 0 in padding.
    pub squares: Vec<Vec<f64>>,
}

impl StateGradients {
    /// The norm over all rows at each step, of the state with index `state`.
    ///
    /// # Panics
    /// If there is no such state.
    pub fn norms(&self, state: usize) -> Vec<f64> {
        let squares = &self.squares[state];
        let at = |step: usize| squares.iter().skip(step).step_by(self.seq).sum::<f64>();
        (0..self.seq).map(|step| at(step).sqrt()).collect()
    }
}

impl GradientFlow {
    /// Everything that was left since the last time.
    pub fn take(&self) -> Vec<StateGradients> {
        mem::take(&mut *self.passes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The same, of a scan whose rows are reversed.
    pub(crate) fn reversed(self) -> Self {
        Self {
            from_end: !self.from_end,
            ..self
        }
    }

    /// Leaves the gradients of a scan.
    pub(crate) fn put(&self, mut gradients: StateGradients) {
        if self.from_end {
            let StateGradients {
                lengths,
                seq,
                squares,
            } = &mut gradients;
            for squares in squares {
                for (row, &length) in squares.chunks_exact_mut(*seq).zip(lengths.iter()) {
                    row[..length].reverse();
                }
            }
        }
        let mut passes = self.passes.lock().unwrap_or_else(PoisonError::into_inner);
        passes.push(gradients);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reversed_rows_are_turned_over_up_to_their_lengths() {
        let flow = GradientFlow::default();
        let gradients = StateGradients {
            lengths: vec![3, 1],
            seq: 3,
            squares: vec![vec![1.0, 4.0, 9.0, 16.0, 0.0, 0.0]],
        };
        flow.put(gradients.clone());
        flow.clone().reversed().put(gradients.clone());
        let taken = flow.take();
        assert_eq!(taken[0], gradients);
        assert_eq!(taken[0].norms(0), [17.0_f64.sqrt(), 2.0, 3.0]);
        assert_eq!(taken[1].squares[0], [9.0, 4.0, 1.0, 16.0, 0.0, 0.0]);
        assert_eq!(flow.take(), []);
    }
}
