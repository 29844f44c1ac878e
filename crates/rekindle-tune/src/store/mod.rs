//! Studies in a database: trials as rows, so that many workers share them.
//!
//! Every statement is one text for SQLite and PostgreSQL; what differs is in [`address::Dialect`].
//!
//! A trial that runs belongs to the worker whose *attempt* is the one in its row. Every write of that worker asks for this
//! attempt and for the state `running` in the same statement, or in the transaction that holds the row. Taking over counts
//! the attempt up. So a worker that was thought dead writes nothing any more, and a trial ends once.

mod address;
mod beat;
mod check;
mod database;
mod definition;
mod error;
mod read;
mod schema;
mod study;
#[cfg(test)]
mod tests;
mod write;

pub use beat::KeepAlive;
pub use database::{Outage, StoreOptions, Told};
pub use definition::Definition;
pub use error::StoreError;
pub use read::Entry;
pub use study::{Next, Study};
pub use write::{Answer, Claim, Ending};
