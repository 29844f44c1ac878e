//! The scan as one operation of Burn's CPU backends, with a derivative of its own.

mod autodiff;
mod host;
mod tensors;

use burn::backend::{
    Backend, DispatchTensorKind, ExtensionType, backend_extension, tensor::FloatTensor,
};
use burn::tensor::{DType, Shape, Tensor};

use crate::cpu::{Isa, Operands, Plan, Timetable};
use crate::{Equations, Parameters, Scan, Scanned};
use host::{Host, Number};
use tensors::Tensors;

/// A scan on one of the CPU backends, or `scan` back where it is on another or in another type of numbers.
pub(crate) fn scan<const GATES: usize, const STATES: usize, const SAVED: usize>(
    equations: &impl Equations<GATES, STATES, SAVED>,
    scan: Scan<STATES>,
) -> Result<Scanned<STATES>, Box<Scan<STATES>>> {
    let [batch, seq, d_input] = scan.input.dims();
    let d_hidden = scan.parameters.weight_hh.dims()[0];
    let empty = batch == 0 || scan.lengths.as_ref().is_some_and(|l| l.longest() == 0);
    if empty || !runs_on(&scan) {
        return Err(Box::new(scan));
    }
    let plan = Plan {
        timetable: Timetable::new(batch, seq, scan.lengths.as_ref(), scan.order),
        seq,
        d_input,
        d_hidden,
        isa: Isa::best(),
        threads: rayon::current_num_threads(),
    };
    let Parameters {
        weight_ih,
        weight_hh,
        biases,
    } = scan.parameters;
    let inputs = Inputs {
        input: scan.input.into_dispatch(),
        weight_ih: weight_ih.into_dispatch(),
        weight_hh: weight_hh.into_dispatch(),
        biases: Tensors::collect(biases.into_iter().flatten().map(Tensor::into_dispatch)),
        state: Tensors::collect(scan.state.into_iter().map(Tensor::into_dispatch)),
    };
    let outputs = burn::backend::Dispatch::fused_scan(equations.clone(), plan, inputs);
    let mut state = outputs.state.into_iter().map(Tensor::from_dispatch);
    Ok(Scanned {
        output: Tensor::from_dispatch(outputs.output),
        state: std::array::from_fn(|_| state.next().expect("as many states as went in")),
    })
}

/// Whether all tensors of a scan are numbers of one type that the engine computes in, in the memory of this machine.
fn runs_on<const STATES: usize>(scan: &Scan<STATES>) -> bool {
    let Parameters {
        weight_ih,
        weight_hh,
        biases,
    } = &scan.parameters;
    let dtype = scan.input.dtype();
    let others = [weight_ih, weight_hh].into_iter().chain(&scan.state);
    let same = others.map(Tensor::dtype).all(|other| other == dtype)
        && biases.iter().flatten().all(|bias| bias.dtype() == dtype);
    same && matches!(dtype, DType::F32 | DType::F64)
        && on_host(&scan.input.clone().into_dispatch().kind)
}

fn on_host(kind: &DispatchTensorKind) -> bool {
    match kind {
        #[cfg(feature = "flex")]
        DispatchTensorKind::Flex(_) => true,
        #[cfg(feature = "ndarray")]
        DispatchTensorKind::NdArray(_) => true,
        DispatchTensorKind::Autodiff(inner) => on_host(inner),
        #[allow(unreachable_patterns, reason = "depends on the backends compiled in")]
        _ => false,
    }
}

/// What the operation reads.
#[derive(ExtensionType)]
pub(crate) struct Inputs<B: Backend> {
    /// `[batch, seq, d_input]`.
    input: FloatTensor<B>,
    weight_ih: FloatTensor<B>,
    weight_hh: FloatTensor<B>,
    /// None or two.
    #[extension_type]
    biases: Tensors<B>,
    /// `[batch, d_hidden]` each, the hidden state first.
    #[extension_type]
    state: Tensors<B>,
}

/// What the operation puts out.
#[derive(ExtensionType)]
pub(crate) struct Outputs<B: Backend> {
    /// `[batch, seq, d_hidden]`.
    output: FloatTensor<B>,
    /// `[batch, d_hidden]` each.
    #[extension_type]
    state: Tensors<B>,
}

/// A backend that scans in one operation.
#[backend_extension(
    Flex: cfg(feature = "flex"),
    NdArray: cfg(feature = "ndarray"),
    Autodiff
)]
pub(crate) trait FusedScan: Backend {
    /// The scan of a cell over `inputs`.
    #[allow(
        unused_variables,
        reason = "without a CPU backend there is nothing to call"
    )]
    fn fused_scan<
        E: Equations<GATES, STATES, SAVED>,
        const GATES: usize,
        const STATES: usize,
        const SAVED: usize,
    >(
        equations: E,
        plan: Plan,
        #[extension_type] inputs: Inputs<Self>,
    ) -> Outputs<Self>;
}

impl<B: Host> FusedScan for B {
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
        infer(&equations, &plan, inputs)
    }
}

/// The scan without anything kept for gradients.
fn infer<B: Host, const GATES: usize, const STATES: usize, const SAVED: usize>(
    equations: &impl Equations<GATES, STATES, SAVED>,
    plan: &Plan,
    inputs: Inputs<B>,
) -> Outputs<B> {
    match burn::backend::TensorMetadata::dtype(&inputs.input) {
        DType::F64 => infer_in::<B, f64, GATES, STATES, SAVED>(equations, plan, inputs),
        _ => infer_in::<B, f32, GATES, STATES, SAVED>(equations, plan, inputs),
    }
}

fn infer_in<B: Host, F: Number, const GATES: usize, const STATES: usize, const SAVED: usize>(
    equations: &impl Equations<GATES, STATES, SAVED>,
    plan: &Plan,
    inputs: Inputs<B>,
) -> Outputs<B> {
    let inputs = inputs.contiguous();
    let forward = plan.infer(equations, inputs.operands::<F, STATES>());
    Outputs {
        output: B::tensor(forward.output, output_shape(plan), &inputs.input),
        state: Tensors::collect(
            forward
                .state
                .map(|state| B::tensor(state, state_shape(plan), &inputs.input)),
        ),
    }
}

fn output_shape(plan: &Plan) -> Shape {
    Shape::from([plan.timetable.batch(), plan.seq, plan.d_hidden])
}

fn state_shape(plan: &Plan) -> Shape {
    Shape::from([plan.timetable.batch(), plan.d_hidden])
}

impl<B: Host> Inputs<B> {
    /// The same numbers, in row-major order.
    fn contiguous(self) -> Self {
        Self {
            input: B::contiguous(self.input),
            weight_ih: B::contiguous(self.weight_ih),
            weight_hh: B::contiguous(self.weight_hh),
            biases: Tensors::collect(self.biases.into_iter().map(B::contiguous)),
            state: Tensors::collect(self.state.into_iter().map(B::contiguous)),
        }
    }

    /// The numbers.
    fn operands<F: Number, const STATES: usize>(&self) -> Operands<'_, F, STATES> {
        let mut state = self.state.iter().map(B::numbers);
        let mut biases = self.biases.iter().map(B::numbers);
        Operands {
            input: B::numbers(&self.input),
            weight_ih: B::numbers(&self.weight_ih),
            weight_hh: B::numbers(&self.weight_hh),
            biases: biases.next().zip(biases.next()).map(<[_; 2]>::from),
            state: std::array::from_fn(|_| state.next().expect("one tensor a state")),
        }
    }
}
