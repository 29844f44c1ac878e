//! What can be wrong with a file of sequences.

use crate::set::list;
use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// A file of sequences that cannot be read: where, and what is wrong.
///
/// The message is `path:line: ` or `path: `, then what was found, what was expected, and what to do. The cause, if the
/// system gives one, is the source.
#[derive(Debug)]
#[non_exhaustive]
pub struct ReadError {
    /// The file.
    pub path: PathBuf,
    /// The line, from 1, unless the whole file is concerned.
    pub line: Option<usize>,
    /// What is wrong.
    pub problem: ReadProblem,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.path.display(), self.problem),
            None => write!(f, "{}: {}", self.path.display(), self.problem),
        }
    }
}

impl Error for ReadError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.problem.source()
    }
}

/// A problem and its line, before the file is named.
#[derive(Debug)]
pub(super) struct Fault {
    pub line: Option<usize>,
    pub problem: ReadProblem,
}

impl Fault {
    /// The error of the given file.
    pub(super) fn in_file(self, path: &Path) -> ReadError {
        ReadError {
            path: path.to_path_buf(),
            line: self.line,
            problem: self.problem,
        }
    }
}

impl From<ReadProblem> for Fault {
    fn from(problem: ReadProblem) -> Self {
        Self {
            line: None,
            problem,
        }
    }
}

impl ReadProblem {
    /// The problem at a line, from 1.
    pub(super) fn at(self, line: usize) -> Fault {
        Fault {
            line: Some(line),
            problem: self,
        }
    }
}

impl From<io::Error> for ReadProblem {
    fn from(source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Self::NotFound { source },
            io::ErrorKind::PermissionDenied => Self::Permission { source },
            _ => Self::Io { source },
        }
    }
}

