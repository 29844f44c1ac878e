//! `rekindle predict`.

use anyhow::Context;
use rekindle::training::{Trained, write_atomically};

use crate::args::{PredictArgs, backend};
use crate::output;

/// Predicts the classes of a file's sequences.
pub fn run(args: &PredictArgs) -> anyhow::Result<()> {
    let trained = Trained::load(&args.dir, backend(args.backend)?)?;
    let set = trained.read(&args.data)?;
    let text = trained.predict(&set).to_csv();
    match &args.output {
        Some(path) => write_atomically(path, text.as_bytes())
            .with_context(|| format!("cannot write predictions to {}", path.display())),
        None => output::all(&text),
    }
}
