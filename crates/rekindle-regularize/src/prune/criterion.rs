//! How weights are ranked, and which ones with each other.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// Ranks weights, lowest pruned first. Masks and schedules live elsewhere.
///
/// In a recipe: `"magnitude"`, `{ random = { seed = 1 } }`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Criterion {
    /// A uniform random number, to compare with.
    Random {
        /// The same seed ranks the same way, whatever else is pruned.
        seed: u64,
    },
    /// `|w|`.
    ///
    /// Han et al., *Learning both Weights and Connections for Efficient Neural Networks*, 2015,
    /// <https://arxiv.org/abs/1506.02626>
    #[default]
    Magnitude,
    /// `−Σ w ⊙ ∂L/∂w` over all steps so far: weights that move away from zero stay.
    ///
    /// The paper goes on training weights that are pruned for now; here a weight that is pruned stays so.
    ///
    /// Sanh et al., *Movement Pruning: Adaptive Sparsity by Fine-Tuning*, 2020, <https://arxiv.org/abs/2005.07683>
    Movement,
    /// `|w ⊙ ∂L/∂w|` at the step: to first order, the change of the loss if the weight was zero.
    ///
    /// Lee et al., *SNIP: Single-shot Network Pruning based on Connection Sensitivity*, 2019,
    /// <https://arxiv.org/abs/1810.02340>
    Sensitivity,
}

impl Criterion {
    /// Whether it needs the gradients of a loss.
    pub fn needs_gradients(&self) -> bool {
        matches!(self, Self::Movement | Self::Sensitivity)
    }

    /// What one step adds to the score, shaped like `weight`; nothing for criteria without gradients.
    pub(super) fn of_step<const D: usize>(
        &self,
        weight: Tensor<D>,
        grad: Tensor<D>,
    ) -> Option<Tensor<D>> {
        match self {
            Self::Random { .. } | Self::Magnitude => None,
            Self::Movement => Some((weight * grad).neg()),
            Self::Sensitivity => Some((weight * grad).abs()),
        }
    }
}

/// Which weights compete with each other. Exactly the wanted fraction of each set is pruned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Those of one tensor.
    #[default]
    Tensor,
    /// Those of tensors that share the parent path: the input and recurrent weights of one cell.
    Layer,
    /// All. A tensor whose weights all score low may be emptied; the report shows it.
    Global,
}

/// What is pruned together.
///
/// In a recipe: `"weights"`, `{ blocks = { rows = 8, columns = 16 } }`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Granularity {
    /// Single weights.
    #[default]
    Weights,
    /// Blocks of a matrix, ranked by the mean score of their weights.
    ///
    /// Narang et al., *Block-Sparse Recurrent Neural Networks*, 2017, <https://arxiv.org/abs/1711.02782>, who rank by the
    /// largest weight.
    Blocks {
        /// Rows of a block. At least 1; divides those of every target.
        rows: usize,
        /// Columns of a block. At least 1; divides those of every target.
        columns: usize,
    },
}
