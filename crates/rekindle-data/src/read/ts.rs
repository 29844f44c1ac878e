//! The `.ts` format of the UEA, UCR and TSER archives.

use super::error::{Fault, ReadError, ReadProblem};
use super::missing::Missing;
use super::text::{clip, load};
use super::ts_header::{self, Header};
use super::value::{self, Place};
use crate::sequence::{Label, Sequence};
use crate::set::{SequenceSet, Target, list};
use std::path::Path;

/// Reads a `.ts` file, the format of <https://www.timeseriesclassification.com>.
///
/// ```text
/// # comment (also with %)
/// @problemName Tones
/// @timeStamps false
/// @univariate false
/// @dimensions 2
/// @equalLength false
/// @classLabel true low high
/// @data
/// 1.0,2.0,3.0:0.1,0.2,0.3:low
/// 4.0,5.0:?,0.5:high
/// ```
///
/// The rules:
/// - One case per line; channels separated by `:`, values by `,`, the label last. All channels of a case are equally long;
///   cases may differ. White space around values does not matter, empty lines and comments are skipped, a byte order mark
///   and `\r\n` are accepted.
/// - Header names and `true` and `false` may be in any case. Class names are compared exactly. `@classLabel true` lists the
///   classes, whose order becomes that of [`Target::Classes`]; `@targetLabel true` makes the labels numbers;
///   `@classLabel false` says that there are no labels. One of the two must be there.
/// - `@dimensions` (or `@dimension`) and `@univariate true` fix the number of channels, else the first case does.
///   `@equalLength true` makes every case have `@seriesLength` steps, or those of the first case. `@missing` is not relied
///   on: every value is looked at. Channels have no names in this format and are called `channel1`, `channel2`, ….
/// - `?` and `NaN` are missing values, treated as `missing` says. An infinite value is an error.
/// - Time-stamped values, `(time,value)`, are refused.
///
/// # Errors
///
/// A [`ReadError`] with the line for everything that breaks these rules.
///
/// # Examples
///
/// ```
/// use rekindle_data::{Label, Missing, read_ts};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("tones.ts");
/// std::fs::write(&path, "@classLabel true low high\n@data\n1,2,3:0.1,0.2,0.3:low\n4,5:?,0.5:high\n")?;
/// let set = read_ts(&path, Missing::ForwardFill)?;
/// assert_eq!(set.channels, ["channel1", "channel2"]);
/// assert_eq!(set.sequences[1].values(), [4.0, 0.5, 5.0, 0.5]);
/// assert_eq!(set.sequences[1].label, Label::Class(1));
/// # Ok(())
/// # }
/// ```
pub fn read_ts(path: &Path, missing: Missing) -> Result<SequenceSet, ReadError> {
    load(path)
        .and_then(|text| parse(&text, path, missing))
        .map_err(|fault| fault.in_file(path))
}

/// The set in the text of a file.
fn parse(text: &str, path: &Path, missing: Missing) -> Result<SequenceSet, Fault> {
    let mut lines = text
        .lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line.trim()))
        .filter(|(_, line)| !line.is_empty() && !line.starts_with(['#', '%']));
    let header = ts_header::parse(&mut lines)?;
    let mut cases = Cases {
        missing,
        channels: Vec::new(),
        seq: header.seq,
        header: &header,
    };
    let sequences = lines
        .map(|(line, case)| cases.parse(line, case))
        .collect::<Result<Vec<_>, _>>()?;
    if sequences.is_empty() {
        return Err(ReadProblem::NoSequences.into());
    }
    let channels = cases.channels;
    Ok(SequenceSet::new(
        channels,
        header.target,
        sequences,
        path.to_path_buf(),
    ))
}

/// What the cases of a file must agree in.
struct Cases<'a> {
    missing: Missing,
    header: &'a Header,
    /// The names of the channels; empty before the first case.
    channels: Vec<String>,
    /// The number of steps of the first case, or of the headers if they fix it.
    seq: Option<usize>,
}

