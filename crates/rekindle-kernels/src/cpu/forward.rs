//! The scan itself.

use std::ops::Range;

use super::advance::{Advance, State};
use super::buffer::{Buffer, Shared, zeros};
use super::geometry::Geometry;
use super::pack::{Packed, pack_bias, pack_gates};
use super::product::{Inner, Product, Start};
use super::relay::relay;
use super::vector::Element;
use super::{Operands, Plan, on_threads};
use crate::Equations;

/// Rows of input products that are taken in one go, so that they are still in the cache when their step comes. Several
/// threads meet after each run, which costs as much as some steps.
pub(super) fn rows_of_a_run(workers: usize) -> usize {
    if workers == 1 { 64 } else { 256 }
}

/// The activations of a training scan: `[panel, slab row, slot and state, unit]`.
#[derive(Debug)]
pub(crate) struct Slab<F>(pub(super) Buffer<F>);

/// What a scan puts out.
#[derive(Debug)]
pub(crate) struct Forward<F, const STATES: usize> {
    /// `[batch, seq, d_hidden]`, zero in padding.
    pub(crate) output: Vec<F>,
    /// `[batch, d_hidden]` each.
    pub(crate) state: [Vec<F>; STATES],
}

impl Plan {
    /// All steps, keeping nothing.
    pub(crate) fn infer<F, E, const GATES: usize, const STATES: usize, const SAVED: usize>(
        &self,
        equations: &E,
        operands: Operands<'_, F, STATES>,
    ) -> Forward<F, STATES>
    where
        F: Element,
        E: Equations<GATES, STATES, SAVED>,
    {
        match self.is_short() {
            true => self.infer_directly(equations, operands),
            false => self.forward(equations, operands, None),
        }
    }

    /// All steps, and the activations that [`backward`](Self::backward) needs.
    pub(crate) fn train<F, E, const GATES: usize, const STATES: usize, const SAVED: usize>(
        &self,
        equations: &E,
        operands: Operands<'_, F, STATES>,
    ) -> (Forward<F, STATES>, Slab<F>)
    where
        F: Element,
        E: Equations<GATES, STATES, SAVED>,
    {
        let geometry = self.geometry::<F, _, GATES, STATES, SAVED>(equations);
        let rows = self.timetable.slab_rows();
        let slab = Buffer::recycled(geometry.panels() * rows * geometry.row());
        let forward = self.forward(equations, operands, Some(Shared(slab.start())));
        (forward, Slab(slab))
    }

    fn forward<F, E, const GATES: usize, const STATES: usize, const SAVED: usize>(
        &self,
        equations: &E,
        operands: Operands<'_, F, STATES>,
        slab: Option<Shared<F>>,
    ) -> Forward<F, STATES>
    where
        F: Element,
        E: Equations<GATES, STATES, SAVED>,
    {
        let geometry = self.geometry::<F, _, GATES, STATES, SAVED>(equations);
        let batch = self.timetable.batch();
        let mut output = zeros(batch * self.seq * self.d_hidden);
        let mut state = operands.state.map(<[F]>::to_vec);
        let scan = Scan {
            plan: self,
            equations,
            weight_ih: pack_gates(operands.weight_ih, self.d_input, &geometry, self),
            weight_hh: pack_gates(operands.weight_hh, self.d_hidden, &geometry, self),
            bias_ih: pack_bias(operands.biases.map(|[bias_ih, _]| bias_ih), &geometry, self),
            bias_hh: pack_bias(operands.biases.map(|[_, bias_hh]| bias_hh), &geometry, self),
            input: operands.input,
            output: Shared(output.as_mut_ptr()),
            state: state.each_mut().map(|state| Shared(state.as_mut_ptr())),
            slab,
            geometry,
        };
        let (teams, workers) = self.share(&scan.geometry);
        on_threads(teams, |team| scan.run(&team, workers));
        Forward { output, state }
    }
}

/// What all threads of a scan share.
struct Scan<'a, F, E, const GATES: usize, const STATES: usize, const SAVED: usize> {
    plan: &'a Plan,
    equations: &'a E,
    geometry: Geometry,
    weight_ih: Packed<F>,
    weight_hh: Packed<F>,
    bias_ih: Packed<F>,
    bias_hh: Packed<F>,
    input: &'a [F],
    output: Shared<F>,
    /// The initial states, and in their place the final ones.
    state: [Shared<F>; STATES],
    slab: Option<Shared<F>>,
}

// SAFETY: threads read what is shared, and write rows of `output`, `state` and `slab` of their own positions only.
unsafe impl<F: Element, E: Sync, const GATES: usize, const STATES: usize, const SAVED: usize> Sync
    for Scan<'_, F, E, GATES, STATES, SAVED>
{
}

