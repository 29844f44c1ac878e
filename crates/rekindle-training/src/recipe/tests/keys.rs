//! The documented keys and defaults are those of the structs, and those of the book.

use std::collections::BTreeSet;

use rekindle_cells::{
    Activation, CellDropout, Connections, Direction, Gate, GateBias, GateRule, InitialState,
    Initializer, LstmGates, Merge, Normalization, Peepholes, RecurrentScheme, Redraw, Reset,
    Update,
};
use rekindle_data::{ChunkLength, Forecast, LabelKind, Missing, Problem, Scaling, TokenKind};
use rekindle_init::{Fan, Nonlinearity};
use rekindle_optim::{
    Anneal, Average, Between, Clip, CosineRestarts, Cyclic, Decay, Limit, Mode, NonFinite,
    OneCycle, Phases, Plateau, Polynomial, Schedule, ThresholdMode, Unit, Wave,
};
use rekindle_regularize::Targets;
use rekindle_regularize::constraint::{Constrained, Constraint, Part};
use rekindle_regularize::penalty::{PenaltyKind, WeightPenalty};
use rekindle_regularize::prune::{Criterion, Granularity, PruneSchedule, Scope};
use toml::{Table, Value};

use super::super::check::SECTIONS;
use super::super::fields::{GROUP, RULE, SCHEDULES};
use super::super::options::OPTIONS;
use super::super::*;
use super::{parse, small};

fn initializers() -> Vec<Initializer> {
    let fan = Fan::Out;
    let nonlinearity = Nonlinearity::LeakyRelu { slope: 0.2 };
    vec![
        Initializer::Constant { value: 0.5 },
        Initializer::Zeros,
        Initializer::Uniform {
            low: -0.1,
            high: 0.2,
        },
        Initializer::Normal {
            mean: 0.1,
            std: 0.2,
        },
        Initializer::TruncatedNormal {
            mean: 0.1,
            std: 0.2,
            low: -0.3,
            high: 0.4,
        },
        Initializer::XavierUniform { gain: 1.5 },
        Initializer::XavierNormal { gain: 1.5 },
        Initializer::HeUniform { nonlinearity, fan },
        Initializer::HeNormal { nonlinearity, fan },
        Initializer::LecunUniform,
        Initializer::LecunNormal,
        Initializer::FanUniform { fan },
        Initializer::Orthogonal { gain: 0.9 },
        Initializer::Identity { gain: 0.9 },
        Initializer::Sparse {
            sparsity: 0.5,
            std: 0.1,
        },
    ]
}

fn schedules() -> Vec<Schedule> {
    let plateau = Plateau {
        mode: Mode::Max,
        factor: 0.5,
        patience: 3,
        threshold: 1e-3,
        threshold_mode: ThresholdMode::Absolute,
        cooldown: 2,
        min_lr: 1e-5,
        epsilon: 1e-9,
    };
    let mut all = waves();
    all.extend(decays());
    all.extend(composed());
    all.push(Schedule::Plateau(plateau));
    all
}

fn decays() -> Vec<Schedule> {
    let (gamma, steps) = (0.9, 7);
    let polynomial = Polynomial {
        steps,
        power: 2.0,
        to: 0.1,
        cycle: true,
    };
    vec![
        Schedule::Constant { factor: 0.5 },
        Schedule::Step { every: 3, gamma },
        Schedule::MultiStep {
            milestones: vec![2, 5],
            gamma,
        },
        Schedule::Exponential { gamma, steps },
        Schedule::Linear {
            from: 0.5,
            to: 2.0,
            steps,
        },
        Schedule::Polynomial(polynomial),
        Schedule::InverseTime {
            rate: 0.5,
            steps,
            staircase: true,
        },
        Schedule::Noam { warm_up: 4 },
        Schedule::Table {
            points: vec![(0, 1.0), (5, 0.5)],
            between: Between::Linear,
        },
    ]
}

