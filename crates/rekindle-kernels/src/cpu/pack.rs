//! Weights in the order in which the engine reads them.

use super::buffer::{Buffer, Shared};
use super::geometry::{Geometry, Panels, WIDE_VECTORS};
use super::vector::Element;
use super::{Plan, on_threads, ranges};

/// Weights, packed panel by panel: each `[inner, vectors, lanes]`.
#[derive(Debug)]
pub(crate) struct Packed<F> {
    buffer: Buffer<F>,
    /// From one panel to the next.
    stride: usize,
}

impl<F: Element> Packed<F> {
    /// Zeros for `panels` panels of `stride` numbers.
    pub(crate) fn room(panels: usize, stride: usize) -> Self {
        Self {
            buffer: Buffer::zeros(panels * stride),
            stride,
        }
    }

    /// The first number of panel `panel`.
    pub(crate) fn panel(&self, panel: usize) -> *const F {
        // SAFETY: the buffer holds all panels.
        unsafe { self.buffer.start().add(panel * self.stride) }
    }

    /// Packs rows for products that give gates: panel by panel `[row, gate, unit]`.
    pub(crate) fn gates(plan: &Plan, panels: Panels, gates: usize, rows: &[&[F]]) -> Self {
        let rows = GateRows::new(rows, panels, gates);
        Self::each(plan, &rows, |panel, to| {
            // SAFETY: there is room for a panel.
            unsafe { rows.pack(panel, to) }
        })
    }

    /// Room for rows, each panel filled by `fill`.
    pub(super) fn each(
        plan: &Plan,
        rows: &GateRows<'_, F>,
        fill: impl Fn(usize, *mut F) + Sync,
    ) -> Self {
        let GateRows { panels, gates, .. } = *rows;
        let stride = rows.rows.len() * gates * panels.units;
        let buffer: Buffer<F> = Buffer::recycled(panels.count() * stride);
        let to = Shared(buffer.start());
        let threads = plan.threads_for(rows.rows.len() * gates * panels.columns * COST_OF_A_MOVE);
        on_threads(ranges(panels.count(), threads), |chosen| {
            for panel in chosen {
                let start = to.get().wrapping_add(panel * stride);
                fill(panel, start);
            }
        });
        Self { buffer, stride }
    }

    /// From one panel to the next.
    pub(super) fn stride(&self) -> usize {
        self.stride
    }
}

/// Rows of a weight, each with the columns of its gates one after the other.
#[derive(Clone, Copy)]
pub(super) struct GateRows<'a, F> {
    pub(super) rows: &'a [&'a [F]],
    /// The panels of their units.
    pub(super) panels: Panels,
    pub(super) gates: usize,
}

impl<'a, F: Element> GateRows<'a, F> {
    pub(super) fn new(rows: &'a [&'a [F]], panels: Panels, gates: usize) -> Self {
        Self {
            rows,
            panels,
            gates,
        }
    }

    /// What a row holds of a gate in a panel: fewer numbers than the panel has units where units or the gate are not there.
    #[inline(always)]
    pub(super) fn part(&self, row: &'a [F], gate: usize, panel: usize) -> &'a [F] {
        let (first, real) = (panel * self.panels.units, self.panels.real(panel));
        let start = gate * self.panels.columns + first;
        row.get(start..start + real).unwrap_or_default()
    }

    /// Packs a panel: `[row, gate, unit]` from `to` on, zeros where nothing is there.
    ///
    /// # Safety
    /// `to` is writable for `rows · gates · units` numbers.
    pub(super) unsafe fn pack(&self, panel: usize, mut to: *mut F) {
        for row in self.rows {
            for gate in 0..self.gates {
                let from = self.part(row, gate, panel);
                // SAFETY: the caller answers for the room; `from` has no more numbers than the panel has units.
                unsafe {
                    to.copy_from_nonoverlapping(from.as_ptr(), from.len());
                    to.add(from.len())
                        .write_bytes(0, self.panels.units - from.len());
                    to = to.add(self.panels.units);
                }
            }
        }
    }
}

