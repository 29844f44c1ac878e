//! The devices that tests run on.

use burn::tensor::{DType, Device, Tensor, TensorData};

/// A `Vec<Device>` with a device of every CPU backend that the calling crate is compiled with: `flex`, `ndarray`.
///
/// A macro, because the features that count are those of the crate under test.
///
/// # Panics
/// If there is none: a test that runs on no device proves nothing.
#[macro_export]
macro_rules! devices {
    () => {{
        let devices: ::std::vec::Vec<::burn::tensor::Device> = ::std::vec![
            #[cfg(feature = "flex")]
            ::burn::tensor::Device::flex(),
            #[cfg(feature = "ndarray")]
            #[allow(
                deprecated,
                reason = "Burn points to flex, but ndarray is supported here"
            )]
            ::burn::tensor::Device::ndarray(),
        ];
        assert!(
            !devices.is_empty(),
            "no CPU backend: enable feature `flex` or `ndarray`"
        );
        devices
    }};
}

/// Uniform random numbers in `[-1, 1)` of a given type, from a generator of its own.
///
/// The numbers depend on `seed` and the shape alone, not on the device or on what was drawn before, so that tests that
/// run side by side do not disturb each other.
pub fn random<const D: usize>(
    shape: [usize; D],
    seed: u64,
    (device, dtype): (&Device, DType),
) -> Tensor<D> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(1);
    let values: Vec<f64> = (0..shape.iter().product::<usize>())
        .map(|_| 2.0 * split_mix(&mut state) - 1.0)
        .collect();
    Tensor::from_data(TensorData::new(values, shape), (device, dtype))
}

/// The next number in `[0, 1)` of Steele, Lea and Flood's SplitMix64, <https://doi.org/10.1145/2714064.2660195>.
fn split_mix(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^= z >> 31;
    (z >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_numbers_fill_their_range() {
        let device = Device::default();
        let numbers = random([4000], 1, (&device, DType::F64));
        let mean = numbers.clone().mean().into_scalar::<f64>();
        let variance = numbers.clone().square().mean().into_scalar::<f64>();
        assert!(mean.abs() < 0.03, "mean {mean}");
        assert!((variance - 1.0 / 3.0).abs() < 0.02, "variance {variance}");
        assert!(numbers.abs().max().into_scalar::<f64>() <= 1.0);
    }
}
