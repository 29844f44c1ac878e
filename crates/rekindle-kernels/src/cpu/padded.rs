//! States in rows that are filled up to whole panels.

use super::Plan;
use super::buffer::Buffer;
use super::geometry::Geometry;
use super::vector::Element;

impl Plan {
    /// The rows of a state, `[batch, d_hidden]`, at `positions`: `[row, padded hidden]`, 0 where there are no units.
    ///
    /// # Safety
    /// `state` is readable for the whole state, and nobody writes these rows of it meanwhile.
    pub(super) unsafe fn pad<F: Element>(
        &self,
        state: *const F,
        positions: &[usize],
        geometry: &Geometry,
    ) -> Buffer<F> {
        let padded: Buffer<F> = Buffer::zeros(positions.len() * geometry.padded_hidden());
        for (row, &position) in positions.iter().enumerate() {
            // SAFETY: both have `d_hidden` numbers there; the caller answers for the state.
            unsafe {
                let from = state.add(self.timetable.row(position) * self.d_hidden);
                let to = padded.start().add(row * geometry.padded_hidden());
                to.copy_from_nonoverlapping(from, self.d_hidden);
            }
        }
        padded
    }

    /// The way back of [`pad`](Self::pad).
    ///
    /// # Safety
    /// `state` is writable for the whole state, and nobody else uses these rows of it meanwhile.
    pub(super) unsafe fn unpad<F: Element>(
        &self,
        padded: &Buffer<F>,
        state: *mut F,
        positions: &[usize],
        geometry: &Geometry,
    ) {
        for (row, &position) in positions.iter().enumerate() {
            // SAFETY: both have `d_hidden` numbers there; the caller answers for the state.
            unsafe {
                let from = padded.start().add(row * geometry.padded_hidden());
                let to = state.add(self.timetable.row(position) * self.d_hidden);
                to.copy_from_nonoverlapping(from, self.d_hidden);
            }
        }
    }
}
