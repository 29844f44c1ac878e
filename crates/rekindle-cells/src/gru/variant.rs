//! The equations of a GRU with any options.

use std::fmt::Debug;

use rekindle_kernels::{Equations, Lane, StepGradients};

use super::{GruActivations, Reset, Update};
use crate::activation::Clipped;

/// The equations of a GRU with options: see [`Gru`](super::Gru).
#[derive(Clone, Debug)]
pub struct GruVariant {
    /// Where the reset gate acts.
    pub reset: Reset,
    /// What the update gate is a fraction of.
    pub update: Update,
    /// The activations.
    pub activations: GruActivations,
    /// What the arguments of activations are held within.
    pub clip: Option<f64>,
}

impl GruVariant {
    fn gate(&self) -> Clipped {
        Clipped {
            activation: self.activations.gate,
            clip: self.clip,
        }
    }

    fn candidate(&self) -> Clipped {
        Clipped {
            activation: self.activations.candidate,
            clip: self.clip,
        }
    }

    /// The fractions of the new state that are old and new.
    #[inline(always)]
    fn fractions<V: Lane>(&self, z: V) -> [V; 2] {
        match self.update {
            Update::Keep => [z.clone(), z.one_minus()],
            Update::Replace => [z.clone().one_minus(), z],
        }
    }
}

/// The candidate's factor, from what stands for it among the units.
#[inline(always)]
fn factor<V: Lane>(more: &V) -> V {
    more.constant(1.0) + more.clone()
}

impl Equations for GruVariant {
    type Gates<T: Clone + Debug> = [T; 3];
    type States<T: Clone + Debug> = [T; 1];
    /// The pre-activations of `r`, `z` and `n`, and the hidden part of that of `n`.
    type Saved<T: Clone + Debug> = [T; 4];
    /// The candidate's factor, less 1.
    type Units<T: Clone + Debug> = [T; 1];

    const APART: usize = 1;
    const FACTOR: bool = true;

    fn has_middle(&self) -> bool {
        self.reset == Reset::Before
    }

    #[inline(always)]
    fn forward<V: Lane>(
        &self,
        [x_r, x_z, x_n]: [V; 3],
        [h_r, h_z, h_n]: [V; 3],
        [h]: [V; 1],
        [more]: [V; 1],
    ) -> ([V; 1], [V; 4]) {
        let (a_r, a_z) = (x_r + h_r, x_z + h_z);
        let a_n = match self.reset {
            Reset::After => x_n + self.gate().value(a_r.clone()) * h_n.clone(),
            Reset::Before => x_n + h_n.clone(),
        };
        let n = self.candidate().value(a_n.clone()) * factor(&more);
        let [old, new] = self.fractions(self.gate().value(a_z.clone()));
        ([new * n + old * h], [a_r, a_z, a_n, h_n])
    }

    #[inline(always)]
    fn backward<V: Lane>(
        &self,
        [a_r, a_z, a_n, h_n]: [V; 4],
        [h]: [V; 1],
        _new: [V; 1],
        [more]: [V; 1],
        [grad]: [V; 1],
    ) -> StepGradients<Self, V> {
        let z = self.gate().value(a_z.clone());
        let n = self.candidate().value(a_n.clone());
        let [old, new] = self.fractions(z.clone());
        let content = match self.update {
            Update::Keep => h - n.clone() * factor(&more),
            Update::Replace => n.clone() * factor(&more) - h,
        };
        let d_z = grad.clone() * content * self.gate().slope(a_z, z);
        let d_n = grad.clone() * new * factor(&more) * self.candidate().slope(a_n, n);
        let (d_r, d_h_n) = match self.reset {
            Reset::After => {
                let r = self.gate().value(a_r.clone());
                let d_h_n = d_n.clone() * r.clone();
                (d_n.clone() * h_n * self.gate().slope(a_r, r), d_h_n)
            }
            Reset::Before => (d_n.zero(), d_n.clone()),
        };
        StepGradients::new(
            [d_r.clone(), d_z.clone(), d_n],
            [d_r, d_z, d_h_n],
            [grad * old],
            [more.zero()],
        )
    }

    /// `r ⊙ h`, what the candidate reads with [`Reset::Before`].
    #[inline(always)]
    fn middle<V: Lane>(
        &self,
        [x_r, _, _]: [V; 3],
        [h_r, _, _]: [V; 3],
        [h]: [V; 1],
        _units: [V; 1],
    ) -> V {
        self.gate().value(x_r + h_r) * h
    }

    #[inline(always)]
    fn middle_backward<V: Lane>(
        &self,
        [a_r, _, _, _]: [V; 4],
        [h]: [V; 1],
        [more]: [V; 1],
        grad: V,
    ) -> StepGradients<Self, V> {
        let r = self.gate().value(a_r.clone());
        let d_r = grad.clone() * h * self.gate().slope(a_r, r.clone());
        let gates = [d_r, grad.zero(), grad.zero()];
        StepGradients::new(gates.clone(), gates, [grad * r], [more.zero()])
    }
}
