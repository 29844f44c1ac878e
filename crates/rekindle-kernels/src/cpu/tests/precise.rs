//! Sigmoid, hyperbolic tangent and their kin to about 100 bits, to measure those of the engine in `f64`.

use std::ops::{Add, Div, Mul, Neg};

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

impl Neg for Double {
    type Output = Self;

    fn neg(self) -> Self {
        Self {
            high: -self.high,
            low: -self.low,
        }
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
            rest = rest + -(digit * other);
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
                let exp_minus_1 = self.small_exp_minus_1(2.0 * x);
                (exp_minus_1 / (exp_minus_1 + Double::from(2.0)), 0)
            }
        }
    }

    /// `eˣ − 1` as a number and an exponent of 2 that it is to be scaled by.
    pub(super) fn exp_minus_1(&self, x: f64) -> (Double, i32) {
        match x {
            // x + x²/2 + …
            _ if x.abs() < 2_f64.powi(-60) => (Double::sum(x, 0.5 * x * x), 0),
            _ if x < -100.0 => (Double::from(-1.0), 0),
            _ if x > 200.0 => {
                let (n, p) = self.split_exp(x);
                (Double::ONE + p, n)
            }
            _ => (self.small_exp_minus_1(x), 0),
        }
    }

    /// `eˣ − 1` where powers of 2 about as large as `eˣ` leave room for 100 bits.
    fn small_exp_minus_1(&self, x: f64) -> Double {
        let (n, p) = self.split_exp(x);
        p.scale(n) + Double::sum(2_f64.powi(n), -1.0)
    }

    /// `ln(1 + eˣ)` as a number and an exponent of 2 that it is to be scaled by.
    pub(super) fn log_1_plus_exp(&self, x: f64) -> (Double, i32) {
        let (n, p) = self.split_exp(-x.abs());
        match x {
            // ln(1 + u) = u − u²/2 + …
            _ if x < -80.0 => (Double::ONE + p, n),
            _ if x > 200.0 => (Double::from(x), 0),
            _ => {
                let u = (Double::ONE + p).scale(n);
                let near = u.high.ln_1p();
                // One step of Newton's method on eʸ − 1 = u.
                let rest = u + -self.small_exp_minus_1(near);
                let log = Double::from(near) + rest / (Double::ONE + u);
                (Double::from(x.max(0.0)) + log, 0)
            }
        }
    }
}

/// How far a number is from an exact one, in units of the exact one's last place.
pub(super) fn ulps(found: f64, (exact, exponent): (Double, i32)) -> f64 {
    let found = found * 2_f64.powi(-exponent);
    let binade = f64::from_bits(exact.high.to_bits() & (0x7FF << 52)).max(f64::MIN_POSITIVE);
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
    let mut put = |function: fn(&Precise, f64) -> (Double, i32), x: f64, high: f64, low: f64| {
        pairs.push((function(&precise, x).0, of(high, low)));
    };
    for (x, [sigmoid, tanh, exp_minus_1, log_1_plus_exp]) in [
        (
            1.0,
            [
                (0.731_058_578_630_004_9, -1.679_727_399_649_845e-17),
                (0.761_594_155_955_764_9, 3.709_021_448_216_492_4e-17),
                (1.718_281_828_459_045_3, -7.747_991_575_210_629e-17),
                (1.313_261_687_518_222_8, 2.515_869_523_777_819e-17),
            ],
        ),
        (
            -0.5,
            [
                (0.377_540_668_798_145_46, -2.695_376_417_313_478e-17),
                (-0.462_117_157_260_009_74, -2.191_660_323_826_092_8e-17),
                (-0.393_469_340_287_366_6, -6.593_178_415_491_414e-19),
                (0.474_076_984_180_106_7, -5.522_109_052_790_765e-18),
            ],
        ),
        (
            0.375,
            [
                (0.592_666_599_954_069_8, -2.501_834_500_248_893_6e-17),
                (0.358_357_398_350_785_95, -3.184_100_638_338_411e-18),
                (0.454_991_414_618_201_36, -2.584_307_167_255_494_6e-17),
                (0.898_123_264_139_84, 3.844_771_922_285_071e-17),
            ],
        ),
        (
            -40.0,
            [
                (4.248_354_255_291_589e-18, 1.063_261_941_480_036e-34),
                (-1.0, 3.609_702_775_690_830_6e-35),
                (-1.0, 4.248_354_255_291_589e-18),
                (4.248_354_255_291_589e-18, 1.153_504_510_872_306_6e-34),
            ],
        ),
        (
            2_f64.powi(-30),
            [
                (0.500_000_000_232_830_6, -1.682_903_264_471_49e-29),
                (9.313_225_746_154_785e-10, -2.692_645_223_154_387e-28),
                (9.313_225_750_491_594e-10, 1.346_322_611_890_658_7e-28),
                (0.693_147_181_025_606_6, 2.329_888_835_571_154_6e-17),
            ],
        ),
        (
            12.5,
            [
                (0.999_996_273_360_715_8, -2.372_542_274_476_846e-17),
                (0.999_999_999_972_224_1, 4.967_437_262_655_545e-18),
                (268_336.286_520_874_5, -2.003_511_416_395_088_7e-11),
                (12.500_003_726_646_229, -8.169_315_883_696_571e-16),
            ],
        ),
    ] {
        put(Precise::sigmoid, x, sigmoid.0, sigmoid.1);
        put(Precise::tanh, x, tanh.0, tanh.1);
        put(Precise::exp_minus_1, x, exp_minus_1.0, exp_minus_1.1);
        put(
            Precise::log_1_plus_exp,
            x,
            log_1_plus_exp.0,
            log_1_plus_exp.1,
        );
    }
    for (found, expected) in pairs {
        let difference = (found.high - expected.high) + (found.low - expected.low);
        assert!(
            difference.abs() < 1e-29 * expected.high.abs(),
            "{found:?}, expected {expected:?}"
        );
    }
}
