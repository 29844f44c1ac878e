//! `rekindle schedule`.

use anyhow::{bail, ensure};
use rekindle::optim::Schedule;
use rekindle::training::recipe::{ScheduleUnit, parse_schedule};
use rekindle::training::report::{Gallery, Line};
use rekindle::training::{Recipe, steps_per_epoch};

use crate::args::ScheduleArgs;
use crate::output;
use crate::table::Table;

/// About how many rows a table has at most.
const ROWS: usize = 25;

/// Steps of a schedule that is given without a recipe.
const STEPS: usize = 100;

/// Schedules, and how long they are looked at.
struct Shown {
    /// What one step is: `step` or `epoch`.
    unit: &'static str,
    steps: usize,
    /// What is shown: `rate`, or `factor` without a base rate.
    quantity: &'static str,
    curves: Vec<Curve>,
    /// About the run, above the table.
    head: Option<String>,
}

/// A schedule with its base rate.
struct Curve {
    label: String,
    lr: f64,
    schedule: Schedule,
}

impl Curve {
    fn rate(&self, step: usize) -> f64 {
        self.lr * self.schedule.at(step)
    }
}

/// Shows the rates of a recipe's schedule, or of schedules by themselves.
pub fn run(args: &ScheduleArgs) -> anyhow::Result<()> {
    if let Some(path) = &args.plot {
        output::check_file("--plot", path)?;
    }
    let shown = match (&args.recipe, args.schedules.as_slice()) {
        (Some(_), _) => of_recipe(args)?,
        (None, []) => bail!(
            "found neither a recipe nor --schedule, expected one of them; see `rekindle schedule --help`"
        ),
        (None, _) => by_themselves(args)?,
    };
    let text = match args.csv {
        true => shown.csv(),
        false => shown.text(),
    };
    if let Some(path) = &args.plot {
        output::file("--plot", path, &shown.gallery().to_svg())?;
    }
    output::all(&text)
}

/// The schedule of a recipe over its run, and those of its groups.
fn of_recipe(args: &ScheduleArgs) -> anyhow::Result<Shown> {
    let path = args.recipe.as_ref().expect("a recipe was given");
    let recipe = Recipe::load(path, &args.sets)?;
    let training = &recipe.training;
    let (unit, steps, head) = match training.schedule_unit {
        ScheduleUnit::Epoch => ("epoch", training.epochs, None),
        ScheduleUnit::Step => {
            let each = steps_per_epoch(&recipe)?;
            let steps = training.epochs.saturating_mul(each);
            let head = format!("{} epochs of {each} steps: {steps} steps", training.epochs);
            ("step", steps, Some(head))
        }
    };
    let common = Curve {
        label: match training.groups.is_empty() {
            true => recipe.name.clone(),
            false => "all others".to_string(),
        },
        lr: training.lr,
        schedule: training.schedule.clone(),
    };
    let groups = training.groups.iter().map(|group| Curve {
        label: group.targets.to_string(),
        lr: training.lr * group.lr_factor,
        schedule: group
            .schedule
            .as_ref()
            .unwrap_or(&training.schedule)
            .clone(),
    });
    Ok(Shown {
        unit,
        steps: args.steps.map_or(steps, |steps| steps as usize),
        quantity: "rate",
        curves: std::iter::once(common).chain(groups).collect(),
        head,
    })
}

/// Schedules that are given on the command line.
fn by_themselves(args: &ScheduleArgs) -> anyhow::Result<Shown> {
    ensure!(
        args.sets.is_empty(),
        "found --set without a recipe, expected a recipe whose keys it changes"
    );
    let lr = args.lr.unwrap_or(1.0);
    ensure!(
        lr > 0.0 && lr.is_finite(),
        "--lr is {lr}, expected a positive finite number"
    );
    let curves = args.schedules.iter().map(|text| {
        let (label, value) = labelled(text);
        let schedule = parse_schedule("--schedule", value)?;
        let label = label.map_or_else(|| kind(&schedule), str::to_string);
        Ok(Curve {
            label,
            lr,
            schedule,
        })
    });
    Ok(Shown {
        unit: "step",
        steps: args.steps.map_or(STEPS, |steps| steps as usize),
        quantity: if args.lr.is_some() { "rate" } else { "factor" },
        curves: curves.collect::<anyhow::Result<_>>()?,
        head: None,
    })
}

