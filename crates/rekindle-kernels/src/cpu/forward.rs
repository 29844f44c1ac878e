//! The scan itself.

use std::ops::Range;

use super::buffer::{Shared, zeros};
use super::geometry::Geometry;
use super::masks::Masks;
use super::norm::{HIDDEN, INPUT, Norm, SHOWN};
use super::pack::Packed;
use super::product::{Frame, Start};
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
    /// Mean and variance that each norm over the batch took: `[steps, columns]` each.
    pub(crate) statistics: Vec<[Vec<F>; 2]>,
}

impl Plan {
    /// All steps, keeping nothing.
    pub(crate) fn infer<F: Element, E: Equations>(
        &self,
        equations: &E,
        operands: &Operands<'_, F>,
    ) -> Forward<F> {
        match self.is_short() && self.masking.is_empty() && self.norms == [None; 3] {
            true => self.infer_directly(equations, operands),
            false => self.forward(equations, operands, None).0,
        }
    }

    /// All steps, and the activations that [`backward`](Self::backward) needs.
    pub(crate) fn train<F: Element, E: Equations>(
        &self,
        equations: &E,
        operands: &Operands<'_, F>,
    ) -> (Forward<F>, Slab<F>) {
        let geometry = self.geometry::<F, E>();
        let mut slab = Slab::new(&geometry, self.timetable.slab_rows());
        let (forward, taken) = self.forward(equations, operands, Some(slab.kept()));
        slab.taken = taken;
        (forward, slab)
    }

    fn forward<F: Element, E: Equations>(
        &self,
        equations: &E,
        operands: &Operands<'_, F>,
        kept: Option<Kept<F>>,
    ) -> (Forward<F>, Vec<Packed<F>>) {
        let geometry = self.geometry::<F, E>();
        let mut output = zeros(self.timetable.batch() * self.seq * geometry.d_output());
        let mut state: Vec<Vec<F>> = operands.state.iter().map(|state| state.to_vec()).collect();
        let scan = Scan {
            plan: self,
            equations,
            weights: Weights::pack(operands, &geometry, self),
            masks: Masks::new(self, operands),
            norms: Norm::all(self, operands, &geometry),
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
        let geometry = scan.geometry;
        let norms = scan.norms.into_iter().flatten();
        let taken = norms.filter_map(|norm| norm.into_taken(&geometry));
        let (statistics, scales) = taken.map(|taken| (taken.statistics, taken.scale)).unzip();
        let forward = Forward {
            output,
            state,
            statistics,
        };
        (forward, scales)
    }
}

/// What all threads of a scan share.
pub(super) struct Scan<'a, F, E> {
    pub(super) plan: &'a Plan,
    pub(super) equations: &'a E,
    pub(super) geometry: Geometry,
    pub(super) weights: Weights<F>,
    pub(super) masks: Masks<'a, F>,
    pub(super) norms: [Option<Norm<F>>; 3],
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
    /// The product with the states alone, its norm, and the equations.
    Product,
    NormOfProducts,
    Advance,
    /// The product with the states, and the middle vector.
    Middle,
    /// The product with the middle vector, and the equations.
    Late,
    /// The norm of the last state, and the hidden state from it.
    NormOfState,
    Show,
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
    /// The step itself: norms that count steps are visited in order.
    pub(super) visit: usize,
}

