//! Laws of the graph around fused scans: shared tensors, tensors without gradients, scans that feed each other, single
//! steps, and what is left on the tape.

use burn::backend::autodiff::NodeId;
use burn::tensor::Tensor;
use rekindle_cells::{Array, Equations, Order};
use rekindle_kernels::{reference, step};
use rekindle_testkit::assert_close;

use crate::equations::{EquationsLaw, Numbers, can_be_projected, every_cell, every_option};
use crate::setting::{Arguments, Leaves, Loss, Setting};
use crate::spy::{Spy, Way};
use crate::{assert_gradients_close, every_device};

/// A law for all equations.
fn every_line(law: &impl EquationsLaw) {
    every_cell(law);
    every_option(law);
}

/// Checks that both ways give the same tensors, and all of them.
fn assert_same_both_ways(name: &str, results: impl Fn(Way) -> Vec<Option<Tensor<1>>>) {
    let [fused, expected] = [Way::Fused, Way::Reference].map(results);
    for (fused, expected) in fused.into_iter().zip(expected) {
        assert_gradients_close(fused.as_ref(), expected.as_ref(), name);
    }
}

/// Law: where one tensor stands for several arguments, its gradient is the sum of theirs.
struct SharedTensors;

impl EquationsLaw for SharedTensors {
    fn check<E: Equations>(&self, name: &str, equations: &E, numbers: Numbers) {
        every_device(|options| {
            let setting = Setting::new([3, 4, 5, 5]);
            assert_same_both_ways(name, |way| {
                let spy = Spy::on(equations.clone());
                let mut leaves = Leaves::new(&spy, &setting, numbers, options);
                leaves.weights = vec![leaves.weights[0].clone(); leaves.weights.len()];
                leaves.vectors[1] = leaves.vectors[0].clone();
                let units = leaves.vectors.get(2).cloned();
                for (to, of_units) in leaves.vectors.iter_mut().skip(2).zip(units.iter().cycle()) {
                    *to = of_units.clone();
                }
                let state = leaves.state.as_ref()[0].clone();
                leaves.state = E::States::from_fn(|_| state.clone());
                let scanned = way.scan(&spy, leaves.scan());
                leaves.gradients(&Loss::Everything.of(&scanned))
            });
        });
    }
}

#[test]
fn one_tensor_for_several_arguments() {
    every_line(&SharedTensors);
}

/// Law: what lies on a device without gradients takes part as something that needs none.
struct PlainArguments;

impl EquationsLaw for PlainArguments {
    fn check<E: Equations>(&self, name: &str, equations: &E, numbers: Numbers) {
        every_device(|options| {
            let setting = Setting::new([3, 4, 5, 5]);
            let arguments = Arguments::of(equations);
            assert_same_both_ways(name, |way| {
                let spy = Spy::on(equations.clone());
                let leaves = Leaves::new(&spy, &setting, numbers, options);
                let mut whole = leaves.scan();
                whole.input = whole.input.inner();
                for state in whole.state.as_mut() {
                    *state = state.clone().inner();
                }
                let scanned = way.scan(&spy, whole);
                let gradients = leaves.gradients(&Loss::Everything.of(&scanned));
                for (argument, gradient) in gradients.iter().enumerate() {
                    let is_plain = argument == 0 || argument >= arguments.first_state();
                    assert!(
                        !(is_plain && gradient.is_some()),
                        "{name}: argument {argument}"
                    );
                    if setting.wants(argument, arguments) && !is_plain && way == Way::Fused {
                        assert!(gradient.is_some(), "{name}: argument {argument}");
                    }
                }
                gradients
            });
        });
    }
}

#[test]
fn arguments_on_a_device_without_gradients() {
    every_line(&PlainArguments);
}

/// Law: scans that feed each other make one graph. Here a layer that reads in both directions, and one above it that
/// reads the sum of both and starts from their final states; in the loss are outputs of each.
struct ScansOfScans;

