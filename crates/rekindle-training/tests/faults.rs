//! Faults put into runs: each ends with the step, the tensor and the last good checkpoint, or the step is left out; what is
//! on the disk stays whole, and once the recipe is mended the run goes on to what it would have been without the fault.

#[allow(dead_code)]
mod common;

use std::collections::HashSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use burn::tensor::Bytes;
use burn_pack::{Reader, Tensor, Writer};
use common::{BreakOff, backend, recipe, result, turn};
use rekindle_training::{
    Event, NotFinite, Observer, Outcome, Recipe, RunFolder, Start, StepError, TrainError, Trained,
    epochs_of, recipe_of, train,
};

fn start(recipe: &Recipe, folder: &Path, start: Start) -> Result<Outcome, TrainError> {
    let run = || train(recipe, backend(), folder, start, &mut ());
    catch_unwind(AssertUnwindSafe(run)).expect("no panic")
}

/// Everything that the run has left is whole: epochs up to the last good checkpoint, and nothing half written.
fn check_folder(folder: &Path, epochs: usize) {
    let run = RunFolder::new(folder);
    assert!(!run.result().exists(), "it is not finished");
    let checkpoints = match run.checkpoints().exists() {
        true => fs::read_dir(run.checkpoints())
            .expect("checkpoints")
            .count(),
        false => 0,
    };
    assert_eq!(checkpoints, usize::from(epochs > 0));
    if epochs > 0 {
        assert!(run.checkpoints().join(format!("epoch-{epochs}")).exists());
        assert_eq!(epochs_of(folder).expect("metrics.csv").len(), epochs);
    }
    recipe_of(folder).expect("a recipe");
    for path in fs::read_dir(folder).expect("a folder") {
        let path = path.expect("an entry").path();
        assert!(path.extension().is_none_or(|ending| ending != "tmp"));
    }
}

/// What an error must name: step, tensor, and the last good checkpoint with the way on.
fn check_message(error: &TrainError, folder: &Path, step: usize, epochs: usize, tensor: &str) {
    let text = error.to_string();
    let epoch = step.div_ceil(3);
    let at = format!("step {step} (epoch {epoch}): ");
    assert!(text.starts_with(&at), "{text}\nexpected {at}");
    assert!(text.contains(tensor), "{text}\nexpected {tensor}");
    let kept = match epochs {
        0 => "there is no checkpoint yet: ".to_string(),
        _ => {
            let path = folder.join(format!("checkpoint/epoch-{epochs}"));
            format!("the last good checkpoint is {}: ", path.display())
        }
    };
    let way = format!(
        "; {kept}mend {0}/recipe.toml and go on with `rekindle train --resume --out {0}`",
        folder.display()
    );
    assert!(text.ends_with(&way), "{text}\nexpected {way}");
}

/// Writes another value of a key into the recipe of a run, as its owner would.
fn mend(folder: &Path, mended: &Recipe) {
    let path = RunFolder::new(folder).recipe();
    fs::write(path, mended.to_toml()).expect("it is written");
}

/// A step at which the rate is beyond reason: what is trained, and the first tensor that breaks.
struct Spike {
    name: &'static str,
    /// Counted from 1; an epoch has three.
    step: usize,
    overrides: &'static [&'static str],
    /// A group of parameters that alone breaks.
    only: Option<&'static str>,
    tensor: &'static str,
}

