//! Law: results are the same bits on every run, on any number of threads, and in any batch.

use super::super::Isa;
use super::cells::{Law, every_cell};
use super::problem::{
    ALL, Numbers, Problem, Real, Sizes, assert_bits, counts, name, part, plan, run,
};
use crate::Equations;

/// Law: the same bits on every run and on any number of threads.
struct Threads;

impl Law for Threads {
    fn check<E: Equations>(&self, cell: &str, equations: &E, numbers: Numbers) {
        any_number_of_threads::<f32, E>(cell, equations, numbers);
        any_number_of_threads::<f64, E>(cell, equations, numbers);
    }
}

fn any_number_of_threads<F: Real, E: Equations>(cell: &str, equations: &E, numbers: Numbers) {
    let [gates, ..] = counts(equations);
    for sizes in sizes_of_many_threads(gates) {
        // Who does what does not depend on the cell: one cell, with all phases, tries all instruction sets.
        let all_phases = equations.has_middle() && sizes.d_output() < sizes.d_hidden;
        let instruction_sets = match (gates, all_phases) {
            (4, true) => usize::MAX,
            _ => 1,
        };
        let problem = Problem::new::<F>(equations, sizes, numbers);
        for isa in Isa::all().into_iter().take(instruction_sets) {
            let on = |threads: usize| {
                let plan = plan(equations, &problem.sizes, isa, threads);
                let (teams, workers) = plan.share(&plan.geometry::<F, E>());
                let (teams, batch) = (teams.len(), problem.sizes.batch);
                let what = format!("{teams} teams of {workers}, {:?}", problem.sizes);
                assert_eq!(teams * workers > 1, threads > 1, "do threads share: {what}");
                let few_rows = batch <= 3 && threads >= 2 * batch;
                assert_eq!(workers > 1, few_rows, "do they share units: {what}");
                run::<F>(equations, &problem, &plan, ALL)
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
    // A row rests for 19 steps: after an even number of them a state would be back where it was.
    let three = Sizes::new([3, 39, 40, wide]).with_mixed_lengths();
    let mut sizes = vec![
        narrow.clone().with_mixed_lengths().reversed(),
        narrow,
        Sizes::new([1, 40, 40, wide]),
        three.clone().reversed().time_major(),
        three.clone().projected(wide - 21),
        three.reversed().projected(wide + 70),
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
    fn check<E: Equations>(&self, cell: &str, equations: &E, numbers: Numbers) {
        alone_and_beside_others::<f32>(cell, equations, numbers);
        alone_and_beside_others::<f64>(cell, equations, numbers);
    }
}

fn alone_and_beside_others<F: Real>(cell: &str, equations: &impl Equations, numbers: Numbers) {
    let batch = if cfg!(miri) { 3 } else { 37 };
    let whole = match batch {
        3 => Sizes::new([batch, 2, 2, 3]),
        _ => Sizes::new([batch, 5, 7, 35]),
    };
    for sizes in [
        whole.clone(),
        whole.clone().with_mixed_lengths().reversed().time_major(),
        whole.projected(21).with_mixed_lengths(),
    ] {
        let problem = Problem::new::<F>(equations, sizes, numbers);
        for isa in Isa::all() {
            let of = |problem: &Problem| {
                let plan = plan(equations, &problem.sizes, isa, 1);
                run::<F>(equations, problem, &plan, ALL)
            };
            let together = of(&problem);
            for row in (0..batch).step_by(5) {
                if problem.sizes.length(row) == 0 {
                    continue;
                }
                let what = format!("{cell} in {} on {}, row {row}", F::NAME, name(isa));
                let alone = of(&problem.row(row));
                let steps_of = |sequence| -> Vec<f64> {
                    problem.sizes.steps_of(sequence, row).copied().collect()
                };
                assert_bits(&alone.output, &steps_of(&together.output), &what);
                for (found, expected) in alone.input.iter().zip(&together.input) {
                    assert_bits(found, &steps_of(expected), &what);
                }
                let found = alone.state.iter().chain(&alone.initial);
                let expected = together.state.iter().chain(&together.initial);
                for (found, expected) in found.zip(expected) {
                    assert_bits(found, part(expected, row, batch), &what);
                }
            }
        }
    }
}

#[test]
fn a_row_is_the_same_bits_alone_and_beside_others() {
    every_cell(&Rows);
}
