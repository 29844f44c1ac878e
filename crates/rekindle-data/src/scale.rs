//! Standardisation of channels.

use crate::sequence::{Label, Sequence};
use crate::set::SequenceSet;
use burn::config::Config;
use serde::{Deserialize, Serialize};

/// How the channels are scaled. In a recipe: `"none"` or `"standard"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scaling {
    /// Values as they are in the file.
    None,
    /// Each channel to mean 0 and variance 1 over the training set, with a [`Standardizer`]. The default, because weight
    /// initialisers assume inputs of about that size.
    #[default]
    Standard,
}

impl Config for Scaling {}

impl Scaling {
    /// Fits what the scaling needs to the training set.
    ///
    /// # Panics
    ///
    /// As [`Standardizer::fit`].
    pub fn fit(&self, train: &SequenceSet) -> Option<Standardizer> {
        match self {
            Self::None => None,
            Self::Standard => Some(Standardizer::fit(train)),
        }
    }
}

/// Shifts and scales each channel by the mean and standard deviation of a training set.
///
/// ```text
/// x′ = (x − mean) / std        inverse: x = x′ · std + mean
/// ```
///
/// Mean and standard deviation run over all time steps of all sequences, so a long sequence counts more than a short one.
/// They are computed in `f64`, in two passes, and the variance is divided by the number of steps. A constant channel gets
/// `std` 1 and so becomes 0 everywhere.
///
/// Fit it on the training set only, after the validation set was split off, and save it with the model: a value that knows
/// the test data makes the test result too good.
///
/// # Examples
///
/// ```
/// use rekindle_data::{Label, Sequence, SequenceSet, Standardizer, Target};
///
/// let sequence = Sequence::new(vec![1.0, 5.0, 3.0, 5.0], 2, Label::None, None);
/// let train = SequenceSet::new(vec!["x".into(), "y".into()], Target::None, vec![sequence], "by hand".into());
/// let scaler = Standardizer::fit(&train);
/// assert_eq!((scaler.mean.as_slice(), scaler.std.as_slice()), ([2.0, 5.0].as_slice(), [1.0, 1.0].as_slice()));
/// assert_eq!(scaler.apply(&train).sequences[0].values(), [-1.0, 0.0, 1.0, 0.0]);
/// assert_eq!(scaler.inverse(&scaler.apply(&train)), train);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standardizer {
    /// The names of the channels.
    pub channels: Vec<String>,
    /// The mean of each channel, in its unit.
    pub mean: Vec<f64>,
    /// The standard deviation of each channel, in its unit; above 0, and 1 for a constant channel.
    pub std: Vec<f64>,
}

impl Config for Standardizer {}

/// A [`Standardizer`] that was not made by [`Standardizer::fit`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScaleError {
    /// Means or standard deviations that are more or fewer than the channels.
    #[error(
        "scaler has {channels} channels, {mean} means and {std} standard deviations, expected as many of each; restore the \
         scaler that the training wrote"
    )]
    Lengths {
        /// The number of channels.
        channels: usize,
        /// The number of means.
        mean: usize,
        /// The number of standard deviations.
        std: usize,
    },
    /// A mean that is not finite, or a standard deviation that is not finite and above 0.
    #[error(
        "scaler channel `{channel}` has mean {mean} and standard deviation {std}, expected finite numbers, the second above \
         0; restore the scaler that the training wrote"
    )]
    Range {
        /// The channel.
        channel: String,
        /// Its mean.
        mean: f64,
        /// Its standard deviation.
        std: f64,
    },
}

impl Standardizer {
    /// Mean and standard deviation of each channel over all time steps of the training set.
    ///
    /// # Panics
    ///
    /// If the set has no sequences.
    pub fn fit(train: &SequenceSet) -> Self {
        assert!(
            !train.is_empty(),
            "cannot fit a scaler to a set of 0 sequences"
        );
        let (mean, std) = (0..train.n_channels())
            .map(|channel| {
                let steps = || train.sequences.iter().flat_map(Sequence::steps);
                moments(|| steps().map(|step| f64::from(step[channel])))
            })
            .unzip();
        Self {
            channels: train.channels.clone(),
            mean,
            std,
        }
    }

    /// Mean and standard deviation of each number that labels give, over all that are known; the names are those of
    /// [`SequenceSet::numbers`].
    pub fn fit_labels(train: &SequenceSet) -> Self {
        let channels = train.numbers();
        let known = |number: usize| {
            let width = channels.len();
            let values = move |sequence: &Sequence| sequence.label.numbers(number, width);
            let all = train.sequences.iter().flat_map(values);
            all.filter(|value| !value.is_nan())
        };
        let (mean, std) = (0..channels.len())
            .map(|number| moments(|| known(number)))
            .unzip();
        Self {
            channels,
            mean,
            std,
        }
    }