impl EquationsLaw for ScansOfScans {
    fn check<E: Equations>(&self, name: &str, equations: &E, numbers: Numbers) {
        every_device(|options| {
            let mut setting = Setting::new([3, 4, 5, 5]);
            setting.lengths = Some(vec![4, 0, 2]);
            assert_same_both_ways(name, |way| {
                let spy = Spy::on(equations.clone());
                let leaves = Leaves::new(&spy, &setting, numbers, options);
                let forward = way.scan(&spy, leaves.scan());
                let mut reverse = leaves.scan();
                reverse.order = Order::Reverse;
                let reverse = way.scan(&spy, reverse);
                let last = Arguments::of(&spy).states - 1;
                let mut above = leaves.scan();
                above.input = forward.output.clone() + reverse.output.clone();
                above.state = reverse.state.clone();
                above.state.as_mut()[0] =
                    forward.state.as_ref()[last].clone() * reverse.state.as_ref()[0].clone();
                let above = way.scan(&spy, above);
                let loss = Loss::Everything.of(&above) + Loss::Part.of(&forward);
                let mut all = leaves.gradients(&(loss + Loss::State(last).of(&reverse)));
                all.push(Some(above.output.inner().reshape([-1])));
                all
            });
        });
    }
}

#[test]
fn scans_of_scans() {
    every_line(&ScansOfScans);
}

/// Law: a single step is a scan of one step, and as fused.
struct SingleSteps;

impl EquationsLaw for SingleSteps {
    fn check<E: Equations>(&self, name: &str, equations: &E, numbers: Numbers) {
        every_device(|options| {
            for (batch, d_projected) in [(1, None), (2, Some(3)), (9, None)] {
                let setting = Setting {
                    d_projected: d_projected.filter(|_| can_be_projected(equations)),
                    ..Setting::new([batch, 1, 3, 20])
                };
                let spy = Spy::on(equations.clone());
                let leaves = Leaves::new(&spy, &setting, numbers, options);
                let whole = leaves.scan();
                let x = whole.input.clone().squeeze_dim(1);
                let stepped = step(&spy, x, whole.state.clone(), &whole.parameters);
                let [tensors, registers, _] = spy.counts();
                assert!(tensors == 0 && registers > 0, "{name}: a step on tensors");
                let expected = reference::scan(&spy, whole);
                for (stepped, expected) in stepped.as_ref().iter().zip(expected.state.as_ref()) {
                    assert_close(stepped, expected, name);
                }
            }
        });
    }
}

#[test]
fn single_steps() {
    every_line(&SingleSteps);
}

/// Law: the tape of a fused scan does not grow with its steps.
struct NothingPerStep;

impl EquationsLaw for NothingPerStep {
    fn check<E: Equations>(&self, name: &str, equations: &E, numbers: Numbers) {
        const SEQ: usize = 200;
        every_device(|options| {
            let setting = Setting::new([1, SEQ, 1, 1]);
            let spy = Spy::on(equations.clone());
            let leaves = Leaves::new(&spy, &setting, numbers, options);
            let nodes = |way: Way| {
                let whole = leaves.scan();
                let first = NodeId::new().value;
                let scanned = way.scan(&spy, whole);
                let last = NodeId::new().value;
                // Burn keeps a tape until it is used.
                scanned.output.sum().backward();
                last - first
            };
            // Burn numbers the nodes of its tapes as they are made, those of tests that run beside this one, too. So a
            // count can only be too high, and one that is low enough proves the law.
            let fused = (0..1000).map(|_| nodes(Way::Fused));
            let too_high = fused.take_while(|&nodes| nodes >= SEQ as u64).count();
            assert!(
                too_high < 1000,
                "{name}: {SEQ} nodes or more for {SEQ} steps"
            );
            let composed = nodes(Way::Reference);
            assert!(composed > SEQ as u64, "{name}: {composed} nodes");
        });
    }
}

#[test]
fn nothing_on_the_tape_per_step() {
    every_line(&NothingPerStep);
}
