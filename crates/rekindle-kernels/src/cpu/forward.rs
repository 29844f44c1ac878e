//! The scan itself.

use std::ops::Range;

use super::buffer::{Shared, zeros};
use super::geometry::Geometry;
use super::masks::Masks;
use super::product::{Inner, Product, Start};
use super::relay::relay;
use super::slab::{Kept, Slab};
use super::team::{Run, Team};
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
        match self.is_short() && self.masking.is_empty() {
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
            masks: Masks::new(self, operands),
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
    pub(super) equations: &'a E,
    pub(super) geometry: Geometry,
    pub(super) weights: Weights<F>,
    pub(super) masks: Masks<'a, F>,
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
pub(super) struct Step<'a, F> {
    pub(super) team: &'a Team<F>,
    pub(super) run: &'a Run<F>,
    /// Its rows in the run.
    pub(super) rows: Range<usize>,
    /// Which copy of the states is read.
    pub(super) newest: usize,
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
}
