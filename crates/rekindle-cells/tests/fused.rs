//! Law: the fused scan equals the reference, which is composed of tensor operations and differentiated by Burn: in
//! outputs, final states and the gradients of everything that a scan reads.
//!
//! Every comparison counts what the equations were called with: the fused scan calls them with registers, the
//! reference with tensors. So no comparison passes because both ways are the same one.

use std::any::type_name;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use burn::backend::autodiff::NodeId;
use burn::tensor::{Bool, DType, Device, Tensor, TensorData};
use rekindle_cells::{
    ElmanActivation, ElmanEquations, Equations, GruEquations, Lane, Lengths, LstmEquations, Order,
    StepGradients,
};
use rekindle_kernels::{Parameters, Scan, Scanned, reference, scan, step};
use rekindle_testkit::{assert_close, devices, random};

/// A law: something that holds for every cell.
trait Law {
    fn check<E: Equations<G, S, A>, const G: usize, const S: usize, const A: usize>(
        &self,
        name: &str,
        equations: &E,
        numbers: Numbers,
    );
}

/// The table of cells.
fn every_cell(law: &impl Law) {
    let [tanh, relu] = [ElmanActivation::Tanh, ElmanActivation::Relu]
        .map(|activation| ElmanEquations { activation });
    law.check("elman", &tanh, Numbers::Fine);
    law.check("elman relu", &relu, Numbers::Coarse);
    law.check("lstm", &LstmEquations, Numbers::Fine);
    law.check("gru", &GruEquations, Numbers::Fine);
}

/// Calls `check` on every CPU device, with gradients, in both types of numbers.
fn every_device(check: impl Fn((&Device, DType))) {
    for device in devices!() {
        for dtype in [DType::F32, DType::F64] {
            check((&device.clone().autodiff(), dtype));
        }
    }
}

/// What the numbers of a scan are drawn from.
#[derive(Clone, Copy, Debug)]
enum Numbers {
    /// All numbers of the type.
    Fine,
    /// Eighths, of which sums of six steps are exact in `f32`: rounding never decides which side of 0 they fall on.
    Coarse,
}

/// Equations that count what they are called with.
#[derive(Clone, Debug)]
struct Spy<E> {
    equations: E,
    calls: Arc<Calls>,
}

#[derive(Debug, Default)]
struct Calls {
    /// Steps on tensors.
    tensors: AtomicUsize,
    /// Steps on anything else.
    registers: AtomicUsize,
    /// Derivatives of steps, on anything.
    derivatives: AtomicUsize,
}

impl<E> Spy<E> {
    fn on(equations: E) -> Self {
        Self {
            equations,
            calls: Arc::default(),
        }
    }

    /// Steps on tensors, on registers, and derivatives, up to now.
    fn counts(&self) -> [usize; 3] {
        let calls = &self.calls;
        [&calls.tensors, &calls.registers, &calls.derivatives]
            .map(|count| count.load(Ordering::Relaxed))
    }
}

impl<E: Equations<G, S, A>, const G: usize, const S: usize, const A: usize> Equations<G, S, A>
    for Spy<E>
{
    const APART: usize = E::APART;

    #[inline(always)]
    fn forward<V: Lane>(&self, input: [V; G], hidden: [V; G], state: [V; S]) -> ([V; S], [V; A]) {
        let of_tensors = type_name::<V>() == type_name::<Tensor<2>>();
        let count = match of_tensors {
            true => &self.calls.tensors,
            false => &self.calls.registers,
        };
        count.fetch_add(1, Ordering::Relaxed);
        self.equations.forward(input, hidden, state)
    }

    #[inline(always)]
    fn backward<V: Lane>(
        &self,
        saved: [V; A],
        old: [V; S],
        new: [V; S],
        grad: [V; S],
    ) -> StepGradients<V, G, S> {
        self.calls.derivatives.fetch_add(1, Ordering::Relaxed);
        self.equations.backward(saved, old, new, grad)
    }
}

/// Which way a scan goes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Fused,
    Reference,
}

impl Way {
    /// The scan, with the proof that it went this way.
    fn scan<E: Equations<G, S, A>, const G: usize, const S: usize, const A: usize>(
        self,
        spy: &Spy<E>,
        whole: Scan<S>,
    ) -> Scanned<S> {
        let before = spy.counts();
        let scanned = match self {
            Self::Fused => scan(spy, whole),
            Self::Reference => reference::scan(spy, whole),
        };
        let after = spy.counts();
        let [tensors, registers, derivatives] = [0, 1, 2].map(|i| after[i] - before[i]);
        let right = match self {
            Self::Fused => tensors == 0 && registers > 0,
            Self::Reference => tensors > 0 && registers == 0,
        };
        assert!(
            right && derivatives == 0,
            "{self:?}: {tensors} steps on tensors, {registers} on registers"
        );
        scanned
    }
}

