//! Every Rust file starts with a `//!` header, which says what the file is for.

use super::{Finding, tree::Tree};

/// Finds the sources without a header.
pub fn check(tree: &Tree) -> Vec<Finding> {
    tree.sources()
        .filter(|(_, text)| !text.starts_with("//!"))
        .map(|(path, _)| Finding::new(path, 1, "no header, expected a first line with `//!`"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_must_be_a_header() {
        let found = check(&Tree::of(&[
            ("crates/a/src/lib.rs", "//! Fine.\n"),
            ("crates/a/src/late.rs", "\n//! Late.\n"),
            ("crates/a/benches/scan.rs", "/// An item's docs.\n"),
            ("tests/empty.rs", ""),
            ("docs/sample.rs", "fn free() {}"),
        ]));
        let paths: Vec<&str> = found.iter().map(|finding| &*finding.path).collect();
        assert_eq!(
            paths,
            [
                "crates/a/benches/scan.rs",
                "crates/a/src/late.rs",
                "tests/empty.rs"
            ]
        );
    }
}
