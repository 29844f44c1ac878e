//! The role of one block of a packed recurrent weight.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The role of a gate block, by which a scheme recognises it in any cell.
///
/// Cells pack their gates along the last axis, in PyTorch's order:
///
/// ```text
/// Elman  [Candidate]
/// LSTM   i f g o   [Input, Forget, Candidate, Output]
/// GRU    r z n     [Reset, Update, Candidate]
/// ```
///
/// In a recipe it is its name in lower case, such as `"forget"`.
///
/// # Examples
///
/// ```
/// use rekindle_init::Gate;
///
/// assert_eq!(Gate::Candidate.to_string(), "candidate");
/// ```
#[derive(Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[serde(rename_all = "snake_case")]
pub enum Gate {
    /// How much of the candidate enters the state: the LSTM's `i`.
    Input,
    /// How much of the old state stays: the LSTM's `f`.
    Forget,
    /// The new content: the LSTM's `g`, the GRU's `n`, the whole of an Elman cell.
    Candidate,
    /// How much of the state is shown: the LSTM's `o`.
    Output,
    /// How much of the old state the candidate sees: the GRU's `r`.
    Reset,
    /// How much of the old state stays, the rest being new: the GRU's `z`, in PyTorch's convention
    /// `h′ = (1 − z) ⊙ n + z ⊙ h`.
    Update,
}

impl burn::config::Config for Gate {}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Input => "input",
            Self::Forget => "forget",
            Self::Candidate => "candidate",
            Self::Output => "output",
            Self::Reset => "reset",
            Self::Update => "update",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_and_recipes_use_the_same_names() {
        for gate in [
            Gate::Input,
            Gate::Forget,
            Gate::Candidate,
            Gate::Output,
            Gate::Reset,
            Gate::Update,
        ] {
            let json = serde_json::to_string(&gate).unwrap();
            assert_eq!(json, format!("\"{gate}\""));
            assert_eq!(serde_json::from_str::<Gate>(&json).unwrap(), gate);
        }
    }
}
