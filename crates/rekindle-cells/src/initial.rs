//! States that a network starts from.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

/// What a cell starts from when no state is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InitialState {
    /// Zeros.
    #[default]
    Zeros,
    /// A parameter, the same for every row of a batch, which starts at zero: see Hinton, *Neural Networks for Machine
    /// Learning*, lecture 7, 2012.
    Learned,
}

/// Learned initial states, the same for every row.
#[derive(Module, Debug)]
pub struct LearnedState {
    /// One for each state of the cell: `[width]`.
    pub states: Vec<Param<Tensor<1>>>,
}

impl LearnedState {
    /// States of these widths, all zero; none, unless they are learned.
    pub(crate) fn init(initial: InitialState, widths: &[usize], device: &Device) -> Option<Self> {
        let zeros = |&width: &usize| Param::from_tensor(Tensor::zeros([width], device));
        match initial {
            InitialState::Zeros => None,
            InitialState::Learned => Some(Self {
                states: widths.iter().map(zeros).collect(),
            }),
        }
    }

    /// State `index` for a batch: `[batch, width]`.
    pub(crate) fn rows(&self, index: usize, batch: usize) -> Tensor<2> {
        let state = self.states[index].val();
        let [width] = state.dims();
        state.unsqueeze::<2>().expand([batch, width])
    }
}
