//! What each option of a cell or a stack costs in a training step, as a ratio to the same network without it.
//!
//! ```sh
//! cargo xtask bench options
//! cargo xtask bench options --shapes 100,64,128,256 --only peepholes
//! ```
//!
//! The network with the option and the one without take turns, so that what disturbs the machine disturbs both. A ratio
//! is the median of the ratios of all turns.

#[path = "../scan/shape.rs"]
mod shape;
#[path = "../scan/statistics.rs"]
#[allow(dead_code, reason = "the bench of the scan uses more of it")]
mod statistics;
mod table;

use std::hint::black_box;
use std::num::NonZero;
use std::process::ExitCode;
use std::time::Instant;

use burn::tensor::{Device, Distribution, Tensor};
use clap::Parser;

use shape::Shape;
use statistics::median;
use table::{Entry, Step, entries};

/// What each option costs in a training step.
#[derive(Debug, Parser)]
#[command(name = "options")]
struct Options {
    /// Sizes: steps, rows, input, hidden units.
    #[arg(
        long,
        value_name = "T,B,I,H",
        num_args = 1..,
        default_values = ["100,32,64,128", "50,128,256,512"]
    )]
    shapes: Vec<Shape>,
    /// Threads to share.
    #[arg(long, default_value = "2")]
    threads: NonZero<usize>,
    /// Turns of each side.
    #[arg(long, default_value = "15")]
    rounds: NonZero<usize>,
    /// Only options with this in their name.
    #[arg(long, value_name = "TEXT", default_value = "")]
    only: String,
    /// Given by Cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

/// Seconds of a turn, as far as whole steps fit.
const TURN: f64 = 0.08;

fn main() -> ExitCode {
    let options = Options::parse();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(options.threads.get());
    match pool.build() {
        Ok(pool) => {
            pool.install(|| run(&options));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("options: cannot start {} threads: {error}", options.threads);
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) {
    let device = Device::flex().autodiff();
    let entries: Vec<Entry> = entries()
        .into_iter()
        .filter(|entry| entry.name().contains(&options.only))
        .collect();
    print!("| option |");
    options
        .shapes
        .iter()
        .for_each(|shape| print!(" {shape} | products |"));
    println!("\n|---|{}", "---:|---:|".repeat(options.shapes.len()));
    for entry in entries {
        print!("| {} |", entry.name());
        for &shape in &options.shapes {
            let ratio = ratio(&entry, shape, options.rounds.get(), &device);
            print!(" {ratio:.2} | {:.2} |", entry.products(shape));
        }
        println!();
    }
}

/// The median ratio of the option's time to the plain network's.
fn ratio(entry: &Entry, shape: Shape, rounds: usize, device: &Device) -> f64 {
    let axes = [shape.batch, shape.seq, shape.d_input];
    let x = Tensor::random(axes, Distribution::Uniform(-1.0, 1.0), device).require_grad();
    let [mut plain, mut with] = entry.networks(shape, &x, device);
    let estimate = seconds(&mut plain, 1).min(seconds(&mut plain, 1));
    seconds(&mut with, 1);
    let count = (TURN / estimate).ceil() as usize;
    let ratios: Vec<f64> = (0..rounds)
        .map(|_| {
            let plain = seconds(&mut plain, count);
            seconds(&mut with, count) / plain
        })
        .collect();
    median(&ratios)
}

/// The seconds of a step: the median of `count`.
fn seconds(step: &mut Step, count: usize) -> f64 {
    let times: Vec<f64> = (0..count)
        .map(|_| {
            let start = Instant::now();
            black_box(step());
            start.elapsed().as_secs_f64()
        })
        .collect();
    median(&times)
}
