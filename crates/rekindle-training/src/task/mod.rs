//! What runs learn.

mod classify;
pub(crate) mod language;
mod sampling;

use burn::tensor::{Device, Int, Tensor};
use rekindle_data::SequenceSet;

pub(crate) use classify::Classification;
use language::LanguageModel;
pub use sampling::Sampling;

use crate::network::{Input, Shape};
use crate::recipe::Recipe;
use crate::splits::{DataError, Preprocessing};
use crate::sums::Sums;
use crate::{Evaluation, Network, Scores};

/// What a run learns: its data, what they ask of the network, and how answers are scored.
///
/// Every answer is one of some classes; which, and of how many steps, is the task's to say.
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

    /// The steps of each sequence that is trained on.
    fn lengths(&self) -> Vec<usize>;

    /// The lessons of an epoch, counted from 0.
    fn lessons<'a>(
        &'a self,
        epoch: usize,
        device: &Device,
    ) -> Box<dyn Iterator<Item = Lesson> + 'a>;

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

/// What the network learns from in one step.
pub(crate) struct Lesson {
    /// What it reads.
    pub(crate) input: Input,
    /// The valid steps of each row.
    pub(crate) lengths: Vec<usize>,
    /// The right answers, in the order of the network's: `[answers]`.
    pub(crate) targets: Tensor<1, Int>,
    /// Whether the rows go on where those of the lesson before have ended.
    pub(crate) goes_on: bool,
}

/// Reads and checks the data of a recipe.
pub(crate) fn open(recipe: &Recipe) -> Result<Box<dyn Task>, DataError> {
    Ok(match &recipe.text {
        Some(text) => Box::new(LanguageModel::read(recipe, text)?),
        None => Box::new(Classification::read(recipe)?),
    })
}
