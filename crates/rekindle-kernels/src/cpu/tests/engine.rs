//! Law: the engine gives what plain loops give, in outputs, final states and every gradient.

use std::fmt::Debug;

use super::super::buffer::Buffer;
use super::super::{Isa, Needs};
use super::cells::{Gru, Law, Lstm, Multiplicative, Rates, every_cell};
use super::loops::by_loops;
use super::problem::{
    ALL, Numbers, Problem, Real, Results, Sizes, assert_bits, counts, name, part, plan, run,
    run_between,
};
use crate::{Equations, Lane, StepGradients};

/// How many columns fit in registers.
#[derive(Clone, Copy, Debug)]
struct Registers {
    /// Numbers in one register.
    lanes: usize,
    /// Units in one panel.
    units: usize,
    /// Columns in one panel of plain columns.
    wide: usize,
}

impl Registers {
    fn of<F: Real, E: Equations>(equations: &E, isa: Isa) -> Self {
        let any = plan(equations, &Sizes::new([1; 4]), isa, 1);
        let geometry = any.geometry::<F, E>();
        Self {
            lanes: geometry.registers.lanes,
            units: geometry.units(),
            wide: geometry.wide(1).units,
        }
    }
}

/// Law: every cell gives the results of loops, for the sizes that `S` names.
struct EqualsLoops<S>(S);

impl<S: Fn(Registers) -> Vec<Sizes>> Law for EqualsLoops<S> {
    fn check<E: Equations>(&self, cell: &str, equations: &E, numbers: Numbers) {
        equals_loops::<f32>(&self.0, cell, equations, numbers);
        equals_loops::<f64>(&self.0, cell, equations, numbers);
    }
}

fn equals_loops<F: Real>(
    sizes: impl Fn(Registers) -> Vec<Sizes>,
    cell: &str,
    equations: &impl Equations,
    numbers: Numbers,
) {
    for isa in Isa::all() {
        for sizes in sizes(Registers::of::<F, _>(equations, isa)) {
            let what = format!("{cell} in {} on {}, {sizes:?}", F::NAME, name(isa));
            let problem = Problem::new::<F>(equations, sizes, numbers);
            let plan = plan(equations, &problem.sizes, isa, 1);
            let found = run::<F>(equations, &problem, &plan, ALL);
            found.assert_close(&by_loops(equations, &problem), F::TOLERANCE, &what);
        }
    }
}

/// The first `few` of `values` under Miri, which takes seconds for what takes a machine microseconds.
fn few<T>(values: Vec<T>, few: usize) -> Vec<T> {
    let all = values.len();
    let most = if cfg!(miri) { few } else { all };
    values.into_iter().take(most).collect()
}

/// Every second one with time first.
fn in_both_layouts(sizes: impl IntoIterator<Item = Sizes>) -> Vec<Sizes> {
    let turn = |(index, sizes): (usize, Sizes)| match index % 2 {
        0 => sizes,
        _ => sizes.time_major(),
    };
    sizes.into_iter().enumerate().map(turn).collect()
}

#[test]
fn hidden_units_around_registers_and_panels() {
    every_cell(&EqualsLoops(|Registers { lanes, units, wide }| {
        let widths = [1, lanes + 1, units + 1, 3, lanes - 1, lanes, 2 * lanes + 1];
        let of_panels = [units - 1, units, units + lanes, 2 * units, 3 * units - 1];
        let of_wide_panels = [wide - 1, wide, wide + 1];
        let mut widths: Vec<usize> = widths.into_iter().chain(of_panels).collect();
        if units < wide {
            widths.extend(of_wide_panels);
        }
        widths.retain(|&width| width > 0);
        let sizes = |width: usize| Sizes::new([3, 3, 2, width]).with_mixed_lengths();
        few(in_both_layouts(widths.into_iter().map(sizes)), 3)
    }));
}

