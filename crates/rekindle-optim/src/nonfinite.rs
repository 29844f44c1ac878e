//! What to do when a loss or a gradient is no number.

use burn::config::Config;
use serde::{Deserialize, Serialize};

use crate::RangeError;

/// What to do with a step whose loss or gradient is not finite, as a value.
///
/// # Examples
/// ```
/// use rekindle_optim::{NonFinite, NonFiniteState};
///
/// let policy = NonFinite::BackOff { factor: 0.5, limit: 2 };
/// let mut state = NonFiniteState::default();
/// assert!(policy.skips(&mut state), "the first one");
/// assert_eq!(state.lr_factor, 0.5);
/// assert!(policy.skips(&mut state), "the second one in a row");
/// assert!(!policy.skips(&mut state), "and no more");
/// ```
#[derive(Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Default)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum NonFinite {
    /// Training ends with an error. `{ kind = "error" }`
    #[default]
    Error,
    /// The step is left out, and counted. `{ kind = "skip" }`
    Skip,
    /// The step is left out, and the learning rate is lower from then on. `{ kind = "back_off", factor = 0.5, limit = 5 }`
    BackOff {
        /// What the rate is multiplied by, in `(0, 1)`. Default: 0.5.
        #[serde(default = "half")]
        factor: f64,
        /// How many steps in a row may be left out; one more is an error. At least 1. Default: 5.
        #[serde(default = "five")]
        limit: usize,
    },
}

fn half() -> f64 {
    0.5
}

fn five() -> usize {
    5
}

/// What a policy has to remember.
#[derive(Serialize, Deserialize, Debug, Clone, Copy, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct NonFiniteState {
    /// The factor of the learning rate.
    pub lr_factor: f64,
    /// Steps left out since the last one that was taken.
    pub in_a_row: usize,
    /// Steps left out at all.
    pub skipped: usize,
}

impl Default for NonFiniteState {
    fn default() -> Self {
        Self {
            lr_factor: 1.0,
            in_a_row: 0,
            skipped: 0,
        }
    }
}

impl Config for NonFinite {}

impl NonFinite {
    /// Checks every number.
    ///
    /// # Errors
    /// A factor outside `(0, 1)`, a limit of 0.
    pub fn validate(&self) -> Result<(), RangeError> {
        let Self::BackOff { factor, limit } = *self else {
            return Ok(());
        };
        let valid = factor > 0.0 && factor < 1.0;
        RangeError::unless(valid, "factor", factor, "a number in (0, 1)")?;
        RangeError::unless(limit > 0, "limit", limit as f64, "at least 1")
    }

    /// Takes note of a step that is not finite; true if it is to be left out, false if it is an error.
    pub fn skips(&self, state: &mut NonFiniteState) -> bool {
        let skips = match *self {
            Self::Error => false,
            Self::Skip => true,
            Self::BackOff { limit, .. } => state.in_a_row < limit,
        };
        if skips {
            state.in_a_row += 1;
            state.skipped += 1;
        }
        if let (true, Self::BackOff { factor, .. }) = (skips, *self) {
            state.lr_factor *= factor;
        }
        skips
    }
}

impl NonFiniteState {
    /// Takes note of a step that was taken.
    pub fn step_taken(&mut self) {
        self.in_a_row = 0;
    }
}
