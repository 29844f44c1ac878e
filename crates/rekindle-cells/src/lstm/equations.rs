//! The equations of an LSTM without options: sigmoid gates, tanh, no peepholes.

use std::fmt::Debug;

use rekindle_kernels::{Equations, Lane, StepGradients};

/// The equations of an [`Lstm`](super::Lstm) without options.
#[derive(Clone, Debug)]
pub struct LstmEquations;

impl Equations for LstmEquations {
    type Gates<T: Clone + Debug> = [T; 4];
    type States<T: Clone + Debug> = [T; 2];
    /// The activations.
    type Saved<T: Clone + Debug> = [T; 4];
    type Units<T: Clone + Debug> = [T; 0];

    const APART: usize = 0;

    #[inline(always)]
    fn forward<V: Lane>(
        &self,
        [x_i, x_f, x_g, x_o]: [V; 4],
        [h_i, h_f, h_g, h_o]: [V; 4],
        [_h, c]: [V; 2],
        []: [V; 0],
    ) -> ([V; 2], [V; 4]) {
        let i = (x_i + h_i).sigmoid();
        let f = (x_f + h_f).sigmoid();
        let g = (x_g + h_g).tanh();
        let o = (x_o + h_o).sigmoid();
        let c = f.clone() * c + i.clone() * g.clone();
        let h = o.clone() * c.clone().tanh();
        ([h, c], [i, f, g, o])
    }

    #[inline(always)]
    fn backward<V: Lane>(
        &self,
        [i, f, g, o]: [V; 4],
        [_h, c]: [V; 2],
        [_h_new, c_new]: [V; 2],
        []: [V; 0],
        [grad_h, grad_c]: [V; 2],
    ) -> StepGradients<Self, V> {
        let t = c_new.tanh();
        let d_h = grad_h.zero();
        let d_o = grad_h.clone() * t.clone() * o.clone() * o.clone().one_minus();
        let d_c = grad_c + grad_h * o * (t.clone() * t).one_minus();
        let d_i = d_c.clone() * g.clone() * i.clone() * i.clone().one_minus();
        let d_f = d_c.clone() * c * f.clone() * f.clone().one_minus();
        let d_g = d_c.clone() * i * (g.clone() * g).one_minus();
        let gates = [d_i, d_f, d_g, d_o];
        StepGradients::new(gates.clone(), gates, [d_h, d_c * f], [])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// i = σ(0.75), f = σ(−0.5), g = tanh(1.4), o = σ(0.2), c′ = 0.7 f + i g, h′ = o tanh(c′), by hand.
    #[test]
    fn one_step_by_hand() {
        let (state, saved) = LstmEquations.forward(
            [0.5, -1.0, 0.8, 0.3],
            [0.25, 0.5, 0.6, -0.1],
            [9.0, 0.7_f64],
            [],
        );
        let found = saved.into_iter().chain(state);
        let expected = [
            0.679_178_699_175_393,
            0.377_540_668_798_145_4,
            0.885_351_648_202_262_5,
            0.549_833_997_312_478,
            0.384_403_691_547_873_57,
            0.865_590_448_897_504_6,
        ];
        for (found, expected) in found.zip(expected) {
            assert!(
                (found - expected).abs() < 1e-12,
                "{found}, expected {expected}"
            );
        }
    }

    #[test]
    fn open_forget_and_closed_input_gate_keep_the_cell() {
        let ([_, c], _) =
            LstmEquations.forward([-800.0, 800.0, 5.0, 0.0], [0.0; 4], [0.0, 0.7], []);
        assert_eq!(c, 0.7);
    }
}
