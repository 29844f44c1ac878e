//! Docs in step with the workspace: links that lead somewhere, every crate named, every page in the book, recipes that
//! exist.

use super::links::{self, Link};
use super::{Finding, tree::Tree};

/// Pages that must exist.
const REQUIRED: [&str; 4] = ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", SUMMARY];

/// The book's table of contents.
const SUMMARY: &str = "docs/src/SUMMARY.md";

/// Finds pages that are missing or say what is not so.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let missing = REQUIRED.iter().filter(|page| tree.text(page).is_none());
    let mut findings: Vec<Finding> = missing
        .map(|page| Finding::new(page, 1, "page is missing, expected it there"))
        .collect();
    for (path, text) in tree.texts().filter(|(path, _)| is_page(path)) {
        findings.extend(broken_links(tree, path, text));
        findings.extend(missing_recipes(tree, path, text));
    }
    findings.extend(unnamed_crates(tree));
    findings.extend(unlisted_pages(tree));
    findings
}

/// The pages that are checked: those at the root, the book, and the notes on data.
fn is_page(path: &str) -> bool {
    let in_docs = path.starts_with("docs/") && path.ends_with(".md");
    let on_data = path.starts_with("data/") && path.ends_with("/README.md");
    REQUIRED.contains(&path) || in_docs || on_data
}

fn broken_links(tree: &Tree, page: &str, text: &str) -> Vec<Finding> {
    links::links(text)
        .into_iter()
        .filter(|link| !links::is_external(&link.target))
        .filter_map(|Link { target, line }| {
            let problem = problem(tree, page, &target)?;
            Some(Finding::new(
                page,
                line,
                format!("link `{target}`: {problem}"),
            ))
        })
        .collect()
}

/// What is wrong with a relative target, if anything.
fn problem(tree: &Tree, page: &str, target: &str) -> Option<String> {
    let (relative, anchor) = match target.split_once('#') {
        Some((relative, anchor)) => (relative, Some(anchor)),
        None => (target, None),
    };
    if relative.starts_with('/') || target.is_empty() {
        return Some("no relative path, expected one from this page".into());
    }
    let relative = relative.replace("%20", " ");
    let path = match relative.as_str() {
        "" => Some(page.to_owned()),
        _ => links::resolve(page, &relative),
    };
    let Some(path) = path.filter(|path| tree.exists(path)) else {
        return Some("nothing is there, expected a file or folder".into());
    };
    let anchor = anchor?;
    let text = tree.text(&path).unwrap_or_default();
    let found = match path.ends_with(".md") {
        true => links::anchors(text).contains(anchor),
        false => is_line(anchor, text.lines().count()),
    };
    (!found).then(|| format!("{path} has no anchor `{anchor}`, expected a heading or a line"))
}

/// Whether an anchor such as `L10` or `L10-L20` names lines of a file with that many.
fn is_line(anchor: &str, lines: usize) -> bool {
    anchor.split('-').all(|part| {
        let number = part
            .strip_prefix('L')
            .and_then(|digits| digits.parse().ok());
        number.is_some_and(|number: usize| (1..=lines).contains(&number))
    })
}

/// Recipes, told by a path that ends in `.toml`, that are neither at the root nor beside the page.
fn missing_recipes(tree: &Tree, page: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (line, content) in text.lines().enumerate() {
        let words = content.split(|c: char| c.is_whitespace() || "`\"'()[]<>=,;|".contains(c));
        for word in words.map(|word| word.trim_end_matches(['.', ':'])) {
            let there =
                |from: &str| links::resolve(from, word).is_some_and(|path| tree.exists(&path));
            if is_recipe(word) && !there("README.md") && !there(page) {
                let what =
                    format!("recipe `{word}` does not exist, expected a file of the repository");
                findings.push(Finding::new(page, line + 1, what));
            }
        }
    }
    findings
}

/// Whether a word is the path of a shipped recipe: with a folder, no placeholder (`DIR`), and not in a run folder.
fn is_recipe(word: &str) -> bool {
    let plain = word
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "_-./".contains(c));
    let Some((folder, _)) = word.split_once('/') else {
        return false;
    };
    let placeholder = folder.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    plain && word.ends_with(".toml") && !placeholder && folder != "runs"
}

fn unnamed_crates(tree: &Tree) -> Vec<Finding> {
    let is_row = |line: &&str| line.trim_start().starts_with('|');
    let readme = tree
        .text("README.md")
        .map(|text| text.lines().filter(is_row).collect::<String>());
    let map = tree.text("ARCHITECTURE.md").map(String::from);
    let pages = [
        ("README.md", readme, "a row in the table of crates"),
        ("ARCHITECTURE.md", map, "its place on the map"),
    ];
    let mut findings = Vec::new();
    for (page, text, expected) in pages {
        let Some(text) = text else { continue };
        for (name, _, _) in tree.crates().filter(|(name, _, _)| !names(&text, name)) {
            let what = format!("crate `{name}` is not named, expected {expected}");
            findings.push(Finding::new(page, 1, what));
        }
    }
    findings
}

