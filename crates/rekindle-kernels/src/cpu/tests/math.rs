//! The error of sigmoid and hyperbolic tangent, on every instruction set, over the whole range.

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
}

const BOTH: [Function; 2] = [Function::Sigmoid, Function::Tanh];

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

/// Some numbers and their exact images under both functions.
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
    // Below, the sigmoid is no normal number.
    numbers.retain(|&x| x >= f32::MIN_POSITIVE.ln() || x == f32::NEG_INFINITY);
    // The worst of all.
    numbers.extend([-16.635_704, -4.505_090_7]);
    let images: Vec<[f64; 2]> = (numbers.iter())
        .map(|&x| f64::from(x))
        .map(|x| {
            // Not 1 / (1 + e⁻ˣ) where that loses the small ones beside 1.
            let exp = x.min(0.0).exp();
            [exp / (exp + (-x.max(0.0)).exp()), x.tanh()]
        })
        .collect();
    Measure {
        numbers,
        ulps: Box::new(move |function, index, found| {
            let exact = images[index][function as usize];
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
    for (seed, range) in [0.35, 2.0, 20.0, 40.0, 708.0].into_iter().enumerate() {
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
    // Below, the sigmoid is no normal number.
    numbers.retain(|&x| x >= f64::MIN_POSITIVE.ln());
    // The worst of 200 million numbers.
    numbers.extend([-36.737_375_116_096_64, 0.203_778_867_644_147_4]);
    let precise = Precise::new();
    let images: Vec<_> = (numbers.iter())
        .map(|&x| [precise.sigmoid(x), precise.tanh(x)])
        .collect();
    Measure {
        numbers,
        ulps: Box::new(move |function, index, found| ulps(found, images[index][function as usize])),
    }
}

/// Over all numbers of `f32`, the greatest errors are 2.481 and 2.499 ulp.
#[test]
fn errors_in_f32() {
    let measure = measure_of_f32();
    measure.assert_within(Function::Sigmoid, 2.49);
    measure.assert_within(Function::Tanh, 2.5);
}

/// Over 200 million random numbers of `f64`, the greatest errors are 2.493 and 2.608 ulp.
#[test]
fn errors_in_f64() {
    let measure = measure_of_f64();
    measure.assert_within(Function::Sigmoid, 2.6);
    measure.assert_within(Function::Tanh, 2.7);
}

fn assert_limits<F: Real>(smallest: F, below_normal: [f64; 2]) {
    for isa in Isa::all() {
        let of = |function, x: f64| map(isa, function, &[F::nearest(x)])[0].wide();
        let what = format!("in {} on {}", F::NAME, name(isa));
        for function in BOTH {
            for nan in [f64::NAN, -f64::NAN] {
                assert!(of(function, nan).is_nan(), "{function:?} of NaN {what}");
            }
        }
        for (x, sigmoid, tanh) in [
            (f64::INFINITY, 1.0, 1.0),
            (f64::NEG_INFINITY, 0.0, -1.0),
            (1e30, 1.0, 1.0),
            (-1e30, 0.0, -1.0),
            (0.0, 0.5, 0.0),
            (-0.0, 0.5, 0.0),
            (smallest.wide(), 0.5, smallest.wide()),
            (-smallest.wide(), 0.5, -smallest.wide()),
            (1e10 * smallest.wide(), 0.5, 1e10 * smallest.wide()),
        ] {
            assert_eq!(of(Function::Sigmoid, x), sigmoid, "sigmoid of {x:e} {what}");
            assert_eq!(of(Function::Tanh, x), tanh, "tanh of {x:e} {what}");
        }
        // Between the normal numbers and 0, sigmoids are few steps off; then they are 0.
        let [normal, zero] = below_normal;
        for i in 0..=100 {
            let x = F::nearest(normal + (zero - normal) * f64::from(i) / 100.0).wide();
            let error = (of(Function::Sigmoid, x) - x.exp()).abs();
            assert!(
                error <= 2.0 * smallest.wide(),
                "sigmoid of {x} {what}: {error:e}"
            );
            let x = F::nearest(zero * (1.001 + f64::from(i))).wide();
            assert_eq!(of(Function::Sigmoid, x), 0.0, "sigmoid of {x} {what}");
        }
    }
}

#[test]
fn limits() {
    assert_limits(f32::from_bits(1), [-87.34, -88.37]);
    assert_limits(f64::from_bits(1), [-708.4, -709.43]);
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
    }
}