const SPIKES: [Spike; 14] = [
    Spike {
        name: "adamw-first-step",
        step: 1,
        overrides: &["model.cell=lstm"],
        only: None,
        tensor: "`encoder.Lstm.layers.0.forward.weights.weight_ih` has ",
    },
    Spike {
        name: "sgd-mid-epoch",
        step: 5,
        overrides: &[
            "model.cell=gru",
            "training.optimizer={kind='sgd',momentum=0.9}",
            "training.clip=none",
        ],
        only: None,
        tensor: "`encoder.Gru.layers.0.forward.weights.weight_ih` has ",
    },
    Spike {
        name: "rmsprop-first-step-of-an-epoch",
        step: 4,
        overrides: &[
            "model.cell=rnn",
            "training.optimizer=rmsprop",
            "training.clip={kind='value',max=0.1}",
        ],
        only: None,
        tensor: "`encoder.Elman.layers.0.forward.weights.weight_ih` has ",
    },
    // Without a look at the weights, an epoch that ends so would leave a checkpoint without numbers.
    Spike {
        name: "radam-last-step-of-an-epoch",
        step: 9,
        overrides: &[
            "model.cell=lstm",
            "training.optimizer=radam",
            "training.clip={kind='per_tensor',max=1}",
        ],
        only: None,
        tensor: "`encoder.Lstm.layers.0.forward.weights.weight_ih` has ",
    },
    Spike {
        name: "nadam-last-step-of-the-run",
        step: 18,
        overrides: &[
            "model.cell=gru",
            "training.optimizer=nadam",
            "training.clip={kind='adaptive',max=0.1}",
        ],
        only: None,
        tensor: "`encoder.Gru.layers.0.forward.weights.weight_ih` has ",
    },
    Spike {
        name: "lookahead",
        step: 8,
        overrides: &["training.optimizer={kind='lookahead',inner='sgd',steps=2}"],
        only: None,
        tensor: "`encoder.Lstm.layers.0.forward.weights.weight_ih` has ",
    },
    Spike {
        name: "asgd-with-its-mean",
        step: 6,
        overrides: &["training.optimizer={kind='asgd',t0=2,lambd=0}"],
        only: None,
        tensor: "`encoder.Lstm.layers.0.forward.weights.weight_ih` has ",
    },
    Spike {
        name: "recurrent-weights",
        step: 7,
        overrides: &["model.cell=gru", "training.average={kind='ema',decay=0.9}"],
        only: Some("weight_hh"),
        tensor: "`encoder.Gru.layers.0.forward.weights.weight_hh` has ",
    },
    Spike {
        name: "reverse-bias",
        step: 2,
        overrides: &["model.cell=rnn", "model.direction=bidirectional"],
        only: Some("reverse.weights.bias_ih"),
        tensor: "`encoder.Elman.layers.0.reverse.weights.bias_ih` has ",
    },
    Spike {
        name: "peepholes",
        step: 3,
        overrides: &["model.cell=lstm", "model.peepholes=diagonal"],
        only: Some("peepholes"),
        tensor: "`encoder.Lstm.layers.0.forward.peepholes` has ",
    },
    Spike {
        name: "initial-state",
        step: 12,
        overrides: &["model.cell=lstm", "model.initial_state=learned"],
        only: Some("states.*"),
        tensor: "states.0` has ",
    },
    Spike {
        name: "gains-of-a-norm",
        step: 10,
        overrides: &["model.cell=lstm", "model.normalization=layer"],
        only: Some("gain"),
        tensor: "gain` has ",
    },
    Spike {
        name: "head",
        step: 4,
        overrides: &["model.cell=gru", "model.layers=2"],
        only: Some("head.bias"),
        tensor: "`head.bias` has 2 of 2 values that are not finite, expected none after the step",
    },
    Spike {
        name: "while-pruning-and-constraining",
        step: 11,
        overrides: &[
            "prune.schedule={kind='cubic',sparsity=0.5,begin=1,end=4,every=1}",
            "regularize.constraints=[{kind='max_norm',max=1,targets=['weight_ih']}]",
        ],
        only: Some("weight_ih"),
        tensor: "`encoder.Lstm.layers.0.forward.weights.weight_ih` has ",
    },
];

impl Spike {
    /// The settings of a run whose rate is `factor` times as high in the step, for all parameters or a group.
    fn settings(&self, factor: f64) -> Vec<String> {
        let points = match self.step {
            1 => format!("[[0,{factor:e}],[1,1]]"),
            step => format!("[[0,1],[{},{factor:e}],[{step},1]]", step - 1),
        };
        let table = format!("{{kind='table',points={points}}}");
        let own = self.overrides.iter().map(ToString::to_string);
        let unit = "training.schedule_unit=step".to_string();
        own.chain([
            unit,
            match self.only {
                None => format!("training.schedule={table}"),
                Some(only) => {
                    format!("training.groups=[{{targets=['{only}'],schedule={table}}}]")
                }
            },
        ])
        .collect()
    }

