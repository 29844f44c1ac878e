//! What optimisers remember of a parameter, and how it is saved.

use burn::optim::{StateSink, StateSource, join_path};
use burn::tensor::{Device, Tensor};
use burn_pack::Scalar;

/// Running means of the gradient and of its square.
#[derive(Clone, Debug)]
pub struct Moments<const D: usize> {
    /// Of the gradient.
    pub moment_1: Tensor<D>,
    /// Of its square.
    pub moment_2: Tensor<D>,
}

impl<const D: usize> Moments<D> {
    /// Zeros.
    pub(super) fn new(like: &Tensor<D>) -> Self {
        Self {
            moment_1: like.zeros_like(),
            moment_2: like.zeros_like(),
        }
    }

    /// With another gradient.
    pub(super) fn update(self, grad: Tensor<D>, beta_1: f64, beta_2: f64) -> Self {
        let square = grad.clone().square();
        Self {
            moment_1: self.moment_1.mul_scalar(beta_1) + grad.mul_scalar(1.0 - beta_1),
            moment_2: self.moment_2.mul_scalar(beta_2) + square.mul_scalar(1.0 - beta_2),
        }
    }

    pub(super) fn on_device(self, device: &Device) -> Self {
        Self {
            moment_1: self.moment_1.to_device(device),
            moment_2: self.moment_2.to_device(device),
        }
    }

    pub(super) fn save(&self, prefix: &str, out: &mut StateSink) {
        out.push_tensor(prefix, "moment_1", self.moment_1.to_data());
        out.push_tensor(prefix, "moment_2", self.moment_2.to_data());
    }

    pub(super) fn load(prefix: &str, src: &mut StateSource, device: &Device) -> Option<Self> {
        Some(Self {
            moment_1: load_tensor(prefix, "moment_1", src, device)?,
            moment_2: load_tensor(prefix, "moment_2", src, device)?,
        })
    }
}

/// A tensor in the type in which it was saved. What Burn derives takes the device's default type instead, and so rounds
/// the states of 64-bit floats.
pub(super) fn load_tensor<const D: usize>(
    prefix: &str,
    name: &str,
    src: &mut StateSource,
    device: &Device,
) -> Option<Tensor<D>> {
    let data = src.take_tensor(prefix, name)?;
    let dtype = data.dtype();
    (data.rank() == D).then(|| Tensor::from_data(data, (device, dtype)))
}

/// A number under a name.
pub(super) fn load_scalar<T: TryFrom<Scalar>>(
    prefix: &str,
    name: &str,
    src: &mut StateSource,
) -> Option<T> {
    T::try_from(src.take_scalar(prefix, name)?).ok()
}

pub(super) fn save_scalar(prefix: &str, name: &str, value: impl Into<Scalar>, out: &mut StateSink) {
    out.push_scalar(prefix, name, value.into());
}

/// Where the parts of a state inside a state stand.
pub(super) fn inside(prefix: &str, name: &str) -> String {
    join_path(prefix, name)
}
