//! The values of an LSTM's step by their role, where a gate may be missing.

use rekindle_kernels::Lane;

/// One value for each role; `None` where there is no such gate.
pub(super) struct Roles<V> {
    pub(super) i: Option<V>,
    pub(super) f: Option<V>,
    pub(super) g: V,
    pub(super) o: Option<V>,
}

/// What a step computes on its way to the new cell state.
pub(super) struct Content<V> {
    /// The gates and the candidate; no output gate yet.
    pub(super) gates: Roles<V>,
    /// The candidate times its factor.
    pub(super) entering: V,
    /// The factor.
    pub(super) factor: V,
    /// `f ⊙ c + i ⊙ g`, before it is clipped.
    pub(super) sum: V,
}

/// The value at an index.
#[inline(always)]
#[allow(clippy::manual_map, reason = "closures are not always inlined")]
pub(super) fn at<V: Lane, const N: usize>(values: &[V; N], index: Option<usize>) -> Option<V> {
    match index {
        Some(index) => Some(values[index].clone()),
        None => None,
    }
}

/// `sum + p ⊙ c`, where there are a sum and a peephole.
#[inline(always)]
pub(super) fn peek<V: Lane>(sum: Option<V>, p: Option<V>, c: &V) -> Option<V> {
    match (sum, p) {
        (Some(sum), Some(p)) => Some(sum + p * c.clone()),
        (sum, _) => sum,
    }
}

/// `gate ⊙ value`; `None`: the gate is 1.
#[inline(always)]
pub(super) fn times<V: Lane>(gate: Option<V>, value: V) -> V {
    match gate {
        Some(gate) => gate * value,
        None => value,
    }
}

/// `value`, where there is a gate.
#[inline(always)]
#[allow(clippy::manual_map, reason = "closures are not always inlined")]
pub(super) fn same_if<V: Lane>(gate: &Option<V>, value: &V) -> Option<V> {
    match gate {
        Some(_) => Some(value.clone()),
        None => None,
    }
}

/// `left + right`; `None`: 0.
#[inline(always)]
pub(super) fn plus<V: Lane>(left: V, right: Option<V>) -> V {
    match right {
        Some(right) => left + right,
        None => left,
    }
}
