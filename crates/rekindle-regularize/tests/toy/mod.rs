//! A small network of two recurrent layers with packed gates, written by hand.
//!
//! Each test file uses a part of it.
#![allow(dead_code)]

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, RunningState};
use burn::nn::{Linear, LinearConfig};
use burn::optim::GradientsParams;
use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor, TensorData};
use rekindle_regularize::units::{UnitAxis, UnitGroup, UnitRole};

pub const D_INPUT: usize = 3;
pub const SIZES: [usize; 2] = [6, 4];
pub const STEPS: usize = 5;

/// A GRU layer with a norm over its units.
#[derive(Module, Debug)]
pub struct Layer {
    /// `[d_input, 3·d_hidden]`.
    pub weight_ih: Param<Tensor<2>>,
    /// `[d_hidden, 3·d_hidden]`.
    pub weight_hh: Param<Tensor<2>>,
    /// `[3·d_hidden]`.
    pub bias: Param<Tensor<1>>,
    /// The learned initial state: `[d_hidden]`.
    pub initial: Param<Tensor<1>>,
    /// `[d_hidden]`.
    pub gain: Param<Tensor<1>>,
    /// Which units the norm counts: `[d_hidden]`.
    pub active: RunningState<Tensor<1>>,
    /// `[steps, d_hidden]`.
    pub mean: RunningState<Tensor<2>>,
}

/// Two layers, the second of which reads the input as well, and a head that reads both.
#[derive(Module, Debug)]
pub struct Net {
    pub layers: Vec<Layer>,
    pub head: Linear,
}

/// Numbers in `[-0.5, 0.5)` that look random.
pub fn values(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (state >> 40) as f32 / (1u64 << 24) as f32 - 0.5
    };
    (0..count).map(|_| next()).collect()
}

pub fn tensor<const D: usize>(shape: [usize; D], seed: u64, device: &Device) -> Tensor<D> {
    let count = shape.iter().product();
    Tensor::from_data(TensorData::new(values(count, seed), shape), device)
}

impl Layer {
    fn init(d_input: usize, d_hidden: usize, seed: u64, device: &Device) -> Self {
        Self {
            weight_ih: Param::from_tensor(tensor([d_input, 3 * d_hidden], seed, device)),
            weight_hh: Param::from_tensor(tensor([d_hidden, 3 * d_hidden], seed + 1, device)),
            bias: Param::from_tensor(tensor([3 * d_hidden], seed + 2, device)),
            initial: Param::from_tensor(tensor([d_hidden], seed + 3, device)),
            gain: Param::from_tensor(tensor([d_hidden], seed + 4, device).add_scalar(1.0)),
            active: RunningState::new(Tensor::ones([d_hidden], device)),
            mean: RunningState::new(tensor([STEPS, d_hidden], seed + 5, device)),
        }
    }

    fn forward(&self, inputs: Tensor<3>) -> Tensor<3> {
        let [batch, steps, _] = inputs.dims();
        let active = self.active.value().unsqueeze::<2>();
        let mut h = self.initial.val().unsqueeze::<2>().repeat_dim(0, batch);
        let mut outputs = Vec::new();
        for step in 0..steps {
            let x = inputs.clone().narrow(1, step, 1).squeeze_dim::<2>(1);
            let of_input = x.matmul(self.weight_ih.val()) + self.bias.val().unsqueeze();
            let of_hidden = h.clone().matmul(self.weight_hh.val());
            let of_input = of_input.chunk(3, 1);
            let of_hidden = of_hidden.chunk(3, 1);
            let r = sigmoid(of_input[0].clone() + of_hidden[0].clone());
            let z = sigmoid(of_input[1].clone() + of_hidden[1].clone());
            let n = (of_input[2].clone() + r * of_hidden[2].clone()).tanh();
            h = z.clone() * h + (z.neg().add_scalar(1.0)) * n;

            let sum = (h.clone().square() * active.clone()).sum_dim(1);
            let rms = (sum / active.clone().sum_dim(1)).add_scalar(1e-3).sqrt();
            let mean = self.mean.value().narrow(0, step, 1);
            outputs.push((h.clone() / rms - mean) * self.gain.val().unsqueeze());
        }
        Tensor::stack(outputs, 1)
    }

