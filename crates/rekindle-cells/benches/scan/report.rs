//! The results: as a table for people, as JSON for programs.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use crate::case::Case;
use crate::contest::Rounds;
use crate::machine::Machine;
use crate::options::{Cell, Mode, Options, Peer};
use crate::statistics::{geometric_mean, least, median};

/// All that a run of the bench found.
#[derive(Serialize)]
pub struct Report<'a> {
    /// Where.
    pub machine: Machine,
    /// What was asked for.
    pub options: &'a Options,
    /// The versions of the packages of each peer.
    pub versions: BTreeMap<String, BTreeMap<String, String>>,
    /// The results, in the order of the run.
    pub cases: Vec<CaseResult>,
}

/// What the sides needed for one case.
#[derive(Serialize)]
pub struct CaseResult {
    /// The case.
    #[serde(flatten)]
    pub case: Case,
    /// Floating-point operations of one call.
    pub flops: f64,
    /// Our side.
    pub ours: SideResult,
    /// The peers that can run the case.
    pub peers: Vec<PeerResult>,
    /// The peers that cannot, and why.
    pub missing: Vec<Missing>,
}

/// What one side needed.
#[derive(Serialize)]
pub struct SideResult {
    /// The median of all samples, in seconds per call.
    pub median: f64,
    /// The least of all samples, in seconds per call.
    pub min: f64,
    /// Operations per second, by the median.
    pub rate: f64,
    /// The share of the machine's rate in large matrix products.
    pub share_of_peak: Option<f64>,
    /// The growth of the process's memory in the first iteration, in bytes.
    pub memory: Option<u64>,
    /// Seconds per call: the samples of each round.
    pub rounds: Rounds,
}

/// What a peer needed, and what that is to our side.
#[derive(Serialize)]
pub struct PeerResult {
    /// The peer.
    pub peer: Peer,
    /// Its time by our time: the median of the ratios of the rounds. Above 1, we are faster.
    pub ratio: f64,
    /// What it needed.
    #[serde(flatten)]
    pub side: SideResult,
}

/// A peer that cannot run a case.
#[derive(Serialize)]
pub struct Missing {
    /// The peer.
    pub peer: Peer,
    /// Why it cannot.
    pub reason: &'static str,
}

impl SideResult {
    /// Sums up the samples of a side.
    pub fn new(case: Case, rounds: Rounds, memory: Option<u64>, peak: Option<f64>) -> Self {
        let samples = rounds.concat();
        let median = median(&samples);
        let rate = case.flops() / median;
        Self {
            median,
            min: least(&samples),
            rate,
            share_of_peak: peak.map(|peak| rate / peak),
            memory,
            rounds,
        }
    }
}

impl PeerResult {
    /// Compares a peer with our side, round by round.
    pub fn new(peer: Peer, side: SideResult, ours: &SideResult) -> Self {
        let rounds = side.rounds.iter().zip(&ours.rounds);
        let ratios: Vec<f64> = rounds
            .map(|(peer, ours)| median(peer) / median(ours))
            .collect();
        let ratio = median(&ratios);
        Self { peer, ratio, side }
    }

    /// Our memory by the peer's, if both are known.
    fn share_of_memory(&self, ours: &SideResult) -> Option<f64> {
        let theirs = self.side.memory.filter(|bytes| *bytes > 0)?;
        Some(ours.memory? as f64 / theirs as f64)
    }
}

impl Report<'_> {
    /// Prints one JSON document.
    ///
    /// # Errors
    /// If the output fails.
    pub fn write_json(&self, mut to: impl Write) -> io::Result<()> {
        serde_json::to_writer(&mut to, self)?;
        writeln!(to)
    }

    /// Prints the tables, one for each cell and mode, with the means below.
    ///
    /// # Errors
    /// If the output fails.
    pub fn write_tables(&self, mut to: impl Write) -> io::Result<()> {
        writeln!(to, "{}", self.machine)?;
        let peak = self.machine.gemm_peak;
        let peak = peak.map_or("n/a".into(), |peak| format!("{:.1} GFLOP/s", peak / 1e9));
        let (threads, backend) = (self.options.threads, self.options.backend);
        writeln!(
            to,
            "threads: {threads}, backend: {backend}, matrix products in f32: {peak}"
        )?;
        for (peer, packages) in &self.versions {
            let packages: Vec<String> = packages
                .iter()
                .map(|(name, version)| format!("{name} {version}"))
                .collect();
            writeln!(to, "{peer}: {}", packages.join(", "))?;
        }
        for group in self.cases.chunk_by(|a, b| group_of(a) == group_of(b)) {
            write_group(&mut to, group)?;
        }
        Ok(())
    }
}

