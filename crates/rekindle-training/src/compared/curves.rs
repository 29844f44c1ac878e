//! Scores of groups and their learning curves, on shared axes.

use super::{Group, runs};
use crate::report::{Comparison, Panel, Scale, Subject};
use crate::{EpochRow, Metric, Outcome, Scores};

/// The picture of some groups: their scores, and the curves of the loss and of the main metric.
pub fn picture(groups: &[Group]) -> Comparison {
    let score = Score::of(groups);
    let main = score.metric.or_else(|| trained(groups));
    let beside = main.filter(|&metric| metric != Metric::Loss);
    let metrics = std::iter::once(Metric::Loss).chain(beside);
    let panels = metrics.filter_map(|metric| of_metric(groups, metric));
    comparison(groups, score, panels.collect())
}

/// The same with the curves of all that was measured.
pub(super) fn page(groups: &[Group]) -> Comparison {
    let epochs = || runs(groups).flat_map(|run| &run.epochs);
    let is_measured = |metric: &Metric| {
        let scores = |row: &EpochRow| row.valid.get(*metric).or(row.train.get(*metric));
        epochs().any(|row| scores(row).is_some())
    };
    let metrics = Metric::ALL.into_iter().filter(is_measured);
    let mut panels: Vec<Panel> = metrics
        .filter_map(|metric| of_metric(groups, metric))
        .collect();
    if panels
        .iter()
        .any(|panel| panel.title == VALIDATION.title(Metric::Loss))
    {
        panels.insert(1, TRAINING.panel(groups, Metric::Loss));
    }
    let norm = panel(groups, "Gradient norm", "mean of an epoch", |row| {
        Some(row.grad_norm)
    });
    panels.push(Panel {
        scale: Scale::Log10,
        ..norm
    });
    let rate = "last step of an epoch";
    panels.push(panel(groups, "Learning rate", rate, |row| Some(row.lr)));
    comparison(groups, Score::of(groups), panels)
}

fn comparison(groups: &[Group], score: Score, panels: Vec<Panel>) -> Comparison {
    let mut names: Vec<&str> = runs(groups).map(|run| run.recipe.name.as_str()).collect();
    names.dedup();
    let subject = |group: &Group| Subject {
        name: group.name.clone(),
        scores: group
            .outcomes()
            .filter_map(|run| score.of_run(run))
            .collect(),
    };
    Comparison {
        title: names.join(", "),
        score: score.label(),
        subjects: groups.iter().map(subject).collect(),
        panels,
    }
}

/// The scores of a run over one of its sets.
type OfRun = fn(&Outcome) -> Option<Scores>;

/// What groups are scored by.
#[derive(Clone, Copy)]
struct Score {
    /// The name of the set, and the scores over it.
    set: &'static str,
    scores: OfRun,
    /// The main metric of these; none if not every finished run has scores.
    metric: Option<Metric>,
}

impl Score {
    /// That of the test sets if every finished run has one, else that of the validation sets.
    fn of(groups: &[Group]) -> Self {
        let sets: [(&'static str, OfRun); 2] =
            [("test", |run| run.test), ("validation", |run| run.valid)];
        let outcomes = || groups.iter().flat_map(Group::outcomes);
        let [test, valid] = sets.map(|(set, scores)| {
            let main = |run: &Outcome| scores(run).and_then(|scores| scores.main());
            let first = outcomes().next().and_then(main);
            let metric = first.map(|(metric, _)| metric).filter(|&metric| {
                let mut scores = outcomes().map(scores);
                scores.all(|scores| scores.and_then(|all| all.get(metric)).is_some())
            });
            Self {
                set,
                scores,
                metric,
            }
        });
        if test.metric.is_some() { test } else { valid }
    }

    /// The score of a run, in percent if it is a share.
    fn of_run(&self, run: &Outcome) -> Option<f64> {
        let metric = self.metric?;
        Some(metric.drawn((self.scores)(run)?.get(metric)?))
    }

    fn label(&self) -> String {
        let label = |metric: Metric| format!("{} {}", self.set, metric.label());
        self.metric.map(label).unwrap_or_default()
    }
}

/// The main metric over the training data.
fn trained(groups: &[Group]) -> Option<Metric> {
    let first = runs(groups).find_map(|run| run.epochs.first())?;
    first.train.main().map(|(metric, _)| metric)
}

/// A set that is scored in every epoch.
struct Set {
    name: &'static str,
    scores: fn(&EpochRow) -> &Scores,
}

const VALIDATION: Set = Set {
    name: "Validation",
    scores: |row| &row.valid,
};

const TRAINING: Set = Set {
    name: "Training",
    scores: |row| &row.train,
};

impl Set {
    fn title(&self, metric: Metric) -> String {
        format!("{} {}", self.name, metric.title())
    }

    /// The curves of a metric, on a log scale where values span more than a power of ten.
    fn panel(&self, groups: &[Group], metric: Metric) -> Panel {
        let value = |row: &EpochRow| {
            let value = (self.scores)(row).get(metric)?;
            Some(metric.drawn(value))
        };
        let panel = panel(groups, &self.title(metric), &metric.label(), value);
        let values = panel.curves.iter().flatten().flatten();
        Panel {
            scale: Scale::fit(values.map(|point| point.1)),
            ..panel
        }
    }
}

/// The curves of a metric over the validation sets if it was measured there in every epoch of every run that knows it, else
/// over the training data; `None` if it was not measured there either.
fn of_metric(groups: &[Group], metric: Metric) -> Option<Panel> {
    let has = |set: &Set, row: &EpochRow| (set.scores)(row).get(metric).is_some();
    let knows = |epochs: &[EpochRow]| {
        let mut rows = epochs.iter();
        rows.any(|row| has(&VALIDATION, row) || has(&TRAINING, row))
    };
    let epochs = || {
        let runs = runs(groups).map(|run| run.epochs.as_slice());
        runs.filter(|epochs| knows(epochs)).flatten()
    };
    epochs().next()?;
    let sets = [VALIDATION, TRAINING];
    let set = sets
        .into_iter()
        .find(|set| epochs().all(|row| has(set, row)))?;
    Some(set.panel(groups, metric))
}

/// The curves of a figure of epochs.
fn panel(
    groups: &[Group],
    title: &str,
    label: &str,
    value: impl Fn(&EpochRow) -> Option<f64>,
) -> Panel {
    let point = |row: &EpochRow| Some((row.epoch as f64, value(row)?));
    let of_group = |group: &Group| {
        let curves = group.runs.iter();
        let curves = curves.map(|run| run.epochs.iter().filter_map(point).collect::<Vec<_>>());
        curves.filter(|curve| !curve.is_empty()).collect::<Vec<_>>()
    };
    Panel {
        title: title.into(),
        x_label: "epoch".into(),
        y_label: label.into(),
        scale: Scale::Linear,
        curves: groups.iter().map(of_group).collect(),
    }
}
