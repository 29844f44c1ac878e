//! The fused scan on a CPU: one engine over plain numbers, for every cell.
//!
//! Nothing here knows Burn. A call packs the weights once ([`pack`]), takes the input product for a run of steps
//! ([`product`]), then visits these steps one by one: the recurrent product of a panel of hidden units, and the cell's
//! equations on it while it is in the cache ([`forward`]). In training the activations stay in a *slab*, which the
//! backward scan turns into gradients in place ([`backward`]); one product over all steps then gives the gradients of
//! the weights ([`gradients`]). Threads share the rows of the batch and never wait for each other within a scan.
//!
//! Masks act on what enters a product and on new states ([`masks`]); norms are phases of their own between them
//! ([`norm`]).
//!
//! Every sum is taken in an order that depends on shapes alone: results are the same bits on any number of threads.

mod advance;
mod backward;
mod backward_panels;
mod backward_team;
mod buffer;
mod direct;
mod element;
mod factor;
mod forward;
mod geometry;
mod gradients;
mod isa;
mod masks;
mod math;
mod norm;
mod pack;
mod padded;
mod panels;
mod product;
mod relay;
mod retreat;
mod show;
mod sides;
mod slab;
mod team;
#[cfg(test)]
mod tests;
mod timetable;
mod vector;
mod watch;
mod weights;

use std::marker::PhantomData;
use std::ops::Range;

use crate::{Array, Equations, GradientFlow, Layout};

pub(crate) use backward::{Backward, Needs, OutputGradients};
pub(crate) use forward::Forward;
use geometry::{Geometry, Registers};
pub(crate) use isa::Isa;
pub(crate) use masks::{Kept, Masking};
use norm::{HIDDEN, INPUT};
pub(crate) use norm::{NormPlan, NormPlans, Over};
pub(crate) use slab::Slab;
pub(crate) use timetable::Timetable;
pub(crate) use vector::Element;
use vector::Vector;

/// What a scan reads, as plain numbers.
#[derive(Clone, Debug)]
pub(crate) struct Operands<'a, F> {
    /// `[batch, seq, d_input]`, or with time first.
    pub(crate) input: &'a [F],
    /// `[d_input, gates·d_hidden]`.
    pub(crate) weight_ih: &'a [F],
    /// `[width of the state, gates·d_hidden]` for each state that is read.
    pub(crate) weights_hh: Vec<&'a [F]>,
    /// `[gates·d_hidden]` each.
    pub(crate) biases: Option<[&'a [F]; 2]>,
    /// The parameters that units have for themselves, `[d_hidden]` each; none: all zero.
    pub(crate) units: Vec<&'a [F]>,
    /// `[d_hidden, d_output]`.
    pub(crate) projection: Option<&'a [F]>,
    /// `[batch, d_output]` for the hidden state, `[batch, d_hidden]` for the others.
    pub(crate) state: Vec<&'a [F]>,
    /// The masks that the plan names, in its order: of the hidden state, `[batch, d_output]`; of the candidate,
    /// `[batch, seq, d_hidden]` or `[batch, 1, d_hidden]`; what states keep, `[batch, seq, width of the state]` each.
    pub(crate) masks: Vec<&'a [F]>,
    /// γ of each norm that the plan names: `[columns]` each.
    pub(crate) gains: Vec<&'a [F]>,
    /// 1 for the columns that count, of each norm over the columns of a row: `[columns]` each.
    pub(crate) actives: Vec<&'a [F]>,
    /// Mean and variance of each norm that is given them, one after the other: `[steps, columns]` each.
    pub(crate) given: Vec<&'a [F]>,
    /// β of the norm of the last state: `[d_hidden]`.
    pub(crate) shift: Option<&'a [F]>,
}

/// The sizes of a scan, and how it runs.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Who is alive when.
    pub(crate) timetable: Timetable,
    /// Steps, padding included.
    pub(crate) seq: usize,
    /// Which axis of sequences comes first.
    pub(crate) layout: Layout,
    /// Width of the input.
    pub(crate) d_input: usize,
    /// Width of each gate.
    pub(crate) d_hidden: usize,
    /// Width of the hidden state, if it is projected.
    pub(crate) projected: Option<usize>,
    /// States that the recurrent product reads.
    pub(crate) reads: usize,
    /// Whether the cell has a middle vector.
    pub(crate) middle: bool,
    /// The masks that there are.
    pub(crate) masking: Masking,
    /// The norms that there are.
    pub(crate) norms: NormPlans,
    /// Where the derivative leaves how much gradient reaches the states, if that is wanted.
    pub(crate) flow: Option<GradientFlow>,
    /// The instructions to use.
    pub(crate) isa: Isa,
    /// The most threads to use.
    pub(crate) threads: usize,
}

