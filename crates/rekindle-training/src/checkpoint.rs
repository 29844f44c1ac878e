//! What a run needs to go on after an interruption.
//!
//! A checkpoint is a folder `checkpoint/epoch-N`. It is written under another name and renamed when all of it is on the
//! disk, and only then is the one before removed: at any moment there is a whole one, once the first epoch is over.

use std::fs;
use std::path::{Path, PathBuf};

use burn::lr_scheduler::LrSchedulerRecord;
use burn::optim::OptimizerRecord;
use burn::store::ModuleRecord;
use burn::tensor::Bytes;
use rekindle_optim::{AverageState, NonFiniteState};
use rekindle_regularize::prune::PrunerState;
use serde::{Deserialize, Serialize};

use crate::files::{self, Checksum, FileError};
use crate::finite;
use crate::{EpochRow, RunFolder, TrainError};

/// The version of this layout. One that is not equal is refused.
const FORMAT: u32 = 2;

/// The epoch whose weights a run would keep.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Best {
    /// Counted from 1.
    pub(crate) epoch: usize,
    /// The watched metric.
    pub(crate) value: f64,
}

/// The small part of a checkpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct State {
    format: u32,
    /// Of the data that the run trains on.
    pub(crate) data: String,
    /// Bytes of `steps.csv` that belong to these epochs.
    pub(crate) steps_len: u64,
    /// The best epoch by the watched metric.
    pub(crate) best: Option<Best>,
    /// All epochs so far.
    pub(crate) epochs: Vec<EpochRow>,
    /// What the policy on steps that are not finite remembers.
    nonfinite: NonFiniteState,
    /// What the mean of the weights remembers beside itself.
    average: AverageState,
    /// Of the other files, by name.
    checksums: Vec<(String, String)>,
}

/// All of a checkpoint.
pub(crate) struct Checkpoint {
    pub(crate) data: String,
    pub(crate) steps_len: u64,
    pub(crate) best: Option<Best>,
    pub(crate) epochs: Vec<EpochRow>,
    pub(crate) model: ModuleRecord,
    /// The weights of the best epoch, unless the current ones are they.
    pub(crate) best_model: Option<ModuleRecord>,
    pub(crate) optimizer: OptimizerRecord,
    pub(crate) lr: LrSchedulerRecord,
    /// What is pruned, if the run prunes.
    pub(crate) prune: Option<PrunerState>,
    pub(crate) nonfinite: NonFiniteState,
    pub(crate) average: AverageState,
    /// The mean of the weights, if there is one.
    pub(crate) mean: Option<ModuleRecord>,
}

const MODEL: &str = "model.bpk";
const BEST: &str = "best.bpk";
const OPTIMIZER: &str = "optimizer.bpk";
const LR: &str = "lr.bpk";
const MEAN: &str = "mean.bpk";
const PRUNE: &str = "prune.bin";
const STATE: &str = "state.json";

impl Checkpoint {
    /// Where the checkpoint of an epoch is.
    pub(crate) fn path(folder: &RunFolder, epoch: usize) -> PathBuf {
        folder.checkpoints().join(format!("epoch-{epoch}"))
    }

