//! Files as text: how they are opened, and the lines of a text.

use super::error::{Fault, ReadProblem};
use std::fs;
use std::path::Path;

/// The text of a file, without a byte order mark.
pub(super) fn load(path: &Path) -> Result<String, Fault> {
    if path.is_dir() {
        return Err(ReadProblem::Directory.into());
    }
    let bytes = fs::read(path).map_err(ReadProblem::from)?;
    let mut text = String::from_utf8(bytes).map_err(|error| {
        let (bytes, valid) = (error.as_bytes(), error.utf8_error().valid_up_to());
        let start = bytes[..valid]
            .iter()
            .rposition(|&byte| byte == b'\n')
            .map_or(0, |newline| newline + 1);
        ReadProblem::NotUtf8 {
            byte: valid - start + 1,
            found: bytes[valid],
        }
        .at(line_of(&bytes[..valid]))
    })?;
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    if text.trim().is_empty() {
        return Err(ReadProblem::Empty.into());
    }
    Ok(text)
}

/// The line, from 1, that follows the given bytes.
pub(super) fn line_of(before: &[u8]) -> usize {
    1 + before.iter().filter(|&&byte| byte == b'\n').count()
}

/// A piece of a line for a message: at most 40 characters.
pub(super) fn clip(text: &str) -> String {
    const SHOWN: usize = 40;
    match text.char_indices().nth(SHOWN) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_clipped_between_characters() {
        assert_eq!(clip("é".repeat(40).as_str()), "é".repeat(40));
        assert_eq!(clip("é".repeat(41).as_str()), "é".repeat(40) + "…");
    }

    #[test]
    fn lines_count_from_one() {
        assert_eq!(line_of(b""), 1);
        assert_eq!(line_of(b"a\r\nb"), 2);
        assert_eq!(line_of(b"a\n\n"), 3);
    }
}
