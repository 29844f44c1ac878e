//! The scan's derivative: back through the visits, from the gradients of outputs and final states to those of the gates.

use std::ops::Range;

use super::buffer::{Buffer, Shared, zeros};
use super::forward::{Slab, rows_of_a_run};
use super::geometry::Geometry;
use super::gradients::{Side, weight_gradients};
use super::pack::Transposed;
use super::product::{Inner, Product, Start};
use super::relay::relay;
use super::retreat::{Retreat, Row};
use super::vector::Element;
use super::{Operands, Plan, on_threads};
use crate::Equations;

/// Which gradients are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Needs {
    /// Of the input.
    pub(crate) input: bool,
    /// Of `W_ih` and `b_ih`.
    pub(crate) input_side: bool,
    /// Of `W_hh` and `b_hh`.
    pub(crate) hidden_side: bool,
}

/// The gradients of what a scan put out; `None`: zero.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OutputGradients<'a, F, const STATES: usize> {
    /// Of the output sequence: `[batch, seq, d_hidden]`.
    pub(crate) output: Option<&'a [F]>,
    /// Of the final states: `[batch, d_hidden]` each.
    pub(crate) state: [Option<&'a [F]>; STATES],
}

/// The gradients of what a scan read.
#[derive(Debug)]
pub(crate) struct Backward<F, const STATES: usize> {
    /// `[batch, seq, d_input]`, zero in padding.
    pub(crate) input: Option<Vec<F>>,
    /// Of `W_ih` and `b_ih`: `[d_input, gates·d_hidden]` and `[gates·d_hidden]`.
    pub(crate) input_side: Option<[Vec<F>; 2]>,
    /// Of `W_hh` and `b_hh`: `[d_hidden, gates·d_hidden]` and `[gates·d_hidden]`.
    pub(crate) hidden_side: Option<[Vec<F>; 2]>,
    /// Of the initial states: `[batch, d_hidden]` each.
    pub(crate) state: [Vec<F>; STATES],
}

impl Plan {
    /// The gradients of a training scan. What the slab holds is used up: gradients of the gates take its place.
    pub(crate) fn backward<F, E, const GATES: usize, const STATES: usize, const SAVED: usize>(
        &self,
        equations: &E,
        operands: Operands<'_, F, STATES>,
        output: &[F],
        slab: Slab<F>,
        gradients: OutputGradients<'_, F, STATES>,
        needs: Needs,
    ) -> Backward<F, STATES>
    where
        F: Element,
        E: Equations<GATES, STATES, SAVED>,
    {
        let geometry = self.geometry::<F, _, GATES, STATES, SAVED>(equations);
        let numbers = |width: usize| zeros(self.timetable.batch() * width);
        let mut input = needs.input.then(|| numbers(self.seq * self.d_input));
        let mut state = gradients
            .state
            .map(|gradient| gradient.map_or_else(|| numbers(self.d_hidden), <[F]>::to_vec));
        BackwardScan {
            plan: self,
            equations,
            weight_hh: Transposed::recurrent(operands.weight_hh, &geometry, self),
            weight_ih: needs
                .input
                .then(|| Transposed::input(operands.weight_ih, &geometry, self)),
            initial: operands.state,
            output,
            slab: slab.0.start(),
            output_gradient: gradients.output,
            input: input.as_mut().map(|input| Shared(input.as_mut_ptr())),
            state: state.each_mut().map(|state| Shared(state.as_mut_ptr())),
            geometry,
        }
        .run_all();
        let side = |side: Side<'_, F>| weight_gradients(self, &geometry, &slab, side);
        let initial = operands.state[0];
        Backward {
            input,
            input_side: needs.input_side.then(|| side(Side::Input(operands.input))),
            hidden_side: needs
                .hidden_side
                .then(|| side(Side::Hidden { initial, output })),
            state,
        }
    }
}

/// What all threads of a backward scan share.
struct BackwardScan<'a, F, E, const GATES: usize, const STATES: usize, const SAVED: usize> {
    plan: &'a Plan,
    equations: &'a E,
    geometry: Geometry,
    weight_hh: Transposed<F>,
    /// Absent where the input needs no gradient.
    weight_ih: Option<Transposed<F>>,
    initial: [&'a [F]; STATES],
    output: &'a [F],
    slab: *mut F,
    output_gradient: Option<&'a [F]>,
    input: Option<Shared<F>>,
    /// The gradients of the final states, and in their place those of the initial ones.
    state: [Shared<F>; STATES],
}

