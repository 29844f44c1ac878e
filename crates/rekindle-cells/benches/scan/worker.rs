//! The peers in Python: a process that runs `peers.py` and answers one line of JSON to each line of JSON.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde::{Deserialize, Serialize};

use crate::case::Case;
use crate::contest::Side;
use crate::error::BenchError;
use crate::options::{Options, Peer};

/// The program of the process.
const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/scan/peers.py");

/// A running process.
pub struct Worker {
    peer: Peer,
    child: Child,
    /// Taken when the process shall end.
    requests: Option<ChildStdin>,
    replies: BufReader<ChildStdout>,
    /// The versions of the packages that the peer consists of.
    pub versions: BTreeMap<String, String>,
}

/// What a process is asked.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
enum Request {
    /// Make a case ready.
    Prepare {
        #[serde(flatten)]
        case: Case,
        calls: usize,
    },
    /// Run it so many times.
    Turn(usize),
    /// Run it once and watch the memory.
    Memory,
}

/// What it answers.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Reply {
    Versions(BTreeMap<String, String>),
    Ready,
    Seconds(Vec<f64>),
    Bytes(Option<u64>),
    Error(String),
}

impl Worker {
    /// Starts a process for a peer.
    ///
    /// # Errors
    /// If there is no interpreter, or it lacks the peer.
    pub fn start(peer: Peer, options: &Options) -> Result<Self, BenchError> {
        let path = options.python.clone().unwrap_or_else(installed);
        let child = Command::new(&path)
            .args([PROGRAM, &peer.to_string(), &options.threads.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let interpreter = |source| BenchError::Interpreter {
            peer,
            path: path.clone(),
            source,
        };
        let mut child = child.map_err(interpreter)?;
        let (requests, replies) = (child.stdin.take(), child.stdout.take());
        let replies = replies.ok_or_else(|| interpreter(io::ErrorKind::BrokenPipe.into()))?;
        let mut worker = Self {
            peer,
            child,
            requests,
            replies: BufReader::new(replies),
            versions: BTreeMap::new(),
        };
        let message = match worker.receive() {
            Ok(Reply::Versions(versions)) => {
                worker.versions = versions;
                return Ok(worker);
            }
            Ok(Reply::Error(message)) => message,
            Ok(reply) => format!("unexpected reply {reply:?}"),
            Err(error) => error.to_string(),
        };
        Err(BenchError::Missing {
            peer,
            path,
            message,
        })
    }

    /// Makes a case ready to run.
    ///
    /// # Errors
    /// If the peer fails.
    pub fn prepare(&mut self, case: Case) -> Result<(), BenchError> {
        let calls = case.calls();
        match self.ask(&Request::Prepare { case, calls })? {
            Reply::Ready => Ok(()),
            reply => Err(self.unexpected("prepare", &reply)),
        }
    }

    /// The growth of the process's memory while the case runs once, in bytes, if the system tells.
    fn memory(&mut self) -> Result<Option<u64>, BenchError> {
        match self.ask(&Request::Memory)? {
            Reply::Bytes(bytes) => Ok(bytes),
            reply => Err(self.unexpected("memory", &reply)),
        }
    }

    fn ask(&mut self, request: &Request) -> Result<Reply, BenchError> {
        let reply = self.send(request).and_then(|()| self.receive());
        let message = match reply {
            Ok(Reply::Error(message)) => message,
            Ok(reply) => return Ok(reply),
            Err(error) => error.to_string(),
        };
        Err(self.failed(&format!("{request:?}"), message))
    }

    fn send(&mut self, request: &Request) -> io::Result<()> {
        let requests = self.requests.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        let line = serde_json::to_string(request)?;
        writeln!(requests, "{line}")
    }

    fn receive(&mut self) -> io::Result<Reply> {
        let mut line = String::new();
        if self.replies.read_line(&mut line)? == 0 {
            let message = "the process ended, see above for what it printed";
            return Err(io::Error::other(message));
        }
        Ok(serde_json::from_str(&line)?)
    }

    fn unexpected(&self, request: &str, reply: &Reply) -> BenchError {
        self.failed(request, format!("unexpected reply {reply:?}"))
    }

    fn failed(&self, request: &str, message: String) -> BenchError {
        BenchError::Peer {
            peer: self.peer,
            request: request.into(),
            message,
        }
    }
}

impl Side for &mut Worker {
    fn turn(&mut self, count: usize) -> Result<Vec<f64>, BenchError> {
        match self.ask(&Request::Turn(count))? {
            Reply::Seconds(seconds) => Ok(seconds),
            reply => Err(self.unexpected("turn", &reply)),
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // The end of its input ends the process. How it ends changes no result.
        self.requests.take();
        self.child.wait().ok();
    }
}

/// The memory that the first iteration of a case takes, in a process of its own, as for the sides in this process.
///
/// # Errors
/// If the peer fails.
pub fn probe_apart(options: &Options, peer: Peer, case: Case) -> Result<Option<u64>, BenchError> {
    let mut worker = Worker::start(peer, options)?;
    worker.prepare(case.tiny())?;
    (&mut worker).turn(1)?;
    worker.prepare(case)?;
    worker.memory()
}

/// The interpreter that `install-peers.sh` sets up in cargo's build folder.
fn installed() -> PathBuf {
    let inside = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let target = inside.parent().unwrap_or(inside);
    target.join("peers").join("bin").join("python")
}
