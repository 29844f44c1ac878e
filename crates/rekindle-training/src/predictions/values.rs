//! Predicted numbers.

use rekindle_data::{Forecast, Label};

use super::{Answer, Evaluation, Track, csv_line};
use crate::preprocessing::Preprocessing;
use crate::{Metric, Scores};

/// At most so many answers are kept for a picture.
const DRAWN: usize = 500;

/// Predicted numbers, in the units of the data and in the order of the file.
#[derive(Clone, Debug, PartialEq)]
pub struct ValuePredictions {
    /// Names of the numbers.
    pub names: Vec<String>,
    /// The scale of each number in training: the unit of the loss.
    pub std: Vec<f64>,
    /// What was foretold, if it was.
    pub forecast: Option<Forecast>,
    /// One prediction a sequence, or a step.
    pub rows: Vec<ValuePrediction>,
}

/// The numbers predicted for one sequence, or for one of its steps.
#[derive(Clone, Debug, PartialEq)]
pub struct ValuePrediction {
    /// The sequence's name: its `series` in a CSV file, else its number in the file, counted from 1.
    pub id: String,
    /// Which step, counted from 1; `None`: the prediction is that of the sequence.
    pub step: Option<usize>,
    /// The numbers.
    pub values: Vec<f64>,
    /// The true numbers; NaN where one is not known.
    pub truth: Vec<f64>,
}

