//! Law: weights that are mostly zeros give what plain loops give, zeros left out.

use super::super::geometry::Geometry;
use super::super::weights::Weights;
use super::super::{Isa, Plan};
use super::cells::{Law, every_cell};
use super::loops::by_loops;
use super::problem::{ALL, Numbers, Problem, Real, Sizes, counts, name, plan, random, run};
use crate::Equations;

/// Sets all but a quarter of the blocks of a weight of `gates` gates to 0: two rows of a register of `lanes` units.
fn clear_blocks(weight: &mut [f64], gates: usize, units: usize, lanes: usize) {
    let registers = units.div_ceil(lanes);
    let rows = weight.len() / (gates * units);
    let draws = random(rows.div_ceil(2) * gates * registers, 5);
    for (row, row_of_weight) in weight.chunks_exact_mut(gates * units).enumerate() {
        for (gate, units) in row_of_weight.chunks_exact_mut(units).enumerate() {
            for (register, numbers) in units.chunks_mut(lanes).enumerate() {
                if draws[(row / 2 * gates + gate) * registers + register] < 0.5 {
                    numbers.fill(0.0);
                }
            }
        }
    }
}

/// A problem whose weights are mostly zeros.
fn sparse_problem<F: Real>(
    equations: &impl Equations,
    sizes: Sizes,
    numbers: Numbers,
    lanes: usize,
) -> Problem {
    let mut problem = Problem::new::<F>(equations, sizes, numbers);
    let [gates, ..] = counts(equations);
    let (d_hidden, d_output) = (problem.sizes.d_hidden, problem.sizes.d_output());
    clear_blocks(&mut problem.weight_ih, gates, d_hidden, lanes);
    for weight in &mut problem.weights_hh {
        clear_blocks(weight, gates, d_hidden, lanes);
    }
    if let Some(weight) = &mut problem.projection {
        clear_blocks(weight, 1, d_output, lanes);
    }
    problem
}

struct Sparse;

impl Law for Sparse {
    fn check<E: Equations>(&self, cell: &str, equations: &E, numbers: Numbers) {
        check::<f32>(cell, equations, numbers);
        check::<f64>(cell, equations, numbers);
    }
}

fn geometry_of<F: Real, E: Equations>(plan: &Plan, _equations: &E) -> Geometry {
    plan.geometry::<F, E>()
}

fn check<F: Real>(cell: &str, equations: &impl Equations, numbers: Numbers) {
    for isa in Isa::all() {
        for index in 0..if cfg!(miri) { 1 } else { 3 } {
            let any = plan(equations, &Sizes::new([1; 4]), isa, 1);
            let geometry = geometry_of::<F, _>(&any, equations);
            let (lanes, units) = (geometry.registers.lanes, geometry.units());
            // Rows that fill tiles and some that do not; the last panel and its last register are not full.
            let sizes = match index {
                0 => Sizes::new([7, 4, 12, units + 1]).with_mixed_lengths(),
                1 => Sizes::new([9, 3, 24, 2 * units]).projected(units + 1),
                _ => Sizes::new([1, 9, 1, 3 * units - 1])
                    .reversed()
                    .without_bias(),
            };
            let what = format!("{cell} in {} on {}, {sizes:?}", F::NAME, name(isa));
            let problem = sparse_problem::<F>(equations, sizes, numbers, lanes);
            let plan = plan(equations, &problem.sizes, isa, 1);
            let numbers = problem.narrow::<F>();
            let weights = Weights::pack(
                &numbers.operands(),
                &geometry_of::<F, _>(&plan, equations),
                &plan,
            );
            let sparse = match geometry.recurrent_gates() {
                0 => &weights.ih,
                _ => &weights.hh,
            };
            assert!(sparse.sparse_panels() > 0, "is anything left out: {what}");
            let found = run::<F>(equations, &problem, &plan, ALL);
            found.assert_close(&by_loops(equations, &problem), F::TOLERANCE, &what);
        }
    }
}

#[test]
fn zeros_are_left_out() {
    every_cell(&Sparse);
}
