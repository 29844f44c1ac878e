//! Norms of each column of a step: over the rows of the batch, or by given numbers.

use pulp::{Simd, WithSimd};

use super::super::vector::{Element, Vector};
use super::{MOST_LANES, Norm, Places, StepStatistics};

/// The norm of one panel of all rows of a step: `y = gain ⊙ x̂ + shift` with `x̂ = (x − mean) / √(variance + ε)`.
pub(crate) struct NormalizeColumns<'a, F> {
    pub(in super::super) norm: &'a Norm<F>,
    pub(in super::super) statistics: &'a StepStatistics<F>,
    pub(in super::super) panel: usize,
    /// Steps visited before this one.
    pub(in super::super) visit: usize,
    /// x, and where x̂ and y go. y may take the place of x.
    pub(in super::super) from: Places<'a, F>,
    pub(in super::super) normed: Places<'a, F>,
    pub(in super::super) to: Places<'a, F>,
}

impl<F: Element> WithSimd for NormalizeColumns<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let columns = self.norm.columns;
        for gate in 0..columns.gates {
            for vector in 0..columns.vectors(self.panel) {
                let at = (gate * columns.unit_vectors + vector) * F::Vector::<S>::LANES;
                // SAFETY: who builds this answers for its pointers; the panel has these columns.
                unsafe {
                    if self.statistics.taken {
                        self.take::<F::Vector<S>>(simd, at);
                    }
                    self.apply::<F::Vector<S>>(simd, at);
                }
            }
        }
    }
}

impl<F: Element> NormalizeColumns<'_, F> {
    /// Takes mean and variance of the columns in one register.
    #[inline(always)]
    unsafe fn take<V: Vector<Element = F>>(&self, simd: V::Simd, at: usize) {
        let rows = self.from.rows.len();
        let (count, zero) = (F::from_f64(rows as f64), V::splat(simd, F::default()));
        let count = V::splat(simd, count);
        // SAFETY: all places have these rows and columns; no other thread has this panel.
        unsafe {
            let [mean_to, variance_to, scale_to] = self.statistics.at(self.panel, self.visit, at);
            let mut sum = zero;
            for row in 0..rows {
                sum = sum + V::load(simd, self.from.at(row, self.panel).add(at));
            }
            let mean = sum / count;
            let mut squares = zero;
            for row in 0..rows {
                let x = V::load(simd, self.from.at(row, self.panel).add(at)) - mean;
                squares = x.mul_add(x, squares);
            }
            let variance = squares / count;
            mean.store(mean_to);
            variance.store(variance_to);
            V::load(simd, self.scales(variance).as_ptr()).store(scale_to);
        }
    }

    /// `1 / √(variance + ε)`.
    #[inline(always)]
    fn scales<V: Vector<Element = F>>(&self, variance: V) -> [F; MOST_LANES] {
        let mut scales = [F::default(); MOST_LANES];
        // SAFETY: there is room for the register.
        unsafe { variance.store(scales.as_mut_ptr()) };
        for scale in &mut scales[..V::LANES] {
            *scale = F::from_f64(1.0 / (scale.to_f64() + self.norm.plan.epsilon).sqrt());
        }
        scales
    }

    #[inline(always)]
    unsafe fn apply<V: Vector<Element = F>>(&self, simd: V::Simd, at: usize) {
        let norm = self.norm;
        // SAFETY: as in `take`.
        unsafe {
            let [mean, _, scale] = self.statistics.at(self.panel, self.visit, at);
            let (mean, scale) = (V::load(simd, mean), V::load(simd, scale));
            let gain = V::load(simd, norm.gain.panel(self.panel).add(at));
            let shift = V::load(simd, norm.shift.panel(self.panel).add(at));
            for row in 0..self.from.rows.len() {
                let x = V::load(simd, self.from.at(row, self.panel).add(at));
                let normed = (x - mean) * scale;
                normed.store(self.normed.at(row, self.panel).add(at));
                let y = normed.mul_add(gain, shift);
                y.store(self.to.at(row, self.panel).add(at));
            }
        }
    }
}

