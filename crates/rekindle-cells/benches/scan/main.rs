//! How fast the scan over time is, alone or beside other frameworks.
//!
//! ```sh
//! cargo xtask bench scan --help
//! cargo xtask bench scan --cell lstm --cell gru --peer torch --peer onnxruntime --peer burn
//! ```
//!
//! The sides take turns at each case (`contest.rs`), so that what disturbs the machine disturbs all of them. Time is
//! measured by each side itself, around the calls alone. Memory is that of one iteration in a process of its own: the
//! growth of its greatest resident set, outputs and gradients included, weights and input not.

mod burn_nn;
mod case;
mod contest;
mod error;
mod local;
mod machine;
mod memory;
mod options;
mod ours;
mod report;
mod shape;
mod statistics;
mod worker;

use std::collections::BTreeMap;
use std::env;
use std::error::Error;
use std::io;
use std::process::{Command, ExitCode};
use std::sync::Arc;

use clap::Parser;
use rayon::ThreadPool;

use case::Case;
use contest::Side;
use error::BenchError;
use local::LocalSide;
use machine::Machine;
use options::{Backend, Local, Options, Peer};
use report::{CaseResult, Missing, PeerResult, Report, SideResult};
use worker::Worker;

/// Read once by the matrix products of NdArray, which know nothing of thread pools.
const NDARRAY_THREADS: &str = "MATMUL_NUM_THREADS";

/// A peer, and its process if it needs one.
struct Contender {
    peer: Peer,
    worker: Option<Worker>,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprint!("scan: {error}");
            let mut source = error.source();
            while let Some(cause) = source {
                eprint!(": {cause}");
                source = cause.source();
            }
            eprintln!();
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<ExitCode, BenchError> {
    let threads = options.threads.to_string();
    if options.backend == Backend::Ndarray && env::var(NDARRAY_THREADS).as_ref() != Ok(&threads) {
        return run_with(NDARRAY_THREADS, &threads);
    }
    let cases = Case::all(options);
    if let (Some(side), Some(&case)) = (options.probe, cases.first()) {
        match local::probe(options, side, case)? {
            Some(bytes) => println!("{bytes}"),
            None => println!("n/a"),
        }
        return Ok(ExitCode::SUCCESS);
    }
    let report = measure(options, &cases)?;
    match options.json {
        true => report.write_json(io::stdout().lock())?,
        false => report.write_tables(io::stdout().lock())?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Starts the bench once more, with a variable set.
fn run_with(variable: &str, value: &str) -> Result<ExitCode, BenchError> {
    let again = |source| BenchError::Again { source };
    let status = Command::new(env::current_exe().map_err(again)?)
        .args(env::args_os().skip(1))
        .env(variable, value)
        .status()
        .map_err(again)?;
    Ok(match status.success() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

fn measure<'a>(options: &'a Options, cases: &[Case]) -> Result<Report<'a>, BenchError> {
    let pool = local::pool(options.threads.get())?;
    let mut contenders = options
        .peers
        .iter()
        .map(|&peer| contender(peer, options))
        .collect::<Result<Vec<_>, _>>()?;
    let versions = contenders
        .iter()
        .map(|contender| (contender.peer.to_string(), versions(contender)))
        .collect();
    eprintln!("measuring matrix products");
    let machine = pool.install(Machine::measure);
    if machine.is_busy() {
        eprintln!("the machine was busy before; numbers from a busy machine mean little");
    }
    let mut results = Vec::new();
    for (at, &case) in cases.iter().enumerate() {
        eprint!("[{}/{}] {case}", at + 1, cases.len());
        let result = compare(options, &pool, case, &mut contenders, machine.gemm_peak)?;
        eprint!(": {}", report::time(result.ours.median));
        for found in &result.peers {
            eprint!(", {} {:.2} ×", found.peer, found.ratio);
        }
        eprintln!();
        results.push(result);
    }
    Ok(Report {
        machine,
        options,
        versions,
        cases: results,
    })
}

fn contender(peer: Peer, options: &Options) -> Result<Contender, BenchError> {
    let worker = match peer {
        Peer::Torch | Peer::Onnxruntime => Some(Worker::start(peer, options)?),
        Peer::Burn => None,
    };
    Ok(Contender { peer, worker })
}

fn versions(contender: &Contender) -> BTreeMap<String, String> {
    match &contender.worker {
        Some(worker) => worker.versions.clone(),
        None => BTreeMap::from([("burn-nn".into(), burn_nn::version().into())]),
    }
}

/// Lets our side and all peers that can take turns at one case, and measures the memory of each.
fn compare(
    options: &Options,
    pool: &Arc<ThreadPool>,
    case: Case,
    contenders: &mut [Contender],
    peak: Option<f64>,
) -> Result<CaseResult, BenchError> {
    let local = |side| LocalSide::new(pool, side, case, options.backend);
    let mut sides: Vec<Box<dyn Side + '_>> = vec![Box::new(local(Local::Rekindle)?)];
    let (mut peers, mut missing) = (Vec::new(), Vec::new());
    for Contender { peer, worker } in contenders {
        let peer = *peer;
        if let Some(reason) = peer.lacks(case.mode) {
            missing.push(Missing { peer, reason });
            continue;
        }
        peers.push(peer);
        sides.push(match worker {
            Some(worker) => {
                worker.prepare(case)?;
                Box::new(worker)
            }
            None => Box::new(local(Local::Burn)?),
        });
    }
    let mut samples = contest::run(case, &mut sides, options.rounds.map(usize::from))?;
    drop(sides);

    let memory = local::probe_apart(options, Local::Rekindle, case)?;
    let ours = SideResult::new(case, samples.remove(0), memory, peak);
    let mut found = Vec::new();
    for (peer, rounds) in peers.into_iter().zip(samples) {
        let memory = match peer {
            Peer::Torch | Peer::Onnxruntime => worker::probe_apart(options, peer, case)?,
            Peer::Burn => local::probe_apart(options, Local::Burn, case)?,
        };
        let side = SideResult::new(case, rounds, memory, peak);
        found.push(PeerResult::new(peer, side, &ours));
    }
    Ok(CaseResult {
        case,
        flops: case.flops(),
        ours,
        peers: found,
        missing,
    })
}
