//! What each device makes of its rows of a lesson.

use std::borrow::Cow;
use std::iter;
use std::panic;
use std::thread::{self, ScopedJoinHandle};

use burn::module::Module;
use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::tensor::Tensor;

use super::Fit;
use crate::doctor::unwatched;
use crate::network::Scored;
use crate::regularizer::Regularizer;
use crate::task::{Fraction, Lesson, SharedLesson};
use crate::{Cause, EncoderState, Metric, Network, StepError};

/// What a device makes of its rows.
pub(super) struct Share {
    /// How much of them is known: classes, or single numbers.
    pub(super) answers: usize,
    /// How many classes are right.
    pub(super) right: usize,
    /// Its part of the mean loss of all rows, without penalties.
    pub(super) loss: f64,
    /// Of its part of the loss and of the penalties, on its device.
    pub(super) gradients: Result<GradientsParams, StepError>,
    /// What the next lesson goes on from.
    pub(super) state: EncoderState,
}

/// What a device is given.
struct Work<'a> {
    network: Cow<'a, Network>,
    lesson: Lesson,
    fraction: Fraction,
    state: Option<EncoderState>,
    regularizer: &'a Regularizer<'a>,
    counts_right: bool,
}

impl Fit<'_> {
    /// Works on a lesson, all devices at the same time. The states are what the lesson before has left.
    pub(super) fn shares(
        &self,
        lesson: SharedLesson,
        states: &[Option<EncoderState>],
    ) -> Vec<Option<Share>> {
        let fractions = Fraction::of(&lesson);
        let parts = lesson.into_iter().zip(fractions).zip(states);
        let mut work = parts
            .enumerate()
            .map(|(index, ((lesson, fraction), state))| {
                Some(Work {
                    lesson: lesson?,
                    network: self.replica(index),
                    fraction,
                    state: state.clone(),
                    regularizer: &self.regularizer,
                    counts_right: self.recipe.metrics().train.contains(&Metric::Accuracy),
                })
            });
        let first = work.next().expect("there is a device");
        let others: Vec<_> = work.collect();
        thread::scope(|scope| {
            let others: Vec<_> = (others.into_iter())
                .map(|work| work.map(|work| scope.spawn(|| work.share())))
                .collect();
            let join = |thread: ScopedJoinHandle<Share>| {
                let share = thread.join();
                share.unwrap_or_else(|panic| panic::resume_unwind(panic))
            };
            iter::once(first.map(Work::share))
                .chain(others.into_iter().map(|thread| thread.map(join)))
                .collect()
        })
    }

    /// The network on a device. What it notes in training, such as statistics of batches, counts on the first one alone.
    fn replica(&self, device: usize) -> Cow<'_, Network> {
        match device {
            0 => Cow::Borrowed(&self.network),
            device => {
                let network = self.network.clone().fork(&self.devices[device]);
                Cow::Owned(unwatched(network))
            }
        }
    }

    /// The gradients of all devices, in their order, added up on the first; the first error, if there is one.
    pub(super) fn sum(
        &self,
        gradients: Vec<Result<GradientsParams, StepError>>,
    ) -> Result<GradientsParams, StepError> {
        let device = self.devices[0].clone().inner();
        let mut sum = GradientsAccumulator::new();
        for gradients in gradients {
            // Those of a single part may lie elsewhere, too, where the first device's rows are at their end.
            let here = gradients?.to_device(&device, &self.network);
            sum.accumulate(&self.network, here);
        }
        Ok(sum.grads())
    }
}

impl Work<'_> {
    fn share(self) -> Share {
        let (network, lesson) = (&*self.network, &self.lesson);
        let from = lesson.begin(network, self.state);
        let scored = network.score(lesson.input.clone(), &lesson.lengths, from);
        let answers = lesson.counted(scored.scores.clone());
        let right = match self.counts_right {
            true => lesson.targets.right(&answers),
            false => 0,
        };
        let loss = lesson.targets.loss(answers);
        let value = loss.clone().into_scalar::<f64>();
        let gradients = match value.is_finite() {
            true => {
                let loss = Fraction::part_of(self.fraction.answers, loss);
                gradients(
                    network,
                    lesson,
                    loss,
                    &scored,
                    self.fraction,
                    self.regularizer,
                )
            }
            false => {
                let cause = Cause::of(network, &lesson.input, &scored);
                Err(StepError::Loss { value, cause })
            }
        };
        Share {
            answers: lesson.targets.count(),
            right,
            loss: value * self.fraction.answers,
            gradients,
            state: scored.state.detach(),
        }
    }
}

/// The gradients of a loss with its penalties.
fn gradients(
    network: &Network,
    lesson: &Lesson,
    loss: Tensor<1>,
    scored: &Scored,
    fraction: Fraction,
    regularizer: &Regularizer,
) -> Result<GradientsParams, StepError> {
    let penalty = regularizer.penalty(network, scored, &lesson.lengths, fraction)?;
    let loss = match penalty {
        Some(penalty) => loss + penalty,
        None => loss,
    };
    Ok(GradientsParams::from_grads(loss.backward(), network))
}
