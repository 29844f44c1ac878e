//! The derivative of a cell's equations on the registers of one panel.

use pulp::{Simd, WithSimd};

use super::geometry::{Geometry, hidden_gate};
use super::vector::{Element, Vector};
use crate::Equations;

/// Where the numbers of one row at one step lie.
pub(super) struct Row<F, const STATES: usize> {
    /// The activations, whose place the gradients of the gates take.
    pub(super) slab: *mut F,
    /// The activations of the step before, unless the initial state stands there.
    pub(super) slab_before: Option<*const F>,
    /// The hidden state after and before the step.
    pub(super) hidden: *const F,
    pub(super) hidden_before: *const F,
    /// The initial states.
    pub(super) initial: [*const F; STATES],
    /// The gradient of the output at this step.
    pub(super) output_gradient: Option<*const F>,
    /// The gradients of the states: after the step, and in their place before it.
    pub(super) gradients: [*mut F; STATES],
}

/// The derivative of a cell's equations on one panel of all rows of a step.
pub(super) struct Retreat<'a, F, E, const GATES: usize, const STATES: usize, const SAVED: usize> {
    pub(super) equations: &'a E,
    pub(super) geometry: &'a Geometry,
    /// Units of this panel that there really are.
    pub(super) units: usize,
    /// From a row of the slab in panel 0 to this panel.
    pub(super) slab_offset: usize,
    /// This panel's first unit.
    pub(super) unit: usize,
    pub(super) rows: &'a [Row<F, STATES>],
}

impl<F, E, const GATES: usize, const STATES: usize, const SAVED: usize> WithSimd
    for Retreat<'_, F, E, GATES, STATES, SAVED>
where
    F: Element,
    E: Equations<GATES, STATES, SAVED>,
{
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let lanes = F::Vector::<S>::LANES;
        for row in self.rows {
            for unit in (0..self.geometry.units()).step_by(lanes) {
                // SAFETY: who builds this answers for its pointers; row and units are in range of them.
                unsafe {
                    match self.units.saturating_sub(unit) {
                        0 => self.clear::<F::Vector<S>>(simd, row, unit),
                        count if count < lanes => {
                            self.units::<F::Vector<S>, true>(simd, row, unit, count)
                        }
                        _ => self.units::<F::Vector<S>, false>(simd, row, unit, lanes),
                    }
                }
            }
        }
    }
}

impl<F, E, const GATES: usize, const STATES: usize, const SAVED: usize>
    Retreat<'_, F, E, GATES, STATES, SAVED>
where
    F: Element,
    E: Equations<GATES, STATES, SAVED>,
{
    /// The units in one register, from `unit` on; if `PART`, only the first `count` of them are there.
    #[inline(always)]
    unsafe fn units<V: Vector<Element = F>, const PART: bool>(
        &self,
        simd: V::Simd,
        row: &Row<F, STATES>,
        unit: usize,
        count: usize,
    ) {
        let units = self.geometry.unit_vectors() * V::LANES;
        let of_row = self.unit + unit;
        // SAFETY: a row of the slab has `units` numbers for each slot and state; of a sequence, `count` are read.
        unsafe {
            let slab = row.slab.add(self.slab_offset + unit);
            let saved = std::array::from_fn(|slot| V::load(simd, slab.add(slot * units)));
            let [old, new] = self.states::<V, PART>(simd, row, unit, count);
            let mut gradients = row.gradients.map(|at| V::load(simd, at.add(of_row)));
            if let Some(output) = row.output_gradient {
                let of_output = load::<V, PART>(simd, output.add(of_row), count);
                gradients[0] = gradients[0] + of_output;
            }
            let step = self.equations.backward(saved, old, new, gradients);

            for (at, gradient) in row.gradients.iter().zip(step.state) {
                gradient.store(at.add(of_row));
            }
            let store = |slot: usize, gradient: V| {
                let to = slab.add(slot * units);
                if PART {
                    V::splat(simd, F::default()).store(to);
                    gradient.store_first(to, count);
                } else {
                    gradient.store(to);
                }
            };
            for slot in 0..GATES {
                store(slot, step.hidden[hidden_gate(GATES, E::APART, slot)]);
            }
            for slot in GATES..GATES + E::APART {
                store(slot, step.input[slot - E::APART]);
            }
        }
    }

    /// The states before and after the step.
    #[inline(always)]
    unsafe fn states<V: Vector<Element = F>, const PART: bool>(
        &self,
        simd: V::Simd,
        row: &Row<F, STATES>,
        unit: usize,
        count: usize,
    ) -> [[V; STATES]; 2] {
        let units = self.geometry.unit_vectors() * V::LANES;
        let of_row = self.unit + unit;
        let in_slab =
            |state: usize| self.slab_offset + unit + (self.geometry.slots() + state - 1) * units;
        // SAFETY: as in `units`.
        unsafe {
            let new = |state| match state {
                0 => load::<V, PART>(simd, row.hidden.add(of_row), count),
                _ => V::load(simd, row.slab.add(in_slab(state))),
            };
            let old = |state| match (state, row.slab_before) {
                (0, _) => load::<V, PART>(simd, row.hidden_before.add(of_row), count),
                (_, Some(before)) => V::load(simd, before.add(in_slab(state))),
                (_, None) => V::load(simd, row.initial[state].add(of_row)),
            };
            [std::array::from_fn(old), std::array::from_fn(new)]
        }
    }

    /// Zero gradients, where there are no units.
    #[inline(always)]
    unsafe fn clear<V: Vector<Element = F>>(
        &self,
        simd: V::Simd,
        row: &Row<F, STATES>,
        unit: usize,
    ) {
        let units = self.geometry.unit_vectors() * V::LANES;
        for slot in 0..GATES + E::APART {
            // SAFETY: a row of the slab has `units` numbers for each slot.
            unsafe {
                let to = row.slab.add(self.slab_offset + unit + slot * units);
                V::splat(simd, F::default()).store(to);
            }
        }
    }
}

/// A register of a sequence: all of it, or if `PART` the first `count` numbers.
///
/// # Safety
/// `from` is readable for as many numbers.
#[inline(always)]
unsafe fn load<V: Vector, const PART: bool>(
    simd: V::Simd,
    from: *const V::Element,
    count: usize,
) -> V {
    // SAFETY: the caller answers for the numbers.
    unsafe {
        match PART {
            true => V::load_first(simd, from, count),
            false => V::load(simd, from),
        }
    }
}
