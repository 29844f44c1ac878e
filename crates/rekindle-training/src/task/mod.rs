//! What runs learn.

pub(crate) mod language;
mod sampling;
mod supervised;
mod targets;

use std::ops::Range;
use std::path::Path;
use std::slice;

use burn::tensor::{Device, Int, Tensor};
use rekindle_data::{Batch, SequenceSet};

use language::LanguageModel;
pub use sampling::Sampling;
use supervised::Supervised;
pub(crate) use targets::{Asked, Targets};

use crate::network::{Input, Shape};
use crate::preprocessing::Preprocessing;
use crate::recipe::Recipe;
use crate::splits::DataError;
use crate::sums::Sums;
use crate::{EncoderState, Evaluation, Network, Scores};

/// What a run learns: its data, what they ask of the network, and how answers are scored.
pub(crate) trait Task {
    /// What the network reads and puts out.
    fn shape(&self) -> Shape;

    /// What is done to data before the network reads them.
    fn preprocessing(&self) -> &Preprocessing;

    /// A number that changes when any of the data changes.
    fn checksum(&self) -> String;

    /// How much there is to train on, to validate and to test.
    fn sizes(&self) -> Sizes;

    /// Lessons in an epoch.
    fn steps_per_epoch(&self) -> usize;

    /// The sequences that are trained on; `None` of a text.
    fn sequences(&self) -> Option<&SequenceSet> {
        None
    }

    /// A sample of what is trained on, or of a file, of at most so many rows: what is looked at step by step.
    ///
    /// # Errors
    /// If the file cannot be used, or has no labels.
    fn sample(
        &self,
        data: Option<&Path>,
        rows: usize,
        device: &Device,
    ) -> Result<Lesson, DataError>;

    /// The loss of who guesses: by how often each class occurs, or always the mean.
    fn guess(&self) -> f64;

    /// The steps of each sequence that is trained on.
    fn lengths(&self) -> Vec<usize>;

    /// The lessons of an epoch, counted from 0, each shared out among devices: the same rows of every lesson go to the same
    /// device, the first ones to the first. Nothing goes to a device whose rows are all at their end, or that gets none.
    fn shared_lessons<'a>(
        &'a self,
        epoch: usize,
        devices: &[Device],
    ) -> Box<dyn Iterator<Item = SharedLesson> + 'a>;

    /// The lessons of an epoch, counted from 0, on one device.
    fn lessons<'a>(
        &'a self,
        epoch: usize,
        device: &Device,
    ) -> Box<dyn Iterator<Item = Lesson> + 'a> {
        let lessons = self.shared_lessons(epoch, slice::from_ref(device));
        let whole = |mut parts: SharedLesson| parts.pop().flatten();
        Box::new(lessons.map(move |parts| whole(parts).expect("a lesson has rows")))
    }

    /// The scores of an epoch over the training data.
    fn train_scores(&self, sums: &Sums) -> Scores;

    /// Scores a network, without autodiff, over a set; `None` if there is no such set.
    fn evaluate(&self, network: &Network, part: Part, device: &Device) -> Option<Evaluation>;
}

/// A held-out set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// What is validated on.
    Valid,
    /// What is scored at the end.
    Test,
}

impl Part {
    /// Its set, of both.
    fn of<'a, T>(self, valid: &'a Option<T>, test: &'a Option<T>) -> Option<&'a T> {
        match self {
            Self::Valid => valid.as_ref(),
            Self::Test => test.as_ref(),
        }
    }
}

/// How much data there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// What is counted, such as `sequences`.
    pub of: &'static str,
    /// Trained on.
    pub train: usize,
    /// Validated on.
    pub valid: usize,
    /// Tested on.
    pub test: usize,
}

/// What the network learns from in one step, or a device's part of it.
#[derive(Clone, Debug)]
pub(crate) struct Lesson {
    /// What it reads.
    pub(crate) input: Input,
    /// The valid steps of each row.
    pub(crate) lengths: Vec<usize>,
    /// The places of the network's answers that count; `None` if all do.
    pub(crate) places: Option<Tensor<1, Int>>,
    /// The right answers at these places.
    pub(crate) targets: Targets,
    /// Which rows begin anew; the others go on where those of the lesson before have ended. `None`: all begin anew.
    pub(crate) fresh: Option<Vec<bool>>,
    /// What the learning rate is multiplied by.
    pub(crate) lr_factor: f64,
}

/// The part of a lesson of each device.
pub(crate) type SharedLesson = Vec<Option<Lesson>>;

/// What a device's part of a lesson is of the whole, from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Fraction {
    /// Of what is known of the answers.
    pub(crate) answers: f64,
    /// Of the valid steps.
    pub(crate) steps: f64,
    /// Of the pairs of valid steps that follow each other.
    pub(crate) pairs: f64,
    /// Of what is the same on all devices: the first part has all of it.
    pub(crate) common: f64,
}

