//! How good predictions are.

use serde::{Deserialize, Serialize};

/// Mean and spread of one figure over several runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The arithmetic mean.
    pub mean: f64,
    /// The sample standard deviation, with one less than the number of runs below the sum; `None` of a single run.
    pub deviation: Option<f64>,
}

impl Spread {
    /// Of these values; `None` without any.
    pub fn of(values: &[f64]) -> Option<Self> {
        let count = values.len();
        let mean = values.iter().sum::<f64>() / count as f64;
        let squares = || values.iter().map(|value| (value - mean).powi(2));
        let deviation = (count > 1).then(|| (squares().sum::<f64>() / (count - 1) as f64).sqrt());
        (count > 0).then_some(Self { mean, deviation })
    }
}

/// How often each true class was predicted as each class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confusion {
    /// `counts[truth][predicted]`.
    pub counts: Vec<Vec<usize>>,
}

impl Confusion {
    /// No predictions yet.
    pub fn new(classes: usize) -> Self {
        Self {
            counts: vec![vec![0; classes]; classes],
        }
    }

    /// Counts one prediction.
    ///
    /// # Panics
    /// If a class does not exist.
    pub fn add(&mut self, truth: usize, predicted: usize) {
        self.counts[truth][predicted] += 1;
    }

    /// The number of predictions.
    pub fn total(&self) -> usize {
        self.counts.iter().flatten().sum()
    }

    /// Share of right predictions; 0 if there are none.
    pub fn accuracy(&self) -> f64 {
        let right: usize = (0..self.counts.len())
            .map(|class| self.counts[class][class])
            .sum();
        right as f64 / self.total().max(1) as f64
    }

    /// The unweighted mean of the classes' F1 scores `2 TP / (2 TP + FP + FN)`, over the classes that occur as truth or
    /// as prediction; 0 if none does. As scikit-learn's `f1_score(average="macro", zero_division=0)`.
    ///
    /// Counted over the whole set, never averaged over batches.
    pub fn macro_f1(&self) -> f64 {
        let scores: Vec<f64> = (0..self.counts.len())
            .filter_map(|class| {
                let support: usize = self.counts[class].iter().sum();
                let predicted: usize = self.counts.iter().map(|row| row[class]).sum();
                let both = support + predicted;
                (both > 0).then(|| 2.0 * self.counts[class][class] as f64 / both as f64)
            })
            .collect();
        scores.iter().sum::<f64>() / scores.len().max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Truths 0 0 0 1 1, predictions 0 0 1 1 0, and a class that never occurs. By hand: F1 of class 0 is 4/6, of class 1
    /// is 2/4.
    #[test]
    fn scores_by_hand() {
        let mut confusion = Confusion::new(3);
        for (truth, predicted) in [(0, 0), (0, 0), (0, 1), (1, 1), (1, 0)] {
            confusion.add(truth, predicted);
        }
        assert_eq!(confusion.accuracy(), 0.6);
        assert!((confusion.macro_f1() - (4.0 / 6.0 + 2.0 / 4.0) / 2.0).abs() < 1e-15);
    }

    #[test]
    fn a_class_that_is_only_predicted_counts_as_zero() {
        let mut confusion = Confusion::new(2);
        confusion.add(0, 1);
        assert_eq!((confusion.accuracy(), confusion.macro_f1()), (0.0, 0.0));
    }

    /// Of 1, 2 and 6: the mean is 3, the squares are 4, 1 and 9.
    #[test]
    fn spread_by_hand() {
        let spread = Spread::of(&[1.0, 2.0, 6.0]).expect("three values");
        assert_eq!((spread.mean, spread.deviation), (3.0, Some(7.0_f64.sqrt())));
        let one = Spread::of(&[5.0]).expect("a value");
        assert_eq!((one.mean, one.deviation), (5.0, None));
        assert_eq!(Spread::of(&[]), None);
    }

    #[test]
    fn nothing_is_zero() {
        assert_eq!(
            (Confusion::new(2).accuracy(), Confusion::new(2).macro_f1()),
            (0.0, 0.0)
        );
    }
}
