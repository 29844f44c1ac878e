//! Predicted classes.

use rekindle_data::Label;

use super::{Answer, Evaluation, csv_line};
use crate::preprocessing::Preprocessing;
use crate::{Confusion, Metric, Scores};

/// Predicted classes, in the order of the file.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassPredictions {
    /// Names of the classes.
    pub classes: Vec<String>,
    /// One prediction a sequence, or a step.
    pub rows: Vec<ClassPrediction>,
}

/// The prediction for one sequence, or for one of its steps.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassPrediction {
    /// The sequence's name: its `series` in a CSV file, else its number in the file, counted from 1.
    pub id: String,
    /// Which step, counted from 1; `None`: the prediction is that of the sequence.
    pub step: Option<usize>,
    /// The most probable class; the first of them if several are equally probable.
    pub label: usize,
    /// The probability of each class.
    pub probabilities: Vec<f64>,
    /// The natural logarithm of each probability, from which the loss is taken.
    pub log_probabilities: Vec<f64>,
    /// The true class, if the file says it.
    pub truth: Option<usize>,
}

impl ClassPredictions {
    pub(super) fn new<'a>(
        preprocessing: &Preprocessing,
        answers: impl Iterator<Item = Answer<'a>>,
    ) -> Self {
        let row = |answer: Answer| {
            let truth = match answer.label {
                Label::StepClasses(classes) => classes[answer.place()],
                label => label.class(),
            };
            ClassPrediction::new(answer.id, answer.step, answer.scores, truth)
        };
        Self {
            classes: preprocessing.classes.clone(),
            rows: answers.map(row).collect(),
        }
    }

    /// Scores and confusions over what has a known class; `None` if nothing has.
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
                track: None,
            }
        })
    }

    /// A CSV text: `series`, `step` if steps have classes, `label`, and `p_CLASS` for each class; one line a prediction.
    pub fn to_csv(&self) -> String {
        let each_step = self.rows.iter().any(|row| row.step.is_some());
        let mut fields = vec!["series".to_string()];
        fields.extend(each_step.then(|| "step".to_string()));
        fields.push("label".to_string());
        fields.extend(self.classes.iter().map(|class| format!("p_{class}")));
        let mut text = csv_line(&fields);
        for row in &self.rows {
            let mut fields = vec![row.id.clone()];
            fields.extend(row.step.map(|step| step.to_string()));
            fields.push(self.classes[row.label].clone());
            fields.extend(row.probabilities.iter().map(|p| format!("{p:.6}")));
            text += &csv_line(&fields);
        }
        text
    }
}

impl ClassPrediction {
    /// Softmax of the scores in `f64`.
    fn new(id: String, step: Option<usize>, logits: &[f64], truth: Option<usize>) -> Self {
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
            step,
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

    fn row(id: &str, step: Option<usize>, logits: &[f64], truth: Option<usize>) -> ClassPrediction {
        ClassPrediction::new(id.into(), step, logits, truth)
    }

    #[test]
    fn softmax_by_hand_and_far_out() {
        let near = row("a", None, &[0.0, 3.0_f64.ln()], Some(0));
        assert_eq!(near.label, 1);
        assert!((near.probabilities[0] - 0.25).abs() < 1e-15);
        let far = row("a", None, &[1e4, -1e4], None);
        assert_eq!(far.probabilities, [1.0, 0.0]);
    }

    #[test]
    fn scores_count_known_classes_only() {
        let logits = [0.0, 3.0_f64.ln()];
        let predictions = ClassPredictions {
            classes: vec!["x".into(), "y".into()],
            rows: vec![
                row("a", None, &logits, Some(1)),
                row("b", None, &logits, Some(0)),
                row("c", None, &logits, None),
            ],
        };
        let evaluation = predictions.evaluate().expect("two truths are known");
        assert_eq!(evaluation.scores.get(Metric::Accuracy), Some(0.5));
        let expected = -(0.75_f64.ln() + 0.25_f64.ln()) / 2.0;
        let loss = evaluation.scores.get(Metric::Loss).expect("a loss");
        assert!((loss - expected).abs() < 1e-15);
    }

    #[test]
    fn csv_quotes_what_must_be_quoted_and_numbers_steps() {
        let predictions = |step| ClassPredictions {
            classes: vec!["x".into(), "y".into()],
            rows: vec![row("a,\"b\"", step, &[0.0, 0.0], None)],
        };
        assert_eq!(
            predictions(None).to_csv(),
            "series,label,p_x,p_y\n\"a,\"\"b\"\"\",x,0.500000,0.500000\n"
        );
        assert_eq!(
            predictions(Some(3)).to_csv(),
            "series,step,label,p_x,p_y\n\"a,\"\"b\"\"\",3,x,0.500000,0.500000\n"
        );
    }
}
