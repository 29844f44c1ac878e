//! The hidden state from a norm of the last state, on the registers of one panel.

use pulp::{Simd, WithSimd};

use super::advance::{Ending, Reading, State, last_of};
use super::retreat::{Arguments, Retreat, Row};
use super::vector::{Element, Vector};
use crate::{Array, Equations, StepGradients};

/// The way from the norm of the last state to the hidden state, on one panel of all rows. The activations and the other
/// new states stand in the slab already.
pub(super) struct Show<'a, F, E> {
    pub(super) reading: Reading<'a, F, E>,
    pub(super) ending: Ending<'a, F>,
}

impl<F: Element, E: Equations> WithSimd for Show<'_, F, E> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let states = self.reading.states();
        for row in 0..self.reading.inputs.len() {
            for unit in (0..self.reading.units).step_by(F::Vector::<S>::LANES) {
                // SAFETY: who builds this answers for its pointers; row and units are in range of them.
                unsafe { self.units::<F::Vector<S>>(simd, &states, row, unit) };
            }
        }
    }
}

impl<F: Element, E: Equations> Show<'_, F, E> {
    /// The units in one register, from `unit` on.
    #[inline(always)]
    unsafe fn units<V: Vector<Element = F>>(
        &self,
        simd: V::Simd,
        states: &E::States<State<F>>,
        row: usize,
        unit: usize,
    ) {
        let (reading, geometry) = (&self.reading, self.reading.geometry);
        let stride = reading.gate_stride;
        // SAFETY: a row of a panel has `stride` numbers for each slot and state.
        unsafe {
            let slots = reading.slots(row, unit);
            let saved = E::Saved::from_fn(|slot| V::load(simd, slots.add(slot * stride)));
            let normed = V::load(simd, slots.add(geometry.shown_slot() * stride));
            let hidden = reading.equations.show(saved, normed);
            let new = E::States::from_fn(|state| match state {
                0 => hidden,
                _ => V::load(simd, slots.add(geometry.new_slot(state) * stride)),
            });
            self.ending.end(simd, reading, states, [row, unit], new);
        }
    }
}

/// The gradient of the norm of the last state, on one panel of all rows of a step.
pub(super) struct ShowGradient<'a, F, E: Equations>(pub(super) Retreat<'a, F, E>);

impl<F: Element, E: Equations> WithSimd for ShowGradient<'_, F, E> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (retreat, lanes) = (&self.0, F::Vector::<S>::LANES);
        for row in retreat.rows {
            let Some(to) = row.content_gradient else {
                continue;
            };
            for unit in (0..retreat.units).step_by(lanes) {
                let count = lanes.min(retreat.units - unit);
                // SAFETY: as for `Retreat`.
                unsafe {
                    let (_, gradient) =
                        retreat.show_backward::<F::Vector<S>>(simd, row, unit, count);
                    gradient.store(to.add(retreat.unit + unit));
                }
            }
        }
    }
}

impl<F: Element, E: Equations> Retreat<'_, F, E> {
    /// The gradients of a step whose hidden state comes from a norm of the last state.
    #[inline(always)]
    pub(super) unsafe fn gradients_by_show<V: Vector<Element = F>>(
        &self,
        simd: V::Simd,
        row: &Row<F, E>,
        [unit, count]: [usize; 2],
        content: *const F,
        middle: Option<*const F>,
    ) -> StepGradients<E, V> {
        let zero = V::splat(simd, F::default());
        // SAFETY: as in `units`.
        unsafe {
            let mut arguments = self.arguments::<V>(simd, row, unit, count);
            let (mut by_show, _) = self.show_backward::<V>(simd, row, unit, count);
            let states = <E::States<V> as Array<V>>::LEN;
            arguments.gradients.as_mut()[0] = zero;
            for state in 0..states {
                let gradient = &mut arguments.gradients.as_mut()[state];
                *gradient = *gradient + by_show.state.as_ref()[state];
                by_show.state.as_mut()[state] = zero;
            }
            let last = last_of(&mut arguments.gradients);
            *last = *last + V::load(simd, content.add(self.unit + unit));
            self.by_equations(simd, unit, arguments, middle)
                .plus(by_show)
        }
    }

    /// The derivative of the way from the norm of the last state to the hidden state.
    #[inline(always)]
    pub(super) unsafe fn show_backward<V: Vector<Element = F>>(
        &self,
        simd: V::Simd,
        row: &Row<F, E>,
        unit: usize,
        count: usize,
    ) -> (StepGradients<E, V>, V) {
        let units = self.geometry.unit_vectors() * V::LANES;
        // SAFETY: as in `units`.
        unsafe {
            let Arguments {
                saved,
                new,
                units: of_units,
                gradients,
                ..
            } = self.arguments::<V>(simd, row, unit, count);
            let slot = self.slab_offset + unit + self.geometry.shown_slot() * units;
            let normed = V::load(simd, row.slab.add(slot));
            let gradient = gradients.as_ref()[0];
            (self.equations).show_backward(saved, new, of_units, normed, gradient)
        }
    }
}
