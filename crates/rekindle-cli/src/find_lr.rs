//! `rekindle find-lr`.

use std::path::PathBuf;

use clap::{Args as Group, ValueEnum};
use rekindle::training::report::{Gallery, Line};
use rekindle::training::{Backend, LrCurve, LrGrowth, LrPoint, LrRange, Recipe, find_lr};

use crate::args::backend;
use crate::output;
use crate::table::Table;
use crate::train::file_override;

/// Options of `find-lr`.
#[derive(Group, Debug)]
#[command(after_help = "\
Examples:
  rekindle find-lr recipes/japanese-vowels-gru.toml
  rekindle find-lr recipes/digits-lstm.toml --from 1e-5 --to 1 --steps 400 --plot rates.svg
  rekindle find-lr mine.toml --set training.optimizer=sgd --to 100 --json

Nothing is written but the files that are asked for. The rate is a first guess: see the book on where it misleads.")]
pub struct FindLrArgs {
    /// Recipe in TOML
    pub recipe: PathBuf,
    /// File to train on, instead of data.train of the recipe
    #[arg(long, value_name = "FILE")]
    pub data: Option<PathBuf>,
    /// Rate of the first step
    #[arg(long, value_name = "RATE", default_value_t = LrRange::default().from, allow_negative_numbers = true)]
    pub from: f64,
    /// Rate of the last step
    #[arg(long, value_name = "RATE", default_value_t = LrRange::default().to, allow_negative_numbers = true)]
    pub to: f64,
    /// Steps to try in memory
    #[arg(long, value_name = "N", default_value_t = LrRange::default().steps)]
    pub steps: usize,
    /// Weight of earlier losses in the smoothed one, in [0, 1)
    #[arg(long, value_name = "SHARE", default_value_t = LrRange::default().smooth, allow_negative_numbers = true)]
    pub smooth: f64,
    /// How the rate grows
    #[arg(long, value_enum, default_value_t = GrowthName::Exponential)]
    pub growth: GrowthName,
    /// Change a key of the recipe, as for `train`; can be given several times
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub sets: Vec<String>,
    /// Picture to write, as SVG
    #[arg(long, value_name = "FILE.svg")]
    pub plot: Option<PathBuf>,
    /// File to write every step to, as CSV
    #[arg(long, value_name = "FILE.csv")]
    pub csv: Option<PathBuf>,
    /// Backend, as for `train` [default: the first that is compiled in]
    #[arg(long)]
    pub backend: Option<Backend>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// How the rate grows.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrowthName {
    /// By the same factor in each step
    Exponential,
    /// By the same amount in each step
    Linear,
}

/// About how many rows the curve has.
const ROWS: usize = 24;

/// Characters of the longest bar.
const BAR: f64 = 40.0;

/// Tries rates and prints the curve with what it suggests.
pub fn run(args: &FindLrArgs) -> anyhow::Result<()> {
    for (option, path) in [("--plot", &args.plot), ("--csv", &args.csv)] {
        if let Some(path) = path {
            output::check_file(option, path)?;
        }
    }
    let recipe = recipe(args)?;
    let range = LrRange {
        from: args.from,
        to: args.to,
        steps: args.steps,
        smooth: args.smooth,
        growth: match args.growth {
            GrowthName::Exponential => LrGrowth::Exponential,
            GrowthName::Linear => LrGrowth::Linear,
        },
    };
    let curve = find_lr(&recipe, backend(args.backend)?, &range, &mut ())?;
    if let Some(path) = &args.csv {
        output::file("--csv", path, &csv(&curve))?;
    }
    if let Some(path) = &args.plot {
        output::file("--plot", path, &gallery(&curve).to_svg())?;
    }
    match args.json {
        true => output::line(&serde_json::to_string(&curve)?),
        false => output::line(&text(&curve, &range)),
    }
}

fn recipe(args: &FindLrArgs) -> anyhow::Result<Recipe> {
    let mut sets = Vec::new();
    if let Some(data) = &args.data {
        sets.push(file_override("--data", "data.train", data)?);
    }
    sets.extend_from_slice(&args.sets);
    Ok(Recipe::load(&args.recipe, &sets)?)
}

/// A rate with two digits, as one would write it.
fn short(rate: f64) -> String {
    let rounded: f64 = format!("{rate:.1e}").parse().expect("a number");
    match (1e-4..1e4).contains(&rounded) {
        true => rounded.to_string(),
        false => format!("{rounded:e}"),
    }
}