/// Which arguments of a scan need a gradient: input, two weights, two biases, states, counted from 0.
#[derive(Clone, Copy, Debug)]
enum Tracked {
    All,
    Only(usize),
    AllBut(usize),
    None,
}

impl Tracked {
    fn has(self, argument: usize) -> bool {
        match self {
            Self::All => true,
            Self::Only(only) => argument == only,
            Self::AllBut(but) => argument != but,
            Self::None => false,
        }
    }
}

/// What is made of a scan's outputs.
#[derive(Clone, Copy, Debug)]
enum Loss {
    /// Everything, weighted.
    Everything,
    /// The sequence alone.
    Sequence,
    /// One final state alone.
    State(usize),
    /// A plain sum, whose gradient is one number for all.
    Sum,
    /// One unit at one step.
    Part,
    /// The sequence with its axes swapped, whose gradient is not contiguous.
    Swapped,
    /// Every output several times.
    Twice,
}

impl Loss {
    fn of<const S: usize>(self, scanned: &Scanned<S>) -> Tensor<1> {
        let (output, state) = (scanned.output.clone(), scanned.state.clone());
        let options = (&output.device(), output.dtype());
        let weighted = |y: Tensor<3>| (y.clone() * random(y.dims(), 50, options)).sum();
        let of_state = |s: usize| {
            let h = state[s].clone();
            (h.clone() * random(h.dims(), 60 + s as u64, options)).sum()
        };
        match self {
            Self::Everything => (0..S).fold(weighted(output.clone()), |sum, s| sum + of_state(s)),
            Self::Sequence => weighted(output.clone()),
            Self::State(s) => of_state(s),
            Self::Sum => output.clone().sum(),
            Self::Part => {
                let [_, seq, d_hidden] = output.dims();
                let unit = output.clone().narrow(1, seq / 2, 1);
                unit.narrow(2, d_hidden / 2, 1).sum()
            }
            Self::Swapped => weighted(output.clone().swap_dims(0, 2)),
            Self::Twice => {
                let squares = output.clone().powi_scalar(2).sum();
                let last = state[0].clone() * state[S - 1].clone();
                weighted(output.clone()) + squares + last.sum() + of_state(S - 1)
            }
        }
    }
}

/// One comparison.
#[derive(Clone, Debug)]
struct Setting {
    /// Batch, steps, inputs, hidden units.
    shape: [usize; 4],
    lengths: Option<Vec<usize>>,
    order: Order,
    bias: bool,
    tracked: Tracked,
    loss: Loss,
    /// Whether the scan reads views: of swapped axes, of parts, of one row for all.
    views: bool,
}

impl Setting {
    fn new(shape: [usize; 4]) -> Self {
        Self {
            shape,
            lengths: None,
            order: Order::Forward,
            bias: true,
            tracked: Tracked::All,
            loss: Loss::Everything,
            views: false,
        }
    }

    /// The same with all rows full, with all rows equally short, and with rows of all kinds; each in both orders.
    fn with_lengths_and_orders(&self) -> Vec<Self> {
        let [batch, seq, ..] = self.shape;
        let mixed = |row: usize| match row % 4 {
            0 => seq.div_ceil(2),
            1 => 0,
            2 => seq,
            _ => row % (seq + 1),
        };
        let mut all = Vec::new();
        for lengths in [
            None,
            Some(vec![seq.div_ceil(2); batch]),
            Some((0..batch).map(mixed).collect()),
        ] {
            for order in [Order::Forward, Order::Reverse] {
                all.push(Self {
                    lengths: lengths.clone(),
                    order,
                    ..self.clone()
                });
            }
        }
        all
    }
}

/// The leaves of a graph, and what a scan reads of them.
struct Leaves<const S: usize> {
    setting: Setting,
    input: Tensor<3>,
    weights: [Tensor<2>; 2],
    biases: [Tensor<1>; 2],
    state: [Tensor<2>; S],
}