/// Whether `name` stands in `text` as a whole word; `a` does not stand in `a-b`.
fn names(text: &str, name: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && c != '-' && c != '_')
        .any(|word| word == name)
}

fn unlisted_pages(tree: &Tree) -> Vec<Finding> {
    let Some(summary) = tree.text(SUMMARY) else {
        return Vec::new();
    };
    let listed: Vec<String> = links::links(summary)
        .iter()
        .filter_map(|link| links::resolve(SUMMARY, link.target.split('#').next()?))
        .collect();
    let pages = tree
        .texts()
        .map(|(path, _)| path)
        .filter(|path| path.starts_with("docs/src/") && path.ends_with(".md") && *path != SUMMARY);
    pages
        .filter(|page| !listed.iter().any(|path| path == page))
        .map(|page| {
            Finding::new(
                page,
                1,
                format!("page is in no chapter, expected a link in {SUMMARY}"),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A workspace with one crate whose docs are in step, with more files put on top.
    fn found(more: &[(&str, &str)]) -> Vec<String> {
        let mut files = vec![
            ("crates/rekindle/Cargo.toml", ""),
            (
                "README.md",
                "# Rekindle\n| [`rekindle`](crates/rekindle) | facade |\n",
            ),
            (
                "ARCHITECTURE.md",
                "# Map\n`crates/rekindle` is the facade.\n",
            ),
            ("CHANGELOG.md", "# Changes\n"),
            (SUMMARY, "[Start](start.md)\n"),
            ("docs/src/start.md", "# Start here\n"),
        ];
        files.extend(more);
        check(&Tree::of(&files))
            .iter()
            .map(Finding::to_string)
            .collect()
    }

    fn one(more: &[(&str, &str)], expected: &str) {
        let found = found(more);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains(expected), "{found:?}");
    }

    #[test]
    fn docs_in_step_pass() {
        assert_eq!(found(&[]), [""; 0]);
        let links = "# A b\n[1](README.md) [2](docs/src/start.md#start-here) [3](#a-b) [4](crates)\n\
                     [5](https://example.org/x#y) [6](Cargo.toml#L1-L2)\n";
        assert_eq!(
            found(&[("CHANGELOG.md", links), ("Cargo.toml", "a\nb\n")]),
            [""; 0]
        );
    }

    #[test]
    fn absent_pages_are_found() {
        let paths: Vec<String> = check(&Tree::of(&[]))
            .into_iter()
            .map(|found| found.path)
            .collect();
        assert_eq!(paths, REQUIRED);
    }

    #[test]
    fn broken_links_are_found() {
        one(
            &[("CHANGELOG.md", "\n[a](nothing.md)")],
            "CHANGELOG.md:2: link `nothing.md`",
        );
        one(&[("CHANGELOG.md", "[a](../README.md)")], "nothing is there");
        one(&[("CHANGELOG.md", "[a](/README.md)")], "no relative path");
        one(
            &[("CHANGELOG.md", "[a](README.md#gone)")],
            "no anchor `gone`",
        );
        one(
            &[
                ("CHANGELOG.md", "[a](Cargo.toml#L3)"),
                ("Cargo.toml", "a\n"),
            ],
            "`L3`",
        );
        one(&[("docs/adr/1.md", "[a](b.md)")], "docs/adr/1.md:1");
        one(
            &[("data/vowels/README.md", "[a](b.ts)")],
            "data/vowels/README.md:1",
        );
    }

    #[test]
    fn every_crate_is_named() {
        let found = found(&[("crates/rekindle-cells/Cargo.toml", "")]);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(
            found[0].starts_with("README.md:1: crate `rekindle-cells`"),
            "{found:?}"
        );
        one(
            &[("README.md", "`rekindle`, and | no row |\n")],
            "a row in the table",
        );
        one(
            &[("ARCHITECTURE.md", "only `rekindle-cells`")],
            "its place on the map",
        );
    }

    #[test]
    fn the_book_lists_its_pages() {
        one(
            &[("docs/src/cells/gru.md", "# GRU")],
            "docs/src/cells/gru.md:1: page is in no chapter",
        );
        one(
            &[(SUMMARY, "[Start](start.md)\n[More](more.md)")],
            "link `more.md`",
        );
    }

    #[test]
    fn recipes_exist() {
        let text = "Run `rekindle train recipes/lstm.toml --set a=b`, see runs/x/recipe.toml, DIR/recipe.toml,\n\
                    your own `recipe.toml`, ~/.cargo/config.toml or https://example.org/a/b.toml.\n";
        one(
            &[("CHANGELOG.md", text)],
            "CHANGELOG.md:1: recipe `recipes/lstm.toml`",
        );
        assert_eq!(
            found(&[("CHANGELOG.md", text), ("recipes/lstm.toml", "")]),
            [""; 0]
        );
        let beside = [
            ("data/v/README.md", "`./lstm.toml`"),
            ("data/v/lstm.toml", ""),
        ];
        assert_eq!(found(&beside), [""; 0]);
    }
}
