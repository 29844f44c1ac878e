//! Masks and scores as bytes: a name, a checksum, and a record in Burn's format.

use std::collections::BTreeMap;

use burn::store::RecordError;
use burn::tensor::{Bytes, DType, TensorData};
use burn_pack::{Reader, Writer};

use super::{Mask, Masks, PruneError};
use crate::units::fnv;

/// What the bytes begin with; the digit is the version.
const NAME: &[u8] = b"rkprune1";
/// Length of the name and the checksum.
const HEAD: usize = NAME.len() + 8;

const MASK: &str = "mask ";
const SCORES: &str = "scores ";

/// Writes masks, eight weights to a byte, lowest bit first, and scores.
pub(super) fn pack(
    masks: &Masks,
    scores: &BTreeMap<String, TensorData>,
) -> Result<Vec<u8>, PruneError> {
    let mut tensors = Vec::new();
    let mut shapes = Vec::new();
    for (path, mask) in masks.iter() {
        let bits = mask.keep().chunks(8).map(|keep| {
            let bit = |(at, &keep): (usize, &bool)| u8::from(keep) << at;
            keep.iter().enumerate().map(bit).sum()
        });
        let bits: Vec<u8> = bits.collect();
        let lengths: Vec<String> = mask.shape().iter().map(usize::to_string).collect();
        shapes.push((path, lengths.join(",")));
        let (length, bits) = (bits.len(), Bytes::from_bytes_vec(bits));
        let name = format!("{MASK}{path}");
        tensors.push(burn_pack::Tensor::new(
            name,
            DType::U8,
            [length],
            None,
            bits,
        ));
    }
    for (path, scores) in scores {
        let (bytes, shape, dtype) = scores.clone().into_parts();
        let name = format!("{SCORES}{path}");
        tensors.push(burn_pack::Tensor::new(name, dtype, shape, None, bytes));
    }
    let mut writer = Writer::new(tensors);
    for (path, shape) in shapes {
        writer = writer.with_metadata(path, &shape);
    }
    let record = writer.into_bytes().map_err(RecordError::from)?;
    let checksum = fnv(&record).to_le_bytes();
    Ok([NAME, &checksum, &record].concat())
}

/// Reads what [`pack`] wrote.
pub(super) fn unpack(bytes: &[u8]) -> Result<(Masks, BTreeMap<String, TensorData>), PruneError> {
    if bytes.len() < HEAD || !bytes.starts_with(NAME) {
        return Err(PruneError::NotMasks {
            found: bytes[..bytes.len().min(NAME.len())].to_vec(),
            expected: NAME,
        });
    }
    let (head, record) = bytes.split_at(HEAD);
    let byte = |sum: u64, &byte: &u8| sum << 8 | u64::from(byte);
    let expected = head[NAME.len()..].iter().rev().fold(0, byte);
    let found = fnv(record);
    if found != expected {
        return Err(PruneError::Checksum { found, expected });
    }

    let record = Bytes::from_bytes_vec(record.to_vec());
    let reader = Reader::from_bytes(record).map_err(RecordError::from)?;
    let shapes = reader.metadata().clone();
    let (mut masks, mut scores) = (Masks::default(), BTreeMap::new());
    for tensor in reader.into_tensors().map_err(RecordError::from)? {
        let (name, dtype, shape, _, bytes) = tensor.into_parts().map_err(RecordError::from)?;
        if let Some(path) = name.strip_prefix(MASK) {
            let lengths = shapes.get(path).map_or("", String::as_str);
            masks.insert(path, unpack_mask(path, lengths, &bytes)?);
        } else if let Some(path) = name.strip_prefix(SCORES) {
            let data = TensorData::from_bytes(bytes, shape, dtype);
            scores.insert(path.to_string(), data);
        }
    }
    Ok((masks, scores))
}

/// A mask from the lengths of its axes and its bits.
fn unpack_mask(path: &str, lengths: &str, bits: &[u8]) -> Result<Mask, PruneError> {
    let shape: Vec<usize> = lengths.split(',').flat_map(str::parse).collect();
    let count: usize = shape.iter().product();
    let expected = count.div_ceil(8);
    if bits.len() != expected {
        return Err(PruneError::Bits {
            path: path.to_string(),
            expected,
            found: bits.len(),
        });
    }
    let keep = (0..count).map(|at| bits[at / 8] >> (at % 8) & 1 == 1);
    Ok(Mask::new(shape, keep.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masks() -> Masks {
        let mut masks = Masks::default();
        let keep = (0..15).map(|at| at % 4 == 1).collect();
        masks.insert("a.weight", Mask::new(vec![3, 5], keep));
        masks.insert("b", Mask::new(vec![8], vec![true; 8]));
        masks.insert("c", Mask::new(vec![], vec![false]));
        masks
    }

    #[test]
    fn masks_and_scores_come_back() {
        let data = TensorData::from([1.5f32, f32::MIN_POSITIVE, -0.1]);
        let scores = BTreeMap::from([("a.weight".to_string(), data)]);
        let bytes = pack(&masks(), &scores).unwrap();
        let (found, found_scores) = unpack(&bytes).unwrap();
        assert_eq!(found, masks());
        assert_eq!(found_scores, scores);
        assert_eq!(Masks::from_bytes(&bytes).unwrap(), masks());
        let none = Masks::default();
        assert_eq!(Masks::from_bytes(&none.to_bytes().unwrap()).unwrap(), none);
    }

    #[test]
    fn damage_is_found_wherever_it_is() {
        let bytes = masks().to_bytes().unwrap();
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            let error = Masks::from_bytes(&damaged).unwrap_err();
            match at < NAME.len() {
                true => assert!(
                    matches!(error, PruneError::NotMasks { .. }),
                    "{at}: {error}"
                ),
                false => assert!(
                    matches!(error, PruneError::Checksum { .. }),
                    "{at}: {error}"
                ),
            }
        }
        for length in 0..bytes.len() {
            assert!(Masks::from_bytes(&bytes[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn bits_must_match_the_shape() {
        let error = unpack_mask("a", "3,5", &[0]).unwrap_err();
        assert_eq!(error.to_string(), "the mask of `a` has 1 bytes, expected 2");
    }
}
