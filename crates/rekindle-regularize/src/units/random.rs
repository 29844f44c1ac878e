//! Random numbers that depend on where they are used alone, not on the order of use.

/// A number in `[0, 1)` for an entry of a tensor, or a unit of a group: always the same for the same arguments.
///
/// The name is hashed (FNV-1a), the index added, and the sum mixed as in SplitMix64
/// (Steele et al., *Fast Splittable Pseudorandom Number Generators*, 2014, <https://doi.org/10.1145/2660193.2660195>).
pub(crate) fn uniform(seed: u64, name: &str, index: usize) -> f64 {
    let base = mix(seed ^ fnv(name.as_bytes()));
    let step = (index as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mix(base.wrapping_add(step)) >> 11) as f64 / (1u64 << 53) as f64
}

/// FNV-1a of 64 bits.
pub(crate) fn fnv(bytes: &[u8]) -> u64 {
    let hash = |hash: u64, &byte: &u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, hash)
}

fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_even_and_differ_by_seed_and_name() {
        let draw = |seed, name| {
            (0..4000)
                .map(|at| uniform(seed, name, at))
                .collect::<Vec<_>>()
        };
        let numbers = draw(1, "a");
        let mean = numbers.iter().sum::<f64>() / 4000.0;
        let square = numbers.iter().map(|x| x * x).sum::<f64>() / 4000.0;
        // Five standard errors of the mean, √(1/12/4000), and of the mean square, √(4/45/4000).
        assert!((mean - 0.5).abs() < 0.023, "{mean}");
        assert!((square - 1.0 / 3.0).abs() < 0.024, "{square}");
        assert_eq!(numbers, draw(1, "a"));
        assert_ne!(numbers, draw(2, "a"));
        assert_ne!(numbers, draw(1, "b"));
    }

    #[test]
    fn the_hash_is_fnv() {
        assert_eq!(fnv(b""), 0xCBF2_9CE4_8422_2325);
        assert_eq!(fnv(b"a"), 0xAF63_DC4C_8601_EC8C);
    }
}
