//! Pruning of weights: masks, and when and how they grow.
//!
//! A [`Criterion`] scores weights, a [`Selection`] says which ones compete with each other, and a [`PruneSchedule`] how many
//! are gone at which step. [`Pruner`] does all this beside training, [`prune_once`] does it once. Whole units are removed
//! by [`units`](crate::units).

mod bytes;
mod criterion;
mod error;
mod masks;
mod observe;
mod pruner;
mod rank;
mod report;
mod schedule;

pub use criterion::{Criterion, Granularity, Scope};
pub use error::PruneError;
pub use masks::{Mask, Masks};
pub use pruner::{Pruner, PrunerState};
pub use report::{PruneReport, TensorReport, UnitReport};
pub use schedule::{Amount, PruneSchedule};

use std::collections::BTreeMap;

use burn::module::Module;
use burn::optim::GradientsParams;
use serde::{Deserialize, Serialize};

use crate::Targets;

/// Which weights are pruned first.
///
/// In a recipe every field may be left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Selection {
    /// The tensors that are pruned. Running statistics have paths as well: name weights rather than everything.
    /// Default: [`Targets::weights`], which leaves biases alone: they are few, and zeroing them costs much.
    pub targets: Targets,
    /// How weights are ranked. Default: magnitude, which needs no gradients.
    pub criterion: Criterion,
    /// Which weights compete with each other. Default: those of each tensor, so that no layer is emptied.
    pub scope: Scope,
    /// What is pruned together. Default: single weights.
    pub granularity: Granularity,
}

impl Default for Selection {
    fn default() -> Self {
        Self {
            targets: Targets::weights(),
            criterion: Criterion::default(),
            scope: Scope::default(),
            granularity: Granularity::default(),
        }
    }
}

impl Selection {
    /// Checks what was read from a file.
    ///
    /// # Errors
    /// If blocks have no rows or no columns.
    pub fn validate(&self) -> Result<(), PruneError> {
        match self.granularity {
            Granularity::Weights => Ok(()),
            Granularity::Blocks { rows, columns } => {
                PruneError::unless(rows > 0, "rows", rows as f64, "at least 1")?;
                PruneError::unless(columns > 0, "columns", columns as f64, "at least 1")
            }
        }
    }
}

/// Prunes a fraction of the selected weights and returns the masks, which keep them at zero in further training.
///
/// `grads` are those of a loss at the network as it is, for criteria that need them.
///
/// # Errors
/// - a sparsity, the fraction removed, that is not in `[0, 1)`
/// - targets that mean no parameter, a criterion without its gradients, a score that is not finite
/// - blocks that do not fit a tensor
/// - nothing that would stay
///
/// # Examples
/// ```
/// use burn::nn::LinearConfig;
/// use burn::tensor::Device;
/// use rekindle_regularize::Targets;
/// use rekindle_regularize::prune::{Selection, prune_once};
///
/// let layer = LinearConfig::new(8, 4).init(&Device::default());
/// let selection = Selection {
///     targets: Targets::new(["weight"]),
///     ..Selection::default()
/// };
/// let (layer, masks) = prune_once(layer, &selection, 0.75, None)?;
/// assert_eq!(masks.sparsity(), 0.75);
/// let zeros = layer.weight.val().equal_elem(0.0).int().sum();
/// assert_eq!(zeros.into_scalar::<i64>(), 24);
/// # Ok::<(), rekindle_regularize::prune::PruneError>(())
/// ```
pub fn prune_once<M: Module>(
    module: M,
    selection: &Selection,
    sparsity: f64,
    grads: Option<&GradientsParams>,
) -> Result<(M, Masks), PruneError> {
    selection.validate()?;
    PruneError::unless_fraction("sparsity", sparsity)?;
    let mut observed = BTreeMap::new();
    if let Some(grads) = grads {
        observe::observe(&module, selection, grads, &mut observed)?;
    }
    let scored = observe::scores(&module, selection, &observed)?;
    let amount = Amount::Sparsity(sparsity);
    let masks = rank::prune(&scored, &Masks::default(), selection, amount)?;
    Ok((masks.apply(module)?, masks))
}
