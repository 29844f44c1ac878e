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
use super::{FusedScan, Inputs, Outputs, infer, output_shape, state_shape};
use crate::Equations;
use crate::cpu::{Backward as Gradient, Needs, OutputGradients, Plan, Slab};

/// The parents of a core: input, two weights, two biases, and as many states as a cell may have.
const PARENTS: usize = 5 + MOST_STATES;

/// The most states of a cell.
const MOST_STATES: usize = 7;

impl<B: Host, C: CheckpointStrategy> FusedScan for Autodiff<B, C> {
    fn fused_scan<
        E: Equations<GATES, STATES, SAVED>,
        const GATES: usize,
        const STATES: usize,
        const SAVED: usize,
    >(
        equations: E,
        plan: Plan,
        inputs: Inputs<Self>,
    ) -> Outputs<Self> {
        match inputs.input.dtype() {
            DType::F64 => record::<B, C, f64, E, GATES, STATES, SAVED>(equations, plan, inputs),
            _ => record::<B, C, f32, E, GATES, STATES, SAVED>(equations, plan, inputs),
        }
    }
}

/// Runs the scan and, if anything it reads needs a gradient, puts it on the tape.
fn record<
    B: Host,
    C: CheckpointStrategy,
    F: Number,
    E: Equations<GATES, STATES, SAVED>,
    const GATES: usize,
    const STATES: usize,
    const SAVED: usize,
>(
    equations: E,
    plan: Plan,
    inputs: Inputs<Autodiff<B, C>>,
) -> Outputs<Autodiff<B, C>> {
    const { assert!(STATES <= MOST_STATES, "a cell has at most 7 states") };
    let (inputs, parents) = into_parts::<B, C>(inputs);
    let core = Core::<B, F, E, GATES, STATES, SAVED> { types: PhantomData };
    match core.prepare::<C>(parents).compute_bound().stateful() {
        OpsKind::UnTracked(_) => {
            let outputs = infer(&equations, &plan, inputs);
            let states = outputs.state.into_iter();
            Outputs {
                output: Autodiff::<B, C>::from_inner(outputs.output),
                state: Tensors::collect(states.map(Autodiff::<B, C>::from_inner)),
            }
        }
        OpsKind::Tracked(core) => {
            let inputs = inputs.contiguous();
            let (forward, slab) = plan.train(&equations, inputs.operands::<F, STATES>());
            let output = B::tensor(forward.output, output_shape(&plan), &inputs.input);
            let states = forward
                .state
                .map(|state| B::tensor(state, state_shape(&plan), &inputs.input));
            let token = token::<B>(&output);
            let mailbox = Arc::new(Mutex::new(vec![None; 1 + STATES]));
            let tape = Tape {
                equations,
                plan,
                inputs,
                output: output.clone(),
                slab,
                mailbox: mailbox.clone(),
            };
            let core = core.finish(Unused(Arc::new(Mutex::new(Some(tape)))), token);
            ports(&core, &mailbox, output, states)
        }
    }
}

/// The outputs of a scan as children of its core.
fn ports<B: Host, C: CheckpointStrategy, const STATES: usize>(
    core: &FloatTensor<Autodiff<B, C>>,
    mailbox: &Mailbox<B>,
    output: FloatTensor<B>,
    states: [FloatTensor<B>; STATES],
) -> Outputs<Autodiff<B, C>> {
    let port = |index, value| {
        let mailbox = mailbox.clone();
        match Port.prepare::<C>([core.node()]).compute_bound().stateful() {
            OpsKind::Tracked(port) => port.finish(PortState { index, mailbox }, value),
            OpsKind::UnTracked(port) => port.finish(value),
        }
    };
    let states = states.into_iter().enumerate();
    Outputs {
        output: port(0, output),
        state: Tensors::collect(states.map(|(index, state)| port(1 + index, state))),
    }
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
    let inputs = Inputs {
        input: take(Parent::INPUT, inputs.input),
        weight_ih: take(Parent::WEIGHT_IH, inputs.weight_ih),
        weight_hh: take(Parent::WEIGHT_HH, inputs.weight_hh),
        biases: Tensors::collect(
            (inputs.biases.into_iter().enumerate())
                .map(|(index, bias)| take(Parent::BIASES + index, bias)),
        ),
        state: Tensors::collect(
            (inputs.state.into_iter().enumerate())
                .map(|(index, state)| take(Parent::STATES + index, state)),
        ),
    };
    (inputs, nodes)
}

