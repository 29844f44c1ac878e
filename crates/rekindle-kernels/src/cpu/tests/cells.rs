//! Cells of one to six gates, with one to three states and every kind of `APART`; such that read several states, have a
//! middle vector, or parameters for each unit.

use std::fmt::Debug;

use super::problem::Numbers;
use crate::{Equations, Lane, StepGradients};

/// A law: something that holds for every cell.
pub(super) trait Law {
    /// Checks it for one cell, on numbers that suit the cell.
    fn check<E: Equations>(&self, name: &str, equations: &E, numbers: Numbers);
}

/// The table of cells.
pub(super) fn every_cell(law: &impl Law) {
    let [elman, rectified] = [false, true].map(|rectified| Elman { rectified });
    law.check("Elman", &elman, Numbers::Fine);
    law.check("rectified", &rectified, Numbers::Coarse);
    law.check("rates", &Rates, Numbers::Fine);
    law.check("resetting", &Resetting, Numbers::Fine);
    for reset_before in [false, true] {
        let name = |cell: &str| match reset_before {
            true => format!("{cell} with reset before"),
            false => cell.to_string(),
        };
        law.check(&name("minimal"), &Minimal { reset_before }, Numbers::Fine);
        law.check(&name("GRU"), &Gru { reset_before }, Numbers::Fine);
    }
    law.check("LSTM", &Lstm::PLAIN, Numbers::Fine);
    law.check("LSTM that reads its cell", &Lstm::READING, Numbers::Fine);
    for (name, reads, middle) in [
        ("ladder", 1, false),
        ("ladder that reads all", 3, false),
        ("ladder with a middle", 2, true),
    ] {
        law.check(name, &Ladder { reads, middle }, Numbers::Fine);
    }
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

impl Equations for Elman {
    type Gates<T: Clone + Debug> = [T; 1];
    type States<T: Clone + Debug> = [T; 1];
    type Saved<T: Clone + Debug> = [T; 0];
    type Units<T: Clone + Debug> = [T; 0];
    const APART: usize = 0;

    #[inline(always)]
    fn forward<V: Lane>(
        &self,
        [x]: [V; 1],
        [h]: [V; 1],
        _old: [V; 1],
        []: [V; 0],
    ) -> ([V; 1], [V; 0]) {
        let h = match self.rectified {
            true => (x + h).relu(),
            false => (x + h).tanh(),
        };
        ([h], [])
    }

    #[inline(always)]
    fn backward<V: Lane>(
        &self,
        []: [V; 0],
        _old: [V; 1],
        [h]: [V; 1],
        []: [V; 0],
        [grad]: [V; 1],
    ) -> StepGradients<Self, V> {
        let state = [grad.zero()];
        let d = match self.rectified {
            true => [grad.where_positive(h)],
            false => [grad * tanh_slope(h)],
        };
        StepGradients::new(d.clone(), d, state, [])
    }
}

/// A network of firing rates: one gate, which reads a middle vector and nothing else; nothing saved.
///
/// ```text
/// m  = tanh(h + u)                        u: a threshold of each unit
/// h′ = (h + x + m W) / 2
/// ```
#[derive(Clone, Debug)]
pub(super) struct Rates;

impl Equations for Rates {
    type Gates<T: Clone + Debug> = [T; 1];
    type States<T: Clone + Debug> = [T; 1];
    type Saved<T: Clone + Debug> = [T; 0];
    type Units<T: Clone + Debug> = [T; 1];
    const APART: usize = 0;

    fn has_middle(&self) -> bool {
        true
    }

    #[inline(always)]
    fn forward<V: Lane>(
        &self,
        [x]: [V; 1],
        [m]: [V; 1],
        [h]: [V; 1],
        [_u]: [V; 1],
    ) -> ([V; 1], [V; 0]) {
        let half = x.constant(0.5);
        ([half * (h + x + m)], [])
    }

    #[inline(always)]
    fn backward<V: Lane>(
        &self,
        []: [V; 0],
        _old: [V; 1],
        _new: [V; 1],
        [_u]: [V; 1],
        [grad]: [V; 1],
    ) -> StepGradients<Self, V> {
        let zero = grad.zero();
        let d = [grad.constant(0.5) * grad];
        StepGradients::new(d.clone(), d.clone(), d, [zero])
    }

    #[inline(always)]
    fn middle<V: Lane>(&self, _x: [V; 1], _h: [V; 1], [h]: [V; 1], [u]: [V; 1]) -> V {
        (h + u).tanh()
    }

    #[inline(always)]
    fn middle_backward<V: Lane>(
        &self,
        []: [V; 0],
        [h]: [V; 1],
        [u]: [V; 1],
        grad: V,
    ) -> StepGradients<Self, V> {
        let zero = [grad.zero()];
        let d = [grad * tanh_slope((h + u).tanh())];
        StepGradients::new(zero.clone(), zero, d.clone(), d)
    }
}

/// Two gates with a middle vector and one state, none apart, less saved than gates.
///
/// ```text
/// r  = σ(x_r + h_r)
/// m  = r ⊙ (h + u)
/// h′ = tanh(x_n + m W)
/// ```
#[derive(Clone, Debug)]
pub(super) struct Resetting;

impl Equations for Resetting {
    type Gates<T: Clone + Debug> = [T; 2];
    type States<T: Clone + Debug> = [T; 1];
    type Saved<T: Clone + Debug> = [T; 1];
    type Units<T: Clone + Debug> = [T; 1];
    const APART: usize = 0;

    fn has_middle(&self) -> bool {
        true
    }

    #[inline(always)]
    fn forward<V: Lane>(
        &self,
        [x_r, x_n]: [V; 2],
        [h_r, h_n]: [V; 2],
        _old: [V; 1],
        [_u]: [V; 1],
    ) -> ([V; 1], [V; 1]) {
        ([(x_n + h_n).tanh()], [(x_r + h_r).sigmoid()])
    }

    #[inline(always)]
    fn backward<V: Lane>(
        &self,
        [_r]: [V; 1],
        _old: [V; 1],
        [h]: [V; 1],
        [_u]: [V; 1],
        [grad]: [V; 1],
    ) -> StepGradients<Self, V> {
        let zero = grad.zero();
        let d = [zero.clone(), grad * tanh_slope(h)];
        StepGradients::new(d.clone(), d, [zero.clone()], [zero])
    }

    #[inline(always)]
    fn middle<V: Lane>(&self, [x_r, _]: [V; 2], [h_r, _]: [V; 2], [h]: [V; 1], [u]: [V; 1]) -> V {
        (x_r + h_r).sigmoid() * (h + u)
    }

    #[inline(always)]
    fn middle_backward<V: Lane>(
        &self,
        [r]: [V; 1],
        [h]: [V; 1],
        [u]: [V; 1],
        grad: V,
    ) -> StepGradients<Self, V> {
        let d_h = [grad.clone() * r.clone()];
        let d = [grad.clone() * (h + u) * sigmoid_slope(r), grad.zero()];
        StepGradients::new(d.clone(), d, d_h.clone(), d_h)
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
pub(super) struct Minimal {
    /// Whether `h_n` is a product of `f ⊙ h`; else it is one of `h`.
    reset_before: bool,
}

impl Equations for Minimal {
    type Gates<T: Clone + Debug> = [T; 2];
    type States<T: Clone + Debug> = [T; 1];
    type Saved<T: Clone + Debug> = [T; 3];
    type Units<T: Clone + Debug> = [T; 0];

    fn has_middle(&self) -> bool {
        self.reset_before
    }

    #[inline(always)]
    fn forward<V: Lane>(
        &self,
        [x_f, x_n]: [V; 2],
        [h_f, h_n]: [V; 2],
        [h]: [V; 1],
        []: [V; 0],
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
        []: [V; 0],
        [grad]: [V; 1],
    ) -> StepGradients<Self, V> {
        let d_n = grad.clone() * f.clone().one_minus() * tanh_slope(n.clone());
        let d_f = (grad.clone() * (h - n) + d_n.clone() * h_n) * sigmoid_slope(f.clone());
        StepGradients::new(
            [d_f.clone(), d_n.clone()],
            [d_f, d_n * f.clone()],
            [grad * f],
            [],
        )
    }

    #[inline(always)]
    fn middle<V: Lane>(&self, [x_f, _]: [V; 2], [h_f, _]: [V; 2], [h]: [V; 1], []: [V; 0]) -> V {
        (x_f + h_f).sigmoid() * h
    }

    #[inline(always)]
    fn middle_backward<V: Lane>(
        &self,
        [f, _n, _h_n]: [V; 3],
        [h]: [V; 1],
        []: [V; 0],
        grad: V,
    ) -> StepGradients<Self, V> {
        let d = [grad.clone() * h * sigmoid_slope(f.clone()), grad.zero()];
        StepGradients::new(d.clone(), d, [grad * f], [])
    }
}

/// A GRU: three gates, one of them apart, more saved than gates.
#[derive(Clone, Debug)]
pub(super) struct Gru {
    /// Whether the reset comes before the product, as the middle vector `r ⊙ h`; else behind it.
    pub(super) reset_before: bool,
}

impl Equations for Gru {
    type Gates<T: Clone + Debug> = [T; 3];
    type States<T: Clone + Debug> = [T; 1];
    type Saved<T: Clone + Debug> = [T; 4];
    type Units<T: Clone + Debug> = [T; 0];
    const APART: usize = 1;

    fn has_middle(&self) -> bool {
        self.reset_before
    }

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
        let n = match self.reset_before {
            true => (x_n + h_n.clone()).tanh(),
            false => (x_n + r.clone() * h_n.clone()).tanh(),
        };
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
        let d_z = grad.clone() * (h - n.clone()) * sigmoid_slope(z.clone());
        let d_n = grad.clone() * z.clone().one_minus() * tanh_slope(n);
        let (d_r, d_h_n) = match self.reset_before {
            true => (grad.zero(), d_n.clone()),
            false => (
                d_n.clone() * h_n * sigmoid_slope(r.clone()),
                d_n.clone() * r,
            ),
        };
        StepGradients::new(
            [d_r.clone(), d_z.clone(), d_n],
            [d_r, d_z, d_h_n],
            [grad * z],
            [],
        )
    }

    #[inline(always)]
    fn middle<V: Lane>(
        &self,
        [x_r, _, _]: [V; 3],
        [h_r, _, _]: [V; 3],
        [h]: [V; 1],
        []: [V; 0],
    ) -> V {
        (x_r + h_r).sigmoid() * h
    }

    #[inline(always)]
    fn middle_backward<V: Lane>(
        &self,
        [r, _z, _n, _h_n]: [V; 4],
        [h]: [V; 1],
        []: [V; 0],
        grad: V,
    ) -> StepGradients<Self, V> {
        let zero = grad.zero();
        let d_r = grad.clone() * h * sigmoid_slope(r.clone());
        let d = [d_r, zero.clone(), zero];
        StepGradients::new(d.clone(), d, [grad * r], [])
    }
}

/// An LSTM with peepholes: four gates, two states, none apart, three parameters for each unit.
///
/// ```text
/// i, f = σ(x_i + h_i + p_i ⊙ c), σ(x_f + h_f + p_f ⊙ c)
/// g    = tanh(x_g + h_g)
/// c′   = f ⊙ c + i ⊙ g
/// o    = σ(x_o + h_o + p_o ⊙ c′)
/// h′   = o ⊙ tanh(c′)
/// ```
#[derive(Clone, Debug)]
pub(super) struct Lstm {
    /// Whether the recurrent products read c as well, and that of the last gate c′, as the middle vector.
    reading: bool,
}

impl Lstm {
    pub(super) const PLAIN: Self = Self { reading: false };
    pub(super) const READING: Self = Self { reading: true };

    /// The activations `i f g` and the new cell state.
    #[inline(always)]
    fn cell<V: Lane>(x: [V; 4], h: [V; 4], c: V, [p_i, p_f, _]: [V; 3]) -> ([V; 3], V) {
        let ([x_i, x_f, x_g, _], [h_i, h_f, h_g, _]) = (x, h);
        let i = (x_i + h_i + p_i * c.clone()).sigmoid();
        let f = (x_f + h_f + p_f * c.clone()).sigmoid();
        let g = (x_g + h_g).tanh();
        let c = f.clone() * c + i.clone() * g.clone();
        ([i, f, g], c)
    }

    /// The gradients of everything that the new cell state is made of, from its own and from that of the last gate.
    #[inline(always)]
    fn cell_backward<V: Lane>(
        [i, f, g]: [V; 3],
        c: V,
        [p_i, p_f, _]: [V; 3],
        d_c: V,
        [d_o, d_p_o]: [V; 2],
    ) -> StepGradients<Self, V> {
        let d_i = d_c.clone() * g.clone() * sigmoid_slope(i.clone());
        let d_f = d_c.clone() * c.clone() * sigmoid_slope(f.clone());
        let d_g = d_c.clone() * i * tanh_slope(g);
        let units = [d_i.clone() * c.clone(), d_f.clone() * c, d_p_o];
        let state = [d_c.zero(), d_c * f + d_i.clone() * p_i + d_f.clone() * p_f];
        let gates = [d_i, d_f, d_g, d_o];
        StepGradients::new(gates.clone(), gates, state, units)
    }
}

impl Equations for Lstm {
    type Gates<T: Clone + Debug> = [T; 4];
    type States<T: Clone + Debug> = [T; 2];
    type Saved<T: Clone + Debug> = [T; 4];
    type Units<T: Clone + Debug> = [T; 3];
    const APART: usize = 0;

    fn reads(&self) -> usize {
        1 + usize::from(self.reading)
    }

    fn has_middle(&self) -> bool {
        self.reading
    }

    #[inline(always)]
    fn forward<V: Lane>(
        &self,
        x: [V; 4],
        h: [V; 4],
        [_h, c]: [V; 2],
        units: [V; 3],
    ) -> ([V; 2], [V; 4]) {
        let ([_, _, _, x_o], [_, _, _, h_o]) = (x.clone(), h.clone());
        let ([i, f, g], c) = Self::cell(x, h, c, units.clone());
        let [_, _, p_o] = units;
        let o = (x_o + h_o + p_o * c.clone()).sigmoid();
        let h = o.clone() * c.clone().tanh();
        ([h, c], [i, f, g, o])
    }

    #[inline(always)]
    fn backward<V: Lane>(
        &self,
        [i, f, g, o]: [V; 4],
        [_h, c]: [V; 2],
        [_h_new, c_new]: [V; 2],
        units: [V; 3],
        [grad_h, grad_c]: [V; 2],
    ) -> StepGradients<Self, V> {
        let t = c_new.clone().tanh();
        let d_o = grad_h.clone() * t.clone() * sigmoid_slope(o.clone());
        let [_, _, p_o] = units.clone();
        let d_c = grad_c + grad_h * o * tanh_slope(t) + d_o.clone() * p_o;
        let d_p_o = d_o.clone() * c_new;
        Self::cell_backward([i, f, g], c, units, d_c, [d_o, d_p_o])
    }

    #[inline(always)]
    fn middle<V: Lane>(&self, x: [V; 4], h: [V; 4], [_h, c]: [V; 2], units: [V; 3]) -> V {
        let (_, c) = Self::cell(x, h, c, units);
        c
    }

    #[inline(always)]
    fn middle_backward<V: Lane>(
        &self,
        [i, f, g, _o]: [V; 4],
        [_h, c]: [V; 2],
        units: [V; 3],
        grad: V,
    ) -> StepGradients<Self, V> {
        let zeros = [grad.zero(), grad.zero()];
        Self::cell_backward([i, f, g], c, units, grad, zeros)
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
pub(super) struct Ladder {
    /// How many states the recurrent products read.
    reads: usize,
    /// Whether `i ⊙ g` is a middle vector.
    middle: bool,
}

impl Equations for Ladder {
    type Gates<T: Clone + Debug> = [T; 5];
    type States<T: Clone + Debug> = [T; 3];
    type Saved<T: Clone + Debug> = [T; 8];
    type Units<T: Clone + Debug> = [T; 0];
    const APART: usize = 2;

    fn reads(&self) -> usize {
        self.reads
    }

    fn has_middle(&self) -> bool {
        self.middle
    }

    #[inline(always)]
    fn forward<V: Lane>(
        &self,
        [x_i, x_f, x_g, x_o, x_u]: [V; 5],
        [h_i, h_f, h_g, h_o, h_u]: [V; 5],
        [_h, c, s]: [V; 3],
        []: [V; 0],
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
        []: [V; 0],
        [grad_h, grad_c, grad_s]: [V; 3],
    ) -> StepGradients<Self, V> {
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
        StepGradients::new(
            [d_i.clone(), d_f.clone(), d_g.clone(), d_x_o, d_x_u],
            [d_i, d_f, d_g, d_h_o, d_h_u],
            [d_h, d_c * f, d_s * u],
            [],
        )
    }

    #[inline(always)]
    fn middle<V: Lane>(
        &self,
        [x_i, _, x_g, _, _]: [V; 5],
        [h_i, _, h_g, _, _]: [V; 5],
        _old: [V; 3],
        []: [V; 0],
    ) -> V {
        (x_i + h_i).sigmoid() * (x_g + h_g).tanh()
    }

    #[inline(always)]
    fn middle_backward<V: Lane>(
        &self,
        [i, _, g, ..]: [V; 8],
        _old: [V; 3],
        []: [V; 0],
        grad: V,
    ) -> StepGradients<Self, V> {
        let zero = grad.zero();
        let d_i = grad.clone() * g.clone() * sigmoid_slope(i.clone());
        let d_g = grad * i * tanh_slope(g);
        let d = [d_i, zero.clone(), d_g, zero.clone(), zero.clone()];
        StepGradients::new(d.clone(), d, [zero.clone(), zero.clone(), zero], [])
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

impl Equations for Multiplicative {
    type Gates<T: Clone + Debug> = [T; 6];
    type States<T: Clone + Debug> = [T; 2];
    type Saved<T: Clone + Debug> = [T; 12];
    type Units<T: Clone + Debug> = [T; 0];

    #[inline(always)]
    fn forward<V: Lane>(
        &self,
        x: [V; 6],
        h: [V; 6],
        [_h, c]: [V; 2],
        []: [V; 0],
    ) -> ([V; 2], [V; 12]) {
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
        []: [V; 0],
        [grad_h, grad_c]: [V; 2],
    ) -> StepGradients<Self, V> {
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
        StepGradients::new(times_one_plus(h), times_one_plus(x), [d_h, d_c * f], [])
    }
}
