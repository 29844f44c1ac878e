//! Law: results are the same bits on every run, on any number of threads, and in any batch.

use super::super::Isa;
use super::cells::{Law, every_cell};
use super::problem::{ALL, Numbers, Problem, Real, Sizes, assert_bits, name, part, plan, run};
use crate::Equations;

/// Law: the same bits on every run and on any number of threads.
struct Threads;

impl Law for Threads {
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
        // Who does what does not depend on the cell: one cell tries all instruction sets.
        let instruction_sets = if GATES == 4 { usize::MAX } else { 1 };
        let [f32, f64] = [
            any_number_of_threads::<f32, _, GATES, STATES, SAVED>,
            any_number_of_threads::<f64, _, GATES, STATES, SAVED>,
        ];
        f32(cell, equations, numbers, instruction_sets);
        f64(cell, equations, numbers, instruction_sets);
    }
}

fn any_number_of_threads<
    F: Real,
    E: Equations<GATES, STATES, SAVED>,
    const GATES: usize,
    const STATES: usize,
    const SAVED: usize,
>(
    cell: &str,
    equations: &E,
    numbers: Numbers,
    instruction_sets: usize,
) {
    for sizes in sizes_of_many_threads(GATES) {
        let problem = Problem::<STATES>::new::<F>(sizes, GATES, numbers);
        for isa in Isa::all().into_iter().take(instruction_sets) {
            let on = |threads: usize| {
                let plan = plan(&problem.sizes, isa, threads);
                let geometry = plan.geometry::<F, E, GATES, STATES, SAVED>(equations);
                let (teams, workers) = plan.share(&geometry);
                assert_eq!(
                    teams.len() * workers > 1,
                    threads > 1,
                    "whether threads share the work: {} teams of {workers}",
                    teams.len()
                );
                run::<F, E, GATES, STATES, SAVED>(equations, &problem, &plan, ALL)
            };
            let expected = on(1);
            for threads in [1, 2, 3, 7] {
                let what = format!("{cell} in {} on {}, {threads} threads", F::NAME, name(isa));
                on(threads).assert_same_bits(&expected, &what);
            }
        }
    }
}

/// Sizes of which threads share the rows, or the hidden units of one row, or of three rows both; of a few steps and,
/// for a cell of one gate, of many.
fn sizes_of_many_threads(gates: usize) -> Vec<Sizes> {
    let narrow = Sizes::new([37, 20, 100, 84 / gates]);
    let wide = 480 / gates.min(3);
    let mut sizes = vec![
        narrow.clone().with_mixed_lengths().reversed(),
        narrow,
        Sizes::new([1, 40, 40, wide]),
        Sizes::new([3, 40, 40, wide])
            .with_mixed_lengths()
            .reversed(),
    ];
    if gates == 1 {
        sizes.push(Sizes::new([1, 300, 5, 256]));
    }
    sizes
}

#[test]
fn results_are_the_same_bits_on_any_number_of_threads() {
    if cfg!(miri) {
        return;
    }
    every_cell(&Threads);
}

/// Law: a row's results are the same bits alone and beside others.
struct Rows;

impl Law for Rows {
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
        alone_and_beside_others::<f32, _, GATES, STATES, SAVED>(cell, equations, numbers);
        alone_and_beside_others::<f64, _, GATES, STATES, SAVED>(cell, equations, numbers);
    }
}

fn alone_and_beside_others<
    F: Real,
    E: Equations<GATES, STATES, SAVED>,
    const GATES: usize,
    const STATES: usize,
    const SAVED: usize,
>(
    cell: &str,
    equations: &E,
    numbers: Numbers,
) {
    let batch = if cfg!(miri) { 3 } else { 37 };
    let whole = match batch {
        3 => Sizes::new([batch, 2, 2, 3]),
        _ => Sizes::new([batch, 5, 7, 35]),
    };
    for sizes in [whole.clone(), whole.with_mixed_lengths().reversed()] {
        let problem = Problem::<STATES>::new::<F>(sizes, GATES, numbers);
        for isa in Isa::all() {
            let of = |problem: &Problem<STATES>| {
                let plan = plan(&problem.sizes, isa, 1);
                run::<F, E, GATES, STATES, SAVED>(equations, problem, &plan, ALL)
            };
            let together = of(&problem);
            for row in (0..batch).step_by(5) {
                if problem.sizes.length(row) == 0 {
                    continue;
                }
                let what = format!("{cell} in {} on {}, row {row}", F::NAME, name(isa));
                let alone = of(&problem.row(row));
                let of_row = |numbers| part(numbers, row, batch);
                assert_bits(&alone.output, of_row(&together.output), &what);
                let found = alone.state.iter().chain(&alone.initial).chain(&alone.input);
                let expected = (together.state.iter())
                    .chain(&together.initial)
                    .chain(&together.input);
                for (found, expected) in found.zip(expected) {
                    assert_bits(found, of_row(expected), &what);
                }
            }
        }
    }
}

#[test]
fn a_row_is_the_same_bits_alone_and_beside_others() {
    every_cell(&Rows);
}
