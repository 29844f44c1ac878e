//! Norms as phases of a scan: by rows, or step by step by panels.

use std::ops::Range;

use super::super::backward::BackwardScan;
use super::super::backward_team::{self, BackwardTeam};
use super::super::forward::{Scan, Step};
use super::super::team::{Run, readable};
use super::super::vector::Element;
use super::{
    Denormalize, DenormalizeColumns, HIDDEN, INPUT, Norm, Normalize, NormalizeColumns, Places,
};
use crate::Equations;

/// What a norm reads and writes besides x̂: from where, and to where.
type Way<'a, F> = [Places<'a, F>; 2];

impl<F: Element> Norm<F> {
    /// How many parts a phase has that takes this norm of `rows` rows: panels of the columns, or rows.
    fn parts(&self, rows: usize) -> usize {
        match self.statistics {
            Some(_) => self.columns.panels,
            None => rows,
        }
    }

    /// All rows where a norm goes by panels, and otherwise the rows that are a phase's part.
    fn rows(&self, rows: usize, parts: &Range<usize>) -> Range<usize> {
        match self.statistics {
            Some(_) => 0..rows,
            None => parts.clone(),
        }
    }
}

impl<F: Element, E: Equations> Scan<'_, F, E> {
    /// How many parts the phase of norm `index` has for `rows` rows.
    pub(in super::super) fn parts_of_norm(&self, index: usize, rows: usize) -> usize {
        self.norms[index]
            .as_ref()
            .map_or(0, |norm| norm.parts(rows))
    }

    /// The norm of the input products of a run over the steps `visits`, for a part of the phase.
    pub(in super::super) fn normalize_inputs(
        &self,
        run: &Run<F>,
        visits: &[usize],
        parts: Range<usize>,
    ) {
        let Some(norm) = &self.norms[INPUT] else {
            return;
        };
        if norm.statistics.is_none() {
            let scales = &run.scale_rows[INPUT][parts.clone()];
            let inputs = self.slots(run, parts, 0);
            return self.normalize_rows(INPUT, norm, [inputs; 2], inputs, scales);
        }
        for (rows, &visit) in run.steps.iter().zip(visits) {
            let inputs = self.slots(run, rows.clone(), 0);
            self.normalize_columns(INPUT, norm, [inputs; 2], inputs, (visit, parts.clone()));
        }
    }

    /// Norm `index` in a step, for a part of the phase.
    pub(in super::super) fn normalize(
        &self,
        index: usize,
        step: &Step<'_, F>,
        parts: Range<usize>,
    ) {
        let Some(norm) = &self.norms[index] else {
            return;
        };
        let rows = norm.rows(step.rows.len(), &parts);
        let of_run = step.rows.start + rows.start..step.rows.start + rows.end;
        let slots = |slot| self.slots(step.run, of_run.clone(), slot);
        let products = Places {
            rows: &readable(&step.team.product_rows)[rows],
            offset: 0,
            panel_stride: step.team.product_stride,
        };
        let last = self.geometry.new_slot(self.geometry.extra_states);
        let way = match index {
            HIDDEN => [products; 2],
            _ => [slots(last), slots(self.geometry.shown_slot())],
        };
        match norm.statistics {
            Some(_) => self.normalize_columns(index, norm, way, slots(0), (step.visit, parts)),
            None => {
                let scales = &step.run.scale_rows[index][of_run.clone()];
                self.normalize_rows(index, norm, way, slots(0), scales);
            }
        }
    }

    /// Slots of some rows of a run, from one on.
    fn slots<'a>(&self, run: &'a Run<F>, rows: Range<usize>, slot: usize) -> Places<'a, F> {
        Places {
            rows: &readable(&run.rows)[rows],
            offset: slot * self.geometry.units(),
            panel_stride: run.panel_stride,
        }
    }

    /// Where x̂ goes, in these rows of a run.
    fn normed<'a>(&self, index: usize, rows: Places<'a, F>) -> Places<'a, F> {
        Places {
            offset: self.geometry.normed_slot(index) * self.geometry.units(),
            ..rows
        }
    }

    fn normalize_rows(
        &self,
        index: usize,
        norm: &Norm<F>,
        [from, to]: Way<'_, F>,
        rows: Places<'_, F>,
        scales: &[*mut F],
    ) {
        let normed = self.normed(index, rows);
        let rows = Normalize {
            norm,
            from,
            normed,
            to,
            scales,
        };
        F::normalize(self.plan.isa, rows);
    }

    fn normalize_columns(
        &self,
        index: usize,
        norm: &Norm<F>,
        [from, to]: Way<'_, F>,
        rows: Places<'_, F>,
        (visit, panels): (usize, Range<usize>),
    ) {
        let Some(statistics) = &norm.statistics else {
            unreachable!("a norm that goes step by step")
        };
        let normed = self.normed(index, rows);
        for panel in panels {
            let columns = NormalizeColumns {
                norm,
                statistics,
                panel,
                visit,
                from,
                normed,
                to,
            };
            F::normalize_columns(self.plan.isa, columns);
        }
    }
}