#[test]
fn projections_around_registers_and_panels() {
    every_cell(&EqualsLoops(|Registers { lanes, units, wide }| {
        let projections = [
            (4, 2),
            (lanes + 1, 1),
            (units + 1, lanes + 1),
            (wide + 1, lanes),
            (2 * units, units - 1),
            (2 * wide, wide),
            (wide + lanes, wide + 1),
            (3, 3),
            (units + lanes, units + lanes),
            (2, lanes + 2),
            (units - 1, units),
            (lanes, wide + 1),
            (units, 2 * wide + 1),
        ];
        let mut all = Vec::new();
        for (index, (d_hidden, d_output)) in projections.into_iter().enumerate() {
            let sizes = Sizes::new([3, 5, 2, d_hidden.max(1)]).projected(d_output.max(1));
            let sizes = match index % 3 {
                0 => sizes.with_mixed_lengths(),
                1 => sizes.with_mixed_lengths().reversed().without_bias(),
                _ => sizes.without_units(),
            };
            all.push(sizes);
        }
        few(in_both_layouts(all), 3)
    }));
}

#[test]
fn batches_around_tiles() {
    every_cell(&EqualsLoops(|_| {
        let batches = (1..=19).chain([37, 63, 64, 65, 70]);
        let plain = batches.map(|batch| Sizes::new([batch, 2, 3, 5]));
        let projected = [1, 2, 3, 4, 5, 7, 13, 18, 65];
        let projected = projected.map(|batch| Sizes::new([batch, 2, 3, 5]).projected(4));
        few(in_both_layouts(plain.chain(projected)), 2)
    }));
}

#[test]
fn steps_around_runs() {
    every_cell(&EqualsLoops(|_| {
        let mut sizes = vec![Sizes::new([1, 1, 1, 1]), Sizes::new([1, 2, 2, 3])];
        for seq in [5, 6, 7, 63, 64, 65, 130] {
            sizes.push(Sizes::new([1, seq, 2, 3]));
        }
        for seq in [21, 22, 23, 45] {
            sizes.push(Sizes::new([3, seq, 2, 3]).reversed());
            sizes.push(Sizes::new([3, seq, 2, 3]).with_mixed_lengths().reversed());
        }
        for seq in [1, 5, 6, 65] {
            sizes.push(Sizes::new([1, seq, 2, 3]).projected(2));
        }
        for seq in [2, 22, 23] {
            let projected = Sizes::new([3, seq, 2, 3]).projected(2);
            sizes.push(projected.with_mixed_lengths().reversed());
        }
        few(in_both_layouts(sizes), 2)
    }));
}

#[test]
fn inputs_of_every_width() {
    every_cell(&EqualsLoops(|Registers { lanes, wide, .. }| {
        let widths = [1, 2, lanes, lanes + 1, wide - 1, wide, wide + 1];
        let sizes = |d_input: usize| Sizes::new([2, 2, d_input, 3]);
        few(in_both_layouts(widths.map(sizes)), 2)
    }));
}

#[test]
fn lengths_orders_and_biases() {
    every_cell(&EqualsLoops(|Registers { units, .. }| {
        let mut all = Vec::new();
        for shape in [
            [4, 3, 2, 3],
            [1, 4, 2, 3],
            [3, 1, 2, 1],
            [23, 9, 3, units + 1],
        ] {
            let whole = Sizes::new(shape);
            for sizes in [
                whole.clone().with_mixed_lengths(),
                whole.clone().with_equal_lengths(),
                whole,
            ] {
                all.push(sizes.clone().reversed());
                all.push(sizes.clone().without_bias().reversed().time_major());
                all.push(sizes.clone().without_bias().without_units());
                all.push(sizes.clone().without_units().time_major());
                all.push(sizes.projected(shape[3].div_ceil(2)));
            }
        }
        few(all, 4)
    }));
}

/// Sums over so many hidden units, inputs or steps that the engine takes them in pieces.
#[test]
fn long_sums() {
    if cfg!(miri) {
        return;
    }
    struct Long;
    impl Law for Long {
        fn check<E: Equations>(&self, cell: &str, equations: &E, numbers: Numbers) {
            let sizes = |_| {
                vec![
                    Sizes::new([1, 2, 70, 530]),
                    Sizes::new([7, 11, 1700, 2])
                        .with_mixed_lengths()
                        .time_major(),
                    Sizes::new([3, 400, 1, 2]).reversed(),
                    Sizes::new([3, 400, 1, 3]).projected(2),
                ]
            };
            // Eighths hold the first steps exactly, not hundreds of them; in `f64` no sum comes close to 0 by chance.
            if let Numbers::Fine = numbers {
                equals_loops::<f32>(sizes, cell, equations, numbers);
            }
            equals_loops::<f64>(sizes, cell, equations, numbers);
        }
    }
    every_cell(&Long);
}

