//! Streams in chunks, for backpropagation through time that is truncated.

use std::ops::Range;

use burn::tensor::{Device, Int, Tensor, TensorData};
use rand::rngs::StdRng;
use serde::{Deserialize, Serialize};

use crate::random::{Purpose, generator, unit};

/// How many steps a chunk has.
///
/// In a recipe: `{ kind = "fixed", steps = 70 }`, `{ kind = "random", steps = 70 }`.
#[derive(Serialize, Deserialize, Debug, Clone, Copy, PartialEq)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum ChunkLength {
    /// Always the same, but for what is left at the end.
    Fixed {
        /// Steps of a chunk, at least 1.
        steps: usize,
    },
    /// Drawn for each chunk, so that its ends fall on other steps in each epoch:
    ///
    /// ```text
    /// mean = steps with probability `whole`, else steps / 2
    /// length = max(shortest, ⌊N(mean, deviation²)⌋), at most steps + 10
    /// ```
    ///
    /// So that all epochs have as many chunks, the lengths of an epoch are stretched by what is missing, or shrunk by what is
    /// too much: a few thousandths in long sequences.
    ///
    /// # References
    /// Merity et al., *Regularizing and Optimizing LSTM Language Models*, 2018, <https://arxiv.org/abs/1708.02182>. The
    /// upper limit is that of their code.
    Random {
        /// The usual mean length, at least 1.
        steps: usize,
        /// The probability of the usual mean, in `[0, 1]`. Default: 0.95.
        #[serde(default = "whole")]
        whole: f64,
        /// The standard deviation, at least 0. Default: 5.
        #[serde(default = "deviation")]
        deviation: f64,
        /// The least length, at least 1. Default: 5.
        #[serde(default = "shortest")]
        shortest: usize,
    },
}

fn whole() -> f64 {
    0.95
}

fn deviation() -> f64 {
    5.0
}

fn shortest() -> usize {
    5
}

/// A value of a [`ChunkLength`] that is out of range.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("`{field}` is {found}, expected {expected}")]
pub struct ChunkLengthError {
    /// The value.
    pub field: &'static str,
    /// What it is.
    pub found: f64,
    /// What it should be.
    pub expected: &'static str,
}

impl ChunkLength {
    /// The usual number of steps, by which the learning rate of longer and shorter chunks is scaled.
    pub fn steps(&self) -> usize {
        match *self {
            Self::Fixed { steps } | Self::Random { steps, .. } => steps,
        }
    }

    /// The greatest number of steps.
    pub fn longest(&self) -> usize {
        match *self {
            Self::Fixed { steps } => steps,
            Self::Random { steps, .. } => 2 * steps + 10,
        }
    }

    /// Checks the ranges.
    ///
    /// # Errors
    /// If a value is out of its range.
    pub fn validate(&self) -> Result<(), ChunkLengthError> {
        let check = |is_right: bool, field, found: f64, expected| match is_right {
            true => Ok(()),
            false => Err(ChunkLengthError {
                field,
                found,
                expected,
            }),
        };
        let steps = self.steps();
        check(steps > 0, "steps", steps as f64, "at least 1")?;
        match *self {
            Self::Fixed { .. } => Ok(()),
            Self::Random {
                whole,
                deviation,
                shortest,
                ..
            } => {
                let is_probability = (0.0..=1.0).contains(&whole);
                check(is_probability, "whole", whole, "a probability in [0, 1]")?;
                let is_deviation = deviation >= 0.0 && deviation.is_finite();
                let expected = "a finite number of at least 0";
                check(is_deviation, "deviation", deviation, expected)?;
                check(shortest > 0, "shortest", shortest as f64, "at least 1")
            }
        }
    }

    /// The lengths of all chunks of an epoch that read so many steps, if they are drawn: always as many, whatever is drawn.
    fn fitting(&self, total: usize, rng: &mut StdRng) -> Vec<usize> {
        let Self::Random { steps, whole, .. } = *self else {
            return Vec::new();
        };
        // Rounding down takes half a step.
        let mean = steps as f64 * (1.0 + whole) / 2.0 - 0.5;
        let count = ((total as f64 / mean.max(1.0)).round() as usize).clamp(1, total);
        let drawn: Vec<usize> = (0..count).map(|_| self.draw(rng)).collect();
        let stretch = total as f64 / drawn.iter().sum::<usize>() as f64;
        let (mut read, mut end) = (0.0, 0);
        let fit = |(index, length): (usize, usize)| {
            read += length as f64 * stretch;
            let latest = total - (count - 1 - index);
            let start = end;
            end = (read.round() as usize).clamp(start + 1, latest);
            if index + 1 == count {
                end = total;
            }
            end - start
        };
        drawn.into_iter().enumerate().map(fit).collect()
    }

