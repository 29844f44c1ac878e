//! Norms and masks of a scan for the operation: which of them it knows, and their tensors.

use burn::backend::Dispatch;
use burn::tensor::{DType, Tensor};

use super::Tensors;
use crate::cpu::{Kept, Masking, NormPlan, NormPlans, Over};
use crate::within::{Keep, Masks, Norm, NormKind, Norms, Within};
use crate::{Equations, Scan, Statistics};

/// Whether the operation does what a scan does within its steps.
pub(super) fn is_fused<E: Equations>(equations: &E, scan: &Scan<E>) -> bool {
    let Within { norms, masks, .. } = &scan.within;
    let keeps_hidden = !matches!(masks.keep.first(), None | Some(Keep::Nothing));
    [&norms.input, &norms.hidden]
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
        let matrices = given(norm).into_iter().flatten().map(Tensor::dtype);
        let vectors = vectors.into_iter().flatten().map(Tensor::dtype);
        vectors.chain(matrices)
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

/// Mean and variance, where a norm is given them.
fn given(norm: &Norm) -> Option<[&Tensor<2>; 2]> {
    match &norm.kind {
        NormKind::Given { mean, variance } => Some([mean, variance]),
        NormKind::Layer { .. } | NormKind::Rms { .. } | NormKind::Batch => None,
    }
}

/// The norm for the engine.
fn norm_plan(norm: &Norm) -> NormPlan {
    let over = match norm.kind {
        NormKind::Layer { .. } => Over::Row { centred: true },
        NormKind::Rms { .. } => Over::Row { centred: false },
        NormKind::Batch => Over::Batch,
        NormKind::Given { .. } => Over::Given,
    };
    NormPlan {
        over,
        epsilon: norm.epsilon,
    }
}

/// Which norms there are.
pub(super) fn norms(norms: &Norms) -> NormPlans {
    [&norms.input, &norms.hidden, &norms.shown].map(|norm| norm.as_ref().map(norm_plan))
}

/// The tensors of the norms in the order in which [`norms`] names them.
pub(super) struct NormTensors {
    pub(super) gains: Vec<Tensor<1>>,
    pub(super) actives: Vec<Tensor<1>>,
    pub(super) given: Vec<Tensor<2>>,
    /// That of the last state.
    pub(super) shift: Option<Tensor<1>>,
}

/// The tensors of the norms.
pub(super) fn norm_tensors(norms: &Norms) -> NormTensors {
    let shown = norms.shown.as_ref();
    NormTensors {
        gains: norms.iter().map(|norm| norm.gain.clone()).collect(),
        actives: norms.iter().filter_map(active).cloned().collect(),
        given: norms.iter().filter_map(given).flatten().cloned().collect(),
        shift: shown.and_then(|norm| norm.shift.clone()),
    }
}

/// What the norms over a batch took, from mean and variance of each.
pub(super) fn statistics(norms: &NormPlans, taken: Tensors<Dispatch>) -> Statistics {
    let mut taken = taken.into_iter().map(Tensor::from_dispatch);
    let [input, hidden, shown] = norms.each_ref().map(|norm| {
        norm.filter(NormPlan::is_of_batch)?;
        Some([taken.next()?, taken.next()?])
    });
    Statistics {
        input,
        hidden,
        shown,
    }
}
