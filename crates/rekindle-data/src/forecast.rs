//! From series to what comes next in them.

use serde::{Deserialize, Serialize};

use crate::sequence::{Label, Sequence};
use crate::set::{SequenceSet, Target, list};

/// What is to be foretold at each step of a series: some channels, some steps ahead.
///
/// ```text
/// target of step t = (x_{t+1}, …, x_{t+horizon}) of the channels
/// ```
///
/// In a recipe: `{ horizon = 24, channels = ["demand"] }`. All steps ahead are answered at once (the *direct* strategy), so
/// no error is fed back: Taieb et al., 2012, <https://doi.org/10.1016/j.eswa.2012.01.039>.
///
/// # Examples
/// ```
/// use rekindle_data::{Forecast, Label, Sequence, SequenceSet, Target};
///
/// let series = Sequence::new(vec![1.0, 2.0, 3.0, 4.0], 1, Label::None, None);
/// let set = SequenceSet::new(vec!["x".into()], Target::None, vec![series], "by hand".into());
/// let forecast = Forecast { horizon: 2, channels: vec![] };
/// let labelled = forecast.label(&set).unwrap();
/// assert_eq!(labelled.target, Target::StepValues(vec!["x+1".into(), "x+2".into()]));
/// let Label::StepValues(values) = &labelled.sequences[0].label else { unreachable!() };
/// assert_eq!(values[..5], [2.0, 3.0, 3.0, 4.0, 4.0]);
/// // What comes after the end is not known.
/// assert!(values[5..].iter().all(|value| value.is_nan()));
/// ```
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Forecast {
    /// Steps ahead, at least 1. Default: 1.
    #[serde(default = "one")]
    pub horizon: usize,
    /// The channels that are foretold; none for all.
    #[serde(default)]
    pub channels: Vec<String>,
}

fn one() -> usize {
    1
}

/// A set that nothing can be foretold of.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ForecastError {
    /// A channel that the set lacks.
    #[error(
        "{path}: there is no channel `{channel}` to foretell, found {}",
        list(found)
    )]
    Channel {
        /// The file of the set.
        path: std::path::PathBuf,
        /// The channel.
        channel: String,
        /// The channels of the set.
        found: Vec<String>,
    },
    /// A series that is too short.
    #[error(
        "{path}: {series} has {found} steps, expected at least {least} to foretell {horizon} of them"
    )]
    Short {
        /// The file of the set.
        path: std::path::PathBuf,
        /// Which series.
        series: String,
        /// Its steps.
        found: usize,
        /// The least number of steps.
        least: usize,
        /// The steps ahead.
        horizon: usize,
    },
}

impl Forecast {
    /// The places of the channels in a set.
    fn places(&self, set: &SequenceSet) -> Result<Vec<usize>, ForecastError> {
        if self.channels.is_empty() {
            return Ok((0..set.n_channels()).collect());
        }
        let place = |channel: &String| {
            let place = set.channels.iter().position(|name| name == channel);
            place.ok_or_else(|| ForecastError::Channel {
                path: set.source.clone(),
                channel: channel.clone(),
                found: set.channels.clone(),
            })
        };
        self.channels.iter().map(place).collect()
    }

    /// The series, each step labelled with what comes next. Labels of the set are dropped; what is not known is NaN.
    ///
    /// # Errors
    /// If the set lacks a channel.
    ///
    /// # Panics
    /// If the horizon is 0.
    pub fn label(&self, set: &SequenceSet) -> Result<SequenceSet, ForecastError> {
        assert!(self.horizon > 0, "the horizon is 0, expected at least 1");
        let places = self.places(set)?;
        let ahead = 1..=self.horizon;
        let names = ahead.flat_map(|ahead| {
            (places.iter()).map(move |&place| format!("{}+{ahead}", set.channels[place]))
        });
        let mut labelled = set.clone();
        labelled.target = Target::StepValues(names.collect());
        for sequence in &mut labelled.sequences {
            let values = next(sequence, &places, self.horizon);
            sequence.label = Label::StepValues(values);
        }
        Ok(labelled)
    }

    /// The series with their labels, up to the last step of which something is known: what a network is trained on.
    ///
    /// # Errors
    /// If the set lacks a channel, or a series has a single step.
    ///
    /// # Panics
    /// If the horizon is 0.
    pub fn examples(&self, set: &SequenceSet) -> Result<SequenceSet, ForecastError> {
        let mut examples = self.label(set)?;
        for (index, sequence) in examples.sequences.iter_mut().enumerate() {
            let steps = sequence.len() - 1;
            if steps == 0 {
                return Err(ForecastError::Short {
                    path: set.source.clone(),
                    series: set.name(index),
                    found: 1,
                    least: 2,
                    horizon: self.horizon,
                });
            }
            *sequence = sequence.first(steps);
        }
        Ok(examples)
    }