fn waves() -> Vec<Schedule> {
    let steps = 8;
    vec![
        Schedule::Cosine { steps, to: 0.1 },
        Schedule::CosineRestarts(CosineRestarts {
            steps,
            t_mult: 2.0,
            m_mult: 0.9,
            to: 0.1,
        }),
        Schedule::Cyclic(Cyclic {
            low: 0.5,
            high: 2.0,
            up: 3,
            down: Some(4),
            wave: Wave::ExpRange,
            gamma: 0.9,
        }),
        Schedule::OneCycle(OneCycle {
            steps,
            peak_at: 0.4,
            from: 0.1,
            to: 0.01,
            anneal: Anneal::Linear,
            phases: Phases::Three,
        }),
    ]
}

fn composed() -> Vec<Schedule> {
    let (steps, milestones) = (3, vec![4]);
    let part = || Schedule::Exponential {
        gamma: 0.9,
        steps: 2,
    };
    let constant = || Schedule::Constant { factor: 0.5 };
    let schedules = vec![constant(), part()];
    vec![
        Schedule::WarmUp {
            steps,
            from: 0.1,
            next: Box::new(part()),
        },
        Schedule::Then {
            first: Box::new(constant()),
            steps,
            next: Box::new(part()),
        },
        Schedule::Chained {
            schedules: schedules.clone(),
        },
        Schedule::Sequential {
            schedules,
            milestones,
        },
    ]
}

fn prune_schedules() -> [PruneSchedule; 3] {
    let (sparsity, every) = (0.5, 2);
    [
        PruneSchedule::OneShot { sparsity, at: 3 },
        PruneSchedule::Cubic {
            initial: 0.1,
            sparsity,
            begin: 1,
            end: 9,
            every,
        },
        PruneSchedule::Ramp {
            start: 1,
            ramp: 4,
            end: 9,
            every,
            start_slope: 0.01,
            ramp_slope: 0.02,
        },
    ]
}

fn gate_biases() -> [GateBias; 3] {
    [
        GateBias::None,
        GateBias::Forget { value: 2.0 },
        GateBias::Chrono { t_max: 30 },
    ]
}

fn optimizers() -> [Optimizer; 8] {
    let (beta_1, beta_2, epsilon) = (0.8, 0.99, 1e-6);
    let decay = Decay::Decoupled;
    [
        Optimizer::Radam {
            beta_1,
            beta_2,
            epsilon,
            decay,
        },
        Optimizer::Nadam {
            beta_1,
            beta_2,
            epsilon,
            momentum_decay: 0.1,
            decay,
        },
        Optimizer::Sgd {
            momentum: 0.9,
            dampening: 0.2,
            nesterov: true,
        },
        Optimizer::Rmsprop {
            alpha: 0.9,
            momentum: 0.5,
            epsilon,
            centered: true,
        },
        Optimizer::Asgd {
            lambd: 0.1,
            alpha: 0.5,
            t0: 7,
        },
        Optimizer::Lookahead {
            inner: Box::new(Optimizer::default()),
            steps: 3,
            alpha: 0.3,
        },
        Optimizer::Adam {
            beta_1,
            beta_2,
            epsilon,
        },
        Optimizer::Adamw {
            beta_1,
            beta_2,
            epsilon,
        },
    ]
}

fn clips() -> [Clip; 5] {
    let (from, to, steps) = (0.1, 0.2, 3);
    let (max, p) = (Limit::Ramp { from, to, steps }, 3.0);
    [
        Clip::None,
        Clip::Norm { max, p },
        Clip::Value { max },
        Clip::PerTensor { max, p },
        Clip::Adaptive {
            max,
            epsilon: 0.1,
            except: vec!["head".into()],
        },
    ]
}

fn averages() -> [Average; 3] {
    let swa = Average::Swa {
        start: 2,
        every: 3,
        unit: Unit::Step,
    };
    let non_monotone = Average::NonMonotone { patience: 2 };
    [Average::Ema { decay: 0.5 }, swa, non_monotone]
}

/// Norms that go with full peepholes are sequence-wise; the others have diagonal ones.
fn norms() -> [(Normalization, Peepholes); 4] {
    let (momentum, epsilon) = (0.2, 1e-3);
    let batch = Normalization::Batch {
        max_steps: 29,
        momentum,
        epsilon,
    };
    let sequence_batch = Normalization::SequenceBatch { momentum, epsilon };
    [
        (batch, Peepholes::Diagonal),
        (sequence_batch, Peepholes::Full),
        (Normalization::Layer { epsilon }, Peepholes::Diagonal),
        (Normalization::Rms { epsilon }, Peepholes::Diagonal),
    ]
}

