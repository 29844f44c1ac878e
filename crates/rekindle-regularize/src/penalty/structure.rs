//! Group Lasso over all that belongs to a hidden unit.

use burn::module::{Module, Param};
use burn::tensor::{Bool, Int, Tensor, TensorData};

use super::{PenaltyError, add, root, validate};
use crate::path::{Visit, visit};
use crate::precision::at_least_f32;
use crate::units::{UnitAxis, UnitGroup};

/// What a group lasso over hidden units takes: the group of a unit is all entries that make or read it, the weights and
/// biases that make it, and all weights that read it, in its own layer and in the next ones.
///
/// If a whole group is 0, the unit can be taken out of the network without a change of its outputs; that is an intrinsic
/// sparse structure. An entry that makes one unit and reads another belongs to both groups. One that makes and reads the
/// same unit, on the diagonal of the recurrent weights, counts once.
///
/// # References
/// - Wen et al., *Learning Intrinsic Sparse Structures within Long Short-Term Memory*, 2018,
///   <https://arxiv.org/abs/1709.05027>
///
/// # Examples
/// ```
/// use burn::module::{Module, Param};
/// use burn::tensor::{Device, Tensor};
/// use rekindle_regularize::units::{UnitAxis, UnitGroup, UnitRole};
///
/// #[derive(Module, Debug)]
/// struct Rnn {
///     weight_hh: Param<Tensor<2>>,
/// }
///
/// let weight_hh = Param::from_data([[3.0, 4.0], [0.0, 12.0]], &Device::default());
/// let units = UnitGroup {
///     name: "rnn".into(),
///     size: 2,
///     axes: vec![
///         UnitAxis::new("weight_hh", 0, UnitRole::Reads),
///         UnitAxis::new("weight_hh", 1, UnitRole::Makes),
///     ],
/// };
/// let norms = units.norms(&Rnn { weight_hh })?.into_data();
/// let expected = [5.0, (16.0f64 + 144.0).sqrt()];
/// assert!(norms.iter::<f64>().zip(expected).all(|(norm, expected)| (norm - expected).abs() < 1e-5));
/// # Ok::<(), rekindle_regularize::penalty::PenaltyError>(())
/// ```
impl UnitGroup {
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
    /// If the blocks of an axis overlap.
    pub fn norms<M: Module>(&self, module: &M) -> Result<Tensor<1>, PenaltyError> {
        let mut squares = Squares {
            group: self,
            available: Vec::new(),
            sum: Ok(None),
        };
        visit(module, &mut squares);
        let sum = squares.sum?;
        let is_missing = |axis: &&UnitAxis| !squares.available.contains(&axis.path);
        let missing = self.makes_and_reads().find(is_missing);
        match (sum, missing) {
            (Some(sum), None) => Ok(root(sum)),
            (_, missing) => Err(PenaltyError::NoMatch {
                targets: missing.map(|axis| axis.path.clone()).unwrap_or_default(),
                available: squares.available,
            }),
        }
    }
}

/// The sum of the squares of all entries that belong to a unit, for each of `size` units: `[size]`.
///
/// An entry belongs to a unit if it stands at an index of it along any of the axes, whose paths do not matter here; it
/// counts once for a unit.
///
/// # Panics
/// If the tensor lacks an axis, units reach over its end, or the blocks of an axis overlap.
pub fn unit_squares<const D: usize>(
    tensor: Tensor<D>,
    size: usize,
    axes: &[UnitAxis],
) -> Tensor<1> {
    let dims = tensor.dims();
    let squares = at_least_f32(tensor).square();
    let mut sum = Tensor::zeros([size], (&squares.device(), squares.dtype()));
    for (index, axis) in axes.iter().enumerate() {
        assert!(
            axis.axis < D && end(axis, size) <= dims[axis.axis],
            "{axis:?} of {size} units is outside of shape {dims:?}, expected all units within"
        );
        let mut counted = squares.clone();
        assert!(
            axis.blocks <= 1 || axis.stride >= size,
            "stride of {axis:?} is {}, expected at least {size}, the units of a block",
            axis.stride
        );
        for earlier in &axes[..index] {
            let both = of_same_unit(earlier, axis, size, &squares);
            counted = counted.mask_fill(both, 0.0);
        }
        for other in (0..D).filter(|&other| other != axis.axis) {
            counted = counted.sum_dim(other);
        }
        let along: Tensor<1> = counted.reshape([dims[axis.axis]]);
        for block in 0..axis.blocks {
            let start = axis.offset + block * axis.stride;
            sum = sum + along.clone().narrow(0, start, size);
        }
    }
    sum
}

/// The index behind the last one of `size` units; 0 without units or blocks.
fn end(axis: &UnitAxis, size: usize) -> usize {
    let largest = size
        .checked_sub(1)
        .and_then(|last| axis.indices(last).max());
    largest.map_or(0, |largest| largest + 1)
}

/// Whether both axes give an entry to the same unit, for each entry of a tensor of this shape.
fn of_same_unit<const D: usize>(
    left: &UnitAxis,
    right: &UnitAxis,
    size: usize,
    tensor: &Tensor<D>,
) -> Tensor<D, Bool> {
    let dims = tensor.dims();
    // Who belongs to nobody by one axis does not meet who belongs to nobody by the other one.
    let unit_at = |axis: &UnitAxis, nobody: i64| {
        let mut units = vec![nobody; dims[axis.axis]];
        for unit in 0..size {
            axis.indices(unit)
                .for_each(|index| units[index] = unit as i64);
        }
        let mut shape = [1; D];
        shape[axis.axis] = units.len();
        let units = TensorData::new(units, shape);
        Tensor::<D, Int>::from_data(units, &tensor.device()).expand(dims)
    };
    unit_at(left, -1).equal(unit_at(right, -2))
}

/// Adds up the squares of each unit over the parameters of a network.
struct Squares<'a> {
    group: &'a UnitGroup,
    available: Vec<String>,
    sum: Result<Option<Tensor<1>>, PenaltyError>,
}

impl Squares<'_> {
    fn squares_of<const D: usize>(
        &self,
        tensor: Tensor<D>,
        axes: &[UnitAxis],
    ) -> Result<Tensor<1>, PenaltyError> {
        let size = self.group.size;
        let dims = tensor.dims();
        let is_outside = |axis: &&UnitAxis| axis.axis >= D || end(axis, size) > dims[axis.axis];
        match axes.iter().find(is_outside) {
            None => Ok(unit_squares(tensor, size, axes)),
            Some(axis) => Err(PenaltyError::Outside {
                path: axis.path.clone(),
                axis: axis.axis,
                end: end(axis, size).saturating_sub(1),
                found: dims.to_vec(),
            }),
        }
    }
}

impl Visit for Squares<'_> {
    fn visit<const D: usize>(&mut self, path: String, param: &Param<Tensor<D>>) {
        let here = self
            .group
            .makes_and_reads()
            .filter(|axis| axis.path == path);
        let axes: Vec<UnitAxis> = here.cloned().collect();
        if let Ok(sum) = &self.sum
            && !axes.is_empty()
        {
            let sum = sum.clone();
            let part = self.squares_of(param.val(), &axes);
            self.sum = part.map(|part| Some(add(sum, part)));
        }
        self.available.push(path);
    }
}
