//! The gradient of the loss over the training set, for criteria that ask for it.

use burn::nn::loss::CrossEntropyLossConfig;
use burn::optim::{GradientsAccumulator, GradientsParams};

use super::SmallerError;
use crate::task::{Classification, Task};
use crate::{Backend, Trained};

/// The sum over all training batches of the gradients of their mean losses, without dropout.
pub(super) fn of(
    trained: &Trained,
    task: &Classification,
    backend: Backend,
) -> Result<GradientsParams, SmallerError> {
    let device = backend.device()?.autodiff();
    let network = trained.network.differentiated();
    let loss = CrossEntropyLossConfig::new().init(&device);
    let mut sum = GradientsAccumulator::new();
    for lesson in task.lessons(0, &device) {
        let scored = network.score(lesson.input, &lesson.lengths, None);
        let gradients = loss.forward(scored.scores, lesson.targets).backward();
        sum.accumulate(&network, GradientsParams::from_grads(gradients, &network));
    }
    Ok(sum.grads())
}
