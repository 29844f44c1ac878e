//! The options of an LSTM.

use rekindle_init::Gate;
use serde::{Deserialize, Serialize};

use crate::Activation;

/// Which gates an LSTM has. With all peepholes, these and the activations span the variants of Greff et al., *LSTM: A
/// Search Space Odyssey*, 2017, <https://arxiv.org/abs/1503.04069>.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LstmGates {
    /// Input, forget and output gate.
    #[default]
    All,
    /// The forget gate is what the input gate leaves, `f = 1 − i` (Greff's CIFG; ONNX's `input_forget`).
    Coupled,
    /// `i = 1` (Greff's NIG).
    NoInput,
    /// `f = 1`, as in the LSTM of 1997 (Greff's NFG).
    NoForget,
    /// `o = 1` (Greff's NOG).
    NoOutput,
}

impl LstmGates {
    /// The gates in packing order.
    pub fn packed(self) -> &'static [Gate] {
        match self {
            Self::All => &[Gate::Input, Gate::Forget, Gate::Candidate, Gate::Output],
            Self::Coupled | Self::NoForget => &[Gate::Input, Gate::Candidate, Gate::Output],
            Self::NoInput => &[Gate::Forget, Gate::Candidate, Gate::Output],
            Self::NoOutput => &[Gate::Input, Gate::Forget, Gate::Candidate],
        }
    }
}

/// How the gates of an LSTM see the cell state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Peepholes {
    /// Not at all.
    #[default]
    None,
    /// Each unit sees its own: `p_i ⊙ c` and `p_f ⊙ c` in input and forget gate, `p_o ⊙ c′` in the output gate (Gers and
    /// Schmidhuber, *Recurrent Nets that Time and Count*, 2000, <https://doi.org/10.1109/IJCNN.2000.861302>; ONNX).
    Diagonal,
    /// Each unit sees all of them, through full matrices, and so does the candidate: `c W_ci`, `c W_cf`, `c W_cg` and, in
    /// the output gate, `c′ W_co`.
    Full,
}

/// The activations of an LSTM.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "snake_case", deny_unknown_fields)]
pub struct LstmActivations {
    /// Of input, forget and output gate, ONNX's `f`. Default: sigmoid.
    pub gate: Activation,
    /// Of the candidate, ONNX's `g`. Default: tanh. The identity gives Greff's NIAF.
    pub candidate: Activation,
    /// Of the cell state on its way out, ONNX's `h`. Default: tanh. The identity gives Greff's NOAF.
    pub output: Activation,
}

impl Default for LstmActivations {
    fn default() -> Self {
        Self {
            gate: Activation::Sigmoid,
            candidate: Activation::Tanh,
            output: Activation::Tanh,
        }
    }
}
