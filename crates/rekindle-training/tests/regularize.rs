//! Norms, noise, penalties and constraints in whole runs.

#[allow(dead_code)]
mod common;

use std::fs;
use std::path::Path;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;
use common::{backend, recipe, result, run_in_pieces, turn};
use rekindle_cells::Normalization;
use rekindle_regularize::penalty::{ActivationPenalty, TemporalPenalty};
use rekindle_testkit::{Tolerance, assert_close_within};
use rekindle_training::{
    Encoder, Input, Network, Outcome, Reads, Recipe, RunFolder, Shape, Start, TrainError, Trained,
    train,
};

const NOISE: &str = "regularize.dropout={input=0.1,hidden=0.2,output=0.2,candidate=0.1,candidate_per='sequence',\
                     zoneout_hidden=0.1,zoneout_cell=0.2,weight=0.2}";
const PENALTIES: &str = "regularize.penalties=[{kind='l2',strength=1e-3,targets=['weight_ih','weight_hh']},\
                         {kind='l1',strength=1e-4,targets=['head.weight']},\
                         {kind='columns',strength=1e-3,targets=['weight_hh']},\
                         {kind='rows',strength=1e-3,targets=['weight_ih']}]";
const CONSTRAINTS: &str = "regularize.constraints=[{kind='max_norm',max=0.6,targets=['weight_ih']},\
                           {kind='spectral_radius',max=0.8,targets=['weight_hh']},\
                           {kind='unit_norm',axis=0,targets=['head.weight']}]";

/// Everything on, in each cell.
const EVERYTHING: [&[&str]; 3] = [
    &[
        "model.cell=lstm",
        "model.normalization=batch",
        "model.layers=2",
        "model.direction=bidirectional",
        "model.dropout=0.1",
        "model.readout=mean",
    ],
    &[
        "model.cell=gru",
        "model.normalization=sequence_batch",
        "model.layers=2",
        "model.connections=residual",
        "regularize.dropout.zoneout_cell=0",
    ],
    &[
        "model.cell=rnn",
        "model.normalization={kind='batch',max_steps=3,momentum=0.2}",
        "regularize.dropout.zoneout_cell=0",
        "regularize.dropout.candidate=0",
    ],
];

/// A run from beginning to end.
fn run(recipe: &Recipe, folder: &Path) -> (Outcome, Trained) {
    let outcome = train(recipe, backend(), folder, Start::New, &mut ());
    let outcome = outcome.unwrap_or_else(|error| panic!("{error}"));
    (outcome, Trained::load(folder, backend()).expect("it loads"))
}

#[test]
fn everything_survives_interruptions_and_loading() {
    let _turn = turn();
    let temporary = tempfile::tempdir().expect("a temporary folder");
    for (index, options) in EVERYTHING.into_iter().enumerate() {
        let all = [
            NOISE,
            PENALTIES,
            CONSTRAINTS,
            "regularize.activation=2",
            "regularize.temporal_activation=1",
            "regularize.constrain_every=2",
            "training.epochs=3",
        ];
        let recipe = recipe(temporary.path(), &[&all, options].concat());
        let [whole, pieces] =
            ["whole", "pieces"].map(|name| temporary.path().join(format!("{index}-{name}")));
        let (outcome, trained) = run(&recipe, &whole);
        let resumed = run_in_pieces(&recipe, &pieces, 6);
        let expected = result(&outcome, &whole);
        assert_eq!(result(&resumed, &pieces), expected, "{options:?}");

        let test = recipe.data.test.as_ref().expect("test data");
        let set = trained.read(test).expect("the test data");
        let scores = trained.predict(&set).evaluate().expect("labels").scores;
        assert_eq!(Some(scores), outcome.test, "{options:?}");
        let once = trained.predict(&set);
        assert_eq!(trained.predict(&set), once, "no noise, no new statistics");
    }
}

