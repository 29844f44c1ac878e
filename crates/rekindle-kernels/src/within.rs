//! What happens within the steps of a scan besides products and equations: normalisation, masks, and who watches.

use burn::tensor::{Tensor, assert_shape};

use crate::scan::Widths;
use crate::{Array, Equations, GradientFlow};

/// What happens within the steps of a scan besides products and equations. Default: nothing.
///
/// ```text
/// input  = N_x(x W_ih) + b_ih
/// hidden = N_h((m_h ⊙ h) W₁ + … + s_R W_R) + b_hh
/// state′ = forward(input, hidden, state, units)       the candidate times m_c
/// h′     = show(N_c(c′))                              c′ the last state
/// state′ = k ⊙ state + (1 − k) ⊙ state′
/// ```
///
/// with norms `N`, the masks `m_h` and `m_c`, and what is kept `k`, each where there is one.
#[derive(Clone, Debug, Default)]
pub struct Within {
    /// Norms.
    pub norms: Norms,
    /// Masks.
    pub masks: Masks,
    /// Where the derivative leaves how much gradient reaches the states.
    pub flow: Option<GradientFlow>,
}

/// Where a step normalises. Default: nowhere.
#[derive(Clone, Debug, Default)]
pub struct Norms {
    /// N_x, of `x W_ih`: `gates·d_hidden` columns.
    pub input: Option<Norm>,
    /// N_h, of the recurrent product: `gates·d_hidden` columns. Not for cells with a middle vector.
    pub hidden: Option<Norm>,
    /// N_c, of the last state on its way to the hidden state: `d_hidden` columns. Only for equations that
    /// [show it](Equations::SHOWS).
    pub shown: Option<Norm>,
}

impl Norms {
    /// The norms that there are.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Norm> {
        let all = [&self.input, &self.hidden, &self.shown];
        all.into_iter().flatten()
    }

    /// Checks that the norms fit a cell of `d_hidden` units.
    ///
    /// # Panics
    /// If a shape is wrong, or the equations lack what a norm acts on.
    fn assert_fit<E: Equations>(&self, equations: &E, d_hidden: usize) {
        let packed = <E::Gates<()> as Array<()>>::LEN * d_hidden;
        let Norms {
            input,
            hidden,
            shown,
        } = self;
        (input.iter().chain(hidden)).for_each(|norm| norm.assert_fit(packed));
        shown.iter().for_each(|norm| norm.assert_fit(d_hidden));
        assert!(
            hidden.is_none() || !equations.has_middle(),
            "a cell with a middle vector takes its recurrent product in two parts: expected no norm of it"
        );
        assert!(
            shown.is_none() || E::SHOWS,
            "the hidden state is no function of a norm of the last state: expected no such norm"
        );
    }

    /// Whether any of them takes statistics over the rows of a batch, or has them step by step.
    pub(crate) fn by_step(&self) -> bool {
        self.iter().any(Norm::is_by_step)
    }
}

/// `gain ⊙ (x − mean) / √(variance + ε) + shift`, where the [kind](NormKind) says what mean and variance are taken over.
#[derive(Clone, Debug)]
pub struct Norm {
    /// What mean and variance are.
    pub kind: NormKind,
    /// γ: `[columns]`.
    pub gain: Tensor<1>,
    /// β: `[columns]`; `None`: 0. Products have their biases instead.
    pub shift: Option<Tensor<1>>,
    /// ε, above 0.
    pub epsilon: f64,
}

/// What a norm takes its mean and variance over.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "there are three a scan at most")]
pub enum NormKind {
    /// The columns of a row: Ba et al., *Layer Normalization*, 2016, <https://arxiv.org/abs/1607.06450>.
    Layer {
        /// 1 for columns that count, 0 for others, which come out as the shift: `[columns]`.
        active: Tensor<1>,
    },
    /// As `Layer`, with 0 for the mean: Zhang and Sennrich, *Root Mean Square Layer Normalization*, 2019,
    /// <https://arxiv.org/abs/1910.07467>.
    Rms {
        /// As for `Layer`.
        active: Tensor<1>,
    },
    /// The rows of a batch that are alive at a step, for each column and step: Cooijmans et al., *Recurrent Batch
    /// Normalization*, 2016, <https://arxiv.org/abs/1603.09025>. The variance is the biased one. Rows see each other.
    Batch,
    /// Given numbers for each column and step; the last step's also serve all steps behind it.
    Given {
        /// `[steps, columns]`.
        mean: Tensor<2>,
        /// `[steps, columns]`.
        variance: Tensor<2>,
    },
}

impl Norm {
    /// Whether it takes statistics over the rows of a batch, or has them step by step.
    pub(crate) fn is_by_step(&self) -> bool {
        matches!(self.kind, NormKind::Batch | NormKind::Given { .. })
    }

