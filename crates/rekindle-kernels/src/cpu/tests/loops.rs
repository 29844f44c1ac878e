//! The scan and its derivative as plain loops over numbers in `f64`, one row after the other.

use super::cells::{Law, every_cell};
use super::problem::{Numbers, Problem, Results, Sizes, counts, part, random};
use crate::{Array, Equations, StepGradients};

/// One step of one row: what the derivative needs back.
struct Visit<E: Equations> {
    t: usize,
    /// The states before and after the step.
    old: Vec<Vec<f64>>,
    next: Vec<Vec<f64>>,
    /// What the equations see and put out, unit by unit.
    seen: Vec<E::States<f64>>,
    new: Vec<E::States<f64>>,
    saved: Vec<E::Saved<f64>>,
    /// The middle vector, if the cell has one.
    middle: Vec<f64>,
}

/// `y += x`.
fn add(y: &mut [f64], x: &[f64]) {
    y.iter_mut().zip(x).for_each(|(y, x)| *y += x);
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

/// `W += xᵀ y`, in the columns of `W` from `first` on.
fn add_outer<'a>(
    weight: &mut [f64],
    (width, first): (usize, usize),
    x: impl IntoIterator<Item = &'a f64>,
    y: &[f64],
) {
    for (x, row) in x.into_iter().zip(weight.chunks_mut(width)) {
        for (w, y) in row[first..].iter_mut().zip(y) {
            *w += x * y;
        }
    }
}

/// Part `row` of each state.
fn of_row(states: &[Vec<f64>], row: usize, batch: usize) -> Vec<Vec<f64>> {
    let of = |state: &Vec<f64>| part(state, row, batch).to_vec();
    states.iter().map(of).collect()
}

/// Writes part `row` of each state.
fn put_row(states: &mut [Vec<f64>], row: usize, numbers: &[Vec<f64>]) {
    for (state, numbers) in states.iter_mut().zip(numbers) {
        state[row * numbers.len()..][..numbers.len()].copy_from_slice(numbers);
    }
}

/// Value `index` of each unit.
fn each_unit<A: Array<f64>>(units: &[A], index: usize) -> Vec<f64> {
    units.iter().map(|unit| unit.as_ref()[index]).collect()
}

/// The gates of all units, packed.
fn packed<A: Array<f64>>(units: &[A]) -> Vec<f64> {
    (0..A::LEN)
        .flat_map(|gate| each_unit(units, gate))
        .collect()
}

/// All results of a problem.
pub(super) fn by_loops<E: Equations>(equations: &E, problem: &Problem) -> Results {
    let sizes = &problem.sizes;
    let zeros = |of: &Vec<f64>| vec![0.0; of.len()];
    let each = |lists: &[Vec<f64>]| -> Vec<Vec<f64>> { lists.iter().map(zeros).collect() };
    let [gates, ..] = counts(equations);
    let of_gates = vec![0.0; gates * sizes.d_hidden];
    let d_output = sizes.d_output();
    let mut results = Results {
        output: vec![0.0; sizes.batch * sizes.seq * d_output],
        state: problem.state.clone(),
        statistics: Vec::new(),
        input: Some(zeros(&problem.input)),
        input_side: Some([zeros(&problem.weight_ih), of_gates.clone()]),
        hidden_side: Some((each(&problem.weights_hh), of_gates)),
        units: each(&problem.units),
        projection: problem.projection.as_ref().map(zeros),
        gains: Vec::new(),
        shift: None,
        initial: each(&problem.state),
    };
    let loops = Loops::new(equations, problem);
    for row in 0..sizes.batch {
        let visits = loops.forward(row);
        for visit in &visits {
            let at = sizes.place(row, visit.t) * d_output;
            results.output[at..at + d_output].copy_from_slice(&visit.next[0]);
        }
        if let Some(last) = visits.last() {
            put_row(&mut results.state, row, &last.next);
        }
        loops.backward(row, &visits, &mut results);
    }
    results
}

