//! Drawing the matrix of an initializer on the host.

use burn::tensor::Device;

use crate::{Fan, Initializer, Nonlinearity, noise, orthogonal};

impl Initializer {
    /// The matrix row by row, on the host.
    ///
    /// # Panics
    /// As [`sample`](Self::sample).
    pub(crate) fn draw(&self, shape: [usize; 2], device: &Device) -> Vec<f64> {
        if let Err(error) = self.validate() {
            panic!("{error}");
        }
        let [fan_in, fan_out] = shape;
        assert!(
            fan_in > 0 && fan_out > 0,
            "a weight matrix needs at least one row and one column, found {shape:?}"
        );
        self.values(shape, device)
    }

    /// [`draw`](Self::draw), after its checks.
    fn values(&self, shape: [usize; 2], device: &Device) -> Vec<f64> {
        let [fan_in, fan_out] = shape;
        let count = fan_in * fan_out;
        let xavier = (2.0 / (fan_in + fan_out) as f64).sqrt();
        let lecun = (1.0 / fan_in as f64).sqrt();
        let he = |nonlinearity: Nonlinearity, fan: Fan| nonlinearity.gain() / fan.of(shape).sqrt();
        match *self {
            Self::Constant { value } => vec![value; count],
            Self::Zeros => vec![0.0; count],
            Self::Uniform { low, high } => uniform(count, low, high, device),
            Self::Normal { mean, std } => normal(count, mean, std, device),
            Self::TruncatedNormal {
                mean,
                std,
                low,
                high,
            } => truncated_normal(count, [mean, std], [low, high], device),
            Self::XavierUniform { gain } => spread(count, gain * xavier, device),
            Self::XavierNormal { gain } => normal(count, 0.0, gain * xavier, device),
            Self::HeUniform { nonlinearity, fan } => spread(count, he(nonlinearity, fan), device),
            Self::HeNormal { nonlinearity, fan } => {
                normal(count, 0.0, he(nonlinearity, fan), device)
            }
            Self::LecunUniform => spread(count, lecun, device),
            Self::LecunNormal => normal(count, 0.0, lecun, device),
            Self::FanUniform { fan } => {
                let bound = 1.0 / fan.of(shape).sqrt();
                uniform(count, -bound, bound, device)
            }
            Self::Orthogonal { gain } => scaled(orthogonal::haar(shape, device), gain),
            Self::Identity { gain } => identity(shape, gain),
            Self::Sparse { sparsity, std } => sparse(shape, sparsity, std, device),
        }
    }
}

/// Uniform between `low` and `high`. It draws `count` uniform numbers.
fn uniform(count: usize, low: f64, high: f64, device: &Device) -> Vec<f64> {
    let unit = noise::uniform(count, device);
    unit.into_iter().map(|u| low + (high - low) * u).collect()
}

/// Uniform with mean zero and standard deviation `std`. It draws `count` uniform numbers.
fn spread(count: usize, std: f64, device: &Device) -> Vec<f64> {
    let bound = 3_f64.sqrt() * std;
    uniform(count, -bound, bound, device)
}

/// `N(mean, std²)`. It draws `count` normal numbers.
fn normal(count: usize, mean: f64, std: f64, device: &Device) -> Vec<f64> {
    let unit = noise::normal(count, device);
    unit.into_iter().map(|z| mean + std * z).collect()
}

/// Every value times `gain`.
fn scaled(mut values: Vec<f64>, gain: f64) -> Vec<f64> {
    for value in &mut values {
        *value *= gain;
    }
    values
}

/// `gain` on the main diagonal. It draws nothing.
fn identity([fan_in, fan_out]: [usize; 2], gain: f64) -> Vec<f64> {
    let mut values = vec![0.0; fan_in * fan_out];
    for index in 0..fan_in.min(fan_out) {
        values[index * fan_out + index] = gain;
    }
    values
}

