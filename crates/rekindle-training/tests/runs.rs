//! Runs from a recipe to a finished folder: interruptions, bad numbers, changed inputs.

#[allow(dead_code)]
mod common;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};

use common::{BreakOff, backend, recipe, result, run_in_pieces, turn};
use rekindle_training::{RunFolder, Start, TrainError, Trained, train};

#[test]
fn a_run_in_pieces_equals_a_whole_one() {
    let _turn = turn();
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let exponential = "training.schedule={kind='exponential',gamma=0.9}";
    let plateau = "training.schedule={kind='plateau',patience=0,factor=0.5}";
    for overrides in [
        vec!["model.cell=lstm", "training.keep=best"],
        vec!["model.cell=gru", exponential, "training.keep=last"],
        vec!["model.cell=rnn", plateau, "training.patience=3"],
        vec![
            "model.cell=gru",
            "model.layers=2",
            "model.direction=bidirectional",
            "model.init.input=orthogonal",
            "model.lsuv=true",
        ],
    ] {
        let recipe = recipe(temporary.path(), &overrides);
        let whole = temporary
            .path()
            .join(format!("{}-{}-whole", recipe.model.cell, recipe.model.lsuv));
        let outcome = train(&recipe, backend(), &whole, Start::New, &mut ());
        let expected = result(&outcome.expect("the run ends"), &whole);
        // A piece must be longer than an epoch's events for the run to get on.
        for events in [6, 9] {
            let pieces = temporary.path().join(format!(
                "{}-{}-{events}",
                recipe.model.cell, recipe.model.lsuv
            ));
            let outcome = run_in_pieces(&recipe, &pieces, events);
            assert_eq!(
                result(&outcome, &pieces),
                expected,
                "{overrides:?}, {events} events"
            );
        }
    }
}

/// Cells with options in several mixtures; every option occurs.
const OPTIONS: [&[&str]; 6] = [
    &[
        "model.cell=lstm",
        "model.layers=2",
        "model.direction=bidirectional",
        "model.merge=sum",
        "model.connections=residual",
        "model.dropout=0.1",
        "model.peepholes=full",
        "model.gate_recurrence=true",
        "model.projected=4",
        "model.clip=5",
        "model.cell_clip=2",
        "model.initial_state=learned",
        "model.gate_activation=hard_sigmoid",
        "model.candidate_activation={kind='leaky_relu',alpha=0.1}",
        "model.output_activation=softsign",
    ],
    &[
        "model.cell=lstm",
        "model.layers=3",
        "model.connections=dense",
        "model.gates=coupled",
        "model.peepholes=diagonal",
        "model.initial_state=learned",
    ],
    &[
        "model.cell=lstm",
        "model.gates=no_output",
        "model.peepholes=full",
        "model.direction=reverse",
        "model.readout=mean",
    ],
    &[
        "model.cell=gru",
        "model.layers=2",
        "model.direction=bidirectional",
        "model.merge=mul",
        "model.reset=before",
        "model.update=replace",
        "model.clip=3",
        "model.initial_state=learned",
        "model.candidate_activation=relu",
    ],
    &[
        "model.cell=gru",
        "model.layers=2",
        "model.connections=residual",
        "model.update=replace",
        "model.gate_activation=hard_sigmoid",
    ],
    &[
        "model.cell=rnn",
        "model.layers=2",
        "model.direction=bidirectional",
        "model.merge=mean",
        "model.connections=dense",
        "model.activation={kind='scaled_tanh',alpha=1.2,beta=0.8}",
        "model.clip=2",
        "model.initial_state=learned",
    ],
];

#[test]
fn options_survive_interruptions_and_loading() {
    let _turn = turn();
    let temporary = tempfile::tempdir().expect("a temporary folder");
    for (index, options) in OPTIONS.into_iter().enumerate() {
        let recipe = recipe(
            temporary.path(),
            &[options, &["training.epochs=3"]].concat(),
        );
        let [whole, pieces] =
            ["whole", "pieces"].map(|name| temporary.path().join(format!("{index}-{name}")));
        let outcome = train(&recipe, backend(), &whole, Start::New, &mut ()).expect("it ends");
        let resumed = run_in_pieces(&recipe, &pieces, 6);
        assert_eq!(
            result(&resumed, &pieces),
            result(&outcome, &whole),
            "{options:?}"
        );

        let trained = Trained::load(&whole, backend()).expect("it loads");
        assert_eq!(trained.recipe, recipe);
        let test = recipe.data.test.as_ref().expect("test data");
        let set = trained.read(test).expect("the test data");
        let scores = trained.predict(&set).evaluate().expect("labels").scores;
        assert_eq!(Some(scores), outcome.test, "{options:?}");
    }
}

#[test]
fn the_same_seed_gives_the_same_bits_and_another_seed_does_not() {
    let _turn = turn();
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let run = |name: &str, seed: &str| {
        let recipe = recipe(temporary.path(), &[seed]);
        let folder = temporary.path().join(name);
        let outcome = train(&recipe, backend(), &folder, Start::New, &mut ());
        result(&outcome.expect("the run ends"), &folder)
    };
    let first = run("a", "seed=7");
    assert_eq!(run("b", "seed=7"), first);
    assert_ne!(run("c", "seed=8").3, first.3);
}

