//! Random numbers from the device's generator, as 64-bit floats on the host.

use burn::tensor::{DType, Device, Distribution, Tensor};

/// `count` numbers, uniform on the open interval (0, 1), with a resolution of about 2⁻²⁴.
///
/// The ends are moved inwards by 2⁻²⁵, because backends differ in whether they draw them.
pub(crate) fn uniform(count: usize, device: &Device) -> Vec<f64> {
    const MARGIN: f64 = 1.0 / (1_u32 << 25) as f64;
    let mut values = draw(count, Distribution::Uniform(0.0, 1.0), device);
    for value in &mut values {
        *value = value.clamp(MARGIN, 1.0 - MARGIN);
    }
    values
}

/// `count` numbers from the standard normal distribution.
pub(crate) fn normal(count: usize, device: &Device) -> Vec<f64> {
    draw(count, Distribution::Normal(0.0, 1.0), device)
}

/// Draws in 32-bit floats, which every backend has, whatever the device's default type.
fn draw(count: usize, distribution: Distribution, device: &Device) -> Vec<f64> {
    Tensor::<1>::random([count], distribution, (device, DType::F32))
        .try_into_vec_as::<f64>()
        .unwrap_or_else(|error| panic!("cannot read random numbers from the device: {error}"))
}
