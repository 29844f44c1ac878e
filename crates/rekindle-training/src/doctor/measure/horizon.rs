//! How far back an input still moves the last state.

use serde::{Deserialize, Serialize};

/// Inputs that move the last state by less than this share of what the strongest one does count as forgotten.
const SHARE: f64 = 0.01;

/// The effective memory horizon of the stack in one order of reading.
///
/// With `v` random, `‖∂(v · h_T)/∂x_{T−k}‖` is how much the input of k steps before the end moves the last hidden state of
/// the top layer. The horizon is the greatest k at which it is at least 1 % of its maximum.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Horizon {
    /// Whether steps are counted from the first, for the cells that read in reverse.
    pub reverse: bool,
    /// Steps back from the end.
    pub steps: usize,
    /// The longest sequence of the sample.
    pub longest: usize,
    /// The root mean square over rows at each number of steps back, 0 first.
    pub norms: Vec<f64>,
}

impl Horizon {
    /// From the squares `[row][step]` of the gradients at valid steps.
    pub(crate) fn of(rows: &[Vec<f64>], reverse: bool) -> Self {
        let longest = rows.iter().map(Vec::len).max().unwrap_or(0);
        let mut norms = Vec::with_capacity(longest);
        for back in 0..longest {
            let reached = rows.iter().filter(|row| row.len() > back);
            let squares: Vec<f64> = reached
                .map(|row| match reverse {
                    true => row[back],
                    false => row[row.len() - 1 - back],
                })
                .collect();
            norms.push((squares.iter().sum::<f64>() / squares.len() as f64).sqrt());
        }
        let greatest = norms.iter().copied().fold(0.0, f64::max);
        let moves = |norm: &f64| *norm > 0.0 && *norm >= SHARE * greatest;
        Self {
            reverse,
            steps: norms.iter().rposition(moves).unwrap_or(0),
            longest,
            norms,
        }
    }

    /// Whether the first input of the longest sequence still moves the last state.
    pub fn reaches_the_start(&self) -> bool {
        self.steps + 1 >= self.longest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_that_halves_remembers_six_steps() {
        let forward: Vec<f64> = (0..30).map(|step| 0.25_f64.powi(29 - step)).collect();
        let found = Horizon::of(&[forward.clone(), forward[20..].to_vec()], false);
        // 2⁻⁶ is above one hundredth, 2⁻⁷ is below.
        assert_eq!((found.steps, found.longest), (6, 30));
        assert!(!found.reaches_the_start());
        let mut reverse = forward.clone();
        reverse.reverse();
        assert_eq!(Horizon::of(&[reverse], true).steps, 6);
        assert!(Horizon::of(&[vec![1.0; 5]], false).reaches_the_start());
        assert_eq!(Horizon::of(&[vec![0.0; 5]], false).steps, 0);
    }
}
