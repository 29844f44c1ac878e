//! Words that stand for unfinished work, and `unsafe` outside the kernels.

use super::rust::{self, Token};
use super::{Finding, tree::Tree};

/// Found anywhere: comments, strings, code.
const MARKERS: [&str; 3] = ["TODO", "FIXME", "XXX"];

/// Found when called.
const MACROS: [&str; 3] = ["todo", "unimplemented", "dbg"];

/// The only crate with unsafe code.
const UNSAFE: &str = "crates/rekindle-kernels/";

/// Finds the words in sources and manifests.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.sources() {
        findings.extend(markers(path, text));
        findings.extend(in_code(path, text));
    }
    for (path, text) in tree.texts() {
        if path == "Cargo.toml" || path.ends_with("/Cargo.toml") {
            findings.extend(markers(path, text));
        }
    }
    findings
}

fn markers(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (line, content) in text.lines().enumerate() {
        let words = content.split(|c: char| !c.is_alphanumeric() && c != '_');
        for word in words.filter(|word| MARKERS.contains(word)) {
            let what = format!("`{word}`, expected finished work");
            findings.push(Finding::new(path, line + 1, what));
        }
    }
    findings
}

fn in_code(path: &str, text: &str) -> Vec<Finding> {
    let code = rust::code(text);
    let tokens = rust::tokens(&code);
    let mut findings = Vec::new();
    for (at, Token { text, line }) in tokens.iter().enumerate() {
        let called = tokens.get(at + 1).is_some_and(|next| next.text == "!");
        if called && MACROS.contains(text) {
            let what = format!("`{text}!`, expected finished work");
            findings.push(Finding::new(path, *line, what));
        }
        if *text == "unsafe" && !path.starts_with(UNSAFE) {
            let what = format!("`unsafe`, expected it only in {UNSAFE}");
            findings.push(Finding::new(path, *line, what));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        let findings = check(&Tree::of(&[(path, text)]));
        findings.iter().map(Finding::to_string).collect()
    }

    #[test]
    fn markers_are_found_anywhere() {
        for word in MARKERS {
            let expected = format!("xtask/src/a.rs:2: `{word}`, expected finished work");
            assert_eq!(
                found("xtask/src/a.rs", &format!("\n// {word}: x")),
                [&*expected]
            );
            assert_eq!(
                found("xtask/src/a.rs", &format!("\npanic!(\"{word}\")")),
                [&*expected]
            );
        }
        assert_eq!(found("crates/a/Cargo.toml", "# TODO").len(), 1);
        assert_eq!(found("xtask/src/a.rs", "// TODOS, XXXL"), [""; 0]);
    }

    #[test]
    fn macros_are_found_in_code_only() {
        for word in MACROS {
            assert_eq!(
                found("tests/a.rs", &format!("{word}!(x)")).len(),
                1,
                "{word}"
            );
            assert_eq!(found("tests/a.rs", &format!("// {word}!(x)")), [""; 0]);
            assert_eq!(
                found("tests/a.rs", &format!("let {word} = x != y;")),
                [""; 0]
            );
        }
    }

    #[test]
    fn unsafe_code_is_for_kernels() {
        let text = "fn a() { unsafe { b() } } // unsafe\n#![deny(unsafe_code)]";
        assert_eq!(found("crates/rekindle-cells/src/a.rs", text).len(), 1);
        assert_eq!(found("crates/rekindle-kernels/src/a.rs", text), [""; 0]);
    }
}
