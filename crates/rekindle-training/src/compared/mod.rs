//! Several runs beside each other: as figures, as a picture, as a page.
//!
//! Runs of one recipe with different seeds are a [`Group`], shown as their mean and spread.
//!
//! | module | what it does |
//! |---|---|
//! | `figures` | one row of figures for each group |
//! | `curves` | scores and learning curves |
//! | `differences` | the keys in which recipes differ |

mod curves;
mod differences;
mod figures;

use crate::report::ComparisonPage;
use crate::{Outcome, Recipe, Recorded};

pub use curves::picture;
pub use figures::{Figures, figures};

/// Runs that are compared as one, such as those of one recipe with different seeds.
#[derive(Clone, Debug, PartialEq)]
pub struct Group<'a> {
    /// What the group is called.
    pub name: String,
    /// Its runs, at least one.
    pub runs: &'a [Recorded],
}

impl Group<'_> {
    fn outcomes(&self) -> impl Iterator<Item = &Outcome> {
        self.runs.iter().filter_map(|run| run.outcome.as_ref())
    }
}

/// The runs of some groups.
fn runs<'a>(groups: &'a [Group]) -> impl Iterator<Item = &'a Recorded> + Clone {
    groups.iter().flat_map(|group| group.runs)
}

/// The page of several runs, in their order; those whose recipes differ only in the seed are one group.
pub fn page(runs: Vec<Recorded>) -> ComparisonPage {
    let sets = grouped(runs);
    let names = names(&sets);
    let groups: Vec<Group> = (sets.iter().zip(names))
        .map(|(runs, name)| Group { name, runs })
        .collect();
    let Figures { columns, rows } = figures(&groups);
    let recipes: Vec<&Recipe> = sets.iter().map(|runs| &runs[0].recipe).collect();
    let count = |count: usize, what: &str| match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    };
    let shown = |cell: Option<String>| cell.unwrap_or_else(|| "–".into());
    ComparisonPage {
        subtitle: format!(
            "{} of {}",
            count(self::runs(&groups).count(), "run"),
            count(groups.len(), "recipe")
        ),
        comparison: curves::page(&groups),
        columns,
        rows: rows
            .into_iter()
            .map(|row| row.into_iter().map(shown).collect())
            .collect(),
        differences: differences::differences(&recipes),
        no_differences: "The recipes are the same but for their seeds.".into(),
    }
}

/// Runs of one recipe, whatever their seeds, in the order in which each first occurs.
fn grouped(runs: Vec<Recorded>) -> Vec<Vec<Recorded>> {
    let mut sets: Vec<Vec<Recorded>> = Vec::new();
    for run in runs {
        let is_same = |set: &&mut Vec<Recorded>| {
            let seed = set[0].recipe.seed;
            let recipe = run.recipe.clone();
            set[0].recipe == Recipe { seed, ..recipe }
        };
        match sets.iter_mut().find(is_same) {
            Some(set) => set.push(run),
            None => sets.push(vec![run]),
        }
    }
    sets
}

/// What groups are called: by their folders, as short as keeps them apart.
fn names(sets: &[Vec<Recorded>]) -> Vec<String> {
    let short: Vec<String> = sets.iter().map(|runs| short(runs)).collect();
    let name = |(runs, name): (&Vec<Recorded>, &String)| {
        let is_one = short.iter().filter(|other| *other == name).count() == 1;
        let name = match is_one {
            true => name.clone(),
            false => runs[0].folder.display().to_string(),
        };
        let open = runs.iter().filter(|run| run.outcome.is_none()).count();
        match (open, runs.len()) {
            (0, _) => name,
            (1, 1) => format!("{name} (not finished)"),
            (open, all) => format!("{name} ({open} of {all} not finished)"),
        }
    };
    sets.iter().zip(&short).map(name).collect()
}

/// The folder of a run; of several runs, what stands before the seed in the first one's.
fn short(runs: &[Recorded]) -> String {
    let first = &runs[0];
    let name = first.folder.file_name().unwrap_or(first.folder.as_os_str());
    let name = name.to_string_lossy();
    let before_seed = || name.split_once(&format!("-seed{}", first.recipe.seed));
    match before_seed().filter(|_| runs.len() > 1) {
        Some((before, _)) => before.to_string(),
        None => name.into_owned(),
    }
}

#[cfg(test)]
mod tests;
