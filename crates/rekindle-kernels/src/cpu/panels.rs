//! What one panel of a step takes: products, the cell's equations, and states that are carried over.

use std::ops::Range;

use super::advance::{Advance, Ending, Middle, Reading, StateMasks};
use super::factor::Factor;
use super::forward::{Scan, Step};
use super::masks::multiply;
use super::norm::{HIDDEN, SHOWN};
use super::product::{Frame, Start};
use super::show::Show;
use super::team::readable;
use super::vector::Element;
use crate::Equations;

impl<F: Element, E: Equations> Scan<'_, F, E> {
    /// The product of the states with one panel of gates.
    pub(super) fn recurrent_product(&self, step: &Step<'_, F>, panel: usize) {
        let (geometry, team) = (&self.geometry, step.team);
        let gates = geometry.recurrent_gates();
        let inputs = match &team.masked {
            Some(masked) => &masked.rows,
            None => &team.recurrent_rows,
        };
        self.weights.hh.multiply(
            self.plan.isa,
            panel,
            Frame {
                inputs: readable(&inputs[step.newest][..step.rows.len()]),
                input_offset: 0,
                start: match geometry.normed[HIDDEN] {
                    true => Start::Zero,
                    false => Start::Row(self.weights.bias_hh.panel(panel)),
                },
                outputs: &team.product_rows[..step.rows.len()],
                output_offset: panel * team.product_stride,
                columns: gates * geometry.units(),
            },
        );
    }

    /// The product of the middle vector with one panel of the last gate.
    pub(super) fn late_product(&self, step: &Step<'_, F>, panel: usize) {
        let Some((weight, bias)) = &self.weights.middle else {
            unreachable!("a cell with a middle vector packs its weights")
        };
        self.wide_product(
            &step.run.middle_rows[step.rows.clone()],
            weight,
            Start::Row(bias.panel(panel)),
            (&step.team.late_rows, panel, self.plan.d_hidden),
        );
    }

    /// One panel of the projection, into the new hidden state and the output.
    pub(super) fn project(&self, step: &Step<'_, F>, panel: usize) {
        let Some(weight) = &self.weights.projection else {
            unreachable!("a projected cell packs its projection")
        };
        let width = self.geometry.d_output();
        let new = &step.team.recurrent_rows[1 - step.newest];
        self.wide_product(
            &step.run.shown_rows[step.rows.clone()],
            weight,
            Start::Zero,
            (new, panel, width),
        );
        let wide = self.geometry.wide(width);
        let first = panel * wide.units;
        for (row, new) in step.rows.clone().zip(new) {
            // SAFETY: state and output have these columns, which no other panel writes.
            unsafe {
                let to = step.run.output_rows[row].add(first);
                to.copy_from_nonoverlapping(new.add(first), wide.real(panel));
            }
        }
        let Some(masked) = &step.team.masked else {
            return;
        };
        let rows = masked.rows[1 - step.newest].iter().zip(&masked.masks);
        for (new, (to, mask)) in new.iter().zip(rows).take(step.rows.len()) {
            // SAFETY: all have these columns.
            unsafe {
                multiply(
                    new.add(first),
                    mask.add(first),
                    to.add(first),
                    wide.real(panel),
                )
            };
        }
    }

    /// `outputs = start + inputs · panel` for a panel of plain columns.
    pub(super) fn wide_product(
        &self,
        inputs: &[*mut F],
        weight: &Factor<F>,
        start: Start<F>,
        (outputs, panel, columns): (&[*mut F], usize, usize),
    ) {
        let wide = self.geometry.wide(columns);
        weight.multiply(
            self.plan.isa,
            panel,
            Frame {
                inputs: readable(inputs),
                input_offset: 0,
                start,
                outputs: &outputs[..inputs.len()],
                output_offset: panel * wide.units,
                columns: wide.real(panel),
            },
        );
    }

    /// What the equations read in one panel.
    pub(super) fn reading<'a>(&'a self, step: &'a Step<'_, F>, panel: usize) -> Reading<'a, F, E> {
        let (geometry, team) = (&self.geometry, step.team);
        Reading {
            equations: self.equations,
            geometry,
            first: panel * geometry.units(),
            units: geometry.units_of(panel),
            // SAFETY: the buffer has the products of this panel.
            products: unsafe { team.products.start().add(panel * team.product_stride) },
            product_row: geometry.gate_columns(),
            of_middle: None,
            inputs: &step.run.rows[step.rows.clone()],
            input_offset: panel * step.run.panel_stride,
            gate_stride: geometry.units(),
            states: &team.states[step.newest],
            of_units: (self.weights.units.as_ref()).map(|units| units.start().cast_const()),
            factors: step
                .run
                .factor_rows
                .get(step.rows.clone())
                .unwrap_or_default(),
        }
    }

    /// The middle vector in one panel.
    pub(super) fn middle(&self, step: &Step<'_, F>, panel: usize) {
        self.plan.isa.run(Middle {
            reading: self.reading(step, panel),
            outputs: &step.run.middle_rows[step.rows.clone()],
        });
    }

    /// The equations in one panel.
    pub(super) fn advance(&self, step: &Step<'_, F>, panel: usize) {
        let late = step.team.late.as_ref();
        self.plan.isa.run(Advance {
            reading: Reading {
                of_middle: late.map(|late| late.start().cast_const()),
                ..self.reading(step, panel)
            },
            ending: self.ending(step, panel),
            shows: self.geometry.normed[SHOWN],
        });
    }

    /// The hidden state from the norm of the last state, in one panel.
    pub(super) fn show(&self, step: &Step<'_, F>, panel: usize) {
        self.plan.isa.run(Show {
            reading: self.reading(step, panel),
            ending: self.ending(step, panel),
        });
    }

    /// Where the new states of one panel go.
    fn ending<'a>(&'a self, step: &'a Step<'_, F>, panel: usize) -> Ending<'a, F> {
        let outputs = match self.geometry.projected {
            Some(_) => &step.run.shown_rows,
            None => &step.run.output_rows,
        };
        Ending {
            outputs: &outputs[step.rows.clone()],
            output_offset: panel * self.geometry.units(),
            keep: self.kept.is_some() || self.geometry.has_norms(),
            masks: self.state_masks(step),
        }
    }

    /// What masks do to the new states of a step.
    fn state_masks<'a>(&'a self, step: &'a Step<'_, F>) -> Option<StateMasks<'a, F>> {
        // That of a projected hidden state is taken behind its projection.
        let masked = step.team.masked.as_ref();
        let masked = masked.filter(|_| self.geometry.projected.is_none());
        (self.geometry.blends || masked.is_some()).then(|| StateMasks {
            keep: &step.run.keep_rows,
            first: step.rows.start,
            masks: masked.map_or(&[], |masked| &masked.masks),
            masked: masked.map_or(&[], |masked| &masked.rows[1 - step.newest]),
        })
    }

    /// Copies the states of rows that rest from one copy to the other, in some panels.
    pub(super) fn rest(&self, step: &Step<'_, F>, panels: &Range<usize>) {
        let team = step.team;
        let [old, new] = [step.newest, 1 - step.newest].map(|copy| &team.recurrent_rows[copy]);
        for row in step.rows.len()..old.len() {
            self.copy_states(old[row], panels, |state| {
                // SAFETY: the row has this state.
                unsafe { new[row].add(state * self.geometry.row_width()) }
            });
        }
    }

    /// Keeps the states that the recurrent product reads besides the hidden one, for the gradients of the weights.
    pub(super) fn keep_states(&self, step: &Step<'_, F>, panels: &Range<usize>) {
        if self.kept.is_none() || self.geometry.reads == 1 {
            return;
        }
        let old = &step.team.recurrent_rows[step.newest];
        for (index, row) in step.rows.clone().enumerate() {
            self.copy_states(old[index], panels, |state| match state {
                0 => std::ptr::null_mut(),
                _ => step.run.read_rows[state - 1][row],
            });
        }
    }

    /// Copies the states in a row, in some panels, each to where `to` says, unless that is null. The last panel takes the
    /// rest of the row along: a projected hidden state may be wider than all panels.
    pub(super) fn copy_states(
        &self,
        from: *const F,
        panels: &Range<usize>,
        to: impl Fn(usize) -> *mut F,
    ) {
        let (units, width) = (self.geometry.units(), self.geometry.row_width());
        let first = panels.start * units;
        let end = match panels.end == self.geometry.panels() {
            true => width,
            false => panels.end * units,
        };
        for state in 0..self.geometry.reads {
            let to = to(state);
            if to.is_null() {
                continue;
            }
            // SAFETY: both rows have this state and these columns.
            unsafe {
                let from = from.add(state * width + first);
                to.add(first).copy_from_nonoverlapping(from, end - first);
            }
        }
    }
}
