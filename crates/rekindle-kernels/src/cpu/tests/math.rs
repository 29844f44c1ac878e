//! The error of sigmoid, hyperbolic tangent and their kin, on every instruction set, over the whole range.

use pulp::{Simd, WithSimd};

use super::super::Isa;
use super::super::vector::{Element, Vector};
use super::precise::{Precise, ulps};
use super::problem::{Real, name, random};
use crate::Lane;

/// A function of the engine.
#[derive(Clone, Copy, Debug)]
enum Function {
    Sigmoid,
    Tanh,
    ExpMinus1,
    Log1PlusExp,
}

const ALL: [Function; 4] = [
    Function::Sigmoid,
    Function::Tanh,
    Function::ExpMinus1,
    Function::Log1PlusExp,
];

/// A function of many numbers.
struct Map<'a, F> {
    function: Function,
    numbers: &'a mut [F],
}

impl<F: Element> WithSimd for Map<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for chunk in self.numbers.chunks_mut(F::Vector::<S>::LANES) {
            // SAFETY: the chunk has as many numbers as are read and written.
            unsafe {
                let x = F::Vector::<S>::load_first(simd, chunk.as_ptr(), chunk.len());
                let y = match self.function {
                    Function::Sigmoid => x.sigmoid(),
                    Function::Tanh => x.tanh(),
                    Function::ExpMinus1 => x.exp_minus_1(),
                    Function::Log1PlusExp => x.log_1_plus_exp(),
                };
                y.store_first(chunk.as_mut_ptr(), chunk.len());
            }
        }
    }
}

/// The function of all numbers on one instruction set.
fn map<F: Element>(isa: Isa, function: Function, numbers: &[F]) -> Vec<F> {
    let mut numbers = numbers.to_vec();
    isa.run(Map {
        function,
        numbers: &mut numbers,
    });
    numbers
}

/// Everything that [`Lane`] does by arithmetic.
#[inline(always)]
fn arithmetic<V: Lane>(x: V, y: V) -> [V; 11] {
    let [a, b] = [x.clone(), y.clone()];
    [
        a.clone() + b.clone(),
        a.clone() - b.clone(),
        a.clone() * b.clone(),
        a.clone() / b.clone(),
        a.clone().relu(),
        a.clone().one_minus(),
        a.constant(0.1),
        a.zero(),
        a.clone().where_positive(b),
        a.clone().clamp(-0.3, 0.7),
        a.clamp(f64::NEG_INFINITY, 0.7),
    ]
}

/// Some arithmetic of as many numbers as a register holds: `[operation, lane]`.
struct Arithmetic<F>(Vec<[F; 2]>);

impl<F: Element> WithSimd for Arithmetic<F> {
    type Output = Vec<Vec<F>>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let lanes = F::Vector::<S>::LANES;
        let mut results = vec![Vec::new(); arithmetic(0.0, 0.0).len()];
        for pairs in self.0.chunks(lanes) {
            let [x, y] = [0, 1].map(|side| pairs.iter().map(|pair| pair[side]).collect::<Vec<F>>());
            // SAFETY: both sides have as many numbers as are read, and the buffer as many as are written.
            unsafe {
                let [x, y] =
                    [x, y].map(|side| F::Vector::<S>::load_first(simd, side.as_ptr(), side.len()));
                for (result, value) in results.iter_mut().zip(arithmetic(x, y)) {
                    let mut buffer = vec![F::default(); lanes];
                    value.store(buffer.as_mut_ptr());
                    result.extend(&buffer[..pairs.len()]);
                }
            }
        }
        results
    }
}