    fn recipe(&self, folder: &Path, factor: f64, more: &[&str]) -> Recipe {
        let settings = self.settings(factor);
        let settings = settings.iter().map(String::as_str);
        recipe(
            folder,
            &settings.chain(more.iter().copied()).collect::<Vec<_>>(),
        )
    }
}

#[test]
fn weights_that_overflow_end_the_run_and_it_goes_on_once_mended() {
    let _turn = turn();
    let temporary = tempfile::tempdir().expect("a temporary folder");
    for spike in SPIKES {
        let folder = temporary.path().join(spike.name);
        let broken = spike.recipe(temporary.path(), 1e45, &[]);
        let error = start(&broken, &folder, Start::New).expect_err(spike.name);
        let epochs = (spike.step - 1) / 3;
        check_message(&error, &folder, spike.step, epochs, spike.tensor);
        let TrainError::Step { source, .. } = &error else {
            panic!("{error}");
        };
        assert!(matches!(**source, StepError::Weights(_)), "{error}");
        check_folder(&folder, epochs);

        // The same run fails at the same place.
        let again = start(&broken, &folder, Start::Resume).expect_err(spike.name);
        assert_eq!(again.to_string(), error.to_string());
        check_folder(&folder, epochs);

        let mended = spike.recipe(temporary.path(), 1.0, &[]);
        mend(&folder, &mended);
        let outcome = start(&mended, &folder, Start::Resume).expect(spike.name);
        let whole = temporary.path().join(format!("{}-whole", spike.name));
        let expected = start(&mended, &whole, Start::New).expect(spike.name);
        assert_eq!(result(&outcome, &folder), result(&expected, &whole));
        Trained::load(&folder, backend()).expect("it loads");
    }
}

/// Takes note of the steps that are left out.
#[derive(Default)]
struct LeftOut(Vec<(String, f64)>);

impl Observer for LeftOut {
    fn observe(&mut self, event: &Event) {
        if let Event::LeftOut { error, lr_factor } = event {
            self.0.push((error.to_string(), *lr_factor));
        }
    }
}

#[test]
fn weights_that_overflow_are_left_out_where_the_recipe_says_so() {
    let _turn = turn();
    let temporary = tempfile::tempdir().expect("a temporary folder");
    for (policy, factor) in [("skip", 1.0), ("{kind='back_off',factor=0.25}", 0.25)] {
        let policy = format!("training.on_nonfinite={policy}");
        for spike in SPIKES {
            let folder = temporary.path().join(format!("{}-{factor}", spike.name));
            let broken = spike.recipe(temporary.path(), 1e45, &[&policy]);
            let mut left_out = LeftOut::default();
            let outcome = train(&broken, backend(), &folder, Start::New, &mut left_out);
            let outcome = outcome.expect(spike.name);
            assert_eq!(outcome.skipped_steps, 1, "{}", spike.name);
            let [(message, lr_factor)] = &left_out.0[..] else {
                panic!("{}: {:?}", spike.name, left_out.0);
            };
            assert_eq!(*lr_factor, factor);
            let step = format!("step {} (epoch {}): ", spike.step, spike.step.div_ceil(3));
            assert!(message.starts_with(&step), "{message}");
            assert!(message.contains(spike.tensor), "{message}");
            let kept = match (spike.step - 1) / 3 {
                0 => "there is no checkpoint yet".to_string(),
                epochs => format!("checkpoint/epoch-{epochs}: "),
            };
            assert!(message.contains(&kept), "{message}");
            Trained::load(&folder, backend()).expect("it loads");
        }
    }
}