impl ValuePredictions {
    pub(super) fn new<'a>(
        preprocessing: &Preprocessing,
        answers: impl Iterator<Item = Answer<'a>>,
    ) -> Self {
        let scaler = preprocessing.values.as_ref().expect("answers are numbers");
        let width = scaler.channels.len();
        let unscaled = |values: &[f64]| -> Vec<f64> {
            let moments = scaler.mean.iter().zip(&scaler.std);
            (values.iter().zip(moments))
                .map(|(value, (mean, std))| value * std + mean)
                .collect()
        };
        let row = |answer: Answer| ValuePrediction {
            values: unscaled(answer.scores),
            truth: unscaled(&truth(answer.label, answer.place(), width)),
            id: answer.id,
            step: answer.step,
        };
        Self {
            names: scaler.channels.clone(),
            std: scaler.std.clone(),
            forecast: preprocessing.forecast.clone(),
            rows: answers.map(row).collect(),
        }
    }

    /// Scores over all numbers that are known; `None` if none is.
    ///
    /// The loss is the mean squared error on the scale of training; RMSE and MAE are in the units of the data, over all
    /// numbers together; R² is the mean of those of the numbers, without those that never change.
    pub fn evaluate(&self) -> Option<Evaluation> {
        let columns: Vec<Column> = (0..self.names.len())
            .map(|number| Column::of(&self.rows, number))
            .collect();
        let count: usize = columns.iter().map(|column| column.pairs.len()).sum();
        let total = |part: fn(&Column) -> f64| columns.iter().map(part).sum::<f64>();
        let squares = total(Column::squared_error);
        let of_loss = columns.iter().zip(&self.std);
        let loss: f64 = of_loss
            .map(|(column, std)| column.squared_error() / (std * std))
            .sum();
        let explained: Vec<f64> = columns.iter().filter_map(Column::explained).collect();
        (count > 0).then(|| {
            let mut scores = Scores::of(&[
                (Metric::Rmse, (squares / count as f64).sqrt()),
                (Metric::Mae, total(Column::absolute_error) / count as f64),
                (Metric::Loss, loss / count as f64),
            ]);
            if !explained.is_empty() {
                let mean = explained.iter().sum::<f64>() / explained.len() as f64;
                scores.set(Metric::R2, mean);
            }
            Evaluation {
                scores,
                answers: (self.rows.iter())
                    .filter(|row| row.truth.iter().any(|truth| !truth.is_nan()))
                    .count(),
                confusion: None,
                track: self.track(),
            }
        })
    }

    /// The first number: over the last steps of the sequence of which most is known, or over all answers by size.
    fn track(&self) -> Option<Track> {
        let known = |row: &&ValuePrediction| !row.truth[0].is_nan();
        let is_of_steps = self.rows.first()?.step.is_some();
        let pairs: Vec<(f64, &ValuePrediction)> = if is_of_steps {
            let sequences = self.rows.chunk_by(|a, b| b.step > a.step);
            let most = sequences.max_by_key(|rows| rows.iter().filter(known).count())?;
            let steps = most.iter().filter(known);
            let steps = steps.map(|row| (row.step.unwrap_or(0) as f64, row));
            let steps: Vec<_> = steps.collect();
            steps[steps.len().saturating_sub(DRAWN)..].to_vec()
        } else {
            let mut rows: Vec<&ValuePrediction> = self.rows.iter().filter(known).collect();
            rows.sort_by(|a, b| a.truth[0].total_cmp(&b.truth[0]));
            let rows = rows.iter().step_by(rows.len().div_ceil(DRAWN).max(1));
            rows.enumerate()
                .map(|(place, row)| ((place + 1) as f64, *row))
                .collect()
        };
        let line = |value: fn(&ValuePrediction) -> f64| {
            pairs
                .iter()
                .map(|(place, row)| (*place, value(row)))
                .collect()
        };
        Some(Track {
            name: self.names[0].clone(),
            over: match is_of_steps {
                true => "step".into(),
                false => "answers, from the least truth to the greatest".into(),
            },
            truth: line(|row| row.truth[0]),
            predicted: line(|row| row.values[0]),
        })
    }

    /// A CSV text: `series`, `step` if steps have numbers, and one column for each number; one line a prediction.
    ///
    /// Of series that are foretold, it holds what comes after their last step: `series`, `ahead` and one column for each
    /// channel, one line for each step ahead.
    pub fn to_csv(&self) -> String {
        if let Some(forecast) = &self.forecast {
            return self.ahead(forecast);
        }
        let each_step = self.rows.iter().any(|row| row.step.is_some());
        let mut fields = vec!["series".to_string()];
        fields.extend(each_step.then(|| "step".to_string()));
        fields.extend(self.names.clone());
        let mut text = csv_line(&fields);
        for row in &self.rows {
            let mut fields = vec![row.id.clone()];
            fields.extend(row.step.map(|step| step.to_string()));
            fields.extend(row.values.iter().map(f64::to_string));
            text += &csv_line(&fields);
        }
        text
    }

    /// What comes after the last step of each series.
    fn ahead(&self, forecast: &Forecast) -> String {
        let channels = self.names.len() / forecast.horizon;
        let name = |name: &String| {
            let end = name.rfind('+').unwrap_or(name.len());
            name[..end].to_string()
        };
        let mut fields = vec!["series".to_string(), "ahead".to_string()];
        fields.extend(self.names[..channels].iter().map(name));
        let mut text = csv_line(&fields);
        let series = self.rows.chunk_by(|a, b| b.step > a.step);
        for last in series.filter_map(<[_]>::last) {
            for (ahead, values) in last.values.chunks(channels).enumerate() {
                let mut fields = vec![last.id.clone(), (ahead + 1).to_string()];
                fields.extend(values.iter().map(f64::to_string));
                text += &csv_line(&fields);
            }
        }
        text
    }
}

/// The true numbers of an answer, as they are in the label.
fn truth(label: &Label, step: usize, width: usize) -> Vec<f64> {
    match label {
        Label::Value(value) => vec![*value],
        Label::StepValues(values) => {
            let row = &values[step * width..][..width];
            row.iter().map(|&value| f64::from(value)).collect()
        }
        _ => vec![f64::NAN; width],
    }
}

/// One number over all answers of which it is known.
struct Column {
    /// True and predicted.
    pairs: Vec<[f64; 2]>,
}

