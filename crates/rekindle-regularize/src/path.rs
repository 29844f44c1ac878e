//! Where the tensors of a network stand, and which ones are meant.

use std::fmt;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// Sees the float tensors of a network, parameters and buffers, with their paths.
///
/// The path of a tensor is the names of its fields joined by dots, with the places of a list in digits:
/// `layers.0.forward.weights.weight_hh`. It is the name under which a record stores it.
pub trait Visit {
    /// Sees the tensor at a path.
    fn visit<const D: usize>(&mut self, path: String, param: &Param<Tensor<D>>);
}

/// Puts others in the place of the float tensors of a network; the paths are those of [`Visit`].
pub(crate) trait Map {
    fn map<const D: usize>(&mut self, path: String, param: Param<Tensor<D>>) -> Param<Tensor<D>>;
}

/// Shows all float tensors of a network to a visitor.
pub fn visit<M: Module>(module: &M, visitor: &mut impl Visit) {
    module.visit(&mut WithPath::new(visitor));
}

/// The network with the tensors that a mapper makes of its own.
pub(crate) fn map<M: Module>(module: M, mapper: &mut impl Map) -> M {
    module.map(&mut WithPath::new(mapper))
}

/// Follows the modules of a network.
struct WithPath<'a, T> {
    names: Vec<String>,
    inner: &'a mut T,
}

impl<'a, T> WithPath<'a, T> {
    fn new(inner: &'a mut T) -> Self {
        Self {
            names: Vec::new(),
            inner,
        }
    }

    fn path(&self) -> String {
        self.names.join(".")
    }
}

impl<T: Visit> ModuleVisitor for WithPath<'_, T> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.names.push(name.to_string());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.names.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let path = self.path();
        self.inner.visit(path, param);
    }
}

impl<T: Map> ModuleMapper for WithPath<'_, T> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.names.push(name.to_string());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.names.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let path = self.path();
        self.inner.map(path, param)
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
    use burn::nn::{Linear, LinearConfig};
    use burn::tensor::Device;

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
        #[derive(Module, Debug)]
        struct Network {
            layers: Vec<Linear>,
            head: Linear,
        }

        #[derive(Default)]
        struct Paths(Vec<String>);

        impl Visit for Paths {
            fn visit<const D: usize>(&mut self, path: String, _param: &Param<Tensor<D>>) {
                self.0.push(path);
            }
        }

        impl Map for Paths {
            fn map<const D: usize>(
                &mut self,
                path: String,
                param: Param<Tensor<D>>,
            ) -> Param<Tensor<D>> {
                self.0.push(path);
                param
            }
        }

        let linear = || LinearConfig::new(2, 2).init(&Device::default());
        let network = Network {
            layers: vec![linear(), linear()],
            head: linear(),
        };
        let (mut seen, mut mapped) = (Paths::default(), Paths::default());
        visit(&network, &mut seen);
        map(network, &mut mapped);
        let expected = [
            "layers.0.weight",
            "layers.0.bias",
            "layers.1.weight",
            "layers.1.bias",
            "head.weight",
            "head.bias",
        ];
        assert_eq!(seen.0, expected);
        assert_eq!(mapped.0, expected);
    }
}