/// The gradients of one panel of all rows of a step by the columns of a norm, from those of what it gives, in their place.
///
/// ```text
/// w   = gain ⊙ dy
/// dx  = (w − mean(w) − x̂ mean(w ⊙ x̂)) / √(variance + ε)
/// ```
///
/// with means over the rows, 0 where the statistics are given.
pub(crate) struct DenormalizeColumns<'a, F> {
    pub(in super::super) norm: &'a Norm<F>,
    pub(in super::super) statistics: &'a StepStatistics<F>,
    pub(in super::super) panel: usize,
    pub(in super::super) visit: usize,
    pub(in super::super) gradients: Places<'a, F>,
    /// The gradient of gate `g` stands in slot `g + turn`, counted around.
    pub(in super::super) turn: usize,
    /// x̂.
    pub(in super::super) normed: Places<'a, F>,
    /// What the gradients of gain and shift add to, row by row: `[panel, gate, unit]` each.
    pub(in super::super) sums: [&'a [*mut F]; 2],
}

impl<F: Element> WithSimd for DenormalizeColumns<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let columns = self.norm.columns;
        for gate in 0..columns.gates {
            for vector in 0..columns.vectors(self.panel) {
                // SAFETY: who builds this answers for its pointers; the panel has these columns.
                unsafe { self.columns::<F::Vector<S>>(simd, gate, vector) };
            }
        }
    }
}

impl<F: Element> DenormalizeColumns<'_, F> {
    /// The columns in one register.
    #[inline(always)]
    unsafe fn columns<V: Vector<Element = F>>(&self, simd: V::Simd, gate: usize, vector: usize) {
        let columns = self.norm.columns;
        let at = (gate * columns.unit_vectors + vector) * V::LANES;
        let slot = columns.slot(gate, self.turn) * columns.units + vector * V::LANES;
        // SAFETY: all places have these rows and columns; no other thread has this panel.
        unsafe {
            let [_, _, scale] = self.statistics.at(self.panel, self.visit, at);
            let scale = V::load(simd, scale);
            let gain = V::load(simd, self.norm.gain.panel(self.panel).add(at));
            let [mean, slope] = self.means::<V>(simd, at, slot);
            for row in 0..self.gradients.rows.len() {
                let to = self.gradients.at(row, self.panel).add(slot);
                let normed = V::load(simd, self.normed.at(row, self.panel).add(at));
                let weighted = V::load(simd, to) * gain - mean - normed * slope;
                (weighted * scale).store(to);
            }
        }
    }

    /// The means over the rows; adds the gradients of gain and shift.
    #[inline(always)]
    unsafe fn means<V: Vector<Element = F>>(
        &self,
        simd: V::Simd,
        at: usize,
        slot: usize,
    ) -> [V; 2] {
        let columns = self.norm.columns;
        let place = self.panel * columns.gates * columns.units + at;
        let zero = V::splat(simd, F::default());
        let mut sums = [zero, zero];
        // SAFETY: as in `columns`.
        unsafe {
            let gain = V::load(simd, self.norm.gain.panel(self.panel).add(at));
            for row in 0..self.gradients.rows.len() {
                let gradient = V::load(simd, self.gradients.at(row, self.panel).add(slot));
                let normed = V::load(simd, self.normed.at(row, self.panel).add(at));
                let of_gain = self.sums[0][row].add(place);
                let of_shift = self.sums[1][row].add(place);
                gradient
                    .mul_add(normed, V::load(simd, of_gain))
                    .store(of_gain);
                (V::load(simd, of_shift) + gradient).store(of_shift);
                let weighted = gradient * gain;
                sums[0] = sums[0] + weighted;
                sums[1] = weighted.mul_add(normed, sums[1]);
            }
        }
        if !self.statistics.taken {
            return [zero, zero];
        }
        let count = V::splat(simd, F::from_f64(self.gradients.rows.len() as f64));
        [sums[0] / count, sums[1] / count]
    }
}
