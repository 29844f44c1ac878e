//! The scan and its derivative as plain loops over numbers in `f64`, one row after the other.

use super::cells::{Law, every_cell};
use super::problem::{Numbers, Problem, Results, Sizes, part, random};
use crate::Equations;

/// One step of one row: what the derivative needs back, unit by unit.
struct Visit<const STATES: usize, const SAVED: usize> {
    t: usize,
    old: Vec<[f64; STATES]>,
    new: Vec<[f64; STATES]>,
    saved: Vec<[f64; SAVED]>,
}

/// `y += x W`, for a `W` of `x.len()` rows.
fn add_product(y: &mut [f64], x: &[f64], weight: &[f64]) {
    for (x, row) in x.iter().zip(weight.chunks(y.len())) {
        for (y, w) in y.iter_mut().zip(row) {
            *y += x * w;
        }
    }
}

/// `y Wᵀ`, for a `W` of rows as long as `y`.
fn back(y: &[f64], weight: &[f64]) -> Vec<f64> {
    let dot = |row: &[f64]| row.iter().zip(y).map(|(w, y)| w * y).sum();
    weight.chunks(y.len()).map(dot).collect()
}

/// `W += xᵀ y`.
fn add_outer(weight: &mut [f64], x: &[f64], y: &[f64]) {
    for (x, row) in x.iter().zip(weight.chunks_mut(y.len())) {
        for (w, y) in row.iter_mut().zip(y) {
            *w += x * y;
        }
    }
}

/// The gates of one unit in a packed row.
fn unit<const GATES: usize>(packed: &[f64], unit: usize) -> [f64; GATES] {
    std::array::from_fn(|gate| packed[gate * packed.len() / GATES + unit])
}

/// The hidden state of each unit.
fn hidden<const STATES: usize>(state: &[[f64; STATES]]) -> Vec<f64> {
    state.iter().map(|state| state[0]).collect()
}

/// The states of one row, unit by unit.
fn units<const STATES: usize>(
    states: &[Vec<f64>; STATES],
    row: usize,
    batch: usize,
) -> Vec<[f64; STATES]> {
    let rows = states.each_ref().map(|state| part(state, row, batch));
    (0..rows[0].len())
        .map(|unit| rows.map(|row| row[unit]))
        .collect()
}

/// Writes the states of one row.
fn put_units<const STATES: usize>(
    states: &mut [Vec<f64>; STATES],
    row: usize,
    units: &[[f64; STATES]],
) {
    for (s, state) in states.iter_mut().enumerate() {
        for (j, unit) in units.iter().enumerate() {
            state[row * units.len() + j] = unit[s];
        }
    }
}

/// All results of a problem.
pub(super) fn by_loops<
    E: Equations<GATES, STATES, SAVED>,
    const GATES: usize,
    const STATES: usize,
    const SAVED: usize,
>(
    equations: &E,
    problem: &Problem<STATES>,
) -> Results<STATES> {
    let Sizes {
        batch,
        seq,
        d_hidden,
        ..
    } = problem.sizes;
    let zeros = |of: &[f64]| vec![0.0; of.len()];
    let mut results = Results {
        output: vec![0.0; batch * seq * d_hidden],
        state: problem.state.clone(),
        input: Some(zeros(&problem.input)),
        input_side: Some([zeros(&problem.weight_ih), vec![0.0; GATES * d_hidden]]),
        hidden_side: Some([zeros(&problem.weight_hh), vec![0.0; GATES * d_hidden]]),
        initial: problem.state.each_ref().map(|state| zeros(state)),
    };
    for row in 0..batch {
        let visits = forward(equations, problem, row);
        for visit in &visits {
            let at = (row * seq + visit.t) * d_hidden;
            results.output[at..at + d_hidden].copy_from_slice(&hidden(&visit.new));
        }
        if let Some(last) = visits.last() {
            put_units(&mut results.state, row, &last.new);
        }
        backward(equations, problem, row, &visits, &mut results);
    }
    results
}

fn forward<
    E: Equations<GATES, STATES, SAVED>,
    const GATES: usize,
    const STATES: usize,
    const SAVED: usize,
>(
    equations: &E,
    problem: &Problem<STATES>,
    row: usize,
) -> Vec<Visit<STATES, SAVED>> {
    let sizes = &problem.sizes;
    let biases = match &problem.biases {
        Some(biases) => biases.clone(),
        None => [
            vec![0.0; GATES * sizes.d_hidden],
            vec![0.0; GATES * sizes.d_hidden],
        ],
    };
    let mut old = units(&problem.state, row, sizes.batch);
    let step = |t: usize| {
        let [mut input, mut recurrent] = biases.clone();
        let x = part(&problem.input, row * sizes.seq + t, sizes.batch * sizes.seq);
        add_product(&mut input, x, &problem.weight_ih);
        add_product(&mut recurrent, &hidden(&old), &problem.weight_hh);
        let (new, saved): (Vec<_>, Vec<_>) = (old.iter().enumerate())
            .map(|(j, &old)| equations.forward(unit(&input, j), unit(&recurrent, j), old))
            .unzip();
        Visit {
            t,
            old: std::mem::replace(&mut old, new.clone()),
            new,
            saved,
        }
    };
    sizes.visits(row).into_iter().map(step).collect()
}

fn backward<
    E: Equations<GATES, STATES, SAVED>,
    const GATES: usize,
    const STATES: usize,
    const SAVED: usize,
