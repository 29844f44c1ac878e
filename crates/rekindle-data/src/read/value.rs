//! One value of a file.

use super::error::{Fault, ReadProblem};
use super::missing::Missing;
use super::text::clip;

/// Where a value stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    /// The line in the file, from 1.
    pub line: usize,
    /// The name of the channel.
    pub channel: &'a str,
    /// The time step within its sequence, from 1.
    pub step: usize,
}

/// The value that `text` (trimmed) stands for; NaN for a missing value that `missing` can fill.
pub(super) fn parse(text: &str, missing: Missing, place: Place<'_>) -> Result<f32, Fault> {
    let (channel, step) = (place.channel.to_owned(), place.step);
    let problem = match text.parse::<f32>() {
        Ok(value) if value.is_finite() => return Ok(value),
        Ok(value) if value.is_infinite() => ReadProblem::Infinite {
            channel,
            step,
            found: clip(text),
        },
        Err(_) if text != "?" => ReadProblem::Number {
            channel,
            step,
            found: clip(text),
        },
        _ if missing == Missing::Error => ReadProblem::MissingValue { channel, step },
        _ => return Ok(f32::NAN),
    };
    Err(problem.at(place.line))
}

/// The finite number that a label or a time stands for, if it is one.
pub(super) fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str, missing: Missing) -> Result<f32, ReadProblem> {
        parse(
            text,
            missing,
            Place {
                line: 3,
                channel: "x",
                step: 2,
            },
        )
        .map_err(|fault| fault.problem)
    }

    #[test]
    fn numbers_in_any_notation() {
        for (text, value) in [
            ("1", 1.0),
            ("-.5", -0.5),
            ("+2.", 2.0),
            ("1e-3", 0.001),
            ("2E4", 20000.0),
        ] {
            assert_eq!(parsed(text, Missing::Error).unwrap(), value);
        }
    }

    #[test]
    fn missing_values_in_any_spelling() {
        for text in ["?", "nan", "NaN", "NAN", "-nan"] {
            assert!(parsed(text, Missing::Zero).unwrap().is_nan(), "{text}");
            assert!(
                matches!(
                    parsed(text, Missing::Error),
                    Err(ReadProblem::MissingValue { .. })
                ),
                "{text}"
            );
        }
    }

    #[test]
    fn what_f32_cannot_hold_is_refused() {
        for text in ["inf", "-Infinity", "1e39"] {
            assert!(
                matches!(
                    parsed(text, Missing::Zero),
                    Err(ReadProblem::Infinite { .. })
                ),
                "{text}"
            );
        }
    }

    #[test]
    fn labels_are_finite_numbers() {
        assert_eq!(number("-1.25"), Some(-1.25));
        for text in ["", "?", "nan", "inf", "1,5"] {
            assert_eq!(number(text), None, "{text}");
        }
    }
}
