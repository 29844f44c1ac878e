//! The size of a case.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

/// The names of the four numbers, in the order in which they are written.
const AXES: [&str; 4] = ["T", "B", "I", "H"];

/// The size of a case, written `T,B,I,H`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Shape {
    /// T: steps.
    pub seq: usize,
    /// B: rows.
    pub batch: usize,
    /// I: width of the input.
    pub d_input: usize,
    /// H: width of the hidden state.
    pub d_hidden: usize,
}

/// A text that is no shape.
#[derive(Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ShapeError {
    /// Not four numbers.
    #[error("found {found} numbers, expected 4: T,B,I,H")]
    Count {
        /// How many there are.
        found: usize,
    },
    /// No number, or 0.
    #[error("{axis} is `{found}`, expected a whole number of at least 1")]
    Number {
        /// Which of the four.
        axis: &'static str,
        /// What stands there.
        found: String,
    },
}

impl FromStr for Shape {
    type Err = ShapeError;

    fn from_str(text: &str) -> Result<Self, ShapeError> {
        let parts: Vec<&str> = text.split(',').map(str::trim).collect();
        if parts.len() != AXES.len() {
            return Err(ShapeError::Count { found: parts.len() });
        }
        let mut numbers = [0; AXES.len()];
        for (at, part) in parts.into_iter().enumerate() {
            numbers[at] = part
                .parse()
                .ok()
                .filter(|number| *number > 0)
                .ok_or_else(|| ShapeError::Number {
                    axis: AXES[at],
                    found: part.into(),
                })?;
        }
        let [seq, batch, d_input, d_hidden] = numbers;
        Ok(Self {
            seq,
            batch,
            d_input,
            d_hidden,
        })
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            seq,
            batch,
            d_input,
            d_hidden,
        } = self;
        f.pad(&format!("{seq},{batch},{d_input},{d_hidden}"))
    }
}