#[test]
fn steps_with_statistics_come_from_the_data_and_stand_in_the_run_folder() {
    let _turn = turn();
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let parameters = |normalization: &str| {
        let folder = temporary.path().join(normalization);
        let normalization = format!("model.normalization={normalization}");
        let overrides = [normalization.as_str(), "training.epochs=1"];
        let (outcome, trained) = run(&recipe(temporary.path(), &overrides), &folder);
        assert_eq!(trained.parameters(), outcome.parameters);
        (outcome.parameters, trained.recipe.model.normalization)
    };
    let (plain, _) = parameters("none");
    let (batch, normalization) = parameters("batch");
    // Gains of both products and of the cell state, and a shift of the latter: 24 + 24 + 6 + 6. Statistics do not count.
    assert_eq!(batch, plain + 60);
    let Normalization::Batch { max_steps, .. } = normalization else {
        panic!("{normalization:?}");
    };
    // Sequences have 4 to 8 steps; of 18, five reach those that two of a batch of eight reach.
    assert!((6..=8).contains(&max_steps), "{max_steps}");
    let text = fs::read_to_string(RunFolder::new(temporary.path().join("batch")).recipe());
    let line = format!("max_steps = {max_steps}\n");
    assert!(text.expect("the recipe").contains(&line), "{line}");
}

#[test]
fn batch_norms_score_a_sequence_alone_as_in_a_batch() {
    let _turn = turn();
    let temporary = tempfile::tempdir().expect("a temporary folder");
    for normalization in ["batch", "sequence_batch"] {
        let setting = format!("model.normalization={normalization}");
        let recipe = recipe(temporary.path(), &[&setting]);
        let (_, trained) = run(&recipe, &temporary.path().join(normalization));
        let device = backend().device().expect("a device");
        let input = Tensor::<3>::from_floats(
            [
                [[0.3], [-0.2], [0.9], [1.1]],
                [[-0.5], [-0.9], [0.0], [0.0]],
                [[1.5], [0.4], [-0.1], [0.0]],
            ],
            &device,
        );
        let lengths = [4, 2, 3];
        let together = trained.network.forward(input.clone(), &lengths);
        for (row, length) in lengths.into_iter().enumerate() {
            let alone = input.clone().narrow(0, row, 1).narrow(1, 0, length);
            let alone = trained.network.forward(alone, &[length]);
            let expected = together.clone().narrow(0, row, 1);
            assert_close_within(&alone, &expected, Tolerance(1e-5), normalization);
        }
    }
}

/// The numbers of parameters, by the ends of their paths.
#[derive(Default)]
struct Weights(Vec<String>, Vec<(String, Vec<f64>)>);

impl Weights {
    fn of(classifier: &Network, end: &str) -> Vec<Vec<f64>> {
        let mut weights = Self::default();
        classifier.visit(&mut weights);
        let all = weights.1.into_iter();
        all.filter(|(path, _)| path.ends_with(end))
            .map(|(_, numbers)| numbers)
            .collect()
    }
}

impl ModuleVisitor for Weights {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.0.push(name.to_string());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.0.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let numbers = param.val().into_data().iter::<f64>().collect();
        self.1.push((self.0.join("."), numbers));
    }
}

/// The norms of the columns of a matrix `[rows, columns]`.
fn column_norms(numbers: &[f64], columns: usize) -> Vec<f64> {
    let mut squares = vec![0.0; columns];
    for (index, number) in numbers.iter().enumerate() {
        squares[index % columns] += number * number;
    }
    squares.into_iter().map(f64::sqrt).collect()
}

#[test]
fn saved_weights_meet_their_constraints() {
    let _turn = turn();
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let largest = |name: &str, overrides: &[&str]| {
        let recipe = recipe(
            temporary.path(),
            &[overrides, &["training.keep=last"]].concat(),
        );
        let (_, trained) = run(&recipe, &temporary.path().join(name));
        let weights = Weights::of(&trained.network, "weight_ih");
        assert_eq!(weights.len(), 1);
        column_norms(&weights[0], 4 * 6)
            .into_iter()
            .fold(0.0, f64::max)
    };
    let bound = "regularize.constraints=[{kind='max_norm',max=0.2,targets=['weight_ih']}]";
    let free = largest("free", &[]);
    assert!(free > 0.3, "{free}");
    // An interval that is longer than an epoch: the end of each epoch projects all the same.
    for every in [
        "regularize.constrain_every=1",
        "regularize.constrain_every=1000",
    ] {
        let held = largest(every, &[bound, every]);
        assert!((0.19..0.2 + 1e-5).contains(&held), "{held}");
    }
}