fn assert_arithmetic<F: Real + Lane>() {
    let special = [0.0, 0.1, 0.5, 0.7, 1.0, 3.0, f64::INFINITY, f64::NAN];
    let numbers: Vec<F> = (special.iter())
        .flat_map(|&x| [x, -x])
        .map(F::nearest)
        .collect();
    let pairs = numbers
        .iter()
        .flat_map(|&x| numbers.iter().map(move |&y| [x, y]));
    let pairs: Vec<[F; 2]> = pairs.collect();
    for isa in Isa::all() {
        let found = isa.run(Arithmetic(pairs.clone()));
        for (index, &[x, y]) in pairs.iter().enumerate() {
            let expected = arithmetic(x, y).map(F::wide);
            for (operation, expected) in expected.into_iter().enumerate() {
                let found = found[operation][index].wide();
                assert!(
                    found == expected || (found.is_nan() && expected.is_nan()),
                    "operation {operation} of {x:?} and {y:?} on {}: {found}, expected {expected}",
                    name(isa)
                );
            }
        }
    }
}

#[test]
fn arithmetic_of_registers_is_that_of_numbers() {
    assert_arithmetic::<f32>();
    assert_arithmetic::<f64>();
}

/// Some numbers and their exact images under all functions.
struct Measure<F> {
    numbers: Vec<F>,
    /// How far a result is from the image of the number at an index, in ulp of the image.
    ulps: Box<dyn Fn(Function, usize, F) -> f64>,
}

impl<F: Real> Measure<F> {
    /// Asserts that no result on any instruction set is further off than `bound`.
    fn assert_within(&self, function: Function, bound: f64) {
        for isa in Isa::all() {
            let results = map(isa, function, &self.numbers);
            let errors = (results.iter().enumerate())
                .map(|(index, &result)| (self.ulps)(function, index, result));
            // A NaN counts as the greatest.
            let worst = errors.enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b));
            let (index, error) = worst.unwrap_or_default();
            let what = format!("{function:?} in {} on {}", F::NAME, name(isa));
            assert!(
                error <= bound,
                "{what}: {} at {}, {error} ulp, expected at most {bound} ulp",
                results[index].wide(),
                self.numbers[index].wide()
            );
        }
    }
}

/// Multiples of ln 2 / 4, where the reduction of one of the functions jumps from one power of 2 to the next.
fn jumps() -> impl Iterator<Item = f64> {
    let most = if cfg!(miri) { 3 } else { 520 };
    (-most..=most).map(|k| f64::from(k) * std::f64::consts::LN_2 / 4.0)
}

/// Many numbers of `f32`, with the functions in `f64`, whose error is nothing beside an ulp of `f32`.
fn measure_of_f32() -> Measure<f32> {
    let bits = |number: f32| number.to_bits();
    let [all, most] = if cfg!(miri) { [24, 20] } else { [14, 8] };
    let everywhere = (0..=bits(f32::INFINITY)).step_by(1 << all);
    let usual = (bits(1e-9)..bits(128.0)).step_by(1 << most);
    let both_signs = |bits: u32| [f32::from_bits(bits), -f32::from_bits(bits)];
    let mut numbers: Vec<f32> = everywhere.chain(usual).flat_map(both_signs).collect();
    for jump in jumps() {
        let bits = (jump as f32).to_bits();
        let near =
            (bits.saturating_sub(100)..=bits + 100).step_by(if cfg!(miri) { 100 } else { 1 });
        numbers.extend(near.map(f32::from_bits));
    }
    // Below, the sigmoid and the logarithm are no normal numbers.
    numbers.retain(|&x| x >= f32::MIN_POSITIVE.ln() || x == f32::NEG_INFINITY);
    // The worst of all.
    numbers.extend([-16.635_704, -4.505_090_7, 9.010_928, -2.020_956_3]);
    let images: Vec<[f64; 4]> = (numbers.iter())
        .map(|&x| f64::from(x))
        .map(|x| {
            // Not 1 / (1 + e⁻ˣ) where that loses the small ones beside 1.
            let exp = x.min(0.0).exp();
            let sigmoid = exp / (exp + (-x.max(0.0)).exp());
            let log = x.max(0.0) + (-x.abs()).exp().ln_1p();
            [sigmoid, x.tanh(), x.exp_m1(), log]
        })
        .collect();
    Measure {
        numbers,
        ulps: Box::new(move |function, index, found| {
            let exact = images[index][function as usize];
            if exact > f64::from(f32::MAX) {
                return if found == f32::INFINITY {
                    0.0
                } else {
                    f64::INFINITY
                };
            }
            let binade = f64::from_bits(exact.to_bits() & (0x7FF << 52));
            let ulp = binade.max(f64::from(f32::MIN_POSITIVE)) * f64::from(f32::EPSILON);
            (f64::from(found) - exact).abs() / ulp
        }),
    }
}