/// A step that is left out moves no weight, and the optimiser does not remember it.
#[test]
fn a_step_that_overflows_leaves_nothing_behind() {
    let _turn = turn();
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let spike = Spike {
        name: "last",
        step: 3,
        overrides: &[
            "training.epochs=1",
            "training.keep=last",
            "training.weight_decay=0",
        ],
        only: None,
        tensor: "",
    };
    let run = |name: &str, factor, policy| {
        let folder = temporary.path().join(name);
        let recipe = spike.recipe(temporary.path(), factor, &[policy]);
        start(&recipe, &folder, Start::New).expect("it ends");
        let optimizer = fs::read(folder.join("checkpoint/epoch-1/optimizer.bpk"));
        let bytes = Bytes::from_bytes_vec(optimizer.expect("a checkpoint"));
        let optimizer = Reader::from_bytes(bytes).expect("a pack");
        let times = optimizer.scalars().iter();
        let times: HashSet<usize> = times
            .filter(|(name, _)| name.ends_with("time"))
            .map(|(_, &time)| usize::try_from(time).expect("a count"))
            .collect();
        let weights = fs::read(RunFolder::new(&folder).model());
        (weights.expect("weights"), times)
    };
    let (skipped, times) = run("skipped", 1e45, "training.on_nonfinite=skip");
    assert_eq!(times, HashSet::from([2]));
    let (still, times) = run("still", 0.0, "training.on_nonfinite=error");
    assert_eq!(times, HashSet::from([3]));
    assert!(skipped == still, "a rate of zero moves nothing either");
}

/// Another value for all numbers of a file of toy data.
fn with_values(path: &Path, name: &str, value: &str) -> PathBuf {
    let clean = fs::read_to_string(path).expect("toy data");
    let mut lines = clean.lines();
    let mut text = lines.next().expect("a header").to_string() + "\n";
    for line in lines {
        let (front, _) = line.rsplit_once(',').expect("columns");
        text += &format!("{front},{value}\n");
    }
    let path = path.with_file_name(format!("{name}.csv"));
    fs::write(&path, text).expect("it is written");
    path
}

/// Outputs that grow with inputs.
const LINEAR: [&str; 3] = [
    "model.cell=rnn",
    "model.activation={kind='affine',alpha=1,beta=0}",
    "model.input_dropout=0",
];

/// A fault that is in the recipe or the data from the beginning.
struct Seed {
    name: &'static str,
    overrides: &'static [&'static str],
    /// The numbers of the training data, in place of the toy's.
    values: Option<&'static str>,
    step: usize,
    expected: &'static str,
    /// What takes the fault away; nothing if it is in the data.
    mended: &'static [&'static str],
}

const SEEDS: [Seed; 9] = [
    Seed {
        name: "weights-drawn-too-large",
        overrides: &[
            "model.hidden=64",
            "model.init.input={kind='normal',std=3e38}",
        ],
        values: None,
        step: 1,
        expected: "loss is NaN, expected a finite number: `encoder.Elman.layers.0.forward.weights.weight_ih` has ",
        mended: &["model.init.input={kind='normal',std=0.1}"],
    },
    Seed {
        name: "recurrence-that-explodes",
        overrides: &["model.init.recurrent={kind='identity',gain=1e12}"],
        values: None,
        step: 1,
        expected: "expected a finite number: the output of the recurrent stack has ",
        mended: &["model.init.recurrent={kind='identity',gain=1}"],
    },
    Seed {
        // All states are zero, where the slope is steepest.
        name: "gradient-that-explodes",
        overrides: &[
            "data.scaling=none",
            "model.activation={kind='scaled_tanh',alpha=1,beta=1e38}",
        ],
        values: Some("0"),
        step: 1,
        expected: "gradient of `encoder.Elman.layers.0.forward.weights.weight_ih` has ",
        mended: &["model.activation={kind='scaled_tanh',alpha=1,beta=1}"],
    },
    Seed {
        name: "inputs-of-1e38",
        overrides: &[
            "data.scaling=none",
            "model.init.input={kind='constant',value=2}",
        ],
        values: Some("1e38"),
        step: 1,
        expected: " and inputs of up to 1.000e38; lower training.lr",
        mended: &[],
    },
    Seed {
        name: "penalty",
        overrides: &["regularize.penalties=[{kind='l1',strength=1e300,targets=['weight_hh']}]"],
        values: None,
        step: 1,
        expected: "the penalties of [regularize] add up to inf, expected a finite number: regularize.penalties[0] of `encoder.Elman.layers.0.forward.weights.weight_hh` is inf",
        mended: &["regularize.penalties=[{kind='l1',strength=1e-3,targets=['weight_hh']}]"],
    },
    Seed {
        name: "penalty-on-units",
        overrides: &["regularize.units=1e300"],
        values: None,
        step: 1,
        expected: "expected a finite number: regularize.units of layers.0.forward is inf",
        mended: &["regularize.units=1e-3"],
    },
    Seed {
        name: "penalty-on-outputs",
        overrides: &["regularize.activation=1e300"],
        values: None,
        step: 1,
        expected: "expected a finite number: regularize.activation is inf; lower its strength",
        mended: &["regularize.activation=1e-3"],
    },
    // Squares of gradients overflow, and the weights would stand still from then on.
    Seed {
        name: "moments-of-adam",
        overrides: &[
            "data.scaling=none",
            "training.clip=none",
            "training.optimizer=adam",
            "training.weight_decay=0",
        ],
        values: Some("1e25"),
        step: 3,
        expected: "in the memory of training.optimizer moment",
        mended: &["training.clip={kind='norm',max=1}"],
    },
    // Weight decay alone takes the weights from one end of the numbers to the other, farther than their mean can follow.
    Seed {
        name: "mean-of-weights",
        overrides: &[
            "training.optimizer=sgd",
            "training.lr=1",
            "training.weight_decay=1",
            "training.schedule={kind='table',points=[[0,0],[1,1.178],[2,1.2],[3,33],[4,0]]}",
            "training.schedule_unit=step",
            "training.groups=[{targets=['*'],lr_factor=0},{targets=['weight_ih']}]",
            "training.average={kind='ema',decay=0.99}",
            "model.activation=tanh",
            "model.init.input={kind='constant',value=2.8e38}",
        ],
        values: Some("1"),
        step: 6,
        expected: "in the mean of training.average `encoder.Elman.layers.0.forward.weights.weight_ih` has 6 of 6 values",
        mended: &["training.average=none"],
    },
];