/// A problem as the loops read it.
struct Loops<'a, E: Equations> {
    equations: &'a E,
    problem: &'a Problem,
    /// Columns of a packed weight.
    packed: usize,
    /// The recurrent weights. In the last gate of the last one stand zeros if that gate reads a middle vector.
    recurrent: Vec<Vec<f64>>,
    /// What stood there: `[d_hidden, d_hidden]`.
    late: Option<Vec<f64>>,
    biases: [Vec<f64>; 2],
    /// The parameters of each unit.
    units: Vec<E::Units<f64>>,
}

impl<'a, E: Equations> Loops<'a, E> {
    fn new(equations: &'a E, problem: &'a Problem) -> Self {
        let [gates, ..] = counts(equations);
        let d_hidden = problem.sizes.d_hidden;
        let packed = gates * d_hidden;
        let mut recurrent = problem.weights_hh.clone();
        let late = equations.has_middle().then(|| {
            let rows = recurrent[equations.reads() - 1].chunks_mut(packed);
            let cut = |row: &mut [f64]| {
                let last_gate = &mut row[packed - d_hidden..];
                let cut = last_gate.to_vec();
                last_gate.fill(0.0);
                cut
            };
            rows.flat_map(cut).collect()
        });
        let no_biases = || [vec![0.0; packed], vec![0.0; packed]];
        let of_unit = |j: usize| {
            let value = |index: usize| problem.units.get(index).map_or(0.0, |values| values[j]);
            E::Units::from_fn(value)
        };
        Self {
            equations,
            problem,
            packed,
            recurrent,
            late,
            biases: problem.biases.clone().unwrap_or_else(no_biases),
            units: (0..d_hidden).map(of_unit).collect(),
        }
    }

    /// The visits of one row, in their order.
    fn forward(&self, row: usize) -> Vec<Visit<E>> {
        let sizes = &self.problem.sizes;
        let mut old = of_row(&self.problem.state, row, sizes.batch);
        let step = |t| {
            let visit = self.step(row, t, old.clone());
            old.clone_from(&visit.next);
            visit
        };
        sizes.visits(row).into_iter().map(step).collect()
    }

    /// The input of a row at step `t`.
    fn input(&self, row: usize, t: usize) -> &[f64] {
        let sizes = &self.problem.sizes;
        let steps = sizes.batch * sizes.seq;
        part(&self.problem.input, sizes.place(row, t), steps)
    }

    fn step(&self, row: usize, t: usize, old: Vec<Vec<f64>>) -> Visit<E> {
        let d_hidden = self.problem.sizes.d_hidden;
        let projection = &self.problem.projection;
        let [mut input, mut hidden] = self.biases.clone();
        add_product(&mut input, self.input(row, t), &self.problem.weight_ih);
        for (state, weight) in old.iter().zip(&self.recurrent) {
            add_product(&mut hidden, state, weight);
        }
        let gates = |packed: &[f64], j| E::Gates::from_fn(|gate| packed[gate * d_hidden + j]);
        let sees = |j: usize| {
            E::States::from_fn(|index| match (index, projection) {
                (0, Some(_)) => 0.0,
                _ => old[index][j],
            })
        };
        let seen: Vec<_> = (0..d_hidden).map(sees).collect();
        let mut middle = Vec::new();
        if let Some(late) = &self.late {
            let of_unit = |j: usize| {
                let [input, hidden] = [&input, &hidden].map(|packed| gates(packed, j));
                (self.equations).middle(input, hidden, seen[j].clone(), self.units[j].clone())
            };
            middle.extend((0..d_hidden).map(of_unit));
            add_product(&mut hidden[self.packed - d_hidden..], &middle, late);
        }
        let of_unit = |j: usize| {
            let [input, hidden] = [&input, &hidden].map(|packed| gates(packed, j));
            (self.equations).forward(input, hidden, seen[j].clone(), self.units[j].clone())
        };
        let (new, saved): (Vec<_>, Vec<_>) = (0..d_hidden).map(of_unit).unzip();
        let mut next: Vec<_> = (0..old.len()).map(|index| each_unit(&new, index)).collect();
        if let (Some(projection), Some(width)) = (projection, self.problem.sizes.projected) {
            let shown = std::mem::replace(&mut next[0], vec![0.0; width]);
            add_product(&mut next[0], &shown, projection);
        }
        Visit {
            t,
            old,
            next,
            seen,
            new,
            saved,
            middle,
        }
    }

