//! The results of a comparison as a table and as JSON.

use std::path::PathBuf;

use rekindle::training::Recorded;
use rekindle::training::compared::{Figures, Group, figures};
use serde_json::{Value, json};

use super::variant::Variant;
use crate::table::{NOTHING, Table};

/// A row: a recipe, perhaps varied, and what its runs came to.
#[derive(Debug)]
pub struct Compared {
    /// The file of the recipe.
    pub path: PathBuf,
    /// What was changed in it.
    pub variant: Option<Variant>,
    /// One for each seed, all finished.
    pub runs: Vec<Recorded>,
}

impl Compared {
    /// The row as a group with a short name.
    pub fn group(&self, naming: Naming) -> Group<'_> {
        Group {
            name: naming.names(self, true).join(", "),
            runs: &self.runs,
        }
    }
}

/// How a row is told from the others: by its recipe, by its variant, or by both.
#[derive(Clone, Copy, Debug)]
pub struct Naming {
    recipe: bool,
    variant: bool,
}

impl Naming {
    /// For these rows.
    pub fn of(compared: &[Compared]) -> Self {
        let variant = compared.iter().any(|row| row.variant.is_some());
        let first = compared.first().map(|row| &row.path);
        let recipe = !variant || compared.iter().any(|row| Some(&row.path) != first);
        Self { recipe, variant }
    }

    /// The names of a row, one for each column that names it; of a recipe only its file's stem if `short`.
    pub fn names(self, row: &Compared, short: bool) -> Vec<String> {
        let stem = row.path.file_stem().filter(|_| short);
        let recipe = || match stem {
            Some(stem) => stem.to_string_lossy().into_owned(),
            None => row.path.display().to_string(),
        };
        let variant = || row.variant.as_ref().map(|variant| variant.label.clone());
        let recipe = self.recipe.then(recipe);
        let variant = self.variant.then(variant).flatten();
        recipe.into_iter().chain(variant).collect()
    }
}

/// One row for each recipe and variant.
pub fn table(compared: &[Compared]) -> Table {
    let naming = Naming::of(compared);
    let names = [(naming.recipe, "recipe"), (naming.variant, "variant")];
    let names = names.iter().filter(|(shown, _)| *shown);
    let mut header: Vec<String> = names.map(|(_, name)| name.to_string()).collect();
    let groups: Vec<Group> = compared.iter().map(|row| row.group(naming)).collect();
    let Figures { columns, rows } = figures(&groups);
    header.extend(columns);
    let mut table = Table::new(&header.iter().map(String::as_str).collect::<Vec<_>>());
    for (row, cells) in compared.iter().zip(rows) {
        let names = naming.names(row, false).into_iter();
        let cells = cells
            .into_iter()
            .map(|cell| cell.unwrap_or_else(|| NOTHING.into()));
        table.row(names.chain(cells).collect());
    }
    table
}

/// One object with all rows and their runs.
pub fn json(compared: &[Compared]) -> anyhow::Result<Value> {
    let mut rows = Vec::new();
    for row in compared {
        let mut runs = Vec::new();
        for run in &row.runs {
            let mut object = serde_json::to_value(&run.outcome)?;
            object["grad_norm"] = json!(run.grad_norm());
            object["folder"] = json!(run.folder);
            runs.push(object);
        }
        rows.push(json!({
            "recipe": row.path,
            "variant": row.variant.as_ref().map(|variant| &variant.label),
            "set": row.variant.as_ref().map_or(&[][..], |variant| &variant.overrides),
            "runs": runs,
        }));
    }
    Ok(json!({ "recipes": rows }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(path: &str, label: Option<&str>) -> Compared {
        Compared {
            path: path.into(),
            variant: label.map(|label| label.parse().expect("a variant")),
            runs: Vec::new(),
        }
    }

    #[test]
    fn rows_are_named_by_what_differs() {
        let names = |rows: &[Compared]| {
            let naming = Naming::of(rows);
            naming.names(&rows[0], true).join(", ")
        };
        assert_eq!(names(&[row("r/a.toml", None)]), "a");
        assert_eq!(
            names(&[row("r/a.toml", Some("x")), row("r/a.toml", Some("y"))]),
            "x"
        );
        assert_eq!(
            names(&[row("r/a.toml", Some("x")), row("r/b.toml", Some("x"))]),
            "a, x"
        );
        let naming = Naming::of(&[row("r/a.toml", None)]);
        assert_eq!(naming.names(&row("r/a.toml", None), false), ["r/a.toml"]);
    }
}
