//! From a recipe or a run folder to an examination.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use burn::data::dataloader::DataLoader;
use burn::tensor::Device;
use rekindle_data::{Batch, SequenceLoader, SequenceSet, read};
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
use crate::splits::{DataError, Splits};
use crate::task::{Classification, Task};
use crate::{Backend, RunFolder, TrainError};

/// At most so many sequences are looked at step by step.
const SAMPLE: usize = 64;

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
    /// Hidden units before the steps were tried.
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
    let device = backend.device()?;
    let (recipe, folder) = match subject {
        Subject::Recipe(recipe) => ((**recipe).clone(), None),
        Subject::Run(folder) => (crate::recipe_of(folder)?, Some(RunFolder::new(folder))),
    };
    recipe.validate()?;
    if recipe.text.is_some() {
        return Err(DataError::Text.into());
    }
    let task = Classification::read(&recipe)?;
    let recipe = recipe.for_lengths(task.lengths());
    let splits = &task.splits;
    let sample = match data {
        None => splits.train.clone(),
        Some(path) => {
            let set = read(path, recipe.data.missing).map_err(DataError::from)?;
            Arc::new(labelled(&splits.preprocessing.apply(&set)?)?)
        }
    };
    // A folder that is not there has no checkpoint.
    let nowhere = RunFolder::new(PathBuf::new());
    let mut fit = Fit::start(&recipe, folder.as_ref().unwrap_or(&nowhere), &task, &device)?;
    let mut rows = match &folder {
        Some(folder) if folder.steps().exists() => history::steps_of(folder)?,
        _ => Vec::new(),
    };
    let (measurements, tried) = measure(&mut fit, splits, &sample, &mut rows, steps, &device)?;
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

/// The sequences whose class is known.
fn labelled(set: &SequenceSet) -> Result<SequenceSet, DataError> {
    let has_class = |&row: &usize| set.sequences[row].label.class().is_some();
    let rows: Vec<usize> = (0..set.len()).filter(has_class).collect();
    match rows.is_empty() {
        true => Err(DataError::Unlabelled {
            path: set.source.clone(),
        }),
        false => Ok(set.subset(&rows)),
    }
}

/// Takes the steps and measures; returns how many were taken, too. `rows` are the steps of the run, and then those of the trial, too.
fn measure(
    fit: &mut Fit,
    splits: &Splits,
    sample: &SequenceSet,
    rows: &mut Vec<StepRow>,
    steps: usize,
    device: &Device,
) -> Result<(Measurements, usize), TrainError> {
    let batch = batch(sample, device);
    let mut before = Seen::default();
    Patient::new(fit.network()).look(&batch, &mut before);
    let mut moves = Moves::default();
    let (tried, failed) = fit.trial(steps, |before, after, _| {
        moves.add(before, after);
        ControlFlow::Continue(())
    })?;
    // A run that was killed wrote steps behind its checkpoint.
    rows.retain(|row| tried.first().is_none_or(|first| row.step < first.step));
    let taken = tried.len();
    rows.extend(tried);
    let data = Data::of(&splits.train);
    let mut losses = Losses::of(rows, failed.is_some(), data.entropy);
    let patient = Patient::new(fit.network());
    losses.valid = (splits.valid.as_ref()).and_then(|set| patient.loss(set, device));
    let mut seen = Seen::default();
    patient.look(&batch, &mut seen);
    let measurements = Measurements {
        data,
        losses,
        updates: moves.updates(),
        flows: patient.flows(&batch, device),
        horizons: patient.horizons(&batch),
        gates: seen.gates,
        jacobians: seen.jacobians,
        units: seen.units,
        units_before: before.units,
    };
    Ok((measurements, taken))
}

/// Sequences of the set, evenly chosen, in one batch.
pub(crate) fn batch(set: &SequenceSet, device: &Device) -> Batch {
    let stride = set.len().div_ceil(SAMPLE).max(1);
    let rows: Vec<usize> = (0..set.len()).step_by(stride).collect();
    let set = Arc::new(set.subset(&rows));
    let loader = SequenceLoader::sequential(set, SAMPLE, device);
    let mut batches = loader.iter();
    let batch = batches.next().expect("a set has at least one sequence");
    batch.expect("a set in memory yields its batches")
}
