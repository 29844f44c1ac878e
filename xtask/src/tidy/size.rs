//! Files of at most 400 lines, functions of at most 50; tests aside.

use super::rust::{self, TestModule};
use super::{Finding, tree::Tree};

const FILE_LINES: usize = 400;
const FUNCTION_LINES: usize = 50;

/// Finds the files and functions that are too long.
pub fn check(tree: &Tree) -> Vec<Finding> {
    tree.sources()
        .filter(|(path, _)| !is_test(path))
        .flat_map(|(path, text)| of_file(path, text))
        .collect()
}

/// Whether the whole file is tests or benches.
fn is_test(path: &str) -> bool {
    let mut parts = path.split('/');
    let file = parts.next_back();
    file == Some("tests.rs") || parts.any(|folder| folder == "tests" || folder == "benches")
}

fn of_file(path: &str, text: &str) -> Vec<Finding> {
    let code = rust::code(text);
    let tokens = rust::tokens(&code);
    let modules = rust::test_modules(&tokens);
    let mut findings = Vec::new();
    let last = modules.iter().find(|module| module.last);
    let lines = text.lines().count() - last.map_or(0, |tests| tests.lines.clone().count());
    if lines > FILE_LINES {
        let what = format!(
            "file has {lines} lines without its tests at the end, expected at most {FILE_LINES}"
        );
        findings.push(Finding::new(path, 1, what));
    }
    for function in rust::functions(&tokens) {
        let start = *function.lines.start();
        let lines = function.lines.count();
        let in_tests = |module: &TestModule| module.lines.contains(&start);
        if lines > FUNCTION_LINES && !modules.iter().any(in_tests) {
            let name = function.name;
            let what =
                format!("function `{name}` has {lines} lines, expected at most {FUNCTION_LINES}");
            findings.push(Finding::new(path, start, what));
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

    /// A function of `lines` lines with braces where they do not count.
    fn function(lines: usize) -> String {
        format!(
            "fn long() {{\n{}}}\n",
            "    call('}', \"}\"); // }\n".repeat(lines - 2)
        )
    }

    const SOURCE: &str = "crates/a/src/lib.rs";

    #[test]
    fn functions_over_the_limit_are_found() {
        assert_eq!(found(SOURCE, &function(50)), [""; 0]);
        let text = format!("//! Doc.\n{}", function(51));
        let expected = "crates/a/src/lib.rs:2: function `long` has 51 lines, expected at most 50";
        assert_eq!(found(SOURCE, &text), [expected]);
    }

    #[test]
    fn files_over_the_limit_are_found() {
        assert_eq!(found(SOURCE, &"const A: u8 = 1;\n".repeat(400)), [""; 0]);
        let found = found(SOURCE, &"const A: u8 = 1;\n".repeat(401));
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("401 lines"), "{found:?}");
    }

    #[test]
    fn tests_at_the_end_do_not_count() {
        let code = "const A: u8 = 1;\n".repeat(398);
        let tests = format!("\n#[cfg(test)]\nmod tests {{\n{}}}\n", function(60));
        assert_eq!(found(SOURCE, &format!("{code}{tests}")), [""; 0]);
        let before = found(SOURCE, &format!("{tests}{code}"));
        assert_eq!(before.len(), 1, "{before:?}");
        assert!(before[0].contains("462 lines"), "{before:?}");
    }

    #[test]
    fn files_of_tests_and_benches_are_free() {
        let text = function(500);
        for path in [
            "tests/backends.rs",
            "crates/a/tests/laws.rs",
            "crates/a/tests/common/mod.rs",
            "crates/a/benches/scan.rs",
            "crates/a/src/gru/tests.rs",
        ] {
            assert_eq!(found(path, &text), [""; 0], "{path}");
        }
        assert_eq!(found("crates/a/src/attests.rs", &text).len(), 2);
    }
}
