//! A cell's equations on the registers of one panel.

use pulp::{Simd, WithSimd};

use super::geometry::Geometry;
use super::vector::{Element, Vector};
use crate::{Array, Equations};

/// Where one state lies before and after a step, and how far apart its rows are.
#[derive(Clone, Copy, Debug)]
pub(super) struct State<F> {
    pub(super) old: *const F,
    pub(super) new: *mut F,
    pub(super) row: usize,
}

/// What a cell's equations read on one panel of all rows of a step.
pub(super) struct Reading<'a, F, E> {
    pub(super) equations: &'a E,
    pub(super) geometry: &'a Geometry,
    /// The first unit of this panel, and how many units there really are.
    pub(super) first: usize,
    pub(super) units: usize,
    /// The product with the states, of this panel in the first row, and from one row to the next.
    pub(super) products: *const F,
    pub(super) product_row: usize,
    /// The product of the middle vector with the last gate in the first row, `row_width` numbers a row. `None`: there is
    /// none yet, or none at all.
    pub(super) of_middle: Option<*const F>,
    /// `x W_ih + b_ih`, one row each, and where this panel starts in it; in training the activations take its place.
    pub(super) inputs: &'a [*mut F],
    pub(super) input_offset: usize,
    /// From one gate to the next in both products, and from one slot to the next.
    pub(super) gate_stride: usize,
    /// All states.
    pub(super) states: &'a [State<F>],
    /// The parameters of units, `row_width` apart; `None`: all zero.
    pub(super) of_units: Option<*const F>,
    /// The mask of the candidate, one row each; an empty list: there is none.
    pub(super) factors: &'a [*const F],
}

/// What [`Equations::forward`] takes.
type Arguments<E, V> = (
    <E as Equations>::Gates<V>,
    <E as Equations>::Gates<V>,
    <E as Equations>::States<V>,
    <E as Equations>::Units<V>,
);

impl<F: Element, E: Equations> Reading<'_, F, E> {
    /// The arguments of the equations in one register of a row.
    ///
    /// # Safety
    /// Row and units are in range of what the pointers point to.
    #[inline(always)]
    unsafe fn arguments<V: Vector<Element = F>>(
        &self,
        simd: V::Simd,
        states: &E::States<State<F>>,
        row: usize,
        unit: usize,
    ) -> Arguments<E, V> {
        let stride = self.gate_stride;
        let width = self.geometry.row_width();
        let of_row = self.first + unit;
        let zero = V::splat(simd, F::default());
        // SAFETY: a row of a panel has `stride` numbers for each gate; all else has this row and these units.
        unsafe {
            let slots = self.slots(row, unit);
            let products = self.products.add(row * self.product_row + unit);
            let input = E::Gates::from_fn(|gate| V::load(simd, slots.add(gate * stride)));
            let gates = <E::Gates<V> as Array<V>>::LEN;
            let lacks_last = self.geometry.recurrent_gates() < gates;
            let mut hidden = E::Gates::from_fn(|gate| match gate + 1 == gates && lacks_last {
                true => zero,
                false => V::load(simd, products.add(gate * stride)),
            });
            if let Some(of_middle) = self.of_middle {
                let last = &mut hidden.as_mut()[gates - 1];
                *last = *last + V::load(simd, of_middle.add(row * width + of_row));
            }
            let projected = self.geometry.projected.is_some();
            let old = E::States::from_fn(|index| {
                let state = &states.as_ref()[index];
                match index == 0 && projected {
                    true => zero,
                    false => V::load(simd, state.old.add(row * state.row + of_row)),
                }
            });
            let mut units = E::Units::from_fn(|index| match self.of_units {
                Some(values) => V::load(simd, values.add(index * width + of_row)),
                None => zero,
            });
            if E::FACTOR && !self.factors.is_empty() {
                let mask = self.factors.get_unchecked(row).add(of_row);
                let mask = load::<V>(simd, mask, self.units - unit);
                *last_of(&mut units) = mask - V::splat(simd, F::ONE);
            }
            (input, hidden, old, units)
        }
    }

    /// The input product of a row in this panel, from unit `unit` on.
    #[inline(always)]
    pub(super) unsafe fn slots(&self, row: usize, unit: usize) -> *mut F {
        // SAFETY: the caller answers for row and unit.
        unsafe { self.inputs.get_unchecked(row).add(self.input_offset + unit) }
    }

    /// The states, where the compiler sees how many there are.
    #[inline(always)]
    pub(super) fn states(&self) -> E::States<State<F>> {
        E::States::from_fn(|index| self.states[index])
    }
}

