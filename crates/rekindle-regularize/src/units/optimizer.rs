//! What an optimiser remembers of units, taken out with them.

use std::collections::HashMap;

use burn::module::{Module, Param};
use burn::optim::OptimizerRecord;
use burn::store::RecordError;
use burn::tensor::{Bytes, Tensor};
use burn_pack::{Reader, Writer};

use super::cuts::{Cut, Cuts, cuts};
use super::{Kept, UnitError, UnitGroup, shapes};
use crate::path::{Visit, visit};

/// Takes the units that do not stay out of an optimiser's record.
///
/// Every tensor with the shape of its parameter (momenta, second moments) loses what the parameter loses in
/// [`shrink`](super::shrink); single numbers and tensors of other parameters stay. The smaller network then takes the
/// same next step as the masked one.
///
/// `module` is the network as it was when the record was made, before shrinking: it tells the shapes.
///
/// # Errors
/// - as [`mask_units`](super::mask_units)
/// - a state with another shape than its parameter (Adafactor keeps sums of rows and columns, which cannot be cut)
/// - a record that cannot be converted
///
/// # Examples
/// ```
/// use burn::nn::LinearConfig;
/// use burn::optim::{AdamConfig, GradientsParams};
/// use burn::tensor::{Device, Tensor};
/// use rekindle_regularize::units::{Kept, UnitAxis, UnitGroup, UnitRole, shrink, shrink_optimizer};
///
/// let device = Device::default().autodiff();
/// let layer = LinearConfig::new(3, 4).with_bias(false).init(&device);
/// let mut optimizer = AdamConfig::new().init();
/// let grads = layer.forward(Tensor::<2>::ones([1, 3], &device)).sum().backward();
/// let grads = GradientsParams::from_grads(grads, &layer);
/// let layer = optimizer.step(1e-3, layer, grads);
///
/// let outputs = [UnitGroup {
///     name: "outputs".into(),
///     size: 4,
///     axes: vec![UnitAxis::new("weight", 1, UnitRole::Makes)],
/// }];
/// let kept = Kept::from_indices([("outputs", vec![0, 3])])?;
/// let record = shrink_optimizer(optimizer.to_record(), &layer, &outputs, &kept)?;
/// let mut optimizer = AdamConfig::new().init().load_record(record);
/// let layer = shrink(layer, &outputs, &kept)?;
///
/// let grads = layer.forward(Tensor::<2>::ones([1, 3], &device)).sum().backward();
/// let grads = GradientsParams::from_grads(grads, &layer);
/// assert_eq!(optimizer.step(1e-3, layer, grads).weight.val().dims(), [3, 2]);
/// # Ok::<(), rekindle_regularize::units::UnitError>(())
/// ```
pub fn shrink_optimizer<M: Module>(
    record: OptimizerRecord,
    module: &M,
    groups: &[UnitGroup],
    kept: &Kept,
) -> Result<OptimizerRecord, UnitError> {
    let cuts = cuts(&shapes(module), groups, kept, |_| true)?;
    let mut cut_params = CutParams {
        cuts: &cuts,
        params: HashMap::new(),
    };
    visit(module, &mut cut_params);

    // The fields of a record are private to Burn: its bytes are the way in.
    let reader = Reader::from_bytes(record.into_bytes()?).map_err(RecordError::from)?;
    let (metadata, scalars) = (reader.metadata().clone(), reader.scalars().clone());
    let states = reader.into_tensors().map_err(RecordError::from)?;
    let states = states.into_iter().map(|state| {
        match state.param_id.and_then(|id| cut_params.params.get(&id)) {
            Some(param) => param.cut(state),
            None => Ok(state),
        }
    });
    let mut writer = Writer::new(states.collect::<Result<_, UnitError>>()?);
    for (key, value) in &scalars {
        writer = writer.with_scalar(key, *value);
    }
    for (key, value) in &metadata {
        writer = writer.with_metadata(key, value);
    }
    let bytes = writer.into_bytes().map_err(RecordError::from)?;
    Ok(OptimizerRecord::from_bytes(bytes)?)
}

/// A parameter that loses something.
struct CutParam {
    path: String,
    shape: Vec<usize>,
    cuts: Vec<Cut>,
}

impl CutParam {
    /// What stays of a state.
    fn cut(&self, state: burn_pack::Tensor) -> Result<burn_pack::Tensor, UnitError> {
        if state.shape.num_elements() == 1 {
            return Ok(state);
        }
        let (name, dtype, shape, param_id, bytes) =
            state.into_parts().map_err(RecordError::from)?;
        let mut shape = shape.to_vec();
        let size = dtype.size();
        if shape != self.shape || bytes.len() != size * shape.iter().product::<usize>() {
            return Err(UnitError::OptimizerState {
                path: self.path.clone(),
                state: name,
                expected: self.shape.clone(),
                found: shape,
            });
        }
        let mut bytes = bytes.to_vec();
        for cut in &self.cuts {
            bytes = gather(&bytes, &shape, cut, size);
            shape[cut.axis] = cut.kept.iter().filter(|&&kept| kept).count();
        }
        let bytes = Bytes::from_bytes_vec(bytes);
        Ok(burn_pack::Tensor::new(name, dtype, shape, param_id, bytes))
    }
}

/// The entries of `size` bytes that stay along an axis.
fn gather(bytes: &[u8], shape: &[usize], cut: &Cut, size: usize) -> Vec<u8> {
    let length = size * shape[cut.axis + 1..].iter().product::<usize>();
    let slices = bytes.chunks_exact(length).zip(cut.kept.iter().cycle());
    let kept = slices.filter(|&(_, &kept)| kept);
    kept.flat_map(|(slice, _)| slice).copied().collect()
}

/// Finds the parameters that lose something by their ids.
struct CutParams<'a> {
    cuts: &'a Cuts,
    params: HashMap<u64, CutParam>,
}

impl Visit for CutParams<'_> {
    fn visit<const D: usize>(&mut self, path: String, param: &Param<Tensor<D>>) {
        if let Some(cuts) = self.cuts.get(&path) {
            let cut = CutParam {
                path,
                shape: param.lazy_shape().to_vec(),
                cuts: cuts.clone(),
            };
            self.params.insert(param.id.val(), cut);
        }
    }
}
