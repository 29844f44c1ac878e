//! The gradient of the loss over the training set, for criteria that ask for it.

use burn::optim::{GradientsAccumulator, GradientsParams};

use super::SmallerError;
use crate::task::Task;
use crate::{Backend, Trained};

/// The sum over all training batches of the gradients of their mean losses, without dropout.
pub(super) fn of(
    trained: &Trained,
    task: &dyn Task,
    backend: Backend,
) -> Result<GradientsParams, SmallerError> {
    let device = backend.device()?.autodiff();
    let network = trained.network.differentiated();
    let (mut sum, mut state) = (GradientsAccumulator::new(), None);
    for lesson in task.lessons(0, &device) {
        let from = lesson.begin(&network, state.take());
        let scored = network.score(lesson.input.clone(), &lesson.lengths, from);
        let gradients = (lesson.targets.loss(lesson.counted(scored.scores))).backward();
        state = Some(scored.state.detach());
        sum.accumulate(&network, GradientsParams::from_grads(gradients, &network));
    }
    Ok(sum.grads())
}
