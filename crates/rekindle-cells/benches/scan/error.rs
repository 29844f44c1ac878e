//! What can go wrong in a bench.

use std::io;
use std::path::PathBuf;

use crate::options::{Backend, Peer};

/// Sets up the interpreter of the peers in Python.
const INSTALL: &str = "crates/rekindle-cells/benches/scan/install-peers.sh";

/// A bench that cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BenchError {
    /// A backend that is not compiled in.
    #[error(
        "backend {backend} is not compiled in, expected the bench built with `--features {backend}`"
    )]
    Backend {
        /// The backend.
        backend: Backend,
    },
    /// No thread pool.
    #[error("cannot start {threads} threads")]
    Threads {
        /// How many.
        threads: usize,
        /// Why.
        source: rayon::ThreadPoolBuildError,
    },
    /// No interpreter for a peer.
    #[error("peer {peer}: cannot start the interpreter {}; run {INSTALL}, or name one with --python", path.display())]
    Interpreter {
        /// The peer.
        peer: Peer,
        /// The interpreter.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// An interpreter that lacks the peer.
    #[error("peer {peer} is not usable with {}: {message}; run {INSTALL}, or name another interpreter with --python", path.display())]
    Missing {
        /// The peer.
        peer: Peer,
        /// The interpreter.
        path: PathBuf,
        /// What the interpreter says.
        message: String,
    },
    /// A peer that failed while it ran.
    #[error("peer {peer} failed at `{request}`: {message}")]
    Peer {
        /// The peer.
        peer: Peer,
        /// What it was asked.
        request: String,
        /// What it says.
        message: String,
    },
    /// The bench could not call itself.
    #[error("cannot start the bench once more")]
    Again {
        /// Why.
        source: io::Error,
    },
    /// The bench called itself and failed there.
    #[error("the measurement of memory failed for {side} at {case}: {message}")]
    Probe {
        /// Which side.
        side: String,
        /// Which case.
        case: String,
        /// What it printed.
        message: String,
    },
    /// The report cannot be printed.
    #[error("cannot print the report")]
    Print {
        /// Why.
        #[from]
        source: io::Error,
    },
}