/// The last of some values.
#[inline(always)]
pub(super) fn last_of<V, A: Array<V>>(values: &mut A) -> &mut V {
    &mut values.as_mut()[A::LEN - 1]
}

/// A register of numbers that need not fill it: the first `count` are there.
///
/// # Safety
/// `from` is readable for as many numbers.
#[inline(always)]
pub(super) unsafe fn load<V: Vector>(simd: V::Simd, from: *const V::Element, count: usize) -> V {
    // SAFETY: the caller answers for the numbers.
    unsafe {
        match count < V::LANES {
            true => V::load_first(simd, from, count),
            false => V::load(simd, from),
        }
    }
}

/// A cell's step on one panel of all rows.
pub(super) struct Advance<'a, F, E> {
    pub(super) reading: Reading<'a, F, E>,
    pub(super) ending: Ending<'a, F>,
    /// Whether the hidden state still comes from a norm of the last state: then the states go to the slab alone.
    pub(super) shows: bool,
}

/// Where the new states go.
pub(super) struct Ending<'a, F> {
    /// Where the hidden state goes, before a projection, one row each: to this panel's first unit at `output_offset`.
    pub(super) outputs: &'a [*mut F],
    pub(super) output_offset: usize,
    /// Whether to put the activations and the new states in the place of the input product.
    pub(super) keep: bool,
    /// What masks do to the new states.
    pub(super) masks: Option<StateMasks<'a, F>>,
}

/// What masks do to the new states.
#[derive(Clone, Copy)]
pub(super) struct StateMasks<'a, F> {
    /// What each state keeps, one row each from `first` on; an empty list: nothing.
    pub(super) keep: &'a [Vec<*const F>],
    pub(super) first: usize,
    /// The mask of the hidden state and where the masked hidden state goes, one row each; empty lists: nowhere.
    pub(super) masks: &'a [*const F],
    pub(super) masked: &'a [*mut F],
}

impl<F: Element, E: Equations> WithSimd for Advance<'_, F, E> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let states = self.reading.states();
        for row in 0..self.reading.inputs.len() {
            let mut unit = 0;
            while unit < self.reading.units {
                // SAFETY: who builds this answers for its pointers; row and units are in range of them.
                unsafe { self.units::<F::Vector<S>>(simd, &states, row, unit) };
                unit += F::Vector::<S>::LANES;
            }
        }
    }
}

impl<F: Element, E: Equations> Advance<'_, F, E> {
    /// The units in one register, from `unit` on.
    #[inline(always)]
    unsafe fn units<V: Vector<Element = F>>(
        &self,
        simd: V::Simd,
        states: &E::States<State<F>>,
        row: usize,
        unit: usize,
    ) {
        let reading = &self.reading;
        // SAFETY: a row of a panel has `stride` numbers for each gate, slot and state.
        unsafe {
            let (input, hidden, old, units) = reading.arguments::<V>(simd, states, row, unit);
            let (new, saved) = reading.equations.forward(input, hidden, old, units);
            if self.ending.keep {
                let (slots, stride) = (reading.slots(row, unit), reading.gate_stride);
                for (slot, saved) in saved.into_iter().enumerate() {
                    saved.store(slots.add(slot * stride));
                }
            }
            if E::SHOWS && self.shows {
                let (slots, stride) = (reading.slots(row, unit), reading.gate_stride);
                for (index, new) in new.into_iter().enumerate().skip(1) {
                    new.store(slots.add(reading.geometry.new_slot(index) * stride));
                }
                return;
            }
            self.ending.end(simd, reading, states, [row, unit], new);
        }
    }
}

