//! Which crate may depend on which. An edge that is not listed here is a finding.

use super::manifest::{Dependency, Kind, Manifest};
use super::{Finding, tree::Tree};

/// Each crate and the crates of ours that it may depend on. Those in the first six lines never see each other.
const EDGES: [(&str, &[&str]); 12] = [
    ("rekindle-init", &[]),
    ("rekindle-kernels", &[]),
    ("rekindle-regularize", &[]),
    ("rekindle-optim", &[]),
    ("rekindle-data", &[]),
    (TUNE, &[]),
    (
        "rekindle-cells",
        &["rekindle-init", "rekindle-kernels", "rekindle-regularize"],
    ),
    ("rekindle-interop", &["rekindle-cells"]),
    (
        "rekindle-training",
        &[
            "rekindle-cells",
            "rekindle-data",
            "rekindle-init",
            "rekindle-optim",
            "rekindle-regularize",
            TUNE,
        ],
    ),
    (
        "rekindle",
        &[
            "rekindle-cells",
            "rekindle-data",
            "rekindle-init",
            "rekindle-interop",
            "rekindle-kernels",
            "rekindle-optim",
            "rekindle-regularize",
            "rekindle-training",
            TUNE,
        ],
    ),
    ("rekindle-cli", &["rekindle"]),
    (TESTKIT, &[]),
];

/// Knows no Burn.
const TUNE: &str = "rekindle-tune";

/// A dev-dependency of any crate, and nothing else.
const TESTKIT: &str = "rekindle-testkit";

/// Whether a crate may depend on a crate from outside, told by its name or the part before the first `-`.
fn may_use(user: &str, outside: &str) -> bool {
    match outside.split('-').next() {
        Some("burn") => !["rekindle-cli", TUNE].contains(&user),
        Some("cubecl") => user == "rekindle-kernels",
        Some("anyhow") => user == "rekindle-cli",
        _ => true,
    }
}

/// Finds the edges that are not listed.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let root = tree.text("Cargo.toml").unwrap_or_default();
    let root = match Manifest::parse("Cargo.toml", root) {
        Ok(root) => root,
        Err(finding) => return vec![finding],
    };
    let mut findings = Vec::new();
    for (folder, path, text) in tree.crates() {
        match Manifest::parse(path, text) {
            Ok(manifest) => findings.extend(of_crate(folder, path, manifest, &root)),
            Err(finding) => findings.push(finding),
        }
    }
    let path = "xtask/Cargo.toml";
    match Manifest::parse(path, tree.text(path).unwrap_or_default()) {
        Ok(manifest) => findings.extend(of_xtask(path, manifest, &root)),
        Err(finding) => findings.push(finding),
    }
    findings
}

fn of_crate(folder: &str, path: &str, mut manifest: Manifest, root: &Manifest) -> Vec<Finding> {
    manifest.rename(root);
    let name = &manifest.name;
    let Some((_, edges)) = EDGES.iter().find(|(known, _)| known == name) else {
        let what = format!("crate `{name}` is unknown, expected one of the table in edges.rs");
        return vec![Finding::new(path, 1, what)];
    };
    let mut findings = Vec::new();
    if name != folder {
        let what = format!("crate `{name}` is in folder `{folder}`, expected equal names");
        findings.push(Finding::new(path, 1, what));
    }
    let unlisted = |found: &&Dependency| !allowed(name, edges, found);
    findings.extend(
        manifest
            .dependencies
            .iter()
            .filter(unlisted)
            .map(|found| Finding::new(path, found.line, explained(name, edges, found))),
    );
    findings
}

fn of_xtask(path: &str, mut manifest: Manifest, root: &Manifest) -> Vec<Finding> {
    manifest.rename(root);
    let ours = manifest
        .dependencies
        .iter()
        .filter(|found| is_ours(&found.package));
    ours.map(|found| {
        let what = format!(
            "xtask depends on `{}`, expected none of our crates",
            found.package
        );
        Finding::new(path, found.line, what)
    })
    .collect()
}

fn is_ours(package: &str) -> bool {
    package == "rekindle" || package == "xtask" || package.starts_with("rekindle-")
}

