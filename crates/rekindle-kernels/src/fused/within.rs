//! Norms and masks of a scan for the operation: which of them it knows, and their tensors.

use burn::backend::Dispatch;
use burn::tensor::{DType, Tensor};

use super::Tensors;
use crate::cpu::{Kept, Masking, RowNorm, RowNorms};
use crate::within::{Keep, Masks, Norm, NormKind, Norms, Within};
use crate::{Equations, Scan};

/// Whether the operation does what a scan does within its steps.
pub(super) fn is_fused<E: Equations>(equations: &E, scan: &Scan<E>) -> bool {
    let Within { norms, masks } = &scan.within;
    let keeps_hidden = !matches!(masks.keep.first(), None | Some(Keep::Nothing));
    norms.iter().all(|norm| row_norm(norm).is_some())
        && [&norms.input, &norms.hidden]
            .into_iter()
            .flatten()
            .all(|norm| norm.shift.is_none())
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
    let norms = within.norms.iter().flat_map(|norm| {
        let vectors = [Some(&norm.gain), norm.shift.as_ref(), active(norm)];
        vectors.into_iter().flatten().map(Tensor::dtype)
    });
    let hidden = hidden.iter().map(Tensor::dtype);
    let masks = hidden.chain(candidate.iter().map(Tensor::dtype));
    masks.chain(keep).chain(norms)
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
pub(super) fn masks(masks: Masks) -> Tensors<Dispatch> {
    let hidden = masks.hidden.map(Tensor::into_dispatch);
    let candidate = masks.candidate.map(Tensor::into_dispatch);
    let keep = masks.keep.into_iter().filter_map(|keep| match keep {
        Keep::Mask(mask) => Some(mask.into_dispatch()),
        Keep::Nothing | Keep::Fraction(_) => None,
    });
    Tensors::collect(hidden.into_iter().chain(candidate).chain(keep))
}

/// Which columns count, where a norm is one over the columns of a row.
fn active(norm: &Norm) -> Option<&Tensor<1>> {
    match &norm.kind {
        NormKind::Layer { active } | NormKind::Rms { active } => Some(active),
        NormKind::Batch | NormKind::Given { .. } => None,
    }
}

/// The norm for the engine, if it is one over the columns of a row.
fn row_norm(norm: &Norm) -> Option<RowNorm> {
    active(norm).map(|_| RowNorm {
        centred: matches!(norm.kind, NormKind::Layer { .. }),
        epsilon: norm.epsilon,
    })
}

/// Which norms there are.
pub(super) fn norms(norms: &Norms) -> RowNorms {
    [&norms.input, &norms.hidden, &norms.shown].map(|norm| norm.as_ref().and_then(row_norm))
}

/// The tensors of the norms in the order in which [`norms`] names them.
pub(super) struct NormTensors {
    pub(super) gains: Vec<Tensor<1>>,
    pub(super) actives: Vec<Tensor<1>>,
    /// That of the last state.
    pub(super) shift: Option<Tensor<1>>,
}

/// The tensors of the norms.
pub(super) fn norm_tensors(norms: &Norms) -> NormTensors {
    let shown = norms.shown.as_ref();
    NormTensors {
        gains: norms.iter().map(|norm| norm.gain.clone()).collect(),
        actives: norms.iter().filter_map(active).cloned().collect(),
        shift: shown.and_then(|norm| norm.shift.clone()),
    }
}
