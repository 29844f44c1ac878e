//! The scan's derivative on Burn's tape.
//!
//! A scan has several outputs, a node of the tape has one. So a scan is one *core* node, which owns what the derivative
//! needs and whose value is a token, and one *port* node per output, a child of the core. On the way back each port
//! drops its gradient in the scan's mailbox; the first one wakes the core with a token gradient. The core comes after
//! all its ports, and runs the backward scan once, on what the mailbox holds: outputs that nothing depends on are missing
//! there, and cost nothing.

use std::fmt::{self, Debug};
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};

use burn::backend::autodiff::{
    checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
    grads::Gradients,
    ops::{Backward, NodeGuard, Ops, OpsKind},
};
use burn::backend::{Autodiff, AutodiffBackend, TensorMetadata, tensor::FloatTensor};
use burn::tensor::{DType, Shape};

use super::host::{Host, Number};
use super::tensors::Tensors;
use super::{FusedScan, Inputs, Outputs, infer};
use crate::cpu::{Backward as Gradient, Needs, OutputGradients, Plan, Slab};
use crate::{Array, Equations};

/// The parents of a core: everything that a scan may read.
const PARENTS: usize = Parent::SHIFT + 1;

/// Where each parent of a core stands.
struct Parent;

impl Parent {
    const INPUT: usize = 0;
    const WEIGHT_IH: usize = 1;
    const BIASES: usize = 2;
    const STATES: usize = 4;
    const WEIGHTS_HH: usize = Self::STATES + MOST_STATES;
    const UNITS: usize = Self::WEIGHTS_HH + MOST_STATES;
    const PROJECTION: usize = Self::UNITS + MOST_UNITS;
    const GAINS: usize = Self::PROJECTION + 1;
    const SHIFT: usize = Self::GAINS + NORMS;
}

/// The norms of a scan.
const NORMS: usize = 3;

/// The most states of a cell.
const MOST_STATES: usize = 7;

/// The most parameters that a unit has for itself.
const MOST_UNITS: usize = 8;

impl<B: Host, C: CheckpointStrategy> FusedScan for Autodiff<B, C> {
    fn fused_scan<E: Equations>(equations: E, plan: Plan, inputs: Inputs<Self>) -> Outputs<Self> {
        match inputs.input.dtype() {
            DType::F64 => record::<B, C, f64, E>(equations, plan, inputs),
            _ => record::<B, C, f32, E>(equations, plan, inputs),
        }
    }
}

/// Runs the scan and, if anything it reads needs a gradient, puts it on the tape.
fn record<B: Host, C: CheckpointStrategy, F: Number, E: Equations>(
    equations: E,
    plan: Plan,
    inputs: Inputs<Autodiff<B, C>>,
) -> Outputs<Autodiff<B, C>> {
    const {
        let states = <E::States<()> as Array<()>>::LEN;
        assert!(states <= MOST_STATES, "a cell has at most 7 states");
        let units = <E::Units<()> as Array<()>>::LEN;
        assert!(
            units <= MOST_UNITS,
            "a unit has at most 8 parameters for itself"
        );
    };
    let (inputs, parents) = into_parts::<B, C>(inputs);
    let core = Core::<B, F, E> { types: PhantomData };
    match core.prepare::<C>(parents).compute_bound().stateful() {
        OpsKind::UnTracked(_) => {
            let outputs = infer(&equations, &plan, inputs);
            let states = outputs.state.into_iter();
            Outputs {
                statistics: untracked(outputs.statistics),
                output: Autodiff::<B, C>::from_inner(outputs.output),
                state: Tensors::collect(states.map(Autodiff::<B, C>::from_inner)),
            }
        }
        OpsKind::Tracked(core) => {
            let inputs = inputs.contiguous();
            let (forward, slab) = plan.train(&equations, &inputs.operands::<F>());
            let outputs = inputs.outputs(&plan, forward);
            let token = token::<B>(&outputs.output);
            let count = 1 + outputs.state.iter().len();
            let mailbox = Arc::new(Mutex::new(vec![None; count]));
            let tape = Tape {
                equations,
                plan,
                inputs,
                output: outputs.output.clone(),
                slab,
                mailbox: mailbox.clone(),
            };
            let core = core.finish(Unused(Arc::new(Mutex::new(Some(tape)))), token);
            ports(&core, &mailbox, outputs)
        }
    }
}