    /// Writes the checkpoint of the last of its epochs, and then removes earlier ones.
    pub(crate) fn save(self, folder: &RunFolder) -> Result<(), FileError> {
        let parent = folder.checkpoints();
        let epoch = self.epochs.len();
        let target = Self::path(folder, epoch);
        let temporary = parent.join(format!("epoch-{epoch}.tmp"));
        remove_if_there(&temporary)?;
        fs::create_dir_all(&temporary).map_err(FileError::write(&temporary))?;

        let mut parts = vec![
            (MODEL, self.model.into_bytes().map_err(|e| e.to_string())),
            (
                OPTIMIZER,
                self.optimizer.into_bytes().map_err(|e| e.to_string()),
            ),
            (LR, self.lr.into_bytes().map_err(|e| e.to_string())),
        ];
        if let Some(best) = self.best_model {
            parts.push((BEST, best.into_bytes().map_err(|e| e.to_string())));
        }
        if let Some(mean) = self.mean {
            parts.push((MEAN, mean.into_bytes().map_err(|e| e.to_string())));
        }
        if let Some(prune) = self.prune {
            let bytes = prune.to_bytes().map(Bytes::from_bytes_vec);
            parts.push((PRUNE, bytes.map_err(|e| e.to_string())));
        }
        let checksums = write_parts(&temporary, parts)?;
        let state = State {
            format: FORMAT,
            data: self.data,
            steps_len: self.steps_len,
            best: self.best,
            epochs: self.epochs,
            nonfinite: self.nonfinite,
            average: self.average,
            checksums,
        };
        let path = temporary.join(STATE);
        let text = serde_json::to_vec_pretty(&state).map_err(|e| FileError::damaged(&path, e))?;
        files::write_synced(&path, &text).map_err(FileError::write(&path))?;

        remove_if_there(&target)?;
        fs::rename(&temporary, &target)
            .and_then(|()| files::sync_folder(&target))
            .map_err(FileError::write(&target))?;
        remove_before(epoch, &parent)
    }

    /// The checkpoint of the last epoch; `None` if no epoch is over.
    pub(crate) fn load(folder: &RunFolder) -> Result<Option<Self>, FileError> {
        let parent = folder.checkpoints();
        let Some((epoch, path)) = list(&parent)?.into_iter().max() else {
            return Ok(None);
        };
        let state = State::load(&path.join(STATE))?;
        state.check(&path.join(STATE), epoch)?;
        let read = |name: &str| state.read(&path, name);
        let damaged = |name: &str, error: String| FileError::damaged(&path.join(name), error);
        let finite = |name: &str, bytes: &Bytes| check_finite(&path.join(name), bytes);
        let missing = |name: &str| damaged(name, "the checkpoint does not list it".to_string());
        let module = |name: &str| -> Result<Option<ModuleRecord>, FileError> {
            let Some(bytes) = read(name)? else {
                return Ok(None);
            };
            finite(name, &bytes)?;
            let record = ModuleRecord::from_bytes(bytes);
            record.map(Some).map_err(|e| damaged(name, e.to_string()))
        };
        let optimizer = read(OPTIMIZER)?.ok_or_else(|| missing(OPTIMIZER))?;
        finite(OPTIMIZER, &optimizer)?;
        let lr = read(LR)?.ok_or_else(|| missing(LR))?;
        Ok(Some(Self {
            model: module(MODEL)?.ok_or_else(|| missing(MODEL))?,
            best_model: module(BEST)?,
            optimizer: OptimizerRecord::from_bytes(optimizer)
                .map_err(|e| damaged(OPTIMIZER, e.to_string()))?,
            lr: LrSchedulerRecord::from_bytes(lr).map_err(|e| damaged(LR, e.to_string()))?,
            prune: match read(PRUNE)? {
                Some(bytes) => {
                    let state = PrunerState::from_bytes(&bytes);
                    Some(state.map_err(|e| damaged(PRUNE, e.to_string()))?)
                }
                None => None,
            },
            nonfinite: state.nonfinite,
            average: state.average,
            mean: module(MEAN)?,
            data: state.data,
            steps_len: state.steps_len,
            best: state.best,
            epochs: state.epochs,
        }))
    }
}

/// Checks that the numbers of a pack are finite.
fn check_finite(path: &Path, bytes: &Bytes) -> Result<(), FileError> {
    match finite::check_pack(bytes.clone()) {
        Err(Some(found)) => {
            let problem = format!("{found}; restore it, or begin a run in another folder");
            Err(FileError::damaged(path, problem))
        }
        // What is no pack at all is told by its reader.
        Ok(()) | Err(None) => Ok(()),
    }
}