/// Sums over so many columns of a projection or of a middle vector that the engine takes them in pieces.
#[test]
fn long_sums_of_plain_columns() {
    if !cfg!(miri) {
        let sizes = |_| vec![Sizes::new([2, 3, 1, 1100]).projected(1100)];
        equals_loops::<f32>(sizes, "rates", &Rates, Numbers::Fine);
    }
}

/// Law: a gradient that does not arrive is one of zeros.
struct AbsentGradients;

impl Law for AbsentGradients {
    fn check<E: Equations>(&self, cell: &str, equations: &E, numbers: Numbers) {
        let [_, states, _] = counts(equations);
        let sizes = Sizes::new([3, 4, 2, 5]).with_mixed_lengths().reversed();
        for sizes in [sizes.clone(), sizes.projected(3).time_major()] {
            let whole = Problem::new::<f64>(equations, sizes, numbers);
            for isa in Isa::all() {
                let plan = plan(equations, &whole.sizes, isa, 1);
                for kept in 0..states + 2 {
                    let mut problem = whole.clone();
                    if kept != 0 {
                        problem.output_gradient = None;
                    }
                    for (s, gradient) in problem.state_gradient.iter_mut().enumerate() {
                        if kept != s + 1 {
                            *gradient = None;
                        }
                    }
                    let what = format!("{cell} on {}, gradient {kept} alone", name(isa));
                    let found = run::<f64>(equations, &problem, &plan, ALL);
                    found.assert_close(&by_loops(equations, &problem), f64::TOLERANCE, &what);
                }
            }
        }
    }
}

#[test]
fn gradients_that_do_not_arrive_are_zero() {
    every_cell(&AbsentGradients);
}

/// Law: what is not wanted is not there, and what is wanted has the same bits whatever else is.
struct UnwantedGradients;

impl Law for UnwantedGradients {
    fn check<E: Equations>(&self, cell: &str, equations: &E, numbers: Numbers) {
        let sizes = Sizes::new([3, 4, 2, 5]).with_mixed_lengths();
        for sizes in [sizes.clone(), sizes.projected(3)] {
            let problem = Problem::new::<f32>(equations, sizes, numbers);
            for isa in Isa::all() {
                Self::on(isa, cell, equations, &problem);
            }
        }
    }
}

impl UnwantedGradients {
    fn on(isa: Isa, cell: &str, equations: &impl Equations, problem: &Problem) {
        let plan = plan(equations, &problem.sizes, isa, 1);
        let of = |needs| run::<f32>(equations, problem, &plan, needs);
        let all = of(ALL);
        for choice in 0..16 {
            let needs = Needs {
                input: choice & 1 != 0,
                input_side: choice & 2 != 0,
                hidden_side: choice & 4 != 0,
                projection: choice & 8 != 0,
            };
            let expected = Results {
                input: all.input.clone().filter(|_| needs.input),
                input_side: all.input_side.clone().filter(|_| needs.input_side),
                hidden_side: all.hidden_side.clone().filter(|_| needs.hidden_side),
                projection: all.projection.clone().filter(|_| needs.projection),
                ..all.clone()
            };
            let found = of(needs);
            let projection = needs.projection && problem.projection.is_some();
            assert_eq!(found.input.is_some(), needs.input);
            assert_eq!(found.input_side.is_some(), needs.input_side);
            assert_eq!(found.hidden_side.is_some(), needs.hidden_side);
            assert_eq!(found.projection.is_some(), projection);
            found.assert_same_bits(&expected, &format!("{cell} on {}, {needs:?}", name(isa)));
        }
    }
}

#[test]
fn unwanted_gradients_are_not_there_and_change_nothing() {
    every_cell(&UnwantedGradients);
}

/// Law: a NaN in one row, in a place that is read, stays in that row.
struct OneNan;

