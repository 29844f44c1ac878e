//! Law: the fused scan equals the reference, which is composed of tensor operations and differentiated by Burn: in
//! outputs, final states and the gradients of everything that a scan reads.
//!
//! Every comparison counts what the equations were called with: the fused scan calls them with registers, the
//! reference with tensors. So no comparison passes because both ways are the same one.

#[path = "common/activations.rs"]
mod activations;
#[path = "common/equations.rs"]
mod equations;
#[path = "fused/graphs.rs"]
mod graphs;
#[path = "fused/inside.rs"]
mod inside;
#[path = "fused/setting.rs"]
mod setting;
#[path = "fused/spy.rs"]
mod spy;

use burn::tensor::{DType, Device, Tensor};
use rekindle_cells::{Equations, Layout, Order};
use rekindle_testkit::{assert_close, devices};

use equations::{EquationsLaw, Numbers, every_cell, every_option};
use inside::{Inside, Kept, Kind, Steps};
use setting::{Arguments, Leaves, Loss, Setting, Tracked};
use spy::{Spy, Way};

/// Cells with options meet one of so many settings, each line others. A prime number: settings come in sixes.
const SAMPLE: usize = 7;
/// In `f32`, equations with kinks meet settings of up to so many hidden numbers: batch · steps · units.
const FEW: usize = 400;

/// Calls `check` on every CPU device, with gradients, in both types of numbers.
fn every_device(check: impl Fn((&Device, DType))) {
    for device in devices!() {
        for dtype in [DType::F32, DType::F64] {
            check((&device.clone().autodiff(), dtype));
        }
    }
}

/// The law, for one setting.
fn fused_equals_reference<E: Equations>(
    name: &str,
    equations: &E,
    numbers: Numbers,
    setting: &Setting,
    options: (&Device, DType),
) {
    let [batch, seq, _, d_hidden] = setting.shape;
    let is_large = batch * seq * d_hidden > FEW;
    let is_coarse = numbers == Numbers::Coarse && !setting.inside.rounds();
    let is_kinked = numbers != Numbers::Fine && !is_coarse;
    if is_kinked && options.1 == DType::F32 && is_large {
        return;
    }
    let what = format!("{name}, {options:?}, {setting:?}");
    let [fused, expected] = [Way::Fused, Way::Reference].map(|way| {
        let spy = Spy::on(equations.clone());
        let leaves = Leaves::new(&spy, setting, numbers, options);
        let scanned = way.scan(&spy, leaves.scan());
        let gradients = match setting.tracked {
            Tracked::None => Vec::new(),
            _ => leaves.gradients(&setting.loss.of(&scanned)),
        };
        let [.., derivatives] = spy.counts();
        let by_hand = way == Way::Fused && !gradients.is_empty();
        assert_eq!(
            derivatives > 0,
            by_hand,
            "{what}: {derivatives} derivatives"
        );
        (scanned, gradients)
    });
    assert_close(
        &fused.0.output,
        &expected.0.output,
        &format!("{what}: output"),
    );
    let states = fused.0.state.as_ref().iter().zip(expected.0.state.as_ref());
    for (s, (fused, expected)) in states.enumerate() {
        assert_close(fused, expected, &format!("{what}: state {s}"));
    }
    let [taken, expected_taken] = [&fused, &expected].map(|(scanned, _)| {
        let statistics = &scanned.statistics;
        let all = [&statistics.input, &statistics.hidden, &statistics.shown];
        all.into_iter().flatten().flatten().collect::<Vec<_>>()
    });
    assert_eq!(taken.len(), expected_taken.len(), "{what}: statistics");
    for (taken, expected) in taken.into_iter().zip(expected_taken) {
        assert_close(taken, expected, &format!("{what}: statistics"));
        assert!(!taken.is_tracked(), "{what}: statistics have gradients");
    }
    for (argument, (fused, expected)) in fused.1.iter().zip(&expected.1).enumerate() {
        let what = format!("{what}: gradient of argument {argument}");
        assert_gradients_close(fused.as_ref(), expected.as_ref(), &what);
        let wanted = setting.wants(argument, Arguments::of(equations));
        assert_eq!(fused.is_some(), wanted, "{what}: whether there is one");
    }
}