fn group_of(result: &CaseResult) -> (Cell, Mode) {
    (result.case.cell, result.case.mode)
}

fn write_group(to: &mut impl Write, group: &[CaseResult]) -> io::Result<()> {
    let Some(first) = group.first() else {
        return Ok(());
    };
    let (cell, mode) = group_of(first);
    writeln!(to, "\n{cell} {mode}")?;
    writeln!(
        to,
        "{:<16} {:<11} {:>11} {:>11} {:>8} {:>6} {:>11} {:>7}",
        "T,B,I,H", "side", "median", "min", "GFLOP/s", "peak", "memory", "ratio"
    )?;
    for result in group {
        let shape = result.case.shape.to_string();
        write_row(to, &shape, "rekindle", &result.ours, None)?;
        for found in &result.peers {
            let name = found.peer.to_string();
            write_row(to, "", &name, &found.side, Some(found.ratio))?;
        }
        for Missing { peer, reason } in &result.missing {
            writeln!(to, "{:<16} {peer:<11} {reason}", "")?;
        }
    }
    write_means(to, group)
}

fn write_row(
    to: &mut impl Write,
    shape: &str,
    name: &str,
    side: &SideResult,
    ratio: Option<f64>,
) -> io::Result<()> {
    let row = format!(
        "{shape:<16} {name:<11} {:>11} {:>11} {:>8.1} {:>6} {:>11} {:>7}",
        time(side.median),
        time(side.min),
        side.rate / 1e9,
        side.share_of_peak
            .map_or("n/a".into(), |share| format!("{:.0} %", 100.0 * share)),
        side.memory.map_or("n/a".into(), |bytes| format!(
            "{:.1} MiB",
            bytes as f64 / 1_048_576.0
        )),
        ratio.map_or(String::new(), |ratio| format!("{ratio:.2} ×")),
    );
    writeln!(to, "{}", row.trim_end())
}

/// Milliseconds, or microseconds where those would be few.
pub fn time(seconds: f64) -> String {
    match seconds {
        short if short < 1e-3 => format!("{:.2} µs", short * 1e6),
        long => format!("{:.3} ms", long * 1e3),
    }
}

/// For each peer the geometric mean of its ratios and the worst; in training, which alone takes memory of note, also the
/// greatest of our memory by its memory.
fn write_means(to: &mut impl Write, group: &[CaseResult]) -> io::Result<()> {
    let peers = group.first().map_or(&[][..], |result| &result.peers);
    for peer in peers.iter().map(|found| found.peer) {
        let found: Vec<(&CaseResult, &PeerResult)> = group
            .iter()
            .flat_map(|result| result.peers.iter().map(move |found| (result, found)))
            .filter(|(_, found)| found.peer == peer)
            .collect();
        let ratios: Vec<f64> = found.iter().map(|(_, found)| found.ratio).collect();
        let mean = geometric_mean(&ratios);
        let worst = found
            .iter()
            .min_by(|(_, a), (_, b)| a.ratio.total_cmp(&b.ratio));
        let Some((at, worst)) = worst else { continue };
        write!(
            to,
            "{peer}: geometric mean {mean:.2} ×, worst {:.2} × at {}",
            worst.ratio, at.case.shape
        )?;
        let shares = found
            .iter()
            .filter(|(result, _)| result.case.mode == Mode::Train)
            .filter_map(|(result, found)| found.share_of_memory(&result.ours));
        match shares.max_by(f64::total_cmp) {
            Some(share) => writeln!(to, ", our memory at most {share:.2} of the peer's")?,
            None => writeln!(to)?,
        }
    }
    Ok(())
}
