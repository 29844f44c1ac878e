//! What a scan reads, as plain numbers, and what it gives: on the engine and for comparison.

use std::fmt::Debug;

use super::super::{Element, Isa, Needs, Operands, OutputGradients, Plan, Timetable};
use crate::{Equations, Lengths, Order};

/// A type of numbers that the engine computes in.
pub(super) trait Real: Element {
    /// What it is called.
    const NAME: &'static str;

    /// How far a result may lie from that of loops in `f64`: relative to the larger magnitude, and absolute below 1.
    const TOLERANCE: f64;

    /// The nearest number.
    fn nearest(value: f64) -> Self;

    /// The same number.
    fn wide(self) -> f64;
}

impl Real for f32 {
    const NAME: &'static str = "f32";
    const TOLERANCE: f64 = 1e-5;

    fn nearest(value: f64) -> Self {
        value as f32
    }

    fn wide(self) -> f64 {
        f64::from(self)
    }
}

impl Real for f64 {
    const NAME: &'static str = "f64";
    const TOLERANCE: f64 = 1e-12;

    fn nearest(value: f64) -> Self {
        value
    }

    fn wide(self) -> f64 {
        self
    }
}

/// What the numbers of a problem are drawn from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Numbers {
    /// All numbers of the type.
    Fine,
    /// Eighths. Sums of a few steps hold them exactly, so that rounding never decides on which side of 0 one falls.
    Coarse,
}

/// The sizes of a problem.
#[derive(Clone, Debug)]
pub(super) struct Sizes {
    pub(super) batch: usize,
    pub(super) seq: usize,
    pub(super) d_input: usize,
    pub(super) d_hidden: usize,
    /// The valid steps of each row.
    pub(super) lengths: Option<Vec<usize>>,
    pub(super) order: Order,
    pub(super) bias: bool,
}

impl Sizes {
    /// All steps valid, from the first to the last, with biases.
    pub(super) fn new([batch, seq, d_input, d_hidden]: [usize; 4]) -> Self {
        Self {
            batch,
            seq,
            d_input,
            d_hidden,
            lengths: None,
            order: Order::Forward,
            bias: true,
        }
    }

    /// Rows of many lengths in no order, full ones and empty ones among them.
    pub(super) fn with_mixed_lengths(mut self) -> Self {
        let seq = self.seq;
        let of_row = |row: usize| match row % 7 {
            0 => seq.div_ceil(2),
            1 | 5 => seq,
            2 => 0,
            3 => 1,
            4 => seq - 1,
            _ => row % (seq + 1),
        };
        self.lengths = Some((0..self.batch).map(of_row).collect());
        self
    }

    /// All rows shorter than the sequence, and equally long.
    pub(super) fn with_equal_lengths(mut self) -> Self {
        self.lengths = Some(vec![self.seq.div_ceil(2); self.batch]);
        self
    }

    /// From the last step to the first.
    pub(super) fn reversed(mut self) -> Self {
        self.order = Order::Reverse;
        self
    }

    /// No biases.
    pub(super) fn without_bias(mut self) -> Self {
        self.bias = false;
        self
    }

    /// The valid steps of a row.
    pub(super) fn length(&self, row: usize) -> usize {
        self.lengths
            .as_ref()
            .map_or(self.seq, |lengths| lengths[row])
    }

    /// The valid steps of a row in the order of their visit.
    pub(super) fn visits(&self, row: usize) -> Vec<usize> {
        match self.order {
            Order::Forward => (0..self.length(row)).collect(),
            Order::Reverse => (0..self.length(row)).rev().collect(),
        }
    }
}

