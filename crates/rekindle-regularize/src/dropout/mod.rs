//! Masks of dropouts, as functions of shapes.
//!
//! Every mask is drawn from the random numbers of its device (seed them with `Device::seed`), is made of constants that
//! no gradient flows into, and keeps the mean of what it multiplies: kept numbers grow by `1 / (1 − p)`. There is no
//! mode here: in evaluation, do not draw. [`Zoneout`] alone does something then, and says what.

mod error;
mod masks;
mod zoneout;

pub use error::DropoutError;
pub use masks::{EmbeddingDropout, MaskPer, RecurrentDropout, VariationalDropout, WeightDrop};
pub use zoneout::Zoneout;

use burn::tensor::{DType, Device, Distribution, Tensor};

/// 0 with probability `prob`, 1 elsewhere.
fn kept<const D: usize>(prob: f64, shape: [usize; D], options: (&Device, DType)) -> Tensor<D> {
    Tensor::random(shape, Distribution::Bernoulli(1.0 - prob), options).detach()
}

/// 0 with probability `prob`, `1 / (1 − prob)` elsewhere.
fn scaled<const D: usize>(prob: f64, shape: [usize; D], options: (&Device, DType)) -> Tensor<D> {
    kept(prob, shape, options) / (1.0 - prob)
}