#[test]
fn faults_of_recipes_and_data_are_said_with_their_place() {
    let _turn = turn();
    let temporary = tempfile::tempdir().expect("a temporary folder");
    for seed in SEEDS {
        let with = |more: &[&str]| {
            let overrides = [&LINEAR, seed.overrides, more].concat();
            let mut recipe = recipe(temporary.path(), &overrides);
            if let Some(value) = seed.values {
                let train = recipe.data.train.take().expect("a file");
                recipe.data.train = Some(with_values(&train, seed.name, value));
                recipe.data.valid = Some(train);
            }
            recipe
        };
        let folder = temporary.path().join(seed.name);
        let broken = with(&[]);
        let error = start(&broken, &folder, Start::New).expect_err(seed.name);
        let epochs = (seed.step - 1) / 3;
        check_message(&error, &folder, seed.step, epochs, seed.expected);
        check_folder(&folder, epochs);
        match seed.mended {
            [] => {
                let again = start(&broken, &folder, Start::Resume).expect_err(seed.name);
                assert_eq!(again.to_string(), error.to_string());
            }
            mended => {
                let mended = with(mended);
                mend(&folder, &mended);
                start(&mended, &folder, Start::Resume).expect(seed.name);
                Trained::load(&folder, backend()).expect("it loads");
            }
        }
    }
}

/// A held-out set that no network survives ends the run before a checkpoint or a result without numbers is written.
#[test]
fn scores_that_are_no_numbers_end_the_run() {
    let _turn = turn();
    let temporary = tempfile::tempdir().expect("a temporary folder");
    for (name, set, step, epochs) in [
        ("valid", "loss over the validation set is NaN", 3, 0),
        ("test", "loss over the test set is NaN", 18, 6),
    ] {
        let overrides = [&LINEAR[..], &["data.scaling=none", "training.lr=0.001"]].concat();
        let mut recipe = recipe(temporary.path(), &overrides);
        let extreme = with_values(recipe.data.train.as_ref().expect("a file"), name, "3e38");
        match name {
            "valid" => recipe.data.valid = Some(extreme),
            _ => recipe.data.test = Some(extreme),
        }
        let folder = temporary.path().join(name);
        for how in [Start::New, Start::Resume] {
            let error = start(&recipe, &folder, how).expect_err(name).to_string();
            let at = format!("step {step} (epoch {}): {set}", step / 3);
            assert!(error.starts_with(&at), "{error}");
            let kept = match epochs {
                0 => "there is no checkpoint yet",
                _ => "checkpoint/epoch-6",
            };
            assert!(error.ends_with(kept), "{error}");
            check_folder(&folder, epochs);
        }
    }
}

