//! The report of a run, from its figures.

use rekindle_optim::{Clip, Limit};

use crate::doctor::{EpochFlows, last_epoch, over_epochs};
use crate::history::StepRow;
use crate::portrait::Portrait;
use crate::recipe::{Keep, Learns, Recipe};
use crate::report::{Chart, Fact, Line, Report, Scale, ScoreRow};
use crate::{EpochRow, Metric, Outcome, Scores, Track};

/// What a report is made of.
pub(crate) struct Summary<'a> {
    pub(crate) recipe: &'a Recipe,
    pub(crate) epochs: &'a [EpochRow],
    pub(crate) steps: &'a [StepRow],
    /// What was seen of the gradients; empty unless the recipe asks for it.
    pub(crate) flows: &'a [EpochFlows],
    /// The result and the network; `None` of a run that is not finished.
    pub(crate) end: Option<(&'a Outcome, Portrait)>,
}

impl Summary<'_> {
    pub(crate) fn to_report(&self) -> Report {
        let portrait = self.end.as_ref().map(|(_, portrait)| portrait.clone());
        let portrait = portrait.unwrap_or_default();
        Report {
            title: self.recipe.name.clone(),
            subtitle: format!(
                "{} {}, {}",
                self.recipe.model.cell,
                self.recipe.learned(),
                self.weights()
            ),
            facts: self.facts(),
            scores: self.scores(),
            charts: std::iter::once(self.loss())
                .chain(self.beside_loss())
                .chain(portrait.tracks.iter().map(track))
                .chain([self.learning_rate(), self.gradient_norm()])
                .chain(over_epochs(self.flows))
                .collect(),
            health: last_epoch(self.flows, portrait.gates),
            confusions: portrait.confusions,
            weights: portrait.weights,
            recipe: self.recipe.to_toml(),
        }
    }

    fn outcome(&self) -> Option<&Outcome> {
        self.end.as_ref().map(|(outcome, _)| *outcome)
    }

    /// Those of the result; of a run that is not finished, those of its last epoch.
    fn scores(&self) -> Vec<ScoreRow> {
        let row = |(split, scores): (&str, Option<Scores>)| {
            let scores = scores.filter(|scores| !scores.is_empty())?;
            let split = split.to_string();
            Some(ScoreRow { split, scores })
        };
        let last = self.epochs.last();
        let sets = match self.outcome() {
            Some(outcome) => vec![("validation", outcome.valid), ("test", outcome.test)],
            None => vec![("validation so far", last.map(|row| row.valid))],
        };
        sets.into_iter().filter_map(row).collect()
    }

    fn weights(&self) -> String {
        let Some(outcome) = self.outcome() else {
            return "not finished".into();
        };
        match self.recipe.training.keep {
            Keep::Best => format!("weights of the best epoch, {}", outcome.kept_epoch),
            Keep::Last => format!("weights of the last epoch, {}", outcome.kept_epoch),
        }
    }

    fn facts(&self) -> Vec<Fact> {
        let epochs = self.epochs.iter();
        let mut facts = vec![Fact::new("cell", self.recipe.model.cell)];
        match self.outcome() {
            Some(outcome) => facts.extend([
                Fact::new("parameters", outcome.parameters),
                Fact::new("epochs", outcome.epochs),
                Fact::new("training time", format!("{:.1} s", outcome.seconds)),
                Fact::new("devices", &outcome.devices),
            ]),
            None => {
                let (done, all) = (self.epochs.len(), self.recipe.training.epochs);
                let seconds: f64 = epochs.clone().map(|row| row.seconds).sum();
                facts.push(Fact::new("epochs so far", format!("{done} of {all}")));
                facts.push(Fact::new("training time", format!("{seconds:.1} s")));
            }
        }
        facts.push(Fact::new("seed", self.recipe.seed));
        let skipped = match self.outcome() {
            Some(outcome) => outcome.skipped_steps,
            None => epochs.map(|row| row.skipped).sum(),
        };
        if skipped > 0 {
            facts.push(Fact::new("steps left out", skipped));
        }
        facts
    }

    /// A line over epochs; epochs where it was not measured are left out.
    fn over_epochs(&self, name: &str, value: impl Fn(&EpochRow) -> Option<f64>) -> Line {
        let point = |row: &EpochRow| Some((row.epoch as f64, value(row)?));
        Line::new(name, self.epochs.iter().filter_map(point).collect())
    }

    /// Training and validation over epochs, the kept epoch marked.
    fn both(&self, title: &str, label: &str, train: Line, valid: Line) -> Chart {
        let lines = [train, valid]
            .into_iter()
            .filter(|line| !line.points.is_empty())
            .collect();
        let kept = |outcome: &Outcome| (outcome.kept_epoch as f64, "weights kept".to_string());
        Chart {
            mark: self.outcome().map(kept),
            ..Chart::new(title, "epoch", label, lines)
        }
    }

    fn loss(&self) -> Chart {
        let train = self.over_epochs("training", |row| row.train.get(Metric::Loss));
        let valid = self.over_epochs("validation", |row| row.valid.get(Metric::Loss));
        let label = match self.recipe.learns() {
            Learns::Labels(kind) if !kind.is_class() => "mean squared error",
            _ => "cross-entropy (nats)",
        };
        self.both("Loss", label, train, valid)
    }

    /// The first metric beside the loss that is measured, over the training data if it is measured there.
    fn beside_loss(&self) -> Option<Chart> {
        let first = self.epochs.first()?;
        let beside = |scores: &Scores| scores.main().filter(|(metric, _)| *metric != Metric::Loss);
        let (metric, _) = beside(&first.train).or_else(|| beside(&first.valid))?;
        let value = |scores: &Scores| scores.get(metric).map(|value| metric.drawn(value));
        let train = self.over_epochs("training", |row| value(&row.train));
        let valid = self.over_epochs("validation", |row| value(&row.valid));
        let (title, label) = (metric.heading(), metric.label());
        let chart = self.both(&title, &label, train, valid);
        let note =
            "Training figures are taken with dropout and without penalties, before each step.";
        Some(Chart {
            note: first.train.get(metric).map(|_| note.into()),
            ..chart
        })
    }

    fn learning_rate(&self) -> Chart {
        let points: Vec<_> = self
            .steps
            .iter()
            .map(|row| (row.step as f64, row.lr))
            .collect();
        let scale = Scale::fit(points.iter().map(|point| point.1));
        let lines = vec![Line::new("learning rate", points)];
        Chart {
            scale,
            ..Chart::new("Learning rate", "step", "learning rate", lines)
        }
    }

    fn gradient_norm(&self) -> Chart {
        let taken = self.steps.iter().filter(|row| !row.skipped);
        let points: Vec<_> = taken.map(|row| (row.step as f64, row.grad_norm)).collect();
        let lines = vec![Line::new("gradient norm", points)];
        let label = "global norm before clipping";
        let note = match self.recipe.training.clip {
            Clip::Norm {
                max: Limit::Constant(max),
                p: 2.0,
            } if max.is_finite() => Some(format!("Gradients are scaled down to a norm of {max}.")),
            _ => None,
        };
        Chart {
            scale: Scale::Log10,
            note,
            ..Chart::new("Gradient norm", "step", label, lines)
        }
    }
}

/// What the network answered beside the truth, over the set that was scored.
fn track((split, track): &(String, Track)) -> Chart {
    let lines = vec![
        Line::new("truth", track.truth.clone()),
        Line::new("answer", track.predicted.clone()),
    ];
    let title = format!("Truth and answers, {split}");
    Chart::new(title, track.over.clone(), track.name.clone(), lines)
}
