//! Masks of dropouts: their numbers, how far one mask reaches, and that they are constants.

use std::sync::{Mutex, MutexGuard, PoisonError};

use burn::module::{Module, Param};
use burn::tensor::{DType, Device, Int, Tensor};
use rekindle_regularize::dropout::{
    EmbeddingDropout, RecurrentDropout, Redraw, VariationalDropout, WeightDrop, Zoneout,
};
use rekindle_testkit::{GradientCheck, assert_module_gradients, assert_same_bits, devices, random};

/// One test at a time draws from the generator, which all devices of a backend share.
fn alone() -> MutexGuard<'static, ()> {
    static GENERATOR: Mutex<()> = Mutex::new(());
    GENERATOR.lock().unwrap_or_else(PoisonError::into_inner)
}

fn numbers<const D: usize>(tensor: &Tensor<D>) -> Vec<f64> {
    tensor.to_data().iter::<f64>().collect()
}

/// Every way to draw a mask that scales, flattened, of `n` numbers.
fn scaled_masks(prob: f64, n: usize, options: (&Device, DType)) -> Vec<(&'static str, Tensor<1>)> {
    let recurrent = |per, shape| RecurrentDropout { prob, per }.mask(shape, options);
    let (variational, weight) = (VariationalDropout { prob }, WeightDrop { prob });
    vec![
        (
            "variational",
            variational.mask([20, n / 20], options).reshape([n]),
        ),
        (
            "per step",
            recurrent(Redraw::Step, [4, 5, n / 20]).reshape([n]),
        ),
        (
            "per sequence",
            recurrent(Redraw::Sequence, [4, 5, n / 4]).reshape([n]),
        ),
        ("weight", weight.mask([10, n / 10], options).reshape([n])),
        (
            "embedding",
            EmbeddingDropout { prob }.mask(n, options).reshape([n]),
        ),
    ]
}

/// Asserts that `hits` of `n` draws are within five standard deviations of a binomial distribution.
fn assert_binomial(hits: usize, n: usize, prob: f64, what: &str) {
    let deviation = (n as f64 * prob * (1.0 - prob)).sqrt();
    let distance = (hits as f64 - n as f64 * prob).abs();
    assert!(
        distance <= 5.0 * deviation,
        "{what}: {hits} of {n}, expected {} ± {}",
        n as f64 * prob,
        5.0 * deviation
    );
}

#[test]
fn masks_have_the_numbers_of_their_probability() {
    let _alone = alone();
    let n = 40_000;
    for device in devices!() {
        for (seed, prob) in [(1, 0.1), (2, 0.5), (3, 0.8)] {
            for dtype in [DType::F32, DType::F64] {
                device.seed(seed);
                for (what, mask) in scaled_masks(prob, n, (&device, dtype)) {
                    let what = format!("{what}, {prob}, {dtype:?}, {device:?}");
                    assert_eq!(mask.dtype(), dtype, "{what}");
                    let scale = match dtype {
                        DType::F32 => f64::from((1.0 / (1.0 - prob)) as f32),
                        _ => 1.0 / (1.0 - prob),
                    };
                    let numbers = numbers(&mask);
                    assert!(numbers.iter().all(|&m| m == 0.0 || m == scale), "{what}");
                    let kept = numbers.iter().filter(|&&m| m > 0.0).count();
                    assert_binomial(kept, n, 1.0 - prob, &what);
                    // The expectation of a number times its mask is the number.
                    let mean = numbers.iter().sum::<f64>() / n as f64;
                    let deviation = (prob / (1.0 - prob) / n as f64).sqrt();
                    assert!((mean - 1.0).abs() <= 5.0 * deviation, "{what}: mean {mean}");
                }
                let keep = Zoneout { prob }.mask([4, 100, n / 400], (&device, dtype));
                let keep = numbers(&keep);
                assert!(keep.iter().all(|&k| k == 0.0 || k == 1.0));
                let kept = keep.iter().filter(|&&k| k == 1.0).count();
                assert_binomial(kept, n, prob, "zoneout");
            }
        }
    }
}

