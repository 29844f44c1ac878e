//! The places that are excused from a rule, each with its reason.

use super::Finding;

/// One file that one rule leaves alone.
pub struct Exception {
    /// The rule's name.
    pub rule: &'static str,
    /// The file, from the root folder.
    pub path: &'static str,
    /// Why the rule cannot hold there.
    pub reason: &'static str,
}

/// All exceptions.
pub const EXCEPTIONS: &[Exception] = &[Exception {
    rule: "words",
    path: "xtask/src/tidy/words.rs",
    reason: "it spells the words that it looks for",
}];

impl Exception {
    /// A finding, if nothing in `found` needs this exception.
    pub fn if_stale(&self, found: &[Finding]) -> Option<Finding> {
        let used = found.iter().any(|finding| finding.path == self.path);
        (!used).then(|| {
            let Self { rule, path, reason } = self;
            let what = format!(
                "exception of {path} from `{rule}` ({reason}) excuses nothing, expected it removed"
            );
            Finding::new("xtask/src/tidy/exceptions.rs", 1, what)
        })
    }
}
