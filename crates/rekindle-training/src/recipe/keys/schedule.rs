//! The keys of `training.schedule` and of `training.groups`.

use super::super::fields::{GROUP, Slot};
use super::{Key, key, slot};

pub(super) const KEYS: &[Key] = &[
    slot(
        "training.schedule",
        "{ kind = \"constant\", factor = 1.0 }",
        "factor of the base rate over the run: \"constant\", \"step\", \"multi_step\", \"exponential\", \"linear\", \"polynomial\", \"inverse_time\", \"cosine\", \"cosine_restarts\", \"cyclic\", \"one_cycle\", \"noam\", \"table\", \"warm_up\", \"then\", \"sequential\", \"chained\" or \"plateau\"",
        Slot::Schedule,
    ),
    key(
        "training.schedule.kind",
        "(required)",
        "\"constant\", \"step\", \"multi_step\", \"exponential\", \"linear\", \"polynomial\", \"inverse_time\", \"cosine\", \"cosine_restarts\", \"cyclic\", \"one_cycle\", \"noam\", \"table\", \"warm_up\", \"then\", \"sequential\", \"chained\" or \"plateau\"",
    ),
    key(
        "training.schedule.factor",
        "(1.0 for \"constant\", 0.1 for \"plateau\")",
        "of \"constant\": factor of the base rate, positive; of \"plateau\": factor of each reduction, in (0, 1)",
    ),
    key(
        "training.schedule.every",
        "(required)",
        "of \"step\": steps between drops, at least 1",
    ),
    key(
        "training.schedule.milestones",
        "(required)",
        "of \"multi_step\": the steps at which the rate drops, at least one; of \"sequential\": those at which the second, third, … schedule begins; rising",
    ),
    key(
        "training.schedule.gamma",
        "(0.1 for \"step\", 0.1 for \"multi_step\", required for \"exponential\", 1.0 for \"cyclic\")",
        "of \"step\" and \"multi_step\": factor of each drop; of \"exponential\": factor over steps; of \"cyclic\": with wave \"exp_range\", factor of the height from step to step; positive",
    ),
    key(
        "training.schedule.steps",
        "(1 for \"exponential\", 1 for \"inverse_time\", otherwise required)",
        "how long it takes, in units of training.schedule_unit: of \"exponential\" until gamma, of \"inverse_time\" until the denominator has grown by rate, of \"cosine_restarts\" the first period, of \"warm_up\" the ramp, of \"then\" what first lasts; of the others the whole way; at least 1, of \"then\" at least 0",
    ),
    key(
        "training.schedule.from",
        "(1.0 for \"linear\", 0.04 for \"one_cycle\", 0.01 for \"warm_up\")",
        "factor at the beginning, at least 0; of \"warm_up\": of the rate that the ramp leads to",
    ),
    key(
        "training.schedule.to",
        "(0.0 for \"polynomial\", 0.0 for \"cosine\", 0.0 for \"cosine_restarts\", 4e-6 for \"one_cycle\", required for \"linear\")",
        "factor at the end, at least 0",
    ),
    key(
        "training.schedule.power",
        "1.0",
        "of \"polynomial\": the exponent, positive; 1 is a straight line",
    ),
    key(
        "training.schedule.cycle",
        "false",
        "of \"polynomial\": whether the rate goes up again after each multiple of steps",
    ),
    key(
        "training.schedule.rate",
        "(required)",
        "of \"inverse_time\": what the denominator grows by, positive",
    ),
    key(
        "training.schedule.staircase",
        "false",
        "of \"inverse_time\": whether only whole multiples of steps count",
    ),
    key(
        "training.schedule.t_mult",
        "1.0",
        "of \"cosine_restarts\": how much longer each period is than the one before, at least 1",
    ),
    key(
        "training.schedule.m_mult",
        "1.0",
        "of \"cosine_restarts\": how much higher each period begins than the one before, positive",
    ),
    key(
        "training.schedule.low",
        "1.0",
        "of \"cyclic\": factor at the bottom, at least 0",
    ),
    key(
        "training.schedule.high",
        "(required)",
        "of \"cyclic\": factor at the top of the first wave, at least 0",
    ),
    key(
        "training.schedule.up",
        "(required)",
        "of \"cyclic\": steps from the bottom to the top, at least 1",
    ),
    key(
        "training.schedule.down",
        "(as up)",
        "of \"cyclic\": steps from the top to the bottom, at least 1",
    ),
    key(
        "training.schedule.wave",
        "\"triangular\"",
        "of \"cyclic\": \"triangular\", all waves equally high; \"triangular2\", each half as high as the one before; \"exp_range\", shrinking by gamma",
    ),
    key(
        "training.schedule.peak_at",
        "0.3",
        "of \"one_cycle\": fraction of the steps after which the base rate is reached, in (0, 1), with three phases at most 0.5",
    ),
    key(
        "training.schedule.anneal",
        "\"cosine\"",
        "of \"one_cycle\": \"cosine\" or \"linear\"",
    ),
    key(
        "training.schedule.phases",
        "\"two\"",
        "of \"one_cycle\": \"two\", down in one go; \"three\", back to the start and from there to the end",
    ),
    key(
        "training.schedule.warm_up",
        "(required)",
        "of \"noam\": steps to the base rate, at least 1",
    ),
    key(
        "training.schedule.points",
        "(required)",
        "of \"table\": pairs of step and factor, such as [[0, 1.0], [20, 0.1]], steps rising, factors at least 0",
    ),
    key(
        "training.schedule.between",
        "\"hold\"",
        "of \"table\": \"hold\", the factor of the point before; \"linear\", a straight line",
    ),
    key(
        "training.schedule.first",
        "(required)",
        "of \"then\": the schedule to begin with, not a plateau; a table as training.schedule",
    ),
    key(
        "training.schedule.next",
        "(\"constant\" for \"warm_up\", required for \"then\")",
        "of \"warm_up\" and \"then\": the schedule that follows from its own step zero, not a plateau; a table as training.schedule",
    ),
    key(
        "training.schedule.schedules",
        "(required)",
        "of \"sequential\": schedules one after another, each from its own step zero; of \"chained\": their product; a list of tables as training.schedule, none a plateau",
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
    slot(
        "training.groups",
        "[]",
        "groups of parameters with learning rates of their own; where a parameter is in several, the last counts",
        Slot::Rules(GROUP),
    ),
    key(
        "training.groups[].targets",
        "(required)",
        "the parameters: a list of patterns, as for penalties",
    ),
    key(
        "training.groups[].lr_factor",
        "1.0",
        "factor of the rate, at least 0; with 0 the parameters stay as they are",
    ),
    key(
        "training.groups[].schedule",
        "(that of the run)",
        "a schedule instead of training.schedule, not a plateau; a table as that",
    ),
];