/// Asserts that a gradient of the fused scan equals Burn's, which leaves out what no path leads to.
fn assert_gradients_close(fused: Option<&Tensor<1>>, expected: Option<&Tensor<1>>, what: &str) {
    match (fused, expected) {
        (Some(fused), Some(expected)) => assert_close(fused, expected, what),
        (Some(fused), None) => assert_close(fused, &fused.zeros_like(), what),
        (None, Some(_)) => panic!("{what} is missing"),
        (None, None) => {}
    }
}

/// The law, for the settings that suit some arguments. Of `sample` settings one is taken.
struct EqualsReference<F> {
    settings: F,
    sample: usize,
}

impl<F: Fn(Arguments) -> Vec<Setting>> EquationsLaw for EqualsReference<F> {
    fn check<E: Equations>(&self, name: &str, equations: &E, numbers: Numbers) {
        let settings = (self.settings)(Arguments::of(equations));
        let first = name.bytes().map(usize::from).sum::<usize>() % self.sample;
        every_device(|options| {
            let sampled = settings.iter().skip(first).step_by(self.sample);
            let suits = |setting: &&Setting| {
                let projected = setting.d_projected.is_some();
                (!projected || equations::can_be_projected(equations))
                    && setting.inside.suits(equations, projected)
            };
            for setting in sampled.filter(suits) {
                fused_equals_reference(name, equations, numbers, setting, options);
            }
        });
    }
}

/// The law for all equations.
fn equals_reference(settings: impl Fn(Arguments) -> Vec<Setting>) {
    let mut law = EqualsReference {
        settings,
        sample: 1,
    };
    every_cell(&law);
    law.sample = SAMPLE;
    every_option(&law);
}

/// All lengths and orders of each setting.
fn with_lengths_and_orders(settings: impl IntoIterator<Item = Setting>) -> Vec<Setting> {
    let settings = settings.into_iter();
    settings
        .flat_map(|setting| setting.with_lengths_and_orders())
        .collect()
}

#[test]
fn every_shape() {
    equals_reference(|_| {
        let shapes = [
            [1, 1, 1, 1],
            [1, 6, 1, 1],
            [1, 5, 3, 20],
            [2, 3, 1, 3],
            [2, 2, 70, 3],
            [3, 4, 5, 1],
            [4, 1, 3, 17],
            [5, 6, 3, 33],
            [19, 3, 4, 70],
            [37, 2, 2, 5],
        ];
        let settings = shapes.into_iter().flat_map(|shape| {
            [true, false].map(|bias| Setting {
                bias,
                ..Setting::new(shape)
            })
        });
        with_lengths_and_orders(settings)
    });
}

#[test]
fn every_loss() {
    equals_reference(|arguments| {
        let mut losses = vec![
            Loss::Sequence,
            Loss::Sum,
            Loss::Part,
            Loss::Swapped,
            Loss::Twice,
        ];
        losses.extend((0..arguments.states).map(Loss::State));
        let settings = [[1, 1, 2, 3], [3, 4, 3, 5]].into_iter().flat_map(|shape| {
            let with = |&loss| Setting {
                loss,
                ..Setting::new(shape)
            };
            losses.iter().map(with).collect::<Vec<_>>()
        });
        with_lengths_and_orders(settings)
    });
}

