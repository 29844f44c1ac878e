//! The derivative of a cell's equations on the registers of one panel.

use pulp::{Simd, WithSimd};

use super::advance::{last_of, load};
use super::geometry::{Geometry, hidden_gate};
use super::vector::{Element, Vector};
use crate::{Array, Equations, StepGradients};

/// Where the numbers of one row at one step lie.
#[derive(Clone, Debug)]
pub(super) struct Row<F, E: Equations> {
    /// The activations, whose place the gradients of the gates take.
    pub(super) slab: *mut F,
    /// The activations of the step before, unless the initial state stands there.
    pub(super) slab_before: Option<*const F>,
    /// The hidden state after and before the step; before its projection, if there is one.
    pub(super) hidden: *const F,
    pub(super) hidden_before: *const F,
    /// The initial states.
    pub(super) initial: E::States<*const F>,
    /// What adds to the gradient of the hidden state: that of the output at this step.
    pub(super) output_gradient: Option<*const F>,
    /// The gradients of the states: after the step, and in their place before it.
    pub(super) gradients: E::States<*mut F>,
    /// The gradient of the hidden state before its projection, if there is one.
    pub(super) shown_gradient: Option<*const F>,
    /// The gradient of the last gate by the product with the middle vector, and that of the middle vector.
    pub(super) late_gradient: Option<*mut F>,
    pub(super) middle_gradient: Option<*const F>,
    /// The gradients of the parameters of units, summed up for this row.
    pub(super) unit_gradients: Option<*mut F>,
    /// The gradient of the last state by its norm, if there is one.
    pub(super) content_gradient: Option<*mut F>,
    /// What masks do, if there are any.
    pub(super) masks: Option<Box<RowMasks<F, E>>>,
}

/// What masks do to one row at one step.
#[derive(Clone, Debug)]
pub(super) struct RowMasks<F, E: Equations> {
    /// What each state keeps; `None`: nothing.
    pub(super) keep: E::States<Option<*const F>>,
    /// The mask of the candidate.
    pub(super) factor: Option<*const F>,
}

/// The derivative of a cell's equations on one panel of all rows of a step.
pub(super) struct Retreat<'a, F, E: Equations> {
    pub(super) equations: &'a E,
    pub(super) geometry: &'a Geometry,
    /// Units of this panel that there really are.
    pub(super) units: usize,
    /// From a row of the slab in panel 0 to this panel.
    pub(super) slab_offset: usize,
    /// This panel's first unit.
    pub(super) unit: usize,
    pub(super) rows: &'a [Row<F, E>],
    /// The parameters of units, a row width apart; `None`: all zero.
    pub(super) of_units: Option<*const F>,
    /// From the gradient of one parameter to the next.
    pub(super) unit_stride: usize,
}

/// What [`Equations::backward`] takes.
pub(super) struct Arguments<E: Equations, V: Vector> {
    pub(super) saved: E::Saved<V>,
    pub(super) old: E::States<V>,
    pub(super) new: E::States<V>,
    pub(super) units: E::Units<V>,
    pub(super) gradients: E::States<V>,
}

impl<E: Equations, V: Vector> Arguments<E, V> {
    /// The equations' derivative.
    #[inline(always)]
    fn backward(self, equations: &E) -> StepGradients<E, V> {
        equations.backward(self.saved, self.old, self.new, self.units, self.gradients)
    }
}

impl<F: Element, E: Equations> WithSimd for Retreat<'_, F, E> {
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
                        count => self.units::<F::Vector<S>>(simd, row, unit, count.min(lanes)),
                    }
                }
            }
        }
    }
}

