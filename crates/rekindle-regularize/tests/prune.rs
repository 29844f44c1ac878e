//! Masks on weights: exact counts, masks that hold in training, runs that resume to the bit.

mod toy;

use std::collections::BTreeMap;

use burn::module::{Module, Param};
use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdamConfig, AdamWConfig, GradientsParams, ModuleOptimizer, SgdConfig};
use burn::tensor::{Device, Tensor};
use rekindle_regularize::Targets;
use rekindle_regularize::prune::{
    Amount, Criterion, Granularity, Mask, Masks, PruneError, PruneReport, PruneSchedule, Pruner,
    PrunerState, Scope, Selection, prune_once,
};
use rekindle_regularize::units::Kept;
use toy::{Net, assert_same, tensors};

fn device() -> Device {
    Device::default().autodiff()
}

fn net() -> Net {
    Net::init(&device())
}

/// The targets of [`Targets::weights`] in the network, with their numbers of weights.
const WEIGHTS: [(&str, usize); 4] = [
    ("layers.0.weight_hh", 6 * 18),
    ("layers.0.weight_ih", 3 * 18),
    ("layers.1.weight_hh", 4 * 12),
    ("layers.1.weight_ih", 9 * 12),
];

/// Numbers of weights that are gone, in the order of [`WEIGHTS`].
fn gone(masks: &Masks) -> Vec<usize> {
    let gone = |(path, total): &(&str, usize)| total - masks.get(path).unwrap().kept();
    assert_eq!(masks.iter().count(), WEIGHTS.len());
    WEIGHTS.iter().map(gone).collect()
}

fn rounded(sparsity: f64, count: usize) -> usize {
    (sparsity * count as f64).round() as usize
}

fn selection(criterion: Criterion, scope: Scope) -> Selection {
    Selection {
        criterion,
        scope,
        ..Selection::default()
    }
}

#[test]
fn counts_are_exact_whatever_the_scope_and_the_criterion() {
    let criteria = [
        Criterion::Random { seed: 3 },
        Criterion::Magnitude,
        Criterion::Movement,
        Criterion::Sensitivity,
    ];
    for criterion in criteria {
        for sparsity in [0.0, 0.05, 0.333, 0.5, 0.9, 0.98] {
            // Gradients belong to the ids of one network.
            let network = net();
            let grads = match criterion.needs_gradients() {
                true => Some(network.grads(1, &device())),
                false => None,
            };
            let prune = |scope| {
                let selection = selection(criterion, scope);
                prune_once(network.valid(), &selection, sparsity, grads.as_ref()).unwrap()
            };
            let (pruned, masks) = prune(Scope::Tensor);
            let expected = WEIGHTS.map(|(_, count)| rounded(sparsity, count));
            assert_eq!(gone(&masks), expected, "{criterion:?} {sparsity}");
            assert_eq!(
                Masks::from_zeros(&pruned, &Targets::weights()).unwrap(),
                masks
            );

            let by_layer = gone(&prune(Scope::Layer).1);
            assert_eq!(by_layer[0] + by_layer[1], rounded(sparsity, 162));
            assert_eq!(by_layer[2] + by_layer[3], rounded(sparsity, 156));
            let global = gone(&prune(Scope::Global).1);
            assert_eq!(global.iter().sum::<usize>(), rounded(sparsity, 318));
        }
    }
}