fn full_regularize() -> RegularizeRecipe {
    let penalty = |kind| WeightPenalty {
        kind,
        strength: 1e-3,
        targets: Targets::new(["weight_hh", "!layers.0.*.*.*"]),
    };
    let max = 2.0;
    let constraints = [
        Constraint::MaxNorm { max, axis: 1 },
        Constraint::UnitNorm { axis: 1 },
        Constraint::NonNegative,
        Constraint::SpectralNorm {
            max,
            per: Part::Matrix,
        },
        Constraint::SpectralRadius { max },
        Constraint::Orthogonal,
    ];
    RegularizeRecipe {
        dropout: CellDropout {
            input: 0.1,
            hidden: 0.2,
            output: 0.3,
            candidate: 0.4,
            candidate_per: Redraw::Sequence,
            zoneout_hidden: 0.05,
            zoneout_cell: 0.5,
            weight: 0.6,
        },
        activation: 2.0,
        temporal_activation: 1.0,
        units: 1e-3,
        penalties: [
            PenaltyKind::L1,
            PenaltyKind::L2,
            PenaltyKind::Rows,
            PenaltyKind::Columns,
        ]
        .map(penalty)
        .into(),
        constraints: constraints
            .map(|constraint| Constrained {
                constraint,
                targets: Targets::recurrent(),
            })
            .into(),
        constrain_every: 3,
    }
}

/// Recipes in which every key differs from its default, and in which all kinds together occur.
fn full_recipes() -> Vec<Recipe> {
    let mut recipes = Vec::new();
    for initializer in initializers() {
        for schedule in schedules() {
            recipes.push(full_recipe(&initializer, schedule, recipes.len()));
        }
    }
    recipes
}

/// An LSTM with every option that goes with all others.
fn full_model() -> ModelRecipe {
    ModelRecipe {
        cell: CellKind::Lstm,
        hidden: Hidden::Layers(vec![5, 4]),
        layers: 2,
        direction: Direction::Bidirectional,
        merge: Merge::Mul,
        connections: Connections::Dense,
        bias: false,
        initial_state: InitialState::Learned,
        clip: Some(4.0),
        gate_activation: Activation::HardSigmoid {
            alpha: 0.3,
            beta: 0.4,
        },
        candidate_activation: Activation::Softsign,
        output_activation: Activation::Elu { alpha: 0.9 },
        projected: Some(3),
        cell_clip: Some(5.0),
        input_dropout: 0.1,
        dropout: 0.2,
        head_dropout: 0.3,
        readout: Readout::Mean,
        ..ModelRecipe::default()
    }
}

/// The options of the other cells.
fn other_cells() -> [Recipe; 3] {
    let with = |model| Recipe {
        model,
        ..small(&[])
    };
    let gru = ModelRecipe {
        cell: CellKind::Gru,
        gate_activation: Activation::Softplus,
        candidate_activation: Activation::IDENTITY,
        reset: Reset::Before,
        update: Update::Replace,
        ..ModelRecipe::default()
    };
    let rnn = ModelRecipe {
        cell: CellKind::Rnn,
        activation: Activation::ScaledTanh {
            alpha: 1.7,
            beta: 0.6,
        },
        lsuv: true,
        init: RecurrentScheme {
            input: Initializer::Orthogonal { gain: 1.0 },
            ..RecurrentScheme::default()
        },
        ..ModelRecipe::default()
    };
    let text = Recipe {
        text: Some(TextRecipe {
            tokens: TokenKind::Word,
            vocabulary: 9,
            embedding: 5,
            embedding_dropout: 0.5,
            tied: false,
        }),
        training: TrainingRecipe {
            bptt: Some(ChunkLength::Random {
                steps: 9,
                whole: 0.5,
                deviation: 2.0,
                shortest: 3,
            }),
            ..TrainingRecipe::default()
        },
        ..small(&[])
    };
    [with(gru), with(rnn), text]
}

