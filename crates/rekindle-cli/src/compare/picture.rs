//! The picture of a comparison: scores and learning curves.

use rekindle::training::report::{Comparison, Panel, Scale, Subject};
use rekindle::training::{EpochRow, Metric, Scores};

use super::results::{Compared, Naming, Run};

/// The picture as SVG.
pub fn svg(compared: &[Compared]) -> String {
    let mut names: Vec<&str> = compared.iter().map(|row| row.name.as_str()).collect();
    names.dedup();
    let score = Score::of(compared);
    let naming = Naming::of(compared);
    let subject = |row: &Compared| Subject {
        name: naming.names(row, true).join(", "),
        scores: row
            .runs
            .iter()
            .filter_map(|run| score.of_run(run))
            .collect(),
    };
    let comparison = Comparison {
        title: names.join(", "),
        score: score.label(),
        subjects: compared.iter().map(subject).collect(),
        panels: panels(compared, score.metric.or_else(|| trained(compared))),
    };
    comparison.to_svg()
}

/// The scores of a run over one of its sets.
type OfRun = fn(&Run) -> Option<Scores>;

/// The scores of an epoch over one of its sets.
type OfEpoch = fn(&EpochRow) -> &Scores;

/// What subjects are scored by.
#[derive(Clone, Copy)]
struct Score {
    /// The name of the set, and the scores over it.
    set: &'static str,
    scores: OfRun,
    /// The main metric of these; none if not every run has scores.
    metric: Option<Metric>,
}

impl Score {
    /// That of the test sets if every run has one, else that of the validation sets.
    fn of(compared: &[Compared]) -> Self {
        let sets: [(&'static str, OfRun); 2] = [
            ("test", |run| run.outcome.test),
            ("validation", |run| run.outcome.valid),
        ];
        let all = sets.map(|(set, scores)| {
            let main = |run: &Run| scores(run).and_then(|scores| scores.main());
            let first = runs(compared).next().and_then(main);
            let metric = first.map(|(metric, _)| metric).filter(|&metric| {
                runs(compared).all(|run| scores(run).and_then(|all| all.get(metric)).is_some())
            });
            Self {
                set,
                scores,
                metric,
            }
        });
        let [test, valid] = all;
        if test.metric.is_some() { test } else { valid }
    }

    /// The score of a run, in percent if it is a share.
    fn of_run(&self, run: &Run) -> Option<f64> {
        let metric = self.metric?;
        Some(drawn(metric, (self.scores)(run)?.get(metric)?))
    }

    fn label(&self) -> String {
        let label = |metric| format!("{} {}", self.set, label(metric));
        self.metric.map(label).unwrap_or_default()
    }
}

/// A value as it is drawn: shares in percent.
fn drawn(metric: Metric, value: f64) -> f64 {
    if metric.is_share() {
        100.0 * value
    } else {
        value
    }
}

/// What is drawn.
fn label(metric: Metric) -> String {
    match metric.is_share() {
        true => format!("{} (%)", metric.title()),
        false => metric.title().to_string(),
    }
}

fn runs(compared: &[Compared]) -> impl Iterator<Item = &Run> {
    compared.iter().flat_map(|row| &row.runs)
}

/// The main metric over the training data.
fn trained(compared: &[Compared]) -> Option<Metric> {
    let first = runs(compared).find_map(|run| run.epochs.first())?;
    first.train.main().map(|(metric, _)| metric)
}

/// The curves of the loss, and of the main metric beside it.
fn panels(compared: &[Compared], main: Option<Metric>) -> Vec<Panel> {
    let beside = main.filter(|&metric| metric != Metric::Loss);
    let metrics = std::iter::once(Metric::Loss).chain(beside);
    metrics
        .filter_map(|metric| panel(compared, metric))
        .collect()
}

/// The curves of a metric over the validation sets if it was measured in every epoch of every run, else over the training
/// data; `None` if it was not measured there either.
fn panel(compared: &[Compared], metric: Metric) -> Option<Panel> {
    let sets: [(&str, OfEpoch); 2] = [
        ("Validation", |row| &row.valid),
        ("Training", |row| &row.train),
    ];
    let is_measured = |scores: OfEpoch| {
        let mut epochs = runs(compared).flat_map(|run| &run.epochs);
        epochs.all(|row| scores(row).get(metric).is_some())
    };
    let (set, scores) = sets.into_iter().find(|(_, scores)| is_measured(*scores))?;
    let point = |row: &EpochRow| {
        let value = scores(row).get(metric)?;
        Some((row.epoch as f64, drawn(metric, value)))
    };
    let curve = |run: &Run| run.epochs.iter().filter_map(point).collect::<Vec<_>>();
    let curves = compared
        .iter()
        .map(|row| row.runs.iter().map(curve).collect::<Vec<_>>())
        .collect::<Vec<_>>();
    let values = curves.iter().flatten().flatten().map(|point| point.1);
    Some(Panel {
        title: format!("{set} {}", metric.title()),
        x_label: "epoch".into(),
        y_label: label(metric),
        scale: Scale::fit(values),
        curves,
    })
}
