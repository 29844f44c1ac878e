//! Norms on tensors.

use burn::tensor::Tensor;

use crate::within::{Norm, NormKind};

/// The rows of one step that a norm sees: `[batch, 1]`, 1 for those alive; `None`: all.
pub(super) type Alive = Option<Tensor<2>>;

/// What a norm over a batch took at each step so far.
#[derive(Default)]
pub(super) struct Taken(Vec<[Tensor<2>; 2]>);

impl Taken {
    /// Mean and variance of all steps, `[steps, columns]` each; `None`: nothing was taken.
    pub(super) fn stack(self) -> Option<[Tensor<2>; 2]> {
        let (means, variances): (Vec<_>, Vec<_>) = self
            .0
            .into_iter()
            .map(|[mean, variance]| (mean, variance))
            .unzip();
        (!means.is_empty()).then(|| [means, variances].map(|steps| Tensor::cat(steps, 0)))
    }
}

/// The norm of the rows of step `step`: `[batch, columns]`.
pub(super) fn normalize(
    norm: &Norm,
    x: Tensor<2>,
    step: usize,
    alive: &Alive,
    taken: &mut Taken,
) -> Tensor<2> {
    let normed = match &norm.kind {
        NormKind::Layer { active } => of_row(x, active, true, norm.epsilon),
        NormKind::Rms { active } => of_row(x, active, false, norm.epsilon),
        NormKind::Batch => {
            let [mean, variance] = of_columns(x.clone(), alive);
            (taken.0).push([mean.clone().detach(), variance.clone().detach()]);
            standard(x, mean, variance, norm.epsilon)
        }
        NormKind::Given { mean, variance } => {
            let step = step.min(mean.dims()[0] - 1);
            let [mean, variance] = [mean, variance].map(|steps| steps.clone().narrow(0, step, 1));
            standard(x, mean, variance, norm.epsilon)
        }
    };
    let scaled = normed * norm.gain.clone().unsqueeze();
    match &norm.shift {
        Some(shift) => scaled + shift.clone().unsqueeze(),
        None => scaled,
    }
}

/// `(x − mean) / √(variance + ε)`.
fn standard(x: Tensor<2>, mean: Tensor<2>, variance: Tensor<2>, epsilon: f64) -> Tensor<2> {
    (x - mean) / (variance + epsilon).sqrt()
}

/// Each row by the mean, if it is taken, and the variance of its active columns; 0 in the others.
fn of_row(x: Tensor<2>, active: &Tensor<1>, centred: bool, epsilon: f64) -> Tensor<2> {
    let active = active.clone().unsqueeze::<2>();
    let count = active.clone().sum_dim(1);
    let x = x * active.clone();
    let x = match centred {
        true => (x.clone() - x.sum_dim(1) / count.clone()) * active,
        false => x,
    };
    let variance = (x.clone() * x.clone()).sum_dim(1) / count;
    x / (variance + epsilon).sqrt()
}

/// The mean and the variance of each column over the rows that are alive: `[1, columns]` each.
fn of_columns(x: Tensor<2>, alive: &Alive) -> [Tensor<2>; 2] {
    let mean_over = |x: Tensor<2>| match alive {
        Some(alive) => (x * alive.clone()).sum_dim(0) / alive.clone().sum_dim(0),
        None => x.mean_dim(0),
    };
    let mean = mean_over(x.clone());
    let centred = x - mean.clone();
    [mean, mean_over(centred.clone() * centred)]
}
