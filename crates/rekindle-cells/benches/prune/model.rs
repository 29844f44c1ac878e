//! A classifier of sequences: dense, with masked units, and without them.

use std::hint::black_box;

use burn::module::Module;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::{Linear, LinearConfig};
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::{Device, Distribution, Int, Tensor};
use rekindle_cells::{Cell, CellConfig, Direction, Recurrent, Stack, StackConfig};
use rekindle_regularize::Targets;
use rekindle_regularize::prune::{Granularity, PruneError, Selection, prune_once};
use rekindle_regularize::units::{UnitError, UnitScore, mask_units, shrink};
use rekindle_testkit::assert_close;

use crate::turns::Call;

/// Classes that the head tells apart.
const CLASSES: usize = 10;

/// A stack, and a head on what it puts out at the end.
#[derive(Module, Debug)]
struct Classifier<C: Cell> {
    stack: Stack<C>,
    head: Linear,
}

impl<C: Cell> Classifier<C> {
    /// `[batch, seq, d_input]` to `[batch, classes]`.
    fn forward(&self, x: Tensor<3>) -> Tensor<2> {
        let (_, state) = self.stack.forward(x, None);
        self.head.forward(self.stack.last_output(&state))
    }

    /// From an input to the scores of classes.
    fn inference(&self, x: &Tensor<3>) -> Call
    where
        C: 'static,
    {
        let (model, x) = (self.valid(), x.clone());
        Box::new(move || drop(black_box(model.forward(x.clone()))))
    }

    /// Weights of the stack that each step multiplies.
    fn products(&self) -> usize {
        let layers = self.stack.layers.iter();
        let cells = layers.flat_map(|layer| layer.forward.iter().chain(&layer.reverse));
        cells
            .map(|cell| {
                let weights = cell.weights();
                weights.weight_ih.val().shape().num_elements()
                    + weights.weight_hh.val().shape().num_elements()
            })
            .sum()
    }
}

/// One network: dense, masked, shrunk.
pub struct Networks<C: Cell> {
    all: [Classifier<C>; 3],
    device: Device,
}

impl<C: Cell + 'static> Networks<C> {
    /// Draws the dense network; a fraction of the units of each cell, those with the lowest norms, go in the others.
    ///
    /// # Errors
    /// If the fraction is none.
    pub fn new<F: CellConfig<Cell = C>>(
        cell: &F,
        (layers, direction): (usize, Direction),
        sparsity: f64,
        device: &Device,
    ) -> Result<Self, UnitError> {
        let stack = StackConfig::new()
            .with_layers(layers)
            .with_direction(direction)
            .init(cell, device);
        let head = LinearConfig::new(stack.d_output(), CLASSES).init(device);
        let units = stack.units().under("stack").read_by("head.weight", 0);
        let dense = Classifier { stack, head };
        let kept = UnitScore::Norm.score(&dense, &units.groups, None)?;
        let kept = kept.keep_local(sparsity)?;
        let masked = mask_units(dense.clone(), &units.groups, &kept)?;
        let shrunk = shrink(dense.clone(), &units.groups, &kept)?;
        Ok(Self {
            all: [dense, masked, shrunk],
            device: device.clone(),
        })
    }

    /// Uniform numbers in `[-1, 1)`.
    fn input(&self, batch: usize, seq: usize) -> Tensor<3> {
        let shape = [batch, seq, self.all[0].stack.d_input()];
        Tensor::random(shape, Distribution::Uniform(-1.0, 1.0), &self.device)
    }

    /// Checks that the masked network computes what the shrunk one does, and not what the dense one does.
    ///
    /// # Panics
    /// If it is otherwise.
    pub fn check(&self, batch: usize, seq: usize) {
        let x = self.input(batch, seq);
        let [dense, masked, shrunk] = self.all.each_ref().map(|model| model.forward(x.clone()));
        assert_close(&shrunk, &masked, "the shrunk network and the masked one");
        let change: f32 = (dense - masked).abs().max().into_scalar();
        assert!(
            change > 1e-3,
            "masking changed no output: the greatest change is {change:e}"
        );
    }

    /// How many times as many multiplications in products the masked network does as the shrunk one.
    pub fn products(&self) -> f64 {
        let [_, masked, shrunk] = self.all.each_ref().map(Classifier::products);
        masked as f64 / shrunk as f64
    }

    /// Numbers of parameters.
    pub fn parameters(&self) -> [usize; 3] {
        self.all.each_ref().map(Module::num_params)
    }

    /// From an input to the scores of classes.
    pub fn inference(&self, batch: usize, seq: usize) -> [Call; 3] {
        let x = self.input(batch, seq).inner();
        self.all.each_ref().map(|model| model.inference(&x))
    }

    /// The same of the dense network, and of one with zeros for a fraction of the blocks of each weight of its cells.
    ///
    /// # Errors
    /// If the weights do not divide into such blocks.
    pub fn inference_with_zeros(
        &self,
        granularity: Granularity,
        sparsity: f64,
        [batch, seq]: [usize; 2],
    ) -> Result<[Call; 2], PruneError> {
        let selection = Selection {
            targets: Targets::new(["weight_ih", "weight_hh"]),
            granularity,
            ..Selection::default()
        };
        let [dense, ..] = &self.all;
        let (with_zeros, _) = prune_once(dense.clone(), &selection, sparsity, None)?;
        let x = self.input(batch, seq).inner();
        Ok([dense, &with_zeros].map(|model| model.inference(&x)))
    }

    /// Forward, backward to all parameters, and a step of Adam.
    ///
    /// Masked units have gradients of zero, so they stay at zero and the step needs no mask.
    pub fn training(&self, batch: usize, seq: usize) -> [Call; 3] {
        let x = self.input(batch, seq);
        let targets: Vec<i32> = (0..batch).map(|row| (row % CLASSES) as i32).collect();
        let targets = Tensor::<1, Int>::from_data(targets.as_slice(), &self.device);
        let loss = CrossEntropyLossConfig::new().init(&self.device);
        self.all.each_ref().map(|model| -> Call {
            let (x, targets, loss) = (x.clone(), targets.clone(), loss.clone());
            let mut optimizer = AdamConfig::new().init();
            let mut model = Some(model.clone());
            Box::new(move || {
                model = model.take().map(|model| {
                    let loss = loss.forward(model.forward(x.clone()), targets.clone());
                    let grads = GradientsParams::from_grads(loss.backward(), &model);
                    optimizer.step(1e-4, model, grads)
                });
            })
        })
    }
}