fn allowed(user: &str, edges: &[&str], found: &Dependency) -> bool {
    let package = found.package.as_str();
    match package {
        TESTKIT => found.kind == Kind::Dev && user != TESTKIT,
        _ if is_ours(package) => edges.contains(&package),
        _ => may_use(user, package),
    }
}

fn explained(user: &str, edges: &[&str], found: &Dependency) -> String {
    let package = &found.package;
    let expected = match package.as_str() {
        TESTKIT if user != TESTKIT => "only under [dev-dependencies]".to_string(),
        _ if !is_ours(package) => "a crate that the house style allows there".to_string(),
        _ if edges.is_empty() => "none of our crates".to_string(),
        _ => format!("of our crates only {}", edges.join(", ")),
    };
    format!("{user} depends on `{package}`, expected {expected}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The findings for one crate with these lines after its name.
    fn found(name: &str, lines: &str) -> Vec<Finding> {
        let manifest = format!("[package]\nname = \"{name}\"\n{lines}");
        let path = format!("crates/{name}/Cargo.toml");
        check(&Tree::of(&[("Cargo.toml", ""), (&path, &manifest)]))
    }

    #[test]
    fn drawn_edges_pass() {
        for (name, edges) in EDGES {
            let lines: Vec<String> = edges
                .iter()
                .map(|edge| format!("{edge} = \"1\"\n"))
                .collect();
            let lines = format!("[dependencies]\n{}", lines.concat());
            assert_eq!(found(name, &lines), [], "{name}");
        }
        let dev = "[dependencies]\nburn = \"1\"\n[dev-dependencies]\nrekindle-testkit = \"1\"\n";
        assert_eq!(found("rekindle-optim", dev), []);
    }

    #[test]
    fn edges_that_are_not_drawn_are_found() {
        let forbidden = [
            ("rekindle-init", "rekindle-kernels"),
            ("rekindle-cells", "rekindle-data"),
            ("rekindle-training", "rekindle-kernels"),
            ("rekindle-cli", "rekindle-cells"),
            ("rekindle-cli", "burn"),
            ("rekindle-cells", "cubecl-core"),
            ("rekindle-data", "anyhow"),
            ("rekindle-testkit", "rekindle-init"),
            ("rekindle-cells", "rekindle-testkit"),
            ("rekindle-cells", "xtask"),
        ];
        for (name, edge) in forbidden {
            let found = found(name, &format!("[dependencies]\n{edge} = \"1\"\n"));
            assert_eq!(found.len(), 1, "{name} {edge}");
            assert_eq!(found[0].line, 4);
            assert!(found[0].what.contains(&format!("`{edge}`")), "{}", found[0]);
        }
    }

    #[test]
    fn dev_build_and_target_edges_count() {
        for table in [
            "dev-dependencies",
            "build-dependencies",
            "target.'cfg(unix)'.dependencies",
        ] {
            let lines = format!("[{table}]\nrekindle-cells = \"1\"\n");
            assert_eq!(found("rekindle-init", &lines).len(), 1, "{table}");
        }
    }

    #[test]
    fn renamed_edges_count() {
        let here = "[dependencies]\nx = { package = \"rekindle-cells\", version = \"1\" }\n";
        assert_eq!(found("rekindle-init", here).len(), 1);
        let tree = Tree::of(&[
            (
                "Cargo.toml",
                "[workspace.dependencies]\nx = { package = \"rekindle-cells\", path = \"c\" }\n",
            ),
            (
                "crates/rekindle-init/Cargo.toml",
                "[package]\nname = \"rekindle-init\"\n[dependencies]\nx.workspace = true\n",
            ),
        ]);
        assert_eq!(check(&tree).len(), 1);
    }

    #[test]
    fn unknown_crates_and_folders_are_found() {
        assert!(found("rekindle-extra", "")[0].what.contains("unknown"));
        let text = "[package]\nname = \"rekindle-init\"\n";
        let tree = Tree::of(&[("crates/init/Cargo.toml", text)]);
        assert!(check(&tree)[0].what.contains("folder `init`"));
    }

    #[test]
    fn xtask_depends_on_none() {
        let text = "[dependencies]\nanyhow = \"1\"\nrekindle-init = \"1\"\n";
        let found = check(&Tree::of(&[("xtask/Cargo.toml", text)]));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].line, 3);
    }
}
