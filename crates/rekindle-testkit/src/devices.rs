//! The devices that tests run on.

use burn::tensor::{DType, Device, Tensor, TensorData};

use crate::Choices;

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
    let mut choices = Choices::new(seed);
    let values: Vec<f64> = (0..shape.iter().product::<usize>())
        .map(|_| 2.0 * choices.fraction() - 1.0)
        .collect();
    Tensor::from_data(TensorData::new(values, shape), (device, dtype))
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