impl Cases<'_> {
    /// One case as a sequence.
    fn parse(&mut self, line: usize, text: &str) -> Result<Sequence, Fault> {
        if text.starts_with('(') {
            return Err(ReadProblem::TimeStamps.at(line));
        }
        let mut fields: Vec<&str> = text.split(':').map(str::trim).collect();
        let label = match &self.header.target {
            Target::None => Label::None,
            target => label(target, fields.pop().unwrap_or_default())
                .map_err(|problem| problem.at(line))?,
        };
        if fields.iter().all(|field| field.is_empty()) {
            return Err(ReadProblem::EmptySequence.at(line));
        }
        self.agree_on_channels(fields.len())
            .map_err(|problem| problem.at(line))?;
        let columns = fields
            .iter()
            .zip(&self.channels)
            .map(|(field, channel)| self.column(line, channel, field))
            .collect::<Result<Vec<_>, _>>()?;
        let seq = self
            .agree_on_length(&columns)
            .map_err(|problem| problem.at(line))?;
        let mut values: Vec<f32> = (0..seq)
            .flat_map(|step| columns.iter().map(move |column| column[step]))
            .collect();
        self.missing
            .fill(&mut values, columns.len())
            .map_err(|channel| {
                ReadProblem::AllMissing {
                    channel: self.channels[channel].clone(),
                }
                .at(line)
            })?;
        Ok(Sequence::new(values, columns.len(), label, None))
    }

    /// Fixes the channels at the first case and checks the others against them.
    fn agree_on_channels(&mut self, found: usize) -> Result<(), ReadProblem> {
        let expected = match self.channels.len() {
            0 => self.header.channels.unwrap_or(found),
            known => known,
        };
        if found != expected {
            return Err(ReadProblem::ChannelCount { found, expected });
        }
        if self.channels.is_empty() {
            self.channels = (1..=found)
                .map(|number| format!("channel{number}"))
                .collect();
        }
        Ok(())
    }

    /// The values of one channel, gaps as NaN.
    fn column(&self, line: usize, channel: &str, field: &str) -> Result<Vec<f32>, Fault> {
        if field.is_empty() {
            return Ok(Vec::new());
        }
        field
            .split(',')
            .enumerate()
            .map(|(index, text)| {
                value::parse(
                    text.trim(),
                    self.missing,
                    Place {
                        line,
                        channel,
                        step: index + 1,
                    },
                )
            })
            .collect()
    }

    /// The number of steps that all channels of a case have, and all cases if the headers say so.
    fn agree_on_length(&mut self, columns: &[Vec<f32>]) -> Result<usize, ReadProblem> {
        let seq = columns[0].len();
        if let Some(index) = columns.iter().position(|column| column.len() != seq) {
            let (channel, found) = (self.channels[index].clone(), columns[index].len());
            return Err(ReadProblem::Ragged {
                channel,
                found,
                expected: seq,
            });
        }
        let expected = *self.seq.get_or_insert(seq);
        if self.header.equal_length && seq != expected {
            return Err(ReadProblem::SeriesLength {
                found: seq,
                expected,
            });
        }
        Ok(seq)
    }
}

/// The label in the last field of a case.
fn label(target: &Target, field: &str) -> Result<Label, ReadProblem> {
    // A field with commas is a channel: the label was left out.
    if field.is_empty() || field == "?" || field.contains(',') {
        let expected = match target {
            Target::Classes(known) => format!("one of {} after the last `:`", list(known)),
            _ => "a number after the last `:`".to_owned(),
        };
        return Err(ReadProblem::MissingLabel {
            expected,
            remedy: "write `@classLabel false`",
        });
    }
    match target {
        // The format labels no steps.
        Target::None | Target::StepClasses(_) | Target::StepValues(_) => Ok(Label::None),
        Target::Values => match value::number(field) {
            Some(value) => Ok(Label::Value(value)),
            None => Err(ReadProblem::LabelNumber { found: clip(field) }),
        },
        Target::Classes(known) => match known.iter().position(|class| class == field) {
            Some(class) => Ok(Label::Class(class)),
            None => Err(ReadProblem::UnknownLabel {
                found: clip(field),
                known: known.clone(),
            }),
        },
    }
}
