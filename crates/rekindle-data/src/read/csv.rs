//! Long-format CSV: one row per time step.

use super::csv_columns::Columns;
use super::error::{Fault, ReadError, ReadProblem};
use super::missing::Missing;
use super::text::{clip, line_of, load};
use super::value::{self, Place};
use crate::sequence::{Label, Sequence};
use crate::set::{SequenceSet, Target};
use ::csv::{ReaderBuilder, StringRecord, Trim};
use burn::config::Config;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::Path;

/// What the labels of a CSV file are. In a recipe: `"class"`, `"value"`, `"step_class"` or `"step_value"`.
///
/// The file does not tell: classes may well be called `1`, `2`, `3`. So the caller says it, and nothing is guessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LabelKind {
    /// Classes, whatever their names look like. The default, for classification is the more common task.
    #[default]
    Class,
    /// Finite numbers, for regression.
    Value,
    /// Classes of single steps.
    StepClass,
    /// Finite numbers of single steps.
    StepValue,
}

impl Config for LabelKind {}

impl LabelKind {
    /// Whether each step has a label of its own.
    pub fn is_of_steps(self) -> bool {
        matches!(self, Self::StepClass | Self::StepValue)
    }

    /// Whether labels are classes.
    pub fn is_class(self) -> bool {
        matches!(self, Self::Class | Self::StepClass)
    }
}

/// Reads a long-format CSV file: one row per time step, series told apart by name.
///
/// ```text
/// series,time,label,channel1,channel2
/// a,0,low,1.0,0.1
/// a,1,low,2.0,0.2
/// b,0,high,4.0,
/// ```
///
/// The rules:
/// - The first line names the columns. `series`, `time` and `label` are known by name, in any case and any order; every
///   other column is a channel, in the order of the file. Without a column `label` the set has no labels.
/// - Rows of a series need not follow each other; the set has the series in the order in which they first appear.
/// - `time` is a finite number that increases from row to row within a series, which also catches a name used for two
///   series. It serves only to check the order: steps count as equally far apart.
/// - A series has one label, repeated in all its rows; with [`LabelKind::StepClass`] and [`LabelKind::StepValue`] each row
///   has its own, and an empty cell or `?` stands for one that is not known. Classes are the labels that
///   occur (compared exactly: `1` and `1.0` are two), sorted by number if all of them are
///   finite numbers, else by text.
/// - An empty cell, `?` and `NaN` are missing values, treated as `missing` says. An infinite value is an error.
/// - Commas separate, double quotes protect. White space around cells does not matter, empty lines are skipped, a byte
///   order mark and `\r\n` are accepted.
///
/// # Errors
///
/// A [`ReadError`] with the line for everything that breaks these rules.
///
/// # Examples
///
/// ```
/// use rekindle_data::{Label, LabelKind, Missing, Target, read_csv};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("tones.csv");
/// std::fs::write(&path, "series,time,label,x,y\na,0,2,1,10\na,1,2,2,20\nb,0,10,4,40\n")?;
/// let set = read_csv(&path, Missing::Error, LabelKind::Class)?;
/// assert_eq!(set.target, Target::Classes(vec!["2".into(), "10".into()]));
/// assert_eq!(set.sequences[0].values(), [1.0, 10.0, 2.0, 20.0]);
/// assert_eq!(set.sequences[1].label, Label::Class(1));
///
/// let set = read_csv(&path, Missing::Error, LabelKind::Value)?;
/// assert_eq!(set.sequences[1].label, Label::Value(10.0));
/// # Ok(())
/// # }
/// ```
pub fn read_csv(
    path: &Path,
    missing: Missing,
    labels: LabelKind,
) -> Result<SequenceSet, ReadError> {
    load(path)
        .and_then(|text| parse(&text, path, missing, labels))
        .map_err(|fault| fault.in_file(path))
}