/// `N(mean, std²)` given `low..high`, by rejection: a uniform proposal `z` is kept with
/// probability `p(z) / max p`, which is exact for any interval, far tails included.
///
/// Where `p` is below `2⁻²⁵ max p`, nothing would be kept at the resolution of the random numbers
/// (the mass there is less than 10⁻⁸), so no proposal is made there. At least one proposal in 18 is
/// kept, three in five for an interval of ±2 standard deviations.
///
/// It draws in rounds: twice as many uniform proposals as values are missing, then as many uniform
/// numbers to decide.
fn truncated_normal(
    count: usize,
    [mean, std]: [f64; 2],
    [low, high]: [f64; 2],
    device: &Device,
) -> Vec<f64> {
    let (from, to) = ((low - mean) / std, (high - mean) / std);
    let mode = 0_f64.clamp(from, to);
    let reach = (mode * mode + 50.0 * 2_f64.ln()).sqrt();
    let (from, to) = (from.max(-reach), to.min(reach));
    let mut values = Vec::with_capacity(count);
    while values.len() < count {
        let missing = count - values.len();
        let proposals = uniform(2 * missing, from, to, device);
        let decisions = noise::uniform(2 * missing, device);
        let kept = (proposals.into_iter().zip(decisions))
            .filter(|(z, u)| u.ln() < (mode - z) * (mode + z) / 2.0)
            .map(|(z, _)| (mean + std * z).clamp(low, high));
        values.extend(kept.take(missing));
    }
    values
}

