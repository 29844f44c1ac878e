//! Averages over the weights that training passes.

use burn::config::Config;
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::Tensor;
use burn::tensor::container::TensorContainer;
use serde::{Deserialize, Serialize};

use crate::{Mode, RangeError};

/// What steps of an average are.
#[derive(Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq, Default)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Steps of the optimiser.
    Step,
    /// Epochs, at their ends.
    #[default]
    Epoch,
}

/// Which mean of the weights is used in place of the weights, as a value.
///
/// Training goes on with the weights themselves; the mean is only looked at. [`Averager`] keeps it.
///
/// # References
/// - Polyak and Juditsky, *Acceleration of Stochastic Approximation by Averaging*, 1992,
///   <https://doi.org/10.1137/0330046>
/// - Izmailov et al., *Averaging Weights Leads to Wider Optima and Better Generalization*, 2018,
///   <https://arxiv.org/abs/1803.05407>
/// - Merity et al., *Regularizing and Optimizing LSTM Language Models*, 2017, <https://arxiv.org/abs/1708.02182>
#[derive(Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Default)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Average {
    /// No mean: the weights themselves.
    #[default]
    None,
    /// An exponential moving average over all steps: `w̄′ = decay · w̄ + (1 − decay) w`, beginning with the weights after
    /// the first step. `{ kind = "ema", decay = 0.999 }`
    Ema {
        /// How much of the mean stays, in `[0, 1)`. Default: 0.999, so that about the last thousand steps count.
        #[serde(default = "slow")]
        decay: f64,
    },
    /// Stochastic weight averaging: the plain mean of the weights at `start` and every so often from there on.
    /// `{ kind = "swa", start = 30, every = 1, unit = "epoch" }`
    Swa {
        /// The first one that counts, counted from 1, at least 1.
        start: usize,
        /// How often, at least 1. Default: 1.
        #[serde(default = "one")]
        every: usize,
        /// What both count. Default: epochs.
        #[serde(default)]
        unit: Unit,
    },
    /// The plain mean over all steps after the watched metric has stopped to improve, for good. With plain stochastic
    /// gradient descent this is NT-ASGD. `{ kind = "non_monotone", patience = 5 }`
    ///
    /// ```text
    /// begin once v_t > min(v_1, …, v_{t−1−n})          v_t: the metric of epoch t; n: patience
    /// ```
    NonMonotone {
        /// n: the last epochs that the metric is not compared with. Default: 5, the paper's.
        #[serde(default = "five")]
        patience: usize,
    },
}

fn slow() -> f64 {
    0.999
}

fn one() -> usize {
    1
}

fn five() -> usize {
    5
}

impl Config for Average {}

impl Average {
    /// Checks every number.
    ///
    /// # Errors
    /// A decay outside `[0, 1)`, a `start` or `every` of 0.
    pub fn validate(&self) -> Result<(), RangeError> {
        match *self {
            Self::None | Self::NonMonotone { .. } => Ok(()),
            Self::Ema { decay } => RangeError::unless_fraction("decay", decay),
            Self::Swa { start, every, .. } => {
                RangeError::unless(start > 0, "start", start as f64, "at least 1")?;
                RangeError::unless(every > 0, "every", every as f64, "at least 1")
            }
        }
    }

    /// Whether [`NonMonotone`](Self::NonMonotone) begins after an epoch with this metric, given those of the epochs before
    /// it, the first one first. Never for the other kinds.
    pub fn begins(&self, earlier: &[f64], value: f64, mode: Mode) -> bool {
        let Self::NonMonotone { patience } = *self else {
            return false;
        };
        let compared = &earlier[..earlier.len().saturating_sub(patience)];
        // Worse than the best of them is worse than any of them.
        compared.iter().any(|earlier| match mode {
            Mode::Min => value > *earlier,
            Mode::Max => value < *earlier,
        })
    }

    /// Whether the weights after a step count, which is counted from 1.
    fn is_due(&self, step: usize, steps_per_epoch: usize, begun: bool) -> bool {
        match *self {
            Self::None => false,
            Self::Ema { .. } => true,
            Self::NonMonotone { .. } => begun,
            Self::Swa { start, every, unit } => {
                let length = match unit {
                    Unit::Step => 1,
                    Unit::Epoch => steps_per_epoch,
                };
                let unit = step / length;
                let is_end = step.is_multiple_of(length);
                is_end && unit >= start && (unit - start).is_multiple_of(every)
            }
        }
    }
}