/// The set in the text of a file.
fn parse(
    text: &str,
    path: &Path,
    missing: Missing,
    labels: LabelKind,
) -> Result<SequenceSet, Fault> {
    let mut rows = Rows::new(text);
    let (line, header) = rows.next().unwrap_or((1, StringRecord::new()));
    let columns = Columns::parse(&header).map_err(|problem| problem.at(line))?;
    let mut table = Table {
        missing,
        labels,
        columns: &columns,
        index: HashMap::new(),
        series: Vec::new(),
    };
    for (line, row) in rows {
        table.add(line, &row)?;
    }
    if table.series.is_empty() {
        return Err(ReadProblem::NoSequences.into());
    }
    table.finish(path)
}

/// The rows of a CSV text with the line that each starts on.
struct Rows<'a> {
    text: &'a str,
    records: ::csv::StringRecordsIntoIter<&'a [u8]>,
    /// A byte that a row is known to start at or after, and the line there.
    known: (usize, usize),
}

impl<'a> Rows<'a> {
    fn new(text: &'a str) -> Self {
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .trim(Trim::All)
            .from_reader(text.as_bytes());
        Self {
            text,
            records: reader.into_records(),
            known: (0, 1),
        }
    }
}

impl Iterator for Rows<'_> {
    type Item = (usize, StringRecord);

    fn next(&mut self) -> Option<Self::Item> {
        let record = self
            .records
            .next()?
            .expect("UTF-8 text in memory with rows of any width always parses");
        let position = record
            .position()
            .map_or(0, |position| position.byte() as usize);
        // The position may lie before line ends that the parser skips.
        let bytes = self.text.as_bytes();
        let skipped = bytes[position..]
            .iter()
            .take_while(|byte| matches!(byte, b'\r' | b'\n'))
            .count();
        let start = position + skipped;
        let line = self.known.1 + line_of(&bytes[self.known.0..start]) - 1;
        self.known = (start, line);
        Some((line, record))
    }
}

/// A series as far as it has been read.
struct Series {
    id: String,
    /// The label of the series, or one for each step; none without a column for it.
    labels: Vec<Option<String>>,
    first_line: usize,
    last_line: usize,
    last_time: f64,
    /// Row-major `[seq, channels]`, gaps as NaN.
    values: Vec<f32>,
}

impl Series {
    /// Whether a row goes on where the series stopped, with a label that is that of the series.
    fn continues(&self, time: f64, label: Option<&str>) -> Result<(), ReadProblem> {
        if time <= self.last_time {
            return Err(ReadProblem::TimeOrder {
                series: self.id.clone(),
                found: time,
                previous: self.last_time,
                previous_line: self.last_line,
            });
        }
        match (label, self.labels.first()) {
            (Some(found), Some(Some(expected))) if found != expected => {
                Err(ReadProblem::LabelChanged {
                    series: self.id.clone(),
                    found: clip(found),
                    expected: clip(expected),
                    first_line: self.first_line,
                })
            }
            _ => Ok(()),
        }
    }

    /// The label in terms of the target.
    fn label(&self, target: &Target) -> Result<Label, ReadProblem> {
        let class = |classes: &[String], label: &Option<String>| {
            let label = label.as_ref()?;
            classes.iter().position(|class| class == label)
        };
        let number = |text: &String| {
            value::number(text).ok_or_else(|| ReadProblem::LabelNumber { found: clip(text) })
        };
        let step = |label: &Option<String>| match label {
            Some(text) => number(text).map(|value| value as f32),
            None => Ok(f32::NAN),
        };
        let first = self.labels.first().unwrap_or(&None);
        Ok(match target {
            Target::Classes(classes) => class(classes, first).map_or(Label::None, Label::Class),
            Target::Values => match first {
                Some(text) => Label::Value(number(text)?),
                None => Label::None,
            },
            Target::StepClasses(classes) => Label::StepClasses(
                self.labels
                    .iter()
                    .map(|label| class(classes, label))
                    .collect(),
            ),
            Target::StepValues(_) => {
                let values = self.labels.iter().map(step);
                Label::StepValues(values.collect::<Result<_, _>>()?)
            }
            Target::None => Label::None,
        })
    }
}

