//! Which weights stay.

use std::collections::BTreeMap;

use burn::module::{Module, Param};
use burn::tensor::{Bool, Tensor, TensorData};

use super::{PruneError, bytes};
use crate::Targets;
use crate::path::{Map, Visit, map, visit};
use crate::units::{read, replace, shapes};

/// Which weights of one tensor stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mask {
    shape: Vec<usize>,
    keep: Vec<bool>,
}

impl Mask {
    /// From one value for each entry in row-major order: true stays.
    ///
    /// # Panics
    /// If the number of values is not that of the shape.
    pub fn new(shape: Vec<usize>, keep: Vec<bool>) -> Self {
        let expected: usize = shape.iter().product();
        assert!(
            keep.len() == expected,
            "a mask has {} values, expected {expected} for the shape {shape:?}",
            keep.len()
        );
        Self { shape, keep }
    }

    /// Shape of the tensor.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// One value for each entry in row-major order: true stays.
    pub fn keep(&self) -> &[bool] {
        &self.keep
    }

    /// Number of entries that stay.
    pub fn kept(&self) -> usize {
        self.keep.iter().filter(|&&keep| keep).count()
    }
}

/// Which weights of a network stay, by paths of tensors. Tensors that are not named stay whole.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Masks {
    masks: BTreeMap<String, Mask>,
}

/// Masks as they stand on a device: true where a weight goes, in row-major order.
pub(super) type Gone = BTreeMap<String, Tensor<1, Bool>>;

impl Masks {
    /// From the zeros of a network: a weight that is zero goes.
    ///
    /// # Errors
    /// If the targets mean no parameter.
    pub fn from_zeros<M: Module>(module: &M, targets: &Targets) -> Result<Self, PruneError> {
        let mut zeros = Zeros {
            targets,
            masks: Self::default(),
        };
        visit(module, &mut zeros);
        match zeros.masks.is_empty() {
            true => Err(no_match(module, targets)),
            false => Ok(zeros.masks),
        }
    }

    /// Sets the mask of a tensor.
    pub fn insert(&mut self, path: impl Into<String>, mask: Mask) {
        self.masks.insert(path.into(), mask);
    }

    /// The mask of a tensor.
    pub fn get(&self, path: &str) -> Option<&Mask> {
        self.masks.get(path)
    }

    /// The masks with the paths of their tensors, in order of the paths.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Mask)> {
        self.masks.iter().map(|(path, mask)| (path.as_str(), mask))
    }

    /// Whether there is no mask.
    pub fn is_empty(&self) -> bool {
        self.masks.is_empty()
    }

    /// The fraction of weights that go, among the tensors that have a mask; 0 without masks.
    pub fn sparsity(&self) -> f64 {
        let total: usize = self.masks.values().map(|mask| mask.keep.len()).sum();
        let kept: usize = self.masks.values().map(Mask::kept).sum();
        (total - kept) as f64 / total.max(1) as f64
    }

    /// What stays in both: a weight that one of them removes is gone.
    ///
    /// # Errors
    /// If they have masks of different shapes for a tensor.
    pub fn and(mut self, other: &Self) -> Result<Self, PruneError> {
        for (path, other) in &other.masks {
            match self.masks.get_mut(path) {
                None => self.insert(path, other.clone()),
                Some(mask) if mask.shape == other.shape => {
                    let both = mask.keep.iter_mut().zip(&other.keep);
                    both.for_each(|(keep, other)| *keep &= other);
                }
                Some(mask) => {
                    return Err(PruneError::MaskShape {
                        path: path.clone(),
                        expected: mask.shape.clone(),
                        found: other.shape.clone(),
                    });
                }
            }
        }
        Ok(self)
    }

    /// Zeroes the weights that go. Parameters keep their ids.
    ///
    /// # Errors
    /// If the network has no such tensor, or one of another shape. It is not changed then.
    pub fn apply<M: Module>(&self, module: M) -> Result<M, PruneError> {
        self.apply_with(module, &mut Gone::new())
    }

    /// As [`apply`](Self::apply), with what already stands on the device.
    pub(super) fn apply_with<M: Module>(
        &self,
        module: M,
        gone: &mut Gone,
    ) -> Result<M, PruneError> {
        let shapes = shapes(&module);
        for (path, mask) in &self.masks {
            match shapes.get(path) {
                None => {
                    return Err(PruneError::MaskPath {
                        path: path.clone(),
                        available: shapes.into_keys().collect(),
                    });
                }
                Some(shape) if *shape != mask.shape => {
                    return Err(PruneError::MaskShape {
                        path: path.clone(),
                        expected: shape.clone(),
                        found: mask.shape.clone(),
                    });
                }
                Some(_) => {}
            }
        }
        Ok(map(module, &mut Apply { masks: self, gone }))
    }

    /// Zeroes the weights that go for good: the masks end here, and further training may bring the weights back.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub fn make_permanent<M: Module>(self, module: M) -> Result<M, PruneError> {
        self.apply(module)
    }

    /// Paths, shapes and packed bits, with a checksum.
    ///
    /// # Errors
    /// If they are too large for Burn's record format.
    pub fn to_bytes(&self) -> Result<Vec<u8>, PruneError> {
        bytes::pack(self, &BTreeMap::new())
    }

    /// What [`to_bytes`](Self::to_bytes) wrote, or the masks of what
    /// [`PrunerState::to_bytes`](super::PrunerState::to_bytes) wrote.
    ///
    /// # Errors
    /// If the bytes are something else, or damaged.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PruneError> {
        Ok(bytes::unpack(bytes)?.0)
    }
}

/// Targets that mean no parameter of a network.
pub(super) fn no_match<M: Module>(module: &M, targets: &Targets) -> PruneError {
    PruneError::NoMatch {
        targets: targets.to_string(),
        available: shapes(module).into_keys().collect(),
    }
}

struct Zeros<'a> {
    targets: &'a Targets,
    masks: Masks,
}

impl Visit for Zeros<'_> {
    fn visit<const D: usize>(&mut self, path: String, param: &Param<Tensor<D>>) {
        if self.targets.contains(&path) {
            let weights = read(param.val());
            let keep = weights.into_iter().map(|weight| weight != 0.0);
            let shape = param.lazy_shape().to_vec();
            self.masks.insert(path, Mask::new(shape, keep.collect()));
        }
    }
}

struct Apply<'a> {
    masks: &'a Masks,
    gone: &'a mut Gone,
}

impl Map for Apply<'_> {
    fn map<const D: usize>(&mut self, path: String, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(mask) = self.masks.get(&path) else {
            return param;
        };
        replace(param, |tensor| {
            let device = tensor.device();
            let gone = self.gone.entry(path).or_insert_with(|| {
                let gone: Vec<bool> = mask.keep.iter().map(|keep| !keep).collect();
                let shape = [gone.len()];
                Tensor::from_data(TensorData::new(gone, shape), &device)
            });
            let gone = gone.clone().to_device(&device);
            let shape = tensor.dims();
            tensor.mask_fill(gone.reshape(shape), 0.0)
        })
    }
}