>(
    equations: &E,
    problem: &Problem<STATES>,
    row: usize,
    visits: &[Visit<STATES, SAVED>],
    results: &mut Results<STATES>,
) {
    let Sizes {
        batch,
        seq,
        d_input,
        d_hidden,
        ..
    } = problem.sizes;
    let zeros = || vec![0.0; batch * d_hidden];
    let of_state = |gradient: &Option<_>| gradient.clone().unwrap_or_else(zeros);
    let state_gradient = problem.state_gradient.each_ref().map(of_state);
    let mut gradient = units(&state_gradient, row, batch);
    let (Some(d_x), Some([d_w_ih, d_b_ih]), Some([d_w_hh, d_b_hh])) = (
        &mut results.input,
        &mut results.input_side,
        &mut results.hidden_side,
    ) else {
        unreachable!("loops give all gradients")
    };
    for visit in visits.iter().rev() {
        let at = row * seq + visit.t;
        if let Some(output) = &problem.output_gradient {
            for (gradient, output) in gradient.iter_mut().zip(part(output, at, batch * seq)) {
                gradient[0] += output;
            }
        }
        let [input, recurrent] = &step_back(equations, visit, &mut gradient);
        for (gradient, d) in gradient.iter_mut().zip(back(recurrent, &problem.weight_hh)) {
            gradient[0] += d;
        }
        let x = part(&problem.input, at, batch * seq);
        d_x[at * d_input..(at + 1) * d_input].copy_from_slice(&back(input, &problem.weight_ih));
        add_outer(d_w_ih, x, input);
        add_outer(d_b_ih, &[1.0], input);
        add_outer(d_w_hh, &hidden(&visit.old), recurrent);
        add_outer(d_b_hh, &[1.0], recurrent);
    }
    put_units(&mut results.initial, row, &gradient);
}

/// The gradients of both products at one step, packed; those of the new states become those of the old ones, without
/// the path through the recurrent product.
fn step_back<
    E: Equations<GATES, STATES, SAVED>,
    const GATES: usize,
    const STATES: usize,
    const SAVED: usize,
>(
    equations: &E,
    visit: &Visit<STATES, SAVED>,
    gradient: &mut [[f64; STATES]],
) -> [Vec<f64>; 2] {
    let d_hidden = gradient.len();
    let mut packed = [vec![0.0; GATES * d_hidden], vec![0.0; GATES * d_hidden]];
    for (j, gradient) in gradient.iter_mut().enumerate() {
        let step = equations.backward(visit.saved[j], visit.old[j], visit.new[j], *gradient);
        *gradient = step.state;
        for (packed, step) in packed.iter_mut().zip([step.input, step.hidden]) {
            for (gate, step) in step.into_iter().enumerate() {
                packed[gate * d_hidden + j] = step;
            }
        }
    }
    packed
}

/// The sum of all results of a scan, weighted by the gradients that reach it.
fn loss<
    E: Equations<GATES, STATES, SAVED>,
    const GATES: usize,
    const STATES: usize,
    const SAVED: usize,
>(
    equations: &E,
    problem: &Problem<STATES>,
) -> f64 {
    let results = by_loops(equations, problem);
    let dot = |x: &[f64], weight: &Option<Vec<f64>>| -> f64 {
        let pairs = x.iter().zip(weight.iter().flatten());
        pairs.filter(|(_, w)| !w.is_nan()).map(|(x, w)| x * w).sum()
    };
    let states = results.state.iter().zip(&problem.state_gradient);
    states
        .map(|(state, weight)| dot(state, weight))
        .sum::<f64>()
        + dot(&results.output, &problem.output_gradient)
}

/// Everything that a problem has a gradient of, in the order of [`gradients`].
fn arguments<const STATES: usize>(problem: &mut Problem<STATES>) -> Vec<&mut Vec<f64>> {
    let Problem {
        input,
        weight_ih,
        weight_hh,
        biases,
        state,
        ..
    } = problem;
    let weights = [input, weight_ih, weight_hh].into_iter();
    weights
        .chain(biases.iter_mut().flatten())
        .chain(state)
        .collect()
}

fn gradients<const STATES: usize>(results: Results<STATES>) -> Vec<Vec<f64>> {
    let (Some(input), Some([w_ih, b_ih]), Some([w_hh, b_hh])) =
        (results.input, results.input_side, results.hidden_side)
    else {
        unreachable!("loops give all gradients")
    };
    let weights = [input, w_ih, w_hh, b_ih, b_hh].into_iter();
    weights.chain(results.initial).collect()
}

#[test]
fn gradients_of_the_loops_are_finite_differences() {
    struct Differences;
    impl Law for Differences {
        fn check<
            E: Equations<GATES, STATES, SAVED>,
            const GATES: usize,
            const STATES: usize,
            const SAVED: usize,
        >(
            &self,
            name: &str,
            equations: &E,
            _numbers: Numbers,
        ) {
            let forward = Sizes::new([3, 4, 2, 3]).with_mixed_lengths();
            for sizes in [forward.clone(), forward.reversed()] {
                let problem = Problem::<STATES>::new::<f64>(sizes, GATES, Numbers::Fine);
                let gradients = gradients(by_loops(equations, &problem));
                for (argument, gradient) in gradients.iter().enumerate() {
                    let direction = random(gradient.len(), 77);
                    let moved = |distance: f64| {
                        let mut problem = problem.clone();
                        let numbers = arguments(&mut problem).swap_remove(argument);
                        for (x, d) in numbers.iter_mut().zip(&direction) {
                            *x += distance * d;
                        }
                        loss(equations, &problem)
                    };
                    let quotient = (moved(1e-5) - moved(-1e-5)) / 2e-5;
                    let slope: f64 = gradient.iter().zip(&direction).map(|(g, d)| g * d).sum();
                    assert!(
                        (slope - quotient).abs() < 1e-8 * slope.abs().max(1.0),
                        "{name}, argument {argument}: {slope}, finite difference {quotient}"
                    );
                }
            }
        }
    }
    every_cell(&Differences);
}