#[test]
fn a_finished_run_loads_and_scores_as_it_said() {
    let _turn = turn();
    let temporary = tempfile::tempdir().expect("a temporary folder");
    for keep in ["training.keep=best", "training.keep=last"] {
        let recipe = recipe(temporary.path(), &[keep]);
        let folder = temporary.path().join(keep.replace('.', "-"));
        let outcome = train(&recipe, backend(), &folder, Start::New, &mut ()).expect("it ends");
        let trained = Trained::load(&folder, backend()).expect("it loads");
        let test = recipe.data.test.clone().expect("test data");
        let set = trained.read(&test).expect("the test data");
        let scores = trained.predict(&set).evaluate().expect("labels").scores;
        assert_eq!(Some(scores), outcome.test, "{keep}");

        let again = train(&recipe, backend(), &folder, Start::Resume, &mut ());
        assert_eq!(again.expect("a finished run says what it knows"), outcome);
    }
}

#[test]
fn a_loss_that_is_no_number_stops_the_run_and_keeps_the_checkpoint() {
    let _turn = turn();
    let temporary = tempfile::tempdir().expect("a temporary folder");
    // A ReLU network with a learning rate beyond reason.
    let overrides = [
        "model.cell=rnn",
        "model.activation=relu",
        "training.lr=1e30",
    ];
    let recipe = recipe(temporary.path(), &overrides);
    let folder = temporary.path().join("run");
    let error = train(&recipe, backend(), &folder, Start::New, &mut ()).unwrap_err();
    let expected = matches!(error, TrainError::Step { .. });
    assert!(expected, "{error}");
    assert!(error.to_string().contains("(epoch "), "{error}");
    assert!(!RunFolder::new(&folder).result().exists());
}

#[test]
fn a_run_refuses_what_it_was_not_begun_with() {
    let _turn = turn();
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let first = recipe(temporary.path(), &["training.epochs=4"]);
    let folder = temporary.path().join("run");
    let broken = || train(&first, backend(), &folder, Start::New, &mut BreakOff(6));
    assert!(
        catch_unwind(AssertUnwindSafe(broken)).is_err(),
        "it breaks off in its second epoch"
    );

    let error = train(&first, backend(), &folder, Start::New, &mut ()).unwrap_err();
    assert!(matches!(error, TrainError::InUse { .. }), "{error}");

    let other = recipe(temporary.path(), &["training.epochs=4", "model.hidden=7"]);
    let error = train(&other, backend(), &folder, Start::Resume, &mut ()).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("`hidden = 6`, now given `hidden = 7`"),
        "{error}"
    );

    let file = first.data.train.as_ref().expect("a file");
    let data = fs::read_to_string(file).expect("the data");
    fs::write(file, data.replacen("0,up,", "0,up,1", 1)).expect("changed");
    let error = train(&first, backend(), &folder, Start::Resume, &mut ()).unwrap_err();
    assert!(matches!(error, TrainError::DataChanged { .. }), "{error}");
}

#[test]
fn a_damaged_checkpoint_is_named() {
    let _turn = turn();
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let recipe = recipe(temporary.path(), &[]);
    let folder = temporary.path().join("run");
    let broken = || train(&recipe, backend(), &folder, Start::New, &mut BreakOff(6));
    assert!(catch_unwind(AssertUnwindSafe(broken)).is_err());
    let checkpoint = RunFolder::new(&folder).checkpoints().join("epoch-1");
    for name in ["model.bpk", "optimizer.bpk", "lr.bpk", "state.json"] {
        let path = checkpoint.join(name);
        let whole = fs::read(&path).expect("a part of the checkpoint");
        fs::write(&path, &whole[..whole.len() / 2]).expect("cut");
        let error = train(&recipe, backend(), &folder, Start::Resume, &mut ()).unwrap_err();
        let error = error.to_string();
        assert!(
            error.contains(name) && error.contains("is damaged"),
            "{error}"
        );
        fs::write(&path, &whole).expect("restored");
    }
    train(&recipe, backend(), &folder, Start::Resume, &mut ()).expect("restored, it goes on");
}

/// Data from which no unit variance comes are an error before anything is written; otherwise weights are others from the first
/// step on.
#[test]
fn unit_variance_comes_from_the_data() {
    let _turn = turn();
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let recipe = |lsuv: &str| {
        let lsuv = format!("model.lsuv={lsuv}");
        let all = ["model.init.input=orthogonal", "data.scaling=none", &lsuv];
        recipe(temporary.path(), &all)
    };
    let losses = |name: &str, lsuv: &str| {
        let folder = temporary.path().join(name);
        train(&recipe(lsuv), backend(), &folder, Start::New, &mut ()).expect("it ends");
        fs::read_to_string(RunFolder::new(&folder).steps()).expect("steps")
    };
    assert_ne!(losses("scaled", "true"), losses("drawn", "false"));

    let constant = recipe("true");
    let text = fs::read_to_string(constant.data.train.as_ref().expect("a file")).expect("toy data");
    let zeros = text.lines().map(|line| match line.rsplit_once(',') {
        Some((front, value)) if value != "level" => format!("{front},0\n"),
        _ => format!("{line}\n"),
    });
    fs::write(
        constant.data.train.as_ref().expect("a file"),
        zeros.collect::<String>(),
    )
    .expect("it is written");
    let folder = temporary.path().join("constant");
    let error = train(&constant, backend(), &folder, Start::New, &mut ()).unwrap_err();
    let expected = "model.lsuv: layer 0, forward, gate 0: x W_ih has variance 0.000e0 and ";
    assert!(error.to_string().starts_with(expected), "{error}");
    assert!(!folder.exists());
}
