//! Cells of one to six gates, with one to three states and every kind of `APART`.

use super::problem::Numbers;
use crate::{Equations, Lane, StepGradients};

/// A law: something that holds for every cell.
pub(super) trait Law {
    /// Checks it for one cell, on numbers that suit the cell.
    fn check<
        E: Equations<GATES, STATES, SAVED>,
        const GATES: usize,
        const STATES: usize,
        const SAVED: usize,
    >(
        &self,
        name: &str,
        equations: &E,
        numbers: Numbers,
    );
}

/// The table of cells.
pub(super) fn every_cell(law: &impl Law) {
    law.check("Elman", &Elman { rectified: false }, Numbers::Fine);
    law.check("rectified", &Elman { rectified: true }, Numbers::Coarse);
    law.check("minimal", &Minimal, Numbers::Fine);
    law.check("GRU", &Gru, Numbers::Fine);
    law.check("LSTM", &Lstm, Numbers::Fine);
    law.check("ladder", &Ladder, Numbers::Fine);
    law.check("multiplicative", &Multiplicative, Numbers::Fine);
}

/// `σ′`, from `σ`.
fn sigmoid_slope<V: Lane>(sigmoid: V) -> V {
    sigmoid.clone() * sigmoid.one_minus()
}

/// `tanh′`, from `tanh`.
fn tanh_slope<V: Lane>(tanh: V) -> V {
    (tanh.clone() * tanh).one_minus()
}

/// `h′ = φ(x + h)`: one gate, nothing saved.
#[derive(Clone, Debug)]
pub(super) struct Elman {
    /// Whether φ is `max(·, 0)`; else it is tanh.
    rectified: bool,
}

impl Equations<1, 1, 0> for Elman {
    const APART: usize = 0;

    #[inline(always)]
    fn forward<V: Lane>(&self, [x]: [V; 1], [h]: [V; 1], _old: [V; 1]) -> ([V; 1], [V; 0]) {
        let h = match self.rectified {
            true => (x + h).relu(),
            false => (x + h).tanh(),
        };
        ([h], [])
    }

    #[inline(always)]
    fn backward<V: Lane>(
        &self,
        _saved: [V; 0],
        _old: [V; 1],
        [h]: [V; 1],
        [grad]: [V; 1],
    ) -> StepGradients<V, 1, 1> {
        let state = [grad.zero()];
        let d = match self.rectified {
            true => [grad.where_positive(h)],
            false => [grad * tanh_slope(h)],
        };
        StepGradients {
            input: d.clone(),
            hidden: d,
            state,
        }
    }
}

/// A minimal gated unit: two gates, and as many apart as it has gates because it does not say how many.
///
/// ```text
/// f  = σ(x_f + h_f)
/// n  = tanh(x_n + f ⊙ h_n)
/// h′ = (1 − f) ⊙ n + f ⊙ h
/// ```
#[derive(Clone, Debug)]
pub(super) struct Minimal;

impl Equations<2, 1, 3> for Minimal {
    #[inline(always)]
    fn forward<V: Lane>(
        &self,
        [x_f, x_n]: [V; 2],
        [h_f, h_n]: [V; 2],
        [h]: [V; 1],
    ) -> ([V; 1], [V; 3]) {
        let f = (x_f + h_f).sigmoid();
        let n = (x_n + f.clone() * h_n.clone()).tanh();
        let h = f.clone().one_minus() * n.clone() + f.clone() * h;
        ([h], [f, n, h_n])
    }

    #[inline(always)]
    fn backward<V: Lane>(
        &self,
        [f, n, h_n]: [V; 3],
        [h]: [V; 1],
        _new: [V; 1],
        [grad]: [V; 1],
    ) -> StepGradients<V, 2, 1> {
        let d_n = grad.clone() * f.clone().one_minus() * tanh_slope(n.clone());
        let d_f = (grad.clone() * (h - n) + d_n.clone() * h_n) * sigmoid_slope(f.clone());
        StepGradients {
            input: [d_f.clone(), d_n.clone()],
            hidden: [d_f, d_n * f.clone()],
            state: [grad * f],
        }
    }
}

/// A GRU, reset after the product: three gates, one of them apart, more saved than gates.
#[derive(Clone, Debug)]
pub(super) struct Gru;

