//! The normal distribution.

use std::f64::consts::{PI, SQRT_2};

use rand::{Rng, RngExt};

/// `Φ(x)`: how probable values below `x` are.
pub(super) fn below(x: f64) -> f64 {
    0.5 * libm::erfc(-x / SQRT_2)
}

/// How probable values between two are. Accurate in both tails, where `Φ(high) − Φ(low)` is not.
pub(super) fn between(low: f64, high: f64) -> f64 {
    match low > 0.0 {
        true => below(-low) - below(-high),
        false => below(high) - below(low),
    }
}

/// `Φ⁻¹(p)`: the value that a share `p` of all values lies below; infinite for 0 and 1.
///
/// A first guess to three digits, and two of Halley's steps, each of which triples the number of digits.
///
/// # References
/// Abramowitz and Stegun, *Handbook of Mathematical Functions*, 1964, 26.2.23.
pub(super) fn quantile(p: f64) -> f64 {
    if p <= 0.0 || p >= 1.0 {
        return if p <= 0.0 {
            f64::NEG_INFINITY
        } else {
            f64::INFINITY
        };
    }
    if p > 0.5 {
        return -quantile(1.0 - p);
    }
    let t = (-2.0 * p.ln()).sqrt();
    let above = 2.515517 + t * (0.802853 + t * 0.010328);
    let under = 1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308));
    let mut x = above / under - t;
    for _ in 0..2 {
        let density = (-x * x / 2.0).exp() / (2.0 * PI).sqrt();
        let newton = (below(x) - p) / density;
        x -= newton / (1.0 + newton * x / 2.0);
    }
    x
}

/// A random number with mean 0 and variance 1.
pub(super) fn draw(rng: &mut impl Rng) -> f64 {
    // Never 0, so that the number is finite.
    quantile(rng.random::<f64>().max(f64::EPSILON / 4.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_by_table() {
        for (p, x) in [
            (0.5, 0.0),
            (0.975, 1.959_963_984_540_054),
            (1e-10, -6.361_340_902_404_056),
            (0.01, -2.326_347_874_040_841),
        ] {
            assert!((quantile(p) - x).abs() < 1e-12, "{p}: {}", quantile(p));
        }
        assert_eq!(quantile(0.0), f64::NEG_INFINITY);
        assert_eq!(quantile(1.0), f64::INFINITY);
    }

    #[test]
    fn tails_are_alike() {
        assert_eq!(between(8.0, 9.0), between(-9.0, -8.0));
        assert!(between(30.0, 31.0) > 0.0);
        assert!((between(-1.0, 1.0) - 0.682_689_492_137_085_9).abs() < 1e-15);
    }
}
