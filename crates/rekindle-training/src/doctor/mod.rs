//! Why a network does not learn: figures of a run, and what they say.
//!
//! [`examine()`] takes a recipe or a run folder, tries a few dozen steps in memory, and measures; [`diagnose`] reads the
//! figures and ends in [`Finding`]s, the cause of the others first, each with lines of a recipe that mend it.
//!
//! | module | what it does |
//! |---|---|
//! | `examine` | from a recipe or folder to an examination |
//! | `measure` | the figures, as plain values |
//! | `rules` | what figures are a fault, with thresholds and sources |
//! | `network` | the only place that knows what a network is |
//! | `look`, `moves` | walking a cell's steps; what steps do to parameters |
//! | `page` | what reports show of it |
//! | `watch` | the hook that stays on in training, and its file |

mod diagnosis;
mod examine;
mod look;
mod measure;
mod moves;
mod network;
mod page;
mod place;
mod rules;
mod watch;

pub use diagnosis::{Finding, Severity, diagnose};
pub use examine::{Examination, Measurements, Subject, examine};
pub use measure::{
    BINS, Channel, Data, Flow, Horizon, Jacobian, Losses, Neighbours, PARTS, Saturation, Tails,
    Units, Update, Updates,
};
pub(crate) use network::unwatched;
pub(crate) use page::{gates_of, last_epoch, over_epochs};
pub use place::Place;
pub use watch::EpochFlows;
pub(crate) use watch::{Watcher, load as flows_of};