/// The outputs of a scan as children of its core.
fn ports<B: Host, C: CheckpointStrategy>(
    core: &FloatTensor<Autodiff<B, C>>,
    mailbox: &Mailbox<B>,
    outputs: Outputs<B>,
) -> Outputs<Autodiff<B, C>> {
    let port = |index, value| {
        let mailbox = mailbox.clone();
        match Port.prepare::<C>([core.node()]).compute_bound().stateful() {
            OpsKind::Tracked(port) => port.finish(PortState { index, mailbox }, value),
            OpsKind::UnTracked(port) => port.finish(value),
        }
    };
    let states = outputs.state.into_iter().enumerate();
    Outputs {
        statistics: untracked(outputs.statistics),
        output: port(0, outputs.output),
        state: Tensors::collect(states.map(|(index, state)| port(1 + index, state))),
    }
}

/// Tensors that have no gradients.
fn untracked<B: Host, C: CheckpointStrategy>(tensors: Tensors<B>) -> Tensors<Autodiff<B, C>> {
    Tensors::collect(tensors.into_iter().map(Autodiff::<B, C>::from_inner))
}

/// The primitives of `inputs`, and their nodes in the order of [`Parent`].
fn into_parts<B: Host, C: CheckpointStrategy>(
    inputs: Inputs<Autodiff<B, C>>,
) -> (Inputs<B>, [NodeGuard; PARENTS]) {
    let absent = Autodiff::<B, C>::from_inner(token::<B>(inputs.input.primitive()));
    let mut nodes: [NodeGuard; PARENTS] = std::array::from_fn(|_| absent.node());
    let mut take = |parent: usize, tensor: FloatTensor<Autodiff<B, C>>| {
        let (primitive, node) = tensor.into_parts();
        nodes[parent] = node;
        primitive
    };
    let input = take(Parent::INPUT, inputs.input);
    let weight_ih = take(Parent::WEIGHT_IH, inputs.weight_ih);
    let plain = |tensors: Tensors<Autodiff<B, C>>| {
        let primitives = tensors.into_iter().map(|tensor| tensor.into_parts().0);
        Tensors::collect(primitives)
    };
    let mut all = |first: usize, tensors: Tensors<Autodiff<B, C>>| {
        let tensors = tensors.into_iter().enumerate();
        Tensors::collect(tensors.map(|(index, tensor)| take(first + index, tensor)))
    };
    let inputs = Inputs {
        input,
        weight_ih,
        weights_hh: all(Parent::WEIGHTS_HH, inputs.weights_hh),
        biases: all(Parent::BIASES, inputs.biases),
        units: all(Parent::UNITS, inputs.units),
        projection: all(Parent::PROJECTION, inputs.projection),
        state: all(Parent::STATES, inputs.state),
        gains: all(Parent::GAINS, inputs.gains),
        shift: all(Parent::SHIFT, inputs.shift),
        masks: plain(inputs.masks),
        actives: plain(inputs.actives),
        given: plain(inputs.given),
    };
    (inputs, nodes)
}

/// One number, beside `tensor` and of its type.
fn token<B: Host>(tensor: &FloatTensor<B>) -> FloatTensor<B> {
    B::float_zeros(Shape::from([1]), &tensor.device(), tensor.dtype().into())
}

/// The gradients of a scan's outputs that have arrived: of the output sequence, then of each final state.
type Mailbox<B> = Arc<Mutex<Vec<Option<FloatTensor<B>>>>>;

/// What a core keeps for its derivative.
struct Tape<B: Host, F, E> {
    equations: E,
    plan: Plan,
    inputs: Inputs<B>,
    output: FloatTensor<B>,
    slab: Slab<F>,
    mailbox: Mailbox<B>,
}

/// A [`Tape`] until it is used.
struct Unused<B: Host, F, E>(Arc<Mutex<Option<Tape<B, F, E>>>>);

impl<B: Host, F, E> Clone for Unused<B, F, E> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<B: Host, F, E: Debug> Debug for Unused<B, F, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*lock(&self.0) {
            Some(tape) => write!(f, "a scan of {:?}", tape.equations),
            None => f.write_str("a scan whose derivative is taken"),
        }
    }
}

/// The node that owns a scan.
#[derive(Debug)]
struct Core<B, F, E> {
    types: PhantomData<(B, F, E)>,
}

impl<B: Host, F: Number, E: Equations> Backward<B, PARENTS> for Core<B, F, E> {
    type State = Unused<B, F, E>;

