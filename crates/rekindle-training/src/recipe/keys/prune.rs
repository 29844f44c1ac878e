//! The keys of `[prune]`.

use super::super::fields::{PRUNE_SCHEDULES, Slot};
use super::{Key, key, slot};

pub(super) const KEYS: &[Key] = &[
    slot(
        "prune.schedule",
        "(none)",
        "how pruning grows: \"one_shot\", \"cubic\" or \"ramp\" with its numbers; nothing is pruned without",
        Slot::Kind(PRUNE_SCHEDULES),
    ),
    key(
        "prune.schedule.kind",
        "(required)",
        "\"one_shot\": all at once; \"cubic\": fast at first (Zhu and Gupta, 2017); \"ramp\": a rising threshold (Narang et al., 2017)",
    ),
    key(
        "prune.schedule.sparsity",
        "(required)",
        "of \"one_shot\" and \"cubic\": the fraction that is gone at the end, in [0, 1)",
    ),
    key(
        "prune.schedule.at",
        "(required)",
        "of \"one_shot\": after which epoch",
    ),
    key(
        "prune.schedule.initial",
        "0.0",
        "of \"cubic\": the fraction that is gone at the beginning",
    ),
    key(
        "prune.schedule.begin",
        "(required)",
        "of \"cubic\": after which epoch pruning begins",
    ),
    key(
        "prune.schedule.start",
        "(required)",
        "of \"ramp\": after which epoch pruning begins",
    ),
    key(
        "prune.schedule.ramp",
        "(required)",
        "of \"ramp\": from which epoch on the threshold rises faster",
    ),
    key(
        "prune.schedule.end",
        "(required)",
        "of \"cubic\" and \"ramp\": after which epoch it ends",
    ),
    key(
        "prune.schedule.every",
        "(required)",
        "of \"cubic\" and \"ramp\": epochs from one update to the next, at least 1",
    ),
    key(
        "prune.schedule.start_slope",
        "(required)",
        "of \"ramp\": how much the threshold rises from update to update before ramp, at least 0",
    ),
    key(
        "prune.schedule.ramp_slope",
        "(required)",
        "of \"ramp\": the same from ramp on",
    ),
    key(
        "prune.schedule_unit",
        "\"epoch\"",
        "what the numbers of prune.schedule count: \"epoch\" or \"step\"",
    ),
    key(
        "prune.targets",
        "[\"weight_ih\", \"weight_hh\"]",
        "the weights that are pruned: ends of their names, * for any letters, ! takes out again",
    ),
    key(
        "prune.criterion",
        "\"magnitude\"",
        "how weights are ranked: \"magnitude\", \"movement\", \"sensitivity\" (SNIP) or { random = { seed = 1 } }",
    ),
    key(
        "prune.scope",
        "\"tensor\"",
        "which weights compete: those of one \"tensor\", of one \"layer\" (cell), or all, \"global\"",
    ),
    key(
        "prune.granularity",
        "\"weights\"",
        "what is pruned together: \"weights\", or { blocks = { rows = 8, columns = 16 } }",
    ),
];
