//! State dicts in files: safetensors and PyTorch's own.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use burn_store::pytorch_reader::{self, PytorchError, PytorchReader};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensorError, SafeTensors};

use super::StateDict;
use super::entry::Entry;

/// A file that no state dict can be read from.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file begins as safetensors and is not whole or not well-formed.
    #[error("cannot read {} as safetensors: {source}; is it complete?", path.display())]
    Safetensors {
        /// The file.
        path: PathBuf,
        /// Why.
        source: SafeTensorError,
    },
    /// The file is neither safetensors nor a checkpoint of PyTorch that is whole and well-formed.
    #[error(
        "cannot read {}: {source}; expected a complete file of safetensors or of torch.save, with tensors that are dense \
         and not quantized; of a TorchScript module, save its state_dict()",
        path.display()
    )]
    Pytorch {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<PytorchError>,
    },
    /// One tensor of a checkpoint of PyTorch cannot be read.
    #[error("cannot read {name} from {}: {source}; is the file complete?", path.display())]
    Tensor {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
        /// Why.
        source: io::Error,
    },
}

/// A file that a state dict cannot be written to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Safetensors cannot hold the tensors.
    #[error("cannot write {} as safetensors: {source}", path.display())]
    Safetensors {
        /// The file.
        path: PathBuf,
        /// Why.
        source: SafeTensorError,
    },
}

impl StateDict {
    /// Reads a file of safetensors, or of `torch.save` in any format that PyTorch has written (`.pt`, `.pth`, `.bin`),
    /// told by its content and not by its name.
    ///
    /// Of a checkpoint, names are joined by dots through its dictionaries: a state dict under the key `model` has names
    /// that begin with `model.`. A module saved whole is read as its state dict. No code in the file is run. Archives of
    /// `torch.jit.save` are not read.
    ///
    /// All tensors are read into memory.
    ///
    /// # Errors
    /// If the file cannot be read, is cut off or damaged, or holds tensors that are quantized, sparse or nested.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, ReadError> {
        let path = path.as_ref();
        let failed = |source| ReadError::File {
            path: path.to_path_buf(),
            source,
        };
        match begins_as_safetensors(path).map_err(failed)? {
            true => read_safetensors(path, &fs::read(path).map_err(failed)?),
            false => read_pytorch(path),
        }
    }

    /// Writes safetensors that `safetensors.torch.load_file` reads and `load_state_dict` takes. An existing file is
    /// replaced at once, when the new one is whole.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), WriteError> {
        let path = path.as_ref();
        let refused = |source| WriteError::Safetensors {
            path: path.to_path_buf(),
            source,
        };
        let views: Result<Vec<_>, _> = self
            .entries
            .iter()
            .map(|(name, entry)| {
                let view = TensorView::new(entry.dtype, entry.shape.clone(), &entry.bytes);
                view.map(|view| (name, view))
            })
            .collect();
        // What Hugging Face's tools expect to be told.
        let format = HashMap::from([("format".to_string(), "pt".to_string())]);
        let bytes = views
            .and_then(|views| safetensors::serialize(views, Some(format)))
            .map_err(refused)?;

        let mut neighbour = path.as_os_str().to_owned();
        neighbour.push(".partial");
        fs::write(&neighbour, bytes)
            .and_then(|()| fs::rename(&neighbour, path))
            .inspect_err(|_| drop(fs::remove_file(&neighbour)))
            .map_err(|source| WriteError::File {
                path: path.to_path_buf(),
                source,
            })
    }
}

/// Whether a file begins with the length of a header, at most 100 MB, and that header, which is JSON. None of PyTorch's
/// own formats does.
fn begins_as_safetensors(path: &Path) -> io::Result<bool> {
    let mut start = Vec::new();
    File::open(path)?.take(9).read_to_end(&mut start)?;
    let length = start.first_chunk().copied().map(u64::from_le_bytes);
    Ok(start.last() == Some(&b'{') && length.is_some_and(|length| length <= 100_000_000))
}

fn read_safetensors(path: &Path, bytes: &[u8]) -> Result<StateDict, ReadError> {
    let tensors = SafeTensors::deserialize(bytes).map_err(|source| ReadError::Safetensors {
        path: path.to_path_buf(),
        source,
    })?;
    let entry = |(name, view): (&str, TensorView)| {
        let entry = Entry {
            dtype: view.dtype(),
            shape: view.shape().to_vec(),
            bytes: view.data().to_vec(),
        };
        (name.to_string(), entry)
    };
    Ok(StateDict {
        entries: tensors.iter().map(entry).collect(),
    })
}

fn read_pytorch(path: &Path) -> Result<StateDict, ReadError> {
    let reader = PytorchReader::new(path).map_err(|source| ReadError::Pytorch {
        path: path.to_path_buf(),
        source: Box::new(source),
    })?;
    let mut dict = StateDict::new();
    for (name, tensor) in reader.into_tensors() {
        let bytes = tensor.read().map_err(|source| ReadError::Tensor {
            path: path.to_path_buf(),
            name: name.clone(),
            source,
        })?;
        let entry = Entry {
            dtype: dtype(tensor.dtype()),
            shape: tensor.shape().to_vec(),
            bytes,
        };
        dict.entries.insert(name, entry);
    }
    Ok(dict)
}

fn dtype(dtype: pytorch_reader::DType) -> Dtype {
    use pytorch_reader::DType;
    match dtype {
        DType::F64 => Dtype::F64,
        DType::F32 => Dtype::F32,
        DType::F16 => Dtype::F16,
        DType::BF16 => Dtype::BF16,
        DType::I64 => Dtype::I64,
        DType::I32 => Dtype::I32,
        DType::I16 => Dtype::I16,
        DType::I8 => Dtype::I8,
        DType::U64 => Dtype::U64,
        DType::U32 => Dtype::U32,
        DType::U16 => Dtype::U16,
        DType::U8 => Dtype::U8,
        DType::Bool => Dtype::BOOL,
    }
}
