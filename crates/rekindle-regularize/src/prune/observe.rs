//! The scores of a network's weights.

use std::collections::BTreeMap;

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use super::masks::no_match;
use super::{Criterion, PruneError, Selection};
use crate::path::{Visit, visit};
use crate::precision::at_least_f32;
use crate::units::{read, uniform};

/// What gradients have told about weights, by paths of tensors, in row-major order.
pub(super) type Observed = BTreeMap<String, Tensor<1>>;

/// The scores of one tensor.
pub(super) struct Scored {
    pub(super) path: String,
    pub(super) shape: Vec<usize>,
    /// In row-major order, all finite.
    pub(super) scores: Vec<f64>,
}

/// Notes what the gradients of a step tell about the weights, if the criterion wants to know.
pub(super) fn observe<M: Module>(
    module: &M,
    selection: &Selection,
    grads: &GradientsParams,
    observed: &mut Observed,
) -> Result<(), PruneError> {
    if !selection.criterion.needs_gradients() {
        return Ok(());
    }
    let mut observe = Observe {
        selection,
        grads,
        observed,
        result: Ok(()),
    };
    visit(module, &mut observe);
    observe.result
}

/// The scores of all targets, in the order of the network.
pub(super) fn scores<M: Module>(
    module: &M,
    selection: &Selection,
    observed: &Observed,
) -> Result<Vec<Scored>, PruneError> {
    let mut score = Score {
        selection,
        observed,
        scored: Ok(Vec::new()),
    };
    visit(module, &mut score);
    let scored = score.scored?;
    match scored.is_empty() {
        true => Err(no_match(module, &selection.targets)),
        false => Ok(scored),
    }
}

struct Observe<'a> {
    selection: &'a Selection,
    grads: &'a GradientsParams,
    observed: &'a mut Observed,
    result: Result<(), PruneError>,
}

impl Visit for Observe<'_> {
    fn visit<const D: usize>(&mut self, path: String, param: &Param<Tensor<D>>) {
        if self.result.is_err() || !self.selection.targets.contains(&path) {
            return;
        }
        let Some(grad) = self.grads.get::<D>(param.id) else {
            return;
        };
        let weight = at_least_f32(param.val().without_autodiff());
        let grad = at_least_f32(grad.without_autodiff());
        let Some(score) = self.selection.criterion.of_step(weight, grad) else {
            return;
        };
        let count = score.shape().num_elements();
        let score = score.reshape([count]);
        let before = match self.selection.criterion {
            Criterion::Movement => self.observed.remove(&path),
            _ => None,
        };
        let score = match before {
            None => score,
            Some(before) if before.dims() == [count] => before.to_device(&score.device()) + score,
            Some(before) => {
                let found = before.dims()[0];
                self.result = Err(wrong_count(&path, count, found));
                return;
            }
        };
        self.observed.insert(path, score);
    }
}

struct Score<'a> {
    selection: &'a Selection,
    observed: &'a Observed,
    scored: Result<Vec<Scored>, PruneError>,
}

impl Score<'_> {
    fn score<const D: usize>(
        &self,
        path: String,
        param: &Param<Tensor<D>>,
    ) -> Result<Scored, PruneError> {
        let shape = param.lazy_shape().to_vec();
        let count: usize = shape.iter().product();
        let scores: Vec<f64> = match self.selection.criterion {
            Criterion::Random { seed } => (0..count).map(|at| uniform(seed, &path, at)).collect(),
            Criterion::Magnitude => read(param.val().without_autodiff().abs()),
            Criterion::Movement | Criterion::Sensitivity => match self.observed.get(&path) {
                Some(observed) => read(observed.clone()),
                None => return Err(PruneError::NoGradient { path }),
            },
        };
        if scores.len() != count {
            return Err(wrong_count(&path, count, scores.len()));
        }
        match scores.iter().position(|score| !score.is_finite()) {
            Some(at) => Err(PruneError::Score {
                path,
                index: place(at, &shape),
                score: scores[at],
            }),
            None => Ok(Scored {
                path,
                shape,
                scores,
            }),
        }
    }
}

impl Visit for Score<'_> {
    fn visit<const D: usize>(&mut self, path: String, param: &Param<Tensor<D>>) {
        if self.scored.is_err() || !self.selection.targets.contains(&path) {
            return;
        }
        let scored = self.score(path, param);
        match (scored, &mut self.scored) {
            (Ok(scored), Ok(all)) => all.push(scored),
            (Err(error), all) => *all = Err(error),
            (Ok(_), Err(_)) => {}
        }
    }
}

fn wrong_count(path: &str, expected: usize, found: usize) -> PruneError {
    PruneError::Scores {
        path: path.to_string(),
        expected,
        found,
    }
}

/// The indices of an entry, from its place in row-major order.
fn place(mut at: usize, shape: &[usize]) -> Vec<usize> {
    let mut place = vec![0; shape.len()];
    for (index, length) in place.iter_mut().zip(shape).rev() {
        *index = at % length;
        at /= length;
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_row_major() {
        assert_eq!(place(17, &[2, 3, 4]), [1, 1, 1]);
        assert_eq!(place(0, &[]), [0; 0]);
    }
}
