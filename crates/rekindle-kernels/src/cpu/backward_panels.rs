//! What one panel of a step backwards takes besides the derivative of the equations: products.

use std::ops::Range;

use super::backward::BackwardScan;
use super::backward_team::{BackwardTeam, Run, Step};
use super::pack::Transposed;
use super::product::{Frame, Inner, Product, Right, Start};
use super::vector::Element;
use crate::Equations;

impl<F: Element, E: Equations> BackwardScan<'_, F, E> {
    /// The gradient of the projected hidden state in one panel: from the steps after this one and from the output. Zero
    /// where the panel has no columns.
    pub(super) fn project_back(&self, step: &Step<F, E>, panel: usize) {
        let wide = self.geometry.wide(self.geometry.d_output());
        let first = panel * wide.units;
        let to = step.projected.iter().zip(&step.outputs);
        for (row, (to, output)) in step.rows.iter().zip(to) {
            // SAFETY: all rows have these columns, `to` those that fill up the panel.
            unsafe {
                let to = to.cast_mut().add(first);
                let carried = row.gradients.as_ref()[0].add(first);
                for column in 0..wide.real(panel) {
                    let mut gradient = *carried.add(column);
                    if let Some(output) = output {
                        gradient = gradient + *output.add(first + column);
                    }
                    to.add(column).write(gradient);
                }
                to.add(wide.real(panel))
                    .write_bytes(0, wide.units - wide.real(panel));
            }
        }
    }

    /// The part of a state's gradient that flows through a recurrent product, for one panel of all states' weights.
    pub(super) fn recur(&self, team: &BackwardTeam<F>, step: &Step<F, E>, panel: usize) {
        let mut panel = panel;
        for (state, weight) in self.weights.hh.iter().enumerate() {
            if panel >= weight.panels() {
                panel -= weight.panels();
                continue;
            }
            let start = match (state, self.geometry.projected) {
                (0, Some(_)) => Start::Zero,
                _ => Start::Output,
            };
            let slot = self.geometry.hidden_slots(state).start;
            let from = (
                &step.gates[..],
                slot * self.geometry.units(),
                self.panel_stride(),
            );
            let to = &team.gradient_rows[state][..step.rows.len()];
            match state == 0 && !team.masked_rows.is_empty() {
                true => self.recur_masked(team, from, (weight, panel), to),
                false => self.transposed(from, (weight, panel), start, to),
            }
            return;
        }
    }

    /// The same for a hidden state that is masked on its way into the product.
    fn recur_masked(
        &self,
        team: &BackwardTeam<F>,
        from: (&[*const F], usize, usize),
        (weight, panel): (&Transposed<F>, usize),
        gradients: &[*mut F],
    ) {
        let products = &team.masked_rows[..gradients.len()];
        self.transposed(from, (weight, panel), Start::Zero, products);
        let (_, vectors, first) = weight.panel(panel);
        let end = (first + vectors * self.geometry.registers.lanes).min(weight.columns());
        let is_projected = self.geometry.projected.is_some();
        for ((&to, &product), &mask) in gradients.iter().zip(products).zip(&team.masks) {
            for column in first..end {
                // SAFETY: all have this column, which no other panel has.
                unsafe {
                    let to = to.add(column);
                    let gradient = *product.add(column) * *mask.add(column);
                    to.write(match is_projected {
                        true => gradient,
                        false => *to + gradient,
                    });
                }
            }
        }
    }

    /// The gradients of the input at all steps of a run, for some panels of `W_ihᵀ`.
    pub(super) fn input_gradients(
        &self,
        run: &Run<F, E>,
        weight_ih: &Transposed<F>,
        panels: Range<usize>,
    ) {
        let slot = self.geometry.input_slots().start;
        for panel in panels {
            let from = (
                &run.gates[..],
                slot * self.geometry.units(),
                self.panel_stride(),
            );
            self.transposed(from, (weight_ih, panel), Start::Zero, &run.inputs);
        }
    }

    /// `outputs = start + gradients · weightᵀ` for one panel, the inner dimension in pieces that stay in the cache.
    /// Gradients start at `offset` in their rows; from one panel of units to the next they are `stride` apart.
    pub(super) fn transposed(
        &self,
        (gradients, offset, stride): (&[*const F], usize, usize),
        (weight, panel): (&Transposed<F>, usize),
        start: Start<F>,
        outputs: &[*mut F],
    ) {
        /// Half of a usual second-level cache, in numbers of four bytes.
        const PIECE: usize = 1 << 16;
        let (pieces, length) = weight.pieces();
        let (panel, vectors, column) = weight.panel(panel);
        let width = vectors * self.geometry.registers.lanes;
        let longest = (PIECE / (length * width).max(1)).max(1);
        for first in (0..pieces).step_by(longest) {
            F::multiply(
                self.plan.isa,
                Product {
                    frame: Frame {
                        inputs: gradients,
                        input_offset: offset + first * stride,
                        start: if first == 0 { start } else { Start::Output },
                        outputs,
                        output_offset: column,
                        columns: (weight.columns() - column).min(width),
                    },
                    right: Right::Dense {
                        inner: Inner {
                            pieces: longest.min(pieces - first),
                            stride,
                            length,
                        },
                        // SAFETY: the panel has all pieces.
                        panel: unsafe { panel.add(first * length * width) },
                        vectors,
                    },
                },
            );
        }
    }

    /// From one panel of the slab to the next.
    pub(super) fn panel_stride(&self) -> usize {
        self.plan.timetable.slab_rows() * self.geometry.row()
    }
}
