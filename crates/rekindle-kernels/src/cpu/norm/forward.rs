//! Norms of some rows.

use pulp::{Simd, WithSimd};

use super::super::vector::{Element, Vector};
use super::{Norm, Places, each_register, total};

/// The norm of some rows: `y = gain ⊙ x̂ + shift` with `x̂ = (x − mean) / √(variance + ε)`.
pub(crate) struct Normalize<'a, F> {
    pub(in super::super) norm: &'a Norm<F>,
    /// x, and where x̂ and y go. y may take the place of x.
    pub(in super::super) from: Places<'a, F>,
    pub(in super::super) normed: Places<'a, F>,
    pub(in super::super) to: Places<'a, F>,
    /// Where `1 / √(variance + ε)` of each row goes.
    pub(in super::super) scales: &'a [*mut F],
}

impl<F: Element> WithSimd for Normalize<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for row in 0..self.from.rows.len() {
            // SAFETY: who builds this answers for its pointers; rows are in range of them.
            unsafe { self.row::<F::Vector<S>>(simd, row) };
        }
    }
}

impl<F: Element> Normalize<'_, F> {
    #[inline(always)]
    unsafe fn row<V: Vector<Element = F>>(&self, simd: V::Simd, row: usize) {
        // SAFETY: all places have this row.
        unsafe {
            let [mean, scale] = self.moments::<V>(simd, row);
            self.scales[row].write(scale);
            self.apply::<V>(simd, row, [mean, scale]);
        }
    }

    /// The mean, 0 where it is not taken, and `1 / √(variance + ε)`.
    #[inline(always)]
    unsafe fn moments<V: Vector<Element = F>>(&self, simd: V::Simd, row: usize) -> [F; 2] {
        let (norm, columns, zero) = (self.norm, self.norm.columns, V::splat(simd, F::default()));
        // SAFETY: as in `row`.
        unsafe {
            let mut mean = F::default();
            if norm.is_centred() {
                let mut sum = zero;
                each_register!(columns, V::LANES, |panel, gate, vector, at| {
                    let x = V::load(simd, self.from.at(row, panel).add(at));
                    let active = V::load(simd, norm.active.panel(panel).add(at));
                    sum = x.mul_add(active, sum);
                });
                mean = F::from_f64(total(sum) / norm.count);
            }
            let (centre, mut squares) = (V::splat(simd, mean), zero);
            each_register!(columns, V::LANES, |panel, gate, vector, at| {
                let x = V::load(simd, self.from.at(row, panel).add(at));
                let active = V::load(simd, norm.active.panel(panel).add(at));
                let x = (x - centre) * active;
                squares = x.mul_add(x, squares);
            });
            let variance = total(squares) / norm.count;
            let scale = 1.0 / (variance + norm.plan.epsilon).sqrt();
            [mean, F::from_f64(scale)]
        }
    }

    #[inline(always)]
    unsafe fn apply<V: Vector<Element = F>>(
        &self,
        simd: V::Simd,
        row: usize,
        [mean, scale]: [F; 2],
    ) {
        let (norm, columns) = (self.norm, self.norm.columns);
        let (mean, scale) = (V::splat(simd, mean), V::splat(simd, scale));
        // SAFETY: as in `row`.
        unsafe {
            each_register!(columns, V::LANES, |panel, gate, vector, at| {
                let x = V::load(simd, self.from.at(row, panel).add(at));
                let active = V::load(simd, norm.active.panel(panel).add(at));
                let normed = (x - mean) * active * scale;
                normed.store(self.normed.at(row, panel).add(at));
                let gain = V::load(simd, norm.gain.panel(panel).add(at));
                let shift = V::load(simd, norm.shift.panel(panel).add(at));
                let y = normed.mul_add(gain, shift);
                y.store(self.to.at(row, panel).add(at));
            });
        }
    }
}
