//! `rekindle compare`: recipes, variants of them and seeds, trained and put beside each other.

mod picture;
mod plan;
mod results;
mod variant;

use rekindle::training::{Backend, epochs_of, train};

use crate::args::{CompareArgs, backend};
use crate::output;
use crate::progress::{Progress, Stream};

use plan::{Entry, Planned, plan};
use results::{Compared, Run};

pub use variant::Variant;

/// Trains each recipe in each variant with each seed, and shows how they compare.
pub fn run(args: &CompareArgs) -> anyhow::Result<()> {
    let backend = backend(args.backend)?;
    let entries = plan(args, backend)?;
    let total: usize = entries.iter().map(|entry| entry.runs.len()).sum();
    let mut number = 0;
    let mut compared = Vec::new();
    for entry in entries {
        let mut runs = Vec::new();
        for run in &entry.runs {
            number += 1;
            let title = format!("run {number} of {total}: {}", title(&entry, run));
            runs.push(train_one(args, run, backend, title)?);
        }
        compared.push(Compared {
            name: entry
                .runs
                .first()
                .map_or_else(String::new, |run| run.recipe.name.clone()),
            path: entry.path,
            variant: entry.variant,
            runs,
        });
    }
    let table = results::table(&compared);
    if let Some(path) = &args.markdown {
        output::file("--markdown", path, &format!("{}\n", table.to_markdown()))?;
    }
    if let Some(path) = &args.plot {
        output::file("--plot", path, &picture::svg(&compared))?;
    }
    if args.json {
        return output::line(&results::json(&compared)?.to_string());
    }
    output::line(&table.to_string())
}

fn title(entry: &Entry, run: &Planned) -> String {
    let variant = entry.variant.as_ref();
    let variant = variant.map_or_else(String::new, |variant| format!(", {}", variant.label));
    format!(
        "{}{variant} (seed {}) in {}",
        entry.path.display(),
        run.recipe.seed,
        run.folder.display()
    )
}

fn train_one(
    args: &CompareArgs,
    run: &Planned,
    backend: Backend,
    title: String,
) -> anyhow::Result<Run> {
    let stream = Stream::beside_result(args.json);
    let mut progress = Progress::new(args.quiet, stream).with_title(title);
    let start = plan::start(args);
    let outcome = train(&run.recipe, backend, &run.folder, start, &mut progress)?;
    Ok(Run {
        folder: run.folder.clone(),
        outcome,
        epochs: epochs_of(&run.folder)?,
    })
}