/// What else can be learned.
fn other_data() -> [Recipe; 3] {
    let with = |data| Recipe { data, ..small(&[]) };
    let small = small(&[]).data;
    let forecast = DataRecipe {
        forecast: Some(Forecast {
            horizon: 3,
            channels: vec!["x".into()],
        }),
        ..small.clone()
    };
    let values = DataRecipe {
        labels: LabelKind::StepValue,
        target_scaling: Scaling::None,
        ..small
    };
    let drawn = DataRecipe {
        problem: Some(ProblemRecipe {
            problem: Problem::CopyMemory {
                steps: 30,
                symbols: 4,
                length: 5,
            },
            sequences: 10,
            held_out: 20,
        }),
        ..DataRecipe::default()
    };
    [with(forecast), with(values), with(drawn)]
}

fn full_recipe(initializer: &Initializer, schedule: Schedule, number: usize) -> Recipe {
    let rule = GateRule {
        gate: Gate::Output,
        input: Some(initializer.clone()),
        recurrent: Some(initializer.clone()),
        bias: Some(initializer.clone()),
    };
    Recipe {
        name: "full \"quoted\"".into(),
        seed: 7,
        data: DataRecipe {
            train: Some("/d/a.ts".into()),
            valid: Some("/d/b.ts".into()),
            test: Some("/d/c.ts".into()),
            valid_fraction: 0.2,
            train_on_valid: true,
            missing: Missing::Zero,
            scaling: Scaling::None,
            ..DataRecipe::default()
        },
        text: None,
        model: ModelRecipe {
            normalization: norms()[number % 4].0,
            peepholes: norms()[number % 4].1,
            gates: [LstmGates::All, LstmGates::NoInput][number % 2],
            gate_recurrence: number.is_multiple_of(2),
            init: RecurrentScheme {
                input: initializer.clone(),
                recurrent: initializer.clone(),
                bias: initializer.clone(),
                gate_bias: gate_biases()[number % 3],
                gates: vec![rule],
            },
            ..full_model()
        },
        training: TrainingRecipe {
            epochs: 3,
            batch_size: 4,
            bptt: None,
            optimizer: optimizers()[number % 8].clone(),
            lr: 0.1,
            weight_decay: 0.0,
            schedule,
            schedule_unit: ScheduleUnit::Step,
            groups: vec![GroupRecipe {
                targets: Targets::new(["head.weight"]),
                lr_factor: 0.5,
                schedule: Some(Schedule::Cosine { steps: 9, to: 0.1 }),
            }],
            watch: Watch::valid(crate::Metric::Accuracy),
            clip: clips()[number % 5].clone(),
            on_nonfinite: [
                NonFinite::Skip,
                NonFinite::BackOff {
                    factor: 0.1,
                    limit: 2,
                },
            ][number % 2],
            // ASGD has a mean of its own.
            average: match optimizers()[number % 8] {
                Optimizer::Asgd { .. } => Average::None,
                _ => averages()[number % 3],
            },
            patience: Some(2),
            keep: Keep::Last,
            watch_gradients: true,
        },
        regularize: full_regularize(),
        prune: PruneRecipe {
            schedule: Some(prune_schedules()[number % 3]),
            schedule_unit: ScheduleUnit::Step,
            targets: Targets::recurrent(),
            criterion: Criterion::Movement,
            scope: Scope::Global,
            granularity: Granularity::Weights,
        },
    }
}

#[test]
fn recipes_survive_a_round_trip() {
    let all = full_recipes()
        .into_iter()
        .chain(other_cells())
        .chain(other_data());
    for recipe in all.chain([small(&[])]) {
        let text = recipe.to_toml();
        let again = parse(&text, &[]).unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!(again, recipe, "{text}");
        let plain: Recipe = toml::from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!(plain, recipe, "{text}");
    }
}

#[test]
fn what_is_left_out_takes_the_defaults() {
    let recipe = small(&[]);
    assert_eq!(recipe.model, ModelRecipe::default());
    assert_eq!(recipe.training, TrainingRecipe::default());
    assert_eq!(recipe.data.train, std::path::absolute("dir/a.ts").ok());
    let [valid, test] = [&recipe.data.valid, &recipe.data.test];
    assert_eq!((recipe.seed, valid, test), (0, &None, &None));
}

