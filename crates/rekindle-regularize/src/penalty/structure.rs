//! Group Lasso over all that belongs to a hidden unit.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Bool, Int, Tensor, TensorData};

use super::{PenaltyError, add, root, validate};
use crate::path::Path;
use crate::precision::at_least_f32;
use crate::units::{UnitAxis, UnitGroup, UnitRole};

/// Where the hidden units of a layer stand along one dimension of a tensor: unit k at the indices
/// `offset + b·stride + k`, for each block b below `blocks`.
///
/// The weights `[d_hidden, 4·d_hidden]` of an LSTM hold its units along dimension 1 in four blocks at a stride of
/// `d_hidden`, and along dimension 0 in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UnitPlace {
    /// The dimension.
    pub axis: usize,
    /// Index of the first unit of the first block.
    pub offset: usize,
    /// Blocks, one for each gate: at least 1.
    pub blocks: usize,
    /// From a block to the next: at least the number of units where there are several blocks.
    pub stride: usize,
}

impl UnitPlace {
    /// The index behind the last one, of `size` units; 0 without units or blocks.
    fn end(&self, size: usize) -> usize {
        match (self.blocks, size) {
            (0, _) | (_, 0) => 0,
            _ => self.offset + (self.blocks - 1) * self.stride + size,
        }
    }

    /// The unit at each of `length` indices, or `nobody`.
    fn units(&self, size: usize, length: usize, nobody: i64) -> Vec<i64> {
        let mut units = vec![nobody; length];
        for block in 0..self.blocks {
            for unit in 0..size {
                units[self.offset + block * self.stride + unit] = unit as i64;
            }
        }
        units
    }
}

/// The hidden units of a layer, and every place where they stand in a network.
///
/// The group of a unit is all entries at its places: the weights and biases that make it, and all weights that read it, in
/// its own layer and in the next ones. If a whole group is 0, the unit can be taken out of the network without a change
/// of its outputs; that is an intrinsic sparse structure. An entry that makes one unit and reads another belongs to both
/// groups. One that makes and reads the same unit, on the diagonal of the recurrent weights, counts once.
///
/// # References
/// - Wen et al., *Learning Intrinsic Sparse Structures within Long Short-Term Memory*, 2018,
///   <https://arxiv.org/abs/1709.05027>
///
/// # Examples
/// ```
/// use burn::module::{Module, Param};
/// use burn::tensor::{Device, Tensor};
/// use rekindle_regularize::penalty::{UnitPlace, UnitStructure};
///
/// #[derive(Module, Debug)]
/// struct Rnn {
///     weight_hh: Param<Tensor<2>>,
/// }
///
/// let weight_hh = Param::from_data([[3.0, 4.0], [0.0, 12.0]], &Device::default());
/// let along = |axis| UnitPlace { axis, offset: 0, blocks: 1, stride: 2 };
/// let path = "weight_hh".to_string();
/// let units = UnitStructure {
///     size: 2,
///     places: vec![(path.clone(), along(0)), (path, along(1))],
/// };
/// let norms = units.norms(&Rnn { weight_hh })?.into_data();
/// let expected = [5.0, (16.0f64 + 144.0).sqrt()];
/// assert!(norms.iter::<f64>().zip(expected).all(|(norm, expected)| (norm - expected).abs() < 1e-5));
/// # Ok::<(), rekindle_regularize::penalty::PenaltyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitStructure {
    /// Number of units.
    pub size: usize,
    /// Paths of parameters and where the units stand in them. A path has an entry for each of its places.
    pub places: Vec<(String, UnitPlace)>,
}

impl From<&UnitGroup> for UnitStructure {
    /// All that makes or reads the units of a group.
    fn from(group: &UnitGroup) -> Self {
        let counts = |axis: &&UnitAxis| matches!(axis.role, UnitRole::Makes | UnitRole::Reads);
        let place = |axis: &UnitAxis| {
            let place = UnitPlace {
                axis: axis.axis,
                offset: axis.offset,
                blocks: axis.blocks,
                stride: axis.stride,
            };
            (axis.path.clone(), place)
        };
        Self {
            size: group.size,
            places: group.axes.iter().filter(counts).map(place).collect(),
        }
    }
}

impl UnitStructure {
    /// The penalty `strength · Σ_k ‖w_k‖` over the groups of all units: `[1]`.
    ///
    /// # Errors
    /// If `strength` is negative or not finite, and as [`norms`](Self::norms).
    pub fn group_lasso<M: Module>(
        &self,
        module: &M,
        strength: f64,
    ) -> Result<Tensor<1>, PenaltyError> {
        validate("strength", strength)?;
        Ok(self.norms(module)?.sum() * strength)
    }