impl Equations<3, 1, 4> for Gru {
    const APART: usize = 1;

    #[inline(always)]
    fn forward<V: Lane>(
        &self,
        [x_r, x_z, x_n]: [V; 3],
        [h_r, h_z, h_n]: [V; 3],
        [h]: [V; 1],
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
        [grad]: [V; 1],
    ) -> StepGradients<V, 3, 1> {
        let d_z = grad.clone() * (h - n.clone()) * sigmoid_slope(z.clone());
        let d_n = grad.clone() * z.clone().one_minus() * tanh_slope(n);
        let d_r = d_n.clone() * h_n * sigmoid_slope(r.clone());
        StepGradients {
            input: [d_r.clone(), d_z.clone(), d_n.clone()],
            hidden: [d_r, d_z, d_n * r],
            state: [grad * z],
        }
    }
}

/// An LSTM: four gates, two states, none apart.
#[derive(Clone, Debug)]
pub(super) struct Lstm;

impl Equations<4, 2, 4> for Lstm {
    const APART: usize = 0;

    #[inline(always)]
    fn forward<V: Lane>(
        &self,
        [x_i, x_f, x_g, x_o]: [V; 4],
        [h_i, h_f, h_g, h_o]: [V; 4],
        [_h, c]: [V; 2],
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
        [grad_h, grad_c]: [V; 2],
    ) -> StepGradients<V, 4, 2> {
        let t = c_new.tanh();
        let d_h = grad_h.zero();
        let d_c = grad_c + grad_h.clone() * o.clone() * tanh_slope(t.clone());
        let d_o = grad_h * t * sigmoid_slope(o);
        let d_i = d_c.clone() * g.clone() * sigmoid_slope(i.clone());
        let d_f = d_c.clone() * c * sigmoid_slope(f.clone());
        let d_g = d_c.clone() * i * tanh_slope(g);
        let gates = [d_i, d_f, d_g, d_o];
        StepGradients {
            input: gates.clone(),
            hidden: gates,
            state: [d_h, d_c * f],
        }
    }
}

/// An LSTM with a third state that follows the second: five gates, two of them apart, more saved than there are gate
/// gradients.
///
/// ```text
/// i, f, g = σ(x_i + h_i), σ(x_f + h_f), tanh(x_g + h_g)
/// o, u    = σ(x_o) ⊙ σ(h_o), σ(x_u) ⊙ σ(h_u)
/// c′ = f ⊙ c + i ⊙ g
/// s′ = u ⊙ s + (1 − u) ⊙ c′
/// h′ = o ⊙ tanh(s′)
/// ```
#[derive(Clone, Debug)]
pub(super) struct Ladder;

impl Equations<5, 3, 8> for Ladder {
    const APART: usize = 2;

    #[inline(always)]
    fn forward<V: Lane>(
        &self,
        [x_i, x_f, x_g, x_o, x_u]: [V; 5],
        [h_i, h_f, h_g, h_o, h_u]: [V; 5],
        [_h, c, s]: [V; 3],
    ) -> ([V; 3], [V; 8]) {
        let i = (x_i + h_i).sigmoid();
        let f = (x_f + h_f).sigmoid();
        let g = (x_g + h_g).tanh();
        let [x_o, h_o, x_u, h_u] = [x_o, h_o, x_u, h_u].map(V::sigmoid);
        let u = x_u.clone() * h_u.clone();
        let c = f.clone() * c + i.clone() * g.clone();
        let s = u.clone() * s + u.one_minus() * c.clone();
        let t = s.clone().tanh();
        let h = x_o.clone() * h_o.clone() * t.clone();
        ([h, c, s], [i, f, g, x_o, h_o, x_u, h_u, t])
    }

