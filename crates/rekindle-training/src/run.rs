//! A run that is about to begin or to go on.

use std::fs;
use std::path::Path;

use burn::tensor::Device;

use crate::files::{self, FileError};
use crate::fit::Fit;
use crate::history;
use crate::portrait::Portrait;
use crate::recipe::Recipe;
use crate::summary::Summary;
use crate::task::{self, Part, Task};
use crate::train::{Finished, check_folder, weights_of};
use crate::{Devices, Outcome, RunFolder, Start, TrainError};

/// A run whose recipe, devices, folder and data can be used.
pub(crate) struct Run {
    recipe: Recipe,
    names: Devices,
    devices: Vec<Device>,
    folder: RunFolder,
    task: Box<dyn Task>,
}

/// What a folder holds.
#[allow(clippy::large_enum_variant, reason = "there is one for each run")]
pub(crate) enum Opened {
    /// A run that is finished.
    Finished {
        /// What came of it.
        outcome: Outcome,
        /// Where it is.
        folder: RunFolder,
    },
    /// A run that is not finished, or not begun.
    Run(Run),
}

impl Opened {
    /// Reads and checks what a run needs. Nothing is written.
    pub(crate) fn new(
        recipe: &Recipe,
        names: Devices,
        folder: &Path,
        start: Start,
    ) -> Result<Self, TrainError> {
        recipe.validate()?;
        let devices = names.open()?;
        let folder = RunFolder::new(folder);
        check_folder(&folder, recipe, start)?;
        if let Some(finished) = Finished::load(&folder)? {
            return Ok(Self::Finished {
                outcome: finished.outcome,
                folder,
            });
        }
        let task = task::open(recipe)?;
        Ok(Self::Run(Run {
            recipe: recipe.for_lengths(task.lengths()),
            names,
            devices,
            folder,
            task,
        }))
    }
}

impl Run {
    /// The run at its beginning, or where its checkpoint left it; from now on the folder is its.
    pub(crate) fn fit(&self) -> Result<Fit<'_>, TrainError> {
        let folder = &self.folder;
        let fit = Fit::start(&self.recipe, folder, &*self.task, &self.devices)?;
        fs::create_dir_all(folder.path()).map_err(FileError::write(folder.path()))?;
        files::write(&folder.recipe(), self.recipe.to_toml().as_bytes())?;
        self.task.preprocessing().save(&folder.preprocessing())?;
        Ok(fit)
    }

    /// Scores the kept weights of a run that is over, and writes what a finished run leaves; the file that says so comes last.
    pub(crate) fn finish(&self, fit: &Fit) -> Result<Outcome, TrainError> {
        let (recipe, folder, device) = (&self.recipe, &self.folder, &self.devices[0]);
        let network = fit.kept()?;
        let evaluate = |part| self.task.evaluate(&network, part, device);
        let (valid, test) = (evaluate(Part::Valid), evaluate(Part::Test));
        for (set, evaluation) in [("the validation set", &valid), ("the test set", &test)] {
            if let Some(evaluation) = evaluation {
                fit.check_scores(set, &evaluation.scores)?;
            }
        }
        let outcome = Outcome {
            name: recipe.name.clone(),
            cell: recipe.model.cell,
            test: test.as_ref().map(|evaluation| evaluation.scores),
            valid: valid.as_ref().map(|evaluation| evaluation.scores),
            epochs: fit.epochs().len(),
            kept_epoch: fit.kept_epoch(),
            seconds: fit.epochs().iter().map(|row| row.seconds).sum(),
            skipped_steps: fit.epochs().iter().map(|row| row.skipped).sum(),
            parameters: network.parameters(),
            seed: recipe.seed,
            devices: self.names.clone(),
        };

        let sets = [("validation", &valid), ("test", &test)];
        let classes = &self.task.preprocessing().classes;
        let mut portrait = Portrait::of(&network, classes, &sets);
        if recipe.training.watch_gradients {
            portrait = portrait.with_gates(&network, &*self.task, device)?;
        }
        portrait.save(folder)?;
        let report = Summary {
            recipe,
            epochs: fit.epochs(),
            steps: &history::steps_of(folder)?,
            flows: fit.flows(),
            end: Some((&outcome, portrait)),
        };
        files::write(&folder.report(), report.to_report().to_html().as_bytes())?;
        let weights = weights_of(network, &folder.model())?;
        files::write(&folder.model(), &weights)?;
        Finished::new(&weights, &outcome).save(folder)?;
        Ok(outcome)
    }
}
