//! Runs with every optimiser, clip, average and policy: interruptions, and what each must leave alone.

#[allow(dead_code)]
mod common;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use common::{BreakOff, backend, recipe, result, run_in_pieces, turn};
use rekindle_regularize::Targets;
use rekindle_regularize::prune::PruneReport;
use rekindle_training::{Metric, Outcome, Recipe, RunFolder, Start, TrainError, Trained, train};

const RUNS: [&[&str]; 10] = [
    &["training.optimizer=radam", "training.average=ema"],
    &[
        "training.optimizer={kind='nadam',decay='decoupled'}",
        "training.average={kind='swa',start=2,every=2}",
        "training.keep=last",
    ],
    &[
        "training.optimizer={kind='sgd',momentum=0.9,nesterov=true}",
        "training.average={kind='non_monotone',patience=1}",
        "training.watch=train_loss",
        "training.lr=0.5",
        "training.keep=last",
    ],
    &[
        "training.optimizer={kind='asgd',t0=5,lambd=0.01}",
        "training.lr=0.2",
    ],
    &[
        "training.optimizer={kind='rmsprop',centered=true,momentum=0.5}",
        "training.clip={kind='value',max=0.01}",
    ],
    &[
        "training.optimizer={kind='lookahead',inner='adamw',steps=2}",
        "training.clip={kind='adaptive',max=0.1,except=['head']}",
    ],
    &[
        "training.optimizer={kind='lookahead',inner='radam'}",
        "training.clip={kind='per_tensor',max={from=1,to=0.1,steps=9},p=inf}",
        "training.lr=0.1",
    ],
    &[
        "training.optimizer={kind='lookahead',inner={kind='asgd',t0=3}}",
        "training.lr=0.2",
    ],
    &[
        "training.optimizer={kind='lookahead',inner='sgd'}",
        "training.clip=none",
        "training.lr=0.2",
    ],
    &[
        "model.cell=lstm",
        "model.normalization=batch",
        "training.average={kind='ema',decay=0.5}",
        "prune.schedule={kind='cubic',sparsity=0.5,begin=1,end=4,every=1}",
        "regularize.constraints=[{kind='unit_norm',targets=['weight_ih']}]",
    ],
];

fn run(recipe: &Recipe, folder: &Path) -> Outcome {
    let outcome = train(recipe, backend(), folder, Start::New, &mut ());
    outcome.expect("the run ends")
}

/// The rows of `steps.csv` as numbers.
fn steps(folder: &Path) -> Vec<Vec<f64>> {
    let text = fs::read_to_string(RunFolder::new(folder).steps()).expect("steps.csv");
    let row = |line: &str| {
        line.split(',')
            .map(|field| field.parse().expect("a number"))
            .collect()
    };
    text.lines().skip(1).map(row).collect()
}

fn model(folder: &Path) -> Vec<u8> {
    fs::read(RunFolder::new(folder).model()).expect("model.bpk")
}

#[test]
fn runs_in_pieces_equal_whole_ones() {
    let _turn = turn();
    let temporary = tempfile::tempdir().expect("a temporary folder");
    for (number, overrides) in RUNS.into_iter().enumerate() {
        let recipe = recipe(temporary.path(), overrides);
        let whole = temporary.path().join(format!("{number}-whole"));
        let expected = result(&run(&recipe, &whole), &whole);
        // A piece must be longer than an epoch's events for the run to get on.
        let pieces = temporary.path().join(format!("{number}-pieces"));
        let outcome = run_in_pieces(&recipe, &pieces, 7);
        assert_eq!(result(&outcome, &pieces), expected, "{overrides:?}");
        let losses: Vec<f64> = steps(&whole).iter().map(|step| step[2]).collect();
        let (first, last) = losses.split_at(losses.len() / 2);
        assert!(
            last.iter().sum::<f64>() < first.iter().sum::<f64>(),
            "{overrides:?} learns: {losses:?}"
        );
    }
}

/// The weights that train never see the mean.
#[test]
fn a_mean_changes_what_is_kept_and_nothing_else() {
    let _turn = turn();
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let path = |name: &str| temporary.path().join(name);
    let with = |name: &str, average: &str| {
        let recipe = recipe(temporary.path(), &[average, "training.keep=last"]);
        run(&recipe, &path(name));
        (steps(&path(name)), model(&path(name)))
    };
    let (plain_steps, plain_model) = with("plain", "training.average=none");
    for (name, average, same) in [
        ("ema", "training.average={kind='ema',decay=0.9}", false),
        // No decay at all, or the weights of one moment, are the weights.
        ("ema-0", "training.average={kind='ema',decay=0.0}", true),
        ("swa-last", "training.average={kind='swa',start=6}", true),
        ("swa", "training.average={kind='swa',start=5}", false),
        (
            "swa-late",
            "training.average={kind='swa',start=1000,unit='step'}",
            true,
        ),
    ] {
        let (steps, model) = with(name, average);
        assert_eq!(steps, plain_steps, "{average}");
        assert_eq!(model == plain_model, same, "{average}");
    }
}

