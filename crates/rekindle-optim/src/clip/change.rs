//! What clipping does to gradients once their norm is known.

use std::collections::HashSet;

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{FloatDType, Tensor};

use super::norm::{NORM_EPSILON, at_least_f32};

/// Divisors are kept above this, far below every norm that counts, and far above where `f32` ends.
const TINY: f64 = 1e-30;

/// What is done to each gradient.
pub(super) enum Change<'a> {
    Scale(f64),
    Clamp(f64),
    PerTensor {
        max: f64,
        p: f64,
    },
    Adaptive {
        max: f64,
        epsilon: f64,
        except: &'a [String],
    },
}

/// Changes each gradient of a module, once.
pub(super) fn change<M: Module>(
    module: &M,
    mut grads: GradientsParams,
    how: Change<'_>,
) -> GradientsParams {
    module.visit(&mut Changer {
        grads: &mut grads,
        seen: HashSet::new(),
        path: Vec::new(),
        how,
    });
    grads
}

struct Changer<'a> {
    grads: &'a mut GradientsParams,
    seen: HashSet<ParamId>,
    path: Vec<String>,
    how: Change<'a>,
}

impl ModuleVisitor for Changer<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_string());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Change::Adaptive { except, .. } = self.how
            && is_within(&self.path, except)
        {
            return;
        }
        if self.seen.insert(param.id)
            && let Some(grad) = self.grads.remove::<D>(param.id)
        {
            let dtype = FloatDType::from(grad.dtype());
            let grad = at_least_f32(grad);
            let grad = match self.how {
                Change::Scale(factor) => grad.mul_scalar(factor),
                Change::Clamp(max) => grad.clamp(-max, max),
                Change::PerTensor { max, p } => per_tensor(grad, max, p),
                Change::Adaptive { max, epsilon, .. } => {
                    let weight = at_least_f32(param.val().inner());
                    adaptive(weight, grad, max, epsilon)
                }
            };
            self.grads.register(param.id, grad.cast(dtype));
        }
    }
}

/// Whether a path begins with the names of one of others.
fn is_within(path: &[String], others: &[String]) -> bool {
    others.iter().any(|other| {
        let mut path = path.iter();
        other
            .split('.')
            .all(|name| path.next().is_some_and(|found| found == name))
    })
}

/// A tensor by its own norm, without reading it.
fn per_tensor<const D: usize>(grad: Tensor<D>, max: f64, p: f64) -> Tensor<D> {
    if max.is_infinite() {
        return grad;
    }
    // Divided by its greatest value, so that no power leaves the range of numbers.
    let peak = grad.clone().abs().max().clamp_min(TINY);
    let scaled = grad.clone() / peak.clone().reshape([1; D]);
    let norm = match p {
        f64::INFINITY => peak,
        _ => peak * scaled.abs().powf_scalar(p).sum().powf_scalar(1.0 / p),
    };
    let factor = (norm + NORM_EPSILON).recip().mul_scalar(max).clamp_max(1.0);
    grad * factor.reshape([1; D])
}

/// A gradient unit by unit, bounded by a share of the weights.
fn adaptive<const D: usize>(
    weight: Tensor<D>,
    grad: Tensor<D>,
    max: f64,
    epsilon: f64,
) -> Tensor<D> {
    let bound = unit_norms(weight).clamp_min(epsilon).mul_scalar(max);
    let norm = unit_norms(grad.clone()).clamp_min(TINY);
    grad * (bound / norm).clamp_max(1.0)
}

/// The norm of each unit; every axis that it is taken over has length 1.
fn unit_norms<const D: usize>(tensor: Tensor<D>) -> Tensor<D> {
    let axes: Vec<usize> = match D {
        0 | 1 => (0..D).collect(),
        2 => vec![0],
        _ => (1..D).collect(),
    };
    let peak = |tensor: Tensor<D>, axis: &usize| tensor.max_abs_dim(*axis);
    let peak = axes.iter().fold(tensor.clone(), peak).clamp_min(TINY);
    let squares = (tensor / peak.clone()).square();
    let sum = axes.iter().fold(squares, |sum, axis| sum.sum_dim(*axis));
    sum.sqrt() * peak
}
