//! What is to be trained, and whether it can be, before anything is.

use std::collections::HashSet;
use std::hash::Hash;
use std::path::{Path, PathBuf};

use anyhow::{bail, ensure};
use rekindle::training::{Devices, Recipe, Start, check};

use super::variant::Variant;
use crate::args::CompareArgs;
use crate::{output, run_names};

/// Where runs go without `--out`.
const RUNS: &str = "runs";

/// One row of the comparison: a recipe, perhaps varied, and its runs.
#[derive(Debug)]
pub struct Entry {
    /// The file.
    pub path: PathBuf,
    /// What is changed in it.
    pub variant: Option<Variant>,
    /// One for each seed.
    pub runs: Vec<Planned>,
}

/// A run that is to be made, or goes on, or is there.
#[derive(Debug)]
pub struct Planned {
    /// With its seed.
    pub recipe: Recipe,
    /// The run folder.
    pub folder: PathBuf,
}

/// Runs in a folder that the user named are continued; others begin.
pub fn start(args: &CompareArgs) -> Start {
    match args.out {
        Some(_) => Start::Resume,
        None => Start::New,
    }
}

/// All rows, recipe by recipe.
///
/// # Errors
/// If anything can be known to go wrong: in the options, the recipes, the data, the run folders, or the files to write.
pub fn plan(args: &CompareArgs, devices: &Devices) -> anyhow::Result<Vec<Entry>> {
    check_options(args)?;
    let parent = args.out.as_deref().unwrap_or(Path::new(RUNS));
    let mut taken = HashSet::new();
    let mut entries = Vec::new();
    for path in &args.recipes {
        for variant in variants(args) {
            let recipe = load(path, &args.sets, variant)?;
            let seeds = match args.seeds.as_slice() {
                [] => vec![recipe.seed],
                seeds => seeds.to_vec(),
            };
            let runs = seeds.into_iter().map(|seed| {
                let recipe = Recipe {
                    seed,
                    ..recipe.clone()
                };
                let label = variant.map(|variant| variant.label.as_str());
                // The second of two recipes with one name gets the second folder, whenever the command is given.
                let mut folders = run_names::folders(parent, &recipe, label);
                let is_free = |folder: &PathBuf| {
                    !taken.contains(folder) && (args.out.is_some() || !folder.exists())
                };
                let folder = folders.find(is_free).expect("there are infinitely many");
                taken.insert(folder.clone());
                Planned { recipe, folder }
            });
            entries.push(Entry {
                path: path.clone(),
                variant: variant.cloned(),
                runs: runs.collect(),
            });
        }
    }
    for run in entries.iter().flat_map(|entry| &entry.runs) {
        check_run(run, start(args), devices)?;
    }
    Ok(entries)
}

/// Those of the command line; one that is none, if there are none.
fn variants(args: &CompareArgs) -> Vec<Option<&Variant>> {
    match args.vary.as_slice() {
        [] => vec![None],
        variants => variants.iter().map(Some).collect(),
    }
}

fn check_options(args: &CompareArgs) -> anyhow::Result<()> {
    if let Some(seed) = twice(args.seeds.iter()) {
        bail!("--seeds: found {seed} twice, expected each seed once; remove one");
    }
    if let Some(path) = twice(args.recipes.iter()) {
        let path = path.display();
        bail!(
            "found recipe {path} twice, expected each once; remove one, or change it with --vary"
        );
    }
    if let Some(label) = twice(args.vary.iter().map(|variant| &variant.label)) {
        bail!("--vary: found label {label:?} twice, expected each once; choose another");
    }
    if let Some(variant) = args.vary.iter().find(|variant| variant.sets("seed")) {
        let label = &variant.label;
        ensure!(
            args.seeds.is_empty(),
            "--vary {label}: found the key seed beside --seeds, expected one of the two; leave one out"
        );
    }
    if let Some(path) = &args.plot {
        let found = path.display();
        ensure!(
            path.extension().is_some_and(|ending| ending == "svg"),
            "--plot: found {found}, expected a name that ends in .svg"
        );
        ensure!(
            args.markdown.as_ref() != Some(path),
            "--markdown: found {found} as for --plot, expected another file"
        );
    }
    for (option, path) in [("--plot", &args.plot), ("--markdown", &args.markdown)] {
        if let Some(path) = path {
            output::check_file(option, path)?;
        }
    }
    Ok(())
}

/// The first value that stands there for the second time.
fn twice<T: Eq + Hash + Copy>(values: impl Iterator<Item = T>) -> Option<T> {
    let mut known = HashSet::new();
    let mut values = values;
    values.find(|value| !known.insert(*value))
}

/// A recipe with the changes of all and those of a variant.
fn load(path: &Path, sets: &[String], variant: Option<&Variant>) -> anyhow::Result<Recipe> {
    let Some(Variant { label, overrides }) = variant else {
        return Ok(Recipe::load(path, sets)?);
    };
    let all: Vec<String> = sets.iter().chain(overrides).cloned().collect();
    Recipe::load(path, &all).map_err(|error| {
        // Recipes know one kind of override; the user gave this one by another option.
        let as_given = |text: String, change: &String| {
            text.replace(&format!("--set {change}:"), &format!("{change}:"))
        };
        let text = overrides.iter().fold(error.to_string(), as_given);
        anyhow::anyhow!("--vary {label}: {text}")
    })
}

/// A mistake in the last run should not come to light only when the others are trained.
fn check_run(run: &Planned, start: Start, devices: &Devices) -> anyhow::Result<()> {
    match check(&run.recipe, &run.folder, start)? {
        Some(outcome) if outcome.devices != *devices => bail!(
            "run folder {} was trained on {found}, expected {devices}; give --devices {found}, or another --out",
            run.folder.display(),
            found = outcome.devices
        ),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_repetition_is_found() {
        assert_eq!(twice([1, 2, 3, 2, 1].iter()), Some(&2));
        assert_eq!(twice([2, 1].iter()), None);
        assert_eq!(twice::<&u64>([].iter()), None);
    }
}
