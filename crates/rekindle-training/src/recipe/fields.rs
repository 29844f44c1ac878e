//! What tables with a `kind` may hold.

/// What may stand at a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    /// One value.
    Plain,
    /// A table with a `kind`, which decides what else it may hold.
    Kind(&'static [Kind]),
    /// A schedule, which may hold schedules.
    Schedule,
    /// A list of schedules.
    Schedules,
    /// A list of tables with these keys.
    Rules(&'static [Field]),
    /// A list of tables with a `kind`.
    List(&'static [Kind]),
}

/// A kind of a value, and the keys beside `kind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) fields: &'static [Field],
}

/// A key inside a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) slot: Slot,
}

const fn plain(name: &'static str) -> Field {
    Field {
        name,
        slot: Slot::Plain,
    }
}

const fn kind(name: &'static str, fields: &'static [Field]) -> Kind {
    Kind { name, fields }
}

const GAIN: &[Field] = &[plain("gain")];

/// Kinds of [`Initializer`](rekindle_cells::Initializer).
pub(super) const INITIALIZERS: &[Kind] = &[
    kind("constant", &[plain("value")]),
    kind("zeros", &[]),
    kind("uniform", &[plain("low"), plain("high")]),
    kind("normal", &[plain("mean"), plain("std")]),
    kind(
        "truncated_normal",
        &[plain("mean"), plain("std"), plain("low"), plain("high")],
    ),
    kind("xavier_uniform", GAIN),
    kind("xavier_normal", GAIN),
    kind("he_uniform", HE),
    kind("he_normal", HE),
    kind("lecun_uniform", &[]),
    kind("lecun_normal", &[]),
    kind("fan_uniform", &[plain("fan")]),
    kind("orthogonal", GAIN),
    kind("identity", GAIN),
    kind("sparse", &[plain("sparsity"), plain("std")]),
];

const HE: &[Field] = &[
    Field {
        name: "nonlinearity",
        slot: Slot::Kind(NONLINEARITIES),
    },
    plain("fan"),
];

pub(super) const NONLINEARITIES: &[Kind] = &[
    kind("linear", &[]),
    kind("relu", &[]),
    kind("leaky_relu", &[plain("slope")]),
    kind("tanh", &[]),
    kind("sigmoid", &[]),
];

/// Kinds of [`Problem`](rekindle_data::Problem), with what a recipe says beside.
pub(super) const PROBLEMS: &[Kind] = &[
    kind(
        "adding",
        &[plain("steps"), plain("sequences"), plain("held_out")],
    ),
    kind(
        "copy_memory",
        &[
            plain("steps"),
            plain("symbols"),
            plain("length"),
            plain("sequences"),
            plain("held_out"),
        ],
    ),
];

/// Kinds of [`ChunkLength`](rekindle_data::ChunkLength).
pub(super) const CHUNKS: &[Kind] = &[
    kind("fixed", &[plain("steps")]),
    kind(
        "random",
        &[
            plain("steps"),
            plain("whole"),
            plain("deviation"),
            plain("shortest"),
        ],
    ),
];

const ALPHA: &[Field] = &[plain("alpha")];
const ALPHA_BETA: &[Field] = &[plain("alpha"), plain("beta")];

/// Kinds of [`Activation`](rekindle_cells::Activation).
pub(super) const ACTIVATIONS: &[Kind] = &[
    kind("tanh", &[]),
    kind("sigmoid", &[]),
    kind("relu", &[]),
    kind("affine", ALPHA_BETA),
    kind("leaky_relu", ALPHA),
    kind("thresholded_relu", ALPHA),
    kind("scaled_tanh", ALPHA_BETA),
    kind("hard_sigmoid", ALPHA_BETA),
    kind("elu", ALPHA),
    kind("softsign", &[]),
    kind("softplus", &[]),
];

const EPSILON: &[Field] = &[plain("epsilon")];

