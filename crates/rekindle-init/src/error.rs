//! What can be wrong with an initializer or a scheme.

use crate::Gate;

/// An initializer or a scheme that cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InitError {
    /// A number is outside its range.
    #[error("{place} ({kind}): {field} is {found}, expected {expected}")]
    Value {
        /// Where the value stands: `initializer` when it stands alone, else the key in the scheme,
        /// such as `recurrent` or `gates[1].bias`.
        place: String,
        /// The `kind` of the value, as in a recipe.
        kind: &'static str,
        /// The field with the number.
        field: &'static str,
        /// The number.
        found: f64,
        /// The numbers that the field takes.
        expected: &'static str,
    },
    /// An interval without numbers in it.
    #[error(
        "{place} ({kind}): low is {low} and high is {high}, \
         expected low below high, apart by more than a 32-bit rounding"
    )]
    Interval {
        /// Where the value stands, as in [`InitError::Value`].
        place: String,
        /// The `kind` of the value, as in a recipe.
        kind: &'static str,
        /// The lower end.
        low: f64,
        /// The upper end.
        high: f64,
    },
    /// Two rules for one gate.
    #[error(
        "gates[{index}] sets the {gate} gate, as gates[{first}] does, \
         expected one rule per gate: merge them"
    )]
    RepeatedRule {
        /// The index of the second rule.
        index: usize,
        /// The index of the first rule.
        first: usize,
        /// The gate that both name.
        gate: Gate,
    },
    /// A rule gives a bias to a gate whose bias chrono initialisation sets.
    #[error(
        "gates[{index}] sets the bias of the {gate} gate, which gate_bias (chrono) sets too, \
         expected one of them: remove the bias of the rule or choose another gate_bias"
    )]
    ChronoRule {
        /// The index of the rule.
        index: usize,
        /// The gate that it names.
        gate: Gate,
    },
    /// A rule for a gate that the cell does not have.
    #[error(
        "gates[{index}] sets the {gate} gate, expected a gate of this cell ({}): \
         remove the rule or change its gate",
        list(available)
    )]
    MissingGate {
        /// The index of the rule.
        index: usize,
        /// The gate that it names.
        gate: Gate,
        /// The gates of the cell.
        available: Vec<Gate>,
    },
    /// Chrono initialisation for a cell without a gate that keeps the state.
    #[error(
        "gate_bias is chrono, expected a cell with a forget or an update gate, \
         this one has {}: choose another gate_bias",
        list(available)
    )]
    ChronoCell {
        /// The gates of the cell.
        available: Vec<Gate>,
    },
}

/// The names of the gates, separated by commas.
fn list(gates: &[Gate]) -> String {
    let names: Vec<String> = gates.iter().map(Gate::to_string).collect();
    names.join(", ")
}

/// Where a value stands and what it is, for the messages of its checks.
pub(crate) struct Place<'a> {
    /// The key in the scheme, or `initializer`.
    pub path: &'a str,
    /// The `kind` of the value.
    pub kind: &'static str,
}

impl Place<'_> {
    /// Checks that `ok` holds for the number `found` in `field`.
    pub fn check(
        &self,
        field: &'static str,
        found: f64,
        ok: bool,
        expected: &'static str,
    ) -> Result<(), InitError> {
        if ok {
            return Ok(());
        }
        Err(InitError::Value {
            place: self.path.to_string(),
            kind: self.kind,
            field,
            found,
            expected,
        })
    }

    /// Checks that the number is finite as a 32-bit float.
    pub fn finite(&self, field: &'static str, found: f64) -> Result<(), InitError> {
        let ok = (found as f32).is_finite();
        self.check(field, found, ok, "a finite 32-bit number")
    }

    /// Checks that the number is above zero and finite, as a 32-bit float.
    pub fn positive(&self, field: &'static str, found: f64) -> Result<(), InitError> {
        let rounded = found as f32;
        let ok = rounded > 0.0 && rounded.is_finite();
        self.check(field, found, ok, "a finite 32-bit number above 0")
    }

    /// Checks that `low..high` holds numbers, also once rounded to 32-bit floats.
    pub fn interval(&self, low: f64, high: f64) -> Result<(), InitError> {
        self.finite("low", low)?;
        self.finite("high", high)?;
        if (low as f32) < (high as f32) {
            return Ok(());
        }
        Err(InitError::Interval {
            place: self.path.to_string(),
            kind: self.kind,
            low,
            high,
        })
    }
}
