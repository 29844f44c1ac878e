//! Writing results to standard output.

use std::io::{self, Write};

use anyhow::Context;

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
    fn a_reader_that_has_gone_is_told_from_other_errors() {
        let error = |kind: io::ErrorKind| anyhow::Error::from(io::Error::from(kind));
        let gone = error(io::ErrorKind::BrokenPipe).context("cannot write to standard output");
        assert!(is_reader_gone(&gone));
        assert!(!is_reader_gone(&error(io::ErrorKind::StorageFull)));
    }
}
