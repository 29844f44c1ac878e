//! Backends whose tensors are numbers in the memory of this machine.

use burn::backend::{Backend, tensor::FloatTensor};
use burn::tensor::{Shape, TensorData};
use pulp::bytemuck::Pod;

use crate::cpu;

/// A type of numbers that the engine computes in and tensors hold.
pub(crate) trait Number: cpu::Element + burn::tensor::Element + Pod {}

impl Number for f32 {}
impl Number for f64 {}

/// A backend that hands out its numbers.
pub(crate) trait Host: Backend {
    /// The same tensor in row-major order; itself, where it is already.
    fn contiguous(tensor: FloatTensor<Self>) -> FloatTensor<Self>;

    /// The numbers of a contiguous tensor.
    ///
    /// # Panics
    /// If the tensor is not contiguous, or holds numbers of another type.
    fn numbers<F: Number>(tensor: &FloatTensor<Self>) -> &[F];

    /// A tensor of `numbers` on the device of `beside`, without a copy.
    fn tensor<F: Number>(
        numbers: Vec<F>,
        shape: Shape,
        beside: &FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let device = burn::backend::TensorMetadata::device(beside);
        Self::float_from_data(TensorData::new(numbers, shape), &device)
    }
}

#[cfg(feature = "flex")]
impl Host for burn::backend::Flex {
    fn contiguous(tensor: FloatTensor<Self>) -> FloatTensor<Self> {
        tensor.to_contiguous()
    }

    fn numbers<F: Number>(tensor: &FloatTensor<Self>) -> &[F] {
        tensor.as_slice().expect("a contiguous tensor of this type")
    }
}

#[cfg(feature = "ndarray")]
impl Host for burn::backend::NdArray {
    fn contiguous(tensor: FloatTensor<Self>) -> FloatTensor<Self> {
        use burn::backend::ndarray::NdArrayTensor;
        macro_rules! standard {
            ($storage:expr) => {{
                let view = $storage.view();
                match view.is_standard_layout() {
                    true => None,
                    false => {
                        let copy = view.as_standard_layout().into_owned().into_shared();
                        Some(NdArrayTensor::from(copy))
                    }
                }
            }};
        }
        let copy = match &tensor {
            NdArrayTensor::F32(storage) => standard!(storage),
            NdArrayTensor::F64(storage) => standard!(storage),
            _ => None,
        };
        copy.unwrap_or(tensor)
    }

    fn numbers<F: Number>(tensor: &FloatTensor<Self>) -> &[F] {
        use burn::backend::ndarray::NdArrayTensor;
        const CONTIGUOUS: &str = "a contiguous tensor";
        match tensor {
            NdArrayTensor::F32(storage) => {
                pulp::bytemuck::cast_slice(storage.view().to_slice().expect(CONTIGUOUS))
            }
            NdArrayTensor::F64(storage) => {
                pulp::bytemuck::cast_slice(storage.view().to_slice().expect(CONTIGUOUS))
            }
            _ => unreachable!("a scan's tensors are f32 or f64"),
        }
    }
}