    /// The length of the next chunk.
    fn draw(&self, rng: &mut StdRng) -> usize {
        match *self {
            Self::Fixed { steps } => steps,
            Self::Random {
                steps,
                whole,
                deviation,
                shortest,
            } => {
                let mean = match unit(rng) < whole {
                    true => steps as f64,
                    false => steps as f64 / 2.0,
                };
                let length = (mean + deviation * normal(rng)).floor().max(0.0) as usize;
                length.max(shortest).min(steps + 10)
            }
        }
    }
}

/// A standard normal number: Box and Muller, 1958, <https://doi.org/10.1214/aoms/1177706645>.
fn normal(rng: &mut StdRng) -> f64 {
    let radius = (-2.0 * (1.0 - unit(rng)).ln()).sqrt();
    radius * (2.0 * std::f64::consts::PI * unit(rng)).cos()
}

/// Steps of one sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// Which sequence.
    pub sequence: usize,
    /// Which of its steps.
    pub steps: Range<usize>,
}

/// What each row of a batch reads next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// The steps of each row; `None` for a row that is at its end.
    pub spans: Vec<Option<Span>>,
    /// Whether a row begins here: its state starts anew. The states of the others are carried on.
    pub fresh: Vec<bool>,
}

impl Chunk {
    /// The steps of each row.
    pub fn lengths(&self) -> Vec<usize> {
        let length = |span: &Option<Span>| span.as_ref().map_or(0, |span| span.steps.len());
        self.spans.iter().map(length).collect()
    }

    /// The steps of the longest row, at least 1.
    pub fn steps(&self) -> usize {
        self.lengths().into_iter().max().unwrap_or_default()
    }

    /// What some of the rows read, for one of several devices that share a batch. All of these may be at their end.
    ///
    /// # Panics
    /// If a row is not below the number of rows.
    pub fn rows(&self, rows: Range<usize>) -> Self {
        Self {
            spans: self.spans[rows.clone()].to_vec(),
            fresh: self.fresh[rows].to_vec(),
        }
    }
}

/// Sequences laid end to end and cut into rows of the same length, which a batch reads side by side, chunk by chunk.
///
/// Where a sequence ends within a chunk, so does that row's part of the chunk; the next one begins with the next chunk. So no
/// chunk holds steps of two sequences in one row, and a state never flows from one into the other. A sequence that is cut
/// between two rows starts anew in the second.
///
/// # Examples
/// ```
/// use rekindle_data::{ChunkLength, Streams};
///
/// // One sequence of 10 steps in two rows.
/// let streams = Streams::new(&[10], 2);
/// let chunks = streams.chunks(ChunkLength::Fixed { steps: 4 }, 0, 0);
/// assert_eq!(chunks.len(), 2);
/// assert_eq!(chunks[0].lengths(), [4, 4]);
/// assert_eq!(chunks[1].lengths(), [1, 1]);
/// assert_eq!((chunks[0].fresh[0], chunks[1].fresh[0]), (true, false));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Streams {
    /// The sequences of each row, in order.
    rows: Vec<Vec<Span>>,
}

