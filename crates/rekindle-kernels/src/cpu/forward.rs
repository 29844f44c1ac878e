//! The scan itself.

use pulp::{Simd, WithSimd};

use super::buffer::{Buffer, Shared};
use super::geometry::Geometry;
use super::pack::{Packed, pack_bias, pack_gates};
use super::product::{Inner, Product, Start};
use super::vector::{Element, Vector};
use super::{Operands, Plan, on_threads};
use crate::Equations;

/// Rows of input products that are taken in one go, so that they are still in the cache when their step comes.
pub(super) const ROWS_OF_A_RUN: usize = 64;

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
        let slab = Buffer::uninitialised(geometry.panels() * rows * geometry.row());
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
        let mut output = vec![F::default(); batch * self.seq * self.d_hidden];
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
        let weights = (self.d_input + self.d_hidden) * GATES * self.d_hidden;
        let threads = self.threads_for(self.timetable.slab_rows() * weights);
        on_threads(self.timetable.deal(threads), |team| scan.run(&team));
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

/// What one thread holds of the rows at its positions.
struct Team<F, const STATES: usize> {
    /// Each state, `[row, padded hidden]`; of the hidden state a second copy, which the next step is written to.
    states: [Buffer<F>; STATES],
    next_hidden: Buffer<F>,
    /// Whether the newest hidden state is in the second copy.
    swapped: bool,
    /// The hidden state's rows in both copies.
    hidden_rows: [Vec<*const F>; 2],
    /// The recurrent product of one panel: `[row, gate, unit]`.
    products: Buffer<F>,
    product_rows: Vec<*mut F>,
    /// Each row's first number in the output.
    output_rows: Vec<*mut F>,
    /// Where the input products of a run of steps go, when there is no slab.
    run: Option<Buffer<F>>,
}

/// Where the input products of a run of steps lie.
struct Run<F> {
    /// The pre-activations in panel 0, row by row, step by step.
    rows: Vec<*mut F>,
    /// From one panel to the next.
    panel_stride: usize,
}

impl<F, E, const GATES: usize, const STATES: usize, const SAVED: usize>
    Scan<'_, F, E, GATES, STATES, SAVED>
