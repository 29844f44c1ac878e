//! Global-norm clipping against hand-computed values and the formula in f64.

use burn::module::{Module, Param};
use burn::nn::{Linear, LinearConfig};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Distribution, Tensor};
use rekindle_optim::{GradientError, clip_grad_norm, grad_norm};

#[derive(Module, Debug)]
struct Pair {
    first: Linear,
    second: Linear,
}

impl Pair {
    /// `first` maps 3 to 4 and has a bias, `second` maps 4 to 2 and has none.
    fn new(device: &Device) -> Self {
        Self {
            first: LinearConfig::new(3, 4).init(device),
            second: LinearConfig::new(4, 2).with_bias(false).init(device),
        }
    }

    fn bias(&self) -> &Param<Tensor<1>> {
        self.first.bias.as_ref().unwrap()
    }

    /// Random gradients of standard deviation `std` for every parameter.
    fn random_grads(&self, std: f64, device: &Device) -> GradientsParams {
        let normal = Distribution::Normal(0.0, std);
        let mut grads = GradientsParams::new();
        grads.register(
            self.first.weight.id,
            Tensor::<2>::random([3, 4], normal, device),
        );
        grads.register(self.bias().id, Tensor::<1>::random([4], normal, device));
        grads.register(
            self.second.weight.id,
            Tensor::<2>::random([4, 2], normal, device),
        );
        grads
    }

    /// Every gradient value of `grads`, in the module's order.
    fn values(&self, grads: &GradientsParams) -> Vec<f64> {
        let matrix = |layer: &Linear| grads.get::<2>(layer.weight.id).unwrap().into_data();
        let bias = grads.get::<1>(self.bias().id).unwrap().into_data();
        [matrix(&self.first), bias, matrix(&self.second)]
            .iter()
            .flat_map(|data| data.iter::<f64>())
            .collect()
    }
}

fn norm_of(values: &[f64]) -> f64 {
    values.iter().map(|value| value * value).sum::<f64>().sqrt()
}

fn assert_close(found: f64, expected: f64, relative: f64) {
    let error = (found - expected).abs();
    assert!(
        error <= relative * expected.abs(),
        "found {found}, expected {expected}"
    );
}

/// Ones for the bias and twos for `second`, nothing for `first.weight`: squares 4 · 1² + 8 · 2² = 36.
fn hand_grads(pair: &Pair, device: &Device) -> GradientsParams {
    let mut grads = GradientsParams::new();
    grads.register(pair.bias().id, Tensor::<1>::ones([4], device));
    grads.register(
        pair.second.weight.id,
        Tensor::<2>::ones([4, 2], device) * 2.0,
    );
    grads
}

#[test]
fn two_parameters_by_hand() {
    let device = Device::default();
    let pair = Pair::new(&device);
    let grads = hand_grads(&pair, &device);
    assert_eq!(grad_norm(&pair, &grads), 6.0);

    let (grads, norm) = clip_grad_norm(&pair, grads, 1.5).unwrap();
    assert_eq!(norm, 6.0);
    assert_eq!(
        grads.len(),
        2,
        "the parameter without a gradient stays without"
    );
    let bias = grads.get::<1>(pair.bias().id).unwrap().into_data();
    let weight = grads.get::<2>(pair.second.weight.id).unwrap().into_data();
    let coefficient = 1.5 / (6.0 + 1e-6);
    bias.iter::<f64>()
        .for_each(|value| assert_close(value, coefficient, 1e-6));
    weight
        .iter::<f64>()
        .for_each(|value| assert_close(value, 2.0 * coefficient, 1e-6));
}

#[test]
fn random_gradients_follow_the_formula() {
    let device = Device::default();
    device.seed(7);
    let pair = Pair::new(&device);
    for std in [1e-3, 0.1, 1.0, 30.0] {
        for max_norm in [1e-4, 0.5, 5.0, f64::INFINITY] {
            let grads = pair.random_grads(std, &device);
            let before = pair.values(&grads);
            let expected = norm_of(&before);
            let (grads, norm) = clip_grad_norm(&pair, grads, max_norm).unwrap();
            assert_close(norm, expected, 1e-6);

            let after = pair.values(&grads);
            let coefficient = max_norm / (expected + 1e-6);
            if coefficient < 1.0 {
                assert!(norm_of(&after) <= max_norm * (1.0 + 1e-6));
                for (found, value) in after.iter().zip(&before) {
                    assert_close(*found, value * coefficient, 1e-6);
                }
            } else {
                assert_eq!(after, before, "unchanged bit for bit");
            }
        }
    }
}