#[test]
fn a_rule_has_the_listed_keys() {
    let recipe = full_recipe(&Initializer::Zeros, Schedule::default(), 0);
    let rule = Table::try_from(&recipe.model.init.gates[0]).expect("a rule is a table");
    let listed: BTreeSet<String> = RULE.iter().map(|field| field.name.to_string()).collect();
    assert_eq!(listed, rule.into_iter().map(|(name, _)| name).collect());
    let group = Table::try_from(&recipe.training.groups[0]).expect("a group is a table");
    let listed: BTreeSet<String> = GROUP.iter().map(|field| field.name.to_string()).collect();
    assert_eq!(listed, group.into_iter().map(|(name, _)| name).collect());
    let group = &small(&["training.groups=[{targets=['w']}]"])
        .training
        .groups[0];
    assert_eq!((group.lr_factor, &group.schedule), (1.0, &None));
}

/// Every path to a key in a table, sections left out; tables that occur in several places at the first.
fn paths(prefix: &str, value: &Value, into: &mut BTreeSet<String>) {
    let is_section = prefix.is_empty() || SECTIONS.contains(&prefix);
    let initializers = ["model.init.recurrent", "model.init.bias"];
    let nested = [
        "training.schedule.first",
        "training.schedule.next",
        "training.groups[].schedule",
    ];
    let inner = "training.optimizer.inner";
    let activations = [
        "model.gate_activation",
        "model.candidate_activation",
        "model.output_activation",
    ];
    if !is_section {
        into.insert(prefix.to_string());
    }
    let prefix = if initializers.contains(&prefix) || prefix.starts_with("model.init.gates[].") {
        "model.init.input"
    } else if nested.contains(&prefix) {
        "training.schedule"
    } else if prefix == inner {
        "training.optimizer"
    } else if activations.contains(&prefix) {
        "model.activation"
    } else {
        prefix
    };
    match value {
        Value::Table(table) => {
            for (name, value) in table {
                let dot = if prefix.is_empty() { "" } else { "." };
                paths(&format!("{prefix}{dot}{name}"), value, into);
            }
        }
        Value::Array(items) => {
            for item in items {
                let Value::Table(table) = item else { continue };
                let item = match prefix {
                    "training.schedule.schedules" => "training.schedule".to_string(),
                    list => format!("{list}[]"),
                };
                for (name, value) in table {
                    paths(&format!("{item}.{name}"), value, into);
                }
            }
        }
        _ => (),
    }
}

#[test]
fn keys_agree_with_the_structs() {
    let mut found = BTreeSet::new();
    let all = full_recipes().into_iter().chain(other_cells());
    for recipe in all.chain(other_data()) {
        paths("", &Value::try_from(recipe).expect("a table"), &mut found);
    }
    let listed: BTreeSet<_> = Recipe::keys()
        .iter()
        .map(|key| key.path.to_string())
        .collect();
    assert_eq!(listed, found);
    assert_eq!(listed.len(), Recipe::keys().len(), "each key once");
    for key in Recipe::keys() {
        assert!(
            !key.doc.is_empty() && !key.default.is_empty(),
            "{}",
            key.path
        );
    }
}

#[test]
fn keys_of_some_cells_say_which() {
    for key in Recipe::keys() {
        let option = OPTIONS.iter().find(|(path, _)| *path == key.path);
        let start = option.map(|(_, cells)| {
            let names: Vec<String> = cells.iter().map(|cell| format!("\"{cell}\"")).collect();
            format!("of {}: ", names.join(" and "))
        });
        match start {
            Some(start) => assert!(key.doc.starts_with(&start), "{}: {}", key.path, key.doc),
            None => assert!(!key.doc.starts_with("of \"lstm\""), "{}", key.path),
        }
    }
    let known = |path: &str| Recipe::keys().iter().any(|key| key.path == path);
    assert!(OPTIONS.iter().all(|(path, _)| known(path)), "{OPTIONS:?}");
}

