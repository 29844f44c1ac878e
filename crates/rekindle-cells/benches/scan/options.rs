//! The command line of the bench.

use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::thread::available_parallelism;

use clap::{Parser, ValueEnum};
use serde::Serialize;

use crate::shape::Shape;

/// The shapes that are measured unless others are given: small and large, many steps and few, one row and many, widths
/// that vectors divide and one that they do not.
pub const DEFAULT_SHAPES: &str = "100,32,64,128;100,64,128,256;50,128,256,512;200,1,64,128;\
                                  28,128,28,128;512,16,64,256;1000,8,16,64;35,20,650,650";

/// Measures the scan over time in f32, beside other frameworks if peers are named. Rounds alternate between the sides.
/// The last line of each group has the geometric mean and the worst of the ratios `peer's time / our time`.
#[derive(Parser, Debug, Serialize)]
#[command(name = "scan", bin_name = "cargo xtask bench scan")]
pub struct Options {
    /// The cell; may be given several times
    #[arg(long = "cell", value_name = "CELL", default_value = "lstm")]
    pub cells: Vec<Cell>,
    /// T: steps, B: rows, I: width of the input, H: width of the hidden state
    #[arg(
        long,
        value_name = "T,B,I,H;…",
        value_delimiter = ';',
        default_value = DEFAULT_SHAPES
    )]
    pub shapes: Vec<Shape>,
    /// What is measured; may be given several times
    #[arg(long = "mode", value_name = "MODE", default_values = ["infer", "train"])]
    pub modes: Vec<Mode>,
    /// Threads of each side; by default 2, or 1 if there are no more
    #[arg(long, value_name = "N", default_value_t = default_threads(), hide_default_value = true)]
    pub threads: NonZeroUsize,
    /// Another framework to compare with; may be given several times
    #[arg(long = "peer", value_name = "PEER")]
    pub peers: Vec<Peer>,
    /// Burn's backend for our side and for the peer `burn`
    #[arg(long, value_name = "BACKEND", default_value = "flex")]
    pub backend: Backend,
    /// Rounds of each case; by default so many that each side gets about a second, at least 5
    #[arg(long, value_name = "N")]
    pub rounds: Option<NonZeroUsize>,
    /// The interpreter of the peers `torch` and `onnxruntime`: an absolute path, or a command; by default the one that
    /// `install-peers.sh` sets up
    #[arg(long, value_name = "PATH")]
    #[serde(skip)]
    pub python: Option<PathBuf>,
    /// Print one JSON document with all samples instead of the table
    #[arg(long)]
    #[serde(skip)]
    pub json: bool,
    /// Print the memory that one iteration of the one case takes on this side, in bytes; the bench calls itself so
    #[arg(long, value_name = "SIDE", hide = true)]
    #[serde(skip)]
    pub probe: Option<Local>,
    /// Given by cargo to every bench
    #[arg(long, hide = true)]
    #[serde(skip)]
    pub bench: bool,
}

fn default_threads() -> NonZeroUsize {
    let two = NonZeroUsize::MIN.saturating_add(1);
    available_parallelism().map_or(NonZeroUsize::MIN, |available| available.min(two))
}

/// A cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Cell {
    /// Long short-term memory
    Lstm,
    /// Gated recurrent unit, reset after the product
    Gru,
    /// Elman's network, with tanh
    Rnn,
}

impl Cell {
    /// How many gates are packed side by side.
    pub fn gates(self) -> usize {
        match self {
            Self::Lstm => 4,
            Self::Gru => 3,
            Self::Rnn => 1,
        }
    }
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Forward, without a tape
    Infer,
    /// Forward, and backward to all weights and the input from a gradient of ones
    Train,
    /// One step with the state carried on, as in streaming: T is taken as 1
    Step,
}

/// Another framework.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Peer {
    /// PyTorch
    Torch,
    /// ONNX Runtime, which does not train
    Onnxruntime,
    /// Burn's own modules
    Burn,
}

impl Peer {
    /// Why the peer cannot run a mode, if it cannot.
    pub fn lacks(self, mode: Mode) -> Option<&'static str> {
        match (self, mode) {
            (Self::Onnxruntime, Mode::Train) => Some("does not train"),
            _ => None,
        }
    }
}

/// One of Burn's backends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    /// Burn's CPU backend
    Flex,
    /// The backend on the crate ndarray
    Ndarray,
}

/// A side that runs in the process of the bench.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Local {
    /// This crate
    Rekindle,
    /// Burn's own modules
    Burn,
}

/// Displays a value as it is written on the command line.
macro_rules! display_as_written {
    ($($type:ty),*) => {$(
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let value = self.to_possible_value();
                f.pad(value.as_ref().map_or("", |value| value.get_name()))
            }
        }
    )*};
}

display_as_written!(Cell, Mode, Peer, Backend, Local);
