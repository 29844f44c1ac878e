//! Units that are removed: a shrunk network computes, learns and goes on learning as the masked one.

mod toy;

use burn::module::{Module, Param};
use burn::nn::LinearConfig;
use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{
    AdafactorConfig, AdamConfig, AdamWConfig, GradientsParams, ModuleOptimizer, SgdConfig,
};
use burn::tensor::{Device, Tensor};
use rekindle_regularize::units::{
    Kept, UnitAxis, UnitError, UnitGroup, UnitRole, UnitScore, mask_units, shrink, shrink_optimizer,
};
use toy::{Net, SIZES, assert_same, input, tensors, values, with_grads};

fn device() -> Device {
    Device::default().autodiff()
}

/// Some units of both layers, at least one of each.
fn some(seed: u64) -> Kept {
    let masks = [0, 1].map(|group| {
        let mut mask: Vec<bool> = (values(SIZES[group], seed + 50 * group as u64).iter())
            .map(|value| *value > 0.0)
            .collect();
        mask[seed as usize % SIZES[group]] = true;
        (format!("layers.{group}"), mask)
    });
    Kept::from_masks(masks).unwrap()
}

fn one_of_each() -> Kept {
    Kept::from_indices([("layers.0", vec![4]), ("layers.1", vec![0])]).unwrap()
}

fn only_the_first() -> Kept {
    Kept::from_indices([("layers.0", vec![1, 5, 2])]).unwrap()
}

#[test]
fn shrunk_computes_and_learns_as_masked() {
    let device = device();
    let mut kept: Vec<Kept> = (1..9).map(some).collect();
    kept.extend([one_of_each(), only_the_first()]);
    for kept in kept {
        let groups = Net::groups();
        let masked = mask_units(Net::init(&device), &groups, &kept).unwrap();
        let shrunk = shrink(Net::init(&device), &groups, &kept).unwrap();
        let widths = [kept.count(&groups[0]), kept.count(&groups[1])];
        for (layer, width) in shrunk.layers.iter().zip(widths) {
            assert_eq!(layer.weight_hh.val().dims(), [width, 3 * width]);
            assert_eq!(layer.mean.value().dims(), [toy::STEPS, width]);
        }

        let expected = masked.forward(input(&device)).into_data();
        let found = shrunk.forward(input(&device)).into_data();
        let pairs = found.iter::<f32>().zip(expected.iter::<f32>());
        for (found, expected) in pairs {
            assert!(
                (found - expected).abs() <= 1e-6 * expected.abs().max(1.0),
                "{kept:?}"
            );
        }

        let expected = with_grads(masked.clone(), &masked.grads(3, &device));
        let expected = shrink(expected, &groups, &kept).unwrap();
        let found = with_grads(shrunk.clone(), &shrunk.grads(3, &device));
        let largest = tensors(&expected)
            .into_values()
            .flatten()
            .fold(0.0, f32::max);
        assert!(largest > 0.1, "gradients are all small: {largest}");
        assert_same(&found, &expected, 1e-5);
    }
}