fn text(curve: &LrCurve, range: &LrRange) -> String {
    let last = curve.points.last().map_or(range.from, |point| point.lr);
    let ended = match curve.exploded {
        true => "; there the loss explodes",
        false => "; the loss does not explode up to there",
    };
    let (taken, steps) = (curve.points.len(), range.steps);
    let mut rules = Table::new(&["rule", "rate"]);
    let found = curve.suggestions;
    for (rule, rate) in [
        ("a tenth of the lowest", found.tenth_of_lowest),
        ("half way down the valley", found.valley),
        ("steepest slope", found.steepest),
    ] {
        rules.row(vec![rule.to_string(), format!("{rate:.2e}")]);
    }
    format!(
        "{}: {taken} of {steps} steps tried in memory, at rates from {} to {}{ended}\n\n{}\n\n{rules}\n\n[training]\nlr = {}",
        curve.name,
        short(range.from),
        short(last),
        sketch(&curve.points),
        short(found.tenth_of_lowest)
    )
}

/// The highest loss that is drawn: what explodes would leave nothing of the rest.
fn top(points: &[LrPoint]) -> f64 {
    1.5 * points.first().map_or(1.0, |point| point.smoothed)
}

/// The smoothed loss as bars, at steps of equal distance.
fn sketch(points: &[LrPoint]) -> Table {
    let drawn = || points.iter().map(|point| point.smoothed);
    let lowest = drawn().fold(f64::INFINITY, f64::min);
    let top = top(points);
    let highest = drawn().fold(lowest, f64::max).min(top);
    let mut table = Table::new(&["rate", "loss, smoothed", ""]);
    for point in points.iter().step_by(points.len().div_ceil(ROWS).max(1)) {
        let part = (point.smoothed.min(top) - lowest) / (highest - lowest).max(f64::MIN_POSITIVE);
        let bar = "#".repeat((BAR * part).round() as usize);
        let more = if point.smoothed > top { ">" } else { "" };
        table.row(vec![
            format!("{:.1e}", point.lr),
            format!("{:.4}", point.smoothed),
            format!("{bar}{more}"),
        ]);
    }
    table
}

fn csv(curve: &LrCurve) -> String {
    let mut text = String::from("step,lr,loss,smoothed\n");
    for (place, LrPoint { lr, loss, smoothed }) in curve.points.iter().enumerate() {
        text += &format!("{},{lr},{loss},{smoothed}\n", place + 1);
    }
    text
}

/// The curve over the logarithm of the rate, without the explosion at its end.
fn gallery(curve: &LrCurve) -> Gallery {
    let top = top(&curve.points);
    let line = |name: &str, value: fn(&LrPoint) -> f64| {
        let points = curve.points.iter();
        let points = points.map(|point| (point.lr.log10(), value(point)));
        Line::new(name, points.filter(|(_, loss)| *loss <= top).collect())
    };
    let found = curve.suggestions;
    Gallery {
        title: format!(
            "{}: a tenth of the lowest {:.1e}, valley {:.1e}, steepest {:.1e}",
            curve.name, found.tenth_of_lowest, found.valley, found.steepest
        ),
        x_label: "log10 of the learning rate".into(),
        y_label: "training loss".into(),
        lines: vec![
            line("smoothed", |point| point.smoothed),
            line("of each step", |point| point.loss),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_written_as_one_would() {
        for (rate, text) in [
            (0.008_34, "0.0083"),
            (9.96e-3, "0.01"),
            (1e-6, "1e-6"),
            (2.345e-5, "2.3e-5"),
            (10.0, "10"),
        ] {
            assert_eq!(short(rate), text);
        }
    }

    #[test]
    fn bars_leave_out_what_explodes() {
        let point = |(lr, smoothed)| LrPoint {
            lr,
            loss: smoothed,
            smoothed,
        };
        let points = [(1e-3, 2.0), (1e-2, 1.0), (1e-1, 50.0)].map(point);
        let text = sketch(&points).to_string();
        let bars: Vec<usize> = text.lines().map(|line| line.matches('#').count()).collect();
        assert_eq!(bars, [0, 0, 20, 0, 40], "{text}");
        assert_eq!(text.matches('>').count(), 1, "{text}");
    }
}
