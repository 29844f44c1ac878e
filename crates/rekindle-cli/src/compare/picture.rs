//! The picture of a comparison: scores and learning curves.

use rekindle::training::report::{Comparison, Panel, Scale, Subject};
use rekindle::training::{EpochRow, Scores};

use super::results::{Compared, Naming, Run};

/// One figure of an epoch, with how it is called.
struct Quantity {
    title: &'static str,
    label: &'static str,
    value: fn(&EpochRow) -> Option<f64>,
}

/// Losses, from the better measure to the one that every run has.
const LOSSES: [Quantity; 2] = [
    Quantity {
        title: "Validation loss",
        label: "cross-entropy (nats)",
        value: |row| row.valid_loss,
    },
    Quantity {
        title: "Training loss",
        label: "cross-entropy (nats)",
        value: |row| Some(row.train_loss),
    },
];

/// The same for accuracies.
const ACCURACIES: [Quantity; 2] = [
    Quantity {
        title: "Validation accuracy",
        label: "accuracy (%)",
        value: |row| row.valid_accuracy.map(|share| 100.0 * share),
    },
    Quantity {
        title: "Training accuracy",
        label: "accuracy (%)",
        value: |row| Some(100.0 * row.train_accuracy),
    },
];

/// The picture as SVG.
pub fn svg(compared: &[Compared]) -> String {
    let mut names: Vec<&str> = compared.iter().map(|row| row.name.as_str()).collect();
    names.dedup();
    let (score, value) = score(compared);
    let naming = Naming::of(compared);
    let subject = |row: &Compared| Subject {
        name: naming.names(row, true).join(", "),
        scores: row.runs.iter().filter_map(value).collect(),
    };
    let comparison = Comparison {
        title: names.join(", "),
        score: score.into(),
        subjects: compared.iter().map(subject).collect(),
        panels: vec![panel(compared, &LOSSES), panel(compared, &ACCURACIES)],
    };
    comparison.to_svg()
}

/// The score that every run has: that of the test set, else that of the validation set, else none.
fn score(compared: &[Compared]) -> (&'static str, fn(&Run) -> Option<f64>) {
    let test: fn(&Run) -> Option<f64> = |run| run.outcome.test.map(percent);
    let valid: fn(&Run) -> Option<f64> = |run| run.outcome.valid.map(percent);
    let have = |value: fn(&Run) -> Option<f64>| runs(compared).all(|run| value(run).is_some());
    match (have(test), have(valid)) {
        (true, _) => ("test accuracy (%)", test),
        (false, true) => ("validation accuracy (%)", valid),
        (false, false) => ("", |_| None),
    }
}

fn percent(scores: Scores) -> f64 {
    100.0 * scores.accuracy
}

fn runs(compared: &[Compared]) -> impl Iterator<Item = &Run> {
    compared.iter().flat_map(|row| &row.runs)
}

/// The curves of the first quantity that was measured in every epoch of every run; the last one always is.
fn panel(compared: &[Compared], [best, always]: &[Quantity; 2]) -> Panel {
    let mut epochs = runs(compared).flat_map(|run| &run.epochs);
    let quantity = match epochs.all(|row| (best.value)(row).is_some()) {
        true => best,
        false => always,
    };
    let point = |row: &EpochRow| Some((row.epoch as f64, (quantity.value)(row)?));
    let curve = |run: &Run| run.epochs.iter().filter_map(point).collect::<Vec<_>>();
    let curves = compared
        .iter()
        .map(|row| row.runs.iter().map(curve).collect::<Vec<_>>())
        .collect::<Vec<_>>();
    let values = curves.iter().flatten().flatten().map(|point| point.1);
    Panel {
        title: quantity.title.into(),
        x_label: "epoch".into(),
        y_label: quantity.label.into(),
        scale: Scale::fit(values),
        curves,
    }
}