// SAFETY: threads read what is shared, and write rows of `slab`, `input` and `state` of their own positions only.
unsafe impl<F: Element, E: Sync, const GATES: usize, const STATES: usize, const SAVED: usize> Sync
    for BackwardScan<'_, F, E, GATES, STATES, SAVED>
{
}

/// What is held of the rows at some positions, while they are scanned.
struct Team<F, const STATES: usize> {
    /// The gradient of each state, `[row, padded hidden]`.
    gradients: [Buffer<F>; STATES],
    hidden_rows: Vec<*mut F>,
    /// The initial states, `[row, padded hidden]`.
    initial: [Buffer<F>; STATES],
}

impl<F, E, const GATES: usize, const STATES: usize, const SAVED: usize>
    BackwardScan<'_, F, E, GATES, STATES, SAVED>
where
    F: Element,
    E: Equations<GATES, STATES, SAVED>,
{
    /// The whole scan of all rows.
    fn run_all(&self) {
        let (teams, workers) = self.plan.share(&self.geometry);
        on_threads(teams, |team| self.run(&team, workers));
    }

    /// The whole scan of the rows at `positions`, on `workers` threads.
    fn run(&self, positions: &[usize], workers: usize) {
        let team = self.team(positions);
        let mut visits = self.plan.timetable.visits();
        visits.reverse();
        for visits in visits.chunks(rows_of_a_run(workers).div_ceil(positions.len())) {
            let run = self.steps(&team, positions, visits);
            // Each step has two phases, all steps together one more.
            let steps = 2 * visits.len();
            let phases = steps + usize::from(self.weight_ih.is_some());
            relay(workers, phases, |phase, part| match &self.weight_ih {
                Some(weight_ih) if phase == steps => {
                    self.input_gradients(&run, weight_ih, part.of(weight_ih.panels()));
                }
                _ if phase % 2 == 0 => {
                    self.step(&run.steps[phase / 2], part.of(self.geometry.panels()));
                }
                _ => self.recur(
                    &team,
                    &run.steps[phase / 2],
                    part.of(self.weight_hh.panels()),
                ),
            });
        }
        for (state, gradient) in self.state.iter().zip(&team.gradients) {
            // SAFETY: a state has all rows; nobody else touches these.
            unsafe {
                self.plan
                    .unpad(gradient, state.get(), positions, &self.geometry);
            }
        }
    }

    fn team(&self, positions: &[usize]) -> Team<F, STATES> {
        // SAFETY: a state has all rows; nobody else writes these.
        let padded = |state| unsafe { self.plan.pad(state, positions, &self.geometry) };
        let gradients = self.state.map(|state| padded(state.get().cast_const()));
        let hidden = self.geometry.padded_hidden();
        // SAFETY: the buffer has these rows.
        let row = |row: usize| unsafe { gradients[0].start().add(row * hidden) };
        Team {
            hidden_rows: (0..positions.len()).map(row).collect(),
            initial: self.initial.map(|state| padded(state.as_ptr())),
            gradients,
        }
    }

    /// Where the numbers of the steps `visits` lie.
    fn steps(
        &self,
        team: &Team<F, STATES>,
        positions: &[usize],
        visits: &[usize],
    ) -> Run<F, STATES> {
        let (timetable, d_input) = (&self.plan.timetable, self.plan.d_input);
        let mut run = Run {
            steps: Vec::with_capacity(visits.len()),
            gates: Vec::new(),
            inputs: Vec::new(),
        };
        for &t in visits {
            let alive = &positions[..timetable.alive_of(t, positions)];
            let row = |(row, &position)| self.row(team, row, position, t);
            let rows: Vec<_> = alive.iter().enumerate().map(row).collect();
            let gates = rows.iter().map(|row| row.slab.cast_const());
            if let Some(input) = self.input {
                run.gates.extend(gates.clone());
                run.inputs.extend(alive.iter().map(|&position| {
                    let first = (timetable.row(position) * self.plan.seq + t) * d_input;
                    // SAFETY: the input has this row and this step.
                    unsafe { input.get().add(first) }
                }));
            }
            run.steps.push(Step {
                gates: gates.collect(),
                rows,
            });
        }
        run
    }

    /// The gradients of the gates at one step, in some panels, and of the states before it, but for the part that flows
    /// through `h W_hh`.
    fn step(&self, step: &Step<F, STATES>, panels: Range<usize>) {
        for panel in panels {
            self.plan.isa.run(Retreat {
                equations: self.equations,
                geometry: &self.geometry,
                units: self.geometry.units_of(panel),
                slab_offset: panel * self.panel_stride(),
                unit: panel * self.geometry.units(),
                rows: &step.rows,
            });
        }
    }

    /// The part that flows through `h W_hh`, for some panels of `W_hhᵀ`.
    fn recur(&self, team: &Team<F, STATES>, step: &Step<F, STATES>, panels: Range<usize>) {
        let to = &team.hidden_rows[..step.gates.len()];
        self.transposed(&step.gates, 0, (&self.weight_hh, panels), Start::Output, to);
    }

    /// Where the numbers of one row at step `t` lie.
    fn row(&self, team: &Team<F, STATES>, row: usize, position: usize, t: usize) -> Row<F, STATES> {
        let (timetable, d_hidden) = (&self.plan.timetable, self.plan.d_hidden);
        let of_sequence = |t| (timetable.row(position) * self.plan.seq + t) * d_hidden;
        let slab = |t| timetable.slab_row(t, position) * self.geometry.row();
        let before = timetable.before(t, position);
        let padded = row * self.geometry.padded_hidden();
        // SAFETY: all of these have the row, the step and the position.
        unsafe {
            Row {
                slab: self.slab.add(slab(t)),
                slab_before: before.map(|t| self.slab.add(slab(t)).cast_const()),
                hidden: self.output.as_ptr().add(of_sequence(t)),
                hidden_before: match before {
                    Some(t) => self.output.as_ptr().add(of_sequence(t)),
                    None => team.initial[0].start().add(padded),
                },
                initial: team
                    .initial
                    .each_ref()
                    .map(|state| state.start().add(padded).cast_const()),
                output_gradient: self
                    .output_gradient
                    .map(|gradient| gradient.as_ptr().add(of_sequence(t))),
                gradients: team
                    .gradients
                    .each_ref()
                    .map(|gradient| gradient.start().add(padded)),
            }
        }
    }

    /// The gradients of the input at all steps of a run, for some panels of `W_ihᵀ`.
    fn input_gradients(
        &self,
        run: &Run<F, STATES>,
        weight_ih: &Transposed<F>,
        panels: Range<usize>,
    ) {
        let apart = self.geometry.apart * self.geometry.units();
        self.transposed(
            &run.gates,
            apart,
            (weight_ih, panels),
            Start::Zero,
            &run.inputs,
        );
    }

    /// `outputs += gates · weightᵀ`, the inner dimension in pieces that stay in the cache.
    fn transposed(
        &self,
        gates: &[*const F],
        offset: usize,
        (weight, panels): (&Transposed<F>, Range<usize>),
        start: Start<F>,
        outputs: &[*mut F],
    ) {
        /// Half of a usual second-level cache, in numbers of four bytes.
        const PIECE: usize = 1 << 16;
        let length = self.geometry.gate_columns();
        for panel in panels {
            let (panel, vectors, column) = weight.panel(panel);
            let width = vectors * self.geometry.registers.lanes;
            let longest = (PIECE / (length * width)).max(1);
            for first in (0..self.geometry.panels()).step_by(longest) {
                F::multiply(
                    self.plan.isa,
                    Product {
                        inputs: gates,
                        input_offset: offset + first * self.panel_stride(),
                        inner: Inner {
                            pieces: longest.min(self.geometry.panels() - first),
                            stride: self.panel_stride(),
                            length,
                        },
                        // SAFETY: the panel has all pieces.
                        panel: unsafe { panel.add(first * length * width) },
                        vectors,
                        start: if first == 0 { start } else { Start::Output },
                        outputs,
                        output_offset: column,
                        columns: (weight.columns() - column).min(width),
                    },
                );
            }
        }
    }

    /// From one panel of the slab to the next.
    fn panel_stride(&self) -> usize {
        self.plan.timetable.slab_rows() * self.geometry.row()
    }
}

/// Some steps whose gradients of the input are taken together.
struct Run<F, const STATES: usize> {
    steps: Vec<Step<F, STATES>>,
    /// The gradients of the gates of all rows of all steps, in panel 0, and of the same rows' inputs.
    gates: Vec<*const F>,
    inputs: Vec<*mut F>,
}

/// The rows alive at one step, and the gradients of their gates in panel 0.
struct Step<F, const STATES: usize> {
    rows: Vec<Row<F, STATES>>,
    gates: Vec<*const F>,
}

// SAFETY: threads that share a run or a team write to disjoint panels, and read others' after their phase.
unsafe impl<F: Element, const STATES: usize> Sync for Run<F, STATES> {}
// SAFETY: as above.
unsafe impl<F: Element, const STATES: usize> Sync for Team<F, STATES> {}
