//! What some rows of a batch need while they are scanned backwards.

use super::backward::BackwardScan;
use super::buffer::Buffer;
use super::norm::{Norm, NormSums, SHOWN};
use super::retreat::{Row, RowMasks};
use super::slab::SCALES;
use super::team::readable;
use super::vector::Element;
use crate::{Array, Equations};

/// What is held of the rows at some positions, while they are scanned backwards. All rows are of the geometry's width.
pub(super) struct BackwardTeam<F> {
    /// The gradient of each state.
    gradients: Vec<Buffer<F>>,
    pub(super) gradient_rows: Vec<Vec<*mut F>>,
    /// The gradient of the masked hidden state by the recurrent product and the mask, if there is one.
    _masked: Option<Buffer<F>>,
    pub(super) masked_rows: Vec<*mut F>,
    pub(super) masks: Vec<*const F>,
    /// The gradient of the last state by its norm, if there is one.
    content: Option<Buffer<F>>,
    pub(super) content_rows: Vec<*const F>,
    /// What the gradients of each norm's gain and shift add to, row by row.
    pub(super) sums: [Option<[Vec<*mut F>; 2]>; 3],
    /// The initial states.
    initial: Vec<Buffer<F>>,
    /// The gradient of the hidden state before its projection, if there is one.
    shown: Option<Buffer<F>>,
    pub(super) shown_rows: Vec<*mut F>,
    /// The gradient of the last gate, and that of the middle vector, if there is one.
    late: Option<Buffer<F>>,
    pub(super) late_rows: Vec<*const F>,
    middle: Option<Buffer<F>>,
    pub(super) middle_rows: Vec<*mut F>,
    /// The gradients of the numbers that units have for themselves: `[number, row]`.
    units: Option<Buffer<F>>,
    /// From one parameter's to the next one's.
    pub(super) unit_stride: usize,
}

// SAFETY: threads that share a team write to disjoint panels, and read others' after their phase.
unsafe impl<F: Element> Sync for BackwardTeam<F> {}

/// Some steps whose gradients of the input are taken together.
pub(super) struct Run<F, E: Equations> {
    pub(super) steps: Vec<Step<F, E>>,
    /// The gradients of the gates of all rows of all steps, in panel 0, and of the same rows' inputs.
    pub(super) gates: Vec<*const F>,
    pub(super) inputs: Vec<*mut F>,
}

// SAFETY: as for a team.
unsafe impl<F: Element, E: Equations> Sync for Run<F, E> {}

/// The rows alive at one step.
pub(super) struct Step<F, E: Equations> {
    pub(super) rows: Vec<Row<F, E>>,
    /// The step itself.
    pub(super) visit: usize,
    /// The positions of the rows, if their gradients are watched.
    pub(super) positions: Vec<usize>,
    /// The gradients of their gates in panel 0.
    pub(super) gates: Vec<*const F>,
    /// What norms have multiplied them with: one number for each norm.
    pub(super) scales: Vec<*const F>,
    /// The gradients of their projected hidden states, if they are projected.
    pub(super) projected: Vec<*const F>,
    /// The gradients of the output at this step, in the same case.
    pub(super) outputs: Vec<Option<*const F>>,
}

