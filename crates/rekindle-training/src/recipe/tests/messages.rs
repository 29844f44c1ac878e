//! What a wrong recipe or override is told, and what the right ones mean.

use std::fs;
use std::path::Path;

use rekindle_cells::{Activation, CellDropout, Gate, GateRule, Initializer, Normalization};
use rekindle_init::{Fan, Nonlinearity};
use rekindle_optim::{Clip, Limit, Plateau, Schedule};
use rekindle_regularize::Targets;
use rekindle_regularize::constraint::{Constrained, Constraint};
use rekindle_regularize::penalty::{PenaltyKind, WeightPenalty};

use super::super::*;

const SMALL: &str = "name = \"a\"\n[data]\ntrain = \"a.ts\"\n";

fn read(text: &str, overrides: &[&str]) -> Result<Recipe, RecipeError> {
    let overrides: Vec<String> = overrides.iter().map(ToString::to_string).collect();
    Recipe::from_toml(text, Path::new("/r/x.toml"), &overrides)
}

fn set(overrides: &[&str]) -> Recipe {
    read(SMALL, overrides).unwrap_or_else(|error| panic!("{error}"))
}

fn message(text: &str, overrides: &[&str]) -> String {
    match read(text, overrides) {
        Ok(recipe) => panic!("{overrides:?} on\n{text}\nis taken for {recipe:?}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn overrides_reach_everywhere() {
    let recipe = set(&[
        "model.cell=gru",
        "name=two words",
        "training.schedule={kind='exponential',gamma=0.5}",
        "training.schedule.gamma = 0.9",
        "training.clip_norm=inf",
        "model.init.gates=[{gate='reset',bias='zeros'}]",
        "seed=3",
        "seed=4",
    ]);
    assert_eq!(
        (recipe.model.cell, recipe.name.as_str()),
        (CellKind::Gru, "two words")
    );
    assert_eq!(
        recipe.training.schedule,
        Schedule::Exponential {
            gamma: 0.9,
            steps: 1
        }
    );
    let clip = Clip::norm(f64::INFINITY);
    assert_eq!((recipe.training.clip, recipe.seed), (clip, 4));
    let rule = GateRule {
        bias: Some(Initializer::Zeros),
        ..GateRule::new(Gate::Reset)
    };
    assert_eq!(recipe.model.init.gates, [rule]);
}

#[test]
fn a_kind_alone_is_a_short_form() {
    let file = format!("{SMALL}[training]\nschedule = \"plateau\"\noptimizer = \"adam\"\n");
    let recipe = read(&file, &["training.schedule.patience=4"]).expect("a valid recipe");
    let plateau = Plateau {
        patience: 4,
        ..Plateau::default()
    };
    assert_eq!(recipe.training.schedule, Schedule::Plateau(plateau));
    assert!(matches!(recipe.training.optimizer, Optimizer::Adam { .. }));

    let nested = set(&[
        "model.init.input={kind='he_normal',nonlinearity='tanh'}",
        "training.schedule={kind='then',first='constant',steps=2,next={kind='exponential',gamma=0.5}}",
    ]);
    let he = Initializer::HeNormal {
        nonlinearity: Nonlinearity::Tanh,
        fan: Fan::In,
    };
    assert_eq!(nested.model.init.input, he);
    assert_eq!(nested.training.schedule.at(3), 0.5);
}

#[test]
fn an_activation_is_a_name_or_a_table() {
    let gate = |overrides: &[&str]| set(overrides).model.gate_activation;
    assert_eq!(gate(&["model.gate_activation=relu"]), Activation::Relu);
    let (alpha, beta) = (0.2, 0.5);
    assert_eq!(
        gate(&["model.gate_activation=hard_sigmoid"]),
        Activation::HardSigmoid { alpha, beta }
    );
    assert_eq!(
        gate(&[
            "model.gate_activation=hard_sigmoid",
            "model.gate_activation.beta=1"
        ]),
        Activation::HardSigmoid { alpha, beta: 1.0 }
    );
    for (name, alpha) in [
        ("leaky_relu", 0.01),
        ("thresholded_relu", 1.0),
        ("elu", 1.0),
    ] {
        let found = gate(&[&format!("model.gate_activation={name}")]);
        let text = format!("model.gate_activation={{kind='{name}',alpha={alpha}}}");
        assert_eq!(found, gate(&[&text]), "{name}");
    }
}

#[test]
fn options_of_other_cells_are_refused() {
    for (cell, option, expected) in [
        (
            "gru",
            "peepholes=diagonal",
            "model.peepholes is \"diagonal\", expected none with model.cell = \"gru\": leave it out, or set model.cell to \"lstm\"",
        ),
        (
            "rnn",
            "gate_activation=relu",
            "model.gate_activation is \"relu\", expected none with model.cell = \"rnn\": leave it out, or set model.cell to \"lstm\" or \"gru\"",
        ),
        (
            "lstm",
            "activation=relu",
            "model.activation is \"relu\", expected none with model.cell = \"lstm\": leave it out, or set model.cell to \"rnn\"",
        ),
        (
            "gru",
            "activation={kind='elu',alpha=2}",
            "model.activation is { alpha = 2.0, kind = \"elu\" }, expected none",
        ),
        (
            "rnn",
            "candidate_activation=relu",
            "model.candidate_activation is",
        ),
        (
            "gru",
            "output_activation=relu",
            "model.output_activation is",
        ),
        (
            "gru",
            "gates=coupled",
            "model.gates is \"coupled\", expected none",
        ),
        (
            "rnn",
            "gate_recurrence=true",
            "model.gate_recurrence is true, expected none",
        ),
        ("gru", "projected=3", "model.projected is 3, expected none"),
        (
            "gru",
            "cell_clip=3",
            "model.cell_clip is 3.0, expected none",
        ),
        (
            "lstm",
            "reset=before",
            "model.reset is \"before\", expected none",
        ),
        (
            "rnn",
            "update=replace",
            "model.update is \"replace\", expected none",
        ),
    ] {
        let overrides = [format!("model.cell={cell}"), format!("model.{option}")];
        let found = message(SMALL, &overrides.each_ref().map(String::as_str));
        assert!(found.starts_with(expected), "{found}\nexpected {expected}");
    }
    for (cell, key, cells) in [
        ("gru", "zoneout_cell", "\"lstm\""),
        ("rnn", "zoneout_cell", "\"lstm\""),
        ("rnn", "candidate", "\"lstm\" or \"gru\""),
    ] {
        let key = format!("regularize.dropout.{key}");
        let found = message(
            SMALL,
            &[&format!("model.cell={cell}"), &format!("{key}=0.1")],
        );
        let expected = format!(
            "{key} is 0.1, expected none with model.cell = \"{cell}\": leave it out, or set model.cell to {cells}"
        );
        assert_eq!(found, expected);
    }
    // The defaults are no options.
    set(&[
        "model.cell=gru",
        "model.activation=tanh",
        "model.gates=all",
        "model.peepholes=none",
        "model.gate_recurrence=false",
        "model.output_activation=tanh",
    ]);
}

#[test]
fn a_normalisation_is_a_name_or_a_table() {
    let of = |overrides: &[&str]| set(overrides).model.normalization;
    for (name, expected) in [
        ("none", Normalization::None),
        ("layer", Normalization::LAYER),
        ("rms", Normalization::RMS),
        ("batch", Normalization::batch(0)),
        ("sequence_batch", Normalization::SEQUENCE_BATCH),
    ] {
        let short = format!("model.normalization={name}");
        let table = format!("model.normalization={{kind='{name}'}}");
        assert_eq!(of(&[&short]), expected);
        assert_eq!(of(&[&table]), expected);
    }
    let batch = of(&[
        "model.normalization=batch",
        "model.normalization.max_steps=29",
    ]);
    assert_eq!(batch, Normalization::batch(29));
    // What the cells with two-part products do have.
    let sequence = "model.normalization=sequence_batch";
    set(&[sequence, "model.peepholes=full"]);
    set(&[sequence, "model.cell=gru", "model.reset=before"]);
}

#[test]
fn what_is_regularised_is_read_from_a_file() {
    let text = format!(
        "{SMALL}[regularize]\nactivation = 2\ndropout = {{ hidden = 0.25, zoneout_cell = 0.5 }}\n\
         penalties = [{{ kind = \"l2\", strength = 1e-4, targets = [\"weight_hh\"] }}]\n\
         [[regularize.constraints]]\nkind = \"max_norm\"\nmax = 3\ntargets = [\"weight_ih\", \"!layers.0.*.*.*\"]\n"
    );
    let regularize = read(&text, &[]).expect("a valid recipe").regularize;
    let expected = RegularizeRecipe {
        dropout: CellDropout {
            hidden: 0.25,
            zoneout_cell: 0.5,
            ..CellDropout::default()
        },
        activation: 2.0,
        penalties: vec![WeightPenalty {
            kind: PenaltyKind::L2,
            strength: 1e-4,
            targets: Targets::recurrent(),
        }],
        constraints: vec![Constrained {
            constraint: Constraint::MaxNorm { max: 3.0, axis: 0 },
            targets: Targets::new(["weight_ih", "!layers.0.*.*.*"]),
        }],
        ..RegularizeRecipe::default()
    };
    assert_eq!(regularize, expected);
    let overridden = read(&text, &["regularize.dropout.hidden=0.5"]).expect("a valid recipe");
    assert_eq!(overridden.regularize.dropout.zoneout_cell, 0.5);
}

#[test]
fn what_cannot_be_regularised_is_told() {
    let penalties = "one of \"l1\", \"l2\", \"rows\", \"columns\"";
    for (line, expected) in [
        (
            "actvation = 2",
            "unknown key regularize.actvation, did you mean regularize.activation?".to_string(),
        ),
        (
            "zoneout = 0.1",
            "unknown key regularize.zoneout, did you mean regularize.dropout.zoneout_hidden?".into(),
        ),
        (
            "dropout = 0.5",
            "regularize.dropout: found 0.5, expected a section with keys".into(),
        ),
        (
            "dropout = { hiden = 0.5 }",
            "unknown key regularize.dropout.hiden, did you mean regularize.dropout.hidden?".into(),
        ),
        (
            "penalties = [{ kind = \"l3\", strength = 1, targets = [] }]",
            format!("regularize.penalties[0].kind: found \"l3\", expected {penalties}"),
        ),
        (
            "penalties = [{ strength = 1, targets = [] }]",
            format!("regularize.penalties[0]: found no kind, expected {penalties}"),
        ),
        (
            "penalties = [\"l1\"]",
            "regularize.penalties[0]: missing field `strength`".into(),
        ),
        (
            "penalties = { kind = \"l1\" }",
            "regularize.penalties: invalid type: map, expected a sequence".into(),
        ),
        (
            "penalties = [{ kind = \"l1\", strenght = 1, targets = [] }]",
            "unknown key regularize.penalties[0].strenght, did you mean regularize.penalties[0].strength?".into(),
        ),
        (
            "constraints = [\"orthogonal\"]",
            "regularize.constraints[0]: missing field `targets`".into(),
        ),
        (
            "constraints = [{ kind = \"max_norm\", targets = [\"w\"] }]",
            "regularize.constraints[0]: missing field `max`".into(),
        ),
        (
            "constraints = [{ kind = \"orthogonal\", max = 3, targets = [\"w\"] }]",
            "unknown key regularize.constraints[0].max, kind \"orthogonal\" has targets".into(),
        ),
        (
            "constraints = [{ kind = \"orthogonal\", targets = \"weight_hh\" }]",
            "regularize.constraints[0]: invalid type: string \"weight_hh\", expected a sequence".into(),
        ),
    ] {
        let found = message(&format!("{SMALL}[regularize]\n{line}\n"), &[]);
        assert_eq!(found, format!("/r/x.toml:5: {expected}"));
    }
}

#[test]
fn paths_count_from_the_file_or_from_the_current_folder() {
    let here = std::env::current_dir().expect("a current folder");
    assert_eq!(set(&[]).data.train, Some("/r/a.ts".into()));
    assert_eq!(
        set(&["data.train=b.ts"]).data.train,
        Some(here.join("b.ts"))
    );
    assert_eq!(
        set(&["data={train='b.ts'}"]).data.train,
        Some(here.join("b.ts"))
    );
    assert_eq!(
        set(&["data.test=/x/it (1)+2.ts"]).data.test,
        Some("/x/it (1)+2.ts".into())
    );
    let recipe = Recipe::for_data(Path::new("some/it's \"a\".ts"), &[]).expect("a valid recipe");
    assert_eq!(recipe.name, "it's \"a\"");
    assert_eq!(recipe.data.train, Some(here.join("some/it's \"a\".ts")));
}

#[test]
fn unknown_keys_are_refused_with_their_place() {
    let training = |line: &str| format!("{SMALL}[training]\n{line}\n");
    let gates = "[[model.init.gates]]\ngate = \"input\"\n[[model.init.gates]]\ngate = \"forget\"\nbais = \"zeros\"\n";
    for (text, expected) in [
        (
            training("clip = 1"),
            "/r/x.toml:5: training.clip: found 1, expected a table whose kind is one of \"none\", \"norm\", \"value\", \"per_tensor\", \"adaptive\"",
        ),
        (
            format!("{SMALL}[model]\nmerge_mode = \"sum\"\n"),
            "/r/x.toml:5: unknown key model.merge_mode, did you mean model.merge?",
        ),
        (
            format!("{SMALL}[model]\nactivation = {{ kind = \"elu\", beta = 1 }}\n"),
            "/r/x.toml:5: unknown key model.activation.beta, kind \"elu\" has alpha",
        ),
        (
            training("lerning_rate = 1"),
            "/r/x.toml:5: unknown key training.lerning_rate, did you mean training.lr?",
        ),
        (
            training("patiense = 1"),
            "/r/x.toml:5: unknown key training.patiense, did you mean training.patience?",
        ),
        (
            training("dropout = 0.1"),
            "/r/x.toml:5: unknown key training.dropout, did you mean model.dropout?",
        ),
        (
            training("gamma = 0.9"),
            "/r/x.toml:5: unknown key training.gamma, did you mean training.schedule.gamma?",
        ),
        (
            format!("lr = 1\n{SMALL}"),
            "/r/x.toml:1: unknown key lr, did you mean training.lr?",
        ),
        (
            format!("{SMALL}[scheduler]\nkind = \"x\"\n"),
            "/r/x.toml:4: unknown key scheduler, did you mean training.schedule?",
        ),
        (
            format!("{SMALL}[modle]\ncell = \"gru\"\n"),
            "/r/x.toml:4: unknown key modle, did you mean model?",
        ),
        (
            format!("{SMALL}[model]\nhidden_size = 3\n"),
            "/r/x.toml:5: unknown key model.hidden_size, did you mean model.hidden?",
        ),
        (
            format!("{SMALL}{gates}"),
            "/r/x.toml:8: unknown key model.init.gates[1].bais, did you mean model.init.gates[1].bias?",
        ),
        (
            training("schedule = { kind = \"exponential\", gama = 0.9 }"),
            "/r/x.toml:5: unknown key training.schedule.gama, did you mean training.schedule.gamma?",
        ),
        (
            training(
                "[training.schedule]\nkind = \"then\"\nsteps = 1\nnext = \"constant\"\n[training.schedule.first]\nkind = \"constant\"\nfacter = 2",
            ),
            "/r/x.toml:11: unknown key training.schedule.first.facter, did you mean training.schedule.first.factor?",
        ),
        (
            format!("{SMALL}[model.init]\nbias = {{ kind = \"zeros\", value = 1 }}\n"),
            "/r/x.toml:5: unknown key model.init.bias.value, kind \"zeros\" has no other keys",
        ),
        (
            format!("{SMALL}[model.init]\ngate_bias = {{ kind = \"none\", value = 1 }}\n"),
            "/r/x.toml:5: unknown key model.init.gate_bias.value, kind \"none\" has no other keys",
        ),
        (
            format!(
                "{SMALL}[model.init.input]\nkind = \"he_normal\"\nnonlinearity = {{ kind = \"tanh\", slope = 1 }}\n"
            ),
            "/r/x.toml:6: unknown key model.init.input.nonlinearity.slope, kind \"tanh\" has no other keys",
        ),
        (
            training("schedule = { kind = \"plateau\", gamma = 0.9 }"),
            "/r/x.toml:5: unknown key training.schedule.gamma, kind \"plateau\" has mode, factor, patience, threshold, \
             threshold_mode, cooldown, min_lr, epsilon",
        ),
    ] {
        assert_eq!(message(&text, &[]), expected);
    }
}

#[test]
fn wrong_values_are_refused_with_their_place() {
    let training = |line: &str| format!("{SMALL}[training]\n{line}\n");
    let schedules = "one of \"constant\", \"step\", \"multi_step\", \"exponential\", \"linear\", \"polynomial\", \"inverse_time\", \"cosine\", \
        \"cosine_restarts\", \"cyclic\", \"one_cycle\", \"noam\", \"table\", \"warm_up\", \"then\", \"sequential\", \"chained\", \"plateau\"";
    for (text, expected) in [
        (
            training("epochs = \"one\""),
            "/r/x.toml:5: training.epochs: invalid type: string \"one\", expected usize, a whole number of at least 0".into(),
        ),
        (
            training("lr = \"fast\""),
            "/r/x.toml:5: training.lr: invalid type: string \"fast\", expected f64, a number".into(),
        ),
        (
            format!("seed = -1\n{SMALL}"),
            "/r/x.toml:1: seed: invalid value: integer `-1`, expected u64, a whole number of at least 0".into(),
        ),
        (
            format!("{SMALL}[model]\ncell = \"lstmm\"\n"),
            "/r/x.toml:5: model.cell: unknown variant `lstmm`, expected one of `lstm`, `gru`, `rnn`".into(),
        ),
        (
            format!("{SMALL}[model]\ngate_activation = \"swish\"\n"),
            "/r/x.toml:5: model.gate_activation.kind: found \"swish\", expected one of \"tanh\", \"sigmoid\", \"relu\", \
             \"affine\", \"leaky_relu\", \"thresholded_relu\", \"scaled_tanh\", \"hard_sigmoid\", \"elu\", \"softsign\", \
             \"softplus\"".into(),
        ),
        (
            format!("{SMALL}[model]\ngate_activation = \"affine\"\n"),
            "/r/x.toml:5: model.gate_activation: missing field `alpha`".into(),
        ),
        (
            format!("{SMALL}[model]\ngate_activation = {{ kind = \"elu\", alpha = \"big\" }}\n"),
            "/r/x.toml:5: model.gate_activation: invalid type: string \"big\", expected f64, a number".into(),
        ),
        (
            format!("{SMALL}[model]\ngates = \"some\"\n"),
            "/r/x.toml:5: model.gates: unknown variant `some`, expected one of `all`, `coupled`, `no_input`, `no_forget`, \
             `no_output`".into(),
        ),
        (
            format!("{SMALL}[model]\nmerge = \"ave\"\n"),
            "/r/x.toml:5: model.merge: unknown variant `ave`, expected one of `concat`, `sum`, `mean`, `mul`".into(),
        ),
        (
            format!("{SMALL}[model]\ngate_recurrence = \"yes\"\n"),
            "/r/x.toml:5: model.gate_recurrence: invalid type: string \"yes\", expected a boolean".into(),
        ),
        (
            format!("{SMALL}[model]\nclip = \"no\"\n"),
            "/r/x.toml:5: model.clip: invalid type: string \"no\", expected f64, a number".into(),
        ),
        (format!("training = 3\n{SMALL}"), "/r/x.toml:1: training: found 3, expected a section with keys".into()),
        (
            training("schedule = \"cosin\""),
            format!("/r/x.toml:5: training.schedule.kind: found \"cosin\", expected {schedules}"),
        ),
        (
            training("schedule = 3"),
            format!("/r/x.toml:5: training.schedule: found 3, expected a table whose kind is {schedules}"),
        ),
        (
            training("schedule = { gamma = 0.9 }"),
            format!("/r/x.toml:5: training.schedule: found no kind, expected {schedules}"),
        ),
        (
            training("schedule = { kind = \"exponential\" }"),
            "/r/x.toml:5: training.schedule: missing field `gamma`".into(),
        ),
        (
            "name = \"a\"\n".into(),
            "/r/x.toml: missing key data.train, expected it in the file or as --set data.train=…: the .ts or .csv file to \
             train on, or a text with [text]".into(),
        ),
        (
            "[data]\ntrain = \"a.ts\"\n".into(),
            "/r/x.toml: missing key name, expected it in the file or as --set name=…: what the run is called".into(),
        ),
    ] {
        let found = message(&text, &[]);
        assert_eq!(found, expected);
    }
    let syntax = message("name = \"a\"\nseed = = 3\n", &[]);
    assert!(syntax.starts_with("/r/x.toml:2: "), "{syntax}");
    let twice = message("name = \"a\"\nname = \"b\"\n", &[]);
    assert!(twice.starts_with("/r/x.toml:2: duplicate key"), "{twice}");
}

#[test]
fn wrong_overrides_are_quoted() {
    for (text, expected) in [
        (
            "training.lr",
            "--set training.lr: there is no `=`, expected key=value such as training.lr=0.01",
        ),
        (
            "training.lr=",
            "--set training.lr=: \"\" is no TOML value, expected key=value such as training.lr=0.01",
        ),
        (
            "=3",
            "--set =3: the key \"\" has an empty part, expected key=value such as training.lr=0.01",
        ),
        (
            "training..lr=3",
            "--set training..lr=3: the key \"training..lr\" has an empty part, expected key=value such as training.lr=0.01",
        ),
        (
            "name=[1",
            "--set name=[1: \"[1\" is no TOML value, expected key=value such as training.lr=0.01",
        ),
        (
            "seed=1\nlr=2",
            "--set seed=1\nlr=2: \"1\\nlr=2\" is no TOML value, expected key=value such as training.lr=0.01",
        ),
        (
            "name.x=1",
            "--set name.x=1: name is the value \"a\", not a section, expected key=value such as training.lr=0.01",
        ),
        (
            "patience=3",
            "--set patience=3: unknown key patience, did you mean training.patience?",
        ),
        (
            "model.hiden=3",
            "--set model.hiden=3: unknown key model.hiden, did you mean model.hidden?",
        ),
        (
            "model.hidden=-1",
            "--set model.hidden=-1: model.hidden: invalid value: integer `-1`, expected usize, a whole number of at least 0, or a list of them, one a layer",
        ),
        (
            "model.hidden=many",
            "--set model.hidden=many: model.hidden: invalid type: string \"many\", expected usize, a whole number of at least 0, or a list of them, one a layer",
        ),
        (
            "model.init.gates=[{gate='forget',inptu='zeros'}]",
            "--set model.init.gates=[{gate='forget',inptu='zeros'}]: unknown key model.init.gates[0].inptu, did you mean \
             model.init.gates[0].input?",
        ),
        (
            "training.schedule.gamma=0.9",
            "--set training.schedule.gamma=0.9: training.schedule: found no kind, expected one of \"constant\", \
             \"step\", \"multi_step\", \"exponential\", \"linear\", \"polynomial\", \"inverse_time\", \"cosine\", \
             \"cosine_restarts\", \"cyclic\", \"one_cycle\", \"noam\", \"table\", \"warm_up\", \"then\", \"sequential\", \
             \"chained\", \"plateau\"",
        ),
        (
            "data={test='a.ts'}",
            "/r/x.toml: missing key data.train, expected it in the file or as --set data.train=…: the .ts or .csv file to train on, or a text with [text]",
        ),
    ] {
        assert_eq!(message(SMALL, &[text]), expected);
    }
    // What an override says is not blamed on the file, nor the other way round.
    let file = format!("{SMALL}[training]\nepochs = \"one\"\n");
    let blamed = message(&file, &["training.lr=0.1"]);
    assert!(
        blamed.starts_with("/r/x.toml:5: training.epochs"),
        "{blamed}"
    );
    let prefix = message(&file, &["training.epoch=3"]);
    assert!(
        prefix.starts_with("--set training.epoch=3: unknown key training.epoch,"),
        "{prefix}"
    );
}

#[test]
fn values_out_of_range_are_refused() {
    let count = "expected at least 1";
    let fraction = "expected a probability in [0, 1)";
    let positive = "expected a positive finite number";
    let strength = "expected a finite number of at least 0";
    let threshold = "expected a finite threshold above 0; leave it out for no clip";
    let width = "expected a width of at least 1 and below model.hidden";
    let units = "expected fewer units or layers: at most 2^28 recurrent weights, which take 4 GiB in training";
    let mode = "expected \"min\" if training.watch is a loss, \"max\" if it is an accuracy or F1";
    for (overrides, expected) in [
        (&["name=''"][..], "name is empty, expected a name".to_string()),
        (&["name='a/b'"], "name is \"a/b\", expected a name without slashes, because run folders are called after it".into()),
        (&["data.valid_fraction=1.0"], "data.valid_fraction is 1, expected a fraction in [0, 1)".into()),
        (&["data.valid_fraction=nan"], "data.valid_fraction is NaN, expected a fraction in [0, 1)".into()),
        (&["model.hidden=0"], format!("model.hidden is 0, {count}")),
        (&["model.layers=0"], format!("model.layers is 0, {count}")),
        (&["model.lsuv=true"], "model.lsuv is true with input weights of another kind, expected false, or model.init.input = { kind = \"orthogonal\" } and no gate with another".into()),
        (&["model.lsuv=true", "model.init.input=orthogonal", "model.normalization=layer"], "model.lsuv is true with model.normalization, expected false, or no normalization: a norm sets the variance itself".into()),
        (&["model.input_dropout=1"], format!("model.input_dropout is 1, {fraction}")),
        (&["model.dropout=-0.5"], format!("model.dropout is -0.5, {fraction}")),
        (&["model.head_dropout=nan"], format!("model.head_dropout is NaN, {fraction}")),
        (&["model.clip=0"], format!("model.clip is 0, {threshold}")),
        (&["model.cell_clip=-1"], format!("model.cell_clip is -1, {threshold}")),
        (&["model.clip=inf"], format!("model.clip is inf, {threshold}")),
        (&["model.projected=64"], format!("model.projected is 64, {width}")),
        (&["model.projected=0"], format!("model.projected is 0, {width}")),
        (
            &["model.gate_recurrence=true", "model.gates=no_output"],
            "model.gate_recurrence is true with model.gates = \"no_output\", expected false, or model.gates = \"all\": it reads \
             all three gates".into(),
        ),
        (
            &["model.output_activation={kind='elu',alpha=nan}"],
            "model.output_activation is { alpha = nan, kind = \"elu\" }, expected finite numbers".into(),
        ),
        (
            &["model.gates=coupled", "model.init.gate_bias={kind='chrono',t_max=9}"],
            "model.init.gate_bias is chrono, expected a cell with a forget or an update gate, this one has input, candidate, \
             output: choose another gate_bias".into(),
        ),
        (&["model.hidden=8192", "model.peepholes=full"], format!("model.hidden is 8192 with model.layers 1, {units}")),
        (&["model.hidden=8192", "model.gate_recurrence=true"], format!("model.hidden is 8192 with model.layers 1, {units}")),
        (&["model.layers=500", "model.connections=dense"], format!("model.hidden is 64 with model.layers 500, {units}")),
        (&["training.epochs=0"], format!("training.epochs is 0, {count}")),
        (&["regularize.dropout.input=1"], format!("regularize.dropout.input is 1, {fraction}")),
        (&["regularize.dropout={zoneout_hidden=nan}"], format!("regularize.dropout.zoneout_hidden is NaN, {fraction}")),
        (&["regularize.activation=-1"], format!("regularize.activation is -1, {strength}")),
        (&["regularize.temporal_activation=inf"], format!("regularize.temporal_activation is inf, {strength}")),
        (&["regularize.constrain_every=0"], format!("regularize.constrain_every is 0, {count}")),
        (
            &["regularize.penalties=[{kind='l1',strength=1,targets=['w']},{kind='l2',strength=-1,targets=['w']}]"],
            format!("regularize.penalties[1].strength is -1, {strength}"),
        ),
        (
            &["regularize.penalties=[{kind='l1',strength=1,targets=['!w']}]"],
            "regularize.penalties[0].targets is [\"!w\"], expected at least one pattern that is not after \"!\", such as \
             \"weight_hh\"".into(),
        ),
        (
            &["regularize.constraints=[{kind='spectral_radius',max=0,targets=['weight_hh']}]"],
            "regularize.constraints[0].max is 0, expected a finite number above 0".into(),
        ),
        (
            &["model.normalization={kind='rms',epsilon=0}"],
            "model.normalization.epsilon is 0, expected a finite number above 0".into(),
        ),
        (
            &["model.normalization={kind='batch',momentum=1.5}"],
            "model.normalization.momentum is 1.5, expected a number in (0, 1]".into(),
        ),
        (
            &["model.normalization=batch", "training.batch_size=1"],
            "training.batch_size is 1 with model.normalization = \"batch\", expected at least 2: it takes means and \
             variances over a batch".into(),
        ),
        (
            &["model.normalization={kind='batch',max_steps=9999999}"],
            "model.normalization.max_steps is 9999999, expected fewer steps: at most 2^28 running means".into(),
        ),
        (
            &["model.cell=gru", "model.reset=before", "model.normalization=layer"],
            "model.normalization is \"layer\" with model.reset = \"before\", expected \"sequence_batch\" or \"none\", or \
             model.reset = \"after\": reset before it, the recurrent product comes in two parts, which have no norm \
             together".into(),
        ),
        (
            &["model.peepholes=full", "model.normalization=batch"],
            "model.normalization is \"batch\" with model.peepholes = \"full\", expected \"sequence_batch\" or \"none\", or \
             model.peepholes = \"diagonal\": with full peepholes the recurrent product comes in two parts, which have no \
             norm together".into(),
        ),
        (&["training.batch_size=0"], format!("training.batch_size is 0, {count}")),
        (&["training.lr=0"], format!("training.lr is 0, {positive}")),
        (&["training.lr=inf"], format!("training.lr is inf, {positive}")),
        (&["training.weight_decay=-1"], "training.weight_decay is -1, expected a finite number of at least 0".into()),
        (&["training.clip_norm=0"], "training.clip.max is 0, expected a positive number, or inf for no clipping".into()),
        (&["training.patience=0"], "training.patience is 0, expected at least 1; leave it out to never stop early".into()),
        (&["training.clip={kind='norm',max={from=0,to=1,steps=3}}"], format!("training.clip.max.from is 0, {positive}")),
        (&["training.clip={kind='norm',max=1,p=0}"], "training.clip.p is 0, expected a positive number, or inf".into()),
        (&["training.on_nonfinite={kind='back_off',factor=1}"], "training.on_nonfinite.factor is 1, expected a number in (0, 1)".into()),
        (&["training.on_nonfinite=skip", "prune.criterion=sensitivity"], "training.on_nonfinite is a policy that leaves out steps, expected \"error\" with prune.criterion = \"sensitivity\", which needs the gradient of certain steps".into()),
        (&["training.average={kind='ema',decay=1}"], "training.average.decay is 1, expected a number in [0, 1)".into()),
        (&["training.average={kind='swa',start=0}"], "training.average.start is 0, expected at least 1".into()),
        (&["training.average={kind='swa',start=51}"], "training.average.start is 51, expected an epoch of the run: at most training.epochs".into()),
        (&["training.average=ema", "training.optimizer=asgd"], "training.average is a mean beside that of the optimizer, expected none with training.optimizer = \"asgd\", or the optimizer \"sgd\"".into()),
        (&["training.optimizer={kind='sgd',nesterov=true}"], "training.optimizer.nesterov is true, expected false without momentum".into()),
        (&["training.optimizer={kind='lookahead',inner='adam',steps=0}"], "training.optimizer.steps is 0, expected at least 1".into()),
        (&["training.optimizer={kind='lookahead',inner={kind='nadam',momentum_decay=-1}}"], "training.optimizer.inner.momentum_decay is -1, expected a finite number of at least 0".into()),
        (&["training.optimizer={kind='adam',beta_1=1.0}"], "training.optimizer.beta_1 is 1, expected a number in [0, 1)".into()),
        (&["training.optimizer={kind='adamw',beta_2=nan}"], "training.optimizer.beta_2 is NaN, expected a number in [0, 1)".into()),
        (&["training.optimizer={kind='adamw',epsilon=0}"], format!("training.optimizer.epsilon is 0, {positive}")),
        (
            &["model.init.recurrent={kind='orthogonal',gain=nan}"],
            "model.init.recurrent (orthogonal): gain is NaN, expected a finite 32-bit number".into(),
        ),
        (
            &["model.cell=gru", "model.init.gates=[{gate='forget'}]"],
            "model.init.gates[0] sets the forget gate, expected a gate of this cell (reset, update, candidate): remove the \
             rule or change its gate".into(),
        ),
        (
            &["model.cell=rnn", "model.init.gate_bias={kind='chrono',t_max=9}"],
            "model.init.gate_bias is chrono, expected a cell with a forget or an update gate, this one has candidate: \
             choose another gate_bias".into(),
        ),
        (&["training.schedule={kind='plateau',mode='max'}"], format!("training.schedule.mode is \"max\", {mode}")),
        (
            &["training.schedule=plateau", "training.watch=valid_accuracy"],
            format!("training.schedule.mode is \"min\", {mode}"),
        ),
        (
            &["training.schedule={kind='exponential',gamma=-1.0}"],
            "training.schedule: `gamma` is -1, expected a positive finite number".into(),
        ),
        (
            &["training.groups=[{targets=['w']},{targets=['w'],lr_factor=-1}]"],
            "training.groups[1].lr_factor is -1, expected a finite number of at least 0".into(),
        ),
        (
            &["training.groups=[{targets=['w'],schedule='plateau'}]"],
            "training.groups[0].schedule is a plateau, expected a kind that depends on the step alone; make the plateau \
             training.schedule".into(),
        ),
        (
            &["training.groups=[{targets=['w'],schedule={kind='cosine',steps=0}}]"],
            "training.groups[0].schedule: `steps` is 0, expected at least 1".into(),
        ),
        (
            &["training.groups=[{targets=[]}]"],
            "training.groups[0].targets is [], expected at least one pattern that is not after \"!\", such as \"weight_hh\""
                .into(),
        ),
    ] {
        assert_eq!(message(SMALL, overrides), expected);
    }
    // As many weights as are allowed, and projected so.
    set(&["model.hidden=8192"]);
    set(&[
        "model.hidden=8192",
        "model.projected=4096",
        "model.gates=coupled",
        "model.layers=2",
    ]);
    // A seed that TOML cannot hold can only come from a program.
    let seed = Recipe {
        seed: u64::MAX,
        ..set(&[])
    };
    let expected = "seed is 18446744073709551615, expected at most 2^63 - 1";
    assert_eq!(seed.validate().unwrap_err().to_string(), expected);
    let with = |model| Recipe { model, ..set(&[]) };
    let (hidden, projected) = (Hidden::All(usize::MAX), Some(usize::MAX));
    let default = ModelRecipe::default();
    for (model, key) in [
        (
            ModelRecipe {
                hidden,
                ..default.clone()
            },
            "model.hidden",
        ),
        (
            ModelRecipe {
                projected,
                ..default
            },
            "model.projected",
        ),
    ] {
        let error = with(model).validate().unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("{key} is 18446744073709551615")),
            "{error}"
        );
    }
}