impl<F: Element, E: Equations> Retreat<'_, F, E> {
    const GATES: usize = <E::Gates<()> as Array<()>>::LEN;

    /// The units in one register, from `unit` on; only the first `count` of them are there.
    #[inline(always)]
    unsafe fn units<V: Vector<Element = F>>(
        &self,
        simd: V::Simd,
        row: &Row<F, E>,
        unit: usize,
        count: usize,
    ) {
        // SAFETY: a row of the slab has `units` numbers for each slot and state; of a sequence, `count` are read.
        unsafe {
            let step = self.gradients::<V>(simd, row, unit, count, row.middle_gradient);
            self.pass_on(simd, row, unit, count, &step);
            match self.geometry.apart == E::APART {
                true => self.store_gates(simd, row, unit, count, &step, E::APART),
                false => self.store_gates(simd, row, unit, count, &step, Self::GATES),
            }
        }
    }

    /// Puts the gradients of the gates in the place of the activations, the last `apart` of them twice.
    #[inline(always)]
    unsafe fn store_gates<V: Vector<Element = F>>(
        &self,
        simd: V::Simd,
        row: &Row<F, E>,
        unit: usize,
        count: usize,
        step: &StepGradients<E, V>,
        apart: usize,
    ) {
        let units = self.geometry.unit_vectors() * V::LANES;
        // SAFETY: as in `units`.
        unsafe {
            let slab = row.slab.add(self.slab_offset + unit);
            let store = |slot: usize, gradient: V| {
                let to = slab.add(slot * units);
                if count < V::LANES {
                    V::splat(simd, F::default()).store(to);
                    gradient.store_first(to, count);
                } else {
                    gradient.store(to);
                }
            };
            for slot in 0..Self::GATES {
                let gate = hidden_gate(Self::GATES, apart, slot);
                store(slot, step.hidden.as_ref()[gate]);
            }
            for slot in Self::GATES..Self::GATES + apart {
                store(slot, step.input.as_ref()[slot - apart]);
            }
        }
    }

    /// The gradients of everything that the step reads, with those by the middle vector where its gradient is given.
    #[inline(always)]
    pub(super) unsafe fn gradients<V: Vector<Element = F>>(
        &self,
        simd: V::Simd,
        row: &Row<F, E>,
        unit: usize,
        count: usize,
        middle: Option<*const F>,
    ) -> StepGradients<E, V> {
        // SAFETY: as in `units`.
        unsafe {
            let arguments = match row.content_gradient {
                Some(content) if E::SHOWS => {
                    let content = content.cast_const();
                    return self.gradients_by_show(simd, row, [unit, count], content, middle);
                }
                _ => self.arguments::<V>(simd, row, unit, count),
            };
            self.by_equations(simd, unit, arguments, middle)
        }
    }

    /// The gradients by the equations and, where its gradient is given, by the middle vector.
    #[inline(always)]
    pub(super) unsafe fn by_equations<V: Vector<Element = F>>(
        &self,
        simd: V::Simd,
        unit: usize,
        arguments: Arguments<E, V>,
        middle: Option<*const F>,
    ) -> StepGradients<E, V> {
        let Some(middle) = middle else {
            return arguments.backward(self.equations);
        };
        // SAFETY: as in `units`.
        let middle = unsafe { V::load(simd, middle.add(self.unit + unit)) };
        let by_middle = self.equations.middle_backward(
            arguments.saved.clone(),
            arguments.old.clone(),
            arguments.units.clone(),
            middle,
        );
        arguments.backward(self.equations).plus(by_middle)
    }

    /// Hands the gradients of states and of the units' parameters on to the step before.
    #[inline(always)]
    unsafe fn pass_on<V: Vector<Element = F>>(
        &self,
        simd: V::Simd,
        row: &Row<F, E>,
        unit: usize,
        count: usize,
        step: &StepGradients<E, V>,
    ) {
        let of_row = self.unit + unit;
        // That of a projected hidden state comes from the products alone.
        let projected = usize::from(row.shown_gradient.is_some());
        // SAFETY: as in `units`.
        unsafe {
            let mut gradients = step.state.clone();
            if let Some(masks) = &row.masks {
                let arrived = self.arrived::<V>(simd, row, unit, count);
                for (index, gradient) in gradients.as_mut().iter_mut().enumerate() {
                    if let Some(keep) = masks.keep.as_ref()[index] {
                        let keep = load::<V>(simd, keep.add(of_row), count);
                        *gradient = *gradient + keep * arrived.as_ref()[index];
                    }
                }
            }
            let states = row.gradients.as_ref().iter().zip(gradients);
            for (at, gradient) in states.skip(projected) {
                gradient.store(at.add(of_row));
            }
            if let Some(to) = row.unit_gradients {
                for (index, gradient) in step.units.as_ref().iter().enumerate() {
                    let to = to.add(index * self.unit_stride + of_row);
                    (V::load(simd, to) + *gradient).store(to);
                }
            }
        }
    }

    /// The gradients of the states after the step.
    #[inline(always)]
    unsafe fn arrived<V: Vector<Element = F>>(
        &self,
        simd: V::Simd,
        row: &Row<F, E>,
        unit: usize,
        count: usize,
    ) -> E::States<V> {
        let of_row = self.unit + unit;
        // SAFETY: as in `units`.
        unsafe {
            let mut gradients: E::States<V> = E::States::from_fn(|state| {
                V::load(simd, row.gradients.as_ref()[state].add(of_row))
            });
            let of_hidden = &mut gradients.as_mut()[0];
            if let Some(shown) = row.shown_gradient {
                *of_hidden = V::load(simd, shown.add(of_row));
            }
            if let Some(output) = row.output_gradient {
                *of_hidden = *of_hidden + load::<V>(simd, output.add(of_row), count);
            }
            gradients
        }
    }

    /// The arguments of the equations' derivative.
    #[inline(always)]
    pub(super) unsafe fn arguments<V: Vector<Element = F>>(
        &self,
        simd: V::Simd,
        row: &Row<F, E>,
        unit: usize,
        count: usize,
    ) -> Arguments<E, V> {
        let units = self.geometry.unit_vectors() * V::LANES;
        let of_row = self.unit + unit;
        let zero = V::splat(simd, F::default());
        // SAFETY: as in `units`.
        unsafe {
            let slab = row.slab.add(self.slab_offset + unit);
            let [old, new] = self.states::<V>(simd, row, unit, count);
            let gradients = self.arrived::<V>(simd, row, unit, count);
            let mut arguments: Arguments<E, V> = Arguments {
                saved: E::Saved::from_fn(|slot| V::load(simd, slab.add(slot * units))),
                old,
                new,
                units: E::Units::from_fn(|index| match self.of_units {
                    Some(values) => {
                        let of_unit = values.add(index * self.geometry.row_width() + of_row);
                        V::load(simd, of_unit)
                    }
                    None => zero,
                }),
                gradients,
            };
            if let Some(masks) = &row.masks {
                let one = V::splat(simd, F::ONE);
                if let (true, Some(factor)) = (E::FACTOR, masks.factor) {
                    let factor = load::<V>(simd, factor.add(of_row), count);
                    *last_of(&mut arguments.units) = factor - one;
                }
                for (index, gradient) in arguments.gradients.as_mut().iter_mut().enumerate() {
                    if let Some(keep) = masks.keep.as_ref()[index] {
                        *gradient = *gradient * (one - load::<V>(simd, keep.add(of_row), count));
                    }
                }
            }
            arguments
        }
    }

    /// The states before and after the step.
    #[inline(always)]
    unsafe fn states<V: Vector<Element = F>>(
        &self,
        simd: V::Simd,
        row: &Row<F, E>,
        unit: usize,
        count: usize,
    ) -> [E::States<V>; 2] {
        let units = self.geometry.unit_vectors() * V::LANES;
        let of_row = self.unit + unit;
        let place = |slot: usize| self.slab_offset + unit + slot * units;
        let in_slab = |state: usize| place(self.geometry.state_slot(state));
        // SAFETY: as in `units`.
        unsafe {
            let new = |state| match state {
                0 if !self.geometry.blends => load::<V>(simd, row.hidden.add(of_row), count),
                _ => V::load(simd, row.slab.add(place(self.geometry.new_slot(state)))),
            };
            let old = |state: usize| match (state, row.slab_before) {
                (0, _) if row.shown_gradient.is_some() => V::splat(simd, F::default()),
                (0, _) => load::<V>(simd, row.hidden_before.add(of_row), count),
                (_, Some(before)) => V::load(simd, before.add(in_slab(state))),
                (_, None) => V::load(simd, row.initial.as_ref()[state].add(of_row)),
            };
            [E::States::from_fn(old), E::States::from_fn(new)]
        }
    }

    /// Zero gradients, where there are no units.
    #[inline(always)]
    unsafe fn clear<V: Vector<Element = F>>(&self, simd: V::Simd, row: &Row<F, E>, unit: usize) {
        let units = self.geometry.unit_vectors() * V::LANES;
        for slot in 0..Self::GATES + self.geometry.apart {
            // SAFETY: a row of the slab has `units` numbers for each slot.
            unsafe {
                let to = row.slab.add(self.slab_offset + unit + slot * units);
                V::splat(simd, F::default()).store(to);
            }
        }
    }
}

/// The gradient of the last gate by the product with the middle vector, on one panel of all rows of a step.
pub(super) struct LateGradient<'a, F, E: Equations>(pub(super) Retreat<'a, F, E>);

impl<F: Element, E: Equations> WithSimd for LateGradient<'_, F, E> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (retreat, lanes) = (&self.0, F::Vector::<S>::LANES);
        for row in retreat.rows {
            let Some(to) = row.late_gradient else {
                continue;
            };
            for unit in (0..retreat.units).step_by(lanes) {
                let count = lanes.min(retreat.units - unit);
                // SAFETY: as for `Retreat`.
                unsafe {
                    let step = retreat.gradients::<F::Vector<S>>(simd, row, unit, count, None);
                    let last = <E::Gates<()> as Array<()>>::LEN - 1;
                    let to = to.add(retreat.unit + unit);
                    step.hidden.as_ref()[last].store_first(to, count);
                }
            }
        }
    }
}
