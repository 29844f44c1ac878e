//! The L2 norm over the gradients of a whole module, and clipping by it.

use std::collections::HashSet;

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{DType, FloatDType, Tensor, Transaction};

/// Sums of squares at or below this are computed again with care: squares may have been lost to underflow.
const SMALL_SUM: f64 = 1e-24;

/// Added to the norm in the clipping coefficient, as in PyTorch.
const NORM_EPSILON: f64 = 1e-6;

/// Gradients that cannot be clipped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GradientError {
    /// A gradient holds NaN or an infinity.
    #[error(
        "gradient of `{parameter}` has {found} of {elements} values that are not finite, expected none; lower the learning rate or check the input for extreme values"
    )]
    NotFinite {
        /// Path of the first such parameter in the module, for example `lstm.weight_hh`.
        parameter: String,
        /// Number of its values that are not finite.
        found: usize,
        /// Number of its values.
        elements: usize,
    },
}

/// Global L2 norm: the root of the sum of squares over all values of all parameters' gradients.
///
/// ```text
/// norm = √ Σ_p Σ_i g_{p,i}²
/// ```
///
/// Parameters without a gradient (frozen, unused) are skipped. A parameter that the module holds twice counts once.
/// Gradients of parameters that the module does not hold do not count. The norm is NaN if any value is not finite.
///
/// # Precision
/// Squares are summed per parameter on the device, in `f32` for gradients of 16 bits and in the gradient's own type
/// otherwise, and read back in one synchronisation; the parameters are added up in `f64`. If a sum overflows or is so
/// small that squares may have underflowed, each gradient is divided by a power of two near its largest value first,
/// with a synchronisation per parameter, so that the result holds over the whole range of `f32`.
pub fn grad_norm<M: Module>(module: &M, grads: &GradientsParams) -> f64 {
    finite_norm(module, grads).unwrap_or(f64::NAN)
}

/// Scales all gradients by the same factor such that their global L2 norm is at most `max_norm`; returns them with the
/// norm *before* clipping.
///
/// ```text
/// g′ = g · min(1, max_norm / (norm + 1e-6))
/// ```
///
/// With a factor of 1 the gradients come back bit for bit. An infinite `max_norm` never clips but still checks that the
/// gradients are finite. For which gradients count and how the norm is computed see [`grad_norm`]; the others come back
/// as they were.
///
/// # Panics
/// If `max_norm` is not positive.
///
/// # Errors
/// If a gradient is not finite: scaling by a norm that is not finite would destroy every parameter.
///
/// # Differences
/// PyTorch by default returns the norm without an error and writes NaN into all gradients. Burn's optimisers clip each
/// tensor by its own norm, which changes the direction of the step; this does not.
///
/// # References
/// - Pascanu et al., *On the difficulty of training Recurrent Neural Networks*, 2013, <https://arxiv.org/abs/1211.5063>
/// - PyTorch, [`clip_grad_norm_`](https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_norm_.html)
///
/// # Examples
/// ```
/// use burn::nn::LinearConfig;
/// use burn::optim::GradientsParams;
/// use burn::tensor::{Device, Tensor};
/// use rekindle_optim::{clip_grad_norm, grad_norm};
///
/// let device = Device::default().autodiff();
/// let layer = LinearConfig::new(2, 1).with_bias(false).init(&device);
/// let loss = layer.forward(Tensor::<2>::from_floats([[3.0, 4.0]], &device)).sum();
/// let grads = GradientsParams::from_grads(loss.backward(), &layer);
///
/// let (grads, norm) = clip_grad_norm(&layer, grads, 1.0)?;
/// assert!((norm - 5.0).abs() < 1e-6);
/// assert!((grad_norm(&layer, &grads) - 1.0).abs() < 1e-6);
/// # Ok::<(), rekindle_optim::GradientError>(())
/// ```
pub fn clip_grad_norm<M: Module>(
    module: &M,
    mut grads: GradientsParams,
    max_norm: f64,
) -> Result<(GradientsParams, f64), GradientError> {
    assert!(
        max_norm > 0.0,
        "max_norm is {max_norm}, expected a positive number"
    );
    let norm = finite_norm(module, &grads)?;
    let coefficient = max_norm / (norm + NORM_EPSILON);
    if coefficient < 1.0 {
        module.visit(&mut Scale {
            grads: &mut grads,
            seen: HashSet::new(),
            coefficient,
        });
    }
    Ok((grads, norm))
}