impl<const S: usize> Leaves<S> {
    fn new(setting: &Setting, gates: usize, numbers: Numbers, options: (&Device, DType)) -> Self {
        let [batch, seq, d_input, d_hidden] = setting.shape;
        let mut draw = Draw {
            numbers,
            tracked: setting.tracked,
            argument: 0,
            options,
        };
        let packed = gates * d_hidden;
        let padding = setting.lengths.as_ref().map(|lengths| {
            let padding = lengths.iter().flat_map(|&n| (0..seq).map(move |t| t >= n));
            let data = TensorData::new(padding.collect::<Vec<_>>(), [batch, seq, 1]);
            Tensor::<3, Bool>::from_data(data, options.0).expand([batch, seq, d_input])
        });
        let spoil = |input: Tensor<3>| match &padding {
            Some(padding) if setting.views => {
                input.mask_fill(padding.clone().swap_dims(0, 1), f64::NAN)
            }
            Some(padding) => input.mask_fill(padding.clone(), f64::NAN),
            None => input,
        };
        let [of_input, of_hidden] = [d_input, d_hidden].map(|width| 1.0 / (width as f64).sqrt());
        match setting.views {
            false => Self {
                input: draw.leaf([batch, seq, d_input], 1.0, spoil),
                weights: [
                    draw.leaf([d_input, packed], of_input, |w| w),
                    draw.leaf([d_hidden, packed], of_hidden, |w| w),
                ],
                biases: [(); 2].map(|()| draw.leaf([packed], 0.5, |b| b)),
                state: [(); S].map(|()| draw.leaf([batch, d_hidden], 1.0, |h| h)),
                setting: setting.clone(),
            },
            true => Self {
                input: draw.leaf([seq, batch, d_input], 1.0, spoil),
                weights: [
                    draw.leaf([packed, d_input], of_input, |w| w),
                    draw.leaf([packed, d_hidden], of_hidden, |w| w),
                ],
                biases: [(); 2].map(|()| draw.leaf([3 * packed], 0.5, |b| b)),
                state: [(); S].map(|()| draw.leaf([1, d_hidden], 1.0, |h| h)),
                setting: setting.clone(),
            },
        }
    }

    fn scan(&self) -> Scan<S> {
        let [batch, _, _, d_hidden] = self.setting.shape;
        let views = self.setting.views;
        let biases = self.biases.clone().map(|bias| match views {
            true => {
                let packed = bias.dims()[0] / 3;
                bias.narrow(0, packed, packed)
            }
            false => bias,
        });
        let [weight_ih, weight_hh] = self.weights.clone().map(|weight| match views {
            true => weight.transpose(),
            false => weight,
        });
        let input = self.input.clone();
        Scan {
            input: if views { input.swap_dims(0, 1) } else { input },
            state: self
                .state
                .clone()
                .map(|state| state.expand([batch, d_hidden])),
            parameters: Parameters {
                weight_ih,
                weight_hh,
                biases: self.setting.bias.then_some(biases),
            },
            lengths: self.setting.lengths.clone().map(Lengths::new),
            order: self.setting.order,
        }
    }

    /// The gradient of each argument, in a row.
    fn gradients(&self, loss: &Tensor<1>) -> Vec<Option<Tensor<1>>> {
        let gradients = loss.backward();
        let mut all = vec![self.input.grad(&gradients).map(|d| d.reshape([-1]))];
        let rows = |d: Option<Tensor<2>>| d.map(|d| d.reshape([-1]));
        all.extend(self.weights.each_ref().map(|w| rows(w.grad(&gradients))));
        all.extend(self.biases.each_ref().map(|b| b.grad(&gradients)));
        all.extend(self.state.each_ref().map(|h| rows(h.grad(&gradients))));
        all
    }
}

/// Draws one argument of a scan after the other.
struct Draw<'a> {
    numbers: Numbers,
    tracked: Tracked,
    argument: usize,
    options: (&'a Device, DType),
}

impl Draw<'_> {
    fn leaf<const D: usize>(
        &mut self,
        shape: [usize; D],
        range: f64,
        change: impl Fn(Tensor<D>) -> Tensor<D>,
    ) -> Tensor<D> {
        let drawn = random(shape, 100 + self.argument as u64, self.options) * range;
        let drawn = change(match self.numbers {
            Numbers::Fine => drawn,
            Numbers::Coarse => (drawn * 8.0).round() / 8.0,
        });
        let tracked = self.tracked.has(self.argument);
        self.argument += 1;
        drawn.detach().set_require_grad(tracked)
    }
}

