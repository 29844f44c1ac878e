//! What pages show of a network's health.

use burn::tensor::Device;

use super::examine::SAMPLE;
use super::look::Seen;
use super::network::Patient;
use super::{EpochFlows, Examination, Finding, Flow, Measurements, Saturation};
use crate::Network;
use crate::report::{Chart, Fact, FindingRow, FlowRow, HealthPart, Histogram, Line, Report, Scale};
use crate::splits::DataError;
use crate::task::Task;

impl Examination {
    /// The examination as a page.
    pub fn to_report(&self) -> Report {
        let Measurements {
            losses,
            updates,
            data,
            horizons,
            ..
        } = &self.measurements;
        let horizon = horizons.iter().map(|horizon| horizon.steps.to_string());
        let horizon: Vec<String> = horizon.collect();
        Report {
            title: format!("{}: examination", self.name),
            subtitle: format!("{} steps tried in memory", self.tried),
            facts: vec![
                Fact::new("first loss", format!("{:.3}", losses.first)),
                Fact::new("last loss", format!("{:.3}", losses.last)),
                Fact::new("loss of guessing", format!("{:.3}", losses.guess)),
                Fact::new("spikes", losses.spikes),
                Fact::new("gradient norm", format!("{:.2e}", losses.norm)),
                Fact::new("update over weight", format!("{:.2e}", updates.ratio())),
                Fact::new("memory horizon", format!("{} steps", horizon.join(", "))),
                Fact::new("longest sequence", format!("{} steps", data.longest)),
            ],
            charts: over_epochs(&self.watched).into_iter().collect(),
            health: HealthPart {
                examined: true,
                findings: self.findings.iter().map(finding).collect(),
                ..health(&self.measurements.flows, &self.measurements.gates)
            },
            ..Report::default()
        }
    }
}

/// The gates of a network on a sample of a task's training data.
///
/// # Errors
/// If there is no sample.
pub(crate) fn gates_of(
    network: &Network,
    task: &dyn Task,
    device: &Device,
) -> Result<Vec<Histogram>, DataError> {
    let sample = task.sample(None, SAMPLE, device)?;
    let seen = Seen::of(&Patient::new(network), &sample);
    Ok(seen.gates.iter().map(gate).collect())
}

/// What the report of a run that was watched shows of its last epoch.
pub(crate) fn last_epoch(epochs: &[EpochFlows], gates: Vec<Histogram>) -> HealthPart {
    let flows = epochs.last().map_or(&[][..], |last| &last.flows);
    HealthPart {
        gates,
        ..health(flows, &[])
    }
}

/// Pictures of flows and gates.
fn health(flows: &[Flow], gates: &[Saturation]) -> HealthPart {
    HealthPart {
        flows: flows.iter().map(flow).collect(),
        gates: gates.iter().map(gate).collect(),
        ..HealthPart::default()
    }
}

/// The gradient of the first tenth over that of the last one, epoch by epoch; `None` without epochs.
pub(crate) fn over_epochs(epochs: &[EpochFlows]) -> Option<Chart> {
    let first = &epochs.iter().find(|row| !row.flows.is_empty())?.flows;
    let line = |(index, flow): (usize, &Flow)| {
        let point = |row: &EpochFlows| {
            let flow = row.flows.get(index)?;
            Some((row.epoch as f64, flow.ratio()))
        };
        let points = epochs.iter().filter_map(point).collect();
        Line::new(name(flow), points)
    };
    Some(Chart {
        scale: Scale::Log10,
        ..Chart::new(
            "Gradient that reaches the beginning",
            "epoch",
            "first tenth of a sequence over last tenth",
            first.iter().enumerate().map(line).collect(),
        )
    })
}

fn name(flow: &Flow) -> String {
    format!("{}, {}", flow.place, flow.state)
}

fn flow(flow: &Flow) -> FlowRow {
    FlowRow {
        name: name(flow),
        norms: flow.norms.clone(),
    }
}

fn gate(gate: &Saturation) -> Histogram {
    Histogram {
        name: format!("{}, {}", gate.place, gate.gate),
        range: match gate.gate {
            rekindle_cells::Gate::Candidate => [-1.0, 1.0],
            _ => [0.0, 1.0],
        },
        counts: gate.histogram.clone(),
        note: format!(
            "{:.0} % near the lower end, {:.0} % near the upper one",
            100.0 * gate.low,
            100.0 * gate.high
        ),
    }
}

fn finding(finding: &Finding) -> FindingRow {
    FindingRow {
        name: format!("{} ({})", finding.name, finding.severity),
        sentences: vec![
            format!("{}.", finding.evidence),
            format!("Remedy: {}.", finding.advice),
            format!("Threshold: {}.", finding.source),
        ],
        remedy: finding.remedy.clone(),
    }
}