where
    F: Element,
    E: Equations<GATES, STATES, SAVED>,
{
    /// The whole scan of the rows at `positions`.
    fn run(&self, positions: &[usize]) {
        let mut team = self.team(positions);
        let visits = self.plan.timetable.visits();
        let steps = ROWS_OF_A_RUN.div_ceil(positions.len());
        for visits in visits.chunks(steps) {
            let run = self.input_products(&team, positions, visits);
            let mut first = 0;
            for &t in visits {
                let alive = self.plan.timetable.alive_of(t, positions);
                self.step(
                    &mut team,
                    t,
                    &run.rows[first..first + alive],
                    run.panel_stride,
                );
                first += alive;
            }
        }
        self.finish(&team, positions);
    }

    /// The initial states in padded rows.
    fn team(&self, positions: &[usize]) -> Team<F, STATES> {
        let (rows, hidden) = (positions.len(), self.geometry.padded_hidden());
        let states: [Buffer<F>; STATES] = std::array::from_fn(|_| Buffer::zeros(rows * hidden));
        for (state, buffer) in self.state.iter().zip(&states) {
            for (row, &position) in positions.iter().enumerate() {
                let from = self.plan.timetable.row(position) * self.plan.d_hidden;
                // SAFETY: both have `d_hidden` numbers there; nobody else touches this row of the state.
                unsafe {
                    let from = state.get().add(from).cast_const();
                    let to = buffer.start().add(row * hidden);
                    to.copy_from_nonoverlapping(from, self.plan.d_hidden);
                }
            }
        }
        let next_hidden = Buffer::zeros(rows * hidden);
        let rows_of = |start: *mut F, stride: usize| {
            // SAFETY: the buffer has `rows` rows of `stride` numbers.
            (0..rows).map(move |row| unsafe { start.add(row * stride) })
        };
        let products = Buffer::uninitialised(rows * self.geometry.gate_columns());
        let run = self.slab.is_none().then(|| {
            let rows = ROWS_OF_A_RUN.div_ceil(rows) * rows;
            Buffer::uninitialised(self.geometry.panels() * rows * self.geometry.gate_columns())
        });
        let output = |&position: &usize| {
            let row = self.plan.timetable.row(position);
            // SAFETY: the output has this row.
            unsafe {
                self.output
                    .get()
                    .add(row * self.plan.seq * self.plan.d_hidden)
            }
        };
        Team {
            hidden_rows: [states[0].start(), next_hidden.start()]
                .map(|start| rows_of(start, hidden).map(<*mut F>::cast_const).collect()),
            product_rows: rows_of(products.start(), self.geometry.gate_columns()).collect(),
            output_rows: positions.iter().map(output).collect(),
            swapped: false,
            states,
            next_hidden,
            products,
            run,
        }
    }

    /// `x W_ih + b_ih` of the steps `visits`, for all panels.
    fn input_products(
        &self,
        team: &Team<F, STATES>,
        positions: &[usize],
        visits: &[usize],
    ) -> Run<F> {
        let timetable = &self.plan.timetable;
        let (row, slab_rows) = match &team.run {
            Some(_) => (
                self.geometry.gate_columns(),
                ROWS_OF_A_RUN.div_ceil(positions.len()) * positions.len(),
            ),
            None => (self.geometry.row(), timetable.slab_rows()),
        };
        let mut inputs = Vec::with_capacity(visits.len() * positions.len());
        let mut rows = Vec::with_capacity(inputs.capacity());
        for &t in visits {
            for &position in &positions[..timetable.alive_of(t, positions)] {
                let x = (timetable.row(position) * self.plan.seq + t) * self.plan.d_input;
                inputs.push(self.input[x..].as_ptr());
                let start = match (&team.run, self.slab) {
                    (Some(run), _) => (run.start(), rows.len()),
                    (None, Some(slab)) => (slab.get(), timetable.slab_row(t, position)),
                    (None, None) => unreachable!("without a slab there is a run"),
                };
                // SAFETY: the slab or the run has this row in panel 0.
                rows.push(unsafe { start.0.add(start.1 * row) });
            }
        }
        let panel_stride = slab_rows * row;
        for panel in 0..self.geometry.panels() {
            F::multiply(
                self.plan.isa,
                Product {
                    inputs: &inputs,
                    input_offset: 0,
                    inner: Inner::whole(self.plan.d_input),
                    panel: self.weight_ih.panel(panel),
                    vectors: self.geometry.gate_vectors(),
                    start: Start::Row(self.bias_ih.panel(panel)),
                    outputs: &rows,
                    output_offset: panel * panel_stride,
                    columns: self.geometry.gate_columns(),
                },
            );
        }
        Run { rows, panel_stride }
    }

    /// One step of the rows alive at `t`.
    fn step(&self, team: &mut Team<F, STATES>, t: usize, inputs: &[*mut F], panel_stride: usize) {
        let alive = inputs.len();
        let hidden = self.geometry.padded_hidden();
        let newest = usize::from(team.swapped);
        let copies = [team.states[0].start(), team.next_hidden.start()];
        let [old, new] = [copies[newest], copies[1 - newest]];
        for panel in 0..self.geometry.panels() {
            F::multiply(
                self.plan.isa,
                Product {
                    inputs: &team.hidden_rows[newest][..alive],
                    input_offset: 0,
                    inner: Inner::whole(self.plan.d_hidden),
                    panel: self.weight_hh.panel(panel),
                    vectors: self.geometry.gate_vectors(),
                    start: Start::Row(self.bias_hh.panel(panel)),
                    outputs: &team.product_rows[..alive],
                    output_offset: 0,
                    columns: self.geometry.gate_columns(),
                },
            );
            let unit = panel * self.geometry.units();
            let mut states: [_; STATES] = team.states.each_ref().map(|state| State {
                old: state.start().cast_const(),
                new: state.start(),
            });
            states[0] = State {
                old: old.cast_const(),
                new,
            };
            self.plan.isa.run(Advance {
                equations: self.equations,
                geometry: &self.geometry,
                units: self.geometry.units_of(panel),
                products: team.products.start(),
                product_row: self.geometry.gate_columns(),
                inputs,
                input_offset: panel * panel_stride,
                gate_stride: self.geometry.units(),
                states,
                state_row: hidden,
                state_offset: unit,
                outputs: &team.output_rows[..alive],
                output_offset: t * self.plan.d_hidden + unit,
                keep: self.slab.is_some(),
            });
        }
        let resting = team.product_rows.len() - alive;
        // SAFETY: both copies have all rows; a row that rests keeps its hidden state in either.
        unsafe {
            let from = old.add(alive * hidden).cast_const();
            new.add(alive * hidden)
                .copy_from_nonoverlapping(from, resting * hidden);
        }
        team.swapped = !team.swapped;
    }

    /// Writes the final states.
    fn finish(&self, team: &Team<F, STATES>, positions: &[usize]) {
        let hidden = self.geometry.padded_hidden();
        for (s, state) in self.state.iter().enumerate() {
            let from = match (s, team.swapped) {
                (0, true) => team.next_hidden.start(),
                _ => team.states[s].start(),
            };
            for (row, &position) in positions.iter().enumerate() {
                let to = self.plan.timetable.row(position) * self.plan.d_hidden;
                // SAFETY: both have `d_hidden` numbers there; nobody else touches this row of the state.
                unsafe {
                    let to = state.get().add(to);
                    let from = from.add(row * hidden).cast_const();
                    to.copy_from_nonoverlapping(from, self.plan.d_hidden);
                }
            }
        }
    }
}