#[test]
fn every_choice_of_gradients() {
    equals_reference(|arguments| {
        let tracked = 0..arguments.count();
        let tracked = tracked.flat_map(|i| [Tracked::Only(i), Tracked::AllBut(i)]);
        let losses = [
            Loss::Everything,
            Loss::Sequence,
            Loss::State(arguments.states - 1),
        ];
        let mut all = Vec::new();
        for tracked in tracked {
            for loss in losses {
                for order in [Order::Forward, Order::Reverse] {
                    all.extend([None, Some(2)].map(|d_projected| Setting {
                        tracked,
                        loss,
                        order,
                        d_projected,
                        lengths: Some(vec![4, 0, 2]),
                        ..Setting::new([3, 4, 3, 5])
                    }));
                }
            }
        }
        // What takes no part cannot need a gradient alone.
        all.retain(|setting| (0..arguments.count()).any(|a| setting.wants(a, arguments)));
        all
    });
}

#[test]
fn nothing_to_differentiate() {
    equals_reference(|_| {
        let settings = [[3, 4, 3, 5], [1, 1, 3, 20]].map(|shape| Setting {
            tracked: Tracked::None,
            ..Setting::new(shape)
        });
        with_lengths_and_orders(settings)
    });
}

#[test]
fn views() {
    equals_reference(|arguments| {
        let mut settings = Vec::new();
        for loss in [
            Loss::Everything,
            Loss::Swapped,
            Loss::State(arguments.states - 1),
        ] {
            settings.extend([None, Some(2)].map(|d_projected| Setting {
                views: true,
                d_projected,
                loss,
                ..Setting::new([3, 4, 3, 5])
            }));
        }
        with_lengths_and_orders(settings)
    });
}

#[test]
fn projection() {
    equals_reference(|_| {
        let shapes = [
            ([1, 1, 1, 2], 1),
            ([1, 5, 3, 20], 7),
            ([3, 4, 5, 4], 3),
            ([5, 6, 3, 33], 17),
            ([19, 3, 4, 70], 20),
        ];
        let settings = shapes.into_iter().flat_map(|(shape, d_projected)| {
            [true, false].map(|bias| Setting {
                bias,
                d_projected: Some(d_projected),
                ..Setting::new(shape)
            })
        });
        with_lengths_and_orders(settings)
    });
}

#[test]
fn parameters_of_units_left_out() {
    equals_reference(|arguments| {
        let shapes = [[1, 1, 1, 1], [3, 4, 3, 5], [5, 3, 2, 33]];
        let settings = shapes.into_iter().flat_map(|shape| {
            [None, Some(1)].map(|d_projected| Setting {
                units: false,
                d_projected,
                ..Setting::new(shape)
            })
        });
        let mut settings = with_lengths_and_orders(settings);
        settings.retain(|_| arguments.units > 0);
        settings
    });
}

#[test]
fn time_first() {
    equals_reference(|_| {
        let shapes = [
            ([1, 1, 1, 1], None),
            ([1, 5, 3, 20], Some(7)),
            ([3, 4, 5, 4], None),
            ([4, 6, 3, 33], Some(2)),
            ([19, 3, 4, 21], None),
        ];
        let settings = shapes.into_iter().flat_map(|(shape, d_projected)| {
            [false, true].map(|views| Setting {
                layout: Layout::TimeMajor,
                d_projected,
                views,
                ..Setting::new(shape)
            })
        });
        with_lengths_and_orders(settings)
    });
}

/// Settings of all shapes, lengths and orders for each of these insides.
fn with_insides(insides: &[Inside]) -> Vec<Setting> {
    let shapes = [
        ([1, 1, 1, 1], None, Layout::BatchFirst),
        ([1, 6, 3, 20], None, Layout::TimeMajor),
        ([3, 4, 5, 4], Some(3), Layout::BatchFirst),
        ([3, 5, 3, 5], None, Layout::BatchFirst),
        ([5, 6, 3, 33], Some(37), Layout::TimeMajor),
        ([19, 3, 4, 35], None, Layout::BatchFirst),
    ];
    let settings = shapes.into_iter().flat_map(|(shape, d_projected, layout)| {
        insides.iter().map(move |&inside| Setting {
            layout,
            d_projected,
            inside,
            ..Setting::new(shape)
        })
    });
    with_lengths_and_orders(settings)
}

