//! `rekindle generate`.

use anyhow::bail;
use rekindle::training::{Sampling, Trained};

use crate::args::{GenerateArgs, backend};
use crate::output;

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
