//! Laws of training: noise, and statistics of a batch. What holds in evaluation as well is in `laws`.
//!
//! The random numbers of a device are shared by all threads, so every test holds one lock.

#[allow(dead_code, reason = "the table and the combinations are laws' own")]
mod common;
#[path = "laws/gradients.rs"]
mod gradients;
#[path = "training/loops.rs"]
mod loops;
#[path = "training/modes.rs"]
mod modes;
#[path = "laws/padding.rs"]
#[allow(dead_code, reason = "rows see each other in statistics of a batch")]
mod padding;
#[path = "training/subjects.rs"]
mod subjects;
#[path = "laws/time.rs"]
#[allow(dead_code, reason = "noise and statistics differ from call to call")]
mod time;

use std::sync::{Mutex, MutexGuard};

use rekindle_cells::Cell;
use rekindle_testkit::devices;

use common::states::{assert_states_close, tensors};
use common::{Network, Subject, with_config};

static RANDOM: Mutex<()> = Mutex::new(());

/// Keeps other tests from drawing random numbers.
fn lock() -> MutexGuard<'static, ()> {
    RANDOM.lock().unwrap_or_else(|broken| broken.into_inner())
}

/// A law: something that holds for every network in training.
trait Law {
    fn check<C: Cell>(&self, network: &Network<C>);
}

/// Checks a law on every device.
fn check(law: &impl Law, subjects: &[Subject]) {
    let _guard = lock();
    for device in devices!() {
        for subject in subjects {
            with_config!(&subject.cell, config => law.check(&subject.training(config.as_ref(), &device)));
        }
    }
}

#[test]
fn gradients_are_finite_differences() {
    check(&gradients::FiniteDifferences, &subjects::all());
}

#[test]
fn padding_never_changes_anything() {
    check(&padding::Padding, &subjects::all());
}

#[test]
fn time_first_equals_batch_first() {
    check(&time::TimeMajor, &subjects::all());
}

#[test]
fn reverse_is_forward_over_reversed_valid_steps() {
    // The masks of noise have their places in time.
    check(&time::Reverse, &subjects::norms());
}