impl<F: Element, E: Equations> BackwardScan<'_, F, E> {
    /// How many parts the phase of norm `index` has for `rows` rows.
    pub(in super::super) fn parts_of_norm(&self, index: usize, rows: usize) -> usize {
        let norm = self.norms[index].as_ref();
        norm.map_or(0, |(norm, _)| norm.parts(rows))
    }

    /// The gradients by norm `index` in a step, for a part of the phase.
    pub(in super::super) fn denormalize(
        &self,
        index: usize,
        team: &BackwardTeam<F>,
        step: &backward_team::Step<F, E>,
        parts: Range<usize>,
    ) {
        let (Some((norm, _)), Some([gain, shift])) = (&self.norms[index], &team.sums[index]) else {
            return;
        };
        let rows = norm.rows(step.rows.len(), &parts);
        let (gradients, turn) = self.gradients_of(index, team, (step, rows.clone()));
        let normed = self.slots(step, rows.clone(), self.geometry.normed_slot(index));
        let sums = [&gain[rows.clone()], &shift[rows.clone()]];
        let Some(statistics) = &norm.statistics else {
            let rows = Denormalize {
                norm,
                gradients,
                turn,
                normed,
                scales: &step.scales[rows.clone()],
                index,
                sums,
            };
            return F::denormalize(self.plan.isa, rows);
        };
        for panel in parts {
            let columns = DenormalizeColumns {
                norm,
                statistics,
                panel,
                visit: step.visit,
                gradients,
                turn,
                normed,
                sums,
            };
            F::denormalize_columns(self.plan.isa, columns);
        }
    }

    /// Where the gradients of what a norm gives stand, in some rows of a step, and how many slots they are turned by.
    fn gradients_of<'a>(
        &self,
        index: usize,
        team: &'a BackwardTeam<F>,
        (step, rows): (&'a backward_team::Step<F, E>, Range<usize>),
    ) -> (Places<'a, F>, usize) {
        match index {
            INPUT => (self.slots(step, rows, self.geometry.input_slots().start), 0),
            // The last gate's gradient stands before the others.
            HIDDEN => (self.slots(step, rows, 0), 1),
            _ => {
                let content = Places {
                    rows: &team.content_rows[rows],
                    offset: 0,
                    panel_stride: self.geometry.units(),
                };
                (content, 0)
            }
        }
    }

    /// Slots of some rows of a step, from one on.
    fn slots<'a>(
        &self,
        step: &'a backward_team::Step<F, E>,
        rows: Range<usize>,
        slot: usize,
    ) -> Places<'a, F> {
        Places {
            rows: &step.gates[rows],
            offset: slot * self.geometry.units(),
            panel_stride: self.panel_stride(),
        }
    }
}