#[test]
fn a_mean_of_pruned_weights_is_pruned_and_is_what_is_scored() {
    let _turn = turn();
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let recipe = recipe(
        temporary.path(),
        &[
            "training.average={kind='ema',decay=0.9}",
            "training.keep=last",
            "prune.schedule={kind='cubic',sparsity=0.5,begin=1,end=4,every=1}",
            "regularize.constraints=[{kind='unit_norm',targets=['weight_ih']}]",
        ],
    );
    let folder = temporary.path().join("run");
    let outcome = run(&recipe, &folder);
    let trained = Trained::load(&folder, backend()).expect("a run");
    let report = PruneReport::of(&trained.network, &Targets::recurrent()).expect("weights");
    for tensor in report.tensors {
        assert_eq!(2 * tensor.nonzero, tensor.total, "{}", tensor.path);
    }
    let metrics = fs::read_to_string(RunFolder::new(&folder).metrics()).expect("metrics.csv");
    let last: Vec<&str> = metrics.lines().last().expect("a row").split(',').collect();
    let valid = outcome.valid.expect("a validation set");
    assert_eq!(
        last[3].parse::<f64>().expect("a loss"),
        valid.get(Metric::Loss).expect("a loss")
    );
}

/// A recipe whose training data have one sequence, or all, with numbers that no network survives.
fn extreme(folder: &Path, all: bool, overrides: &[&str]) -> Recipe {
    let mut recipe = recipe(
        folder,
        &[
            &[
                "data.scaling=none",
                "model.cell=rnn",
                "model.activation={kind='affine',alpha=1,beta=0}",
                // What is not dropped becomes infinite.
                "model.input_dropout=0.5",
            ],
            overrides,
        ]
        .concat(),
    );
    let train = recipe.data.train.replace(folder.join("extreme.csv"));
    let clean = fs::read_to_string(train.as_ref().expect("a file")).expect("toy data");
    let mut text = match all {
        true => clean.lines().next().expect("a header").to_string() + "\n",
        false => clean,
    };
    for series in 0..if all { 24 } else { 1 } {
        let label = ["up", "down"][series % 2];
        for time in 0..12 {
            text += &format!("x{series},{time},{label},3e38\n");
        }
    }
    recipe.data.valid = train;
    fs::write(folder.join("extreme.csv"), text).expect("data");
    recipe
}

#[test]
fn steps_that_are_not_finite_are_left_out_and_counted() {
    let _turn = turn();
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let policies = ["skip", "{kind='back_off',factor=0.5}"];
    for (number, policy) in policies.into_iter().enumerate() {
        for norm in ["none", "sequence_batch"] {
            let policy = format!("training.on_nonfinite={policy}");
            let norm = format!("model.normalization={norm}");
            let recipe = extreme(temporary.path(), false, &[&policy, &norm]);
            let whole = temporary.path().join(format!("{number}-{norm}"));
            let outcome = run(&recipe, &whole);
            assert_eq!(
                outcome.skipped_steps, 6,
                "{policy} {norm}: once in an epoch"
            );
            assert!(
                outcome
                    .valid
                    .expect("scores")
                    .get(Metric::Loss)
                    .is_some_and(f64::is_finite),
                "{policy} {norm}"
            );

            let mut factor = 1.0;
            for step in steps(&whole) {
                assert_eq!(step[3], 0.02 * factor, "{policy}, step {}", step[0]);
                assert_eq!(
                    step[5] == 1.0,
                    !step[4].is_finite(),
                    "{policy}, step {}",
                    step[0]
                );
                if step[5] == 1.0 && number == 1 {
                    factor *= 0.5;
                }
            }
            let metrics = fs::read_to_string(RunFolder::new(&whole).metrics()).expect("metrics");
            assert!(
                metrics
                    .lines()
                    .skip(1)
                    .all(|line| line.split(',').nth(9) == Some("1"))
            );
            let report = fs::read_to_string(RunFolder::new(&whole).report()).expect("a report");
            assert!(report.contains("steps left out"), "{policy}");

            let pieces = temporary.path().join(format!("{number}-{norm}-pieces"));
            let again = run_in_pieces(&recipe, &pieces, 7);
            assert_eq!(
                result(&again, &pieces),
                result(&outcome, &whole),
                "{policy}"
            );
        }
    }
}

