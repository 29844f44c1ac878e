//! What only the network and the data tell of a run: kept in its folder, so that its page can be written again.

use burn::tensor::Device;
use rekindle_regularize::Targets;
use rekindle_regularize::prune::PruneReport;
use rekindle_regularize::units::UnitScore;
use serde::{Deserialize, Serialize};

use crate::doctor::gates_of;
use crate::files::{self, FileError};
use crate::report::{ConfusionMatrix, Histogram, TensorRow, UnitMap, WeightsPart};
use crate::splits::DataError;
use crate::task::Task;
use crate::{Evaluation, Network, RunFolder, Track};

/// The network that a run has kept, as its page shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Portrait {
    format: u32,
    /// One matrix for each scored set with classes.
    pub(crate) confusions: Vec<ConfusionMatrix>,
    /// True and predicted numbers, by the name of the scored set.
    #[serde(default)]
    pub(crate) tracks: Vec<(String, Track)>,
    /// How many weights are zero, and how large those of each unit are.
    pub(crate) weights: WeightsPart,
    /// Its gates on a sample of the training data; none unless the run watched its gradients.
    pub(crate) gates: Vec<Histogram>,
}

/// The version of the file. One that is not equal is refused.
const FORMAT: u32 = 1;

impl Portrait {
    /// Of a network without autodiff, and how it did on sets with names.
    pub(crate) fn of(
        network: &Network,
        classes: &[String],
        evaluations: &[(&str, &Option<Evaluation>)],
    ) -> Self {
        let confusion = |(split, evaluation): &(&str, &Option<Evaluation>)| {
            let counts = evaluation.as_ref()?.confusion.as_ref()?.counts.clone();
            Some(ConfusionMatrix {
                split: split.to_string(),
                classes: classes.to_vec(),
                counts,
            })
        };
        Self {
            format: FORMAT,
            confusions: evaluations.iter().filter_map(confusion).collect(),
            tracks: (evaluations.iter())
                .filter_map(|(split, evaluation)| {
                    let track = evaluation.as_ref()?.track.clone()?;
                    Some((split.to_string(), track))
                })
                .collect(),
            weights: weights(network),
            gates: Vec::new(),
        }
    }

    /// With the gates of the network on a sample of the task's data.
    ///
    /// # Errors
    /// If there is no sample.
    pub(crate) fn with_gates(
        self,
        network: &Network,
        task: &dyn Task,
        device: &Device,
    ) -> Result<Self, DataError> {
        Ok(Self {
            gates: gates_of(network, task, device)?,
            ..self
        })
    }

    pub(crate) fn save(&self, folder: &RunFolder) -> Result<(), FileError> {
        let path = folder.portrait();
        let text = serde_json::to_vec(self).map_err(|e| FileError::damaged(&path, e))?;
        files::write(&path, &text)
    }

    /// Reads the file.
    pub(crate) fn load(folder: &RunFolder) -> Result<Self, FileError> {
        let path = folder.portrait();
        let text = files::read_text(&path)?;
        let damaged = |e| FileError::damaged(&path, e);
        let value: serde_json::Value = serde_json::from_str(&text).map_err(damaged)?;
        files::check_format(&path, &value, FORMAT)?;
        let portrait: Self = serde_json::from_value(value).map_err(damaged)?;
        for ConfusionMatrix {
            split,
            classes,
            counts,
        } in &portrait.confusions
        {
            let (rows, classes) = (counts.len(), classes.len());
            if rows != classes || counts.iter().any(|row| row.len() != classes) {
                let problem = format!(
                    "its matrix of {split:?} has {rows} rows, expected {classes} rows of {classes} counts"
                );
                return Err(FileError::damaged(&path, problem));
            }
        }
        Ok(portrait)
    }
}

fn weights(network: &Network) -> WeightsPart {
    let report = PruneReport::of(network, &Targets::weights());
    let tensors = report.map(|report| report.tensors).unwrap_or_default();
    let scores = UnitScore::Norm.score(network, &network.units(), None);
    let units = scores.map(|scores| scores.groups).unwrap_or_default();
    WeightsPart {
        tensors: (tensors.into_iter())
            .map(|tensor| TensorRow {
                name: tensor.path,
                shape: tensor.shape,
                nonzero: tensor.nonzero,
                total: tensor.total,
            })
            .collect(),
        units: (units.into_iter())
            .map(|group| UnitMap {
                name: group.name,
                norms: group.scores,
            })
            .collect(),
    }
}
