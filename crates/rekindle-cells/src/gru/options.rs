//! The options of a GRU.

use serde::{Deserialize, Serialize};

use crate::Activation;

/// Where the reset gate acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reset {
    /// After the recurrent product, `r ⊙ (h W_hn + b_hn)`: PyTorch, cuDNN, Keras with `reset_after`, ONNX with
    /// `linear_before_reset`.
    #[default]
    After,
    /// Before it, `(r ⊙ h) W_hn + b_hn`: the paper, Keras without `reset_after`, ONNX by default.
    Before,
}

/// What the update gate is a fraction of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Update {
    /// The old state, `h′ = (1 − z) ⊙ n + z ⊙ h`: Cho et al., PyTorch, Keras, ONNX.
    #[default]
    Keep,
    /// The new content, `h′ = (1 − z) ⊙ h + z ⊙ n`: Chung et al., 2014.
    Replace,
}

/// The activations of a GRU.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "snake_case", deny_unknown_fields)]
pub struct GruActivations {
    /// Of reset and update gate, ONNX's `f`. Default: sigmoid.
    pub gate: Activation,
    /// Of the candidate, ONNX's `g`. Default: tanh.
    pub candidate: Activation,
}

impl Default for GruActivations {
    fn default() -> Self {
        Self {
            gate: Activation::Sigmoid,
            candidate: Activation::Tanh,
        }
    }
}
