//! Laws that hold for every cell with every option, in every stack, on every CPU backend, and for random combinations of
//! all options.
//!
//! A new cell or option is one line in `common/options.rs`, a new law one line in `laws!`.

mod common;
#[path = "laws/gradients.rs"]
mod gradients;
#[path = "laws/padding.rs"]
mod padding;
#[path = "laws/places.rs"]
mod places;
#[path = "laws/subjects.rs"]
mod subjects;
#[path = "laws/time.rs"]
mod time;

use rekindle_cells::Cell;
use rekindle_testkit::devices;

use common::states::{assert_states_close, tensors};
use common::{Network, Subject, with_config};

/// A law: something that holds for every network.
trait Law {
    fn check<C: Cell>(&self, network: &Network<C>);
}

/// Checks a law on every device.
fn check(law: &impl Law, subjects: Vec<Subject>) {
    for device in devices!() {
        for subject in &subjects {
            with_config!(&subject.cell, config => law.check(&subject.network(config.as_ref(), &device)));
        }
    }
}

/// Tests each law on the table and on the combinations.
macro_rules! laws {
    ($($name:ident: $law:expr,)*) => {
        mod every_option {
            $(#[test]
            fn $name() {
                super::check(&$law, super::common::options::table());
            })*
        }

        mod random_combinations {
            $(#[test]
            fn $name() {
                super::check(&$law, super::common::combinations::combinations());
            })*
        }
    };
}

laws! {
    split_equals_whole: crate::time::Split,
    steps_equal_sequence: crate::time::Steps,
    later_inputs_never_reach_earlier_outputs: crate::time::Causal,
    reverse_is_forward_over_reversed_valid_steps: crate::time::Reverse,
    time_first_equals_batch_first: crate::time::TimeMajor,
    rows_never_see_each_other: crate::padding::Rows,
    padding_never_changes_anything: crate::padding::Padding,
    outputs_end_with_the_final_state: crate::padding::Ends,
    gradients_are_finite_differences: crate::gradients::FiniteDifferences,
    a_record_gives_back_the_same_bits: crate::places::RoundTrip,
    backends_agree: crate::places::Backends,
}
