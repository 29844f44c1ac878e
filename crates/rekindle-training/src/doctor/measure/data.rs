//! Scales, tails and labels of the data, as the network reads them.

use rekindle_data::{Sequence, SequenceSet};
use serde::{Deserialize, Serialize};

/// Sequences that neighbours are sought among; the work grows with the square.
const MOST: usize = 400;

/// Steps of a tail that does not change, at least, and as a share of the sequence.
const TAIL: usize = 3;
/// See [`TAIL`].
const TAIL_SHARE: f64 = 0.1;

/// The data as the network reads them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Data {
    /// Sequences.
    pub sequences: usize,
    /// The mean number of steps.
    pub mean_length: f64,
    /// The greatest number of steps.
    pub longest: usize,
    /// One entry a channel.
    pub channels: Vec<Channel>,
    /// Ends that do not change.
    pub tails: Tails,
    /// Whether sequences that are alike have the same label; `None` with fewer than ten labels.
    pub neighbours: Option<Neighbours>,
    /// The loss of who guesses: the entropy of the classes in nats, or the variance of numbers.
    pub guess: f64,
}

/// The scale of a channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Channel {
    /// Its name.
    pub name: String,
    /// The mean over all steps.
    pub mean: f64,
    /// The standard deviation over all steps.
    pub std: f64,
}

/// Ends of sequences in which no channel changes for at least three steps and a tenth of the sequence: what padding looks
/// like that is counted as steps.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tails {
    /// The share of sequences that end so.
    pub sequences: f64,
    /// The share of all steps in such ends.
    pub steps: f64,
}

/// Labels of sequences beside those of the most similar other sequence, by eight figures of each channel.
///
/// After the rule that such a neighbour decides: Wilson, *Asymptotic Properties of Nearest Neighbor Rules Using Edited Data*,
/// 1972, <https://doi.org/10.1109/TSMC.1972.4309137>.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Neighbours {
    /// Sequences compared.
    pub sequences: usize,
    /// The share whose neighbour has the same label.
    pub agreement: f64,
    /// The same if labels had nothing to do with sequences.
    pub by_chance: f64,
    /// Sequences that are equal to another one but for the label.
    pub contradictions: usize,
}

impl Data {
    /// Of sequences of so many steps and of the set that holds them, which is ready for a network; a text has none.
    pub(crate) fn of(set: Option<&SequenceSet>, lengths: &[usize], guess: f64) -> Self {
        let steps: usize = lengths.iter().sum();
        Self {
            sequences: lengths.len(),
            mean_length: steps as f64 / lengths.len().max(1) as f64,
            longest: lengths.iter().copied().max().unwrap_or(0),
            channels: set.map_or(Vec::new(), |set| channels(set, steps)),
            tails: set.map_or(Tails::default(), |set| tails(set, steps)),
            neighbours: set.and_then(neighbours),
            guess,
        }
    }
}

fn channels(set: &SequenceSet, steps: usize) -> Vec<Channel> {
    let mut sums = vec![(0.0, 0.0); set.n_channels()];
    for step in set.sequences.iter().flat_map(Sequence::steps) {
        for (sum, &value) in sums.iter_mut().zip(step) {
            sum.0 += f64::from(value);
            sum.1 += f64::from(value).powi(2);
        }
    }
    let count = steps.max(1) as f64;
    let channel = |(name, (sum, squares)): (&String, (f64, f64))| {
        let mean = sum / count;
        Channel {
            name: name.clone(),
            mean,
            std: (squares / count - mean * mean).max(0.0).sqrt(),
        }
    };
    set.channels.iter().zip(sums).map(channel).collect()
}

/// Steps at the end of a sequence that are equal to the one before them.
fn tail(sequence: &Sequence) -> usize {
    let len = sequence.len();
    let same = |&step: &usize| sequence.step(step) == sequence.step(step - 1);
    let steps = (1..len).rev().take_while(same).count();
    match steps >= TAIL && steps as f64 >= TAIL_SHARE * len as f64 {
        // A sequence that never changes says nothing about its length.
        true if steps + 1 < len => steps,
        _ => 0,
    }
}

fn tails(set: &SequenceSet, steps: usize) -> Tails {
    let tails: Vec<usize> = set.sequences.iter().map(tail).collect();
    let with = tails.iter().filter(|&&steps| steps > 0).count();
    Tails {
        sequences: with as f64 / set.len().max(1) as f64,
        steps: tails.iter().sum::<usize>() as f64 / steps.max(1) as f64,
    }
}

/// Eight figures of each channel: mean, spread, mean change, and the values at five places.
fn figures(sequence: &Sequence) -> Vec<f64> {
    let len = sequence.len();
    let count = len as f64;
    let mut figures = Vec::new();
    for channel in 0..sequence.n_channels() {
        let at = |step: usize| f64::from(sequence.step(step)[channel]);
        let mean = (0..len).map(at).sum::<f64>() / count;
        let spread = (0..len).map(|step| (at(step) - mean).powi(2)).sum::<f64>() / count;
        let change = (1..len)
            .map(|step| (at(step) - at(step - 1)).abs())
            .sum::<f64>()
            / count;
        figures.extend([mean, spread.sqrt(), change]);
        figures.extend((0..5).map(|place| at(place * (len - 1) / 4)));
    }
    figures
}