/// Normal numbers with `⌈sparsity · fan_in⌉` zeros in each column. It draws `fan_in · fan_out`
/// normal numbers, then as many uniform ones; in each column the smallest of these mark the zeros.
fn sparse(shape: [usize; 2], sparsity: f64, std: f64, device: &Device) -> Vec<f64> {
    let [fan_in, fan_out] = shape;
    let mut values = normal(fan_in * fan_out, 0.0, std, device);
    let ranks = noise::uniform(fan_in * fan_out, device);
    // A whole product stays whole, though it may be rounded up: 0.07 · 100 is 7.000000000000001.
    let zeros = (sparsity * fan_in as f64 - 1e-9).ceil() as usize;
    for col in 0..fan_out {
        let mut rows: Vec<usize> = (0..fan_in).collect();
        rows.sort_by(|&a, &b| ranks[a * fan_out + col].total_cmp(&ranks[b * fan_out + col]));
        for &row in &rows[..zeros] {
            values[row * fan_out + col] = 0.0;
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use burn::{module::Param, tensor::Tensor};

    use super::*;
    use crate::testing::{
        assert_distribution, assert_moments, fixed_kinds, normal_cdf, normal_mass, on_devices,
        random_kinds, uniform_cdf, values,
    };

    const UNIFORM: f64 = 1.8;
    const NORMAL: f64 = 3.0;

    /// A sample as the user sees it.
    fn sample(initializer: &Initializer, shape: [usize; 2], device: &Device) -> Vec<f64> {
        let sample = values(initializer.sample(shape, device));
        sample.into_iter().map(f64::from).collect()
    }

    #[test]
    fn uniform_kinds_have_their_bounds() {
        let shape = [50, 400];
        let tanh = Nonlinearity::Tanh;
        let relu = Nonlinearity::Relu;
        let leaky = Nonlinearity::LeakyRelu { slope: 2.0 };
        #[rustfmt::skip]
        let cases = [
            (Initializer::Uniform { low: 1.0, high: 3.0 }, 1.0, 3.0),
            (Initializer::XavierUniform { gain: 1.5 }, -0.1732051, 0.1732051), // 1.5 √(6/450)
            (Initializer::HeUniform { nonlinearity: relu, fan: Fan::In }, -0.3464102, 0.3464102), // √(6/50)
            (Initializer::HeUniform { nonlinearity: leaky, fan: Fan::In }, -0.1549193, 0.1549193), // √(6/(5·50))
            (Initializer::HeUniform { nonlinearity: tanh, fan: Fan::Out }, -0.1443376, 0.1443376), // 5/3 √(3/400)
            (Initializer::LecunUniform, -0.2449490, 0.2449490), // √(3/50)
            (Initializer::FanUniform { fan: Fan::In }, -0.1414214, 0.1414214), // 1/√50
            (Initializer::FanUniform { fan: Fan::Out }, -0.05, 0.05), // 1/√400
        ];
        on_devices(|device| {
            for (initializer, low, high) in &cases {
                let found = sample(initializer, shape, device);
                let (mean, width) = ((low + high) / 2.0, high - low);
                assert_moments(&found, mean, width * width / 12.0, UNIFORM);
                assert_distribution(&found, uniform_cdf(*low, *high));
                let slack = 1e-6;
                assert!(
                    found
                        .iter()
                        .all(|v| (low - slack..=high + slack).contains(v)),
                    "{initializer:?} leaves {low}..{high}"
                );
            }
        });
    }

    #[test]
    fn normal_kinds_have_their_moments() {
        let shape = [50, 400];
        let relu = Nonlinearity::Relu;
        let linear = Nonlinearity::Linear;
        #[rustfmt::skip]
        let cases = [
            (Initializer::Normal { mean: -1.0, std: 0.5 }, -1.0, 0.25),
            (Initializer::XavierNormal { gain: 1.5 }, 0.0, 0.01), // 2.25 · 2/450
            (Initializer::HeNormal { nonlinearity: relu, fan: Fan::In }, 0.0, 0.04), // 2/50
            (Initializer::HeNormal { nonlinearity: linear, fan: Fan::Out }, 0.0, 0.0025), // 1/400
            (Initializer::LecunNormal, 0.0, 0.02), // 1/50
        ];
        on_devices(|device| {
            for (initializer, mean, variance) in &cases {
                let found = sample(initializer, shape, device);
                assert_moments(&found, *mean, *variance, NORMAL);
                assert_distribution(&found, normal_cdf(*mean, variance.sqrt()));
            }
        });
    }

    #[test]
    fn a_truncated_normal_is_cut_not_clamped() {
        // Mean, std, low, high, and the moments after the cut, in units of std from the mean: for
        // ends α and β, `(φ(α) − φ(β)) / Z` and `1 + (α φ(α) − β φ(β)) / Z − mean²`.
        let cases = [
            ([0.0, 1.0], [-2.0, 2.0], [0.0, 0.773_741]),
            ([5.0, 0.1], [4.8, 5.2], [0.0, 0.773_741]),
            ([0.0, 1.0], [0.0, 50.0], [0.797_885, 0.363_380]),
            ([0.0, 2.0], [6.0, 20.0], [3.283_099, 0.070_559]),
            ([1.0, 1.0], [-9.0, -2.0], [-3.283_099, 0.070_559]),
            ([0.0, 1.0], [-90.0, 90.0], [0.0, 1.0]),
        ];
        on_devices(|device| {
            for ([mean, std], [low, high], [cut_mean, cut_variance]) in cases {
                let initializer = Initializer::TruncatedNormal {
                    mean,
                    std,
                    low,
                    high,
                };
                let found = sample(&initializer, [100, 200], device);
                let slack = 1e-6 * high.abs();
                assert!(
                    found
                        .iter()
                        .all(|v| (low - slack..=high + slack).contains(v))
                );
                let z: Vec<f64> = found.iter().map(|v| (v - mean) / std).collect();
                // The kurtosis of a one-sided tail is below that of the exponential, 9.
                assert_moments(&z, cut_mean, cut_variance, 9.0);
                let (from, to) = ((low - mean) / std, (high - mean) / std);
                let (from, to) = (from.max(-12.0), to.min(12.0));
                let total = normal_mass(from, to);
                assert_distribution(&z, |z| normal_mass(from, z) / total);
            }
        });
    }

    #[test]
    fn a_truncated_normal_far_in_the_tail_ends() {
        on_devices(|device| {
            let initializer = Initializer::TruncatedNormal {
                mean: 0.0,
                std: 1e-30,
                low: 1.0,
                high: 1e30,
            };
            let found = sample(&initializer, [4, 4], device);
            assert_eq!(found, vec![1.0; 16]);
        });
    }

    #[test]
    fn fixed_kinds_have_their_values() {
        on_devices(|device| {
            let constant = Initializer::Constant { value: 0.75 };
            assert_eq!(sample(&constant, [2, 3], device), [0.75; 6]);
            assert_eq!(sample(&Initializer::Zeros, [3, 2], device), [0.0; 6]);
            let identity = Initializer::Identity { gain: 2.0 };
            let wide = [2.0, 0.0, 0.0, 0.0, 2.0, 0.0];
            let tall = [2.0, 0.0, 0.0, 2.0, 0.0, 0.0];
            assert_eq!(sample(&identity, [2, 3], device), wide);
            assert_eq!(sample(&identity, [3, 2], device), tall);
        });
    }

    #[test]
    fn a_sparse_matrix_has_equal_columns() {
        let [fan_in, fan_out] = [13, 3000];
        on_devices(|device| {
            let initializer = Initializer::Sparse {
                sparsity: 0.6,
                std: 0.5,
            };
            let found = sample(&initializer, [fan_in, fan_out], device);
            for col in 0..fan_out {
                let zeros = (0..fan_in).filter(|row| found[row * fan_out + col] == 0.0);
                assert_eq!(zeros.count(), 8, "column {col}: ⌈0.6 · 13⌉ zeros");
            }
            // Each row is zero in 8 of 13 columns, within five standard errors.
            let share: f64 = 8.0 / 13.0;
            let error = (share * (1.0 - share) / fan_out as f64).sqrt();
            for row in found.chunks_exact(fan_out) {
                let zeros = row.iter().filter(|v| **v == 0.0).count() as f64;
                assert!((zeros / fan_out as f64 - share).abs() < 5.0 * error);
            }
            let others: Vec<f64> = found.into_iter().filter(|v| *v != 0.0).collect();
            assert_moments(&others, 0.0, 0.25, NORMAL);
            for (sparsity, fan_in, zeros) in [(0.0, 13, 0), (1.0, 13, 13), (0.07, 100, 7)] {
                let edge = Initializer::Sparse { sparsity, std: 1.0 };
                let column = sample(&edge, [fan_in, 1], device);
                assert_eq!(column.iter().filter(|v| **v == 0.0).count(), zeros);
            }
        });
    }

    #[test]
    fn a_seed_repeats_every_bit() {
        on_devices(|device| {
            for initializer in random_kinds() {
                let draw = |seed| {
                    device.seed(seed);
                    let first = values(initializer.sample([6, 5], device));
                    (first, values(initializer.sample([6, 5], device)))
                };
                let (first, second) = draw(1);
                assert_eq!((first.clone(), second.clone()), draw(1), "{initializer:?}");
                assert_ne!(first, second, "{initializer:?} goes on");
                assert_ne!(first, draw(2).0, "{initializer:?} depends on the seed");
            }
            for initializer in fixed_kinds() {
                device.seed(1);
                let next = values(Initializer::LecunNormal.sample([3, 3], device));
                device.seed(1);
                let _ = initializer.sample([6, 5], device);
                let after = values(Initializer::LecunNormal.sample([3, 3], device));
                assert_eq!(next, after, "{initializer:?} takes no random numbers");
            }
        });
    }

    #[test]
    fn an_autodiff_device_gets_the_same_leaf_tensors() {
        on_devices(|device| {
            let autodiff = device.clone().autodiff();
            for initializer in random_kinds().into_iter().chain(fixed_kinds()) {
                device.seed(4);
                let plain = values(initializer.sample([4, 3], device));
                autodiff.seed(4);
                let tensor = initializer.sample([4, 3], &autodiff);
                assert!(tensor.is_autodiff() && !tensor.is_tracked());
                assert_eq!(plain, values(tensor.clone()), "{initializer:?}");

                let param = Param::from_tensor(tensor);
                let weight = param.val();
                let gradients = (weight.clone() * 3.0).sum().backward();
                let gradient: Tensor<2> = weight.grad(&gradients).expect("a parameter's gradient");
                assert_eq!(values(gradient), [3.0; 12]);
            }
        });
    }

    #[test]
    #[should_panic(expected = "at least one row and one column, found [0, 3]")]
    fn an_empty_matrix_is_refused() {
        on_devices(|device| {
            let _ = Initializer::Zeros.sample([0, 3], device);
        });
    }

    #[test]
    #[should_panic(
        expected = "initializer (normal): std is -1, expected a finite 32-bit number above 0"
    )]
    fn sampling_checks_first() {
        on_devices(|device| {
            let wrong = Initializer::Normal {
                mean: 0.0,
                std: -1.0,
            };
            let _ = wrong.sample([2, 3], device);
        });
    }
}
