//! Law: in a relay every part of every phase is run once, after all parts of the phase before.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::relay::relay;

#[test]
fn a_phase_begins_when_the_one_before_is_done() {
    const PHASES: usize = 20;
    const COUNT: usize = 23;
    for workers in [1, 2, 3, 7] {
        let counts: Vec<AtomicUsize> = (0..PHASES * COUNT).map(|_| AtomicUsize::new(0)).collect();
        let of = |phase: usize| &counts[phase * COUNT..][..COUNT];
        let all_once = |counts: &[AtomicUsize]| {
            let mut counts = counts.iter().map(|count| count.load(Ordering::Relaxed));
            counts.all(|count| count == 1)
        };
        let early = AtomicUsize::new(0);
        relay(workers, PHASES, |phase, part| {
            if phase > 0 && !all_once(of(phase - 1)) {
                early.fetch_add(1, Ordering::Relaxed);
            }
            for item in part.of(COUNT) {
                of(phase)[item].fetch_add(1, Ordering::Relaxed);
            }
        });
        let early = early.into_inner();
        assert_eq!(early, 0, "parts that began early, of {workers} workers");
        assert!(all_once(&counts), "{workers} workers");
    }
}

#[test]
#[should_panic(expected = "a part went wrong")]
fn a_panic_ends_the_relay() {
    relay(3, 4, |phase, _part| {
        assert!(phase != 2, "a part went wrong")
    });
}