#[test]
fn a_schedule_by_itself_is_read_as_in_a_recipe() {
    let cosine = Schedule::Cosine { steps: 9, to: 0.0 };
    let read = |text| parse_schedule("--schedule", text);
    assert_eq!(
        read("{ kind = 'cosine', steps = 9 }").expect("valid"),
        cosine
    );
    assert_eq!(
        read(" plateau").expect("valid"),
        Schedule::Plateau(Plateau::default())
    );
    for (text, expected) in [
        (
            "{kind='cosine',stesp=9}",
            "--schedule: unknown key schedule.stesp, did you mean schedule.steps?",
        ),
        (
            "{kind='cosine',steps=0}",
            "--schedule: schedule: `steps` is 0, expected at least 1",
        ),
        (
            "{kind='cosine'}",
            "--schedule: schedule: missing field `steps`",
        ),
        (
            "{kind='cosine',steps=2.5}",
            "--schedule: schedule: invalid type: floating point `2.5`, expected usize, a whole number of at least 0",
        ),
        (
            "{kind='cosine'",
            "--schedule: schedule: \"{kind='cosine'\" is no TOML value",
        ),
    ] {
        assert_eq!(read(text).expect_err(expected).to_string(), expected);
    }
    let error = read("3").expect_err("a number").to_string();
    assert!(
        error.starts_with("--schedule: schedule: found 3, expected a table"),
        "{error}"
    );
}

