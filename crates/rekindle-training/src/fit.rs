//! The epochs of a run.
//!
//! What an epoch does depends on the recipe, the data, the backend and what the checkpoint holds, and on nothing else:
//! the order of the batches and the noise of dropout are drawn from the seed and the number of the epoch. A run that was
//! killed and goes on therefore ends with the bits of one that was not.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::time::Instant;

use burn::data::dataloader::DataLoader;
use burn::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::module::Module;
use burn::nn::loss::{CrossEntropyLoss, CrossEntropyLossConfig};
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::store::ModuleRecord;
use burn::tensor::Device;
use rekindle_data::{Batch, SequenceLoader};
use rekindle_optim::clip_grad_norm;
use rekindle_regularize::prune::PrunerState;

use crate::checkpoint::{Best, Checkpoint};
use crate::files::{self, FileError};
use crate::history::{StepRow, epochs_to_csv};
use crate::pruning::Pruning;
use crate::rates::Rates;
use crate::recipe::{Keep, Recipe, TrainingRecipe};
use crate::regularizer::Regularizer;
use crate::seed::mix;
use crate::splits::Splits;
use crate::sums::{Sums, right_answers};
use crate::{Classifier, EpochRow, Event, Observer, Predictions, RunFolder, TrainError};

/// A run between two epochs.
pub(crate) struct Fit<'a> {
    recipe: &'a Recipe,
    folder: &'a RunFolder,
    splits: &'a Splits,
    /// With autodiff.
    device: Device,
    loss: CrossEntropyLoss,
    regularizer: Regularizer<'a>,
    classifier: Classifier,
    optimizer: ModuleOptimizer,
    rates: Rates,
    epochs: Vec<EpochRow>,
    best: Option<Best>,
    best_model: Option<ModuleRecord>,
    steps_len: u64,
    checksum: String,
    pruning: Option<Pruning>,
    batches_per_epoch: usize,
}

