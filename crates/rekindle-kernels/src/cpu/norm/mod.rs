//! Norms within the steps of a scan: each row by the mean and the variance of its columns.

mod backward;
mod columns;
mod forward;
mod phases;
mod statistics;

pub(crate) use backward::Denormalize;
pub(super) use backward::NormSums;
pub(crate) use columns::{DenormalizeColumns, NormalizeColumns};
pub(crate) use forward::Normalize;

use super::geometry::Geometry;
use super::pack::Packed;
use super::vector::{Element, Vector};
use super::{Operands, Plan};
use statistics::StepStatistics;

/// A norm of a scan.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct NormPlan {
    /// What mean and variance are taken over.
    pub(crate) over: Over,
    /// What is added to the variance.
    pub(crate) epsilon: f64,
}

/// What a norm takes its mean and variance over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Over {
    /// The columns of a row. Without a centre, 0 counts as the mean.
    Row {
        /// Whether the mean is subtracted.
        centred: bool,
    },
    /// The rows that are alive at a step. All of them are in one team then.
    Batch,
    /// Nothing: they are given for each step.
    Given,
}

impl NormPlan {
    /// Whether it is a norm over the rows of a batch.
    pub(crate) fn is_of_batch(&self) -> bool {
        self.over == Over::Batch
    }
}

/// The norms of a scan: of the input product, of the recurrent product, and of the last state on its way to the hidden
/// state. Default: none.
pub(crate) type NormPlans = [Option<NormPlan>; 3];

/// Where the norm of the input product stands among [`NormPlans`].
pub(crate) const INPUT: usize = 0;
/// Where the norm of the recurrent product stands.
pub(crate) const HIDDEN: usize = 1;
/// Where the norm of the last state stands.
pub(crate) const SHOWN: usize = 2;

/// A norm with its numbers, packed like the columns that it acts on: `[panel, gate, unit]`.
pub(super) struct Norm<F> {
    plan: NormPlan,
    gain: Packed<F>,
    shift: Packed<F>,
    /// 1 for columns that count, 0 for others.
    active: Packed<F>,
    /// How many columns count.
    count: f64,
    columns: Columns,
    /// The numbers of a norm that goes step by step.
    pub(super) statistics: Option<StepStatistics<F>>,
}

/// How the columns of a norm lie in panels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Columns {
    panels: usize,
    /// Gates in a panel; a state counts as one.
    gates: usize,
    /// Units of a gate in a panel.
    units: usize,
    /// Registers of a gate in a panel, and in the last panel those that have units.
    unit_vectors: usize,
    last_vectors: usize,
}

/// Where the columns of some rows lie.
#[derive(Clone, Copy)]
pub(super) struct Places<'a, F> {
    /// The start of each row in panel 0.
    pub(super) rows: &'a [*const F],
    /// From there to the first gate, and from one panel to the next.
    pub(super) offset: usize,
    pub(super) panel_stride: usize,
}

impl<F: Element> Norm<F> {
    /// The norms of a scan.
    pub(super) fn all(
        plan: &Plan,
        operands: &Operands<'_, F>,
        geometry: &Geometry,
    ) -> [Option<Self>; 3] {
        let [bias_ih, bias_hh] = operands.biases.unwrap_or_default();
        let shifts = [bias_ih, bias_hh, operands.shift.unwrap_or_default()];
        let mut gains = operands.gains.iter();
        let mut actives = operands.actives.iter().copied();
        let mut given = operands.given.iter().copied();
        std::array::from_fn(|index| {
            let norm = plan.norms[index]?;
            let gain = gains.next().expect("a plan counts the norms");
            let active = match norm.over {
                Over::Row { .. } => actives.next().expect("a plan counts the norms"),
                Over::Batch | Over::Given => &[],
            };
            let gates = if index == SHOWN { 1 } else { geometry.gates };
            let pack = |numbers: &[F]| Packed::gates(plan, geometry.by_units(), gates, &[numbers]);
            Some(Self {
                plan: norm,
                gain: pack(gain),
                shift: pack(shifts[index]),
                active: pack(active),
                count: active.iter().map(|active| active.to_f64()).sum(),
                columns: Columns::new(geometry, gates),
                statistics: statistics::of_norm(plan, geometry, norm, gates, &mut given),
            })
        })
    }

