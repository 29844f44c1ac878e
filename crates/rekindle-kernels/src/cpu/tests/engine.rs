//! Law: the engine gives what plain loops give, in outputs, final states and every gradient.

use super::super::buffer::Buffer;
use super::super::{Isa, Needs, Plan};
use super::cells::{Gru, Law, Lstm, Multiplicative, every_cell};
use super::loops::by_loops;
use super::problem::{
    ALL, Numbers, Problem, Real, Results, Sizes, assert_bits, name, part, plan, run, run_between,
};
use crate::{Equations, Lane, StepGradients};

/// How many hidden units fit in registers.
#[derive(Clone, Copy, Debug)]
struct Registers {
    /// Numbers in one register.
    lanes: usize,
    /// Units in one panel.
    units: usize,
}

impl Registers {
    fn of<
        F: Real,
        E: Equations<GATES, STATES, SAVED>,
        const GATES: usize,
        const STATES: usize,
        const SAVED: usize,
    >(
        equations: &E,
        plan: &Plan,
    ) -> Self {
        let geometry = plan.geometry::<F, E, GATES, STATES, SAVED>(equations);
        Self {
            lanes: geometry.registers.lanes,
            units: geometry.units(),
        }
    }
}

/// Law: every cell gives the results of loops, for the sizes that `S` names.
struct EqualsLoops<S>(S);

impl<S: Fn(Registers) -> Vec<Sizes>> Law for EqualsLoops<S> {
    fn check<
        E: Equations<GATES, STATES, SAVED>,
        const GATES: usize,
        const STATES: usize,
        const SAVED: usize,
    >(
        &self,
        cell: &str,
        equations: &E,
        numbers: Numbers,
    ) {
        equals_loops::<f32, _, GATES, STATES, SAVED>(&self.0, cell, equations, numbers);
        equals_loops::<f64, _, GATES, STATES, SAVED>(&self.0, cell, equations, numbers);
    }
}

fn equals_loops<
    F: Real,
    E: Equations<GATES, STATES, SAVED>,
    const GATES: usize,
    const STATES: usize,
    const SAVED: usize,
