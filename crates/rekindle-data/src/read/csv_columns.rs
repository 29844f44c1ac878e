//! The columns of a long-format CSV file.

use super::error::ReadProblem;
use super::text::clip;
use super::value;
use ::csv::StringRecord;

/// Where the columns are.
pub(super) struct Columns {
    /// The place of the column `series`, from 0 as all places here.
    pub series: usize,
    /// The place of the column `time`.
    time: usize,
    /// The place of the column `label`, if there is one.
    pub label: Option<usize>,
    /// The places of the channels.
    pub channels: Vec<usize>,
    /// The names of the channels.
    pub names: Vec<String>,
    /// The number of columns.
    width: usize,
}

impl Columns {
    /// The columns that the first line names.
    pub(super) fn parse(header: &StringRecord) -> Result<Self, ReadProblem> {
        let names: Vec<String> = header.iter().map(column_name).collect();
        for (index, name) in names.iter().enumerate() {
            if name.is_empty() {
                return Err(ReadProblem::UnnamedColumn { column: index + 1 });
            }
            if let Some(first) = names[..index].iter().position(|other| other == name) {
                let (column, first, second) = (name.clone(), first + 1, index + 1);
                return Err(ReadProblem::DuplicateColumn {
                    column,
                    first,
                    second,
                });
            }
        }
        let position = |column: &str| names.iter().position(|name| name == column);
        let needed = |column| {
            position(column).ok_or_else(|| ReadProblem::MissingColumn {
                column,
                found: names.clone(),
            })
        };
        let (series, time, label) = (needed("series")?, needed("time")?, position("label"));
        let channels: Vec<usize> = (0..names.len())
            .filter(|&index| !RESERVED.contains(&names[index].as_str()))
            .collect();
        if channels.is_empty() {
            return Err(ReadProblem::NoChannels);
        }
        let width = names.len();
        let names = channels.iter().map(|&index| names[index].clone()).collect();
        Ok(Self {
            series,
            time,
            label,
            channels,
            names,
            width,
        })
    }

    /// The time and the label of a row that has every cell it needs; a row of labelled steps may have no label.
    pub(super) fn check<'a>(
        &self,
        row: &'a StringRecord,
        of_steps: bool,
    ) -> Result<(f64, Option<&'a str>), ReadProblem> {
        if row.len() != self.width {
            return Err(ReadProblem::RowWidth {
                found: row.len(),
                expected: self.width,
            });
        }
        if row[self.series].is_empty() {
            return Err(ReadProblem::UnnamedSeries);
        }
        let Some(time) = value::number(&row[self.time]) else {
            return Err(ReadProblem::Time {
                found: clip(&row[self.time]),
            });
        };
        let label = self.label.map(|column| &row[column]);
        if let Some("" | "?") = label {
            if of_steps {
                return Ok((time, None));
            }
            let expected = "one in every row of a series".to_owned();
            return Err(ReadProblem::MissingLabel {
                expected,
                remedy: "remove the column `label`",
            });
        }
        Ok((time, label))
    }
}

/// The columns that are not channels.
const RESERVED: [&str; 3] = ["series", "time", "label"];

/// The name of a column, in lower case if it is a reserved one.
fn column_name(name: &str) -> String {
    let reserved = RESERVED
        .iter()
        .find(|reserved| name.eq_ignore_ascii_case(reserved));
    reserved.map_or(name, |reserved| reserved).to_owned()
}
