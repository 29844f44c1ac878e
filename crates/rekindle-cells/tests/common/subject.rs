//! What is checked: a stack of cells, with a batch.

use std::fmt::{self, Display, Formatter};

use burn::module::{Flag, Module, ModuleMapper, Param};
use burn::tensor::{DType, Device, Tensor};
use rekindle_cells::{Cell, CellConfig, Recurrent, Sequences, Stack, StackConfig, StackState};
use rekindle_kernels::Layout;
use rekindle_testkit::{random, with_parameters_within};

use super::AnyCell;

/// Where a subject comes from.
#[derive(Clone, Debug)]
pub enum Origin {
    /// A line of the table, by its name.
    Table(String),
    /// A combination, by its number: `combination(number)` gives it again.
    Combination(u64),
}

/// A stack of cells, and the shape of a batch.
#[derive(Clone, Debug)]
pub struct Subject {
    pub origin: Origin,
    pub cell: AnyCell,
    pub stack: StackConfig,
    pub d_input: usize,
    pub batch: usize,
    pub seq: usize,
    pub lengths: Option<Vec<usize>>,
    pub layout: Layout,
    /// What all numbers depend on.
    pub seed: u64,
    /// Parameters lie in `[-range, range)`.
    pub range: f64,
}

impl Subject {
    /// The network on a device that keeps gradients, in evaluation. No parameter is zero, and statistics over batches are
    /// those of one batch in training.
    pub fn network<F: CellConfig>(&self, cell: &F, device: &Device) -> Network<'_, F::Cell> {
        let mut network = self.training(cell, device);
        if self.cell.has_modes() {
            network.forward(&network.input(), self.lengths.as_deref(), None);
            network.stack = network.stack.map(&mut Evaluation);
        }
        network.training = false;
        network
    }

    /// The network on a device that keeps gradients, in training. No parameter is zero.
    pub fn training<F: CellConfig>(&self, cell: &F, device: &Device) -> Network<'_, F::Cell> {
        let device = device.clone().autodiff();
        let stack = self.stack.init(cell, &device);
        Network {
            what: format!("{self}, {device:?}"),
            subject: self,
            training: true,
            stack: with_parameters_within(stack, self.seed, self.range),
            device,
        }
    }

    /// The lengths of all rows.
    pub fn all_lengths(&self) -> Vec<usize> {
        let full = || vec![self.seq; self.batch];
        self.lengths.clone().unwrap_or_else(full)
    }
}

/// Switches training off, and leaves gradients.
struct Evaluation;

impl ModuleMapper for Evaluation {
    fn map_flag(&mut self, flag: Param<Flag>) -> Param<Flag> {
        flag.with_value(false)
    }
}

impl Display for Subject {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.origin {
            Origin::Table(name) => write!(f, "{name}: ")?,
            Origin::Combination(number) => write!(f, "combination {number}: ")?,
        }
        let Self {
            cell,
            stack,
            layout,
            batch,
            seq,
            lengths,
            ..
        } = self;
        write!(
            f,
            "{cell:?}, {stack:?}, {layout:?}, batch {batch}, seq {seq}, lengths {lengths:?}"
        )
    }
}

/// A subject's network, and what it is fed with. All numbers are `f64`.
///
/// Sequences go in and come out with the batch first; the network sees them in the subject's layout.
pub struct Network<'a, C: Cell> {
    /// For messages.
    pub what: String,
    pub subject: &'a Subject,
    /// Whether it adds noise and takes statistics.
    pub training: bool,
    pub stack: Stack<C>,
    pub device: Device,
}

impl<C: Cell> Network<'_, C> {
    /// An input: `[batch, seq, d_input]`.
    pub fn input(&self) -> Tensor<3> {
        let Subject {
            batch,
            seq,
            d_input,
            seed,
            ..
        } = *self.subject;
        random([batch, seq, d_input], seed + 1, (&self.device, DType::F64))
    }

    /// A state before the first step; `None` if the cells have learned one.
    pub fn start(&self) -> Option<StackState<C::State>> {
        let mut seed = self.subject.seed + 100;
        let is_learned = self.subject.cell.is_learned();
        let start = self.stack.zero_state(self.subject.batch).map(|zeros| {
            seed += 1;
            random(zeros.dims(), seed, (&self.device, DType::F64))
        });
        (!is_learned).then_some(start)
    }

    /// Seeds what noise is drawn from, so that every call in training has the same one.
    pub fn seed(&self) {
        if self.training {
            self.device.seed(self.subject.seed);
        }
    }

    /// What the network reads.
    pub fn sequences(&self, x: &Tensor<3>, lengths: Option<&[usize]>) -> Sequences {
        match (self.subject.layout, lengths) {
            (Layout::BatchFirst, None) => x.clone().into(),
            (Layout::BatchFirst, Some(lengths)) => Sequences::padded(x.clone(), lengths.to_vec()),
            (Layout::TimeMajor, lengths) => {
                let x = x.clone().swap_dims(0, 1);
                Sequences::time_major(x, lengths.map(<[usize]>::to_vec))
            }
        }
    }

    /// What the network puts out, with the batch first.
    pub fn batch_first(&self, y: Tensor<3>) -> Tensor<3> {
        match self.subject.layout {
            Layout::BatchFirst => y,
            Layout::TimeMajor => y.swap_dims(0, 1),
        }
    }

    /// The outputs and final states of a stack in place of its own.
    pub fn forward_with(
        &self,
        stack: &Stack<C>,
        x: &Tensor<3>,
        lengths: Option<&[usize]>,
        start: Option<StackState<C::State>>,
    ) -> (Tensor<3>, StackState<C::State>) {
        self.seed();
        let (output, state) = stack.forward(self.sequences(x, lengths), start);
        (self.batch_first(output), state)
    }

    /// Its outputs and final states.
    pub fn forward(
        &self,
        x: &Tensor<3>,
        lengths: Option<&[usize]>,
        start: Option<StackState<C::State>>,
    ) -> (Tensor<3>, StackState<C::State>) {
        self.forward_with(&self.stack, x, lengths, start)
    }
}
