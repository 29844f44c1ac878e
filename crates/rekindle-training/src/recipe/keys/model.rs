//! The keys of `[model]`, but for those of its initialisation.

use super::super::fields::{ACTIVATIONS, NORMALIZATIONS, Slot};
use super::{Key, key, slot};

pub(super) const KEYS: &[Key] = &[
    key(
        "model.cell",
        "\"lstm\"",
        "\"lstm\", \"gru\" or \"rnn\" (Elman)",
    ),
    key(
        "model.hidden",
        "64",
        "units of each layer and direction, at least 1; [64, 32] for each layer, [[60, 52], [31, 28]] for each direction of each",
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
        "model.merge",
        "\"concat\"",
        "what becomes of the outputs of both directions: \"concat\", side by side; \"sum\", \"mean\" or \"mul\", by element",
    ),
    key(
        "model.connections",
        "\"plain\"",
        "what layers read besides the layer below: \"plain\", nothing; \"residual\", a layer's input is added to its output; \"dense\", the outputs of all layers below and the input",
    ),
    key("model.bias", "true", "whether the cells have biases"),
    key(
        "model.initial_state",
        "\"zeros\"",
        "the state before the first step: \"zeros\" or \"learned\"",
    ),
    key(
        "model.clip",
        "(none)",
        "the arguments of gates and candidate are held within plus and minus this, above 0",
    ),
    slot(
        "model.activation",
        "\"tanh\"",
        "of \"rnn\": the activation, a name or a table with its numbers",
        Slot::Kind(ACTIVATIONS),
    ),
    key(
        "model.activation.kind",
        "(required)",
        "\"tanh\", \"sigmoid\", \"relu\", \"softsign\", \"softplus\", \"affine\", \"leaky_relu\", \"thresholded_relu\", \"scaled_tanh\", \"hard_sigmoid\" or \"elu\"",
    ),
    key(
        "model.activation.alpha",
        "(required; 0.01 for \"leaky_relu\", 1.0 for \"thresholded_relu\" and \"elu\", 0.2 for \"hard_sigmoid\")",
        "of \"affine\", \"leaky_relu\", \"thresholded_relu\", \"scaled_tanh\", \"hard_sigmoid\" and \"elu\": the number alpha of ONNX, finite",
    ),
    key(
        "model.activation.beta",
        "(required; 0.5 for \"hard_sigmoid\")",
        "of \"affine\", \"scaled_tanh\" and \"hard_sigmoid\": the number beta of ONNX, finite",
    ),
    slot(
        "model.gate_activation",
        "\"sigmoid\"",
        "of \"lstm\" and \"gru\": the activation of the gates, as model.activation",
        Slot::Kind(ACTIVATIONS),
    ),
    slot(
        "model.candidate_activation",
        "\"tanh\"",
        "of \"lstm\" and \"gru\": the activation of the candidate, as model.activation",
        Slot::Kind(ACTIVATIONS),
    ),
    slot(
        "model.output_activation",
        "\"tanh\"",
        "of \"lstm\": the activation of the cell state on its way out, as model.activation",
        Slot::Kind(ACTIVATIONS),
    ),
    key(
        "model.gates",
        "\"all\"",
        "of \"lstm\": \"all\", \"coupled\" (the forget gate is one minus the input gate), \"no_input\", \"no_forget\" or \"no_output\"",
    ),
    key(
        "model.peepholes",
        "\"none\"",
        "of \"lstm\": how the gates see the cell state: \"none\", \"diagonal\" (each unit its own) or \"full\" (all units)",
    ),
    key(
        "model.gate_recurrence",
        "false",
        "of \"lstm\": whether the gates read the gates of the step before; only with all gates",
    ),
    key(
        "model.projected",
        "(none)",
        "of \"lstm\": the width of the hidden state after a projection, at least 1 and below hidden",
    ),
    key(
        "model.cell_clip",
        "(none)",
        "of \"lstm\": the cell state is held within plus and minus this, above 0",
    ),
    key(
        "model.reset",
        "\"after\"",
        "of \"gru\": where the reset gate acts, \"after\" or \"before\" the recurrent product",
    ),
    key(
        "model.update",
        "\"keep\"",
        "of \"gru\": what the update gate is a fraction of: \"keep\", the old state; \"replace\", the new content",
    ),
    slot(
        "model.normalization",
        "\"none\"",
        "how cells normalise, a name or a table with its numbers: \"none\", \"layer\", \"rms\", \"batch\" or \"sequence_batch\"",
        Slot::Kind(NORMALIZATIONS),
    ),
    key(
        "model.normalization.kind",
        "(required)",
        "\"none\"; \"layer\" (arXiv:1607.06450) and \"rms\" (arXiv:1910.07467), each product over its columns; \"batch\" (arXiv:1603.09025), each column over the batch at each step; \"sequence_batch\" (arXiv:1510.01378), the input product over batch and steps",
    ),
    key(
        "model.normalization.max_steps",
        "(0: as many as two sequences of an average batch reach)",
        "of \"batch\": the steps with running statistics of their own; later steps share those of the last one",
    ),
    key(
        "model.normalization.momentum",
        "0.1",
        "of \"batch\" and \"sequence_batch\": the weight of a new batch in the running statistics, in (0, 1]",
    ),
    key(
        "model.normalization.epsilon",
        "1e-5",
        "of all but \"none\": added to a variance or mean square, above 0",
    ),
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
        "what the head reads: \"last\", the final hidden states, merged as outputs are; \"mean\", the outputs' mean over valid steps",
    ),
    key(
        "model.lsuv",
        "false",
        "whether input weights are scaled by the first batch so that the arguments of all gates have unit variance (arXiv:1511.06422); only with orthogonal model.init.input and without norms",
    ),
];