/// What moving one number of a weight costs, in multiplications of a product.
const COST_OF_A_MOVE: usize = 4;

/// How the right factor of a transposed product lies in memory: the gradients of some gates.
pub(crate) struct Gates {
    /// The panels of their units.
    pub(crate) panels: Panels,
    /// The gate in each slot of a panel.
    pub(crate) slots: Vec<usize>,
    /// Gates in a row of the weight.
    pub(crate) of_weight: usize,
}

/// The transpose of some gates of a weight `[columns, gates·units]`, packed for products that take gradients of gates:
/// panel by panel `[(panel of units, slot, unit), column]`.
pub(crate) struct Transposed<F> {
    packed: Packed<F>,
    columns: usize,
    lanes: usize,
    gates: Gates,
}

impl<F: Element> Transposed<F> {
    /// Packs a weight.
    pub(crate) fn pack(
        weight: &[F],
        columns: usize,
        gates: Gates,
        geometry: &Geometry,
        plan: &Plan,
    ) -> Self {
        let lanes = geometry.registers.lanes;
        let blocks = gates.panels.count() * gates.slots.len();
        let stride = blocks * gates.panels.units * WIDE_VECTORS * lanes;
        let panels = geometry.wide(columns).count();
        let transposed = Self {
            packed: Packed {
                buffer: Buffer::recycled(panels * stride),
                stride,
            },
            columns,
            lanes,
            gates,
        };
        let threads = plan.threads_for(weight.len() * COST_OF_A_MOVE);
        on_threads(ranges(panels * blocks, threads), |chosen| {
            for index in chosen {
                transposed.pack_block(weight, index / blocks, index % blocks);
            }
        });
        transposed
    }

    /// Packs one gate of one panel of units, in panel `panel` of columns.
    fn pack_block(&self, weight: &[F], panel: usize, block: usize) {
        let Gates {
            panels,
            slots,
            of_weight,
        } = &self.gates;
        let (of_units, gate) = (block / slots.len(), slots[block % slots.len()]);
        let width = self.vectors(panel) * self.lanes;
        let first = panel * WIDE_VECTORS * self.lanes;
        let columns = first..(first + width).min(self.columns);
        let real = panels.real(of_units);
        // SAFETY: a panel has `inner · width` numbers, `units · width` of them in this block.
        unsafe {
            let to = self.packed.panel(panel).cast_mut();
            let to = to.add(block * panels.units * width);
            if real < panels.units || columns.len() < width {
                to.write_bytes(0, panels.units * width);
            }
            for column in columns {
                let from = (column * of_weight + gate) * panels.columns + of_units * panels.units;
                let to = to.add(column - first);
                for (unit, &value) in weight[from..][..real].iter().enumerate() {
                    to.add(unit * width).write(value);
                }
            }
        }
    }

    /// The number of columns.
    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// How many panels there are.
    pub(crate) fn panels(&self) -> usize {
        self.columns.div_ceil(WIDE_VECTORS * self.lanes)
    }

    /// The pieces of the inner dimension, one a panel of units, and the length of each.
    pub(crate) fn pieces(&self) -> (usize, usize) {
        let length = self.gates.slots.len() * self.gates.panels.units;
        (self.gates.panels.count(), length)
    }

    /// The first number, the registers and the first column of panel `panel`.
    pub(crate) fn panel(&self, panel: usize) -> (*const F, usize, usize) {
        let column = panel * WIDE_VECTORS * self.lanes;
        (self.packed.panel(panel), self.vectors(panel), column)
    }

    /// Registers of panel `panel`: as many as its columns need.
    fn vectors(&self, panel: usize) -> usize {
        let left = self.columns - panel * WIDE_VECTORS * self.lanes;
        left.div_ceil(self.lanes).min(WIDE_VECTORS)
    }
}
