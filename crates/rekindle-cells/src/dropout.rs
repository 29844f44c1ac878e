//! What noise a cell adds in training.

use burn::tensor::{DType, Device, Tensor};
use rekindle_kernels::{Keep, Layout, Masks, Parameters};
use rekindle_regularize::dropout::{
    RecurrentDropout, Redraw, VariationalDropout, WeightDrop, Zoneout,
};
use serde::{Deserialize, Serialize};

use crate::{CellConfigError, Sequences};

/// What noise a cell adds in training: probabilities in `[0, 1)`. Default: none.
///
/// ```text
/// x  ← m_x ⊙ x                     input         one mask a sequence
/// W  ← m_w ⊙ W_hh                  weight        one mask a call
/// h W_hh ← (m_h ⊙ h) W_hh          hidden        one mask a sequence
/// g  ← m_c ⊙ g                     candidate     one mask a step, or a sequence
/// h′ ← k ⊙ h + (1 − k) ⊙ h′        zoneout_hidden, and the same of c: zoneout_cell   one mask a step
/// y  ← m_y ⊙ y                     output        one mask a sequence
/// ```
///
/// A mask `m` has 0 with the probability that is given, and 1 / (1 − p) elsewhere: its mean is 1. Of `k`, 1 has that
/// probability. Outputs are masked, states that the cell hands on are not. Every call draws new masks from the random
/// numbers of the device, and the cells of both directions draw their own.
///
/// In evaluation there is no noise: masks are 1, and states keep the fraction p of their old values, the mean of `k`.
/// Training is a call on a device with autodiff, unless the module is frozen.
///
/// # References
/// - `input`, `hidden`, `output`: Gal and Ghahramani, *A Theoretically Grounded Application of Dropout in Recurrent
///   Neural Networks*, 2016, <https://arxiv.org/abs/1512.05287>. Their masks for each gate are one here, as in Keras.
/// - `candidate`: Semeniuta et al., *Recurrent Dropout without Memory Loss*, 2016, <https://arxiv.org/abs/1603.05118>
/// - `zoneout_*`: Krueger et al., *Zoneout*, 2017, <https://arxiv.org/abs/1606.01305>
/// - `weight`: Merity et al., *Regularizing and Optimizing LSTM Language Models*, 2018,
///   <https://arxiv.org/abs/1708.02182>
#[derive(Clone, Copy, Debug, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CellDropout {
    /// Of the input.
    pub input: f64,
    /// Of the hidden state on its way into the recurrent product.
    pub hidden: f64,
    /// Of the outputs.
    pub output: f64,
    /// Of the candidate. Not for an Elman cell, all of whose memory passes through it.
    pub candidate: f64,
    /// How long the candidate's mask stays the same. Default: one step, as in the paper's equations.
    pub candidate_per: Redraw,
    /// The probability that a hidden state stays as it is. 0.05 in the paper.
    pub zoneout_hidden: f64,
    /// The probability that a cell state stays as it is. 0.5 in the paper. Only for cells that have one.
    pub zoneout_cell: f64,
    /// Of the recurrent weights `W_hh`. 0.5 in the paper.
    pub weight: f64,
}

/// What a cell has that noise can act on.
#[derive(Clone, Copy, Debug)]
pub struct NoisyParts {
    /// A candidate beside the memory.
    pub candidate: bool,
    /// A cell state.
    pub cell: bool,
}

impl CellDropout {
    /// All probabilities, each with its name in messages: `dropout.input`.
    pub fn probabilities(&self) -> [(&'static str, f64); 7] {
        [
            ("dropout.input", self.input),
            ("dropout.hidden", self.hidden),
            ("dropout.output", self.output),
            ("dropout.candidate", self.candidate),
            ("dropout.zoneout_hidden", self.zoneout_hidden),
            ("dropout.zoneout_cell", self.zoneout_cell),
            ("dropout.weight", self.weight),
        ]
    }

    /// Checks the probabilities, and that a cell has what they act on.
    ///
    /// # Errors
    /// If one is out of its range or acts on nothing.
    pub fn validate(&self, parts: NoisyParts) -> Result<(), CellConfigError> {
        for (name, found) in self.probabilities() {
            if !(0.0..1.0).contains(&found) {
                return Err(CellConfigError::Number {
                    name,
                    found,
                    expected: "a probability of at least 0 and below 1",
                });
            }
        }
        let refuse = |option, other, reason| CellConfigError::Options {
            option,
            other,
            reason,
        };
        if self.candidate > 0.0 && !parts.candidate {
            return Err(refuse(
                "dropout.candidate",
                "a cell without gates",
                "all of its memory passes through the candidate; take hidden or zoneout_hidden",
            ));
        }
        if self.zoneout_cell > 0.0 && !parts.cell {
            return Err(refuse(
                "dropout.zoneout_cell",
                "a cell without a cell state",
                "there is nothing to keep; take zoneout_hidden",
            ));
        }
        Ok(())
    }

    /// Whether there is no noise.
    pub(crate) fn is_none(&self) -> bool {
        self.probabilities().iter().all(|&(_, prob)| prob == 0.0)
    }

    /// The sequences as the cell reads them in training.
    pub(crate) fn of_input(&self, sequences: Sequences) -> Sequences {
        let values = self.of_sequence(self.input, sequences.values, sequences.layout);
        Sequences {
            values,
            ..sequences
        }
    }

    /// The outputs in training.
    pub(crate) fn of_output(&self, output: Tensor<3>, layout: Layout) -> Tensor<3> {
        self.of_sequence(self.output, output, layout)
    }

    fn of_sequence(&self, prob: f64, values: Tensor<3>, layout: Layout) -> Tensor<3> {
        if prob == 0.0 {
            return values;
        }
        let dropout = VariationalDropout { prob };
        match layout {
            Layout::BatchFirst => dropout.apply(values),
            Layout::TimeMajor => dropout.apply_time_major(values),
        }
    }

    /// The parameters of a scan in training.
    pub(crate) fn of_parameters(&self, mut parameters: Parameters) -> Parameters {
        if self.weight > 0.0 {
            let weight = &mut parameters.weights_hh[0];
            *weight = WeightDrop { prob: self.weight }.apply(weight.clone());
        }
        parameters
    }

    /// What a scan masks within its steps.
    ///
    /// `states` are the widths of the cell's states, `d_hidden` that of its candidate.
    pub(crate) fn masks(
        &self,
        training: bool,
        [batch, seq, d_hidden]: [usize; 3],
        states: &[usize],
        like: &Tensor<2>,
    ) -> Masks {
        let options: (&Device, DType) = (&like.device(), like.dtype());
        let hidden = (training && self.hidden > 0.0)
            .then(|| VariationalDropout { prob: self.hidden }.mask([batch, states[0]], options));
        let candidate = (training && self.candidate > 0.0).then(|| {
            let dropout = RecurrentDropout {
                prob: self.candidate,
                per: self.candidate_per,
            };
            dropout.mask([batch, seq, d_hidden], options)
        });
        let last = states.len() - 1;
        let keep = |(index, &width): (usize, &usize)| {
            let prob = match index {
                0 => self.zoneout_hidden,
                _ if index == last => self.zoneout_cell,
                _ => 0.0,
            };
            match (prob > 0.0, training) {
                (false, _) => Keep::Nothing,
                (true, false) => Keep::Fraction(prob),
                (true, true) => Keep::Mask(Zoneout { prob }.mask([batch, seq, width], options)),
            }
        };
        Masks {
            hidden,
            candidate,
            keep: states.iter().enumerate().map(keep).collect(),
        }
    }
}
