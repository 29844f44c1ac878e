//! States in rows that are filled up to whole panels.

use super::Plan;
use super::vector::Element;

impl Plan {
    /// Copies the rows of a state, `[batch, columns]`, at `positions` to rows of their own, which lie `stride` apart.
    ///
    /// # Safety
    /// `state` is readable for the whole state, and nobody writes these rows of it meanwhile; `padded` has the rows.
    pub(super) unsafe fn pad<F: Element>(
        &self,
        state: *const F,
        columns: usize,
        positions: &[usize],
        (padded, stride): (*mut F, usize),
    ) {
        for (row, &position) in positions.iter().enumerate() {
            // SAFETY: both have the columns there; the caller answers for it.
            unsafe {
                let from = state.add(self.timetable.row(position) * columns);
                padded
                    .add(row * stride)
                    .copy_from_nonoverlapping(from, columns);
            }
        }
    }

    /// The way back of [`pad`](Self::pad).
    ///
    /// # Safety
    /// `state` is writable for the whole state, and nobody else uses these rows of it meanwhile; `padded` has the rows.
    pub(super) unsafe fn unpad<F: Element>(
        &self,
        (padded, stride): (*const F, usize),
        state: *mut F,
        columns: usize,
        positions: &[usize],
    ) {
        for (row, &position) in positions.iter().enumerate() {
            // SAFETY: both have the columns there; the caller answers for it.
            unsafe {
                let to = state.add(self.timetable.row(position) * columns);
                to.copy_from_nonoverlapping(padded.add(row * stride), columns);
            }
        }
    }
}