#[test]
fn masks_zero_weights_and_leave_statistics() {
    let net = mask_units(Net::init(&device()), &Net::groups(), &one_of_each()).unwrap();
    let before = tensors(&Net::init(&device()));
    let after = tensors(&net);
    assert_eq!(after["layers.0.active"], [0.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
    assert_eq!(after["layers.0.mean"], before["layers.0.mean"]);
    let nonzero = |path: &str| after[path].iter().filter(|value| **value != 0.0).count();
    // One unit of each layer: [3, 3·6], [6, 3·6], and [3 + 6, 3·4] with three inputs and one unit.
    assert_eq!(nonzero("layers.0.weight_ih"), 9);
    assert_eq!(nonzero("layers.0.weight_hh"), 3);
    assert_eq!(nonzero("layers.1.weight_ih"), 12);
    assert_eq!(nonzero("head.weight"), 4);
    assert_eq!(after["layers.0.initial"][4], before["layers.0.initial"][4]);
}

#[test]
fn keeping_all_changes_nothing() {
    let net = Net::init(&device());
    let all = Kept::from_indices([("layers.1", vec![3, 2, 1, 0])]).unwrap();
    for kept in [Kept::default(), all] {
        let masked = mask_units(net.valid(), &Net::groups(), &kept).unwrap();
        assert_same(&masked, &net.valid(), 0.0);
        let shrunk = shrink(net.valid(), &Net::groups(), &kept).unwrap();
        assert_same(&shrunk, &net.valid(), 0.0);
    }
}

#[test]
fn parameters_keep_their_ids_and_whether_they_learn() {
    let mut net = Net::init(&device());
    net.layers[1].bias = net.layers[1].bias.clone().set_require_grad(false);
    let ids = [net.layers[0].weight_hh.id, net.layers[1].weight_hh.id];
    let net = shrink(net, &Net::groups(), &one_of_each()).unwrap();
    assert_eq!(
        ids,
        [net.layers[0].weight_hh.id, net.layers[1].weight_hh.id]
    );
    assert!(net.layers[1].weight_hh.is_require_grad());
    assert!(!net.layers[1].bias.is_require_grad());
    assert!(!net.layers[1].mean.value().is_require_grad());
    let valid = shrink(Net::init(&device()).valid(), &Net::groups(), &one_of_each()).unwrap();
    assert!(valid.train().layers[0].weight_hh.is_require_grad());
}

/// Optimisers that remember something.
fn optimizer(name: &str) -> ModuleOptimizer {
    let decay = Some(WeightDecayConfig::new(0.01));
    let momentum = Some(MomentumConfig::new());
    match name {
        "sgd" => SgdConfig::new()
            .with_momentum(momentum)
            .with_weight_decay(decay)
            .init(),
        "adam" => AdamConfig::new().with_weight_decay(decay).init(),
        "adamw" => AdamWConfig::new().init(),
        _ => panic!("{name}"),
    }
}

#[test]
fn a_shrunk_optimizer_goes_on_as_the_masked_one() {
    let device = device();
    let groups = Net::groups();
    for name in ["sgd", "adam", "adamw"] {
        for kept in [some(2), only_the_first()] {
            let mut dense = optimizer(name);
            let mut net = Net::init(&device);
            for step in 0..3 {
                let grads = net.grads(step, &device);
                net = dense.step(0.01, net, grads);
            }
            let record = shrink_optimizer(dense.to_record(), &net, &groups, &kept).unwrap();
            let mut small = optimizer(name).load_record(record);
            // Each has its own running states.
            let mut shrunk = shrink(net.valid().train(), &groups, &kept).unwrap();
            let mut masked = mask_units(net, &groups, &kept).unwrap();
            for step in 3..6 {
                let grads = masked.grads(step, &device);
                masked = dense.step(0.01, masked, grads);
                masked = mask_units(masked, &groups, &kept).unwrap();
                let grads = shrunk.grads(step, &device);
                shrunk = small.step(0.01, shrunk, grads);
                let expected = shrink(masked.valid(), &groups, &kept).unwrap();
                assert_same(&shrunk.valid(), &expected, 1e-5);
            }
        }
    }
}

#[test]
fn a_fresh_optimizer_would_not_go_on_the_same() {
    let device = device();
    let (groups, kept) = (Net::groups(), some(2));
    let mut dense = AdamConfig::new().init();
    let net = Net::init(&device);
    let grads = net.grads(0, &device);
    let net = dense.step(0.01, net, grads);
    let record = shrink_optimizer(dense.to_record(), &net, &groups, &kept).unwrap();
    let shrunk = shrink(net, &groups, &kept).unwrap();
    let step = |mut optimizer: ModuleOptimizer| {
        let grads = shrunk.grads(1, &device);
        tensors(&optimizer.step(0.01, shrunk.clone(), grads))["head.weight"].clone()
    };
    let resumed = step(AdamConfig::new().init().load_record(record));
    let fresh = step(AdamConfig::new().init());
    let apart = resumed.iter().zip(&fresh).map(|(a, b)| (a - b).abs());
    assert!(apart.fold(0.0, f32::max) > 1e-3);
}

#[test]
fn states_of_another_shape_are_refused() {
    let device = device();
    let mut optimizer = AdafactorConfig::new().init();
    let net = Net::init(&device);
    let grads = net.grads(0, &device);
    let net = optimizer.step(0.01, net, grads);
    let kept = one_of_each();
    let error = shrink_optimizer(optimizer.to_record(), &net, &Net::groups(), &kept).unwrap_err();
    assert!(matches!(error, UnitError::OptimizerState { .. }), "{error}");
    assert!(error.to_string().contains("begin with a fresh optimiser"));
}

/// A linear layer and its outputs as units that also read the inputs, so that the diagonal counts for both.
fn square(weights: &[f32]) -> (burn::nn::Linear, Vec<UnitGroup>) {
    let mut layer = LinearConfig::new(3, 3).with_bias(false).init(&device());
    let weight = Tensor::<1>::from_floats(weights, &device()).reshape([3, 3]);
    layer.weight = Param::initialized(layer.weight.id, weight.require_grad());
    let group = UnitGroup {
        name: "units".to_string(),
        size: 3,
        axes: vec![
            UnitAxis::new("weight", 1, UnitRole::Makes),
            UnitAxis::new("weight", 0, UnitRole::Reads),
        ],
    };
    (layer, vec![group])
}

const WEIGHTS: [f32; 9] = [1.0, -2.0, 0.0, 3.0, 2.0, 1.0, 0.0, -4.0, 5.0];

#[test]
fn scores_are_those_computed_by_hand() {
    let (layer, groups) = square(&WEIGHTS);
    // The entries of the units: 1 −2 0 3 0; 3 2 1 −2 −4; 0 −4 5 0 1.
    let score = |score: UnitScore| score.score(&layer, &groups, None).unwrap().groups[0].clone();
    let norm = score(UnitScore::Norm);
    assert_eq!(norm.entries, 5);
    let expected = [14.0f64, 34.0, 42.0].map(f64::sqrt);
    for (found, expected) in norm.scores.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-12);
    }
    assert_eq!(score(UnitScore::Magnitude).scores, [1.2, 2.4, 2.0]);

    let loss = layer.forward(Tensor::<2>::from_floats([[1.0, 2.0, -1.0]], &device()));
    let grads = GradientsParams::from_grads(loss.sum().backward(), &layer);
    // Gradients are the inputs by row: unit 0: 1 − 2 + 0 + 6 − 0, unit 1: 6 + 4 + 2 − 2 + 4, unit 2: 0 + 4 − 5 + 0 + 2.
    let sensitivity = UnitScore::Sensitivity
        .score(&layer, &groups, Some(&grads))
        .unwrap();
    assert_eq!(sensitivity.groups[0].scores, [5.0, 14.0, 1.0]);

    let random = |seed| score(UnitScore::Random { seed }).scores;
    assert_eq!(random(1), random(1));
    assert_ne!(random(1), random(2));
}