impl<'a> Fit<'a> {
    /// A run at its beginning, or where its last checkpoint left it.
    pub(crate) fn start(
        recipe: &'a Recipe,
        folder: &'a RunFolder,
        splits: &'a Splits,
        device: &Device,
    ) -> Result<Self, TrainError> {
        let training = device.clone().autodiff();
        device.seed(mix(recipe.seed, 0));
        let batches = splits.steps_per_epoch(recipe.training.batch_size);
        let preprocessing = &splits.preprocessing;
        let (channels, classes) = (preprocessing.channels.len(), preprocessing.classes.len());
        let classifier = Classifier::init(recipe, channels, classes, &training);
        let fit = Self {
            recipe,
            folder,
            splits,
            loss: CrossEntropyLossConfig::new().init(&training),
            regularizer: Regularizer::new(&recipe.regularize, batches, &classifier),
            rates: Rates::new(&recipe.training, &classifier, batches)?,
            classifier,
            device: training,
            optimizer: recipe.training.optimizer.init(recipe.training.weight_decay),
            epochs: Vec::new(),
            best: None,
            best_model: None,
            steps_len: 0,
            checksum: splits.checksum(),
            pruning: Pruning::new(&recipe.prune, batches, None)?,
            batches_per_epoch: batches,
        };
        fit.regularizer.check(&fit.classifier)?;
        if let Some(pruning) = &fit.pruning {
            pruning.check(recipe, &fit.classifier, batches)?;
        }
        match Checkpoint::load(folder)? {
            Some(checkpoint) => fit.resume(checkpoint),
            None => Ok(fit),
        }
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
        self.classifier = self
            .classifier
            .try_load_record(checkpoint.model)
            .map_err(|error| FileError::damaged(&path, error))?;
        self.optimizer = self.optimizer.load_record(checkpoint.optimizer);
        self.rates
            .try_load_record(&checkpoint.lr)
            .map_err(|error| FileError::damaged(&path, error))?;
        let (recipe, batches) = (&self.recipe.prune, self.batches_per_epoch);
        self.pruning = Pruning::new(recipe, batches, checkpoint.prune)?;
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
        classifier: Classifier,
        state: Option<PrunerState>,
    ) -> Result<(), TrainError> {
        self.classifier = classifier.train();
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

    /// Runs the epochs that are left.
    pub(crate) fn run(&mut self, observer: &mut dyn Observer) -> Result<(), TrainError> {
        let size = |set: &Option<_>| {
            set.as_ref()
                .map_or(0, |set: &std::sync::Arc<rekindle_data::SequenceSet>| {
                    set.len()
                })
        };
        observer.observe(&Event::Start {
            epochs: self.recipe.training.epochs,
            first_epoch: self.epochs.len() + 1,
            batches_per_epoch: self.batches_per_epoch,
            parameters: self.classifier.parameters(),
            train_len: self.splits.train.len(),
            valid_len: size(&self.splits.valid),
            test_len: size(&self.splits.test),
        });
        self.cut_steps()?;
        while !self.is_over() {
            self.epoch(observer)?;
        }
        Ok(())
    }

    /// The classifier with the weights that the recipe keeps, without autodiff.
    pub(crate) fn kept(&self) -> Result<Classifier, TrainError> {
        let classifier = self.classifier.clone();
        let classifier = match &self.best_model {
            Some(best) => classifier
                .try_load_record(best.clone())
                .map_err(|error| FileError::damaged(&self.folder.checkpoints(), error))?,
            None => classifier,
        };
        Ok(classifier.valid())
    }

    pub(crate) fn epochs(&self) -> &[EpochRow] {
        &self.epochs
    }

    /// The epoch whose weights are kept, counted from 1.
    pub(crate) fn kept_epoch(&self) -> usize {
        match (self.recipe.training.keep, self.best) {
            (Keep::Best, Some(best)) => best.epoch,
            _ => self.epochs.len(),
        }
    }

    fn is_over(&self) -> bool {
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
        let last = self.pruning.as_ref().map_or(0, Pruning::last);
        last.div_ceil(self.batches_per_epoch)
    }

    /// The batches of an epoch, counted from 0.
    fn loader(&self, epoch: usize) -> SequenceLoader {
        let batch_size = self.recipe.training.batch_size;
        let train = self.splits.train.clone();
        SequenceLoader::shuffled(train, batch_size, self.recipe.seed, &self.device)
            .from_epoch(epoch)
    }

    fn epoch(&mut self, observer: &mut dyn Observer) -> Result<(), TrainError> {
        let started = Instant::now();
        let epoch = self.epochs.len() + 1;
        self.device.seed(mix(self.recipe.seed, epoch as u64));

        let mut sums = Sums::default();
        let loader = self.loader(epoch - 1);
        for (index, batch) in loader.iter().enumerate() {
            let batch = batch.expect("a set in memory yields its batches");
            let step = (epoch - 1) * self.batches_per_epoch + index + 1;
            let loss = self.step(batch, epoch, step, &mut sums)?;
            observer.observe(&Event::Step {
                epoch,
                batch: index + 1,
                loss,
            });
        }

        let mut row = sums.row(epoch);
        if let Some(valid) = &self.splits.valid {
            let scores = self.score(valid);
            row.valid_loss = scores.map(|scores| scores.loss);
            row.valid_accuracy = scores.map(|scores| scores.accuracy);
            row.valid_macro_f1 = scores.map(|scores| scores.macro_f1);
        }
        row.seconds = started.elapsed().as_secs_f64();
        let is_best = self.take(row);
        self.save(&sums.steps)?;
        let row = self.epochs.last().expect("the epoch was just taken");
        observer.observe(&Event::Epoch { row, best: is_best });
        Ok(())
    }

    /// One optimiser step; returns the loss, without penalties.
    fn step(
        &mut self,
        batch: Batch,
        epoch: usize,
        step: usize,
        sums: &mut Sums,
    ) -> Result<f64, TrainError> {
        let size = batch.len();
        let regularize = TrainError::regularize(epoch, step);
        let scored = self.classifier.score(batch.input, &batch.lengths);
        let right = right_answers(&scored.logits, &batch.targets);
        let loss = self.loss.forward(scored.logits.clone(), batch.targets);
        let value = loss.clone().into_scalar::<f64>();
        if !value.is_finite() {
            return Err(TrainError::Loss { epoch, step, value });
        }
        let penalty = (self.regularizer).penalty(&self.classifier, &scored, &batch.lengths);
        let loss = match penalty.map_err(regularize)? {
            Some(penalty) => loss + penalty,
            None => loss,
        };
        let gradients = GradientsParams::from_grads(loss.backward(), &self.classifier);
        let max_norm = self.recipe.training.clip_norm;
        let (gradients, grad_norm) = clip_grad_norm(&self.classifier, gradients, max_norm)
            .map_err(|source| TrainError::Gradient {
                epoch,
                step,
                source,
            })?;
        let (lr, rates) = self.rates.step();
        self.descend(rates, [epoch, step], gradients)?;
        let row = StepRow {
            step,
            epoch,
            loss: value,
            lr,
            grad_norm,
        };
        sums.add(row, size, right);
        Ok(value)
    }

    /// Moves the weights, and puts them where constraints and masks want them.
    fn descend(
        &mut self,
        rates: ModuleLearningRate,
        [epoch, step]: [usize; 2],
        gradients: GradientsParams,
    ) -> Result<(), TrainError> {
        let prune = TrainError::prune(epoch, step);
        if let Some(pruning) = &mut self.pruning {
            (pruning.before(step, &self.classifier, &gradients)).map_err(&prune)?;
        }
        let classifier = self
            .optimizer
            .step(rates, self.classifier.clone(), gradients);
        let constrained = self.regularizer.constrained(step, classifier);
        let classifier = constrained.map_err(TrainError::regularize(epoch, step))?;
        self.classifier = match &mut self.pruning {
            Some(pruning) => pruning.after(step, classifier).map_err(prune)?,
            None => classifier,
        };
        Ok(())
    }

    fn score(&self, set: &std::sync::Arc<rekindle_data::SequenceSet>) -> Option<crate::Scores> {
        let classes = &self.splits.preprocessing.classes;
        let device = self.device.clone().inner();
        let batch_size = self.recipe.training.batch_size;
        let predictions =
            Predictions::of(&self.classifier.valid(), set, classes, batch_size, &device);
        predictions.evaluate().map(|evaluation| evaluation.scores)
    }

    /// Takes in an epoch's figures; true if it is the best so far.
    fn take(&mut self, row: EpochRow) -> bool {
        let watch = self.recipe.training.watch;
        let value = watch.value(&row);
        if let Some(value) = value {
            self.rates.observe(value);
        }
        let best = self.best.map(|best| best.value);
        let is_pruned = row.epoch >= self.pruned_epoch();
        let is_best = is_pruned && value.is_some_and(|value| watch.is_better(value, best));
        if let (true, Some(value)) = (is_best, value) {
            self.best = Some(Best {
                epoch: row.epoch,
                value,
            });
            if self.recipe.training.keep == Keep::Best {
                self.best_model = Some(self.classifier.clone().into_record());
            }
        }
        self.epochs.push(row);
        is_best
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
            epochs_to_csv(&self.epochs).as_bytes(),
        )?;

        let current = self
            .best
            .is_some_and(|best| best.epoch == self.epochs.len());
        Checkpoint {
            data: self.checksum.clone(),
            steps_len: self.steps_len,
            best: self.best,
            epochs: self.epochs.clone(),
            model: self.classifier.clone().into_record(),
            best_model: if current {
                None
            } else {
                self.best_model.clone()
            },
            optimizer: self.optimizer.to_record(),
            lr: self.rates.to_record(),
            prune: self.pruning.as_ref().map(Pruning::state),
        }
        .save(self.folder)
    }
}
