//! The learning-rate range test.

mod curve;

use std::ops::ControlFlow;
use std::path::PathBuf;

pub use curve::{LrCurve, LrPoint, LrSuggestions};
use rekindle_optim::{Average, NonFinite, Schedule};

use crate::fit::Fit;
use crate::recipe::{PruneRecipe, Recipe, ScheduleUnit};
use crate::{Backend, Event, Observer, RunFolder, TrainError, task};

/// How the rate grows from step to step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum LrGrowth {
    /// By the same factor: each power of ten has as many steps.
    #[default]
    Exponential,
    /// By the same amount, as in Smith's paper.
    Linear,
}

/// What [`find_lr`] tries.
///
/// # Examples
/// ```
/// use rekindle_training::LrRange;
///
/// let range = LrRange { steps: 400, ..LrRange::default() };
/// assert_eq!((range.from, range.to), (1e-6, 10.0));
/// let wrong = LrRange { from: 1.0, to: 0.1, ..range }.validate().unwrap_err();
/// assert_eq!(wrong.to_string(), "to is 0.1, expected a finite number above from, which is 1");
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LrRange {
    /// The rate of the first step, positive. Default: 1e-6.
    pub from: f64,
    /// The rate of the last step, above `from`. Default: 10.
    pub to: f64,
    /// Steps, at least [`LEAST`](Self::LEAST). Default: 200.
    pub steps: usize,
    /// The weight of what was before in the smoothed loss, in `[0, 1)`. Default: 0.9, about ten steps.
    pub smooth: f64,
    /// How the rate grows. Default: exponentially.
    pub growth: LrGrowth,
}

impl Default for LrRange {
    fn default() -> Self {
        Self {
            from: 1e-6,
            to: 10.0,
            steps: 200,
            smooth: 0.9,
            growth: LrGrowth::Exponential,
        }
    }
}

/// A range of rates that cannot be tried, or has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FindLrError {
    /// A number out of its range.
    #[error("{name} is {found}, expected {expected}")]
    Range {
        /// The field.
        name: &'static str,
        /// Its value.
        found: f64,
        /// What it should be.
        expected: String,
    },
    /// The loss exploded before there was anything to compare.
    #[error(
        "the loss {what} at step {step}, at a rate of {lr:e}: found {step} steps, expected at least {least} to judge by; begin at a lower rate{because}"
    )]
    Diverged {
        /// What the loss did.
        what: &'static str,
        /// The step, counted from 1.
        step: usize,
        /// Its rate.
        lr: f64,
        /// How many steps are needed.
        least: usize,
        /// What stopped it, after a colon; empty if the loss only grew.
        because: String,
    },
    /// No rate lowers the loss.
    #[error(
        "the smoothed loss falls from {first:.4} to {lowest:.4} and no further, expected a rate at which it falls by a twentieth; try a wider range or more steps, and ask `rekindle doctor` what is wrong"
    )]
    Flat {
        /// The smoothed loss where suggestions begin.
        first: f64,
        /// The lowest.
        lowest: f64,
    },
    /// What stops a training, too.
    #[error(transparent)]
    Train(#[from] TrainError),
}

impl LrRange {
    /// Steps that a judgement needs at least.
    pub const LEAST: usize = 20;

    /// Checks the numbers.
    ///
    /// # Errors
    /// If one is out of its range.
    pub fn validate(&self) -> Result<(), FindLrError> {
        let Self {
            from,
            to,
            steps,
            smooth,
            ..
        } = *self;
        let check = |is_right, name, found, expected: String| match is_right {
            true => Ok(()),
            false => Err(FindLrError::Range {
                name,
                found,
                expected,
            }),
        };
        let positive = "a positive finite number".to_string();
        check(from > 0.0 && from.is_finite(), "from", from, positive)?;
        let above = format!("a finite number above from, which is {from}");
        check(to > from && to.is_finite(), "to", to, above)?;
        let least = format!("at least {}", Self::LEAST);
        check(steps >= Self::LEAST, "steps", steps as f64, least)?;
        let share = "a number in [0, 1)".to_string();
        check((0.0..1.0).contains(&smooth), "smooth", smooth, share)
    }

