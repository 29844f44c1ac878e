//! Random numbers that depend on a seed, a trial and nothing else.

use rand::SeedableRng;
use rand::rngs::StdRng;

/// The random numbers of a trial.
pub(crate) fn rng(seed: u64, trial: u64) -> StdRng {
    StdRng::seed_from_u64(mix(seed, trial))
}

/// A seed of its own for each number: the step of Steele, Lea and Flood's SplitMix64,
/// <https://doi.org/10.1145/2714064.2660195>.
pub(crate) fn mix(seed: u64, number: u64) -> u64 {
    let mut z = seed.wrapping_add(number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
