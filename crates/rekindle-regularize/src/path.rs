//! Which parameter of a network is meant.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a visitor or mapper stands in a network: `enter` and `exit` its modules with it.
///
/// The path of a parameter is the names of its fields joined by dots, with the places of a list in digits:
/// `layers.0.forward.weights.weight_hh`. It is the name under which a record stores the parameter.
#[derive(Clone, Debug, Default)]
pub(crate) struct Path(Vec<String>);

impl Path {
    pub(crate) fn enter(&mut self, name: &str) {
        self.0.push(name.to_string());
    }

    pub(crate) fn exit(&mut self) {
        self.0.pop();
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("."))
    }
}

/// Parameters of a network, by patterns of their paths: the names under which a record stores them.
///
/// A pattern is names joined by dots, in which `*` stands for any letters within a name. It means a parameter if it is
/// the end of its path: `weight_hh` means the recurrent weights of all layers, `layers.0.*.weights.weight_hh` those of
/// the first one in both directions. A pattern after `!` takes parameters out again, whichever place it has in the list.
///
/// # Examples
/// ```
/// use rekindle_regularize::Targets;
///
/// let recurrent = Targets::new(["weight_hh", "!layers.1.*.*.*"]);
/// assert!(recurrent.contains("layers.0.forward.weights.weight_hh"));
/// assert!(!recurrent.contains("layers.1.forward.weights.weight_hh"));
/// assert!(!recurrent.contains("layers.0.forward.weights.weight_ih"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Targets {
    /// The patterns.
    pub patterns: Vec<String>,
}

impl Targets {
    /// What any of the patterns mean.
    pub fn new<P: Into<String>>(patterns: impl IntoIterator<Item = P>) -> Self {
        Self {
            patterns: patterns.into_iter().map(Into::into).collect(),
        }
    }

    /// The recurrent weights of all layers: `weight_hh`.
    pub fn recurrent() -> Self {
        Self::new(["weight_hh"])
    }

    /// The input and recurrent weights of all layers: `weight_ih` and `weight_hh`.
    pub fn weights() -> Self {
        Self::new(["weight_ih", "weight_hh"])
    }

    /// Whether a parameter is meant.
    pub fn contains(&self, path: &str) -> bool {
        let (out, within): (Vec<&str>, Vec<&str>) = (self.patterns.iter().map(String::as_str))
            .partition(|pattern| pattern.starts_with('!'));
        let ends = |pattern: &&str| is_end(pattern.trim_start_matches('!'), path);
        within.iter().any(ends) && !out.iter().any(ends)
    }
}

impl fmt::Display for Targets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.patterns.join(", "))
    }
}

/// Whether a path ends as a pattern says.
fn is_end(pattern: &str, path: &str) -> bool {
    let mut names = path.rsplit('.');
    pattern
        .rsplit('.')
        .all(|pattern| names.next().is_some_and(|name| matches(pattern, name)))
}

/// Whether a name is what a pattern says, where `*` stands for any letters.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(name) = name.strip_prefix(head) else {
        return false;
    };
    (0..=name.len()).any(|at| name.get(at..).is_some_and(|end| matches(rest, end)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_ends_of_paths() {
        let path = "stack.layers.10.forward.weights.weight_hh";
        for pattern in [
            "weight_hh",
            "weights.weight_hh",
            "weight_*",
            "*hh",
            "*",
            "layers.*.forward.*.weight_hh",
            "stack.layers.10.forward.weights.weight_hh",
        ] {
            assert!(Targets::new([pattern]).contains(path), "{pattern}");
        }
        for pattern in [
            "weight_ih",
            "weight",
            "ht_hh",
            "layers.1.forward.weights.weight_hh",
            "model.stack.layers.10.forward.weights.weight_hh",
            "",
        ] {
            assert!(!Targets::new([pattern]).contains(path), "{pattern}");
        }
        assert!(!Targets::new(["!bias_hh"]).contains(path));
    }

    #[test]
    fn paths_follow_modules() {
        let mut path = Path::default();
        path.enter("head");
        path.enter("weight");
        assert_eq!(path.to_string(), "head.weight");
        path.exit();
        assert_eq!(path.to_string(), "head");
    }
}
