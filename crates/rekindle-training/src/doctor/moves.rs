//! How far the steps of a trial move each parameter.

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use rekindle_regularize::{Visit, visit};

use super::measure::{Update, Updates};

/// The least root mean square of a parameter that its moves are compared with, so that a bias of 0 has a ratio.
const LEAST: f64 = 1e-3;

/// What the steps so far did to each parameter.
#[derive(Default)]
pub(crate) struct Moves {
    /// Path, whether it is a matrix, and `‖Δw‖ / ‖w‖` of each step.
    parameters: Vec<(String, bool, Vec<f64>)>,
}

/// The parameters of a network as flat tensors, with their paths, and whether they are matrices.
#[derive(Default)]
struct Flat(Vec<(String, bool, Tensor<1>)>);

impl Visit for Flat {
    fn visit<const D: usize>(&mut self, path: String, param: &Param<Tensor<D>>) {
        // Running statistics are no parameters.
        if param.is_require_grad() {
            let flat = param.val().inner().flatten::<1>(0, D - 1);
            self.0.push((path, D > 1, flat));
        }
    }
}

fn flat<M: Module>(network: &M) -> Vec<(String, bool, Tensor<1>)> {
    let mut flat = Flat::default();
    visit(network, &mut flat);
    flat.0
}

impl Moves {
    /// Takes in a step.
    pub(crate) fn add<M: Module>(&mut self, before: &M, after: &M) {
        let pairs = flat(before).into_iter().zip(flat(after));
        for (index, ((path, is_matrix, old), (_, _, new))) in pairs.enumerate() {
            if self.parameters.len() == index {
                self.parameters.push((path, is_matrix, Vec::new()));
            }
            let norm = |tensor: Tensor<1>| tensor.powi_scalar(2).sum().into_scalar::<f64>().sqrt();
            let least = LEAST * (old.dims()[0] as f64).sqrt();
            let ratio = norm(new - old.clone()) / norm(old).max(least);
            self.parameters[index].2.push(ratio);
        }
    }

    /// The figures of all steps.
    pub(crate) fn updates(self) -> Updates {
        let update = |(path, is_matrix, ratios): (String, bool, Vec<f64>)| {
            Update::of(path, is_matrix, ratios)
        };
        Updates {
            parameters: self.parameters.into_iter().map(update).collect(),
        }
    }
}