/// `LABEL: SCHEDULE`, or a schedule alone.
fn labelled(text: &str) -> (Option<&str>, &str) {
    match text.split_once(':') {
        // A colon in a table is part of a value.
        Some((label, value)) if !label.contains('{') => (Some(label.trim()), value),
        _ => (None, text),
    }
}

/// The kind of a schedule, as it is written.
fn kind(schedule: &Schedule) -> String {
    let value = serde_json::to_value(schedule).ok();
    let kind = value.and_then(|value| value["kind"].as_str().map(str::to_string));
    kind.unwrap_or_default()
}

impl Shown {
    /// What the rates are called: by the schedules where there are several.
    fn columns(&self) -> Vec<String> {
        let names: Vec<String> = match self.curves.as_slice() {
            [_] => vec![self.quantity.to_string()],
            several => several.iter().map(|curve| curve.label.clone()).collect(),
        };
        std::iter::once(self.unit.to_string())
            .chain(names)
            .collect()
    }

    fn rates(&self, step: usize) -> impl Iterator<Item = f64> {
        self.curves.iter().map(move |curve| curve.rate(step))
    }

    /// Every rate, with all its digits.
    fn csv(&self) -> String {
        let line = |cells: Vec<String>| cells.join(",") + "\n";
        let mut text = line(self.columns().iter().map(|cell| quoted(cell)).collect());
        for step in 0..self.steps {
            let rates = self.rates(step).map(|rate| rate.to_string());
            text += &line(std::iter::once(step.to_string()).chain(rates).collect());
        }
        text
    }

    /// A table of steps at equal distances and the last one.
    fn text(&self) -> String {
        let every = distance(self.steps);
        let mut table = Table::new(&self.columns());
        let last = self.steps - 1;
        for step in (0..last).step_by(every).chain([last]) {
            let rates = self.rates(step).map(|rate| format!("{rate:.4e}"));
            table.row(std::iter::once(step.to_string()).chain(rates).collect());
        }
        let mut text = String::new();
        if let Some(head) = &self.head {
            text += &format!("{head}\n\n");
        }
        text += &format!("{table}\n");
        if every > 1 {
            let unit = self.unit;
            text += &format!("\nevery {every} {unit}s; --csv prints all {}\n", self.steps);
        }
        let is_plateau = |curve: &Curve| matches!(curve.schedule, Schedule::Plateau(_));
        if self.curves.iter().any(is_plateau) {
            text += "\na plateau lowers the rate when training.watch stops improving; shown is what holds until then\n";
        }
        text
    }

    fn gallery(&self) -> Gallery {
        let lines = self.curves.iter().map(|curve| {
            let point = |step: usize| (step as f64, curve.rate(step));
            Line::new(&curve.label, (0..self.steps).map(point).collect())
        });
        Gallery {
            title: String::new(),
            x_label: self.unit.into(),
            y_label: match self.quantity {
                "factor" => "factor of the base rate".into(),
                _ => "learning rate".into(),
            },
            lines: lines.collect(),
        }
    }
}

/// From one row to the next: 1, 2 or 5 times a power of ten.
fn distance(steps: usize) -> usize {
    let mut unit = 1;
    loop {
        for factor in [1, 2, 5] {
            if steps.div_ceil(unit * factor) <= ROWS {
                return unit * factor;
            }
        }
        unit *= 10;
    }
}

/// A cell of CSV, in quotes where it must be.
fn quoted(cell: &str) -> String {
    match cell.contains(['"', ',', '\n', '\r']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_stand_before_the_first_colon_outside_a_table() {
        assert_eq!(
            labelled("slow: {kind='cosine'}"),
            (Some("slow"), " {kind='cosine'}")
        );
        assert_eq!(labelled("{kind='a:b'}"), (None, "{kind='a:b'}"));
        assert_eq!(labelled("plateau"), (None, "plateau"));
    }

    #[test]
    fn rows_are_few_and_at_round_distances() {
        for (steps, expected) in [(1, 1), (25, 1), (26, 2), (51, 5), (1000, 50), (1250, 50)] {
            assert_eq!(distance(steps), expected, "{steps}");
        }
    }

    #[test]
    fn cells_of_csv_are_quoted_where_they_must_be() {
        assert_eq!(quoted("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(quoted("a b"), "a b");
    }
}
