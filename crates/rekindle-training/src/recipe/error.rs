//! What can be wrong with a recipe.

use std::io;
use std::path::PathBuf;

use rekindle_cells::StackConfigError;
use rekindle_init::InitError;
use rekindle_optim::{RangeError, ScheduleError};
use rekindle_regularize::prune::PruneError;
use rekindle_tune::SpaceError;

use super::CellKind;

/// A recipe that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecipeError {
    /// The file cannot be read.
    #[error("cannot read recipe {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is a folder.
    #[error("recipe {} is a folder, expected a TOML file", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
    },
    /// The file is no text.
    #[error("{}:{line}: found bytes that are not UTF-8, expected a TOML file in UTF-8", path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
    },
    /// The file has nothing in it.
    #[error("recipe {} is empty, expected at least `name` and `data.train`", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The text is no TOML.
    #[error("{place}: {problem}")]
    Syntax {
        /// File and line, or the override.
        place: String,
        /// What the TOML reader says.
        problem: String,
    },
    /// An override that is none.
    #[error("--set {text}: {problem}, expected key=value such as training.lr=0.01")]
    Override {
        /// The override.
        text: String,
        /// What is wrong.
        problem: String,
    },
    /// A key that does not exist.
    #[error("{place}: unknown key {key}, did you mean {nearest}?")]
    UnknownKey {
        /// File and line, or the override.
        place: String,
        /// The key.
        key: String,
        /// The key that is most like it.
        nearest: String,
    },
    /// A key that its kind does not have, and that none of the kind's keys is like.
    #[error("{place}: unknown key {key}, kind {kind:?} has {expected}")]
    KindKey {
        /// File and line, or the override.
        place: String,
        /// The key.
        key: String,
        /// The kind of the table that it stands in.
        kind: &'static str,
        /// The keys of the kind.
        expected: String,
    },
    /// A key that must be there and is not.
    #[error("{}: missing key {key}, expected it in the file or as --set {key}=…: {doc}", path.display())]
    MissingKey {
        /// The file.
        path: PathBuf,
        /// The key.
        key: &'static str,
        /// What it means.
        doc: &'static str,
    },
    /// A path that TOML cannot hold.
    #[error("the path {} is not UTF-8, expected one that a recipe can hold; rename the file", path.display())]
    Path {
        /// The path.
        path: PathBuf,
    },
    /// A value that is left open, or settings of a search, where one recipe is expected.
    #[error("{place}: {key} is for a search, expected one value; `rekindle tune {}` searches", path.display())]
    Open {
        /// File and line, or the override.
        place: String,
        /// The file.
        path: PathBuf,
        /// The key.
        key: String,
    },
    /// A search that makes no sense.
    #[error("{place}: {source}")]
    Space {
        /// File and line, or the override.
        place: String,
        /// What is wrong.
        source: SpaceError,
    },
    /// A value of a search that no recipe may have.
    #[error("{place}: with {key} = {value}: {source}")]
    Searched {
        /// File and line, or the override.
        place: String,
        /// The key.
        key: String,
        /// One of the values that it would have.
        value: String,
        /// What is wrong with the recipe then.
        source: Box<RecipeError>,
    },
    /// A value of another type or kind, or one that is missing.
    #[error("{place}: {key}: {problem}")]
    Value {
        /// File and line, or the override.
        place: String,
        /// The key.
        key: String,
        /// Found and expected.
        problem: String,
    },
    /// A value out of its range.
    #[error("{key} is {found}, expected {expected}")]
    Range {
        /// The key.
        key: &'static str,
        /// The value.
        found: String,
        /// What it should be.
        expected: &'static str,
    },
    /// A value in a list that is out of its range.
    #[error("{key} is {found}, expected {expected}")]
    Entry {
        /// The key, with its place in the list.
        key: String,
        /// The value.
        found: String,
        /// What it should be.
        expected: &'static str,
    },
    /// An option that the recipe's cell does not have.
    #[error(
        "{key} is {found}, expected none with model.cell = \"{cell}\": leave it out, or set model.cell to {cells}"
    )]
    Option {
        /// The key.
        key: &'static str,
        /// The value.
        found: String,
        /// The recipe's cell.
        cell: CellKind,
        /// The cells that have it.
        cells: String,
    },
    /// A network that cannot be built.
    #[error("model: {0}")]
    Model(#[from] StackConfigError),
    /// An initialisation that is wrong or does not suit the cell.
    #[error("model.init.{0}")]
    Init(#[from] InitError),
    /// A wrong value of `[prune]`.
    #[error("{key}: {source}")]
    Prune {
        /// The key.
        key: &'static str,
        /// Why.
        source: Box<PruneError>,
    },
    /// A number of an optimiser, a clip, a policy or an average that is out of its range.
    #[error("{place}.{source}")]
    Optim {
        /// The key of the table that it stands in.
        place: &'static str,
        /// Its place there, the number and what it should be.
        source: RangeError,
    },
    /// A wrong schedule.
    #[error("{key}: {source}")]
    Schedule {
        /// The key.
        key: String,
        /// Why.
        source: ScheduleError,
    },
}
