//! The section `[data]`, and what is learned from it.

use std::path::PathBuf;

use rekindle_cells::Direction;
use rekindle_data::{ChunkLength, Forecast, LabelKind, Missing, Problem, Scaling, TokenKind};
use serde::{Deserialize, Serialize};

use super::validate::check;
use super::{Recipe, RecipeError};

/// The section `[data]`.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct DataRecipe {
    /// The file to train on. Default: none, there is a problem in its place.
    pub train: Option<PathBuf>,
    /// The file to validate on. Default: none, a part of `train` is held out.
    pub valid: Option<PathBuf>,
    /// The file that is scored at the end. Default: none.
    pub test: Option<PathBuf>,
    /// Fraction held out of `train` if there is no `valid`, in `[0, 1)`, 0 for none: of each class, or of the end of each
    /// series that is foretold. Default: 0.1.
    pub valid_fraction: f64,
    /// Whether what would be validated on is trained on, too, once all is settled; nothing is validated then. Default: false.
    pub train_on_valid: bool,
    /// What to do with missing values. Default: an error.
    pub missing: Missing,
    /// Scaling of the channels, fitted on the training sequences. Default: standard.
    pub scaling: Scaling,
    /// What labels are. Default: one class for each sequence.
    pub labels: LabelKind,
    /// Scaling of numbers that are labels or foretold, fitted on the training sequences. Default: standard.
    pub target_scaling: Scaling,
    /// What is foretold of series, in place of their labels. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forecast: Option<Forecast>,
    /// Where sequences are drawn from, in place of files. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<ProblemRecipe>,
}

impl Default for DataRecipe {
    fn default() -> Self {
        Self {
            train: None,
            valid: None,
            test: None,
            valid_fraction: 0.1,
            train_on_valid: false,
            missing: Missing::Error,
            scaling: Scaling::Standard,
            labels: LabelKind::Class,
            target_scaling: Scaling::Standard,
            forecast: None,
            problem: None,
        }
    }
}

/// `data.problem`: a problem, and how many of its sequences are drawn.
#[derive(Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProblemRecipe {
    /// The problem.
    #[serde(flatten)]
    pub problem: Problem,
    /// Sequences of an epoch, drawn anew in each, at least 1. Default: 1000.
    #[serde(default = "thousand")]
    pub sequences: usize,
    /// Sequences to validate on, and as many to test on, at least 1. Default: 1000.
    #[serde(default = "thousand")]
    pub held_out: usize,
}

fn thousand() -> usize {
    1000
}

/// How labels of a kind are read. Those of series that are foretold may be anything: they do not count.
pub(crate) fn read_as(labels: LabelKind, forecast: Option<&Forecast>) -> LabelKind {
    match forecast {
        Some(_) => LabelKind::StepClass,
        None => labels,
    }
}

/// What a run learns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Learns {
    /// The next token of a text.
    Text(TokenKind),
    /// Labels, or what is foretold: numbers of steps.
    Labels(LabelKind),
}

impl Recipe {
    /// What a run of the recipe learns.
    pub(crate) fn learns(&self) -> Learns {
        let data = &self.data;
        match (&self.text, &data.forecast, data.problem) {
            (Some(text), _, _) => Learns::Text(text.tokens),
            (None, Some(_), _) => Learns::Labels(LabelKind::StepValue),
            (None, None, Some(problem)) => Learns::Labels(match problem.problem {
                Problem::Adding { .. } => LabelKind::Value,
                Problem::CopyMemory { .. } => LabelKind::StepClass,
            }),
            (None, None, None) => Learns::Labels(data.labels),
        }
    }

    /// Whether there is an answer for each step, not one for each sequence.
    pub(crate) fn answers_each_step(&self) -> bool {
        match self.learns() {
            Learns::Text(_) => true,
            Learns::Labels(kind) => kind.is_of_steps(),
        }
    }

    /// What the network is called that a run trains.
    pub(crate) fn learned(&self) -> &'static str {
        match self.learns() {
            Learns::Text(_) => "language model",
            Learns::Labels(_) if self.data.forecast.is_some() => "forecaster",
            Learns::Labels(kind) if kind.is_class() => "classifier",
            Learns::Labels(_) => "regressor",
        }
    }

    /// The steps that gradients of a text flow back.
    pub(crate) fn chunk_length(&self) -> ChunkLength {
        let usual = ChunkLength::Fixed { steps: 70 };
        self.training.bptt.unwrap_or(usual)
    }

    /// Checks what is said about the data and what is learned from them.
    pub(super) fn check_data(&self) -> Result<(), RecipeError> {
        let data = &self.data;
        check(
            (0.0..1.0).contains(&data.valid_fraction),
            "data.valid_fraction",
            data.valid_fraction,
            "a fraction in [0, 1)",
        )?;
        self.check_problem()?;
        if let Some(forecast) = &data.forecast {
            check(
                forecast.horizon > 0,
                "data.forecast.horizon",
                0,
                "at least 1",
            )?;
            check(
                data.labels == LabelKind::Class && data.problem.is_none() && self.text.is_none(),
                "data.forecast",
                "beside data.labels, data.problem or [text]",
                "it alone: what is foretold takes the place of labels",
            )?;
            check(
                self.model.direction == Direction::Forward,
                "model.direction",
                "a direction that reads from the end",
                "\"forward\" with data.forecast: what comes next must not be read before",
            )?;
        }
        self.check_bptt()
    }

    fn check_problem(&self) -> Result<(), RecipeError> {
        let data = &self.data;
        let Some(ProblemRecipe {
            problem,
            sequences,
            held_out,
        }) = data.problem
        else {
            let expected = "a file to train on, or data.problem in its place";
            return check(data.train.is_some(), "data.train", "missing", expected);
        };
        let files = [&data.train, &data.valid, &data.test];
        let is_alone = files.iter().all(|file| file.is_none()) && self.text.is_none();
        check(
            is_alone,
            "data.problem",
            "beside files or [text]",
            "it alone: its sequences are drawn",
        )?;
        check(
            !data.train_on_valid,
            "data.train_on_valid",
            true,
            "false with data.problem: new sequences are drawn in each epoch",
        )?;
        check(sequences > 0, "data.problem.sequences", 0, "at least 1")?;
        check(held_out > 0, "data.problem.held_out", 0, "at least 1")?;
        problem.validate().map_err(|error| RecipeError::Entry {
            key: format!("data.problem.{}", error.field),
            found: error.found.to_string(),
            expected: "at least as many as the problem needs: 2 steps or symbols, 1 of others",
        })
    }

    fn check_bptt(&self) -> Result<(), RecipeError> {
        let Some(length) = &self.training.bptt else {
            return Ok(());
        };
        length.validate().map_err(|error| RecipeError::Entry {
            key: format!("training.bptt.{}", error.field),
            found: error.found.to_string(),
            expected: error.expected,
        })?;
        let key = "training.bptt";
        match self.learns() {
            Learns::Text(_) => Ok(()),
            Learns::Labels(kind) => {
                check(
                    kind.is_of_steps(),
                    key,
                    "that of a text or of answers at each step",
                    "none: a sequence with one answer is read as a whole",
                )?;
                check(
                    matches!(length, ChunkLength::Fixed { .. }),
                    key,
                    "of drawn lengths",
                    "a number of steps; drawn lengths are for texts",
                )?;
                check(
                    self.model.direction == Direction::Forward,
                    "model.direction",
                    "a direction that reads from the end",
                    "\"forward\" with training.bptt: the end is not read yet",
                )
            }
        }
    }
}
