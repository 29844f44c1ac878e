//! How much gradient reaches each state at each step.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::Plan;
use super::advance::load;
use super::backward::BackwardScan;
use super::backward_team::Step;
use super::buffer::zeros;
use super::vector::{Element, Vector};
use crate::{Equations, StateGradients};

/// `‖gradient + more‖²` of one row.
pub(crate) struct SquaredNorm<F> {
    gradient: *const F,
    /// What adds to the gradient, if there is anything.
    more: Option<*const F>,
    width: usize,
}

impl<F: Element> WithSimd for SquaredNorm<F> {
    type Output = F;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> F {
        let lanes = F::Vector::<S>::LANES;
        let mut sum = F::Vector::<S>::splat(simd, F::default());
        for column in (0..self.width).step_by(lanes) {
            let count = lanes.min(self.width - column);
            // SAFETY: who builds this answers for `width` numbers.
            unsafe {
                let at = |from: *const F| load::<F::Vector<S>>(simd, from.add(column), count);
                let mut gradient = at(self.gradient);
                if let Some(more) = self.more {
                    gradient = gradient + at(more);
                }
                sum = gradient.mul_add(gradient, sum);
            }
        }
        let mut numbers = [F::default(); MOST_LANES];
        assert!(lanes <= MOST_LANES, "a register has at most 16 numbers");
        // SAFETY: there is room for all lanes.
        unsafe { sum.store(numbers.as_mut_ptr()) };
        (numbers.into_iter()).fold(F::default(), |sum, number| sum + number)
    }
}

/// Numbers of type `f32` in a register of 512 bits.
const MOST_LANES: usize = 16;

impl<F: Element, E: Equations> BackwardScan<'_, F, E> {
    /// Notes how much gradient reaches the states of some rows after a step.
    pub(super) fn watch(&self, step: &Step<F, E>, rows: Range<usize>) {
        for index in rows {
            let row = &step.rows[index];
            let place = self.plan.timetable.row(step.positions[index]) * self.plan.seq + step.visit;
            for (state, to) in self.watched.iter().enumerate() {
                let (gradient, more) = match (state, step.projected.get(index)) {
                    (0, Some(&projected)) => (projected, None),
                    (0, None) => (row.gradients.as_ref()[0].cast_const(), row.output_gradient),
                    _ => (row.gradients.as_ref()[state].cast_const(), None),
                };
                let width = self.geometry.state_width(state);
                let norm = SquaredNorm {
                    gradient,
                    more,
                    width,
                };
                let square = F::squared_norm(self.plan.isa, norm);
                // SAFETY: there is a number for each row and step, which this thread alone writes.
                unsafe { to.get().add(place).write(square) };
            }
        }
    }
}

impl Plan {
    /// Room for what is noted of each of `states` states: a number for each row and step, if any is wanted.
    pub(super) fn room_for_flow<F: Element>(&self, states: usize) -> Vec<Vec<F>> {
        let count = self.timetable.batch() * self.seq;
        (0..states)
            .filter(|_| self.flow.is_some())
            .map(|_| zeros(count))
            .collect()
    }

    /// Leaves what was noted.
    pub(super) fn put_flow<F: Element>(&self, squares: Vec<Vec<F>>) {
        let Some(flow) = &self.flow else {
            return;
        };
        let mut lengths = vec![0; self.timetable.batch()];
        for position in 0..self.timetable.batch() {
            lengths[self.timetable.row(position)] = self.timetable.length(position);
        }
        let wide = |squares: Vec<F>| squares.into_iter().map(F::to_f64).collect();
        flow.put(StateGradients {
            lengths,
            seq: self.seq,
            squares: squares.into_iter().map(wide).collect(),
        });
    }
}
