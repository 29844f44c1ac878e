//! The scan's derivative: back through the visits, from the gradients of outputs and final states to those of the gates.

use std::ops::Range;

use super::backward_team::{BackwardTeam, Step};
use super::buffer::{Buffer, Shared, zeros};
use super::geometry::Geometry;
use super::masks::Masks;
use super::norm::{HIDDEN, INPUT, Norm, NormSums, SHOWN};
use super::pack::Transposed;
use super::product::Start;
use super::relay::relay;
use super::retreat::{LateGradient, Retreat};
use super::show::ShowGradient;
use super::slab::{Kept, Slab};
use super::team::rows_of_a_run;
use super::vector::Element;
use super::weights::TransposedWeights;
use super::{Operands, Plan, on_threads};
use crate::Equations;

/// Which gradients are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Needs {
    /// Of the input.
    pub(crate) input: bool,
    /// Of `W_ih` and `b_ih`.
    pub(crate) input_side: bool,
    /// Of the recurrent weights and `b_hh`.
    pub(crate) hidden_side: bool,
    /// Of the projection.
    pub(crate) projection: bool,
}

/// The gradients of what a scan put out; `None`: zero.
#[derive(Clone, Debug)]
pub(crate) struct OutputGradients<'a, F> {
    /// Of the output sequence, laid out like it.
    pub(crate) output: Option<&'a [F]>,
    /// Of the final states, laid out like them.
    pub(crate) state: Vec<Option<&'a [F]>>,
}

/// The gradients of what a scan read, each laid out like what it is the gradient of.
#[derive(Debug)]
pub(crate) struct Backward<F> {
    /// Of the input, zero in padding.
    pub(crate) input: Option<Vec<F>>,
    /// Of `W_ih` and `b_ih`.
    pub(crate) input_side: Option<[Vec<F>; 2]>,
    /// Of the recurrent weights, and of `b_hh`.
    pub(crate) hidden_side: Option<(Vec<Vec<F>>, Vec<F>)>,
    /// Of the parameters of units.
    pub(crate) units: Vec<Vec<F>>,
    /// Of the projection.
    pub(crate) projection: Option<Vec<F>>,
    /// Of the gain of each norm that there is, and of the shift of the last state's.
    pub(crate) gains: Vec<Vec<F>>,
    pub(crate) shift: Option<Vec<F>>,
    /// Of the initial states.
    pub(crate) state: Vec<Vec<F>>,
}

impl Plan {
    /// The gradients of a training scan. What the slab holds is used up: gradients of the gates take its place.
    pub(crate) fn backward<F: Element, E: Equations>(
        &self,
        equations: &E,
        operands: &Operands<'_, F>,
        output: &[F],
        mut slab: Slab<F>,
        gradients: OutputGradients<'_, F>,
        needs: Needs,
    ) -> Backward<F> {
        let geometry = self.geometry::<F, E>();
        let batch = self.timetable.batch();
        let mut input = (needs.input).then(|| zeros(batch * self.seq * self.d_input));
        let mut state = given_or_zeros(&gradients.state, &operands.state);
        let mut of_rows = vec![zeros(batch * self.d_hidden); operands.units.len()];
        let mut flow = self.room_for_flow(operands.state.len());
        let taken = std::mem::take(&mut slab.taken);
        let scan = BackwardScan {
            plan: self,
            equations,
            weights: TransposedWeights::pack(self, operands, &geometry, needs.input),
            masks: Masks::new(self, operands),
            norms: NormSums::all(self, operands, &geometry, taken),
            initial: operands.state.clone(),
            output,
            kept: slab.kept(),
            projected: self.room_for_projected(&geometry),
            output_gradient: gradients.output,
            input: input.as_mut().map(|input| Shared(input.as_mut_ptr())),
            state: shared(&mut state),
            units: shared(&mut of_rows),
            watched: shared(&mut flow),
            geometry,
        };
        scan.run_all();
        let totals = scan.norm_totals();
        let [.., shown] = &totals;
        self.put_flow(flow);
        Backward {
            input_side: needs.input_side.then(|| scan.input_side(operands)),
            hidden_side: needs.hidden_side.then(|| scan.hidden_side(operands)),
            projection: (operands.projection.filter(|_| needs.projection))
                .map(|weight| scan.projection_gradient(weight.len())),
            units: (of_rows.iter().map(|rows| sum(rows, self.d_hidden))).collect(),
            shift: shown.as_ref().map(|[_, shift]| shift.clone()),
            gains: totals.into_iter().flatten().map(|[gain, _]| gain).collect(),
            input,
            state,
        }
    }
}

