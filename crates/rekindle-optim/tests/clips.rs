//! Every kind of clipping, against PyTorch (`reference/optimizers.json`) and against loops over numbers.

mod common;

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, Distribution, FloatDType, Tensor};
use common::{Reference, Regression, assert_close, device, matrix, values, vector};
use rekindle_optim::{Clip, GradientError, Limit, grad_norm, grad_p_norm};

const MAX: Limit = Limit::Constant(0.3);

fn kinds() -> Vec<Clip> {
    let adaptive = |max| Clip::Adaptive {
        max: Limit::Constant(max),
        epsilon: 1e-3,
        except: Vec::new(),
    };
    let mut kinds = vec![Clip::None, Clip::Value { max: MAX }, adaptive(0.05)];
    for p in [1.0, 2.0, 3.5, f64::INFINITY] {
        kinds.push(Clip::Norm { max: MAX, p });
        kinds.push(Clip::PerTensor { max: MAX, p });
    }
    kinds
}

#[test]
fn clipping_equals_pytorch() {
    let reference = Reference::load();
    assert_eq!(reference.clips.len(), 7);
    for case in &reference.clips {
        let clip = case.clip();
        let network = Regression::new(&reference);
        let grads = network.gradients(&reference, 0);
        let (grads, norm) = clip.apply(&network, grads, 0).unwrap();
        if let Some(expected) = case.norm {
            assert_close(&[norm], &[expected], 1e-14, &format!("norm of {clip:?}"));
        }
        let found = network.values_of(&grads);
        assert_close(&found, &case.gradients, 1e-14, &format!("{clip:?}"));
    }
}

/// A network with a matrix, a vector and a tensor of three axes, and large gradients of all.
fn network() -> (Regression, GradientsParams) {
    let device = device();
    device.seed(5);
    let network = Regression {
        weight: matrix(&[vec![1.0, -2.0], vec![0.5, 0.0], vec![2.0, 1e-5]]),
        bias: vector(&[0.3, 0.4]),
        maps: Some(common::param(Tensor::<3>::random(
            [2, 2, 3],
            Distribution::Normal(0.0, 1.0),
            (&device, DType::F64),
        ))),
    };
    let mut grads = GradientsParams::new();
    let random = || Distribution::Normal(0.0, 2.0);
    let options = (&device, DType::F64);
    grads.register(
        network.weight.id,
        Tensor::<2>::random([3, 2], random(), options),
    );
    grads.register(network.bias.id, Tensor::<1>::random([2], random(), options));
    let id = network.maps.as_ref().unwrap().id;
    grads.register(id, Tensor::<3>::random([2, 2, 3], random(), options));
    (network, grads)
}

fn norm_of(values: impl IntoIterator<Item = f64>, p: f64) -> f64 {
    let values = values.into_iter().map(f64::abs);
    match p {
        f64::INFINITY => values.fold(0.0, f64::max),
        _ => values.map(|value| value.powf(p)).sum::<f64>().powf(1.0 / p),
    }
}

#[test]
fn per_tensor_scales_each_by_its_own_norm() {
    for p in [1.0, 2.0, 3.0, f64::INFINITY] {
        for max in [0.5, 1e3, f64::INFINITY] {
            let (network, grads) = network();
            let before = network.tensors_of(&grads);
            let max_limit = Limit::Constant(max);
            let clip = Clip::PerTensor { max: max_limit, p };
            let (grads, norm) = clip.apply(&network, grads, 0).unwrap();
            let whole = norm_of(before.concat(), p);
            assert_close(&[norm], &[whole], 1e-14, "the norm of all");
            for (found, before) in network.tensors_of(&grads).iter().zip(before) {
                let factor = (max / (norm_of(before.clone(), p) + 1e-6)).min(1.0);
                let expected: Vec<f64> = before.iter().map(|value| value * factor).collect();
                assert_close(found, &expected, 1e-14, &format!("p {p}, max {max}"));
            }
        }
    }
}

#[test]
fn adaptive_clipping_is_that_of_the_paper_unit_by_unit() {
    let (network, grads) = network();
    let (weights, before) = (network.tensors(), network.tensors_of(&grads));
    let (lambda, epsilon) = (0.1, 1e-3);
    let clip = Clip::Adaptive {
        max: Limit::Constant(lambda),
        epsilon,
        except: Vec::new(),
    };
    let (grads, norm) = clip.apply(&network, grads, 0).unwrap();
    assert_close(
        &[norm],
        &[norm_of(before.concat(), 2.0)],
        1e-14,
        "the norm of all",
    );

    // A column of the matrix, the whole vector, all that feeds one channel of the maps.
    let units = [
        vec![vec![0, 2, 4], vec![1, 3, 5]],
        vec![vec![0, 1]],
        vec![(0..6).collect(), (6..12).collect()],
    ];
    let found = network.tensors_of(&grads);
    for (tensor, units) in units.iter().enumerate() {
        for unit in units {
            let of = |values: &[f64]| norm_of(unit.iter().map(|&at| values[at]), 2.0);
            let bound = lambda * of(&weights[tensor]).max(epsilon);
            let factor = match of(&before[tensor]) {
                norm if norm > bound => bound / norm,
                _ => 1.0,
            };
            for &at in unit {
                let expected = [before[tensor][at] * factor];
                assert_close(&[found[tensor][at]], &expected, 1e-14, "a unit's gradient");
            }
        }
    }
}