impl Streams {
    /// Lays sequences of so many steps end to end, in their order, and cuts them into rows whose lengths differ by at most 1.
    /// There are fewer rows where there are fewer steps.
    ///
    /// # Panics
    /// If there is no step, or `rows` is 0.
    pub fn new(lengths: &[usize], rows: usize) -> Self {
        let total: usize = lengths.iter().sum();
        assert!(total > 0, "the sequences have 0 steps, expected at least 1");
        assert!(rows > 0, "there are 0 rows, expected at least 1");
        let rows = rows.min(total);
        let cuts = (0..=rows).map(|row| row * total / rows);
        let mut rest = lengths.iter().copied().enumerate();
        let mut current = (0, 0..0);
        let fill = |mut room: usize| {
            let mut spans = Vec::new();
            while room > 0 {
                if current.1.is_empty() {
                    let (sequence, length) = rest.next().expect("as many steps as rows have");
                    current = (sequence, 0..length);
                    continue;
                }
                let (sequence, left) = &mut current;
                let taken = left.len().min(room);
                spans.push(Span {
                    sequence: *sequence,
                    steps: left.start..left.start + taken,
                });
                left.start += taken;
                room -= taken;
            }
            spans
        };
        let cuts: Vec<usize> = cuts.collect();
        Self {
            rows: cuts
                .windows(2)
                .map(|cut| cut[1] - cut[0])
                .map(fill)
                .collect(),
        }
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// The chunks of an epoch, in order. Their lengths depend on the arguments alone; if each row has steps of one sequence,
    /// there are as many in every epoch.
    ///
    /// # Panics
    /// If the length is not valid.
    pub fn chunks(&self, length: ChunkLength, seed: u64, epoch: usize) -> Vec<Chunk> {
        if let Err(error) = length.validate() {
            panic!("invalid length of chunks: {error}");
        }
        let mut rng = generator(Purpose::Chunks, seed, epoch as u64);
        let row = |row: &Vec<Span>| row.iter().map(|span| span.steps.len()).sum();
        let longest = self.rows.iter().map(row).max().unwrap_or(0);
        let mut lengths = length.fitting(longest, &mut rng).into_iter();
        // Which sequence of a row comes next, and how many of its steps are read.
        let mut places = vec![(0, 0); self.rows.len()];
        let mut chunks = Vec::new();
        loop {
            let next = lengths.next();
            let steps = next.unwrap_or_else(|| length.draw(&mut rng));
            let mut chunk = Chunk {
                spans: Vec::with_capacity(self.rows.len()),
                fresh: Vec::with_capacity(self.rows.len()),
            };
            for (row, (index, read)) in self.rows.iter().zip(&mut places) {
                let span = row.get(*index).map(|span| {
                    let start = span.steps.start + *read;
                    let end = span.steps.end.min(start + steps);
                    Span {
                        sequence: span.sequence,
                        steps: start..end,
                    }
                });
                chunk.fresh.push(*read == 0);
                if let Some(taken) = &span {
                    *read += taken.steps.len();
                    if taken.steps.end == row[*index].steps.end {
                        (*index, *read) = (*index + 1, 0);
                    }
                }
                chunk.spans.push(span);
            }
            if chunk.spans.iter().all(Option::is_none) {
                return chunks;
            }
            chunks.push(chunk);
        }
    }
}

/// A chunk of texts: tokens, and the tokens that follow them.
#[derive(Debug, Clone)]
pub struct TokenBatch {
    /// The numbers of the tokens, `[batch, seq]`; 0 in padding.
    pub input: Tensor<2, Int>,
    /// The number of the token after each of them, `[batch, seq]`; 0 in padding.
    pub target: Tensor<2, Int>,
    /// The valid steps of each row; 0 for a row that is at its end.
    pub lengths: Vec<usize>,
    /// Whether the state of a row starts anew.
    pub fresh: Vec<bool>,
}

impl TokenBatch {
    /// The tokens of a chunk of texts. A text of `n` tokens has `n − 1` steps: the last one has none to follow it.
    ///
    /// # Panics
    /// If the chunk is not one of these texts.
    pub fn new<T: AsRef<[u32]>>(texts: &[T], chunk: &Chunk, device: &Device) -> Self {
        let (batch, seq) = (chunk.spans.len(), chunk.steps());
        let numbers = |shift: usize| {
            let mut numbers = vec![0_i64; batch * seq];
            for (row, span) in numbers.chunks_exact_mut(seq).zip(&chunk.spans) {
                let Some(Span { sequence, steps }) = span else {
                    continue;
                };
                let tokens = &texts[*sequence].as_ref()[steps.start + shift..steps.end + shift];
                for (number, &token) in row.iter_mut().zip(tokens) {
                    *number = i64::from(token);
                }
            }
            Tensor::from_data(TensorData::new(numbers, [batch, seq]), device)
        };
        Self {
            input: numbers(0),
            target: numbers(1),
            lengths: chunk.lengths(),
            fresh: chunk.fresh.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RANDOM: ChunkLength = ChunkLength::Random {
        steps: 70,
        whole: 0.95,
        deviation: 5.0,
        shortest: 5,
    };

    /// All steps that a row reads, in order.
    fn read(chunks: &[Chunk], row: usize) -> Vec<(usize, usize)> {
        let spans = chunks.iter().filter_map(|chunk| chunk.spans[row].as_ref());
        let steps = |span: &Span| {
            let sequence = span.sequence;
            span.steps
                .clone()
                .map(move |step| (sequence, step))
                .collect::<Vec<_>>()
        };
        spans.flat_map(steps).collect()
    }

    #[test]
    fn every_step_is_read_once_and_in_order() {
        let lengths = [40, 3, 1, 0, 200, 17, 90];
        let all: Vec<(usize, usize)> = (lengths.iter().enumerate())
            .flat_map(|(sequence, &length)| (0..length).map(move |step| (sequence, step)))
            .collect();
        for rows in [1, 2, 5, 400] {
            let streams = Streams::new(&lengths, rows);
            for length in [ChunkLength::Fixed { steps: 16 }, RANDOM] {
                let chunks = streams.chunks(length, 3, 1);
                let found = (0..streams.rows()).flat_map(|row| read(&chunks, row));
                assert_eq!(found.collect::<Vec<_>>(), all, "{rows} rows, {length:?}");
                for row in 0..streams.rows() {
                    let size = read(&chunks, row).len();
                    assert!(size.abs_diff(all.len() / streams.rows()) <= 1);
                }
            }
        }
    }

    #[test]
    fn states_start_anew_where_sequences_do() {
        let streams = Streams::new(&[5, 4], 1);
        let chunks = streams.chunks(ChunkLength::Fixed { steps: 3 }, 0, 0);
        let spans: Vec<_> = chunks
            .iter()
            .map(|chunk| {
                let span = chunk.spans[0].clone().expect("steps");
                (span.sequence, span.steps, chunk.fresh[0])
            })
            .collect();
        let expected = [
            (0, 0..3, true),
            (0, 3..5, false),
            (1, 0..3, true),
            (1, 3..4, false),
        ];
        assert_eq!(spans, expected);
    }

    #[test]
    fn rows_that_end_early_have_no_steps() {
        // The second row has the shorter sequences: they take it more chunks.
        let streams = Streams::new(&[6, 2, 2, 2], 2);
        let chunks = streams.chunks(ChunkLength::Fixed { steps: 6 }, 0, 0);
        let lengths: Vec<_> = chunks.iter().map(Chunk::lengths).collect();
        assert_eq!(lengths, [[6, 2], [0, 2], [0, 2]]);
    }

    #[test]
    fn random_lengths_are_those_of_the_paper() {
        let streams = Streams::new(&[4_000_000], 2);
        let chunks = streams.chunks(RANDOM, 5, 0);
        let lengths: Vec<f64> = chunks.iter().map(|chunk| chunk.steps() as f64).collect();
        let (short, usual): (Vec<f64>, Vec<f64>) =
            lengths.iter().partition(|&&length| length < 53.0);
        let share = usual.len() as f64 / lengths.len() as f64;
        assert!((share - 0.95).abs() < 0.01, "{share}");
        let mean = |lengths: &[f64]| lengths.iter().sum::<f64>() / lengths.len() as f64;
        // Rounding down takes a half, the upper limit of two deviations a little more.
        assert!((mean(&usual) - 69.5).abs() < 0.3, "{}", mean(&usual));
        assert!((mean(&short) - 34.5).abs() < 0.6, "{}", mean(&short));
        assert!(usual.iter().all(|&length| length <= 81.0));
        for epoch in 1..20 {
            assert_eq!(streams.chunks(RANDOM, 5, epoch).len(), chunks.len());
        }
        assert_eq!(chunks, streams.chunks(RANDOM, 5, 0));
        assert_ne!(chunks[..20], streams.chunks(RANDOM, 5, 1)[..20]);
    }

    #[test]
    fn all_epochs_have_as_many_chunks_even_of_few_steps() {
        let single = ChunkLength::Random {
            steps: 2,
            whole: 0.5,
            deviation: 3.0,
            shortest: 1,
        };
        for (total, rows) in [(1, 1), (7, 3), (50, 4), (333, 2)] {
            let streams = Streams::new(&[total], rows);
            let count = streams.chunks(single, 1, 0).len();
            for epoch in 1..50 {
                let chunks = streams.chunks(single, 1, epoch);
                assert_eq!(chunks.len(), count, "{total} steps in {rows} rows");
                assert!(chunks.iter().all(|chunk| chunk.steps() > 0));
            }
        }
    }

    #[test]
    fn targets_are_the_next_tokens() {
        let texts = vec![vec![1, 2, 3, 4], vec![5, 6]];
        let streams = Streams::new(&[3, 1], 2);
        let chunks = streams.chunks(ChunkLength::Fixed { steps: 2 }, 0, 0);
        let device = Device::default();
        let first = TokenBatch::new(&texts, &chunks[0], &device);
        assert_eq!(
            first.input.to_data_as::<i64>(),
            TensorData::from([[1_i64, 2], [3, 0]])
        );
        assert_eq!(
            first.target.to_data_as::<i64>(),
            TensorData::from([[2_i64, 3], [4, 0]])
        );
        assert_eq!(first.lengths, [2, 1]);
        let second = TokenBatch::new(&texts, &chunks[1], &device);
        assert_eq!(
            (second.lengths, second.fresh),
            (vec![0, 1], vec![true, true])
        );
    }

    #[test]
    fn wrong_lengths_name_the_value() {
        let wrong = ChunkLength::Random {
            steps: 70,
            whole: 1.5,
            deviation: 5.0,
            shortest: 5,
        };
        let message = wrong.validate().unwrap_err().to_string();
        assert_eq!(message, "`whole` is 1.5, expected a probability in [0, 1]");
        assert!(ChunkLength::Fixed { steps: 0 }.validate().is_err());
        assert_eq!(RANDOM.validate(), Ok(()));
    }
}
