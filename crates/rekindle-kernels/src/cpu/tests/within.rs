//! Laws of scans with norms and masks: the same on every instruction set, and the same bits on any number of threads and in
//! any batch. That they are right is tested against the composed scan.

use std::fmt::Debug;

use super::super::{Isa, Kept, Masking, NormPlan, Over, Plan};
use super::cells::{Gru, Lstm, Multiplicative};
use super::problem::{
    ALL, Numbers, Problem, Real, Results, Sizes, assert_bits, counts, name, part, plan, random, run,
};
use crate::{Equations, Lane, Order, StepGradients};

/// A cell whose candidate has a factor, and whose hidden state is a function of a norm of the last state.
///
/// ```text
/// f, g, o = σ(x_f + h_f), tanh(x_g + h_g), σ(x_o + h_o)
/// c′ = f ⊙ c + (1 + u) g
/// h′ = o ⊙ tanh(c′)
/// ```
#[derive(Clone, Debug)]
struct Shown;

impl Equations for Shown {
    type Gates<T: Clone + Debug> = [T; 3];
    type States<T: Clone + Debug> = [T; 2];
    type Saved<T: Clone + Debug> = [T; 3];
    type Units<T: Clone + Debug> = [T; 1];
    const APART: usize = 0;
    const FACTOR: bool = true;
    const SHOWS: bool = true;

    #[inline(always)]
    fn forward<V: Lane>(
        &self,
        [x_f, x_g, x_o]: [V; 3],
        [h_f, h_g, h_o]: [V; 3],
        [_h, c]: [V; 2],
        [u]: [V; 1],
    ) -> ([V; 2], [V; 3]) {
        let (f, g, o) = (
            (x_f + h_f).sigmoid(),
            (x_g + h_g).tanh(),
            (x_o + h_o).sigmoid(),
        );
        let c = f.clone() * c + (u.constant(1.0) + u) * g.clone();
        ([o.clone() * c.clone().tanh(), c], [f, g, o])
    }

    #[inline(always)]
    fn backward<V: Lane>(
        &self,
        [f, g, o]: [V; 3],
        [_h, c]: [V; 2],
        [_, c_new]: [V; 2],
        [u]: [V; 1],
        [grad_h, grad_c]: [V; 2],
    ) -> StepGradients<Self, V> {
        let t = c_new.tanh();
        let zero = grad_h.zero();
        let d_o = grad_h.clone() * t.clone() * o.clone() * o.clone().one_minus();
        let d_c = grad_c + grad_h * o * (t.clone() * t).one_minus();
        let d_f = d_c.clone() * c * f.clone() * f.clone().one_minus();
        let factor = u.constant(1.0) + u;
        let d_g = d_c.clone() * factor * (g.clone() * g.clone()).one_minus();
        let gates = [d_f, d_g, d_o];
        StepGradients::new(gates.clone(), gates, [zero, d_c.clone() * f], [d_c * g])
    }

    #[inline(always)]
    fn show<V: Lane>(&self, [_, _, o]: [V; 3], normed: V) -> V {
        o * normed.tanh()
    }

    #[inline(always)]
    fn show_backward<V: Lane>(
        &self,
        [_, _, o]: [V; 3],
        _new: [V; 2],
        _units: [V; 1],
        normed: V,
        grad: V,
    ) -> (StepGradients<Self, V>, V) {
        let (t, zero) = (normed.tanh(), grad.zero());
        let d_normed = grad.clone() * o.clone() * (t.clone() * t.clone()).one_minus();
        let d_o = grad * t * o.clone() * o.one_minus();
        let gates = [zero.clone(), zero.clone(), d_o];
        let state = [zero.clone(), zero.clone()];
        let step = StepGradients::new(gates.clone(), gates, state, [zero]);
        (step, d_normed)
    }
}

/// A law of scans with norms and masks.
trait Law {
    fn check<F: Real, E: Equations>(&self, name: &str, equations: &E, inside: Inside);
}

/// What happens within the steps.
#[derive(Clone, Copy, Debug, Default)]
struct Inside {
    hidden: bool,
    candidate: bool,
    keep: bool,
    norms: [Option<Over>; 3],
}

impl Inside {
    /// The same sizes, in forward order where norms count steps: others never reach the engine.
    fn in_order(&self, sizes: Sizes) -> Sizes {
        let by_row = |norm: &Over| matches!(norm, Over::Row { .. });
        match self.norms.iter().flatten().all(by_row) {
            true => sizes,
            false => Sizes {
                order: Order::Forward,
                ..sizes
            },
        }
    }
}

const LAYER: Over = Over::Row { centred: true };
const RMS: Over = Over::Row { centred: false };

