//! The optimisers and averages against PyTorch (`reference/optimizers.json`), and their states through records.

mod common;

use burn::optim::{AdamWConfig, GradientsParams, ModuleOptimizer, Optimizer, OptimizerRecord};
use common::{OptimizerCase, Reference, Regression, assert_close};
use rekindle_optim::{Asgd, Average, Averager, Decay, Lookahead, Mode, NAdam, RAdam, Unit};

const STEPS: usize = 240;

/// An option of PyTorch's, or its default.
fn option(case: &OptimizerCase, name: &str, default: f64) -> f64 {
    case.options
        .get(name)
        .map_or(default, |value| value.as_f64().unwrap())
}

fn betas(case: &OptimizerCase) -> [f64; 2] {
    match case.options.get("betas") {
        Some(betas) => [0, 1].map(|at| betas[at].as_f64().unwrap()),
        None => [0.9, 0.999],
    }
}

fn decay(case: &OptimizerCase) -> Decay {
    match case.options.get("decoupled_weight_decay") {
        Some(_) => Decay::Decoupled,
        None => Decay::Coupled,
    }
}

fn asgd(case: &OptimizerCase) -> Asgd {
    Asgd {
        lambd: option(case, "lambd", 1e-4),
        alpha: option(case, "alpha", 0.75),
        t0: option(case, "t0", 1e6) as usize,
        weight_decay: option(case, "weight_decay", 0.0),
    }
}

fn optimizer(case: &OptimizerCase) -> ModuleOptimizer {
    let [beta_1, beta_2] = betas(case);
    let (epsilon, weight_decay) = (option(case, "eps", 1e-8), option(case, "weight_decay", 0.0));
    match case.kind.as_str() {
        "asgd" => asgd(case).into(),
        "radam" => RAdam {
            beta_1,
            beta_2,
            epsilon,
            weight_decay,
            decay: decay(case),
        }
        .into(),
        "nadam" => NAdam {
            beta_1,
            beta_2,
            epsilon,
            momentum_decay: option(case, "momentum_decay", 4e-3),
            weight_decay,
            decay: decay(case),
        }
        .into(),
        kind => panic!("{kind}"),
    }
}

#[test]
fn optimizers_equal_pytorch() {
    let reference = Reference::load();
    assert_eq!(reference.optimizers.len(), 10);
    for case in &reference.optimizers {
        let name = format!("{} {}", case.kind, case.options);
        let (lr, mut optimizer) = (option(case, "lr", f64::NAN), optimizer(case));
        let mut network = Regression::new(&reference);
        let mut averager = Averager::new(asgd(case).average());
        let mut checked = reference.checked.iter().enumerate().peekable();
        for step in 1..=STEPS {
            let grads = network.gradients(&reference, step - 1);
            network = optimizer.step(lr, network, grads);
            averager.after_step(step, 1, &network);
            if let Some((index, _)) = checked.next_if(|(_, checked)| **checked == step) {
                let name = format!("{name}, step {step}");
                assert_close(&network.values(), &case.after[index], 1e-10, &name);
                if case.kind == "asgd" {
                    let mean = averager.averaged().unwrap_or(&network).values();
                    assert_close(
                        &mean,
                        &case.averages[index],
                        1e-10,
                        &format!("mean of {name}"),
                    );
                }
            }
        }
        assert_eq!(checked.next(), None, "{name}");
    }
}

#[test]
fn averages_equal_pytorch() {
    let reference = Reference::load();
    assert_eq!(reference.averages.len(), 4);
    for case in &reference.averages {
        let mut average = case.average.clone();
        if average["kind"] == "swa" {
            average["unit"] = "step".into();
        }
        let average: Average = serde_json::from_value(average).unwrap();
        let mut averager = Averager::new(average);
        let mut optimizer = ModuleOptimizer::from(Asgd::new().with_lambd(0.0));
        let mut network = Regression::new(&reference);
        let mut after = case.after.iter();
        for step in 1..=STEPS {
            let grads = network.gradients(&reference, step - 1);
            network = optimizer.step(0.05, network, grads);
            averager.after_step(step, 1, &network);
            let started = averager.averaged().is_some();
            if started && reference.checked.contains(&step) {
                let (expected_step, expected) = after.next().unwrap();
                assert_eq!(*expected_step, step);
                let name = format!("{average:?}, step {step}");
                let found = averager.averaged().unwrap().values();
                assert_close(&found, expected, 1e-13, &name);
            }
        }
        assert!(after.next().is_none(), "{average:?}");
    }
}

