//! What is measured of a network's answers.

use std::fmt;

use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};

/// A figure that tells how good answers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// The mean of what is trained for, without penalties: the cross-entropy in nats, or the squared error.
    Loss,
    /// Share of answers whose most probable class is the true one, in `[0, 1]`.
    Accuracy,
    /// Mean of the classes' F1 scores, in `[0, 1]`: see [`Confusion::macro_f1`](crate::Confusion::macro_f1).
    #[serde(rename = "macro_f1")]
    MacroF1,
    /// Root of the mean squared error, in the units of the target.
    Rmse,
    /// Mean absolute error, in the units of the target.
    Mae,
    /// Share of the target's variance that is explained, at most 1; below 0 the mean would have been better.
    #[serde(rename = "r2")]
    R2,
    /// `e` to the power of the cross-entropy: among how many equally probable tokens the model seems to choose.
    Perplexity,
    /// Cross-entropy in bits, for each character of the text.
    BitsPerCharacter,
}

impl Metric {
    /// All metrics; the loss first.
    pub const ALL: [Self; 8] = [
        Self::Loss,
        Self::Accuracy,
        Self::MacroF1,
        Self::Rmse,
        Self::Mae,
        Self::R2,
        Self::Perplexity,
        Self::BitsPerCharacter,
    ];

    /// Its name in files, such as `macro_f1`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Loss => "loss",
            Self::Accuracy => "accuracy",
            Self::MacroF1 => "macro_f1",
            Self::Rmse => "rmse",
            Self::Mae => "mae",
            Self::R2 => "r2",
            Self::Perplexity => "perplexity",
            Self::BitsPerCharacter => "bits_per_character",
        }
    }

    /// Its name as people read it, such as `macro-F1`.
    pub fn title(self) -> &'static str {
        match self {
            Self::MacroF1 => "macro-F1",
            Self::Rmse => "RMSE",
            Self::Mae => "MAE",
            Self::R2 => "R²",
            Self::BitsPerCharacter => "bits per character",
            other => other.name(),
        }
    }

    /// Its name where there is little room, such as `F1`.
    pub fn short(self) -> &'static str {
        match self {
            Self::Accuracy => "acc",
            Self::MacroF1 => "F1",
            Self::Perplexity => "ppl",
            Self::BitsPerCharacter => "bpc",
            other => other.title(),
        }
    }

    /// Whether it is a share, which is shown in percent.
    pub fn is_share(self) -> bool {
        matches!(self, Self::Accuracy | Self::MacroF1)
    }

    /// Whether less is better.
    pub fn is_less_better(self) -> bool {
        !matches!(self, Self::Accuracy | Self::MacroF1 | Self::R2)
    }

    /// A value as people read it.
    pub fn show(self, value: f64) -> String {
        match self.is_share() {
            true => format!("{:.2} %", 100.0 * value),
            false => format!("{value:.4}"),
        }
    }

    /// A value as it is drawn: shares in percent.
    pub(crate) fn drawn(self, value: f64) -> f64 {
        match self.is_share() {
            true => 100.0 * value,
            false => value,
        }
    }

    /// What is drawn, such as `accuracy (%)`.
    pub(crate) fn label(self) -> String {
        match self.is_share() {
            true => format!("{} (%)", self.title()),
            false => self.title().to_string(),
        }
    }

    /// Its name above a chart.
    pub(crate) fn heading(self) -> String {
        let mut heading = self.title().to_string();
        heading[..1].make_ascii_uppercase();
        heading
    }

    fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The values of some metrics over a set; none where nothing was measured.
///
/// # Examples
/// ```
/// use rekindle_training::{Metric, Scores};
///
/// let scores = Scores::of(&[(Metric::Loss, 0.25), (Metric::Accuracy, 0.9)]);
/// assert_eq!(scores.get(Metric::Accuracy), Some(0.9));
/// assert_eq!(scores.get(Metric::Rmse), None);
/// assert_eq!(scores.main(), Some((Metric::Accuracy, 0.9)));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Scores([Option<f64>; Metric::ALL.len()]);

