//! `rekindle generate`.

use std::path::PathBuf;

use anyhow::bail;
use clap::Args as Group;
use rekindle::training::{Backend, Sampling, Trained};

use crate::args::backend;
use crate::output;

/// Options of `generate`.
#[derive(Group, Debug)]
pub struct GenerateArgs {
    /// Run folder of a language model
    pub dir: PathBuf,
    /// The text to go on with; without one, the model begins a line
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub prompt: String,
    /// Tokens to add: characters or words, as the model has learned
    #[arg(long, value_name = "N", default_value_t = 500)]
    pub length: usize,
    /// Below 1 likely tokens become likelier; 0 always takes the likeliest
    #[arg(
        long,
        value_name = "T",
        default_value_t = 1.0,
        allow_negative_numbers = true
    )]
    pub temperature: f64,
    /// Draw from this many of the likeliest tokens alone; 0: from all
    #[arg(long, value_name = "K", default_value_t = 0)]
    pub top_k: usize,
    /// Where the random numbers start
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Backend, as for `train` [default: the first that is compiled in]
    #[arg(long)]
    pub backend: Option<Backend>,
}

/// Lets a language model go on with a text.
pub fn run(args: &GenerateArgs) -> anyhow::Result<()> {
    if !(args.temperature >= 0.0 && args.temperature.is_finite()) {
        bail!(
            "--temperature is {}, expected a number of at least 0",
            args.temperature
        );
    }
    let trained = Trained::load(&args.dir, backend(args.backend)?)?;
    let sampling = Sampling {
        length: args.length,
        temperature: args.temperature,
        top_k: args.top_k,
        seed: args.seed,
    };
    let text = trained.generate(&args.prompt, &sampling)?;
    output::line(&format!("{}{text}", args.prompt))
}