impl<F: Element, E: Equations> BackwardScan<'_, F, E> {
    pub(super) fn team(&self, positions: &[usize]) -> BackwardTeam<F> {
        let (geometry, rows) = (&self.geometry, positions.len());
        let width = geometry.row_width();
        let buffer = || -> Buffer<F> { Buffer::zeros(rows * width) };
        // SAFETY: each buffer has these rows.
        let row = |start: *mut F| (0..rows).map(move |row| unsafe { start.add(row * width) });
        let padded = |index, state| self.padded(index, state, positions);
        let state = self.state.iter().enumerate();
        let gradients: Vec<Buffer<F>> = state
            .map(|(index, state)| padded(index, state.get().cast_const()))
            .collect();
        let initial = self.initial.iter().enumerate();
        let all = |buffer: &Option<Buffer<F>>| -> Vec<*mut F> {
            (buffer.iter().flat_map(|buffer| row(buffer.start()))).collect()
        };
        let shown = geometry.projected.map(|_| buffer());
        let masked = self.masks.hidden.map(|_| buffer());
        let content = geometry.normed[SHOWN].then(buffer);
        let batch_rows = (positions.iter()).map(|&position| self.plan.timetable.row(position));
        let sums = |norm: &Option<(Norm<F>, NormSums<F>)>| {
            norm.as_ref().map(|(_, sums)| sums.rows(batch_rows.clone()))
        };
        let mask = |row: usize| self.masks.hidden_row(geometry.d_output(), row);
        let [late, middle] = [(); 2].map(|()| geometry.middle.then(buffer));
        BackwardTeam {
            gradient_rows: gradients
                .iter()
                .map(|gradient| row(gradient.start()).collect())
                .collect(),
            gradients,
            initial: initial
                .map(|(index, state)| padded(index, state.as_ptr()))
                .collect(),
            content_rows: readable(&all(&content)).to_vec(),
            content,
            sums: self.norms.each_ref().map(sums),
            masked_rows: all(&masked),
            _masked: masked,
            masks: batch_rows.clone().filter_map(mask).collect(),
            shown_rows: all(&shown),
            shown,
            late_rows: readable(&all(&late)).to_vec(),
            late,
            middle_rows: all(&middle),
            middle,
            units: (!self.units.is_empty())
                .then(|| Buffer::zeros(geometry.unit_values * rows * width)),
            unit_stride: rows * width,
        }
    }

    /// The rows at `positions` of state `index`, or of its gradient, in rows of the geometry's width.
    fn padded(&self, index: usize, state: *const F, positions: &[usize]) -> Buffer<F> {
        let width = self.geometry.row_width();
        let buffer: Buffer<F> = Buffer::zeros(positions.len() * width);
        let columns = self.geometry.state_width(index);
        // SAFETY: state and buffer have these columns; nobody else writes these rows.
        unsafe { (self.plan).pad(state, columns, positions, (buffer.start(), width)) };
        buffer
    }

    /// Where the numbers of the steps `visits` lie.
    pub(super) fn steps(
        &self,
        team: &BackwardTeam<F>,
        positions: &[usize],
        visits: &[usize],
    ) -> Run<F, E> {
        let (timetable, d_input) = (&self.plan.timetable, self.plan.d_input);
        let mut run = Run {
            steps: Vec::with_capacity(visits.len()),
            gates: Vec::new(),
            inputs: Vec::new(),
        };
        for &t in visits {
            let alive = &positions[..timetable.alive_of(t, positions)];
            let step = self.step(team, alive, t);
            if let Some(input) = self.input {
                run.gates.extend(&step.gates);
                run.inputs.extend(alive.iter().map(|&position| {
                    let first = self.plan.at(timetable.row(position), t) * d_input;
                    // SAFETY: the input has this row and this step.
                    unsafe { input.get().add(first) }
                }));
            }
            run.steps.push(step);
        }
        run
    }

    /// Where the numbers of the rows alive at step `t` lie.
    fn step(&self, team: &BackwardTeam<F>, alive: &[usize], t: usize) -> Step<F, E> {
        let rows = alive.iter().enumerate();
        let rows: Vec<Row<F, E>> = rows
            .map(|(row, &position)| self.row(team, row, position, t))
            .collect();
        let is_projected = self.geometry.projected.is_some();
        let projected = alive.iter().filter(|_| is_projected);
        Step {
            gates: rows.iter().map(|row| row.slab.cast_const()).collect(),
            scales: self.scales(alive, t),
            visit: t,
            positions: match self.plan.flow {
                Some(_) => alive.to_vec(),
                None => Vec::new(),
            },
            projected: projected
                .clone()
                .map(|&position| self.kept_row(self.projected.start(), t, position))
                .collect(),
            outputs: projected
                .map(|&position| self.output_gradient_at(t, position))
                .collect(),
            rows,
        }
    }

    /// What norms have multiplied rows with at step `t`.
    fn scales(&self, alive: &[usize], t: usize) -> Vec<*const F> {
        let Some(scales) = self.kept.scales else {
            return Vec::new();
        };
        // SAFETY: there are scales of each valid step.
        let of = |&position: &usize| unsafe {
            let row = self.plan.timetable.slab_row(t, position);
            scales.get().add(row * SCALES).cast_const()
        };
        alive.iter().map(of).collect()
    }

    /// The gradient of the output of a row at step `t`.
    fn output_gradient_at(&self, t: usize, position: usize) -> Option<*const F> {
        let at = self.plan.at(self.plan.timetable.row(position), t) * self.geometry.d_output();
        let gradient = self.output_gradient?;
        Some(gradient[at..].as_ptr())
    }

    /// The row of a kept sequence at step `t`.
    fn kept_row(&self, start: *mut F, t: usize, position: usize) -> *const F {
        let row = self.plan.timetable.slab_row(t, position);
        // SAFETY: a kept sequence has a row for each valid step.
        unsafe { start.add(row * self.geometry.row_width()) }
    }

    /// Where the numbers of one row at step `t` lie.
    fn row(&self, team: &BackwardTeam<F>, row: usize, position: usize, t: usize) -> Row<F, E> {
        let (timetable, d_output) = (&self.plan.timetable, self.geometry.d_output());
        let of_sequence = |t| self.plan.at(timetable.row(position), t) * d_output;
        let slab = |t| timetable.slab_row(t, position) * self.geometry.row();
        let before = timetable.before(t, position);
        let padded = row * self.geometry.row_width();
        let is_projected = self.geometry.projected.is_some();
        // SAFETY: all of these have the row, the step and the position.
        unsafe {
            let activations = self.kept.activations.get();
            let held = |buffer: &Option<Buffer<F>>| {
                (buffer.as_ref()).map(|buffer| buffer.start().add(padded))
            };
            let initial = |state: usize| team.initial[state].start().add(padded).cast_const();
            let (hidden, hidden_before) = match (self.kept.shown, before) {
                (Some(shown), _) => [self.kept_row(shown.get(), t, position); 2].into(),
                (None, Some(before)) => (
                    self.output.as_ptr().add(of_sequence(t)),
                    self.output.as_ptr().add(of_sequence(before)),
                ),
                (None, None) => (self.output.as_ptr().add(of_sequence(t)), initial(0)),
            };
            Row {
                slab: activations.add(slab(t)),
                slab_before: before.map(|t| activations.add(slab(t)).cast_const()),
                hidden,
                hidden_before,
                initial: E::States::from_fn(initial),
                output_gradient: (self.output_gradient_at(t, position)).filter(|_| !is_projected),
                gradients: E::States::from_fn(|state| team.gradients[state].start().add(padded)),
                shown_gradient: held(&team.shown).map(<*mut F>::cast_const),
                late_gradient: held(&team.late),
                middle_gradient: held(&team.middle).map(<*mut F>::cast_const),
                unit_gradients: held(&team.units),
                content_gradient: held(&team.content),
                masks: self.row_masks([timetable.row(position), t]),
            }
        }
    }

    /// What masks do to a batch row at step `t`.
    fn row_masks(&self, visit: [usize; 2]) -> Option<Box<RowMasks<F, E>>> {
        let masking = &self.plan.masking;
        (masking.candidate || self.geometry.blends).then(|| {
            Box::new(RowMasks {
                keep: E::States::from_fn(|state| self.masks.keep_row(self.plan, state, visit)),
                factor: self.masks.candidate_row(self.plan, visit),
            })
        })
    }

    /// Writes the gradients of the initial states and of the units' parameters.
    pub(super) fn finish(&self, team: &BackwardTeam<F>, positions: &[usize]) {
        let width = self.geometry.row_width();
        for (index, (state, gradient)) in self.state.iter().zip(&team.gradients).enumerate() {
            let columns = self.geometry.state_width(index);
            let from = gradient.start().cast_const();
            // SAFETY: a state has all rows; nobody else touches these.
            unsafe { (self.plan).unpad((from, width), state.get(), columns, positions) };
        }
        let Some(units) = &team.units else {
            return;
        };
        for (index, to) in self.units.iter().enumerate() {
            // SAFETY: as above; the buffer has a row of each parameter for each position.
            unsafe {
                let from = units.start().add(index * team.unit_stride).cast_const();
                (self.plan).unpad((from, width), to.get(), self.plan.d_hidden, positions);
            }
        }
    }
}