impl Law for OneNan {
    fn check<E: Equations>(&self, cell: &str, equations: &E, numbers: Numbers) {
        let sizes = Sizes::new([5, 3, 2, 5]);
        for sizes in [sizes.clone(), sizes.projected(3).time_major()] {
            let clean = Problem::new::<f32>(equations, sizes, numbers);
            let mut spoilt = clean.clone();
            // The first of 2 inputs.
            spoilt.input[clean.sizes.place(Self::ROW, 0) * 2] = f64::NAN;
            for isa in Isa::all() {
                let plan = plan(equations, &clean.sizes, isa, 1);
                let results = [&clean, &spoilt];
                let results = results.map(|problem| run::<f32>(equations, problem, &plan, ALL));
                for row in 0..5 {
                    let what = format!("{cell} on {}, row {row}", name(isa));
                    let [clean, spoilt] = results
                        .each_ref()
                        .map(|results| Self::of_row(&clean.sizes, results, row));
                    match (row, numbers) {
                        (Self::ROW, Numbers::Fine) => assert!(spoilt[0].is_nan(), "{what}"),
                        // The greater one of NaN and 0 is 0.
                        (Self::ROW, Numbers::Coarse) => {}
                        _ => assert_bits(&spoilt, &clean, &what),
                    }
                }
            }
        }
    }
}

impl OneNan {
    /// The row that has it, of 5.
    const ROW: usize = 2;

    /// All numbers of one row, those of its first output first.
    fn of_row(sizes: &Sizes, results: &Results, row: usize) -> Vec<f64> {
        let sequences = [&results.output].into_iter().chain(&results.input);
        let steps = sequences.flat_map(|all| sizes.steps_of(all, row));
        let states = results.state.iter().chain(&results.initial);
        let states = states.flat_map(|all| part(all, row, sizes.batch));
        steps.chain(states).copied().collect()
    }
}

#[test]
fn a_nan_in_one_row_stays_there() {
    every_cell(&OneNan);
}

/// A cell whose second state stays at 1 and runs away from everywhere else, beyond all numbers at once.
///
/// A panel is filled up with units that do not exist, whose states start at 0. What comes out for them is no number.
/// ```text
/// c′ = 1 + (2¹¹⁰⁰ (1 − c))²
/// m  = c ⊙ tanh(c + h)                    the middle vector, if there is one
/// h′ = c′ ⊙ tanh(x + hidden + u ⊙ c)
/// ```
#[derive(Clone, Debug)]
struct Runaway {
    reads: usize,
    middle: bool,
}

impl Runaway {
    /// `2¹¹⁰⁰ x`, by factors that all types of numbers hold.
    #[inline(always)]
    fn enlarge<V: Lane>(x: V) -> V {
        let factor = x.constant(2_f64.powi(100));
        (0..11).fold(x, |x, _| factor.clone() * x)
    }
}

impl Equations for Runaway {
    type Gates<T: Clone + Debug> = [T; 1];
    type States<T: Clone + Debug> = [T; 2];
    type Saved<T: Clone + Debug> = [T; 1];
    type Units<T: Clone + Debug> = [T; 1];
    const APART: usize = 0;

    fn reads(&self) -> usize {
        self.reads
    }

    fn has_middle(&self) -> bool {
        self.middle
    }

    #[inline(always)]
    fn forward<V: Lane>(
        &self,
        [x]: [V; 1],
        [h]: [V; 1],
        [_h, c]: [V; 2],
        [u]: [V; 1],
    ) -> ([V; 2], [V; 1]) {
        let t = (x + h + u * c.clone()).tanh();
        let away = Self::enlarge(c.one_minus());
        let c = (away.zero() - away.clone() * away).one_minus();
        ([c.clone() * t.clone(), c], [t])
    }

    #[inline(always)]
    fn backward<V: Lane>(
        &self,
        [t]: [V; 1],
        [_h, c]: [V; 2],
        [_h_new, c_new]: [V; 2],
        [u]: [V; 1],
        [grad_h, grad_c]: [V; 2],
    ) -> StepGradients<Self, V> {
        let d = grad_h.clone() * c_new * (t.clone() * t.clone()).one_minus();
        let d_c = grad_c + grad_h.clone() * t;
        let slope = Self::enlarge(Self::enlarge(c.clone() - c.zero().one_minus()));
        let d_c = d_c * (slope.clone() + slope) + d.clone() * u;
        let units = [d.clone() * c];
        StepGradients::new([d.clone()], [d], [grad_h.zero(), d_c], units)
    }

    #[inline(always)]
    fn middle<V: Lane>(&self, _x: [V; 1], _h: [V; 1], [h, c]: [V; 2], [_u]: [V; 1]) -> V {
        c.clone() * (c + h).tanh()
    }

