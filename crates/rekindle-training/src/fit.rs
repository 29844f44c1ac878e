//! The epochs of a run.
//!
//! What an epoch does depends on the recipe, the data, the devices and what the checkpoint holds, and on nothing else:
//! the order of the batches and the noise of dropout are drawn from the seed and the number of the epoch. A run that was
//! killed and goes on therefore ends with the bits of one that was not.

mod epoch;
mod share;
mod step;
mod trial;

use std::fs::{self, OpenOptions};
use std::io::Write;

use burn::module::Module;
use burn::optim::ModuleOptimizer;
use burn::store::ModuleRecord;
use burn::tensor::Device;
use rekindle_optim::{Averager, NonFiniteState};
use rekindle_regularize::prune::PrunerState;

use crate::checkpoint::{Best, Checkpoint};
use crate::doctor::{EpochFlows, Watcher};
use crate::files::{self, FileError};
use crate::finite;
use crate::history::{StepRow, epochs_to_csv};
use crate::pruning::Pruning;
use crate::rates::Rates;
use crate::recipe::{Keep, Recipe, TrainingRecipe};
use crate::regularizer::Regularizer;
use crate::seed::mix;
use crate::task::Task;
use crate::{EpochRow, Event, Network, Observer, RunFolder, StepError, TrainError};

/// A run between two epochs.
pub(crate) struct Fit<'a> {
    recipe: &'a Recipe,
    folder: &'a RunFolder,
    task: &'a dyn Task,
    /// With autodiff; the first has the weights.
    devices: Vec<Device>,
    regularizer: Regularizer<'a>,
    network: Network,
    optimizer: ModuleOptimizer,
    rates: Rates,
    nonfinite: NonFiniteState,
    averager: Averager<Network>,
    epochs: Vec<EpochRow>,
    best: Option<Best>,
    best_model: Option<ModuleRecord>,
    steps_len: u64,
    checksum: String,
    pruning: Option<Pruning>,
    batches_per_epoch: usize,
    watcher: Option<Watcher>,
    /// The last step, if it was left out.
    left_out: Option<TrainError>,
}

impl<'a> Fit<'a> {
    /// A run at its beginning, or where its last checkpoint left it.
    pub(crate) fn start(
        recipe: &'a Recipe,
        folder: &'a RunFolder,
        task: &'a dyn Task,
        devices: &[Device],
    ) -> Result<Self, TrainError> {
        let device = &devices[0];
        let training = device.clone().autodiff();
        device.seed(mix(recipe.seed, 0));
        let batches = task.steps_per_epoch();
        let mut network = Network::init(recipe, task.shape(), &training);
        let watches = recipe.training.watch_gradients;
        let fit = Self {
            recipe,
            folder,
            task,
            regularizer: Regularizer::new(&recipe.regularize, batches, &network),
            rates: Rates::new(&recipe.training, &network, batches)?,
            watcher: watches.then(|| Watcher::new(&mut network)),
            network,
            devices: devices
                .iter()
                .map(|device| device.clone().autodiff())
                .collect(),
            optimizer: recipe.training.optimizer.init(recipe.training.weight_decay),
            nonfinite: NonFiniteState::default(),
            averager: Averager::new(recipe.training.mean()),
            epochs: Vec::new(),
            best: None,
            best_model: None,
            steps_len: 0,
            checksum: task.checksum(),
            pruning: Pruning::new(&recipe.prune, batches, None)?,
            batches_per_epoch: batches,
            left_out: None,
        };
        fit.regularizer.check(&fit.network)?;
        Pruning::check(recipe, &fit.network, batches)?;
        match Checkpoint::load(folder)? {
            Some(checkpoint) => fit.resume(checkpoint),
            None if recipe.model.lsuv => fit.with_unit_variance(device),
            None => Ok(fit),
        }
    }

    /// Begins with weights that are scaled by the first lesson.
    fn with_unit_variance(mut self, device: &Device) -> Result<Self, TrainError> {
        let first = self.task.lessons(0, device).next();
        if let Some(lesson) = first {
            self.network = (self.network).with_unit_variance(lesson.input, lesson.lengths)?;
        }
        Ok(self)
    }