#[test]
fn old_files_have_no_options() {
    let old = "[model]\ncell = \"lstm\"\nhidden = 64\nlayers = 1\ndirection = \"forward\"\nactivation = \"tanh\"\nbias = true\n\
               readout = \"last\"\n";
    let text = format!("name = \"a\"\n[data]\ntrain = \"a.ts\"\n{old}");
    let recipe = parse(&text, &[]).expect("a recipe as runs kept it before there were options");
    assert_eq!(recipe.model, ModelRecipe::default());
}

/// A default as it stands in the table of keys; `None` for a remark.
fn default_of(key: &Key) -> Option<Value> {
    let is_remark = key.default.starts_with('(');
    let parse = || toml::from_str::<Table>(&format!("value = {}", key.default));
    (!is_remark)
        .then(|| parse().unwrap_or_else(|error| panic!("{}: {error}", key.path))["value"].clone())
}

fn value_at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.')
        .try_fold(value, |value, part| value.get(part))
}

#[test]
fn listed_defaults_are_those_of_the_structs() {
    // Every kind with nothing but what it requires.
    let kinds = [
        "text={}",
        "data.forecast={}",
        "data={problem='copy_memory'}",
        "model.init.input={kind='normal',std=1.0}",
        "model.init.input={kind='xavier_uniform'}",
        "model.init.input={kind='he_normal'}",
        "model.init.input={kind='he_normal',nonlinearity='leaky_relu'}",
        "model.init.gate_bias=forget",
        "model.normalization=batch",
        "training.optimizer=nadam",
        "training.optimizer=sgd",
        "training.optimizer=rmsprop",
        "training.optimizer=asgd",
        "training.optimizer={kind='lookahead',inner='adam'}",
        "training.clip=adaptive",
        "training.on_nonfinite=back_off",
        "training.average=ema",
        "training.average={kind='swa',start=1}",
        "training.average=non_monotone",
        "training.schedule=plateau",
        "training.schedule={kind='polynomial',steps=5}",
        "training.schedule={kind='inverse_time',rate=1}",
        "training.schedule={kind='cosine_restarts',steps=5}",
        "training.schedule={kind='cyclic',high=2,up=3}",
        "training.schedule={kind='one_cycle',steps=5}",
        "training.schedule={kind='table',points=[[0,1]]}",
        "prune.schedule={kind='cubic',sparsity=0.5,begin=1,end=3,every=1}",
    ];
    let drawn = ["text={}", "training.bptt={kind='random',steps=9}"];
    let recipes = kinds
        .iter()
        .map(|kind| small(&[*kind]))
        .chain([small(&drawn)]);
    let recipes: Vec<Value> = recipes
        .map(|recipe| Value::try_from(recipe).expect("a table"))
        .collect();
    let default = Value::try_from(small(&[])).expect("a table");
    for key in Recipe::keys() {
        let Some(listed) = default_of(key) else {
            continue;
        };
        // Those in lists are below.
        if key.path.contains("[]") {
            continue;
        }
        let real = value_at(&default, key.path)
            .or_else(|| recipes.iter().find_map(|recipe| value_at(recipe, key.path)));
        assert_eq!(real, Some(&listed), "{}", key.path);
    }
    let batch = small(&["model.normalization=batch"]).model.normalization;
    assert_eq!(batch, Normalization::batch(0));
    let one = |table: &str| {
        let list = format!("regularize.constraints=[{table}]");
        small(&[&list]).regularize.constraints[0].constraint
    };
    let (max, per) = (1.0, Part::Block);
    let norm = one("{kind='max_norm',max=1,targets=['w']}");
    assert_eq!(norm, Constraint::MaxNorm { max, axis: 0 });
    let norm = one("{kind='spectral_norm',max=1,targets=['w']}");
    assert_eq!(norm, Constraint::SpectralNorm { max, per });
    let sparse = small(&["model.init.input={kind='sparse',sparsity=0.5}"])
        .model
        .init
        .input;
    assert_eq!(
        sparse,
        Initializer::Sparse {
            sparsity: 0.5,
            std: 0.01
        }
    );
}

