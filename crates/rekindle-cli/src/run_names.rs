//! Names of run folders that the user did not name.

use std::path::{Path, PathBuf};

use rekindle::training::Recipe;

/// `NAME-CELL-seedN`, or `NAME-CELL-LABEL-seedN`, then the same with `-2`, `-3` and so on.
pub fn folders(
    parent: &Path,
    recipe: &Recipe,
    label: Option<&str>,
) -> impl Iterator<Item = PathBuf> + use<> {
    let label = label.map_or_else(String::new, |label| format!("-{label}"));
    let (name, cell, seed) = (&recipe.name, recipe.model.cell, recipe.seed);
    let first = format!("{name}-{cell}{label}-seed{seed}");
    let first = parent.join(first);
    let stem = first.clone().into_os_string();
    let more = (2_usize..).map(move |number| {
        let mut name = stem.clone();
        name.push(format!("-{number}"));
        PathBuf::from(name)
    });
    std::iter::once(first).chain(more)
}

/// The first folder that does not exist yet.
pub fn free(parent: &Path, recipe: &Recipe) -> PathBuf {
    folders(parent, recipe, None)
        .find(|folder| !folder.exists())
        .expect("one of infinitely many names is free")
}

/// The last folder before the first that does not exist: that of the latest run. The first one, if there is none.
pub fn latest(parent: &Path, recipe: &Recipe) -> PathBuf {
    let existing = folders(parent, recipe, None).take_while(|folder| folder.exists());
    existing.last().unwrap_or_else(|| free(parent, recipe))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn free_and_latest_folders_are_neighbours() {
        let runs = tempfile::tempdir().expect("a temporary folder");
        let overrides = ["model.cell=gru".to_string(), "seed=3".to_string()];
        let recipe = Recipe::for_data(Path::new("vowels.ts"), &overrides).expect("a recipe");
        let path = |name: &str| runs.path().join(name);
        assert_eq!(free(runs.path(), &recipe), path("vowels-gru-seed3"));
        assert_eq!(latest(runs.path(), &recipe), path("vowels-gru-seed3"));
        for name in [
            "vowels-gru-seed3",
            "vowels-gru-seed3-2",
            "vowels-gru-seed3-4",
        ] {
            fs::create_dir(path(name)).expect("a folder");
        }
        assert_eq!(free(runs.path(), &recipe), path("vowels-gru-seed3-3"));
        assert_eq!(latest(runs.path(), &recipe), path("vowels-gru-seed3-2"));
    }
}
