//! Reference vectors: results of another framework, kept beside the script that made them.

use std::collections::BTreeMap;
use std::path::Path;

use burn::tensor::{DType, Device, Tensor, TensorData};
use serde::Deserialize;

/// A file of reference vectors.
#[derive(Debug, Deserialize)]
pub struct Vectors {
    /// The version of PyTorch that made them.
    pub torch: String,
    /// One network, its inputs and its results each.
    pub cases: Vec<Case>,
}

/// One network, its inputs and its results.
#[derive(Debug, Deserialize)]
pub struct Case {
    /// A name for messages.
    pub name: String,
    /// `lstm`, `gru`, `rnn_tanh` or `rnn_relu`.
    pub cell: String,
    /// `sequence`, or `step` for a single step of the cell.
    pub kind: String,
    /// Stacked layers.
    pub layers: usize,
    /// Whether each layer reads in both directions.
    pub bidirectional: bool,
    /// Whether the affine maps have biases.
    pub bias: bool,
    /// Width of the input.
    pub d_input: usize,
    /// Hidden units: the width of the hidden state, unless it is projected.
    pub d_hidden: usize,
    /// Width of the projected hidden state, PyTorch's `proj_size`; without projection if absent.
    #[serde(default)]
    pub d_projected: Option<usize>,
    /// Valid steps of each row; all if absent.
    pub lengths: Option<Vec<usize>>,
    /// Inputs, weights, results and gradients by name.
    pub tensors: BTreeMap<String, NamedTensor>,
}

/// Numbers and their shape.
#[derive(Debug, Deserialize)]
pub struct NamedTensor {
    /// Axis lengths.
    pub shape: Vec<usize>,
    /// Row-major values.
    pub values: Vec<f64>,
}

impl Vectors {
    /// Reads a JSON file.
    ///
    /// # Panics
    /// If the file cannot be read or has another form.
    pub fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path)
            .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
        serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("cannot parse {}: {error}", path.display()))
    }
}

impl Case {
    /// The tensor of a name.
    ///
    /// # Panics
    /// If the case has none of that name, or its rank is not `D`.
    pub fn tensor<const D: usize>(
        &self,
        name: &str,
        (device, dtype): (&Device, DType),
    ) -> Tensor<D> {
        let Some(tensor) = self.tensors.get(name) else {
            panic!("{}: no tensor {name}", self.name);
        };
        let data = TensorData::new(tensor.values.clone(), tensor.shape.clone());
        Tensor::from_data(data, (device, dtype))
    }

    /// The tensor of a name, if the case has one.
    pub fn get<const D: usize>(&self, name: &str, options: (&Device, DType)) -> Option<Tensor<D>> {
        self.tensors
            .contains_key(name)
            .then(|| self.tensor(name, options))
    }
}
