//! Sequence-wise batch normalisation, as other weights.
//!
//! The mean and the variance of `x W` over all valid steps follow from those of `x`: `μ W`, and the diagonal of
//! `Wᵀ Cov(x) W`. So the norm of the product is a product with other weights and another bias, and costs the scan nothing.

use burn::tensor::Tensor;
use rekindle_kernels::{Layout, Parameters};

use super::ColumnNorm;
use crate::Sequences;

/// The parameters that make `x W_ih + b_ih` the norm of `x W_ih`, plus `b_ih`.
pub(super) fn normalized(
    norm: &ColumnNorm,
    parameters: Parameters,
    sequences: &Sequences,
    epsilon: f64,
    training: bool,
) -> Parameters {
    let weight = parameters.weight_ih.clone();
    let running = (norm.running.as_ref()).expect("a norm over a batch has statistics");
    let [mean, variance] = match training {
        true => {
            let (taken, steps) = statistics(&weight, sequences);
            running.update(taken.clone(), &[steps]);
            taken
        }
        false => running.value(&norm.gain.val()),
    };
    let factor = norm.gain.val().unsqueeze::<2>() / (variance + epsilon).sqrt();
    let shift: Tensor<1> = (mean * factor.clone()).neg().squeeze_dim(0);
    let biases = match parameters.biases {
        Some([bias_ih, bias_hh]) => [bias_ih + shift, bias_hh],
        None => [shift.clone(), shift.zeros_like()],
    };
    Parameters {
        weight_ih: weight * factor,
        biases: Some(biases),
        ..parameters
    }
}

/// The mean and the variance of each column of `x W` over all valid steps, `[1, columns]` each, and how many steps there
/// are.
fn statistics(weight: &Tensor<2>, sequences: &Sequences) -> ([Tensor<2>; 2], usize) {
    let [batch, seq, width] = sequences.layout.batch_seq_width(sequences.values.dims());
    let steps = match &sequences.lengths {
        Some(lengths) => lengths.as_slice().iter().sum(),
        None => batch * seq,
    };
    let count = steps.max(1) as f64;
    let rows = valid(sequences).reshape([batch * seq, width]);
    let mean = rows.clone().sum_dim(0) / count;
    let square = rows.clone().transpose().matmul(rows) / count;
    let covariance = square - mean.clone().transpose().matmul(mean.clone());
    let variance = (covariance.matmul(weight.clone()) * weight.clone()).sum_dim(0);
    // Rounding may leave a little less than 0 of a column that does not vary.
    (
        [mean.matmul(weight.clone()), variance.clamp_min(0.0)],
        steps,
    )
}

/// The values, with zeros in padding.
fn valid(sequences: &Sequences) -> Tensor<3> {
    let values = sequences.values.clone();
    let Some(lengths) = &sequences.lengths else {
        return values;
    };
    let [_, seq, _] = sequences.layout.batch_seq_width(values.dims());
    let padding = lengths.valid(seq, &values.device()).bool_not();
    let padding = match sequences.layout {
        Layout::BatchFirst => padding,
        Layout::TimeMajor => padding.transpose(),
    };
    let shape = values.dims();
    values.mask_fill(padding.unsqueeze_dim::<3>(2).expand(shape), 0.0)
}
