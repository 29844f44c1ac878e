//! Pruning beside the training of a run.

use burn::module::Module;
use burn::optim::GradientsParams;
use rekindle_regularize::prune::{
    Masks, PruneError, PruneReport, PruneSchedule, Pruner, PrunerState, Selection,
};

use crate::recipe::{PruneRecipe, Recipe, check};
use crate::{Network, TrainError};

/// Prunes as a recipe says, or keeps what is pruned already.
pub(crate) struct Pruning {
    pruner: Pruner,
}

impl Pruning {
    /// The pruning of a run with so many steps an epoch; `None`: nothing is pruned. `state` is that of a checkpoint.
    pub(crate) fn new(
        recipe: &PruneRecipe,
        steps: usize,
        state: Option<PrunerState>,
    ) -> Result<Option<Self>, PruneError> {
        match (recipe.in_steps(steps), state) {
            (None, None) => Ok(None),
            (Some(schedule), state) => {
                let state = state.unwrap_or_default();
                let pruner = Pruner::from_state(recipe.selection(), schedule, state)?;
                Ok(Some(Self { pruner }))
            }
            (None, Some(state)) => Self::keeping(state).map(Some),
        }
    }

    /// Checks that targets mean parameters, and that pruning ends within the run: before anything is trained.
    pub(crate) fn check(
        recipe: &Recipe,
        classifier: &Network,
        steps: usize,
    ) -> Result<(), TrainError> {
        if recipe.prune.schedule.is_some() {
            PruneReport::of(classifier, &recipe.prune.targets)?;
        }
        let last = recipe.prune.last_step(steps);
        let steps = steps * recipe.training.epochs;
        check(
            last <= steps,
            "prune.schedule",
            format!("not over after {steps} steps, the last of the run"),
            "an end within the run",
        )?;
        Ok(())
    }

    /// Keeps what is gone and prunes no more.
    fn keeping(state: PrunerState) -> Result<Self, PruneError> {
        let never = PruneSchedule::OneShot {
            sparsity: 0.0,
            at: 0,
        };
        Ok(Self {
            pruner: Pruner::from_state(Selection::default(), never, state)?,
        })
    }

    /// The state of a network that is pruned with these masks and goes on so.
    pub(crate) fn kept(masks: Masks) -> PrunerState {
        PrunerState {
            masks,
            ..PrunerState::default()
        }
    }

    /// Before the optimiser's step.
    pub(crate) fn before<M: Module>(
        &mut self,
        step: usize,
        module: &M,
        gradients: &GradientsParams,
    ) -> Result<(), PruneError> {
        self.pruner.observe(step, module, gradients)
    }

    /// After the optimiser's step.
    pub(crate) fn after<M: Module>(&mut self, step: usize, module: M) -> Result<M, PruneError> {
        self.pruner.after_step(step, module)
    }

    /// Other weights of the same network without what is pruned so far.
    pub(crate) fn masked<M: Module>(&self, module: M) -> Result<M, PruneError> {
        self.pruner.masks().apply(module)
    }

    pub(crate) fn state(&self) -> PrunerState {
        self.pruner.state()
    }
}