#[test]
fn a_metric_that_decides_must_be_measured() {
    let none = "data.valid_fraction=0";
    let last = "training.keep=last";
    for overrides in [
        &[none][..],
        &[none, last, "training.patience=2"],
        &[none, last, "training.schedule=plateau"],
        &[none, "training.watch=valid_accuracy"],
    ] {
        let message = message(SMALL, overrides);
        let start = "training.watch is a metric of a validation set that there is not, expected data.valid or ";
        assert!(message.starts_with(start), "{message}");
    }
    set(&[none, last]);
    set(&[none, "data.valid=v.ts"]);
    set(&[none, "training.watch=train_loss", "training.patience=2"]);
    set(&[
        "training.schedule={kind='plateau',mode='max'}",
        "training.watch=valid_macro_f1",
    ]);
}

#[test]
fn files_that_are_no_recipes_are_told_apart() {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let folder = temporary.path();
    let load = |path: &Path| Recipe::load(path, &[]).unwrap_err();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        fs::write(&path, bytes).expect("a file");
        path
    };
    assert!(matches!(load(folder), RecipeError::Folder { .. }));
    assert!(matches!(
        load(&folder.join("no.toml")),
        RecipeError::Read { .. }
    ));
    assert!(matches!(
        load(&write("empty.toml", b" \n\n")),
        RecipeError::Empty { .. }
    ));
    let error = load(&write("latin.toml", b"name = \"a\"\n# caf\xe9\n"));
    assert!(
        matches!(error, RecipeError::NotUtf8 { line: 2, .. }),
        "{error}"
    );
    let comment = load(&write("comment.toml", b"# nothing\n"));
    assert!(
        matches!(comment, RecipeError::MissingKey { key: "name", .. }),
        "{comment}"
    );
}