/// What is held of the rows at some positions, while they are scanned.
struct Team<F, const STATES: usize> {
    /// Each state, `[row, padded hidden]`; of the hidden state a second copy. A step reads one and writes the other.
    states: [Buffer<F>; STATES],
    second_hidden: Buffer<F>,
    /// The hidden state's rows in both copies.
    hidden_rows: [Vec<*const F>; 2],
    /// The recurrent product of one panel: `[row, gate, unit]`.
    products: Buffer<F>,
    product_rows: Vec<*mut F>,
    /// From the products of one panel to those of the next; 0 where a single thread takes one panel after the other.
    product_stride: usize,
    /// Each row's first number in the output.
    output_rows: Vec<*mut F>,
    /// Steps in a run.
    steps: usize,
    /// Where the input products of a run go, when there is no slab.
    run: Option<Buffer<F>>,
}

// SAFETY: threads that share a team write to disjoint panels of its buffers, and read others' after their phase.
unsafe impl<F: Element, const STATES: usize> Sync for Team<F, STATES> {}

/// Some steps whose input products are taken together.
struct Run<F> {
    /// The input of each row alive, step by step.
    inputs: Vec<*const F>,
    /// The pre-activations of the same rows in panel 0.
    rows: Vec<*mut F>,
    /// From one panel of them to the next.
    panel_stride: usize,
    /// Each step, and its rows among those above.
    steps: Vec<(usize, Range<usize>)>,
}

// SAFETY: as for a team.
unsafe impl<F: Element> Sync for Run<F> {}

impl<F, E, const GATES: usize, const STATES: usize, const SAVED: usize>
    Scan<'_, F, E, GATES, STATES, SAVED>
