//! The report of a run, from its figures.

use rekindle_optim::{Clip, Limit};
use rekindle_regularize::Targets;
use rekindle_regularize::prune::PruneReport;
use rekindle_regularize::units::UnitScore;

use crate::doctor::Health;
use crate::history::StepRow;
use crate::recipe::{Keep, Recipe};
use crate::report::{
    Chart, ConfusionMatrix, Fact, Line, Report, Scale, ScoreRow, TensorRow, UnitMap, WeightsPart,
};
use crate::{Classifier, EpochRow, Evaluation, Outcome};

/// What a report is made of.
pub(crate) struct Summary<'a> {
    pub(crate) recipe: &'a Recipe,
    pub(crate) outcome: &'a Outcome,
    pub(crate) classes: &'a [String],
    /// With the weights that are kept, without autodiff.
    pub(crate) classifier: &'a Classifier,
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
            subtitle: format!("{} classifier, {}", self.outcome.cell, self.weights()),
            facts: self.facts(),
            scores: evaluated()
                .map(|(split, evaluation)| ScoreRow {
                    split: split.to_string(),
                    accuracy: evaluation.scores.accuracy,
                    macro_f1: evaluation.scores.macro_f1,
                    loss: evaluation.scores.loss,
                })
                .collect(),
            charts: [
                self.loss(),
                self.accuracy(),
                self.learning_rate(),
                self.gradient_norm(),
            ]
            .into_iter()
            .chain(self.health.chart())
            .collect(),
            health: self.health.part(),
            confusions: evaluated()
                .map(|(split, evaluation)| ConfusionMatrix {
                    split: split.to_string(),
                    classes: self.classes.to_vec(),
                    counts: evaluation.confusion.counts.clone(),
                })
                .collect(),
            weights: self.weights_part(),
            recipe: self.recipe.to_toml(),
        }
    }

    /// How many weights are zero, and how large those of each unit are.
    fn weights_part(&self) -> WeightsPart {
        let report = PruneReport::of(self.classifier, &Targets::weights());
        let tensors = report.map(|report| report.tensors).unwrap_or_default();
        let scores = UnitScore::Norm.score(self.classifier, &self.classifier.units(), None);
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
        let train = self.over_epochs("training", |row| Some(row.train_loss));
        let valid = self.over_epochs("validation", |row| row.valid_loss);
        self.both("Loss", "cross-entropy (nats)", train, valid)
    }

    fn accuracy(&self) -> Chart {
        let percent = |share: f64| 100.0 * share;
        let train = self.over_epochs("training", |row| Some(percent(row.train_accuracy)));
        let valid = self.over_epochs("validation", |row| row.valid_accuracy.map(percent));
        let chart = self.both("Accuracy", "accuracy (%)", train, valid);
        Chart {
            note: Some(
                "Training figures are taken with dropout and without penalties, before each step."
                    .into(),
            ),
            ..chart
        }
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
