//! Search over settings: which values of some parameters make a number as small, or as great, as it can be.
//!
//! - [`Space`]: the parameters, what each may be ([`Domain`]), and which of them count only beside certain values of
//!   others ([`Condition`]).
//! - [`Point`]: one value for each parameter that counts. [`Trial`]: a point, what was measured there step by step, and
//!   how it ended. [`History`]: the trials so far.
//! - [`Sampler`]: proposes the next point. [`Pruner`]: says whether a trial that is under way is worth going on with.
//! - [`SamplerConfig`]: which sampler and how, as a serialisable value. It makes one of [`Tpe`], the sampler for most
//!   searches, [`CmaEs`], [`Random`], [`QuasiRandom`] and [`Grid`].
//! - [`PrunerConfig`]: the pruners as values: the median stopping rule, asynchronous successive halving and Hyperband.
//! - [`importance()`]: which parameters the results depend on.
//! - [`Study`]: the trials of a search as rows in a database, SQLite or PostgreSQL. Any number of workers share it; trials
//!   of workers that die are taken over, and each trial ends once. A [`Definition`] says what they all have to agree on.
//!
//! Samplers and pruners are functions of the space, the history, the trial's number and a seed; they keep nothing between
//! calls. So any process that reads the same history can propose the next point, and a search that was interrupted goes
//! on as if it had not been. This crate knows no recurrent network and no Burn.

mod domain;
mod error;
mod history;
mod importance;
mod point;
mod pruner;
mod sampler;
mod seed;
mod space;
mod store;

pub use domain::Domain;
pub use error::SpaceError;
pub use history::{Direction, History, State, Trial};
pub use importance::{Importance, importance};
pub use point::Point;
pub use pruner::{Pruner, PrunerConfig, PrunerError};
pub use sampler::{
    CmaEs, CmaEsConfig, Grid, QuasiRandom, Random, Sampler, SamplerConfig, SamplerError, Tpe,
    TpeConfig,
};
pub use space::{Condition, Parameter, Space};
pub use store::{
    Answer, Claim, Definition, Ending, Entry, KeepAlive, Next, Outage, StoreError, StoreOptions,
    Study, Told,
};