/// A scan and the gradients that reach it.
#[derive(Clone, Debug)]
pub(super) struct Problem<const STATES: usize> {
    pub(super) sizes: Sizes,
    /// `[batch, seq, d_input]`, NaN in padding.
    pub(super) input: Vec<f64>,
    /// `[d_input, gates·d_hidden]` and `[d_hidden, gates·d_hidden]`.
    pub(super) weight_ih: Vec<f64>,
    pub(super) weight_hh: Vec<f64>,
    /// `[gates·d_hidden]` each.
    pub(super) biases: Option<[Vec<f64>; 2]>,
    /// `[batch, d_hidden]` each.
    pub(super) state: [Vec<f64>; STATES],
    /// `[batch, seq, d_hidden]`, NaN in padding.
    pub(super) output_gradient: Option<Vec<f64>>,
    /// `[batch, d_hidden]` each.
    pub(super) state_gradient: [Option<Vec<f64>>; STATES],
}

impl<const STATES: usize> Problem<STATES> {
    /// A problem for a cell of `gates` gates whose numbers are all of type `F`.
    pub(super) fn new<F: Real>(sizes: Sizes, gates: usize, numbers: Numbers) -> Self {
        let mut seed = 0;
        let mut draw = |count: usize, range: f64| -> Vec<f64> {
            seed += 1;
            let number = |value: f64| match numbers {
                Numbers::Fine => F::nearest(value).wide(),
                Numbers::Coarse => (value * 8.0).round() / 8.0,
            };
            (random(count, seed).into_iter())
                .map(|value| number(value * range))
                .collect()
        };
        let (batch, d_input, d_hidden) = (sizes.batch, sizes.d_input, sizes.d_hidden);
        let packed = gates * d_hidden;
        let range_of = |width: usize| 1.0 / (width as f64).sqrt();
        let mut problem = Self {
            input: draw(batch * sizes.seq * d_input, 1.0),
            weight_ih: draw(d_input * packed, range_of(d_input)),
            weight_hh: draw(d_hidden * packed, range_of(d_hidden)),
            biases: (sizes.bias).then(|| std::array::from_fn(|_| draw(packed, 0.5))),
            state: std::array::from_fn(|_| draw(batch * d_hidden, 1.0)),
            output_gradient: Some(draw(batch * sizes.seq * d_hidden, 1.0)),
            state_gradient: std::array::from_fn(|_| Some(draw(batch * d_hidden, 1.0))),
            sizes,
        };
        problem.fill_padding(f64::NAN);
        problem
    }

    /// Writes `garbage` wherever nothing may be read.
    fn fill_padding(&mut self, garbage: f64) {
        let Sizes { batch, seq, .. } = self.sizes;
        let output_gradient = self.output_gradient.iter_mut();
        for sequence in output_gradient.chain([&mut self.input]) {
            let width = sequence.len() / (batch * seq);
            for row in 0..batch {
                let valid = self.sizes.length(row);
                sequence[(row * seq + valid) * width..(row + 1) * seq * width].fill(garbage);
            }
        }
    }

    /// One row as a batch of its own.
    pub(super) fn row(&self, row: usize) -> Self {
        let of = |numbers: &Vec<f64>| part(numbers, row, self.sizes.batch).to_vec();
        Self {
            sizes: Sizes {
                batch: 1,
                lengths: self.sizes.lengths.as_ref().map(|all| vec![all[row]]),
                ..self.sizes.clone()
            },
            input: of(&self.input),
            state: self.state.each_ref().map(of),
            output_gradient: self.output_gradient.as_ref().map(of),
            state_gradient: self
                .state_gradient
                .each_ref()
                .map(|gradient| gradient.as_ref().map(of)),
            ..self.clone()
        }
    }
}

/// The numbers of a problem in the type that the engine computes in.
struct Narrowed<F, const STATES: usize> {
    input: Vec<F>,
    weights: [Vec<F>; 2],
    biases: Option<[Vec<F>; 2]>,
    state: [Vec<F>; STATES],
    output_gradient: Option<Vec<F>>,
    state_gradient: [Option<Vec<F>>; STATES],
}