/// The series of a file, in the order in which they first appear.
struct Table<'a> {
    missing: Missing,
    labels: LabelKind,
    columns: &'a Columns,
    /// The places of the series by name.
    index: HashMap<String, usize>,
    series: Vec<Series>,
}

impl Table<'_> {
    /// Adds one row to its series.
    fn add(&mut self, line: usize, row: &StringRecord) -> Result<(), Fault> {
        let (columns, missing) = (self.columns, self.missing);
        let of_steps = self.labels.is_of_steps();
        let checked = columns.check(row, of_steps);
        let (time, label) = checked.map_err(|problem| problem.at(line))?;
        let same = label.filter(|_| !of_steps);
        let series = self.series(&row[columns.series], line, time, same)?;
        if of_steps || series.labels.is_empty() {
            series.labels.push(label.map(str::to_owned));
        }
        let step = 1 + series.values.len() / columns.channels.len();
        for (&column, channel) in columns.channels.iter().zip(&columns.names) {
            let text = if row[column].is_empty() {
                "?"
            } else {
                &row[column]
            };
            series.values.push(value::parse(
                text,
                missing,
                Place {
                    line,
                    channel,
                    step,
                },
            )?);
        }
        (series.last_line, series.last_time) = (line, time);
        Ok(())
    }

    /// The series of a row, new or gone on with; `label` is the one that all its rows share, if they do.
    fn series(
        &mut self,
        id: &str,
        line: usize,
        time: f64,
        label: Option<&str>,
    ) -> Result<&mut Series, Fault> {
        let index = match self.index.get(id) {
            Some(&index) => {
                let continues = self.series[index].continues(time, label);
                continues.map_err(|problem| problem.at(line))?;
                index
            }
            None => {
                self.index.insert(id.to_owned(), self.series.len());
                self.series.push(Series {
                    id: id.to_owned(),
                    labels: Vec::new(),
                    first_line: line,
                    last_line: line,
                    last_time: time,
                    values: Vec::new(),
                });
                self.series.len() - 1
            }
        };
        Ok(&mut self.series[index])
    }

    /// The set, with gaps filled and labels understood.
    fn finish(self, path: &Path) -> Result<SequenceSet, Fault> {
        let channels = &self.columns.names;
        let target = match (self.columns.label, self.labels) {
            (None, _) => Target::None,
            (_, LabelKind::Value) => Target::Values,
            (_, LabelKind::Class) => Target::Classes(classes(&self.series)),
            (_, LabelKind::StepClass) => Target::StepClasses(classes(&self.series)),
            (_, LabelKind::StepValue) => Target::StepValues(vec!["label".to_owned()]),
        };
        let sequence = |mut series: Series| {
            self.missing
                .fill(&mut series.values, channels.len())
                .map_err(|channel| {
                    ReadProblem::AllMissing {
                        channel: channels[channel].clone(),
                    }
                    .at(series.first_line)
                })?;
            let label = series
                .label(&target)
                .map_err(|problem| problem.at(series.first_line))?;
            Ok(Sequence::new(
                series.values,
                channels.len(),
                label,
                Some(series.id),
            ))
        };
        let sequences = self
            .series
            .into_iter()
            .map(sequence)
            .collect::<Result<_, Fault>>()?;
        Ok(SequenceSet::new(
            channels.clone(),
            target,
            sequences,
            path.to_path_buf(),
        ))
    }
}

/// The labels that occur, each once, sorted by number if all are numbers, else by text.
fn classes(series: &[Series]) -> Vec<String> {
    let labels = series
        .iter()
        .flat_map(|series| series.labels.iter().flatten());
    let mut names: Vec<String> = labels.cloned().collect();
    names.sort();
    names.dedup();
    if let Some(numbers) = names
        .iter()
        .map(|name| value::number(name))
        .collect::<Option<Vec<f64>>>()
    {
        let mut pairs: Vec<(f64, String)> = numbers.into_iter().zip(names).collect();
        pairs.sort_by(|(left, _), (right, _)| left.total_cmp(right));
        return pairs.into_iter().map(|(_, name)| name).collect();
    }
    names
}
