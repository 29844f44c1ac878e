//! Norms and masks of a scan for the operation: which of them it knows, and their tensors.

use burn::backend::Dispatch;
use burn::tensor::{DType, Tensor};

use super::Tensors;
use crate::cpu::{Kept, Masking};
use crate::within::{Keep, Masks, Within};
use crate::{Equations, Scan};

/// Whether the operation does what a scan does within its steps.
pub(super) fn is_fused<E: Equations>(equations: &E, scan: &Scan<E>) -> bool {
    let Within { norms, masks } = &scan.within;
    let keeps_hidden = !matches!(masks.keep.first(), None | Some(Keep::Nothing));
    norms.iter().next().is_none()
        && (masks.hidden.is_none() || equations.reads() == 1)
        && !(keeps_hidden && scan.parameters.projection.is_some())
}

/// The types of all numbers of norms and masks.
pub(super) fn dtypes(within: &Within) -> impl Iterator<Item = DType> {
    let Masks {
        hidden,
        candidate,
        keep,
    } = &within.masks;
    let keep = keep.iter().filter_map(|keep| match keep {
        Keep::Mask(mask) => Some(mask.dtype()),
        Keep::Nothing | Keep::Fraction(_) => None,
    });
    let hidden = hidden.iter().map(Tensor::dtype);
    hidden
        .chain(candidate.iter().map(Tensor::dtype))
        .chain(keep)
}

/// Which masks there are.
pub(super) fn masking(masks: &Masks) -> Masking {
    Masking {
        hidden: masks.hidden.is_some(),
        candidate: masks.candidate.is_some(),
        keep: (masks.keep.iter())
            .map(|keep| match keep {
                Keep::Nothing => Kept::Nothing,
                Keep::Fraction(fraction) => Kept::Fraction(*fraction),
                Keep::Mask(_) => Kept::Mask,
            })
            .collect(),
    }
}

/// The masks in the order in which [`masking`] names them.
pub(super) fn dispatched(masks: Masks) -> Tensors<Dispatch> {
    let hidden = masks.hidden.map(Tensor::into_dispatch);
    let candidate = masks.candidate.map(Tensor::into_dispatch);
    let keep = masks.keep.into_iter().filter_map(|keep| match keep {
        Keep::Mask(mask) => Some(mask.into_dispatch()),
        Keep::Nothing | Keep::Fraction(_) => None,
    });
    Tensors::collect(hidden.into_iter().chain(candidate).chain(keep))
}