#[test]
fn constraints_follow_each_other_in_order() {
    let _turn = turn();
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let both = "regularize.constraints=[{kind='non_negative',targets=['weight_ih']},\
                {kind='orthogonal',targets=['weight_hh']}]";
    let recipe = recipe(temporary.path(), &[both, "model.cell=gru"]);
    let (_, trained) = run(&recipe, &temporary.path().join("run"));
    let input = Weights::of(&trained.network, "weight_ih");
    assert!(input[0].iter().all(|&weight| weight >= 0.0), "{input:?}");
    assert!(input[0].iter().any(|&weight| weight > 0.0), "{input:?}");
    let Encoder::Gru(stack) = &trained.network.encoder else {
        panic!("no GRU");
    };
    let cell = stack.layers[0].forward.as_ref().expect("a forward cell");
    let device = backend().device().expect("a device");
    for block in cell.weights.weight_hh.val().chunk(3, 1) {
        let gram = block.clone().transpose().matmul(block);
        assert_close_within(
            &gram,
            &Tensor::eye(6, &device),
            Tolerance(1e-5),
            "orthogonal",
        );
    }
}

#[test]
fn penalties_shrink_what_they_are_of_and_leave_the_reported_loss() {
    let _turn = turn();
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let measured = |name: &str, overrides: &[&str]| {
        // Without noise, so that the first loss depends on the weights at the beginning alone.
        let quiet = [
            "model.input_dropout=0",
            "model.head_dropout=0",
            "training.clip_norm=inf",
            "training.keep=last",
        ];
        let recipe = recipe(temporary.path(), &[&quiet, overrides].concat());
        let folder = temporary.path().join(name);
        let (_, trained) = run(&recipe, &folder);
        let steps = fs::read_to_string(RunFolder::new(&folder).steps()).expect("steps.csv");
        let first: Vec<String> = steps
            .lines()
            .nth(1)
            .expect("a step")
            .split(',')
            .map(String::from)
            .collect();
        let device = backend().device().expect("a device");
        let input = Tensor::<3>::from_floats([[[0.3], [-0.9], [0.9], [-1.1], [1.2]]], &device);
        let output = trained
            .network
            .score(Input::Values(input), &[5], None)
            .output;
        let weights = Weights::of(&trained.network, "weight_hh");
        let sum = |of: fn(f64) -> f64| weights[0].iter().copied().map(of).sum::<f64>();
        (
            first,
            ActivationPenalty { alpha: 1.0 }
                .of(output.clone(), None)
                .into_scalar::<f64>(),
            TemporalPenalty { beta: 1.0 }
                .of(output, None)
                .into_scalar::<f64>(),
            sum(|weight| weight * weight),
            sum(f64::abs),
        )
    };
    let penalty = |kind: &str| {
        format!("regularize.penalties=[{{kind='{kind}',strength=0.1,targets=['weight_hh']}}]")
    };
    let plain = measured("plain", &[]);
    let ar = measured("ar", &["regularize.activation=20"]);
    let tar = measured("tar", &["regularize.temporal_activation=20"]);
    let l2 = measured("l2", &[&penalty("l2")]);
    let l1 = measured("l1", &[&penalty("l1")]);
    assert!(ar.1 < 0.7 * plain.1, "outputs {} and {}", ar.1, plain.1);
    assert!(tar.2 < 0.7 * plain.2, "changes {} and {}", tar.2, plain.2);
    assert!(l2.3 < 0.9 * plain.3, "squares {} and {}", l2.3, plain.3);
    assert!(l1.4 < 0.9 * plain.4, "magnitudes {} and {}", l1.4, plain.4);
    // step, epoch, loss, lr, grad_norm
    for (name, other) in [("ar", &ar), ("tar", &tar), ("l2", &l2), ("l1", &l1)] {
        assert_eq!(other.0[..4], plain.0[..4], "{name}");
        assert_ne!(
            other.0[4], plain.0[4],
            "{name}: the gradient has the penalty in it"
        );
    }
}