impl Plan {
    /// Room for the gradient of the projected hidden state, if there is one: `[slab row, row]`.
    fn room_for_projected<F: Element>(&self, geometry: &Geometry) -> Buffer<F> {
        let rows = geometry.projected.map_or(0, |_| self.timetable.slab_rows());
        Buffer::recycled(rows * geometry.row_width())
    }
}

/// The gradients of the final states; zeros where there is none.
fn given_or_zeros<F: Element>(given: &[Option<&[F]>], states: &[&[F]]) -> Vec<Vec<F>> {
    let both = given.iter().zip(states);
    both.map(|(given, state)| given.map_or_else(|| zeros(state.len()), <[F]>::to_vec))
        .collect()
}

/// The sum of all rows.
fn sum<F: Element>(rows: &[F], width: usize) -> Vec<F> {
    let mut sum = vec![F::default(); width];
    for row in rows.chunks_exact(width) {
        (sum.iter_mut().zip(row)).for_each(|(sum, &value)| *sum = *sum + value);
    }
    sum
}

/// Pointers to vectors that several threads write.
fn shared<F>(vectors: &mut [Vec<F>]) -> Vec<Shared<F>> {
    let pointers = vectors.iter_mut().map(|vector| Shared(vector.as_mut_ptr()));
    pointers.collect()
}

/// What all threads of a backward scan share.
pub(super) struct BackwardScan<'a, F, E> {
    pub(super) plan: &'a Plan,
    equations: &'a E,
    pub(super) geometry: Geometry,
    pub(super) weights: TransposedWeights<F>,
    pub(super) masks: Masks<'a, F>,
    /// The norms, and what the gradients of their parameters add to.
    pub(super) norms: [Option<(Norm<F>, NormSums<F>)>; 3],
    pub(super) initial: Vec<&'a [F]>,
    pub(super) output: &'a [F],
    pub(super) kept: Kept<F>,
    /// The gradient of the projected hidden state: `[slab row, row]`.
    pub(super) projected: Buffer<F>,
    pub(super) output_gradient: Option<&'a [F]>,
    pub(super) input: Option<Shared<F>>,
    /// The gradients of the final states, and in their place those of the initial ones.
    pub(super) state: Vec<Shared<F>>,
    /// The gradients of the parameters of units, row by row: `[batch, d_hidden]` each.
    pub(super) units: Vec<Shared<F>>,
    /// How much gradient reaches each state, row by row and step by step: `[batch, seq]` each; empty: nobody asks.
    pub(super) watched: Vec<Shared<F>>,
}

// SAFETY: threads read what is shared, and write rows of `kept`, `projected`, `input`, `state`, `units` and `watched` of
// their own positions only.
unsafe impl<F: Element, E: Sync> Sync for BackwardScan<'_, F, E> {}

/// What is done in one phase of a step. All threads of a team end one phase before they begin the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The gradient of the projected hidden state.
    Projected,
    /// How much gradient reaches the states.
    Watch,
    /// The gradient of the hidden state before its projection.
    Shown,
    /// The gradient of the norm of the last state, and by it that of the last state.
    Content,
    NormOfState,
    /// The gradient of the last gate.
    Late,
    /// The gradient of the middle vector.
    Middle,
    /// The gradients of all gates, and of the states by the equations.
    Gates,
    /// The gradients of the products, from those of their norms.
    NormOfInputs,
    NormOfProducts,
    /// The gradients of the states by the recurrent products.
    Recur,
}