#[cfg(unix)]
#[test]
fn a_path_that_toml_cannot_hold_is_refused() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let path = Path::new(OsStr::from_bytes(b"/d/caf\xe9.ts"));
    let error = Recipe::for_data(path, &[]).unwrap_err();
    assert!(matches!(error, RecipeError::Path { .. }), "{error}");
}

#[test]
fn a_clip_norm_is_short_for_a_clip() {
    let with = |line: &str| format!("{SMALL}[training]\n{line}\n");
    let clip = |text: &str, overrides: &[&str]| {
        let recipe = read(text, overrides);
        recipe.map(|recipe| recipe.training.clip)
    };
    let value = Clip::Value {
        max: Limit::Constant(3.0),
    };
    for (text, overrides, expected) in [
        (with("clip_norm = 5"), vec![], Clip::norm(5.0)),
        (with("clip_norm = inf"), vec![], Clip::norm(f64::INFINITY)),
        (
            with("clip = \"none\""),
            vec!["training.clip_norm=2"],
            Clip::norm(2.0),
        ),
        (
            with("clip_norm = 5"),
            vec!["training.clip={kind='value',max=3}"],
            value.clone(),
        ),
        (
            with("clip_norm = 5"),
            vec!["training={clip={kind='value',max=3}}"],
            value,
        ),
        (
            with("clip_norm = 5"),
            vec!["training.clip.max=7"],
            Clip::norm(7.0),
        ),
    ] {
        assert_eq!(
            clip(&text, &overrides).expect("a recipe"),
            expected,
            "{text}{overrides:?}"
        );
    }
    let both = clip(&with("clip = \"none\"\nclip_norm = 1"), &[]).expect_err("both");
    let expected =
        "/r/x.toml:6: training.clip_norm: found beside training.clip, expected one of them";
    assert_eq!(both.to_string(), expected);
    let wrong = clip(&with("clip_norm = \"one\""), &[]).expect_err("a word");
    let expected = "/r/x.toml:5: training.clip_norm: found \"one\", expected a number";
    assert_eq!(wrong.to_string(), expected);
}
