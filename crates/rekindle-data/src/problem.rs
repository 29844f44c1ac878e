//! Problems with long dependencies whose data are drawn, not read.

use rand::rngs::StdRng;
use serde::{Deserialize, Serialize};

use crate::random::{Purpose, below, generator, unit};
use crate::sequence::{Label, Sequence};
use crate::set::{SequenceSet, Target};

/// A problem that is made up to show whether a network learns long dependencies.
///
/// In a recipe: `{ kind = "adding", steps = 200 }`, `{ kind = "copy_memory", steps = 100 }`. Any number of sequences can be
/// drawn, so a network can be trained on new ones in every epoch and has nothing to learn by heart.
///
/// # Examples
/// ```
/// use rekindle_data::Problem;
///
/// let problem: Problem = serde_json::from_str(r#"{ "kind": "adding", "steps": 200 }"#).unwrap();
/// let set = problem.draw(2, 42, 0);
/// assert_eq!((set.len(), set.max_len(), set.n_channels()), (2, 200, 2));
/// let marked: f32 = set.sequences[0].steps().filter(|step| step[1] == 1.0).map(|step| step[0]).sum();
/// assert_eq!(set.sequences[0].label.value(), Some(f64::from(marked)));
/// ```
#[derive(Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Problem {
    /// The sum of the two numbers that are marked: one in each half of the sequence.
    ///
    /// Channels: a number from `U[0, 1)`, and 1 where it is marked, else 0. Answering 1 always has the mean squared error
    /// 1/6, the variance of the sum.
    ///
    /// # References
    /// Hochreiter and Schmidhuber, *Long Short-Term Memory*, 1997, <https://doi.org/10.1162/neco.1997.9.8.1735>; in this
    /// form Arjovsky et al., 2016, <https://arxiv.org/abs/1511.06464>.
    Adding {
        /// Steps of a sequence, at least 2. Default: 200.
        #[serde(default = "adding_steps")]
        steps: usize,
    },
    /// Symbols that have to be repeated after a pause, step by step.
    ///
    /// A sequence is `length` symbols out of `symbols`, `steps` blanks, and `length` steps at each of which one of the
    /// symbols is asked for. Channels are one for each symbol, one for the blank, and one for the steps of asking, one of
    /// them 1 and the others 0. Guessing has a cross-entropy of `ln symbols`.
    ///
    /// In the papers the network must answer blanks before it is asked, which are counted, too: that adds nothing to learn
    /// but divides the loss by `(steps + 2 · length) / length`. Here the steps of asking alone have labels; and every one
    /// of them is marked, not only the first.
    ///
    /// # References
    /// Arjovsky et al., *Unitary Evolution Recurrent Neural Networks*, 2016, <https://arxiv.org/abs/1511.06464>.
    CopyMemory {
        /// Blanks between the symbols and the question, at least 1. Default: 100.
        #[serde(default = "copy_steps")]
        steps: usize,
        /// How many different symbols there are, at least 2. Default: 8.
        #[serde(default = "symbols")]
        symbols: usize,
        /// How many symbols are to be remembered, at least 1. Default: 10.
        #[serde(default = "length")]
        length: usize,
    },
}

fn adding_steps() -> usize {
    200
}

fn copy_steps() -> usize {
    100
}

fn symbols() -> usize {
    8
}

fn length() -> usize {
    10
}

/// A number of a [`Problem`] that is too small.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` is {found}, expected at least {least}")]
pub struct ProblemError {
    /// The number.
    pub field: &'static str,
    /// What it is.
    pub found: usize,
    /// What it should be at least.
    pub least: usize,
}

impl Problem {
    /// Checks the ranges.
    ///
    /// # Errors
    /// If a number is too small.
    pub fn validate(&self) -> Result<(), ProblemError> {
        let check = |field, found: usize, least: usize| match found >= least {
            true => Ok(()),
            false => Err(ProblemError {
                field,
                found,
                least,
            }),
        };
        match *self {
            Self::Adding { steps } => check("steps", steps, 2),
            Self::CopyMemory {
                steps,
                symbols,
                length,
            } => {
                check("steps", steps, 1)?;
                check("symbols", symbols, 2)?;
                check("length", length, 1)
            }
        }
    }

    /// What its labels are.
    pub fn target(&self) -> Target {
        match *self {
            Self::Adding { .. } => Target::Values,
            Self::CopyMemory { symbols, .. } => {
                Target::StepClasses((1..=symbols).map(|symbol| symbol.to_string()).collect())
            }
        }
    }

