//! The files of the workspace as the rules see them: paths, and the texts of sources, manifests and pages.

use anyhow::{Context, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Folders that hold no source: build outputs, run folders, version control.
const SKIPPED: [&str; 4] = [".git", "target", "runs", "docs/book"];

/// Endings of the files whose text is read.
const TEXTS: [&str; 3] = [".rs", ".toml", ".md"];

/// Paths from the root folder, with `/`, and texts.
pub struct Tree {
    texts: BTreeMap<String, String>,
    paths: BTreeSet<String>,
}

impl Tree {
    /// Reads the workspace at `root`. Bytes that are no UTF-8 are replaced; they stand only in test data.
    ///
    /// # Errors
    /// A folder or a file cannot be read.
    pub fn load(root: &Path) -> Result<Self> {
        let mut tree = Self {
            texts: BTreeMap::new(),
            paths: BTreeSet::new(),
        };
        tree.visit(root, "")?;
        Ok(tree)
    }

    fn visit(&mut self, root: &Path, folder: &str) -> Result<()> {
        let at = root.join(folder);
        let entries = fs::read_dir(&at).with_context(|| format!("cannot list {}", at.display()))?;
        for entry in entries {
            let entry = entry.with_context(|| format!("cannot list {}", at.display()))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = match folder {
                "" => name,
                _ => format!("{folder}/{name}"),
            };
            if SKIPPED.contains(&path.as_str()) {
                continue;
            }
            if entry.path().is_dir() {
                self.visit(root, &path)?;
            } else if TEXTS.iter().any(|ending| path.ends_with(ending)) {
                let bytes =
                    fs::read(entry.path()).with_context(|| format!("cannot read {path}"))?;
                let text = String::from_utf8_lossy(&bytes).into_owned();
                self.texts.insert(path.clone(), text);
            }
            self.paths.insert(path);
        }
        Ok(())
    }

    /// A tree in memory, for tests.
    #[cfg(test)]
    pub fn of(files: &[(&str, &str)]) -> Self {
        let mut paths = BTreeSet::new();
        for (path, _) in files {
            let ends = path.match_indices('/').map(|(end, _)| end);
            paths.extend(ends.chain([path.len()]).map(|end| path[..end].to_string()));
        }
        let own = |(path, text): &(&str, &str)| (path.to_string(), text.to_string());
        let texts = files.iter().map(own).collect();
        Self { texts, paths }
    }

    /// How many texts there are.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// The text at `path`, if it is one of those read.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.texts.get(path).map(String::as_str)
    }

    /// Whether `path` is a file or a folder.
    pub fn exists(&self, path: &str) -> bool {
        path.is_empty() || self.paths.contains(path)
    }

    /// Paths and texts, in order.
    pub fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts.iter().map(|(path, text)| (&**path, &**text))
    }

    /// The Rust sources of the crates, of xtask and of the workspace's tests.
    pub fn sources(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts().filter(|(path, _)| {
            let folder = path.split('/').next();
            path.ends_with(".rs") && matches!(folder, Some("crates" | "xtask" | "tests"))
        })
    }

    /// Folder name, path and text of every `crates/*/Cargo.toml`.
    pub fn crates(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.texts().filter_map(|(path, text)| {
            let name = path.strip_prefix("crates/")?.strip_suffix("/Cargo.toml")?;
            (!name.contains('/')).then_some((name, path, text))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_in_memory_knows_its_folders() {
        let tree = Tree::of(&[("crates/a/Cargo.toml", ""), ("tests/x.rs", "//! x")]);
        assert!(tree.exists("crates/a") && tree.exists("crates") && tree.exists(""));
        assert!(!tree.exists("crates/b"));
        assert_eq!(tree.crates().next().unwrap().0, "a");
        assert_eq!(tree.sources().next(), Some(("tests/x.rs", "//! x")));
    }

    #[test]
    fn the_workspace_loads() {
        let tree = Tree::load(crate::cargo::root()).unwrap();
        assert!(tree.text("xtask/src/tidy/tree.rs").is_some());
        assert!(tree.text("Cargo.toml").is_some());
        assert!(!tree.exists("target") && !tree.exists(".git"));
    }
}