/// A field of a schedule whose default depends on the kind: the remark tells each.
#[test]
fn listed_defaults_of_schedules_are_those_of_the_kinds() {
    let remark = |field: &str| {
        let path = format!("training.schedule.{field}");
        let key = Recipe::keys().iter().find(|key| key.path == path);
        key.unwrap_or_else(|| panic!("{path}")).default
    };
    let mut told = BTreeSet::new();
    for (table, fields) in [
        ("kind='constant'", &["factor"][..]),
        ("kind='plateau'", &["factor"]),
        ("kind='step',every=2", &["gamma"]),
        ("kind='multi_step',milestones=[2]", &["gamma"]),
        ("kind='cyclic',high=2,up=3", &["gamma"]),
        ("kind='exponential',gamma=2", &["steps"]),
        ("kind='inverse_time',rate=2", &["steps"]),
        ("kind='linear',to=2,steps=3", &["from"]),
        ("kind='one_cycle',steps=3", &["from", "to"]),
        ("kind='warm_up',steps=3", &["from"]),
        ("kind='polynomial',steps=3", &["to"]),
        ("kind='cosine',steps=3", &["to"]),
        ("kind='cosine_restarts',steps=3", &["to"]),
    ] {
        let recipe = small(&[&format!("training.schedule={{{table}}}")]);
        let schedule = Value::try_from(&recipe.training.schedule).expect("a table");
        let kind = schedule["kind"].as_str().expect("a name");
        for field in fields {
            let parts = remark(field).trim_matches(['(', ')']).split(", ");
            let end = format!(" for \"{kind}\"");
            let listed = parts.filter_map(|part| part.strip_suffix(&end)).next();
            let listed = listed.unwrap_or_else(|| panic!("{field} of {kind}"));
            let listed: Table = toml::from_str(&format!("value = {listed}")).expect("a value");
            assert_eq!(schedule[*field], listed["value"], "{field} of {kind}");
            told.insert((*field, kind.to_string()));
        }
    }
    let listed = ["factor", "gamma", "steps", "from", "to"].map(|field| {
        let parts = remark(field).matches(" for \"").count();
        parts - remark(field).matches("required for").count()
    });
    assert_eq!(listed.iter().sum::<usize>(), told.len());
}

#[test]
fn the_book_lists_all_schedules_with_their_fields() {
    let page = include_str!("../../../../../docs/src/recipes.md");
    for kind in SCHEDULES {
        let start = format!("| `{}` | ", kind.name);
        // The kind of an initialiser may have the same name.
        let rows = || page.lines().filter_map(|line| line.strip_prefix(&start));
        let has_all = |row: &str| {
            let fields = row.split(" | ").next().unwrap_or_default();
            let names: BTreeSet<&str> = fields.split('`').skip(1).step_by(2).collect();
            let expected: BTreeSet<&str> = kind.fields.iter().map(|field| field.name).collect();
            names == expected
        };
        let is_listed = kind.name == "plateau" || rows().any(has_all);
        assert!(is_listed, "{} with {:?}", kind.name, kind.fields);
    }
}

#[test]
fn the_book_lists_the_same_keys_and_defaults() {
    let page = include_str!("../../../../../docs/src/recipes.md");
    for key in Recipe::keys() {
        let tables = [
            "model.activation.",
            "model.normalization.",
            "regularize.penalties[].",
            "regularize.constraints[].",
            "model.init.",
            "training.schedule.",
            "training.groups[].",
            "training.optimizer.",
            "training.clip.",
            "training.on_nonfinite.",
            "training.average.",
            "prune.schedule.",
        ];
        let is_nested = tables.iter().any(|table| {
            key.path
                .strip_prefix(table)
                .is_some_and(|rest| *table != "model.init." || rest.contains(['.', '[']))
        });
        if is_nested {
            continue;
        }
        let start = format!("| `{}` | ", key.path);
        let row = page.lines().find_map(|line| line.strip_prefix(&start));
        let row = row.unwrap_or_else(|| panic!("no row for {}", key.path));
        let is_same =
            key.default.starts_with('(') || row.starts_with(&format!("`{}` |", key.default));
        assert!(is_same, "{} is {} here, {row} there", key.path, key.default);
    }
}