/// The global norm, or the first gradient that is not finite.
fn finite_norm<M: Module>(module: &M, grads: &GradientsParams) -> Result<f64, GradientError> {
    let mut fast = SquaredSums {
        grads,
        seen: HashSet::new(),
        sums: Vec::new(),
    };
    module.visit(&mut fast);
    let sums = fast
        .sums
        .into_iter()
        .fold(Transaction::default(), Transaction::register);
    let total: f64 = sums
        .execute()
        .iter()
        .flat_map(|sum| sum.iter::<f64>())
        .sum();
    if total.is_finite() && total > SMALL_SUM {
        return Ok(total.sqrt());
    }
    let mut careful = ScaledNorm {
        grads,
        seen: HashSet::new(),
        path: Vec::new(),
        norm: Ok(0.0),
    };
    module.visit(&mut careful);
    careful.norm
}

/// Sums the squares of each gradient on the device, without reading them.
struct SquaredSums<'a> {
    grads: &'a GradientsParams,
    seen: HashSet<ParamId>,
    sums: Vec<Tensor<1>>,
}

impl ModuleVisitor for SquaredSums<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if self.seen.insert(param.id)
            && let Some(grad) = self.grads.get::<D>(param.id)
        {
            self.sums.push(at_least_f32(grad).square().sum());
        }
    }
}

/// The norm over gradients of any magnitude, stopping at the first that is not finite.
struct ScaledNorm<'a> {
    grads: &'a GradientsParams,
    seen: HashSet<ParamId>,
    path: Vec<String>,
    norm: Result<f64, GradientError>,
}

impl ScaledNorm<'_> {
    fn norm_of<const D: usize>(&self, grad: Tensor<D>) -> Result<f64, GradientError> {
        let elements = grad.shape().num_elements();
        let finite = grad.clone().is_finite().int().sum().into_scalar::<i64>() as usize;
        if finite < elements {
            return Err(GradientError::NotFinite {
                parameter: self.path.join("."),
                found: elements - finite,
                elements,
            });
        }
        let grad = at_least_f32(grad);
        // Within these limits neither the scale's reciprocal nor any scaled square leaves the range of f32.
        let limit = 2f64.powi(100);
        let peak = grad.clone().abs().max().into_scalar::<f64>();
        let scale = 2f64.powf(peak.log2().floor()).clamp(1.0 / limit, limit);
        let sum = grad.div_scalar(scale).square().sum().into_scalar::<f64>();
        Ok(scale * sum.sqrt())
    }
}

impl ModuleVisitor for ScaledNorm<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_string());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Ok(norm) = self.norm
            && self.seen.insert(param.id)
            && let Some(grad) = self.grads.get::<D>(param.id)
        {
            self.norm = self.norm_of(grad).map(|part| norm.hypot(part));
        }
    }
}

/// Multiplies each gradient by the coefficient, once.
struct Scale<'a> {
    grads: &'a mut GradientsParams,
    seen: HashSet<ParamId>,
    coefficient: f64,
}

impl ModuleVisitor for Scale<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if self.seen.insert(param.id)
            && let Some(grad) = self.grads.remove::<D>(param.id)
        {
            let dtype = FloatDType::from(grad.dtype());
            let scaled = at_least_f32(grad).mul_scalar(self.coefficient);
            self.grads.register(param.id, scaled.cast(dtype));
        }
    }
}

/// Squares of 16-bit floats overflow from 256 on, and small coefficients lose their digits; `f32` holds both.
fn at_least_f32<const D: usize>(grad: Tensor<D>) -> Tensor<D> {
    match grad.dtype() {
        DType::F16 | DType::BF16 => grad.cast(FloatDType::F32),
        _ => grad,
    }
}