/// The law, for cells and what suits them, in both types of numbers.
fn every_inside(law: &impl Law) {
    let all = Inside {
        hidden: true,
        candidate: true,
        keep: true,
        norms: [Some(LAYER); 3],
    };
    let without = Inside {
        norms: [None; 3],
        ..all
    };
    let root = Inside {
        norms: [Some(RMS); 3],
        ..Inside::default()
    };
    let products = Inside {
        candidate: false,
        norms: [Some(LAYER), Some(RMS), None],
        ..all
    };
    let input = Inside {
        norms: [Some(LAYER), None, None],
        ..Inside::default()
    };
    let given = Inside {
        norms: [Some(Over::Given); 3],
        ..all
    };
    for inside in [all, without, root, given] {
        law.check::<f32, _>("shown", &Shown, inside);
        law.check::<f64, _>("shown", &Shown, inside);
    }
    law.check::<f32, _>("LSTM", &Lstm::PLAIN, products);
    law.check::<f32, _>("multiplicative", &Multiplicative, products);
    let reset_before = true;
    law.check::<f32, _>("GRU with reset before", &Gru { reset_before }, input);
    let reading = Inside {
        keep: true,
        ..input
    };
    law.check::<f64, _>("LSTM that reads its cell", &Lstm::READING, reading);
}

/// A problem with norms and masks.
fn problem<F: Real>(equations: &impl Equations, sizes: Sizes, inside: Inside) -> Problem {
    let mut problem = Problem::new::<F>(equations, sizes, Numbers::Fine);
    let [gates, states, _] = counts(equations);
    let sizes = &problem.sizes;
    let (batch, seq, d_hidden) = (sizes.batch, sizes.seq, sizes.d_hidden);
    let mut seed = 300;
    let mut mask = |count: usize| -> Vec<f64> {
        seed += 1;
        let numbers = random(count, seed).into_iter();
        numbers.map(|x| if x > 0.0 { 1.0 } else { 0.0 }).collect()
    };
    let keeps_hidden = inside.keep && sizes.projected.is_none();
    let keep = |state: usize| match state {
        0 if !keeps_hidden => Kept::Nothing,
        1 => Kept::Fraction(0.25),
        _ => Kept::Mask,
    };
    problem.masking = Masking {
        hidden: inside.hidden,
        candidate: inside.candidate,
        keep: (0..states).filter(|_| inside.keep).map(keep).collect(),
    };
    if inside.hidden {
        problem.masks.push(mask(batch * sizes.d_output()));
    }
    if inside.candidate {
        problem.masks.push(mask(batch * seq * d_hidden));
        problem.units.clear();
    }
    for kept in &problem.masking.keep {
        if *kept == Kept::Mask {
            problem.masks.push(mask(batch * seq * d_hidden));
        }
    }
    problem.norms = inside.norms.map(|over| {
        let epsilon = 0.5;
        over.map(|over| NormPlan { over, epsilon })
    });
    for (index, norm) in inside.norms.into_iter().enumerate() {
        let Some(over) = norm else { continue };
        let columns = if index == 2 {
            d_hidden
        } else {
            gates * d_hidden
        };
        let draw = |count: usize, seed: usize| -> Vec<f64> {
            let numbers = random(count, (400 + 10 * index + seed) as u64).into_iter();
            numbers.map(|x| F::nearest(x).wide()).collect()
        };
        problem.gains.push(draw(columns, 0));
        match over {
            Over::Row { .. } => {
                let mut active = mask(columns);
                active[0] = 1.0;
                problem.actives.push(active);
            }
            Over::Given => {
                let variance = draw(2 * columns, 2).iter().map(|x| x.abs()).collect();
                problem.given.extend([draw(2 * columns, 1), variance]);
            }
            Over::Batch => {}
        }
    }
    problem.shift = inside.norms[2].map(|_| vec![0.25; d_hidden]);
    problem
}

/// The plan for a problem.
fn plan_of(equations: &impl Equations, problem: &Problem, isa: Isa, threads: usize) -> Plan {
    Plan {
        masking: problem.masking.clone(),
        norms: problem.norms,
        ..plan(equations, &problem.sizes, isa, threads)
    }
}

fn results<F: Real>(
    equations: &impl Equations,
    problem: &Problem,
    isa: Isa,
    threads: usize,
) -> Results {
    let plan = plan_of(equations, problem, isa, threads);
    run::<F>(equations, problem, &plan, ALL)
}

