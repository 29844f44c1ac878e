//! Every key of a recipe, documented.

/// One key of a recipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// The key with its section, such as `training.lr`.
    pub path: &'static str,
    /// The default, as it would stand in the file; a remark in brackets if there is none.
    pub default: &'static str,
    /// What it means, with unit and range.
    pub doc: &'static str,
    /// What a table at this key may hold.
    pub(super) slot: Slot,
}

/// What may stand at a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    /// One value.
    Plain,
    /// A table with a `kind`, which decides what else it may hold.
    Kind(&'static [Kind]),
    /// A schedule, which may hold schedules.
    Schedule,
    /// A list of tables with these keys.
    Rules(&'static [Field]),
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

use super::fields::{GATE_BIASES, INITIALIZERS, OPTIMIZERS, RULE};

const fn key(path: &'static str, default: &'static str, doc: &'static str) -> Key {
    Key {
        path,
        default,
        doc,
        slot: Slot::Plain,
    }
}

const fn slot(path: &'static str, default: &'static str, doc: &'static str, slot: Slot) -> Key {
    Key {
        path,
        default,
        doc,
        slot,
    }
}

/// All keys, in the order of the file.
pub(super) const KEYS: &[Key] = &[
    key(
        "name",
        "(the training file's name, without a recipe)",
        "what the run is called",
    ),
    key(
        "seed",
        "0",
        "where all random numbers start, at most 2^63 - 1",
    ),
    key(
        "data.train",
        "(required)",
        "the .ts or .csv file to train on",
    ),
    key("data.valid", "(none)", "a file to validate on"),
    key(
        "data.test",
        "(none)",
        "a file that is scored once, at the end",
    ),
    key(
        "data.valid_fraction",
        "0.1",
        "fraction of each class held out of data.train if there is no data.valid, in [0, 1); 0 for none",
    ),
    key(
        "data.missing",
        "\"error\"",
        "missing values: \"error\", \"forward_fill\", \"zero\" or \"mean\"",
    ),
    key(
        "data.scaling",
        "\"standard\"",
        "\"standard\": each channel to mean 0 and variance 1; \"none\"",
    ),
    key(
        "model.cell",
        "\"lstm\"",
        "\"lstm\", \"gru\" or \"rnn\" (Elman)",
    ),
    key(
        "model.hidden",
        "64",
        "units of each layer and direction, at least 1",
    ),
    key(
        "model.layers",
        "1",
        "layers on top of each other, at least 1",
    ),
    key(
        "model.direction",
        "\"forward\"",
        "\"forward\", \"reverse\" or \"bidirectional\"",
    ),
    key(
        "model.activation",
        "\"tanh\"",
        "of \"rnn\" only: \"tanh\" or \"relu\"",
    ),
    key("model.bias", "true", "whether the cells have biases"),
    key(
        "model.input_dropout",
        "0.0",
        "probability of zeroing an input value in training, in [0, 1)",
    ),
    key("model.dropout", "0.0", "the same between layers"),
    key(
        "model.head_dropout",
        "0.0",
        "the same for what the head reads",
    ),
    key(
        "model.readout",
        "\"last\"",
        "what the head reads: \"last\", the final hidden states; \"mean\", the outputs' mean over valid steps",
    ),
    slot(
        "model.init.input",
        "{ kind = \"xavier_uniform\", gain = 1.0 }",
        "the input weights of each gate",
        Slot::Kind(INITIALIZERS),
    ),
    slot(
        "model.init.recurrent",
        "{ kind = \"orthogonal\", gain = 1.0 }",
        "the recurrent weights of each gate",
        Slot::Kind(INITIALIZERS),
    ),
    slot(
        "model.init.bias",
        "{ kind = \"zeros\" }",
        "both biases of each gate",
        Slot::Kind(INITIALIZERS),
    ),
    slot(
        "model.init.gate_bias",
        "{ kind = \"forget\", value = 1.0 }",
        "the bias of the gates that keep the state: \"none\", \"forget\" or \"chrono\"",
        Slot::Kind(GATE_BIASES),
    ),
    slot(
        "model.init.gates",
        "[]",
        "other rules for single gates: a list of tables with gate, input, recurrent, bias",
        Slot::Rules(RULE),
    ),
    key(
        "training.epochs",
        "50",
        "passes over the training sequences, at least 1",
    ),
    key(
        "training.batch_size",
        "32",
        "sequences in a batch, at least 1",
    ),
    slot(
        "training.optimizer",
        "{ kind = \"adamw\", beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-8 }",
        "\"adamw\" or \"adam\" with its constants",
        Slot::Kind(OPTIMIZERS),
    ),
    key("training.lr", "0.003", "the base learning rate, positive"),
    key(
        "training.weight_decay",
        "0.01",
        "weight decay, at least 0; with \"adamw\" apart from the gradient, with \"adam\" added to it",
    ),
    slot(
        "training.schedule",
        "{ kind = \"constant\", factor = 1.0 }",
        "factor of the base rate over the run: \"constant\", \"exponential\", \"then\" or \"plateau\"",
        Slot::Schedule,
    ),
    key(
        "training.schedule_unit",
        "\"epoch\"",
        "what the schedule counts: \"epoch\" or \"step\"",
    ),
    key(
        "training.watch",
        "\"valid_loss\"",
        "the metric for a plateau, patience and keep: \"valid_loss\", \"valid_accuracy\", \"valid_macro_f1\" or \"train_loss\"",
    ),
    key(
        "training.clip_norm",
        "1.0",
        "bound of the norm of all gradients together, positive; inf for none",
    ),
    key(
        "training.patience",
        "(none)",
        "stop after this many epochs without improvement of watch, at least 1",
    ),
    key(
        "training.keep",
        "\"best\"",
        "the weights that the run ends with: \"best\" by watch, or \"last\"",
    ),
];
