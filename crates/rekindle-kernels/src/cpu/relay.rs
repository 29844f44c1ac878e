//! Several threads on one scan whose rows are too few to share: in each phase they share the hidden units.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{on_threads, part_of};

/// Runs `work(phase, part)` for every phase and every part of it, on `workers` threads. A phase begins when all parts of
/// the one before are done.
///
/// Nobody waits for a thread that has nothing in hand: a part is taken only once its phase has begun, by whoever is free.
/// So a thread that the system puts aside holds the others up by no more than the part that it is at.
pub(super) fn relay(workers: usize, phases: usize, work: impl Fn(usize, Part) + Sync) {
    if workers == 1 {
        return (0..phases).for_each(|phase| work(phase, Part { index: 0, parts: 1 }));
    }
    let parts = 2 * workers;
    let taken = AtomicUsize::new(0);
    let done = AtomicUsize::new(0);
    on_threads(vec![(); workers], |()| {
        loop {
            // Acquire: what the parts counted here have written is seen by the part taken below.
            let phase = done.load(Ordering::Acquire) / parts;
            if phase == phases {
                break;
            }
            let next = taken.load(Ordering::Relaxed);
            let open = next < (phase + 1) * parts;
            let swap = |next| {
                taken.compare_exchange_weak(next, next + 1, Ordering::Relaxed, Ordering::Relaxed)
            };
            if open && swap(next).is_ok() {
                let _counted = Counted(&done);
                let index = next % parts;
                work(next / parts, Part { index, parts });
            } else {
                std::hint::spin_loop();
            }
        }
    });
}

/// Counts a part as done when it ends, even by a panic: otherwise the others would wait for it for ever.
struct Counted<'a>(&'a AtomicUsize);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Release);
    }
}

/// A part of a phase.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    index: usize,
    parts: usize,
}

impl Part {
    /// This part's share of `0..count`; it may be empty.
    pub(super) fn of(self, count: usize) -> Range<usize> {
        part_of(count, self.index, self.parts)
    }
}