#[test]
fn adaptive_clipping_leaves_out_what_it_is_told() {
    let (network, grads) = network();
    let before = network.tensors_of(&grads);
    let clip = Clip::Adaptive {
        max: Limit::Constant(0.01),
        epsilon: 1e-3,
        except: vec!["weight".into(), "bi".into()],
    };
    let (grads, _) = clip.apply(&network, grads, 0).unwrap();
    let after = network.tensors_of(&grads);
    assert_eq!(after[0], before[0], "its name is in the list");
    assert_ne!(after[1], before[1], "only a whole name counts");
}

#[test]
fn a_bound_moves_in_a_straight_line() {
    let ramp = Limit::Ramp {
        from: 1.0,
        to: 0.5,
        steps: 4,
    };
    let found: Vec<f64> = [0, 1, 2, 4, 5, 1000].map(|step| ramp.at(step)).to_vec();
    assert_eq!(found, [1.0, 0.875, 0.75, 0.5, 0.5, 0.5]);
    for (step, expected) in [(0, 1.0), (2, 0.75), (9, 0.5)] {
        let (network, grads) = network();
        let clip = Clip::Norm { max: ramp, p: 2.0 };
        let (grads, _) = clip.apply(&network, grads, step).unwrap();
        assert_close(
            &[grad_norm(&network, &grads)],
            &[expected],
            1e-5,
            "the norm",
        );
    }
}

#[test]
fn gradients_within_every_bound_come_back_bit_for_bit() {
    for clip in kinds() {
        let (network, grads) = network();
        let grads = network.map_of(&grads, |values| {
            values.iter().map(|value| value * 1e-6).collect()
        });
        let before = network.values_of(&grads);
        let (grads, _) = clip.apply(&network, grads, 0).unwrap();
        assert_eq!(network.values_of(&grads), before, "{clip:?}");
    }
}

#[test]
fn every_kind_names_a_gradient_that_is_not_finite() {
    for clip in kinds() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let (network, mut grads) = network();
            let options = (&device(), DType::F64);
            let grad = Tensor::<1>::from_data([1.0, bad], options);
            grads.register(network.bias.id, grad);
            let error = clip.apply(&network, grads, 0).unwrap_err();
            let parameter = "bias".to_string();
            let (found, elements) = (1, 2);
            let expected = GradientError::NotFinite {
                parameter,
                found,
                elements,
            };
            assert_eq!(error, expected, "{clip:?}");
        }
    }
}

#[test]
fn norms_of_every_order_hold_over_the_range_of_f32() {
    let device = Device::default();
    device.seed(11);
    let layer: Linear = LinearConfig::new(7, 5).with_bias(false).init(&device);
    for std in [1e-30, 1e-12, 1e-3, 1.0, 1e12, 1e30] {
        for p in [0.5, 1.0, 1.5, 2.0, 3.0, 8.0, 100.0, f64::INFINITY] {
            let grad = Tensor::<2>::random([7, 5], Distribution::Normal(0.0, std), &device);
            let expected = std * norm_of(values(grad.clone()).iter().map(|value| value / std), p);
            let mut grads = GradientsParams::new();
            grads.register(layer.weight.id, grad);
            let found = grad_p_norm(&layer, &grads, p);
            assert_close(
                &[found],
                &[expected],
                1e-5,
                &format!("order {p}, std {std}"),
            );
        }
    }
    let mut grads = GradientsParams::new();
    grads.register(layer.weight.id, Tensor::<2>::zeros([7, 5], &device));
    for clip in kinds() {
        let mut same = GradientsParams::new();
        same.register(layer.weight.id, Tensor::<2>::zeros([7, 5], &device));
        let (same, norm) = clip.apply(&layer, same, 0).unwrap();
        assert_eq!(norm, 0.0, "{clip:?}");
        let zeros = values(same.get::<2>(layer.weight.id).unwrap());
        assert!(zeros.iter().all(|value| *value == 0.0), "{clip:?}");
    }
}