#[test]
fn counts_of_blocks_are_exact() {
    for (rows, columns) in [(1, 4), (1, 6), (1, 2)] {
        for scope in [Scope::Tensor, Scope::Layer, Scope::Global] {
            let selection = Selection {
                granularity: Granularity::Blocks { rows, columns },
                targets: Targets::new(["layers.1.weight_*"]),
                scope,
                ..Selection::default()
            };
            let (pruned, masks) = prune_once(net(), &selection, 0.4, None).unwrap();
            let size = rows * columns;
            let gone = |path: &str| {
                masks
                    .get(path)
                    .unwrap()
                    .keep()
                    .iter()
                    .filter(|k| !**k)
                    .count()
            };
            let gone = [gone("layers.1.weight_hh"), gone("layers.1.weight_ih")];
            match scope {
                Scope::Tensor => assert_eq!(
                    gone,
                    [48, 108].map(|count| size * rounded(0.4, count / size))
                ),
                _ => assert_eq!(gone.iter().sum::<usize>(), size * rounded(0.4, 156 / size)),
            }
            // Blocks are whole: all of a block's weights share a fate.
            for (_, mask) in masks.iter() {
                for block in mask.keep().chunks(columns) {
                    assert!(block.iter().all(|keep| *keep == block[0]));
                }
            }
            let zeros = Masks::from_zeros(&pruned, &selection.targets).unwrap();
            assert_eq!(zeros, masks);
        }
    }
}

#[test]
fn magnitude_takes_the_smallest() {
    let selection = selection(Criterion::Magnitude, Scope::Global);
    let (_, masks) = prune_once(net(), &selection, 0.5, None).unwrap();
    let weights = tensors(&net());
    let mut stays = f32::INFINITY;
    let mut goes = 0.0f32;
    for (path, mask) in masks.iter() {
        for (weight, &keep) in weights[path].iter().zip(mask.keep()) {
            match keep {
                true => stays = stays.min(weight.abs()),
                false => goes = goes.max(weight.abs()),
            }
        }
    }
    assert!(goes <= stays, "{goes} went, {stays} stayed");
}

#[test]
fn gradients_decide_as_their_formulas_say() {
    let net = net();
    let grads = net.grads(1, &device());
    let slopes = tensors(&toy::with_grads(net.clone(), &grads));
    let weights = tensors(&net);
    for criterion in [Criterion::Movement, Criterion::Sensitivity] {
        let selection = selection(criterion, Scope::Tensor);
        let (_, masks) = prune_once(net.valid(), &selection, 0.5, Some(&grads)).unwrap();
        for (path, mask) in masks.iter() {
            let products = weights[path]
                .iter()
                .zip(&slopes[path])
                .map(|(w, g)| match criterion {
                    Criterion::Movement => -w * g,
                    _ => (w * g).abs(),
                });
            let products: Vec<f32> = products.collect();
            let mut sorted = products.clone();
            sorted.sort_by(f32::total_cmp);
            let median = sorted[sorted.len() / 2];
            let expected: Vec<bool> = products.iter().map(|product| *product >= median).collect();
            assert_eq!(mask.keep(), expected, "{path}");
        }
    }
}

/// The optimisers that could bring weights back.
fn optimizers() -> Vec<(&'static str, ModuleOptimizer)> {
    let decay = Some(WeightDecayConfig::new(0.05));
    let momentum = Some(MomentumConfig::new().with_nesterov(true));
    let sgd = SgdConfig::new()
        .with_momentum(momentum)
        .with_weight_decay(decay.clone());
    vec![
        ("sgd", sgd.init()),
        ("adam", AdamConfig::new().with_weight_decay(decay).init()),
        ("adamw", AdamWConfig::new().with_weight_decay(0.05).init()),
    ]
}

#[test]
fn masks_hold_against_momentum_and_decay() {
    let schedule = PruneSchedule::OneShot {
        sparsity: 0.6,
        at: 10,
    };
    for (name, mut optimizer) in optimizers() {
        let mut pruner = Pruner::new(Selection::default(), schedule).unwrap();
        let mut net = net();
        let ids = net.layers[0].weight_hh.id;
        for step in 1..=60 {
            let grads = net.grads(1, &device());
            net = optimizer.step(2e-3, net, grads);
            if step > 10 {
                // Without the masks, the step alone does bring weights back.
                let back = Masks::from_zeros(&net, &Targets::weights()).unwrap();
                assert_ne!(back, *pruner.masks(), "{name}, step {step}");
            }
            net = pruner.after_step(step, net).unwrap();
            let zeros = Masks::from_zeros(&net, &Targets::weights()).unwrap();
            match step < 10 {
                true => assert!(pruner.masks().is_empty() && zeros.sparsity() == 0.0),
                false => assert_eq!(zeros, *pruner.masks(), "{name}, step {step}"),
            }
        }
        assert_eq!(
            gone(pruner.masks()),
            WEIGHTS.map(|(_, count)| rounded(0.6, count))
        );
        assert!(net.layers[0].weight_hh.is_require_grad());
        assert_eq!(net.layers[0].weight_hh.id, ids);
    }
}

