//! The results of a comparison as a table and as JSON.

use std::path::PathBuf;

use rekindle::training::{EpochRow, Metric, Outcome, Spread};
use serde_json::{Value, json};

use super::variant::Variant;
use crate::table::{NOTHING, Table, metrics_of};

/// A row: a recipe, perhaps varied, and what its runs came to.
#[derive(Debug)]
pub struct Compared {
    /// The file of the recipe.
    pub path: PathBuf,
    /// What was changed in it.
    pub variant: Option<Variant>,
    /// The recipe's name for itself.
    pub name: String,
    /// One for each seed.
    pub runs: Vec<Run>,
}

/// A finished run.
#[derive(Debug)]
pub struct Run {
    /// The run folder.
    pub folder: PathBuf,
    /// Its result.
    pub outcome: Outcome,
    /// Its epochs.
    pub epochs: Vec<EpochRow>,
}

impl Run {
    /// Mean over all steps of the global norm of the gradients before clipping: every epoch has as many steps, those that are left out aside.
    pub fn grad_norm(&self) -> f64 {
        let sum: f64 = self.epochs.iter().map(|row| row.grad_norm).sum();
        sum / self.epochs.len() as f64
    }
}

impl Compared {
    /// One figure of each run that has it.
    fn figures(&self, figure: impl Fn(&Run) -> Option<f64>) -> Vec<f64> {
        self.runs.iter().filter_map(figure).collect()
    }

    fn cells(&self, metrics: &[Metric]) -> Vec<String> {
        let mean = |figure: &dyn Fn(&Run) -> Option<f64>, show: fn(f64) -> String| {
            Spread::of(&self.figures(figure)).map_or(NOTHING.into(), |spread| show(spread.mean))
        };
        let of_test = |metric: Metric| move |run: &Run| run.outcome.test?.get(metric);
        let valid_loss = |run: &Run| run.outcome.valid?.get(Metric::Loss);
        let whole = |number: f64| format!("{number:.0}");
        let loss = |number: f64| format!("{number:.4}");
        let cell = self.runs.first().map(|run| run.outcome.cell.to_string());
        let mut cells = vec![
            cell.unwrap_or_else(|| NOTHING.into()),
            // The width of input and output is the same for every seed.
            mean(&|run| Some(run.outcome.parameters as f64), whole),
            self.runs.len().to_string(),
            mean(&|run| Some(run.outcome.epochs as f64), whole),
        ];
        for (place, &metric) in metrics.iter().enumerate() {
            let values = self.figures(of_test(metric));
            cells.push(match (Spread::of(&values), place) {
                (None, _) => NOTHING.to_string(),
                (Some(_), 0) => with_deviation(metric, &values),
                (Some(spread), _) => metric.show(spread.mean),
            });
        }
        cells.extend([
            mean(&valid_loss, loss),
            mean(&|run| Some(run.grad_norm()), |norm| format!("{norm:.3}")),
            mean(&|run| Some(run.outcome.seconds), |time| {
                format!("{time:.1}")
            }),
        ]);
        cells
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
    header.extend(["cell", "parameters", "seeds", "epochs"].map(String::from));
    let metrics = metrics(compared);
    header.extend(
        metrics
            .iter()
            .map(|metric| format!("test {}", metric.title())),
    );
    header.extend(["valid loss", "grad norm", "seconds"].map(String::from));
    let mut table = Table::new(&header.iter().map(String::as_str).collect::<Vec<_>>());
    for row in compared {
        let names = naming.names(row, false);
        table.row(names.into_iter().chain(row.cells(&metrics)).collect());
    }
    table
}

/// The metrics of the test sets; the loss alone where none was scored.
fn metrics(compared: &[Compared]) -> Vec<Metric> {
    let mut runs = compared.iter().flat_map(|row| &row.runs);
    let tested = runs.find_map(|run| run.outcome.test);
    tested.map_or_else(|| vec![Metric::Loss], |scores| metrics_of(&scores))
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

/// The mean, with the standard deviation if there are several.
fn with_deviation(metric: Metric, values: &[f64]) -> String {
    match Spread::of(values) {
        None => NOTHING.to_string(),
        Some(Spread {
            mean,
            deviation: Some(deviation),
        }) => {
            let mean = metric.show(mean);
            let number = mean.trim_end_matches(" %");
            format!("{number} ± {}", metric.show(deviation))
        }
        Some(spread) => metric.show(spread.mean),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_seeds_show_their_deviation() {
        // The deviation of two values is their distance over √2.
        let accuracy = |values: &[f64]| with_deviation(Metric::Accuracy, values);
        assert_eq!(accuracy(&[0.5, 0.75]), "62.50 ± 17.68 %");
        assert_eq!(accuracy(&[0.5]), "50.00 %");
        assert_eq!(accuracy(&[]), NOTHING);
        assert_eq!(
            with_deviation(Metric::Rmse, &[0.5, 0.75]),
            "0.6250 ± 0.1768"
        );
    }

    fn row(path: &str, label: Option<&str>) -> Compared {
        Compared {
            path: path.into(),
            variant: label.map(|label| label.parse().expect("a variant")),
            name: "toy".into(),
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

    #[test]
    fn a_row_without_runs_has_no_figures() {
        let cells = row("a.toml", None).cells(&[Metric::Loss]);
        assert!(
            cells.iter().all(|cell| cell == NOTHING || cell == "0"),
            "{cells:?}"
        );
    }
}
