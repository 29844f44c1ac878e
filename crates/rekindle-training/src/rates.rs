//! The learning rates of a run: one for all parameters, and those of groups.

use burn::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::lr_scheduler::{LrScheduler, LrSchedulerRecord};
use burn::module::{Module, Param, ParamGroup};
use burn::tensor::Tensor;
use rekindle_optim::{LrGroup, LrRecordError, ScheduledLr};
use rekindle_regularize::{Visit, visit};

use crate::recipe::{ScheduleUnit, TrainingRecipe};

/// A group of a recipe that does not fit the network.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GroupError {
    /// No parameter is meant.
    #[error(
        "training.groups[{index}]: no parameter matches `{targets}`; those of the network are {}",
        available.join(", ")
    )]
    NoMatch {
        /// The group's place in the list.
        index: usize,
        /// The patterns.
        targets: String,
        /// Paths of the float parameters that there are.
        available: Vec<String>,
    },
}

/// The learning rates of a run.
pub(crate) struct Rates {
    lr: ScheduledLr,
    groups: Vec<LrGroup>,
}

impl Rates {
    /// Those of a recipe at its first step, for a network and epochs of so many steps.
    pub(crate) fn new<M: Module>(
        recipe: &TrainingRecipe,
        network: &M,
        steps_per_epoch: usize,
    ) -> Result<Self, GroupError> {
        let steps_per_unit = match recipe.schedule_unit {
            ScheduleUnit::Step => 1,
            ScheduleUnit::Epoch => steps_per_epoch,
        };
        let mut paths = Paths::default();
        visit(network, &mut paths);
        let group = |(index, group): (usize, &crate::recipe::GroupRecipe)| {
            let all = paths.0.iter();
            let meant: Vec<String> = (all.filter(|path| group.targets.contains(path)))
                .cloned()
                .collect();
            if meant.is_empty() {
                let targets = group.targets.to_string();
                let available = paths.0.clone();
                return Err(GroupError::NoMatch {
                    index,
                    targets,
                    available,
                });
            }
            Ok(LrGroup {
                parameters: ParamGroup::from_paths(meant),
                factor: group.lr_factor,
                schedule: group.schedule.clone(),
            })
        };
        let groups = recipe.groups.iter().enumerate().map(group);
        Ok(Self {
            groups: groups.collect::<Result<_, _>>()?,
            lr: ScheduledLr::new(recipe.lr, recipe.schedule.clone(), steps_per_unit),
        })
    }

    /// The rates of this step times `factor`, and among them that of parameters outside all groups; then counts the step.
    pub(crate) fn step(&mut self, factor: f64) -> (f64, ModuleLearningRate) {
        let rates = self.lr.step_groups(&self.groups, factor);
        (rates.base(), rates)
    }

    /// Takes in the watched metric of an epoch.
    pub(crate) fn observe(&self, metric: f64) {
        self.lr.observe(metric);
    }

    pub(crate) fn to_record(&self) -> LrSchedulerRecord {
        self.lr.to_record()
    }

    /// Continues where a record was saved.
    pub(crate) fn try_load_record(
        &mut self,
        record: &LrSchedulerRecord,
    ) -> Result<(), LrRecordError> {
        self.lr.try_load_record(record)
    }
}

/// Lists the paths of float parameters, as a record and the optimiser call them.
#[derive(Default)]
pub(crate) struct Paths(pub(crate) Vec<String>);

impl Visit for Paths {
    fn visit<const D: usize>(&mut self, path: String, _param: &Param<Tensor<D>>) {
        self.0.push(path);
    }
}
