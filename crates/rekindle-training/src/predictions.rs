//! What a network says of a set of sequences.

use std::sync::Arc;

use burn::data::dataloader::DataLoader;
use burn::tensor::Device;
use rekindle_data::{SequenceLoader, SequenceSet};

use crate::{Confusion, Metric, Network, Scores};

/// The predictions for a set, in the order of its file.
#[derive(Clone, Debug, PartialEq)]
pub struct Predictions {
    /// Names of the classes.
    pub classes: Vec<String>,
    /// One prediction a sequence.
    pub rows: Vec<Prediction>,
}

/// The prediction for one sequence.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// The sequence's name: its `series` in a CSV file, else its number in the file, counted from 1.
    pub id: String,
    /// The most probable class; the first of them if several are equally probable.
    pub label: usize,
    /// The probability of each class.
    pub probabilities: Vec<f64>,
    /// The natural logarithm of each probability, from which the loss is taken.
    pub log_probabilities: Vec<f64>,
    /// The true class, if the file says it.
    pub truth: Option<usize>,
}

/// Scores over a labelled set.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// The scores.
    pub scores: Scores,
    /// How many answers were scored.
    pub answers: usize,
    /// The confusions of classes; `None` where there are too many, as of the tokens of a text.
    pub confusion: Option<Confusion>,
}

impl Predictions {
    /// Runs a network over a set, without dropout.
    ///
    /// The network should be on a device without autodiff, as `Module::valid` returns it.
    ///
    /// # Panics
    /// If the set has other channels than the network reads.
    pub fn of(
        network: &Network,
        set: &Arc<SequenceSet>,
        classes: &[String],
        batch_size: usize,
        device: &Device,
    ) -> Self {
        let mut rows: Vec<Option<Prediction>> = vec![None; set.len()];
        let loader = SequenceLoader::sequential(set.clone(), batch_size, device);
        for batch in loader.iter() {
            let batch = batch.expect("a set in memory yields its batches");
            let logits = network.forward(batch.input, &batch.lengths).into_data();
            let logits: Vec<f64> = logits.iter::<f64>().collect();
            for (&index, logits) in batch.indices.iter().zip(logits.chunks(classes.len())) {
                let truth = set.sequences[index].label.class();
                rows[index] = Some(Prediction::new(id(set, index), logits, truth));
            }
        }
        let rows = rows.into_iter().flatten().collect();
        Self {
            classes: classes.to_vec(),
            rows,
        }
    }

    /// Scores and confusions over the sequences whose class is known; `None` if none is.
    pub fn evaluate(&self) -> Option<Evaluation> {
        let mut confusion = Confusion::new(self.classes.len());
        let mut loss = 0.0;
        for row in &self.rows {
            if let Some(truth) = row.truth {
                confusion.add(truth, row.label);
                loss -= row.log_probabilities[truth];
            }
        }
        let total = confusion.total();
        (total > 0).then(|| {
            let scores = Scores::of(&[
                (Metric::Accuracy, confusion.accuracy()),
                (Metric::MacroF1, confusion.macro_f1()),
                (Metric::Loss, loss / total as f64),
            ]);
            Evaluation {
                scores,
                answers: total,
                confusion: Some(confusion),
            }
        })
    }

    /// A CSV text: `series`, `label`, and `p_CLASS` for each class; one line a sequence.
    pub fn to_csv(&self) -> String {
        let mut fields = vec!["series".to_string(), "label".to_string()];
        fields.extend(self.classes.iter().map(|class| format!("p_{class}")));
        let mut text = csv_line(&fields);
        for row in &self.rows {
            let mut fields = vec![row.id.clone(), self.classes[row.label].clone()];
            fields.extend(row.probabilities.iter().map(|p| format!("{p:.6}")));
            text += &csv_line(&fields);
        }
        text
    }
}

/// The sequence's own name, or its number in the file, counted from 1.
fn id(set: &SequenceSet, index: usize) -> String {
    let number = || (index + 1).to_string();
    set.sequences[index].id.clone().unwrap_or_else(number)
}

/// One line of CSV (RFC 4180), fields quoted where they must be.
fn csv_line(fields: &[String]) -> String {
    let quoted = fields.iter().map(|field| {
        if field.contains(['"', ',', '\n', '\r']) {
            format!("\"{}\"", field.replace('"', "\"\""))
        } else {
            field.clone()
        }
    });
    quoted.collect::<Vec<_>>().join(",") + "\n"
}

impl Prediction {
    /// Softmax of the scores in `f64`.
    fn new(id: String, logits: &[f64], truth: Option<usize>) -> Self {
        let (label, greatest) =
            logits
                .iter()
                .copied()
                .enumerate()
                .fold((0, f64::NEG_INFINITY), |best, next| {
                    if next.1 > best.1 { next } else { best }
                });
        let log_sum = logits
            .iter()
            .map(|z| (z - greatest).exp())
            .sum::<f64>()
            .ln();
        let log_probabilities: Vec<f64> = logits.iter().map(|z| z - greatest - log_sum).collect();
        let probabilities = log_probabilities.iter().map(|log| log.exp()).collect();
        Self {
            id,
            label,
            probabilities,
            log_probabilities,
            truth,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn softmax_by_hand_and_far_out() {
        let row = Prediction::new("a".into(), &[0.0, 3.0_f64.ln()], Some(0));
        assert_eq!(row.label, 1);
        assert!((row.probabilities[0] - 0.25).abs() < 1e-15);
        let far = Prediction::new("a".into(), &[1e4, -1e4], None);
        assert_eq!(far.probabilities, [1.0, 0.0]);
    }

    #[test]
    fn scores_count_known_classes_only() {
        let rows = vec![
            Prediction::new("a".into(), &[0.0, 3.0_f64.ln()], Some(1)),
            Prediction::new("b".into(), &[0.0, 3.0_f64.ln()], Some(0)),
            Prediction::new("c".into(), &[0.0, 3.0_f64.ln()], None),
        ];
        let predictions = Predictions {
            classes: vec!["x".into(), "y".into()],
            rows,
        };
        let evaluation = predictions.evaluate().expect("two truths are known");
        assert_eq!(evaluation.scores.get(Metric::Accuracy), Some(0.5));
        let expected = -(0.75_f64.ln() + 0.25_f64.ln()) / 2.0;
        let loss = evaluation.scores.get(Metric::Loss).expect("a loss");
        assert!((loss - expected).abs() < 1e-15);
    }

    #[test]
    fn csv_quotes_what_must_be_quoted() {
        let rows = vec![Prediction::new("a,\"b\"".into(), &[0.0, 0.0], None)];
        let predictions = Predictions {
            classes: vec!["x".into(), "y".into()],
            rows,
        };
        assert_eq!(
            predictions.to_csv(),
            "series,label,p_x,p_y\n\"a,\"\"b\"\"\",x,0.500000,0.500000\n"
        );
    }
}