/// Kinds of [`Normalization`](rekindle_cells::Normalization).
pub(super) const NORMALIZATIONS: &[Kind] = &[
    kind("none", &[]),
    kind("layer", EPSILON),
    kind("rms", EPSILON),
    kind(
        "batch",
        &[plain("max_steps"), plain("momentum"), plain("epsilon")],
    ),
    kind("sequence_batch", &[plain("momentum"), plain("epsilon")]),
];

const PENALTY: &[Field] = &[plain("strength"), plain("targets")];

/// Kinds of [`WeightPenalty`](rekindle_regularize::penalty::WeightPenalty).
pub(super) const PENALTIES: &[Kind] = &[
    kind("l1", PENALTY),
    kind("l2", PENALTY),
    kind("rows", PENALTY),
    kind("columns", PENALTY),
];

/// Kinds of [`Constraint`](rekindle_regularize::constraint::Constraint), each with the targets.
pub(super) const CONSTRAINTS: &[Kind] = &[
    kind("max_norm", &[plain("max"), plain("axis"), plain("targets")]),
    kind("unit_norm", &[plain("axis"), plain("targets")]),
    kind("non_negative", &[plain("targets")]),
    kind(
        "spectral_norm",
        &[plain("max"), plain("per"), plain("targets")],
    ),
    kind("spectral_radius", &[plain("max"), plain("targets")]),
    kind("orthogonal", &[plain("targets")]),
];

/// Kinds of [`GateBias`](rekindle_cells::GateBias).
pub(super) const GATE_BIASES: &[Kind] = &[
    kind("none", &[]),
    kind("forget", &[plain("value")]),
    kind("chrono", &[plain("t_max")]),
];

/// Keys of a [`GateRule`](rekindle_cells::GateRule).
pub(super) const RULE: &[Field] = &[
    plain("gate"),
    Field {
        name: "input",
        slot: Slot::Kind(INITIALIZERS),
    },
    Field {
        name: "recurrent",
        slot: Slot::Kind(INITIALIZERS),
    },
    Field {
        name: "bias",
        slot: Slot::Kind(INITIALIZERS),
    },
];

const ADAM: &[Field] = &[plain("beta_1"), plain("beta_2"), plain("epsilon")];
const RADAM: &[Field] = &[ADAM[0], ADAM[1], ADAM[2], plain("decay")];
const NADAM: &[Field] = &[
    ADAM[0],
    ADAM[1],
    ADAM[2],
    plain("momentum_decay"),
    plain("decay"),
];
const SGD: &[Field] = &[plain("momentum"), plain("dampening"), plain("nesterov")];
const RMSPROP: &[Field] = &[
    plain("alpha"),
    plain("momentum"),
    plain("epsilon"),
    plain("centered"),
];
const ASGD: &[Field] = &[plain("lambd"), plain("alpha"), plain("t0")];

/// Kinds of [`Optimizer`](super::Optimizer) that a lookahead may go around.
const INNER_OPTIMIZERS: &[Kind] = &[
    kind("adam", ADAM),
    kind("adamw", ADAM),
    kind("radam", RADAM),
    kind("nadam", NADAM),
    kind("sgd", SGD),
    kind("rmsprop", RMSPROP),
    kind("asgd", ASGD),
];

const LOOKAHEAD: &[Field] = &[
    Field {
        name: "inner",
        slot: Slot::Kind(INNER_OPTIMIZERS),
    },
    plain("steps"),
    plain("alpha"),
];

/// Kinds of [`Optimizer`](super::Optimizer).
pub(super) const OPTIMIZERS: &[Kind] = &[
    INNER_OPTIMIZERS[0],
    INNER_OPTIMIZERS[1],
    INNER_OPTIMIZERS[2],
    INNER_OPTIMIZERS[3],
    INNER_OPTIMIZERS[4],
    INNER_OPTIMIZERS[5],
    INNER_OPTIMIZERS[6],
    kind("lookahead", LOOKAHEAD),
];

/// Kinds of [`Clip`](rekindle_optim::Clip).
pub(super) const CLIPS: &[Kind] = &[
    kind("none", &[]),
    kind("norm", &[plain("max"), plain("p")]),
    kind("value", &[plain("max")]),
    kind("per_tensor", &[plain("max"), plain("p")]),
    kind(
        "adaptive",
        &[plain("max"), plain("epsilon"), plain("except")],
    ),
];