impl<const STATES: usize> Problem<STATES> {
    fn narrow<F: Real>(&self) -> Narrowed<F, STATES> {
        let narrow = |all: &Vec<f64>| -> Vec<F> { all.iter().map(|&x| F::nearest(x)).collect() };
        Narrowed {
            input: narrow(&self.input),
            weights: [&self.weight_ih, &self.weight_hh].map(narrow),
            biases: (self.biases.as_ref()).map(|biases| biases.each_ref().map(narrow)),
            state: self.state.each_ref().map(narrow),
            output_gradient: self.output_gradient.as_ref().map(narrow),
            state_gradient: (self.state_gradient.each_ref())
                .map(|gradient| gradient.as_ref().map(narrow)),
        }
    }
}

impl<F, const STATES: usize> Narrowed<F, STATES> {
    fn operands(&self) -> Operands<'_, F, STATES> {
        let [weight_ih, weight_hh] = &self.weights;
        let biases = self.biases.as_ref();
        Operands {
            input: &self.input,
            weight_ih,
            weight_hh,
            biases: biases.map(|biases| biases.each_ref().map(Vec::as_slice)),
            state: self.state.each_ref().map(Vec::as_slice),
        }
    }

    fn gradients(&self) -> OutputGradients<'_, F, STATES> {
        OutputGradients {
            output: self.output_gradient.as_deref(),
            state: self.state_gradient.each_ref().map(Option::as_deref),
        }
    }
}

/// Part `index` of `parts` equal parts.
pub(super) fn part(numbers: &[f64], index: usize, parts: usize) -> &[f64] {
    let length = numbers.len() / parts;
    &numbers[index * length..][..length]
}

/// Uniform numbers in `[-1, 1)`: Steele, Lea and Flood's SplitMix64, <https://doi.org/10.1145/2714064.2660195>.
pub(super) fn random(count: usize, seed: u64) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0xD134_2543_DE82_EF95);
    let next = || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        2.0 * (z >> 11) as f64 / (1_u64 << 53) as f64 - 1.0
    };
    std::iter::repeat_with(next).take(count).collect()
}

/// What a scan gives, forward and back.
#[derive(Clone, Debug)]
pub(super) struct Results<const STATES: usize> {
    pub(super) output: Vec<f64>,
    pub(super) state: [Vec<f64>; STATES],
    /// The gradient of the input.
    pub(super) input: Option<Vec<f64>>,
    /// The gradients of `W_ih` and `b_ih`.
    pub(super) input_side: Option<[Vec<f64>; 2]>,
    /// The gradients of `W_hh` and `b_hh`.
    pub(super) hidden_side: Option<[Vec<f64>; 2]>,
    /// The gradients of the initial states.
    pub(super) initial: [Vec<f64>; STATES],
}

impl<const STATES: usize> Results<STATES> {
    /// All numbers, with their names.
    pub(super) fn named(&self) -> Vec<(String, &[f64])> {
        let mut named: Vec<(String, &[f64])> = vec![("output".into(), &self.output)];
        let mut put = |name: &str, numbers| named.push((name.into(), numbers));
        for (s, (state, initial)) in self.state.iter().zip(&self.initial).enumerate() {
            put(&format!("state {s}"), state);
            put(&format!("gradient of state {s}"), initial);
        }
        if let Some(input) = &self.input {
            put("gradient of the input", input);
        }
        for (sides, suffix) in [(&self.input_side, "ih"), (&self.hidden_side, "hh")] {
            if let Some([weight, bias]) = sides {
                put(&format!("gradient of weight_{suffix}"), weight);
                put(&format!("gradient of bias_{suffix}"), bias);
            }
        }
        named
    }

