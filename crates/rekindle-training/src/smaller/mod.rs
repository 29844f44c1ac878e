//! A smaller network from a finished run: hidden units taken out, or weights set to zero, in a run folder of its own.

mod error;
mod figures;
mod gradients;

use std::fs;
use std::path::{Path, PathBuf};

use rekindle_optim::{Average, Unit};
use rekindle_regularize::prune::{Masks, PruneReport, Selection, prune_once};
use rekindle_regularize::units::{Kept, UnitGroup, UnitScore, shrink};
use rekindle_regularize::{Targets, prune::Scope};
use serde::{Deserialize, Serialize};

pub use error::SmallerError;
pub use figures::Figures;

use crate::files::{self, FileError};
use crate::fit::Fit;
use crate::portrait::Portrait;
use crate::pruning::Pruning;
use crate::recipe::{Hidden, Recipe};
use crate::summary::Summary;
use crate::task::{self, Part, Task};
use crate::train::{Finished, Start, check_folder, train, weights_of};
use crate::trained::ScoredOn;
use crate::{Backend, Network, Observer, RunFolder, Trained, history};

/// What is pruned.
#[derive(Clone, Debug, PartialEq)]
pub enum Cut {
    /// Whole hidden units, which leave the network for good.
    Units {
        /// The fraction of the units that goes, in `[0, 1)`.
        fraction: f64,
        /// How units are ranked.
        score: UnitScore,
        /// Whether units compete with those of their own cell, [`Scope::Tensor`] and [`Scope::Layer`], or with all.
        scope: Scope,
    },
    /// Hidden units whose weights have at most this norm: those that a group lasso has emptied.
    UnitsBelow {
        /// The norm, at least 0.
        norm: f64,
    },
    /// Single weights or blocks of them, which become zero and stay so.
    Weights {
        /// The fraction of the weights that goes, in `[0, 1)`.
        sparsity: f64,
        /// Which weights go first.
        selection: Selection,
    },
}

/// Training after the cut.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FineTuning {
    /// Epochs, at least 1. A stochastic weight average of the recipe that would begin after them is left out.
    pub epochs: usize,
    /// The base learning rate; `None`: 0.3 of the recipe's, whose schedule starts anew.
    pub lr: Option<f64>,
}

/// How a run is pruned.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// What is pruned.
    pub cut: Cut,
    /// The file that networks are scored on; `None`: the recipe's test file.
    pub data: Option<PathBuf>,
    /// Training after the cut; `None`: none.
    pub fine_tuning: Option<FineTuning>,
}

/// What became of a run. [`Smaller::after`] is the network in the folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Smaller {
    /// The network as it was.
    pub before: Figures,
    /// The pruned network before it was trained again, if it was.
    pub pruned: Option<Figures>,
    /// The network in the new folder.
    pub after: Figures,
    /// Which weights and units are left.
    pub report: PruneReport,
    /// The units that are left, by cell; those of cells that are not named are all.
    pub kept: Kept,
}

/// A pruned network.
struct Pruned {
    classifier: Network,
    masks: Masks,
    report: PruneReport,
    kept: Kept,
}