/// What is wrong with a file of sequences. Places (channels, steps, columns, bytes) count from 1.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadProblem {
    /// The path leads nowhere.
    #[error(
        "found no such file, expected a `.ts` or `.csv` file; check the path and the current folder"
    )]
    NotFound {
        /// What the system says.
        source: io::Error,
    },
    /// The path is a folder.
    #[error("found a folder, expected a file; name a `.ts` or `.csv` file in it")]
    Directory,
    /// The file must not be read.
    #[error("found a file that you may not read, expected a readable one; change its permissions")]
    Permission {
        /// What the system says.
        source: io::Error,
    },
    /// The file cannot be read for another reason.
    #[error("found a file that cannot be read, expected a readable one; see the cause")]
    Io {
        /// What the system says.
        source: io::Error,
    },
    /// Neither `.ts` nor `.csv`.
    #[error("found {}, expected `.ts` or `.csv`; convert the file to one of the two", match found {
        Some(extension) => format!("the extension `.{extension}`"),
        None => "no extension".to_owned(),
    })]
    Extension {
        /// The extension, if there is one.
        found: Option<String>,
    },
    /// A byte that is not UTF-8.
    #[error(
        "found the byte 0x{found:02x} at byte {byte} of the line, expected UTF-8; save the file as UTF-8"
    )]
    NotUtf8 {
        /// The place of the byte in its line.
        byte: usize,
        /// The byte.
        found: u8,
    },
    /// Nothing but white space.
    #[error("found an empty file, expected sequences; check how the file was written")]
    Empty,
    /// No sequence after the headers.
    #[error("found no sequences, expected at least 1; check that the file is whole")]
    NoSequences,
    /// `.ts`: a line before `@data` that is not a header of the format.
    #[error("found `{found}`, expected {expected}; correct the header line")]
    Header {
        /// The line.
        found: String,
        /// What may stand there.
        expected: String,
    },
    /// `.ts`: two headers that contradict each other; the line is that of `@data`.
    #[error(
        "found both `{first}` and `{second}` above, expected one of them; remove the wrong one"
    )]
    Conflict {
        /// One header.
        first: String,
        /// The other.
        second: String,
    },
    /// `.ts`: no header says whether cases end with a label; the line is that of `@data`.
    #[error(
        "found neither `@classLabel` nor `@targetLabel` above, expected one; write `@classLabel false` if the cases have no \
         label"
    )]
    NoLabelHeader,
    /// `.ts`: no line `@data`.
    #[error(
        "found no line `@data`, expected it between headers and cases; add it, or check that the file is whole"
    )]
    NoData,
    /// `.ts`: values with time stamps.
    #[error(
        "found time-stamped values, expected plain ones; resample the series to equal time steps and write them with \
         `@timeStamps false`"
    )]
    TimeStamps,
    /// `.ts`: a case with another number of channels than the headers or the first case.
    #[error(
        "found {found} channels, expected {expected}; separate the channels with `:`, and check the label and the headers"
    )]
    ChannelCount {
        /// The channels of the case.
        found: usize,
        /// Those of the headers or the first case.
        expected: usize,
    },
    /// `.ts`: a channel with another number of values than the first channel of its case.
    #[error(
        "channel `{channel}` has {found} values, expected {expected} as in the first channel; all channels of a case must \
         be equally long"
    )]
    Ragged {
        /// The channel.
        channel: String,
        /// Its values.
        found: usize,
        /// Those of the first channel.
        expected: usize,
    },
    /// `.ts`: a case of another length although the headers say that all are equally long.
    #[error(
        "found {found} time steps, expected {expected}; complete the case, or write `@equalLength false`"
    )]
    SeriesLength {
        /// The steps of the case.
        found: usize,
        /// Those of `@seriesLength` or the first case.
        expected: usize,
    },
    /// `.ts`: a case without values.
    #[error("found a sequence without values, expected at least 1 time step; remove the line")]
    EmptySequence,
    /// `.ts`: a class that the header does not list.
    #[error(
        "found the label `{found}`, expected one of {} as `@classLabel` says; correct the label or the header",
        list(known)
    )]
    UnknownLabel {
        /// The label.
        found: String,
        /// The classes of the header.
        known: Vec<String>,
    },
    /// A value that is not a number.
    #[error(
        "channel `{channel}`, step {step}: found `{found}`, expected a number, or `?` for a missing value; correct the value"
    )]
    Number {
        /// The channel.
        channel: String,
        /// The time step in the sequence.
        step: usize,
        /// The text of the value.
        found: String,
    },
    /// A value that is infinite, or too large for `f32`.
    #[error(
        "channel `{channel}`, step {step}: found `{found}`, expected a number between -3.4e38 and 3.4e38; correct the \
         value, or write `?` if it is missing"
    )]
    Infinite {
        /// The channel.
        channel: String,
        /// The time step in the sequence.
        step: usize,
        /// The text of the value.
        found: String,
    },
    /// A missing value under [`Missing::Error`](crate::Missing::Error).
    #[error(
        "channel `{channel}`, step {step}: found a missing value, expected a number; to fill gaps set `missing` to \
         \"forward_fill\", \"zero\" or \"mean\""
    )]
    MissingValue {
        /// The channel.
        channel: String,
        /// The time step in the sequence.
        step: usize,
    },
    /// A channel without any value in a sequence, under a rule that needs one; the line starts the sequence.
    #[error(
        "channel `{channel}` has no value in this sequence, expected at least 1 to fill gaps from; remove the sequence, or \
         set `missing` to \"zero\""
    )]
    AllMissing {
        /// The channel.
        channel: String,
    },
    /// A sequence without the label that it should have.
    #[error("found no label, expected {expected}; add it, or {remedy} if the data has no labels")]
    MissingLabel {
        /// What may stand there.
        expected: String,
        /// How the format says that there are no labels.
        remedy: &'static str,
    },
    /// A regression label that is not a finite number.
    #[error("found the label `{found}`, expected a finite number; correct it, or use class labels")]
    LabelNumber {
        /// The label.
        found: String,
    },
    /// CSV: two columns of one name.
    #[error(
        "columns {first} and {second} are both named `{column}`, expected one; rename or remove the other"
    )]
    DuplicateColumn {
        /// The name.
        column: String,
        /// The place of the first.
        first: usize,
        /// The place of the second.
        second: usize,
    },
    /// CSV: a column without a name.
    #[error("column {column} has no name, expected one; name or remove the column")]
    UnnamedColumn {
        /// The place of the column.
        column: usize,
    },
    /// CSV: a column that must be there and is not.
    #[error(
        "found the columns {}, expected a column `{column}`; the first line must be `series,time,label,channel1,…` \
         separated by commas",
        list(found)
    )]
    MissingColumn {
        /// The column.
        column: &'static str,
        /// The columns that are there.
        found: Vec<String>,
    },
    /// CSV: no column besides `series`, `time` and `label`.
    #[error(
        "found no channel, expected a column besides `series`, `time` and `label`; add one per channel"
    )]
    NoChannels,
    /// CSV: a row that has more or fewer cells than the first line.
    #[error("found {found} cells, expected {expected} as in the first line; correct the row")]
    RowWidth {
        /// The cells of the row.
        found: usize,
        /// Those of the first line.
        expected: usize,
    },
    /// CSV: a row that names no series.
    #[error("found an empty `series`, expected a name; name the series that the row belongs to")]
    UnnamedSeries,
    /// CSV: a time that is not a finite number.
    #[error(
        "found the time `{found}`, expected a finite number; write times as numbers, such as 0, 1, 2"
    )]
    Time {
        /// The text of the time.
        found: String,
    },
    /// CSV: a time that is not later than the one before it in the same series.
    #[error(
        "series `{series}` has the time {found}, expected more than {previous} of line {previous_line}; sort the rows of a \
         series by time, without repeated times"
    )]
    TimeOrder {
        /// The series.
        series: String,
        /// The time.
        found: f64,
        /// The time before it.
        previous: f64,
        /// The line of the time before it.
        previous_line: usize,
    },
    /// CSV: two labels in one series.
    #[error(
        "series `{series}` has the label `{found}`, expected `{expected}` as in line {first_line}; give all rows of a series \
         the same label"
    )]
    LabelChanged {
        /// The series.
        series: String,
        /// The label.
        found: String,
        /// The label of the first row of the series.
        expected: String,
        /// The line of that row.
        first_line: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_errors_keep_their_cause() {
        for (kind, message) in [
            (
                io::ErrorKind::NotFound,
                "a.ts: found no such file, expected",
            ),
            (
                io::ErrorKind::PermissionDenied,
                "a.ts: found a file that you may not read, expected",
            ),
            (
                io::ErrorKind::TimedOut,
                "a.ts: found a file that cannot be read, expected",
            ),
        ] {
            let error =
                Fault::from(ReadProblem::from(io::Error::from(kind))).in_file(Path::new("a.ts"));
            assert!(error.to_string().starts_with(message), "{error}");
            assert_eq!(
                error.source().unwrap().to_string(),
                io::Error::from(kind).to_string()
            );
        }
    }

    #[test]
    fn a_line_follows_the_path() {
        let error = ReadProblem::EmptySequence.at(7).in_file(Path::new("a.ts"));
        assert!(
            error
                .to_string()
                .starts_with("a.ts:7: found a sequence without values"),
            "{error}"
        );
        assert!(error.source().is_none());
    }
}
