//! Walks over the parameters of a network and projects those that are meant.

use burn::module::{Module, Param};
use burn::tensor::Tensor;

use super::{Constrained, Constraint, ConstraintError, Part, matrix, norms, orthogonal, spectral};
use crate::path::{Map, map};

/// As [`Constrained::apply`], for a bound that is valid.
pub(super) fn project<M: Module>(
    constrained: &Constrained,
    module: M,
) -> Result<M, ConstraintError> {
    let mut projection = Projection {
        constrained,
        available: Vec::new(),
        is_met: false,
        error: None,
    };
    let module = map(module, &mut projection);
    match projection.error {
        Some(error) => Err(error),
        None if projection.is_met => Ok(module),
        None => Err(ConstraintError::NoMatch {
            targets: constrained.targets.to_string(),
            available: projection.available,
        }),
    }
}

struct Projection<'a> {
    constrained: &'a Constrained,
    available: Vec<String>,
    /// Whether any parameter is meant.
    is_met: bool,
    /// The first that was found.
    error: Option<ConstraintError>,
}

impl Map for Projection<'_> {
    fn map<const D: usize>(&mut self, path: String, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        self.available.push(path.clone());
        if self.error.is_some() || !self.constrained.targets.contains(&path) {
            return param;
        }
        self.is_met = true;
        param.map(|weight| {
            let is_trained = weight.is_require_grad();
            match projected(self.constrained.constraint, weight.clone().detach(), &path) {
                Ok(weight) if is_trained => weight.detach().require_grad(),
                Ok(weight) => weight,
                Err(error) => {
                    self.error = Some(error);
                    weight
                }
            }
        })
    }
}

/// One parameter, projected.
fn projected<const D: usize>(
    constraint: Constraint,
    weight: Tensor<D>,
    path: &str,
) -> Result<Tensor<D>, ConstraintError> {
    assert_finite(&weight, path)?;
    let path = path.to_string();
    let shape = weight.dims();
    let found = shape.to_vec();
    match constraint {
        Constraint::MaxNorm { axis, .. } | Constraint::UnitNorm { axis } if axis >= D => {
            Err(ConstraintError::NoAxis { path, axis, found })
        }
        Constraint::MaxNorm { max, axis } => Ok(norms::max_norm(weight, max, axis)),
        Constraint::UnitNorm { axis } => Ok(norms::unit_norm(weight, axis)),
        Constraint::NonNegative => Ok(norms::non_negative(weight)),
        _ if D != 2 => Err(ConstraintError::NoMatrix { path, found }),
        Constraint::SpectralNorm {
            max,
            per: Part::Matrix,
        } => {
            let matrix = weight.reshape([found[0], found[1]]);
            Ok(spectral::bound_norm(matrix, max).reshape(shape))
        }
        Constraint::SpectralNorm { max, .. } => matrix::map_blocks(weight, path, |block, _| {
            Ok(spectral::bound_norm(block, max))
        }),
        Constraint::SpectralRadius { max } => matrix::map_blocks(weight, path, |block, _| {
            Ok(spectral::bound_radius(block, max))
        }),
        Constraint::Orthogonal => matrix::map_blocks(weight, path.clone(), |block, index| {
            orthogonal::nearest(block).ok_or_else(|| ConstraintError::Singular {
                path: path.clone(),
                block: index,
            })
        }),
    }
}

/// `Ok` if all values are finite.
fn assert_finite<const D: usize>(weight: &Tensor<D>, path: &str) -> Result<(), ConstraintError> {
    let elements = weight.shape().num_elements();
    let finite = weight.clone().is_finite().int().sum().into_scalar::<i64>() as usize;
    if finite == elements {
        return Ok(());
    }
    Err(ConstraintError::NotFinite {
        path: path.to_string(),
        found: elements - finite,
        elements,
    })
}