    /// Adds the gradients by one row.
    fn backward(&self, row: usize, visits: &[Visit<E>], results: &mut Results) {
        let (problem, sizes) = (self.problem, &self.problem.sizes);
        let (Some(d_x), Some([d_w_ih, d_b_ih])) = (&mut results.input, &mut results.input_side)
        else {
            unreachable!("loops give all gradients")
        };
        let (d_input, steps) = (sizes.d_input, sizes.batch * sizes.seq);
        let zeros = |index| vec![0.0; sizes.batch * sizes.state_width(index)];
        let given = problem.state_gradient.iter().enumerate();
        let given: Vec<Vec<f64>> = given
            .map(|(index, given)| given.clone().unwrap_or_else(|| zeros(index)))
            .collect();
        let mut gradient = of_row(&given, row, sizes.batch);
        for visit in visits.iter().rev() {
            let at = sizes.place(row, visit.t);
            if let Some(output) = &problem.output_gradient {
                add(&mut gradient[0], part(output, at, steps));
            }
            let d_shown = match (&problem.projection, &mut results.projection) {
                (Some(projection), Some(d_projection)) => {
                    let (shown, columns) = (each_unit(&visit.new, 0), (sizes.d_output(), 0));
                    add_outer(d_projection, columns, &shown, &gradient[0]);
                    back(&gradient[0], projection)
                }
                _ => gradient[0].clone(),
            };
            let Some((d_w_hh, d_b_hh)) = &mut results.hidden_side else {
                unreachable!("loops give all gradients")
            };
            let steps = self.steps_back(visit, &d_shown, &gradient, d_w_hh);
            let of = |gates: fn(&StepGradients<E, f64>) -> E::Gates<f64>| {
                packed(&steps.iter().map(gates).collect::<Vec<_>>())
            };
            let [input, hidden] = [
                of(|step| step.input.clone()),
                of(|step| step.hidden.clone()),
            ];
            d_x[at * d_input..][..d_input].copy_from_slice(&back(&input, &problem.weight_ih));
            add_outer(d_w_ih, (self.packed, 0), self.input(row, visit.t), &input);
            add(d_b_ih, &input);
            add(d_b_hh, &hidden);
            for (j, step) in steps.iter().enumerate() {
                let units = results.units.iter_mut().zip(step.units.as_ref());
                units.for_each(|(sum, value)| sum[j] += value);
            }
            gradient = self.states_back(visit, &steps, &hidden, d_w_hh);
        }
        put_row(&mut results.initial, row, &gradient);
    }

    /// The gradients by the equations, unit by unit; adds those of the middle vector's weight.
    fn steps_back(
        &self,
        visit: &Visit<E>,
        d_shown: &[f64],
        gradient: &[Vec<f64>],
        d_w_hh: &mut [Vec<f64>],
    ) -> Vec<StepGradients<E, f64>> {
        let d_hidden = d_shown.len();
        let of_unit = |j: usize| {
            let gradient = E::States::from_fn(|index| match index {
                0 => d_shown[j],
                _ => gradient[index][j],
            });
            let [old, new] = [&visit.seen, &visit.new].map(|states| states[j].clone());
            let (saved, units) = (visit.saved[j].clone(), self.units[j].clone());
            self.equations.backward(saved, old, new, units, gradient)
        };
        let mut steps: Vec<_> = (0..d_hidden).map(of_unit).collect();
        let Some(late) = &self.late else { return steps };
        let last = self.packed / d_hidden - 1;
        let d_late: Vec<f64> = steps
            .iter()
            .map(|step| step.hidden.as_ref()[last])
            .collect();
        let columns = (self.packed, last * d_hidden);
        let weight = &mut d_w_hh[self.recurrent.len() - 1];
        add_outer(weight, columns, &visit.middle, &d_late);
        let d_middle = back(&d_late, late);
        for (j, step) in steps.iter_mut().enumerate() {
            let (saved, units) = (visit.saved[j].clone(), self.units[j].clone());
            let old = visit.seen[j].clone();
            let by_middle = (self.equations).middle_backward(saved, old, units, d_middle[j]);
            add(step.input.as_mut(), by_middle.input.as_ref());
            add(step.hidden.as_mut(), by_middle.hidden.as_ref());
            add(step.state.as_mut(), by_middle.state.as_ref());
            add(step.units.as_mut(), by_middle.units.as_ref());
        }
        steps
    }