    /// Asserts that all numbers are those of `expected` within `tolerance`, relative to the larger magnitude and
    /// absolute below 1, and exactly 0 where those are.
    pub(super) fn assert_close(&self, expected: &Self, tolerance: f64, what: &str) {
        let (found, expected) = (self.named(), expected.named());
        assert_eq!(found.len(), expected.len(), "{what}: results are missing");
        for ((name, found), (_, expected)) in found.iter().zip(&expected) {
            assert_eq!(found.len(), expected.len(), "{what}: length of {name}");
            for (at, (&found, &expected)) in found.iter().zip(*expected).enumerate() {
                let scale = found.abs().max(expected.abs()).max(1.0);
                assert!(
                    (found - expected).abs() <= tolerance * scale
                        && (expected != 0.0 || found == 0.0),
                    "{what}: {name}[{at}] is {found}, expected {expected}"
                );
            }
        }
    }

    /// Asserts that all numbers have the bits of those in `expected`.
    pub(super) fn assert_same_bits(&self, expected: &Self, what: &str) {
        let (found, expected) = (self.named(), expected.named());
        assert_eq!(found.len(), expected.len(), "{what}: results are missing");
        for ((name, found), (_, expected)) in found.iter().zip(&expected) {
            assert_bits(found, expected, &format!("{what}: {name}"));
        }
    }
}

/// Asserts that two lists hold the same bits.
pub(super) fn assert_bits(found: &[f64], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}: length");
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!(
            found.to_bits() == expected.to_bits(),
            "{what}[{at}] is {found:e}, expected the bits of {expected:e}"
        );
    }
}

/// All gradients.
pub(super) const ALL: Needs = Needs {
    input: true,
    input_side: true,
    hidden_side: true,
};

/// The plan for a problem.
pub(super) fn plan(sizes: &Sizes, isa: Isa, threads: usize) -> Plan {
    let lengths = sizes.lengths.clone().map(Lengths::new);
    Plan {
        timetable: Timetable::new(sizes.batch, sizes.seq, lengths.as_ref(), sizes.order),
        seq: sizes.seq,
        d_input: sizes.d_input,
        d_hidden: sizes.d_hidden,
        isa,
        threads,
    }
}

/// A short name of an instruction set.
pub(super) fn name(isa: Isa) -> String {
    let name = format!("{isa:?}");
    name.split('(').next().map(str::to_string).unwrap_or(name)
}

/// A problem on the engine. Inference and training have to give the same bits.
pub(super) fn run<
    F: Real,
    E: Equations<GATES, STATES, SAVED>,
    const GATES: usize,
    const STATES: usize,
    const SAVED: usize,
>(
    equations: &E,
    problem: &Problem<STATES>,
    plan: &Plan,
    needs: Needs,
) -> Results<STATES> {
    run_between::<F, E, GATES, STATES, SAVED>(equations, problem, plan, needs, || {})
}

/// The same, with something else before each of inference, training and the way back.
pub(super) fn run_between<
    F: Real,
    E: Equations<GATES, STATES, SAVED>,
    const GATES: usize,
    const STATES: usize,
    const SAVED: usize,
>(
    equations: &E,
    problem: &Problem<STATES>,
    plan: &Plan,
    needs: Needs,
    before: impl Fn(),
) -> Results<STATES> {
    let narrowed = problem.narrow::<F>();
    let (operands, gradients) = (narrowed.operands(), narrowed.gradients());
    let wide = |numbers: Vec<F>| -> Vec<f64> { numbers.into_iter().map(F::wide).collect() };
    before();
    let inferred = plan.infer(equations, operands);
    before();
    let (trained, slab) = plan.train(equations, operands);
    before();
    let back = plan.backward(equations, operands, &trained.output, slab, gradients, needs);
    let results = Results {
        output: wide(trained.output),
        state: trained.state.map(wide),
        input: back.input.map(wide),
        input_side: back.input_side.map(|side| side.map(wide)),
        hidden_side: back.hidden_side.map(|side| side.map(wide)),
        initial: back.state.map(wide),
    };
    let what = "inference, compared to training";
    assert_bits(&wide(inferred.output), &results.output, what);
    for (inferred, trained) in inferred.state.into_iter().zip(&results.state) {
        assert_bits(&wide(inferred), trained, what);
    }
    results
}
