//! Random orders that depend on nothing but a seed and a counter.
//!
//! Rand's own `shuffle` may change its algorithm between releases, so the shuffle and the bounded draw are
//! written out here. The bits come from ChaCha with 12 rounds (`StdRng`), the same on every platform; a test pins them.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// What random numbers are for. Two uses of one seed never share a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The order of an epoch; the counter is the epoch.
    Epoch = 1,
    /// The choice of held-out sequences; the counter is the class.
    Split = 2,
    /// The lengths of chunks; the counter is the epoch.
    Chunks = 3,
    /// The sequences of a made-up problem; the counter is the part.
    Problem = 4,
}

/// The generator for one purpose, seed and counter. Seed, counter and purpose fill the key, so no two are alike.
pub(crate) fn generator(purpose: Purpose, seed: u64, counter: u64) -> StdRng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&counter.to_le_bytes());
    key[16] = purpose as u8;
    StdRng::from_seed(key)
}

/// Fisher–Yates: every order is equally likely.
pub(crate) fn shuffle<T>(items: &mut [T], rng: &mut StdRng) {
    for last in (1..items.len()).rev() {
        items.swap(last, below(last as u64 + 1, rng) as usize);
    }
}

/// A number in `[0, 1)` with 53 random bits.
pub(crate) fn unit(rng: &mut StdRng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

/// A whole number in `0..bound`, all equally likely: draws past the last whole multiple of `bound` are thrown away.
pub(crate) fn below(bound: u64, rng: &mut StdRng) -> u64 {
    let limit = u64::MAX - u64::MAX % bound;
    loop {
        let draw = rng.next_u64();
        if draw < limit {
            return draw % bound;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn order(purpose: Purpose, seed: u64, counter: u64) -> Vec<usize> {
        let mut items: Vec<usize> = (0..10).collect();
        shuffle(&mut items, &mut generator(purpose, seed, counter));
        items
    }

    #[test]
    fn the_order_is_a_function_of_purpose_seed_and_counter() {
        let first = order(Purpose::Epoch, 7, 3);
        assert_eq!(first, order(Purpose::Epoch, 7, 3));
        assert_ne!(first, order(Purpose::Split, 7, 3));
        assert_ne!(first, order(Purpose::Epoch, 8, 3));
        assert_ne!(first, order(Purpose::Epoch, 7, 4));
        assert_ne!(first, order(Purpose::Epoch, 3, 7));
    }

    /// A run that is resumed with another build must see the same order, so the order is part of the interface.
    ///
    /// The expected order was computed apart from this code, from ChaCha with 12 rounds as its paper gives it
    /// (<https://cr.yp.to/chacha/chacha-20080128.pdf>).
    #[test]
    fn the_order_is_pinned() {
        assert_eq!(order(Purpose::Epoch, 0, 0), [9, 5, 7, 1, 2, 3, 6, 4, 0, 8]);
    }

    #[test]
    fn all_orders_of_four_are_equally_likely() {
        let mut counts: HashMap<Vec<u8>, f64> = HashMap::new();
        let draws = 24_000;
        let mut rng = generator(Purpose::Epoch, 1, 0);
        for _ in 0..draws {
            let mut items = vec![0, 1, 2, 3];
            shuffle(&mut items, &mut rng);
            *counts.entry(items).or_default() += 1.0;
        }
        let expected = f64::from(draws) / 24.0;
        let chi_squared: f64 = counts
            .values()
            .map(|count| (count - expected).powi(2) / expected)
            .sum();
        assert_eq!(counts.len(), 24);
        // The 99.9 % point of chi-squared with 23 degrees of freedom.
        assert!(chi_squared < 49.73, "{chi_squared}");
    }
}