/// Many numbers of `f64`, with the functions to 100 bits.
fn measure_of_f64() -> Measure<f64> {
    let count = if cfg!(miri) { 20 } else { 40_000 };
    let mut numbers = vec![0.0];
    // As many in each of these ranges, then as many in each binade.
    for (seed, range) in [0.35, 2.0, 20.0, 40.0, 708.39].into_iter().enumerate() {
        numbers.extend(random(count, seed as u64).iter().map(|u| u * range));
    }
    let exponents = random(2 * count, 10).into_iter().map(|u| 34.0 * u - 26.0);
    let mantissas = random(2 * count, 11).into_iter().map(|u| u + u.signum());
    numbers.extend(
        exponents
            .zip(mantissas)
            .map(|(exponent, m)| m * exponent.exp2()),
    );
    for jump in jumps() {
        let bits = jump.to_bits();
        numbers.extend((bits.saturating_sub(20)..=bits + 20).map(f64::from_bits));
    }
    // Below, the sigmoid and the logarithm are no normal numbers.
    numbers.retain(|&x| x >= f64::MIN_POSITIVE.ln());
    // The worst of 200 million numbers.
    numbers.extend([-36.737_375_116_096_64, 0.203_778_867_644_147_4]);
    numbers.extend([7.624_747_943_871_375, -2.745_838_961_345_876_7]);
    let precise = Precise::new();
    let images: Vec<_> = (numbers.iter())
        .map(|&x| {
            [
                precise.sigmoid(x),
                precise.tanh(x),
                precise.exp_minus_1(x),
                precise.log_1_plus_exp(x),
            ]
        })
        .collect();
    Measure {
        numbers,
        ulps: Box::new(move |function, index, found| ulps(found, images[index][function as usize])),
    }
}

/// Over all numbers of `f32`, the greatest errors are 2.481, 2.499, 3.418 (2.111 below 0) and 3.667 ulp.
#[test]
fn errors_in_f32() {
    let measure = measure_of_f32();
    measure.assert_within(Function::Sigmoid, 2.49);
    measure.assert_within(Function::Tanh, 2.5);
    measure.assert_within(Function::ExpMinus1, 3.42);
    measure.assert_within(Function::Log1PlusExp, 3.67);
}

/// Over 200 million random numbers of `f64`, the greatest errors are 2.493, 2.608, 3.032 and 3.608 ulp.
#[test]
fn errors_in_f64() {
    let measure = measure_of_f64();
    measure.assert_within(Function::Sigmoid, 2.6);
    measure.assert_within(Function::Tanh, 2.7);
    measure.assert_within(Function::ExpMinus1, 3.1);
    measure.assert_within(Function::Log1PlusExp, 3.7);
}

/// The function of one number.
fn of<F: Real>(isa: Isa, function: Function, x: f64) -> f64 {
    map(isa, function, &[F::nearest(x)])[0].wide()
}

