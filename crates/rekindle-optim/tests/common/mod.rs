//! The regression of `reference/optimizers.json`, with its gradients, in 64-bit floats.
#![allow(dead_code)]

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, Tensor, TensorData};
use rekindle_optim::Clip;
use serde::Deserialize;

/// What PyTorch did.
#[derive(Deserialize)]
pub struct Reference {
    pub checked: Vec<usize>,
    input: Vec<Vec<f64>>,
    target: Vec<Vec<f64>>,
    weight: Vec<Vec<f64>>,
    bias: Vec<f64>,
    pub optimizers: Vec<OptimizerCase>,
    pub averages: Vec<AverageCase>,
    pub clips: Vec<ClipCase>,
}

#[derive(Deserialize)]
pub struct OptimizerCase {
    pub kind: String,
    pub options: serde_json::Value,
    /// After the steps that are checked.
    pub after: Vec<Vec<f64>>,
    /// Of ASGD, after the same.
    pub averages: Vec<Vec<f64>>,
}

#[derive(Deserialize)]
pub struct AverageCase {
    pub average: serde_json::Value,
    /// With the step.
    pub after: Vec<(usize, Vec<f64>)>,
}

#[derive(Deserialize)]
pub struct ClipCase {
    clip: serde_json::Value,
    pub norm: Option<f64>,
    pub gradients: Vec<f64>,
}

impl ClipCase {
    pub fn clip(&self) -> Clip {
        let mut clip = self.clip.clone();
        // JSON has no infinity.
        let is_infinite = clip.get("p").is_some_and(|p| p == "inf");
        if is_infinite {
            clip["p"] = 1.0.into();
        }
        match serde_json::from_value(clip).unwrap() {
            Clip::Norm { max, .. } if is_infinite => Clip::Norm {
                max,
                p: f64::INFINITY,
            },
            clip => clip,
        }
    }
}

impl Reference {
    pub fn load() -> Self {
        serde_json::from_str(include_str!("../reference/optimizers.json")).unwrap()
    }
}

pub fn device() -> Device {
    Device::default()
}

pub fn param<const D: usize>(value: Tensor<D>) -> Param<Tensor<D>> {
    Param::from_tensor(value)
}

fn tensor<const D: usize>(values: Vec<f64>, shape: [usize; D]) -> Tensor<D> {
    let data = TensorData::new(values, shape);
    Tensor::from_data(data, (&device(), DType::F64))
}

pub fn matrix(rows: &[Vec<f64>]) -> Param<Tensor<2>> {
    param(tensor(rows.concat(), [rows.len(), rows[0].len()]))
}

pub fn vector(values: &[f64]) -> Param<Tensor<1>> {
    param(tensor(values.to_vec(), [values.len()]))
}

pub fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}

pub fn assert_close(found: &[f64], expected: &[f64], relative: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let scale = expected.iter().copied().map(f64::abs).fold(0.0, f64::max);
    for (found, expected) in found.iter().zip(expected) {
        let error = (found - expected).abs();
        assert!(
            error <= relative * scale,
            "{what}: found {found}, expected {expected}, off by {:e} of {scale}",
            error / scale
        );
    }
}

/// Linear regression, and a tensor of three axes that takes no part in it.
#[derive(Module, Debug)]
pub struct Regression {
    pub weight: Param<Tensor<2>>,
    pub bias: Param<Tensor<1>>,
    pub maps: Option<Param<Tensor<3>>>,
}

impl Regression {
    /// As PyTorch began.
    pub fn new(reference: &Reference) -> Self {
        Self {
            weight: matrix(&reference.weight),
            bias: vector(&reference.bias),
            maps: None,
        }
        .train()
    }

    /// Gradients of half the mean square over the rows of a step, counted from zero.
    pub fn gradients(&self, reference: &Reference, step: usize) -> GradientsParams {
        let rows = 2 * (step % 3)..2 * (step % 3) + 2;
        let input = matrix(&reference.input[rows.clone()]).val();
        let target = matrix(&reference.target[rows]).val();
        let bias = self.bias.val().inner().unsqueeze::<2>();
        let error = input.clone().matmul(self.weight.val().inner()) + bias - target;
        let error = error.div_scalar(2.0);
        let mut grads = GradientsParams::new();
        grads.register(self.weight.id, input.transpose().matmul(error.clone()));
        grads.register(self.bias.id, error.sum_dim(0).squeeze_dim::<1>(0));
        grads
    }

    /// All numbers in a row.
    pub fn values(&self) -> Vec<f64> {
        self.tensors().concat()
    }

    /// The numbers of each tensor.
    pub fn tensors(&self) -> Vec<Vec<f64>> {
        let mut all = Collect::default();
        self.visit(&mut all);
        all.tensors
    }

    /// All numbers of gradients in a row.
    pub fn values_of(&self, grads: &GradientsParams) -> Vec<f64> {
        self.tensors_of(grads).concat()
    }

    /// The numbers of each gradient.
    pub fn tensors_of(&self, grads: &GradientsParams) -> Vec<Vec<f64>> {
        let mut all = CollectGradients {
            grads,
            tensors: Vec::new(),
        };
        self.visit(&mut all);
        all.tensors
            .into_iter()
            .map(|(_, _, values)| values)
            .collect()
    }

    /// Gradients with other numbers.
    pub fn map_of(
        &self,
        grads: &GradientsParams,
        change: impl Fn(&[f64]) -> Vec<f64>,
    ) -> GradientsParams {
        let mut all = CollectGradients {
            grads,
            tensors: Vec::new(),
        };
        self.visit(&mut all);
        let mut changed = GradientsParams::new();
        for (id, shape, values) in all.tensors {
            let values = change(&values);
            match *shape.as_slice() {
                [a] => changed.register(id, tensor(values, [a])),
                [a, b] => changed.register(id, tensor(values, [a, b])),
                [a, b, c] => changed.register(id, tensor(values, [a, b, c])),
                _ => unreachable!(),
            }
        }
        changed
    }
}

#[derive(Default)]
struct Collect {
    tensors: Vec<Vec<f64>>,
}

impl ModuleVisitor for Collect {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.tensors.push(values(param.val()));
    }
}

struct CollectGradients<'a> {
    grads: &'a GradientsParams,
    tensors: Vec<(ParamId, Vec<usize>, Vec<f64>)>,
}

impl ModuleVisitor for CollectGradients<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(grad) = self.grads.get::<D>(param.id) {
            let shape = grad.dims().to_vec();
            self.tensors.push((param.id, shape, values(grad)));
        }
    }
}