    /// Goes on from a checkpoint.
    fn resume(mut self, checkpoint: Checkpoint) -> Result<Self, TrainError> {
        let path = self.folder.checkpoints();
        checkpoint.check_data(self.folder, &self.checksum)?;
        let best_model = match (self.recipe.training.keep, checkpoint.best_model) {
            (Keep::Last, _) => None,
            (Keep::Best, Some(best)) => Some(best),
            (Keep::Best, None) => Some(checkpoint.model.clone()),
        };
        let damaged = |error| FileError::damaged(&path, error);
        let mean = (checkpoint.mean)
            .map(|mean| self.network.clone().try_load_record(mean))
            .transpose()
            .map_err(damaged)?;
        self.averager = Averager::from_state(self.recipe.training.mean(), checkpoint.average, mean);
        self.nonfinite = checkpoint.nonfinite;
        self.network = (self.network)
            .try_load_record(checkpoint.model)
            .map_err(damaged)?;
        self.optimizer = self.optimizer.load_record(checkpoint.optimizer);
        self.rates
            .try_load_record(&checkpoint.lr)
            .map_err(|error| FileError::damaged(&path, error))?;
        let (recipe, batches) = (&self.recipe.prune, self.batches_per_epoch);
        self.pruning = Pruning::new(recipe, batches, checkpoint.prune)?;
        if let Some(watcher) = &mut self.watcher {
            watcher.resume(self.folder, checkpoint.epochs.len())?;
        }
        self.epochs = checkpoint.epochs;
        self.best = checkpoint.best;
        self.best_model = best_model;
        self.steps_len = checkpoint.steps_len;
        let path = self.folder.steps();
        let found = fs::metadata(&path).map_err(FileError::read(&path))?.len();
        if found < self.steps_len {
            let problem = format!("it has {found} bytes, expected at least {}", self.steps_len);
            return Err(FileError::damaged(&path, problem).into());
        }
        Ok(self)
    }

    /// Writes the checkpoint of a run that begins with these weights, without autodiff, and what is pruned of them.
    pub(crate) fn save_beginning(
        mut self,
        network: Network,
        state: Option<PrunerState>,
    ) -> Result<(), TrainError> {
        self.network = network.train();
        self.pruning = Pruning::new(&self.recipe.prune, self.batches_per_epoch, state)?;
        self.cut_steps()?;
        Ok(self.save(&[])?)
    }

    /// Removes the steps behind the checkpoint, which are taken again; begins the file if there is no checkpoint.
    fn cut_steps(&mut self) -> Result<(), FileError> {
        let path = self.folder.steps();
        if self.epochs.is_empty() {
            self.steps_len = StepRow::HEADER.len() as u64;
            return files::write(&path, StepRow::HEADER.as_bytes());
        }
        let file = OpenOptions::new().write(true).open(&path);
        let cut = file.and_then(|file| file.set_len(self.steps_len));
        cut.map_err(FileError::write(&path))
    }

    /// Tells of the start, and removes what was done behind the checkpoint.
    pub(crate) fn begin(&mut self, observer: &mut dyn Observer) -> Result<(), FileError> {
        observer.observe(&Event::Start {
            epochs: self.recipe.training.epochs,
            first_epoch: self.epochs.len() + 1,
            batches_per_epoch: self.batches_per_epoch,
            parameters: self.network.parameters(),
            metrics: self.recipe.metrics(),
            sizes: self.task.sizes(),
        });
        self.cut_steps()
    }

    /// Runs the epochs that are left.
    pub(crate) fn run(&mut self, observer: &mut dyn Observer) -> Result<(), TrainError> {
        self.begin(observer)?;
        while !self.is_over() {
            self.epoch(observer)?;
            if !self.is_over() && observer.stops() {
                return Err(TrainError::Stopped {
                    folder: self.folder.path().to_path_buf(),
                    epoch: self.epochs.len(),
                });
            }
        }
        Ok(())
    }