#[test]
fn too_many_steps_that_are_not_finite_are_an_error() {
    let _turn = turn();
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let error = |name: &str, policy: &str| {
        let policy = format!("training.on_nonfinite={policy}");
        let recipe = extreme(temporary.path(), true, &[&policy]);
        let folder = temporary.path().join(name);
        let outcome = train(&recipe, backend(), &folder, Start::New, &mut ());
        outcome.expect_err("no step can be taken")
    };
    assert!(matches!(
        error("error", "error"),
        TrainError::Step { at, .. } if at.step == 1
    ));
    assert!(matches!(
        error("skip", "skip"),
        TrainError::AllSkipped { epoch: 1, .. }
    ));
    let error = error("back_off", "{kind='back_off',limit=2}");
    assert!(
        matches!(error, TrainError::BackedOff { skipped: 2, .. }),
        "{error}"
    );
    assert!(
        error
            .to_string()
            .ends_with("; 2 steps in a row before it were left out"),
        "{error}"
    );
}

/// The mean begins after the epoch that the paper's condition names, and takes in every step from there on.
#[test]
fn a_non_monotone_mean_begins_when_the_metric_gets_worse() {
    let _turn = turn();
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let patience = 1;
    let average = format!("training.average={{kind='non_monotone',patience={patience}}}");
    let overrides = [
        average.as_str(),
        "training.optimizer=sgd",
        "training.watch=train_loss",
        "training.lr=2",
        "training.epochs=12",
        "training.keep=last",
    ];
    let recipe = recipe(temporary.path(), &overrides);
    let folder = temporary.path().join("run");
    run(&recipe, &folder);
    let metrics = fs::read_to_string(RunFolder::new(&folder).metrics()).expect("metrics.csv");
    let loss = |line: &str| {
        line.split(',')
            .nth(1)
            .and_then(|loss| loss.parse::<f64>().ok())
    };
    let losses: Vec<f64> = metrics.lines().skip(1).filter_map(loss).collect();
    let begins = |epoch: &usize| {
        let earlier = &losses[..(epoch - 1).saturating_sub(patience)];
        earlier.iter().any(|earlier| losses[epoch - 1] > *earlier)
    };
    let begun = (1..=12)
        .find(begins)
        .expect("a rate so high goes up and down");
    assert!(begun < 12, "{losses:?}");
    let state = folder.join("checkpoint/epoch-12/state.json");
    let state: serde_json::Value =
        serde_json::from_slice(&fs::read(state).expect("a checkpoint")).expect("JSON");
    assert_eq!(state["average"]["count"], (12 - begun) * 3, "{losses:?}");
}

#[test]
fn a_checkpoint_without_its_mean_is_refused() {
    let _turn = turn();
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let recipe = recipe(temporary.path(), &["training.average=ema"]);
    let folder = temporary.path().join("run");
    let piece = || train(&recipe, backend(), &folder, Start::New, &mut BreakOff(7));
    assert!(catch_unwind(AssertUnwindSafe(piece)).is_err(), "broken off");
    let checkpoint = folder.join("checkpoint/epoch-1");
    let resume = || {
        let error = train(&recipe, backend(), &folder, Start::Resume, &mut ());
        error.expect_err("a damaged checkpoint").to_string()
    };

    let state = checkpoint.join("state.json");
    let text = fs::read_to_string(&state).expect("a state");
    for (from, to, expected) in [
        (
            "\"count\": 3",
            "\"count\": 0",
            "its mean is over 0 weights, expected mean.bpk beside it if there are any",
        ),
        (
            "\"lr_factor\": 1.0",
            "\"lr_factor\": -1.0",
            "its factor of the learning rate is -1, expected a number in (0, 1]",
        ),
    ] {
        assert!(text.contains(from), "{text}");
        fs::write(&state, text.replace(from, to)).expect("it is written");
        let error = resume();
        assert!(error.contains(expected), "{error}");
    }
    fs::write(&state, text).expect("it is written");
    fs::remove_file(checkpoint.join("mean.bpk")).expect("it is there");
    let error = resume();
    assert!(
        error.contains("cannot read") && error.contains("mean.bpk"),
        "{error}"
    );
}