#[test]
fn cubic_masks_grow_as_scheduled() {
    let schedule = PruneSchedule::Cubic {
        initial: 0.1,
        sparsity: 0.8,
        begin: 4,
        end: 24,
        every: 5,
    };
    let mut pruner = Pruner::new(Selection::default(), schedule).unwrap();
    let mut optimizer = AdamConfig::new().init();
    let mut net = net();
    for step in 1..=30 {
        let before = pruner.masks().clone();
        let grads = net.grads(step as u64, &device());
        net = optimizer.step(0.01, net, grads);
        net = pruner.after_step(step, net).unwrap();
        if schedule.is_due(step) {
            let Amount::Sparsity(sparsity) = schedule.at(step) else {
                panic!("a cubic schedule has sparsities");
            };
            let left = 1.0 - (step - 4) as f64 / 20.0;
            assert!((sparsity - (0.8 - 0.7 * left.powi(3))).abs() < 1e-12);
            let expected = WEIGHTS.map(|(_, count)| rounded(sparsity, count));
            assert_eq!(gone(pruner.masks()), expected, "step {step}");
            // What was gone is gone.
            let both = before.and(pruner.masks()).unwrap();
            assert_eq!(both, *pruner.masks());
        } else {
            assert_eq!(before, *pruner.masks());
        }
    }
    let zeros = Masks::from_zeros(&net, &Targets::weights()).unwrap();
    assert_eq!(zeros, *pruner.masks());
}

#[test]
fn a_ramp_takes_what_is_below_its_threshold() {
    let schedule = PruneSchedule::Ramp {
        start: 0,
        ramp: 5,
        end: 12,
        every: 2,
        start_slope: 0.02,
        ramp_slope: 0.06,
    };
    let mut pruner = Pruner::new(Selection::default(), schedule).unwrap();
    let mut net = net();
    let mut due = 0;
    for step in 0..15 {
        let weights = tensors(&net);
        net = pruner.after_step(step, net).unwrap();
        if !schedule.is_due(step) {
            continue;
        }
        due += 1;
        // θ (t + 1) / 2, then (6 θ + φ (t − 4)) / 2.
        let expected = match step < 5 {
            true => 0.01 * (step + 1) as f64,
            false => 0.06 + 0.03 * (step - 4) as f64,
        };
        for (path, mask) in pruner.masks().iter() {
            let stays = |weight: &f32| f64::from(weight.abs()) >= expected;
            let stays: Vec<bool> = weights[path].iter().map(stays).collect();
            assert_eq!(mask.keep(), stays, "{path} at step {step}");
        }
    }
    assert_eq!(due, 5);
    // At step 10 the threshold is 0.24, and weights are even in [−0.5, 0.5).
    assert!((pruner.masks().sparsity() - 0.48).abs() < 0.1);
}

