//! Norms over the gradients of a whole module, and clipping by them.

use std::collections::HashSet;

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{DType, FloatDType, Tensor, Transaction};

use super::change::{Change, change};

/// Sums of powers at or below this are computed again with care: powers may have been lost to underflow.
const SMALL_SUM: f64 = 1e-24;

/// Added to the norm in the clipping coefficient, as in PyTorch.
pub(super) const NORM_EPSILON: f64 = 1e-6;

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
    grad_p_norm(module, grads, 2.0)
}

/// Global norm of any order: [`grad_norm`] is that of order 2.
///
/// ```text
/// norm = (Σ_p Σ_i |g_{p,i}|^p)^(1/p)      of order ∞: max |g_{p,i}|
/// ```
///
/// # Panics
/// If `p` is not positive.
pub fn grad_p_norm<M: Module>(module: &M, grads: &GradientsParams, p: f64) -> f64 {
    finite_norm(module, grads, p).unwrap_or(f64::NAN)
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
    grads: GradientsParams,
    max_norm: f64,
) -> Result<(GradientsParams, f64), GradientError> {
    clip_grad_p_norm(module, grads, max_norm, 2.0)
}

/// [`clip_grad_norm`] by the norm of any order, see [`grad_p_norm`].
///
/// # Panics
/// If `max_norm` or `p` is not positive.
///
/// # Errors
/// If a gradient is not finite.
pub fn clip_grad_p_norm<M: Module>(
    module: &M,
    grads: GradientsParams,
    max_norm: f64,
    p: f64,
) -> Result<(GradientsParams, f64), GradientError> {
    assert!(
        max_norm > 0.0,
        "max_norm is {max_norm}, expected a positive number"
    );
    let norm = finite_norm(module, &grads, p)?;
    let coefficient = max_norm / (norm + NORM_EPSILON);
    match coefficient < 1.0 {
        true => Ok((change(module, grads, Change::Scale(coefficient)), norm)),
        false => Ok((grads, norm)),
    }
}

/// The global norm of order `p`, or the first gradient that is not finite.
pub(super) fn finite_norm<M: Module>(
    module: &M,
    grads: &GradientsParams,
    p: f64,
) -> Result<f64, GradientError> {
    assert!(p > 0.0, "p is {p}, expected a positive number");
    let mut fast = Powers {
        grads,
        seen: HashSet::new(),
        p,
        parts: Vec::new(),
    };
    module.visit(&mut fast);
    let parts = fast
        .parts
        .into_iter()
        .fold(Transaction::default(), Transaction::register)
        .execute();
    let parts = parts.iter().flat_map(|part| part.iter::<f64>());
    // By hand, because `f64::max` ignores what is no number.
    let greater = |max: f64, part: f64| match max.is_nan() || part <= max {
        true => max,
        false => part,
    };
    let total = match p.is_infinite() {
        true => parts.fold(0.0, greater),
        false => parts.sum::<f64>(),
    };
    if total.is_finite() && total > SMALL_SUM {
        return Ok(match p {
            f64::INFINITY | 1.0 => total,
            2.0 => total.sqrt(),
            _ => total.powf(1.0 / p),
        });
    }
    let mut careful = ScaledNorms {
        grads,
        seen: HashSet::new(),
        path: Vec::new(),
        p,
        norms: Ok(Vec::new()),
    };
    module.visit(&mut careful);
    careful.norms.map(|norms| joint_norm(&norms, p))
}

/// The norm of what has these norms part by part.
fn joint_norm(norms: &[f64], p: f64) -> f64 {
    let max = norms.iter().copied().fold(0.0, f64::max);
    if max == 0.0 || p.is_infinite() {
        return max;
    }
    let sum: f64 = norms.iter().map(|norm| (norm / max).powf(p)).sum();
    max * sum.powf(1.0 / p)
}

/// Sums the powers of each gradient on the device, or takes the greatest value, without reading them.
struct Powers<'a> {
    grads: &'a GradientsParams,
    seen: HashSet<ParamId>,
    p: f64,
    parts: Vec<Tensor<1>>,
}

impl ModuleVisitor for Powers<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if self.seen.insert(param.id)
            && let Some(grad) = self.grads.get::<D>(param.id)
        {
            let grad = at_least_f32(grad);
            self.parts.push(match self.p {
                // The greatest value may hide those that are none; a sum does not.
                f64::INFINITY => {
                    let nothing = grad.clone().mul_scalar(0.0).sum();
                    grad.abs().max() + nothing
                }
                _ => powers(grad, self.p).sum(),
            });
        }
    }
}

/// `|g|^p`.
fn powers<const D: usize>(grad: Tensor<D>, p: f64) -> Tensor<D> {
    match p {
        1.0 => grad.abs(),
        2.0 => grad.square(),
        _ => grad.abs().powf_scalar(p),
    }
}

/// The norms of gradients of any magnitude, up to the first that is not finite.
struct ScaledNorms<'a> {
    grads: &'a GradientsParams,
    seen: HashSet<ParamId>,
    path: Vec<String>,
    p: f64,
    norms: Result<Vec<f64>, GradientError>,
}

impl ScaledNorms<'_> {
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
        let peak = grad.clone().abs().max().into_scalar::<f64>();
        if self.p.is_infinite() || peak == 0.0 {
            return Ok(peak);
        }
        // Within these limits neither the scale's reciprocal nor any scaled square leaves the range of f32. High powers
        // do, unless the greatest value becomes 1.
        let limit = 2f64.powi(100);
        let scale = match self.p > 16.0 {
            true => peak.max(1.0 / limit),
            false => 2f64.powf(peak.log2().ceil()).clamp(1.0 / limit, limit),
        };
        let sum = powers(grad.div_scalar(scale), self.p).sum();
        Ok(scale * sum.into_scalar::<f64>().powf(1.0 / self.p))
    }
}

impl ModuleVisitor for ScaledNorms<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_string());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if self.norms.is_ok()
            && self.seen.insert(param.id)
            && let Some(grad) = self.grads.get::<D>(param.id)
        {
            let norm = self.norm_of(grad);
            match (norm, &mut self.norms) {
                (Ok(norm), Ok(norms)) => norms.push(norm),
                (Err(error), norms) => *norms = Err(error),
                (Ok(_), Err(_)) => (),
            }
        }
    }
}

/// Squares of 16-bit floats overflow from 256 on, and small coefficients lose their digits; `f32` holds both.
pub(super) fn at_least_f32<const D: usize>(grad: Tensor<D>) -> Tensor<D> {
    match grad.dtype() {
        DType::F16 | DType::BF16 => grad.cast(FloatDType::F32),
        _ => grad,
    }
}
