//! The scan as one operation of Burn's CPU backends, with a derivative of its own.

mod autodiff;
mod host;
mod tensors;
mod within;

use burn::backend::{
    Backend, DispatchTensorKind, ExtensionType, TensorMetadata, backend_extension,
    tensor::FloatTensor,
};
use burn::tensor::{DType, Shape, Tensor};

use crate::cpu::{Forward, Isa, Operands, Plan, Timetable};
use crate::scan::Widths;
use crate::{Array, Equations, Layout, Parameters, Scan, Scanned};
use host::{Host, Number};
use tensors::Tensors;

/// A scan on one of the CPU backends, or `scan` back where it is on another or in another type of numbers.
pub(crate) fn scan<E: Equations>(
    equations: &E,
    scan: Scan<E>,
    widths: Widths,
) -> Result<Scanned<E>, Box<Scan<E>>> {
    let empty = widths.batch == 0 || scan.lengths.as_ref().is_some_and(|l| l.longest() == 0);
    let isa =
        Isa::best().filter(|_| !empty && within::is_fused(equations, &scan) && runs_on(&scan));
    let Some(isa) = isa else {
        return Err(Box::new(scan));
    };
    let plan = plan(equations, &scan, widths, isa);
    let norms = plan.norms;
    let inputs = inputs(scan);
    let outputs = burn::backend::Dispatch::fused_scan(equations.clone(), plan, inputs);
    let mut state = outputs.state.into_iter().map(Tensor::from_dispatch);
    Ok(Scanned {
        output: Tensor::from_dispatch(outputs.output),
        state: E::States::from_fn(|_| state.next().expect("as many states as went in")),
        statistics: within::statistics(&norms, outputs.statistics),
    })
}

/// How the engine runs a scan.
fn plan<E: Equations>(equations: &E, scan: &Scan<E>, widths: Widths, isa: Isa) -> Plan {
    Plan {
        timetable: Timetable::new(widths.batch, widths.seq, scan.lengths.as_ref(), scan.order),
        seq: widths.seq,
        layout: scan.layout,
        d_input: widths.d_input,
        d_hidden: widths.d_hidden,
        projected: scan.parameters.projection.as_ref().map(|_| widths.d_output),
        reads: equations.reads(),
        middle: equations.has_middle(),
        masking: within::masking(&scan.within.masks),
        norms: within::norms(&scan.within.norms),
        flow: scan.within.flow.clone(),
        isa,
        threads: rayon::current_num_threads(),
    }
}

/// What the operation reads of a scan.
fn inputs<E: Equations>(scan: Scan<E>) -> Inputs<burn::backend::Dispatch> {
    let Parameters {
        weight_ih,
        weights_hh,
        biases,
        units,
        projection,
    } = scan.parameters;
    let within::NormTensors {
        gains,
        actives,
        given,
        shift,
    } = within::norm_tensors(&scan.within.norms);
    Inputs {
        input: scan.input.into_dispatch(),
        weight_ih: weight_ih.into_dispatch(),
        weights_hh: dispatched(weights_hh),
        biases: dispatched(biases.into_iter().flatten()),
        units: dispatched(units),
        projection: dispatched(projection),
        state: dispatched(scan.state),
        masks: within::masks(scan.within.masks),
        gains: dispatched(gains),
        actives: dispatched(actives),
        given: dispatched(given),
        shift: dispatched(shift),
    }
}

/// The tensors for Burn's dispatch.
fn dispatched<const D: usize>(
    tensors: impl IntoIterator<Item = Tensor<D>>,
) -> Tensors<burn::backend::Dispatch> {
    Tensors::collect(tensors.into_iter().map(Tensor::into_dispatch))
}