/// Where one state lies before and after a step.
#[derive(Clone, Copy)]
pub(super) struct State<F> {
    pub(super) old: *const F,
    pub(super) new: *mut F,
}

/// A cell's equations on one panel of all rows of a step.
pub(super) struct Advance<'a, F, E, const GATES: usize, const STATES: usize, const SAVED: usize> {
    pub(super) equations: &'a E,
    pub(super) geometry: &'a Geometry,
    /// Units of this panel that there really are.
    pub(super) units: usize,
    /// `h W_hh + b_hh` of this panel in the first row, and from one row to the next.
    pub(super) products: *const F,
    pub(super) product_row: usize,
    /// `x W_ih + b_ih`, one row each, and where this panel starts in it; in training the activations take its place.
    pub(super) inputs: &'a [*mut F],
    pub(super) input_offset: usize,
    /// From one gate to the next in both products, and from one slot to the next.
    pub(super) gate_stride: usize,
    pub(super) states: [State<F>; STATES],
    /// From one row of a state to the next, and to this panel's first unit.
    pub(super) state_row: usize,
    pub(super) state_offset: usize,
    pub(super) outputs: &'a [*mut F],
    pub(super) output_offset: usize,
    /// Whether to put the activations and the new states in the place of the input product.
    pub(super) keep: bool,
}

impl<F, E, const GATES: usize, const STATES: usize, const SAVED: usize> WithSimd
    for Advance<'_, F, E, GATES, STATES, SAVED>
where
    F: Element,
    E: Equations<GATES, STATES, SAVED>,
{
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for row in 0..self.inputs.len() {
            let mut unit = 0;
            while unit < self.units {
                // SAFETY: who builds this answers for its pointers; row and units are in range of them.
                unsafe { self.units::<F::Vector<S>>(simd, row, unit) };
                unit += F::Vector::<S>::LANES;
            }
        }
    }
}

impl<F, E, const GATES: usize, const STATES: usize, const SAVED: usize>
    Advance<'_, F, E, GATES, STATES, SAVED>
where
    F: Element,
    E: Equations<GATES, STATES, SAVED>,
{
    /// The units in one register, from `unit` on.
    #[inline(always)]
    unsafe fn units<V: Vector<Element = F>>(&self, simd: V::Simd, row: usize, unit: usize) {
        let stride = self.gate_stride;
        let state = row * self.state_row + self.state_offset + unit;
        // SAFETY: a row of a panel has `stride` numbers for each gate, slot and state.
        unsafe {
            let slots = self.inputs.get_unchecked(row).add(self.input_offset + unit);
            let products = self.products.add(row * self.product_row + unit);
            let input = std::array::from_fn(|gate| V::load(simd, slots.add(gate * stride)));
            let hidden = std::array::from_fn(|gate| V::load(simd, products.add(gate * stride)));
            let old = self.states.map(|at| V::load(simd, at.old.add(state)));
            let (new, saved) = self.equations.forward(input, hidden, old);

            for (at, new) in self.states.iter().zip(new) {
                new.store(at.new.add(state));
            }
            let output = self
                .outputs
                .get_unchecked(row)
                .add(self.output_offset + unit);
            match self.units - unit {
                count if count < V::LANES => new[0].store_first(output, count),
                _ => new[0].store(output),
            }
            if self.keep {
                for (slot, saved) in saved.into_iter().enumerate() {
                    saved.store(slots.add(slot * stride));
                }
                for (extra, new) in new.into_iter().skip(1).enumerate() {
                    new.store(slots.add((self.geometry.slots() + extra) * stride));
                }
            }
        }
    }
}
