//! The scan itself.

use std::ops::Range;

use super::advance::{Advance, Middle, Reading};
use super::buffer::{Shared, zeros};
use super::geometry::Geometry;
use super::product::{Inner, Product, Start};
use super::relay::relay;
use super::slab::{Kept, Slab};
use super::team::{Run, Team, readable};
use super::vector::Element;
use super::weights::Weights;
use super::{Operands, Plan, on_threads};
use crate::Equations;

/// What a scan puts out.
#[derive(Debug)]
pub(crate) struct Forward<F> {
    /// `[batch, seq, d_output]`, or with time first, zero in padding.
    pub(crate) output: Vec<F>,
    /// `[batch, d_output]` for the hidden state, `[batch, d_hidden]` for the others.
    pub(crate) state: Vec<Vec<F>>,
}

impl Plan {
    /// All steps, keeping nothing.
    pub(crate) fn infer<F: Element, E: Equations>(
        &self,
        equations: &E,
        operands: &Operands<'_, F>,
    ) -> Forward<F> {
        match self.is_short() {
            true => self.infer_directly(equations, operands),
            false => self.forward(equations, operands, None),
        }
    }

    /// All steps, and the activations that [`backward`](Self::backward) needs.
    pub(crate) fn train<F: Element, E: Equations>(
        &self,
        equations: &E,
        operands: &Operands<'_, F>,
    ) -> (Forward<F>, Slab<F>) {
        let geometry = self.geometry::<F, E>();
        let slab = Slab::new(&geometry, self.timetable.slab_rows());
        let forward = self.forward(equations, operands, Some(slab.kept()));
        (forward, slab)
    }

    fn forward<F: Element, E: Equations>(
        &self,
        equations: &E,
        operands: &Operands<'_, F>,
        kept: Option<Kept<F>>,
    ) -> Forward<F> {
        let geometry = self.geometry::<F, E>();
        let mut output = zeros(self.timetable.batch() * self.seq * geometry.d_output());
        let mut state: Vec<Vec<F>> = operands.state.iter().map(|state| state.to_vec()).collect();
        let scan = Scan {
            plan: self,
            equations,
            weights: Weights::pack(operands, &geometry, self),
            input: operands.input,
            output: Shared(output.as_mut_ptr()),
            state: state
                .iter_mut()
                .map(|state| Shared(state.as_mut_ptr()))
                .collect(),
            kept,
            geometry,
        };
        let (teams, workers) = self.share(&scan.geometry);
        on_threads(teams, |team| scan.run(&team, workers));
        Forward { output, state }
    }
}

/// What all threads of a scan share.
pub(super) struct Scan<'a, F, E> {
    pub(super) plan: &'a Plan,
    equations: &'a E,
    pub(super) geometry: Geometry,
    weights: Weights<F>,
    pub(super) input: &'a [F],
    pub(super) output: Shared<F>,
    /// The initial states, and in their place the final ones.
    pub(super) state: Vec<Shared<F>>,
    pub(super) kept: Option<Kept<F>>,
}

// SAFETY: threads read what is shared, and write rows of `output`, `state` and `kept` of their own positions only.
unsafe impl<F: Element, E: Sync> Sync for Scan<'_, F, E> {}

/// What is done in one phase of a step. All threads of a team end one phase before they begin the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The product with the states, and the equations on it.
    Whole,
    /// The product with the states, and the middle vector.
    Middle,
    /// The product with the middle vector, and the equations.
    Late,
    /// The projection.
    Project,
}

/// One step of a team.
struct Step<'a, F> {
    team: &'a Team<F>,
    run: &'a Run<F>,
    /// Its rows in the run.
    rows: Range<usize>,
    /// Which copy of the states is read.
    newest: usize,
}

