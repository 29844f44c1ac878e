//! The keys of `[training]`.

use super::super::fields::{AVERAGES, CHUNKS, CLIPS, OPTIMIZERS, POLICIES, Slot};
use super::{Key, key, slot};

pub(super) const KEYS: &[Key] = &[
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
        "training.bptt",
        "(70 of texts, the whole of other sequences)",
        "steps that gradients flow back, of texts and of answers at each step: a number, \"fixed\", or \"random\" of texts; states go on from there",
        Slot::Kind(CHUNKS),
    ),
    key(
        "training.bptt.kind",
        "(required)",
        "\"fixed\" or \"random\"",
    ),
    key(
        "training.bptt.steps",
        "(required)",
        "steps of a chunk, at least 1; of \"random\": the usual mean",
    ),
    key(
        "training.bptt.whole",
        "0.95",
        "of \"random\": probability of the usual mean, else it is halved, in [0, 1]",
    ),
    key(
        "training.bptt.deviation",
        "5.0",
        "of \"random\": standard deviation of the length, at least 0",
    ),
    key(
        "training.bptt.shortest",
        "5",
        "of \"random\": least number of steps, at least 1",
    ),
    slot(
        "training.optimizer",
        "{ kind = \"adamw\", beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-8 }",
        "the optimizer with its constants: \"adamw\", \"adam\", \"radam\", \"nadam\", \"sgd\", \"rmsprop\", \"asgd\" or \"lookahead\"",
        Slot::Kind(OPTIMIZERS),
    ),
    key(
        "training.optimizer.kind",
        "(required)",
        "\"adamw\", \"adam\", \"radam\", \"nadam\", \"sgd\", \"rmsprop\", \"asgd\" or \"lookahead\"",
    ),
    key(
        "training.optimizer.beta_1",
        "0.9",
        "of \"adam\", \"adamw\", \"radam\" and \"nadam\": decay of the mean of gradients, in [0, 1)",
    ),
    key(
        "training.optimizer.beta_2",
        "0.999",
        "of the same: decay of the mean of squared gradients, in [0, 1)",
    ),
    key(
        "training.optimizer.epsilon",
        "1e-8",
        "of the same and \"rmsprop\": added to the denominator, positive",
    ),
    key(
        "training.optimizer.decay",
        "\"coupled\"",
        "of \"radam\" and \"nadam\": \"coupled\" adds weight decay to the gradient, \"decoupled\" keeps it apart",
    ),
    key(
        "training.optimizer.momentum_decay",
        "0.004",
        "of \"nadam\": how fast the momentum grows to beta_1, at least 0",
    ),
    key(
        "training.optimizer.momentum",
        "0.0",
        "of \"sgd\" and \"rmsprop\": momentum, in [0, 1)",
    ),
    key(
        "training.optimizer.dampening",
        "0.0",
        "of \"sgd\": what is taken off a gradient that enters the momentum, in [0, 1]",
    ),
    key(
        "training.optimizer.nesterov",
        "false",
        "of \"sgd\": whether the step looks one step of its momentum ahead",
    ),
    key(
        "training.optimizer.centered",
        "false",
        "of \"rmsprop\": whether the variance takes the place of the mean square",
    ),
    key(
        "training.optimizer.alpha",
        "(0.99 for \"rmsprop\", 0.75 for \"asgd\", 0.5 for \"lookahead\")",
        "of \"rmsprop\": decay of the mean of squared gradients, in [0, 1); of \"asgd\": power of the rate's decay, at \
         least 0; of \"lookahead\": share of the way that is kept, in (0, 1]",
    ),
    key(
        "training.optimizer.lambd",
        "1e-4",
        "of \"asgd\": how fast weights and rate shrink, at least 0",
    ),
    key(
        "training.optimizer.t0",
        "1000000",
        "of \"asgd\": optimizer steps after which the mean of the weights begins, which is then validated and kept",
    ),
    key(
        "training.optimizer.inner",
        "(required)",
        "of \"lookahead\": the optimizer that takes the steps; a table as training.optimizer, not a lookahead",
    ),
    key(
        "training.optimizer.steps",
        "5",
        "of \"lookahead\": steps forward before a part of the way is taken back, at least 1",
    ),
    key("training.lr", "0.003", "the base learning rate, positive"),
    key(
        "training.weight_decay",
        "0.01",
        "weight decay, at least 0; with \"adamw\" apart from the gradient, with the others added to it",
    ),
    key(
        "training.schedule_unit",
        "\"epoch\"",
        "what the schedule counts: \"epoch\", or \"step\", steps of the optimiser, which suits short ramps and cycles",
    ),
    key(
        "training.watch",
        "\"valid_loss\"",
        "the metric for a plateau, patience and keep: \"valid_loss\", \"valid_accuracy\", \"valid_macro_f1\" or \"train_loss\"",
    ),
    slot(
        "training.clip",
        "{ kind = \"norm\", max = 1.0, p = 2.0 }",
        "how gradients are clipped: \"norm\", \"value\", \"per_tensor\", \"adaptive\" or \"none\"; clip_norm = 1.0 is short for the norm",
        Slot::Kind(CLIPS),
    ),
    key(
        "training.clip.kind",
        "(required)",
        "\"norm\", \"value\", \"per_tensor\", \"adaptive\" or \"none\"",
    ),
    key(
        "training.clip.max",
        "(required; 0.01 for \"adaptive\")",
        "the bound, positive, inf for no clipping; or a table with from, to and steps: a bound that moves",
    ),
    key(
        "training.clip.max.from",
        "(required)",
        "of a bound that moves: its value at the first step, positive",
    ),
    key(
        "training.clip.max.to",
        "(required)",
        "of a bound that moves: its value from the last of its steps on, positive",
    ),
    key(
        "training.clip.max.steps",
        "(required)",
        "of a bound that moves: optimizer steps on the way",
    ),
    key(
        "training.clip.p",
        "2.0",
        "of \"norm\" and \"per_tensor\": the order of the norm, positive; inf for the greatest value",
    ),
    key(
        "training.clip.epsilon",
        "1e-3",
        "of \"adaptive\": the least norm that a unit's weights count with, positive",
    ),
    key(
        "training.clip.except",
        "[]",
        "of \"adaptive\": beginnings of paths of parameters that are left as they are, such as [\"head\"]",
    ),
    slot(
        "training.on_nonfinite",
        "{ kind = \"error\" }",
        "a step whose loss or gradient is not finite: \"error\" ends the run, \"skip\" leaves it out, \"back_off\" also lowers the rate",
        Slot::Kind(POLICIES),
    ),
    key(
        "training.on_nonfinite.kind",
        "(required)",
        "\"error\", \"skip\" or \"back_off\"",
    ),
    key(
        "training.on_nonfinite.factor",
        "0.5",
        "of \"back_off\": what the learning rate is multiplied by, in (0, 1)",
    ),
    key(
        "training.on_nonfinite.limit",
        "5",
        "of \"back_off\": how many steps in a row may be left out, at least 1; one more is an error",
    ),
    slot(
        "training.average",
        "{ kind = \"none\" }",
        "the mean of the weights that is validated and kept in their place: \"none\", \"ema\", \"swa\" or \"non_monotone\"",
        Slot::Kind(AVERAGES),
    ),
    key(
        "training.average.kind",
        "(required)",
        "\"none\", \"ema\", \"swa\" or \"non_monotone\"",
    ),
    key(
        "training.average.decay",
        "0.999",
        "of \"ema\": how much of the mean stays at each step, in [0, 1)",
    ),
    key(
        "training.average.start",
        "(required)",
        "of \"swa\": the first one whose weights count, counted from 1",
    ),
    key(
        "training.average.every",
        "1",
        "of \"swa\": how often weights count from there on, at least 1",
    ),
    key(
        "training.average.unit",
        "\"epoch\"",
        "of \"swa\": what start and every count: \"epoch\" or \"step\"",
    ),
    key(
        "training.average.patience",
        "5",
        "of \"non_monotone\": the mean begins once watch is worse than its best before this many epochs",
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
    key(
        "training.watch_gradients",
        "false",
        "whether to note how much gradient reaches the states of each cell, for the report and the doctor",
    ),
];