/// Where each parent of a core stands.
struct Parent;

impl Parent {
    const INPUT: usize = 0;
    const WEIGHT_IH: usize = 1;
    const WEIGHT_HH: usize = 2;
    const BIASES: usize = 3;
    const STATES: usize = 5;
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
struct Core<B, F, E, const GATES: usize, const STATES: usize, const SAVED: usize> {
    types: PhantomData<(B, F, E)>,
}

impl<B, F, E, const GATES: usize, const STATES: usize, const SAVED: usize> Backward<B, PARENTS>
    for Core<B, F, E, GATES, STATES, SAVED>
where
    B: Host,
    F: Number,
    E: Equations<GATES, STATES, SAVED>,
{
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
            hidden_side: needed(Parent::WEIGHT_HH) || needed(Parent::BIASES + 1),
        };
        let tape = lock(&ops.state.0)
            .take()
            .expect("the tape runs a node once");
        let mut register = |parent: usize, gradient: FloatTensor<B>| {
            if let Some(node) = &ops.parents[parent] {
                gradients.register::<B>(node.id, gradient);
            }
        };
        tape.backward::<GATES, STATES, SAVED>(needs, &mut register);
    }
}

impl<B: Host, F: Number, E> Tape<B, F, E> {
    /// Runs the backward scan on the gradients in the mailbox and hands each result to `register`, with its parent.
    fn backward<const GATES: usize, const STATES: usize, const SAVED: usize>(
        self,
        needs: Needs,
        register: &mut impl FnMut(usize, FloatTensor<B>),
    ) where
        E: Equations<GATES, STATES, SAVED>,
    {
        let arrived: Vec<Option<FloatTensor<B>>> = lock(&self.mailbox)
            .drain(..)
            .map(|gradient| gradient.map(B::contiguous))
            .collect();
        let numbers = |index: usize| arrived[index].as_ref().map(B::numbers::<F>);
        let gradients = self.plan.backward(
            &self.equations,
            self.inputs.operands::<F, STATES>(),
            B::numbers(&self.output),
            self.slab,
            OutputGradients {
                output: numbers(0),
                state: std::array::from_fn(|state| numbers(1 + state)),
            },
            needs,
        );
        hand_out(gradients, &self.inputs, register);
    }
}

/// Hands the gradients of what a scan read to `register`, each with its parent.
fn hand_out<B: Host, F: Number, const STATES: usize>(
    gradients: Gradient<F, STATES>,
    inputs: &Inputs<B>,
    register: &mut impl FnMut(usize, FloatTensor<B>),
) {
    let mut put = |parent: usize, numbers: Vec<F>, like: &FloatTensor<B>| {
        register(parent, B::tensor(numbers, like.shape(), like));
    };
    if let Some(input) = gradients.input {
        put(Parent::INPUT, input, &inputs.input);
    }
    let sides = [
        (gradients.input_side, Parent::WEIGHT_IH, &inputs.weight_ih),
        (gradients.hidden_side, Parent::WEIGHT_HH, &inputs.weight_hh),
    ];
    for (side, (gradient, parent, weight)) in sides.into_iter().enumerate() {
        let Some([gradient, bias_gradient]) = gradient else {
            continue;
        };
        put(parent, gradient, weight);
        if let Some(bias) = inputs.biases.iter().nth(side) {
            put(Parent::BIASES + side, bias_gradient, bias);
        }
    }
    let states = gradients.state.into_iter().zip(inputs.state.iter());
    for (index, (gradient, state)) in states.enumerate() {
        put(Parent::STATES + index, gradient, state);
    }
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