impl<F: Element, E: Equations> Scan<'_, F, E> {
    /// The phases of each step.
    fn phases(&self) -> &'static [Phase] {
        match (self.geometry.middle, self.geometry.projected) {
            (false, None) => &[Phase::Whole],
            (false, Some(_)) => &[Phase::Whole, Phase::Project],
            (true, None) => &[Phase::Middle, Phase::Late],
            (true, Some(_)) => &[Phase::Middle, Phase::Late, Phase::Project],
        }
    }

    /// The whole scan of the rows at `positions`, on `workers` threads.
    fn run(&self, positions: &[usize], workers: usize) {
        let team = self.team(positions, workers);
        let phases = self.phases();
        let mut newest = 0;
        for visits in self.plan.timetable.visits().chunks(team.steps) {
            let run = self.steps(&team, positions, visits);
            relay(workers, 1 + visits.len() * phases.len(), |phase, part| {
                let Some(phase) = phase.checked_sub(1) else {
                    return self.input_products(&run, part.of(self.geometry.panels()));
                };
                let (index, phase) = (phase / phases.len(), phases[phase % phases.len()]);
                let step = Step {
                    team: &team,
                    run: &run,
                    rows: run.steps[index].clone(),
                    newest: (newest + index) % 2,
                };
                let panels = match phase {
                    Phase::Whole | Phase::Middle => self.geometry.panels(),
                    Phase::Late => self.geometry.wide(self.plan.d_hidden).count(),
                    Phase::Project => self.geometry.wide(self.geometry.d_output()).count(),
                };
                self.phase(phase, &step, part.of(panels));
            });
            newest = (newest + visits.len()) % 2;
        }
        self.finish(&team, positions, newest);
    }

    /// `x W_ih + b_ih` of all steps of a run, for some panels.
    fn input_products(&self, run: &Run<F>, panels: Range<usize>) {
        for panel in panels {
            let product = Product {
                inputs: &run.inputs,
                input_offset: 0,
                inner: Inner::whole(self.plan.d_input),
                panel: self.weights.ih.panel(panel),
                vectors: self.geometry.gates * self.geometry.unit_vectors(),
                start: Start::Row(self.weights.bias_ih.panel(panel)),
                outputs: &run.rows,
                output_offset: panel * run.panel_stride,
                columns: self.geometry.gate_columns(),
            };
            F::multiply(self.plan.isa, product);
        }
    }

    /// One phase of a step, for some of its panels.
    fn phase(&self, phase: Phase, step: &Step<'_, F>, panels: Range<usize>) {
        match phase {
            Phase::Whole | Phase::Middle => {
                self.rest(step, &panels);
                self.keep_states(step, &panels);
                for panel in panels {
                    self.recurrent_product(step, panel);
                    match phase {
                        Phase::Middle => self.middle(step, panel),
                        _ => self.advance(step, panel),
                    }
                }
            }
            Phase::Late => {
                for panel in panels {
                    self.late_product(step, panel);
                    let wide = self.geometry.wide(self.plan.d_hidden);
                    let each = wide.units / self.geometry.units();
                    let end = ((panel + 1) * each).min(self.geometry.panels());
                    (panel * each..end).for_each(|panel| self.advance(step, panel));
                }
            }
            Phase::Project => panels.for_each(|panel| self.project(step, panel)),
        }
    }

    /// The product of the states with one panel of gates.
    fn recurrent_product(&self, step: &Step<'_, F>, panel: usize) {
        let (geometry, team) = (&self.geometry, step.team);
        let gates = geometry.recurrent_gates();
        F::multiply(
            self.plan.isa,
            Product {
                inputs: readable(&team.recurrent_rows[step.newest][..step.rows.len()]),
                input_offset: 0,
                inner: Inner {
                    pieces: geometry.reads,
                    stride: geometry.row_width(),
                    length: geometry.recurrent_rows(),
                },
                panel: self.weights.hh.panel(panel),
                vectors: gates * geometry.unit_vectors(),
                start: Start::Row(self.weights.bias_hh.panel(panel)),
                outputs: &team.product_rows[..step.rows.len()],
                output_offset: panel * team.product_stride,
                columns: gates * geometry.units(),
            },
        );
    }

    /// The product of the middle vector with one panel of the last gate.
    fn late_product(&self, step: &Step<'_, F>, panel: usize) {
        let Some([weight, bias]) = &self.weights.middle else {
            unreachable!("a cell with a middle vector packs its weights")
        };
        self.wide_product(
            (&step.run.middle_rows[step.rows.clone()], self.plan.d_hidden),
            weight.panel(panel),
            Start::Row(bias.panel(panel)),
            (&step.team.late_rows, panel, self.plan.d_hidden),
        );
    }

    /// One panel of the projection, into the new hidden state and the output.
    fn project(&self, step: &Step<'_, F>, panel: usize) {
        let Some(weight) = &self.weights.projection else {
            unreachable!("a projected cell packs its projection")
        };
        let width = self.geometry.d_output();
        let new = &step.team.recurrent_rows[1 - step.newest];
        self.wide_product(
            (&step.run.shown_rows[step.rows.clone()], self.plan.d_hidden),
            weight.panel(panel),
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
    }

    /// `outputs = start + inputs · panel` for a panel of plain columns.
    fn wide_product(
        &self,
        (inputs, inner): (&[*mut F], usize),
        weights: *const F,
        start: Start<F>,
        (outputs, panel, columns): (&[*mut F], usize, usize),
    ) {
        let wide = self.geometry.wide(columns);
        F::multiply(
            self.plan.isa,
            Product {
                inputs: readable(inputs),
                input_offset: 0,
                inner: Inner::whole(inner),
                panel: weights,
                vectors: super::geometry::WIDE_VECTORS,
                start,
                outputs: &outputs[..inputs.len()],
                output_offset: panel * wide.units,
                columns: wide.real(panel),
            },
        );
    }

    /// What the equations read in one panel.
    fn reading<'a>(&'a self, step: &'a Step<'_, F>, panel: usize) -> Reading<'a, F, E> {
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
        }
    }

    /// The middle vector in one panel.
    fn middle(&self, step: &Step<'_, F>, panel: usize) {
        self.plan.isa.run(Middle {
            reading: self.reading(step, panel),
            outputs: &step.run.middle_rows[step.rows.clone()],
        });
    }

    /// The equations in one panel.
    fn advance(&self, step: &Step<'_, F>, panel: usize) {
        let first = panel * self.geometry.units();
        let outputs = match self.geometry.projected {
            Some(_) => &step.run.shown_rows,
            None => &step.run.output_rows,
        };
        let late = step.team.late.as_ref();
        self.plan.isa.run(Advance {
            reading: Reading {
                of_middle: late.map(|late| late.start().cast_const()),
                ..self.reading(step, panel)
            },
            outputs: &outputs[step.rows.clone()],
            output_offset: first,
            keep: self.kept.is_some(),
        });
    }

    /// Copies the states of rows that rest from one copy to the other, in some panels.
    fn rest(&self, step: &Step<'_, F>, panels: &Range<usize>) {
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
    fn keep_states(&self, step: &Step<'_, F>, panels: &Range<usize>) {
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
    fn copy_states(&self, from: *const F, panels: &Range<usize>, to: impl Fn(usize) -> *mut F) {
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
