//! Every key of a recipe, documented.

mod init;
mod model;
mod prune;
mod regularize;
mod schedule;
mod text;
mod training;

use super::fields::{PROBLEMS, Slot};

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

pub(super) const fn key(path: &'static str, default: &'static str, doc: &'static str) -> Key {
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

/// The keys of the run and of its data.
const RUN: &[Key] = &[
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
        "(required, without data.problem)",
        "the .ts or .csv file to train on, or a text with [text]",
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
        "fraction held out of data.train if there is no data.valid, in [0, 1), 0 for none: of each class, or the end of each \
         series that is foretold",
    ),
    key(
        "data.train_on_valid",
        "false",
        "whether what would be validated on is trained on, too; nothing is validated then",
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
        "data.labels",
        "\"class\"",
        "what labels are: \"class\" or \"value\" of a sequence, \"step_class\" or \"step_value\" of each step",
    ),
    key(
        "data.target_scaling",
        "\"standard\"",
        "\"standard\": each number that is answered to mean 0 and variance 1 in training; \"none\"",
    ),
    key(
        "data.forecast.horizon",
        "1",
        "steps ahead that are foretold at each step, at least 1; the section takes the place of labels",
    ),
    key(
        "data.forecast.channels",
        "[]",
        "the channels that are foretold; none for all",
    ),
    slot(
        "data.problem",
        "(none)",
        "sequences that are drawn, in place of files: \"adding\" or \"copy_memory\"",
        Slot::Kind(PROBLEMS),
    ),
    key(
        "data.problem.kind",
        "(required)",
        "\"adding\" or \"copy_memory\"",
    ),
    key(
        "data.problem.steps",
        "(200 or 100)",
        "of \"adding\": steps, at least 2; of \"copy_memory\": blank steps before the question, at least 1",
    ),
    key(
        "data.problem.symbols",
        "8",
        "of \"copy_memory\": how many different symbols, at least 2",
    ),
    key(
        "data.problem.length",
        "10",
        "of \"copy_memory\": how many symbols are to be remembered, at least 1",
    ),
    key(
        "data.problem.sequences",
        "1000",
        "sequences of an epoch, drawn anew in each, at least 1",
    ),
    key(
        "data.problem.held_out",
        "1000",
        "sequences to validate on, and as many to test on, at least 1",
    ),
];

/// The keys of all sections, in the order of the file.
const SECTIONS: [&[Key]; 8] = [
    RUN,
    text::KEYS,
    model::KEYS,
    init::KEYS,
    training::KEYS,
    schedule::KEYS,
    regularize::KEYS,
    prune::KEYS,
];

const COUNT: usize = RUN.len()
    + text::KEYS.len()
    + model::KEYS.len()
    + init::KEYS.len()
    + training::KEYS.len()
    + schedule::KEYS.len()
    + regularize::KEYS.len()
    + prune::KEYS.len();

/// All keys, in the order of the file.
pub(super) const KEYS: &[Key] = &joined();

const fn joined() -> [Key; COUNT] {
    let mut all = [RUN[0]; COUNT];
    let (mut section, mut index, mut next) = (0, 0, 0);
    while section < SECTIONS.len() {
        if index == SECTIONS[section].len() {
            (section, index) = (section + 1, 0);
        } else {
            all[next] = SECTIONS[section][index];
            (index, next) = (index + 1, next + 1);
        }
    }
    all
}