impl Plan {
    /// The geometry of a cell under this plan.
    fn geometry<F: Element, E: Equations>(&self) -> Geometry {
        Geometry {
            gates: <E::Gates<()> as Array<()>>::LEN,
            apart: match self.norms[INPUT].or(self.norms[HIDDEN]) {
                Some(_) => <E::Gates<()> as Array<()>>::LEN,
                None => E::APART,
            },
            saved: <E::Saved<()> as Array<()>>::LEN,
            extra_states: <E::States<()> as Array<()>>::LEN - 1,
            unit_values: <E::Units<()> as Array<()>>::LEN,
            reads: self.reads,
            middle: self.middle,
            d_hidden: self.d_hidden,
            projected: self.projected,
            blends: self.masking.blends(),
            normed: self.norms.map(|norm| norm.is_some()),
            registers: self.isa.run(AskRegisters(PhantomData::<F>)),
        }
    }

    /// The place of a row's step `t` in a sequence, counted in steps.
    fn at(&self, row: usize, t: usize) -> usize {
        match self.layout {
            Layout::BatchFirst => row * self.seq + t,
            Layout::TimeMajor => t * self.timetable.batch() + row,
        }
    }

    /// The threads worth their start for a product of `multiplications`.
    fn threads_for(&self, multiplications: usize) -> usize {
        /// About 20 µs of one core.
        const WORTH_A_THREAD: usize = 1 << 19;
        self.threads.min(multiplications / WORTH_A_THREAD).max(1)
    }

    /// Who scans what: the rows of each team, and the threads in a team. Rows are shared first; threads that are left
    /// share the hidden units of a team's rows, where a step is long enough for that.
    fn share(&self, geometry: &Geometry) -> (Vec<Vec<usize>>, usize) {
        /// About 1 µs of one core.
        const WORTH_A_MEETING: usize = 1 << 15;
        let recurrent = geometry.reads * geometry.recurrent_rows() * geometry.gates;
        let weights = (self.d_input * geometry.gates + recurrent) * self.d_hidden;
        let threads = self.threads_for(self.timetable.slab_rows() * weights);
        // A norm over the batch sees all rows.
        let is_whole = self.norms.iter().flatten().any(NormPlan::is_of_batch);
        let teams = self.timetable.deal(if is_whole { 1 } else { threads });
        let of_step = recurrent * self.d_hidden * teams[0].len();
        let workers = (threads / teams.len())
            .min(of_step / WORTH_A_MEETING)
            .min(geometry.panels() / 2)
            .max(1);
        (teams, workers)
    }
}

/// Asks an instruction set for its registers.
struct AskRegisters<F>(PhantomData<F>);

impl<F: Element> pulp::WithSimd for AskRegisters<F> {
    type Output = Registers;

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _simd: S) -> Registers {
        Registers {
            count: S::REGISTER_COUNT,
            lanes: F::Vector::<S>::LANES,
        }
    }
}

/// Runs `work` on each part: the first on this thread, the others each on one of their own where there are enough.
fn on_threads<T: Send>(parts: Vec<T>, work: impl Fn(T) + Sync) {
    let mut parts = parts.into_iter();
    let own = parts.next();
    if parts.len() == 0 {
        return own.into_iter().for_each(work);
    }
    rayon::in_place_scope(|scope| {
        for part in parts {
            let work = &work;
            scope.spawn(move |_| work(part));
        }
        own.into_iter().for_each(&work);
    });
}

/// Part `index` of `0..count` in `parts` runs of about the same length; it may be empty.
fn part_of(count: usize, index: usize, parts: usize) -> Range<usize> {
    index * count / parts..(index + 1) * count / parts
}

/// `0..count` in `parts` runs of about the same length, none of them empty.
fn ranges(count: usize, parts: usize) -> Vec<Range<usize>> {
    let parts = parts.clamp(1, count.max(1));
    (0..parts)
        .map(|index| part_of(count, index, parts))
        .collect()
}