/// Whether all tensors of a scan are numbers of one type that the engine computes in, in the memory of this machine.
fn runs_on<E: Equations>(scan: &Scan<E>) -> bool {
    let Parameters {
        weight_ih,
        weights_hh,
        biases,
        units,
        projection,
    } = &scan.parameters;
    let dtype = scan.input.dtype();
    let matrices = [weight_ih].into_iter().chain(weights_hh).chain(projection);
    let matrices = matrices.chain(scan.state.as_ref()).map(Tensor::dtype);
    let vectors = biases.iter().flatten().chain(units).map(Tensor::dtype);
    let within = within::dtypes(&scan.within);
    matrices
        .chain(vectors)
        .chain(within)
        .all(|other| other == dtype)
        && matches!(dtype, DType::F32 | DType::F64)
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

/// What the operation reads: see [`Scan`].
#[derive(ExtensionType)]
pub(crate) struct Inputs<B: Backend> {
    input: FloatTensor<B>,
    weight_ih: FloatTensor<B>,
    /// One for each state that is read.
    #[extension_type]
    weights_hh: Tensors<B>,
    /// None or two.
    #[extension_type]
    biases: Tensors<B>,
    #[extension_type]
    units: Tensors<B>,
    /// None or one.
    #[extension_type]
    projection: Tensors<B>,
    /// The hidden state first.
    #[extension_type]
    state: Tensors<B>,
    /// The masks that the plan names, in its order.
    #[extension_type]
    masks: Tensors<B>,
    /// γ of each norm that the plan names, and which columns count of those over the columns of a row.
    #[extension_type]
    gains: Tensors<B>,
    #[extension_type]
    actives: Tensors<B>,
    /// Mean and variance of each norm that is given them.
    #[extension_type]
    given: Tensors<B>,
    /// None or one.
    #[extension_type]
    shift: Tensors<B>,
}

/// What the operation puts out.
#[derive(ExtensionType)]
pub(crate) struct Outputs<B: Backend> {
    output: FloatTensor<B>,
    #[extension_type]
    state: Tensors<B>,
    /// Mean and variance that each norm over the batch took.
    #[extension_type]
    statistics: Tensors<B>,
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
    fn fused_scan<E: Equations>(
        equations: E,
        plan: Plan,
        #[extension_type] inputs: Inputs<Self>,
    ) -> Outputs<Self>;
}

impl<B: Host> FusedScan for B {
    fn fused_scan<E: Equations>(equations: E, plan: Plan, inputs: Inputs<Self>) -> Outputs<Self> {
        infer(&equations, &plan, inputs)
    }
}

/// The scan without anything kept for gradients.
fn infer<B: Host>(equations: &impl Equations, plan: &Plan, inputs: Inputs<B>) -> Outputs<B> {
    match inputs.input.dtype() {
        DType::F64 => infer_in::<B, f64>(equations, plan, inputs),
        _ => infer_in::<B, f32>(equations, plan, inputs),
    }
}

fn infer_in<B: Host, F: Number>(
    equations: &impl Equations,
    plan: &Plan,
    inputs: Inputs<B>,
) -> Outputs<B> {
    let inputs = inputs.contiguous();
    let forward = plan.infer(equations, &inputs.operands::<F>());
    inputs.outputs(plan, forward)
}

impl<B: Host> Inputs<B> {
    /// The same numbers, in row-major order.
    fn contiguous(self) -> Self {
        let all = |tensors: Tensors<B>| Tensors::collect(tensors.into_iter().map(B::contiguous));
        Self {
            input: B::contiguous(self.input),
            weight_ih: B::contiguous(self.weight_ih),
            weights_hh: all(self.weights_hh),
            biases: all(self.biases),
            units: all(self.units),
            projection: all(self.projection),
            state: all(self.state),
            masks: all(self.masks),
            gains: all(self.gains),
            actives: all(self.actives),
            given: all(self.given),
            shift: all(self.shift),
        }
    }

    /// The numbers.
    fn operands<F: Number>(&self) -> Operands<'_, F> {
        let mut biases = self.biases.iter().map(B::numbers);
        Operands {
            input: B::numbers(&self.input),
            weight_ih: B::numbers(&self.weight_ih),
            weights_hh: self.weights_hh.iter().map(B::numbers).collect(),
            biases: biases.next().zip(biases.next()).map(<[_; 2]>::from),
            units: self.units.iter().map(B::numbers).collect(),
            projection: self.projection.iter().map(B::numbers).next(),
            state: self.state.iter().map(B::numbers).collect(),
            masks: self.masks.iter().map(B::numbers).collect(),
            gains: self.gains.iter().map(B::numbers).collect(),
            actives: self.actives.iter().map(B::numbers).collect(),
            given: self.given.iter().map(B::numbers).collect(),
            shift: self.shift.iter().map(B::numbers).next(),
        }
    }

    /// What a scan has put out, as tensors.
    fn outputs<F: Number>(&self, plan: &Plan, forward: Forward<F>) -> Outputs<B> {
        let [batch, seq, width] = [
            plan.timetable.batch(),
            plan.seq,
            plan.projected.unwrap_or(plan.d_hidden),
        ];
        let shape = match plan.layout {
            Layout::BatchFirst => [batch, seq, width],
            Layout::TimeMajor => [seq, batch, width],
        };
        let states = forward.state.into_iter().zip(self.state.iter());
        let steps = plan.timetable.steps();
        let statistics = forward.statistics.into_iter().flatten().map(|numbers| {
            let shape = Shape::from([steps, numbers.len() / steps]);
            B::tensor(numbers, shape, &self.input)
        });
        Outputs {
            statistics: Tensors::collect(statistics),
            output: B::tensor(forward.output, Shape::from(shape), &self.input),
            state: Tensors::collect(
                states.map(|(state, old)| B::tensor(state, old.shape(), &self.input)),
            ),
        }
    }
}
