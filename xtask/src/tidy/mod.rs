//! `cargo xtask tidy`: the house rules that a program can check.
//!
//! Each rule is a pure function from a [`Tree`] of texts to [`Finding`]s, so that its tests are small planted
//! violations in memory. The exceptions, each with its reason, are in `exceptions.rs`; one that excuses nothing any
//! more is itself a finding.

mod docs;
mod edges;
mod exceptions;
pub mod features;
mod headers;
mod links;
mod manifest;
mod rust;
mod size;
mod tree;
mod words;

use anyhow::{Result, bail};
use exceptions::Exception;
use std::fmt;
use tree::Tree;

/// A place that breaks a rule. Ordered by path and line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// From the root folder, with `/`.
    path: String,
    /// From 1; 1 also for what concerns the whole file.
    line: usize,
    /// What is there, what is expected.
    what: String,
}

impl Finding {
    fn new(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            line,
            what: what.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

/// A rule: its name and its check.
type Rule = (&'static str, fn(&Tree) -> Vec<Finding>);

const DOCS: Rule = ("docs", docs::check);

const RULES: [Rule; 6] = [
    ("edges", edges::check),
    ("headers", headers::check),
    ("size", size::check),
    DOCS,
    ("words", words::check),
    ("features", features::check),
];

/// Checks every rule and prints every finding.
///
/// # Errors
/// There is a finding, or a file cannot be read.
pub fn run() -> Result<()> {
    report(&RULES)
}

/// Checks only that the docs are in step with the workspace.
///
/// # Errors
/// There is a finding, or a file cannot be read.
pub fn run_docs() -> Result<()> {
    report(&[DOCS])
}

fn report(rules: &[Rule]) -> Result<()> {
    let tree = Tree::load(crate::cargo::root())?;
    let findings = findings(&tree, rules, exceptions::EXCEPTIONS);
    for finding in &findings {
        println!("{finding}");
    }
    if !findings.is_empty() {
        bail!("tidy failed, number of findings above: {}", findings.len());
    }
    println!("tidy: {} files, no findings", tree.len());
    Ok(())
}

/// What the rules find, less what is excused, in order of path and line.
fn findings(tree: &Tree, rules: &[Rule], exceptions: &[Exception]) -> Vec<Finding> {
    let mut all = Vec::new();
    for (name, check) in rules {
        let found = check(tree);
        let (excuses, _): (Vec<&Exception>, Vec<_>) = exceptions
            .iter()
            .partition(|exception| exception.rule == *name);
        all.extend(excuses.iter().filter_map(|excuse| excuse.if_stale(&found)));
        all.extend(
            found
                .into_iter()
                .filter(|finding| !excuses.iter().any(|excuse| excuse.path == finding.path)),
        );
    }
    all.sort();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The house rules hold in this workspace.
    #[test]
    fn the_workspace_is_tidy() {
        if let Err(error) = run() {
            panic!("{error}");
        }
    }

    #[test]
    fn a_finding_reads_as_place_and_text() {
        let finding = Finding::new("a/b.rs", 7, "found, expected");
        assert_eq!(finding.to_string(), "a/b.rs:7: found, expected");
    }

    #[test]
    fn findings_are_sorted_and_excused() {
        let tree = Tree::of(&[
            ("xtask/src/z.rs", "fn z() {}"),
            ("xtask/src/a.rs", "fn a() {}"),
            ("xtask/src/m.rs", "fn m() {}"),
        ]);
        let excuse = Exception {
            rule: "headers",
            path: "xtask/src/m.rs",
            reason: "planted",
        };
        let paths: Vec<String> = findings(&tree, &[RULES[1]], &[excuse])
            .into_iter()
            .map(|finding| finding.path)
            .collect();
        assert_eq!(paths, ["xtask/src/a.rs", "xtask/src/z.rs"]);
    }

    #[test]
    fn an_exception_that_excuses_nothing_is_found() {
        let excuse = Exception {
            rule: "headers",
            path: "xtask/src/a.rs",
            reason: "planted",
        };
        let tree = Tree::of(&[("xtask/src/a.rs", "//! Fine.")]);
        let found = findings(&tree, &[RULES[1]], &[excuse]);
        assert_eq!(found.len(), 1);
        assert!(found[0].what.contains("xtask/src/a.rs"), "{}", found[0]);
    }
}