/// Prunes the network of a finished run and leaves it in a new run folder, with the recipe that it has now.
///
/// Fine-tuning is a run like any other: it begins with the pruned weights, keeps zeros zero, and goes on with
/// [`Start::Resume`] if it was killed.
///
/// # Errors
/// If the run cannot be loaded, the cut leaves nothing or does not fit the network, data are missing, or the new folder is
/// not empty. Nothing is written before the network is pruned; the old run is never changed.
pub fn make_smaller(
    source: &Path,
    target: &Path,
    plan: &Plan,
    backend: Backend,
    observer: &mut dyn Observer,
) -> Result<Smaller, SmallerError> {
    let trained = Trained::load(source, backend)?;
    let data = scored_on(&trained, plan, source)?;
    let folder = RunFolder::new(target);
    check_folder(&folder, &trained.recipe, Start::New)?;
    let task = task::open(&trained.recipe)?;
    let pruned = cut(&trained, &plan.cut, &*task, backend)?;
    let recipe = recipe_of(&trained, &pruned.classifier, plan.fine_tuning)?;
    let as_cut = trained.with(recipe.clone(), pruned.classifier.clone());
    let smaller = |after: &Trained, middle: Option<&Trained>| {
        let mut all = vec![&trained, after];
        all.extend(middle);
        let mut figures = figures::of(&all, &data)?.into_iter();
        let mut next = || figures.next().expect("figures of each network");
        Ok::<_, SmallerError>(Smaller {
            before: next(),
            after: next(),
            pruned: middle.map(|_| next()),
            report: pruned.report.clone(),
            kept: pruned.kept.clone(),
        })
    };
    let result = match plan.fine_tuning {
        None => {
            let result = smaller(&as_cut, None)?;
            save(&folder, source, &as_cut, &*task, backend)?;
            result
        }
        Some(_) => {
            begin(&folder, &as_cut, &pruned, &*task, backend)?;
            train(&recipe, backend, target, Start::Resume, observer)?;
            smaller(&Trained::load(target, backend)?, Some(&as_cut))?
        }
    };
    let path = folder.pruning();
    let text = serde_json::to_vec_pretty(&result).map_err(|e| FileError::damaged(&path, e))?;
    files::write(&path, &text)?;
    Ok(result)
}

/// What the networks are scored on.
fn scored_on(trained: &Trained, plan: &Plan, source: &Path) -> Result<ScoredOn, SmallerError> {
    let folder = || source.to_path_buf();
    let data = plan.data.as_ref().or(trained.recipe.data.test.as_ref());
    let data = data.ok_or_else(|| SmallerError::NoData { folder: folder() })?;
    Ok(trained.read_scored(data)?)
}

/// The pruned network.
fn cut(
    trained: &Trained,
    cut: &Cut,
    task: &dyn Task,
    backend: Backend,
) -> Result<Pruned, SmallerError> {
    let classifier = trained.network.clone();
    let groups = classifier.units();
    match cut {
        Cut::Units {
            fraction,
            score,
            scope,
        } => {
            let gradients = match score {
                UnitScore::Sensitivity => Some(gradients::of(trained, task, backend)?),
                _ => None,
            };
            let scores = score.score(&classifier, &groups, gradients.as_ref())?;
            let kept = match scope {
                Scope::Tensor | Scope::Layer => scores.keep_local(*fraction)?,
                Scope::Global => scores.keep_global(*fraction)?,
            };
            without(trained, &groups, kept)
        }
        Cut::UnitsBelow { norm } => {
            let scores = UnitScore::Norm.score(&classifier, &groups, None)?;
            without(trained, &groups, scores.keep_above(*norm)?)
        }
        Cut::Weights {
            sparsity,
            selection,
        } => {
            let gradients = match selection.criterion.needs_gradients() {
                true => Some(gradients::of(trained, task, backend)?),
                false => None,
            };
            let (classifier, masks) =
                prune_once(classifier, selection, *sparsity, gradients.as_ref())?;
            Ok(Pruned {
                report: PruneReport::of(&classifier, &selection.targets)?,
                classifier,
                masks,
                kept: Kept::default(),
            })
        }
    }
}

/// A network without the units that do not stay. Weights that its run has pruned stay zero.
fn without(trained: &Trained, groups: &[UnitGroup], kept: Kept) -> Result<Pruned, SmallerError> {
    let classifier = shrink(trained.network.clone(), groups, &kept)?;
    let masks = match &trained.recipe.prune {
        prune if prune.schedule.is_some() => Masks::from_zeros(&classifier, &prune.targets)?,
        _ => Masks::default(),
    };
    let report = PruneReport::of(&classifier, &Targets::weights())?.with_units(groups, &kept);
    Ok(Pruned {
        classifier,
        masks,
        report,
        kept,
    })
}