/// What an [`Averager`] has to remember beside the mean.
#[derive(Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq, Default)]
#[serde(deny_unknown_fields)]
pub struct AverageState {
    /// How many weights the mean is over.
    pub count: usize,
    /// Whether [`NonMonotone`](Average::NonMonotone) has begun.
    pub begun: bool,
}

/// Keeps the mean of a module's tensors while it trains.
///
/// Call [`after_step`](Self::after_step) after each step of the optimiser, and where there is a metric
/// [`observe`](Self::observe) after each epoch. [`averaged`](Self::averaged) is the module to be validated and saved; the
/// module that trains is never changed.
///
/// All float tensors are averaged: parameters, and also what a module only keeps, such as the statistics of batch
/// normalisation. Means are kept in the type of the tensors.
///
/// # Differences
/// PyTorch's `AveragedModel` with `use_buffers=True` does the same.
///
/// # Examples
/// ```
/// use burn::module::Module;
/// use burn::nn::LinearConfig;
/// use burn::tensor::Device;
/// use rekindle_optim::{Average, Averager};
///
/// let layer = LinearConfig::new(2, 1).init(&Device::default().autodiff());
/// let mut averager = Averager::new(Average::Ema { decay: 0.9 });
/// assert!(averager.averaged().is_none());
/// averager.after_step(1, 10, &layer);
/// let mean = averager.averaged().unwrap();
/// assert_eq!(mean.weight.val().into_data(), layer.weight.val().into_data());
/// ```
#[derive(Clone, Debug)]
pub struct Averager<M> {
    average: Average,
    state: AverageState,
    mean: Option<M>,
}

impl<M: Module> Averager<M> {
    /// Without a mean yet.
    ///
    /// # Panics
    /// If [`Average::validate`] fails.
    pub fn new(average: Average) -> Self {
        Self::from_state(average, AverageState::default(), None)
    }

    /// Goes on from a state and the mean that belongs to it.
    ///
    /// # Panics
    /// If [`Average::validate`] fails, or the state counts weights and there is no mean, or the other way round.
    pub fn from_state(average: Average, state: AverageState, mean: Option<M>) -> Self {
        if let Err(error) = average.validate() {
            panic!("invalid average: {error}");
        }
        let (count, is_there) = (state.count, mean.is_some());
        assert_eq!(
            count > 0,
            is_there,
            "the state counts {count} weights, and there is a mean: {is_there}"
        );
        Self {
            average,
            state,
            mean: mean.map(|mean| mean.valid()),
        }
    }

    /// What has to be saved beside the mean.
    pub fn state(&self) -> AverageState {
        self.state
    }

    /// The mean, without autodiff; `None` as long as no weights count.
    pub fn averaged(&self) -> Option<&M> {
        self.mean.as_ref()
    }

    /// Takes in the weights after a step of the optimiser, which is counted from 1, if they count.
    pub fn after_step(&mut self, step: usize, steps_per_epoch: usize, module: &M) {
        let AverageState { count, begun } = self.state;
        if !self.average.is_due(step, steps_per_epoch, begun) {
            return;
        }
        self.mean = Some(match self.mean.take() {
            None => module.valid(),
            Some(mean) => {
                let share = match self.average {
                    Average::Ema { decay } => 1.0 - decay,
                    _ => 1.0 / (count + 1) as f64,
                };
                toward(mean, module, share)
            }
        });
        self.state.count += 1;
    }

    /// Takes in an epoch's metric, given those of the epochs before it, see [`Average::begins`].
    pub fn observe(&mut self, earlier: &[f64], value: f64, mode: Mode) {
        self.state.begun |= self.average.begins(earlier, value, mode);
    }
}

/// A mean that goes a share of the way to other weights.
fn toward<M: Module>(mean: M, module: &M, share: f64) -> M {
    let mut collect = Collect {
        tensors: TensorContainer::new(),
    };
    module.visit(&mut collect);
    mean.map(&mut Toward {
        tensors: collect.tensors,
        share,
    })
}

/// The tensors of a module.
struct Collect {
    tensors: TensorContainer<ParamId>,
}

impl ModuleVisitor for Collect {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.tensors.register(param.id, param.val().inner());
    }
}

/// Moves tensors to those of another module.
struct Toward {
    tensors: TensorContainer<ParamId>,
    share: f64,
}

impl ModuleMapper for Toward {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, mean, mapper) = param.consume();
        // The tensor of a parameter that the module holds twice serves twice.
        let mean = match self.tensors.get::<Tensor<D>>(&id) {
            Some(tensor) => mean.clone() + (tensor - mean).mul_scalar(self.share),
            None => mean,
        };
        Param::from_mapped_value(id, mean, mapper)
    }
}