    /// Cuts each series in two in time, and labels both: `(examples of the first part, the whole with the labels of the
    /// rest alone)`.
    ///
    /// The rest is `fraction` of the steps, at least one. What is foretold of it begins with its first step, so no number
    /// counts on both sides; the network still reads all that came before, as it would in use.
    ///
    /// # Errors
    /// If the set lacks a channel, or a series is too short for a target on both sides.
    ///
    /// # Panics
    /// If the horizon is 0, or the fraction not above 0 and below 1.
    pub fn split(
        &self,
        set: &SequenceSet,
        fraction: f64,
    ) -> Result<(SequenceSet, SequenceSet), ForecastError> {
        assert!(
            fraction > 0.0 && fraction < 1.0,
            "the fraction is {fraction}, expected more than 0 and less than 1"
        );
        let (mut first, mut rest) = (set.clone(), self.label(set)?);
        for index in 0..set.len() {
            let (sequence, horizon) = (&set.sequences[index], self.horizon);
            let held_out = (fraction * sequence.len() as f64).round() as usize;
            let cut = sequence.len() - held_out.clamp(1, sequence.len());
            if cut <= horizon || sequence.len() - cut < horizon {
                let share = fraction.min(1.0 - fraction);
                return Err(ForecastError::Short {
                    path: set.source.clone(),
                    series: set.name(index),
                    found: sequence.len(),
                    least: ((horizon + 1) as f64 / share).ceil() as usize,
                    horizon,
                });
            }
            first.sequences[index] = sequence.first(cut);
            if let Label::StepValues(values) = &mut rest.sequences[index].label {
                let width = values.len() / sequence.len();
                values[..(cut - 1) * width].fill(f32::NAN);
            }
        }
        Ok((self.examples(&first)?, rest))
    }
}

/// What comes next at each step, `[seq, horizon · places]`.
fn next(sequence: &Sequence, places: &[usize], horizon: usize) -> Vec<f32> {
    let mut values = Vec::with_capacity(sequence.len() * horizon * places.len());
    for step in 0..sequence.len() {
        for later in step + 1..=step + horizon {
            let known = later < sequence.len();
            values.extend(places.iter().map(|&place| match known {
                true => sequence.step(later)[place],
                false => f32::NAN,
            }));
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(lengths: &[usize]) -> SequenceSet {
        let series = lengths.iter().map(|&steps| {
            let values = (0..steps).flat_map(|step| [step as f32, 100.0 + step as f32]);
            Sequence::new(values.collect(), 2, Label::None, None)
        });
        SequenceSet::new(
            vec!["x".into(), "y".into()],
            Target::None,
            series.collect(),
            "series.csv".into(),
        )
    }

    fn known(sequence: &Sequence) -> Vec<f32> {
        let Label::StepValues(values) = &sequence.label else {
            panic!("found {:?}", sequence.label);
        };
        values
            .iter()
            .copied()
            .filter(|value| !value.is_nan())
            .collect()
    }

    #[test]
    fn no_number_is_foretold_on_both_sides_of_a_cut() {
        let forecast = Forecast {
            horizon: 2,
            channels: vec!["y".into()],
        };
        let (first, rest) = forecast.split(&set(&[10]), 0.3).expect("long enough");
        assert_eq!(first.sequences[0].len(), 6);
        assert_eq!(
            known(&first.sequences[0]),
            [
                101., 102., 102., 103., 103., 104., 104., 105., 105., 106., 106.
            ]
        );
        assert_eq!(rest.sequences[0].len(), 10);
        assert_eq!(known(&rest.sequences[0]), [107., 108., 108., 109., 109.]);
        assert_eq!(rest.sequences[0].label.answers(10), 3);
        assert_eq!(
            rest.target,
            Target::StepValues(vec!["y+1".into(), "y+2".into()])
        );
    }

    #[test]
    fn what_cannot_be_foretold_is_named() {
        let forecast = Forecast {
            horizon: 4,
            channels: vec![],
        };
        let error = forecast.split(&set(&[40, 9]), 0.5).unwrap_err();
        assert_eq!(
            error.to_string(),
            "series.csv: sequence 2 has 9 steps, expected at least 10 to foretell 4 of them"
        );
        let forecast = Forecast {
            horizon: 1,
            channels: vec!["z".into()],
        };
        let error = forecast.label(&set(&[3])).unwrap_err();
        assert_eq!(
            error.to_string(),
            "series.csv: there is no channel `z` to foretell, found `x`, `y`"
        );
    }
}
