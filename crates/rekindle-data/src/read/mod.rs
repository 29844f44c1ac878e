//! Readers of sequence files.

mod csv;
mod csv_columns;
mod error;
mod missing;
mod text;
mod ts;
mod ts_header;
mod value;

use crate::set::SequenceSet;
use error::Fault;
use std::path::Path;

pub use csv::{LabelKind, read_csv};
pub use error::{ReadError, ReadProblem};
pub use missing::Missing;
pub use ts::read_ts;

/// Reads a file of text in UTF-8, without its byte order mark.
///
/// # Errors
/// If the file cannot be read, is not UTF-8, or holds nothing but white space.
pub fn read_text(path: &Path) -> Result<String, ReadError> {
    text::load(path).map_err(|fault| fault.in_file(path))
}

/// Reads a file of sequences by its extension (in any case): `.ts` with [`read_ts`], `.csv` with [`read_csv`].
///
/// `labels` says what the labels of a CSV file are. A `.ts` file says it itself.
///
/// # Errors
///
/// [`ReadProblem::Extension`] for any other extension, and whatever the reader of the format says.
///
/// # Examples
///
/// ```
/// use rekindle_data::{LabelKind, Missing, read};
///
/// let error = read("recordings.xlsx".as_ref(), Missing::Error, LabelKind::Class).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "recordings.xlsx: found the extension `.xlsx`, expected `.ts` or `.csv`; convert the file to one of the two"
/// );
/// ```
pub fn read(path: &Path, missing: Missing, labels: LabelKind) -> Result<SequenceSet, ReadError> {
    let extension = path
        .extension()
        .map(|extension| extension.to_string_lossy().into_owned());
    match extension.as_deref().map(str::to_ascii_lowercase).as_deref() {
        Some("ts") => read_ts(path, missing),
        Some("csv") => read_csv(path, missing, labels),
        _ if path.is_dir() => Err(Fault::from(ReadProblem::Directory).in_file(path)),
        _ => Err(Fault::from(ReadProblem::Extension { found: extension }).in_file(path)),
    }
}