/// The recipe of the smaller network.
fn recipe_of(
    trained: &Trained,
    classifier: &Network,
    fine_tuning: Option<FineTuning>,
) -> Result<Recipe, SmallerError> {
    let mut recipe = trained.recipe.clone();
    recipe.model.hidden = Hidden::from_cells(classifier.widths());
    // What is gone stays so; the schedule belonged to the run that made it.
    recipe.prune.schedule = None;
    if let Some(FineTuning { epochs, lr }) = fine_tuning {
        recipe.training.epochs = epochs;
        recipe.training.lr = lr.unwrap_or(0.3 * recipe.training.lr);
        recipe.training.patience = None;
        if let Average::Swa {
            start,
            unit: Unit::Epoch,
            ..
        } = recipe.training.average
            && start > epochs
        {
            recipe.training.average = Average::None;
        }
    }
    recipe.validate()?;
    Ok(recipe)
}

/// Writes a run that begins with the pruned network. The recipe, which makes it one, comes last.
fn begin(
    folder: &RunFolder,
    as_cut: &Trained,
    pruned: &Pruned,
    task: &dyn Task,
    backend: Backend,
) -> Result<(), SmallerError> {
    let device = backend.device()?;
    let state = (!pruned.masks.is_empty()).then(|| Pruning::kept(pruned.masks.clone()));
    fs::create_dir_all(folder.path()).map_err(FileError::write(folder.path()))?;
    let fit = Fit::start(&as_cut.recipe, folder, task, &[device])?;
    fit.save_beginning(as_cut.network.clone(), state)?;
    as_cut.preprocessing.save(&folder.preprocessing())?;
    files::write(&folder.recipe(), as_cut.recipe.to_toml().as_bytes())?;
    Ok(())
}

/// Writes a finished run with the pruned network and the history of the run that it was cut from.
fn save(
    folder: &RunFolder,
    source: &Path,
    as_cut: &Trained,
    task: &dyn Task,
    backend: Backend,
) -> Result<(), SmallerError> {
    fs::create_dir_all(folder.path()).map_err(FileError::write(folder.path()))?;
    let source = RunFolder::new(source);
    for (from, to) in [
        (source.metrics(), folder.metrics()),
        (source.steps(), folder.steps()),
    ] {
        files::write(&to, files::read_text(&from)?.as_bytes())?;
    }
    let recipe = &as_cut.recipe;
    let device = backend.device()?;
    let evaluate = |part| task.evaluate(&as_cut.network, part, &device);
    let (valid, test) = (evaluate(Part::Valid), evaluate(Part::Test));
    let mut outcome = as_cut.outcome.clone();
    outcome.valid = valid.as_ref().map(|evaluation| evaluation.scores);
    outcome.test = test.as_ref().map(|evaluation| evaluation.scores);
    outcome.parameters = as_cut.parameters();
    let sets = [("validation", &valid), ("test", &test)];
    let classes = &as_cut.preprocessing.classes;
    let portrait = Portrait::of(&as_cut.network, classes, &sets);
    portrait.save(folder)?;
    let report = Summary {
        recipe,
        epochs: &history::epochs_of(folder.path())?,
        steps: &history::steps_of(folder)?,
        // What was seen of the gradients belongs to the network that was pruned.
        flows: &[],
        end: Some((&outcome, portrait)),
    };
    files::write(&folder.report(), report.to_report().to_html().as_bytes())?;
    as_cut.preprocessing.save(&folder.preprocessing())?;
    files::write(&folder.recipe(), recipe.to_toml().as_bytes())?;
    let weights = weights_of(as_cut.network.clone(), &folder.model())?;
    files::write(&folder.model(), &weights)?;
    Finished::new(&weights, &outcome).save(folder)?;
    Ok(())
}