fn assert_limits<F: Real>(smallest: F) {
    let smallest = smallest.wide();
    let infinity = f64::INFINITY;
    for isa in Isa::all() {
        let what = format!("in {} on {}", F::NAME, name(isa));
        for function in ALL {
            for nan in [f64::NAN, -f64::NAN] {
                let of_nan = of::<F>(isa, function, nan);
                assert!(of_nan.is_nan(), "{function:?} of NaN {what}");
            }
        }
        let small = 1e10 * smallest;
        let log = |x: f64| of::<F>(isa, Function::Log1PlusExp, x);
        for (x, images) in [
            (infinity, [1.0, 1.0, infinity, infinity]),
            (-infinity, [0.0, -1.0, -1.0, 0.0]),
            (1e30, [1.0, 1.0, infinity, F::nearest(1e30).wide()]),
            (-1e30, [0.0, -1.0, -1.0, 0.0]),
            (0.0, [0.5, 0.0, 0.0, log(0.0)]),
            (-0.0, [0.5, 0.0, 0.0, log(0.0)]),
            (small, [0.5, small, small, log(0.0)]),
            (-small, [0.5, -small, -small, log(0.0)]),
        ] {
            for function in ALL {
                let image = images[function as usize];
                let found = of::<F>(isa, function, x);
                assert_eq!(found, image, "{function:?} of {x:e} {what}");
            }
        }
        for x in [smallest, -smallest] {
            assert_eq!(of::<F>(isa, Function::Sigmoid, x), 0.5, "{what}");
            assert_eq!(of::<F>(isa, Function::Tanh, x), x, "{what}");
            // Half of it is no number.
            assert_eq!(of::<F>(isa, Function::ExpMinus1, x), 0.0, "{what}");
        }
    }
}

#[test]
fn limits() {
    assert_limits(f32::from_bits(1));
    assert_limits(f64::from_bits(1));
}

/// Between the normal numbers and 0, results are few steps off; then they are 0.
fn assert_small<F: Real>(function: Function, smallest: F, normal: f64, zero: f64) {
    for isa in Isa::all() {
        let what = format!("in {} on {}", F::NAME, name(isa));
        for i in 0..=100 {
            let x = F::nearest(normal + (zero - normal) * f64::from(i) / 100.0).wide();
            let error = (of::<F>(isa, function, x) - x.exp()).abs();
            assert!(
                error <= 2.0 * smallest.wide(),
                "{function:?} of {x} {what}: {error:e}"
            );
            let x = F::nearest(zero * (1.001 + f64::from(i))).wide();
            let found = of::<F>(isa, function, x);
            assert_eq!(found, 0.0, "{function:?} of {x} {what}");
        }
    }
}

#[test]
fn results_below_the_normal_numbers() {
    let smallest = f32::from_bits(1);
    assert_small(Function::Sigmoid, smallest, -87.34, -88.37);
    assert_small(Function::Log1PlusExp, smallest, -87.34, -87.68);
    let smallest = f64::from_bits(1);
    assert_small(Function::Sigmoid, smallest, -708.4, -709.43);
    assert_small(Function::Log1PlusExp, smallest, -708.4, -708.74);
}

/// What is too large for a number is infinite, and nothing on the way there is no number.
#[test]
fn results_above_all_numbers() {
    for isa in Isa::all() {
        for i in 1..=3000 {
            let x = f64::from(i) / 10.0;
            let found = of::<f32>(isa, Function::ExpMinus1, 88.73 + x);
            assert_eq!(found, f64::INFINITY, "{} on {}", 88.73 + x, name(isa));
            let found = of::<f64>(isa, Function::ExpMinus1, 709.79 + x * 5.0);
            assert_eq!(
                found,
                f64::INFINITY,
                "{} on {}",
                709.79 + x * 5.0,
                name(isa)
            );
            for x in [x, 5.0 * x] {
                let found = of::<f32>(isa, Function::Log1PlusExp, 20.0 + x);
                assert_eq!(found, (20.0 + x) as f32 as f64, "on {}", name(isa));
            }
        }
    }
}

#[test]
fn results_are_in_range() {
    let numbers: Vec<f32> = (random(100_000, 3).into_iter())
        .map(|u| (40.0 * u) as f32)
        .collect();
    for isa in Isa::all() {
        let within = |function, range: std::ops::RangeInclusive<f32>| {
            let results = map(isa, function, &numbers);
            results.iter().all(|result| range.contains(result))
        };
        assert!(within(Function::Sigmoid, 0.0..=1.0), "{}", name(isa));
        assert!(within(Function::Tanh, -1.0..=1.0), "{}", name(isa));
        let positive = 0.0..=f32::MAX;
        let above_minus_1 = -1.0..=f32::MAX;
        assert!(within(Function::ExpMinus1, above_minus_1), "{}", name(isa));
        assert!(within(Function::Log1PlusExp, positive), "{}", name(isa));
    }
}