/// Sizes of one row and of many, on whole panels and on parts of them, and with a projection.
fn sizes() -> Vec<Sizes> {
    let narrow = Sizes::new([5, 4, 3, 21]).with_mixed_lengths();
    vec![
        Sizes::new([1, 5, 3, 1]),
        narrow.clone(),
        narrow.reversed().time_major().projected(11),
        Sizes::new([3, 6, 4, 64]).without_bias(),
    ]
}

/// The law for norms over the batch, which see all rows.
fn norms_over_the_batch(law: &impl Law) {
    let all = Inside {
        hidden: true,
        candidate: true,
        keep: true,
        norms: [Some(Over::Batch); 3],
    };
    let input = Inside {
        candidate: false,
        norms: [Some(Over::Batch), Some(LAYER), None],
        ..all
    };
    law.check::<f32, _>("shown", &Shown, all);
    law.check::<f64, _>("shown", &Shown, all);
    law.check::<f32, _>("LSTM", &Lstm::PLAIN, input);
}

#[test]
fn all_instruction_sets_agree() {
    struct Agree;
    impl Law for Agree {
        fn check<F: Real, E: Equations>(&self, cell: &str, equations: &E, inside: Inside) {
            for sizes in sizes() {
                let sizes = inside.in_order(sizes);
                let problem = problem::<F>(equations, sizes, inside);
                let all = Isa::all();
                let Some((&last, others)) = all.split_last() else {
                    unreachable!("arrays run anywhere")
                };
                let expected = results::<f64>(equations, &problem, last, 1);
                for &isa in others.iter().chain([&last]) {
                    let what = format!("{cell} in {} on {}, {inside:?}", F::NAME, name(isa));
                    let found = results::<F>(equations, &problem, isa, 1);
                    found.assert_close(&expected, 4.0 * F::TOLERANCE, &what);
                }
            }
        }
    }
    every_inside(&Agree);
    norms_over_the_batch(&Agree);
}

#[test]
fn results_are_the_same_bits_on_any_number_of_threads() {
    struct Threads;
    impl Law for Threads {
        fn check<F: Real, E: Equations>(&self, cell: &str, equations: &E, inside: Inside) {
            let [gates, ..] = counts(equations);
            let wide = 480 / gates.min(3);
            // A norm over the batch leaves nothing to share but units, of which there have to be some.
            let over_batch = inside.norms.contains(&Some(Over::Batch));
            let narrow = if over_batch { wide } else { 84 / gates };
            for sizes in [
                Sizes::new([37, 20, 100, narrow]).with_mixed_lengths(),
                Sizes::new([1, 40, 40, wide]),
                Sizes::new([3, 39, 40, wide])
                    .with_mixed_lengths()
                    .reversed(),
            ] {
                let problem = problem::<F>(equations, inside.in_order(sizes), inside);
                let isa = Isa::all()[0];
                let expected = results::<F>(equations, &problem, isa, 1);
                for threads in [2, 7] {
                    let plan = plan_of(equations, &problem, isa, threads);
                    let (teams, workers) = plan.share(&plan.geometry::<F, E>());
                    assert!(teams.len() * workers > 1, "{cell}: threads do not share");
                    let what = format!("{cell} in {}, {threads} threads, {inside:?}", F::NAME);
                    let found = run::<F>(equations, &problem, &plan, ALL);
                    found.assert_same_bits(&expected, &what);
                }
            }
        }
    }
    if cfg!(miri) {
        return;
    }
    every_inside(&Threads);
    norms_over_the_batch(&Threads);
}

#[test]
fn a_row_is_the_same_bits_alone_and_beside_others() {
    struct Rows;
    impl Law for Rows {
        fn check<F: Real, E: Equations>(&self, cell: &str, equations: &E, inside: Inside) {
            let batch = 9;
            let sizes = Sizes::new([batch, 5, 7, 35]).with_mixed_lengths();
            for sizes in [sizes.clone(), sizes.reversed().projected(21)] {
                let problem = problem::<F>(equations, inside.in_order(sizes), inside);
                for isa in Isa::all() {
                    let together = results::<F>(equations, &problem, isa, 1);
                    for row in (0..batch).filter(|&row| problem.sizes.length(row) > 0) {
                        let what = format!("{cell} in {} on {}, row {row}", F::NAME, name(isa));
                        let alone = results::<F>(equations, &problem.row(row), isa, 1);
                        let steps = problem.sizes.steps_of(&together.output, row);
                        let expected: Vec<f64> = steps.copied().collect();
                        assert_bits(&alone.output, &expected, &what);
                        for (found, expected) in alone.initial.iter().zip(&together.initial) {
                            assert_bits(found, part(expected, row, batch), &what);
                        }
                    }
                }
            }
        }
    }
    every_inside(&Rows);
}
