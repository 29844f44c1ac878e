//! Sigmoid and hyperbolic tangent to about 100 bits, to measure those of the engine in `f64`.

use std::ops::{Add, Div, Mul};

/// A sum of two numbers, the second at most half an ulp of the first: Dekker, *A Floating-Point Technique for
/// Extending the Available Precision*, 1971, <https://doi.org/10.1007/BF01397083>.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Double {
    high: f64,
    low: f64,
}

impl From<f64> for Double {
    fn from(high: f64) -> Self {
        Self { high, low: 0.0 }
    }
}

impl Double {
    const ONE: Self = Self {
        high: 1.0,
        low: 0.0,
    };

    /// `a + b`, exactly.
    fn sum(a: f64, b: f64) -> Self {
        let high = a + b;
        let of_b = high - a;
        Self {
            high,
            low: (a - (high - of_b)) + (b - of_b),
        }
    }

    /// `a + b` for `|a| ≥ |b|`, exactly.
    fn normal(a: f64, b: f64) -> Self {
        let high = a + b;
        Self {
            high,
            low: b - (high - a),
        }
    }

    /// `self · 2ⁿ`, exactly.
    fn scale(self, n: i32) -> Self {
        let factor = 2_f64.powi(n);
        Self {
            high: self.high * factor,
            low: self.low * factor,
        }
    }
}

impl Add for Double {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let [high, low] = [
            Self::sum(self.high, other.high),
            Self::sum(self.low, other.low),
        ];
        let sum = Self::normal(high.high, high.low + low.high);
        Self::normal(sum.high, sum.low + low.low)
    }
}

impl Mul for Double {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        let product = self.high * other.high;
        let rest = self.high.mul_add(other.high, -product);
        Self::normal(
            product,
            rest + (self.high * other.low + self.low * other.high),
        )
    }
}

impl Div for Double {
    type Output = Self;

    fn div(self, other: Self) -> Self {
        let mut quotient = Self::from(0.0);
        let mut rest = self;
        for _ in 0..3 {
            let digit = Self::from(rest.high / other.high);
            let product = digit * other;
            rest = rest
                + Self {
                    high: -product.high,
                    low: -product.low,
                };
            quotient = quotient + digit;
        }
        quotient
    }
}

/// The exponential function and what follows from it.
pub(super) struct Precise {
    /// `1/n!` from n = 27 down to 1.
    inverse_factorials: Vec<Double>,
}

impl Precise {
    pub(super) fn new() -> Self {
        let mut inverse_factorials = vec![Double::ONE];
        for n in 2..=27 {
            let last = inverse_factorials[inverse_factorials.len() - 1];
            inverse_factorials.push(last / Double::from(f64::from(n)));
        }
        inverse_factorials.reverse();
        Self { inverse_factorials }
    }

    /// `(n, p)` with `eʸ = 2ⁿ (1 + p)`.
    fn split_exp(&self, y: f64) -> (i32, Double) {
        /// ln 2 in three parts: multiples of the first two by 12 bits are exact.
        const LN_2: [f64; 3] = [
            0.693_147_180_559_663,
            2.823_529_056_301_490_6e-13,
            1.667_085_920_830_552e-25,
        ];
        let n = (y * std::f64::consts::LOG2_E).round();
        let [a, b, c] = LN_2.map(|part| -n * part);
        let r = Double::sum(y, a) + Double::from(b) + Double::from(c);
        let sum = self.inverse_factorials.iter();
        let p = sum.fold(Double::from(0.0), |sum, &term| (sum + term) * r);
        (n as i32, p)
    }

    /// `σ(x)` as a number and an exponent of 2 that it is to be scaled by.
    pub(super) fn sigmoid(&self, x: f64) -> (Double, i32) {
        // e⁻ˣ is so large there that the 1 beside it is nothing, and so is what it loses below the normal numbers.
        if x < -600.0 {
            let (n, p) = self.split_exp(x);
            return (Double::ONE + p, n);
        }
        let (n, p) = self.split_exp(-x);
        // Below 2⁻²⁰⁰ it does not matter how small it is.
        let exp = (Double::ONE + p).scale(n.max(-200));
        (Double::ONE / (Double::ONE + exp), 0)
    }

    /// `tanh x` as a number and an exponent of 2, which is 0.
    pub(super) fn tanh(&self, x: f64) -> (Double, i32) {
        match x.abs() {
            // x − x³/3 + …
            size if size < 2_f64.powi(-60) => (Double::from(x), 0),
            size if size > 100.0 => (Double::from(x.signum()), 0),
            _ => {
                let (n, p) = self.split_exp(2.0 * x);
                let exp_minus_1 = p.scale(n) + Double::sum(2_f64.powi(n), -1.0);
                (exp_minus_1 / (exp_minus_1 + Double::from(2.0)), 0)
            }
        }
    }
}

/// How far a normal number is from an exact one, in units of the exact one's last place.
pub(super) fn ulps(found: f64, (exact, exponent): (Double, i32)) -> f64 {
    let found = found * 2_f64.powi(-exponent);
    let binade = f64::from_bits(exact.high.to_bits() & (0x7FF << 52));
    ((found - exact.high) - exact.low).abs() / (binade * f64::EPSILON)
}

/// Numbers computed with 80 decimal digits, rounded to two parts.
#[test]
fn the_measure_is_precise() {
    let precise = Precise::new();
    let of = |high: f64, low: f64| Double { high, low };
    let (n, p) = precise.split_exp(1.0);
    let e = of(std::f64::consts::E, 1.445_646_891_729_250_2e-16);
    let mut pairs = vec![((Double::ONE + p).scale(n), e)];
    for (x, sigmoid, tanh) in [
        (
            1.0,
            of(0.731_058_578_630_004_9, -1.679_727_399_649_845e-17),
            of(0.761_594_155_955_764_9, 3.709_021_448_216_492_4e-17),
        ),
        (
            -0.5,
            of(0.377_540_668_798_145_46, -2.695_376_417_313_478e-17),
            of(-0.462_117_157_260_009_74, -2.191_660_323_826_092_8e-17),
        ),
        (
            0.375,
            of(0.592_666_599_954_069_8, -2.501_834_500_248_893_6e-17),
            of(0.358_357_398_350_785_95, -3.184_100_638_338_411e-18),
        ),
        (
            -40.0,
            of(4.248_354_255_291_589e-18, 1.063_261_941_480_036e-34),
            of(-1.0, 3.609_702_775_690_830_6e-35),
        ),
        (
            2_f64.powi(-30),
            of(0.500_000_000_232_830_6, -1.682_903_264_471_49e-29),
            of(9.313_225_746_154_785e-10, -2.692_645_223_154_387e-28),
        ),
        (
            12.5,
            of(0.999_996_273_360_715_8, -2.372_542_274_476_846e-17),
            of(0.999_999_999_972_224_1, 4.967_437_262_655_545e-18),
        ),
    ] {
        pairs.push((precise.sigmoid(x).0, sigmoid));
        pairs.push((precise.tanh(x).0, tanh));
    }
    for (found, expected) in pairs {
        let difference = (found.high - expected.high) + (found.low - expected.low);
        assert!(
            difference.abs() < 1e-29 * expected.high.abs(),
            "{found:?}, expected {expected:?}"
        );
    }
}
