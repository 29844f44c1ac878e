//! What a scan reads, as plain numbers, and what it gives: on the engine and for comparison.

use std::fmt::Debug;

use super::super::{
    Element, Isa, Masking, Needs, NormPlans, Operands, OutputGradients, Plan, Timetable,
};
use crate::{Array, Equations, Layout, Lengths, Order};

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
    /// Width of the hidden state, if it is projected.
    pub(super) projected: Option<usize>,
    /// The valid steps of each row.
    pub(super) lengths: Option<Vec<usize>>,
    pub(super) order: Order,
    pub(super) layout: Layout,
    pub(super) bias: bool,
    /// Whether units have parameters for themselves, if the cell knows any.
    pub(super) units: bool,
}

impl Sizes {
    /// All steps valid, from the first to the last, batch first, with biases and parameters of units.
    pub(super) fn new([batch, seq, d_input, d_hidden]: [usize; 4]) -> Self {
        Self {
            batch,
            seq,
            d_input,
            d_hidden,
            projected: None,
            lengths: None,
            order: Order::Forward,
            layout: Layout::BatchFirst,
            bias: true,
            units: true,
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

    /// Sequences with time first.
    pub(super) fn time_major(mut self) -> Self {
        self.layout = Layout::TimeMajor;
        self
    }

    /// A hidden state that is projected to `width` columns.
    pub(super) fn projected(mut self, width: usize) -> Self {
        self.projected = Some(width);
        self
    }

    /// No biases.
    pub(super) fn without_bias(mut self) -> Self {
        self.bias = false;
        self
    }

    /// No parameters of units.
    pub(super) fn without_units(mut self) -> Self {
        self.units = false;
        self
    }

    /// Width of the hidden state.
    pub(super) fn d_output(&self) -> usize {
        self.projected.unwrap_or(self.d_hidden)
    }

    /// Width of state `index`.
    pub(super) fn state_width(&self, index: usize) -> usize {
        match index {
            0 => self.d_output(),
            _ => self.d_hidden,
        }
    }

    /// Where step `t` of a row stands in a sequence, counted in steps.
    pub(super) fn place(&self, row: usize, t: usize) -> usize {
        match self.layout {
            Layout::BatchFirst => row * self.seq + t,
            Layout::TimeMajor => t * self.batch + row,
        }
    }

    /// The steps of a row of a sequence, one after the other.
    pub(super) fn steps_of<'a>(
        &self,
        sequence: &'a [f64],
        row: usize,
    ) -> impl Iterator<Item = &'a f64> {
        let steps = self.batch * self.seq;
        (0..self.seq).flat_map(move |t| part(sequence, self.place(row, t), steps))
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

/// How many gates, states, and parameters for each unit a cell has.
pub(super) fn counts<E: Equations>(_equations: &E) -> [usize; 3] {
    [
        <E::Gates<()> as Array<()>>::LEN,
        <E::States<()> as Array<()>>::LEN,
        <E::Units<()> as Array<()>>::LEN,
    ]
}

/// A scan and the gradients that reach it.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    pub(super) sizes: Sizes,
    /// `[batch, seq, d_input]` or with time first, NaN in padding.
    pub(super) input: Vec<f64>,
    /// `[d_input, gates·d_hidden]`.
    pub(super) weight_ih: Vec<f64>,
    /// `[width of the state, gates·d_hidden]` for each state that is read.
    pub(super) weights_hh: Vec<Vec<f64>>,
    /// `[gates·d_hidden]` each.
    pub(super) biases: Option<[Vec<f64>; 2]>,
    /// `[d_hidden]` each, or none at all.
    pub(super) units: Vec<Vec<f64>>,
    /// `[d_hidden, d_output]`.
    pub(super) projection: Option<Vec<f64>>,
    /// `[batch, width of the state]` each.
    pub(super) state: Vec<Vec<f64>>,
    /// Masks and norms, and their numbers: none at first.
    pub(super) masking: Masking,
    pub(super) masks: Vec<Vec<f64>>,
    pub(super) norms: NormPlans,
    pub(super) gains: Vec<Vec<f64>>,
    pub(super) actives: Vec<Vec<f64>>,
    pub(super) given: Vec<Vec<f64>>,
    pub(super) shift: Option<Vec<f64>>,
    /// `[batch, seq, d_output]` or with time first, NaN in padding.
    pub(super) output_gradient: Option<Vec<f64>>,
    /// `[batch, width of the state]` each.
    pub(super) state_gradient: Vec<Option<Vec<f64>>>,
}

impl Problem {
    /// A problem for a cell, whose numbers are all of type `F`.
    ///
    /// A projection keeps the width where a middle vector takes the place of the hidden state: its weight has the rows of
    /// both.
    pub(super) fn new<F: Real>(
        equations: &impl Equations,
        mut sizes: Sizes,
        numbers: Numbers,
    ) -> Self {
        if equations.has_middle() && equations.reads() == 1 {
            sizes.projected = sizes.projected.map(|_| sizes.d_hidden);
        }
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
        let [gates, states, units] = counts(equations);
        let units = if sizes.units { units } else { 0 };
        let (batch, d_input, d_hidden) = (sizes.batch, sizes.d_input, sizes.d_hidden);
        let packed = gates * d_hidden;
        let range_of = |width: usize| 1.0 / (width as f64).sqrt();
        let width = |state: usize| sizes.state_width(state);
        let steps = batch * sizes.seq;
        let mut problem = Self {
            input: draw(steps * d_input, 1.0),
            weight_ih: draw(d_input * packed, range_of(d_input)),
            weights_hh: (0..equations.reads())
                .map(|state| {
                    draw(
                        width(state) * packed,
                        range_of(width(state)) / equations.reads() as f64,
                    )
                })
                .collect(),
            biases: (sizes.bias).then(|| std::array::from_fn(|_| draw(packed, 0.5))),
            units: (0..units).map(|_| draw(d_hidden, 0.5)).collect(),
            projection: (sizes.projected).map(|width| draw(d_hidden * width, range_of(d_hidden))),
            state: (0..states)
                .map(|state| draw(batch * width(state), 1.0))
                .collect(),
            masking: Masking::default(),
            masks: Vec::new(),
            norms: NormPlans::default(),
            gains: Vec::new(),
            actives: Vec::new(),
            given: Vec::new(),
            shift: None,
            output_gradient: Some(draw(steps * sizes.d_output(), 1.0)),
            state_gradient: (0..states)
                .map(|state| Some(draw(batch * width(state), 1.0)))
                .collect(),
            sizes,
        };
        problem.fill_padding(f64::NAN);
        problem
    }

