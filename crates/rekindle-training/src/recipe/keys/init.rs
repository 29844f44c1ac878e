//! The keys of `[model.init]`.

use super::super::fields::{GATE_BIASES, INITIALIZERS, RULE, Slot};
use super::{Key, key, slot};

pub(super) const KEYS: &[Key] = &[
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
];
