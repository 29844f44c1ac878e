//! The keys of `[training]`.

use super::super::fields::{OPTIMIZERS, Slot};
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
