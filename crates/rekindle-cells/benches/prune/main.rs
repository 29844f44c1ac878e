//! What taking units out of a network gains over zeroing them.
//!
//! ```sh
//! cargo xtask bench prune
//! cargo xtask bench prune --sparsity 0.75 --d-hidden 512
//! ```
//!
//! One network three times: dense, with the units of the lowest norms masked, and without them. That the last two compute
//! the same is checked first. Then the three take turns, so that what disturbs the machine disturbs all; a ratio is the
//! median of the ratios of all turns; beside it stands the ratio of the least times.
//!
//! A second table has the dense network beside one in which blocks of the weights are zeros.

#[path = "../scan/machine.rs"]
mod machine;
mod model;
#[path = "../scan/statistics.rs"]
#[allow(dead_code, reason = "the bench of the scan uses more of it")]
mod statistics;
mod turns;

use std::num::NonZero;
use std::process::ExitCode;

use burn::tensor::Device;
use clap::Parser;
use rekindle_cells::{CellConfig, Direction, GruConfig, LstmConfig};
use rekindle_regularize::prune::{Granularity, PruneError};
use rekindle_regularize::units::UnitError;
use thiserror::Error;

use machine::Machine;
use model::Networks;
use turns::{Turns, take};

/// What taking units out of a network gains over zeroing them.
#[derive(Debug, Parser)]
#[command(name = "prune")]
struct Options {
    /// Hidden units of each cell, before any goes.
    #[arg(long, default_value = "256")]
    d_hidden: NonZero<usize>,
    /// Layers.
    #[arg(long, default_value = "2")]
    layers: NonZero<usize>,
    /// Width of the input.
    #[arg(long, default_value = "64")]
    d_input: NonZero<usize>,
    /// Steps.
    #[arg(long, default_value = "100")]
    seq: NonZero<usize>,
    /// Rows of a batch.
    #[arg(long, default_value = "32")]
    batch: NonZero<usize>,
    /// The fraction of the units of each cell that goes.
    #[arg(long, default_value = "0.5")]
    sparsity: f64,
    /// The fractions of zeros in the second table.
    #[arg(long, value_delimiter = ',', default_value = "0.65,0.8,0.9,0.95")]
    zeros: Vec<f64>,
    /// Rows and columns of the blocks of zeros.
    #[arg(long, value_delimiter = ',', num_args = 2, default_values = ["16", "16"])]
    block: Vec<usize>,
    /// Threads to share.
    #[arg(long, default_value = "2")]
    threads: NonZero<usize>,
    /// Turns of each side.
    #[arg(long, default_value = "15")]
    rounds: NonZero<usize>,
    /// Given by Cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(options.threads.get());
    let pool = match pool.build() {
        Ok(pool) => pool,
        Err(error) => {
            eprintln!("prune: cannot start {} threads: {error}", options.threads);
            return ExitCode::FAILURE;
        }
    };
    match pool.install(|| run(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("prune: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What stops the bench.
#[derive(Debug, Error)]
enum BenchError {
    #[error(transparent)]
    Units(#[from] UnitError),
    #[error(transparent)]
    Zeros(#[from] PruneError),
}

fn run(options: &Options) -> Result<(), BenchError> {
    let machine = Machine::measure();
    println!("{machine}, threads: {}", options.threads);
    if machine.is_busy() {
        println!("Other programs are running: times are too long, ratios vary more.");
    }
    println!();
    println!(
        "| network | measured | dense, ms | masked, ms | shrunk, ms | masked ÷ shrunk | of least | products |"
    );
    println!("|---|---|---:|---:|---:|---:|---:|---:|");
    let (d_input, d_hidden) = (options.d_input.get(), options.d_hidden.get());
    let mut parameters = Vec::new();
    for direction in [Direction::Forward, Direction::Bidirectional] {
        let suffix = match direction {
            Direction::Bidirectional => ", bidirectional",
            _ => "",
        };
        let lstm = LstmConfig::new(d_input, d_hidden);
        parameters.push(of_cell(
            options,
            &format!("LSTM{suffix}"),
            &lstm,
            direction,
        )?);
        let gru = GruConfig::new(d_input, d_hidden);
        parameters.push(of_cell(options, &format!("GRU{suffix}"), &gru, direction)?);
    }
    println!("\n| network | parameters, masked | shrunk | ratio |");
    println!("|---|---:|---:|---:|");
    parameters.iter().for_each(|line| println!("{line}"));
    println!(
        "\n| network | zeros | rows | dense, ms | with zeros, ms | dense ÷ zeros | of least |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|");
    with_zeros(options, "LSTM", &LstmConfig::new(d_input, d_hidden))?;
    with_zeros(options, "GRU", &GruConfig::new(d_input, d_hidden))
}

/// Prints the lines of a network in which blocks of the weights are zeros.
fn with_zeros<F: CellConfig>(options: &Options, name: &str, cell: &F) -> Result<(), BenchError>
where
    F::Cell: 'static,
{
    let networks = networks(options, cell, Direction::Forward)?;
    let (seq, rounds) = (options.seq.get(), options.rounds.get());
    let granularity = Granularity::Blocks {
        rows: options.block[0],
        columns: options.block[1],
    };
    for &zeros in &options.zeros {
        for rows in [1, options.batch.get()] {
            let calls = networks.inference_with_zeros(granularity, zeros, [rows, seq])?;
            let turns = take(calls, rounds);
            let [dense, sparse] = turns.milliseconds();
            let (ratio, least) = (turns.ratio(), turns.ratio_of_least());
            let percent = 100.0 * zeros;
            println!(
                "| {name} | {percent} % | {rows} | {dense:.2} | {sparse:.2} | {ratio:.2} | {least:.2} |"
            );
        }
    }
    Ok(())
}

/// The networks of a cell.
fn networks<F: CellConfig>(
    options: &Options,
    cell: &F,
    direction: Direction,
) -> Result<Networks<F::Cell>, UnitError>
where
    F::Cell: 'static,
{
    let depth = (options.layers.get(), direction);
    Networks::new(cell, depth, options.sparsity, &Device::flex().autodiff())
}

/// Prints the lines of one network, and returns that of its parameters.
fn of_cell<F: CellConfig>(
    options: &Options,
    name: &str,
    cell: &F,
    direction: Direction,
) -> Result<String, UnitError>
where
    F::Cell: 'static,
{
    let networks = networks(options, cell, direction)?;
    let (batch, seq, rounds) = (options.batch.get(), options.seq.get(), options.rounds.get());
    networks.check(batch, seq);
    let products = networks.products();
    let line = |measured: &str, turns: Turns<3>| {
        let [dense, masked, shrunk] = turns.milliseconds();
        let (ratio, least) = (turns.ratio(), turns.ratio_of_least());
        println!(
            "| {name} | {measured} | {dense:.2} | {masked:.2} | {shrunk:.2} | {ratio:.2} | {least:.2} | {products:.2} |"
        );
    };
    line("inference", take(networks.inference(batch, seq), rounds));
    line("inference, 1 row", take(networks.inference(1, seq), rounds));
    line("training step", take(networks.training(batch, seq), rounds));
    let [_, masked, shrunk] = networks.parameters();
    let ratio = masked as f64 / shrunk as f64;
    Ok(format!("| {name} | {masked} | {shrunk} | {ratio:.2} |"))
}