#[test]
fn what_fits_no_parameter_is_said_before_anything_is_written() {
    let _turn = turn();
    let temporary = tempfile::tempdir().expect("a temporary folder");
    for (setting, expected) in [
        (
            "regularize.penalties=[{kind='l1',strength=0.1,targets=['weight_xx']}]",
            "regularize.penalties[0]: no parameter matches `weight_xx`; those of the network are \
             encoder.Lstm.layers.0.forward.weights.weight_ih, ",
        ),
        (
            "regularize.constraints=[{kind='non_negative',targets=['head.weight']},{kind='orthogonal',targets=['nothing']}]",
            "regularize.constraints[1]: no parameter matches `nothing`; those of the network are ",
        ),
        (
            "regularize.constraints=[{kind='spectral_radius',max=1,targets=['head.weight']}]",
            "regularize.constraints[0]: `head.weight` has shape [6, 2], expected \
             [d_hidden, gates·d_hidden]",
        ),
        (
            "regularize.penalties=[{kind='rows',strength=0.1,targets=['bias_ih']}]",
            "regularize.penalties[0]: `encoder.Lstm.layers.0.forward.weights.bias_ih` has shape [24], expected a matrix",
        ),
    ] {
        let folder = temporary.path().join("run");
        let recipe = recipe(temporary.path(), &[setting]);
        let error = train(&recipe, backend(), &folder, Start::New, &mut ()).unwrap_err();
        assert!(matches!(error, TrainError::Unfit(_)), "{error}");
        let error = error.to_string();
        assert!(error.starts_with(expected), "{error}\nexpected {expected}");
        assert!(!folder.exists());
    }
}

#[test]
fn what_breaks_in_a_step_is_said_with_the_step() {
    let _turn = turn();
    let temporary = tempfile::tempdir().expect("a temporary folder");
    for (name, overrides, expected) in [
        (
            "constraint",
            [
                "training.lr=1e39",
                "regularize.constraints=[{kind='max_norm',max=1,targets=['weight_ih']}]",
            ],
            "step 1 (epoch 1): `encoder.Lstm.layers.0.forward.weights.weight_ih` has ",
        ),
        (
            "penalty",
            [
                "training.lr=0.1",
                "regularize.penalties=[{kind='l1',strength=1e300,targets=['weight_ih']}]",
            ],
            "step 1 (epoch 1): the penalties of [regularize] add up to inf, expected a finite number: regularize.penalties[0] of `encoder.Lstm",
        ),
    ] {
        let recipe = recipe(temporary.path(), &overrides);
        let folder = temporary.path().join(name);
        let error = train(&recipe, backend(), &folder, Start::New, &mut ()).unwrap_err();
        assert!(matches!(error, TrainError::Step { .. }), "{error}");
        let error = error.to_string();
        assert!(error.starts_with(expected), "{error}\nexpected {expected}");
        assert!(
            error.contains("; there is no checkpoint yet: mend "),
            "{error}"
        );
    }
}

#[test]
fn output_dropout_masks_all_steps_and_the_end_by_one_mask() {
    let _turn = turn();
    for (readout, direction) in [("last", "bidirectional"), ("mean", "forward")] {
        let overrides = [
            format!("model.readout={readout}"),
            format!("model.direction={direction}"),
            "regularize.dropout.output=0.5".to_string(),
        ];
        let recipe = Recipe::for_data("a.csv".as_ref(), &overrides).expect("a valid recipe");
        let device = backend().device().expect("a device").autodiff();
        let classifier = Network::init(
            &recipe,
            Shape {
                reads: Reads::Channels(1),
                d_output: 2,
                each_step: false,
            },
            &device,
        );
        let input = Tensor::<3>::from_floats([[[0.3], [-0.9], [0.9]]], &device);
        let scored = classifier.score(Input::Values(input.clone()), &[3], None);
        let [_, _, width] = scored.output.dims();
        let [output, dropped] = [scored.output, scored.dropped]
            .map(|steps| steps.into_data().iter::<f32>().collect::<Vec<_>>());
        let mut kept = 0;
        for unit in 0..width {
            let is_kept = dropped[unit] != 0.0;
            kept += usize::from(is_kept);
            for step in 0..3 {
                let index = step * width + unit;
                let expected = if is_kept { 2.0 * output[index] } else { 0.0 };
                assert_eq!(
                    dropped[index], expected,
                    "{readout}, step {step}, unit {unit}"
                );
            }
        }
        assert!(
            (width / 4..3 * width / 4).contains(&kept),
            "{kept} of {width}"
        );
        let again = classifier.forward(input.clone(), &[3]).into_data();
        assert_ne!(
            again,
            scored.scores.into_data(),
            "{readout}: the head sees the mask"
        );

        let classifier = classifier.valid();
        let scored = classifier.score(Input::Values(input.inner()), &[3], None);
        assert_eq!(scored.output.into_data(), scored.dropped.into_data());
    }
}