/// Only on `flex`: the `ndarray` backend has no 16-bit floats.
#[cfg(feature = "flex")]
#[test]
fn gradients_of_16_bits_keep_their_type() {
    let device = Device::flex();
    let layer = LinearConfig::new(2, 2)
        .with_bias(false)
        .init(&device)
        .valid();
    for clip in kinds() {
        let grad = Tensor::<2>::full([2, 2], 3000.0, &device).cast(FloatDType::F16);
        let mut grads = GradientsParams::new();
        grads.register(layer.weight.id, grad);
        let (grads, norm) = clip.apply(&layer, grads, 0).unwrap();
        assert!(norm >= 3000.0, "{clip:?}: {norm}");
        let grad = grads.get::<2>(layer.weight.id).unwrap();
        assert_eq!(grad.dtype(), FloatDType::F16.into(), "{clip:?}");
        assert!(
            values(grad).iter().all(|value| value.is_finite()),
            "{clip:?}"
        );
    }
}

#[test]
fn clips_read_as_documented() {
    #[derive(serde::Deserialize)]
    struct Section {
        clip: Clip,
    }
    let read =
        |text: &str| toml::from_str::<Section>(&format!("clip = {text}")).map(|read| read.clip);
    let ramp = Limit::Ramp {
        from: 0.25,
        to: 1.0,
        steps: 500,
    };
    for (text, expected) in [
        ("{ kind = 'none' }", Clip::None),
        ("{ kind = 'norm', max = 1 }", Clip::default()),
        (
            "{ kind = 'norm', max = inf, p = inf }",
            Clip::Norm {
                max: Limit::Constant(f64::INFINITY),
                p: f64::INFINITY,
            },
        ),
        (
            "{ kind = 'norm', max = { from = 0.25, to = 1, steps = 500 } }",
            Clip::Norm { max: ramp, p: 2.0 },
        ),
        ("{ kind = 'value', max = 0.3 }", Clip::Value { max: MAX }),
        (
            "{ kind = 'per_tensor', max = 0.3, p = 1 }",
            Clip::PerTensor { max: MAX, p: 1.0 },
        ),
        (
            "{ kind = 'adaptive' }",
            Clip::Adaptive {
                max: Limit::Constant(0.01),
                epsilon: 1e-3,
                except: Vec::new(),
            },
        ),
        (
            "{ kind = 'adaptive', except = ['head'] }",
            Clip::Adaptive {
                max: Limit::Constant(0.01),
                epsilon: 1e-3,
                except: vec!["head".into()],
            },
        ),
    ] {
        let clip = read(text).unwrap();
        assert_eq!(clip, expected, "{text}");
        let written = toml::to_string(&clip).unwrap();
        assert_eq!(toml::from_str::<Clip>(&written).unwrap(), clip, "{written}");
    }
    for (text, named) in [
        (
            "{ kind = 'norms', max = 1 }",
            "expected one of `none`, `norm`, `value`, `per_tensor`, `adaptive`",
        ),
        ("{ kind = 'norm' }", "missing field `max`"),
        ("{ kind = 'norm', max = 1, min = 0 }", "unknown field `min`"),
        (
            "{ kind = 'norm', max = 'one' }",
            "expected a number, or a table with from, to and steps",
        ),
        (
            "{ kind = 'norm', max = { from = 1, to = 2 } }",
            "expected a number, or a table with from, to and steps",
        ),
    ] {
        let message = read(text).unwrap_err().to_string();
        assert!(message.contains(named), "{text}: {message}");
    }
}

#[test]
fn validate_names_a_bad_number() {
    let ramp = |from, to| Limit::Ramp { from, to, steps: 3 };
    for (clip, expected) in [
        (
            Clip::norm(0.0),
            "max is 0, expected a positive number, or inf for no clipping",
        ),
        (
            Clip::norm(f64::NAN),
            "max is NaN, expected a positive number, or inf for no clipping",
        ),
        (
            Clip::Norm { max: MAX, p: -1.0 },
            "p is -1, expected a positive number, or inf",
        ),
        (
            Clip::Value {
                max: ramp(-1.0, 1.0),
            },
            "max.from is -1, expected a positive finite number",
        ),
        (
            Clip::PerTensor {
                max: ramp(1.0, f64::INFINITY),
                p: 2.0,
            },
            "max.to is inf, expected a positive finite number",
        ),
        (
            Clip::Adaptive {
                max: MAX,
                epsilon: 0.0,
                except: Vec::new(),
            },
            "epsilon is 0, expected a positive finite number",
        ),
    ] {
        assert_eq!(clip.validate().unwrap_err().to_string(), expected);
    }
    for clip in kinds() {
        clip.validate().unwrap();
    }
}
