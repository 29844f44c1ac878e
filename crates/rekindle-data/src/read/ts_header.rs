//! The headers of a `.ts` file.

use super::error::{Fault, ReadProblem};
use super::text::clip;
use crate::set::Target;

/// What the headers say about the cases.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Header {
    /// The number of channels, if it is said.
    pub channels: Option<usize>,
    /// Whether all cases are equally long.
    pub equal_length: bool,
    /// How long, if it is said.
    pub seq: Option<usize>,
    /// What the labels are.
    pub target: Target,
}

/// The headers as they are collected, each at most once.
#[derive(Default)]
struct Fields {
    univariate: Option<bool>,
    dimensions: Option<usize>,
    time_stamps: Option<bool>,
    missing: Option<bool>,
    equal_length: Option<bool>,
    series_length: Option<usize>,
    class_label: Option<Vec<String>>,
    target_label: Option<bool>,
}

/// One header line.
struct Line<'a> {
    number: usize,
    text: &'a str,
    words: Vec<&'a str>,
}

/// Reads headers up to and with `@data` from the numbered lines that are neither empty nor comments.
pub(super) fn parse<'a>(
    lines: &mut impl Iterator<Item = (usize, &'a str)>,
) -> Result<Header, Fault> {
    let mut fields = Fields::default();
    for (number, text) in lines {
        let line = Line {
            number,
            text,
            words: text.split_whitespace().collect(),
        };
        match line.words[0].to_ascii_lowercase().as_str() {
            "@problemname" => {}
            "@timestamps" => line.store(&mut fields.time_stamps, Line::flag)?,
            "@missing" => line.store(&mut fields.missing, Line::flag)?,
            "@univariate" => line.store(&mut fields.univariate, Line::flag)?,
            "@dimensions" | "@dimension" => line.store(&mut fields.dimensions, Line::count)?,
            "@equallength" => line.store(&mut fields.equal_length, Line::flag)?,
            "@serieslength" => line.store(&mut fields.series_length, Line::count)?,
            "@classlabel" => line.store(&mut fields.class_label, Line::classes)?,
            "@targetlabel" => line.store(&mut fields.target_label, Line::flag)?,
            "@data" if line.words.len() == 1 => return fields.finish(number),
            "@data" => return Err(line.error("`@data` alone")),
            _ => return Err(line.error(KNOWN)),
        }
        if fields.time_stamps == Some(true) {
            return Err(ReadProblem::TimeStamps.at(number));
        }
    }
    Err(ReadProblem::NoData.into())
}

const KNOWN: &str = "a comment, `@problemName`, `@timeStamps`, `@missing`, `@univariate`, `@dimensions`, \
                     `@equalLength`, `@seriesLength`, `@classLabel`, `@targetLabel` or `@data`";

impl Line<'_> {
    fn error(&self, expected: impl Into<String>) -> Fault {
        ReadProblem::Header {
            found: clip(self.text),
            expected: expected.into(),
        }
        .at(self.number)
    }

    /// Parses the line into `field`, which must still be empty.
    fn store<T>(
        &self,
        field: &mut Option<T>,
        parse: impl Fn(&Self) -> Result<T, Fault>,
    ) -> Result<(), Fault> {
        match field.replace(parse(self)?) {
            None => Ok(()),
            Some(_) => Err(self.error(format!("`{}` once", self.words[0]))),
        }
    }

    fn flag(&self) -> Result<bool, Fault> {
        match self.words[1..] {
            [word] if word.eq_ignore_ascii_case("true") => Ok(true),
            [word] if word.eq_ignore_ascii_case("false") => Ok(false),
            _ => Err(self.error(format!("`{0} true` or `{0} false`", self.words[0]))),
        }
    }

    fn count(&self) -> Result<usize, Fault> {
        let number = match self.words[1..] {
            [word] => word.parse().ok().filter(|&number| number > 0),
            _ => None,
        };
        number.ok_or_else(|| {
            self.error(format!(
                "`{}` and a whole number of at least 1",
                self.words[0]
            ))
        })
    }

    /// The class names; none for `false`.
    fn classes(&self) -> Result<Vec<String>, Fault> {
        let names: Vec<String> = self.words[1..]
            .iter()
            .skip(1)
            .map(|&name| name.to_owned())
            .collect();
        match self
            .words
            .get(1)
            .map(|word| word.to_ascii_lowercase())
            .as_deref()
        {
            Some("false") if names.is_empty() => Ok(names),
            Some("true") if !names.is_empty() => {
                match names
                    .iter()
                    .enumerate()
                    .find(|(index, name)| names[..*index].contains(name))
                {
                    None => Ok(names),
                    Some((_, name)) => Err(self.error(format!("the class `{name}` once"))),
                }
            }
            _ => Err(self.error("`@classLabel true` and the classes, or `@classLabel false`")),
        }
    }
}