impl Column {
    fn of(rows: &[ValuePrediction], number: usize) -> Self {
        let pairs = rows
            .iter()
            .map(|row| [row.truth[number], row.values[number]]);
        Self {
            pairs: pairs.filter(|[truth, _]| !truth.is_nan()).collect(),
        }
    }

    fn squared_error(&self) -> f64 {
        self.pairs.iter().map(|[a, b]| (a - b).powi(2)).sum()
    }

    fn absolute_error(&self) -> f64 {
        self.pairs.iter().map(|[a, b]| (a - b).abs()).sum()
    }

    /// R²; `None` of a number that never changes.
    fn explained(&self) -> Option<f64> {
        let truths = || self.pairs.iter().map(|[truth, _]| truth);
        let mean = truths().sum::<f64>() / self.pairs.len() as f64;
        let variance: f64 = truths().map(|truth| (truth - mean).powi(2)).sum();
        (variance > 0.0).then(|| 1.0 - self.squared_error() / variance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(step: Option<usize>, values: &[f64], truth: &[f64]) -> ValuePrediction {
        ValuePrediction {
            id: "a".into(),
            step,
            values: values.to_vec(),
            truth: truth.to_vec(),
        }
    }

    /// Errors 1, −1 and 2 of the first number, whose truths 0, 2, 4 have the sum of squares 8; 3 of the second, which is
    /// known once.
    #[test]
    fn scores_by_hand() {
        let predictions = ValuePredictions {
            names: vec!["x".into(), "y".into()],
            std: vec![1.0, 3.0],
            forecast: None,
            rows: vec![
                row(Some(1), &[1.0, 0.0], &[0.0, f64::NAN]),
                row(Some(2), &[1.0, 3.0], &[2.0, 0.0]),
                row(Some(3), &[6.0, 0.0], &[4.0, f64::NAN]),
            ],
        };
        let evaluation = predictions.evaluate().expect("numbers are known");
        let score = |metric| evaluation.scores.get(metric).expect("it is measured");
        assert!((score(Metric::Rmse) - (15.0_f64 / 4.0).sqrt()).abs() < 1e-12);
        assert!((score(Metric::Mae) - 7.0 / 4.0).abs() < 1e-12);
        assert!((score(Metric::Loss) - 7.0 / 4.0).abs() < 1e-12);
        assert!((score(Metric::R2) - (1.0 - 6.0 / 8.0)).abs() < 1e-12);
        let track = evaluation.track.expect("numbers are drawn");
        assert_eq!(
            (evaluation.answers, track.name.as_str(), track.over.as_str()),
            (3, "x", "step")
        );
        assert_eq!(track.truth, [(1.0, 0.0), (2.0, 2.0), (3.0, 4.0)]);
        assert_eq!(track.predicted, [(1.0, 1.0), (2.0, 1.0), (3.0, 6.0)]);
        assert_eq!(
            predictions.to_csv(),
            "series,step,x,y\na,1,1,0\na,2,1,3\na,3,6,0\n"
        );
    }

    #[test]
    fn a_forecast_is_what_comes_after_the_last_step() {
        let predictions = ValuePredictions {
            names: ["x+1", "y+1", "x+2", "y+2"].map(String::from).to_vec(),
            std: vec![1.0; 4],
            forecast: Some(Forecast {
                horizon: 2,
                channels: Vec::new(),
            }),
            rows: vec![
                row(Some(1), &[0.0; 4], &[f64::NAN; 4]),
                row(Some(2), &[1.0, 2.0, 3.0, 4.0], &[f64::NAN; 4]),
                row(Some(1), &[5.0, 6.0, 7.0, 8.0], &[f64::NAN; 4]),
            ],
        };
        assert_eq!(predictions.evaluate(), None);
        assert_eq!(
            predictions.to_csv(),
            "series,ahead,x,y\na,1,1,2\na,2,3,4\na,1,5,6\na,2,7,8\n"
        );
    }
}