/// The law, for one setting.
fn fused_equals_reference<E: Equations<G, S, A>, const G: usize, const S: usize, const A: usize>(
    name: &str,
    equations: &E,
    numbers: Numbers,
    setting: &Setting,
    options: (&Device, DType),
) {
    let what = format!("{name}, {options:?}, {setting:?}");
    let [fused, expected] = [Way::Fused, Way::Reference].map(|way| {
        let spy = Spy::on(equations.clone());
        let leaves = Leaves::<S>::new(setting, G, numbers, options);
        let scanned = way.scan(&spy, leaves.scan());
        let gradients = match setting.tracked {
            Tracked::None => Vec::new(),
            _ => leaves.gradients(&setting.loss.of(&scanned)),
        };
        let [.., derivatives] = spy.counts();
        let by_hand = way == Way::Fused && !gradients.is_empty();
        assert_eq!(
            derivatives > 0,
            by_hand,
            "{what}: {derivatives} derivatives"
        );
        (scanned, gradients)
    });
    assert_close(
        &fused.0.output,
        &expected.0.output,
        &format!("{what}: output"),
    );
    for (s, (fused, expected)) in fused.0.state.iter().zip(&expected.0.state).enumerate() {
        assert_close(fused, expected, &format!("{what}: state {s}"));
    }
    for (argument, (fused, expected)) in fused.1.iter().zip(&expected.1).enumerate() {
        let what = format!("{what}: gradient of argument {argument}");
        match (fused, expected) {
            (Some(fused), Some(expected)) => assert_close(fused, expected, &what),
            // Burn's own gradients leave out what no path leads to.
            (Some(fused), None) => assert_close(fused, &fused.zeros_like(), &what),
            (None, Some(_)) => panic!("{what} is missing"),
            (None, None) => {}
        }
        let wanted = setting.tracked.has(argument) && (setting.bias || !(3..5).contains(&argument));
        assert_eq!(fused.is_some(), wanted, "{what}: whether there is one");
    }
}

/// The law for every cell, for the settings that `S` names by the number of states.
struct EqualsReference<F>(F);

impl<F: Fn(usize) -> Vec<Setting>> Law for EqualsReference<F> {
    fn check<E: Equations<G, S, A>, const G: usize, const S: usize, const A: usize>(
        &self,
        name: &str,
        equations: &E,
        numbers: Numbers,
    ) {
        every_device(|options| {
            for setting in (self.0)(S) {
                fused_equals_reference(name, equations, numbers, &setting, options);
            }
        });
    }
}

#[test]
fn every_shape() {
    every_cell(&EqualsReference(|_| {
        let shapes = [
            [1, 1, 1, 1],
            [1, 6, 1, 1],
            [1, 5, 3, 20],
            [2, 3, 1, 3],
            [2, 2, 70, 3],
            [3, 4, 5, 1],
            [4, 1, 3, 17],
            [5, 6, 3, 33],
            [19, 3, 4, 70],
            [37, 2, 2, 5],
        ];
        let all = shapes.map(|shape| Setting::new(shape).with_lengths_and_orders());
        let all = all.into_iter().flatten();
        all.flat_map(|setting| {
            let plain = Setting {
                bias: false,
                ..setting.clone()
            };
            [setting, plain]
        })
        .collect()
    }));
}

#[test]
fn every_loss() {
    every_cell(&EqualsReference(|states| {
        let mut losses = vec![
            Loss::Sequence,
            Loss::Sum,
            Loss::Part,
            Loss::Swapped,
            Loss::Twice,
        ];
        losses.extend((0..states).map(Loss::State));
        let mut all = Vec::new();
        for shape in [[1, 1, 2, 3], [3, 4, 3, 5]] {
            for setting in Setting::new(shape).with_lengths_and_orders() {
                all.extend(losses.iter().map(|&loss| Setting {
                    loss,
                    ..setting.clone()
                }));
            }
        }
        all
    }));
}

#[test]
fn every_choice_of_gradients() {
    every_cell(&EqualsReference(|states| {
        let arguments = 5 + states;
        let tracked = (0..arguments).flat_map(|i| [Tracked::Only(i), Tracked::AllBut(i)]);
        let losses = [Loss::Everything, Loss::Sequence, Loss::State(states - 1)];
        let mut all = Vec::new();
        for tracked in tracked {
            for loss in losses {
                all.extend([Order::Forward, Order::Reverse].map(|order| Setting {
                    tracked,
                    loss,
                    order,
                    lengths: Some(vec![4, 0, 2]),
                    ..Setting::new([3, 4, 3, 5])
                }));
            }
        }
        all
    }));
}

