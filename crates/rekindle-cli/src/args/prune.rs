//! Options of `prune`.

use std::path::PathBuf;

use clap::{Args as Group, ValueEnum};
use rekindle::training::Backend;

/// Options of `prune`.
#[derive(Group, Debug)]
#[command(after_help = "\
Examples:
  rekindle prune runs/vowels --units 0.5 --finetune 10 --out runs/vowels-half
  rekindle prune runs/vowels --weights 0.9 --criterion sensitivity --finetune 10 --out runs/vowels-sparse

Units leave the network: it is a smaller one with a recipe of its own. Weights become zero and stay so; the network keeps
its size. The old run is not changed. `rekindle train --resume --out DIR` goes on with fine-tuning that was killed.")]
pub struct PruneArgs {
    /// Run folder of the trained network
    pub dir: PathBuf,
    /// Take out this fraction of the hidden units, in [0, 1); every cell keeps at least one
    #[arg(
        long,
        value_name = "FRACTION",
        group = "cut",
        allow_negative_numbers = true
    )]
    pub units: Option<f64>,
    /// Take out the hidden units whose weights have at most this norm, such as those that regularize.units has emptied
    #[arg(
        long,
        value_name = "NORM",
        group = "cut",
        allow_negative_numbers = true
    )]
    pub units_below: Option<f64>,
    /// Set this fraction of the input and recurrent weights to zero, in [0, 1)
    #[arg(
        long,
        value_name = "FRACTION",
        group = "cut",
        allow_negative_numbers = true
    )]
    pub weights: Option<f64>,
    /// How units or weights are ranked; sensitivity takes a pass over the training data
    #[arg(long, value_enum, default_value_t = CriterionName::Norm)]
    pub criterion: CriterionName,
    /// Which compete: those of a tensor or cell, of a layer's cell, or all
    #[arg(long, value_enum, default_value_t = ScopeName::Tensor)]
    pub scope: ScopeName,
    /// With --weights: the weights that are pruned, by ends of their names such as weight_hh; can be given several times
    #[arg(long = "target", value_name = "NAME")]
    pub targets: Vec<String>,
    /// With --weights: prune blocks of this size, such as 16x16, instead of single weights
    #[arg(
        long,
        value_name = "ROWSxCOLUMNS",
        value_parser = block,
        requires = "weights",
        conflicts_with_all = ["units", "units_below"]
    )]
    pub block: Option<[usize; 2]>,
    /// Seed of --criterion random
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Train the pruned network for this many epochs [default: not at all]
    #[arg(long, value_name = "N")]
    pub finetune: Option<usize>,
    /// Base learning rate of --finetune [default: 0.3 of the recipe's]
    #[arg(long, value_name = "RATE", allow_negative_numbers = true)]
    pub lr: Option<f64>,
    /// Labelled file to score the networks on [default: data.test of the recipe]
    #[arg(long, value_name = "FILE")]
    pub data: Option<PathBuf>,
    /// Folder for the new run: one that does not exist, or is empty
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Backend, as for `train` [default: the first that is compiled in]
    #[arg(long)]
    pub backend: Option<Backend>,
    /// Print the result as one JSON object in the last line of standard output; progress goes to standard error
    #[arg(long)]
    pub json: bool,
    /// Show no progress
    #[arg(long)]
    pub quiet: bool,
}

/// The rows and columns of a block.
fn block(text: &str) -> Result<[usize; 2], String> {
    let parse = |number: &str| number.parse().ok().filter(|&number: &usize| number > 0);
    (text.split_once('x'))
        .and_then(|(rows, columns)| Some([parse(rows)?, parse(columns)?]))
        .ok_or_else(|| "expected rows and columns, each at least 1, such as 16x16".to_string())
}

/// How units or weights are ranked.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum CriterionName {
    /// Norm of all weights of a unit; of single weights, their magnitude
    Norm,
    /// Mean magnitude of the weights of a unit; of single weights, their magnitude
    Magnitude,
    /// What the loss changes by without it, to first order: gradient × weight
    Sensitivity,
    /// At random, to compare with
    Random,
}

/// Which units or weights compete with each other.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScopeName {
    /// Those of one tensor; of units, those of one cell
    Tensor,
    /// Those of one cell
    Layer,
    /// All
    Global,
}
