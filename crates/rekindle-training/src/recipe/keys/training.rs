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