#[test]
fn nothing_to_differentiate() {
    every_cell(&EqualsReference(|_| {
        let setting = Setting {
            tracked: Tracked::None,
            ..Setting::new([3, 4, 3, 5])
        };
        let single = Setting {
            shape: [1, 1, 3, 20],
            ..setting.clone()
        };
        [setting, single]
            .iter()
            .flat_map(Setting::with_lengths_and_orders)
            .collect()
    }));
}

#[test]
fn views() {
    every_cell(&EqualsReference(|states| {
        let mut all = Vec::new();
        for loss in [Loss::Everything, Loss::Swapped, Loss::State(states - 1)] {
            let setting = Setting {
                views: true,
                loss,
                ..Setting::new([3, 4, 3, 5])
            };
            all.extend(setting.with_lengths_and_orders());
        }
        all
    }));
}

#[test]
fn devices_that_recompute_and_devices_without_gradients() {
    struct Devices;
    impl Law for Devices {
        fn check<E: Equations<G, S, A>, const G: usize, const S: usize, const A: usize>(
            &self,
            name: &str,
            equations: &E,
            numbers: Numbers,
        ) {
            for device in devices!() {
                for dtype in [DType::F32, DType::F64] {
                    let check = |setting: &Setting, device: &Device| {
                        for setting in setting.with_lengths_and_orders() {
                            let options = (device, dtype);
                            fused_equals_reference(name, equations, numbers, &setting, options);
                        }
                    };
                    let setting = Setting::new([3, 4, 3, 5]);
                    check(
                        &setting,
                        &device.clone().autodiff().gradient_checkpointing(),
                    );
                    let tracked = Tracked::None;
                    check(&Setting { tracked, ..setting }, &device);
                }
            }
        }
    }
    every_cell(&Devices);
}

/// Checks that both ways give the same tensors, and all of them.
fn assert_same_both_ways(name: &str, results: impl Fn(Way) -> Vec<Option<Tensor<1>>>) {
    let [fused, expected] = [Way::Fused, Way::Reference].map(results);
    for (fused, expected) in fused.into_iter().zip(expected) {
        let (fused, expected) = (fused.expect("tracked"), expected.expect("tracked"));
        assert_close(&fused, &expected, name);
    }
}

/// Law: where one tensor stands for several arguments, its gradient is the sum of theirs.
struct SharedTensors;

impl Law for SharedTensors {
    fn check<E: Equations<G, S, A>, const G: usize, const S: usize, const A: usize>(
        &self,
        name: &str,
        equations: &E,
        numbers: Numbers,
    ) {
        every_device(|options| {
            let setting = Setting::new([3, 4, 5, 5]);
            assert_same_both_ways(name, |way| {
                let mut leaves = Leaves::<S>::new(&setting, G, numbers, options);
                leaves.weights[1] = leaves.weights[0].clone();
                leaves.biases[1] = leaves.biases[0].clone();
                leaves.state = [(); S].map(|()| leaves.state[0].clone());
                let scanned = way.scan(&Spy::on(equations.clone()), leaves.scan());
                leaves.gradients(&Loss::Everything.of(&scanned))
            });
        });
    }
}

#[test]
fn one_tensor_for_several_arguments() {
    every_cell(&SharedTensors);
}

/// Law: what lies on a device without gradients takes part as something that needs none.
struct PlainArguments;

impl Law for PlainArguments {
    fn check<E: Equations<G, S, A>, const G: usize, const S: usize, const A: usize>(
        &self,
        name: &str,
        equations: &E,
        numbers: Numbers,
    ) {
        every_device(|options| {
            let setting = Setting::new([3, 4, 5, 5]);
            let [fused, expected] = [Way::Fused, Way::Reference].map(|way| {
                let leaves = Leaves::<S>::new(&setting, G, numbers, options);
                let mut whole = leaves.scan();
                whole.input = whole.input.inner();
                whole.state = whole.state.map(Tensor::inner);
                let scanned = way.scan(&Spy::on(equations.clone()), whole);
                leaves.gradients(&Loss::Everything.of(&scanned))
            });
            for (argument, (fused, expected)) in fused.into_iter().zip(expected).enumerate() {
                let wanted = (1..5).contains(&argument);
                assert_eq!(fused.is_some(), wanted, "{name}: argument {argument}");
                for (fused, expected) in fused.into_iter().zip(expected) {
                    assert_close(&fused, &expected, name);
                }
            }
        });
    }
}