#[test]
fn gradients_of_a_backward_pass() {
    let device = Device::default().autodiff();
    device.seed(3);
    let pair = Pair::new(&device);
    let input = Tensor::<2>::random([5, 3], Distribution::Default, &device);
    let loss = pair
        .second
        .forward(pair.first.forward(input))
        .square()
        .sum();
    let grads = GradientsParams::from_grads(loss.backward(), &pair);
    let expected = norm_of(&pair.values(&grads));
    let (grads, norm) = clip_grad_norm(&pair, grads, 0.01).unwrap();
    assert_close(norm, expected, 1e-6);
    assert_close(grad_norm(&pair, &grads), 0.01, 1e-3);
}

#[test]
fn the_norm_holds_over_the_range_of_f32() {
    let device = Device::default();
    device.seed(11);
    let pair = Pair::new(&device);
    for std in [1e-36, 1e-30, 1e-20, 1e-12, 1e19, 1e25, 5e37] {
        let grads = pair.random_grads(std, &device);
        let expected = norm_of(&pair.values(&grads));
        assert_close(grad_norm(&pair, &grads), expected, 1e-6);
    }
    let grads = pair.random_grads(0.0, &device);
    assert_eq!(grad_norm(&pair, &grads), 0.0);
    assert_eq!(grad_norm(&pair, &GradientsParams::new()), 0.0);
}

/// In 16 bits the squares would overflow, the sum lose the small values and the coefficient its digits.
/// Only on `flex`: the `ndarray` backend has no 16-bit floats.
#[cfg(feature = "flex")]
#[test]
fn half_precision_gradients_keep_their_precision() {
    use burn::tensor::FloatDType;

    let device = Device::flex();
    let pair = Pair::new(&device);
    let values = [3000.0_f64, 45.0, 45.0, 45.0];
    let expected = norm_of(&values);
    let mut grads = GradientsParams::new();
    let grad = Tensor::<1>::from_floats(values, &device).cast(FloatDType::F16);
    grads.register(pair.bias().id, grad);

    let (grads, norm) = clip_grad_norm(&pair, grads, 0.01).unwrap();
    assert_close(norm, expected, 1e-6);
    let bias = grads.get::<1>(pair.bias().id).unwrap();
    assert_eq!(bias.dtype(), FloatDType::F16.into());
    for (found, value) in bias.into_data().iter::<f64>().zip(values) {
        assert_close(found, value * 0.01 / expected, 1e-3);
    }
}

#[test]
fn a_gradient_that_is_not_finite_is_named() {
    let device = Device::default();
    let pair = Pair::new(&device);
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut grads = hand_grads(&pair, &device);
        let values = [[1.0, 2.0], [bad, 3.0], [4.0, bad], [5.0, 6.0]];
        grads.register(
            pair.second.weight.id,
            Tensor::<2>::from_floats(values, &device),
        );
        assert!(grad_norm(&pair, &grads).is_nan());
        let error = clip_grad_norm(&pair, grads, 1.0).unwrap_err();
        let parameter = "second.weight".to_string();
        assert_eq!(
            error,
            GradientError::NotFinite {
                parameter,
                found: 2,
                elements: 8
            }
        );
        assert!(
            error
                .to_string()
                .starts_with("gradient of `second.weight` has 2 of 8 values")
        );
    }

    let mut grads = hand_grads(&pair, &device);
    grads.register(pair.bias().id, Tensor::<1>::full([4], f32::NAN, &device));
    grads.register(
        pair.second.weight.id,
        Tensor::<2>::full([4, 2], f32::NAN, &device),
    );
    let GradientError::NotFinite { parameter, .. } = clip_grad_norm(&pair, grads, 1.0).unwrap_err()
    else {
        panic!("another error");
    };
    assert_eq!(parameter, "first.bias", "the first in the module's order");
}

#[test]
fn a_shared_parameter_counts_and_scales_once() {
    let device = Device::default();
    let layer = LinearConfig::new(2, 2).with_bias(false).init(&device);
    let tied = Pair {
        first: layer.clone(),
        second: layer,
    };
    let id = tied.first.weight.id;
    let mut grads = GradientsParams::new();
    grads.register(id, Tensor::<2>::ones([2, 2], &device) * 3.0);
    let (grads, norm) = clip_grad_norm(&tied, grads, 2.0).unwrap();
    assert_eq!(norm, 6.0);
    grads
        .get::<2>(id)
        .unwrap()
        .into_data()
        .iter::<f64>()
        .for_each(|value| assert_close(value, 1.0, 1e-6));
}

#[test]
fn gradients_of_other_modules_stay() {
    let device = Device::default();
    let pair = Pair::new(&device);
    let (grads, norm) = clip_grad_norm(&pair.first, hand_grads(&pair, &device), 1.0).unwrap();
    assert_eq!(norm, 2.0);
    let other = grads.get::<2>(pair.second.weight.id).unwrap().into_data();
    other.iter::<f64>().for_each(|value| assert_eq!(value, 2.0));
}

#[test]
#[should_panic(expected = "max_norm is 0")]
fn a_norm_of_zero_is_refused() {
    let pair = Pair::new(&Device::default());
    let _ = clip_grad_norm(&pair, GradientsParams::new(), 0.0);
}
