//! One class for each sequence.

use std::sync::Arc;

use burn::tensor::Device;
use rekindle_data::{SequenceLoader, SequenceSet};

use super::{Lesson, Part, Sizes, Task};
use crate::network::{Input, Shape};
use crate::recipe::Recipe;
use crate::splits::{DataError, Preprocessing, Splits};
use crate::sums::Sums;
use crate::{Evaluation, Metric, Network, Predictions, Scores};

/// One class for each sequence.
pub(crate) struct Classification {
    pub(crate) splits: Splits,
    batch_size: usize,
    seed: u64,
}

impl Classification {
    /// Reads and checks the data of a recipe.
    pub(crate) fn read(recipe: &Recipe) -> Result<Self, DataError> {
        Ok(Self {
            splits: Splits::read(&recipe.data, recipe.seed)?,
            batch_size: recipe.training.batch_size,
            seed: recipe.seed,
        })
    }
}

impl Task for Classification {
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
        self.splits.train.len().div_ceil(self.batch_size)
    }

    fn sequences(&self) -> Option<&SequenceSet> {
        Some(&self.splits.train)
    }

    fn lengths(&self) -> Vec<usize> {
        let sequences = &self.splits.train.sequences;
        sequences.iter().map(|sequence| sequence.len()).collect()
    }

    fn lessons<'a>(
        &'a self,
        epoch: usize,
        device: &Device,
    ) -> Box<dyn Iterator<Item = Lesson> + 'a> {
        let train = self.splits.train.clone();
        let loader = SequenceLoader::shuffled(train, self.batch_size, self.seed, device);
        Box::new(loader.from_epoch(epoch).into_batches().map(|batch| Lesson {
            input: Input::Values(batch.input),
            lengths: batch.lengths,
            targets: batch.targets,
            goes_on: false,
        }))
    }

    fn train_scores(&self, sums: &Sums) -> Scores {
        Scores::of(&[
            (Metric::Loss, sums.loss()),
            (Metric::Accuracy, sums.accuracy()),
        ])
    }

    fn evaluate(&self, network: &Network, part: Part, device: &Device) -> Option<Evaluation> {
        let set = match part {
            Part::Valid => &self.splits.valid,
            Part::Test => &self.splits.test,
        };
        let classes = &self.splits.preprocessing.classes;
        Predictions::of(network, set.as_ref()?, classes, self.batch_size, device).evaluate()
    }
}