    /// Whether the mean of a row is subtracted.
    fn is_centred(&self) -> bool {
        self.plan.over == Over::Row { centred: true }
    }

    /// What it took of the batch, `[steps, columns]` each, and what the derivative needs of that; `None`: nothing.
    pub(super) fn into_taken(self, geometry: &Geometry) -> Option<Taken<F>> {
        let statistics = self.statistics.filter(|statistics| statistics.taken)?;
        Some(Taken {
            statistics: statistics.unpacked(geometry.by_units()),
            scale: statistics.into_scale(),
        })
    }

    /// Puts what the derivative needs back.
    pub(super) fn set_scale(&mut self, scale: Packed<F>) {
        if let Some(statistics) = &mut self.statistics {
            statistics.set_scale(scale);
        }
    }
}

/// What a norm over the batch took.
pub(super) struct Taken<F> {
    /// Mean and variance: `[steps, columns]` each.
    pub(super) statistics: [Vec<F>; 2],
    pub(super) scale: Packed<F>,
}

impl Columns {
    fn new(geometry: &Geometry, gates: usize) -> Self {
        let panels = geometry.panels();
        let last = geometry.units_of(panels - 1);
        Self {
            panels,
            gates,
            units: geometry.units(),
            unit_vectors: geometry.unit_vectors(),
            last_vectors: last.div_ceil(geometry.registers.lanes),
        }
    }

    /// The slot of a gate's gradient, where that of gate `g` stands in slot `g + turn`, counted around.
    #[inline(always)]
    fn slot(self, gate: usize, turn: usize) -> usize {
        match gate + turn < self.gates {
            true => gate + turn,
            false => gate + turn - self.gates,
        }
    }

    /// Registers of a gate in panel `panel` that have units.
    #[inline(always)]
    fn vectors(self, panel: usize) -> usize {
        match panel + 1 == self.panels {
            true => self.last_vectors,
            false => self.unit_vectors,
        }
    }
}

impl<F> Places<'_, F> {
    /// Where the columns of a row in a panel start.
    ///
    /// # Safety
    /// There are such a row and such a panel.
    #[inline(always)]
    unsafe fn at(&self, row: usize, panel: usize) -> *mut F {
        let start = self.rows[row].cast_mut();
        // SAFETY: the caller answers for it.
        unsafe { start.add(self.offset + panel * self.panel_stride) }
    }
}

/// No register has more numbers.
const MOST_LANES: usize = 16;

/// The sum of the numbers of a register.
#[inline(always)]
fn total<V: Vector>(register: V) -> f64 {
    const { assert!(V::LANES <= MOST_LANES) };
    let mut lanes = [V::Element::default(); MOST_LANES];
    // SAFETY: there is room for the register.
    unsafe { register.store(lanes.as_mut_ptr()) };
    let mut sum = 0.0;
    for lane in &lanes[..V::LANES] {
        sum += lane.to_f64();
    }
    sum
}

/// Runs a block for each register of a row: with its panel, its gate, and its place among the columns of the panel.
macro_rules! each_register {
    ($columns:expr, $lanes:expr, |$panel:ident, $gate:ident, $vector:ident, $at:ident| $body:block) => {
        for $panel in 0..$columns.panels {
            for $gate in 0..$columns.gates {
                for $vector in 0..$columns.vectors($panel) {
                    let $at = ($gate * $columns.unit_vectors + $vector) * $lanes;
                    $body
                }
            }
        }
    };
}
use each_register;