    fn axes(at: usize, d_hidden: usize) -> Vec<UnitAxis> {
        let path = |name: &str| format!("layers.{at}.{name}");
        let packed =
            |name: &str, axis| UnitAxis::new(path(name), axis, UnitRole::Makes).blocks(3, d_hidden);
        vec![
            packed("weight_ih", 1),
            packed("weight_hh", 1),
            UnitAxis::new(path("weight_hh"), 0, UnitRole::Reads),
            packed("bias", 0),
            UnitAxis::new(path("initial"), 0, UnitRole::Makes),
            UnitAxis::new(path("gain"), 0, UnitRole::Makes),
            UnitAxis::new(path("active"), 0, UnitRole::Active),
            UnitAxis::new(path("mean"), 1, UnitRole::Statistic),
        ]
    }
}

impl Net {
    pub fn init(device: &Device) -> Self {
        let [first, second] = SIZES;
        let mut head = LinearConfig::new(first + second, 2).init(device);
        head.weight = Param::from_tensor(tensor([first + second, 2], 90, device));
        head.bias = Some(Param::from_tensor(tensor([2], 91, device)));
        Self {
            layers: vec![
                Layer::init(D_INPUT, first, 10, device),
                Layer::init(D_INPUT + first, second, 20, device),
            ],
            head,
        }
    }

    /// Input `[batch, seq, d_input]` to output `[batch, seq, 2]`.
    pub fn forward(&self, input: Tensor<3>) -> Tensor<3> {
        let first = self.layers[0].forward(input.clone());
        let second = self.layers[1].forward(Tensor::cat(vec![input, first.clone()], 2));
        self.head.forward(Tensor::cat(vec![first, second], 2))
    }

    /// The units of both layers.
    pub fn groups() -> Vec<UnitGroup> {
        let [first, second] = SIZES;
        let mut groups = [(0, first), (1, second)].map(|(at, size)| UnitGroup {
            name: format!("layers.{at}"),
            size,
            axes: Layer::axes(at, size),
        });
        let reads = |path: &str| UnitAxis::new(path, 0, UnitRole::Reads);
        groups[0]
            .axes
            .push(reads("layers.1.weight_ih").offset(D_INPUT));
        groups[0].axes.push(reads("head.weight"));
        groups[1].axes.push(reads("head.weight").offset(first));
        groups.to_vec()
    }

    /// The gradients of a loss on some data.
    pub fn grads(&self, seed: u64, device: &Device) -> GradientsParams {
        let loss = (self.forward(input(device)) - tensor([2, STEPS, 2], seed, device)).square();
        GradientsParams::from_grads(loss.sum().backward(), self)
    }
}

/// `[2, steps, d_input]`.
pub fn input(device: &Device) -> Tensor<3> {
    tensor([2, STEPS, D_INPUT], 7, device).mul_scalar(4.0)
}

/// Every float tensor of a module, by its path.
pub fn tensors<M: Module>(module: &M) -> BTreeMap<String, Vec<f32>> {
    #[derive(Default)]
    struct All(Vec<String>, BTreeMap<String, Vec<f32>>);

    impl ModuleVisitor for All {
        fn enter_module(&mut self, name: &str, _container_type: &str) {
            self.0.push(name.to_string());
        }

        fn exit_module(&mut self, _name: &str, _container_type: &str) {
            self.0.pop();
        }

        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let data = param.val().into_data();
            self.1
                .insert(self.0.join("."), data.iter::<f32>().collect());
        }
    }

    let mut all = All::default();
    module.visit(&mut all);
    all.1
}

/// A module whose parameters are their gradients, or 0 where there is none.
pub fn with_grads<M: Module>(module: M, grads: &GradientsParams) -> M {
    struct Grads<'a>(&'a GradientsParams);

    impl ModuleMapper for Grads<'_> {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let grad = self.0.get::<D>(param.id);
            param.map(|value| grad.unwrap_or_else(|| value.zeros_like()))
        }
    }

    // Running states are shared with clones, so the gradients go into a copy that has its own.
    module.valid().map(&mut Grads(grads))
}

/// Asserts that two modules have the same tensors to within `tolerance`.
pub fn assert_same<M: Module>(found: &M, expected: &M, tolerance: f32) {
    let (found, expected) = (tensors(found), tensors(expected));
    assert_eq!(found.len(), expected.len());
    for (path, expected) in &expected {
        let found = &found[path];
        assert_eq!(found.len(), expected.len(), "{path}");
        for (found, expected) in found.iter().zip(expected) {
            let close = (found - expected).abs() <= tolerance * expected.abs().max(1.0);
            assert!(close, "{path}: found {found}, expected {expected}");
        }
    }
}
