//! Masks have the statistics that they promise, are constants, and depend on the seed alone.
//!
//! The random numbers of a device are shared by all threads, so every test holds one lock.

use std::sync::{Mutex, MutexGuard};

use burn::tensor::{DType, Device, Tensor};
use rekindle_regularize::dropout::{
    DropoutError, EmbeddingDropout, MaskPer, RecurrentDropout, VariationalDropout, WeightDrop,
    Zoneout,
};

static RANDOM: Mutex<()> = Mutex::new(());

/// Seeds the device, and keeps other tests from drawing.
fn seeded(seed: u64) -> (MutexGuard<'static, ()>, Device) {
    let guard = RANDOM.lock().unwrap_or_else(|broken| broken.into_inner());
    let device = Device::default();
    device.seed(seed);
    (guard, device)
}

fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}

/// Asserts that each number is 0 or `other`, and that as many are 0 as `prob` says, within five standard deviations.
fn assert_mask(values: &[f64], prob: f64, other: f64) {
    let is_near = |x: f64, y: f64| (x - y).abs() < 1e-6;
    assert!(values.iter().all(|&x| x == 0.0 || is_near(x, other)));
    let count = values.len() as f64;
    let zeros = values.iter().filter(|&&x| x == 0.0).count() as f64;
    let deviation = (count * prob * (1.0 - prob)).sqrt();
    assert!(
        (zeros - count * prob).abs() <= 5.0 * deviation,
        "{zeros} zeros of {count}, expected a fraction of {prob}"
    );
}

#[test]
fn masks_drop_as_many_as_they_say_and_keep_the_mean() {
    for prob in [0.1, 0.5, 0.8] {
        let (_guard, device) = seeded(3);
        let options = (&device, DType::F64);
        let other = 1.0 / (1.0 - prob);
        let mask = VariationalDropout { prob }.mask([100, 70], options);
        assert_mask(&numbers(mask), prob, other);
        for (per, steps) in [(MaskPer::Step, 30), (MaskPer::Sequence, 1)] {
            let mask = RecurrentDropout { prob, per }.mask([20, 30, 40], options);
            assert_eq!(mask.dims(), [20, steps, 40]);
            assert_mask(&numbers(mask), prob, other);
        }
        let weight = WeightDrop { prob }.apply(Tensor::<2>::ones([60, 80], options));
        assert_mask(&numbers(weight), prob, other);
        let table = EmbeddingDropout { prob }.apply(Tensor::ones([3000, 4], options));
        let table = numbers(table);
        assert_mask(&table, prob, other);
        let is_whole = |row: &[f64]| row.iter().all(|x| *x == row[0]);
        assert!(table.chunks_exact(4).all(is_whole), "rows drop as a whole");
        // Of zoneout, ones are what is kept.
        let mask = Zoneout { prob }.mask([20, 30, 40], options);
        assert_mask(&numbers(mask), 1.0 - prob, 1.0);
    }
}

#[test]
fn rows_and_steps_have_masks_of_their_own() {
    let (_guard, device) = seeded(4);
    let options = (&device, DType::F32);
    let mask = VariationalDropout { prob: 0.5 }.mask([2, 64], options);
    assert_ne!(
        numbers(mask.clone().narrow(0, 0, 1)),
        numbers(mask.narrow(0, 1, 1))
    );
    let masks = [
        Zoneout { prob: 0.5 }.mask([1, 2, 64], options),
        RecurrentDropout {
            prob: 0.5,
            per: MaskPer::Step,
        }
        .mask([1, 2, 64], options),
    ];
    for mask in masks {
        let [first, second] = [0, 1].map(|t| numbers(mask.clone().narrow(1, t, 1)));
        assert_ne!(first, second);
    }
}

#[test]
fn the_seed_decides() {
    let draw = |seed| {
        let (_guard, device) = seeded(seed);
        numbers(VariationalDropout { prob: 0.5 }.mask([8, 8], (&device, DType::F32)))
    };
    assert_eq!(draw(5), draw(5));
    assert_ne!(draw(5), draw(6));
}

#[test]
fn probability_0_changes_no_bit() {
    let (_guard, device) = seeded(7);
    let weight = Tensor::<2>::from_floats([[0.1, -2.5], [3.0, 1e-30]], &device);
    let expected = weight.clone().into_data();
    assert_eq!(
        WeightDrop { prob: 0.0 }.apply(weight.clone()).into_data(),
        expected
    );
    assert_eq!(
        EmbeddingDropout { prob: 0.0 }
            .apply(weight.clone())
            .into_data(),
        expected
    );
    let zoneout = Zoneout { prob: 0.0 };
    let mask = zoneout
        .mask([1, 2, 2], (&device, DType::F32))
        .squeeze_dim(0);
    let old = weight.zeros_like();
    assert_eq!(
        zoneout.train(old.clone(), weight.clone(), mask).into_data(),
        expected
    );
    assert_eq!(zoneout.evaluate(old, weight).into_data(), expected);
}

#[test]
fn gradients_flow_through_what_is_kept_alone() {
    let (_guard, device) = seeded(8);
    let device = device.autodiff();
    let weight = Tensor::<2>::ones([6, 6], &device).require_grad();
    let dropped = WeightDrop { prob: 0.5 }.apply(weight.clone());
    let gradient = weight.grad(&dropped.clone().sum().backward());
    let gradient = gradient.expect("the weight has a gradient");
    // The weight is 1, so that its gradient is the mask, as the dropped weight is.
    assert_eq!(gradient.into_data(), dropped.inner().into_data());
}

#[test]
fn zoneout_takes_the_old_state_or_the_new_one() {
    let (_guard, device) = seeded(9);
    let zoneout = Zoneout { prob: 0.4 };
    let (old, new) = (
        Tensor::<2>::full([50, 20], -1.0, &device),
        Tensor::<2>::full([50, 20], 3.0, &device),
    );
    let mask: Tensor<2> = zoneout
        .mask([1, 50, 20], (&device, DType::F32))
        .squeeze_dim(0);
    let state = numbers(zoneout.train(old.clone(), new.clone(), mask.clone()));
    for (state, mask) in state.iter().zip(numbers(mask)) {
        assert_eq!(*state, if mask == 1.0 { -1.0 } else { 3.0 });
    }
    let mean = numbers(zoneout.evaluate(old, new));
    assert!(mean.iter().all(|x| (x - 1.4).abs() < 1e-6));
}

#[test]
fn probabilities_out_of_range_are_refused() {
    for found in [-0.1, 1.0, 1.5, f64::INFINITY] {
        let expected = Err(DropoutError::Probability { found });
        assert_eq!(VariationalDropout { prob: found }.validate(), expected);
        assert_eq!(WeightDrop { prob: found }.validate(), expected);
        assert_eq!(EmbeddingDropout { prob: found }.validate(), expected);
        assert_eq!(Zoneout { prob: found }.validate(), expected);
        let per = MaskPer::Step;
        assert_eq!(RecurrentDropout { prob: found, per }.validate(), expected);
    }
    assert!(Zoneout { prob: f64::NAN }.validate().is_err());
    let message = DropoutError::Probability { found: 1.5 }.to_string();
    assert_eq!(
        message,
        "the probability is 1.5, expected at least 0 and below 1"
    );
}