impl<F: Element> Ending<'_, F> {
    /// Writes the new states of the units in one register.
    ///
    /// # Safety
    /// Row and units are in range of what the pointers point to.
    #[inline(always)]
    pub(super) unsafe fn end<V: Vector<Element = F>, E: Equations>(
        &self,
        simd: V::Simd,
        reading: &Reading<'_, F, E>,
        states: &E::States<State<F>>,
        [row, unit]: [usize; 2],
        mut new: E::States<V>,
    ) {
        let of_row = reading.first + unit;
        // What comes out for units that do not exist goes nowhere: a product may read on behind the last unit.
        let count = reading.units - unit;
        // SAFETY: a row of a panel has `stride` numbers for each slot and state.
        unsafe {
            let whole = count >= V::LANES;
            let store = |value: V, to: *mut F| match whole {
                true => value.store(to),
                false => value.store_first(to, count),
            };
            if let Some(masks) = &self.masks {
                self.blend(simd, reading, states, [row, unit], &mut new);
                if let Some(to) = masks.masked.get(row) {
                    let mask = load::<V>(simd, masks.masks.get_unchecked(row).add(of_row), count);
                    store(new.as_ref()[0] * mask, to.add(of_row));
                }
            }
            let projected = reading.geometry.projected.is_some();
            for (index, state) in states.as_ref().iter().enumerate() {
                if index > 0 || !projected {
                    store(new.as_ref()[index], state.new.add(row * state.row + of_row));
                }
            }
            let output = self
                .outputs
                .get_unchecked(row)
                .add(self.output_offset + unit);
            store(new.as_ref()[0], output);
            if self.keep {
                let (slots, stride) = (reading.slots(row, unit), reading.gate_stride);
                for (extra, new) in new.into_iter().skip(1).enumerate() {
                    new.store(slots.add((reading.geometry.slots() + extra) * stride));
                }
            }
        }
    }

    /// Puts back what states keep of their old values; the new ones stay in the slab, for the derivative.
    ///
    /// # Safety
    /// As for [`end`](Self::end).
    #[inline(always)]
    unsafe fn blend<V: Vector<Element = F>, E: Equations>(
        &self,
        simd: V::Simd,
        reading: &Reading<'_, F, E>,
        states: &E::States<State<F>>,
        [row, unit]: [usize; 2],
        new: &mut E::States<V>,
    ) {
        let Some(StateMasks { keep, first, .. }) = self.masks else {
            return;
        };
        let (geometry, of_row) = (reading.geometry, reading.first + unit);
        if !geometry.blends {
            return;
        }
        // SAFETY: as in `end`.
        unsafe {
            if self.keep {
                let (slots, stride) = (reading.slots(row, unit), reading.gate_stride);
                for (index, new) in new.as_ref().iter().enumerate() {
                    new.store(slots.add(geometry.new_slot(index) * stride));
                }
            }
            let one = V::splat(simd, F::ONE);
            for (index, new) in new.as_mut().iter_mut().enumerate() {
                let Some(from) = keep.get(index).and_then(|rows| rows.get(first + row)) else {
                    continue;
                };
                let keep = load::<V>(simd, from.add(of_row), reading.units - unit);
                let state = &states.as_ref()[index];
                let old = V::load(simd, state.old.add(row * state.row + of_row));
                *new = keep * old + (one - keep) * *new;
            }
        }
    }
}

/// A cell's middle vector on one panel of all rows of a step.
pub(super) struct Middle<'a, F, E> {
    pub(super) reading: Reading<'a, F, E>,
    /// Where the middle vector goes, one row each.
    pub(super) outputs: &'a [*mut F],
}

impl<F: Element, E: Equations> WithSimd for Middle<'_, F, E> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (reading, states) = (&self.reading, self.reading.states());
        for (row, output) in self.outputs.iter().enumerate() {
            for unit in (0..reading.units).step_by(F::Vector::<S>::LANES) {
                // SAFETY: as for `Advance`; the middle vector has room for whole panels.
                unsafe {
                    let (input, hidden, old, units) =
                        reading.arguments::<F::Vector<S>>(simd, &states, row, unit);
                    let middle = reading.equations.middle(input, hidden, old, units);
                    middle.store(output.add(reading.first + unit));
                }
            }
        }
    }
}
