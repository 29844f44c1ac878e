//! The hook that stays on in training: how much gradient reaches each state, epoch by epoch, and its file.

use std::path::Path;

use rekindle_cells::CellFlow;
use serde::{Deserialize, Serialize};

use super::measure::{Flow, FlowSum, PARTS};
use super::{Place, network};
use crate::files::{self, FileError};
use crate::{Network, RunFolder};

/// How much gradient reached each state in an epoch, over all its steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochFlows {
    /// The epoch, counted from 1.
    pub epoch: usize,
    /// One flow for each cell and state; none of scans that leave nothing.
    pub flows: Vec<Flow>,
}

/// Watches the gradients of a run.
pub(crate) struct Watcher {
    cells: Vec<(CellFlow, FlowSum)>,
    epochs: Vec<EpochFlows>,
}

/// The first line of the file.
const HEADER: &str = "epoch,layer,direction,state,part,norm\n";

impl Watcher {
    /// From now on watches the network, and what an optimiser makes of it.
    pub(crate) fn new(network: &mut Network) -> Self {
        let cells = network::watch(network).into_iter();
        Self {
            cells: cells.map(|cell| (cell, FlowSum::default())).collect(),
            epochs: Vec::new(),
        }
    }

    /// Takes in what the backward pass of a step left.
    pub(crate) fn after_step(&mut self) {
        for (cell, sum) in &mut self.cells {
            for pass in cell.flow.take() {
                sum.add(&pass, cell.reverse);
            }
        }
    }

    /// Closes an epoch.
    pub(crate) fn after_epoch(&mut self, epoch: usize) {
        let cells = self.cells.iter_mut();
        let flows = cells.flat_map(|(cell, sum)| {
            let place = Place::new(cell.layer, cell.reverse);
            std::mem::take(sum).flows(place)
        });
        let flows = flows.collect();
        self.epochs.push(EpochFlows { epoch, flows });
    }

    /// Goes on with the file of a run whose checkpoint counts so many epochs.
    pub(crate) fn resume(&mut self, folder: &RunFolder, epochs: usize) -> Result<(), FileError> {
        self.epochs = load(&folder.health())?;
        self.epochs.retain(|row| row.epoch <= epochs);
        Ok(())
    }

    /// Writes the file.
    pub(crate) fn save(&self, folder: &RunFolder) -> Result<(), FileError> {
        files::write(&folder.health(), to_csv(&self.epochs).as_bytes())
    }

    /// What was seen in all epochs.
    pub(crate) fn epochs(&self) -> &[EpochFlows] {
        &self.epochs
    }
}

fn to_csv(epochs: &[EpochFlows]) -> String {
    let mut text = HEADER.to_string();
    for EpochFlows { epoch, flows } in epochs {
        for Flow {
            place,
            state,
            norms,
        } in flows
        {
            for (part, norm) in norms.iter().enumerate() {
                let (layer, direction) = (place.layer, place.direction());
                text += &format!("{epoch},{layer},{direction},{state},{part},{norm}\n");
            }
        }
    }
    text
}

/// The file of a run folder, from the first epoch on.
///
/// # Errors
/// If it cannot be read, or a line of it is damaged.
pub(crate) fn load(path: &Path) -> Result<Vec<EpochFlows>, FileError> {
    let text = files::read_text(path)?;
    let mut epochs: Vec<EpochFlows> = Vec::new();
    for (index, line) in text.lines().enumerate().skip(1) {
        let damaged = || {
            let problem = format!(
                "line {} is {line:?}, expected {}",
                index + 1,
                HEADER.trim_end()
            );
            FileError::damaged(path, problem)
        };
        let (epoch, place, state, part, norm) = parse(line).ok_or_else(damaged)?;
        if epochs.last().is_none_or(|last| last.epoch != epoch) {
            let flows = Vec::new();
            epochs.push(EpochFlows { epoch, flows });
        }
        let flows = &mut epochs.last_mut().expect("an epoch was just pushed").flows;
        if part == 0 {
            flows.push(Flow {
                place,
                state: state.to_string(),
                norms: Vec::new(),
            });
        }
        let flow = flows.last_mut().ok_or_else(damaged)?;
        if flow.norms.len() != part || part >= PARTS {
            return Err(damaged());
        }
        flow.norms.push(norm);
    }
    Ok(epochs)
}

/// Epoch, cell, state, part and norm.
fn parse(line: &str) -> Option<(usize, Place, &str, usize, f64)> {
    let fields: Vec<&str> = line.split(',').collect();
    let [epoch, layer, direction, state, part, norm] = fields[..] else {
        return None;
    };
    let reverse = match direction {
        "forward" => false,
        "reverse" => true,
        _ => return None,
    };
    let place = Place::new(layer.parse().ok()?, reverse);
    Some((
        epoch.parse().ok()?,
        place,
        state,
        part.parse().ok()?,
        norm.parse().ok()?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_come_back_from_their_file() {
        let flow = |state: &str, reverse| Flow {
            place: Place::new(1, reverse),
            state: state.into(),
            norms: (0..PARTS).map(|part| 0.1 / (part + 1) as f64).collect(),
        };
        let epochs: Vec<EpochFlows> = (1..4)
            .map(|epoch| EpochFlows {
                epoch,
                flows: vec![flow("hidden", false), flow("cell", true)],
            })
            .collect();
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("health.csv");
        std::fs::write(&path, to_csv(&epochs)).expect("written");
        assert_eq!(load(&path).expect("read"), epochs);
        for damage in ["1,0,forward,hidden,1,0.5", "1,0,up,hidden,0,0.5", "1,2,3"] {
            std::fs::write(&path, format!("{HEADER}{damage}\n")).expect("written");
            let error = load(&path).expect_err("damaged").to_string();
            assert!(error.contains("line 2"), "{error}");
        }
    }
}
