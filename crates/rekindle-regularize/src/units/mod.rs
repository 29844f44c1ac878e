//! Where the hidden units of a layer stand in the tensors of a network, and removing them for good.
//!
//! Masking and shrinking go together: a unit whose weights are zero puts out zero and is read by nobody, so a network
//! without it computes the same. [`mask_units`] zeroes units and keeps every shape, [`shrink`] takes them out, and
//! [`shrink_optimizer`] takes them out of what an optimiser remembers, so that training goes on.

mod change;
mod cuts;
mod error;
mod kept;
mod optimizer;
mod random;
mod score;
mod select;
mod tensors;

pub use change::{mask_units, shrink};
pub use error::UnitError;
pub use kept::Kept;
pub use optimizer::shrink_optimizer;
pub use score::{GroupScores, UnitScore, UnitScores};

pub(crate) use random::{fnv, uniform};
pub(crate) use tensors::{read, replace, shapes};

use burn::module::Module;
use serde::{Deserialize, Serialize};

/// What the entries along an axis have to do with the units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnitRole {
    /// They compute the unit: its columns of weights, biases, gains, learned initial states.
    Makes,
    /// They read the unit: rows of weights that its output is multiplied with.
    Reads,
    /// They are 1 where a unit counts and 0 where it is pruned, for norms over a row. Masked, but not scored.
    Active,
    /// They were measured at the unit: running means and variances. Taken out with it, but neither masked nor scored.
    Statistic,
}

/// Where units stand along one axis of one tensor.
///
/// Unit `k` stands at the indices `offset + b · stride + k` for each block `b < blocks`.
///
/// # Examples
/// ```
/// use rekindle_regularize::units::{UnitAxis, UnitRole};
///
/// // `weight_hh` of an LSTM, `[d_hidden, 4·d_hidden]` with `d_hidden` 8: gates make units, rows read them.
/// let makes = UnitAxis::new("weight_hh", 1, UnitRole::Makes).blocks(4, 8);
/// let reads = UnitAxis::new("weight_hh", 0, UnitRole::Reads);
/// assert_eq!(makes.indices(2).collect::<Vec<_>>(), [2, 10, 18, 26]);
/// assert_eq!(reads.indices(2).collect::<Vec<_>>(), [2]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitAxis {
    /// Path of the tensor in the network, the name under which a record stores it: a parameter or a running state.
    pub path: String,
    /// Axis of the tensor, from 0.
    pub axis: usize,
    /// Index of the first unit in the first block.
    pub offset: usize,
    /// Number of blocks: the number of gates where gates are packed. At least 1.
    pub blocks: usize,
    /// Indices from a unit in one block to the same unit in the next one: `d_hidden` where gates are packed.
    pub stride: usize,
    /// What the entries have to do with the units.
    pub role: UnitRole,
}

impl UnitAxis {
    /// One block from index 0.
    pub fn new(path: impl Into<String>, axis: usize, role: UnitRole) -> Self {
        Self {
            path: path.into(),
            axis,
            offset: 0,
            blocks: 1,
            stride: 0,
            role,
        }
    }

    /// The same, where the first unit stands at `offset`.
    pub fn offset(mut self, offset: usize) -> Self {
        self.offset = offset;
        self
    }

    /// The same, where units come in `blocks` blocks, `stride` indices apart.
    pub fn blocks(mut self, blocks: usize, stride: usize) -> Self {
        self.blocks = blocks;
        self.stride = stride;
        self
    }

    /// The indices of a unit along the axis.
    pub fn indices(&self, unit: usize) -> impl Iterator<Item = usize> + use<> {
        let (offset, stride) = (self.offset, self.stride);
        (0..self.blocks).map(move |block| offset + block * stride + unit)
    }
}

/// Units that are numbered together: the hidden units of one cell.
///
/// Units whose outputs are added up belong to one group, for they can only be taken out together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitGroup {
    /// Name by which errors, scores and [`Kept`] call the group, for example `layers.0.forward`. Unique in a network.
    pub name: String,
    /// Number of units. At least 1.
    pub size: usize,
    /// Every place where the units stand.
    pub axes: Vec<UnitAxis>,
}

impl UnitGroup {
    /// The axes whose entries are what a unit is made of and read by: those that scores and penalties count.
    pub(crate) fn makes_and_reads(&self) -> impl Iterator<Item = &UnitAxis> {
        let counts = |axis: &&UnitAxis| matches!(axis.role, UnitRole::Makes | UnitRole::Reads);
        self.axes.iter().filter(counts)
    }

    /// Checks that the network has all that the group names.
    ///
    /// # Errors
    /// - a tensor that the network does not have, or an axis or index that the tensor does not have
    /// - an index that belongs to two units
    /// - a group without units
    pub fn validate<M: Module>(&self, module: &M) -> Result<(), UnitError> {
        cuts::check(&shapes(module), std::slice::from_ref(self))
    }
}