    /// Draws sequences. They depend on the arguments alone; another `part` of the same seed gives others.
    ///
    /// # Panics
    /// If the problem is not valid, or no sequence is asked for.
    pub fn draw(&self, sequences: usize, seed: u64, part: u64) -> SequenceSet {
        if let Err(error) = self.validate() {
            panic!("invalid problem: {error}");
        }
        assert!(
            sequences > 0,
            "0 sequences are asked for, expected at least 1"
        );
        let mut rng = generator(Purpose::Problem, seed, part);
        let (channels, name) = match *self {
            Self::Adding { .. } => (vec!["number".to_owned(), "marked".to_owned()], "adding"),
            Self::CopyMemory { symbols, .. } => {
                let symbols = (1..=symbols).map(|symbol| format!("symbol{symbol}"));
                let rest = ["blank", "asked"].map(str::to_owned);
                (symbols.chain(rest).collect(), "copy memory")
            }
        };
        let sequence = |_| match *self {
            Self::Adding { steps } => adding(steps, &mut rng),
            Self::CopyMemory {
                steps,
                symbols,
                length,
            } => copy([steps, symbols, length], &mut rng),
        };
        let sequences = (0..sequences).map(sequence).collect();
        SequenceSet::new(channels, self.target(), sequences, name.into())
    }
}

fn adding(steps: usize, rng: &mut StdRng) -> Sequence {
    let mut values: Vec<f32> = (0..steps).flat_map(|_| [unit(rng) as f32, 0.0]).collect();
    let half = steps / 2;
    let first = below(half as u64, rng) as usize;
    let second = half + below((steps - half) as u64, rng) as usize;
    values[2 * first + 1] = 1.0;
    values[2 * second + 1] = 1.0;
    let sum = values[2 * first] + values[2 * second];
    Sequence::new(values, 2, Label::Value(f64::from(sum)), None)
}

fn copy([steps, symbols, length]: [usize; 3], rng: &mut StdRng) -> Sequence {
    let (channels, seq) = (symbols + 2, steps + 2 * length);
    let shown: Vec<usize> = (0..length)
        .map(|_| below(symbols as u64, rng) as usize)
        .collect();
    let mut values = vec![0.0; seq * channels];
    let mut labels = vec![None; seq];
    for (step, values) in values.chunks_mut(channels).enumerate() {
        let channel = match step {
            step if step < length => shown[step],
            step if step < length + steps => symbols,
            step => {
                labels[step] = Some(shown[step - length - steps]);
                symbols + 1
            }
        };
        values[channel] = 1.0;
    }
    Sequence::new(values, channels, Label::StepClasses(labels), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_have_the_variance_of_two_uniform_numbers() {
        let set = Problem::Adding { steps: 7 }.draw(4000, 1, 0);
        let sums: Vec<f64> = (set.sequences.iter())
            .filter_map(|sequence| sequence.label.value())
            .collect();
        let mean = sums.iter().sum::<f64>() / 4000.0;
        let variance = sums.iter().map(|sum| (sum - mean).powi(2)).sum::<f64>() / 4000.0;
        assert!((mean - 1.0).abs() < 0.03, "{mean}");
        assert!((variance - 1.0 / 6.0).abs() < 0.015, "{variance}");
        for sequence in &set.sequences {
            let marked: Vec<usize> = (0..7)
                .filter(|&step| sequence.step(step)[1] == 1.0)
                .collect();
            assert!(
                marked.len() == 2 && marked[0] < 3 && marked[1] >= 3,
                "{marked:?}"
            );
        }
    }

    #[test]
    fn what_is_asked_for_is_what_was_shown() {
        let problem = Problem::CopyMemory {
            steps: 4,
            symbols: 3,
            length: 2,
        };
        let set = problem.draw(50, 1, 0);
        assert_eq!(
            (set.max_len(), set.n_channels(), set.answers()),
            (8, 5, 100)
        );
        for sequence in &set.sequences {
            let hot: Vec<usize> = (sequence.steps())
                .map(|step| step.iter().position(|&value| value == 1.0).unwrap())
                .collect();
            assert_eq!(hot[2..], [3, 3, 3, 3, 4, 4]);
            let mut labels = vec![None; 6];
            labels.extend([Some(hot[0]), Some(hot[1])]);
            assert_eq!(sequence.label, Label::StepClasses(labels));
        }
        assert!(set.class_counts().iter().all(|&count| count > 15));
    }

    #[test]
    fn parts_and_seeds_differ_and_come_back() {
        let problem = Problem::Adding { steps: 20 };
        assert_eq!(problem.draw(3, 5, 1), problem.draw(3, 5, 1));
        assert_ne!(problem.draw(3, 5, 1), problem.draw(3, 5, 2));
        assert_ne!(problem.draw(3, 5, 1), problem.draw(3, 6, 1));
    }

    #[test]
    fn numbers_that_are_too_small_are_named() {
        let error = Problem::Adding { steps: 1 }.validate().unwrap_err();
        assert_eq!(error.to_string(), "`steps` is 1, expected at least 2");
        let copy = Problem::CopyMemory {
            steps: 1,
            symbols: 1,
            length: 1,
        };
        let error = copy.validate().unwrap_err();
        assert_eq!(error.to_string(), "`symbols` is 1, expected at least 2");
    }
}
