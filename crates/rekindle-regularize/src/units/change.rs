//! Networks whose units are zero, or gone.

use burn::module::{Module, Param};
use burn::tensor::{Bool, Int, Tensor, TensorData};

use super::cuts::{Cut, Cuts, cuts};
use super::{Kept, UnitError, UnitGroup, UnitRole, replace, shapes};
use crate::path::{Map, map};

/// Zeroes the units that do not stay: every entry that makes or reads them, and the marks of those that count.
///
/// Every shape stays. A gated unit whose weights and biases are zero keeps the state it began with times some factor, so
/// it stays at zero if it began there. Running statistics are left alone.
///
/// # Errors
/// If groups, units that stay and network do not fit together; see [`UnitGroup::validate`] and [`Kept::validate`]. The
/// network is not changed then.
///
/// # Differences
/// Burn shares running states between a module and its clones, so marks of units that count change in clones as well.
/// `module.valid()` has its own.
pub fn mask_units<M: Module>(module: M, groups: &[UnitGroup], kept: &Kept) -> Result<M, UnitError> {
    let cuts = cuts(&shapes(&module), groups, kept, |role| {
        role != UnitRole::Statistic
    })?;
    Ok(map(
        module,
        &mut Change {
            cuts: &cuts,
            how: How::Zero,
        },
    ))
}

/// Takes the units that do not stay out of every tensor.
///
/// The result is an ordinary smaller network, which computes what [`mask_units`] would. Parameters keep their ids, so that
/// [`shrink_optimizer`](super::shrink_optimizer) finds them. Widths that a module holds as plain numbers do not change:
/// setting them is up to the caller. Groups that are to be used again must be made from the smaller network.
///
/// # Errors
/// As [`mask_units`].
///
/// # Differences
/// Burn shares running states between a module and its clones, so those of clones shrink as well. `module.valid()` has its
/// own.
///
/// # References
/// Wen et al., *Learning Intrinsic Sparse Structures within Long Short-Term Memory*, 2018,
/// <https://arxiv.org/abs/1709.05027>
///
/// # Examples
/// ```
/// use burn::nn::{Linear, LinearConfig};
/// use burn::tensor::Device;
/// use rekindle_regularize::units::{Kept, UnitAxis, UnitGroup, UnitRole, shrink};
///
/// // The four outputs of a linear layer.
/// let layer = LinearConfig::new(3, 4).init(&Device::default());
/// let group = UnitGroup {
///     name: "outputs".into(),
///     size: 4,
///     axes: vec![
///         UnitAxis::new("weight", 1, UnitRole::Makes),
///         UnitAxis::new("bias", 0, UnitRole::Makes),
///     ],
/// };
/// let kept = Kept::from_indices([("outputs", vec![0, 3])])?;
/// let layer: Linear = shrink(layer, &[group], &kept)?;
/// assert_eq!(layer.weight.val().dims(), [3, 2]);
/// # Ok::<(), rekindle_regularize::units::UnitError>(())
/// ```
pub fn shrink<M: Module>(module: M, groups: &[UnitGroup], kept: &Kept) -> Result<M, UnitError> {
    let cuts = cuts(&shapes(&module), groups, kept, |_| true)?;
    Ok(map(
        module,
        &mut Change {
            cuts: &cuts,
            how: How::Gather,
        },
    ))
}

/// What becomes of entries that do not stay.
#[derive(Clone, Copy)]
enum How {
    /// They become zero.
    Zero,
    /// They go.
    Gather,
}

struct Change<'a> {
    cuts: &'a Cuts,
    how: How,
}

impl Map for Change<'_> {
    fn map<const D: usize>(&mut self, path: String, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(cuts) = self.cuts.get(&path) else {
            return param;
        };
        replace(param, |tensor| match self.how {
            How::Zero => cuts.iter().fold(tensor, zero),
            How::Gather => cuts.iter().fold(tensor, gather),
        })
    }
}

/// Zeroes what does not stay along an axis.
fn zero<const D: usize>(tensor: Tensor<D>, cut: &Cut) -> Tensor<D> {
    let mut shape = [1; D];
    shape[cut.axis] = cut.kept.len();
    let gone: Vec<bool> = cut.kept.iter().map(|kept| !kept).collect();
    let gone = Tensor::<D, Bool>::from_data(TensorData::new(gone, shape), &tensor.device());
    let gone = gone.expand(tensor.dims());
    tensor.mask_fill(gone, 0.0)
}

/// Takes out what does not stay along an axis.
fn gather<const D: usize>(tensor: Tensor<D>, cut: &Cut) -> Tensor<D> {
    let kept: Vec<i32> = (0..cut.kept.len())
        .filter(|&index| cut.kept[index])
        .map(|index| index as i32)
        .collect();
    let kept = Tensor::<1, Int>::from_data(kept.as_slice(), &tensor.device());
    tensor.select(cut.axis, kept)
}
