//! What can be wrong with units that are to be removed.

use burn::store::RecordError;

/// Units that cannot be scored, masked or removed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum UnitError {
    /// A group without units.
    #[error("group `{group}` has size 0, expected at least one unit")]
    NoUnits {
        /// Name of the group.
        group: String,
    },
    /// Two groups with one name.
    #[error("two groups are called `{group}`, expected names that differ")]
    SameName {
        /// Their name.
        group: String,
    },
    /// A tensor that the network does not have.
    #[error("group `{group}` names the tensor `{path}`, expected one of {}", available.join(", "))]
    Path {
        /// Name of the group.
        group: String,
        /// The path.
        path: String,
        /// Paths of the network's tensors.
        available: Vec<String>,
    },
    /// An axis that the tensor does not have.
    #[error("group `{group}` names axis {axis} of `{path}`, expected less than its rank {rank}")]
    Axis {
        /// Name of the group.
        group: String,
        /// Path of the tensor.
        path: String,
        /// The axis.
        axis: usize,
        /// Number of axes of the tensor.
        rank: usize,
    },
    /// An index that the axis does not have.
    #[error(
        "group `{group}` has a unit at index {index} of axis {axis} of `{path}`, expected less than its length {length}"
    )]
    Index {
        /// Name of the group.
        group: String,
        /// Path of the tensor.
        path: String,
        /// The axis.
        axis: usize,
        /// The largest index.
        index: usize,
        /// Length of the axis.
        length: usize,
    },
    /// An index that belongs to two units.
    #[error(
        "index {index} of axis {axis} of `{path}` belongs to units of `{first}` and `{second}`, expected one unit; units that share an entry go into one group"
    )]
    Overlap {
        /// Path of the tensor.
        path: String,
        /// The axis.
        axis: usize,
        /// The index.
        index: usize,
        /// Name of one group.
        first: String,
        /// Name of the other, perhaps the same.
        second: String,
    },
    /// Kept units of a group that is not there.
    #[error("kept units of a group `{group}`, expected one of {}", available.join(", "))]
    Group {
        /// Name of the group.
        group: String,
        /// Names of the groups.
        available: Vec<String>,
    },
    /// No unit is kept: pruning everything.
    #[error("no unit of `{group}` is kept, expected at least one")]
    NothingKept {
        /// Name of the group.
        group: String,
    },
    /// A unit is kept twice.
    #[error("unit {unit} of `{group}` is kept twice, expected once")]
    Twice {
        /// Name of the group.
        group: String,
        /// The unit.
        unit: usize,
    },
    /// A unit that the group does not have.
    #[error("unit {unit} of `{group}` is kept, expected less than its {size} units")]
    Unit {
        /// Name of the group.
        group: String,
        /// The unit.
        unit: usize,
        /// Number of units of the group.
        size: usize,
    },
    /// A number of units that the group cannot keep.
    #[error("{found} units of `{group}` are to be kept, expected 1 to its {size}")]
    Count {
        /// Name of the group.
        group: String,
        /// The number.
        found: usize,
        /// Number of units of the group.
        size: usize,
    },
    /// A sparsity outside its range.
    #[error("sparsity is {found}, expected 0 or more and less than 1")]
    Sparsity {
        /// The sparsity.
        found: f64,
    },
    /// A score that is NaN or infinite.
    #[error(
        "unit {unit} of `{group}` has the score {score}, expected a finite number; the weights or gradients have diverged"
    )]
    Score {
        /// Name of the group.
        group: String,
        /// The unit.
        unit: usize,
        /// The score.
        score: f64,
    },
    /// A score that needs gradients, without them.
    #[error("units are scored by sensitivity without gradients, expected those of a loss")]
    NoGradients,
    /// A tensor of an optimiser that is not shaped like its parameter.
    #[error(
        "state `{state}` of the optimiser has shape {found:?}, expected that of `{path}`, {expected:?}; begin with a fresh optimiser"
    )]
    OptimizerState {
        /// Path of the parameter.
        path: String,
        /// Name of the state in the record.
        state: String,
        /// Shape of the parameter before any unit was removed.
        expected: Vec<usize>,
        /// Shape of the state.
        found: Vec<usize>,
    },
    /// The optimiser's record cannot be read or written.
    #[error("cannot convert the optimiser's record")]
    Record(#[from] RecordError),
}
