//! Weights in the order in which the engine reads them.

use super::buffer::{Buffer, Shared};
use super::geometry::{Geometry, hidden_gate};
use super::vector::Element;
use super::{Plan, on_threads, ranges};

/// Weights, packed panel by panel: each `[inner, vectors, lanes]`.
pub(crate) struct Packed<F> {
    buffer: Buffer<F>,
    /// From one panel to the next.
    stride: usize,
}

impl<F: Element> Packed<F> {
    /// The first number of panel `panel`.
    pub(crate) fn panel(&self, panel: usize) -> *const F {
        // SAFETY: the buffer holds all panels.
        unsafe { self.buffer.start().add(panel * self.stride) }
    }
}

/// Packs `[rows, gates·d_hidden]` for products that give gates: panel by panel `[row, gate, unit]`.
pub(crate) fn pack_gates<F: Element>(
    weight: &[F],
    rows: usize,
    geometry: &Geometry,
    plan: &Plan,
) -> Packed<F> {
    let (units, stride) = (geometry.units(), rows * geometry.gate_columns());
    let buffer: Buffer<F> = Buffer::recycled(geometry.panels() * stride);
    let to = Shared(buffer.start());
    let threads = plan.threads_for(weight.len() * COST_OF_A_MOVE);
    on_threads(ranges(geometry.panels(), threads), |panels| {
        for panel in panels {
            let real = geometry.units_of(panel);
            for (index, of_gate) in weight.chunks_exact(geometry.d_hidden).enumerate() {
                let from = &of_gate[panel * units..][..real];
                // SAFETY: a panel has `rows · gates · units` numbers, and `real ≤ units`.
                unsafe {
                    let to = to.get().add(panel * stride + index * units);
                    to.copy_from_nonoverlapping(from.as_ptr(), real);
                    to.add(real).write_bytes(0, units - real);
                }
            }
        }
    });
    Packed { buffer, stride }
}

/// What moving one number of a weight costs, in multiplications of a product.
const COST_OF_A_MOVE: usize = 4;

/// The most registers in a panel of [`Transposed`].
const TRANSPOSED_VECTORS: usize = 4;

/// The transpose of `[columns, gates·d_hidden]`, packed for products that take gradients of gates: panel by panel
/// `[(panel of units, slot, unit), column]`.
pub(crate) struct Transposed<F> {
    packed: Packed<F>,
    columns: usize,
    lanes: usize,
}

impl<F: Element> Transposed<F> {
    /// Packs `W_ih` for the gradient of the input.
    pub(crate) fn input(weight: &[F], geometry: &Geometry, plan: &Plan) -> Self {
        Self::pack(weight, plan.d_input, geometry, plan, |slot| slot)
    }

    /// Packs `W_hh` for the gradient of the hidden state.
    pub(crate) fn recurrent(weight: &[F], geometry: &Geometry, plan: &Plan) -> Self {
        let gate = |slot| hidden_gate(geometry.gates, geometry.apart, slot);
        Self::pack(weight, plan.d_hidden, geometry, plan, gate)
    }

    /// Packs `weight`. `gate_of` says which gate's gradient is in which slot.
    fn pack(
        weight: &[F],
        columns: usize,
        geometry: &Geometry,
        plan: &Plan,
        gate_of: impl Fn(usize) -> usize + Sync,
    ) -> Self {
        let inner = geometry.panels() * geometry.gate_columns();
        let stride = inner * TRANSPOSED_VECTORS * geometry.registers.lanes;
        let panels = columns.div_ceil(TRANSPOSED_VECTORS * geometry.registers.lanes);
        let transposed = Self {
            packed: Packed {
                buffer: Buffer::recycled(panels * stride),
                stride,
            },
            columns,
            lanes: geometry.registers.lanes,
        };
        let blocks = geometry.panels() * geometry.gates;
        let threads = plan.threads_for(weight.len() * COST_OF_A_MOVE);
        on_threads(ranges(panels * blocks, threads), |chosen| {
            for index in chosen {
                let (panel, block) = (index / blocks, index % blocks);
                transposed.pack_block(weight, geometry, panel, block, &gate_of);
            }
        });
        transposed
    }

    /// Packs one gate of one panel of units, in panel `panel` of columns.
    fn pack_block(
        &self,
        weight: &[F],
        geometry: &Geometry,
        panel: usize,
        block: usize,
        gate_of: impl Fn(usize) -> usize,
    ) {
        let (gates, d_hidden, units) = (geometry.gates, geometry.d_hidden, geometry.units());
        let (of_units, slot) = (block / gates, block % gates);
        let width = self.vectors(panel) * self.lanes;
        let first = panel * TRANSPOSED_VECTORS * self.lanes;
        let columns = first..(first + width).min(self.columns);
        let real = geometry.units_of(of_units);
        // SAFETY: a panel has `inner · width` numbers, `units · width` of them in this block.
        unsafe {
            let to = self.packed.panel(panel).cast_mut();
            let to = to.add(block * units * width);
            if real < units || columns.len() < width {
                to.write_bytes(0, units * width);
            }
            for column in columns {
                let from = (column * gates + gate_of(slot)) * d_hidden + of_units * units;
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
        self.columns.div_ceil(TRANSPOSED_VECTORS * self.lanes)
    }

    /// The first number, the registers and the first column of panel `panel`.
    pub(crate) fn panel(&self, panel: usize) -> (*const F, usize, usize) {
        let column = panel * TRANSPOSED_VECTORS * self.lanes;
        (self.packed.panel(panel), self.vectors(panel), column)
    }

    /// Registers of panel `panel`: as many as its columns need.
    fn vectors(&self, panel: usize) -> usize {
        let left = self.columns - panel * TRANSPOSED_VECTORS * self.lanes;
        left.div_ceil(self.lanes).min(TRANSPOSED_VECTORS)
    }
}

/// Packs a bias `[gates·d_hidden]` as [`pack_gates`] packs one row; no bias is zeros.
pub(crate) fn pack_bias<F: Element>(
    bias: Option<&[F]>,
    geometry: &Geometry,
    plan: &Plan,
) -> Packed<F> {
    let stride = geometry.gate_columns();
    match bias {
        Some(bias) => pack_gates(bias, 1, geometry, plan),
        None => Packed {
            buffer: Buffer::zeros(geometry.panels() * stride),
            stride,
        },
    }
}