impl Scores {
    /// These values.
    pub fn of(values: &[(Metric, f64)]) -> Self {
        let mut scores = Self::default();
        for &(metric, value) in values {
            scores.set(metric, value);
        }
        scores
    }

    /// The value of a metric.
    pub fn get(&self, metric: Metric) -> Option<f64> {
        self.0[metric.index()]
    }

    /// Sets the value of a metric.
    pub fn set(&mut self, metric: Metric, value: f64) {
        self.0[metric.index()] = Some(value);
    }

    /// All values, the loss first.
    pub fn iter(&self) -> impl Iterator<Item = (Metric, f64)> {
        let values = Metric::ALL.into_iter().zip(self.0);
        values.filter_map(|(metric, value)| Some((metric, value?)))
    }

    /// Whether nothing was measured.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// The metric by which people would compare: the first beside the loss, if there is one.
    pub fn main(&self) -> Option<(Metric, f64)> {
        let beside = self.iter().find(|(metric, _)| *metric != Metric::Loss);
        beside.or_else(|| self.iter().next())
    }

    /// The values in the order of display: the loss last.
    pub fn shown(&self) -> impl Iterator<Item = (Metric, f64)> + use<> {
        let loss = self.get(Metric::Loss).map(|loss| (Metric::Loss, loss));
        let beside = self.iter().filter(|(metric, _)| *metric != Metric::Loss);
        beside.chain(loss).collect::<Vec<_>>().into_iter()
    }
}

impl Serialize for Scores {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (metric, value) in self.shown() {
            map.serialize_entry(&metric, &value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Scores {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Values;

        impl<'de> Visitor<'de> for Values {
            type Value = Scores;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("values of metrics by name")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Scores, M::Error> {
                let mut scores = Scores::default();
                while let Some((metric, value)) = map.next_entry::<Metric, f64>()? {
                    if scores.get(metric).is_some() {
                        return Err(de::Error::custom(format!("`{metric}` occurs twice")));
                    }
                    scores.set(metric, value);
                }
                Ok(scores)
            }
        }
        deserializer.deserialize_map(Values)
    }
}

/// Which metrics a run measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metrics {
    /// Over the training data as they are trained on.
    pub train: &'static [Metric],
    /// Over validation and test data.
    pub valid: &'static [Metric],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_of_the_list() {
        for (index, metric) in Metric::ALL.into_iter().enumerate() {
            assert_eq!(metric.index(), index, "{metric}");
            let name = serde_json::to_value(metric).expect("a name");
            assert_eq!(name, metric.name());
        }
    }

    #[test]
    fn scores_come_back_from_json_with_the_loss_last() {
        let scores = Scores::of(&[
            (Metric::Loss, 0.5),
            (Metric::MacroF1, 0.75),
            (Metric::Accuracy, 0.875),
        ]);
        let text = serde_json::to_string(&scores).expect("it has a JSON form");
        assert_eq!(text, r#"{"accuracy":0.875,"macro_f1":0.75,"loss":0.5}"#);
        assert_eq!(serde_json::from_str::<Scores>(&text).ok(), Some(scores));
        assert!(serde_json::from_str::<Scores>(r#"{"loss":1,"loss":2}"#).is_err());
        assert!(serde_json::from_str::<Scores>(r#"{"lost":1}"#).is_err());
    }

    #[test]
    fn the_main_metric_is_beside_the_loss() {
        assert_eq!(Scores::default().main(), None);
        let loss = Scores::of(&[(Metric::Loss, 0.5)]);
        assert_eq!(loss.main(), Some((Metric::Loss, 0.5)));
        let both = Scores::of(&[(Metric::Loss, 0.5), (Metric::Rmse, 2.0)]);
        assert_eq!(both.main(), Some((Metric::Rmse, 2.0)));
    }
}
