//! One row of figures for each group.

use super::{Group, runs};
use crate::{Metric, Recorded, Scores, Spread};

/// Figures in rows: one for each group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures {
    /// What the columns hold.
    pub columns: Vec<String>,
    /// The cells of each group; `None` where nothing was measured.
    pub rows: Vec<Vec<Option<String>>>,
}

/// Cell, parameters, seeds, epochs, scores, gradient norm and seconds: means over runs, the first score with its standard
/// deviation.
pub fn figures(groups: &[Group]) -> Figures {
    let sets = Sets::of(groups);
    let named = |set: &'static str| {
        move |metric: &Metric| format!("{set} {}", metric.title()) // such as `test accuracy`
    };
    let mut columns = ["cell", "parameters", "seeds", "epochs"]
        .map(String::from)
        .to_vec();
    columns.extend(sets.test.iter().map(named("test")));
    columns.extend(sets.valid.iter().map(named("valid")));
    columns.extend(["grad norm", "seconds"].map(String::from));
    let rows = groups.iter().map(|group| sets.row(group)).collect();
    Figures { columns, rows }
}

/// The metrics that have a column.
struct Sets {
    test: Vec<Metric>,
    valid: Vec<Metric>,
}

impl Sets {
    /// Those of the test sets, and the loss of the validation sets; all of these where nothing was tested.
    fn of(groups: &[Group]) -> Self {
        let metrics = |scores: fn(&Recorded) -> Option<Scores>| {
            let mut found: Vec<Metric> = Vec::new();
            for (metric, _) in runs(groups).filter_map(scores).flat_map(|all| all.shown()) {
                if !found.contains(&metric) {
                    found.push(metric);
                }
            }
            found
        };
        let test = metrics(|run| run.outcome.as_ref()?.test);
        let valid = match test.is_empty() {
            true => metrics(|run| run.outcome.as_ref()?.valid),
            false => Vec::new(),
        };
        let or_loss = |metrics: Vec<Metric>| match metrics.is_empty() {
            true => vec![Metric::Loss],
            false => metrics,
        };
        Self {
            test: or_loss(test),
            valid: or_loss(valid),
        }
    }

    fn row(&self, group: &Group) -> Vec<Option<String>> {
        let of = |figure: &dyn Fn(&Recorded) -> Option<f64>| {
            group.runs.iter().filter_map(figure).collect::<Vec<f64>>()
        };
        let mean = |values: Vec<f64>, show: fn(f64) -> String| {
            Spread::of(&values).map(|spread| show(spread.mean))
        };
        let whole = |number: f64| format!("{number:.0}");
        let cell = group.runs.first().map(|run| run.recipe.model.cell);
        let mut cells = vec![
            cell.map(|cell| cell.to_string()),
            // The width of input and output is the same for every seed.
            mean(
                of(&|run| Some(run.outcome.as_ref()?.parameters as f64)),
                whole,
            ),
            Some(group.runs.len().to_string()),
            mean(of(&|run| Some(run.epochs.len() as f64)), whole),
        ];
        for (place, &metric) in self.test.iter().enumerate() {
            let values = of(&|run| run.outcome.as_ref()?.test?.get(metric));
            cells.push(match place {
                0 => with_deviation(metric, &values),
                _ => Spread::of(&values).map(|spread| metric.show(spread.mean)),
            });
        }
        for &metric in &self.valid {
            let values = of(&|run| run.outcome.as_ref()?.valid?.get(metric));
            cells.push(Spread::of(&values).map(|spread| metric.show(spread.mean)));
        }
        cells.extend([
            mean(of(&|run| Some(run.grad_norm())), |norm| match norm < 1e4 {
                true => format!("{norm:.3}"),
                false => format!("{norm:.2e}"),
            }),
            mean(of(&|run| Some(run.seconds())), |time| format!("{time:.1}")),
        ]);
        cells
    }
}

/// The mean, with the standard deviation if there are several; `None` without any.
fn with_deviation(metric: Metric, values: &[f64]) -> Option<String> {
    let Spread { mean, deviation } = Spread::of(values)?;
    let mean = metric.show(mean);
    Some(match deviation {
        None => mean,
        Some(deviation) => {
            let number = mean.trim_end_matches(" %");
            format!("{number} ± {}", metric.show(deviation))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_seeds_show_their_deviation() {
        // The deviation of two values is their distance over √2.
        let accuracy = |values: &[f64]| with_deviation(Metric::Accuracy, values);
        assert_eq!(accuracy(&[0.5, 0.75]).as_deref(), Some("62.50 ± 17.68 %"));
        assert_eq!(accuracy(&[0.5]).as_deref(), Some("50.00 %"));
        assert_eq!(accuracy(&[]), None);
        assert_eq!(
            with_deviation(Metric::Rmse, &[0.5, 0.75]).as_deref(),
            Some("0.6250 ± 0.1768")
        );
    }

    #[test]
    fn a_group_without_runs_has_no_figures() {
        let group = Group {
            name: "none".into(),
            runs: &[],
        };
        let Figures { columns, rows } = figures(&[group]);
        assert_eq!(columns.len(), rows[0].len());
        let seeds = Some("0".to_string());
        assert!(rows[0].iter().all(|cell| cell.is_none() || *cell == seeds));
    }
}
