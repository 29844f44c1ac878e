//! Pruning beside training.

use std::collections::BTreeMap;

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};

use super::masks::Gone;
use super::observe::{Observed, observe, scores};
use super::{Criterion, Masks, PruneError, PruneSchedule, Selection, bytes, rank};

/// Prunes a network while it trains.
///
/// Around each step of the optimiser: [`observe`](Self::observe) before it, [`after_step`](Self::after_step) after it. Masks
/// only grow, and are applied after every step, so that neither momentum nor weight decay brings a weight back.
///
/// # Examples
/// ```
/// use burn::nn::LinearConfig;
/// use burn::optim::{AdamConfig, GradientsParams};
/// use burn::tensor::{Device, Tensor};
/// use rekindle_regularize::Targets;
/// use rekindle_regularize::prune::{Criterion, PruneSchedule, Pruner, Selection};
///
/// let selection = Selection {
///     targets: Targets::new(["weight"]),
///     criterion: Criterion::Movement,
///     ..Selection::default()
/// };
/// let schedule = PruneSchedule::Cubic { initial: 0.0, sparsity: 0.5, begin: 2, end: 8, every: 2 };
/// let mut pruner = Pruner::new(selection, schedule)?;
///
/// let device = Device::default().autodiff();
/// let mut layer = LinearConfig::new(8, 4).init(&device);
/// let mut optimizer = AdamConfig::new().init();
/// for step in 1..=10 {
///     let loss = layer.forward(Tensor::<2>::ones([1, 8], &device)).square().sum();
///     let grads = GradientsParams::from_grads(loss.backward(), &layer);
///     pruner.observe(step, &layer, &grads)?;
///     layer = optimizer.step(1e-2, layer, grads);
///     layer = pruner.after_step(step, layer)?;
/// }
/// assert_eq!(pruner.masks().sparsity(), 0.5);
/// let zeros = layer.weight.val().equal_elem(0.0).int().sum();
/// assert_eq!(zeros.into_scalar::<i64>(), 16);
/// # Ok::<(), rekindle_regularize::prune::PruneError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Pruner {
    selection: Selection,
    schedule: PruneSchedule,
    masks: Masks,
    observed: Observed,
    /// The masks as they stand on the device, until they change.
    gone: Gone,
}

/// All that a [`Pruner`] has to remember.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PrunerState {
    /// What is gone so far.
    pub masks: Masks,
    /// What gradients have told so far, by paths of tensors, in row-major order; empty for criteria without gradients.
    pub scores: BTreeMap<String, TensorData>,
}

impl Pruner {
    /// Begins with the dense network.
    ///
    /// # Errors
    /// If a value of the selection or the schedule is out of range.
    pub fn new(selection: Selection, schedule: PruneSchedule) -> Result<Self, PruneError> {
        Self::from_state(selection, schedule, PrunerState::default())
    }

    /// Goes on from a state. With the same selection, schedule and network, and the next step, the run is the one that was
    /// interrupted, to the bit.
    ///
    /// # Errors
    /// As [`new`](Self::new). Whether the state fits the network shows at the next step.
    pub fn from_state(
        selection: Selection,
        schedule: PruneSchedule,
        state: PrunerState,
    ) -> Result<Self, PruneError> {
        selection.validate()?;
        schedule.validate()?;
        let device = Device::default();
        let to_tensor = |(path, data): (String, TensorData)| {
            let (bytes, shape, dtype) = data.into_parts();
            let data = TensorData::from_bytes(bytes, [shape.num_elements()], dtype);
            (path, Tensor::from_data(data, (&device, dtype)))
        };
        Ok(Self {
            selection,
            schedule,
            masks: state.masks,
            observed: state.scores.into_iter().map(to_tensor).collect(),
            gone: Gone::new(),
        })
    }

    /// All that has to be saved to go on.
    pub fn state(&self) -> PrunerState {
        let to_data = |(path, scores): (&String, &Tensor<1>)| (path.clone(), scores.to_data());
        PrunerState {
            masks: self.masks.clone(),
            scores: self.observed.iter().map(to_data).collect(),
        }
    }

    /// What is gone so far.
    pub fn masks(&self) -> &Masks {
        &self.masks
    }

    /// Which weights are pruned first.
    pub fn selection(&self) -> &Selection {
        &self.selection
    }

    /// How pruning grows.
    pub fn schedule(&self) -> &PruneSchedule {
        &self.schedule
    }

    /// Notes what the gradients tell about the weights they were taken at: call it before the optimiser takes them.
    ///
    /// Does nothing for criteria without gradients. Movement is summed up over all steps, sensitivity is that of the
    /// steps at which masks are updated. A parameter without a gradient at a step does not move.
    ///
    /// # Errors
    /// If the scores that were saved belong to another network.
    pub fn observe<M: Module>(
        &mut self,
        step: usize,
        module: &M,
        grads: &GradientsParams,
    ) -> Result<(), PruneError> {
        if self.selection.criterion == Criterion::Sensitivity && !self.schedule.is_due(step) {
            return Ok(());
        }
        observe(module, &self.selection, grads, &mut self.observed)
    }

    /// Updates the masks if the schedule says so, and zeroes what is gone: call it after the optimiser's step.
    ///
    /// # Errors
    /// - targets that mean no parameter, a criterion without its gradients, a score that is not finite
    /// - blocks that do not fit a tensor
    /// - nothing that would stay
    /// - masks of another network
    pub fn after_step<M: Module>(&mut self, step: usize, module: M) -> Result<M, PruneError> {
        if self.schedule.is_due(step) {
            let scored = scores(&module, &self.selection, &self.observed)?;
            let amount = self.schedule.at(step);
            self.masks = rank::prune(&scored, &self.masks, &self.selection, amount)?;
            self.gone.clear();
            if self.selection.criterion == Criterion::Sensitivity {
                self.observed.clear();
            }
        }
        self.masks.apply_with(module, &mut self.gone)
    }
}

impl PrunerState {
    /// Masks and scores, with a checksum.
    ///
    /// # Errors
    /// If they are too large for Burn's record format.
    pub fn to_bytes(&self) -> Result<Vec<u8>, PruneError> {
        bytes::pack(&self.masks, &self.scores)
    }

    /// What [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// If the bytes are something else, or damaged.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PruneError> {
        let (masks, scores) = bytes::unpack(bytes)?;
        Ok(Self { masks, scores })
    }
}
