//! One number for each unit.

use std::collections::BTreeMap;

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::{UnitAxis, UnitError, UnitGroup, cuts, read, shapes, uniform};
use crate::path::{Visit, visit};

/// How units are ranked, lowest pruned first.
///
/// The entries of a unit are all that make or read it, each once. In a recipe: `"norm"`, `{ random = { seed = 1 } }`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum UnitScore {
    /// The L2 norm of its entries, `√ Σ w²`: what a group lasso over units drives to zero. The default, for it needs no
    /// gradients and no data.
    ///
    /// Wen et al., *Learning Intrinsic Sparse Structures within Long Short-Term Memory*, 2018,
    /// <https://arxiv.org/abs/1709.05027>
    #[default]
    Norm,
    /// The mean absolute value of its entries, `Σ |w| / n`.
    Magnitude,
    /// To first order, the change of the loss if the unit was zero, `|Σ w · ∂L/∂w|`.
    ///
    /// Molchanov et al., *Importance Estimation for Neural Network Pruning*, 2019, <https://arxiv.org/abs/1906.10771>
    Sensitivity,
    /// A uniform random number, to compare with.
    Random {
        /// The same seed ranks the same way.
        seed: u64,
    },
}

/// The scores of the units of all groups.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitScores {
    /// How they were computed.
    pub score: UnitScore,
    /// The groups, in the order given.
    pub groups: Vec<GroupScores>,
}

/// The scores of the units of one group.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupScores {
    /// Name of the group.
    pub name: String,
    /// One score for each unit: finite, not negative.
    pub scores: Vec<f64>,
    /// Number of entries of one unit.
    pub entries: usize,
}

impl UnitScore {
    /// Scores all units of a network.
    ///
    /// A parameter without a gradient (frozen, unused) does not add to the sensitivity. Sums are in `f64`, on the host.
    ///
    /// # Errors
    /// - groups that do not fit the network, see [`UnitGroup::validate`]
    /// - sensitivity without gradients
    /// - a score that is not finite
    pub fn score<M: Module>(
        &self,
        module: &M,
        groups: &[UnitGroup],
        grads: Option<&GradientsParams>,
    ) -> Result<UnitScores, UnitError> {
        cuts::check(&shapes(module), groups)?;
        if *self == Self::Sensitivity && grads.is_none() {
            return Err(UnitError::NoGradients);
        }
        let mut sums = Sums::new(*self, groups, grads);
        visit(module, &mut sums);
        let groups = groups.iter().zip(&sums.sums);
        let groups = groups.map(|(group, sums)| self.of_group(group, sums));
        Ok(UnitScores {
            score: *self,
            groups: groups.collect::<Result<_, _>>()?,
        })
    }

    fn of_group(&self, group: &UnitGroup, sums: &[Sum]) -> Result<GroupScores, UnitError> {
        let score = |(unit, sum): (usize, &Sum)| {
            let score = match self {
                Self::Norm => sum.total.sqrt(),
                Self::Magnitude => sum.total / sum.entries.max(1) as f64,
                Self::Sensitivity => sum.total.abs(),
                Self::Random { seed } => uniform(*seed, &group.name, unit),
            };
            // A random score must not hide weights that have diverged either.
            match score.is_finite() && sum.total.is_finite() {
                true => Ok(score),
                false => Err(UnitError::Score {
                    group: group.name.clone(),
                    unit,
                    score: if score.is_finite() { sum.total } else { score },
                }),
            }
        };
        Ok(GroupScores {
            name: group.name.clone(),
            scores: (sums.iter().enumerate().map(score)).collect::<Result<_, _>>()?,
            entries: sums[0].entries,
        })
    }

    /// What one entry adds to the sum of its unit.
    fn term(&self, weight: f64, grad: f64) -> f64 {
        match self {
            Self::Norm => weight * weight,
            Self::Magnitude | Self::Random { .. } => weight.abs(),
            Self::Sensitivity => weight * grad,
        }
    }
}

/// What was added up for one unit.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    total: f64,
    entries: usize,
}

/// Adds up the entries of every unit.
struct Sums<'a> {
    score: UnitScore,
    grads: Option<&'a GradientsParams>,
    /// By path of a tensor: the groups that stand in it, with their axes.
    places: BTreeMap<&'a str, Vec<(usize, Vec<&'a UnitAxis>)>>,
    sizes: Vec<usize>,
    /// For each group, one sum for each unit.
    sums: Vec<Vec<Sum>>,
}

impl<'a> Sums<'a> {
    fn new(score: UnitScore, groups: &'a [UnitGroup], grads: Option<&'a GradientsParams>) -> Self {
        let mut places: BTreeMap<&str, Vec<(usize, Vec<&UnitAxis>)>> = BTreeMap::new();
        for (index, group) in groups.iter().enumerate() {
            for axis in group.makes_and_reads() {
                let of_tensor = places.entry(&axis.path).or_default();
                match of_tensor.iter_mut().find(|(other, _)| *other == index) {
                    Some((_, axes)) => axes.push(axis),
                    None => of_tensor.push((index, vec![axis])),
                }
            }
        }
        Self {
            score,
            grads,
            places,
            sizes: groups.iter().map(|group| group.size).collect(),
            sums: (groups.iter().map(|group| vec![Sum::default(); group.size])).collect(),
        }
    }
}

impl Visit for Sums<'_> {
    fn visit<const D: usize>(&mut self, path: String, param: &Param<Tensor<D>>) {
        let Some(places) = self.places.get(path.as_str()) else {
            return;
        };
        let shape = param.lazy_shape().to_vec();
        let weights = read(param.val());
        let needed = self.score == UnitScore::Sensitivity;
        let grads = self.grads.filter(|_| needed);
        let grads = grads.and_then(|grads| grads.get::<D>(param.id)).map(read);
        let term = |at: usize| {
            let grad = grads.as_ref().map_or(0.0, |grads| grads[at]);
            self.score.term(weights[at], grad)
        };
        for (group, axes) in places {
            let lookups: Vec<_> = axes
                .iter()
                .map(|axis| Lookup::new(axis, self.sizes[*group], &shape))
                .collect();
            for at in 0..weights.len() {
                for (index, lookup) in lookups.iter().enumerate() {
                    let Some(unit) = lookup.unit(at) else {
                        continue;
                    };
                    // On the diagonal of recurrent weights a unit both makes and reads itself.
                    if lookups[..index]
                        .iter()
                        .any(|other| other.unit(at) == Some(unit))
                    {
                        continue;
                    }
                    let sum = &mut self.sums[*group][unit];
                    sum.total += term(at);
                    sum.entries += 1;
                }
            }
        }
    }
}

/// Which unit an entry belongs to, along one axis.
struct Lookup {
    units: Vec<Option<usize>>,
    stride: usize,
}

impl Lookup {
    fn new(axis: &UnitAxis, size: usize, shape: &[usize]) -> Self {
        let mut units = vec![None; shape[axis.axis]];
        for unit in 0..size {
            for index in axis.indices(unit) {
                units[index] = Some(unit);
            }
        }
        Self {
            units,
            stride: shape[axis.axis + 1..].iter().product(),
        }
    }

    /// The unit of the entry at a place in row-major order.
    fn unit(&self, at: usize) -> Option<usize> {
        self.units[at / self.stride % self.units.len()]
    }
}
