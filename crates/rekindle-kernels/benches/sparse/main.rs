//! Whether a product that skips zero weights beats the engine's, which does not: the recurrent product of one step of an
//! LSTM, `h · W_hh`, on one thread.
//!
//! ```sh
//! cargo xtask bench sparse
//! cargo xtask bench sparse --d-hidden 1024 --rows 8 16
//! ```
//!
//! Weights go one by one or in blocks, at random. Each sparse product is checked against plain loops, then takes turns with
//! the dense one of the engine, over the same weights with their zeros.

#[allow(unsafe_code, reason = "registers work on raw numbers")]
mod engine;
#[allow(unsafe_code, reason = "registers work on raw numbers")]
mod kernels;
#[allow(unsafe_code, reason = "registers work on raw numbers")]
mod lists;
#[path = "../../../rekindle-cells/benches/scan/machine.rs"]
mod machine;
mod pattern;
#[path = "../../../rekindle-cells/benches/scan/statistics.rs"]
#[allow(dead_code, reason = "the bench of the scan uses more of it")]
mod statistics;

use std::num::NonZero;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use pulp::{Simd, WithSimd};
use rekindle_kernels::{Curve, Lane};
use rekindle_testkit::Choices;

use engine::isa::Isa;
use engine::vector::{Element, Vector};
use kernels::{Blocks, Dense, Kernel};
use lists::{Columns, Singles, turned_over};
use machine::Machine;
use pattern::{Pattern, Weight};
use statistics::median;

/// Whether a product that skips zero weights beats the dense one.
#[derive(Debug, Parser)]
#[command(name = "sparse")]
struct Options {
    /// Hidden units: a multiple of 64.
    #[arg(long, num_args = 1.., default_values = ["256", "512"])]
    d_hidden: Vec<NonZero<usize>>,
    /// Rows of the batch.
    #[arg(long, num_args = 1.., default_values = ["1", "32"])]
    rows: Vec<NonZero<usize>>,
    /// Turns of each side.
    #[arg(long, default_value = "101")]
    rounds: NonZero<usize>,
    /// Given by Cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

/// Gates of an LSTM.
const GATES: usize = 4;

/// Seconds of a turn, as far as whole calls fit: shorter than what systems give a program at a time, so that most turns are
/// not interrupted on a busy machine.
const TURN: f64 = 0.001;

/// What goes, and how much of it.
const CASES: [(Pattern, &[f64]); 4] = [
    (Pattern::Single, &[0.8, 0.9, 0.95]),
    (block(1, 1), &[0.8, 0.9]),
    (block(16, 1), &[0.8, 0.9]),
    (block(16, 4), &[0.8, 0.9]),
];

const fn block(rows: usize, registers: usize) -> Pattern {
    Pattern::Block { rows, registers }
}

fn main() -> ExitCode {
    let options = Options::parse();
    let wrong = (options.d_hidden.iter()).find(|width| !width.get().is_multiple_of(64));
    if let Some(width) = wrong {
        eprintln!("sparse: {width} hidden units, expected a multiple of 64");
        return ExitCode::FAILURE;
    }
    let Some(isa) = Isa::best() else {
        eprintln!("sparse: the engine has no instruction set of this machine");
        return ExitCode::FAILURE;
    };
    let machine = Machine::measure();
    println!("{machine}, {}", name(isa));
    if machine.is_busy() {
        println!("Other programs are running: times are too long, ratios vary more.");
    }
    println!(
        "\n| hidden | rows | pruned | sparsity | product | dense, µs | sparse, µs | dense ÷ sparse |"
    );
    println!("|---:|---:|---|---:|---|---:|---:|---:|");
    for d_hidden in &options.d_hidden {
        for rows in &options.rows {
            for (pattern, sparsities) in CASES {
                for &sparsity in sparsities {
                    let size = [rows.get(), d_hidden.get()];
                    of_case(isa, size, (pattern, sparsity), options.rounds.get());
                }
            }
        }
    }
    ExitCode::SUCCESS
}

/// Measures all products that suit a case, and prints a line of each.
fn of_case(
    isa: Isa,
    [batch, d_hidden]: [usize; 2],
    (pattern, sparsity): (Pattern, f64),
    rounds: usize,
) {
    let lanes = isa.run(AskLanes);
    let axes = [d_hidden, GATES * d_hidden];
    let weight = Weight::random(axes, pattern.block(lanes), sparsity, 7);
    let mut choices = Choices::new(8);
    let inputs = (0..batch * d_hidden).map(|_| 2.0 * choices.fraction() as f32 - 1.0);
    let inputs: Vec<f32> = inputs.collect();
    let expected = by_loops(&weight, &inputs);

    let mut dense = Side::new(Dense::new(&weight, lanes), &inputs, expected.len());
    dense.check(isa, &expected, "dense");
    let mut line = |name: &str, mut sparse: Side, expected: &[f64]| {
        sparse.check(isa, expected, name);
        let [dense, sparse, ratio] = take(isa, [&mut dense, &mut sparse], rounds);
        println!(
            "| {d_hidden} | {batch} | {pattern} | {:.0} % | {name} | {dense:.1} | {sparse:.1} | {ratio:.2} |",
            100.0 * sparsity,
        );
    };
    let columns = axes[1];
    match pattern {
        Pattern::Block { .. } => {
            let blocks = Side::new(Blocks::new(&weight, lanes), &inputs, batch * columns);
            line("blocks", blocks, &expected);
        }
        Pattern::Single if !batch.is_multiple_of(2 * lanes) => {
            let singles = Side::new(Singles::new(&weight), &inputs, batch * columns);
            line("one by one", singles, &expected);
        }
        Pattern::Single => {
            let turning = Columns::new(&weight, batch, true);
            let side = Side::new(turning, &inputs, batch * columns);
            line("rows side by side, turned over", side, &expected);
            let there = Columns::new(&weight, batch, false);
            let inputs = turned_over(&inputs, d_hidden);
            let side = Side::new(there, &inputs, batch * columns);
            line("rows side by side", side, &turned_over(&expected, columns));
        }
    }
}

/// A product, what it reads and where it writes.
struct Side {
    kernel: Box<dyn Kernel>,
    inputs: Vec<f32>,
    outputs: Vec<f32>,
}

impl Side {
    fn new(kernel: impl Kernel + 'static, inputs: &[f32], outputs: usize) -> Self {
        Self {
            kernel: Box::new(kernel),
            inputs: inputs.to_vec(),
            outputs: vec![f32::NAN; outputs],
        }
    }