    /// The network with the weights that the recipe keeps, without autodiff.
    pub(crate) fn kept(&self) -> Result<Network, TrainError> {
        let Some(best) = &self.best_model else {
            return self.validated(self.epochs.len());
        };
        let network = (self.network.clone())
            .try_load_record(best.clone())
            .map_err(|error| FileError::damaged(&self.folder.checkpoints(), error))?;
        Ok(network.valid())
    }

    /// What is validated and kept: the mean of the weights if there is one, on its constraints and without what is pruned;
    /// otherwise the weights. Without autodiff.
    fn validated(&self, epoch: usize) -> Result<Network, TrainError> {
        let Some(mean) = self.averager.averaged() else {
            return Ok(self.network.valid());
        };
        let at = [epoch, epoch * self.batches_per_epoch];
        let mean =
            (self.regularizer.projected(mean.clone())).map_err(|error| self.stopped(at, error))?;
        let mean = match &self.pruning {
            Some(pruning) => (pruning.masked(mean)).map_err(|error| self.stopped(at, error))?,
            None => mean,
        };
        finite::check(&mean).map_err(|found| self.stopped(at, StepError::Mean(found)))?;
        Ok(mean)
    }

    pub(crate) fn epochs(&self) -> &[EpochRow] {
        &self.epochs
    }

    /// What was seen of the gradients in each epoch; nothing unless the recipe asks for it.
    pub(crate) fn flows(&self) -> &[EpochFlows] {
        self.watcher.as_ref().map_or(&[], Watcher::epochs)
    }

    /// The epoch whose weights are kept, counted from 1.
    pub(crate) fn kept_epoch(&self) -> usize {
        match (self.recipe.training.keep, self.best) {
            (Keep::Best, Some(best)) => best.epoch,
            _ => self.epochs.len(),
        }
    }

    /// Whether no epoch is left to train.
    pub(crate) fn is_over(&self) -> bool {
        let TrainingRecipe {
            epochs, patience, ..
        } = self.recipe.training;
        // What is still being pruned gets worse on its way.
        let best = self.best.map_or(0, |best| best.epoch);
        let since_best = self.epochs.len() - best.max(self.pruned_epoch()).min(self.epochs.len());
        self.epochs.len() >= epochs || patience.is_some_and(|patience| since_best >= patience)
    }

    /// The first epoch at whose end nothing more is pruned; 0 without pruning.
    fn pruned_epoch(&self) -> usize {
        self.recipe.prune.pruned_epoch(self.batches_per_epoch)
    }

    /// Writes the epoch's figures and then its checkpoint, which says that they count.
    fn save(&mut self, steps: &[StepRow]) -> Result<(), FileError> {
        let path = self.folder.steps();
        let text: String = steps.iter().map(|step| step.to_csv()).collect();
        let append = OpenOptions::new()
            .append(true)
            .open(&path)
            .and_then(|mut file| {
                file.write_all(text.as_bytes())?;
                file.sync_data()
            });
        append.map_err(FileError::write(&path))?;
        self.steps_len += text.len() as u64;
        files::write(
            &self.folder.metrics(),
            epochs_to_csv(&self.epochs, self.recipe.metrics()).as_bytes(),
        )?;
        if let Some(watcher) = &self.watcher {
            watcher.save(self.folder)?;
        }

        let mean = self.averager.averaged().cloned();
        let current = self
            .best
            .is_some_and(|best| best.epoch == self.epochs.len() && mean.is_none());
        Checkpoint {
            data: self.checksum.clone(),
            steps_len: self.steps_len,
            best: self.best,
            epochs: self.epochs.clone(),
            model: self.network.clone().into_record(),
            best_model: if current {
                None
            } else {
                self.best_model.clone()
            },
            optimizer: self.optimizer.to_record(),
            lr: self.rates.to_record(),
            prune: self.pruning.as_ref().map(Pruning::state),
            nonfinite: self.nonfinite,
            average: self.averager.state(),
            mean: mean.map(Module::into_record),
        }
        .save(self.folder)
    }
}
