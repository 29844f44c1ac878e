//! The gradient of the loss over the training set, for criteria that ask for it.

use burn::data::dataloader::DataLoader;
use burn::module::{Flag, Module, ModuleMapper, Param};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::optim::{GradientsAccumulator, GradientsParams};
use rekindle_data::SequenceLoader;

use super::SmallerError;
use crate::splits::Splits;
use crate::{Backend, Trained};

/// Switches dropout off, and statistics of batches.
struct Evaluation;

impl ModuleMapper for Evaluation {
    fn map_flag(&mut self, flag: Param<Flag>) -> Param<Flag> {
        flag.with_value(false)
    }
}

/// The sum over all training batches of the gradients of their mean losses, without dropout.
pub(super) fn of(
    trained: &Trained,
    splits: &Splits,
    backend: Backend,
) -> Result<GradientsParams, SmallerError> {
    let device = backend.device()?.autodiff();
    let recipe = &trained.recipe;
    let classifier = trained.network.clone().train().map(&mut Evaluation);
    let loss = CrossEntropyLossConfig::new().init(&device);
    let mut sum = GradientsAccumulator::new();
    let loader = SequenceLoader::shuffled(
        splits.train.clone(),
        recipe.training.batch_size,
        recipe.seed,
        &device,
    );
    for batch in loader.iter() {
        let batch = batch.expect("a set in memory yields its batches");
        let logits = classifier.forward(batch.input, &batch.lengths);
        let gradients = loss.forward(logits, batch.targets).backward();
        sum.accumulate(
            &classifier,
            GradientsParams::from_grads(gradients, &classifier),
        );
    }
    Ok(sum.grads())
}
