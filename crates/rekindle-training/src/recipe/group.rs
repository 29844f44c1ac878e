//! Groups of parameters with learning rates of their own.

use rekindle_optim::Schedule;
use rekindle_regularize::Targets;
use serde::{Deserialize, Serialize};

use super::RecipeError;
use super::regularize::{check_entry, check_targets};

/// An entry of `training.groups`. Where a parameter is in several, the last one counts.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct GroupRecipe {
    /// The parameters.
    pub targets: Targets,
    /// Factor of the rate, finite and at least 0; with 0 the parameters stay as they are. Default: 1.
    #[serde(default = "one")]
    pub lr_factor: f64,
    /// A schedule instead of that of the run, counted in the same unit; no plateau. Default: that of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
}

fn one() -> f64 {
    1.0
}

impl GroupRecipe {
    /// Checks the ranges. Whether targets mean a parameter is seen when there is a network.
    pub(super) fn check(&self, index: usize) -> Result<(), RecipeError> {
        let entry = format!("training.groups[{index}]");
        let factor = self.lr_factor;
        check_entry(
            factor >= 0.0 && factor.is_finite(),
            format!("{entry}.lr_factor"),
            factor,
            "a finite number of at least 0",
        )?;
        let Some(schedule) = &self.schedule else {
            return check_targets(entry, &self.targets);
        };
        let key = format!("{entry}.schedule");
        check_entry(
            !matches!(schedule, Schedule::Plateau(_)),
            key.clone(),
            "a plateau",
            "a kind that depends on the step alone; make the plateau training.schedule",
        )?;
        (schedule.validate()).map_err(|source| RecipeError::Schedule { key, source })?;
        check_targets(entry, &self.targets)
    }
}
