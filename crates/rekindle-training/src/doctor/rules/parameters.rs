//! Faults of parameters.

use super::{lines, severity};
use crate::doctor::{Finding, Measurements};
use crate::recipe::Recipe;

/// How many paths a sentence names.
const NAMED: usize = 4;

/// Parameters that no step moves while others move.
pub(super) fn frozen_parameters(
    recipe: &Recipe,
    found: &Measurements,
    _: &[Finding],
) -> Option<Finding> {
    let frozen = found.updates.frozen();
    let is_layer = |path: &&&str| path.contains("weight");
    // A bias that nothing depends on, as that of a missing gate, is no frozen layer.
    frozen.iter().find(is_layer)?;
    let more = match frozen.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let frozen_by_groups = recipe
        .training
        .groups
        .iter()
        .any(|group| group.lr_factor == 0.0);
    Some(Finding {
        name: "frozen_parameters".into(),
        severity: severity(found),
        evidence: format!(
            "{}{more} did not move by a bit in any step, while other parameters did",
            frozen[..frozen.len().min(NAMED)].join(", ")
        ),
        advice: match frozen_by_groups {
            true => "a group of parameters has a rate of 0: leave it out unless it is meant".into(),
            false => "no gradient reaches them: check what the layers above read".to_string(),
        },
        remedy: match frozen_by_groups {
            true => lines(["training.groups = []"]),
            false => Vec::new(),
        },
        source: "no threshold: not one bit of them changes".into(),
    })
}
