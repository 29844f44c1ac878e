//! Labels that sequences do not tell.

use super::{STUCK, figure, outcome, percent, stuck};
use crate::doctor::{Finding, Measurements, Severity};
use crate::recipe::Recipe;

/// The network does not learn, no rule before knows why, and sequences that are alike have labels as by chance.
///
/// A hint, not a proof: what tells classes apart may be in no figure that neighbours are compared by.
pub(super) fn label_noise(
    _: &Recipe,
    found: &Measurements,
    earlier: &[Finding],
) -> Option<Finding> {
    let neighbours = found.data.neighbours.as_ref()?;
    let is_explained = earlier
        .iter()
        .any(|finding| finding.severity == Severity::Fault);
    let losses = &found.losses;
    // What is learnt by heart does not help on other sequences.
    let is_useless = losses
        .valid
        .is_some_and(|valid| valid >= STUCK * losses.guess);
    let learns_nothing = stuck(found) || is_useless;
    let is_noise = !neighbours.labels_follow() || neighbours.contradictions > 0;
    (learns_nothing && is_noise && !is_explained).then(|| {
        let contradictions = match neighbours.contradictions {
            0 => String::new(),
            count => format!("; {count} sequences are equal to another one but for the label"),
        };
        let valid = losses.valid.map_or(String::new(), |valid| {
            format!(", on the validation set it is {}", figure(valid))
        });
        Finding {
            name: "label_noise".into(),
            severity: Severity::Fault,
            evidence: format!(
                "of {} sequences {} have the label of the most similar other one, by chance it would be {}{contradictions}; {}{valid}",
                neighbours.sequences,
                percent(neighbours.agreement),
                percent(neighbours.by_chance),
                outcome(found)
            ),
            advice: "check that labels belong to their sequences: a column that was sorted alone, a wrong join; if they do, \
                     what tells them apart needs more steps or units"
                .into(),
            remedy: Vec::new(),
            source: "two standard deviations above chance; neighbours: Wilson, 1972, \
                     https://doi.org/10.1109/TSMC.1972.4309137"
                .into(),
        }
    })
}