/// Makes the first value of a tensor another one, in a checkpoint whose checksums are right again; the bytes of before.
fn tamper(checkpoint: &Path, part: &str, tensor: &str, value: f32) -> [Vec<u8>; 2] {
    let (path, state) = (checkpoint.join(part), checkpoint.join("state.json"));
    let before = [&path, &state].map(|path| fs::read(path).expect("a part of a checkpoint"));
    let reader = Reader::from_bytes(Bytes::from_bytes_vec(before[0].clone())).expect("a pack");
    let (scalars, metadata) = (reader.scalars().clone(), reader.metadata().clone());
    let mut found = 0;
    let tensors = reader.into_tensors().expect("tensors").into_iter();
    let tensors = tensors.map(|entry| {
        let (name, dtype, shape, id, bytes) = entry.into_parts().expect("its parts");
        let mut bytes = bytes.to_vec();
        if name.ends_with(tensor) && found == 0 {
            found += 1;
            bytes[..4].copy_from_slice(&value.to_le_bytes());
        }
        Tensor::new(name, dtype, shape, id, Bytes::from_bytes_vec(bytes))
    });
    let mut writer = Writer::new(tensors.collect());
    for (key, value) in &scalars {
        writer = writer.with_scalar(key, *value);
    }
    for (key, value) in &metadata {
        writer = writer.with_metadata(key, value);
    }
    let bytes = writer.into_bytes().expect("bytes").to_vec();
    assert_eq!(found, 1, "{part} has {tensor}");
    let mut json: serde_json::Value = serde_json::from_slice(&before[1]).expect("JSON");
    for entry in json["checksums"].as_array_mut().expect("checksums") {
        if entry[0] == part {
            entry[1] = checksum(&bytes).into();
        }
    }
    fs::write(path, bytes).expect("it is written");
    fs::write(state, json.to_string()).expect("it is written");
    before
}

/// FNV-1a in hexadecimal digits.
fn checksum(bytes: &[u8]) -> String {
    let mix = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    format!("{:016x}", bytes.iter().fold(0xcbf2_9ce4_8422_2325, mix))
}

#[test]
fn numbers_that_break_in_a_checkpoint_are_found_when_it_is_read() {
    let _turn = turn();
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let recipe = recipe(
        temporary.path(),
        &[
            "model.cell=lstm",
            "model.layers=2",
            "model.peepholes=diagonal",
            "model.normalization=batch",
            "model.initial_state=learned",
            "training.average={kind='ema',decay=0.5}",
            "training.keep=best",
            "training.epochs=4",
        ],
    );
    let folder = temporary.path().join("run");
    let piece = || train(&recipe, backend(), &folder, Start::New, &mut BreakOff(10));
    assert!(catch_unwind(AssertUnwindSafe(piece)).is_err(), "broken off");
    let checkpoint = folder.join("checkpoint/epoch-2");
    for (part, tensor) in [
        ("model.bpk", "layers.0.forward.weights.weight_ih"),
        ("model.bpk", "layers.1.forward.weights.weight_hh"),
        ("model.bpk", "layers.1.forward.weights.bias_ih"),
        ("model.bpk", "layers.0.forward.peepholes"),
        ("model.bpk", "gain"),
        ("model.bpk", "states.0"),
        ("model.bpk", "head.weight"),
        ("mean.bpk", "layers.1.forward.weights.weight_ih"),
        ("best.bpk", "head.bias"),
        ("optimizer.bpk", "moment_2"),
    ] {
        for value in [f32::NAN, f32::NEG_INFINITY] {
            let before = tamper(&checkpoint, part, tensor, value);
            let error = start(&recipe, &folder, Start::Resume).expect_err(tensor);
            let text = error.to_string();
            assert!(matches!(error, TrainError::File(_)), "{text}");
            for expected in [
                format!("{} is damaged: ", checkpoint.join(part).display()),
                tensor.to_string(),
                " has 1 of ".to_string(),
                " values that are not finite, expected none; restore it".to_string(),
            ] {
                assert!(text.contains(&expected), "{text}\nexpected {expected}");
            }
            check_folder(&folder, 2);
            for (name, bytes) in [part, "state.json"].into_iter().zip(before) {
                fs::write(checkpoint.join(name), bytes).expect("it is restored");
            }
        }
    }
    let outcome = start(&recipe, &folder, Start::Resume).expect("it is as it was");
    let whole = temporary.path().join("whole");
    let expected = start(&recipe, &whole, Start::New).expect("it ends");
    assert_eq!(result(&outcome, &folder), result(&expected, &whole));
}

