//! A `state_dict`: tensors by their names.

use std::collections::BTreeMap;

use burn::tensor::{DType, TensorData};

use super::entry::Entry;

/// Tensors by their names, as PyTorch's `module.state_dict()` gives them.
///
/// It holds every tensor of a file, of whatever type, so that nothing is lost when it is [written](Self::write) again.
/// The recurrent modules in it are found by a prefix: `encoder.rnn.` is what stands before `weight_ih_l0`, dot included,
/// and is empty if the dict is that of the module itself.
///
/// # Examples
/// A bidirectional LSTM to PyTorch's names and back:
/// ```
/// use burn::tensor::Device;
/// use rekindle_cells::{Direction, Lstm, LstmConfig, StackConfig};
/// use rekindle_interop::pytorch::{StateDict, build_stack};
///
/// let device = Device::default();
/// let stack = StackConfig::new()
///     .with_direction(Direction::Bidirectional)
///     .init(&LstmConfig::new(3, 8), &device);
///
/// let dict = StateDict::of_stack(&stack, "encoder.").unwrap();
/// assert_eq!(dict.shape("encoder.weight_ih_l0_reverse"), Some(&[4 * 8, 3][..]));
///
/// let (again, report) = build_stack::<Lstm>(&dict, "encoder.", &device).unwrap();
/// assert_eq!(again.direction(), Direction::Bidirectional);
/// assert_eq!((report.matched.len(), report.unused.len()), (8, 0));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StateDict {
    pub(super) entries: BTreeMap<String, Entry>,
}

impl StateDict {
    /// No tensors.
    pub fn new() -> Self {
        Self::default()
    }

    /// The names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// The shape of a tensor, if there is one of this name.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.entries.get(name).map(|entry| &entry.shape[..])
    }

    /// The numbers of a tensor as they stand in the file, a matrix as `[out, in]`; 16-bit floats as `f32`, which holds
    /// them exactly. `None` if there is no tensor of this name or it holds no floats.
    pub fn tensor(&self, name: &str) -> Option<TensorData> {
        self.entries.get(name)?.floats()
    }

    /// Adds a tensor as PyTorch keeps it, a matrix as `[out, in]`. Replaces one of the same name.
    ///
    /// # Panics
    /// If the tensor holds no floats.
    pub fn insert(&mut self, name: impl Into<String>, tensor: &TensorData) {
        let name = name.into();
        let Some(entry) = Entry::from_data(tensor) else {
            panic!(
                "{name} holds {:?}, expected F64, F32, F16 or BF16",
                tensor.dtype()
            )
        };
        self.entries.insert(name, entry);
    }

    /// Adds all tensors of another dict. Replaces those of the same names.
    pub fn append(&mut self, other: Self) {
        self.entries.extend(other.entries);
    }

    /// The same with every float tensor in `f32` or `f64`, rounded to nearest if it does not fit.
    ///
    /// A network takes the type of the tensors that are loaded into it, so this is how a network in `f32` is made from a
    /// file in `f64`.
    ///
    /// # Panics
    /// If `dtype` is neither `F32` nor `F64`.
    pub fn cast(mut self, dtype: DType) -> Self {
        assert!(
            matches!(dtype, DType::F32 | DType::F64),
            "cannot cast a state dict to {dtype:?}: expected F32 or F64"
        );
        for entry in self.entries.values_mut() {
            let cast = entry.floats().map(|data| data.convert_dtype(dtype));
            if let Some(cast) = cast.as_ref().and_then(Entry::from_data) {
                *entry = cast;
            }
        }
        self
    }

    /// What stands before `weight_ih_l0` or, for a single cell, `weight_ih` in any name, sorted.
    pub(super) fn prefixes(&self) -> Vec<String> {
        let prefix = |name: &str| {
            let prefix = name.strip_suffix("weight_ih_l0");
            let prefix = prefix.or_else(|| name.strip_suffix("weight_ih"))?;
            (prefix.is_empty() || prefix.ends_with('.')).then(|| prefix.to_string())
        };
        self.names().filter_map(prefix).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn casting_rounds_floats_to_nearest() {
        let mut dict = StateDict::new();
        dict.insert("a", &TensorData::new(vec![0.1_f64], [1]));
        let cast = dict.clone().cast(DType::F32);
        assert_eq!(cast.tensor("a"), Some(TensorData::new(vec![0.1_f32], [1])));
        assert_eq!(dict.clone().cast(DType::F64), dict);
    }

    #[test]
    fn prefixes_of_layers_and_cells() {
        let mut dict = StateDict::new();
        for name in [
            "weight_ih",
            "b.rnn.weight_ih_l0",
            "b.rnn.weight_ih_l1",
            "my_weight_ih_l0",
        ] {
            dict.insert(name, &TensorData::new(vec![0.0_f32], [1, 1]));
        }
        assert_eq!(dict.prefixes(), ["b.rnn.", ""]);
    }

    #[test]
    #[should_panic(expected = "steps holds I64, expected F64, F32, F16 or BF16")]
    fn integers_are_refused() {
        StateDict::new().insert("steps", &TensorData::new(vec![1_i64], [1]));
    }
}