/// A run that may be interrupted: weights, masks and scores at the end.
fn run(selection: &Selection, cut: Option<usize>) -> (Net, PrunerState) {
    let schedule = PruneSchedule::Cubic {
        initial: 0.0,
        sparsity: 0.7,
        begin: 3,
        end: 27,
        every: 4,
    };
    let mut pruner = Pruner::new(selection.clone(), schedule).unwrap();
    let mut optimizer = AdamConfig::new().init();
    let mut network = net();
    for step in 1..=30 {
        if cut == Some(step) {
            let bytes = pruner.state().to_bytes().unwrap();
            let state = PrunerState::from_bytes(&bytes).unwrap();
            assert_eq!(state, pruner.state());
            pruner = Pruner::from_state(selection.clone(), schedule, state).unwrap();
            let bytes = optimizer.into_bytes().unwrap();
            optimizer = AdamConfig::new().init().from_bytes(bytes).unwrap();
            let record = network.into_record().into_bytes().unwrap();
            let record = burn::store::ModuleRecord::from_bytes(record).unwrap();
            network = net().load_record(record);
        }
        let grads = network.grads(step as u64, &device());
        pruner.observe(step, &network, &grads).unwrap();
        network = optimizer.step(0.01, network, grads);
        network = pruner.after_step(step, network).unwrap();
    }
    (network, pruner.state())
}

#[test]
fn a_resumed_run_is_the_same_to_the_bit() {
    for criterion in [
        Criterion::Magnitude,
        Criterion::Movement,
        Criterion::Sensitivity,
        Criterion::Random { seed: 9 },
    ] {
        let selection = selection(criterion, Scope::Layer);
        let (whole, state) = run(&selection, None);
        assert!((state.masks.sparsity() - 0.7).abs() < 0.01);
        for cut in [2, 11, 16, 29] {
            let (resumed, resumed_state) = run(&selection, Some(cut));
            assert_same(&resumed, &whole, 0.0);
            assert_eq!(resumed_state, state, "{criterion:?} cut at {cut}");
        }
    }
}

#[test]
fn movement_is_summed_over_steps() {
    let selection = selection(Criterion::Movement, Scope::Tensor);
    let never = PruneSchedule::OneShot {
        sparsity: 0.5,
        at: 99,
    };
    let mut pruner = Pruner::new(selection, never).unwrap();
    let mut optimizer = SgdConfig::new().init();
    let mut net = net();
    let mut sums: BTreeMap<String, Vec<f32>> = BTreeMap::new();
    for step in 1..=4 {
        let grads = net.grads(step as u64, &device());
        let (weights, slopes) = (
            tensors(&net),
            tensors(&toy::with_grads(net.clone(), &grads)),
        );
        for (path, weights) in weights {
            let sum = sums
                .entry(path.clone())
                .or_insert_with(|| vec![0.0; weights.len()]);
            let products = weights.iter().zip(&slopes[&path]).map(|(w, g)| w * g);
            sum.iter_mut()
                .zip(products)
                .for_each(|(sum, product)| *sum -= product);
        }
        pruner.observe(step, &net, &grads).unwrap();
        net = optimizer.step(0.01, net, grads);
        net = pruner.after_step(step, net).unwrap();
    }
    let state = pruner.state();
    assert_eq!(state.scores.len(), WEIGHTS.len());
    for (path, scores) in state.scores {
        for (found, expected) in scores.iter::<f32>().zip(&sums[&path]) {
            assert!(
                (found - expected).abs() < 1e-4,
                "{path}: {found}, expected {expected}"
            );
        }
    }
}

#[test]
fn masks_combine_and_become_permanent() {
    let selection = selection(Criterion::Magnitude, Scope::Tensor);
    let (_, half) = prune_once(net(), &selection, 0.5, None).unwrap();
    let random = Selection {
        criterion: Criterion::Random { seed: 1 },
        ..selection
    };
    let (_, other) = prune_once(net(), &random, 0.5, None).unwrap();
    let both = half.clone().and(&other).unwrap();
    for (path, mask) in both.iter() {
        let expected = half
            .get(path)
            .unwrap()
            .keep()
            .iter()
            .zip(other.get(path).unwrap().keep());
        assert!(
            mask.keep()
                .iter()
                .eq(expected.map(|(a, b)| a & b).collect::<Vec<_>>().iter())
        );
    }
    assert!(both.sparsity() > half.sparsity() && both.sparsity() < 1.0);
    let net = both.clone().make_permanent(net()).unwrap();
    assert_eq!(Masks::from_zeros(&net, &Targets::weights()).unwrap(), both);
    assert_eq!(Masks::from_bytes(&both.to_bytes().unwrap()).unwrap(), both);
}