/// A text: what tokens are made of, and states that go on from lesson to lesson.
#[test]
fn an_embedding_that_overflows_is_named() {
    let _turn = turn();
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let text = temporary.path().join("text.txt");
    fs::write(
        &text,
        "to be or not to be, that is the question\n".repeat(8),
    )
    .expect("a text");
    let with = |factor: &str| {
        let group = format!(
            "training.groups=[{{targets=['embedding.weight'],schedule={{kind='table',points=[[0,1],[4,{factor}],[5,1]]}}}}]"
        );
        let settings = [
            "text.embedding=4",
            "training.bptt=30",
            "model.hidden=4",
            "training.epochs=3",
            "training.batch_size=4",
            "training.schedule_unit=step",
            "data.valid_fraction=0",
            "training.watch=train_loss",
            &group,
        ];
        Recipe::for_data(&text, &settings.map(String::from)).expect("a valid recipe")
    };
    let folder = temporary.path().join("run");
    let error = start(&with("1e45"), &folder, Start::New).expect_err("it overflows");
    check_message(&error, &folder, 5, 1, "`embedding.weight` has ");
    check_folder(&folder, 1);
    let mended = with("1");
    mend(&folder, &mended);
    let outcome = start(&mended, &folder, Start::Resume).expect("it goes on");
    let whole = temporary.path().join("whole");
    let expected = start(&mended, &whole, Start::New).expect("it ends");
    assert_eq!(result(&outcome, &folder), result(&expected, &whole));
}

/// Where nothing can be left out any more, the last step says why.
#[test]
fn policies_that_give_up_say_which_step_was_the_last() {
    let _turn = turn();
    let temporary = tempfile::tempdir().expect("a temporary folder");
    for (name, policy, begins, ends) in [
        (
            "skip",
            "skip",
            "no step of epoch 2 had a finite loss, gradient and weights, expected at least one; lower training.lr or \
             check the data for extreme values; the last one: step 6 (epoch 2): `encoder.Lstm",
            "",
        ),
        (
            "back_off",
            "{kind='back_off',limit=2}",
            "step 6 (epoch 2): `encoder.Lstm",
            "; 2 steps in a row before it were left out",
        ),
    ] {
        let policy = format!("training.on_nonfinite={policy}");
        let with = |factor: &str| {
            let table = format!("training.schedule={{kind='table',points=[[0,1],[1,{factor}]]}}");
            recipe(temporary.path(), &[&policy, &table])
        };
        let folder = temporary.path().join(name);
        let error = start(&with("1e45"), &folder, Start::New).expect_err(name);
        let text = error.to_string();
        assert!(text.starts_with(begins) && text.ends_with(ends), "{text}");
        let kept = folder.join("checkpoint/epoch-1");
        let kept = format!("the last good checkpoint is {}: ", kept.display());
        assert!(text.contains(&kept), "{text}");
        check_folder(&folder, 1);
        mend(&folder, &with("1"));
        start(&with("1"), &folder, Start::Resume).expect("it goes on");
    }
}

/// The facts of an error are values, too.
#[test]
fn a_caller_can_ask_where_a_run_stood() {
    let _turn = turn();
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let folder = temporary.path().join("run");
    let spike = &SPIKES[12];
    let broken = spike.recipe(temporary.path(), 1e45, &[]);
    let error = start(&broken, &folder, Start::New).expect_err("it overflows");
    let TrainError::Step { at, source } = error else {
        panic!("{error}");
    };
    assert_eq!((at.epoch, at.step), (2, 4));
    assert_eq!(at.checkpoint, Some(folder.join("checkpoint/epoch-1")));
    let StepError::Weights(NotFinite {
        tensor,
        found: 2,
        elements: 2,
    }) = *source
    else {
        panic!("{source}");
    };
    assert_eq!(tensor, "`head.bias`");
}