where
    F: Element,
    E: Equations<GATES, STATES, SAVED>,
{
    /// The whole scan of the rows at `positions`, on `workers` threads.
    fn run(&self, positions: &[usize], workers: usize) {
        let team = self.team(positions, workers);
        let mut newest = 0;
        for visits in self.plan.timetable.visits().chunks(team.steps) {
            let run = self.steps(&team, positions, visits);
            relay(workers, 1 + visits.len(), |phase, part| {
                let panels = part.of(self.geometry.panels());
                match phase.checked_sub(1) {
                    None => self.input_products(&run, panels),
                    Some(step) => self.step(&team, &run, step, (newest + step) % 2, panels),
                }
            });
            newest = (newest + visits.len()) % 2;
        }
        self.finish(&team, positions, newest);
    }

    /// The initial states in padded rows.
    fn team(&self, positions: &[usize], workers: usize) -> Team<F, STATES> {
        let (rows, hidden) = (positions.len(), self.geometry.padded_hidden());
        // SAFETY: a state has all rows; nobody else touches these.
        let states = self
            .state
            .map(|state| unsafe { self.plan.pad(state.get(), positions, &self.geometry) });
        let second_hidden = Buffer::zeros(rows * hidden);
        let rows_of = |start: *mut F, stride: usize| {
            // SAFETY: the buffer has `rows` rows of `stride` numbers.
            (0..rows).map(move |row| unsafe { start.add(row * stride) })
        };
        let of_panel = rows * self.geometry.gate_columns();
        let copies = if workers == 1 {
            1
        } else {
            self.geometry.panels()
        };
        let products = Buffer::uninitialised(copies * of_panel);
        let steps = rows_of_a_run(workers).div_ceil(rows);
        let run = self
            .slab
            .is_none()
            .then(|| Buffer::uninitialised(self.geometry.panels() * steps * of_panel));
        let output = |&position: &usize| {
            let first = self.plan.timetable.row(position) * self.plan.seq * self.plan.d_hidden;
            // SAFETY: the output has this row.
            unsafe { self.output.get().add(first) }
        };
        Team {
            hidden_rows: [states[0].start(), second_hidden.start()]
                .map(|start| rows_of(start, hidden).map(<*mut F>::cast_const).collect()),
            product_rows: rows_of(products.start(), self.geometry.gate_columns()).collect(),
            product_stride: if workers == 1 { 0 } else { of_panel },
            output_rows: positions.iter().map(output).collect(),
            states,
            second_hidden,
            products,
            steps,
            run,
        }
    }

    /// Where the input products of the steps `visits` are taken from and go to.
    fn steps(&self, team: &Team<F, STATES>, positions: &[usize], visits: &[usize]) -> Run<F> {
        let timetable = &self.plan.timetable;
        let (row, panel_rows) = match &team.run {
            Some(_) => (self.geometry.gate_columns(), team.steps * positions.len()),
            None => (self.geometry.row(), timetable.slab_rows()),
        };
        let mut run = Run {
            inputs: Vec::with_capacity(visits.len() * positions.len()),
            rows: Vec::with_capacity(visits.len() * positions.len()),
            panel_stride: panel_rows * row,
            steps: Vec::with_capacity(visits.len()),
        };
        for &t in visits {
            let first = run.rows.len();
            for &position in &positions[..timetable.alive_of(t, positions)] {
                let x = (timetable.row(position) * self.plan.seq + t) * self.plan.d_input;
                run.inputs.push(self.input[x..].as_ptr());
                let (start, index) = match (&team.run, self.slab) {
                    (Some(buffer), _) => (buffer.start(), run.rows.len()),
                    (None, Some(slab)) => (slab.get(), timetable.slab_row(t, position)),
                    (None, None) => unreachable!("without a slab there is a run"),
                };
                // SAFETY: the slab or the run has this row in panel 0.
                run.rows.push(unsafe { start.add(index * row) });
            }
            run.steps.push((t, first..run.rows.len()));
        }
        run
    }

    /// `x W_ih + b_ih` of all steps of a run, for some panels.
    fn input_products(&self, run: &Run<F>, panels: Range<usize>) {
        for panel in panels {
            let product = Product {
                inputs: &run.inputs,
                input_offset: 0,
                inner: Inner::whole(self.plan.d_input),
                panel: self.weight_ih.panel(panel),
                vectors: self.geometry.gate_vectors(),
                start: Start::Row(self.bias_ih.panel(panel)),
                outputs: &run.rows,
                output_offset: panel * run.panel_stride,
                columns: self.geometry.gate_columns(),
            };
            F::multiply(self.plan.isa, product);
        }
    }

    /// One step, for some panels. `newest` says which copy of the hidden state is read.
    fn step(
        &self,
        team: &Team<F, STATES>,
        run: &Run<F>,
        step: usize,
        newest: usize,
        panels: Range<usize>,
    ) {
        let (t, rows) = &run.steps[step];
        let inputs = &run.rows[rows.clone()];
        let hidden = self.geometry.padded_hidden();
        let copies = [team.states[0].start(), team.second_hidden.start()];
        let (old, new) = (copies[newest].cast_const(), copies[1 - newest]);
        self.rest(old, new, inputs.len()..team.product_rows.len(), &panels);
        for panel in panels {
            let unit = panel * self.geometry.units();
            let product = Product {
                inputs: &team.hidden_rows[newest][..inputs.len()],
                input_offset: 0,
                inner: Inner::whole(self.plan.d_hidden),
                panel: self.weight_hh.panel(panel),
                vectors: self.geometry.gate_vectors(),
                start: Start::Row(self.bias_hh.panel(panel)),
                outputs: &team.product_rows[..inputs.len()],
                output_offset: panel * team.product_stride,
                columns: self.geometry.gate_columns(),
            };
            F::multiply(self.plan.isa, product);
            let mut states = team.states.each_ref().map(|state| State::in_place(state));
            states[0] = State { old, new };
            self.plan.isa.run(Advance {
                equations: self.equations,
                geometry: &self.geometry,
                units: self.geometry.units_of(panel),
                // SAFETY: the buffer has the products of this panel.
                products: unsafe { team.products.start().add(panel * team.product_stride) },
                product_row: self.geometry.gate_columns(),
                inputs,
                input_offset: panel * run.panel_stride,
                gate_stride: self.geometry.units(),
                states,
                state_row: hidden,
                state_offset: unit,
                outputs: &team.output_rows[..inputs.len()],
                output_offset: t * self.plan.d_hidden + unit,
                keep: self.slab.is_some(),
            });
        }
    }

    /// Copies the hidden state of rows that rest from one copy to the other, in some panels.
    fn rest(&self, old: *const F, new: *mut F, rows: Range<usize>, panels: &Range<usize>) {
        let units = self.geometry.units();
        for row in rows {
            let first = row * self.geometry.padded_hidden() + panels.start * units;
            // SAFETY: both copies have this row and these panels.
            unsafe {
                let from = old.add(first);
                new.add(first)
                    .copy_from_nonoverlapping(from, panels.len() * units);
            }
        }
    }

    /// Writes the final states.
    fn finish(&self, team: &Team<F, STATES>, positions: &[usize], newest: usize) {
        for (index, state) in self.state.iter().enumerate() {
            let padded = match (index, newest) {
                (0, 1) => &team.second_hidden,
                _ => &team.states[index],
            };
            // SAFETY: a state has all rows; nobody else touches these.
            unsafe {
                self.plan
                    .unpad(padded, state.get(), positions, &self.geometry);
            }
        }
    }
}
