//! Every key of a recipe, documented.

mod init;
mod model;
mod prune;
mod regularize;
mod schedule;
mod text;
mod training;

use super::fields::Slot;

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
        "(required)",
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
