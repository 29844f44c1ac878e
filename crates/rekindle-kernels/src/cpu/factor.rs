//! The right factors of a scan's products: packed weights, without the zeros of panels that are mostly zeros.

use std::sync::OnceLock;

use super::Plan;
use super::geometry::Geometry;
use super::isa::Isa;
use super::pack::{GateRows, Packed};
use super::product::{Frame, Inner, Product, Right};
use super::vector::Element;

/// A packed weight with zeros left out, for products that give gates.
///
/// A panel is stored in one of two ways. Dense: `[inner, vector, lane]`, as [`Packed`] has it. Sparse, where most of its
/// registers hold zeros alone: for each register across the panel those of its rows that are not all zeros, one below the
/// other, from `vector · inner · lanes` on, and the places of these rows.
///
/// A product takes the same sums in the same order from either, but that a zero weight times an infinite or undefined
/// number is left out with the others.
#[derive(Debug)]
pub(super) struct Factor<F> {
    weight: Packed<F>,
    /// The inner dimension of dense panels, and the places of its rows in an input row.
    inner: Inner,
    /// Registers across a panel.
    vectors: usize,
    /// Of each sparse panel, for each register, the places of rows that are not zeros.
    nonzero: Vec<OnceLock<Vec<Places>>>,
}

/// Some places in an input row, ascending.
type Places = Vec<u32>;

impl<F: Element> Factor<F> {
    /// Packs rows for products that give gates; `inner` tells which numbers of an input row they meet.
    pub(super) fn pack(
        (plan, geometry): (&Plan, &Geometry),
        rows: GateRows<'_, F>,
        inner: Inner,
    ) -> Self {
        let lanes = geometry.registers.lanes;
        let nonzero: Vec<OnceLock<Vec<Places>>> =
            (0..rows.panels.count()).map(|_| OnceLock::new()).collect();
        let weight = Packed::each(plan, &rows, |panel, to| {
            // SAFETY: there is room for a panel, of as many registers.
            unsafe {
                match is_sparse(&rows, panel, lanes) {
                    true => {
                        let places = pack_nonzero(&rows, panel, lanes, inner, to);
                        nonzero[panel].get_or_init(|| places);
                    }
                    false => rows.pack(panel, to),
                }
            }
        });
        Self {
            weight,
            inner,
            vectors: rows.gates * rows.panels.units / lanes,
            nonzero,
        }
    }

    /// How many panels leave zeros out.
    #[cfg(test)]
    pub(super) fn sparse_panels(&self) -> usize {
        let is_sparse = |panel: &&OnceLock<_>| panel.get().is_some();
        self.nonzero.iter().filter(is_sparse).count()
    }

    /// The product with panel `panel`.
    pub(super) fn multiply(&self, isa: Isa, panel: usize, frame: Frame<'_, F>) {
        let start = self.weight.panel(panel);
        let right = match self.nonzero[panel].get() {
            None => Right::Dense {
                inner: self.inner,
                panel: start,
                vectors: self.vectors,
            },
            Some(places) => Right::Sparse {
                places,
                panel: start,
                stride: self.weight.stride() / self.vectors,
            },
        };
        F::multiply(isa, Product { frame, right });
    }
}

/// The registers of a row in a panel that have numbers: the place of each across the panel, and its numbers.
fn registers<'a, F: Element>(
    rows: &GateRows<'a, F>,
    row: &'a [F],
    panel: usize,
    lanes: usize,
) -> impl Iterator<Item = (usize, &'a [F])> {
    let of_gate = rows.panels.units / lanes;
    (0..rows.gates).flat_map(move |gate| {
        let parts = rows.part(row, gate, panel).chunks(lanes);
        parts
            .enumerate()
            .map(move |(part, numbers)| (gate * of_gate + part, numbers))
    })
}

/// Whether all numbers are 0. Without an early end, it is a few instructions on a whole register.
fn is_zero<F: Element>(register: &[F]) -> bool {
    let zero = F::default();
    (register.iter()).fold(true, |all, &number| all & (number == zero))
}

/// Whether at least three fifths of the registers of a panel hold zeros alone. With fewer, a batch gains little, and one row
/// may lose.
fn is_sparse<F: Element>(rows: &GateRows<'_, F>, panel: usize, lanes: usize) -> bool {
    let all = rows.rows.len() * rows.gates * (rows.panels.units / lanes);
    let most = all * 2 / 5;
    let all_registers = rows
        .rows
        .iter()
        .flat_map(|row| registers(rows, row, panel, lanes));
    let others = all_registers.filter(|(_, numbers)| !is_zero(numbers));
    all > 0 && others.take(most + 1).count() <= most
}

/// Packs those registers of a panel that are not all zeros, and tells their places.
///
/// # Safety
/// `to` is writable for all registers of the panel.
unsafe fn pack_nonzero<F: Element>(
    rows: &GateRows<'_, F>,
    panel: usize,
    lanes: usize,
    inner: Inner,
    to: *mut F,
) -> Vec<Places> {
    let mut places = vec![Places::new(); rows.gates * (rows.panels.units / lanes)];
    for (row, place) in rows.rows.iter().zip(inner.places()) {
        for (vector, numbers) in registers(rows, row, panel, lanes) {
            if is_zero(numbers) {
                continue;
            }
            let places = &mut places[vector];
            let register = vector * rows.rows.len() + places.len();
            places.push(u32::try_from(place).expect("a row of fewer numbers"));
            // SAFETY: each register across the panel has room for all rows.
            unsafe {
                let to = to.add(register * lanes);
                to.copy_from_nonoverlapping(numbers.as_ptr(), numbers.len());
                to.add(numbers.len()).write_bytes(0, lanes - numbers.len());
            }
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::super::geometry::Panels;
    use super::*;

    /// The one panel of two gates of two units each.
    fn rows<'a>(rows: &'a [&'a [f32]]) -> GateRows<'a, f32> {
        let panels = Panels {
            columns: 2,
            units: 2,
        };
        GateRows::new(rows, panels, 2)
    }

    #[test]
    fn registers_of_zeros_are_left_out_of_sparse_panels() {
        let inner = Inner {
            pieces: 2,
            stride: 10,
            length: 3,
        };
        let weight: [&[f32]; 5] = [
            &[1.0, 0.0, 0.0, 0.0],
            &[2.0, 3.0, 0.0, -0.0],
            &[0.0, 0.0, 4.0, 5.0],
            &[6.0, 0.0],
            &[0.0, 0.0, 0.0, 0.0],
        ];
        let rows = rows(&weight);
        assert!(is_sparse(&rows, 0, 2));
        let mut panel = [9.0; 20];
        // SAFETY: the panel has all registers.
        let places = unsafe { pack_nonzero(&rows, 0, 2, inner, panel.as_mut_ptr()) };
        assert_eq!(places, [vec![0, 1, 10], vec![2]]);
        assert_eq!(panel[..6], [1.0, 0.0, 2.0, 3.0, 6.0, 0.0]);
        assert_eq!(panel[10..12], [4.0, 5.0]);
    }

    #[test]
    fn panels_with_fewer_zeros_stay_dense() {
        let weight: [&[f32]; 2] = [&[1.0, 1.0, 0.0, 0.0], &[0.0, 0.0, 1.0, 0.0]];
        assert!(!is_sparse(&rows(&weight), 0, 2));
    }
}