impl Fields {
    /// Checks that the headers agree; `line` is that of `@data`.
    fn finish(self, line: usize) -> Result<Header, Fault> {
        let conflict = |first: &str, second: String| {
            Err(ReadProblem::Conflict {
                first: first.to_owned(),
                second,
            }
            .at(line))
        };
        let channels = match (self.univariate, self.dimensions) {
            (Some(true), Some(dimensions)) if dimensions > 1 => {
                return conflict("@univariate true", format!("@dimensions {dimensions}"));
            }
            (Some(true), _) => Some(1),
            (_, dimensions) => dimensions,
        };
        let target = match (self.class_label, self.target_label) {
            (None, None) => return Err(ReadProblem::NoLabelHeader.at(line)),
            (Some(classes), Some(true)) if !classes.is_empty() => {
                return conflict("@classLabel true", "@targetLabel true".to_owned());
            }
            (_, Some(true)) => Target::Values,
            (Some(classes), _) if !classes.is_empty() => Target::Classes(classes),
            _ => Target::None,
        };
        let equal_length = self.equal_length == Some(true);
        Ok(Header {
            channels,
            equal_length,
            seq: self.series_length.filter(|_| equal_length),
            target,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(text: &str) -> Header {
        let mut lines = text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line));
        parse(&mut lines).unwrap()
    }

    #[test]
    fn keys_and_flags_in_any_case() {
        let parsed = header(
            "@PROBLEMNAME p\n@timestamps False\n@Missing TRUE\n@univariate false\n@Dimensions 3\n@equallength True\n\
             @serieslength 7\n@classlabel TRUE b A\n@DATA",
        );
        let target = Target::Classes(vec!["b".into(), "A".into()]);
        assert_eq!(
            parsed,
            Header {
                channels: Some(3),
                equal_length: true,
                seq: Some(7),
                target
            }
        );
    }

    #[test]
    fn only_the_label_header_is_needed() {
        let parsed = header("@targetLabel true\n@data");
        let target = Target::Values;
        assert_eq!(
            parsed,
            Header {
                channels: None,
                equal_length: false,
                seq: None,
                target
            }
        );
    }

    #[test]
    fn a_length_counts_only_if_all_are_equal() {
        assert_eq!(
            header("@seriesLength 9\n@equalLength false\n@classLabel false\n@data").seq,
            None
        );
        assert_eq!(
            header("@seriesLength 9\n@classLabel false\n@data").seq,
            None
        );
    }

    #[test]
    fn either_label_header_may_say_false() {
        assert_eq!(
            header("@classLabel false\n@targetLabel true\n@data").target,
            Target::Values
        );
        assert_eq!(
            header("@classLabel false\n@targetLabel false\n@data").target,
            Target::None
        );
        assert_eq!(
            header("@classLabel true 1\n@targetLabel false\n@data").target,
            Target::Classes(vec!["1".into()])
        );
    }

    #[test]
    fn a_univariate_file_has_one_channel() {
        assert_eq!(
            header("@univariate true\n@classLabel false\n@data").channels,
            Some(1)
        );
        assert_eq!(
            header("@univariate true\n@dimension 1\n@classLabel false\n@data").channels,
            Some(1)
        );
    }
}