#[test]
fn masks() {
    let of = |hidden, candidate, keep| Inside {
        hidden,
        candidate,
        keep,
        ..Inside::default()
    };
    let insides = [
        of(true, None, None),
        of(false, Some(Steps::One), None),
        of(false, Some(Steps::All), None),
        of(false, None, Some(Kept::Fractions)),
        of(false, None, Some(Kept::Masks)),
        of(false, None, Some(Kept::Hidden)),
        of(false, None, Some(Kept::Others)),
        of(true, Some(Steps::All), Some(Kept::Masks)),
        of(true, None, Some(Kept::Fractions)),
        of(true, Some(Steps::One), Some(Kept::Others)),
    ];
    equals_reference(|_| with_insides(&insides));
}

#[test]
fn norms() {
    use Kind::*;
    let of = |norms| Inside {
        norms,
        ..Inside::default()
    };
    let insides = [
        of([Some(Layer), None, None]),
        of([Some(Rms), None, None]),
        of([None, Some(Layer), None]),
        of([None, Some(Rms), None]),
        of([None, None, Some(Layer)]),
        of([None, None, Some(Rms)]),
        of([Some(Part), Some(Part), Some(Part)]),
        of([Some(Layer), Some(Layer), Some(Layer)]),
        of([Some(Rms), Some(Rms), None]),
        of([Some(Part), None, Some(Part)]),
        of([Some(Batch), None, None]),
        of([None, Some(Batch), None]),
        of([None, None, Some(Batch)]),
        of([Some(Batch), Some(Batch), Some(Batch)]),
        of([Some(Given), None, None]),
        of([Some(Given), Some(Given), Some(Given)]),
        of([Some(Given), Some(Batch), Some(Layer)]),
    ];
    equals_reference(|_| with_insides(&insides));
}

#[test]
fn norms_and_masks() {
    use Kind::*;
    let of = |hidden, candidate, keep, norms| Inside {
        hidden,
        candidate,
        keep,
        norms,
    };
    let insides = [
        of(true, None, None, [Some(Layer), Some(Layer), None]),
        of(
            false,
            Some(Steps::All),
            None,
            [None, Some(Rms), Some(Layer)],
        ),
        of(false, None, Some(Kept::Masks), [None, None, Some(Layer)]),
        of(
            false,
            None,
            Some(Kept::Fractions),
            [Some(Rms), Some(Layer), None],
        ),
        of(
            true,
            Some(Steps::All),
            Some(Kept::Masks),
            [Some(Layer), Some(Layer), Some(Layer)],
        ),
        of(
            true,
            Some(Steps::One),
            Some(Kept::Others),
            [Some(Part), Some(Part), Some(Part)],
        ),
        of(true, None, Some(Kept::Masks), [Some(Layer), None, None]),
        of(
            false,
            None,
            Some(Kept::Others),
            [Some(Rms), None, Some(Rms)],
        ),
        of(true, Some(Steps::All), Some(Kept::Masks), [Some(Batch); 3]),
        of(
            true,
            None,
            Some(Kept::Masks),
            [Some(Given), Some(Batch), None],
        ),
    ];
    equals_reference(|_| with_insides(&insides));
}

#[test]
fn devices_that_recompute_and_devices_without_gradients() {
    struct Devices;
    impl EquationsLaw for Devices {
        fn check<E: Equations>(&self, name: &str, equations: &E, numbers: Numbers) {
            for device in devices!() {
                for dtype in [DType::F32, DType::F64] {
                    let check = |setting: &Setting, device: &Device| {
                        for setting in setting.with_lengths_and_orders() {
                            let options = (device, dtype);
                            fused_equals_reference(name, equations, numbers, &setting, options);
                        }
                    };
                    let setting = Setting::new([3, 4, 3, 5]);
                    check(
                        &setting,
                        &device.clone().autodiff().gradient_checkpointing(),
                    );
                    let tracked = Tracked::None;
                    check(&Setting { tracked, ..setting }, &device);
                }
            }
        }
    }
    every_cell(&Devices);
    every_option(&Devices);
}
