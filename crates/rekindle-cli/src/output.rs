//! Writing results to standard output and to files.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, ensure};
use rekindle::training::write_atomically;

/// Writes a line.
///
/// # Errors
/// If nobody reads standard output any more, or it cannot be written.
pub fn line(text: &str) -> anyhow::Result<()> {
    all(&format!("{text}\n"))
}

/// Writes a text as it is.
///
/// # Errors
/// As [`line`].
pub fn all(text: &str) -> anyhow::Result<()> {
    let mut output = io::stdout().lock();
    let written = output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush());
    written.context("cannot write to standard output")
}

/// Checks that the file of an option can be written, before the work that it will hold.
///
/// # Errors
/// If it cannot; nothing is left on the disk.
pub fn check_file(option: &str, path: &Path) -> anyhow::Result<()> {
    let shown = path.display();
    ensure!(
        !path.is_dir(),
        "{option}: cannot write {shown}: found a folder, expected a file"
    );
    // A file beside it is what writing begins with.
    let mut probe = path.as_os_str().to_owned();
    probe.push(".tmp");
    let probe = Path::new(&probe);
    let created = File::create_new(probe).and_then(|_| fs::remove_file(probe));
    match created {
        // Left by a program that was killed; writing replaces it.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        created => created.with_context(|| format!("{option}: cannot write {shown}")),
    }
}

/// Writes the file of an option, all of it or nothing.
///
/// # Errors
/// If it cannot be written.
pub fn file(option: &str, path: &Path, text: &str) -> anyhow::Result<()> {
    let written = write_atomically(path, text.as_bytes());
    written.with_context(|| format!("{option}: cannot write {}", path.display()))
}

/// Whether an error says that who read the output has gone, as `head` does; then there is nobody to tell.
pub fn is_reader_gone(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let io = cause.downcast_ref::<io::Error>();
        io.is_some_and(|io| io.kind() == io::ErrorKind::BrokenPipe)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_checked_without_a_trace() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a.svg");
        check_file("--plot", &path).expect("it can be written");
        fs::write(&path, "old").expect("it is written");
        check_file("--plot", &path).expect("it can be replaced");
        assert_eq!(fs::read(&path).expect("it is there"), b"old");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
        for (wrong, problem) in [(folder.path(), "found a folder"), (&path.join("b"), "b")] {
            let error = check_file("--plot", wrong)
                .expect_err("no file")
                .to_string();
            assert!(error.contains("--plot: cannot write") && error.contains(problem));
        }
        file("--plot", &path, "new").expect("it is written");
        assert_eq!(fs::read(&path).expect("it is there"), b"new");
    }

    #[test]
    fn a_reader_that_has_gone_is_told_from_other_errors() {
        let error = |kind: io::ErrorKind| anyhow::Error::from(io::Error::from(kind));
        let gone = error(io::ErrorKind::BrokenPipe).context("cannot write to standard output");
        assert!(is_reader_gone(&gone));
        assert!(!is_reader_gone(&error(io::ErrorKind::StorageFull)));
    }
}