    /// Leaves numbers as they are.
    pub fn identity(channels: Vec<String>) -> Self {
        Self {
            mean: vec![0.0; channels.len()],
            std: vec![1.0; channels.len()],
            channels,
        }
    }

    /// Scales the numbers that labels give, in place.
    ///
    /// # Panics
    ///
    /// If labels give another number of numbers than the scaler was fitted to.
    pub fn apply_to_labels(&self, set: &mut SequenceSet) {
        for sequence in &mut set.sequences {
            match &mut sequence.label {
                Label::Value(value) => *value = (*value - self.mean[0]) / self.std[0],
                Label::StepValues(values) => {
                    for row in values.chunks_mut(self.channels.len()) {
                        assert_eq!(row.len(), self.channels.len(), "numbers of a step");
                        for ((value, mean), std) in row.iter_mut().zip(&self.mean).zip(&self.std) {
                            *value = ((f64::from(*value) - mean) / std) as f32;
                        }
                    }
                }
                _ => (),
            }
        }
    }

    /// The set with scaled values.
    ///
    /// # Panics
    ///
    /// If the channels are not those that the scaler was fitted to; see [`SequenceSet::check_channels`].
    pub fn apply(&self, set: &SequenceSet) -> SequenceSet {
        self.map(set, |x, mean, std| (x - mean) / std)
    }

    /// The set with scaled values brought back to their units. Equal to the original up to `f32` rounding.
    ///
    /// # Panics
    ///
    /// As [`apply`](Self::apply).
    pub fn inverse(&self, set: &SequenceSet) -> SequenceSet {
        self.map(set, |x, mean, std| x * std + mean)
    }

    /// Whether the numbers, which may come from a file, can be used.
    ///
    /// # Errors
    ///
    /// [`ScaleError`] if the lists differ in length or a number is out of range.
    pub fn validate(&self) -> Result<(), ScaleError> {
        let (channels, mean, std) = (self.channels.len(), self.mean.len(), self.std.len());
        if channels != mean || channels != std {
            return Err(ScaleError::Lengths {
                channels,
                mean,
                std,
            });
        }
        for ((channel, &mean), &std) in self.channels.iter().zip(&self.mean).zip(&self.std) {
            if !mean.is_finite() || !std.is_finite() || std <= 0.0 {
                return Err(ScaleError::Range {
                    channel: channel.clone(),
                    mean,
                    std,
                });
            }
        }
        Ok(())
    }

    /// Maps every value with its channel's mean and standard deviation, in `f64`.
    fn map(&self, set: &SequenceSet, f: impl Fn(f64, f64, f64) -> f64) -> SequenceSet {
        if let Err(error) = self.validate() {
            panic!("{error}");
        }
        if let Err(error) = set.check_channels(&self.channels) {
            panic!("{error}");
        }
        let mut mapped = set.clone();
        for step in mapped.sequences.iter_mut().flat_map(Sequence::steps_mut) {
            for ((value, &mean), &std) in step.iter_mut().zip(&self.mean).zip(&self.std) {
                *value = f(f64::from(*value), mean, std) as f32;
            }
        }
        mapped
    }
}