#[test]
fn arguments_on_a_device_without_gradients() {
    every_cell(&PlainArguments);
}

/// Law: scans that feed each other make one graph. Here a layer that reads in both directions, and one above it that
/// reads the sum of both and starts from their final states; in the loss are outputs of each.
struct ScansOfScans;

impl Law for ScansOfScans {
    fn check<E: Equations<G, S, A>, const G: usize, const S: usize, const A: usize>(
        &self,
        name: &str,
        equations: &E,
        numbers: Numbers,
    ) {
        every_device(|options| {
            let mut setting = Setting::new([3, 4, 5, 5]);
            setting.lengths = Some(vec![4, 0, 2]);
            assert_same_both_ways(name, |way| {
                let leaves = Leaves::<S>::new(&setting, G, numbers, options);
                let spy = Spy::on(equations.clone());
                let forward = way.scan(&spy, leaves.scan());
                let mut reverse = leaves.scan();
                reverse.order = Order::Reverse;
                let reverse = way.scan(&spy, reverse);
                let mut above = leaves.scan();
                above.input = forward.output.clone() + reverse.output.clone();
                above.state = reverse.state.clone();
                above.state[0] = forward.state[S - 1].clone() * reverse.state[0].clone();
                let above = way.scan(&spy, above);
                let loss = Loss::Everything.of(&above) + Loss::Part.of(&forward);
                let mut all = leaves.gradients(&(loss + Loss::State(S - 1).of(&reverse)));
                all.push(Some(above.output.inner().reshape([-1])));
                all
            });
        });
    }
}

#[test]
fn scans_of_scans() {
    every_cell(&ScansOfScans);
}

/// Law: a single step is a scan of one step, and as fused.
struct SingleSteps;

impl Law for SingleSteps {
    fn check<E: Equations<G, S, A>, const G: usize, const S: usize, const A: usize>(
        &self,
        name: &str,
        equations: &E,
        numbers: Numbers,
    ) {
        every_device(|options| {
            for batch in [1, 2, 9] {
                let setting = Setting::new([batch, 1, 3, 20]);
                let leaves = Leaves::<S>::new(&setting, G, numbers, options);
                let whole = leaves.scan();
                let spy = Spy::on(equations.clone());
                let x = whole.input.clone().squeeze_dim(1);
                let stepped = step(&spy, x, whole.state.clone(), &whole.parameters);
                let [tensors, registers, _] = spy.counts();
                assert!(tensors == 0 && registers > 0, "{name}: a step on tensors");
                let expected = reference::scan(equations, whole);
                for (stepped, expected) in stepped.iter().zip(&expected.state) {
                    assert_close(stepped, expected, name);
                }
            }
        });
    }
}

#[test]
fn single_steps() {
    every_cell(&SingleSteps);
}

/// Law: the tape of a fused scan does not grow with its steps.
struct NothingPerStep;

impl Law for NothingPerStep {
    fn check<E: Equations<G, S, A>, const G: usize, const S: usize, const A: usize>(
        &self,
        name: &str,
        equations: &E,
        numbers: Numbers,
    ) {
        const SEQ: usize = 200;
        every_device(|options| {
            let setting = Setting::new([1, SEQ, 1, 1]);
            let leaves = Leaves::<S>::new(&setting, G, numbers, options);
            let nodes = |way: Way| {
                let whole = leaves.scan();
                let spy = Spy::on(equations.clone());
                let first = NodeId::new().value;
                let scanned = way.scan(&spy, whole);
                let last = NodeId::new().value;
                // Burn keeps a tape until it is used.
                scanned.output.sum().backward();
                last - first
            };
            // Burn numbers the nodes of its tapes as they are made, those of tests that run beside this one, too. So a
            // count can only be too high, and one that is low enough proves the law.
            let fused = (0..1000).map(|_| nodes(Way::Fused));
            let too_high = fused.take_while(|&nodes| nodes >= SEQ as u64).count();
            assert!(
                too_high < 1000,
                "{name}: {SEQ} nodes or more for {SEQ} steps"
            );
            let composed = nodes(Way::Reference);
            assert!(composed > SEQ as u64, "{name}: {composed} nodes");
        });
    }
}

#[test]
fn nothing_on_the_tape_per_step() {
    every_cell(&NothingPerStep);
}
