//! Penalties on outputs: their size, and their changes from step to step.

use burn::tensor::{Bool, FloatDType, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use super::{PenaltyError, validate};
use crate::precision::at_least_f32;

/// Activation regularisation (AR): the mean square of outputs.
///
/// ```text
/// α · mean(h²)
/// ```
///
/// AWD-LSTM takes it of the last layer's output *after* dropout, with α = 2.
///
/// # References
/// - Merity et al., *Revisiting Activation Regularization for Language RNNs*, 2017, <https://arxiv.org/abs/1708.01009>
/// - Merity et al., *Regularizing and Optimizing LSTM Language Models*, 2017, <https://arxiv.org/abs/1708.02182>
///
/// # Examples
/// ```
/// use burn::tensor::{Device, Tensor};
/// use rekindle_regularize::penalty::ActivationPenalty;
///
/// let output = Tensor::<3>::from_floats([[[1.0], [3.0], [f32::NAN]]], &Device::default());
/// let penalty = ActivationPenalty { alpha: 2.0 }.of(output, Some(&[2]));
/// assert_eq!(penalty.into_scalar::<f32>(), 10.0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActivationPenalty {
    /// Strength α, finite and at least 0.
    pub alpha: f64,
}

impl ActivationPenalty {
    /// Checks the strength.
    ///
    /// # Errors
    /// If it is negative or not finite.
    pub fn validate(&self) -> Result<(), PenaltyError> {
        validate("alpha", self.alpha)
    }

    /// The penalty of an output `[batch, seq, d_hidden]`: `[1]`.
    ///
    /// With `lengths`, one for each row, the mean is over the steps before a row's length; what is behind changes
    /// neither the penalty nor a gradient, not even if it is NaN. Without any step the penalty is 0. An output with the
    /// steps first becomes one with the batch first by `swap_dims(0, 1)`.
    ///
    /// # Panics
    /// If the strength is not valid, there is not one length for each row, or a length is greater than `seq`.
    pub fn of(&self, output: Tensor<3>, lengths: Option<&[usize]>) -> Tensor<1> {
        assert_valid(self.validate());
        let [batch, seq, _] = output.dims();
        let lengths = lengths_of(lengths, batch, seq);
        mean_square(self.alpha, fill_padding(output, &lengths), &lengths)
    }
}

/// Temporal activation regularisation (TAR): the mean square of the change of outputs from step to step.
///
/// ```text
/// β · mean((h_t − h_{t−1})²)
/// ```
///
/// AWD-LSTM takes it of the last layer's output *before* dropout, with β = 1.
///
/// # References
/// As of [`ActivationPenalty`].
///
/// # Examples
/// ```
/// use burn::tensor::{Device, Tensor};
/// use rekindle_regularize::penalty::TemporalPenalty;
///
/// let output = Tensor::<3>::from_floats([[[1.0], [3.0], [4.0]]], &Device::default());
/// let penalty = TemporalPenalty { beta: 1.0 }.of(output, None);
/// assert_eq!(penalty.into_scalar::<f32>(), 2.5);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TemporalPenalty {
    /// Strength β, finite and at least 0.
    pub beta: f64,
}

impl TemporalPenalty {
    /// Checks the strength.
    ///
    /// # Errors
    /// If it is negative or not finite.
    pub fn validate(&self) -> Result<(), PenaltyError> {
        validate("beta", self.beta)
    }

    /// The penalty of an output `[batch, seq, d_hidden]`: `[1]`.
    ///
    /// With `lengths`, one for each row, the mean is over the pairs of steps before a row's length; what is behind changes
    /// neither the penalty nor a gradient, not even if it is NaN. Rows of one step or none have no pair. Without any pair
    /// the penalty is 0.
    ///
    /// # Panics
    /// If the strength is not valid, there is not one length for each row, or a length is greater than `seq`.
    pub fn of(&self, output: Tensor<3>, lengths: Option<&[usize]>) -> Tensor<1> {
        assert_valid(self.validate());
        let [batch, seq, _] = output.dims();
        let lengths = lengths_of(lengths, batch, seq);
        if seq < 2 {
            return Tensor::zeros([1], (&output.device(), output.dtype()));
        }
        let output = fill_padding(output, &lengths);
        let before = output.clone().narrow(1, 0, seq - 1);
        let change = output.narrow(1, 1, seq - 1) - before;
        let pairs: Vec<usize> = lengths
            .iter()
            .map(|length| length.saturating_sub(1))
            .collect();
        mean_square(self.beta, fill_padding(change, &pairs), &pairs)
    }
}

/// Panics with the message of an error.
fn assert_valid(validated: Result<(), PenaltyError>) {
    if let Err(error) = validated {
        panic!("{error}");
    }
}

/// The length of each row: `seq` unless given.
fn lengths_of(lengths: Option<&[usize]>, batch: usize, seq: usize) -> Vec<usize> {
    let Some(lengths) = lengths else {
        return vec![seq; batch];
    };
    assert_eq!(
        lengths.len(),
        batch,
        "found {} lengths, expected one for each of {batch} rows",
        lengths.len()
    );
    for (row, &length) in lengths.iter().enumerate() {
        assert!(
            length <= seq,
            "length of row {row} is {length}, expected at most {seq}, the steps that there are"
        );
    }
    lengths.to_vec()
}

/// Sets what is behind the lengths to 0, and its gradients with it.
fn fill_padding(values: Tensor<3>, lengths: &[usize]) -> Tensor<3> {
    let [batch, seq, width] = values.dims();
    if lengths.iter().all(|&length| length == seq) {
        return values;
    }
    let padding: Vec<bool> = (lengths.iter())
        .flat_map(|&length| (0..seq).map(move |step| step >= length))
        .collect();
    let padding = TensorData::new(padding, [batch, seq, 1]);
    let padding = Tensor::<3, Bool>::from_data(padding, &values.device());
    values.mask_fill(padding.expand([batch, seq, width]), 0.0)
}

/// `strength` times the mean square of values whose padding is 0; 0 if there are none.
fn mean_square(strength: f64, values: Tensor<3>, lengths: &[usize]) -> Tensor<1> {
    let [_, _, width] = values.dims();
    let count = lengths.iter().sum::<usize>() * width;
    let dtype = FloatDType::from(values.dtype());
    let squares = at_least_f32(values).square().sum();
    (squares * (strength / count.max(1) as f64)).cast(dtype)
}
