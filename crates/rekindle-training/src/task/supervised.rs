//! Classes and numbers of sequences and of their steps.

use std::path::Path;
use std::sync::Arc;

use burn::data::dataloader::batcher::Batcher;
use burn::tensor::Device;
use rekindle_data::{
    Batch, Chunk, Missing, Problem, SequenceBatcher, SequenceLoader, SequenceSet, Span, Streams,
    Target,
};

use super::{Lesson, Part, SharedLesson, Sizes, Task, shared};
use crate::network::Shape;
use crate::preprocessing::Preprocessing;
use crate::recipe::Recipe;
use crate::splits::{DataError, Splits};
use crate::sums::Sums;
use crate::{Evaluation, Metric, Network, Predictions, Scores};

/// A class or numbers, for each sequence or for each of its steps.
pub(crate) struct Supervised {
    splits: Splits,
    /// Where training sequences come from that are drawn anew in each epoch.
    problem: Option<Problem>,
    /// What each row of a batch reads, step by step, where the backpropagation through time is truncated; the same in each
    /// epoch.
    chunks: Option<Vec<Chunk>>,
    /// What is done to missing values of files.
    missing: Missing,
    batch_size: usize,
    seed: u64,
}

impl Supervised {
    /// Reads and checks the data of a recipe.
    pub(crate) fn read(recipe: &Recipe) -> Result<Self, DataError> {
        let splits = Splits::read(&recipe.data, recipe.seed)?;
        let batch_size = recipe.training.batch_size;
        let chunks = recipe.training.bptt.map(|length| {
            let lengths = lengths(&splits.train);
            Streams::new(&lengths, batch_size).chunks(length, recipe.seed, 0)
        });
        if let Some(chunks) = &chunks {
            check_chunks(&splits.train, chunks)?;
        }
        Ok(Self {
            splits,
            problem: recipe.data.problem.map(|recipe| recipe.problem),
            chunks,
            missing: recipe.data.missing,
            batch_size,
            seed: recipe.seed,
        })
    }

    /// The training sequences of an epoch.
    fn train(&self, epoch: usize) -> Arc<SequenceSet> {
        match self.problem {
            Some(problem) if epoch > 0 => {
                let set = problem.draw(self.splits.train.len(), self.seed, epoch as u64);
                Arc::new(self.splits.preprocessing.scaled(&set))
            }
            _ => self.splits.train.clone(),
        }
    }

    fn lesson(&self, batch: Batch) -> Lesson {
        Lesson::of(batch, self.splits.preprocessing.asked())
    }
}

fn lengths(set: &SequenceSet) -> Vec<usize> {
    set.sequences
        .iter()
        .map(|sequence| sequence.len())
        .collect()
}

/// Every chunk needs a label, or there would be nothing to learn from it.
fn check_chunks(set: &SequenceSet, chunks: &[Chunk]) -> Result<(), DataError> {
    let bare = chunks.iter().find(|chunk| {
        let answers = |span: &Span| {
            let label = set.sequences[span.sequence].label_of(span.steps.clone());
            label.answers(span.steps.len())
        };
        chunk.spans.iter().flatten().map(answers).sum::<usize>() == 0
    });
    match bare.and_then(|chunk| chunk.spans.iter().flatten().next()) {
        Some(span) => Err(DataError::BareChunk {
            path: set.source.clone(),
            sequence: set.name(span.sequence),
            from: span.steps.start + 1,
            to: span.steps.end,
        }),
        None => Ok(()),
    }
}

impl Task for Supervised {
    fn shape(&self) -> Shape {
        self.splits.preprocessing.shape()
    }

    fn preprocessing(&self) -> &Preprocessing {
        &self.splits.preprocessing
    }

    fn checksum(&self) -> String {
        self.splits.checksum()
    }

    fn sizes(&self) -> Sizes {
        let size = |set: &Option<Arc<SequenceSet>>| set.as_ref().map_or(0, |set| set.len());
        Sizes {
            of: "sequences",
            train: self.splits.train.len(),
            valid: size(&self.splits.valid),
            test: size(&self.splits.test),
        }
    }

    fn steps_per_epoch(&self) -> usize {
        match &self.chunks {
            Some(chunks) => chunks.len(),
            None => self.splits.train.len().div_ceil(self.batch_size),
        }
    }

    fn sequences(&self) -> Option<&SequenceSet> {
        Some(&self.splits.train)
    }

    fn lengths(&self) -> Vec<usize> {
        lengths(&self.splits.train)
    }

    fn shared_lessons<'a>(
        &'a self,
        epoch: usize,
        devices: &[Device],
    ) -> Box<dyn Iterator<Item = SharedLesson> + 'a> {
        let (train, devices) = (self.train(epoch), devices.to_vec());
        let Some(chunks) = &self.chunks else {
            let loader =
                SequenceLoader::shuffled(train.clone(), self.batch_size, self.seed, &devices[0]);
            let batcher = SequenceBatcher::new(train);
            let lessons = move |rows: Vec<usize>| {
                shared(rows.len(), &devices, |part, device| {
                    let rows = rows[part].to_vec();
                    (!rows.is_empty()).then(|| self.lesson(batcher.batch(rows, device)))
                })
            };
            return Box::new(loader.from_epoch(epoch).into_rows().map(lessons));
        };
        let lessons = move |chunk: &Chunk| {
            shared(chunk.spans.len(), &devices, |rows, device| {
                let part = chunk.rows(rows);
                (part.steps() > 0).then(|| Lesson {
                    fresh: Some(part.fresh.clone()),
                    ..self.lesson(Batch::of_chunk(&train, &part, device))
                })
            })
        };
        Box::new(chunks.iter().map(lessons))
    }

    fn sample(
        &self,
        data: Option<&Path>,
        rows: usize,
        device: &Device,
    ) -> Result<Lesson, DataError> {
        let set = match data {
            None => self.splits.train.clone(),
            Some(path) => {
                let set = self.splits.preprocessing.read(path, self.missing)?;
                let unlabelled = || DataError::Unlabelled {
                    path: path.to_path_buf(),
                };
                Arc::new(set.labelled().ok_or_else(unlabelled)?)
            }
        };
        let stride = set.len().div_ceil(rows).max(1);
        let rows = (0..set.len()).step_by(stride).collect();
        Ok(self.lesson(SequenceBatcher::new(set).batch(rows, device)))
    }

    fn guess(&self) -> f64 {
        let set = &self.splits.train;
        match &set.target {
            Target::Classes(_) | Target::StepClasses(_) => entropy(&set.class_counts()),
            _ => self.splits.preprocessing.variance(set),
        }
    }

    fn train_scores(&self, sums: &Sums) -> Scores {
        let mut scores = Scores::of(&[(Metric::Loss, sums.loss())]);
        if self.splits.preprocessing.asked().is_class {
            scores.set(Metric::Accuracy, sums.accuracy());
        }
        scores
    }

    fn evaluate(&self, network: &Network, part: Part, device: &Device) -> Option<Evaluation> {
        let set = part.of(&self.splits.valid, &self.splits.test)?;
        let preprocessing = &self.splits.preprocessing;
        Predictions::of(network, set, preprocessing, self.batch_size, device).evaluate()
    }
}

/// The entropy in nats of classes that occur so often: the loss of who guesses by their frequencies.
pub(super) fn entropy(counts: &[usize]) -> f64 {
    let all: usize = counts.iter().sum();
    let surprise = |&count: &usize| match count {
        0 => 0.0,
        count => {
            let share = count as f64 / all as f64;
            -share * share.ln()
        }
    };
    counts.iter().map(surprise).sum()
}