    /// The recipe of the trial: the rate grows in each step, for groups by their factors, too; nothing is left out, pruned
    /// or averaged.
    fn trial_of(&self, recipe: &Recipe) -> Recipe {
        let (factor, steps) = (self.to / self.from, self.steps - 1);
        let mut trial = recipe.clone();
        let training = &mut trial.training;
        training.lr = self.from;
        training.schedule_unit = ScheduleUnit::Step;
        training.schedule = match self.growth {
            LrGrowth::Exponential => Schedule::Exponential {
                gamma: factor,
                steps,
            },
            LrGrowth::Linear => Schedule::Linear {
                from: 1.0,
                to: factor,
                steps,
            },
        };
        for group in &mut training.groups {
            group.schedule = None;
        }
        training.on_nonfinite = NonFinite::Error;
        training.average = Average::None;
        training.watch_gradients = false;
        trial.prune = PruneRecipe::default();
        trial
    }
}

/// Tries learning rates: trains a network of the recipe for some steps, each at a higher rate than the one before, until the
/// loss explodes, to four times its lowest smoothed value. Nothing is written.
///
/// ```text
/// lr_n = from · (to / from)^(n / (steps − 1))          or linear
/// s_n = smooth · s_{n−1} + (1 − smooth) · loss_n,  s_{−1} = 0
/// smoothed_n = s_n / (1 − smooth^{n+1})
/// ```
///
/// All else is as in a run: the optimiser, clipping, weight decay, noise and penalties. The loss is that of the training
/// data, without penalties. The same recipe, data, range and CPU backend give the same curve, bit for bit.
///
/// # Where it misleads
/// - It sees some hundred steps from fresh weights. A rate that is best there may be too high for a run that is long, or
///   begins with a warm-up; and a schedule that falls wants a higher one than a constant rate.
/// - What it finds belongs to its batch size, weight decay, clipping and noise. With clipping or an adaptive optimiser the
///   loss may not explode at all; then the end of the range is no evidence that high rates are good.
/// - It looks at the training loss: a rate that overfits looks as good as one that does not.
/// - Smoothing delays the curve, so that the steepest place lies at a higher rate than it should; small batches need it.
/// - Rates of a power of ten take `steps / log10(to / from)` steps. If this is much less than an epoch, the curve is that of
///   the batches that happened to come.
/// - A task that nothing can be learned of in so few steps, such as one of long memory, has a curve without a valley, or one
///   that tells of its bias alone.
///
/// # References
/// - Smith, *Cyclical Learning Rates for Training Neural Networks*, 2015, section 3.3, <https://arxiv.org/abs/1506.01186>
/// - The rules are those of [`lr_find`](https://docs.fast.ai/callback.schedule.html) in fastai: see [`LrSuggestions`].
///
/// # Errors
/// If the range, the recipe or its data cannot be used, the loss explodes before there is anything to compare, or no rate
/// lowers it.
///
/// # Examples
/// ```no_run
/// use std::path::Path;
///
/// use rekindle_training::{Backend, LrRange, Recipe, find_lr};
///
/// let recipe = Recipe::load(Path::new("recipes/digits-lstm.toml"), &[])?;
/// let curve = find_lr(&recipe, Backend::compiled()[0], &LrRange::default(), &mut ())?;
/// println!("lr = {}", curve.suggestions.tenth_of_lowest);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn find_lr(
    recipe: &Recipe,
    backend: Backend,
    range: &LrRange,
    observer: &mut dyn Observer,
) -> Result<LrCurve, FindLrError> {
    range.validate()?;
    recipe.validate().map_err(TrainError::from)?;
    let devices = [backend.device().map_err(TrainError::from)?];
    let task = task::open(recipe).map_err(TrainError::from)?;
    let trial = range.trial_of(&recipe.for_lengths(task.lengths()));
    // A folder that is not there has no checkpoint.
    let nowhere = RunFolder::new(PathBuf::new());
    let mut fit = Fit::start(&trial, &nowhere, &*task, &devices)?;
    let batches = task.steps_per_epoch();
    let mut curve = LrCurve::new(&recipe.name, *range);
    let (_, failed) = fit.trial(range.steps, |_, _, row| {
        observer.observe(&Event::Step {
            epoch: row.epoch,
            batch: (row.step - 1) % batches + 1,
            loss: row.loss,
        });
        match curve.add(row.lr, row.loss) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    })?;
    curve.close(failed)
}
