//! What measurements say.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Measurements;
use super::rules::RULES;
use crate::recipe::Recipe;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The network learns, but it is in the way.
    Warning,
    /// The network does not learn, and this is a reason.
    Fault,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Warning => "warning",
            Self::Fault => "fault",
        })
    }
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// What it is called, such as `vanishing_gradients`.
    pub name: String,
    /// How bad it is.
    pub severity: Severity,
    /// What was seen, with its figures.
    pub evidence: String,
    /// What to do, in a sentence.
    pub advice: String,
    /// What to write into a recipe to do it, to be tried one by one: lines `key = value`, more than one where they belong
    /// together.
    pub remedy: Vec<String>,
    /// Where the threshold comes from.
    pub source: String,
}

/// What the measurements say: faults before warnings, and causes before what they cause.
pub fn diagnose(recipe: &Recipe, measurements: &Measurements) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in RULES {
        findings.extend(rule(recipe, measurements, &findings));
    }
    // The order of the rules is from causes to effects; it stays among equals.
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings
}
