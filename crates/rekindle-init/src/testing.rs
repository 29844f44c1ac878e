//! Devices, seeds and statistics for the tests.

use std::sync::{Mutex, PoisonError};

use burn::tensor::{Device, Tensor};

use crate::{Fan, Initializer, Nonlinearity};

/// The CPU devices that are compiled in.
#[allow(
    deprecated,
    reason = "Burn points to flex, but ndarray is supported here"
)]
fn devices() -> Vec<Device> {
    vec![
        #[cfg(feature = "flex")]
        Device::flex(),
        #[cfg(feature = "ndarray")]
        Device::ndarray(),
    ]
}

/// Runs a test on every device. A device's seed is shared by all threads, so only one such test
/// runs at a time.
pub fn on_devices(test: impl Fn(&Device)) {
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let devices = devices();
    assert!(!devices.is_empty(), "no backend is compiled in");
    for device in &devices {
        device.seed(20_260);
        test(device);
    }
}

/// The elements, row by row.
pub fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_into_vec::<f32>().unwrap()
}

/// Checks mean and variance, each within five standard errors of its estimate. The kurtosis is
/// that of the distribution: 3 if normal, 9/5 if uniform.
#[track_caller]
pub fn assert_moments(values: &[f64], mean: f64, variance: f64, kurtosis: f64) {
    let n = values.len() as f64;
    let found_mean = values.iter().sum::<f64>() / n;
    let found_variance = values.iter().map(|v| (v - found_mean).powi(2)).sum::<f64>() / n;
    let mean_error = (variance / n).sqrt();
    let variance_error = variance * ((kurtosis - 1.0) / n).sqrt();
    assert!(
        (found_mean - mean).abs() < 5.0 * mean_error,
        "mean {found_mean}, expected {mean} ± {mean_error}"
    );
    assert!(
        (found_variance - variance).abs() < 5.0 * variance_error,
        "variance {found_variance}, expected {variance} ± {variance_error}"
    );
}

/// Kolmogorov and Smirnov's test: the largest gap between the empirical and the expected
/// distribution function stays below `2.2 / √n`, which a right sample exceeds once in 8000 tries.
#[track_caller]
pub fn assert_distribution(values: &[f64], cdf: impl Fn(f64) -> f64) {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len() as f64;
    let gap = (sorted.iter().enumerate())
        .map(|(index, &value)| {
            let expected = cdf(value);
            let (below, above) = (index as f64 / n, (index + 1) as f64 / n);
            (expected - below).abs().max((above - expected).abs())
        })
        .fold(0.0, f64::max);
    let limit = 2.2 / n.sqrt();
    assert!(gap < limit, "distributions differ by {gap}, limit {limit}");
}

/// The distribution function of `U(low, high)`.
pub fn uniform_cdf(low: f64, high: f64) -> impl Fn(f64) -> f64 {
    move |x| ((x - low) / (high - low)).clamp(0.0, 1.0)
}

/// The integral of the standard normal density over `from..to`, by Simpson's rule.
pub fn normal_mass(from: f64, to: f64) -> f64 {
    const STEPS: usize = 200;
    let density = |x: f64| (-x * x / 2.0).exp() / std::f64::consts::TAU.sqrt();
    let width = (to - from) / STEPS as f64;
    let inner: f64 = (1..STEPS)
        .map(|k| density(from + k as f64 * width) * if k % 2 == 1 { 4.0 } else { 2.0 })
        .sum();
    (density(from) + inner + density(to)) * width / 3.0
}

/// The distribution function of `N(mean, std²)`.
pub fn normal_cdf(mean: f64, std: f64) -> impl Fn(f64) -> f64 {
    move |x| 0.5 + normal_mass(0.0, (x - mean) / std)
}

/// One initializer of each kind that draws random numbers.
pub fn random_kinds() -> Vec<Initializer> {
    let nonlinearity = Nonlinearity::LeakyRelu { slope: 0.2 };
    vec![
        Initializer::Uniform {
            low: -2.0,
            high: 0.5,
        },
        Initializer::Normal {
            mean: 0.25,
            std: 2.0,
        },
        Initializer::TruncatedNormal {
            mean: 0.0,
            std: 0.1,
            low: -0.2,
            high: 0.2,
        },
        Initializer::XavierUniform { gain: 2.0 },
        Initializer::XavierNormal { gain: 0.5 },
        Initializer::HeUniform {
            nonlinearity,
            fan: Fan::Out,
        },
        Initializer::HeNormal {
            nonlinearity: Nonlinearity::Tanh,
            fan: Fan::In,
        },
        Initializer::LecunUniform,
        Initializer::LecunNormal,
        Initializer::FanUniform { fan: Fan::Out },
        Initializer::Orthogonal { gain: -1.5 },
        Initializer::Sparse {
            sparsity: 0.5,
            std: 0.1,
        },
    ]
}

/// One initializer of each kind that draws nothing.
pub fn fixed_kinds() -> Vec<Initializer> {
    vec![
        Initializer::Zeros,
        Initializer::Constant { value: -3.5 },
        Initializer::Identity { gain: 2.0 },
    ]
}
