//! `rekindle doctor`.

use std::path::Path;

use rekindle::training::doctor::{Examination, Finding, Flow, Jacobian, Subject, examine};
use rekindle::training::{Recipe, RunFolder};

use crate::args::{DoctorArgs, backend};
use crate::output;
use crate::table::Table;

/// Examines a recipe or a run, and says what is wrong.
pub fn run(args: &DoctorArgs) -> anyhow::Result<()> {
    if let Some(report) = &args.report {
        output::check_file("--report", report)?;
    }
    let subject = subject(&args.path, &args.sets)?;
    let backend = backend(args.backend)?;
    let examination = examine(&subject, args.data.as_deref(), args.steps as usize, backend)?;
    if let Some(report) = &args.report {
        output::file("--report", report, &examination.to_report().to_html())?;
    }
    if args.json {
        return output::line(&serde_json::to_string(&examination)?);
    }
    output::line(&text(&examination))
}

/// A folder is a run, anything else a recipe.
fn subject(path: &Path, sets: &[String]) -> anyhow::Result<Subject> {
    if !path.is_dir() {
        return Ok(Subject::Recipe(Box::new(Recipe::load(path, sets)?)));
    }
    anyhow::ensure!(
        sets.is_empty(),
        "--set beside a run folder: found {sets:?}, expected none; a run has the recipe that it was begun with"
    );
    anyhow::ensure!(
        RunFolder::new(path).recipe().exists(),
        "{} is no run folder: it has no recipe.toml; expected a recipe, or the --out folder of a training",
        path.display()
    );
    Ok(Subject::Run(path.to_path_buf()))
}

fn text(examination: &Examination) -> String {
    let findings = match examination.findings.len() {
        0 if examination.is_stuck() => {
            "No fault found, but the loss is that of guessing: the task may need more --steps."
                .to_string()
        }
        0 => "No fault found.".to_string(),
        _ => {
            let numbered = examination.findings.iter().enumerate();
            let texts: Vec<String> = numbered
                .map(|(place, one)| finding(place + 1, one))
                .collect();
            texts.join("\n\n")
        }
    };
    format!(
        "{}: {} steps tried in memory\n\n{}\n\n{}{findings}",
        examination.name,
        examination.tried,
        figures(examination),
        cells(examination),
    )
}

/// What was measured of the training.
fn figures(examination: &Examination) -> Table {
    let found = &examination.measurements;
    let (losses, data) = (&found.losses, &found.data);
    let mut table = Table::new(&["measured", "value"]);
    let mut row = |name: &str, value: String| table.row(vec![name.to_string(), value]);
    row(
        "loss: first, last, of guessing",
        format!(
            "{:.3}, {:.3}, {:.3}",
            losses.first, losses.last, losses.guess
        ),
    );
    row("spikes of the loss", losses.spikes.to_string());
    if losses.skipped > 0 {
        row("steps left out", losses.skipped.to_string());
    }
    if let Some(step) = losses.not_finite {
        row("not finite at step", step.to_string());
    }
    row(
        "gradient norm: median, greatest",
        format!("{}, {}", short(losses.norm), short(losses.greatest_norm)),
    );
    row("update over weight", short(found.updates.ratio()));
    row(
        "steps of a sequence: mean, most",
        format!("{:.1}, {}", data.mean_length, data.longest),
    );
    for horizon in &found.horizons {
        let name = match horizon.reverse {
            true => "memory horizon, in reverse",
            false => "memory horizon",
        };
        let text = format!(
            "{} of {} steps",
            horizon.steps,
            horizon.longest.saturating_sub(1)
        );
        row(name, text);
    }
    table
}

/// What was measured of each cell; empty if nothing was.
fn cells(examination: &Examination) -> String {
    let found = &examination.measurements;
    if found.units.is_empty() {
        return String::new();
    }
    let header = [
        "cell",
        "gradient first/last",
        "radius",
        "saturated",
        "dead",
        "copies",
    ];
    let mut table = Table::new(&header);
    for units in &found.units {
        let place = units.place;
        let flows = found.flows.iter().filter(|flow| flow.place == place);
        let flows: Vec<String> = flows.map(|flow: &Flow| short(flow.ratio())).collect();
        let radius = found
            .jacobians
            .iter()
            .find(|jacobian| jacobian.place == place);
        let gates = found.gates.iter().filter(|gate| gate.place == place);
        let gates: Vec<String> = gates
            .map(|gate| format!("{} {:.0} %", gate.gate, 100.0 * gate.share()))
            .collect();
        let or_nothing = |texts: Vec<String>| match texts.is_empty() {
            true => "-".to_string(),
            false => texts.join(", "),
        };
        table.row(vec![
            place.to_string(),
            or_nothing(flows),
            or_nothing(
                radius
                    .map(Jacobian::largest)
                    .map(short)
                    .into_iter()
                    .collect(),
            ),
            or_nothing(gates),
            format!("{} of {}", units.dead, units.units),
            format!("{} of {}", units.copies, units.units),
        ]);
    }
    format!("{table}\n\n")
}

fn finding(place: usize, finding: &Finding) -> String {
    let mut text = format!(
        "{place}. {} ({})\n{}\n{}",
        finding.name,
        finding.severity,
        wrapped(&format!("{}.", finding.evidence)),
        wrapped(&format!("Remedy: {}.", finding.advice))
    );
    for (index, remedy) in finding.remedy.iter().enumerate() {
        if index > 0 {
            text += "\n   or";
        }
        for line in remedy.lines() {
            text += &format!("\n     {line}");
        }
    }
    text += &format!("\n{}", wrapped(&format!("Threshold: {}", finding.source)));
    text
}

/// Characters of a line, at most.
const WIDTH: usize = 110;

/// A text in indented lines, broken between words.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::from("  ")];
    for word in text.split_whitespace() {
        let line = lines.last().expect("there is a line");
        if line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push(String::from("  "));
        }
        let line = lines.last_mut().expect("there is a line");
        line.push(' ');
        line.push_str(word);
    }
    lines.join("\n")
}

/// Three digits.
fn short(value: f64) -> String {
    match value {
        0.0 => "0".to_string(),
        value if (1e-3..1e5).contains(&value.abs()) => {
            let digits = (2 - value.abs().log10().floor() as i32).clamp(0, 5);
            format!("{value:.*}", digits as usize)
        }
        value => format!("{value:.1e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_sentences_are_broken_between_words() {
        let text = wrapped(&"word ".repeat(40));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2);
        assert!(lines.iter().all(|line| line.starts_with("   word")));
        assert!(
            lines
                .iter()
                .all(|line| line.len() <= WIDTH && !line.ends_with(' '))
        );
    }

    #[test]
    fn numbers_are_short() {
        for (value, text) in [
            (0.0, "0"),
            (0.5, "0.500"),
            (12.34, "12.3"),
            (1e-9, "1.0e-9"),
            (0.001_23, "0.00123"),
        ] {
            assert_eq!(short(value), text);
        }
    }
}