/// Plain loops over numbers: an inner step of gradient descent, and every third one half a step back.
#[test]
fn lookahead_is_that_of_the_paper() {
    let reference = Reference::load();
    let (lr, steps, alpha) = (0.05, 3, 0.4);
    let inner = Asgd::new().with_lambd(0.0);
    let lookahead = Lookahead::new(inner).with_steps(steps).with_alpha(alpha);
    let mut optimizer = ModuleOptimizer::from(lookahead);
    let mut network = Regression::new(&reference);
    let (mut fast, mut slow) = (network.values(), network.values());
    for step in 1..=STEPS {
        let grads = network.gradients(&reference, step - 1);
        let gradient = network.values_of(&grads);
        network = optimizer.step(lr, network, grads);
        fast = fast.iter().zip(gradient).map(|(w, g)| w - lr * g).collect();
        if step % steps == 0 {
            let way = slow.iter().zip(&fast);
            slow = way
                .map(|(slow, fast)| slow + alpha * (fast - slow))
                .collect();
            fast.clone_from(&slow);
        }
        assert_close(&network.values(), &fast, 1e-10, &format!("step {step}"));
    }
}

/// A record in the middle of a run, as bytes, brings a new optimiser to the same bits.
#[test]
fn a_record_goes_on_with_the_same_bits() {
    let reference = Reference::load();
    type Make = Box<dyn Fn() -> ModuleOptimizer>;
    let adamw = || AdamWConfig::new().build();
    let all: Vec<(&str, Make)> = vec![
        ("asgd", Box::new(|| Asgd::new().with_lambd(0.1).into())),
        ("radam", Box::new(|| RAdam::new().into())),
        ("nadam", Box::new(|| NAdam::new().into())),
        (
            "lookahead of nadam",
            Box::new(|| Lookahead::new(NAdam::new()).into()),
        ),
        (
            "lookahead of asgd",
            Box::new(|| Lookahead::new(Asgd::new()).into()),
        ),
        (
            "lookahead of radam",
            Box::new(|| Lookahead::new(RAdam::new()).into()),
        ),
    ];
    for (name, make) in all {
        for cut in [1, 3, 12] {
            let (mut whole, mut network) = (make(), Regression::new(&reference));
            for step in 0..cut {
                let grads = network.gradients(&reference, step);
                network = whole.step(0.02, network, grads);
            }
            let bytes = whole.to_record().into_bytes().unwrap();
            let record = OptimizerRecord::from_bytes(bytes).unwrap();
            let (mut resumed, mut copy) = (make().load_record(record), network.clone());
            for step in cut..cut + 20 {
                let grads = network.gradients(&reference, step);
                network = whole.step(0.02, network, grads);
                let grads = copy.gradients(&reference, step);
                copy = resumed.step(0.02, copy, grads);
                assert_eq!(
                    copy.values(),
                    network.values(),
                    "{name}, cut after {cut}, step {step}"
                );
            }
        }
    }
    // Around one of Burn's, whose state Burn reads in its default type: here only that it is there.
    let mut optimizer = ModuleOptimizer::from(Lookahead::new(adamw()));
    let network = Regression::new(&reference);
    let grads = network.gradients(&reference, 0);
    optimizer.step(0.02, network, grads);
    assert!(optimizer.to_record().len() >= 2 * 3);
}

#[test]
fn a_damaged_state_is_not_taken_for_whole() {
    let reference = Reference::load();
    let step = |network: Regression, optimizer: &mut ModuleOptimizer| {
        let grads = network.gradients(&reference, 0);
        optimizer.step(0.02, network, grads)
    };
    let mut nadam = ModuleOptimizer::from(NAdam::new());
    let network = step(Regression::new(&reference), &mut nadam);
    // The state of another optimiser lacks what a lookahead needs, which then begins anew.
    let loaded = ModuleOptimizer::from(Lookahead::new(NAdam::new())).load_record(nadam.to_record());
    let mut fresh = ModuleOptimizer::from(Lookahead::new(NAdam::new()));
    let mut loaded = loaded;
    let found = step(network.clone(), &mut loaded).values();
    assert_eq!(found, step(network, &mut fresh).values());
}

#[test]
fn averages_begin_and_recur_as_they_say() {
    let due = |average: Average| -> Vec<usize> {
        let reference = Reference::load();
        let network = Regression::new(&reference);
        let mut averager = Averager::new(average);
        let counts = (1..=20).map(|step| {
            averager.after_step(step, 4, &network);
            averager.state().count
        });
        let counts: Vec<usize> = counts.collect();
        let before = std::iter::once(&0).chain(&counts);
        (1..)
            .zip(before.zip(&counts))
            .filter(|(_, (a, b))| a != b)
            .map(|(step, _)| step)
            .collect()
    };
    assert!(due(Average::None).is_empty());
    assert_eq!(
        due(Average::Ema { decay: 0.5 }),
        (1..=20).collect::<Vec<_>>()
    );
    let swa = |start, every, unit| Average::Swa { start, every, unit };
    assert_eq!(due(swa(2, 1, Unit::Epoch)), [8, 12, 16, 20]);
    assert_eq!(due(swa(2, 2, Unit::Epoch)), [8, 16]);
    assert_eq!(due(swa(15, 2, Unit::Step)), [15, 17, 19]);
    assert!(due(Average::NonMonotone { patience: 5 }).is_empty());
}