impl<F: Element, E: Equations> Scan<'_, F, E> {
    /// The phases of each step.
    fn phases(&self) -> Vec<Phase> {
        let mut phases = match (self.geometry.middle, self.geometry.normed[HIDDEN]) {
            (true, _) => vec![Phase::Middle, Phase::Late],
            (false, true) => vec![Phase::Product, Phase::NormOfProducts, Phase::Advance],
            (false, false) => vec![Phase::Whole],
        };
        if self.geometry.normed[SHOWN] {
            phases.extend([Phase::NormOfState, Phase::Show]);
        }
        if self.geometry.projected.is_some() {
            phases.push(Phase::Project);
        }
        phases
    }

    /// How many parts a phase of a step has: panels, or rows.
    fn parts(&self, phase: Phase, step: &Step<'_, F>) -> usize {
        match phase {
            Phase::Late => self.geometry.wide(self.plan.d_hidden).count(),
            Phase::Project => self.geometry.wide(self.geometry.d_output()).count(),
            Phase::NormOfProducts => self.parts_of_norm(HIDDEN, step.rows.len()),
            Phase::NormOfState => self.parts_of_norm(SHOWN, step.rows.len()),
            _ => self.geometry.panels(),
        }
    }

    /// The whole scan of the rows at `positions`, on `workers` threads.
    fn run(&self, positions: &[usize], workers: usize) {
        let team = self.team(positions, workers);
        let phases = self.phases();
        let mut newest = 0;
        for visits in self.plan.timetable.visits().chunks(team.steps) {
            let run = self.steps(&team, positions, visits);
            let of_input = 1 + usize::from(self.geometry.normed[INPUT]);
            relay(
                workers,
                of_input + visits.len() * phases.len(),
                |phase, part| {
                    let Some(phase) = phase.checked_sub(of_input) else {
                        return match phase {
                            0 => self.input_products(&run, part.of(self.geometry.panels())),
                            _ => {
                                let parts = self.parts_of_norm(INPUT, run.rows.len());
                                self.normalize_inputs(&run, visits, part.of(parts));
                            }
                        };
                    };
                    let (index, phase) = (phase / phases.len(), phases[phase % phases.len()]);
                    let step = Step {
                        team: &team,
                        run: &run,
                        rows: run.steps[index].clone(),
                        newest: (newest + index) % 2,
                        visit: visits[index],
                    };
                    self.phase(phase, &step, part.of(self.parts(phase, &step)));
                },
            );
            newest = (newest + visits.len()) % 2;
        }
        self.finish(&team, positions, newest);
    }

    /// `x W_ih + b_ih` of all steps of a run, for some panels.
    fn input_products(&self, run: &Run<F>, panels: Range<usize>) {
        for panel in panels {
            let frame = Frame {
                inputs: &run.inputs,
                input_offset: 0,
                start: match self.geometry.normed[INPUT] {
                    true => Start::Zero,
                    false => Start::Row(self.weights.bias_ih.panel(panel)),
                },
                outputs: &run.rows,
                output_offset: panel * run.panel_stride,
                columns: self.geometry.gate_columns(),
            };
            self.weights.ih.multiply(self.plan.isa, panel, frame);
        }
    }

    /// One phase of a step, for some of its panels or rows.
    fn phase(&self, phase: Phase, step: &Step<'_, F>, parts: Range<usize>) {
        match phase {
            Phase::Whole | Phase::Middle | Phase::Product => {
                self.rest(step, &parts);
                self.keep_states(step, &parts);
                for panel in parts {
                    self.recurrent_product(step, panel);
                    match phase {
                        Phase::Middle => self.middle(step, panel),
                        Phase::Product => {}
                        _ => self.advance(step, panel),
                    }
                }
            }
            Phase::Late => {
                for panel in parts {
                    self.late_product(step, panel);
                    let wide = self.geometry.wide(self.plan.d_hidden);
                    let each = wide.units / self.geometry.units();
                    let end = ((panel + 1) * each).min(self.geometry.panels());
                    (panel * each..end).for_each(|panel| self.advance(step, panel));
                }
            }
            Phase::NormOfProducts => self.normalize(HIDDEN, step, parts),
            Phase::Advance => parts.for_each(|panel| self.advance(step, panel)),
            Phase::NormOfState => self.normalize(SHOWN, step, parts),
            Phase::Show => parts.for_each(|panel| self.show(step, panel)),
            Phase::Project => parts.for_each(|panel| self.project(step, panel)),
        }
    }
}