#[test]
fn the_weakest_units_go() {
    let groups = Net::groups();
    let kept = one_of_each();
    let net = mask_units(Net::init(&device()), &groups, &kept).unwrap();
    let scores = UnitScore::Norm.score(&net, &groups, None).unwrap();
    assert_eq!(scores.keep_above(0.0).unwrap(), kept);
    assert_eq!(scores.keep_global(0.8).unwrap(), kept);
    assert_eq!(
        scores
            .keep_counts([("layers.0", 1), ("layers.1", 1)])
            .unwrap(),
        kept
    );
}

#[test]
fn scores_that_are_not_finite_name_the_unit() {
    let mut weights = WEIGHTS;
    weights[5] = f32::NAN;
    let (layer, groups) = square(&weights);
    for score in [
        UnitScore::Norm,
        UnitScore::Magnitude,
        UnitScore::Random { seed: 1 },
    ] {
        let error = score.score(&layer, &groups, None).unwrap_err();
        let UnitError::Score { group, unit, score } = error else {
            panic!("{error}");
        };
        assert_eq!((group.as_str(), unit), ("units", 1));
        assert!(score.is_nan());
    }
    let error = UnitScore::Sensitivity
        .score(&layer, &groups, None)
        .unwrap_err();
    assert_eq!(error, UnitError::NoGradients);
}

#[test]
fn groups_that_do_not_fit_are_refused() {
    let net = Net::init(&device());
    let groups = Net::groups();
    groups
        .iter()
        .for_each(|group| group.validate(&net).unwrap());
    let error = |change: &dyn Fn(&mut Vec<UnitGroup>)| {
        let mut groups = groups.clone();
        change(&mut groups);
        let before = tensors(&net);
        let error = shrink(net.clone(), &groups, &one_of_each()).unwrap_err();
        assert_eq!(tensors(&net), before);
        error.to_string()
    };
    let message = error(&|groups| groups[0].axes[0].path = "layers.0.weight".to_string());
    assert!(message.starts_with("group `layers.0` names the tensor `layers.0.weight`, expected"));
    assert!(message.contains("layers.0.weight_ih"));
    assert_eq!(
        error(&|groups| groups[0].axes[3].axis = 1),
        "group `layers.0` names axis 1 of `layers.0.bias`, expected less than its rank 1"
    );
    assert_eq!(
        error(&|groups| groups[1].axes[0].offset = 1),
        "group `layers.1` has a unit at index 12 of axis 1 of `layers.1.weight_ih`, expected less than its length 12"
    );
    let overlap = error(&|groups| groups[1].axes.last_mut().unwrap().offset = 5);
    assert!(overlap.starts_with(
        "index 5 of axis 0 of `head.weight` belongs to units of `layers.0` and `layers.1`"
    ));
    assert_eq!(
        error(&|groups| groups[1].name = "layers.0".to_string()),
        "two groups are called `layers.0`, expected names that differ"
    );
    assert_eq!(
        error(&|groups| groups[1].size = 0),
        "group `layers.1` has size 0, expected at least one unit"
    );
    assert_eq!(
        error(&|groups| groups.truncate(1)),
        "kept units of a group `layers.1`, expected one of layers.0"
    );
}