    /// Writes `garbage` wherever nothing may be read.
    fn fill_padding(&mut self, garbage: f64) {
        let sizes = &self.sizes;
        let output_gradient = self.output_gradient.iter_mut();
        for sequence in output_gradient.chain([&mut self.input]) {
            let width = sequence.len() / (sizes.batch * sizes.seq);
            for row in 0..sizes.batch {
                for t in sizes.length(row)..sizes.seq {
                    sequence[sizes.place(row, t) * width..][..width].fill(garbage);
                }
            }
        }
    }

    /// One row as a batch of its own.
    pub(super) fn row(&self, row: usize) -> Self {
        let of = |numbers: &Vec<f64>| part(numbers, row, self.sizes.batch).to_vec();
        let steps = |sequence: &Vec<f64>| self.sizes.steps_of(sequence, row).copied().collect();
        Self {
            sizes: Sizes {
                batch: 1,
                lengths: self.sizes.lengths.as_ref().map(|all| vec![all[row]]),
                ..self.sizes.clone()
            },
            input: steps(&self.input),
            state: self.state.iter().map(of).collect(),
            masks: self.masks.iter().map(of).collect(),
            output_gradient: self.output_gradient.as_ref().map(steps),
            state_gradient: (self.state_gradient.iter())
                .map(|gradient| gradient.as_ref().map(of))
                .collect(),
            ..self.clone()
        }
    }
}

/// The numbers of a problem in the type that the engine computes in.
pub(super) struct Narrowed<F> {
    input: Vec<F>,
    weight_ih: Vec<F>,
    weights_hh: Vec<Vec<F>>,
    biases: Option<[Vec<F>; 2]>,
    units: Vec<Vec<F>>,
    projection: Option<Vec<F>>,
    state: Vec<Vec<F>>,
    masks: Vec<Vec<F>>,
    gains: Vec<Vec<F>>,
    actives: Vec<Vec<F>>,
    given: Vec<Vec<F>>,
    shift: Option<Vec<F>>,
    output_gradient: Option<Vec<F>>,
    state_gradient: Vec<Option<Vec<F>>>,
}

impl Problem {
    pub(super) fn narrow<F: Real>(&self) -> Narrowed<F> {
        let narrow = |all: &Vec<f64>| -> Vec<F> { all.iter().map(|&x| F::nearest(x)).collect() };
        let each = |lists: &[Vec<f64>]| lists.iter().map(narrow).collect();
        Narrowed {
            input: narrow(&self.input),
            weight_ih: narrow(&self.weight_ih),
            weights_hh: each(&self.weights_hh),
            biases: (self.biases.as_ref()).map(|biases| biases.each_ref().map(narrow)),
            units: each(&self.units),
            projection: self.projection.as_ref().map(narrow),
            state: each(&self.state),
            masks: each(&self.masks),
            gains: each(&self.gains),
            actives: each(&self.actives),
            given: each(&self.given),
            shift: self.shift.as_ref().map(narrow),
            output_gradient: self.output_gradient.as_ref().map(narrow),
            state_gradient: (self.state_gradient.iter())
                .map(|gradient| gradient.as_ref().map(narrow))
                .collect(),
        }
    }
}

/// Each list as a slice.
fn slices<F>(lists: &[Vec<F>]) -> Vec<&[F]> {
    lists.iter().map(Vec::as_slice).collect()
}

impl<F> Narrowed<F> {
    pub(super) fn operands(&self) -> Operands<'_, F> {
        let biases = self.biases.as_ref();
        Operands {
            input: &self.input,
            weight_ih: &self.weight_ih,
            weights_hh: slices(&self.weights_hh),
            biases: biases.map(|biases| biases.each_ref().map(Vec::as_slice)),
            units: slices(&self.units),
            projection: self.projection.as_deref(),
            state: slices(&self.state),
            masks: slices(&self.masks),
            gains: slices(&self.gains),
            actives: slices(&self.actives),
            given: slices(&self.given),
            shift: self.shift.as_deref(),
        }
    }

