//! `rekindle compare`: recipes, variants of them and seeds, trained and put beside each other.

mod plan;
mod results;
mod variant;

use rekindle::training::compared::picture;
use rekindle::training::{Devices, Recorded, train};

use crate::args::CompareArgs;
use crate::progress::{Progress, Stream};
use crate::{interrupt, output};

use plan::{Entry, Planned, plan};
use results::{Compared, Naming};

pub use variant::Variant;

/// Trains each recipe in each variant with each seed, and shows how they compare.
pub fn run(args: &CompareArgs) -> anyhow::Result<()> {
    let devices = args.on.devices()?;
    let entries = plan(args, &devices)?;
    let total: usize = entries.iter().map(|entry| entry.runs.len()).sum();
    interrupt::listen()?;
    let mut number = 0;
    let mut compared = Vec::new();
    for entry in entries {
        let mut runs = Vec::new();
        for run in &entry.runs {
            number += 1;
            let title = format!("run {number} of {total}: {}", title(&entry, run));
            runs.push(train_one(args, run, &devices, title)?);
        }
        compared.push(Compared {
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
        let naming = Naming::of(&compared);
        let groups: Vec<_> = compared.iter().map(|row| row.group(naming)).collect();
        let svg = picture(&groups).to_svg();
        output::file("--plot", path, &svg)?;
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
    devices: &Devices,
    title: String,
) -> anyhow::Result<Recorded> {
    let stream = Stream::beside_result(args.json);
    let mut progress = Progress::new(args.quiet, stream).with_title(title);
    let start = plan::start(args);
    train(
        &run.recipe,
        devices.clone(),
        &run.folder,
        start,
        &mut progress,
    )?;
    Ok(Recorded::load(&run.folder)?)
}
