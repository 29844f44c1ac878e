//! From a recipe or a run folder to an examination.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use super::look::Seen;
use super::measure::{Data, Flow, Horizon, Jacobian, Losses, Saturation, Units, Updates};
use super::moves::Moves;
use super::network::Patient;
use super::rules::stuck;
use super::{EpochFlows, Finding, diagnose, watch};
use crate::fit::Fit;
use crate::history::{self, StepRow};
use crate::recipe::Recipe;
use crate::task::{self, Lesson, Task};
use crate::{Backend, RunFolder, TrainError};

/// At most so many sequences are looked at step by step.
pub(crate) const SAMPLE: usize = 64;

/// What is examined.
#[derive(Clone, Debug, PartialEq)]
pub enum Subject {
    /// A network at its beginning.
    Recipe(Box<Recipe>),
    /// A run where its last checkpoint left it, finished or not; at its beginning without one.
    Run(PathBuf),
}

/// Everything that was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measurements {
    /// The data that the network is trained on, as it reads them.
    pub data: Data,
    /// The steps of the run and of the trial.
    pub losses: Losses,
    /// What the steps of the trial did to each parameter.
    pub updates: Updates,
    /// The gradient of the loss over the sequence; empty where scans leave nothing: see [`rekindle_cells::Stack::watch`].
    pub flows: Vec<Flow>,
    /// The gates, of cells that [show](rekindle_cells::Cell::gates) them.
    pub gates: Vec<Saturation>,
    /// The spectral radius of single steps.
    pub jacobians: Vec<Jacobian>,
    /// How far back an input moves the last state.
    pub horizons: Vec<Horizon>,
    /// Hidden units.
    pub units: Vec<Units>,
    /// Hidden units at the beginning, before any step.
    pub units_before: Vec<Units>,
}

/// The measurements of a network and what they say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Examination {
    /// The recipe's name.
    pub name: String,
    /// Steps that were tried in memory.
    pub tried: usize,
    /// What was seen of the gradients while the run was trained, if it was watched.
    pub watched: Vec<EpochFlows>,
    /// What was measured.
    pub measurements: Measurements,
    /// What is wrong, the first thing to mend first; empty if nothing was found.
    pub findings: Vec<Finding>,
}

impl Examination {
    /// Whether the training gets nowhere: the loss is above 0.9 times that of guessing, or not finite.
    pub fn is_stuck(&self) -> bool {
        stuck(&self.measurements)
    }
}

/// Examines a network: takes up to `steps` steps of its training in memory, measures, and says what is wrong.
///
/// `data` is a file that cells are looked at on, in place of a sample of the training data. Nothing is written.
///
/// # Errors
/// If the recipe, the data or the folder cannot be used. A loss that is not finite is no error, but a finding.
///
/// # Examples
/// ```no_run
/// use std::path::Path;
///
/// use rekindle_training::doctor::{Subject, examine};
/// use rekindle_training::{Backend, Recipe};
///
/// let recipe = Recipe::load(Path::new("recipes/digits-lstm.toml"), &["training.lr=3".into()])?;
/// let subject = Subject::Recipe(Box::new(recipe));
/// let examination = examine(&subject, None, 60, Backend::compiled()[0])?;
/// assert_eq!(examination.findings[0].name, "learning_rate_too_large");
/// assert_eq!(examination.findings[0].remedy, ["training.lr = 0.003"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn examine(
    subject: &Subject,
    data: Option<&Path>,
    steps: usize,
    backend: Backend,
) -> Result<Examination, TrainError> {
    let devices = [backend.device()?];
    let [device] = &devices;
    let (recipe, folder) = match subject {
        Subject::Recipe(recipe) => ((**recipe).clone(), None),
        Subject::Run(folder) => (crate::recipe_of(folder)?, Some(RunFolder::new(folder))),
    };
    recipe.validate()?;
    let task = task::open(&recipe)?;
    let recipe = recipe.for_lengths(task.lengths());
    let sample = task.sample(data, SAMPLE, device)?;
    // A folder that is not there has no checkpoint.
    let nowhere = RunFolder::new(PathBuf::new());
    let beginning = Fit::start(&recipe, &nowhere, &*task, &devices)?;
    let before = Seen::of(&Patient::new(beginning.network()), &sample);
    let mut fit = Fit::start(
        &recipe,
        folder.as_ref().unwrap_or(&nowhere),
        &*task,
        &devices,
    )?;
    let mut rows = match &folder {
        Some(folder) if folder.steps().exists() => history::steps_of(folder)?,
        _ => Vec::new(),
    };
    let (measurements, tried) =
        measure(&mut fit, &*task, &sample, before, &mut rows, steps, device)?;
    let findings = diagnose(&recipe, &measurements);
    Ok(Examination {
        name: recipe.name.clone(),
        tried,
        watched: match folder.map(|folder| folder.health()) {
            Some(path) if path.exists() => watch::load(&path)?,
            _ => Vec::new(),
        },
        measurements,
        findings,
    })
}

/// Takes the steps and measures; returns how many were taken, too. `rows` are the steps of the run, and then those of the trial, too.
fn measure(
    fit: &mut Fit,
    task: &dyn Task,
    sample: &Lesson,
    before: Seen,
    rows: &mut Vec<StepRow>,
    steps: usize,
    device: &Device,
) -> Result<(Measurements, usize), TrainError> {
    let mut moves = Moves::default();
    let (tried, failed) = fit.trial(steps, |before, after, _| {
        moves.add(before, after);
        ControlFlow::Continue(())
    })?;
    // A run that was killed wrote steps behind its checkpoint.
    rows.retain(|row| tried.first().is_none_or(|first| row.step < first.step));
    let taken = tried.len();
    rows.extend(tried);
    let data = Data::of(task.sequences(), &task.lengths(), task.guess());
    let mut losses = Losses::of(rows, failed.is_some(), data.guess);
    let patient = Patient::new(fit.network());
    losses.valid = patient.loss(task, device);
    let seen = Seen::of(&patient, sample);
    let measurements = Measurements {
        data,
        losses,
        updates: moves.updates(),
        flows: patient.flows(sample),
        horizons: patient.horizons(sample),
        gates: seen.gates,
        jacobians: seen.jacobians,
        units: seen.units,
        units_before: before.units,
    };
    Ok((measurements, taken))
}