    /// The seconds of a call: the mean of `count`.
    fn seconds(&mut self, isa: Isa, count: usize) -> f64 {
        let start = Instant::now();
        for _ in 0..count {
            self.kernel.run(isa, &self.inputs, &mut self.outputs);
            std::hint::black_box(&self.outputs);
        }
        start.elapsed().as_secs_f64() / count as f64
    }

    /// Checks the product.
    fn check(&mut self, isa: Isa, expected: &[f64], name: &str) {
        self.kernel.run(isa, &self.inputs, &mut self.outputs);
        let differences = self.outputs.iter().zip(expected);
        for (index, (found, expected)) in differences.enumerate() {
            let difference = (f64::from(*found) - expected).abs();
            assert!(
                difference < 1e-4,
                "{name}: number {index} is {found}, expected {expected}"
            );
        }
    }
}

/// The product in `f64`.
fn by_loops(weight: &Weight, inputs: &[f32]) -> Vec<f64> {
    let [inner, columns] = weight.axes;
    let of_row = |input: &[f32]| {
        let mut sums = vec![0.0; columns];
        for (x, row) in input.iter().zip(weight.values.chunks_exact(columns)) {
            for (sum, w) in sums.iter_mut().zip(row) {
                *sum += f64::from(*x) * f64::from(*w);
            }
        }
        sums
    };
    inputs.chunks_exact(inner).flat_map(of_row).collect()
}

/// Microseconds of the dense and of the sparse product, and the ratio of both: medians over rounds.
fn take(isa: Isa, [dense, sparse]: [&mut Side; 2], rounds: usize) -> [f64; 3] {
    let count = |side: &mut Side| {
        let estimate = side.seconds(isa, 3).min(side.seconds(isa, 3));
        (TURN / estimate).ceil() as usize
    };
    let counts = [count(dense), count(sparse)];
    let mut turns = [Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..rounds {
        let dense = 1e6 * dense.seconds(isa, counts[0]);
        let sparse = 1e6 * sparse.seconds(isa, counts[1]);
        for (turns, value) in turns.iter_mut().zip([dense, sparse, dense / sparse]) {
            turns.push(value);
        }
    }
    turns.each_ref().map(|turns| median(turns))
}

/// Asks an instruction set for the numbers in a register.
struct AskLanes;

impl WithSimd for AskLanes {
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) -> usize {
        <f32 as Element>::Vector::<S>::LANES
    }
}

/// What an instruction set is called.
fn name(isa: Isa) -> String {
    let name = format!("{isa:?}");
    name.split('(').next().unwrap_or_default().into()
}
