//! What some rows of a batch need while they are scanned.

use std::ops::Range;

use super::advance::State;
use super::buffer::{Buffer, Shared};
use super::forward::Scan;
use super::masks::Masked;
use super::norm::HIDDEN;
use super::slab::SCALES;
use super::vector::Element;
use crate::Equations;

/// Rows of input products that are taken in one go, so that they are still in the cache when their step comes. Several
/// threads meet after each run, which costs as much as some steps.
pub(super) fn rows_of_a_run(workers: usize) -> usize {
    if workers == 1 { 64 } else { 256 }
}

/// What is held of the rows at some positions, while they are scanned.
pub(super) struct Team<F> {
    /// The hidden state times its mask, if it has one.
    pub(super) masked: Option<Masked<F>>,
    /// The memory of the states: those that the recurrent product reads in two copies, of which a step reads one and
    /// writes the other, `[row, state]`; the others in one, which is replaced in place, `[row]`. All of the geometry's
    /// row width.
    _memory: Vec<Buffer<F>>,
    /// The rows of both copies of the states that are read.
    pub(super) recurrent_rows: [Vec<*mut F>; 2],
    /// Where all states lie, when the first or the second copy is the newest.
    pub(super) states: [Vec<State<F>>; 2],
    /// The recurrent product of one panel: `[row, gate, unit]`.
    pub(super) products: Buffer<F>,
    pub(super) product_rows: Vec<*mut F>,
    /// From the products of one panel to those of the next; 0 where each panel is used up before the next one.
    pub(super) product_stride: usize,
    /// The product of the middle vector.
    pub(super) late: Option<Buffer<F>>,
    pub(super) late_rows: Vec<*mut F>,
    /// The middle vector and the hidden state before its projection, when nothing is kept.
    middle: Option<Buffer<F>>,
    shown: Option<Buffer<F>>,
    /// Steps in a run.
    pub(super) steps: usize,
    /// Where the input products of a run go, when nothing is kept.
    pub(super) run: Option<Buffer<F>>,
    /// What norms multiply each row of a run with, when nothing is kept: `[row, norm]`.
    scales: Option<Buffer<F>>,
}

// SAFETY: threads that share a team write to disjoint panels of its buffers, and read others' after their phase.
unsafe impl<F: Element> Sync for Team<F> {}

/// Some steps whose input products are taken together. Rows are those alive, step by step.
pub(super) struct Run<F> {
    /// The input of each row.
    pub(super) inputs: Vec<*const F>,
    /// The pre-activations of each row in panel 0.
    pub(super) rows: Vec<*mut F>,
    /// From one panel of them to the next.
    pub(super) panel_stride: usize,
    /// The output of each row.
    pub(super) output_rows: Vec<*mut F>,
    /// The middle vector of each row, if there is one.
    pub(super) middle_rows: Vec<*mut F>,
    /// The hidden state of each row before its projection, if there is one.
    pub(super) shown_rows: Vec<*mut F>,
    /// What each state keeps in each row; an empty list: nothing.
    pub(super) keep_rows: Vec<Vec<*const F>>,
    /// The mask of the candidate in each row, if it has one.
    pub(super) factor_rows: Vec<*const F>,
    /// What each norm multiplies each row with, if there are norms.
    pub(super) scale_rows: [Vec<*mut F>; SCALES],
    /// In training, the states besides the hidden one that the product of each row reads.
    pub(super) read_rows: Vec<Vec<*mut F>>,
    /// The rows of each step among those above.
    pub(super) steps: Vec<Range<usize>>,
}

// SAFETY: as for a team.
unsafe impl<F: Element> Sync for Run<F> {}

/// The same rows, to read.
pub(super) fn readable<F>(rows: &[*mut F]) -> &[*const F] {
    // SAFETY: pointers to read and to write have the same layout.
    unsafe { std::slice::from_raw_parts(rows.as_ptr().cast(), rows.len()) }
}

/// The first number of each of `rows` rows.
fn rows_of<F>(start: *mut F, rows: usize, stride: usize) -> Vec<*mut F> {
    // SAFETY: the caller's buffer has these rows.
    (0..rows)
        .map(|row| unsafe { start.add(row * stride) })
        .collect()
}