    fn backward(
        self,
        ops: Ops<Self::State, PARENTS>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        gradients.consume::<B>(&ops.node);
        let needed = |parent: usize| ops.parents[parent].is_some();
        let needs = Needs {
            input: needed(Parent::INPUT),
            input_side: needed(Parent::WEIGHT_IH) || needed(Parent::BIASES),
            hidden_side: (Parent::WEIGHTS_HH..Parent::UNITS).any(needed)
                || needed(Parent::BIASES + 1),
            projection: needed(Parent::PROJECTION),
        };
        let tape = lock(&ops.state.0)
            .take()
            .expect("the tape runs a node once");
        let mut register = |parent: usize, gradient: FloatTensor<B>| {
            if let Some(node) = &ops.parents[parent] {
                gradients.register::<B>(node.id, gradient);
            }
        };
        tape.backward(needs, &mut register);
    }
}

impl<B: Host, F: Number, E: Equations> Tape<B, F, E> {
    /// Runs the backward scan on the gradients in the mailbox and hands each result to `register`, with its parent.
    fn backward(self, needs: Needs, register: &mut impl FnMut(usize, FloatTensor<B>)) {
        let arrived: Vec<Option<FloatTensor<B>>> = lock(&self.mailbox)
            .drain(..)
            .map(|gradient| gradient.map(B::contiguous))
            .collect();
        let mut numbers = arrived
            .iter()
            .map(|gradient| gradient.as_ref().map(B::numbers::<F>));
        let gradients = self.plan.backward(
            &self.equations,
            &self.inputs.operands::<F>(),
            B::numbers(&self.output),
            self.slab,
            OutputGradients {
                output: numbers.next().flatten(),
                state: numbers.collect(),
            },
            needs,
        );
        hand_out(gradients, &self.inputs, register);
    }
}

/// Hands the gradients of what a scan read to `register`, each with its parent.
fn hand_out<B: Host, F: Number>(
    gradients: Gradient<F>,
    inputs: &Inputs<B>,
    register: &mut impl FnMut(usize, FloatTensor<B>),
) {
    let mut put = |parent: usize, numbers: Vec<F>, like: &FloatTensor<B>| {
        register(parent, B::tensor(numbers, like.shape(), like));
    };
    if let Some(input) = gradients.input {
        put(Parent::INPUT, input, &inputs.input);
    }
    let mut biases = inputs.biases.iter();
    let (bias_ih, bias_hh) = (biases.next(), biases.next());
    if let Some([weight, bias]) = gradients.input_side {
        put(Parent::WEIGHT_IH, weight, &inputs.weight_ih);
        if let Some(bias_ih) = bias_ih {
            put(Parent::BIASES, bias, bias_ih);
        }
    }
    let mut all = |first: usize, gradients: Vec<Vec<F>>, like: &Tensors<B>| {
        for (index, (gradient, like)) in gradients.into_iter().zip(like.iter()).enumerate() {
            put(first + index, gradient, like);
        }
    };
    if let Some((weights, bias)) = gradients.hidden_side {
        all(Parent::WEIGHTS_HH, weights, &inputs.weights_hh);
        if bias_hh.is_some() {
            all(Parent::BIASES + 1, vec![bias], &inputs.biases);
        }
    }
    all(Parent::UNITS, gradients.units, &inputs.units);
    let projection = gradients.projection.into_iter().collect();
    all(Parent::PROJECTION, projection, &inputs.projection);
    all(Parent::GAINS, gradients.gains, &inputs.gains);
    let shift = gradients.shift.into_iter().collect();
    all(Parent::SHIFT, shift, &inputs.shift);
    all(Parent::STATES, gradients.state, &inputs.state);
}

/// The node of one output.
#[derive(Debug)]
struct Port;

/// Which output a port is, and where its gradient goes.
#[derive(Clone, Debug)]
struct PortState<B: Host> {
    index: usize,
    mailbox: Mailbox<B>,
}

impl<B: Host> Backward<B, 1> for Port {
    type State = PortState<B>;

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let gradient = gradients.consume::<B>(&ops.node);
        let token = token::<B>(&gradient);
        let mut mailbox = lock(&ops.state.mailbox);
        let first = mailbox.iter().all(Option::is_none);
        mailbox[ops.state.index] = Some(gradient);
        if let (true, [Some(core)]) = (first, &ops.parents) {
            gradients.register::<B>(core.id, token);
        }
    }
}

/// A lock on `mutex`; what stands in it is whole even where another thread has panicked.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
