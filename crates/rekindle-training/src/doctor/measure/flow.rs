//! How much gradient reaches the states over a sequence.

use rekindle_cells::StateGradients;
use serde::{Deserialize, Serialize};

use crate::doctor::Place;

/// Parts that a sequence is cut into. A short sequence has steps in several of them.
pub const PARTS: usize = 20;

/// How much gradient reaches one state of a cell: `‖∂L/∂h_t‖` or `‖∂L/∂c_t‖`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Flow {
    /// The cell.
    pub place: Place,
    /// The state: `hidden`, `cell`, or a gate that the cell carries.
    pub state: String,
    /// The root mean square over rows and steps of each twentieth of the sequence, the steps that the cell reads first
    /// at the beginning. Of states other than the hidden one without the last step, after which nothing reads them.
    pub norms: Vec<f64>,
}

impl Flow {
    /// The gradient of the first tenth over that of the last tenth; NaN if none reaches either.
    pub fn ratio(&self) -> f64 {
        let tenth = PARTS / 10;
        let mean = |parts: &[f64]| parts.iter().sum::<f64>() / parts.len().max(1) as f64;
        mean(&self.norms[..tenth]) / mean(&self.norms[self.norms.len() - tenth..])
    }
}

/// Adds up what backward passes leave of one cell.
#[derive(Clone, Debug, Default)]
pub(crate) struct FlowSum {
    /// Of each state, the sums and counts of each part.
    states: Vec<[(f64, usize); PARTS]>,
}

impl FlowSum {
    /// Takes in a pass. `reverse`: the cell reads from the last step to the first.
    pub(crate) fn add(&mut self, pass: &StateGradients, reverse: bool) {
        let states = self.states.len().max(pass.squares.len());
        self.states.resize(states, [(0.0, 0); PARTS]);
        for (index, (parts, squares)) in self.states.iter_mut().zip(&pass.squares).enumerate() {
            let rows = squares.chunks(pass.seq.max(1)).zip(&pass.lengths);
            for (row, &length) in rows.filter(|(_, length)| **length > 0) {
                // What the last step leaves in the cell is read by no step after it; its output is the hidden state.
                let visits = (length - usize::from(index > 0)).max(1);
                for (part, (sum, count)) in parts.iter_mut().enumerate() {
                    let start = part * visits / PARTS;
                    let end = ((part + 1) * visits / PARTS).max(start + 1);
                    for visit in start..end {
                        let step = if reverse { length - 1 - visit } else { visit };
                        // A step that is left out tells nothing.
                        if row[step].is_finite() {
                            *sum += row[step];
                            *count += 1;
                        }
                    }
                }
            }
        }
    }

    /// One flow for each state, in the order of the scan.
    pub(crate) fn flows(&self, place: Place) -> Vec<Flow> {
        let last = self.states.len().saturating_sub(1);
        let flow = |(index, parts): (usize, &[(f64, usize); PARTS])| Flow {
            place,
            state: match index {
                0 => "hidden".to_string(),
                index if index == last => "cell".to_string(),
                index => format!("gate {index}"),
            },
            norms: (parts.iter())
                .map(|&(sum, count)| (sum / count.max(1) as f64).sqrt())
                .collect(),
        };
        self.states.iter().enumerate().map(flow).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of 4 and of 40 steps whose gradient is 1 at the step that is read last and halves with each step before.
    fn pass(reverse: bool) -> StateGradients {
        let seq = 40;
        let mut squares = vec![0.0; 2 * seq];
        let lengths = vec![4, 40];
        for (row, &length) in lengths.iter().enumerate() {
            for back in 0..length {
                let step = if reverse { back } else { length - 1 - back };
                squares[row * seq + step] = 0.25_f64.powi(back as i32);
            }
        }
        StateGradients {
            lengths,
            seq,
            squares: vec![squares.clone(), squares],
        }
    }

    #[test]
    fn parts_go_from_what_is_read_first_to_what_is_read_last() {
        for reverse in [false, true] {
            let mut sum = FlowSum::default();
            sum.add(&pass(reverse), reverse);
            let flows = sum.flows(Place::new(1, reverse));
            let states: Vec<&str> = flows.iter().map(|flow| flow.state.as_str()).collect();
            assert_eq!(states, ["hidden", "cell"]);
            let norms = &flows[0].norms;
            assert_eq!(norms.len(), PARTS);
            assert!(norms.windows(2).all(|pair| pair[0] <= pair[1]), "{norms:?}");
            // The last two steps of the long row, the last one of the short row.
            assert!((norms[PARTS - 1] - (2.25_f64 / 3.0).sqrt()).abs() < 1e-12);
            // The cell's without the last step of either: one step of each row.
            let of_cell = flows[1].norms[PARTS - 1];
            assert!((of_cell * of_cell - (0.25 + 0.0625 + 0.25) / 3.0).abs() < 1e-12);
        }
        let mut long = FlowSum::default();
        let mut only = pass(false);
        only.lengths = vec![0, 40];
        long.add(&only, false);
        let ratio = long.flows(Place::new(0, false))[0].ratio();
        assert!((ratio.log2() + 36.0).abs() < 0.1, "36 steps: {ratio}");
    }
}