/// Each figure at mean 0 and variance 1 over all sequences.
fn standardise(rows: &mut [Vec<f64>]) {
    let count = rows.len() as f64;
    for figure in 0..rows.first().map_or(0, Vec::len) {
        let mean = rows.iter().map(|row| row[figure]).sum::<f64>() / count;
        let spread = rows
            .iter()
            .map(|row| (row[figure] - mean).powi(2))
            .sum::<f64>()
            / count;
        let scale = if spread > 0.0 { spread.sqrt() } else { 1.0 };
        for row in rows.iter_mut() {
            row[figure] = (row[figure] - mean) / scale;
        }
    }
}

fn neighbours(set: &SequenceSet) -> Option<Neighbours> {
    let labelled = set.sequences.iter().filter(|sequence| !sequence.is_empty());
    let labelled: Vec<(&Sequence, usize)> = labelled
        .filter_map(|sequence| Some((sequence, sequence.label.class()?)))
        .collect();
    let stride = labelled.len().div_ceil(MOST).max(1);
    let sample: Vec<(&Sequence, usize)> = labelled.into_iter().step_by(stride).collect();
    if sample.len() < 10 {
        return None;
    }
    let mut rows: Vec<Vec<f64>> = sample
        .iter()
        .map(|(sequence, _)| figures(sequence))
        .collect();
    standardise(&mut rows);
    let (mut agree, mut contradictions) = (0, 0);
    for (index, row) in rows.iter().enumerate() {
        let others = rows.iter().enumerate().filter(|(other, _)| *other != index);
        let distance =
            |other: &[f64]| -> f64 { row.iter().zip(other).map(|(a, b)| (a - b).powi(2)).sum() };
        let nearest = others.min_by(|a, b| distance(a.1).total_cmp(&distance(b.1)));
        let (nearest, _) = nearest.expect("at least ten sequences");
        let is_same = sample[nearest].1 == sample[index].1;
        agree += usize::from(is_same);
        let equal = sample[nearest].0.values() == sample[index].0.values();
        contradictions += usize::from(equal && !is_same);
    }
    let count = sample.len() as f64;
    let share = |class: usize| sample.iter().filter(|row| row.1 == class).count() as f64 / count;
    Some(Neighbours {
        sequences: sample.len(),
        agreement: agree as f64 / count,
        by_chance: (0..set.classes().len())
            .map(|class| share(class).powi(2))
            .sum(),
        contradictions,
    })
}

impl Neighbours {
    /// Whether the agreement is above what chance gives by more than two standard deviations of it.
    pub fn labels_follow(&self) -> bool {
        let variance = self.by_chance * (1.0 - self.by_chance) / self.sequences as f64;
        self.agreement > self.by_chance + 2.0 * variance.sqrt()
    }
}

#[cfg(test)]
mod tests {
    use rekindle_data::{Label, Target};

    use super::*;

    fn set(sequences: Vec<(Vec<f32>, usize)>) -> SequenceSet {
        let sequence = |(values, class)| Sequence::new(values, 1, Label::Class(class), None);
        SequenceSet::new(
            vec!["x".into()],
            Target::Classes(vec!["a".into(), "b".into()]),
            sequences.into_iter().map(sequence).collect(),
            "by hand".into(),
        )
    }

    #[test]
    fn scales_and_tails_by_hand() {
        let set = set(vec![
            (vec![1.0, 3.0, 1.0, 3.0], 0),
            (vec![1.0, 3.0, 3.0, 3.0, 3.0], 1),
        ]);
        let found = Data::of(Some(&set), &[4, 5], 0.7);
        assert_eq!((found.sequences, found.longest), (2, 5));
        assert_eq!(found.mean_length, 4.5);
        assert!((found.channels[0].mean - 21.0 / 9.0).abs() < 1e-12);
        assert_eq!(found.tails.sequences, 0.5);
        assert!((found.tails.steps - 3.0 / 9.0).abs() < 1e-12);
        assert_eq!(found.guess, 0.7);
        assert_eq!(found.neighbours, None);
    }

    #[test]
    fn labels_that_follow_sequences_are_told_from_those_that_do_not() {
        let level = |index: usize| if index.is_multiple_of(2) { 1.0 } else { -1.0 };
        let wave = |index: usize| -> Vec<f32> {
            let value = |step: usize| level(index) + ((index * 7 + step * 3) % 11) as f32 / 20.0;
            (0..6).map(value).collect()
        };
        let with = |class: fn(usize) -> usize| {
            let rows = (0..40).map(|index| (wave(index), class(index)));
            neighbours(&set(rows.collect())).expect("labels")
        };
        let follows = with(|index| index % 2);
        assert!(follows.labels_follow() && follows.agreement > 0.9);
        let noise = with(|index| ((index * 2_654_435_761) >> 7) % 2);
        assert!(!noise.labels_follow(), "{noise:?}");
        let twice = set(vec![(vec![1.0, 2.0], 0); 10]
            .into_iter()
            .chain([(vec![1.0, 2.0], 1)])
            .collect());
        assert!(neighbours(&twice).expect("labels").contradictions > 0);
    }
}