    /// The gradients of the states before a step; adds those of the recurrent weights, but for the middle vector's.
    fn states_back(
        &self,
        visit: &Visit<E>,
        steps: &[StepGradients<E, f64>],
        hidden: &[f64],
        d_w_hh: &mut [Vec<f64>],
    ) -> Vec<Vec<f64>> {
        let of_steps: Vec<_> = steps.iter().map(|step| step.state.clone()).collect();
        let mut states: Vec<_> = (0..visit.old.len())
            .map(|index| each_unit(&of_steps, index))
            .collect();
        if let Some(width) = self.problem.sizes.projected {
            states[0] = vec![0.0; width];
        }
        for (index, weight) in self.recurrent.iter().enumerate() {
            let cut = match &self.late {
                Some(_) if index + 1 == self.recurrent.len() => steps.len(),
                _ => 0,
            };
            let of_weight = &hidden[..self.packed - cut];
            let (weights, old) = (&mut d_w_hh[index], &visit.old[index]);
            add_outer(weights, (self.packed, 0), old, of_weight);
            add(&mut states[index], &back(hidden, weight));
        }
        states
    }
}

/// The sum of all results of a scan, weighted by the gradients that reach it.
fn loss(equations: &impl Equations, problem: &Problem) -> f64 {
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
fn arguments(problem: &mut Problem) -> Vec<&mut Vec<f64>> {
    let weights = [&mut problem.input, &mut problem.weight_ih].into_iter();
    weights
        .chain(&mut problem.weights_hh)
        .chain(problem.biases.iter_mut().flatten())
        .chain(&mut problem.units)
        .chain(&mut problem.projection)
        .chain(&mut problem.state)
        .collect()
}

/// The gradients of [`arguments`].
fn gradients(results: Results, problem: &Problem) -> Vec<Vec<f64>> {
    let (Some(input), Some([w_ih, b_ih]), Some((weights_hh, b_hh))) =
        (results.input, results.input_side, results.hidden_side)
    else {
        unreachable!("loops give all gradients")
    };
    let biases = problem
        .biases
        .iter()
        .flat_map(|_| [b_ih.clone(), b_hh.clone()]);
    let weights = [input, w_ih].into_iter();
    weights
        .chain(weights_hh)
        .chain(biases)
        .chain(results.units)
        .chain(results.projection)
        .chain(results.initial)
        .collect()
}

#[test]
fn gradients_of_the_loops_are_finite_differences() {
    struct Differences;
    impl Law for Differences {
        fn check<E: Equations>(&self, name: &str, equations: &E, _numbers: Numbers) {
            let forward = Sizes::new([3, 4, 2, 3]).with_mixed_lengths();
            for sizes in [
                forward.clone(),
                forward.clone().reversed().without_bias().time_major(),
                forward.clone().projected(2).time_major(),
                forward.reversed().projected(5).without_units(),
            ] {
                let problem = Problem::new::<f64>(equations, sizes, Numbers::Fine);
                let gradients = gradients(by_loops(equations, &problem), &problem);
                assert_eq!(gradients.len(), arguments(&mut problem.clone()).len());
                for (argument, gradient) in gradients.iter().enumerate() {
                    let direction = random(gradient.len(), 77);
                    let moved = |distance: f64| {
                        let mut problem = problem.clone();
                        let numbers = arguments(&mut problem).swap_remove(argument);
                        assert_eq!(numbers.len(), gradient.len(), "{name}, argument {argument}");
                        for (x, d) in numbers.iter_mut().zip(&direction) {
                            *x += distance * d;
                        }
                        loss(equations, &problem)
                    };
                    let quotient = (moved(1e-5) - moved(-1e-5)) / 2e-5;
                    let slope: f64 = gradient.iter().zip(&direction).map(|(g, d)| g * d).sum();
                    assert!(
                        (slope - quotient).abs() < 1e-8 * slope.abs().max(1.0),
                        "{name}, {:?}, argument {argument}: {slope}, finite difference {quotient}",
                        problem.sizes
                    );
                }
            }
        }
    }
    every_cell(&Differences);
}
