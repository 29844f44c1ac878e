//! The derivative of norms.

use pulp::{Simd, WithSimd};

use super::super::buffer::Buffer;
use super::super::geometry::Geometry;
use super::super::pack::Packed;
use super::super::vector::{Element, Vector};
use super::super::{Operands, Plan};
use super::{Norm, Places, each_register, total};

/// The gradients of some rows by the columns of a norm, from those of what it gives, in their place.
///
/// ```text
/// w   = gain ⊙ dy                                     of the columns that count
/// dx  = (w − mean(w) − x̂ mean(w ⊙ x̂)) / √(variance + ε)
/// ```
///
/// with `mean(w)` only where the norm takes a mean.
pub(crate) struct Denormalize<'a, F> {
    pub(in super::super) norm: &'a Norm<F>,
    pub(in super::super) gradients: Places<'a, F>,
    /// The gradient of gate `g` stands in slot `g + turn`, counted around.
    pub(in super::super) turn: usize,
    /// x̂.
    pub(in super::super) normed: Places<'a, F>,
    /// `1 / √(variance + ε)` of each row: number `index` of these.
    pub(in super::super) scales: &'a [*const F],
    pub(in super::super) index: usize,
    /// What the gradients of gain and shift add to, row by row: `[panel, gate, unit]` each.
    pub(in super::super) sums: [&'a [*mut F]; 2],
}

impl<F: Element> WithSimd for Denormalize<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for row in 0..self.gradients.rows.len() {
            // SAFETY: who builds this answers for its pointers; rows are in range of them.
            unsafe {
                let means = self.means::<F::Vector<S>>(simd, row);
                self.apply::<F::Vector<S>>(simd, row, means);
            }
        }
    }
}

impl<F: Element> Denormalize<'_, F> {
    /// Where the gradient of a gate lies.
    #[inline(always)]
    unsafe fn gradient(&self, row: usize, panel: usize, gate: usize, in_gate: usize) -> *mut F {
        let columns = self.norm.columns;
        let slot = columns.slot(gate, self.turn);
        // SAFETY: the caller answers for the row; a panel has these columns.
        unsafe {
            let start = self.gradients.at(row, panel);
            start.add(slot * columns.units + in_gate)
        }
    }

    /// `mean(w)` and `mean(w ⊙ x̂)`; adds the gradients of gain and shift.
    #[inline(always)]
    unsafe fn means<V: Vector<Element = F>>(&self, simd: V::Simd, row: usize) -> [F; 2] {
        let (norm, columns) = (self.norm, self.norm.columns);
        let mut sums = [V::splat(simd, F::default()); 2];
        // SAFETY: all places have this row.
        unsafe {
            each_register!(columns, V::LANES, |panel, gate, vector, at| {
                let gradient = self.gradient(row, panel, gate, vector * V::LANES);
                let gradient = V::load(simd, gradient);
                let normed = V::load(simd, self.normed.at(row, panel).add(at));
                let place = panel * columns.gates * columns.units + at;
                let [of_gain, of_shift] = [0, 1].map(|sum: usize| self.sums[sum][row].add(place));
                gradient
                    .mul_add(normed, V::load(simd, of_gain))
                    .store(of_gain);
                (V::load(simd, of_shift) + gradient).store(of_shift);
                let gain = V::load(simd, norm.gain.panel(panel).add(at));
                let active = V::load(simd, norm.active.panel(panel).add(at));
                let weighted = gradient * gain * active;
                sums[0] = sums[0] + weighted;
                sums[1] = weighted.mul_add(normed, sums[1]);
            });
        }
        let mean = match norm.is_centred() {
            true => total(sums[0]) / norm.count,
            false => 0.0,
        };
        [mean, total(sums[1]) / norm.count].map(F::from_f64)
    }

    #[inline(always)]
    unsafe fn apply<V: Vector<Element = F>>(&self, simd: V::Simd, row: usize, means: [F; 2]) {
        let (norm, columns) = (self.norm, self.norm.columns);
        let [mean, slope] = means;
        let (mean, slope) = (V::splat(simd, mean), V::splat(simd, slope));
        // SAFETY: as in `means`.
        unsafe {
            let scale = V::splat(simd, *self.scales[row].add(self.index));
            each_register!(columns, V::LANES, |panel, gate, vector, at| {
                let to = self.gradient(row, panel, gate, vector * V::LANES);
                let normed = V::load(simd, self.normed.at(row, panel).add(at));
                let gain = V::load(simd, norm.gain.panel(panel).add(at));
                let active = V::load(simd, norm.active.panel(panel).add(at));
                let weighted = V::load(simd, to) * gain - mean - normed * slope;
                (weighted * active * scale).store(to);
            });
        }
    }
}

/// The gradients of a norm's gain and shift, row by row of the batch: `[batch, panel, gate, unit]` each.
pub(in super::super) struct NormSums<F> {
    gain: Buffer<F>,
    shift: Buffer<F>,
    batch: usize,
    /// Columns of a row, those that fill up the last panel included.
    width: usize,
    gates: usize,
}

impl<F: Element> NormSums<F> {
    /// The norms of a scan, each with zeros; what norms over the batch took is `taken`.
    pub(in super::super) fn all(
        plan: &Plan,
        operands: &Operands<'_, F>,
        geometry: &Geometry,
        taken: Vec<Packed<F>>,
    ) -> [Option<(Norm<F>, Self)>; 3] {
        let mut taken = taken.into_iter();
        Norm::all(plan, operands, geometry).map(|norm| {
            let mut norm = norm?;
            if norm.plan.is_of_batch() {
                norm.set_scale(taken.next()?);
            }
            let sums = Self::new(&norm, plan.timetable.batch());
            Some((norm, sums))
        })
    }

    /// Zeros for a norm of `batch` rows.
    fn new(norm: &Norm<F>, batch: usize) -> Self {
        let columns = norm.columns;
        let width = columns.panels * columns.gates * columns.units;
        Self {
            gain: Buffer::zeros(batch * width),
            shift: Buffer::zeros(batch * width),
            batch,
            width,
            gates: columns.gates,
        }
    }

    /// Where the sums of some rows of the batch lie: of the gain, of the shift.
    pub(in super::super) fn rows(
        &self,
        rows: impl Iterator<Item = usize> + Clone,
    ) -> [Vec<*mut F>; 2] {
        [&self.gain, &self.shift].map(|sums| {
            // SAFETY: there are sums of each row of the batch.
            let row = |row: usize| unsafe { sums.start().add(row * self.width) };
            rows.clone().map(row).collect()
        })
    }

    /// The gradients of gain and shift: the sums over the batch, row after row.
    pub(in super::super) fn totals(&self, geometry: &Geometry) -> [Vec<F>; 2] {
        let panels = geometry.by_units();
        [&self.gain, &self.shift].map(|sums| {
            let mut totals = vec![F::default(); self.gates * panels.columns];
            for row in 0..self.batch {
                for (column, total) in totals.iter_mut().enumerate() {
                    let (gate, unit) = (column / panels.columns, column % panels.columns);
                    let (panel, unit) = (unit / panels.units, unit % panels.units);
                    let at = (panel * self.gates + gate) * panels.units + unit;
                    // SAFETY: there are sums of each row and column, which nobody writes any more.
                    *total = *total + unsafe { *sums.start().add(row * self.width + at) };
                }
            }
            totals
        })
    }
}
