//! The equations of a GRU without options.

use std::fmt::Debug;

use rekindle_kernels::{Equations, Lane, StepGradients};

/// The equations of a [`Gru`](super::Gru) without options: PyTorch's.
#[derive(Clone, Debug)]
pub struct GruEquations;

impl Equations for GruEquations {
    type Gates<T: Clone + Debug> = [T; 3];
    type States<T: Clone + Debug> = [T; 1];
    /// The gates and the hidden part of the candidate.
    type Saved<T: Clone + Debug> = [T; 4];
    type Units<T: Clone + Debug> = [T; 0];

    const APART: usize = 1;

    #[inline(always)]
    fn forward<V: Lane>(
        &self,
        [x_r, x_z, x_n]: [V; 3],
        [h_r, h_z, h_n]: [V; 3],
        [h]: [V; 1],
        []: [V; 0],
    ) -> ([V; 1], [V; 4]) {
        let r = (x_r + h_r).sigmoid();
        let z = (x_z + h_z).sigmoid();
        let n = (x_n + r.clone() * h_n.clone()).tanh();
        let h = z.clone().one_minus() * n.clone() + z.clone() * h;
        ([h], [r, z, n, h_n])
    }

    #[inline(always)]
    fn backward<V: Lane>(
        &self,
        [r, z, n, h_n]: [V; 4],
        [h]: [V; 1],
        _new: [V; 1],
        []: [V; 0],
        [grad]: [V; 1],
    ) -> StepGradients<Self, V> {
        let d_z = grad.clone() * (h - n.clone()) * z.clone() * z.clone().one_minus();
        let d_n = grad.clone() * z.clone().one_minus() * (n.clone() * n).one_minus();
        let d_r = d_n.clone() * h_n * r.clone() * r.clone().one_minus();
        StepGradients::new(
            [d_r.clone(), d_z.clone(), d_n.clone()],
            [d_r, d_z, d_n * r],
            [grad * z],
            [],
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// r = σ(0.5 + 0.25), z = σ(−1 + 0.5), n = tanh(0.8 + r · 0.6), h′ = (1 − z) n + 0.4 z, by hand.
    #[test]
    fn one_step_by_hand() {
        let ([h], saved) = GruEquations.forward([0.5, -1.0, 0.8], [0.25, 0.5, 0.6], [0.4_f64], []);
        let expected_saved = [
            0.679_178_699_175_393,
            0.377_540_668_798_145_4,
            0.835_930_174_850_489_3,
            0.6,
        ];
        for (found, expected) in saved.into_iter().zip(expected_saved) {
            assert!(
                (found - expected).abs() < 1e-9,
                "{found}, expected {expected}"
            );
        }
        assert!((h - 0.671_348_805_088_143_1).abs() < 1e-9, "{h}");
    }

    #[test]
    fn update_gate_at_one_keeps_the_state() {
        let ([h], _) = GruEquations.forward([0.0, 800.0, 5.0], [0.0; 3], [0.4_f64], []);
        assert_eq!(h, 0.4);
    }
}
