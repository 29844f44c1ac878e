//! The report of a run, from its figures.

use rekindle_optim::{Clip, Limit};
use rekindle_regularize::Targets;
use rekindle_regularize::prune::PruneReport;
use rekindle_regularize::units::UnitScore;

use crate::doctor::Health;
use crate::history::StepRow;
use crate::recipe::{Keep, Learns, Recipe};
use crate::report::{
    Chart, ConfusionMatrix, Fact, Line, Report, Scale, ScoreRow, TensorRow, UnitMap, WeightsPart,
};
use crate::{EpochRow, Evaluation, Metric, Network, Outcome, Scores};

/// What a report is made of.
pub(crate) struct Summary<'a> {
    pub(crate) recipe: &'a Recipe,
    pub(crate) outcome: &'a Outcome,
    pub(crate) classes: &'a [String],
    /// With the weights that are kept, without autodiff.
    pub(crate) network: &'a Network,
    pub(crate) epochs: &'a [EpochRow],
    pub(crate) steps: &'a [StepRow],
    /// By name of the set.
    pub(crate) evaluations: &'a [(&'static str, Option<Evaluation>)],
    /// What was seen of the gradients, and gates; empty unless the recipe asks for it.
    pub(crate) health: &'a Health,
}

impl Summary<'_> {
    pub(crate) fn to_report(&self) -> Report {
        let evaluated = || {
            let all = self.evaluations.iter();
            all.filter_map(|(split, evaluation)| Some((*split, evaluation.as_ref()?)))
        };
        Report {
            title: self.recipe.name.clone(),
            subtitle: format!(
                "{} {}, {}",
                self.outcome.cell,
                self.recipe.learned(),
                self.weights()
            ),
            facts: self.facts(),
            scores: evaluated()
                .map(|(split, evaluation)| ScoreRow {
                    split: split.to_string(),
                    scores: evaluation.scores,
                })
                .collect(),
            charts: std::iter::once(self.loss())
                .chain(self.beside_loss())
                .chain([self.learning_rate(), self.gradient_norm()])
                .chain(self.health.chart())
                .collect(),
            health: self.health.part(),
            confusions: evaluated()
                .filter_map(|(split, evaluation)| {
                    let counts = evaluation.confusion.as_ref()?.counts.clone();
                    Some(ConfusionMatrix {
                        split: split.to_string(),
                        classes: self.classes.to_vec(),
                        counts,
                    })
                })
                .collect(),
            weights: self.weights_part(),
            recipe: self.recipe.to_toml(),
        }
    }

    /// How many weights are zero, and how large those of each unit are.
    fn weights_part(&self) -> WeightsPart {
        let report = PruneReport::of(self.network, &Targets::weights());
        let tensors = report.map(|report| report.tensors).unwrap_or_default();
        let scores = UnitScore::Norm.score(self.network, &self.network.units(), None);
        let units = scores.map(|scores| scores.groups).unwrap_or_default();
        WeightsPart {
            tensors: (tensors.into_iter())
                .map(|tensor| TensorRow {
                    name: tensor.path,
                    shape: tensor.shape,
                    nonzero: tensor.nonzero,
                    total: tensor.total,
                })
                .collect(),
            units: (units.into_iter())
                .map(|group| UnitMap {
                    name: group.name,
                    norms: group.scores,
                })
                .collect(),
        }
    }

    fn weights(&self) -> String {
        match self.recipe.training.keep {
            Keep::Best => format!("weights of the best epoch, {}", self.outcome.kept_epoch),
            Keep::Last => format!("weights of the last epoch, {}", self.outcome.kept_epoch),
        }
    }

    fn facts(&self) -> Vec<Fact> {
        let outcome = self.outcome;
        let mut facts = vec![
            Fact::new("cell", outcome.cell),
            Fact::new("parameters", outcome.parameters),
            Fact::new("epochs", outcome.epochs),
            Fact::new("training time", format!("{:.1} s", outcome.seconds)),
            Fact::new("backend", outcome.backend),
            Fact::new("seed", outcome.seed),
        ];
        if outcome.skipped_steps > 0 {
            facts.push(Fact::new("steps left out", outcome.skipped_steps));
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
        Chart {
            mark: Some((self.outcome.kept_epoch as f64, "weights kept".to_string())),
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
        let scale = if metric.is_share() { 100.0 } else { 1.0 };
        let value = |scores: &Scores| Some(scale * scores.get(metric)?);
        let train = self.over_epochs("training", |row| value(&row.train));
        let valid = self.over_epochs("validation", |row| value(&row.valid));
        let mut title = metric.title().to_string();
        title[..1].make_ascii_uppercase();
        let label = match metric.is_share() {
            true => format!("{} (%)", metric.title()),
            false => metric.title().to_string(),
        };
        let chart = self.both(&title, &label, train, valid);
        let note = "Training figures are taken with dropout and without penalties, before each step.";
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
