//! Weights in the order in which the engine reads them.

use super::buffer::Buffer;
use super::geometry::Geometry;
use super::vector::Element;

/// Weights, packed panel by panel: each `[inner, vectors, lanes]`.
pub(crate) struct Packed<F> {
    buffer: Buffer<F>,
    panel: usize,
}

impl<F: Element> Packed<F> {
    /// The first number of panel `panel`.
    pub(crate) fn panel(&self, panel: usize) -> *const F {
        // SAFETY: the buffer holds all panels.
        unsafe { self.buffer.start().add(panel * self.panel) }
    }
}

/// Packs `[rows, gates·d_hidden]` for products that give gates: panel by panel `[row, gate, unit]`.
pub(crate) fn pack_gates<F: Element>(weight: &[F], rows: usize, geometry: &Geometry) -> Packed<F> {
    let Geometry {
        gates, d_hidden, ..
    } = *geometry;
    let (units, panel) = (geometry.units(), rows * geometry.gate_columns());
    let buffer: Buffer<F> = Buffer::uninitialised(geometry.panels() * panel);
    for p in 0..geometry.panels() {
        let real = geometry.units_of(p);
        for row in 0..rows {
            for gate in 0..gates {
                let from = &weight[(row * gates + gate) * d_hidden + p * units..][..real];
                let to = p * panel + (row * gates + gate) * units;
                // SAFETY: a panel has `rows · gates · units` numbers, and `real ≤ units`.
                unsafe {
                    let to = buffer.start().add(to);
                    to.copy_from_nonoverlapping(from.as_ptr(), real);
                    to.add(real).write_bytes(0, units - real);
                }
            }
        }
    }
    Packed { buffer, panel }
}

/// Registers in a panel of [`pack_transposed`].
pub(crate) const TRANSPOSED_VECTORS: usize = 4;

/// Packs the transpose of `[columns, gates·d_hidden]` for products that take gradients of gates: panel by panel
/// `[(panel of units, slot, unit), column]`. `gate_of` says which gate's gradient is in which slot.
pub(crate) fn pack_transposed<F: Element>(
    weight: &[F],
    columns: usize,
    geometry: &Geometry,
    gate_of: impl Fn(usize) -> usize,
) -> Packed<F> {
    let width = TRANSPOSED_VECTORS * geometry.lanes;
    let (units, gates) = (geometry.units(), geometry.gates);
    let inner = geometry.panels() * geometry.gate_columns();
    let panel = inner * width;
    let panels = columns.div_ceil(width);
    let buffer: Buffer<F> = Buffer::zeros(panels * panel);
    for p in 0..panels {
        let columns = p * width..((p + 1) * width).min(columns);
        for (slot_of_panel, slot) in
            (0..geometry.panels()).flat_map(|q| (0..gates).map(move |slot| (q, slot)))
        {
            let real = geometry.units_of(slot_of_panel);
            let first = gate_of(slot) * geometry.d_hidden + slot_of_panel * units;
            let to = p * panel + (slot_of_panel * gates + slot) * units * width;
            for (lane, column) in columns.clone().enumerate() {
                let from = &weight[column * gates * geometry.d_hidden + first..][..real];
                for (unit, &value) in from.iter().enumerate() {
                    // SAFETY: a panel has `inner · width` numbers.
                    unsafe { buffer.start().add(to + unit * width + lane).write(value) };
                }
            }
        }
    }
    Packed { buffer, panel }
}

/// Packs a bias `[gates·d_hidden]` as [`pack_gates`] packs one row; no bias is zeros.
pub(crate) fn pack_bias<F: Element>(bias: Option<&[F]>, geometry: &Geometry) -> Packed<F> {
    match bias {
        Some(bias) => pack_gates(bias, 1, geometry),
        None => Packed {
            buffer: Buffer::zeros(geometry.panels() * geometry.gate_columns()),
            panel: geometry.gate_columns(),
        },
    }
}
