//! What can be wrong with pruning.

use burn::store::RecordError;

/// Weights that cannot be pruned, or masks that cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PruneError {
    /// A number outside its range.
    #[error("`{field}` is {found}, expected {expected}")]
    Range {
        /// Name of the field.
        field: &'static str,
        /// The number.
        found: f64,
        /// The range that it must lie in.
        expected: &'static str,
    },
    /// Targets that mean no parameter.
    #[error("no parameter matches {targets}, expected one of {}", available.join(", "))]
    NoMatch {
        /// The patterns.
        targets: String,
        /// Paths of the network's tensors.
        available: Vec<String>,
    },
    /// Pruning everything.
    #[error("pruning takes all {count} {what} of {set}, expected at least one to stay; prune less")]
    Everything {
        /// The weights that compete with each other.
        set: String,
        /// `weights` or `blocks`.
        what: &'static str,
        /// Number of them.
        count: usize,
    },
    /// A score that is NaN or infinite.
    #[error(
        "`{path}` has the score {score} at {index:?}, expected a finite number; the weights or gradients have diverged"
    )]
    Score {
        /// Path of the tensor.
        path: String,
        /// Place of the first such weight.
        index: Vec<usize>,
        /// The score.
        score: f64,
    },
    /// A criterion that needs gradients, without those of a parameter.
    #[error(
        "`{path}` is scored without a gradient, expected one: give the gradients before the step, and no frozen parameter as target"
    )]
    NoGradient {
        /// Path of the parameter.
        path: String,
    },
    /// Blocks that a tensor does not divide into.
    #[error(
        "`{path}` has shape {shape:?}, expected a matrix that divides into blocks of {rows} × {columns}"
    )]
    Blocks {
        /// Path of the tensor.
        path: String,
        /// Its shape.
        shape: Vec<usize>,
        /// Rows of a block.
        rows: usize,
        /// Columns of a block.
        columns: usize,
    },
    /// A mask for a tensor that the network does not have.
    #[error("there is a mask for `{path}`, expected one of {}", available.join(", "))]
    MaskPath {
        /// Path of the mask.
        path: String,
        /// Paths of the network's tensors.
        available: Vec<String>,
    },
    /// A mask of the wrong shape.
    #[error("the mask of `{path}` has shape {found:?}, expected {expected:?}")]
    MaskShape {
        /// Path of the tensor.
        path: String,
        /// Shape of the tensor, or of the other mask.
        expected: Vec<usize>,
        /// Shape of the mask.
        found: Vec<usize>,
    },
    /// Saved scores of another tensor.
    #[error("`{path}` has {found} saved scores, expected {expected}, one for each weight")]
    Scores {
        /// Path of the tensor.
        path: String,
        /// Number of weights.
        expected: usize,
        /// Number of scores.
        found: usize,
    },
    /// Bytes that are no masks.
    #[error("bytes begin with {found:?}, expected {expected:?}; they are no masks")]
    NotMasks {
        /// The first bytes.
        found: Vec<u8>,
        /// What masks begin with.
        expected: &'static [u8],
    },
    /// Bytes that have changed since they were written.
    #[error(
        "the checksum of the masks is {found:016x}, expected {expected:016x}; they are damaged"
    )]
    Checksum {
        /// Of the bytes.
        found: u64,
        /// When they were written.
        expected: u64,
    },
    /// A mask whose bits do not match its shape.
    #[error("the mask of `{path}` has {found} bytes, expected {expected}")]
    Bits {
        /// Path of the tensor.
        path: String,
        /// Number of bytes for its shape.
        expected: usize,
        /// Number of bytes.
        found: usize,
    },
    /// Masks that cannot be read or written.
    #[error("cannot convert masks")]
    Record(#[from] RecordError),
}

impl PruneError {
    /// `Ok` if `valid`, otherwise the error that names the value.
    pub(super) fn unless(
        valid: bool,
        field: &'static str,
        found: f64,
        expected: &'static str,
    ) -> Result<(), Self> {
        match valid {
            true => Ok(()),
            false => Err(Self::Range {
                field,
                found,
                expected,
            }),
        }
    }

    /// `Ok` if a fraction removed leaves something.
    pub(super) fn unless_fraction(field: &'static str, found: f64) -> Result<(), Self> {
        let valid = (0.0..1.0).contains(&found);
        Self::unless(valid, field, found, "0 or more and less than 1")
    }
}