#[test]
fn masks_zero_what_has_diverged() {
    let mut net = net();
    net.head.weight = net
        .head
        .weight
        .map(|weight| (weight * f32::NAN).detach().require_grad());
    let mut masks = Masks::default();
    masks.insert("head.weight", Mask::new(vec![10, 2], vec![false; 20]));
    let net = masks.apply(net).unwrap();
    assert_eq!(tensors(&net)["head.weight"], [0.0; 20]);
}

#[test]
fn a_report_counts_what_is_left() {
    let selection = selection(Criterion::Magnitude, Scope::Tensor);
    let (net, masks) = prune_once(net(), &selection, 0.5, None).unwrap();
    let kept = Kept::from_indices([("layers.1", vec![0, 3])]).unwrap();
    let report = PruneReport::of(&net, &selection.targets).unwrap();
    let report = report.with_units(&Net::groups(), &kept);
    assert_eq!((report.nonzero, report.total), (159, 318));
    assert_eq!(report.sparsity, masks.sparsity());
    assert_eq!(report.tensors[0].path, "layers.0.weight_ih");
    assert_eq!(report.tensors[0].nonzero, 27);
    let units: Vec<_> = report
        .units
        .iter()
        .map(|unit| (unit.kept, unit.size))
        .collect();
    assert_eq!(units, [(6, 6), (2, 4)]);
    let text = report.to_string();
    let widths: Vec<usize> = text
        .lines()
        .take(6)
        .map(|line| line.chars().count())
        .collect();
    assert!(widths.iter().all(|width| *width == widths[0]), "{text}");
}

fn error(selection: &Selection, sparsity: f64) -> PruneError {
    prune_once(net(), selection, sparsity, None).unwrap_err()
}

#[test]
fn what_cannot_be_pruned_is_refused() {
    let weights = selection(Criterion::Magnitude, Scope::Tensor);
    for sparsity in [1.0, -0.1, f64::NAN] {
        let error = error(&weights, sparsity);
        assert!(
            matches!(
                error,
                PruneError::Range {
                    field: "sparsity",
                    ..
                }
            ),
            "{error}"
        );
    }
    assert_eq!(
        error(&weights, 0.995).to_string(),
        "pruning takes all 54 weights of `layers.0.weight_ih`, expected at least one to stay; prune less"
    );
    let global = selection(Criterion::Magnitude, Scope::Global);
    assert_eq!(
        error(&global, 0.9999).to_string(),
        "pruning takes all 318 weights of all targets, expected at least one to stay; prune less"
    );
    let nothing = Selection {
        targets: Targets::new(["weight_xh", "kernel"]),
        ..Selection::default()
    };
    let message = error(&nothing, 0.5).to_string();
    assert!(
        message.starts_with("no parameter matches weight_xh, kernel, expected one of head.bias")
    );
    assert!(message.contains("layers.1.weight_ih"));
    let message = error(&selection(Criterion::Sensitivity, Scope::Tensor), 0.5).to_string();
    assert!(
        message.starts_with("`layers.0.weight_ih` is scored without a gradient"),
        "{message}"
    );

    let blocks = |rows, columns, targets: &str| Selection {
        targets: Targets::new([targets]),
        granularity: Granularity::Blocks { rows, columns },
        ..Selection::default()
    };
    assert_eq!(
        error(&blocks(2, 5, "layers.0.weight_hh"), 0.5).to_string(),
        "`layers.0.weight_hh` has shape [6, 18], expected a matrix that divides into blocks of 2 × 5"
    );
    let vector = error(&blocks(1, 1, "layers.0.bias"), 0.5);
    assert!(matches!(vector, PruneError::Blocks { .. }), "{vector}");
    let message = error(&blocks(0, 1, "weight_hh"), 0.5).to_string();
    assert_eq!(message, "`rows` is 0, expected at least 1");
    let message = error(&blocks(6, 6, "layers.0.weight_hh"), 0.9).to_string();
    assert!(
        message.starts_with("pruning takes all 3 blocks of `layers.0.weight_hh`"),
        "{message}"
    );
}