    #[inline(always)]
    fn backward<V: Lane>(
        &self,
        [i, f, g, x_o, h_o, x_u, h_u, t]: [V; 8],
        [_h, c, s]: [V; 3],
        [_h_new, c_new, _s_new]: [V; 3],
        [grad_h, grad_c, grad_s]: [V; 3],
    ) -> StepGradients<V, 5, 3> {
        let u = x_u.clone() * h_u.clone();
        let d_h = grad_h.zero();
        let d_o = grad_h.clone() * t.clone();
        let d_s = grad_s + grad_h * x_o.clone() * h_o.clone() * tanh_slope(t);
        let d_u = d_s.clone() * (s - c_new);
        let d_c = grad_c + d_s.clone() * u.clone().one_minus();
        let d_i = d_c.clone() * g.clone() * sigmoid_slope(i.clone());
        let d_f = d_c.clone() * c * sigmoid_slope(f.clone());
        let d_g = d_c.clone() * i * tanh_slope(g);
        let d_x_o = d_o.clone() * h_o.clone() * sigmoid_slope(x_o.clone());
        let d_x_u = d_u.clone() * h_u.clone() * sigmoid_slope(x_u.clone());
        let d_h_o = d_o * x_o * sigmoid_slope(h_o);
        let d_h_u = d_u * x_u * sigmoid_slope(h_u);
        StepGradients {
            input: [d_i.clone(), d_f.clone(), d_g.clone(), d_x_o, d_x_u],
            hidden: [d_i, d_f, d_g, d_h_o, d_h_u],
            state: [d_h, d_c * f, d_s * u],
        }
    }
}

/// An LSTM with a short cut, whose pre-activations multiply the two products: six gates, all of them apart.
///
/// ```text
/// a  = x + h + x ⊙ h, for each gate
/// c′ = σ(a_f) ⊙ c + σ(a_i) ⊙ tanh(a_g)
/// h′ = σ(a_o) ⊙ tanh(c′) + σ(a_p) ⊙ tanh(a_q)
/// ```
#[derive(Clone, Debug)]
pub(super) struct Multiplicative;

impl Multiplicative {
    /// The activations of the gates `i f g o p q`.
    #[inline(always)]
    fn gates<V: Lane>(x: [V; 6], h: [V; 6]) -> [V; 6] {
        let mut h = h.into_iter();
        let [i, f, g, o, p, q] = x.map(|x| match h.next() {
            Some(h) => x.clone() + h.clone() + x * h,
            None => unreachable!("as many hidden gates as input gates"),
        });
        let [i, f, o, p] = [i, f, o, p].map(V::sigmoid);
        let [g, q] = [g, q].map(V::tanh);
        [i, f, g, o, p, q]
    }
}

impl Equations<6, 2, 12> for Multiplicative {
    #[inline(always)]
    fn forward<V: Lane>(&self, x: [V; 6], h: [V; 6], [_h, c]: [V; 2]) -> ([V; 2], [V; 12]) {
        let saved = [x.clone(), h.clone()];
        let [i, f, g, o, p, q] = Self::gates(x, h);
        let c = f * c + i * g;
        let h = o * c.clone().tanh() + p * q;
        let [[a, b, d, e, k, l], [m, n, r, s, t, u]] = saved;
        ([h, c], [a, b, d, e, k, l, m, n, r, s, t, u])
    }

    #[inline(always)]
    fn backward<V: Lane>(
        &self,
        [x_i, x_f, x_g, x_o, x_p, x_q, h_i, h_f, h_g, h_o, h_p, h_q]: [V; 12],
        [_h, c]: [V; 2],
        [_h_new, c_new]: [V; 2],
        [grad_h, grad_c]: [V; 2],
    ) -> StepGradients<V, 6, 2> {
        let x = [x_i, x_f, x_g, x_o, x_p, x_q];
        let h = [h_i, h_f, h_g, h_o, h_p, h_q];
        let [i, f, g, o, p, q] = Self::gates(x.clone(), h.clone());
        let t = c_new.tanh();
        let d_h = grad_h.zero();
        let d_c = grad_c + grad_h.clone() * o.clone() * tanh_slope(t.clone());
        let d = [
            d_c.clone() * g.clone() * sigmoid_slope(i.clone()),
            d_c.clone() * c * sigmoid_slope(f.clone()),
            d_c.clone() * i * tanh_slope(g),
            grad_h.clone() * t * sigmoid_slope(o),
            grad_h.clone() * q.clone() * sigmoid_slope(p.clone()),
            grad_h * p * tanh_slope(q),
        ];
        let times_one_plus = |factor: [V; 6]| -> [V; 6] {
            std::array::from_fn(|gate| d[gate].clone() + d[gate].clone() * factor[gate].clone())
        };
        StepGradients {
            input: times_one_plus(h),
            hidden: times_one_plus(x),
            state: [d_h, d_c * f],
        }
    }
}
