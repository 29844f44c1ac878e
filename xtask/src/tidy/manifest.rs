//! `Cargo.toml` files with line numbers: names, dependencies, features.

use super::Finding;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// How a dependency is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// By the crate itself.
    Normal,
    /// By its tests, examples and benches.
    Dev,
    /// By its build script.
    Build,
}

/// A dependency.
#[derive(Debug)]
pub struct Dependency {
    /// What the manifest calls it.
    pub key: String,
    /// The name of the crate: `package`, or else the key.
    pub package: String,
    /// In which table it stands.
    pub kind: Kind,
    /// Whether `default-features = false` is written.
    pub without_defaults: bool,
    /// Where it stands.
    pub line: usize,
}

/// A feature.
#[derive(Debug)]
pub struct Feature {
    /// Its name.
    pub name: String,
    /// What it turns on.
    pub items: Vec<String>,
    /// Where it stands.
    pub line: usize,
}

/// What the rules need of a manifest.
#[derive(Debug)]
pub struct Manifest {
    /// `package.name`; empty in a workspace's root.
    pub name: String,
    /// All dependencies, those for one target among them.
    pub dependencies: Vec<Dependency>,
    /// `[workspace.dependencies]`.
    pub shared: Vec<Dependency>,
    /// The features, in the order of their names.
    pub features: Vec<Feature>,
}

impl Manifest {
    /// Reads the manifest at `path`.
    ///
    /// # Errors
    /// A finding, if the text is no TOML.
    pub fn parse(path: &str, text: &str) -> Result<Self, Finding> {
        let document = DeTable::parse(text).map_err(|error| {
            let line = error.span().map_or(1, |span| line_at(text, span.start));
            Finding::new(path, line, format!("{}, expected TOML", error.message()))
        })?;
        let root = document.get_ref();
        let mut dependencies = used(text, root);
        let targets = table(root, "target").into_iter().flat_map(DeTable::iter);
        for target in targets.filter_map(|(_, value)| value.get_ref().as_table()) {
            dependencies.extend(used(text, target));
        }
        let workspace = table(root, "workspace");
        let name =
            table(root, "package").and_then(|package| package.get("name")?.get_ref().as_str());
        Ok(Self {
            name: name.unwrap_or_default().to_owned(),
            dependencies,
            shared: workspace.map_or(Vec::new(), |workspace| {
                listed(text, workspace, "dependencies", Kind::Normal)
            }),
            features: features(text, root),
        })
    }

    /// Replaces each package's name by the one that `[workspace.dependencies]` of `root` gives to the same key.
    pub fn rename(&mut self, root: &Manifest) {
        for dependency in &mut self.dependencies {
            let shared = root
                .shared
                .iter()
                .find(|shared| shared.key == dependency.key);
            if let Some(shared) = shared {
                dependency.package.clone_from(&shared.package);
            }
        }
    }
}

/// The three dependency tables of one table.
fn used(text: &str, table: &DeTable) -> Vec<Dependency> {
    [
        ("dependencies", Kind::Normal),
        ("dev-dependencies", Kind::Dev),
        ("build-dependencies", Kind::Build),
    ]
    .into_iter()
    .flat_map(|(name, kind)| listed(text, table, name, kind))
    .collect()
}

fn listed(text: &str, parent: &DeTable, name: &str, kind: Kind) -> Vec<Dependency> {
    let entries = table(parent, name).into_iter().flat_map(DeTable::iter);
    entries
        .map(|(key, value)| {
            let get = |field: &str| Some(value.get_ref().as_table()?.get(field)?.get_ref());
            let package = get("package").and_then(DeValue::as_str);
            Dependency {
                key: key.get_ref().to_string(),
                package: package.unwrap_or(key.get_ref()).to_string(),
                kind,
                without_defaults: get("default-features").and_then(DeValue::as_bool) == Some(false),
                line: line_at(text, key.span().start),
            }
        })
        .collect()
}

fn features(text: &str, root: &DeTable) -> Vec<Feature> {
    let entries = table(root, "features").into_iter().flat_map(DeTable::iter);
    entries
        .map(|(key, value)| Feature {
            name: key.get_ref().to_string(),
            items: strings(value),
            line: line_at(text, key.span().start),
        })
        .collect()
}

fn strings(value: &Spanned<DeValue>) -> Vec<String> {
    let items = value
        .get_ref()
        .as_array()
        .into_iter()
        .flat_map(|array| array.iter());
    items
        .filter_map(|item| item.get_ref().as_str().map(String::from))
        .collect()
}

fn table<'a, 'i>(parent: &'a DeTable<'i>, name: &str) -> Option<&'a DeTable<'i>> {
    parent.get(name)?.get_ref().as_table()
}

/// The line, from 1, of a place in bytes.
fn line_at(text: &str, offset: usize) -> usize {
    1 + text
        .bytes()
        .take(offset)
        .filter(|byte| *byte == b'\n')
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
[package]
name = \"a\"
[features]
flex = [\"burn/flex\", \"b/flex\"]
[dependencies]
burn.workspace = true
b = { package = \"real-b\", version = \"1\", default-features = false }
[dev-dependencies.c]
version = \"1\"
[target.'cfg(unix)'.dependencies]
d = \"1\"
";

    #[test]
    fn every_table_is_read_with_lines() {
        let manifest = Manifest::parse("Cargo.toml", TEXT).unwrap();
        assert_eq!(manifest.name, "a");
        let mut found: Vec<(&str, &str, Kind, usize)> = manifest
            .dependencies
            .iter()
            .map(|found| (&*found.key, &*found.package, found.kind, found.line))
            .collect();
        found.sort_by_key(|found| found.3);
        let expected = [
            ("burn", "burn", Kind::Normal, 6),
            ("b", "real-b", Kind::Normal, 7),
            ("c", "c", Kind::Dev, 8),
            ("d", "d", Kind::Normal, 11),
        ];
        assert_eq!(found, expected);
        assert_eq!(manifest.features[0].items, ["burn/flex", "b/flex"]);
        assert_eq!(manifest.features[0].line, 4);
    }

    #[test]
    fn the_workspace_may_rename() {
        let root = "[workspace.dependencies]\nx = { package = \"y\", default-features = false }\n";
        let root = Manifest::parse("Cargo.toml", root).unwrap();
        assert!(root.shared[0].without_defaults);
        let mut user = Manifest::parse("a", "[dependencies]\nx.workspace = true\n").unwrap();
        user.rename(&root);
        assert_eq!(user.dependencies[0].package, "y");
    }

    #[test]
    fn broken_toml_is_a_finding() {
        let finding = Manifest::parse("a/Cargo.toml", "[package]\nname = \n").unwrap_err();
        assert_eq!((&*finding.path, finding.line), ("a/Cargo.toml", 2));
    }
}
