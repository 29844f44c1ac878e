//! Mean and variance of columns, step by step.

use super::super::Plan;
use super::super::geometry::{Geometry, Panels};
use super::super::pack::Packed;
use super::super::vector::Element;
use super::{NormPlan, Over};

/// What a norm over the rows of a batch takes or is given: panel by panel `[step, gate, unit]` each.
pub(crate) struct StepStatistics<F> {
    mean: Packed<F>,
    variance: Packed<F>,
    /// `1 / √(variance + ε)`.
    scale: Packed<F>,
    steps: usize,
    /// Columns of a panel.
    width: usize,
    gates: usize,
    /// Whether they are taken of the rows, and not given.
    pub(in super::super) taken: bool,
}

impl<F: Element> StepStatistics<F> {
    /// Room for those of `steps` steps.
    pub(super) fn room(geometry: &Geometry, gates: usize, steps: usize) -> Self {
        let width = gates * geometry.units();
        let room = || Packed::room(geometry.panels(), steps * width);
        Self {
            mean: room(),
            variance: room(),
            scale: room(),
            steps,
            width,
            gates,
            taken: true,
        }
    }

    /// Those that are given, `[steps, gates·d_hidden]` each.
    pub(super) fn given(
        plan: &Plan,
        geometry: &Geometry,
        gates: usize,
        given: [&[F]; 2],
        epsilon: f64,
    ) -> Self {
        let columns = gates * geometry.d_hidden;
        let pack = |numbers: &[F]| {
            let rows: Vec<&[F]> = numbers.chunks_exact(columns).collect();
            Packed::gates(plan, geometry.by_units(), gates, &rows)
        };
        let steps = given[0].len() / columns;
        let statistics = Self {
            mean: pack(given[0]),
            variance: pack(given[1]),
            taken: false,
            ..Self::room(geometry, gates, steps)
        };
        for panel in 0..geometry.panels() {
            for at in 0..steps * statistics.width {
                // SAFETY: all have these panels and columns; nobody else knows them yet.
                unsafe {
                    let variance = (*statistics.variance.panel(panel).add(at)).to_f64();
                    let scale = F::from_f64(1.0 / (variance + epsilon).sqrt());
                    statistics
                        .scale
                        .panel(panel)
                        .cast_mut()
                        .add(at)
                        .write(scale);
                }
            }
        }
        statistics
    }

    /// Where mean, variance and scale of a step start, at a column of a panel. The last step's serve all behind it.
    ///
    /// # Safety
    /// There is such a panel.
    #[inline(always)]
    pub(super) unsafe fn at(&self, panel: usize, visit: usize, column: usize) -> [*mut F; 3] {
        let at = visit.min(self.steps - 1) * self.width + column;
        // SAFETY: each panel has all steps.
        unsafe {
            [
                self.mean.panel(panel).cast_mut().add(at),
                self.variance.panel(panel).cast_mut().add(at),
                self.scale.panel(panel).cast_mut().add(at),
            ]
        }
    }

    /// Mean and variance: `[steps, gates·d_hidden]` each.
    pub(super) fn unpacked(&self, panels: Panels) -> [Vec<F>; 2] {
        [&self.mean, &self.variance].map(|packed| {
            let columns = self.gates * panels.columns;
            let number = |index: usize| {
                let (step, column) = (index / columns, index % columns);
                let (gate, unit) = (column / panels.columns, column % panels.columns);
                let (panel, unit) = (unit / panels.units, unit % panels.units);
                let at = step * self.width + gate * panels.units + unit;
                // SAFETY: there are such a panel, step and column, which nobody writes any more.
                unsafe { *packed.panel(panel).add(at) }
            };
            (0..self.steps * columns).map(number).collect()
        })
    }

    /// What the derivative needs of statistics that were taken.
    pub(super) fn into_scale(self) -> Packed<F> {
        self.scale
    }

    /// Puts the scale back.
    pub(super) fn set_scale(&mut self, scale: Packed<F>) {
        self.scale = scale;
    }
}

/// The statistics of a norm, if it goes step by step; `given` are the numbers of those that are given.
pub(super) fn of_norm<'a, F: Element>(
    plan: &Plan,
    geometry: &Geometry,
    norm: NormPlan,
    gates: usize,
    given: &mut impl Iterator<Item = &'a [F]>,
) -> Option<StepStatistics<F>> {
    match norm.over {
        Over::Row { .. } => None,
        Over::Batch => Some(StepStatistics::room(
            geometry,
            gates,
            plan.timetable.steps(),
        )),
        Over::Given => {
            let mut next = || given.next().expect("a plan counts the statistics");
            let numbers = [next(), next()];
            Some(StepStatistics::given(
                plan,
                geometry,
                gates,
                numbers,
                norm.epsilon,
            ))
        }
    }
}