/// The condition as the authors' program has it: `len(logs) > n and v > min(logs[:-n])`.
#[test]
fn the_trigger_is_that_of_the_authors_program() {
    let values = [5.0, 4.0, 3.0, 3.5, 3.2, 3.1, 2.9, 3.3, 3.4, 2.8, 3.6, 2.7];
    for patience in 1..6 {
        let average = Average::NonMonotone { patience };
        for at in 0..values.len() {
            let (earlier, value) = (&values[..at], values[at]);
            let compared = earlier.iter().rev().skip(patience);
            let min = compared.copied().fold(f64::INFINITY, f64::min);
            let expected = earlier.len() > patience && value > min;
            assert_eq!(
                average.begins(earlier, value, Mode::Min),
                expected,
                "{patience}, {at}"
            );
            let negated: Vec<f64> = earlier.iter().map(|value| -value).collect();
            assert_eq!(
                average.begins(&negated, -value, Mode::Max),
                expected,
                "{patience}, {at}"
            );
        }
        assert!(average.begins(&[1.0; 20], 1.5, Mode::Min));
        assert!(!average.begins(&[1.0; 20], f64::NAN, Mode::Min));
    }
    assert!(!Average::Ema { decay: 0.9 }.begins(&[1.0; 20], 2.0, Mode::Min));
}

#[test]
fn a_mean_that_has_begun_goes_on_from_its_state() {
    let reference = Reference::load();
    let average = Average::NonMonotone { patience: 1 };
    let (mut whole, mut network) = (Averager::new(average), Regression::new(&reference));
    let mut optimizer = ModuleOptimizer::from(RAdam::new());
    let mut resumed = whole.clone();
    for step in 1..=30 {
        let grads: GradientsParams = network.gradients(&reference, step - 1);
        network = optimizer.step(0.05, network, grads);
        for averager in [&mut whole, &mut resumed] {
            averager.after_step(step, 1, &network);
            averager.observe(&[1.0, 2.0], if step == 10 { 3.0 } else { 0.5 }, Mode::Min);
        }
        assert_eq!(whole.state().begun, step >= 10, "once begun it goes on");
        resumed = Averager::from_state(average, resumed.state(), resumed.averaged().cloned());
    }
    assert_eq!(whole.state().count, 20);
    assert_eq!(whole.state(), resumed.state());
    let values = |averager: &Averager<Regression>| averager.averaged().unwrap().values();
    assert_eq!(values(&whole), values(&resumed));
}

#[test]
fn numbers_out_of_range_are_named() {
    let message = |result: Result<(), rekindle_optim::RangeError>| result.unwrap_err().to_string();
    assert_eq!(
        message(RAdam::new().with_beta_1(1.0).validate()),
        "beta_1 is 1, expected a number in [0, 1)"
    );
    assert_eq!(
        message(NAdam::new().with_momentum_decay(-1.0).validate()),
        "momentum_decay is -1, expected a finite number of at least 0"
    );
    assert_eq!(
        message(Asgd::new().with_alpha(f64::NAN).validate()),
        "alpha is NaN, expected a finite number of at least 0"
    );
    assert_eq!(
        message(Lookahead::new(()).with_steps(0).validate()),
        "steps is 0, expected at least 1"
    );
    assert_eq!(
        message(Lookahead::new(()).with_alpha(1.5).validate()),
        "alpha is 1.5, expected a number in (0, 1]"
    );
    assert_eq!(
        message(Average::Ema { decay: 1.0 }.validate()),
        "decay is 1, expected a number in [0, 1)"
    );
    let swa = Average::Swa {
        start: 0,
        every: 1,
        unit: Unit::Step,
    };
    assert_eq!(message(swa.validate()), "start is 0, expected at least 1");
}

/// Every state that an optimiser keeps is on the device on which it is asked for; here there is only one.
#[test]
fn states_move() {
    fn check<O: Optimizer>(optimizer: O) {
        let reference = Reference::load();
        let network = Regression::new(&reference);
        let (tensor, device) = (network.bias.val(), common::device());
        let (_, state) = optimizer.step(0.1, tensor.clone(), tensor.clone(), None);
        let moved = O::to_device(state.clone().unwrap(), &device);
        let (a, _) = optimizer.step(0.1, tensor.clone(), tensor.clone(), state);
        let (b, _) = optimizer.step(0.1, tensor.clone(), tensor, Some(moved));
        assert_eq!(common::values(a), common::values(b));
    }
    check(RAdam::new());
    check(NAdam::new());
    check(Asgd::new());
    check(Lookahead::new(NAdam::new()));
}