/// Mean and standard deviation of some numbers; 1 for the latter if all are equal, 0 and 1 if there are none.
fn moments<I: Iterator<Item = f64>>(values: impl Fn() -> I) -> (f64, f64) {
    let count = values().count() as f64;
    let first = values().next();
    // Compared exactly: the rounded mean would leave a tiny variance.
    if values().all(|value| Some(value) == first) {
        return (first.unwrap_or(0.0), 1.0);
    }
    let mean = values().sum::<f64>() / count;
    let variance = values().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
    (mean, variance.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::set::Target;

    fn set(sequences: &[&[f32]], channels: &[&str]) -> SequenceSet {
        let sequences = sequences
            .iter()
            .map(|values| Sequence::new(values.to_vec(), channels.len(), Label::None, None))
            .collect();
        let channels = channels.iter().map(|&name| name.to_owned()).collect();
        SequenceSet::new(channels, Target::None, sequences, "test".into())
    }

    /// Steps count, not sequences: 0, 0, 0, 4 has mean 1 and variance (3·1 + 9) / 4 = 3.
    #[test]
    fn moments_run_over_all_steps() {
        let scaler = Standardizer::fit(&set(&[&[0.0, 0.0, 0.0], &[4.0]], &["x"]));
        assert_eq!(scaler.mean, [1.0]);
        assert_eq!(scaler.std, [3.0_f64.sqrt()]);
    }

    #[test]
    fn a_constant_channel_becomes_zero() {
        let constant = set(&[&[0.1; 1000], &[0.1; 7]], &["x"]);
        let scaler = Standardizer::fit(&constant);
        assert_eq!((scaler.mean[0], scaler.std[0]), (f64::from(0.1_f32), 1.0));
        assert!(
            scaler
                .apply(&constant)
                .sequences
                .iter()
                .all(|s| s.values().iter().all(|&x| x == 0.0))
        );
    }

    /// In one pass, E[x²] − E[x]² would lose all digits here.
    #[test]
    fn a_large_mean_does_not_drown_the_variance() {
        let scaler = Standardizer::fit(&set(&[&[1e7, 1e7 + 1.0, 1e7 + 2.0]], &["x"]));
        assert_eq!(scaler.mean, [1e7 + 1.0]);
        assert_eq!(scaler.std, [(2.0_f64 / 3.0).sqrt()]);
    }

    /// Of 1 and 3 in the first number and 5 in the second; what is not known does not count.
    #[test]
    fn labels_are_scaled_number_by_number() {
        let label = Label::StepValues(vec![1.0, f32::NAN, 3.0, 5.0]);
        let sequence = Sequence::new(vec![0.0, 0.0], 1, label, None);
        let target = Target::StepValues(vec!["a".into(), "b".into()]);
        let mut set = SequenceSet::new(vec!["x".into()], target, vec![sequence], "test".into());
        let scaler = Standardizer::fit_labels(&set);
        assert_eq!(
            (&scaler.mean[..], &scaler.std[..]),
            (&[2.0, 5.0][..], &[1.0, 1.0][..])
        );
        scaler.apply_to_labels(&mut set);
        let Label::StepValues(scaled) = &set.sequences[0].label else {
            panic!("found {:?}", set.sequences[0].label);
        };
        assert_eq!((scaled[0], scaled[2], scaled[3]), (-1.0, 1.0, 0.0));
        assert!(scaled[1].is_nan());
    }

    #[test]
    fn none_fits_nothing() {
        let set = set(&[&[1.0, 2.0]], &["x"]);
        assert_eq!(Scaling::None.fit(&set), None);
        assert_eq!(Scaling::default().fit(&set), Some(Standardizer::fit(&set)));
    }

    #[test]
    fn files_keep_every_bit_and_refuse_other_keys() {
        let scaler = Standardizer::fit(&set(&[&[0.1, 5.0, 0.7, -3.0, 1.3, 2.0]], &["x", "y"]));
        let json = serde_json::to_string(&scaler).unwrap();
        assert_eq!(serde_json::from_str::<Standardizer>(&json).unwrap(), scaler);
        let text = toml::to_string(&scaler).unwrap();
        assert_eq!(toml::from_str::<Standardizer>(&text).unwrap(), scaler);
        assert!(toml::from_str::<Standardizer>(&format!("{text}sd = [1.0]\n")).is_err());
        assert_eq!(
            serde_json::to_string(&[Scaling::None, Scaling::Standard]).unwrap(),
            r#"["none","standard"]"#
        );
    }

    #[test]
    fn numbers_from_files_are_checked() {
        let good = Standardizer {
            channels: vec!["x".into()],
            mean: vec![0.0],
            std: vec![1.0],
        };
        good.validate().unwrap();
        let short = Standardizer {
            std: vec![],
            ..good.clone()
        };
        assert_eq!(
            short.validate().unwrap_err().to_string(),
            "scaler has 1 channels, 1 means and 0 standard deviations, expected as many of each; restore the scaler that \
             the training wrote"
        );
        for (mean, std) in [
            (f64::NAN, 1.0),
            (0.0, 0.0),
            (0.0, -1.0),
            (0.0, f64::INFINITY),
        ] {
            let bad = Standardizer {
                mean: vec![mean],
                std: vec![std],
                ..good.clone()
            };
            assert_eq!(
                bad.validate().unwrap_err().to_string(),
                format!(
                    "scaler channel `x` has mean {mean} and standard deviation {std}, expected finite numbers, the second \
                     above 0; restore the scaler that the training wrote"
                )
            );
        }
    }

    #[test]
    #[should_panic(expected = "test: channel 1 is `y`, expected `x`")]
    fn other_channels_are_refused() {
        Standardizer::fit(&set(&[&[1.0, 2.0]], &["x"])).apply(&set(&[&[1.0]], &["y"]));
    }

    #[test]
    #[should_panic(expected = "cannot fit a scaler to a set of 0 sequences")]
    fn an_empty_set_is_refused() {
        Standardizer::fit(&set(&[], &["x"]));
    }
}
