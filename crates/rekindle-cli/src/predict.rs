//! `rekindle predict`.

use anyhow::{Context, bail};
use rekindle::training::{Trained, write_atomically};

use crate::args::{PredictArgs, backend};
use crate::output;

/// Predicts the classes or numbers of a file's sequences or steps, or what comes next in its series.
pub fn run(args: &PredictArgs) -> anyhow::Result<()> {
    let trained = Trained::load(&args.dir, backend(args.backend)?)?;
    if trained.preprocessing.vocabulary.is_some() {
        bail!(
            "{} is a language model, which predicts no classes; let it go on with a text by `rekindle generate`",
            args.dir.display()
        );
    }
    let set = trained.read(&args.data)?;
    let text = trained.predict(&set).to_csv();
    match &args.output {
        Some(path) => write_atomically(path, text.as_bytes())
            .with_context(|| format!("cannot write predictions to {}", path.display())),
        None => output::all(&text),
    }
}