>(
    sizes: impl Fn(Registers) -> Vec<Sizes>,
    cell: &str,
    equations: &E,
    numbers: Numbers,
) {
    for isa in Isa::all() {
        let any = plan(&Sizes::new([1; 4]), isa, 1);
        let registers = Registers::of::<F, E, GATES, STATES, SAVED>(equations, &any);
        for sizes in sizes(registers) {
            let what = format!("{cell} in {} on {}, {sizes:?}", F::NAME, name(isa));
            let problem = Problem::new::<F>(sizes, GATES, numbers);
            let plan = plan(&problem.sizes, isa, 1);
            let found = run::<F, E, GATES, STATES, SAVED>(equations, &problem, &plan, ALL);
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

#[test]
fn hidden_units_around_registers_and_panels() {
    every_cell(&EqualsLoops(|Registers { lanes, units }| {
        let widths = [1, lanes + 1, units + 1, 3, lanes - 1, lanes, 2 * lanes + 1];
        let of_panels = [units - 1, units, units + lanes, 2 * units, 3 * units - 1];
        let mut widths: Vec<usize> = widths.into_iter().chain(of_panels).collect();
        widths.retain(|&width| width > 0);
        let sizes = |width: usize| Sizes::new([3, 3, 2, width]).with_mixed_lengths();
        few(widths.into_iter().map(sizes).collect(), 3)
    }));
}

#[test]
fn batches_around_tiles() {
    every_cell(&EqualsLoops(|_| {
        let batches = (1..=19).chain([37, 63, 64, 65, 70]);
        few(
            batches.map(|batch| Sizes::new([batch, 2, 3, 5])).collect(),
            2,
        )
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
        few(sizes, 2)
    }));
}

#[test]
fn inputs_of_every_width() {
    every_cell(&EqualsLoops(|Registers { lanes, .. }| {
        let panel = 4 * lanes;
        let widths = [1, 2, lanes, lanes + 1, panel - 1, panel, panel + 1];
        let sizes = |d_input: usize| Sizes::new([2, 2, d_input, 3]);
        few(widths.into_iter().map(sizes).collect(), 2)
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
                all.push(sizes.clone().without_bias().reversed());
                all.push(sizes.clone().without_bias());
                all.push(sizes);
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
        fn check<
            E: Equations<GATES, STATES, SAVED>,
            const GATES: usize,
            const STATES: usize,
            const SAVED: usize,
        >(
            &self,
            cell: &str,
            equations: &E,
            numbers: Numbers,
        ) {
            let sizes = |_| {
                vec![
                    Sizes::new([1, 2, 70, 530]),
                    Sizes::new([7, 11, 1700, 2]).with_mixed_lengths(),
                    Sizes::new([3, 400, 1, 2]).reversed(),
                ]
            };
            // Eighths hold the first steps exactly, not hundreds of them; in `f64` no sum comes close to 0 by chance.
            if let Numbers::Fine = numbers {
                equals_loops::<f32, _, GATES, STATES, SAVED>(sizes, cell, equations, numbers);
            }
            equals_loops::<f64, _, GATES, STATES, SAVED>(sizes, cell, equations, numbers);
        }
    }
    every_cell(&Long);
}

/// Law: a gradient that does not arrive is one of zeros.
struct AbsentGradients;

impl Law for AbsentGradients {
    fn check<
        E: Equations<GATES, STATES, SAVED>,
        const GATES: usize,
        const STATES: usize,
        const SAVED: usize,
    >(
        &self,
        cell: &str,
        equations: &E,
        numbers: Numbers,
    ) {
        for isa in Isa::all() {
            let sizes = Sizes::new([3, 4, 2, 5]).with_mixed_lengths().reversed();
            let whole = Problem::<STATES>::new::<f64>(sizes, GATES, numbers);
            let plan = plan(&whole.sizes, isa, 1);
            for kept in 0..STATES + 2 {
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
                let found = run::<f64, E, GATES, STATES, SAVED>(equations, &problem, &plan, ALL);
                found.assert_close(&by_loops(equations, &problem), f64::TOLERANCE, &what);
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
    fn check<
        E: Equations<GATES, STATES, SAVED>,
        const GATES: usize,
        const STATES: usize,
        const SAVED: usize,
    >(
        &self,
        cell: &str,
        equations: &E,
        numbers: Numbers,
    ) {
        let sizes = Sizes::new([3, 4, 2, 5]).with_mixed_lengths();
        let problem = Problem::<STATES>::new::<f32>(sizes, GATES, numbers);
        for isa in Isa::all() {
            let plan = plan(&problem.sizes, isa, 1);
            let of = |needs| run::<f32, E, GATES, STATES, SAVED>(equations, &problem, &plan, needs);
            let all = of(ALL);
            for choice in 0..8 {
                let needs = Needs {
                    input: choice & 1 != 0,
                    input_side: choice & 2 != 0,
                    hidden_side: choice & 4 != 0,
                };
                let expected = Results {
                    input: all.input.clone().filter(|_| needs.input),
                    input_side: all.input_side.clone().filter(|_| needs.input_side),
                    hidden_side: all.hidden_side.clone().filter(|_| needs.hidden_side),
                    ..all.clone()
                };
                let found = of(needs);
                assert_eq!(found.input.is_some(), needs.input);
                assert_eq!(found.input_side.is_some(), needs.input_side);
                assert_eq!(found.hidden_side.is_some(), needs.hidden_side);
                found.assert_same_bits(&expected, &format!("{cell} on {}, {needs:?}", name(isa)));
            }
        }
    }
}

#[test]
fn unwanted_gradients_are_not_there_and_change_nothing() {
    every_cell(&UnwantedGradients);
}

/// A NaN in one row, in a place that is read, stays in that row.
#[test]
fn a_nan_in_one_row_stays_there() {
    for isa in Isa::all() {
        let clean = Problem::<2>::new::<f32>(Sizes::new([5, 3, 2, 5]), 4, Numbers::Fine);
        let mut spoilt = clean.clone();
        // Row 2 of 5, the first of its 3 steps, the first of 2 inputs.
        spoilt.input[2 * 3 * 2] = f64::NAN;
        let plan = plan(&clean.sizes, isa, 1);
        let [clean, spoilt] =
            [clean, spoilt].map(|problem| run::<f32, _, 4, 2, 4>(&Lstm, &problem, &plan, ALL));
        for row in 0..5 {
            let of = |numbers: &[f64]| part(numbers, row, 5).to_vec();
            match row {
                2 => assert!(of(&spoilt.output).iter().all(|x| x.is_nan())),
                _ => assert_bits(&of(&spoilt.output), &of(&clean.output), "another row"),
            }
        }
    }
}

/// `h′ = c′ ⊙ tanh(x + h)`, where c stays at 1 and runs away from everywhere else: `c′ = 1 + (2⁶⁰ (1 − c))²`.
///
/// A panel is filled up with units that do not exist, whose states start at 0. In these they are soon no numbers.
#[derive(Clone, Debug)]
struct Runaway;

impl Runaway {
    /// `2⁶⁰ x`.
    #[inline(always)]
    fn enlarge<V: Lane>(x: V) -> V {
        (0..60).fold(x, |x, _| x.clone() + x)
    }
}

impl Equations<1, 2, 1> for Runaway {
    const APART: usize = 0;

    #[inline(always)]
    fn forward<V: Lane>(&self, [x]: [V; 1], [h]: [V; 1], [_h, c]: [V; 2]) -> ([V; 2], [V; 1]) {
        let away = Self::enlarge(c.one_minus());
        let c = (away.zero() - away.clone() * away).one_minus();
        let t = (x + h).tanh();
        ([c.clone() * t.clone(), c], [t])
    }

    #[inline(always)]
    fn backward<V: Lane>(
        &self,
        [t]: [V; 1],
        [_h, c]: [V; 2],
        [_h_new, c_new]: [V; 2],
        [grad_h, grad_c]: [V; 2],
    ) -> StepGradients<V, 1, 2> {
        let d = grad_h.clone() * c_new * (t.clone() * t.clone()).one_minus();
        let d_c = grad_c + grad_h.clone() * t;
        let slope = Self::enlarge(Self::enlarge(c.clone() - c.zero().one_minus()));
        StepGradients {
            input: [d.clone()],
            hidden: [d],
            state: [grad_h.zero(), d_c * (slope.clone() + slope)],
        }
    }
}

fn units_that_do_not_exist_reach_nothing_in<F: Real>() {
    for isa in Isa::all() {
        let any = plan(&Sizes::new([1; 4]), isa, 1);
        let Registers { lanes, units } = Registers::of::<F, _, 1, 2, 1>(&Runaway, &any);
        for width in few(vec![lanes + 1, units - 1, units + 1], 1) {
            for sizes in [
                Sizes::new([3, 6, 2, width]),
                Sizes::new([3, 6, 2, width]).with_mixed_lengths().reversed(),
                Sizes::new([1, 5, 2, width]),
            ] {
                let what = format!("{} on {}, {sizes:?}", F::NAME, name(isa));
                let mut problem = Problem::<2>::new::<F>(sizes, 1, Numbers::Fine);
                problem.state[1].fill(1.0);
                let plan = plan(&problem.sizes, isa, 1);
                let found = run::<F, _, 1, 2, 1>(&Runaway, &problem, &plan, ALL);
                found.assert_close(&by_loops(&Runaway, &problem), F::TOLERANCE, &what);
            }
        }
    }
}

#[test]
fn units_that_do_not_exist_reach_nothing() {
    units_that_do_not_exist_reach_nothing_in::<f32>();
    units_that_do_not_exist_reach_nothing_in::<f64>();
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
    fn check<
        E: Equations<GATES, STATES, SAVED>,
        const GATES: usize,
        const STATES: usize,
        const SAVED: usize,
    >(
        &self,
        cell: &str,
        equations: &E,
        numbers: Numbers,
    ) {
        // Weights and activations are large enough to be taken from spare memory.
        let sizes = Sizes::new([9, 40, 70, 203]).with_mixed_lengths().reversed();
        let problem = Problem::<STATES>::new::<f64>(sizes, GATES, numbers);
        let plan = plan(&problem.sizes, Isa::best(), 1);
        let found = run_between::<f64, E, GATES, STATES, SAVED>(
            equations,
            &problem,
            &plan,
            ALL,
            Self::spoil,
        );
        found.assert_close(&by_loops(equations, &problem), f64::TOLERANCE, cell);
    }
}

#[test]
fn spare_memory_reaches_nothing() {
    if !cfg!(miri) {
        every_cell(&SpareMemory);
    }
}

/// Slots are where most can go wrong: gates apart must come back to their own places in both weights.
#[test]
fn panels_are_wider_than_four_registers() {
    let any = plan(&Sizes::new([1; 4]), Isa::best(), 1);
    let gates = |geometry: super::super::Geometry| (geometry.gate_vectors(), geometry.slots());
    assert_eq!(
        gates(any.geometry::<f32, _, 6, 2, 12>(&Multiplicative)),
        (6, 12)
    );
    assert_eq!(gates(any.geometry::<f32, _, 3, 1, 4>(&Gru)), (3, 4));
}