impl<F: Element, E: Equations> BackwardScan<'_, F, E> {
    /// The whole scan of all rows.
    fn run_all(&self) {
        let (teams, workers) = self.plan.share(&self.geometry);
        on_threads(teams, |team| self.run(&team, workers));
    }

    /// The gradients of gain and shift of each norm.
    fn norm_totals(&self) -> [Option<[Vec<F>; 2]>; 3] {
        (self.norms.each_ref())
            .map(|norm| norm.as_ref().map(|(_, sums)| sums.totals(&self.geometry)))
    }

    /// The phases of each step.
    fn phases(&self) -> Vec<Phase> {
        let mut phases = Vec::new();
        if self.geometry.projected.is_some() {
            phases.push(Phase::Projected);
        }
        if !self.watched.is_empty() {
            phases.push(Phase::Watch);
        }
        if self.geometry.projected.is_some() {
            phases.push(Phase::Shown);
        }
        if self.geometry.normed[SHOWN] {
            phases.extend([Phase::Content, Phase::NormOfState]);
        }
        if self.geometry.middle {
            phases.extend([Phase::Late, Phase::Middle]);
        }
        phases.push(Phase::Gates);
        if self.geometry.normed[INPUT] {
            phases.push(Phase::NormOfInputs);
        }
        if self.geometry.normed[HIDDEN] {
            phases.push(Phase::NormOfProducts);
        }
        phases.push(Phase::Recur);
        phases
    }

    /// The whole scan of the rows at `positions`, on `workers` threads.
    fn run(&self, positions: &[usize], workers: usize) {
        let team = self.team(positions);
        let phases = self.phases();
        let mut visits = self.plan.timetable.visits();
        visits.reverse();
        for visits in visits.chunks(rows_of_a_run(workers).div_ceil(positions.len())) {
            let run = self.steps(&team, positions, visits);
            let of_steps = phases.len() * visits.len();
            // All steps together have one more.
            let with_input = of_steps + usize::from(self.weights.ih.is_some());
            relay(workers, with_input, |phase, part| match &self.weights.ih {
                Some(weight_ih) if phase == of_steps => {
                    self.input_gradients(&run, weight_ih, part.of(weight_ih.panels()));
                }
                _ => {
                    let step = &run.steps[phase / phases.len()];
                    let phase = phases[phase % phases.len()];
                    self.phase(phase, &team, step, part.of(self.parts(phase, step)));
                }
            });
        }
        self.finish(&team, positions);
    }

    /// How many parts a phase has: panels, or rows.
    fn parts(&self, phase: Phase, step: &Step<F, E>) -> usize {
        match phase {
            Phase::Projected => self.geometry.wide(self.geometry.d_output()).count(),
            Phase::Shown | Phase::Middle => self.geometry.wide(self.geometry.d_hidden).count(),
            Phase::Late | Phase::Gates | Phase::Content => self.geometry.panels(),
            Phase::Watch => step.rows.len(),
            Phase::NormOfState => self.parts_of_norm(SHOWN, step.rows.len()),
            Phase::NormOfInputs => self.parts_of_norm(INPUT, step.rows.len()),
            Phase::NormOfProducts => self.parts_of_norm(HIDDEN, step.rows.len()),
            Phase::Recur => self.weights.hh.iter().map(Transposed::panels).sum(),
        }
    }

    /// One phase of a step, for some of its panels or rows.
    fn phase(&self, phase: Phase, team: &BackwardTeam<F>, step: &Step<F, E>, parts: Range<usize>) {
        match phase {
            Phase::Watch => self.watch(step, parts),
            Phase::NormOfState => self.denormalize(SHOWN, team, step, parts),
            Phase::NormOfInputs => self.denormalize(INPUT, team, step, parts),
            Phase::NormOfProducts => self.denormalize(HIDDEN, team, step, parts),
            _ => parts.for_each(|panel| self.panel(phase, team, step, panel)),
        }
    }

    /// One panel of a phase.
    fn panel(&self, phase: Phase, team: &BackwardTeam<F>, step: &Step<F, E>, panel: usize) {
        let wide_stride = self.geometry.wide(0).units;
        match (phase, &self.weights.projection, &self.weights.middle) {
            (Phase::Shown, Some(weight), _) => {
                let from = (&step.projected[..], 0, wide_stride);
                let to = &team.shown_rows[..step.rows.len()];
                self.transposed(from, (weight, panel), Start::Zero, to);
            }
            (Phase::Middle, _, Some(weight)) => {
                let from = (&team.late_rows[..step.rows.len()], 0, wide_stride);
                let to = &team.middle_rows[..step.rows.len()];
                self.transposed(from, (weight, panel), Start::Zero, to);
            }
            (Phase::Projected, ..) => self.project_back(step, panel),
            (Phase::Late, ..) => {
                (self.plan.isa).run(LateGradient(self.retreat(team, step, panel)));
            }
            (Phase::Content, ..) => {
                (self.plan.isa).run(ShowGradient(self.retreat(team, step, panel)));
            }
            (Phase::Gates, ..) => self.plan.isa.run(self.retreat(team, step, panel)),
            (Phase::Recur, ..) => self.recur(team, step, panel),
            (Phase::Shown | Phase::Middle, ..) => unreachable!("packed with the weights"),
            (
                Phase::Watch | Phase::NormOfState | Phase::NormOfInputs | Phase::NormOfProducts,
                ..,
            ) => unreachable!("taken for rows, not for panels"),
        }
    }

    /// The derivative of the equations in one panel.
    fn retreat<'a>(
        &'a self,
        team: &BackwardTeam<F>,
        step: &'a Step<F, E>,
        panel: usize,
    ) -> Retreat<'a, F, E> {
        Retreat {
            equations: self.equations,
            geometry: &self.geometry,
            units: self.geometry.units_of(panel),
            slab_offset: panel * self.panel_stride(),
            unit: panel * self.geometry.units(),
            rows: &step.rows,
            of_units: (self.weights.units.as_ref()).map(|units| units.start().cast_const()),
            unit_stride: team.unit_stride,
        }
    }
}