impl<F: Element, E: Equations> Scan<'_, F, E> {
    /// The initial states in padded rows, and room for all else.
    pub(super) fn team(&self, positions: &[usize], workers: usize) -> Team<F> {
        let geometry = &self.geometry;
        let (rows, width) = (positions.len(), geometry.row_width());
        let recurrent: [Buffer<F>; 2] =
            std::array::from_fn(|_| Buffer::zeros(rows * geometry.reads * width));
        let others: Vec<Buffer<F>> = (geometry.reads..self.state.len())
            .map(|_| Buffer::zeros(rows * width))
            .collect();
        let states = [0, 1].map(|newest| self.states(&recurrent, &others, newest));
        for (index, (state, at)) in self.state.iter().zip(&states[0]).enumerate() {
            let columns = self.geometry.state_width(index);
            // SAFETY: state and rows have these columns; nobody else touches these rows.
            unsafe {
                self.plan
                    .pad(state.get(), columns, positions, (at.old.cast_mut(), at.row));
            }
        }
        let recurrent_rows =
            (recurrent.each_ref()).map(|copy| rows_of(copy.start(), rows, geometry.reads * width));
        let of_panel = rows * geometry.gate_columns();
        let alone = workers == 1 && !geometry.middle && !geometry.normed[HIDDEN];
        let copies = if alone { 1 } else { geometry.panels() };
        let products = Buffer::uninitialised(copies * of_panel);
        let steps = rows_of_a_run(workers).div_ceil(rows);
        let inferring = self.kept.is_none();
        let row = || Buffer::zeros(rows * width);
        let late = geometry.middle.then(row);
        let late_start = late.as_ref().map(Buffer::start);
        Team {
            masked: self.masked(positions, &recurrent_rows[0]),
            recurrent_rows,
            _memory: recurrent.into_iter().chain(others).collect(),
            states,
            product_rows: rows_of(products.start(), rows, geometry.gate_columns()),
            products,
            product_stride: if alone { 0 } else { of_panel },
            late_rows: late_start.map_or_else(Vec::new, |start| rows_of(start, rows, width)),
            late,
            middle: (inferring && geometry.middle).then(row),
            shown: (inferring && geometry.projected.is_some()).then(row),
            steps,
            run: inferring.then(|| {
                Buffer::uninitialised(geometry.panels() * steps * rows * self.row_of_a_run())
            }),
            scales: (inferring && geometry.has_norms())
                .then(|| Buffer::uninitialised(steps * rows * SCALES)),
        }
    }

    /// Numbers of a row of a panel in a run, when nothing is kept: norms need all that is kept otherwise.
    fn row_of_a_run(&self) -> usize {
        match self.geometry.has_norms() {
            true => self.geometry.row(),
            false => self.geometry.gate_columns(),
        }
    }

    /// The hidden states of the rows at `positions`, which stand at `states`, times their masks.
    fn masked(&self, positions: &[usize], states: &[*mut F]) -> Option<Masked<F>> {
        let width = self.geometry.d_output();
        let row = |position: usize| self.plan.timetable.row(position);
        let mask = |&position: &usize| self.masks.hidden_row(width, row(position));
        let masks: Option<Vec<*const F>> = positions.iter().map(mask).collect();
        let row_width = self.geometry.row_width();
        masks.map(|masks| Masked::new(states, masks, width, row_width))
    }

    /// Where all states lie, when copy `newest` of those that are read is the newest.
    fn states(
        &self,
        recurrent: &[Buffer<F>; 2],
        others: &[Buffer<F>],
        newest: usize,
    ) -> Vec<State<F>> {
        let width = self.geometry.row_width();
        let read = (0..self.geometry.reads).map(|state| {
            // SAFETY: both copies have this state.
            let at = |copy: usize| unsafe { recurrent[copy].start().add(state * width) };
            State {
                old: at(newest).cast_const(),
                new: at(1 - newest),
                row: self.geometry.reads * width,
            }
        });
        let others = others.iter().map(|state| State {
            old: state.start().cast_const(),
            new: state.start(),
            row: width,
        });
        read.chain(others).collect()
    }

    /// Where the numbers of the steps `visits` are taken from and go to.
    pub(super) fn steps(&self, team: &Team<F>, positions: &[usize], visits: &[usize]) -> Run<F> {
        let plan = self.plan;
        let (row, panel_rows) = match &team.run {
            Some(_) => (self.row_of_a_run(), team.steps * positions.len()),
            None => (self.geometry.row(), plan.timetable.slab_rows()),
        };
        let mut run = Run::new(visits.len() * positions.len(), panel_rows * row);
        let kept = self.kept.as_ref();
        run.read_rows = kept.map_or_else(Vec::new, |kept| vec![Vec::new(); kept.read.len()]);
        run.keep_rows = vec![Vec::new(); self.masks.kept()];
        for &t in visits {
            let first = run.rows.len();
            let alive = &positions[..plan.timetable.alive_of(t, positions)];
            for (index, &position) in alive.iter().enumerate() {
                let at = plan.at(plan.timetable.row(position), t);
                let slab_row = plan.timetable.slab_row(t, position);
                self.add_masks(&mut run, [plan.timetable.row(position), t]);
                self.add_kept(&mut run, team, [slab_row, index]);
                let (start, place) = match (&team.run, kept) {
                    (Some(buffer), _) => (buffer.start(), run.rows.len()),
                    (None, Some(kept)) => (kept.activations.get(), slab_row),
                    (None, None) => unreachable!("what is not kept goes to a run"),
                };
                run.inputs.push(self.input[at * plan.d_input..].as_ptr());
                // SAFETY: the slab or the run has this row in panel 0, the output this step.
                unsafe {
                    run.rows.push(start.add(place * row));
                    let output = self.output.get().add(at * self.geometry.d_output());
                    run.output_rows.push(output);
                }
            }
            run.steps.push(first..run.rows.len());
        }
        run
    }

    /// Adds the masks of a batch row at a step to a run.
    fn add_masks(&self, run: &mut Run<F>, visit: [usize; 2]) {
        let factor = self.masks.candidate_row(self.plan, visit);
        run.factor_rows.extend(factor);
        for (state, rows) in run.keep_rows.iter_mut().enumerate() {
            rows.extend(self.masks.keep_row(self.plan, state, visit));
        }
    }

    /// Adds the next row of a run in the sequences that are kept, at slab row `slab_row`, or else in what the team holds
    /// for its row `index`.
    fn add_kept(&self, run: &mut Run<F>, team: &Team<F>, [slab_row, index]: [usize; 2]) {
        let (kept, width) = (self.kept.as_ref(), self.geometry.row_width());
        let sequence = |kept: Option<Shared<F>>, held: &Option<Buffer<F>>| {
            let place = match (kept, held) {
                (Some(kept), _) => Some((kept.get(), slab_row)),
                (None, Some(held)) => Some((held.start(), index)),
                (None, None) => None,
            };
            // SAFETY: the sequence or the team has this row.
            place.map(|(start, row)| unsafe { start.add(row * width) })
        };
        let middle = kept.and_then(|kept| kept.middle);
        let shown = kept.and_then(|kept| kept.shown);
        run.middle_rows.extend(sequence(middle, &team.middle));
        run.shown_rows.extend(sequence(shown, &team.shown));
        for (state, rows) in run.read_rows.iter_mut().enumerate() {
            rows.extend(sequence(kept.map(|kept| kept.read[state]), &None));
        }
        let scales = match (&team.scales, kept.and_then(|kept| kept.scales)) {
            (Some(held), _) => Some((held.start(), run.rows.len())),
            (None, kept) => kept.map(|kept| (kept.get(), slab_row)),
        };
        if let Some((scales, row)) = scales {
            for (norm, rows) in run.scale_rows.iter_mut().enumerate() {
                // SAFETY: there are scales of this row.
                rows.push(unsafe { scales.add(row * SCALES + norm) });
            }
        }
    }

    /// Writes the final states.
    pub(super) fn finish(&self, team: &Team<F>, positions: &[usize], newest: usize) {
        for (index, (state, at)) in self.state.iter().zip(&team.states[newest]).enumerate() {
            let columns = self.geometry.state_width(index);
            // SAFETY: state and rows have these columns; nobody else touches these rows.
            unsafe {
                self.plan
                    .unpad((at.old, at.row), state.get(), columns, positions);
            }
        }
    }
}

impl<F> Run<F> {
    /// A run of up to `rows` rows, without any yet.
    fn new(rows: usize, panel_stride: usize) -> Self {
        Self {
            inputs: Vec::with_capacity(rows),
            rows: Vec::with_capacity(rows),
            panel_stride,
            output_rows: Vec::with_capacity(rows),
            middle_rows: Vec::new(),
            shown_rows: Vec::new(),
            keep_rows: Vec::new(),
            factor_rows: Vec::new(),
            scale_rows: Default::default(),
            read_rows: Vec::new(),
            steps: Vec::new(),
        }
    }
}
