//! The files of a run folder, and writing them so that a kill at any moment leaves either the old or the new one.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use burn::store::RecordError;

/// A file that cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file's content is not what it should be.
    #[error("{} is damaged: {problem}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong: found and expected.
        problem: String,
    },
}

impl FileError {
    pub(crate) fn read(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        |source| Self::Read {
            path: path.to_path_buf(),
            source,
        }
    }

    pub(crate) fn write(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        |source| Self::Write {
            path: path.to_path_buf(),
            source,
        }
    }

    pub(crate) fn damaged(path: &Path, problem: impl ToString) -> Self {
        Self::Damaged {
            path: path.to_path_buf(),
            problem: problem.to_string(),
        }
    }
}

/// Where the files of a run are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFolder(PathBuf);

impl RunFolder {
    /// The folder at a path, which need not exist.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The complete recipe, in TOML.
    pub fn recipe(&self) -> PathBuf {
        self.0.join("recipe.toml")
    }

    /// Channels, classes and scaling, in JSON.
    pub fn preprocessing(&self) -> PathBuf {
        self.0.join("preprocessing.json")
    }

    /// The weights, as a burnpack.
    pub fn model(&self) -> PathBuf {
        self.0.join("model.bpk")
    }

    /// One row an epoch.
    pub fn metrics(&self) -> PathBuf {
        self.0.join("metrics.csv")
    }

    /// One row an optimiser step.
    pub fn steps(&self) -> PathBuf {
        self.0.join("steps.csv")
    }

    /// How much gradient reached each state in each epoch, if the run watches it.
    pub fn health(&self) -> PathBuf {
        self.0.join("health.csv")
    }

    /// What a run needs to go on.
    pub fn checkpoints(&self) -> PathBuf {
        self.0.join("checkpoint")
    }

    /// The outcome of a finished run, in JSON.
    pub fn result(&self) -> PathBuf {
        self.0.join("result.json")
    }

    /// What only the network and the data tell of a finished run, for its page, in JSON.
    pub fn portrait(&self) -> PathBuf {
        self.0.join("portrait.json")
    }

    /// What was pruned, and what became of it.
    pub fn pruning(&self) -> PathBuf {
        self.0.join("pruning.json")
    }

    /// The page to look at.
    pub fn report(&self) -> PathBuf {
        self.0.join("report.html")
    }
}

/// Writes a file in one step: into a temporary neighbour, to the disk, and over the old file by a rename.
///
/// # Errors
/// If the folder cannot be written to; then the old file, if any, is still there.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".tmp");
    let temporary = PathBuf::from(temporary);
    let renamed = write_synced(&temporary, bytes)
        .and_then(|()| fs::rename(&temporary, path))
        .and_then(|()| sync_folder(path));
    if renamed.is_err() {
        // What is left of the attempt is of no use; the error that counts is the first one.
        let _ = fs::remove_file(&temporary);
    }
    renamed
}

/// Writes a file and waits until it is on the disk.
pub(crate) fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Brings a rename to the disk: it is a change of the folder, not of the file.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    // Only Unix can open a folder to sync it.
    if cfg!(unix) {
        File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
    } else {
        Ok(())
    }
}

/// Writes a file of the run folder in one step.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    write_atomically(path, bytes).map_err(FileError::write(path))
}

/// A whole file as text.
pub(crate) fn read_text(path: &Path) -> Result<String, FileError> {
    fs::read_to_string(path).map_err(FileError::read(path))
}

/// What is wrong with weights that do not load, in one line.
pub(crate) fn record_problem(error: RecordError) -> String {
    match error {
        RecordError::Io(problem) => problem,
        // Burn lists all tensors that do not fit; the first one tells enough.
        RecordError::Validation(problem) => {
            let first = problem.split('"').nth(1).unwrap_or(&problem);
            format!("it does not fit the recipe's network: {first}")
        }
    }
}

/// Checks the `format` of a JSON file.
pub(crate) fn check_format(
    path: &Path,
    value: &serde_json::Value,
    expected: u32,
) -> Result<(), FileError> {
    let found = value.get("format").and_then(serde_json::Value::as_u64);
    if found == Some(u64::from(expected)) {
        return Ok(());
    }
    let found = found.map_or("none".to_string(), |found| found.to_string());
    Err(FileError::damaged(
        path,
        format!("it has format {found}, this program reads format {expected}"),
    ))
}

/// A number that changes when the bytes change: FNV-1a, 64 bits, <https://www.rfc-editor.org/rfc/rfc9923>.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Checksum(u64);

impl Checksum {
    /// Of no bytes.
    pub(crate) fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// Of one run of bytes.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self::new().and(bytes)
    }

    /// Of these bytes behind those before.
    pub(crate) fn and(self, bytes: &[u8]) -> Self {
        let mix =
            |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        Self(bytes.iter().fold(self.0, mix))
    }

    /// Sixteen hexadecimal digits.
    pub(crate) fn to_hex(self) -> String {
        format!("{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writing_replaces_the_file_and_leaves_nothing_else() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a.txt");
        write_atomically(&path, b"one").expect("it is written");
        write_atomically(&path, b"two").expect("it is written again");
        assert_eq!(fs::read(&path).expect("it is there"), b"two");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
    }

    #[test]
    fn a_failed_write_leaves_the_old_file() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a");
        fs::create_dir(&path).expect("a folder in the way");
        fs::write(path.join("kept"), b"kept").expect("with a file in it");
        assert!(write_atomically(&path, b"two").is_err());
        assert!(path.join("kept").exists());
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
    }

    /// The published test value of FNV-1a for "foobar".
    #[test]
    fn checksum_of_the_published_example() {
        assert_eq!(Checksum::of(b"foobar").to_hex(), "85944171f73967e8");
        assert_eq!(Checksum::of(b"foo").and(b"bar"), Checksum::of(b"foobar"));
    }
}