    fn gradients(&self) -> OutputGradients<'_, F> {
        OutputGradients {
            output: self.output_gradient.as_deref(),
            state: self.state_gradient.iter().map(Option::as_deref).collect(),
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
pub(super) struct Results {
    pub(super) output: Vec<f64>,
    pub(super) state: Vec<Vec<f64>>,
    /// What norms over the batch took.
    pub(super) statistics: Vec<[Vec<f64>; 2]>,
    /// The gradient of the input.
    pub(super) input: Option<Vec<f64>>,
    /// The gradients of `W_ih` and `b_ih`.
    pub(super) input_side: Option<[Vec<f64>; 2]>,
    /// The gradients of the recurrent weights, and of `b_hh`.
    pub(super) hidden_side: Option<(Vec<Vec<f64>>, Vec<f64>)>,
    /// The gradients of the parameters of units.
    pub(super) units: Vec<Vec<f64>>,
    /// The gradient of the projection.
    pub(super) projection: Option<Vec<f64>>,
    /// The gradients of the norms' gains, and of the shift of the last state's.
    pub(super) gains: Vec<Vec<f64>>,
    pub(super) shift: Option<Vec<f64>>,
    /// The gradients of the initial states.
    pub(super) initial: Vec<Vec<f64>>,
}

impl Results {
    /// All numbers, with their names.
    pub(super) fn named(&self) -> Vec<(String, &[f64])> {
        let mut named: Vec<(String, &[f64])> = vec![("output".into(), &self.output)];
        let mut put = |name: String, numbers| named.push((name, numbers));
        for (s, (state, initial)) in self.state.iter().zip(&self.initial).enumerate() {
            put(format!("state {s}"), state);
            put(format!("gradient of state {s}"), initial);
        }
        if let Some(input) = &self.input {
            put("gradient of the input".into(), input);
        }
        if let Some([weight, bias]) = &self.input_side {
            put("gradient of weight_ih".into(), weight);
            put("gradient of bias_ih".into(), bias);
        }
        if let Some((weights, bias)) = &self.hidden_side {
            for (s, weight) in weights.iter().enumerate() {
                put(format!("gradient of weight_hh {s}"), weight);
            }
            put("gradient of bias_hh".into(), bias);
        }
        for (index, units) in self.units.iter().enumerate() {
            put(format!("gradient of parameter {index} of units"), units);
        }
        for (index, [mean, variance]) in self.statistics.iter().enumerate() {
            put(format!("mean {index}"), mean);
            put(format!("variance {index}"), variance);
        }
        for (index, gain) in self.gains.iter().enumerate() {
            put(format!("gradient of gain {index}"), gain);
        }
        if let Some(shift) = &self.shift {
            put("gradient of the shift".into(), shift);
        }
        if let Some(projection) = &self.projection {
            put("gradient of the projection".into(), projection);
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
    projection: true,
};

/// The plan for a problem.
pub(super) fn plan(equations: &impl Equations, sizes: &Sizes, isa: Isa, threads: usize) -> Plan {
    let lengths = sizes.lengths.clone().map(Lengths::new);
    Plan {
        timetable: Timetable::new(sizes.batch, sizes.seq, lengths.as_ref(), sizes.order),
        seq: sizes.seq,
        layout: sizes.layout,
        d_input: sizes.d_input,
        d_hidden: sizes.d_hidden,
        projected: sizes.projected,
        reads: equations.reads(),
        middle: equations.has_middle(),
        masking: Masking::default(),
        norms: Default::default(),
        flow: None,
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
pub(super) fn run<F: Real>(
    equations: &impl Equations,
    problem: &Problem,
    plan: &Plan,
    needs: Needs,
) -> Results {
    run_between::<F>(equations, problem, plan, needs, || {})
}

/// The same, with something else before each of inference, training and the way back.
pub(super) fn run_between<F: Real>(
    equations: &impl Equations,
    problem: &Problem,
    plan: &Plan,
    needs: Needs,
    before: impl Fn(),
) -> Results {
    let narrowed = problem.narrow::<F>();
    let (operands, gradients) = (narrowed.operands(), narrowed.gradients());
    let wide = |numbers: Vec<F>| -> Vec<f64> { numbers.into_iter().map(F::wide).collect() };
    let each = |lists: Vec<Vec<F>>| -> Vec<Vec<f64>> { lists.into_iter().map(wide).collect() };
    before();
    let inferred = plan.infer(equations, &operands);
    before();
    let (trained, slab) = plan.train(equations, &operands);
    before();
    let back = plan.backward(
        equations,
        &operands,
        &trained.output,
        slab,
        gradients,
        needs,
    );
    let results = Results {
        output: wide(trained.output),
        state: each(trained.state),
        statistics: (trained.statistics.into_iter())
            .map(|both| both.map(wide))
            .collect(),
        input: back.input.map(wide),
        input_side: back.input_side.map(|side| side.map(wide)),
        hidden_side: (back.hidden_side).map(|(weights, bias)| (each(weights), wide(bias))),
        units: each(back.units),
        projection: back.projection.map(wide),
        gains: each(back.gains),
        shift: back.shift.map(wide),
        initial: each(back.state),
    };
    let what = "inference, compared to training";
    assert_bits(&wide(inferred.output), &results.output, what);
    for (inferred, trained) in each(inferred.state).iter().zip(&results.state) {
        assert_bits(inferred, trained, what);
    }
    results
}
