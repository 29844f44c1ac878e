//! The float tensors of a network, by their paths.

use std::collections::BTreeMap;

use burn::module::{Module, Param};
use burn::tensor::Tensor;

use crate::path::{Visit, visit};

/// The shapes of all float parameters and running states. Parameters that are not drawn yet stay so.
pub(crate) fn shapes<M: Module>(module: &M) -> BTreeMap<String, Vec<usize>> {
    let mut shapes = Shapes::default();
    visit(module, &mut shapes);
    shapes.shapes
}

#[derive(Default)]
struct Shapes {
    shapes: BTreeMap<String, Vec<usize>>,
}

impl Visit for Shapes {
    fn visit<const D: usize>(&mut self, path: String, param: &Param<Tensor<D>>) {
        let shape = param.lazy_shape().to_vec();
        self.shapes.insert(path, shape);
    }
}

/// Another value for a parameter, which stays what it is otherwise: its id, its device, whether it learns.
pub(crate) fn replace<const D: usize>(
    param: Param<Tensor<D>>,
    value: impl FnOnce(Tensor<D>) -> Tensor<D>,
) -> Param<Tensor<D>> {
    param.map(|tensor| {
        let require_grad = tensor.is_require_grad();
        let tensor = value(tensor.detach()).detach();
        if require_grad {
            tensor.require_grad()
        } else {
            tensor
        }
    })
}

/// The entries of a tensor in row-major order, whatever its type.
pub(crate) fn read<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}