    /// Checks the shapes.
    ///
    /// # Panics
    /// If a tensor has not `columns` columns.
    fn assert_fit(&self, columns: usize) {
        assert_shape!(self.gain, [columns]);
        if let Some(shift) = &self.shift {
            assert_shape!(shift, [columns]);
        }
        match &self.kind {
            NormKind::Layer { active } | NormKind::Rms { active } => {
                assert_shape!(active, [columns]);
            }
            NormKind::Batch => {}
            NormKind::Given { mean, variance } => {
                let [steps, _] = mean.dims();
                assert!(steps > 0, "a norm has statistics of no step, expected some");
                assert_shape!(mean, [steps, columns]);
                assert_shape!(variance, [steps, columns]);
            }
        }
    }
}

/// Masks of a scan. Default: none. They are numbers, and get no gradients.
#[derive(Clone, Debug, Default)]
pub struct Masks {
    /// m_h, what the hidden state is multiplied with on its way into the recurrent product: `[batch, d_output]`.
    pub hidden: Option<Tensor<2>>,
    /// m_c, what the candidate is multiplied with: `[batch, seq, d_hidden]`, the batch first in every layout, or
    /// `[batch, 1, d_hidden]` for all steps. Only for equations with a [factor](Equations::FACTOR).
    pub candidate: Option<Tensor<3>>,
    /// What each state keeps of its old value, the hidden state first; none at all stand for [`Keep::Nothing`].
    pub keep: Vec<Keep>,
}

/// How much of its old value a state keeps in each step: zoneout, Krueger et al., 2016,
/// <https://arxiv.org/abs/1606.01305>.
#[derive(Clone, Debug, Default)]
#[allow(clippy::large_enum_variant, reason = "there is one for each state")]
pub enum Keep {
    /// Nothing.
    #[default]
    Nothing,
    /// This fraction, in `[0, 1)`.
    Fraction(f64),
    /// A fraction for each number, 0 or 1: `[batch, seq, width of the state]`, the batch first in every layout.
    Mask(Tensor<3>),
}

impl Masks {
    /// Checks that the masks fit a scan.
    ///
    /// # Panics
    /// If a shape is wrong, or the equations lack what a mask acts on.
    fn assert_fit<E: Equations>(&self, widths: Widths) {
        let Widths {
            batch,
            seq,
            d_hidden,
            d_output,
            ..
        } = widths;
        let Masks {
            hidden,
            candidate,
            keep,
        } = self;
        if let Some(mask) = hidden {
            assert_shape!(mask, [batch, d_output]);
        }
        if let Some(mask) = candidate {
            assert!(
                E::FACTOR,
                "the equations have no factor of a candidate: expected no mask of it"
            );
            let [_, steps, _] = mask.dims();
            let steps = if steps == 1 { 1 } else { seq };
            assert_shape!(mask, [batch, steps, d_hidden]);
        }
        let states = <E::States<()> as Array<()>>::LEN;
        assert!(
            keep.is_empty() || keep.len() == states,
            "the cell has {states} states, found what {} keep: expected as many or none",
            keep.len()
        );
        for (index, keep) in keep.iter().enumerate() {
            let width = if index == 0 { d_output } else { d_hidden };
            if let Keep::Mask(mask) = keep {
                assert_shape!(mask, [batch, seq, width]);
            }
        }
    }
}

impl Within {
    /// Checks that norms and masks fit a scan.
    ///
    /// # Panics
    /// If a shape is wrong, or the equations lack what a norm or mask acts on.
    pub(crate) fn assert_fit<E: Equations>(&self, equations: &E, widths: Widths) {
        self.norms.assert_fit(equations, widths.d_hidden);
        self.masks.assert_fit::<E>(widths);
    }

    /// The same, for rows whose valid steps `reorder` puts in reverse order.
    pub(crate) fn reversed(mut self, reorder: impl Fn(Tensor<3>) -> Tensor<3>) -> Self {
        let candidate = self.masks.candidate.take();
        self.masks.candidate = candidate.map(|mask| match mask.dims() {
            [_, 1, _] => mask,
            _ => reorder(mask),
        });
        for keep in &mut self.masks.keep {
            if let Keep::Mask(mask) = keep {
                *mask = reorder(mask.clone());
            }
        }
        self.flow = self.flow.map(GradientFlow::reversed);
        self
    }
}

/// The mean and the variance that each norm over a [batch](NormKind::Batch) took at each step: `[steps, columns]` each,
/// for all steps of the longest row, in the order of their visit; none of other norms. They have no gradients.
#[derive(Clone, Debug, Default)]
pub struct Statistics {
    /// Of N_x.
    pub input: Option<[Tensor<2>; 2]>,
    /// Of N_h.
    pub hidden: Option<[Tensor<2>; 2]>,
    /// Of N_c.
    pub shown: Option<[Tensor<2>; 2]>,
}