#[test]
fn a_probability_of_zero_is_the_identity() {
    let _alone = alone();
    for device in devices!() {
        for dtype in [DType::F32, DType::F64] {
            // Zeros with a sign too.
            let input = random([3, 4, 5], 1, (&device, dtype))
                * random([3, 4, 1], 2, (&device, dtype)).round();
            let table = input.clone().reshape([12, 5]);
            let variational = VariationalDropout { prob: 0.0 };
            let zoneout = Zoneout { prob: 0.0 };
            assert_same_bits(&variational.apply(input.clone()), &input, "variational");
            let time_major = variational.apply_time_major(input.clone());
            assert_same_bits(&time_major, &input, "time-major");
            let dropped = WeightDrop { prob: 0.0 }.apply(input.clone());
            assert_same_bits(&dropped, &input, "weight");
            let dropped = EmbeddingDropout { prob: 0.0 }.apply(table.clone());
            assert_same_bits(&dropped, &table, "embedding");

            for (what, mask) in scaled_masks(0.0, 60, (&device, dtype)) {
                let flat = input.clone().reshape([60]);
                assert_same_bits(&(flat.clone() * mask), &flat, what);
            }
            let old = input.full_like(f64::NAN);
            let keep = zoneout.mask([3, 4, 5], (&device, dtype));
            let applied = zoneout.apply(old.clone(), input.clone(), keep);
            assert_same_bits(&applied, &input, "zoneout");
            assert_same_bits(&zoneout.expected(old, input.clone()), &input, "expected");
        }
    }
}

#[test]
fn a_probability_of_zero_draws_nothing() {
    let _alone = alone();
    let device = Device::default();
    let draw = || WeightDrop { prob: 0.5 }.mask([100], &device);
    device.seed(3);
    let expected = draw();
    device.seed(3);
    let _ = scaled_masks(0.0, 100, (&device, DType::F32));
    let _ = Zoneout { prob: 0.0 }.mask([2, 3, 4], &device);
    assert_same_bits(&draw(), &expected, "draws");
}

#[test]
fn a_mask_reaches_as_far_as_it_says() {
    let _alone = alone();
    for device in devices!() {
        device.seed(5);
        let ones = Tensor::<3>::ones([3, 7, 40], &device);
        let variational = VariationalDropout { prob: 0.5 };
        let output = variational.apply(ones.clone());
        for step in 1..7 {
            let at = |step| output.clone().narrow(1, step, 1);
            assert_same_bits(&at(step), &at(0), "one mask for all steps");
        }
        assert_ne!(rows(&output, 0), rows(&output, 1), "rows");

        let drop = |per| RecurrentDropout { prob: 0.5, per }.mask([3, 7, 40], &device);
        let per_step = drop(Redraw::Step);
        assert_eq!(per_step.dims(), [3, 7, 40]);
        let at = |step| numbers(&per_step.clone().narrow(1, step, 1));
        assert!((1..7).all(|step| at(step) != at(0)), "steps");
        assert_ne!(rows(&per_step, 0), rows(&per_step, 1), "rows");
        let per_sequence = drop(Redraw::Sequence);
        assert_eq!(per_sequence.dims(), [3, 1, 40]);
        assert_ne!(rows(&per_sequence, 0), rows(&per_sequence, 1), "rows");

        let keep = Zoneout { prob: 0.5 }.mask([3, 7, 40], &device);
        let at = |step| numbers(&keep.clone().narrow(1, step, 1));
        assert!((1..7).all(|step| at(step) != at(0)), "steps");
        assert_ne!(rows(&keep, 0), rows(&keep, 1), "rows");

        let table = EmbeddingDropout { prob: 0.5 }.apply(Tensor::ones([50, 4], &device));
        let words: Vec<f64> = numbers(&table);
        let whole = |word: &[f64]| word.iter().all(|&number| number == word[0]);
        assert!(words.chunks(4).all(whole), "whole words");
        let dropped = words.chunks(4).filter(|word| word[0] == 0.0).count();
        assert!((1..50).contains(&dropped), "{dropped} of 50 words");
    }
}

/// The numbers of one row of a batch.
fn rows(tensor: &Tensor<3>, row: usize) -> Vec<f64> {
    numbers(&tensor.clone().narrow(0, row, 1))
}

#[test]
fn layouts_agree() {
    let _alone = alone();
    for device in devices!() {
        let input = random([3, 5, 8], 1, (&device, DType::F32));
        let variational = VariationalDropout { prob: 0.4 };
        device.seed(9);
        let batch_first = variational.apply(input.clone());
        device.seed(9);
        let time_major = variational.apply_time_major(input.swap_dims(0, 1));
        assert_same_bits(&time_major.swap_dims(0, 1), &batch_first, "layouts");
    }
}

#[test]
fn the_mask_of_tokens_is_that_of_the_table() {
    let _alone = alone();
    let device = Device::default();
    let table = random([20, 6], 1, (&device, DType::F32));
    let tokens = Tensor::<2, Int>::from_ints([[3, 7, 3, 0], [19, 7, 2, 2]], &device);
    let look_up = |table: Tensor<2>| {
        let vectors = table.select(0, tokens.clone().reshape([8]));
        vectors.reshape([2, 4, 6])
    };
    let dropout = EmbeddingDropout { prob: 0.5 };
    device.seed(4);
    let from_table = look_up(dropout.apply(table.clone()));
    device.seed(4);
    let mask = EmbeddingDropout::mask_of(dropout.mask(20, &device), tokens.clone());
    assert_same_bits(&(look_up(table) * mask), &from_table, "tokens");
}