#[test]
fn a_score_that_is_not_finite_names_its_place() {
    let mut net = net();
    let mut values = tensors(&net)["layers.1.weight_hh"].clone();
    values[2 * 12 + 7] = f32::NAN;
    let weight = Tensor::<1>::from_floats(values.as_slice(), &device()).reshape([4, 12]);
    net.layers[1].weight_hh = Param::from_tensor(weight);
    let found = prune_once(net, &Selection::default(), 0.5, None).unwrap_err();
    let PruneError::Score { path, index, score } = found else {
        panic!("{found}");
    };
    assert_eq!((path.as_str(), index), ("layers.1.weight_hh", vec![2, 7]));
    assert!(score.is_nan());
}

#[test]
fn masks_of_another_network_are_refused() {
    let mask = |shape: [usize; 2]| Mask::new(shape.to_vec(), vec![true; shape[0] * shape[1]]);
    let mut masks = Masks::default();
    masks.insert("layers.0.weight_hh", mask([18, 6]));
    assert_eq!(
        masks.apply(net()).unwrap_err().to_string(),
        "the mask of `layers.0.weight_hh` has shape [18, 6], expected [6, 18]"
    );
    let mut other = Masks::default();
    other.insert("layers.0.weight_hh", mask([6, 18]));
    assert!(matches!(
        masks.and(&other),
        Err(PruneError::MaskShape { .. })
    ));
    let mut masks = Masks::default();
    masks.insert("layers.2.weight_hh", mask([6, 18]));
    let message = masks.apply(net()).unwrap_err().to_string();
    assert!(message.starts_with("there is a mask for `layers.2.weight_hh`, expected one of head"));

    let selection = selection(Criterion::Movement, Scope::Tensor);
    let schedule = PruneSchedule::OneShot {
        sparsity: 0.5,
        at: 1,
    };
    let scores = burn::tensor::TensorData::from([1.0f32, 2.0]);
    let state = PrunerState {
        masks: Masks::default(),
        scores: BTreeMap::from([("layers.0.weight_ih".to_string(), scores)]),
    };
    let mut pruner = Pruner::from_state(selection, schedule, state).unwrap();
    let network = net();
    let grads: GradientsParams = network.grads(1, &device());
    let expected = "`layers.0.weight_ih` has 2 saved scores, expected 54, one for each weight";
    let message = pruner
        .clone()
        .after_step(1, network.clone())
        .unwrap_err()
        .to_string();
    assert_eq!(message, expected);
    let message = pruner.observe(1, &network, &grads).unwrap_err().to_string();
    assert_eq!(message, expected);
}

#[test]
fn selections_are_read_from_recipes() {
    let text = r#"{"criterion": {"random": {"seed": 4}}, "scope": "global",
        "granularity": {"blocks": {"rows": 2, "columns": 3}}, "targets": ["weight_hh"]}"#;
    let expected = Selection {
        targets: Targets::recurrent(),
        criterion: Criterion::Random { seed: 4 },
        scope: Scope::Global,
        granularity: Granularity::Blocks {
            rows: 2,
            columns: 3,
        },
    };
    assert_eq!(serde_json::from_str::<Selection>(text).unwrap(), expected);
    let default = serde_json::from_str::<Selection>(r#"{"criterion": "movement"}"#).unwrap();
    assert_eq!(default, selection(Criterion::Movement, Scope::Tensor));
    assert!(serde_json::from_str::<Selection>(r#"{"criteria": "movement"}"#).is_err());
}