    /// The norm of each unit's group: `[size]`.
    ///
    /// # Errors
    /// If a path is not one of the network's, there is none, or a unit stands outside its parameter.
    ///
    /// # Panics
    /// If the blocks of a place overlap.
    pub fn norms<M: Module>(&self, module: &M) -> Result<Tensor<1>, PenaltyError> {
        let mut squares = Squares {
            structure: self,
            path: Path::default(),
            available: Vec::new(),
            sum: Ok(None),
        };
        module.visit(&mut squares);
        let sum = squares.sum?;
        let is_missing = |(path, _): &&(String, UnitPlace)| !squares.available.contains(path);
        let missing = self.places.iter().find(is_missing);
        match (sum, missing) {
            (Some(sum), None) => Ok(root(sum)),
            (_, missing) => Err(PenaltyError::NoMatch {
                targets: missing.map(|(path, _)| path.clone()).unwrap_or_default(),
                available: squares.available,
            }),
        }
    }
}

/// The sum of the squares of all entries that belong to a unit, for each of `size` units: `[size]`.
///
/// An entry belongs to a unit if it stands at an index of it along any of the places; it counts once for a unit.
///
/// # Panics
/// If a place has a dimension that the tensor lacks or reaches over its end, or its blocks overlap.
pub fn unit_squares<const D: usize>(
    tensor: Tensor<D>,
    size: usize,
    places: &[UnitPlace],
) -> Tensor<1> {
    let dims = tensor.dims();
    let squares = at_least_f32(tensor).square();
    let mut sum = Tensor::zeros([size], (&squares.device(), squares.dtype()));
    for (index, place) in places.iter().enumerate() {
        assert!(
            place.axis < D && place.end(size) <= dims[place.axis],
            "{place:?} of {size} units is outside of shape {dims:?}, expected all units within"
        );
        let mut counted = squares.clone();
        assert!(
            place.blocks <= 1 || place.stride >= size,
            "stride of {place:?} is {}, expected at least {size}, the units of a block",
            place.stride
        );
        for earlier in &places[..index] {
            let both = of_same_unit(earlier, place, size, &squares);
            counted = counted.mask_fill(both, 0.0);
        }
        for axis in (0..D).filter(|&axis| axis != place.axis) {
            counted = counted.sum_dim(axis);
        }
        let along: Tensor<1> = counted.reshape([dims[place.axis]]);
        for block in 0..place.blocks {
            let start = place.offset + block * place.stride;
            sum = sum + along.clone().narrow(0, start, size);
        }
    }
    sum
}

/// Whether both places give an entry to the same unit, for each entry of a tensor of this shape.
fn of_same_unit<const D: usize>(
    left: &UnitPlace,
    right: &UnitPlace,
    size: usize,
    tensor: &Tensor<D>,
) -> Tensor<D, Bool> {
    let dims = tensor.dims();
    // Who belongs to nobody by one place does not meet who belongs to nobody by the other one.
    let unit_at = |place: &UnitPlace, nobody| {
        let length = dims[place.axis];
        let mut shape = [1; D];
        shape[place.axis] = length;
        let units = TensorData::new(place.units(size, length, nobody), shape);
        Tensor::<D, Int>::from_data(units, &tensor.device()).expand(dims)
    };
    unit_at(left, -1).equal(unit_at(right, -2))
}

/// Adds up the squares of each unit over the parameters of a network.
struct Squares<'a> {
    structure: &'a UnitStructure,
    path: Path,
    available: Vec<String>,
    sum: Result<Option<Tensor<1>>, PenaltyError>,
}

impl Squares<'_> {
    fn squares_of<const D: usize>(
        &self,
        tensor: Tensor<D>,
        path: &str,
        places: &[UnitPlace],
    ) -> Result<Tensor<1>, PenaltyError> {
        let size = self.structure.size;
        let dims = tensor.dims();
        let is_outside = |place: &&UnitPlace| place.axis >= D || place.end(size) > dims[place.axis];
        match places.iter().find(is_outside) {
            None => Ok(unit_squares(tensor, size, places)),
            Some(place) => Err(PenaltyError::Outside {
                path: path.to_string(),
                axis: place.axis,
                end: place.end(size).saturating_sub(1),
                found: dims.to_vec(),
            }),
        }
    }
}

impl ModuleVisitor for Squares<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.enter(name);
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.exit();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let path = self.path.to_string();
        let here = self.structure.places.iter().filter(|(at, _)| *at == path);
        let places: Vec<UnitPlace> = here.map(|&(_, place)| place).collect();
        if let Ok(sum) = &self.sum
            && !places.is_empty()
        {
            let sum = sum.clone();
            let part = self.squares_of(param.val(), &path, &places);
            self.sum = part.map(|part| Some(add(sum, part)));
        }
        self.available.push(path);
    }
}