impl Fraction {
    /// Those of each part; 0 of what the whole has nothing of.
    pub(crate) fn of(lesson: &[Option<Lesson>]) -> Vec<Self> {
        let fractions = |count: fn(&Lesson) -> usize| {
            let counts = lesson.iter().map(|part| part.as_ref().map_or(0, count));
            let counts: Vec<usize> = counts.collect();
            let sum = counts.iter().sum::<usize>().max(1) as f64;
            counts.into_iter().map(move |count| count as f64 / sum)
        };
        let first = lesson.iter().position(Option::is_some);
        fractions(|part| part.targets.count())
            .zip(fractions(|part| part.lengths.iter().sum()))
            .zip(fractions(|part| {
                part.lengths
                    .iter()
                    .map(|length| length.saturating_sub(1))
                    .sum()
            }))
            .enumerate()
            .map(|(index, ((answers, steps), pairs))| Self {
                answers,
                steps,
                pairs,
                common: if first == Some(index) { 1.0 } else { 0.0 },
            })
            .collect()
    }

    /// So much of a term of the loss.
    pub(crate) fn part_of(fraction: f64, term: Tensor<1>) -> Tensor<1> {
        match fraction == 1.0 {
            true => term,
            false => term * fraction,
        }
    }
}

/// Shares out the rows of a lesson as evenly as can be; the first devices get one more where it does not come out even.
fn shared(
    rows: usize,
    devices: &[Device],
    mut lesson: impl FnMut(Range<usize>, &Device) -> Option<Lesson>,
) -> SharedLesson {
    let start = |device: usize| (rows * device).div_ceil(devices.len());
    let part = |(index, device)| lesson(start(index)..start(index + 1), device);
    devices.iter().enumerate().map(part).collect()
}

impl Lesson {
    /// A batch in which every row begins anew.
    pub(crate) fn of(batch: Batch, asked: Asked) -> Self {
        let device = batch.input.device();
        let known = targets::known(&batch.labels, &batch.lengths, asked, &device);
        Self {
            input: Input::Values(batch.input),
            lengths: batch.lengths,
            places: known.places,
            targets: known.targets,
            fresh: None,
            lr_factor: 1.0,
        }
    }

    /// The state that the network begins with, of what the lesson before has left.
    pub(crate) fn begin(
        &self,
        network: &Network,
        left: Option<EncoderState>,
    ) -> Option<EncoderState> {
        let fresh = self.fresh.as_ref()?;
        if fresh.iter().all(|&fresh| fresh) {
            return None;
        }
        match fresh.contains(&true) {
            true => left.map(|state| network.renewed(state, fresh)),
            false => left,
        }
    }

    /// The same on a device with autodiff.
    pub(crate) fn differentiated(self) -> Self {
        Self {
            input: match self.input {
                Input::Values(values) => Input::Values(Tensor::from_inner(values)),
                Input::Tokens(tokens) => Input::Tokens(Tensor::from_inner(tokens)),
            },
            places: self.places.map(Tensor::from_inner),
            targets: self.targets.differentiated(),
            ..self
        }
    }

    /// The answers that count, of all: `[answers, width]`.
    pub(crate) fn counted(&self, scores: Tensor<2>) -> Tensor<2> {
        match &self.places {
            Some(places) => scores.select(0, places.clone()),
            None => scores,
        }
    }
}

/// Reads and checks the data of a recipe.
pub(crate) fn open(recipe: &Recipe) -> Result<Box<dyn Task>, DataError> {
    Ok(match &recipe.text {
        Some(text) => Box::new(LanguageModel::read(recipe, text)?),
        None => Box::new(Supervised::read(recipe)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A lesson of rows of so many steps, each row with an answer.
    fn lesson(lengths: &[usize], device: &Device) -> Lesson {
        let longest = lengths.iter().copied().max().unwrap_or_default();
        Lesson {
            input: Input::Values(Tensor::zeros([lengths.len(), longest, 1], device)),
            lengths: lengths.to_vec(),
            places: None,
            targets: Targets::Classes(Tensor::zeros([lengths.len()], device)),
            fresh: None,
            lr_factor: 1.0,
        }
    }

    #[test]
    fn rows_are_shared_out_evenly_and_in_order() {
        let devices = [Device::default(), Device::default(), Device::default()];
        for (rows, expected) in [
            (7, [0..3, 3..5, 5..7]),
            (6, [0..2, 2..4, 4..6]),
            (2, [0..1, 1..2, 2..2]),
            (1, [0..1, 1..1, 1..1]),
        ] {
            let mut found = Vec::new();
            shared(rows, &devices, |part, _| {
                found.push(part);
                None
            });
            assert_eq!(found, expected, "{rows} rows");
        }
    }

    #[test]
    fn fractions_by_hand() {
        let device = Device::default();
        // The first device's rows are at their end.
        let parts = [
            None,
            Some(lesson(&[3, 1], &device)),
            Some(lesson(&[5, 2, 1], &device)),
        ];
        let of = |answers, steps, pairs, common| Fraction {
            answers,
            steps,
            pairs,
            common,
        };
        let expected = [
            of(0.0, 0.0, 0.0, 0.0),
            of(0.4, 4.0 / 12.0, 2.0 / 7.0, 1.0),
            of(0.6, 8.0 / 12.0, 5.0 / 7.0, 0.0),
        ];
        assert_eq!(Fraction::of(&parts), expected);
        // There is nothing of pairs.
        let single = [Some(lesson(&[1, 1], &device))];
        assert_eq!(Fraction::of(&single), [of(1.0, 1.0, 0.0, 1.0)]);
    }
}