impl Checkpoint {
    /// Checks that a run was begun on the data with the checksum `found`.
    pub(crate) fn check_data(&self, folder: &RunFolder, found: &str) -> Result<(), TrainError> {
        if self.data == found {
            return Ok(());
        }
        Err(TrainError::DataChanged {
            folder: folder.path().to_path_buf(),
            found: found.to_string(),
            expected: self.data.clone(),
        })
    }
}

impl State {
    fn load(path: &Path) -> Result<Self, FileError> {
        let text = files::read_text(path)?;
        let value: serde_json::Value =
            serde_json::from_str(&text).map_err(|e| FileError::damaged(path, e))?;
        files::check_format(path, &value, FORMAT)?;
        serde_json::from_value(value).map_err(|e| FileError::damaged(path, e))
    }

    /// Checks what the rest of a run relies on.
    fn check(&self, path: &Path, epoch: usize) -> Result<(), FileError> {
        let wrong = |problem: String| Err(FileError::damaged(path, problem));
        if self.epochs.len() != epoch {
            return wrong(format!(
                "it has {} epochs, expected {epoch}",
                self.epochs.len()
            ));
        }
        if let Some(best) = (self.best).filter(|best| best.epoch == 0 || best.epoch > epoch) {
            return wrong(format!(
                "its best epoch is {}, expected 1 to {epoch}",
                best.epoch
            ));
        }
        let factor = self.nonfinite.lr_factor;
        if !(factor > 0.0 && factor <= 1.0) {
            return wrong(format!(
                "its factor of the learning rate is {factor}, expected a number in (0, 1]"
            ));
        }
        let count = self.average.count;
        if (count > 0) != self.checksums.iter().any(|(name, _)| name == MEAN) {
            return wrong(format!(
                "its mean is over {count} weights, expected {MEAN} beside it if there are any"
            ));
        }
        Ok(())
    }

    /// A part's bytes, checked; `None` if the checkpoint has no such part.
    fn read(&self, folder: &Path, name: &str) -> Result<Option<Bytes>, FileError> {
        let Some((_, expected)) = self.checksums.iter().find(|(listed, _)| listed == name) else {
            return Ok(None);
        };
        let path = folder.join(name);
        let bytes = fs::read(&path).map_err(FileError::read(&path))?;
        let found = Checksum::of(&bytes).to_hex();
        if found != *expected {
            let problem = format!("its checksum is {found}, expected {expected}");
            return Err(FileError::damaged(&path, problem));
        }
        Ok(Some(Bytes::from_bytes_vec(bytes)))
    }
}

/// Writes the files of a checkpoint; their checksums by name.
fn write_parts(
    folder: &Path,
    parts: Vec<(&str, Result<Bytes, String>)>,
) -> Result<Vec<(String, String)>, FileError> {
    let mut checksums = Vec::new();
    for (name, bytes) in parts {
        let path = folder.join(name);
        let bytes = bytes.map_err(|problem| FileError::damaged(&path, problem))?;
        files::write_synced(&path, &bytes).map_err(FileError::write(&path))?;
        checksums.push((name.to_string(), Checksum::of(&bytes).to_hex()));
    }
    Ok(checksums)
}

/// The whole checkpoints of a run, with their epochs.
fn list(parent: &Path) -> Result<Vec<(usize, PathBuf)>, FileError> {
    if !parent.exists() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(parent).map_err(FileError::read(parent))? {
        let path = entry.map_err(FileError::read(parent))?.path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if let Some(epoch) = name
            .strip_prefix("epoch-")
            .and_then(|epoch| epoch.parse().ok())
        {
            found.push((epoch, path));
        }
    }
    Ok(found)
}

/// Removes the checkpoints of earlier epochs.
fn remove_before(epoch: usize, parent: &Path) -> Result<(), FileError> {
    let mut earlier = list(parent)?
        .into_iter()
        .filter(|(other, _)| *other < epoch);
    earlier.try_for_each(|(_, path)| remove_if_there(&path))
}

fn remove_if_there(folder: &Path) -> Result<(), FileError> {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(FileError::write(folder))?;
    }
    Ok(())
}
