//! What a reader does with values that are not there.

use burn::config::Config;
use serde::{Deserialize, Serialize};

/// What a reader does with a missing value: `?` or `NaN` (in any case), and in CSV also an empty cell.
///
/// Each sequence is filled on its own, so that nothing passes from one sequence to another or from the test data to the
/// training data. In a recipe: `"error"`, `"forward_fill"`, `"zero"`, `"mean"`.
///
/// # Examples
///
/// ```
/// use rekindle_data::{LabelKind, Missing, SequenceSet, read};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("gaps.csv");
/// std::fs::write(&path, "series,time,x\na,1,?\na,2,4\na,3,\na,4,8\n")?;
/// let first = |set: SequenceSet| set.sequences[0].values().to_vec();
/// let values = |missing| read(&path, missing, LabelKind::Class).map(first);
/// assert_eq!(values(Missing::ForwardFill)?, [4.0, 4.0, 4.0, 8.0]);
/// assert_eq!(values(Missing::Zero)?, [0.0, 4.0, 0.0, 8.0]);
/// assert_eq!(values(Missing::Mean)?, [6.0, 4.0, 6.0, 8.0]);
/// assert!(values(Missing::Error).is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// Refuses the file. The default, because every way to fill a gap invents data.
    #[default]
    Error,
    /// Repeats the last value of the channel in this sequence. A gap at the start takes the first value present. A channel
    /// without any value in a sequence is an error.
    ForwardFill,
    /// Puts 0. Before standardisation, 0 need not be a usual value of the channel.
    Zero,
    /// Puts the mean of the values that the channel has in this sequence. A channel without any value in a sequence is an
    /// error.
    Mean,
}

impl Config for Missing {}

impl Missing {
    /// Replaces every NaN in `values`, row-major `[seq, channels]`.
    ///
    /// Under [`Missing::Error`] the values hold no NaN: the parser refused it. The error is the index of the first channel
    /// that has no value at all.
    pub(super) fn fill(self, values: &mut [f32], channels: usize) -> Result<(), usize> {
        for channel in 0..channels {
            let column = || {
                values[channel..]
                    .iter()
                    .step_by(channels)
                    .copied()
                    .filter(|value| !value.is_nan())
            };
            let seq = values.len() / channels;
            let present = column().count();
            if present == seq {
                continue;
            }
            let first = match self {
                Self::Zero => 0.0,
                _ if present == 0 => return Err(channel),
                Self::Mean => (column().map(f64::from).sum::<f64>() / present as f64) as f32,
                Self::ForwardFill | Self::Error => column().next().unwrap_or_default(),
            };
            let mut fill = first;
            for value in values[channel..].iter_mut().step_by(channels) {
                if value.is_nan() {
                    *value = fill;
                } else if self == Self::ForwardFill {
                    fill = *value;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GAP: f32 = f32::NAN;

    /// Two channels of four steps: `[?, 2, ?, 6]` and `[1, 1, ?, ?]`.
    fn filled(missing: Missing) -> Vec<f32> {
        let mut values = vec![GAP, 1.0, 2.0, 1.0, GAP, GAP, 6.0, GAP];
        missing.fill(&mut values, 2).unwrap();
        values
    }

    #[test]
    fn forward_fill_repeats_the_last_value_and_backs_the_first() {
        assert_eq!(
            filled(Missing::ForwardFill),
            [2.0, 1.0, 2.0, 1.0, 2.0, 1.0, 6.0, 1.0]
        );
    }

    #[test]
    fn zero_and_mean() {
        assert_eq!(
            filled(Missing::Zero),
            [0.0, 1.0, 2.0, 1.0, 0.0, 0.0, 6.0, 0.0]
        );
        assert_eq!(
            filled(Missing::Mean),
            [4.0, 1.0, 2.0, 1.0, 4.0, 1.0, 6.0, 1.0]
        );
    }

    #[test]
    fn a_channel_without_values_can_only_be_zero() {
        let gap = || vec![1.0, GAP, 2.0, GAP];
        assert_eq!(Missing::ForwardFill.fill(&mut gap(), 2), Err(1));
        assert_eq!(Missing::Mean.fill(&mut gap(), 2), Err(1));
        let mut values = gap();
        Missing::Zero.fill(&mut values, 2).unwrap();
        assert_eq!(values, [1.0, 0.0, 2.0, 0.0]);
    }

    #[test]
    fn names_in_recipes() {
        for (missing, name) in [
            (Missing::Error, "\"error\""),
            (Missing::ForwardFill, "\"forward_fill\""),
            (Missing::Zero, "\"zero\""),
            (Missing::Mean, "\"mean\""),
        ] {
            assert_eq!(serde_json::to_string(&missing).unwrap(), name);
            assert_eq!(serde_json::from_str::<Missing>(name).unwrap(), missing);
        }
        assert_eq!(Missing::default(), Missing::Error);
        assert!(serde_json::from_str::<Missing>("\"ffill\"").is_err());
    }
}
