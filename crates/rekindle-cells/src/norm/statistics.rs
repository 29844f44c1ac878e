//! Running statistics.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use crate::Buffer;

/// Running means and variances of columns, for each of some steps.
#[derive(Module, Debug)]
pub struct RunningStatistics {
    /// Means: `[steps, columns]`. They start at 0.
    pub mean: Buffer<2>,
    /// Variances: `[steps, columns]`. They start at 1.
    pub variance: Buffer<2>,
    /// The weight of a new batch, in `(0, 1]`.
    #[module(skip)]
    pub momentum: f64,
}

impl RunningStatistics {
    pub(super) fn init(shape: [usize; 2], momentum: f64, device: &Device) -> Self {
        Self {
            mean: Buffer::new(Tensor::zeros(shape, device)),
            variance: Buffer::new(Tensor::ones(shape, device)),
            momentum,
        }
    }

    /// The running mean and variance, on the device of `like`.
    pub(super) fn value(&self, like: &Tensor<1>) -> [Tensor<2>; 2] {
        [&self.mean, &self.variance].map(|state| on_device_of(like, state.value()))
    }

    /// Takes in the mean and the variance of a batch at its first steps, `[steps, columns]` each. Steps behind the last
    /// one that has statistics count as this one, all together. `counts` says how many rows each step had: those with
    /// one row have no variance, and are left out.
    pub(super) fn update(&self, [mean, variance]: [Tensor<2>; 2], counts: &[usize]) {
        let [own, _] = self.mean.value().dims();
        let enough = counts.iter().take_while(|&&rows| rows > 1).count();
        if enough == 0 {
            return;
        }
        let blend = |state: &Buffer<2>, taken: Tensor<2>| {
            let old = state.value();
            let taken = on_device_of(&old, taken.detach());
            let taken = fold(taken.narrow(0, 0, enough), own);
            let [steps, _] = taken.dims();
            let head = old.clone().narrow(0, 0, steps) * (1.0 - self.momentum);
            let head = head + taken * self.momentum;
            let new = match own - steps {
                0 => head,
                rest => Tensor::cat(vec![head, old.narrow(0, steps, rest)], 0),
            };
            state.set(new);
        };
        blend(&self.mean, mean);
        blend(&self.variance, variance);
    }
}

/// A tensor beside `like`, with or without autodiff as it.
fn on_device_of<const D: usize, const E: usize>(like: &Tensor<D>, tensor: Tensor<E>) -> Tensor<E> {
    tensor.to_device(&like.device())
}

/// At most `own` steps: those from the last one on are their mean.
fn fold(steps: Tensor<2>, own: usize) -> Tensor<2> {
    let [count, _] = steps.dims();
    if count <= own {
        return steps;
    }
    let last = steps
        .clone()
        .narrow(0, own - 1, count - own + 1)
        .mean_dim(0);
    match own {
        1 => last,
        _ => Tensor::cat(vec![steps.narrow(0, 0, own - 1), last], 0),
    }
}
