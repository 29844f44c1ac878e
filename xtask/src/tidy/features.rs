//! Features choose backends and are only passed down: every crate on Burn has the same ones, and hands each to what it
//! uses. A crate that knows no Burn has none.

use super::manifest::{Dependency, Feature, Kind, Manifest};
use super::{Finding, tree::Tree};

/// The backends, each a feature of every crate and of Burn.
pub const BACKENDS: [&str; 7] = ["flex", "ndarray", "wgpu", "vulkan", "cuda", "rocm", "metal"];

/// The features that are on unless turned off.
const DEFAULT: [&str; 1] = ["flex"];

/// Finds missing, extra and broken features, and shared dependencies that bring their defaults along.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let root = tree.text("Cargo.toml").unwrap_or_default();
    let mut findings = match Manifest::parse("Cargo.toml", root) {
        Ok(root) => defaults_off(&root),
        Err(finding) => vec![finding],
    };
    for (_, path, text) in tree.crates() {
        match Manifest::parse(path, text) {
            Ok(manifest) => findings.extend(of_crate(path, &manifest)),
            Err(finding) => findings.push(finding),
        }
    }
    findings
}

/// The crates of ours that know no Burn.
const WITHOUT_BURN: [&str; 1] = ["rekindle-tune"];

/// Whether features are passed to this dependency.
fn takes_backends(key: &str) -> bool {
    let ours = key == "rekindle" || key.starts_with("rekindle-");
    key == "burn" || ours && !WITHOUT_BURN.contains(&key)
}

/// A default that a dependency brings along cannot be turned off by its user.
fn defaults_off(root: &Manifest) -> Vec<Finding> {
    let on = |shared: &&Dependency| takes_backends(&shared.key) && !shared.without_defaults;
    let shared = root.shared.iter().filter(on);
    shared
        .map(|shared| {
            let what = format!(
                "`{}` brings its default features, expected `default-features = false`",
                shared.key
            );
            Finding::new("Cargo.toml", shared.line, what)
        })
        .collect()
}

fn of_crate(path: &str, manifest: &Manifest) -> Vec<Finding> {
    if WITHOUT_BURN.contains(&manifest.name.as_str()) {
        let extra = |feature: &Feature| {
            let what = format!(
                "feature `{}` is extra, expected none without Burn",
                feature.name
            );
            Finding::new(path, feature.line, what)
        };
        return manifest.features.iter().map(extra).collect();
    }
    let mut findings = Vec::new();
    for name in BACKENDS.iter().chain(&["default"]) {
        if !manifest
            .features
            .iter()
            .any(|feature| feature.name == *name)
        {
            let what = format!("feature `{name}` is missing, expected all backends and `default`");
            findings.push(Finding::new(path, 1, what));
        }
    }
    for feature in &manifest.features {
        let problems = match feature.name.as_str() {
            "default" if feature.items == DEFAULT => Vec::new(),
            "default" => vec![format!(
                "feature `default` is {:?}, expected {DEFAULT:?}",
                feature.items
            )],
            name if BACKENDS.contains(&name) => of_backend(feature, manifest),
            name => vec![format!(
                "feature `{name}` is extra, expected only backends and `default`"
            )],
        };
        let place = |what| Finding::new(path, feature.line, what);
        findings.extend(problems.into_iter().map(place));
    }
    findings
}

/// What is wrong with a backend's feature: something not handed on, or more than handing on.
fn of_backend(feature: &Feature, manifest: &Manifest) -> Vec<String> {
    let name = &feature.name;
    let normal = manifest
        .dependencies
        .iter()
        .filter(|found| found.kind == Kind::Normal);
    let missing = normal
        .filter(|found| takes_backends(&found.key))
        .map(|found| format!("{}/{name}", found.key))
        .filter(|item| !feature.items.contains(item))
        .map(|item| format!("feature `{name}` lacks `{item}`, expected it passed down"));
    let other = feature
        .items
        .iter()
        .filter(|item| !only_passes_down(name, item))
        .map(|item| {
            format!("feature `{name}` turns on `{item}`, expected only what it passes down")
        });
    missing.chain(other).collect()
}

/// Whether `item` belongs to a dependency and to no other backend.
fn only_passes_down(name: &str, item: &str) -> bool {
    match item.split_once('/') {
        Some((key, to)) if key.starts_with("rekindle") => to == name,
        Some((_, to)) => to == name || !BACKENDS.contains(&to),
        None => item.starts_with("dep:"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A crate on burn and rekindle-init with features that are right.
    fn right() -> String {
        let lines: Vec<String> = BACKENDS
            .iter()
            .map(|name| format!("{name} = [\"burn/{name}\", \"rekindle-init/{name}\"]\n"))
            .collect();
        format!(
            "[features]\ndefault = [\"flex\"]\n{}[dependencies]\nburn = \"1\"\nrekindle-init = \"1\"\n\
             [dev-dependencies]\nrekindle-testkit = \"1\"\n",
            lines.concat()
        )
    }

    fn found(text: &str) -> Vec<String> {
        let findings = check(&Tree::of(&[("crates/a/Cargo.toml", text)]));
        findings.iter().map(Finding::to_string).collect()
    }

    fn one(text: &str, expected: &str) {
        let found = found(text);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains(expected), "{found:?}");
    }

    #[test]
    fn right_features_pass() {
        assert_eq!(found(&right()), [""; 0]);
        let more = right().replace("burn/flex\"", "burn/flex\", \"burn/simd\", \"dep:rayon\"");
        assert_eq!(found(&more), [""; 0]);
        assert_eq!(found("").len(), BACKENDS.len() + 1);
    }

    #[test]
    fn the_set_of_features_is_fixed() {
        let cuda = "cuda = [\"burn/cuda\", \"rekindle-init/cuda\"]\n";
        one(&right().replace(cuda, ""), "`cuda` is missing");
        one(
            &right().replace("[dependencies]", "fast = []\n[dependencies]"),
            ":10: feature `fast`",
        );
        one(
            &right().replace("[\"flex\"]", "[\"flex\", \"ndarray\"]"),
            ":2: feature `default`",
        );
    }

    #[test]
    fn a_crate_without_burn_has_none() {
        let text = "[package]\nname = \"rekindle-tune\"\n[dependencies]\nrand = \"1\"\n";
        assert_eq!(found(text), [""; 0]);
        let more = format!("{text}[features]\nflex = []\n");
        one(&more, ":6: feature `flex` is extra");
    }

    #[test]
    fn features_are_passed_down() {
        one(
            &right().replace("\"burn/wgpu\", ", ""),
            ":5: feature `wgpu` lacks `burn/wgpu`",
        );
        one(
            &right().replace(", \"rekindle-init/wgpu\"", ""),
            "lacks `rekindle-init/wgpu`",
        );
    }

    #[test]
    fn features_do_nothing_else() {
        let with = |item: &str| right().replace("burn/wgpu\"", &format!("burn/wgpu\", \"{item}\""));
        one(&with("vulkan"), "turns on `vulkan`");
        one(&with("burn/vulkan"), "turns on `burn/vulkan`");
        one(&with("rekindle-init/flex"), "turns on `rekindle-init/flex`");
    }

    #[test]
    fn shared_dependencies_leave_their_defaults_off() {
        let text =
            "[workspace.dependencies]\nserde = \"1\"\nrekindle = { path = \"crates/rekindle\" }\n";
        let found = check(&Tree::of(&[("Cargo.toml", text)]));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].line, 3);
    }
}