#[test]
fn seeds_reproduce() {
    let _alone = alone();
    for device in devices!() {
        let draw = |seed| {
            device.seed(seed);
            let scaled = scaled_masks(0.3, 200, (&device, DType::F32));
            let keep = Zoneout { prob: 0.3 }.mask([2, 10, 10], &device);
            let masks = scaled.into_iter().map(|(_, mask)| mask);
            masks.chain([keep.reshape([200])]).collect::<Vec<_>>()
        };
        let (first, again, other) = (draw(1), draw(1), draw(2));
        for (index, mask) in first.iter().enumerate() {
            assert_same_bits(mask, &again[index], "same seed");
            assert_ne!(numbers(mask), numbers(&other[index]), "another seed");
        }
    }
}

#[derive(Module, Debug)]
struct Values {
    sequence: Param<Tensor<3>>,
    old: Param<Tensor<3>>,
    weight: Param<Tensor<2>>,
}

fn values(device: &Device) -> Values {
    let options = (&device.clone().autodiff(), DType::F64);
    let of = |seed| Param::from_tensor(random([2, 4, 6], seed, options).require_grad());
    Values {
        sequence: of(1),
        old: of(2),
        weight: Param::from_tensor(random([6, 5], 3, options).require_grad()),
    }
}

#[test]
fn masks_are_constants() {
    let _alone = alone();
    for device in devices!() {
        let values = values(&device);
        let seeded = |tensor: &Tensor<3>| tensor.device().seed(11);
        assert_module_gradients(
            &values,
            GradientCheck::default(),
            "all dropouts",
            |values| {
                let (sequence, old) = (values.sequence.val(), values.old.val());
                seeded(&sequence);
                let options = (&sequence.device(), DType::F64);
                let recurrent = RecurrentDropout {
                    prob: 0.4,
                    per: Redraw::Step,
                };
                let zoneout = Zoneout { prob: 0.3 };
                let x = VariationalDropout { prob: 0.4 }.apply(sequence.clone());
                let x = x * recurrent.mask([2, 4, 6], options);
                let keep = zoneout.mask([2, 4, 6], options);
                let x = zoneout.apply(old.clone(), x, keep) + zoneout.expected(old, sequence);
                let weight = WeightDrop { prob: 0.5 }.apply(values.weight.val());
                let weight = EmbeddingDropout { prob: 0.2 }.apply(weight);
                x.matmul(weight.unsqueeze()).tanh().sum()
            },
        );
    }
}

#[test]
fn dropped_weights_get_no_gradient() {
    let _alone = alone();
    for device in devices!() {
        let weight = values(&device).weight.val();
        let factor = random([6, 5], 7, (&weight.device(), DType::F64));
        let drop = WeightDrop { prob: 0.5 };
        device.seed(6);
        let mask = drop.mask([6, 5], (&device, DType::F64));
        device.seed(6);
        let loss = (drop.apply(weight.clone()) * factor.clone()).sum();
        let gradient = weight.grad(&loss.backward()).expect("a gradient");
        assert_same_bits(&gradient, &(factor.inner() * mask.clone()), "gradient");
        let dropped = numbers(&mask).iter().filter(|&&m| m == 0.0).count();
        assert!((1..30).contains(&dropped), "{dropped} of 30 dropped");
    }
}

#[test]
fn dropouts_are_read_from_text() -> serde_json::Result<()> {
    let recurrent: RecurrentDropout = serde_json::from_str(r#"{"prob": 0.2}"#)?;
    assert_eq!(
        recurrent,
        RecurrentDropout {
            prob: 0.2,
            per: Redraw::Step
        }
    );
    let text = serde_json::to_string(&RecurrentDropout {
        prob: 0.2,
        per: Redraw::Sequence,
    })?;
    assert_eq!(text, r#"{"prob":0.2,"per":"sequence"}"#);
    let zoneout: Zoneout = serde_json::from_str(r#"{"prob": 1.5}"#)?;
    assert_eq!(
        zoneout.validate().map_err(|error| error.to_string()),
        Err("`prob` is 1.5, expected a number in [0, 1)".to_string())
    );
    assert!(serde_json::from_str::<WeightDrop>(r#"{"prob": 0.5, "rate": 1}"#).is_err());
    Ok(())
}