/// Kinds of [`NonFinite`](rekindle_optim::NonFinite).
pub(super) const POLICIES: &[Kind] = &[
    kind("error", &[]),
    kind("skip", &[]),
    kind("back_off", &[plain("factor"), plain("limit")]),
];

/// Kinds of [`Average`](rekindle_optim::Average).
pub(super) const AVERAGES: &[Kind] = &[
    kind("none", &[]),
    kind("ema", &[plain("decay")]),
    kind("swa", &[plain("start"), plain("every"), plain("unit")]),
    kind("non_monotone", &[plain("patience")]),
];

/// Kinds of [`PruneSchedule`](rekindle_regularize::prune::PruneSchedule).
pub(super) const PRUNE_SCHEDULES: &[Kind] = &[
    kind("one_shot", &[plain("sparsity"), plain("at")]),
    kind(
        "cubic",
        &[
            plain("initial"),
            plain("sparsity"),
            plain("begin"),
            plain("end"),
            plain("every"),
        ],
    ),
    kind(
        "ramp",
        &[
            plain("start"),
            plain("ramp"),
            plain("end"),
            plain("every"),
            plain("start_slope"),
            plain("ramp_slope"),
        ],
    ),
];

const FIRST: Field = Field {
    name: "first",
    slot: Slot::Schedule,
};
const NEXT: Field = Field {
    name: "next",
    slot: Slot::Schedule,
};
const PARTS: Field = Field {
    name: "schedules",
    slot: Slot::Schedules,
};

/// Kinds of [`Schedule`](rekindle_optim::Schedule).
pub(super) const SCHEDULES: &[Kind] = &[
    kind("constant", &[plain("factor")]),
    kind("step", &[plain("every"), plain("gamma")]),
    kind("multi_step", &[plain("milestones"), plain("gamma")]),
    kind("exponential", &[plain("gamma"), plain("steps")]),
    kind("linear", &[plain("from"), plain("to"), plain("steps")]),
    kind("polynomial", POLYNOMIAL),
    kind("inverse_time", INVERSE_TIME),
    kind("cosine", &[plain("steps"), plain("to")]),
    kind("cosine_restarts", COSINE_RESTARTS),
    kind("cyclic", CYCLIC),
    kind("one_cycle", ONE_CYCLE),
    kind("noam", &[plain("warm_up")]),
    kind("table", &[plain("points"), plain("between")]),
    kind("warm_up", &[plain("steps"), plain("from"), NEXT]),
    kind("then", &[FIRST, plain("steps"), NEXT]),
    kind("sequential", &[PARTS, plain("milestones")]),
    kind("chained", &[PARTS]),
    kind("plateau", PLATEAU),
];

/// Keys of a [`GroupRecipe`](super::GroupRecipe).
pub(super) const GROUP: &[Field] = &[
    plain("targets"),
    plain("lr_factor"),
    Field {
        name: "schedule",
        slot: Slot::Schedule,
    },
];

const POLYNOMIAL: &[Field] = &[plain("steps"), plain("power"), plain("to"), plain("cycle")];

const INVERSE_TIME: &[Field] = &[plain("rate"), plain("steps"), plain("staircase")];

const COSINE_RESTARTS: &[Field] = &[
    plain("steps"),
    plain("t_mult"),
    plain("m_mult"),
    plain("to"),
];

const CYCLIC: &[Field] = &[
    plain("low"),
    plain("high"),
    plain("up"),
    plain("down"),
    plain("wave"),
    plain("gamma"),
];

const ONE_CYCLE: &[Field] = &[
    plain("steps"),
    plain("peak_at"),
    plain("from"),
    plain("to"),
    plain("anneal"),
    plain("phases"),
];

const PLATEAU: &[Field] = &[
    plain("mode"),
    plain("factor"),
    plain("patience"),
    plain("threshold"),
    plain("threshold_mode"),
    plain("cooldown"),
    plain("min_lr"),
    plain("epsilon"),
];