    #[inline(always)]
    fn middle_backward<V: Lane>(
        &self,
        [_t]: [V; 1],
        [h, c]: [V; 2],
        [_u]: [V; 1],
        grad: V,
    ) -> StepGradients<Self, V> {
        let t = (c.clone() + h).tanh();
        let by_sum = c * (t.clone() * t.clone()).one_minus();
        let zero = [grad.zero()];
        let state = [grad.clone() * by_sum.clone(), grad * (t + by_sum)];
        StepGradients::new(zero.clone(), zero.clone(), state, zero)
    }
}

fn units_that_do_not_exist_reach_nothing_in<F: Real>(equations: &Runaway) {
    for isa in Isa::all() {
        let Registers { lanes, units, wide } = Registers::of::<F, _>(equations, isa);
        for width in few(vec![lanes + 1, units - 1, units + 1], 1) {
            for sizes in [
                Sizes::new([3, 6, 2, width]),
                Sizes::new([3, 6, 2, width]).with_mixed_lengths().reversed(),
                Sizes::new([1, 5, 2, width]),
                Sizes::new([3, 6, 2, width]).projected(lanes),
                Sizes::new([3, 6, 2, width]).projected(width + 2),
                Sizes::new([1, 5, 2, width]).projected(width + 2),
                Sizes::new([3, 6, 2, width])
                    .projected(width + wide)
                    .with_mixed_lengths(),
            ] {
                let what = format!("{equations:?} in {} on {}, {sizes:?}", F::NAME, name(isa));
                let mut problem = Problem::new::<F>(equations, sizes, Numbers::Fine);
                problem.state[1].fill(1.0);
                let plan = plan(equations, &problem.sizes, isa, 1);
                let found = run::<F>(equations, &problem, &plan, ALL);
                found.assert_close(&by_loops(equations, &problem), F::TOLERANCE, &what);
            }
        }
    }
}

#[test]
fn units_that_do_not_exist_reach_nothing() {
    for reads in [1, 2] {
        for middle in [false, true] {
            let runaway = Runaway { reads, middle };
            units_that_do_not_exist_reach_nothing_in::<f32>(&runaway);
            units_that_do_not_exist_reach_nothing_in::<f64>(&runaway);
        }
    }
}

/// Law: what stands in memory that is used again reaches nothing.
struct SpareMemory;

impl SpareMemory {
    /// Leaves NaN in spare blocks of all sizes that these problems take.
    fn spoil() {
        let sizes = (17..24).flat_map(|power| [1 << power; 2]);
        let blocks: Vec<(Buffer<u8>, usize)> =
            sizes.map(|size| (Buffer::recycled(size), size)).collect();
        for (block, size) in &blocks {
            // SAFETY: the block is ours, and has this size.
            unsafe { block.start().write_bytes(0xFF, *size) };
        }
    }
}

impl Law for SpareMemory {
    fn check<E: Equations>(&self, cell: &str, equations: &E, numbers: Numbers) {
        // Weights, activations and kept sequences are large enough to be taken from spare memory.
        let sizes = Sizes::new([9, 40, 70, 203]).with_mixed_lengths().reversed();
        for sizes in [sizes.clone(), sizes.projected(90)] {
            let problem = Problem::new::<f64>(equations, sizes, numbers);
            let plan = plan(equations, &problem.sizes, Isa::all()[0], 1);
            let found = run_between::<f64>(equations, &problem, &plan, ALL, Self::spoil);
            found.assert_close(&by_loops(equations, &problem), f64::TOLERANCE, cell);
        }
    }
}

#[test]
fn spare_memory_reaches_nothing() {
    if !cfg!(miri) {
        every_cell(&SpareMemory);
    }
}

/// The registers in a panel of gates, and the slots, of one cell.
fn panel<E: Equations>(equations: &E) -> (usize, usize) {
    let any = plan(equations, &Sizes::new([1; 4]), Isa::all()[0], 1);
    let geometry = any.geometry::<f32, E>();
    let vectors = geometry.gate_columns() / geometry.registers.lanes;
    (vectors, geometry.slots())
}

/// Slots are where most can go wrong: gates apart must come back to their own places in both weights.
#[test]
fn panels_are_wider_than_four_registers() {
    assert_eq!(panel(&Multiplicative), (6, 12));
    assert_eq!(panel(&Lstm::PLAIN), (4, 4));
    let reset_before = false;
    assert_eq!(panel(&Gru { reset_before }), (3, 4));
}
