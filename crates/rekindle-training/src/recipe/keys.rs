//! Every key of a recipe, documented.

use super::fields::{GATE_BIASES, INITIALIZERS, OPTIMIZERS, RULE, Slot};

/// One key of a recipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// The key with its section, such as `training.lr`; `[]` stands for any place in a list, as in
    /// `model.init.gates[].gate`. Keys of tables that occur in several places are listed at the first.
    pub path: &'static str,
    /// The default, as it would stand in the file; a remark in brackets if there is none.
    pub default: &'static str,
    /// What it means, with unit and range.
    pub doc: &'static str,
    /// What a table at this key may hold.
    pub(super) slot: Slot,
}

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
    key(
        "model.init.input.kind",
        "(required)",
        "\"constant\", \"zeros\", \"uniform\", \"normal\", \"truncated_normal\", \"xavier_uniform\", \"xavier_normal\", \"he_uniform\", \"he_normal\", \"lecun_uniform\", \"lecun_normal\", \"fan_uniform\", \"orthogonal\", \"identity\" or \"sparse\"",
    ),
    key(
        "model.init.input.value",
        "(required)",
        "of \"constant\": every weight, finite",
    ),
    key(
        "model.init.input.mean",
        "0.0",
        "of \"normal\" and \"truncated_normal\": the mean, finite",
    ),
    key(
        "model.init.input.std",
        "(required; 0.01 for \"sparse\")",
        "of \"normal\", \"truncated_normal\" and \"sparse\": the standard deviation, positive",
    ),
    key(
        "model.init.input.low",
        "(required)",
        "of \"uniform\" and \"truncated_normal\": the lower end",
    ),
    key(
        "model.init.input.high",
        "(required)",
        "of \"uniform\" and \"truncated_normal\": the upper end, above low",
    ),
    key(
        "model.init.input.gain",
        "1.0",
        "of \"xavier_…\", \"orthogonal\" and \"identity\": a factor of the weights; positive for \"xavier_…\"",
    ),
    key(
        "model.init.input.nonlinearity",
        "{ kind = \"relu\" }",
        "of \"he_…\": what follows the product",
    ),
    key(
        "model.init.input.nonlinearity.kind",
        "(required)",
        "\"linear\", \"relu\", \"leaky_relu\", \"tanh\" or \"sigmoid\"",
    ),
    key(
        "model.init.input.nonlinearity.slope",
        "0.01",
        "of \"leaky_relu\": the slope below zero, finite",
    ),
    key(
        "model.init.input.fan",
        "\"in\"",
        "of \"he_…\" and \"fan_uniform\": the axis that counts, \"in\" or \"out\"",
    ),
    key(
        "model.init.input.sparsity",
        "(required)",
        "of \"sparse\": the fraction of each column that is zero, in [0, 1]",
    ),
    slot(
        "model.init.recurrent",
        "{ kind = \"orthogonal\", gain = 1.0 }",
        "the recurrent weights of each gate; a table as model.init.input",
        Slot::Kind(INITIALIZERS),
    ),
    slot(
        "model.init.bias",
        "{ kind = \"zeros\" }",
        "both biases of each gate; a table as model.init.input",
        Slot::Kind(INITIALIZERS),
    ),
    slot(
        "model.init.gate_bias",
        "{ kind = \"forget\", value = 1.0 }",
        "the bias of the gates that keep the state: \"none\", \"forget\" or \"chrono\"",
        Slot::Kind(GATE_BIASES),
    ),
    key(
        "model.init.gate_bias.kind",
        "(required)",
        "\"none\", \"forget\" or \"chrono\"",
    ),
    key(
        "model.init.gate_bias.value",
        "1.0",
        "of \"forget\": the sum of both biases of the forget gate, finite",
    ),
    key(
        "model.init.gate_bias.t_max",
        "(required)",
        "of \"chrono\": the longest dependency expected, in steps, at least 3",
    ),
    slot(
        "model.init.gates",
        "[]",
        "other rules for single gates: a list of tables with gate, input, recurrent, bias",
        Slot::Rules(RULE),
    ),
    key(
        "model.init.gates[].gate",
        "(required)",
        "\"input\", \"forget\", \"candidate\" or \"output\" (LSTM), \"reset\", \"update\" or \"candidate\" (GRU), \"candidate\" (Elman)",
    ),
    key(
        "model.init.gates[].input",
        "(model.init.input)",
        "the input weights of the gate; a table as model.init.input",
    ),
    key(
        "model.init.gates[].recurrent",
        "(model.init.recurrent)",
        "the recurrent weights of the gate; a table as model.init.input",
    ),
    key(
        "model.init.gates[].bias",
        "(model.init.bias)",
        "both biases of the gate; a table as model.init.input",
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
    key(
        "training.optimizer.kind",
        "(required)",
        "\"adamw\" or \"adam\"",
    ),
    key(
        "training.optimizer.beta_1",
        "0.9",
        "decay of the mean of gradients, in [0, 1)",
    ),
    key(
        "training.optimizer.beta_2",
        "0.999",
        "decay of the mean of squared gradients, in [0, 1)",
    ),
    key(
        "training.optimizer.epsilon",
        "1e-8",
        "added to the denominator, positive",
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
        "training.schedule.kind",
        "(required)",
        "\"constant\", \"exponential\", \"then\" or \"plateau\"",
    ),
    key(
        "training.schedule.factor",
        "(1.0 for \"constant\", 0.1 for \"plateau\")",
        "of \"constant\": factor of the base rate, positive; of \"plateau\": factor of each reduction, in (0, 1)",
    ),
    key(
        "training.schedule.gamma",
        "(required)",
        "of \"exponential\": factor from one step to the next, positive",
    ),
    key(
        "training.schedule.first",
        "(required)",
        "of \"then\": the schedule to begin with, not a plateau; a table as training.schedule",
    ),
    key(
        "training.schedule.steps",
        "(required)",
        "of \"then\": how many steps first lasts",
    ),
    key(
        "training.schedule.next",
        "(required)",
        "of \"then\": the schedule that follows from its own step zero, not a plateau; a table as training.schedule",
    ),
    key(
        "training.schedule.mode",
        "\"min\"",
        "of \"plateau\": \"min\" if training.watch is a loss, \"max\" if it is an accuracy or F1",
    ),
    key(
        "training.schedule.patience",
        "10",
        "of \"plateau\": epochs without improvement that are tolerated",
    ),
    key(
        "training.schedule.threshold",
        "1e-4",
        "of \"plateau\": improvements up to this do not count, at least 0, below 1 if relative",
    ),
    key(
        "training.schedule.threshold_mode",
        "\"relative\"",
        "of \"plateau\": \"relative\", a fraction of the best value, or \"absolute\"",
    ),
    key(
        "training.schedule.cooldown",
        "0",
        "of \"plateau\": epochs after a reduction that cannot count as bad",
    ),
    key(
        "training.schedule.min_lr",
        "0.0",
        "of \"plateau\": the rate is never reduced below this, at least 0",
    ),
    key(
        "training.schedule.epsilon",
        "1e-8",
        "of \"plateau\": a reduction by no more than this is not made, at least 0",
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
