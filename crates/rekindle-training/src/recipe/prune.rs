//! The section `[prune]`: weights that are pruned while the network trains.

use rekindle_regularize::Targets;
use rekindle_regularize::prune::{
    Criterion, Granularity, PruneError, PruneSchedule, Scope, Selection,
};
use serde::{Deserialize, Serialize};

use super::validate::check;
use super::{RecipeError, ScheduleUnit};

/// The section `[prune]`. Without a schedule nothing is pruned.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct PruneRecipe {
    /// How pruning grows over the run. Default: none, nothing is pruned.
    pub schedule: Option<PruneSchedule>,
    /// What the steps of the schedule count. Default: epochs.
    pub schedule_unit: ScheduleUnit,
    /// The weights that are pruned. Default: input and recurrent weights of all layers.
    pub targets: Targets,
    /// How weights are ranked. Default: by magnitude.
    pub criterion: Criterion,
    /// Which weights compete with each other. Default: those of one tensor.
    pub scope: Scope,
    /// What is pruned together. Default: single weights.
    pub granularity: Granularity,
}

impl Default for PruneRecipe {
    fn default() -> Self {
        let Selection {
            targets,
            criterion,
            scope,
            granularity,
        } = Selection::default();
        Self {
            schedule: None,
            schedule_unit: ScheduleUnit::Epoch,
            targets,
            criterion,
            scope,
            granularity,
        }
    }
}

impl PruneRecipe {
    /// Which weights are pruned first.
    pub(crate) fn selection(&self) -> Selection {
        Selection {
            targets: self.targets.clone(),
            criterion: self.criterion,
            scope: self.scope,
            granularity: self.granularity,
        }
    }

    /// The schedule in optimiser steps, of which an epoch has `steps`.
    pub(crate) fn in_steps(&self, steps: usize) -> Option<PruneSchedule> {
        let steps = match self.schedule_unit {
            ScheduleUnit::Step => 1,
            ScheduleUnit::Epoch => steps,
        };
        Some(self.schedule?.stretched(steps))
    }

    /// The last step that prunes, where an epoch has `steps`; 0 without a schedule.
    pub(crate) fn last_step(&self, steps: usize) -> usize {
        let schedule = self.in_steps(steps);
        schedule.map_or(0, |schedule| schedule.last())
    }

    /// The first epoch at whose end nothing more is pruned, where an epoch has `steps`; 0 without a schedule.
    pub(crate) fn pruned_epoch(&self, steps: usize) -> usize {
        self.last_step(steps).div_ceil(steps)
    }

    /// Checks the values, for a run of so many epochs.
    pub(super) fn check(&self, epochs: usize) -> Result<(), RecipeError> {
        let refused = |key, source: PruneError| RecipeError::Prune {
            key,
            source: Box::new(source),
        };
        self.selection()
            .validate()
            .map_err(|error| refused("prune.granularity", error))?;
        let Some(schedule) = &self.schedule else {
            return Ok(());
        };
        (schedule.validate()).map_err(|error| refused("prune.schedule", error))?;
        let last = schedule.last();
        check(
            self.schedule_unit == ScheduleUnit::Step || last <= epochs,
            "prune.schedule",
            format!("over after {last} epochs"),
            "an end within training.epochs",
        )
    }
}
