//! A cell's equations on the registers of one panel.

use pulp::{Simd, WithSimd};

use super::buffer::Buffer;
use super::geometry::Geometry;
use super::vector::{Element, Vector};
use crate::Equations;

/// Where one state lies before and after a step.
#[derive(Clone, Copy)]
pub(super) struct State<F> {
    pub(super) old: *const F,
    pub(super) new: *mut F,
}

impl<F: Copy> State<F> {
    /// A state whose new value takes the place of the old one.
    pub(super) fn in_place(state: &Buffer<F>) -> Self {
        Self {
            old: state.start(),
            new: state.start(),
        }
    }
}

/// A cell's equations on one panel of all rows of a step.
pub(super) struct Advance<'a, F, E, const GATES: usize, const STATES: usize, const SAVED: usize> {
    pub(super) equations: &'a E,
    pub(super) geometry: &'a Geometry,
    /// Units of this panel that there really are.
    pub(super) units: usize,
    /// `h W_hh + b_hh` of this panel in the first row, and from one row to the next.
    pub(super) products: *const F,
    pub(super) product_row: usize,
    /// `x W_ih + b_ih`, one row each, and where this panel starts in it; in training the activations take its place.
    pub(super) inputs: &'a [*mut F],
    pub(super) input_offset: usize,
    /// From one gate to the next in both products, and from one slot to the next.
    pub(super) gate_stride: usize,
    pub(super) states: [State<F>; STATES],
    /// From one row of a state to the next, and to this panel's first unit.
    pub(super) state_row: usize,
    pub(super) state_offset: usize,
    pub(super) outputs: &'a [*mut F],
    pub(super) output_offset: usize,
    /// Whether to put the activations and the new states in the place of the input product.
    pub(super) keep: bool,
}

impl<F, E, const GATES: usize, const STATES: usize, const SAVED: usize> WithSimd
    for Advance<'_, F, E, GATES, STATES, SAVED>
where
    F: Element,
    E: Equations<GATES, STATES, SAVED>,
{
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for row in 0..self.inputs.len() {
            let mut unit = 0;
            while unit < self.units {
                // SAFETY: who builds this answers for its pointers; row and units are in range of them.
                unsafe { self.units::<F::Vector<S>>(simd, row, unit) };
                unit += F::Vector::<S>::LANES;
            }
        }
    }
}

impl<F, E, const GATES: usize, const STATES: usize, const SAVED: usize>
    Advance<'_, F, E, GATES, STATES, SAVED>
where
    F: Element,
    E: Equations<GATES, STATES, SAVED>,
{
    /// The units in one register, from `unit` on.
    #[inline(always)]
    unsafe fn units<V: Vector<Element = F>>(&self, simd: V::Simd, row: usize, unit: usize) {
        let stride = self.gate_stride;
        let state = row * self.state_row + self.state_offset + unit;
        // SAFETY: a row of a panel has `stride` numbers for each gate, slot and state.
        unsafe {
            let slots = self.inputs.get_unchecked(row).add(self.input_offset + unit);
            let products = self.products.add(row * self.product_row + unit);
            let input = std::array::from_fn(|gate| V::load(simd, slots.add(gate * stride)));
            let hidden = std::array::from_fn(|gate| V::load(simd, products.add(gate * stride)));
            let old = self.states.map(|at| V::load(simd, at.old.add(state)));
            let (new, saved) = self.equations.forward(input, hidden, old);

            for (at, new) in self.states.iter().zip(new) {
                new.store(at.new.add(state));
            }
            let output = self
                .outputs
                .get_unchecked(row)
                .add(self.output_offset + unit);
            match self.units - unit {
                count if count < V::LANES => new[0].store_first(output, count),
                _ => new[0].store(output),
            }
            if self.keep {
                for (slot, saved) in saved.into_iter().enumerate() {
                    saved.store(slots.add(slot * stride));
                }
                for (extra, new) in new.into_iter().skip(1).enumerate() {
                    new.store(slots.add((self.geometry.slots() + extra) * stride));
                }
            }
        }
    }
}
