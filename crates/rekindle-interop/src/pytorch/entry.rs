//! One tensor of a state dict, as the bytes of a file.

use burn::tensor::{DType, TensorData, bf16, f16};
use safetensors::Dtype;

/// A tensor of any type: little-endian, contiguous, the last axis fastest.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) dtype: Dtype,
    pub(super) shape: Vec<usize>,
    pub(super) bytes: Vec<u8>,
}

impl Entry {
    /// The numbers of a float tensor; `None` if they are no floats.
    pub(super) fn from_data(data: &TensorData) -> Option<Self> {
        let dtype = match data.dtype() {
            DType::F64 => Dtype::F64,
            DType::F32 | DType::Flex32 => Dtype::F32,
            DType::F16 => Dtype::F16,
            DType::BF16 => Dtype::BF16,
            _ => return None,
        };
        Some(Self {
            dtype,
            shape: data.shape().as_slice().to_vec(),
            bytes: data.as_bytes().to_vec(),
        })
    }

    /// Its numbers in `f64` or `f32`, which also holds those of the 16-bit floats exactly; `None` if they are no floats.
    pub(super) fn floats(&self) -> Option<TensorData> {
        let shape = self.shape.clone();
        let bytes = &self.bytes;
        Some(match self.dtype {
            Dtype::F64 => TensorData::new(numbers(bytes, f64::from_le_bytes), shape),
            Dtype::F32 => TensorData::new(numbers(bytes, f32::from_le_bytes), shape),
            Dtype::F16 => {
                let widened = |bytes| f32::from(f16::from_le_bytes(bytes));
                TensorData::new(numbers(bytes, widened), shape)
            }
            Dtype::BF16 => {
                let widened = |bytes| f32::from(bf16::from_le_bytes(bytes));
                TensorData::new(numbers(bytes, widened), shape)
            }
            _ => return None,
        })
    }

    /// The transpose of a matrix, `[out, in]` from `[in, out]` and back; any other tensor as it is.
    pub(super) fn transposed(&self) -> Self {
        let [rows, columns] = self.shape[..] else {
            return self.clone();
        };
        let size = self.dtype.bitsize() / 8;
        let mut bytes = Vec::with_capacity(self.bytes.len());
        for column in 0..columns {
            for row in 0..rows {
                let start = (row * columns + column) * size;
                bytes.extend_from_slice(&self.bytes[start..start + size]);
            }
        }
        Self {
            dtype: self.dtype,
            shape: vec![columns, rows],
            bytes,
        }
    }
}

/// Numbers of `N` bytes each.
fn numbers<T, const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> T) -> Vec<T> {
    let (chunks, _) = bytes.as_chunks::<N>();
    chunks.iter().map(|chunk| number(*chunk)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transposing_keeps_every_bit() {
        let values = vec![1.0_f32, -0.0, f32::NAN, 4.0, 5.0, f32::MIN_POSITIVE / 2.0];
        let entry = Entry::from_data(&TensorData::new(values, [2, 3])).expect("floats");
        let transposed = entry.transposed();
        assert_eq!(transposed.shape, [3, 2]);
        let numbers: Vec<u32> = transposed
            .floats()
            .expect("floats")
            .iter::<f32>()
            .map(f32::to_bits)
            .collect();
        let expected = [1.0, 4.0, -0.0, 5.0, f32::NAN, f32::MIN_POSITIVE / 2.0];
        assert_eq!(numbers, expected.map(f32::to_bits));
        assert_eq!(transposed.transposed(), entry);
    }

    #[test]
    fn half_floats_are_widened() {
        let halves = vec![f16::from_f32(0.1), f16::MAX];
        let entry = Entry::from_data(&TensorData::new(halves.clone(), [2])).expect("floats");
        let expected: Vec<f32> = halves.into_iter().map(f32::from).collect();
        assert_eq!(entry.floats(), Some(TensorData::new(expected, [2])));

        let brains = vec![bf16::from_f32(0.1), bf16::MIN_POSITIVE];
        let entry = Entry::from_data(&TensorData::new(brains.clone(), [2])).expect("floats");
        let expected: Vec<f32> = brains.into_iter().map(f32::from).collect();
        assert_eq!(entry.floats(), Some(TensorData::new(expected, [2])));
    }

    #[test]
    fn integers_are_no_floats() {
        assert_eq!(Entry::from_data(&TensorData::new(vec![1_i32], [1])), None);
    }
}
